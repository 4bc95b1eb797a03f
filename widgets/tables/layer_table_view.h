// The LAYERS dock: filter, how many of how many, the table, and what is selected. Selection goes both ways through NodeSelection.
#pragma once

#include "widgets/shared/node_selection.h"
#include "widgets/tables/layer_model.h"

#include <QWidget>

class QLabel;
class QLineEdit;
class QPushButton;
class QTableView;

namespace widgets {

class LayerDelegate;

class LayerTableView : public QWidget {
    Q_OBJECT
public:
    explicit LayerTableView(NodeSelection *selection, QWidget *parent = nullptr);

    LayerModel *model() const { return m_model; }
    LayerFilter *filter() const { return m_filter; }
    QTableView *table() const { return m_table; }
    QLineEdit *filterEdit() const { return m_edit; }
    void setGraph(std::shared_ptr<const core::Graph> graph);
    QString csv() const;                                 ///< rows and order as shown

public Q_SLOTS:
    void setLayers(const std::shared_ptr<const widgets::LayerTable> &table);
    void setOverlay(widgets::Overlay overlay);
    void setTheme(const Theme &theme);
    void setFilterText(const QString &text);
    /// Selects every row that the filter leaves.
    void selectShown();

Q_SIGNALS:
    void quantizationToggled(core::NodeId node, bool quantized);
    void editRequested();                                ///< of the selected nodes
    void nodeActivated(core::NodeId node);               ///< double click or Enter: show it on the canvas

protected:
    void resizeEvent(QResizeEvent *event) override;

private:
    void filterRows(const QString &text);
    void takeFromTable();
    void giveToTable();
    void count();
    bool eventFilter(QObject *watched, QEvent *event) override;

    NodeSelection *m_selection;
    LayerModel *m_model;
    LayerFilter *m_filter;
    LayerDelegate *m_delegate;
    QLineEdit *m_edit;
    QLabel *m_count, *m_error, *m_empty, *m_selected;
    QTableView *m_table;
    QPushButton *m_editButton;
    bool m_syncing = false;
    Theme m_theme = Theme::light();
};

} // namespace widgets

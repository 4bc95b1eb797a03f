// The layers as a table. Ticking the box of a row emits a wish; the model changes only when it is given a new table.
#pragma once

#include "core/graph/graph.h"
#include "widgets/shared/layer_facts.h"

#include <QAbstractTableModel>
#include <QSortFilterProxyModel>

#include <memory>
#include <unordered_map>

namespace widgets {

class LayerModel : public QAbstractTableModel {
    Q_OBJECT
public:
    enum Column { Quantized, Name, Operator, Type, ActivationSqnr, WeightSqnr, Clipped, Macs, Parameters, Shape, Current, ColumnCount };
    enum Role { SortRole = Qt::UserRole, BadgeClassRole, PowerOfTwoRole, SwatchRole };

    explicit LayerModel(QObject *parent = nullptr);

    const std::shared_ptr<const LayerTable> &table() const { return m_table; }
    core::NodeId nodeAt(int row) const;
    int rowOf(core::NodeId node) const;                  ///< −1 = not there
    Overlay overlay() const { return m_overlay; }

    int rowCount(const QModelIndex &parent = {}) const override;
    int columnCount(const QModelIndex &parent = {}) const override;
    QVariant data(const QModelIndex &index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;
    Qt::ItemFlags flags(const QModelIndex &index) const override;
    bool setData(const QModelIndex &index, const QVariant &value, int role) override;

public Q_SLOTS:
    void setTable(const std::shared_ptr<const widgets::LayerTable> &table);
    /// What the last column shows.
    void setOverlay(widgets::Overlay overlay);
    void setTheme(const Theme &theme);

Q_SIGNALS:
    void quantizationToggled(core::NodeId node, bool quantized);

private:
    QString textOf(const LayerFacts &facts, int column) const;
    QVariant sortKey(const LayerFacts &facts, int column) const;
    QString toolTipOf(const LayerFacts &facts, std::size_t row, int column) const;
    bool isWorst(std::size_t row, int column) const;
    void rank();

    std::shared_ptr<const LayerTable> m_table = std::make_shared<LayerTable>();
    std::unordered_map<core::NodeId, int> m_rows;
    Overlay m_overlay = Overlay::ActivationSqnr;
    Goodness m_activation, m_weight, m_clipped, m_current;
    Theme m_theme = Theme::light();
};

/// Rows that a query (tables/node_query.h) selects; unknown figures sort last in both directions.
class LayerFilter : public QSortFilterProxyModel {
    Q_OBJECT
public:
    explicit LayerFilter(LayerModel *layers, QObject *parent = nullptr);

    void setGraph(std::shared_ptr<const core::Graph> graph);
    /// False when the text cannot be understood: the rows stay as they were, and error() says why.
    bool setQuery(const QString &text);
    QString query() const { return m_query; }
    QString error() const { return m_error; }

protected:
    bool filterAcceptsRow(int row, const QModelIndex &parent) const override;
    bool lessThan(const QModelIndex &left, const QModelIndex &right) const override;

private:
    bool evaluate();

    LayerModel *m_layers = nullptr;
    std::shared_ptr<const core::Graph> m_graph;
    QString m_query, m_error;
    std::vector<bool> m_accepted;
};

} // namespace widgets

// The Spec tab: whose settings (this selection, an operator type, a rule, the whole model), whether they are quantized, the four specs,
// and the quantizers on the edges of the one selected layer. Of a file that is quantized already: its quantizers, read-only.
#pragma once

#include "widgets/shared/theme.h"
#include "widgets/spec/spec_context.h"
#include "widgets/spec/spec_state.h"

#include <QWidget>

#include <memory>
#include <set>

class QCheckBox;
class QComboBox;
class QLabel;
class QListWidget;
class QPushButton;
class QStackedWidget;
class QTableView;

namespace widgets {

class SpecEditor;
class ValueTableModel;

class SpecTab : public QWidget {
    Q_OBJECT
public:
    explicit SpecTab(QWidget *parent = nullptr);

    void setContext(std::shared_ptr<const SpecContext> context, const std::set<core::NodeId> &nodes);
    void setNodes(const std::set<core::NodeId> &nodes);
    /// Stays when the selection changes, as long as it exists: the operator type follows the selection.
    void setScope(const SpecScope &scope);
    const SpecScope &scope() const { return m_scope; }
    SpecEditor *editor() const { return m_editor; }

public Q_SLOTS:
    void setTheme(const widgets::Theme &theme);

Q_SIGNALS:
    void editRequested(const widgets::SpecEdits &edits);

private:
    QWidget *makeEditorPage();
    QWidget *makeForeignPage();
    void refresh();
    void fillScopes();
    void showState(const SpecState &state);
    void showEdges(const SpecState &state);
    void showForeign();

    std::shared_ptr<const SpecContext> m_context;
    std::set<core::NodeId> m_nodes;
    SpecScope m_scope;
    std::vector<SpecScope> m_scopes;          ///< of the chooser's entries
    std::vector<EdgeState> m_edges;
    bool m_foreign = false;
    QStackedWidget *m_pages;
    QComboBox *m_chooser;
    QCheckBox *m_quantized, *m_split;
    QPushButton *m_resetAll;
    QLabel *m_hint, *m_edgeTitle, *m_foreignTitle;
    QListWidget *m_edgeList;
    SpecEditor *m_editor;
    ValueTableModel *m_foreignModel;
    QTableView *m_foreignTable;
};

} // namespace widgets

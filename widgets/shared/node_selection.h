// The one selection that canvas, layer table, charts and inspector share, with its history (Alt+Left, Alt+Right).
#pragma once

#include "core/base/ids.h"

#include <QObject>

#include <set>
#include <vector>

namespace widgets {

class NodeSelection : public QObject {
    Q_OBJECT
public:
    using Nodes = std::set<core::NodeId>;

    explicit NodeSelection(QObject *parent = nullptr);

    const Nodes &nodes() const { return m_nodes; }
    core::NodeId current() const { return m_current; }  ///< the one shown in detail; invalid when nothing is selected
    bool contains(core::NodeId node) const { return m_nodes.contains(node); }
    bool canGoBack() const { return m_at > 0; }
    bool canGoForward() const { return m_at + 1 < m_history.size(); }

public Q_SLOTS:
    /// Replaces the selection. `current` must be among the nodes; invalid = the first.
    void select(const widgets::NodeSelection::Nodes &nodes, core::NodeId current = {});
    void toggle(core::NodeId node);
    void clear();
    void goBack();
    void goForward();
    /// Forgets the history; for another graph.
    void reset();

Q_SIGNALS:
    void selectionChanged();

private:
    void set(const Nodes &nodes, core::NodeId current, bool remember);

    Nodes m_nodes;
    core::NodeId m_current;
    std::vector<std::pair<Nodes, core::NodeId>> m_history{{}};
    std::size_t m_at = 0;
};

} // namespace widgets

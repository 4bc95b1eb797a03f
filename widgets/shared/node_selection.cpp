#include "widgets/shared/node_selection.h"

namespace widgets {
namespace {

constexpr std::size_t longestHistory = 100;

} // namespace

NodeSelection::NodeSelection(QObject *parent) : QObject(parent) {}

void NodeSelection::select(const Nodes &nodes, core::NodeId current)
{
    set(nodes, nodes.contains(current) ? current : nodes.empty() ? core::NodeId() : *nodes.begin(), true);
}

void NodeSelection::toggle(core::NodeId node)
{
    Nodes nodes = m_nodes;
    if (nodes.erase(node) == 0) {
        nodes.insert(node);
        return set(nodes, node, true);
    }
    set(nodes, m_current != node ? m_current : nodes.empty() ? core::NodeId() : *nodes.begin(), true);
}

void NodeSelection::clear()
{
    set({}, {}, true);
}

void NodeSelection::goBack()
{
    if (!canGoBack())
        return;
    --m_at;
    set(m_history[m_at].first, m_history[m_at].second, false);
}

void NodeSelection::goForward()
{
    if (!canGoForward())
        return;
    ++m_at;
    set(m_history[m_at].first, m_history[m_at].second, false);
}

void NodeSelection::reset()
{
    m_history.assign(1, {});
    m_at = 0;
    set({}, {}, false);
}

void NodeSelection::set(const Nodes &nodes, core::NodeId current, bool remember)
{
    if (nodes == m_nodes && current == m_current)
        return;
    m_nodes = nodes;
    m_current = current;
    if (remember) {
        m_history.resize(m_at + 1);
        m_history.emplace_back(nodes, current);
        if (m_history.size() > longestHistory)
            m_history.erase(m_history.begin());
        m_at = m_history.size() - 1;
    }
    Q_EMIT selectionChanged();
}

} // namespace widgets

#include "core/graph/topology.h"

#include <functional>
#include <queue>

namespace core {
namespace {

/// Values a node waits for: its inputs, and what its bodies take from outside.
template <class Visit>
void forEachTaken(const Graph &graph, const Node &node, Visit visit)
{
    for (const ValueId id : node.inputs) {
        if (id.valid())
            visit(id);
    }
    for (const std::string &name : capturedNames(node)) {
        if (const ValueId id = graph.findValue(name); id.valid())
            visit(id);
    }
}

std::string cycleSentence(const Graph &graph, const std::vector<NodeId> &producers, const std::vector<int> &waiting)
{
    const auto blocker = [&](NodeId id) {
        NodeId found;
        forEachTaken(graph, graph.node(id), [&](ValueId taken) {
            const NodeId maker = producers[std::size_t(taken.index)];
            if (maker.valid() && waiting[std::size_t(maker.index)] > 0 && !found.valid())
                found = maker;
        });
        return found;
    };
    NodeId at;
    for (const NodeId id : graph.order()) {
        if (waiting[std::size_t(id.index)] > 0) {
            at = id;
            break;
        }
    }
    std::vector<bool> seen(waiting.size());
    while (!seen[std::size_t(at.index)]) {
        seen[std::size_t(at.index)] = true;
        at = blocker(at);
    }
    std::vector<NodeId> cycle;
    const NodeId start = at;
    do {
        cycle.push_back(at);
        at = blocker(at);
    } while (at != start);

    constexpr std::size_t shown = 8;
    std::string names;
    for (std::size_t i = cycle.size(); i-- > 0 && cycle.size() - i <= shown;)
        names += "'" + graph.node(cycle[i]).name + "' → ";
    if (cycle.size() > shown)
        names += "… (" + std::to_string(cycle.size()) + " nodes) → ";
    return "The nodes form a cycle: " + names + "'" + graph.node(cycle.back()).name + "'. A network cannot wait for its own result.";
}

} // namespace

std::vector<NodeId> topologicalOrder(const Graph &graph)
{
    const std::vector<NodeId> &present = graph.order();
    const std::vector<NodeId> producers = producerByValue(graph);
    std::vector<std::int32_t> position(std::size_t(graph.nodeIdLimit()));
    std::vector<int> waiting(std::size_t(graph.nodeIdLimit()));
    std::vector<std::vector<NodeId>> consumers(std::size_t(graph.nodeIdLimit()));
    std::priority_queue<std::int32_t, std::vector<std::int32_t>, std::greater<>> ready;

    for (std::size_t i = 0; i < present.size(); ++i) {
        const NodeId id = present[i];
        position[std::size_t(id.index)] = std::int32_t(i);
        forEachTaken(graph, graph.node(id), [&](ValueId taken) {
            if (const NodeId maker = producers[std::size_t(taken.index)]; maker.valid()) {
                consumers[std::size_t(maker.index)].push_back(id);
                ++waiting[std::size_t(id.index)];
            }
        });
        if (waiting[std::size_t(id.index)] == 0)
            ready.push(std::int32_t(i));
    }

    std::vector<NodeId> sorted;
    sorted.reserve(present.size());
    while (!ready.empty()) {
        const NodeId id = present[std::size_t(ready.top())];
        ready.pop();
        sorted.push_back(id);
        for (const NodeId consumer : consumers[std::size_t(id.index)]) {
            if (--waiting[std::size_t(consumer.index)] == 0)
                ready.push(position[std::size_t(consumer.index)]);
        }
    }
    if (sorted.size() != present.size())
        throw Error(ErrorKind::InvalidInput, "graph", cycleSentence(graph, producers, waiting));
    return sorted;
}

std::vector<NodeId> nodesNeeded(const Graph &graph, const std::vector<ValueId> &targets, const std::vector<ValueId> &given)
{
    const std::vector<NodeId> producers = producerByValue(graph);
    std::vector<bool> known(std::size_t(graph.valueIdLimit())), needed(std::size_t(graph.nodeIdLimit()));
    for (const ValueId id : given) {
        if (id.valid())
            known.at(std::size_t(id.index)) = true;
    }
    for (const auto &[id, data] : graph.constants())
        known[std::size_t(id.index)] = true;

    std::vector<NodeId> pending;
    const auto want = [&](ValueId id) {
        if (!id.valid() || known.at(std::size_t(id.index)))
            return;
        known[std::size_t(id.index)] = true;
        const NodeId maker = producers[std::size_t(id.index)];
        if (maker.valid() && !needed[std::size_t(maker.index)]) {
            needed[std::size_t(maker.index)] = true;
            pending.push_back(maker);
        }
    };
    for (const ValueId id : targets)
        want(id);
    while (!pending.empty()) {
        const NodeId id = pending.back();
        pending.pop_back();
        forEachTaken(graph, graph.node(id), want);
    }

    std::vector<NodeId> ordered;
    for (const NodeId id : graph.order()) {
        if (needed[std::size_t(id.index)])
            ordered.push_back(id);
    }
    return ordered;
}

} // namespace core

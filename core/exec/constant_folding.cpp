#include "core/exec/constant_folding.h"

#include "core/exec/constant_evaluation.h"
#include "core/exec/if_inlining.h"
#include "core/exec/no_ops.h"
#include "core/graph/shape_inference.h"
#include "core/graph/topology.h"

#include <algorithm>

namespace core {
namespace {

// A quantized file stays recognisable: its weights keep their codes.
bool isQuantization(const Node &node)
{
    return node.opType == "QuantizeLinear" || node.opType == "DequantizeLinear" || node.opType == "DynamicQuantizeLinear";
}

bool makesOutput(const Graph &graph, const Node &node)
{
    return std::any_of(node.outputs.begin(), node.outputs.end(), [&](ValueId id) { return graph.isOutput(id); });
}

std::optional<TensorData> knownIntegers(const Graph &graph, const ShapeFacts &facts, ValueId id)
{
    const auto found = facts.integers.find(id);
    if (found == facts.integers.end() || !found->second.known())
        return std::nullopt;
    std::vector<std::int64_t> values;
    for (const Dimension &element : found->second.elements)
        values.push_back(element.size);
    const DataType declared = graph.value(id).type, type = declared == DataType::Undefined ? DataType::Int64 : declared;
    if (!isInteger(type))
        return std::nullopt;
    std::vector<std::int64_t> dims;
    if (!found->second.scalar)
        dims.push_back(std::int64_t(values.size()));
    else if (values.size() != 1)
        return std::nullopt;
    return TensorData::fromIntegers(type, std::move(dims), values);
}

// Shape, Gather of a shape, arithmetic on sizes…: all outputs known although the inputs are not.
bool replaceByFacts(Graph &graph, NodeId id, const ShapeFacts &facts)
{
    const Node node = graph.node(id);
    std::vector<std::pair<ValueId, TensorData>> results;
    for (const ValueId made : node.outputs) {
        if (!made.valid())
            continue;
        auto data = knownIntegers(graph, facts, made);
        if (!data)
            return false;
        results.emplace_back(made, std::move(*data));
    }
    if (results.empty())
        return false;
    graph.removeNode(id);
    for (auto &[made, data] : results)
        graph.setConstant(made, std::move(data));
    return true;
}

/// A Reshape to sizes of which one is not known, or is a dimension of the input itself, needs no shape arithmetic: −1 and 0 say the same.
bool simplifyReshape(Graph &graph, NodeId id, const ShapeFacts &facts)
{
    const Node &node = graph.node(id);
    if (!node.is("Reshape") || !node.input(1).valid() || graph.isConstant(node.input(1)) || node.intAttribute("allowzero", 0) != 0)
        return false;
    const auto found = facts.integers.find(node.input(1));
    if (found == facts.integers.end())
        return false;
    const auto &shape = graph.value(node.input(0)).shape;
    std::vector<std::int64_t> sizes;
    std::size_t open = 0;
    for (std::size_t i = 0; i < found->second.elements.size(); ++i) {
        const Dimension &element = found->second.elements[i];
        if (element.known() && element.size == 0)
            return false;
        if (element.known())
            sizes.push_back(element.size);
        else if (shape && i < shape->size() && !element.symbol.empty() && (*shape)[i].symbol == element.symbol && !(*shape)[i].known())
            sizes.push_back(0);
        else
            sizes.push_back(-1);
        open += sizes.back() == -1;
    }
    if (open > 1)
        return false;
    const ValueId made = graph.addConstant(graph.value(node.input(1)).name + "_folded", TensorData::fromInt64s({std::int64_t(sizes.size())}, sizes));
    graph.node(id).inputs[1] = made;
    return true;
}

bool removeUnusedNodes(Graph &graph)
{
    std::vector<bool> used(std::size_t(graph.valueIdLimit()), false);
    const auto mark = [&used](ValueId id) {
        if (id.valid())
            used[std::size_t(id.index)] = true;
    };
    std::for_each(graph.outputs.begin(), graph.outputs.end(), mark);
    const std::vector<NodeId> order = graph.order();
    bool removed = false;
    for (auto id = order.rbegin(); id != order.rend(); ++id) {
        const Node &node = graph.node(*id);
        if (std::none_of(node.outputs.begin(), node.outputs.end(), [&](ValueId made) { return made.valid() && used[std::size_t(made.index)]; })) {
            graph.removeNode(*id);
            removed = true;
            continue;
        }
        std::for_each(node.inputs.begin(), node.inputs.end(), mark);
        for (const std::string &name : capturedNames(node))
            mark(graph.findValue(name));
    }
    return removed;
}

class Folder {
public:
    Folder(Graph &graph, std::int64_t maxElements) : m_graph(graph), m_maxElements(maxElements), m_left(maxElements > 0 ? 8 * std::min(maxElements, std::int64_t(1) << 40) : 0) {}

    bool simplify(NodeId id, const ShapeFacts &facts)
    {
        if (const auto input = passedInput(m_graph, m_graph.node(id)); input && bypass(m_graph, id, *input))
            return true;
        if (inlineConstantIf(m_graph, id))
            return true;
        const Node &node = m_graph.node(id);
        if (!isQuantization(node) && !makesOutput(m_graph, node))
            if (replaceByFacts(m_graph, id, facts) || (isConstantNode(m_graph, node) && evaluate(id)))
                return true;
        return simplifyReshape(m_graph, id, facts);
    }

private:
    // Many results of allowed size are a bomb too.
    bool evaluate(NodeId id)
    {
        const std::vector<ValueId> outputs = m_graph.node(id).outputs;
        if (!replaceByConstants(m_graph, id, std::min(m_maxElements, m_left)))
            return false;
        for (const ValueId made : outputs)
            if (made.valid())
                m_left -= m_graph.constant(made)->count();
        m_left = std::max<std::int64_t>(m_left, 0);
        return true;
    }

    Graph &m_graph;
    std::int64_t m_maxElements, m_left;
};

} // namespace

FoldingReport foldConstants(Graph &graph, std::int64_t maxElements)
{
    FoldingReport report;
    report.nodesBefore = graph.nodeCount();
    Folder folder(graph, maxElements);
    for (bool changed = true; changed;) {
        graph.setOrder(topologicalOrder(graph));
        changed = removeUnusedNodes(graph);
        const ShapeFacts facts = inferShapes(graph);
        const std::vector<NodeId> order = graph.order();
        for (const NodeId id : order)
            if (graph.contains(id))
                changed = folder.simplify(id, facts) || changed;
        changed = removeUnusedNodes(graph) || changed;
        graph.removeUnusedValues();
    }
    report.nodesAfter = graph.nodeCount();
    return report;
}

} // namespace core

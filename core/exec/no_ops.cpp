#include "core/exec/no_ops.h"

#include <algorithm>
#include <unordered_set>

namespace core {
namespace {

bool sameShape(const Graph &graph, ValueId a, ValueId b)
{
    const auto &x = graph.value(a).shape, &y = graph.value(b).shape;
    if (!x || !y || x->size() != y->size())
        return false;
    for (std::size_t i = 0; i < x->size(); ++i) {
        const Dimension &p = (*x)[i], &q = (*y)[i];
        if (p.known() ? p.size != q.size : q.known() || p.symbol.empty() || p.symbol != q.symbol)
            return false;
    }
    return true;
}

/// Input i is omitted, or a constant that holds nothing but `number`.
bool onlyHolds(const Graph &graph, const Node &node, std::size_t i, std::int64_t number)
{
    if (!node.input(i).valid())
        return true;
    const TensorData *data = graph.constant(node.input(i));
    if (!data || bitsPerElement(data->type) == 0)
        return false;
    const std::vector<std::int64_t> values = data->toInt64s();
    return std::all_of(values.begin(), values.end(), [number](std::int64_t value) { return value == number; });
}

bool inOrder(const Graph &graph, const Node &node)
{
    const std::vector<std::int64_t> perm = node.intsAttribute("perm");
    if (perm.empty()) {
        const auto &shape = graph.value(node.input(0)).shape;
        return shape && shape->size() <= 1;
    }
    for (std::size_t i = 0; i < perm.size(); ++i)
        if (perm[i] != std::int64_t(i))
            return false;
    return true;
}

bool passesFirst(const Graph &graph, const Node &node)
{
    const ValueId in = node.input(0), out = node.output(0);
    if (node.is("Identity"))
        return true;
    if (node.is("Dropout"))
        return onlyHolds(graph, node, 2, 0);
    if (node.is("Cast"))
        return graph.value(in).type != DataType::Undefined && node.intAttribute("to", 0) == std::int64_t(graph.value(in).type);
    if (node.is("CastLike"))
        return graph.value(in).type != DataType::Undefined && node.input(1).valid() && graph.value(node.input(1)).type == graph.value(in).type;
    if (node.is("Transpose"))
        return inOrder(graph, node);
    if (node.is("Pad"))
        return node.input(1).valid() && onlyHolds(graph, node, 1, 0);
    if (node.is("Tile"))
        return node.input(1).valid() && onlyHolds(graph, node, 1, 1);
    if (node.is("Slice"))
        return sameShape(graph, in, out) && onlyHolds(graph, node, 4, 1);
    if (node.is("Concat") || node.is("Sum") || node.is("Mean") || node.is("Max") || node.is("Min"))
        return node.inputs.size() == 1;
    if (node.is("Reshape") || node.is("Flatten") || node.is("Squeeze") || node.is("Unsqueeze") || node.is("Expand") || node.is("Split"))
        return sameShape(graph, in, out);
    return false;
}

bool isUsed(const Graph &graph, ValueId id)
{
    if (!id.valid())
        return false;
    if (graph.isOutput(id) || !graph.uses(id).empty())
        return true;
    for (const NodeId user : graph.order()) {
        const std::vector<std::string> captured = capturedNames(graph.node(user));
        if (std::find(captured.begin(), captured.end(), graph.value(id).name) != captured.end())
            return true;
    }
    return false;
}

} // namespace

std::optional<std::size_t> passedInput(const Graph &graph, const Node &node)
{
    if (!node.input(0).valid() || !node.output(0).valid() || !passesFirst(graph, node))
        return std::nullopt;
    for (std::size_t i = 1; i < node.outputs.size(); ++i)
        if (isUsed(graph, node.outputs[i]))
            return std::nullopt;
    return 0;
}

bool bypass(Graph &graph, NodeId id, std::size_t input)
{
    const ValueId in = graph.node(id).input(input), out = graph.node(id).output(0);
    if (!graph.isOutput(out)) {
        graph.removeNode(id);
        graph.replaceUses(out, in);
        return true;
    }
    const NodeId source = graph.producer(in);
    if (!source.valid() || graph.isOutput(in))
        return false;
    graph.removeNode(id);
    graph.replaceUses(in, out);
    std::vector<ValueId> &made = graph.node(source).outputs;
    std::replace(made.begin(), made.end(), in, out);
    return true;
}

} // namespace core

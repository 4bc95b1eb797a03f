#include "core/graph/node_cost.h"

namespace core {
namespace {

/// 0 = not known.
std::int64_t extent(const Graph &graph, ValueId id, std::size_t dimension)
{
    const auto &shape = graph.value(id).shape;
    return shape && dimension < shape->size() && (*shape)[dimension].known() ? (*shape)[dimension].size : 0;
}

std::int64_t elementsOfImage(const Graph &graph, ValueId id)
{
    const auto &shape = graph.value(id).shape;
    if (!shape)
        return 0;
    std::int64_t count = 1;
    for (std::size_t i = 0; i < shape->size(); ++i)
        count *= (*shape)[i].known() ? (*shape)[i].size : i == 0 ? 1 : 0;
    return count;
}

} // namespace

std::int64_t multiplyAccumulates(const Graph &graph, const Node &node)
{
    if (!node.output().valid() || !node.input(1).valid() || !graph.value(node.input(1)).shape)
        return 0;
    const std::int64_t outputs = elementsOfImage(graph, node.output()), elements = elementsOfImage(graph, node.input(1));
    const std::size_t rank = graph.value(node.input(1)).shape->size();
    const std::int64_t first = extent(graph, node.input(1), 0);
    if (node.is("Conv") && rank > 1 && first > 0)
        return outputs * (elements / first);
    if (node.is("ConvTranspose") && rank > 1 && first > 0)
        return elementsOfImage(graph, node.input(0)) * (elements / first);
    if (node.is("Gemm") && rank == 2)
        return outputs * extent(graph, node.input(1), node.intAttribute("transB", 0) ? 1 : 0);
    if (node.is("MatMul") && rank > 0)
        return outputs * extent(graph, node.input(1), rank > 1 ? rank - 2 : 0);
    return 0;
}

std::int64_t multiplyAccumulates(const Graph &graph)
{
    std::int64_t total = 0;
    for (const NodeId id : graph.order())
        total += multiplyAccumulates(graph, graph.node(id));
    return total;
}

std::int64_t parameterCount(const Graph &graph, const Node &node)
{
    std::int64_t total = 0;
    for (const ValueId id : node.inputs)
        if (const TensorData *data = id.valid() ? graph.constant(id) : nullptr; data && isFloatingPoint(data->type))
            total += data->count();
    return total;
}

} // namespace core

#include "core/exec/fused_kernels.h"

#include "core/exec/op_common.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <cmath>

namespace core {
namespace {

/// false when a bound is neither omitted nor one constant number.
bool readBound(const Graph &graph, const Node &node, std::size_t i, float &bound)
{
    if (!node.input(i).valid())
        return true;
    const TensorData *data = graph.constant(node.input(i));
    if (!data || data->count() != 1 || !isFloatingPoint(data->type))
        return false;
    bound = data->toFloats()[0];
    return !std::isnan(bound);
}

} // namespace

std::optional<PreClamp> clampOf(const Graph &graph, const Node &node)
{
    PreClamp clamp;
    if (node.is("Relu")) {
        clamp.low = 0;
        return clamp;
    }
    if (!node.is("Clip") || !readBound(graph, node, 1, clamp.low) || !readBound(graph, node, 2, clamp.high) || clamp.low > clamp.high)
        return std::nullopt;
    return clamp;
}

void setClamp(Node &node, PreClamp clamp)
{
    node.attributes["low"] = clamp.low;
    node.attributes["high"] = clamp.high;
}

PreClamp clampAttribute(const Node &node)
{
    const PreClamp none;
    return {node.floatAttribute("low", none.low), node.floatAttribute("high", none.high)};
}

void QuantizePass::operator()(const float *x, float *y, std::int64_t count) const
{
    at::parallel_for(0, count, 1 << 14, [&](std::int64_t begin, std::int64_t end) {
        fakeQuantize(x + begin, y + begin, std::size_t(end - begin), params, clamp);
    });
}

void setQuantizePass(Node &node, const QuantizePass &pass)
{
    node.attributes["scale"] = pass.params.scale;
    node.attributes["zeroPoint"] = std::int64_t(pass.params.zeroPoint);
    node.attributes["qmin"] = std::int64_t(pass.params.qmin);
    node.attributes["qmax"] = std::int64_t(pass.params.qmax);
    node.attributes["quantizedLow"] = pass.clamp.low;
    node.attributes["quantizedHigh"] = pass.clamp.high;
}

std::optional<QuantizePass> quantizePassAttribute(const Node &node)
{
    if (!node.has("scale"))
        return std::nullopt;
    const PreClamp none;
    return QuantizePass{{node.floatAttribute("scale", 1), std::int32_t(node.intAttribute("zeroPoint", 0)), std::int32_t(node.intAttribute("qmin", 0)),
                         std::int32_t(node.intAttribute("qmax", 0))},
                        {node.floatAttribute("quantizedLow", none.low), node.floatAttribute("quantizedHigh", none.high)}};
}

ValueUsers::ValueUsers(const Graph &graph)
    : m_graph(graph), m_readers(std::size_t(graph.valueIdLimit())), m_producers(producerByValue(graph))
{
    const auto uses = usesByValue(graph);
    for (std::size_t i = 0; i < uses.size(); ++i)
        if (uses[i].size() == 1)
            m_readers[i] = uses[i].front().node;
    const auto hide = [this](ValueId id) {
        if (id.valid())
            m_readers[std::size_t(id.index)] = NodeId{};
    };
    for (const ValueId id : graph.outputs)
        hide(id);
    for (const NodeId id : graph.order())
        for (const std::string &name : capturedNames(graph.node(id)))
            hide(graph.findValue(name));
}

NodeId ValueUsers::soleReader(ValueId value) const
{
    if (!value.valid() || std::size_t(value.index) >= m_readers.size())
        return {};
    const NodeId reader = m_readers[std::size_t(value.index)];
    return m_graph.contains(reader) ? reader : NodeId{};
}

NodeId ValueUsers::soleProducer(ValueId value) const
{
    if (!soleReader(value).valid())
        return {};
    const NodeId producer = m_producers[std::size_t(value.index)];
    return m_graph.contains(producer) ? producer : NodeId{};
}

Kernel makeFusedKernel(const Node &node)
{
    if (node.opType == "Conv")
        return fusedConvKernel(node);
    if (node.opType == "FakeQuantize")
        return fakeQuantizeKernel(node);
    failNode(ErrorKind::Internal, node, "there is no such fused operator.");
}

} // namespace core

// QuantizeLinear → DequantizeLinear as one pass of core/kernels/fake_quantize.h, bit for bit the same.
#include "core/exec/fused_kernels.h"
#include "core/exec/op_common.h"
#include "core/exec/quant_codes.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <cmath>

namespace core {
namespace {

bool isPlainQuantize(const Node &node, const char *type)
{
    return node.opType == type && (node.domain.empty() || node.domain == "com.microsoft");
}

std::optional<std::int64_t> scalarZeroPoint(const Graph &graph, const Node &node)
{
    if (!node.input(2).valid())
        return 0;
    const TensorData *data = graph.constant(node.input(2));
    if (!data || data->count() != 1 || !isInteger(data->type))
        return std::nullopt;
    return data->toInt64s()[0];
}

std::optional<float> scalarScale(const Graph &graph, const Node &node)
{
    const TensorData *data = node.input(1).valid() ? graph.constant(node.input(1)) : nullptr;
    if (!data || data->count() != 1 || data->type != DataType::Float32)
        return std::nullopt;
    const float scale = data->toFloats()[0];
    return scale > 0 && std::isfinite(scale) ? std::optional(scale) : std::nullopt;
}

DataType codeTypeOf(const Graph &graph, const Node &quantize)
{
    if (quantize.input(2).valid())
        return inputType(quantize, graph, 2);
    const auto wish = quantize.intAttribute("output_dtype", 0);
    return wish != 0 ? DataType(wish) : DataType::UInt8;
}

/// What the pair computes, when it is one that the fast pass can do.
std::optional<AffineParams> paramsOf(const Graph &graph, const Node &quantize, const Node &dequantize)
{
    const auto scale = scalarScale(graph, quantize), back = scalarScale(graph, dequantize);
    const auto zeroPoint = scalarZeroPoint(graph, quantize), backZeroPoint = scalarZeroPoint(graph, dequantize);
    if (!scale || !back || *scale != *back || !zeroPoint || !backZeroPoint || *zeroPoint != *backZeroPoint)
        return std::nullopt;
    if (dequantize.intAttribute("output_dtype", 0) > std::int64_t(DataType::Float32))
        return std::nullopt;
    const DataType type = codeTypeOf(graph, quantize);
    if (!isInteger(type) || bitsPerElement(type) > 16)
        return std::nullopt;
    const IntegerLimits limits = integerLimits(type, nodeLabel(quantize));
    return AffineParams{*scale, std::int32_t(*zeroPoint), std::int32_t(limits.min), std::int32_t(limits.max)};
}

} // namespace

Kernel fakeQuantizeKernel(const Node &node)
{
    const QuantizePass pass = quantizePassAttribute(node).value_or(QuantizePass{});
    return [pass](OpCall &call) {
        at::Tensor x = call.inputs[0].to(at::kFloat);
        at::Tensor y = x;
        if (!canReuse(call, 0, x.sizes()) || !x.is_same(call.inputs[0])) {
            if (!x.is_non_overlapping_and_dense())
                x = x.contiguous();
            y = at::empty_like(x);
        }
        pass(x.data_ptr<float>(), y.data_ptr<float>(), x.numel());
        call.outputs[0] = y;
    };
}

void fuseFakeQuantize(Graph &part)
{
    const ValueUsers users(part);
    const std::vector<NodeId> order = part.order();
    for (const NodeId id : order) {
        const Node dequantize = part.node(id);
        if (!isPlainQuantize(dequantize, "DequantizeLinear"))
            continue;
        const NodeId quantizeId = users.soleProducer(dequantize.input(0));
        if (!quantizeId.valid() || !isPlainQuantize(part.node(quantizeId), "QuantizeLinear"))
            continue;
        const Node quantize = part.node(quantizeId);
        const auto params = paramsOf(part, quantize, dequantize);
        if (!params)
            continue;
        Node fused;
        fused.name = quantize.name;
        fused.opType = "FakeQuantize";
        fused.domain = fusedDomain;
        fused.inputs = {quantize.input(0)};
        fused.outputs = {dequantize.output(0)};
        QuantizePass pass{*params, {}};
        if (const NodeId before = users.soleProducer(quantize.input(0)); before.valid())
            if (const auto clamp = clampOf(part, part.node(before))) {
                pass.clamp = *clamp;
                fused.inputs[0] = part.node(before).input(0);
                part.removeNode(before);
            }
        setQuantizePass(fused, pass);
        part.removeNode(quantizeId);
        part.insertNode(std::move(fused), id);
        part.removeNode(id);
    }
}

} // namespace core

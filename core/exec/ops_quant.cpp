// QuantizeLinear, DequantizeLinear, DynamicQuantizeLinear (also of com.microsoft). Gradients do not pass: training
// uses the fake quantizers of core/quant.
#include "core/exec/op_common.h"
#include "core/exec/quant_codes.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

namespace core {
namespace {

at::Tensor optionalInput(const OpCall &call, std::size_t i)
{
    return i < call.inputs.size() ? call.inputs[i] : at::Tensor{};
}

QuantGrain grainOf(const Node &node)
{
    QuantGrain grain{node.intAttribute("axis", 1), node.intAttribute("block_size", 0)};
    if (grain.blockSize < 0)
        failNode(ErrorKind::InvalidInput, node, "attribute block_size is negative.");
    return grain;
}

Kernel quantizeKernel(const Node &node, const Graph &graph)
{
    const std::string label = nodeLabel(node);
    DataType type = inputType(node, graph, 2);
    if (const auto wish = node.intAttribute("output_dtype", 0); type == DataType::Undefined && wish != 0)
        type = DataType(wish);
    if (type == DataType::Undefined && node.input(2).valid())
        type = outputType(node, graph);
    if (type == DataType::Undefined && !node.input(2).valid())
        type = DataType::UInt8;
    return [type, grain = grainOf(node), saturate = node.intAttribute("saturate", 1) != 0, label](OpCall &call) {
        const at::Tensor zeroPoint = optionalInput(call, 2);
        const DataType codes = type == DataType::Undefined ? codeType(zeroPoint.scalar_type()) : type;
        call.outputs[0] = quantizeTensor(call.inputs[0], call.inputs[1], zeroPoint, codes, grain, saturate, label);
    };
}

Kernel dequantizeKernel(const Node &node, const Graph &graph)
{
    const std::string label = nodeLabel(node);
    DataType type = inputType(node, graph, 1);
    if (const auto wish = node.intAttribute("output_dtype", 0); wish != 0)
        type = DataType(wish);
    const bool rounds = type == DataType::Float16 || type == DataType::BFloat16;
    return [type, rounds, grain = grainOf(node), label](OpCall &call) {
        const at::Tensor values = dequantizeTensor(call.inputs[0], call.inputs[1], optionalInput(call, 2), grain, label);
        call.outputs[0] = rounds ? convertTo(values, type, true, label) : values;
    };
}

Kernel dynamicQuantizeKernel(const Node &node, const Graph &)
{
    return [label = nodeLabel(node)](OpCall &call) {
        const at::Tensor &x = call.inputs[0];
        float low = 0, high = 0;
        if (x.numel() > 0) {
            const auto [least, greatest] = at::aminmax(x);
            low = std::min(0.0f, least.item<float>());
            high = std::max(0.0f, greatest.item<float>());
        }
        if (!std::isfinite(low) || !std::isfinite(high))
            failCall(ErrorKind::Numeric, label, "the input holds NaN or infinity.");
        const float scale = high > low ? (high - low) / 255.0f : 1.0f;
        const float zeroPoint = std::clamp(std::nearbyint(-low / scale), 0.0f, 255.0f);
        call.outputs[1] = at::scalar_tensor(scale, at::kFloat);
        call.outputs[2] = at::scalar_tensor(std::int64_t(zeroPoint), at::kByte);
        call.outputs[0] = quantizeTensor(x, call.outputs[1], call.outputs[2], DataType::UInt8, {}, true, label);
    };
}

} // namespace

void registerQuantOps(OpRegistry &registry)
{
    for (const char *domain : {"", "com.microsoft"}) {
        registry.add("QuantizeLinear", quantizeKernel, domain);
        registry.add("DequantizeLinear", dequantizeKernel, domain);
    }
    registry.add("DynamicQuantizeLinear", dynamicQuantizeKernel);
    registerQLinearOps(registry);
}

} // namespace core

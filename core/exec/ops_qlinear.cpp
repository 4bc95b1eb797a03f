// Operators on integer codes: QLinearConv, QLinearMatMul, ConvInteger, MatMulInteger, and the com.microsoft operators
// that foreign quantized files use. Accumulation is exact: whole numbers in float32 while every partial sum stays below
// 2^24, else in float64.
#include "core/exec/deterministic_sum.h"
#include "core/exec/op_common.h"
#include "core/exec/quant_codes.h"
#include "core/exec/window.h"

#include <ATen/ATen.h>

#include <algorithm>

namespace core {
namespace {

using Ints = std::vector<std::int64_t>;

at::Tensor optionalInput(const OpCall &call, std::size_t i)
{
    return i < call.inputs.size() ? call.inputs[i] : at::Tensor{};
}

DataType resultType(const Node &node, const Graph &graph, std::size_t zeroPointInput)
{
    const DataType type = inputType(node, graph, zeroPointInput);
    return type != DataType::Undefined ? type : outputType(node, graph);
}

at::Tensor quantizeResult(const at::Tensor &x, const OpCall &call, std::size_t scaleInput, DataType type, const std::string &label)
{
    const at::Tensor zeroPoint = optionalInput(call, scaleInput + 1);
    if (type == DataType::Undefined)
        type = zeroPoint.defined() ? codeType(zeroPoint.scalar_type()) : codeType(call.inputs[0].scalar_type());
    return quantizeTensor(x, call.inputs[scaleInput], zeroPoint, type, {}, true, label);
}

// Codes minus zero point, as whole numbers in float64; `axis` is where a zero point per index belongs.
at::Tensor centered(const at::Tensor &codes, const at::Tensor &zeroPoint, std::int64_t axis, const std::string &label)
{
    const at::Tensor wide = codes.to(at::kFloat);
    if (!zeroPoint.defined())
        return wide;
    return wide - alignParameter(zeroPoint.to(at::kFloat), codes, {axis, 0}, label);
}

double largest(const at::Tensor &x)
{
    return x.numel() == 0 ? 0.0 : at::abs(x).max().item<double>();
}

constexpr double exactInFloat = 16777216.0;

struct ConvShape {
    WindowAttributes window;
    std::int64_t groups = 1;
};

ConvShape convShape(const Node &node)
{
    const ConvShape shape{readWindow(node), node.intAttribute("group", 1)};
    if (shape.groups < 1)
        failNode(ErrorKind::InvalidInput, node, "attribute group is not above 0.");
    return shape;
}

// Convolution of whole numbers, exact whatever the order of the additions.
at::Tensor convolveExactly(at::Tensor x, const at::Tensor &w, const ConvShape &shape, const std::string &label)
{
    if (x.dim() < 3 || x.dim() > 5 || w.dim() != x.dim() || w.size(1) * shape.groups != x.size(1) || w.size(0) % shape.groups != 0)
        failCall(ErrorKind::InvalidInput, label, "the input has rank " + std::to_string(x.dim()) + ", the weight " + std::to_string(w.dim())
                 + ", or their channels do not fit " + std::to_string(shape.groups) + " groups.");
    const Window place = resolveWindow(shape.window, w.sizes().slice(2), x, label);
    Ints sizes{x.size(0), w.size(0)};
    sizes.insert(sizes.end(), place.outputs.begin(), place.outputs.end());
    checkResultSize(sizes, label);
    if (place.padded())
        x = at::constant_pad_nd(x, reversedPads(place.before, place.after), 0);
    const at::Tensor heaviest = at::abs(w).reshape({w.size(0), -1}).sum(1);
    const bool narrow = largest(x) * largest(heaviest) <= exactInFloat;
    const auto type = narrow ? at::kFloat : at::kDouble;
    const Ints none(place.axes(), 0);
    return at::convolution(x.to(type), w.to(type), {}, place.strides, none, place.dilations, false, none, shape.groups);
}

at::Tensor multiplyExactly(const at::Tensor &a, const at::Tensor &b)
{
    const double bound = largest(a) * largest(b) * double(a.size(-1));
    const auto type = bound <= exactInFloat ? at::kFloat : at::kDouble;
    return at::matmul(a.to(type), b.to(type));
}

Kernel convIntegerKernel(const Node &node, const Graph &)
{
    return [shape = convShape(node), label = nodeLabel(node)](OpCall &call) {
        const at::Tensor x = centered(call.inputs[0], optionalInput(call, 2), 1, label), w = centered(call.inputs[1], optionalInput(call, 3), 0, label);
        call.outputs[0] = convolveExactly(x, w, shape, label).to(at::kInt);
    };
}

Kernel qLinearConvKernel(const Node &node, const Graph &graph)
{
    const DataType type = resultType(node, graph, 7);
    return [shape = convShape(node), type, label = nodeLabel(node)](OpCall &call) {
        const at::Tensor x = centered(call.inputs[0], call.inputs[2], 1, label), w = centered(call.inputs[3], call.inputs[5], 0, label);
        at::Tensor sum = convolveExactly(x, w, shape, label);
        Ints channels(std::size_t(sum.dim()), 1);
        channels[1] = -1;
        if (const at::Tensor bias = optionalInput(call, 8); bias.defined())
            sum = sum.to(at::kDouble) + bias.to(at::kDouble).reshape(channels);
        const at::Tensor scale = call.inputs[1].to(at::kFloat).reshape({}) * call.inputs[4].to(at::kFloat).reshape({-1});
        call.outputs[0] = quantizeResult(sum.to(at::kFloat) * scale.reshape(channels), call, 6, type, label);
    };
}

// A zero point (or scale) per row of a, or per column of b.
at::Tensor rowParameter(const at::Tensor &parameter) { return parameter.dim() == 1 && parameter.numel() > 1 ? parameter.unsqueeze(-1) : parameter; }

at::Tensor minusBroadcast(const at::Tensor &codes, const at::Tensor &zeroPoint)
{
    const at::Tensor wide = codes.to(at::kFloat);
    return zeroPoint.defined() ? wide - (zeroPoint.numel() == 1 ? zeroPoint.reshape({}) : zeroPoint).to(at::kFloat) : wide;
}

at::Tensor scalarOr(const at::Tensor &parameter) { return parameter.numel() == 1 ? parameter.reshape({}) : parameter; }

Kernel matMulIntegerKernel(const Node &, const Graph &)
{
    return [](OpCall &call) {
        const at::Tensor aZero = optionalInput(call, 2), bZero = optionalInput(call, 3);
        const at::Tensor a = minusBroadcast(call.inputs[0], aZero.defined() ? rowParameter(aZero) : aZero), b = minusBroadcast(call.inputs[1], bZero);
        call.outputs[0] = multiplyExactly(a, b).to(at::kInt);
    };
}

Kernel qLinearMatMulKernel(const Node &node, const Graph &graph)
{
    const DataType type = resultType(node, graph, 7);
    return [type, label = nodeLabel(node)](OpCall &call) {
        const at::Tensor a = minusBroadcast(call.inputs[0], rowParameter(call.inputs[2])), b = minusBroadcast(call.inputs[3], call.inputs[5]);
        const at::Tensor scale = scalarOr(rowParameter(call.inputs[1].to(at::kFloat))) * scalarOr(call.inputs[4].to(at::kFloat));
        call.outputs[0] = quantizeResult(multiplyExactly(a, b).to(at::kFloat) * scale, call, 6, type, label);
    };
}

at::Tensor realValue(const OpCall &call, std::size_t first, const std::string &label)
{
    return dequantizeTensor(call.inputs[first], call.inputs[first + 1], optionalInput(call, first + 2), {}, label);
}

Kernel qLinearBinaryKernel(const Node &node, const Graph &graph, bool multiply)
{
    const DataType type = resultType(node, graph, 7);
    return [type, multiply, label = nodeLabel(node)](OpCall &call) {
        const at::Tensor a = realValue(call, 0, label), b = realValue(call, 3, label);
        call.outputs[0] = quantizeResult(multiply ? a * b : a + b, call, 6, type, label);
    };
}

Kernel qGemmKernel(const Node &node, const Graph &graph)
{
    const bool transA = node.intAttribute("transA", 0) != 0, transB = node.intAttribute("transB", 0) != 0;
    const bool quantized = node.input(7).valid();
    const DataType type = resultType(node, graph, 8);
    return [=, alpha = node.floatAttribute("alpha", 1), label = nodeLabel(node)](OpCall &call) {
        at::Tensor a = centered(call.inputs[0], call.inputs[2], 0, label), b = centered(call.inputs[3], call.inputs[5], transB ? 0 : 1, label);
        at::Tensor sum = multiplyExactly(transA ? a.t() : a, transB ? b.t() : b).to(at::kDouble);
        if (const at::Tensor c = optionalInput(call, 6); c.defined())
            sum = sum + c.to(at::kDouble);
        const at::Tensor scale = alpha * scalarOr(call.inputs[1].to(at::kFloat)) * scalarOr(call.inputs[4].to(at::kFloat));
        const at::Tensor real = sum.to(at::kFloat) * scale;
        call.outputs[0] = quantized ? quantizeResult(real, call, 7, type, label) : real;
    };
}

Kernel qGlobalAverageKernel(const Node &node, const Graph &graph)
{
    const bool channelsLast = node.intAttribute("channels_last", 0) != 0;
    const DataType type = resultType(node, graph, 4);
    return [channelsLast, type, label = nodeLabel(node)](OpCall &call) {
        const at::Tensor x = realValue(call, 0, label);
        Ints axes;
        for (std::int64_t d = channelsLast ? 1 : 2; d < x.dim() - (channelsLast ? 1 : 0); ++d)
            axes.push_back(d);
        call.outputs[0] = quantizeResult(deterministicMean(x, axes, true), call, 3, type, label);
    };
}

Kernel qConcatKernel(const Node &node, const Graph &graph)
{
    const DataType type = resultType(node, graph, 1);
    return [type, axis = node.intAttribute("axis", 0), label = nodeLabel(node)](OpCall &call) {
        std::vector<at::Tensor> parts;
        for (std::size_t i = 2; i + 2 < call.inputs.size(); i += 3)
            parts.push_back(realValue(call, i, label));
        const at::Tensor joined = at::cat(parts, normalizeAxis(axis, parts.at(0).dim(), label));
        const DataType codes = type == DataType::Undefined ? codeType(call.inputs[1].scalar_type()) : type;
        call.outputs[0] = quantizeTensor(joined, call.inputs[0], call.inputs[1], codes, {}, true, label);
    };
}

using Function = at::Tensor (*)(const at::Tensor &, const Node &);

KernelFactory qUnaryFactory(Function function)
{
    return [function](const Node &node, const Graph &graph) -> Kernel {
        return [function, node, type = resultType(node, graph, 4), label = nodeLabel(node)](OpCall &call) {
            call.outputs[0] = quantizeResult(function(realValue(call, 0, label), node), call, 3, type, label);
        };
    };
}

} // namespace

void registerQLinearOps(OpRegistry &registry)
{
    registry.add("ConvInteger", convIntegerKernel);
    registry.add("QLinearConv", qLinearConvKernel);
    registry.add("MatMulInteger", matMulIntegerKernel);
    registry.add("QLinearMatMul", qLinearMatMulKernel);
    const std::string microsoft = "com.microsoft";
    registry.add("QLinearAdd", [](const Node &node, const Graph &graph) { return qLinearBinaryKernel(node, graph, false); }, microsoft);
    registry.add("QLinearMul", [](const Node &node, const Graph &graph) { return qLinearBinaryKernel(node, graph, true); }, microsoft);
    registry.add("QGemm", qGemmKernel, microsoft);
    registry.add("QLinearGlobalAveragePool", qGlobalAverageKernel, microsoft);
    registry.add("QLinearConcat", qConcatKernel, microsoft);
    registry.add("QLinearSigmoid", qUnaryFactory([](const at::Tensor &x, const Node &) { return sigmoidOf(x); }), microsoft);
    registry.add("QLinearLeakyRelu", qUnaryFactory([](const at::Tensor &x, const Node &node) {
        return at::leaky_relu(x, node.floatAttribute("alpha", 0.01f));
    }), microsoft);
}

} // namespace core

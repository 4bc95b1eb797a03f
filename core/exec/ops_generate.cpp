// Operators that make tensors out of numbers, shapes or masks.
#include "core/exec/executor.h"
#include "core/exec/op_common.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

namespace core {
namespace {

using Ints = std::vector<std::int64_t>;

at::Tensor constantOf(const Node &node)
{
    for (const auto &[name, value] : node.attributes) {
        if (const auto *data = std::get_if<TensorData>(&value); data && name == "value")
            return toTensor(*data);
        if (name == "value_float")
            return at::scalar_tensor(node.floatAttribute(name, 0), at::kFloat);
        if (name == "value_int")
            return at::scalar_tensor(node.intAttribute(name, 0), at::kLong);
        if (name == "value_floats")
            return at::tensor(node.floatsAttribute(name), at::kFloat);
        if (name == "value_ints")
            return at::tensor(node.intsAttribute(name), at::kLong);
    }
    failNode(ErrorKind::Unsupported, node, "its value is neither a dense tensor nor numbers.");
}

Kernel constantKernel(const Node &node, const Graph &)
{
    return [value = constantOf(node)](OpCall &call) { call.outputs[0] = value; };
}

Kernel constantOfShapeKernel(const Node &node, const Graph &graph)
{
    at::Tensor value = at::zeros({1}, at::kFloat);
    if (const auto found = node.attributes.find("value"); found != node.attributes.end()) {
        const auto *data = std::get_if<TensorData>(&found->second);
        if (!data || data->count() != 1)
            failNode(ErrorKind::InvalidInput, node, "attribute value must hold one number.");
        value = toTensor(*data);
    }
    return [value, shape = IntsInput(node, graph, 0), label = nodeLabel(node)](OpCall &call) {
        const Ints sizes = shape.get(call).value_or(Ints{});
        checkResultSize(sizes, label);
        call.outputs[0] = at::full(sizes, value.item(), value.options());
    };
}

Kernel rangeKernel(const Node &node, const Graph &)
{
    return [label = nodeLabel(node)](OpCall &call) {
        const at::Tensor &start = call.inputs[0], &delta = call.inputs[2];
        const double from = start.to(at::kDouble).item<double>(), to = call.inputs[1].to(at::kDouble).item<double>(), step = delta.to(at::kDouble).item<double>();
        if (step == 0 || !std::isfinite(from) || !std::isfinite(to) || !std::isfinite(step))
            failCall(ErrorKind::InvalidInput, label, "delta is 0, or a limit is not finite.");
        const double count = std::max(0.0, std::ceil((to - from) / step));
        if (count > double(std::int64_t(1) << 32))
            failCall(ErrorKind::InvalidInput, label, "the result would have more than 2^32 elements.");
        const at::Tensor steps = at::arange(std::int64_t(count), at::kLong);
        call.outputs[0] = steps.to(start.scalar_type()) * delta.reshape({}) + start.reshape({});
    };
}

Kernel shapeKernel(const Node &node, const Graph &)
{
    const bool hasEnd = node.has("end");
    return [hasEnd, start = node.intAttribute("start", 0), end = node.intAttribute("end", 0)](OpCall &call) {
        const at::Tensor &x = call.inputs[0];
        const std::int64_t rank = x.dim();
        const std::int64_t first = std::clamp<std::int64_t>(start < 0 ? start + rank : start, 0, rank);
        const std::int64_t last = hasEnd ? std::clamp<std::int64_t>(end < 0 ? end + rank : end, 0, rank) : rank;
        Ints sizes;
        for (std::int64_t d = first; d < last; ++d)
            sizes.push_back(x.size(d));
        call.outputs[0] = at::tensor(sizes, at::kLong);
    };
}

Kernel eyeLikeKernel(const Node &node, const Graph &graph)
{
    const std::string label = nodeLabel(node);
    DataType type = node.has("dtype") ? DataType(node.intAttribute("dtype", 1)) : inputType(node, graph, 0);
    return [type, k = node.intAttribute("k", 0), label](OpCall &call) {
        const at::Tensor &x = call.inputs[0];
        if (x.dim() != 2)
            failCall(ErrorKind::InvalidInput, label, "the input has rank " + std::to_string(x.dim()) + ", not 2.");
        const auto scalarType = type == DataType::Undefined ? x.scalar_type() : storageScalarType(type, label);
        const at::Tensor rows = at::arange(x.size(0), at::kLong).unsqueeze(1), columns = at::arange(x.size(1), at::kLong);
        call.outputs[0] = (columns - rows).eq(k).to(scalarType);
    };
}

Kernel triluKernel(const Node &node, const Graph &graph)
{
    return [upper = node.intAttribute("upper", 1) != 0, kInput = IntsInput(node, graph, 1)](OpCall &call) {
        const Ints given = kInput.get(call).value_or(Ints{});
        const at::Tensor &x = call.inputs[0];
        const std::int64_t k = given.empty() ? 0 : given.front();
        const at::Tensor rows = at::arange(x.size(-2), at::kLong).unsqueeze(1), columns = at::arange(x.size(-1), at::kLong);
        const at::Tensor distance = columns - rows, outside = upper ? distance.lt(k) : distance.gt(k);
        call.outputs[0] = x.masked_fill(outside, 0);
    };
}

Kernel compressKernel(const Node &node, const Graph &)
{
    const bool hasAxis = node.has("axis");
    return [hasAxis, axis = node.intAttribute("axis", 0), label = nodeLabel(node)](OpCall &call) {
        const at::Tensor x = hasAxis ? call.inputs[0] : call.inputs[0].reshape({-1});
        const std::int64_t dim = hasAxis ? normalizeAxis(axis, x.dim(), label) : 0;
        const at::Tensor index = at::nonzero(call.inputs[1].reshape({-1})).reshape({-1});
        if (call.inputs[1].numel() > x.size(dim) && index.numel() > 0 && index.max().item<std::int64_t>() >= x.size(dim))
            failCall(ErrorKind::InvalidInput, label, "the condition selects elements behind the end of the axis.");
        call.outputs[0] = x.index_select(dim, index);
    };
}

Kernel sizeKernel(const Node &, const Graph &)
{
    return [](OpCall &call) { call.outputs[0] = at::scalar_tensor(call.inputs[0].numel(), at::kLong); };
}

} // namespace

void registerGeneratorOps(OpRegistry &registry)
{
    registry.add("Constant", constantKernel);
    registry.add("ConstantOfShape", constantOfShapeKernel);
    registry.add("Range", rangeKernel);
    registry.add("Shape", shapeKernel);
    registry.add("Size", sizeKernel);
    registry.add("EyeLike", eyeLikeKernel);
    registry.add("Trilu", triluKernel);
    registry.add("Compress", compressKernel);
}

} // namespace core

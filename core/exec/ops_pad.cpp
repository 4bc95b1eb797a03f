// Pad: constant, reflect, edge, wrap; negative pads cut. CenterCropPad.
#include "core/exec/differentiable.h"
#include "core/exec/op_common.h"

#include <ATen/ATen.h>

#include <algorithm>

namespace core {
namespace {

using Ints = std::vector<std::int64_t>;

std::int64_t sourceIndex(std::int64_t i, std::int64_t size, const std::string &mode)
{
    if (mode == "edge")
        return std::clamp<std::int64_t>(i, 0, size - 1);
    const std::int64_t period = mode == "wrap" ? size : std::max<std::int64_t>(1, 2 * (size - 1));
    const std::int64_t phase = ((i % period) + period) % period;
    return phase < size ? phase : period - phase;
}

at::Tensor padByIndex(at::Tensor x, std::int64_t axis, std::int64_t before, std::int64_t after, const std::string &mode, const std::string &label)
{
    const std::int64_t size = x.size(axis);
    // Cuts come first: what is mirrored is what is left.
    const std::int64_t cutBefore = std::max<std::int64_t>(0, -before), cutAfter = std::max<std::int64_t>(0, -after), left = size - cutBefore - cutAfter;
    if (left <= 0)
        failCall(ErrorKind::InvalidInput, label, "nothing is left of axis " + std::to_string(axis) + " to be padded.");
    x = x.narrow(axis, cutBefore, left);
    std::vector<std::int64_t> source;
    for (std::int64_t i = -std::max<std::int64_t>(before, 0); i < left + std::max<std::int64_t>(after, 0); ++i)
        source.push_back(sourceIndex(i, left, mode));
    return x.index_select(axis, at::tensor(source, at::kLong));
}

Kernel padKernel(const Node &node, const Graph &graph)
{
    const std::string mode = node.stringAttribute("mode", "constant");
    if (mode != "constant" && mode != "reflect" && mode != "edge" && mode != "wrap")
        failNode(ErrorKind::Unsupported, node, "attribute mode '" + mode + "' is unknown.");
    return [mode, padsInput = IntsInput(node, graph, 1), axesInput = IntsInput(node, graph, 3), label = nodeLabel(node)](OpCall &call) {
        const at::Tensor &x = call.inputs[0];
        const auto pads = padsInput.get(call);
        Ints axes;
        if (const auto given = axesInput.get(call))
            axes = normalizeAxes(*given, x.dim(), label);
        else
            for (std::int64_t d = 0; d < x.dim(); ++d)
                axes.push_back(d);
        if (!pads || pads->size() != 2 * axes.size())
            failCall(ErrorKind::InvalidInput, label, "pads must hold " + std::to_string(2 * axes.size()) + " numbers.");
        Ints before(std::size_t(x.dim()), 0), after = before, sizes(x.sizes().begin(), x.sizes().end());
        for (std::size_t i = 0; i < axes.size(); ++i) {
            const auto axis = std::size_t(axes[i]);
            constexpr std::int64_t limit = std::int64_t(1) << 40;
            before[axis] = std::clamp((*pads)[i], -limit, limit);
            after[axis] = std::clamp((*pads)[i + axes.size()], -limit, limit);
            sizes[axis] += before[axis] + after[axis];
        }
        checkResultSize(sizes, label);
        if (mode == "constant") {
            at::Scalar value = 0;
            const at::Tensor filler = call.inputs.size() > 2 ? call.inputs[2] : at::Tensor{};
            if (filler.defined() && filler.numel() == 1)
                value = filler.item();
            Ints reversed;
            for (std::int64_t d = x.dim(); d-- > 0;) {
                reversed.push_back(before[std::size_t(d)]);
                reversed.push_back(after[std::size_t(d)]);
            }
            while (reversed.size() >= 2 && reversed[reversed.size() - 1] == 0 && reversed[reversed.size() - 2] == 0)
                reversed.resize(reversed.size() - 2);
            call.outputs[0] = reversed.empty() ? x : at::constant_pad_nd(x, reversed, value);
            if (recording({filler}))
                call.outputs[0] = at::where(at::constant_pad_nd(at::zeros(x.sizes(), at::kBool), reversed, true), filler.reshape({}), call.outputs[0]);
            return;
        }
        at::Tensor result = x;
        for (std::int64_t d = 0; d < x.dim(); ++d)
            if (before[std::size_t(d)] != 0 || after[std::size_t(d)] != 0)
                result = padByIndex(result, d, before[std::size_t(d)], after[std::size_t(d)], mode, label);
        call.outputs[0] = x.dim() == 4 ? result.contiguous(x.suggest_memory_format()) : result;
    };
}

Kernel centerCropPadKernel(const Node &node, const Graph &graph)
{
    return [given = node.intsAttribute("axes"), shapeInput = IntsInput(node, graph, 1), label = nodeLabel(node)](OpCall &call) {
        at::Tensor x = call.inputs[0];
        Ints axes = normalizeAxes(given, x.dim(), label);
        if (axes.empty())
            for (std::int64_t d = 0; d < x.dim(); ++d)
                axes.push_back(d);
        const Ints shape = shapeInput.get(call).value_or(Ints{});
        if (shape.size() != axes.size())
            failCall(ErrorKind::InvalidInput, label, "shape must hold " + std::to_string(axes.size()) + " numbers.");
        checkResultSize(shape, label);
        Ints sizes(x.sizes().begin(), x.sizes().end()), pads(2 * sizes.size(), 0);
        for (std::size_t i = 0; i < axes.size(); ++i) {
            const std::int64_t axis = axes[i], lack = shape[i] - x.size(axis);
            sizes[std::size_t(axis)] = shape[i];
            if (lack < 0)
                x = x.narrow(axis, -lack / 2, shape[i]);
            const std::size_t place = 2 * std::size_t(x.dim() - 1 - axis);
            pads[place] = std::max<std::int64_t>(lack, 0) / 2;
            pads[place + 1] = std::max<std::int64_t>(lack, 0) - pads[place];
        }
        checkResultSize(sizes, label);
        call.outputs[0] = at::constant_pad_nd(x, pads, 0);
    };
}

} // namespace

void registerPadOps(OpRegistry &registry)
{
    registry.add("Pad", padKernel);
    registry.add("CenterCropPad", centerCropPadKernel);
}

} // namespace core

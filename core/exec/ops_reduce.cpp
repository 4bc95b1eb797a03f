// Reductions over axes, ArgMax / ArgMin, CumSum. Float sums have a fixed order (deterministic_sum.h).
#include "core/exec/deterministic_sum.h"
#include "core/exec/differentiable.h"
#include "core/exec/op_common.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <limits>

namespace core {
namespace {

using Axes = std::vector<std::int64_t>;
using Reduce = at::Tensor (*)(const at::Tensor &, const Axes &, bool keepDims);

at::Tensor reduceLogSumExp(const at::Tensor &x, const Axes &axes, bool keepDims)
{
    const auto input = x.is_floating_point() ? x : x.to(at::kFloat);
    const bool empty = std::any_of(axes.begin(), axes.end(), [&](auto axis) { return x.size(axis) == 0; });
    if (empty || (input.requires_grad() && at::GradMode::is_enabled()))
        return at::logsumexp(input, axes, keepDims);
    auto peak = at::amax(input, axes, true);
    peak = at::where(at::isfinite(peak), peak, at::zeros_like(peak));
    const auto sum = at::log(deterministicSum(at::exp(input - peak), axes, true)) + peak;
    Axes kept;
    for (std::int64_t d = 0; d < x.dim(); ++d)
        if (keepDims || std::find(axes.begin(), axes.end(), d) == axes.end())
            kept.push_back(sum.size(d));
    return sum.reshape(kept);
}

at::Tensor reduceProd(const at::Tensor &x, const Axes &axes, bool keepDims)
{
    Axes descending = axes;
    std::sort(descending.rbegin(), descending.rend());
    at::Tensor result = x;
    for (const auto axis : descending)
        result = at::prod(result, axis, keepDims, x.scalar_type());
    return result;
}

// The extreme of an empty set is the neutral element: ∓infinity, or the type's limit.
at::Tensor reduceExtreme(const at::Tensor &x, const Axes &axes, bool keepDims, bool maximum)
{
    bool empty = false;
    for (const auto axis : axes)
        empty = empty || x.size(axis) == 0;
    if (!empty)
        return maximum ? at::amax(x, axes, keepDims) : at::amin(x, axes, keepDims);
    Axes sizes;
    for (std::int64_t d = 0; d < x.dim(); ++d) {
        const bool reduced = std::find(axes.begin(), axes.end(), d) != axes.end();
        if (!reduced || keepDims)
            sizes.push_back(reduced ? 1 : x.size(d));
    }
    at::Scalar neutral = maximum ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity();
    switch (x.scalar_type()) {
    case at::kBool: neutral = !maximum; break;
    case at::kByte: neutral = maximum ? 0 : 255; break;
    case at::kChar: neutral = maximum ? -128 : 127; break;
    case at::kShort: neutral = maximum ? -32768 : 32767; break;
    case at::kInt: neutral = maximum ? std::numeric_limits<std::int32_t>::min() : std::numeric_limits<std::int32_t>::max(); break;
    case at::kLong: neutral = maximum ? std::numeric_limits<std::int64_t>::min() : std::numeric_limits<std::int64_t>::max(); break;
    default: break;
    }
    return at::full(sizes, neutral, x.options());
}

KernelFactory reduceFactory(Reduce reduce)
{
    return [reduce](const Node &node, const Graph &graph) -> Kernel {
        const bool keepDims = node.intAttribute("keepdims", 1) != 0, noop = node.intAttribute("noop_with_empty_axes", 0) != 0;
        return [reduce, keepDims, noop, axesInput = IntsInput(node, graph, 1), label = nodeLabel(node)](OpCall &call) {
            const at::Tensor &x = call.inputs[0];
            Axes axes = normalizeAxes(axesInput.get(call).value_or(Axes{}), x.dim(), label);
            if (axes.empty() && !noop)
                for (std::int64_t d = 0; d < x.dim(); ++d)
                    axes.push_back(d);
            call.outputs[0] = reduce(x, axes, keepDims);
        };
    };
}

// `axes` empty here means "reduce nothing": a scalar input, or noop_with_empty_axes.
at::Tensor sumOver(const at::Tensor &x, const Axes &axes, bool keepDims) { return axes.empty() ? x : deterministicSum(x, axes, keepDims); }

at::Tensor reduceL2(const at::Tensor &x, const Axes &axes, bool keepDims)
{
    if (recording({x}))
        return recordedRoot(sumOver(x * x, axes, keepDims));
    if (x.is_floating_point())
        return at::sqrt(sumOver(x * x, axes, keepDims));
    const auto wide = x.to(at::kDouble);
    return at::sqrt(sumOver(wide * wide, axes, keepDims)).to(x.scalar_type());
}

Kernel argKernel(const Node &node, bool maximum)
{
    const std::int64_t axis = node.intAttribute("axis", 0);
    const bool keepDims = node.intAttribute("keepdims", 1) != 0, last = node.intAttribute("select_last_index", 0) != 0;
    return [=, label = nodeLabel(node)](OpCall &call) {
        const std::int64_t dim = normalizeAxis(axis, std::max<std::int64_t>(call.inputs[0].dim(), 1), label);
        const at::Tensor x = last && call.inputs[0].dim() > 0 ? call.inputs[0].flip({dim}) : call.inputs[0];
        at::Tensor index = maximum ? at::argmax(x, dim, keepDims) : at::argmin(x, dim, keepDims);
        if (last && x.dim() > 0)
            index = x.size(dim) - 1 - index;
        call.outputs[0] = index;
    };
}

Kernel cumSumKernel(const Node &node, const Graph &graph)
{
    const bool exclusive = node.intAttribute("exclusive", 0) != 0, reverse = node.intAttribute("reverse", 0) != 0;
    return [=, axisInput = IntsInput(node, graph, 1), label = nodeLabel(node)](OpCall &call) {
        const auto axes = axisInput.get(call);
        if (!axes || axes->size() != 1)
            failCall(ErrorKind::InvalidInput, label, "input axis must hold one number.");
        at::Tensor x = call.inputs[0];
        const std::int64_t axis = normalizeAxis(axes->front(), x.dim(), label);
        if (reverse)
            x = x.flip({axis});
        at::Tensor sum = at::cumsum(x, axis, x.scalar_type());
        if (exclusive && x.size(axis) > 0)
            sum = at::cat({at::zeros_like(sum.narrow(axis, 0, 1)), sum.narrow(axis, 0, x.size(axis) - 1)}, axis);
        call.outputs[0] = reverse ? sum.flip({axis}) : sum;
    };
}

} // namespace

void registerReduceOps(OpRegistry &registry)
{
    const auto add = [&](const std::string &type, Reduce reduce) { registry.add(type, reduceFactory(reduce)); };
    add("ReduceSum", sumOver);
    add("ReduceMean", [](const at::Tensor &x, const Axes &axes, bool keepDims) {
        return axes.empty() ? x : deterministicMean(x, axes, keepDims);
    });
    add("ReduceSumSquare", [](const at::Tensor &x, const Axes &axes, bool keepDims) { return sumOver(x * x, axes, keepDims); });
    add("ReduceL1", [](const at::Tensor &x, const Axes &axes, bool keepDims) { return sumOver(at::abs(x), axes, keepDims); });
    add("ReduceL2", reduceL2);
    add("ReduceLogSum", [](const at::Tensor &x, const Axes &axes, bool keepDims) { return at::log(sumOver(x, axes, keepDims)); });
    add("ReduceLogSumExp", [](const at::Tensor &x, const Axes &axes, bool keepDims) {
        return axes.empty() ? x : reduceLogSumExp(x, axes, keepDims);
    });
    add("ReduceProd", reduceProd);
    add("ReduceMax", [](const at::Tensor &x, const Axes &axes, bool keepDims) {
        return axes.empty() ? x : reduceExtreme(x, axes, keepDims, true);
    });
    add("ReduceMin", [](const at::Tensor &x, const Axes &axes, bool keepDims) {
        return axes.empty() ? x : reduceExtreme(x, axes, keepDims, false);
    });
    registry.add("ArgMax", [](const Node &node, const Graph &) { return argKernel(node, true); });
    registry.add("ArgMin", [](const Node &node, const Graph &) { return argKernel(node, false); });
    registry.add("CumSum", cumSumKernel);
}

} // namespace core

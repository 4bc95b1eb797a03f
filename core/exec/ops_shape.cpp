// Operators that only move, repeat or describe elements. Results are views where LibTorch allows.
#include "core/exec/op_common.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <limits>

namespace core {
namespace {

using Ints = std::vector<std::int64_t>;

Ints require(const IntsInput &input, const OpCall &call, const std::string &label, const char *what)
{
    auto values = input.get(call);
    if (!values)
        failCall(ErrorKind::InvalidInput, label, std::string("input ") + what + " is missing.");
    return std::move(*values);
}

Kernel reshapeKernel(const Node &node, const Graph &graph)
{
    return [allowZero = node.intAttribute("allowzero", 0) != 0, shape = IntsInput(node, graph, 1), label = nodeLabel(node)](OpCall &call) {
        const at::Tensor &x = call.inputs[0];
        Ints sizes = require(shape, call, label, "shape");
        std::int64_t known = 1, free = -1;
        for (std::size_t i = 0; i < sizes.size(); ++i) {
            if (sizes[i] == 0 && !allowZero) {
                if (std::int64_t(i) >= x.dim())
                    failCall(ErrorKind::InvalidInput, label, "a 0 in shape copies a dimension that the input does not have.");
                sizes[i] = x.size(std::int64_t(i));
            }
            if (sizes[i] < -1 || (sizes[i] == -1 && free >= 0))
                failCall(ErrorKind::InvalidInput, label, "shape may hold one -1 and no other negative number.");
            if (sizes[i] == -1)
                free = std::int64_t(i);
            else
                known *= sizes[i];
        }
        if (free >= 0)
            sizes[std::size_t(free)] = known > 0 ? x.numel() / known : 0;
        checkResultSize(sizes, label);
        call.outputs[0] = x.reshape(sizes);
    };
}

Kernel flattenKernel(const Node &node, const Graph &)
{
    return [axis = node.intAttribute("axis", 1), label = nodeLabel(node)](OpCall &call) {
        const at::Tensor &x = call.inputs[0];
        const std::int64_t split = axis == x.dim() ? axis : normalizeAxis(axis, std::max<std::int64_t>(x.dim(), 1), label);
        std::int64_t rows = 1, columns = 1;
        for (std::int64_t d = 0; d < x.dim(); ++d)
            (d < split ? rows : columns) *= x.size(d);
        call.outputs[0] = x.reshape({rows, columns});
    };
}

Kernel transposeKernel(const Node &node, const Graph &)
{
    return [perm = node.intsAttribute("perm"), label = nodeLabel(node)](OpCall &call) {
        const at::Tensor &x = call.inputs[0];
        Ints order = perm;
        if (order.empty())
            for (std::int64_t d = x.dim(); d-- > 0;)
                order.push_back(d);
        if (std::int64_t(order.size()) != x.dim())
            failCall(ErrorKind::InvalidInput, label, "attribute perm has " + std::to_string(order.size()) + " numbers for a tensor of rank "
                     + std::to_string(x.dim()) + ".");
        call.outputs[0] = x.permute(normalizeAxes(order, x.dim(), label));
    };
}

Kernel squeezeKernel(const Node &node, const Graph &graph)
{
    return [axesInput = IntsInput(node, graph, 1), label = nodeLabel(node)](OpCall &call) {
        at::Tensor x = call.inputs[0];
        const auto axes = axesInput.get(call);
        if (!axes) {
            call.outputs[0] = x.squeeze();
            return;
        }
        Ints sorted = normalizeAxes(*axes, x.dim(), label);
        std::sort(sorted.rbegin(), sorted.rend());
        for (const auto axis : sorted) {
            if (x.size(axis) != 1)
                failCall(ErrorKind::InvalidInput, label, "axis " + std::to_string(axis) + " has size " + std::to_string(x.size(axis)) + ", not 1.");
            x = x.squeeze(axis);
        }
        call.outputs[0] = x;
    };
}

Kernel unsqueezeKernel(const Node &node, const Graph &graph)
{
    return [axesInput = IntsInput(node, graph, 1), label = nodeLabel(node)](OpCall &call) {
        at::Tensor x = call.inputs[0];
        const Ints axes = require(axesInput, call, label, "axes");
        Ints sorted = normalizeAxes(axes, x.dim() + std::int64_t(axes.size()), label);
        std::sort(sorted.begin(), sorted.end());
        for (const auto axis : sorted)
            x = x.unsqueeze(axis);
        call.outputs[0] = x;
    };
}

Kernel concatKernel(const Node &node, const Graph &)
{
    if (!node.has("axis"))
        failNode(ErrorKind::InvalidInput, node, "attribute axis is missing.");
    return [axis = node.intAttribute("axis", 0), label = nodeLabel(node)](OpCall &call) {
        const std::vector<at::Tensor> parts(call.inputs.begin(), call.inputs.end());
        call.outputs[0] = at::cat(parts, normalizeAxis(axis, parts.at(0).dim(), label));
    };
}

Kernel splitKernel(const Node &node, const Graph &graph)
{
    const std::int64_t count = node.intAttribute("num_outputs", std::int64_t(node.outputs.size()));
    return [axis = node.intAttribute("axis", 0), count, sizesInput = IntsInput(node, graph, 1), label = nodeLabel(node)](OpCall &call) {
        const at::Tensor &x = call.inputs[0];
        const std::int64_t dim = normalizeAxis(axis, x.dim(), label), total = x.size(dim);
        Ints sizes = sizesInput.get(call).value_or(Ints{});
        if (sizes.empty()) {
            const std::int64_t chunk = (total + count - 1) / std::max<std::int64_t>(count, 1);
            for (std::int64_t i = 0; i < count; ++i)
                sizes.push_back(std::clamp<std::int64_t>(total - i * chunk, 0, chunk));
        }
        std::int64_t sum = 0;
        for (const auto size : sizes)
            sum += size;
        if (sizes.size() != call.outputs.size() || sum != total)
            failCall(ErrorKind::InvalidInput, label, "the split sizes do not match " + std::to_string(call.outputs.size()) + " outputs of together "
                     + std::to_string(total) + ".");
        auto parts = at::split_with_sizes(x, sizes, dim);
        std::move(parts.begin(), parts.end(), call.outputs.begin());
    };
}

Kernel sliceKernel(const Node &node, const Graph &graph)
{
    return [starts = IntsInput(node, graph, 1), ends = IntsInput(node, graph, 2), axesInput = IntsInput(node, graph, 3),
            stepsInput = IntsInput(node, graph, 4), label = nodeLabel(node)](OpCall &call) {
        at::Tensor x = call.inputs[0];
        const Ints from = require(starts, call, label, "starts"), to = require(ends, call, label, "ends");
        Ints axes = axesInput.get(call).value_or(Ints{});
        if (axes.empty())
            for (std::size_t i = 0; i < from.size(); ++i)
                axes.push_back(std::int64_t(i));
        Ints steps = stepsInput.get(call).value_or(Ints{});
        if (steps.empty())
            steps.assign(from.size(), 1);
        if (to.size() != from.size() || axes.size() != from.size() || steps.size() != from.size())
            failCall(ErrorKind::InvalidInput, label, "starts, ends, axes and steps differ in length.");
        axes = normalizeAxes(axes, x.dim(), label);
        for (std::size_t i = 0; i < from.size(); ++i) {
            const std::int64_t size = x.size(axes[i]);
            if (steps[i] == 0)
                failCall(ErrorKind::InvalidInput, label, "a step is 0.");
            std::int64_t start = from[i] < 0 ? from[i] + size : from[i], end = to[i] < 0 ? to[i] + size : to[i];
            if (steps[i] > 0) {
                start = std::clamp<std::int64_t>(start, 0, size);
                end = std::max(std::clamp<std::int64_t>(end, 0, size), start);
                x = x.slice(axes[i], start, end, steps[i]);
                continue;
            }
            start = std::clamp<std::int64_t>(start, -1, size - 1);
            end = std::clamp<std::int64_t>(end, -1, size - 1);
            if (start <= end) {
                x = x.slice(axes[i], 0, 0);
                continue;
            }
            // Elements start, start-|step| … > end, read forwards and turned round.
            const std::int64_t step = steps[i] == std::numeric_limits<std::int64_t>::min() ? size : std::min(-steps[i], size);
            const std::int64_t count = (start - end + step - 1) / step;
            x = x.slice(axes[i], start - (count - 1) * step, start + 1, step).flip({axes[i]});
        }
        call.outputs[0] = x;
    };
}

Kernel tileKernel(const Node &node, const Graph &graph)
{
    return [repeats = IntsInput(node, graph, 1), label = nodeLabel(node)](OpCall &call) {
        const at::Tensor &x = call.inputs[0];
        const Ints counts = require(repeats, call, label, "repeats");
        if (std::int64_t(counts.size()) != x.dim())
            failCall(ErrorKind::InvalidInput, label, "repeats has " + std::to_string(counts.size()) + " numbers for a tensor of rank "
                     + std::to_string(x.dim()) + ".");
        Ints sizes;
        for (std::int64_t d = 0; d < x.dim(); ++d)
            sizes.push_back(x.size(d) == 0 ? 0 : std::min(counts[std::size_t(d)], std::int64_t(1) << 40) * x.size(d));
        checkResultSize(sizes, label);
        call.outputs[0] = x.repeat(counts);
    };
}

Kernel expandKernel(const Node &node, const Graph &graph)
{
    return [shape = IntsInput(node, graph, 1), label = nodeLabel(node)](OpCall &call) {
        const at::Tensor &x = call.inputs[0];
        const Ints wish = require(shape, call, label, "shape");
        checkResultSize(wish, label);
        const auto sizes = at::infer_size(x.sizes(), wish);
        checkResultSize(sizes, label);
        call.outputs[0] = x.expand(sizes);
    };
}

Kernel depthToSpaceKernel(const Node &node, const Graph &)
{
    const std::string mode = node.stringAttribute("mode", "DCR");
    if (mode != "DCR" && mode != "CRD")
        failNode(ErrorKind::Unsupported, node, "attribute mode '" + mode + "' is unknown.");
    return [b = node.intAttribute("blocksize", 1), rowMajor = mode == "DCR", label = nodeLabel(node)](OpCall &call) {
        const at::Tensor &x = call.inputs[0];
        if (x.dim() != 4 || b < 1 || x.size(1) % (b * b) != 0)
            failCall(ErrorKind::InvalidInput, label, "the channels do not divide into blocks of " + std::to_string(b) + " x " + std::to_string(b) + ".");
        const std::int64_t n = x.size(0), c = x.size(1) / (b * b), h = x.size(2), w = x.size(3);
        const at::Tensor blocks = rowMajor ? x.reshape({n, b, b, c, h, w}).permute({0, 3, 4, 1, 5, 2})
                                           : x.reshape({n, c, b, b, h, w}).permute({0, 1, 4, 2, 5, 3});
        call.outputs[0] = blocks.reshape({n, c, h * b, w * b});
    };
}

Kernel spaceToDepthKernel(const Node &node, const Graph &)
{
    const std::string mode = node.stringAttribute("mode", "DCR");
    if (mode != "DCR" && mode != "CRD")
        failNode(ErrorKind::Unsupported, node, "attribute mode '" + mode + "' is unknown.");
    return [b = node.intAttribute("blocksize", 1), blocksFirst = mode == "DCR", label = nodeLabel(node)](OpCall &call) {
        const at::Tensor &x = call.inputs[0];
        if (x.dim() != 4 || b < 1 || x.size(2) % b != 0 || x.size(3) % b != 0)
            failCall(ErrorKind::InvalidInput, label, "height and width do not divide into blocks of " + std::to_string(b) + ".");
        const std::int64_t n = x.size(0), c = x.size(1), h = x.size(2) / b, w = x.size(3) / b;
        call.outputs[0] = x.reshape({n, c, h, b, w, b})
                              .permute(blocksFirst ? at::IntArrayRef{0, 3, 5, 1, 2, 4} : at::IntArrayRef{0, 1, 3, 5, 2, 4})
                              .reshape({n, c * b * b, h, w});
    };
}

Kernel dropoutKernel(const Node &node, const Graph &)
{
    return [label = nodeLabel(node)](OpCall &call) {
        const at::Tensor &x = call.inputs[0];
        const bool training = call.inputs.size() > 2 && call.inputs[2].defined() && call.inputs[2].to(at::kBool).item<bool>();
        const double ratio = call.inputs.size() > 1 && call.inputs[1].defined() ? call.inputs[1].to(at::kDouble).item<double>() : 0.5;
        if (training && ratio != 0)
            failCall(ErrorKind::Unsupported, label, "training_mode is on; export the model for inference.");
        call.outputs[0] = x;
        if (call.outputs.size() > 1)
            call.outputs[1] = at::ones_like(x, x.options().dtype(at::kBool));
    };
}

Kernel reverseSequenceKernel(const Node &node, const Graph &)
{
    return [batchAxis = node.intAttribute("batch_axis", 1), timeAxis = node.intAttribute("time_axis", 0), label = nodeLabel(node)](OpCall &call) {
        const at::Tensor &x = call.inputs[0];
        const std::int64_t b = normalizeAxis(batchAxis, x.dim(), label), t = normalizeAxis(timeAxis, x.dim(), label);
        const Ints lengths = toInts(call.inputs[1]);
        if (b == t || std::int64_t(lengths.size()) != x.size(b))
            failCall(ErrorKind::InvalidInput, label, "sequence_lens needs one length for each of " + std::to_string(x.size(b)) + " sequences.");
        std::vector<at::Tensor> sequences;
        for (std::int64_t i = 0; i < x.size(b); ++i) {
            const at::Tensor sequence = x.narrow(b, i, 1);
            const std::int64_t length = std::clamp<std::int64_t>(lengths[std::size_t(i)], 0, x.size(t));
            sequences.push_back(at::cat({sequence.narrow(t, 0, length).flip({t}), sequence.narrow(t, length, x.size(t) - length)}, t));
        }
        call.outputs[0] = at::cat(sequences, b);
    };
}

} // namespace

void registerShapeOps(OpRegistry &registry)
{
    registry.add("Reshape", reshapeKernel);
    registry.add("Flatten", flattenKernel);
    registry.add("Transpose", transposeKernel);
    registry.add("Squeeze", squeezeKernel);
    registry.add("Unsqueeze", unsqueezeKernel);
    registry.add("Concat", concatKernel);
    registry.add("Split", splitKernel);
    registry.add("Slice", sliceKernel);
    registry.add("Tile", tileKernel);
    registry.add("Expand", expandKernel);
    registry.add("DepthToSpace", depthToSpaceKernel);
    registry.add("SpaceToDepth", spaceToDepthKernel);
    registry.add("Identity", [](const Node &, const Graph &) -> Kernel { return [](OpCall &call) { call.outputs[0] = call.inputs[0]; }; });
    registry.add("Dropout", dropoutKernel);
    registry.add("ReverseSequence", reverseSequenceKernel);
    registerPadOps(registry);
    registerGeneratorOps(registry);
}

} // namespace core

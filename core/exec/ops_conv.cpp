// Conv and ConvTranspose over one to three spatial axes.
//
// Inference calls at::mkldnn_convolution, whose bits do not depend on the number of threads or on how a batch is split
// (at::conv2d leaves oneDNN for small 1×1 kernels). A transposed convolution with stride s becomes s plain ones per axis: outputs of one
// phase o mod s see every s-th kernel element. Recorded calls go to recorded_conv.h, or to
// at::convolution, whose gradient is known.
#include "core/exec/differentiable.h"
#include "core/exec/op_common.h"
#include "core/exec/recorded_conv.h"
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

struct Layer {
    Ints strides, pads, dilations;
    std::int64_t groups = 1;
};

at::Tensor convolve(const at::Tensor &x, const at::Tensor &w, const at::Tensor &bias, const Layer &layer)
{
    const Ints none(layer.strides.size(), 0);
    if (recording({x, w, bias}) || x.scalar_type() != at::kFloat || w.scalar_type() != at::kFloat)
        return at::convolution(x, w, bias, layer.strides, layer.pads, layer.dilations, false, none, layer.groups);
    if (layer.strides.size() > 1)
        return at::mkldnn_convolution(x, w, bias, layer.pads, layer.strides, layer.dilations, layer.groups);
    const auto flat = [](std::int64_t first, const Ints &values) { return Ints{first, values[0]}; };
    return at::mkldnn_convolution(x.unsqueeze(2), w.unsqueeze(2), bias, flat(0, layer.pads), flat(1, layer.strides), flat(1, layer.dilations), layer.groups)
        .squeeze(2);
}

void checkRanks(const at::Tensor &x, const at::Tensor &w, const std::string &label)
{
    if (x.dim() < 3 || x.dim() > 5 || w.dim() != x.dim())
        failCall(ErrorKind::InvalidInput, label, "the input has rank " + std::to_string(x.dim()) + " and the weight " + std::to_string(w.dim())
                 + "; both must have the same, 3 to 5.");
}

void checkKernel(const Ints &declared, const at::Tensor &w, const std::string &label)
{
    if (!declared.empty() && at::IntArrayRef(declared) != w.sizes().slice(2))
        failCall(ErrorKind::InvalidInput, label, "attribute kernel_shape differs from the weight's shape.");
}

void checkBias(const at::Tensor &bias, std::int64_t channels, const std::string &label)
{
    if (bias.defined() && (bias.dim() != 1 || bias.numel() != channels))
        failCall(ErrorKind::InvalidInput, label, "the bias has " + std::to_string(bias.numel()) + " numbers for " + std::to_string(channels) + " channels.");
}

at::MemoryFormat formatOf(const at::Tensor &x)
{
    return x.dim() == 4 ? x.suggest_memory_format() : at::MemoryFormat::Contiguous;
}

Kernel convKernel(const Node &node, const Graph &)
{
    const std::int64_t groups = node.intAttribute("group", 1);
    if (groups < 1)
        failNode(ErrorKind::InvalidInput, node, "attribute group is not above 0.");
    return [window = readWindow(node), recorded = RecordedConv(), groups, label = nodeLabel(node)](OpCall &call) {
        at::Tensor x = call.inputs[0];
        const at::Tensor &w = call.inputs[1], bias = optionalInput(call, 2);
        checkRanks(x, w, label);
        checkKernel(window.kernel, w, label);
        if (w.size(1) * groups != x.size(1) || w.size(0) % groups != 0)
            failCall(ErrorKind::InvalidInput, label, "the input has " + std::to_string(x.size(1)) + " channels, the weight takes "
                     + std::to_string(w.size(1)) + " in each of " + std::to_string(groups) + " groups and gives " + std::to_string(w.size(0)) + ".");
        checkBias(bias, w.size(0), label);
        const Window place = resolveWindow(window, w.sizes().slice(2), x, label);
        Ints sizes{x.size(0), w.size(0)};
        sizes.insert(sizes.end(), place.outputs.begin(), place.outputs.end());
        checkResultSize(sizes, label);
        if (x.numel() == 0 || w.numel() == 0) {
            call.outputs[0] = at::zeros(sizes, x.options());
            return;
        }
        if (recording({x, w, bias}) && RecordedConv::takes(x, w, bias)) {
            call.outputs[0] = recorded(x, w, bias, place, groups);
            return;
        }
        Layer layer{place.strides, place.before, place.dilations, groups};
        if (!place.symmetric()) {
            Ints padded(x.sizes().begin(), x.sizes().end());
            for (std::size_t i = 0; i < place.axes(); ++i)
                padded[i + 2] += place.before[i] + place.after[i];
            checkResultSize(padded, label);
            x = at::constant_pad_nd(x, reversedPads(place.before, place.after), 0);
            std::fill(layer.pads.begin(), layer.pads.end(), 0);
        }
        call.outputs[0] = convolve(x, w, bias, layer);
    };
}

// Kernel with zeros between its elements instead of a dilation.
at::Tensor spreadKernel(const at::Tensor &w, const Ints &dilations, const std::string &label)
{
    at::Tensor result = w;
    for (std::size_t i = 0; i < dilations.size(); ++i) {
        const std::int64_t axis = std::int64_t(i) + 2, d = dilations[i], size = w.size(axis);
        if (d == 1 || size == 1)
            continue;
        Ints sizes(result.sizes().begin(), result.sizes().end());
        sizes[std::size_t(axis)] = (size - 1) * d + 1;
        checkResultSize(sizes, label);
        at::Tensor wide = at::zeros(sizes, w.options());
        wide.slice(axis, 0, c10::nullopt, d).copy_(result);
        result = wide;
    }
    return result;
}

// Σ x[i] · w[k] at every o = i · stride + k, for o from 0 to the last one. w is [in, out / groups, kernel…].
at::Tensor spread(const at::Tensor &x, const at::Tensor &weight, const Ints &strides, const Ints &dilations, std::int64_t groups, const std::string &label)
{
    const std::int64_t axes = x.dim() - 2;
    const at::Tensor w = spreadKernel(weight, dilations, label);
    Ints grouped(w.sizes().begin(), w.sizes().end()), plain = grouped;
    grouped[0] /= groups;
    grouped.insert(grouped.begin(), groups);
    plain[0] = w.size(1) * groups;
    plain[1] = w.size(0) / groups;
    const at::Tensor forward = w.reshape(grouped).transpose(1, 2).reshape(plain);
    Ints sizes{x.size(0), forward.size(0)}, turned;
    for (std::int64_t i = 0; i < axes; ++i) {
        sizes.push_back((x.size(i + 2) - 1) * strides[std::size_t(i)] + w.size(i + 2));
        turned.push_back(i + 2);
    }
    const Ints ones(std::size_t(axes), 1);
    if (strides == ones) {
        Layer layer{ones, {}, ones, groups};
        for (std::int64_t i = 0; i < axes; ++i)
            layer.pads.push_back(w.size(i + 2) - 1);
        return convolve(x, forward.flip(turned), {}, layer);
    }
    at::Tensor result = at::zeros(sizes, x.options().memory_format(formatOf(x)));
    // Phases behind the end of the kernel stay 0.
    Ints offsets;
    std::int64_t phases = 1;
    for (std::int64_t i = 0; i < axes; ++i) {
        offsets.push_back(std::min(strides[std::size_t(i)], w.size(i + 2)));
        phases *= offsets.back();
    }
    for (std::int64_t phase = 0; phase < phases; ++phase) {
        at::Tensor part = forward, target = result;
        std::int64_t rest = phase;
        Layer layer{ones, {}, ones, groups};
        for (std::int64_t i = 0; i < axes; ++i) {
            const std::int64_t axis = i + 2, stride = strides[std::size_t(i)], offset = rest % offsets[std::size_t(i)];
            rest /= offsets[std::size_t(i)];
            part = part.slice(axis, offset, c10::nullopt, stride);
            target = target.slice(axis, offset, c10::nullopt, stride);
            layer.pads.push_back(part.size(axis) - 1);
        }
        const at::Tensor values = convolve(x, part.flip(turned), {}, layer);
        for (std::int64_t i = 0; i < axes; ++i)
            target = target.narrow(i + 2, 0, values.size(i + 2));
        target.copy_(values);
    }
    return result;
}

Kernel convTransposeKernel(const Node &node, const Graph &)
{
    const std::int64_t groups = node.intAttribute("group", 1);
    if (groups < 1)
        failNode(ErrorKind::InvalidInput, node, "attribute group is not above 0.");
    WindowAttributes window = readWindow(node);
    return [window, groups, outputPadding = node.intsAttribute("output_padding"), outputShape = node.intsAttribute("output_shape"),
            label = nodeLabel(node)](OpCall &call) {
        const at::Tensor &x = call.inputs[0], &w = call.inputs[1], bias = optionalInput(call, 2);
        checkRanks(x, w, label);
        checkKernel(window.kernel, w, label);
        if (w.size(0) != x.size(1) || x.size(1) % groups != 0)
            failCall(ErrorKind::InvalidInput, label, "the input has " + std::to_string(x.size(1)) + " channels, the weight takes "
                     + std::to_string(w.size(0)) + " in " + std::to_string(groups) + " groups.");
        const std::int64_t channels = w.size(1) * groups;
        checkBias(bias, channels, label);
        const std::size_t axes = std::size_t(x.dim() - 2);
        // Only the lists are taken from the window: here the pads cut the result.
        WindowAttributes lists = window;
        lists.autoPad = "NOTSET";
        lists.pads.clear();
        const Window place = resolveWindow(lists, at::IntArrayRef(Ints(axes, 1)), x, label);
        if ((!outputPadding.empty() && outputPadding.size() != axes) || (!window.pads.empty() && window.pads.size() != 2 * axes)
            || (!outputShape.empty() && outputShape.size() != axes && outputShape.size() != axes + 2))
            failCall(ErrorKind::InvalidInput, label, "pads, output_padding or output_shape do not fit " + std::to_string(axes) + " spatial axes.");
        Ints before(axes, 0), sizes{x.size(0), channels}, full{x.size(0), channels};
        for (std::size_t i = 0; i < axes; ++i) {
            const std::int64_t extra = outputPadding.empty() ? 0 : outputPadding[i];
            const std::int64_t stride = place.strides[i], in = x.size(std::int64_t(i) + 2);
            const std::int64_t extent = (w.size(std::int64_t(i) + 2) - 1) * place.dilations[i] + 1;
            const std::int64_t reach = (in - 1) * stride + extent;
            const bool same = window.autoPad == "SAME_UPPER" || window.autoPad == "SAME_LOWER";
            std::int64_t size = 0;
            if (!outputShape.empty() || same) {
                size = !outputShape.empty() ? outputShape[outputShape.size() - axes + i] : in * stride;
                const std::int64_t total = std::max<std::int64_t>(0, reach + extra - size);
                before[i] = window.autoPad == "SAME_UPPER" ? total / 2 : total - total / 2;
            } else {
                const bool padded = window.autoPad == "NOTSET" && !window.pads.empty();
                before[i] = padded ? window.pads[i] : 0;
                size = reach + extra - before[i] - (padded ? window.pads[i + axes] : 0);
            }
            if (extra < 0 || before[i] < 0 || size < 0)
                failCall(ErrorKind::InvalidInput, label, "spatial axis " + std::to_string(i) + " would have size " + std::to_string(size) + ".");
            sizes.push_back(size);
            full.push_back(reach);
        }
        checkResultSize(sizes, label);
        checkResultSize(full, label);
        at::Tensor result;
        if (x.numel() == 0 || w.numel() == 0)
            result = at::zeros(sizes, x.options());
        else if (recording({x, w, bias}))
            result = at::convolution(x, w, {}, place.strides, Ints(axes, 0), place.dilations, true, Ints(axes, 0), groups);
        else
            result = spread(x, w, place.strides, place.dilations, groups, label);
        for (std::size_t i = 0; i < axes; ++i) {
            const std::int64_t axis = std::int64_t(i) + 2, wanted = sizes[i + 2], lack = before[i] + wanted - result.size(axis);
            if (lack > 0) {   // output_padding: cells that no input reaches
                Ints pads(2 * (axes - i), 0);
                pads.back() = lack;
                result = at::constant_pad_nd(result, pads, 0);
            }
            if (x.numel() != 0)
                result = result.narrow(axis, before[i], wanted);
        }
        if (bias.defined()) {
            Ints shape(std::size_t(x.dim()), 1);
            shape[1] = channels;
            result = result + bias.reshape(shape);
        }
        call.outputs[0] = result.contiguous(formatOf(x));
    };
}

} // namespace

void registerConvOps(OpRegistry &registry)
{
    registry.add("Conv", convKernel);
    registry.add("ConvTranspose", convTransposeKernel);
    registerDeformOps(registry);
}

} // namespace core

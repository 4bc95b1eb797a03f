// Pools over one to three spatial axes. LibTorch's own are used where its pads reach: symmetric and at most half the
// kernel; elsewhere the input is padded first, and sums go axis by axis.
#include "core/exec/deterministic_sum.h"
#include "core/exec/differentiable.h"
#include "core/exec/op_common.h"
#include "core/exec/window.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <limits>

namespace core {
namespace {

using Ints = std::vector<std::int64_t>;

Window poolWindow(const WindowAttributes &attributes, const at::Tensor &x, const std::string &label)
{
    if (attributes.kernel.empty())
        failCall(ErrorKind::InvalidInput, label, "attribute kernel_shape is missing.");
    if (x.dim() < 3 || x.dim() > 5)
        failCall(ErrorKind::InvalidInput, label, "the input has rank " + std::to_string(x.dim()) + "; 3 to 5 are possible.");
    Window window = resolveWindow(attributes, attributes.kernel, x, label);
    Ints sizes{x.size(0), x.size(1)}, padded = sizes;
    for (std::size_t i = 0; i < window.axes(); ++i) {
        sizes.push_back(window.outputs[i]);
        padded.push_back(std::max(x.size(std::int64_t(i) + 2), (window.outputs[i] - 1) * window.strides[i] + window.extent(i)));
    }
    checkResultSize(sizes, label);
    checkResultSize(padded, label);
    return window;
}

Ints resultSizes(const at::Tensor &x, const Window &window)
{
    Ints sizes{x.size(0), x.size(1)};
    sizes.insert(sizes.end(), window.outputs.begin(), window.outputs.end());
    return sizes;
}

// LibTorch wants pads of at most half the kernel, and counts outputs by floor.
bool fitsLibTorch(const at::Tensor &x, const Window &window)
{
    for (std::size_t i = 0; i < window.axes(); ++i) {
        const std::int64_t floored = (x.size(std::int64_t(i) + 2) + 2 * window.before[i] - window.extent(i)) / window.strides[i] + 1;
        if (window.before[i] * 2 > window.kernel[i] || window.outputs[i] != floored)
            return false;
    }
    return window.symmetric();
}

// Cells behind the last window are cut, missing ones filled, so that windows and input end together.
at::Tensor fitInput(const at::Tensor &x, const Window &window, double fill)
{
    Ints after;
    for (std::size_t i = 0; i < window.axes(); ++i)
        after.push_back((window.outputs[i] - 1) * window.strides[i] + window.extent(i) - window.before[i] - x.size(std::int64_t(i) + 2));
    return at::constant_pad_nd(x, reversedPads(window.before, after), fill);
}

struct Maxima {
    at::Tensor values, indices;   // indices within a plane of the tensor that was searched
};

Maxima maxPool(const at::Tensor &x, const Window &window, const Ints &pads, bool wantIndices)
{
    if (window.axes() == 3) {
        if (!wantIndices)
            return {at::max_pool3d(x, window.kernel, window.strides, pads, window.dilations), {}};
        auto [values, indices] = at::max_pool3d_with_indices(x, window.kernel, window.strides, pads, window.dilations);
        return {values, indices};
    }
    if (!wantIndices)
        return {at::max_pool2d(x, window.kernel, window.strides, pads, window.dilations), {}};
    auto [values, indices] = at::max_pool2d_with_indices(x, window.kernel, window.strides, pads, window.dilations);
    return {values, indices};
}

// Places within a padded plane → places in the whole unpadded tensor, as ONNX counts them.
at::Tensor flatIndices(at::Tensor places, const at::Tensor &x, const Ints &searched, const Ints &before, bool columnMajor)
{
    const auto axes = std::int64_t(searched.size());
    at::Tensor flat = at::zeros_like(places);
    std::int64_t step = 1, volume = 1;
    std::vector<at::Tensor> coordinates(searched.size(), at::Tensor{});
    for (std::int64_t i = axes; i-- > 0;) {
        const std::int64_t size = searched[std::size_t(i)];
        coordinates[std::size_t(i)] = (places.remainder(size) - before[std::size_t(i)]).clamp(0, x.size(i + 2) - 1);
        places = places.div(size, "floor");
        volume *= x.size(i + 2);
    }
    for (std::int64_t k = 0; k < axes; ++k) {
        const std::int64_t i = columnMajor ? k : axes - 1 - k;
        flat = flat + coordinates[std::size_t(i)] * step;
        step *= x.size(i + 2);
    }
    Ints shape(std::size_t(x.dim()), 1);
    shape[0] = x.size(0);
    shape[1] = x.size(1);
    return flat + at::arange(x.size(0) * x.size(1), at::kLong).reshape(shape) * volume;
}

Kernel maxPoolKernel(const Node &node, const Graph &)
{
    return [attributes = readWindow(node), columnMajor = node.intAttribute("storage_order", 0) != 0, label = nodeLabel(node)](OpCall &call) {
        const at::Tensor &input = call.inputs[0];
        Window window = poolWindow(attributes, input, label);
        const bool wantIndices = call.outputs.size() > 1;
        if (input.numel() == 0) {
            call.outputs[0] = at::zeros(resultSizes(input, window), input.options());
            if (wantIndices)
                call.outputs[1] = at::zeros(resultSizes(input, window), at::kLong);
            return;
        }
        const auto type = input.scalar_type();
        const bool narrow = type == at::kChar || type == at::kByte || type == at::kShort;
        at::Tensor x = input.is_floating_point() ? input : input.to(narrow ? at::kFloat : at::kDouble);
        Ints pads = window.before, before(window.axes(), 0);
        if (!fitsLibTorch(x, window)) {
            x = fitInput(x, window, -std::numeric_limits<double>::infinity());
            before = window.before;
            std::fill(pads.begin(), pads.end(), 0);
        }
        const bool line = window.axes() == 1;
        if (line) {
            x = x.unsqueeze(2);
            for (auto *list : {&window.kernel, &window.strides, &window.dilations})
                list->insert(list->begin(), 1);
            pads.insert(pads.begin(), 0);
        }
        Maxima maxima = maxPool(x, window, pads, wantIndices);
        if (line) {
            x = x.squeeze(2);
            maxima.values = maxima.values.squeeze(2);
        }
        call.outputs[0] = maxima.values.to(type);
        if (!wantIndices)
            return;
        if (line)
            maxima.indices = maxima.indices.squeeze(2);
        const Ints searched(x.sizes().begin() + 2, x.sizes().end());
        call.outputs[1] = flatIndices(maxima.indices, input, searched, before, columnMajor);
    };
}

// Sums over all windows of an input that begins and ends with them.
at::Tensor windowSums(at::Tensor x, const Window &window)
{
    for (std::size_t i = 0; i < window.axes(); ++i) {
        const std::int64_t axis = std::int64_t(i) + 2, stride = window.strides[i], span = (window.outputs[i] - 1) * stride + 1;
        at::Tensor sum;
        for (std::int64_t k = 0; k < window.kernel[i]; ++k) {
            const std::int64_t start = k * window.dilations[i];
            const at::Tensor part = x.slice(axis, start, start + span, stride);
            sum = sum.defined() ? sum + part : part;
        }
        x = sum;
    }
    return x;
}

// Cells that count in each window: those of the input, and of its pads when they are included.
at::Tensor windowCounts(const at::Tensor &x, const Window &window, bool includePads)
{
    at::Tensor counts = at::ones({1}, x.options());
    for (std::size_t i = 0; i < window.axes(); ++i) {
        const std::int64_t first = includePads ? -window.before[i] : 0, size = x.size(std::int64_t(i) + 2), last = size + (includePads ? window.after[i] : 0);
        std::vector<float> list;
        for (std::int64_t o = 0; o < window.outputs[i]; ++o) {
            // Elements begin + k · dilation inside [first, last).
            const std::int64_t begin = o * window.strides[i] - window.before[i], d = window.dilations[i];
            const std::int64_t from = begin >= first ? 0 : (first - begin + d - 1) / d, to = last > begin ? (last - begin + d - 1) / d : 0;
            list.push_back(float(std::max<std::int64_t>(std::min(to, window.kernel[i]) - from, 1)));
        }
        Ints shape(window.axes(), 1);
        shape[i] = window.outputs[i];
        counts = counts * at::tensor(list, at::kFloat).to(x.scalar_type()).reshape(shape);
    }
    return counts;
}

bool coversAll(const at::Tensor &x, const Window &window)
{
    return !window.padded() && !window.dilated() && at::IntArrayRef(window.kernel) == x.sizes().slice(2);
}

Ints spatialAxes(const at::Tensor &x)
{
    Ints axes;
    for (std::int64_t d = 2; d < x.dim(); ++d)
        axes.push_back(d);
    return axes;
}

Kernel averagePoolKernel(const Node &node, const Graph &)
{
    return [attributes = readWindow(node), includePads = node.intAttribute("count_include_pad", 0) != 0, label = nodeLabel(node)](OpCall &call) {
        const at::Tensor &x = call.inputs[0];
        const Window window = poolWindow(attributes, x, label);
        if (x.numel() == 0)
            call.outputs[0] = at::zeros(resultSizes(x, window), x.options());
        else if (coversAll(x, window))
            call.outputs[0] = deterministicMean(x, spatialAxes(x), true);
        else if (x.dim() == 4 && !window.dilated() && fitsLibTorch(x, window))
            call.outputs[0] = at::avg_pool2d(x, window.kernel, window.strides, window.before, false, includePads);
        else if (x.dim() == 5 && !window.dilated() && fitsLibTorch(x, window))
            call.outputs[0] = at::avg_pool3d(x, window.kernel, window.strides, window.before, false, includePads);
        else
            call.outputs[0] = windowSums(fitInput(x, window, 0), window) / windowCounts(x, window, includePads);
    };
}

at::Tensor power(const at::Tensor &x, std::int64_t p)
{
    return p == 2 ? x * x : p == 1 ? at::abs(x) : at::pow(at::abs(x), double(p));
}

at::Tensor root(const at::Tensor &x, std::int64_t p)
{
    if (p == 1)
        return x;
    if (recording({x})) {   // no infinite gradient where a window holds nothing but zeros
        const at::Tensor zero = x.eq(0);
        return at::pow(x.masked_fill(zero, 1), 1.0 / double(p)).masked_fill(zero, 0);
    }
    return p == 2 ? at::sqrt(x) : at::pow(x, 1.0 / double(p));
}

std::int64_t normOrder(const Node &node)
{
    const std::int64_t p = node.intAttribute("p", 2);
    if (p < 1)
        failNode(ErrorKind::InvalidInput, node, "attribute p is " + std::to_string(p) + ", but must be above 0.");
    return p;
}

Kernel lpPoolKernel(const Node &node, const Graph &)
{
    return [attributes = readWindow(node), p = normOrder(node), label = nodeLabel(node)](OpCall &call) {
        const at::Tensor &x = call.inputs[0];
        const Window window = poolWindow(attributes, x, label);
        call.outputs[0] = x.numel() == 0 ? at::zeros(resultSizes(x, window), x.options()) : root(windowSums(fitInput(power(x, p), window, 0), window), p);
    };
}

Kernel globalPoolKernel(const Node &node, at::Tensor (*pool)(const at::Tensor &, const Ints &, std::int64_t), std::int64_t p = 2)
{
    return [pool, p, label = nodeLabel(node)](OpCall &call) {
        const at::Tensor &x = call.inputs[0];
        if (x.dim() < 2)
            failCall(ErrorKind::InvalidInput, label, "the input has rank " + std::to_string(x.dim()) + " and no spatial axes.");
        call.outputs[0] = x.dim() == 2 ? x : pool(x, spatialAxes(x), p);
    };
}

Kernel maxUnpoolKernel(const Node &node, const Graph &graph)
{
    return [attributes = readWindow(node), shapeInput = IntsInput(node, graph, 2), label = nodeLabel(node)](OpCall &call) {
        const at::Tensor &x = call.inputs[0], indices = call.inputs[1].to(at::kLong);
        const std::int64_t axes = x.dim() - 2;
        const Ints ones(std::size_t(std::max<std::int64_t>(axes, 0)), 1), none(2 * ones.size(), 0);
        const Ints strides = attributes.strides.empty() ? ones : attributes.strides, pads = attributes.pads.empty() ? none : attributes.pads;
        if (axes < 1 || attributes.kernel.size() != ones.size() || strides.size() != ones.size() || pads.size() != none.size() || indices.sizes() != x.sizes())
            failCall(ErrorKind::InvalidInput, label, "kernel_shape, strides, pads or indices do not fit the input.");
        Ints sizes{x.size(0), x.size(1)};
        for (std::size_t i = 0; i < ones.size(); ++i)
            sizes.push_back((x.size(std::int64_t(i) + 2) - 1) * strides[i] + attributes.kernel[i] - pads[i] - pads[i + ones.size()]);
        checkResultSize(sizes, label);
        at::Tensor result = at::zeros(sizes, x.options());
        if (indices.numel() > 0 && (indices.min().item<std::int64_t>() < 0 || indices.max().item<std::int64_t>() >= result.numel()))
            failCall(ErrorKind::InvalidInput, label, "an index lies outside the result.");
        result = result.reshape({-1}).scatter(0, indices.reshape({-1}), x.reshape({-1})).reshape(sizes);
        if (const auto wanted = shapeInput.get(call)) {
            if (wanted->size() != sizes.size())
                failCall(ErrorKind::InvalidInput, label, "output_shape does not fit the input.");
            checkResultSize(*wanted, label);
            Ints before(sizes.size(), 0), after;
            for (std::size_t i = 0; i < sizes.size(); ++i)
                after.push_back((*wanted)[i] - sizes[i]);
            result = at::constant_pad_nd(result, reversedPads(before, after), 0);
        }
        call.outputs[0] = result;
    };
}

} // namespace

void registerPoolOps(OpRegistry &registry)
{
    registry.add("MaxPool", maxPoolKernel);
    registry.add("AveragePool", averagePoolKernel);
    registry.add("LpPool", lpPoolKernel);
    registry.add("MaxUnpool", maxUnpoolKernel);
    registry.add("GlobalAveragePool", [](const Node &node, const Graph &) {
        return globalPoolKernel(node, [](const at::Tensor &x, const Ints &axes, std::int64_t) { return deterministicMean(x, axes, true); });
    });
    registry.add("GlobalMaxPool", [](const Node &node, const Graph &) {
        return globalPoolKernel(node, [](const at::Tensor &x, const Ints &axes, std::int64_t) { return at::amax(x, axes, true); });
    });
    registry.add("GlobalLpPool", [](const Node &node, const Graph &) {
        return globalPoolKernel(
            node, [](const at::Tensor &x, const Ints &axes, std::int64_t p) { return root(deterministicSum(power(x, p), axes, true), p); },
            normOrder(node));
    });
}

} // namespace core

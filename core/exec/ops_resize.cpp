// Resize, GridSample, AffineGrid. Resize is separable: one axis after the other by a ResizePlan; LibTorch's own
// upsampling takes over where it computes the same thing.
#include "core/exec/differentiable.h"
#include "core/exec/op_common.h"
#include "core/exec/resize_plan.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace core {
namespace {

using Ints = std::vector<std::int64_t>;
using Interpolation = ResizeOptions::Interpolation;

ResizeOptions modeOf(const Node &node)
{
    static const std::set<std::string> coordinates{"half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners", "asymmetric",
                                                   "tf_crop_and_resize"};
    static const std::set<std::string> nearest{"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"};
    ResizeOptions mode;
    const std::string interpolation = node.stringAttribute("mode", "nearest");
    if (interpolation == "linear")
        mode.interpolation = Interpolation::Linear;
    else if (interpolation == "cubic")
        mode.interpolation = Interpolation::Cubic;
    else if (interpolation != "nearest")
        failNode(ErrorKind::Unsupported, node, "attribute mode '" + interpolation + "' is unknown.");
    mode.coordinates = node.stringAttribute("coordinate_transformation_mode", "half_pixel");
    if (!coordinates.contains(mode.coordinates))
        failNode(ErrorKind::Unsupported, node, "attribute coordinate_transformation_mode '" + mode.coordinates + "' is unknown.");
    mode.nearest = node.stringAttribute("nearest_mode", "round_prefer_floor");
    if (!nearest.contains(mode.nearest))
        failNode(ErrorKind::Unsupported, node, "attribute nearest_mode '" + mode.nearest + "' is unknown.");
    mode.cubicA = node.floatAttribute("cubic_coeff_a", -0.75f);
    mode.extrapolation = node.floatAttribute("extrapolation_value", 0);
    mode.antialias = node.intAttribute("antialias", 0) != 0;
    mode.excludeOutside = node.intAttribute("exclude_outside", 0) != 0;
    return mode;
}

at::Tensor applyPlan(const at::Tensor &x, std::int64_t dim, const ResizePlan &plan, std::int64_t outputSize)
{
    const at::Tensor indices = at::tensor(plan.indices, at::kLong).reshape({outputSize, plan.taps});
    if (plan.taps == 1)
        return x.index_select(dim, indices.reshape({-1}));
    Ints along(std::size_t(x.dim()), 1);
    along[std::size_t(dim)] = outputSize;
    const at::Tensor weights = at::tensor(plan.weights, at::kFloat).reshape({outputSize, plan.taps});
    at::Tensor sum;
    for (std::int64_t k = 0; k < plan.taps; ++k) {
        const at::Tensor weight = weights.select(1, k);
        if (!weight.ne(0).any().item<bool>())
            continue;
        const at::Tensor part = x.index_select(dim, indices.select(1, k)) * weight.reshape(along);
        sum = sum.defined() ? sum + part : part;
    }
    if (sum.defined())
        return sum;
    Ints sizes(x.sizes().begin(), x.sizes().end());
    sizes[std::size_t(dim)] = outputSize;
    return at::zeros(sizes, x.options());
}

// at::upsample_nearest2d reads floor(i · in / out).
bool isPlainNearest(const ResizePlan &plan, const ResizeAxis &axis)
{
    const float step = float(axis.inputSize) / float(axis.outputSize);
    for (std::int64_t i = 0; i < axis.outputSize; ++i)
        if (plan.indices[std::size_t(i)] != std::min(std::int64_t(std::floor(float(i) * step)), axis.inputSize - 1))
            return false;
    return true;
}

// LibTorch's result, or nothing when it would compute something else.
at::Tensor fastResize(const at::Tensor &x, const std::vector<ResizeAxis> &axes, const ResizeOptions &mode)
{
    const bool images = x.dim() == 4 && axes[0].inputSize == axes[0].outputSize && axes[1].inputSize == axes[1].outputSize;
    if (!images || x.scalar_type() != at::kFloat || mode.antialias)
        return {};
    const ResizeAxis &height = axes[2], &width = axes[3];
    const Ints size{height.outputSize, width.outputSize};
    if (mode.interpolation == Interpolation::Nearest) {
        if (mode.coordinates == "tf_crop_and_resize")
            return {};
        const bool plain = isPlainNearest(planResizeAxis(height, mode), height) && isPlainNearest(planResizeAxis(width, mode), width);
        return plain ? at::upsample_nearest2d(x, size, c10::optional<double>{}, c10::optional<double>{}) : at::Tensor{};
    }
    const bool corners = mode.coordinates == "align_corners";
    const bool halfPixel = mode.coordinates == "half_pixel"
                           || (mode.coordinates == "pytorch_half_pixel" && height.outputSize > 1 && width.outputSize > 1);
    if (mode.excludeOutside || (!corners && !halfPixel))
        return {};
    const c10::optional<double> scaleH = double(height.scale), scaleW = double(width.scale);
    if (mode.interpolation == Interpolation::Linear)
        return at::upsample_bilinear2d(x, size, corners, scaleH, scaleW);
    return mode.cubicA == -0.75f ? at::upsample_bicubic2d(x, size, corners, scaleH, scaleW) : at::Tensor{};
}

at::Tensor resize(const at::Tensor &input, const std::vector<ResizeAxis> &axes, const ResizeOptions &mode)
{
    const bool interpolates = mode.interpolation != Interpolation::Nearest;
    at::Tensor x = interpolates && !input.is_floating_point() ? input.to(at::kFloat) : input;
    if (const at::Tensor fast = fastResize(x, axes, mode); fast.defined())
        return fast.contiguous(input.suggest_memory_format());
    std::vector<at::Tensor> masks;
    for (std::int64_t d = 0; d < x.dim(); ++d) {
        const ResizeAxis &axis = axes[std::size_t(d)];
        const bool crops = mode.coordinates == "tf_crop_and_resize" && (axis.roiStart != 0 || axis.roiEnd != 1);
        if (axis.inputSize == axis.outputSize && axis.scale == 1 && !crops)
            continue;
        const ResizePlan plan = planResizeAxis(axis, mode);
        x = applyPlan(x, d, plan, axis.outputSize);
        if (std::find(plan.outside.begin(), plan.outside.end(), true) != plan.outside.end()) {
            at::Tensor mask = at::zeros({axis.outputSize}, at::kBool);
            for (std::int64_t i = 0; i < axis.outputSize; ++i)
                mask.data_ptr<bool>()[i] = plan.outside[std::size_t(i)];
            Ints along(std::size_t(x.dim()), 1);
            along[std::size_t(d)] = axis.outputSize;
            masks.push_back(mask.reshape(along));
        }
    }
    for (const auto &mask : masks)
        x = x.masked_fill(mask, mode.extrapolation);
    if (interpolates && !input.is_floating_point())
        x = x.to(input.scalar_type());
    return x.dim() == 4 ? x.contiguous(input.suggest_memory_format()) : x;
}

std::vector<float> floatsOf(const OpCall &call, std::size_t i)
{
    return i < call.inputs.size() && call.inputs[i].defined() ? toFloatList(call.inputs[i]) : std::vector<float>{};
}

Kernel resizeKernel(const Node &node, const Graph &graph)
{
    const ResizeOptions mode = modeOf(node);
    const std::string policy = node.stringAttribute("keep_aspect_ratio_policy", "stretch");
    if (policy != "stretch" && policy != "not_larger" && policy != "not_smaller")
        failNode(ErrorKind::Unsupported, node, "attribute keep_aspect_ratio_policy '" + policy + "' is unknown.");
    return [mode, policy, wanted = node.intsAttribute("axes"), sizesInput = IntsInput(node, graph, 3), label = nodeLabel(node)](OpCall &call) {
        const at::Tensor &x = call.inputs[0];
        Ints list = normalizeAxes(wanted, x.dim(), label);
        if (list.empty())
            for (std::int64_t d = 0; d < x.dim(); ++d)
                list.push_back(d);
        refuseGradient(call, 1, "region of interest", label);
        refuseGradient(call, 2, "scales", label);
        const auto roi = floatsOf(call, 1), scales = floatsOf(call, 2);
        const Ints sizes = sizesInput.get(call).value_or(Ints{});
        if (scales.size() != list.size() && sizes.size() != list.size())
            failCall(ErrorKind::InvalidInput, label, "neither scales nor sizes holds " + std::to_string(list.size()) + " numbers.");
        const bool bySizes = sizes.size() == list.size() && scales.size() != list.size();
        std::vector<ResizeAxis> axes;
        for (std::int64_t d = 0; d < x.dim(); ++d)
            axes.push_back({x.size(d), x.size(d)});
        float common = policy == "not_larger" ? INFINITY : 0.0f;
        for (std::size_t i = 0; bySizes && i < list.size(); ++i) {
            const float scale = float(sizes[i]) / float(x.size(list[i]));
            common = policy == "not_larger" ? std::min(common, scale) : std::max(common, scale);
        }
        for (std::size_t i = 0; i < list.size(); ++i) {
            ResizeAxis &axis = axes[std::size_t(list[i])];
            const float scale = bySizes ? (policy == "stretch" ? float(sizes[i]) / float(axis.inputSize) : common) : scales[i];
            if (!(scale > 0) || !std::isfinite(scale) || axis.inputSize < 1)
                failCall(ErrorKind::InvalidInput, label, "a scale is not above 0, or the input is empty.");
            axis.scale = scale;
            if (!bySizes)
                axis.outputSize = std::int64_t(std::floor(float(axis.inputSize) * scale));
            else
                axis.outputSize = policy == "stretch" ? sizes[i] : std::int64_t(std::floor(float(axis.inputSize) * scale + 0.5f));
            if (roi.size() == 2 * list.size()) {
                axis.roiStart = roi[i];
                axis.roiEnd = roi[i + list.size()];
            }
        }
        Ints result;
        for (const auto &axis : axes)
            result.push_back(axis.outputSize);
        checkResultSize(result, label);
        call.outputs[0] = std::find(result.begin(), result.end(), 0) != result.end() ? at::zeros(result, x.options()) : resize(x, axes, mode);
    };
}

// LibTorch rounds halves away from zero in volumes, ONNX to even: the grid is moved to whole cells first.
at::Tensor roundGrid(const at::Tensor &grid, const at::Tensor &x, bool corners)
{
    std::vector<at::Tensor> parts;
    for (std::int64_t i = 0; i < 3; ++i) {
        const auto size = double(x.size(4 - i));
        const at::Tensor part = grid.select(-1, i);
        if (corners)
            parts.push_back(size > 1 ? at::round((part + 1) * ((size - 1) / 2)) * (2 / (size - 1)) - 1 : part);
        else
            parts.push_back((at::round(((part + 1) * size - 1) / 2) * 2 + 1) / size - 1);
    }
    return at::stack(parts, -1);
}

Kernel gridSampleKernel(const Node &node, const Graph &)
{
    const std::string mode = node.stringAttribute("mode", "linear"), padding = node.stringAttribute("padding_mode", "zeros");
    std::int64_t interpolation = 0, border = 0;
    if (mode == "nearest")
        interpolation = 1;
    else if (mode == "cubic" || mode == "bicubic")
        interpolation = 2;
    else if (mode != "linear" && mode != "bilinear")
        failNode(ErrorKind::Unsupported, node, "attribute mode '" + mode + "' is unknown.");
    if (padding == "border")
        border = 1;
    else if (padding == "reflection")
        border = 2;
    else if (padding != "zeros")
        failNode(ErrorKind::Unsupported, node, "attribute padding_mode '" + padding + "' is unknown.");
    return [interpolation, border, corners = node.intAttribute("align_corners", 0) != 0, label = nodeLabel(node)](OpCall &call) {
        const at::Tensor &x = call.inputs[0], &grid = call.inputs[1];
        if (x.dim() != 4 && !(x.dim() == 5 && interpolation != 2))
            failCall(ErrorKind::Unsupported, label, "this mode on a tensor of rank " + std::to_string(x.dim()) + " is not possible.");
        const bool volume = x.dim() == 5 && interpolation == 1;
        call.outputs[0] = at::grid_sampler(x, volume ? roundGrid(grid, x, corners) : grid, interpolation, border, corners);
    };
}

Kernel affineGridKernel(const Node &node, const Graph &graph)
{
    return [corners = node.intAttribute("align_corners", 0) != 0, sizeInput = IntsInput(node, graph, 1), label = nodeLabel(node)](OpCall &call) {
        const Ints size = sizeInput.get(call).value_or(Ints{});
        if (size.size() != 4 && size.size() != 5)
            failCall(ErrorKind::InvalidInput, label, "size must hold 4 or 5 numbers.");
        checkResultSize(size, label);
        call.outputs[0] = at::affine_grid_generator(call.inputs[0], size, corners);
    };
}

} // namespace

void registerResizeOps(OpRegistry &registry)
{
    registry.add("Resize", resizeKernel);
    registry.add("GridSample", gridSampleKernel);
    registry.add("AffineGrid", affineGridKernel);
}

} // namespace core

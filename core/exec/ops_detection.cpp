// NonMaxSuppression, RoiAlign, MaxRoiPool.
#include "core/exec/differentiable.h"
#include "core/exec/op_common.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

namespace core {
namespace {

struct Box {
    float top, left, bottom, right;
    float area() const { return (bottom - top) * (right - left); }
};

Box boxAt(const float *values, bool centered)
{
    if (centered) // x center, y center, width, height
        return {values[1] - values[3] / 2, values[0] - values[2] / 2, values[1] + values[3] / 2, values[0] + values[2] / 2};
    return {std::min(values[0], values[2]), std::min(values[1], values[3]), std::max(values[0], values[2]), std::max(values[1], values[3])};
}

bool overlaps(const Box &a, const Box &b, float threshold)
{
    const float height = std::min(a.bottom, b.bottom) - std::max(a.top, b.top), width = std::min(a.right, b.right) - std::max(a.left, b.left);
    if (height <= 0 || width <= 0 || a.area() <= 0 || b.area() <= 0)
        return false;
    const float common = height * width;
    return common / (a.area() + b.area() - common) > threshold;
}

double numberOr(const OpCall &call, std::size_t i, double fallback)
{
    return i < call.inputs.size() && call.inputs[i].defined() && call.inputs[i].numel() > 0 ? call.inputs[i].reshape({-1})[0].to(at::kDouble).item<double>()
                                                                                            : fallback;
}

Kernel nonMaxSuppressionKernel(const Node &node, const Graph &)
{
    return [centered = node.intAttribute("center_point_box", 0) != 0, label = nodeLabel(node)](OpCall &call) {
        const at::Tensor boxes = call.inputs[0].detach().to(at::kFloat).contiguous(), scores = call.inputs[1].detach().to(at::kFloat).contiguous();
        if (boxes.dim() != 3 || scores.dim() != 3 || boxes.size(2) != 4 || boxes.size(0) != scores.size(0) || boxes.size(1) != scores.size(2))
            failCall(ErrorKind::InvalidInput, label, "boxes must be [batch, n, 4] and scores [batch, classes, n].");
        const double mostWanted = numberOr(call, 2, 0);
        const float overlap = float(numberOr(call, 3, 0));
        const float least = float(numberOr(call, 4, -std::numeric_limits<double>::infinity()));
        const bool hasLeast = call.inputs.size() > 4 && call.inputs[4].defined();
        const std::int64_t batches = boxes.size(0), count = boxes.size(1), classes = scores.size(1);
        std::vector<std::int64_t> selected;
        for (std::int64_t b = 0; b < batches; ++b)
            for (std::int64_t c = 0; c < classes; ++c) {
                const float *score = scores.data_ptr<float>() + (b * classes + c) * count;
                std::vector<std::int64_t> order;
                for (std::int64_t i = 0; i < count; ++i)
                    if (!hasLeast || score[i] > least)
                        order.push_back(i);
                std::stable_sort(order.begin(), order.end(), [&](auto i, auto j) { return score[i] > score[j]; });
                std::vector<Box> kept;
                for (const auto i : order) {
                    if (double(kept.size()) >= mostWanted)
                        break;
                    const Box box = boxAt(boxes.data_ptr<float>() + (b * count + i) * 4, centered);
                    if (std::any_of(kept.begin(), kept.end(), [&](const Box &other) { return overlaps(box, other, overlap); }))
                        continue;
                    kept.push_back(box);
                    selected.insert(selected.end(), {b, c, i});
                }
            }
        call.outputs[0] = at::tensor(selected, at::kLong).reshape({std::int64_t(selected.size() / 3), 3});
    };
}

struct Sample {
    std::array<std::int64_t, 4> index{};
    std::array<float, 4> weight{};
};

// Bilinear neighbours as Caffe2 defines them: outside by more than one pixel gives nothing.
Sample sampleAt(float y, float x, std::int64_t height, std::int64_t width)
{
    if (y < -1 || y > float(height) || x < -1 || x > float(width))
        return {};
    y = std::max(y, 0.0f);
    x = std::max(x, 0.0f);
    auto top = std::int64_t(y), left = std::int64_t(x);
    std::int64_t bottom = top + 1, right = left + 1;
    if (top >= height - 1) {
        top = bottom = height - 1;
        y = float(top);
    }
    if (left >= width - 1) {
        left = right = width - 1;
        x = float(left);
    }
    const float dy = y - float(top), dx = x - float(left);
    return {{top * width + left, top * width + right, bottom * width + left, bottom * width + right},
            {(1 - dy) * (1 - dx), (1 - dy) * dx, dy * (1 - dx), dy * dx}};
}

struct RoiAlignOptions {
    std::int64_t height = 1, width = 1, samplingRatio = 0;
    float spatialScale = 1;
    bool maximum = false, halfPixel = true;
};

void alignOneRoi(const float *image, std::int64_t channels, std::int64_t height, std::int64_t width, const float *roi, const RoiAlignOptions &options, float *result)
{
    const float offset = options.halfPixel ? 0.5f : 0.0f;
    const float left = roi[0] * options.spatialScale - offset, top = roi[1] * options.spatialScale - offset;
    float roiWidth = roi[2] * options.spatialScale - offset - left, roiHeight = roi[3] * options.spatialScale - offset - top;
    if (!options.halfPixel) {
        roiWidth = std::max(roiWidth, 1.0f);
        roiHeight = std::max(roiHeight, 1.0f);
    }
    const float binHeight = roiHeight / float(options.height), binWidth = roiWidth / float(options.width);
    const auto samples = [&](float size, std::int64_t bins) {
        return options.samplingRatio > 0 ? options.samplingRatio : std::clamp<std::int64_t>(std::int64_t(std::ceil(size / float(bins))), 0, 4096);
    };
    const std::int64_t rows = samples(roiHeight, options.height), columns = samples(roiWidth, options.width);
    std::vector<Sample> grid;
    for (std::int64_t binY = 0; binY < options.height; ++binY)
        for (std::int64_t binX = 0; binX < options.width; ++binX) {
            grid.clear();
            for (std::int64_t iy = 0; iy < rows; ++iy)
                for (std::int64_t ix = 0; ix < columns; ++ix)
                    grid.push_back(sampleAt(top + float(binY) * binHeight + (float(iy) + 0.5f) * binHeight / float(rows),
                                            left + float(binX) * binWidth + (float(ix) + 0.5f) * binWidth / float(columns), height, width));
            for (std::int64_t c = 0; c < channels; ++c) {
                const float *plane = image + c * height * width;
                float total = 0, peak = -std::numeric_limits<float>::infinity();
                for (const Sample &sample : grid)
                    for (std::size_t k = 0; k < 4; ++k) {
                        const float part = sample.weight[k] * plane[sample.index[k]];
                        total += part;
                        peak = std::max(peak, part);
                    }
                const float value = options.maximum ? (grid.empty() ? 0.0f : peak) : total / float(std::max<std::size_t>(grid.size(), 1));
                result[(c * options.height + binY) * options.width + binX] = value;
            }
        }
}

// One region of LibTorch's operators, for the gradients of image and region. x [c, h, w], roi [4].
at::Tensor recordedRoi(const at::Tensor &x, const at::Tensor &roi, const RoiAlignOptions &options)
{
    const double offset = options.halfPixel ? 0.5 : 0;
    const at::Tensor edges = roi * double(options.spatialScale) - offset;
    std::array<at::Tensor, 2> low, high, weight;   // of the rows and columns that are read, [bins · samples]
    std::array<std::int64_t, 2> count{};
    for (std::size_t axis = 0; axis < 2; ++axis) {
        const std::int64_t bins = axis == 0 ? options.height : options.width, size = x.size(std::int64_t(axis) + 1);
        const at::Tensor start = edges[std::int64_t(1 - axis)];
        at::Tensor length = edges[std::int64_t(3 - axis)] - start;
        if (!options.halfPixel)
            length = at::clamp_min(length, 1);
        const at::Tensor bin = length / double(bins);
        const float wanted = bin.item<float>();
        count[axis] = options.samplingRatio > 0 ? options.samplingRatio : std::clamp<std::int64_t>(std::int64_t(std::ceil(wanted)), 0, 4096);
        const at::Tensor steps = (at::arange(bins * count[axis], x.options().requires_grad(false)) + 0.5) / double(std::max<std::int64_t>(count[axis], 1));
        at::Tensor place = start + steps * bin;
        const at::Tensor outside = at::logical_or(place.lt(-1), place.gt(size));
        place = at::clamp(place, 0, size - 1);
        low[axis] = at::floor(place.detach()).to(at::kLong);
        high[axis] = (low[axis] + 1).clamp_max(size - 1);
        const at::Tensor share = place - low[axis];
        weight[axis] = at::stack({1 - share, share}).masked_fill(outside, 0);
    }
    std::vector<at::Tensor> corners;   // [c, rows, columns]
    for (const std::int64_t down : {0, 1})
        for (const std::int64_t right : {0, 1}) {
            const at::Tensor values = x.index_select(1, down ? high[0] : low[0]).index_select(2, right ? high[1] : low[1]);
            corners.push_back(values * (weight[0][down].unsqueeze(1) * weight[1][right].unsqueeze(0)));
        }
    const auto binned = [&](const at::Tensor &part) { return part.reshape({x.size(0), options.height, count[0], options.width, count[1]}); };
    if (count[0] * count[1] == 0)
        return at::zeros({x.size(0), options.height, options.width}, x.options().requires_grad(false)) * edges.sum();
    if (options.maximum)
        return at::amax(binned(at::amax(at::stack(corners), {0})), {2, 4});
    return binned(corners[0] + corners[1] + corners[2] + corners[3]).mean({2, 4});
}

Kernel roiAlignKernel(const Node &node, const Graph &)
{
    RoiAlignOptions options;
    options.height = node.intAttribute("output_height", 1);
    options.width = node.intAttribute("output_width", 1);
    options.samplingRatio = node.intAttribute("sampling_ratio", 0);
    options.spatialScale = node.floatAttribute("spatial_scale", 1);
    const std::string mode = node.stringAttribute("mode", "avg"), coordinates = node.stringAttribute("coordinate_transformation_mode", "half_pixel");
    if ((mode != "avg" && mode != "max") || (coordinates != "half_pixel" && coordinates != "output_half_pixel"))
        failNode(ErrorKind::Unsupported, node, "mode '" + mode + "' with coordinate_transformation_mode '" + coordinates + "' is unknown.");
    if (options.height < 1 || options.width < 1 || options.samplingRatio < 0 || options.samplingRatio > 4096)
        failNode(ErrorKind::InvalidInput, node, "output_height, output_width or sampling_ratio is out of range.");
    options.maximum = mode == "max";
    options.halfPixel = coordinates == "half_pixel";
    return [options, label = nodeLabel(node)](OpCall &call) {
        const bool recorded = recording({call.inputs[0], call.inputs[1]});
        const auto floats = [&](const at::Tensor &tensor) { return recorded ? tensor : tensor.detach().to(at::kFloat).contiguous(); };
        const at::Tensor x = floats(call.inputs[0]), rois = floats(call.inputs[1]);
        const auto batch = toInts(call.inputs[2]);
        if (x.dim() != 4 || rois.dim() != 2 || rois.size(1) != 4 || std::int64_t(batch.size()) != rois.size(0))
            failCall(ErrorKind::InvalidInput, label, "the input must be [n, c, h, w], rois [r, 4] and batch_indices [r].");
        if (std::any_of(batch.begin(), batch.end(), [&](auto b) { return b < 0 || b >= x.size(0); }))
            failCall(ErrorKind::InvalidInput, label, "batch_indices names an image outside the batch.");
        const std::int64_t channels = x.size(1), height = x.size(2), width = x.size(3);
        const std::vector<std::int64_t> sizes{rois.size(0), channels, options.height, options.width};
        checkResultSize(sizes, label);
        if (recorded && rois.size(0) > 0) {
            std::vector<at::Tensor> regions;
            for (std::int64_t r = 0; r < rois.size(0); ++r)
                regions.push_back(recordedRoi(x[batch[std::size_t(r)]], rois[r], options));
            call.outputs[0] = at::stack(regions);
            return;
        }
        at::Tensor result = at::empty(sizes, x.options());
        float *target = result.data_ptr<float>();
        at::parallel_for(0, rois.size(0), 1, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t r = begin; r < end; ++r)
                alignOneRoi(x.data_ptr<float>() + batch[std::size_t(r)] * channels * height * width, channels, height, width, rois.data_ptr<float>() + r * 4,
                            options, target + r * channels * options.height * options.width);
        });
        call.outputs[0] = result;
    };
}

Kernel maxRoiPoolKernel(const Node &node, const Graph &)
{
    const auto pooled = node.intsAttribute("pooled_shape");
    if (pooled.size() != 2 || pooled[0] < 1 || pooled[1] < 1)
        failNode(ErrorKind::InvalidInput, node, "attribute pooled_shape must hold two numbers above 0.");
    return [pooled, scale = node.floatAttribute("spatial_scale", 1), label = nodeLabel(node)](OpCall &call) {
        const at::Tensor &x = call.inputs[0];
        const at::Tensor rois = call.inputs[1].detach().to(at::kFloat).contiguous();
        if (x.dim() != 4 || rois.dim() != 2 || rois.size(1) != 5)
            failCall(ErrorKind::InvalidInput, label, "the input must be [n, c, h, w] and rois [r, 5].");
        checkResultSize({rois.size(0), x.size(1), pooled[0], pooled[1]}, label);
        std::vector<at::Tensor> results;
        for (std::int64_t r = 0; r < rois.size(0); ++r) {
            const float *roi = rois.data_ptr<float>() + r * 5;
            const auto batch = std::int64_t(roi[0]);
            if (batch < 0 || batch >= x.size(0))
                failCall(ErrorKind::InvalidInput, label, "a region names an image outside the batch.");
            std::array<std::int64_t, 4> edge{};
            for (std::size_t k = 0; k < 4; ++k)
                edge[k] = std::int64_t(std::round(roi[k + 1] * scale));
            const std::array<std::int64_t, 2> size{std::max<std::int64_t>(edge[3] - edge[1] + 1, 1), std::max<std::int64_t>(edge[2] - edge[0] + 1, 1)};
            std::vector<at::Tensor> cells;
            for (std::int64_t py = 0; py < pooled[0]; ++py)
                for (std::int64_t px = 0; px < pooled[1]; ++px) {
                    const auto bounds = [&](std::int64_t p, std::size_t axis) {
                        const double bin = double(size[axis]) / double(pooled[axis]);
                        const std::int64_t limit = x.size(2 + std::int64_t(axis)), start = edge[1 - axis];
                        return std::pair{std::clamp<std::int64_t>(std::int64_t(std::floor(double(p) * bin)) + start, 0, limit),
                                         std::clamp<std::int64_t>(std::int64_t(std::ceil(double(p + 1) * bin)) + start, 0, limit)};
                    };
                    const auto [top, bottom] = bounds(py, 0);
                    const auto [left, right] = bounds(px, 1);
                    const bool empty = bottom <= top || right <= left;
                    cells.push_back(empty ? at::zeros({x.size(1)}, x.options()) : at::amax(x[batch].slice(1, top, bottom).slice(2, left, right), {1, 2}));
                }
            results.push_back(at::stack(cells, 1).reshape({x.size(1), pooled[0], pooled[1]}));
        }
        call.outputs[0] = results.empty() ? at::zeros({0, x.size(1), pooled[0], pooled[1]}, x.options()) : at::stack(results, 0);
    };
}

} // namespace

void registerDetectionOps(OpRegistry &registry)
{
    registry.add("NonMaxSuppression", nonMaxSuppressionKernel);
    registry.add("RoiAlign", roiAlignKernel);
    registry.add("MaxRoiPool", maxRoiPoolKernel);
}

} // namespace core

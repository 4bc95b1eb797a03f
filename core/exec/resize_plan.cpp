#include "core/exec/resize_plan.h"

#include <algorithm>
#include <cmath>

namespace core {
namespace {

float sourceCoordinate(std::int64_t position, const ResizeAxis &axis, const std::string &mode)
{
    const float x = float(position), in = float(axis.inputSize), out = float(axis.outputSize);
    if (mode == "asymmetric")
        return x / axis.scale;
    if (mode == "pytorch_half_pixel")
        return axis.outputSize > 1 ? (x + 0.5f) / axis.scale - 0.5f : 0.0f;
    if (mode == "align_corners")
        return axis.outputSize == 1 ? 0.0f : x * (in - 1) / (out - 1);
    if (mode == "tf_crop_and_resize")
        return axis.outputSize > 1 ? axis.roiStart * (in - 1) + x * (axis.roiEnd - axis.roiStart) * (in - 1) / (out - 1)
                                   : 0.5f * (axis.roiStart + axis.roiEnd) * (in - 1);
    if (mode == "half_pixel_symmetric") {
        const float exact = axis.scale * in, adjustment = out / exact, center = in / 2;
        return center * (1 - adjustment) + (x + 0.5f) / axis.scale - 0.5f;
    }
    return (x + 0.5f) / axis.scale - 0.5f;
}

std::int64_t nearestIndex(float x, const std::string &mode)
{
    if (mode == "floor")
        return std::int64_t(std::floor(x));
    if (mode == "ceil")
        return std::int64_t(std::ceil(x));
    if (mode == "round_prefer_ceil")
        return std::int64_t(std::floor(x + 0.5f));
    return std::int64_t(std::ceil(x - 0.5f));
}

float linearWeight(float distance)
{
    return std::max(0.0f, 1.0f - std::fabs(distance));
}

float cubicWeight(float distance, float a)
{
    const float d = std::fabs(distance);
    if (d <= 1)
        return ((a + 2) * d - (a + 3)) * d * d + 1;
    if (d < 2)
        return ((a * d - 5 * a) * d + 8 * a) * d - 4 * a;
    return 0;
}

} // namespace

ResizePlan planResizeAxis(const ResizeAxis &axis, const ResizeOptions &mode)
{
    const bool nearest = mode.interpolation == ResizeOptions::Interpolation::Nearest, cubic = mode.interpolation == ResizeOptions::Interpolation::Cubic;
    const float shrink = mode.antialias && !nearest ? std::min(axis.scale, 1.0f) : 1.0f;
    const auto reach = std::int64_t(std::floor((cubic ? -2.0f : -1.0f) / shrink)) + 1;   // first tap, seen from floor(x)
    ResizePlan plan;
    plan.taps = nearest ? 1 : 2 - 2 * reach;
    const std::int64_t last = axis.inputSize - 1;
    const bool crops = mode.coordinates == "tf_crop_and_resize";
    if (crops)
        plan.outside.assign(std::size_t(axis.outputSize), false);
    for (std::int64_t position = 0; position < axis.outputSize; ++position) {
        const float x = sourceCoordinate(position, axis, mode.coordinates);
        if (crops && (x < 0 || x > float(last)))
            plan.outside[std::size_t(position)] = true;
        if (nearest) {
            plan.indices.push_back(std::clamp<std::int64_t>(nearestIndex(x, mode.nearest), 0, last));
            plan.weights.push_back(1.0f);
            continue;
        }
        const float base = std::floor(x);
        const std::size_t begin = plan.weights.size();
        float total = 0;
        for (std::int64_t k = 0; k < plan.taps; ++k) {
            const std::int64_t index = std::int64_t(base) + reach + k;
            const float distance = (float(reach + k) - (x - base)) * shrink;
            const bool excluded = mode.excludeOutside && (index < 0 || index > last);
            const float weight = excluded ? 0.0f : cubic ? cubicWeight(distance, mode.cubicA) : linearWeight(distance);
            total += weight;
            plan.indices.push_back(std::clamp<std::int64_t>(index, 0, last));
            plan.weights.push_back(weight);
        }
        if ((mode.excludeOutside || mode.antialias) && total != 0)
            for (std::size_t i = begin; i < plan.weights.size(); ++i)
                plan.weights[i] /= total;
    }
    return plan;
}

} // namespace core

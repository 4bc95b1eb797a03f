#include "core/base/error.h"
#include "core/graph/tensor_data.h"
#include "core/stats/density.h"
#include "core/stats/observer.h"
#include "core/stats/range_search.h"

#include <algorithm>
#include <cmath>

namespace core {
namespace {

/// Σ (v − v̂)², given up once it exceeds `bound`.
double integerError(std::span<const float> values, const AffineParams &params, double bound)
{
    const double scale = params.scale, inverse = 1 / scale, low = double(params.qmin) - params.zeroPoint, high = double(params.qmax) - params.zeroPoint;
    double total = 0;
    for (std::size_t begin = 0; begin < values.size(); begin += 128) {
        const std::size_t end = std::min(values.size(), begin + 128);
        double lanes[4] = {0, 0, 0, 0};
        std::size_t i = begin;
        const auto one = [&](float value) {
            const double v = value, code = roundEven(std::min(std::max(v * inverse, low), high)), difference = v - code * scale;
            return difference * difference;
        };
        for (; i + 4 <= end; i += 4)
            for (int lane = 0; lane < 4; ++lane)
                lanes[lane] += one(values[i + std::size_t(lane)]);
        for (; i < end; ++i)
            lanes[0] += one(values[i]);
        total += (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]);
        if (total > bound)
            return total;
    }
    return total;
}

double floatError(std::span<const float> values, QuantDtype dtype, float scale, double bound)
{
    const DataType type = storageType(dtype);
    double total = 0;
    for (std::size_t i = 0; i < values.size() && total <= bound; ++i) {
        float stored = values[i];
        if (dtype == QuantDtype::Float16)
            stored = halfToFloat(floatToHalf(values[i]));
        else if (dtype == QuantDtype::BFloat16)
            stored = bfloat16ToFloat(floatToBfloat16(values[i]));
        else if (dtype != QuantDtype::Float32)
            stored = float8ToFloat(floatToFloat8(values[i] / scale, type), type) * scale;
        const double difference = double(values[i]) - double(stored);
        total += difference * difference;
    }
    return total;
}

/// numpy's default: linear between the neighbouring order statistics.
double percentileOf(std::vector<float> &values, double percentile)
{
    const double position = double(values.size() - 1) * std::clamp(percentile, 0.0, 100.0) / 100;
    const auto lower = values.begin() + std::ptrdiff_t(position);
    std::nth_element(values.begin(), lower, values.end());
    const double below = *lower, share = position - std::floor(position);
    return share == 0 ? below : below + share * (double(*std::min_element(lower + 1, values.end())) - below);
}

Range percentileRange(std::span<const float> values, double percentile, bool symmetric, Range full)
{
    std::vector<float> copy(values.begin(), values.end());
    if (symmetric) {
        for (float &value : copy)
            value = std::fabs(value);
        const double limit = percentileOf(copy, percentile);
        return {std::max(full.min, -limit), std::min(full.max, limit)};
    }
    const double low = percentileOf(copy, (100 - percentile) / 2);
    return {low, percentileOf(copy, 100 - (100 - percentile) / 2)};
}

Range entropyOf(std::span<const float> values, Range full, const AffineOptions &options)
{
    const double reach = std::max(std::fabs(full.min), std::fabs(full.max));
    if (!(reach > 0))
        return full;
    std::vector<double> magnitudes(std::size_t(Histogram::halfBins), 0.0);
    const double width = reach / double(magnitudes.size());
    for (const float value : values)
        if (value != 0)
            magnitudes[std::min(std::size_t(std::fabs(double(value)) / width), magnitudes.size() - 1)] += 1;
    return entropyRange(magnitudes, width, full, options);
}

} // namespace

ObserverResult observeWeights(std::span<const float> values, const ObserverOptions &options)
{
    AffineOptions affine = options.affine;
    if (options.kind == ObserverKind::Pof2MinMax || options.kind == ObserverKind::Pof2Mse)
        affine.scaleType = ScaleType::PowerOfTwo;
    if (options.kind == ObserverKind::Pof2Mse)
        affine.rounding = PowerOfTwoRounding::Mse;
    if (values.empty() && options.kind != ObserverKind::Fixed)
        throw Error(ErrorKind::InvalidInput, "observe", "There is no value to choose a scale from.");
    Range full;
    for (std::size_t i = 0; i < values.size(); ++i) {
        const double value = values[i];
        if (!std::isfinite(value))
            throw Error(ErrorKind::Numeric, "observe", "Value " + std::to_string(value) + " at index " + std::to_string(i) + " is not finite.");
        full = i == 0 ? Range{value, value} : Range{std::min(full.min, value), std::max(full.max, value)};
    }
    const ErrorOfParams error = [&](const AffineParams &params, double bound) {
        return isIntegerDtype(affine.dtype) ? integerError(values, params, bound) : floatError(values, affine.dtype, params.scale, bound);
    };
    RangeChoice choice;
    switch (options.kind) {
    case ObserverKind::HistogramMse:
        choice = searchClipping(full, affine, error);
        if (affine.scaleType == ScaleType::PowerOfTwo)
            choice = settleRange(choice.range, affine, error);
        break;
    case ObserverKind::Percentile:
        choice = settleRange(percentileRange(values, options.percentile, affine.symmetric, full), affine, error);
        break;
    case ObserverKind::Entropy: choice = settleRange(entropyOf(values, full, affine), affine, error); break;
    case ObserverKind::Fixed: choice = settleRange(options.fixedRange, affine, error); break;
    default: choice = settleRange(full, affine, error); break;
    }
    return {choice.range, choice.params, values.empty() ? 0 : choice.error / double(values.size())};
}

} // namespace core

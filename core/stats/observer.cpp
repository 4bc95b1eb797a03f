#include "core/stats/observer.h"

#include "core/base/error.h"
#include "core/stats/density.h"
#include "core/stats/range_search.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace core {
namespace {

constexpr std::pair<ObserverKind, std::string_view> names[] = {
    {ObserverKind::MinMax, "min_max"}, {ObserverKind::MovingAverageMinMax, "moving_average_min_max"},
    {ObserverKind::HistogramMse, "histogram_mse"}, {ObserverKind::Percentile, "percentile"}, {ObserverKind::Entropy, "entropy"},
    {ObserverKind::Pof2MinMax, "pof2_min_max"}, {ObserverKind::Pof2Mse, "pof2_mse"}, {ObserverKind::Fixed, "fixed"}};

std::optional<FloatGrid> floatGrid(QuantDtype dtype)
{
    switch (dtype) {
    case QuantDtype::Fp8E4M3: return FloatGrid{3, -6, 448};
    case QuantDtype::Fp8E5M2: return FloatGrid{2, -14, 57344};
    case QuantDtype::Float16: return FloatGrid{10, -14, 65504};
    case QuantDtype::BFloat16: return FloatGrid{7, -126, 0x1.fep127};
    default: return {};
    }
}

/// The smallest x in [low, high] at which the growing count reaches `target`.
template <class Count>
double quantile(double low, double high, double target, const Count &count)
{
    if (count(low) >= target)
        return low;
    for (int i = 0; i < 64 && low < high; ++i) {
        const double middle = low + (high - low) / 2;
        (count(middle) >= target ? high : low) = middle;
    }
    return high;
}

class HistogramObserver {
public:
    HistogramObserver(const TensorStatistics &statistics, const ObserverOptions &options) : m_statistics(statistics), m_options(options)
    {
        if (!statistics.histogram.counts.empty())
            m_density.emplace(statistics);
    }

    ObserverResult result(ObserverKind kind, double percentile) const
    {
        AffineOptions affine = m_options.affine;
        if (kind == ObserverKind::Pof2MinMax || kind == ObserverKind::Pof2Mse)
            affine.scaleType = ScaleType::PowerOfTwo;
        if (kind == ObserverKind::Pof2Mse)
            affine.rounding = PowerOfTwoRounding::Mse;
        const ErrorOfParams error = [&](const AffineParams &params, double) { return squaredError(params); };
        RangeChoice choice;
        if (kind == ObserverKind::HistogramMse) {
            needHistogram(kind);
            choice = searchClipping(seen(), affine, error);
            if (affine.scaleType == ScaleType::PowerOfTwo)
                choice = settleRange(choice.range, affine, error);
        } else {
            choice = settleRange(rangeOf(kind, percentile), affine, error);
        }
        const double total = m_density ? m_density->total() : 0;
        return {choice.range, choice.params, total > 0 ? choice.error / total : 0};
    }

private:
    Range seen() const { return {double(m_statistics.min), double(m_statistics.max)}; }

    void needHistogram(ObserverKind kind) const
    {
        if (!m_density)
            throw Error(ErrorKind::InvalidInput, "observe", "Observer " + std::string(observerName(kind))
                        + " needs a histogram, and only minimum and maximum were collected; calibrate with full statistics.");
    }

    double squaredError(const AffineParams &params) const
    {
        if (!m_density || m_options.affine.dtype == QuantDtype::Float32)
            return 0;
        if (const auto grid = floatGrid(m_options.affine.dtype))
            return m_density->squaredError(*grid, params.scale);
        return m_density->squaredError(params);
    }

    Range rangeOf(ObserverKind kind, double percentile) const
    {
        switch (kind) {
        case ObserverKind::Fixed: return m_options.fixedRange;
        case ObserverKind::MovingAverageMinMax:
            if (m_statistics.images == 0)
                return seen();
            return {m_statistics.sumOfImageMin.value() / double(m_statistics.images), m_statistics.sumOfImageMax.value() / double(m_statistics.images)};
        case ObserverKind::Percentile:
            needHistogram(kind);
            return percentileRange(percentile);
        case ObserverKind::Entropy:
            needHistogram(kind);
            return entropyRange(m_density->magnitudes(), m_density->binWidth(), seen(), m_options.affine);
        default: return seen();
        }
    }

    Range percentileRange(double percentile) const
    {
        const Range all = seen();
        const double total = m_density->total(), cut = total * (100 - std::clamp(percentile, 0.0, 100.0)) / 100;
        if (m_options.affine.symmetric) {
            const double reach = std::max(std::fabs(all.min), std::fabs(all.max));
            const double limit = quantile(0, reach, total - cut, [&](double t) { return m_density->countUpTo(t) - m_density->countBelow(-t); });
            return {std::max(all.min, -limit), std::min(all.max, limit)};
        }
        const double high = quantile(all.min, all.max, total - cut / 2, [&](double x) { return m_density->countUpTo(x); });
        const double low = -quantile(-all.max, -all.min, total - cut / 2, [&](double x) { return total - m_density->countBelow(-x); });
        return {std::min(low, high), high};
    }

    const TensorStatistics &m_statistics;
    const ObserverOptions &m_options;
    std::optional<Density> m_density;
};

void needValues(const TensorStatistics &statistics)
{
    if (statistics.count == 0)
        throw Error(ErrorKind::InvalidInput, "observe", "The statistics hold no finite value; no scale can be chosen from them.");
}

} // namespace

std::string_view observerName(ObserverKind kind)
{
    for (const auto &[candidate, name] : names)
        if (candidate == kind)
            return name;
    return "unknown";
}

std::optional<ObserverKind> observerFromName(std::string_view name)
{
    for (const auto &[kind, candidate] : names)
        if (candidate == name)
            return kind;
    return {};
}

ObserverResult observe(const TensorStatistics &statistics, const ObserverOptions &options)
{
    if (options.kind != ObserverKind::Fixed)
        needValues(statistics);
    return HistogramObserver(statistics, options).result(options.kind, options.percentile);
}

double expectedSquaredError(const Histogram &histogram, const AffineParams &params)
{
    const Density density(histogram);
    return density.total() > 0 ? density.squaredError(params) / density.total() : 0;
}

// Errors of clipping all have one sign and add up in the next layer's sums, where errors of rounding cancel out: of ranges that lose about the
// same, the widest is the best.
constexpr double nearlyLeast = 1.25;

ObserverResult observeBest(const TensorStatistics &statistics, const ObserverOptions &options, ObserverKind *chosen)
{
    needValues(statistics);
    const HistogramObserver observer(statistics, options);
    std::vector<std::pair<ObserverKind, ObserverResult>> candidates{{ObserverKind::MinMax, observer.result(ObserverKind::MinMax, 100)}};
    if (!statistics.histogram.counts.empty()) {
        constexpr std::pair<ObserverKind, double> others[] = {{ObserverKind::Percentile, 99.999}, {ObserverKind::Percentile, 99.99},
            {ObserverKind::Percentile, 99.9}, {ObserverKind::HistogramMse, 0}, {ObserverKind::Entropy, 0}};
        for (const auto &[kind, percentile] : others)
            candidates.emplace_back(kind, observer.result(kind, percentile));
    }
    double least = candidates.front().second.meanSquaredError;
    for (const auto &[kind, result] : candidates)
        least = std::min(least, result.meanSquaredError);
    const auto width = [](const ObserverResult &result) { return result.range.max - result.range.min; };
    const std::pair<ObserverKind, ObserverResult> *best = nullptr;
    for (const auto &candidate : candidates)
        if (candidate.second.meanSquaredError <= least * nearlyLeast && (!best || width(candidate.second) > width(best->second)))
            best = &candidate;
    if (chosen)
        *chosen = best->first;
    return best->second;
}

} // namespace core

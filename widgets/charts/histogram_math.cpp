#include "widgets/charts/histogram_math.h"

#include "core/base/error.h"
#include "core/stats/density.h"

#include <QCoreApplication>

#include <algorithm>
#include <cmath>
#include <limits>

namespace widgets {
namespace {

QString tr(const char *text) { return QCoreApplication::translate("HistogramChart", text); }

constexpr std::int64_t mostCodes = 1 << 16;

/// Bins that hold something, cut to [min, max], without the exact zeros: what core::Density sees.
template <class Visit>
void forEachBin(const core::TensorStatistics &statistics, const Visit &visit)
{
    const std::vector<std::uint64_t> &counts = statistics.histogram.counts;
    for (std::size_t bin = 0; bin < counts.size(); ++bin) {
        double count = double(counts[bin]);
        if (bin == std::size_t(core::Histogram::halfBins))
            count -= std::min(count, double(statistics.zeros));
        if (count <= 0)
            continue;
        const double left = statistics.histogram.binLeft(bin), right = left + statistics.histogram.binWidth();
        visit(std::clamp(double(statistics.min), left, right), std::clamp(double(statistics.max), left, right), count);
    }
}

/// Beyond these a value is clipped: half a step outside the outermost codes.
core::Range clipBounds(const core::AffineParams &params, const core::Scheme &scheme)
{
    if (scheme.dtype == core::QuantDtype::Float16)
        return {-65504, 65504};
    if (scheme.dtype == core::QuantDtype::BFloat16 || scheme.dtype == core::QuantDtype::Float32)
        return {-std::numeric_limits<double>::infinity(), std::numeric_limits<double>::infinity()};
    core::Range bounds = core::representableRange(params);
    if (core::isIntegerDtype(scheme.dtype)) {
        // A scale rounded to float32 must not clip the extreme that it was made for.
        const double slack = double(params.scale) * (0.5 + 1e-7 * (double(params.qmax) - params.qmin));
        bounds.min -= slack;
        bounds.max += slack;
    }
    return bounds;
}

/// ∫ (x − value)² over [from, to] of a uniform density.
double squaredBeyond(double from, double to, double density, double value)
{
    return density * (std::pow(to - value, 3) - std::pow(from - value, 3)) / 3;
}

} // namespace

QString observerTitle(core::ObserverKind kind, double percentile)
{
    switch (kind) {
    case core::ObserverKind::MinMax: return tr("min–max");
    case core::ObserverKind::MovingAverageMinMax: return tr("average min–max");
    case core::ObserverKind::HistogramMse: return tr("histogram MSE");
    case core::ObserverKind::Percentile: return tr("percentile %1").arg(QString::number(percentile, 'g', 7));
    case core::ObserverKind::Entropy: return tr("entropy (KL)");
    case core::ObserverKind::Pof2MinMax: return tr("2ⁿ min–max");
    case core::ObserverKind::Pof2Mse: return tr("2ⁿ MSE");
    case core::ObserverKind::Fixed: return tr("fixed");
    }
    return {};
}

template <class Observe>
static std::vector<ObserverLine> linesOf(const core::Scheme &scheme, const Observe &observe)
{
    using Kind = core::ObserverKind;
    std::vector<ObserverLine> lines;
    core::ObserverOptions options = scheme.observerOptions();
    for (const Kind kind : {Kind::MinMax, Kind::MovingAverageMinMax, Kind::HistogramMse, Kind::Percentile, Kind::Entropy, Kind::Pof2MinMax, Kind::Pof2Mse}) {
        options.kind = kind;
        try {
            const core::ObserverResult result = observe(options);
            lines.push_back({kind, observerTitle(kind, options.percentile), result.range, result.params, result.meanSquaredError});
        } catch (const core::Error &) {
            continue;
        }
    }
    return lines;
}

std::vector<ObserverLine> observerLines(const core::TensorStatistics &statistics, const core::Scheme &scheme)
{
    return linesOf(scheme, [&](const core::ObserverOptions &options) { return core::observe(statistics, options); });
}

std::vector<ObserverLine> observerLines(std::span<const float> values, const core::Scheme &scheme)
{
    return linesOf(scheme, [&](const core::ObserverOptions &options) { return core::observeWeights(values, options); });
}

core::TensorStatistics statisticsOf(std::span<const float> values)
{
    core::TensorStatistics statistics;
    float reach = 0;
    for (const float value : values)
        if (std::isfinite(value))
            reach = std::max(reach, std::fabs(value));
    core::Histogram &histogram = statistics.histogram;
    histogram.growTo(reach > 0 ? std::max(std::ilogb(reach) + 1, -126) : -126); // |value| < 2^exponent
    const double inverse = 1 / histogram.binWidth();
    for (const float value : values) {
        if (!std::isfinite(value)) {
            ++statistics.notFinite;
            continue;
        }
        statistics.min = statistics.count == 0 ? value : std::min(statistics.min, value);
        statistics.max = statistics.count == 0 ? value : std::max(statistics.max, value);
        ++statistics.count;
        statistics.zeros += value == 0 ? 1 : 0;
        statistics.sum.add(double(value));
        statistics.sumOfSquares.add(double(value) * double(value));
        ++histogram.counts[std::size_t(std::floor(double(value) * inverse) + core::Histogram::halfBins)];
    }
    return statistics;
}

std::vector<float> channelOf(std::span<const float> values, const std::vector<std::int64_t> &dims, int axis, std::int64_t channel)
{
    std::int64_t outer = 1, inner = 1;
    for (int i = 0; i < int(dims.size()); ++i)
        (i < axis ? outer : inner) *= i == axis ? 1 : dims[std::size_t(i)];
    std::vector<float> result;
    const std::int64_t count = axis >= 0 && axis < int(dims.size()) ? dims[std::size_t(axis)] : 0;
    if (channel < 0 || channel >= count || outer * count * inner != std::int64_t(values.size()))
        return result;
    for (std::int64_t o = 0; o < outer; ++o)
        for (std::int64_t i = 0; i < inner; ++i)
            result.push_back(values[std::size_t((o * count + channel) * inner + i)]);
    return result;
}

std::vector<CodeMass> dequantizedDistribution(const core::TensorStatistics &statistics, const core::AffineParams &params)
{
    const std::int64_t codes = std::int64_t(params.qmax) - params.qmin + 1;
    if (statistics.histogram.counts.empty() || codes > mostCodes || codes < 1)
        return {};
    std::vector<double> mass(std::size_t(codes), 0.0);
    const double step = params.scale;
    const auto codeOf = [&](double x) { return std::clamp(std::nearbyint(x / step) + params.zeroPoint, double(params.qmin), double(params.qmax)); };
    forEachBin(statistics, [&](double from, double to, double count) {
        const auto first = std::int64_t(codeOf(from)), last = std::int64_t(codeOf(to));
        if (first == last) {
            mass[std::size_t(first - params.qmin)] += count;
            return;
        }
        double left = from;
        for (std::int64_t code = first; code <= last; ++code) {
            const double right = code == last ? to : std::clamp((double(code - params.zeroPoint) + 0.5) * step, left, to);
            mass[std::size_t(code - params.qmin)] += count * (right - left) / (to - from);
            left = right;
        }
    });
    mass[std::size_t(std::int64_t(codeOf(0)) - params.qmin)] += double(statistics.zeros);
    std::vector<CodeMass> result;
    for (std::int64_t i = 0; i < codes; ++i)
        if (mass[std::size_t(i)] > 0)
            result.push_back({params.qmin + i, core::dequantize(params.qmin + i, params), mass[std::size_t(i)]});
    return result;
}

RangeEffect effectOf(const core::TensorStatistics &statistics, const core::Range &range, const core::Scheme &scheme,
                     const std::optional<core::AffineParams> &params)
{
    RangeEffect effect;
    const double nan = std::numeric_limits<double>::quiet_NaN();
    if (statistics.count == 0 || statistics.histogram.counts.empty()) {
        effect.meanSquaredError = effect.clippingError = effect.sqnrDb = effect.clippedShare = nan;
        return effect;
    }
    core::ObserverOptions options = scheme.observerOptions();
    options.kind = core::ObserverKind::Fixed;
    options.fixedRange = range;
    const core::ObserverResult result = core::observe(statistics, options);
    const core::Density density(statistics);
    effect.params = params.value_or(result.params);
    const bool integer = core::isIntegerDtype(scheme.dtype);
    effect.meanSquaredError = params && integer ? density.squaredError(*params) / density.total() : result.meanSquaredError;

    const core::Range bounds = clipBounds(effect.params, scheme), codes = integer ? core::representableRange(effect.params) : bounds;
    effect.clippedShare = (density.countBelow(bounds.min) + density.total() - density.countUpTo(bounds.max)) / density.total();
    double clipping = 0;
    forEachBin(statistics, [&](double from, double to, double count) {
        if (!(from < to)) {
            clipping += from > bounds.max ? count * std::pow(from - codes.max, 2) : from < bounds.min ? count * std::pow(codes.min - from, 2) : 0;
            return;
        }
        const double perUnit = count / (to - from);
        if (to > bounds.max)
            clipping += squaredBeyond(std::max(from, bounds.max), to, perUnit, codes.max);
        if (from < bounds.min)
            clipping += squaredBeyond(from, std::min(to, bounds.min), perUnit, codes.min);
    });
    effect.clippingError = std::min(clipping / density.total(), effect.meanSquaredError);
    const double power = statistics.sumOfSquares.value() / double(statistics.count);
    effect.sqnrDb = effect.meanSquaredError > 0 ? 10 * std::log10(power / effect.meanSquaredError)
        : std::numeric_limits<double>::infinity();
    return effect;
}

} // namespace widgets

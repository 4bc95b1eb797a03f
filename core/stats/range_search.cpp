#include "core/stats/range_search.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace core {
namespace {

constexpr double leastShare = 0.1;

Range withZero(Range range) { return {std::min(range.min, 0.0), std::max(range.max, 0.0)}; }

/// Tries shares of the two ends and keeps the best.
class ClipSearch {
public:
    ClipSearch(Range full, const AffineOptions &options, const ErrorOfParams &error) : m_full(full), m_options(options), m_error(error)
    {
        m_best.error = std::numeric_limits<double>::infinity();
    }

    bool attempt(double low, double high)
    {
        low = std::clamp(low, leastShare, 1.0);
        high = std::clamp(high, leastShare, 1.0);
        const Range range{m_full.min * low, m_full.max * high};
        const AffineParams params = affineFromRange(range, m_options);
        if (params == m_last)
            return false;
        m_last = params;
        const double error = m_error(params, m_best.error);
        if (!(error < m_best.error))
            return false;
        m_best = {range, params, error};
        m_low = low;
        m_high = high;
        return true;
    }

    void oneSide()
    {
        for (int percent = 100; percent >= 10; percent -= 1)
            attempt(percent / 100.0, percent / 100.0);
        const double centre = m_low;
        for (int step = -4; step <= 4; ++step)
            attempt(centre + step * 0.002, centre + step * 0.002);
    }

    void twoSides()
    {
        for (int low = 10; low >= 1; --low)
            for (int high = 10; high >= 1; --high)
                attempt(low / 10.0, high / 10.0);
        for (double step = 0.05; step > 0.002; step /= 2) {
            bool moved = true;
            for (int round = 0; moved && round < 4; ++round) {
                moved = false;
                const double low = m_low, high = m_high;
                for (int side = 0; side < 9; ++side)
                    if (side != 4)
                        moved = attempt(low + (side / 3 - 1) * step, high + (side % 3 - 1) * step) || moved;
            }
        }
    }

    const RangeChoice &best() const { return m_best; }

private:
    Range m_full;
    const AffineOptions &m_options;
    const ErrorOfParams &m_error;
    RangeChoice m_best;
    AffineParams m_last{0, 0, 0, 0};
    double m_low = 1, m_high = 1;
};

} // namespace

RangeChoice settleRange(Range range, const AffineOptions &options, const ErrorOfParams &error)
{
    constexpr double infinity = std::numeric_limits<double>::infinity();
    const AffineParams nearest = affineFromRange(range, options);
    RangeChoice best{range, nearest, error(nearest, infinity)};
    if (options.scaleType != ScaleType::PowerOfTwo || options.rounding != PowerOfTwoRounding::Mse)
        return best;
    for (const double factor : {4.0, 2.0, 0.5, 0.25}) {
        const Range scaled{range.min * factor, range.max * factor};
        const AffineParams params = affineFromRange(scaled, options);
        const double loss = error(params, best.error);
        if (loss < best.error)
            best = {range, params, loss};
    }
    return best;
}

RangeChoice searchClipping(Range full, const AffineOptions &options, const ErrorOfParams &error)
{
    full = withZero(full);
    ClipSearch search(full, options, error);
    if (!options.symmetric && full.min < 0 && full.max > 0)
        search.twoSides();
    else
        search.oneSide();
    return search.best();
}

Range entropyRange(const std::vector<double> &magnitudes, double width, Range full, const AffineOptions &options)
{
    full = withZero(full);
    const std::size_t bins = magnitudes.size();
    const bool oneSided = !options.symmetric && (full.min == 0 || full.max == 0);
    const std::size_t levels = std::size_t(1) << std::clamp(dtypeBits(options.dtype) - (oneSided ? 0 : 1), 1, 30);
    std::size_t candidate = std::max<std::size_t>(levels, 128);
    if (!isIntegerDtype(options.dtype) || bins <= candidate)
        return full;
    std::vector<double> mass(bins + 1, 0.0), weighted(bins + 1, 0.0);  // prefix sums of p and of p · log p
    std::vector<std::size_t> used(bins + 1, 0);                        // bins that hold something
    for (std::size_t i = 0; i < bins; ++i) {
        mass[i + 1] = mass[i] + magnitudes[i];
        weighted[i + 1] = weighted[i] + (magnitudes[i] > 0 ? magnitudes[i] * std::log(magnitudes[i]) : 0);
        used[i + 1] = used[i] + (magnitudes[i] > 0);
    }
    const double total = mass[bins];
    if (!(total > 0))
        return full;
    double least = std::numeric_limits<double>::infinity();
    std::size_t chosen = bins;
    for (; candidate <= bins; ++candidate) {
        const double outliers = total - mass[candidate], last = magnitudes[candidate - 1];
        if (!(mass[candidate] > 0) || (outliers > 0 && last == 0))
            continue; // the outliers would meet a level of no mass: infinite divergence
        // Σ p log p, where the last bin also took the outliers, less Σ p log q, where q spreads each level over its used bins.
        double divergence = weighted[candidate - 1] + (last + outliers > 0 ? (last + outliers) * std::log(last + outliers) : 0);
        for (std::size_t level = 0; level < levels; ++level) {
            const std::size_t from = level * candidate / levels, to = (level + 1) * candidate / levels;
            const double here = mass[to] - mass[from];
            if (here > 0)
                divergence -= (here + (to == candidate ? outliers : 0)) * std::log(here / double(used[to] - used[from]));
        }
        divergence = divergence / total + std::log(mass[candidate] / total);
        if (divergence < least) {
            least = divergence;
            chosen = candidate;
        }
    }
    const double threshold = double(chosen) * width;
    return {std::max(full.min, -threshold), std::min(full.max, threshold)};
}

} // namespace core

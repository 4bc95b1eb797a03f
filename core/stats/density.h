// A histogram read as a density: uniform inside each bin, with the masses that are known to stand on one value kept as points.
// Integrals over any interval in O(1) from prefix sums; the rounding error of a grid in O(bins), whatever the number of codes.
#pragma once

#include "core/stats/statistics.h"

#include <vector>

namespace core {

/// Half to even, for |u| < 2^51: adding and taking away 1.5 · 2^52 vectorises on every CPU.
inline double roundEven(double u) { return (u + 6755399441055744.0) - 6755399441055744.0; }

/// Float formats quantized without codes: `mantissaBits` behind the point, subnormals below 2^smallestExponent.
struct FloatGrid {
    int mantissaBits = 0, smallestExponent = 0;
    double largest = 0;
};

class Density {
public:
    /// Throws Error{InvalidInput} when the histogram is damaged.
    explicit Density(const Histogram &histogram);
    /// Knows more: exact zeros have no error, and nothing lies outside [min, max].
    explicit Density(const TensorStatistics &statistics);

    double total() const { return m_total; }                ///< zeros included
    /// Count of values <= x (zeros included).
    double countUpTo(double x) const;
    double countBelow(double x) const;                      ///< values < x
    /// Σ (r − r̂)² over everything.
    double squaredError(const AffineParams &params) const;
    double squaredError(const FloatGrid &grid, double scale) const;
    /// Count of |r| in [i, i+1) · binWidth without the exact zeros, for i = 0, 1, …
    std::vector<double> magnitudes() const;
    double binWidth() const { return m_width; }

private:
    struct Point { double at, count; };
    struct Moments { double zeroth = 0, first = 0, second = 0; };

    void build(const Histogram &histogram, double zeros, double min, double max);
    std::size_t binAt(double x) const;
    Moments momentsBelow(double x) const;
    double gridError(double low, double high, double step) const; ///< rounding to multiples of step inside [low, high]
    double clipError(double low, double high) const;

    double m_width = 0, m_total = 0, m_zeros = 0;
    double m_firstBin = 0;              ///< left edge of the first bin in units of the bin width
    std::vector<double> m_edges;        ///< of the bins from the first to the last that holds something
    std::vector<double> m_counts;
    std::vector<Moments> m_prefix;      ///< at the edges
    std::vector<Point> m_points;        ///< bins of no width: a value that is all its bin can hold
};

} // namespace core

#include "core/stats/density.h"

#include "core/base/error.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace core {
namespace {

double squaredDifference(double a, double b) { return (a - b) * (a - b); }

/// ∫ (u − round(u))² du from 0.
double roundingIntegral(double u)
{
    const double n = roundEven(u), f = u - n;
    return n / 12 + f * f * f / 3;
}

} // namespace

Density::Density(const Histogram &histogram)
{
    build(histogram, 0, -std::numeric_limits<double>::infinity(), std::numeric_limits<double>::infinity());
}

Density::Density(const TensorStatistics &statistics)
{
    build(statistics.histogram, double(statistics.zeros), statistics.min, statistics.max);
}

void Density::build(const Histogram &histogram, double zeros, double min, double max)
{
    const std::vector<std::uint64_t> &counts = histogram.counts;
    if (counts.size() != 2 * std::size_t(Histogram::halfBins) || histogram.exponent < -126 || histogram.exponent > 128)
        throw Error(ErrorKind::InvalidInput, "observe", "The histogram has " + std::to_string(counts.size()) + " bins and exponent "
                    + std::to_string(histogram.exponent) + "; it was collected without a histogram or is damaged. Calibrate again.");
    m_width = histogram.binWidth();
    std::size_t first = 0, last = counts.size();
    while (first < last && counts[first] == 0)
        ++first;
    while (last > first && counts[last - 1] == 0)
        --last;
    m_firstBin = double(first) - Histogram::halfBins;
    for (std::size_t bin = first; bin < last; ++bin) {
        m_total += double(counts[bin]);
        const double zerosHere = bin == std::size_t(Histogram::halfBins) ? std::min(zeros, double(counts[bin])) : 0;
        m_zeros += zerosHere;
        m_counts.push_back(double(counts[bin]) - zerosHere);
        m_edges.push_back(histogram.binLeft(bin));
    }
    m_edges.push_back(histogram.binLeft(last));
    if (!m_counts.empty()) {
        m_edges.front() = std::clamp(min, m_edges.front(), m_edges[1]);
        m_edges.back() = std::clamp(max, m_edges[m_edges.size() - 2], m_edges.back());
        for (const std::size_t bin : {std::size_t(0), m_counts.size() - 1})
            if (m_counts[bin] > 0 && !(m_edges[bin] < m_edges[bin + 1])) {
                m_points.push_back({m_edges[bin], m_counts[bin]});
                m_counts[bin] = 0;
            }
    }
    m_prefix.resize(m_edges.size());
    for (std::size_t bin = 0; bin < m_counts.size(); ++bin) {
        const double a = m_edges[bin], b = m_edges[bin + 1], count = m_counts[bin];
        const Moments &before = m_prefix[bin];
        m_prefix[bin + 1] = {before.zeroth + count, before.first + count * (a + b) / 2, before.second + count * (a * a + a * b + b * b) / 3};
    }
}

std::size_t Density::binAt(double x) const
{
    return std::size_t(std::clamp(std::floor(x / m_width) - m_firstBin, 0.0, double(m_counts.size() - 1)));
}

Density::Moments Density::momentsBelow(double x) const
{
    if (m_counts.empty() || x <= m_edges.front())
        return {};
    if (x >= m_edges.back())
        return m_prefix.back();
    const std::size_t bin = binAt(x);
    const double a = m_edges[bin], width = m_edges[bin + 1] - a;
    const double part = width > 0 ? m_counts[bin] * std::clamp((x - a) / width, 0.0, 1.0) : 0;
    const Moments &before = m_prefix[bin];
    return {before.zeroth + part, before.first + part * (a + x) / 2, before.second + part * (a * a + a * x + x * x) / 3};
}

double Density::countBelow(double x) const
{
    double count = momentsBelow(x).zeroth + (x > 0 ? m_zeros : 0);
    for (const Point &point : m_points)
        count += point.at < x ? point.count : 0;
    return count;
}

double Density::countUpTo(double x) const
{
    double count = momentsBelow(x).zeroth + (x >= 0 ? m_zeros : 0);
    for (const Point &point : m_points)
        count += point.at <= x ? point.count : 0;
    return count;
}

double Density::gridError(double low, double high, double step) const
{
    if (m_counts.empty())
        return 0;
    low = std::max(low, m_edges.front());
    high = std::min(high, m_edges.back());
    if (!(low < high))
        return 0;
    const double inverse = 1 / step;
    const std::size_t first = binAt(low), last = binAt(high);
    const auto piece = [&](std::size_t bin, double from, double to) {
        const double width = m_edges[bin + 1] - m_edges[bin];
        return m_counts[bin] > 0 && from < to ? m_counts[bin] / (width * inverse) * (roundingIntegral(to * inverse) - roundingIntegral(from * inverse)) : 0.0;
    };
    double error = piece(first, low, std::min(high, m_edges[first + 1]));
    if (last > first)
        error += piece(last, m_edges[last], high);
    // Bins between them have the full width, unless they are the outermost, which then are `first` or `last`.
    double inner[4] = {0, 0, 0, 0};
    double before = roundingIntegral(m_edges[first + 1] * inverse);
    for (std::size_t bin = first + 1; bin < last; ++bin) {
        const double after = roundingIntegral(m_edges[bin + 1] * inverse);
        inner[bin % 4] += m_counts[bin] * (after - before);
        before = after;
    }
    return (error + (inner[0] + inner[1] + inner[2] + inner[3]) / (m_width * inverse)) * step * step;
}

double Density::clipError(double low, double high) const
{
    if (m_counts.empty())
        return 0;
    double error = 0;
    if (low > m_edges.front()) {
        const Moments below = momentsBelow(low);
        error += below.second - 2 * low * below.first + low * low * below.zeroth;
    }
    if (high < m_edges.back()) {
        const Moments &all = m_prefix.back(), below = momentsBelow(high);
        error += (all.second - below.second) - 2 * high * (all.first - below.first) + high * high * (all.zeroth - below.zeroth);
    }
    return std::max(error, 0.0);
}

double Density::squaredError(const AffineParams &params) const
{
    const Range range = representableRange(params);
    const double step = params.scale;
    double error = gridError(range.min, range.max, step) + clipError(range.min, range.max);
    for (const Point &point : m_points)
        error += point.count * squaredDifference(point.at, std::clamp(roundEven(point.at / step) * step, range.min, range.max));
    return error;
}

double Density::squaredError(const FloatGrid &grid, double scale) const
{
    if (m_total == 0)
        return 0;
    const double largest = grid.largest * scale;
    const double reach = std::max({std::fabs(m_edges.front()), std::fabs(m_edges.back()), m_width});
    const auto stepAt = [&](int exponent) { return std::ldexp(scale, exponent - grid.mantissaBits); };
    double error = clipError(-largest, largest);
    const int top = std::ilogb(std::min(largest, reach) / scale);
    // Octaves far below a bin's width add nothing that could be seen.
    const int bottom = std::max(grid.smallestExponent, std::ilogb(m_width / scale) - 10);
    for (int exponent = std::max(top, bottom); exponent >= bottom; --exponent) {
        const double low = exponent == bottom ? 0 : std::ldexp(scale, exponent), high = std::min(std::ldexp(scale, exponent + 1), largest);
        error += gridError(low, high, stepAt(exponent)) + gridError(-high, -low, stepAt(exponent));
    }
    for (const Point &point : m_points) {
        const double magnitude = std::min(std::fabs(point.at), largest);
        const int exponent = magnitude > 0 ? std::max(std::ilogb(magnitude / scale), grid.smallestExponent) : grid.smallestExponent;
        const double rounded = std::min(roundEven(magnitude / stepAt(exponent)) * stepAt(exponent), largest);
        error += point.count * squaredDifference(std::fabs(point.at), rounded);
    }
    return error;
}

std::vector<double> Density::magnitudes() const
{
    std::vector<double> result;
    const auto put = [&](double at, double count) {
        const auto index = std::size_t(std::fabs(at) / m_width);
        if (result.size() <= index)
            result.resize(index + 1, 0.0);
        result[index] += count;
    };
    for (std::size_t bin = 0; bin < m_counts.size(); ++bin)
        if (m_counts[bin] > 0)
            put((m_edges[bin] + m_edges[bin + 1]) / 2, m_counts[bin]);
    for (const Point &point : m_points)
        put(point.at, point.count);
    return result;
}

} // namespace core

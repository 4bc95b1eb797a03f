#include "core/stats/statistics.h"

#include "core/base/error.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace core {
namespace {

constexpr int lowestBit = -104;                 // weight of bit 0 of an ExactSum
constexpr double largestAddend = 0x1p128;

using Limbs = std::int64_t[4];

/// limbs ± magnitude · 2^shift, modulo 2^256.
void addShifted(Limbs &limbs, std::uint64_t magnitude, int shift, bool negative)
{
    std::size_t at = std::size_t(shift) / 64;
    const int bits = shift % 64;
    const std::uint64_t parts[2] = {magnitude << bits, bits ? magnitude >> (64 - bits) : 0};
    std::uint64_t carry = 0;
    for (std::size_t i = 0; at < 4; ++i, ++at) {
        const std::uint64_t part = i < 2 ? parts[i] : 0, old = std::uint64_t(limbs[at]);
        if (i >= 2 && carry == 0)
            return;
        const std::uint64_t first = negative ? old - part : old + part;
        const std::uint64_t second = negative ? first - carry : first + carry;
        carry = negative ? std::uint64_t(old < part) | std::uint64_t(first < carry) : std::uint64_t(first < part) | std::uint64_t(second < carry);
        limbs[at] = std::int64_t(second);
    }
}

/// `bin` counted from the left, after the range has doubled `doublings` times.
std::size_t binAfter(std::size_t bin, int doublings)
{
    return std::size_t(((std::int64_t(bin) - Histogram::halfBins) >> doublings) + Histogram::halfBins);
}

int doublings(int from, int to)
{
    return int(std::clamp<std::int64_t>(std::int64_t(to) - from, 0, 62));
}

} // namespace

void ExactSum::add(std::int64_t mantissa, int exponent)
{
    std::uint64_t magnitude = mantissa < 0 ? 0 - std::uint64_t(mantissa) : std::uint64_t(mantissa);
    int shift = exponent - lowestBit;
    if (shift < 0) {
        magnitude = shift > -64 ? magnitude >> -shift : 0;
        shift = 0;
    }
    if (magnitude != 0)
        addShifted(limbs, magnitude, std::min(shift, 256), mantissa < 0);
}

void ExactSum::add(double value)
{
    if (std::isnan(value))
        return;
    int exponent = 0;
    const double mantissa = std::frexp(std::clamp(value, -largestAddend, largestAddend), &exponent);
    add(std::int64_t(std::ldexp(mantissa, 53)), exponent - 53);
}

void ExactSum::add(const ExactSum &other)
{
    std::uint64_t carry = 0;
    for (std::size_t i = 0; i < 4; ++i) {
        const std::uint64_t a = std::uint64_t(limbs[i]), first = a + std::uint64_t(other.limbs[i]), second = first + carry;
        carry = std::uint64_t(first < a) | std::uint64_t(second < carry);
        limbs[i] = std::int64_t(second);
    }
}

double ExactSum::value() const
{
    std::uint64_t magnitude[4];
    const bool negative = limbs[3] < 0;
    std::uint64_t carry = negative ? 1 : 0;
    for (std::size_t i = 0; i < 4; ++i) {
        magnitude[i] = (negative ? ~std::uint64_t(limbs[i]) : std::uint64_t(limbs[i])) + carry;
        carry = carry != 0 && magnitude[i] == 0 ? 1 : 0;
    }
    int top = 3;
    while (top >= 0 && magnitude[top] == 0)
        --top;
    if (top < 0)
        return 0;
    // The 64 leading bits, the last of them sticky, so that the one rounding below is the right one.
    const int zeros = std::countl_zero(magnitude[top]);
    std::uint64_t leading = magnitude[top] << zeros;
    bool rest = false;
    if (top > 0) {
        if (zeros > 0)
            leading |= magnitude[top - 1] >> (64 - zeros);
        rest = (magnitude[top - 1] << zeros) != 0;
        for (int i = 0; i < top - 1; ++i)
            rest = rest || magnitude[i] != 0;
    }
    const double result = std::ldexp(double(leading | std::uint64_t(rest)), 64 * top - zeros + lowestBit);
    return negative ? -result : result;
}

double Histogram::binWidth() const { return std::ldexp(1.0, exponent) / halfBins; }

double Histogram::binLeft(std::size_t bin) const { return (double(bin) - halfBins) * binWidth(); }

void Histogram::growTo(int newExponent)
{
    if (counts.empty()) {
        counts.assign(2 * std::size_t(halfBins), 0);
        exponent = std::max(exponent, newExponent);
        return;
    }
    if (newExponent <= exponent)
        return;
    const int times = doublings(exponent, newExponent);
    std::vector<std::uint64_t> grown(counts.size(), 0);
    for (std::size_t bin = 0; bin < counts.size(); ++bin)
        grown[binAfter(bin, times)] += counts[bin];
    counts = std::move(grown);
    exponent = newExponent;
}

void Histogram::merge(const Histogram &other)
{
    if (other.counts.empty())
        return;
    growTo(other.exponent);
    const int times = doublings(other.exponent, exponent);
    if (times == 0)
        for (std::size_t bin = 0; bin < other.counts.size(); ++bin)
            counts[bin] += other.counts[bin];
    else
        for (std::size_t bin = 0; bin < other.counts.size(); ++bin)
            counts[binAfter(bin, times)] += other.counts[bin];
}

std::uint64_t Histogram::total() const
{
    std::uint64_t sum = 0;
    for (const std::uint64_t count : counts)
        sum += count;
    return sum;
}

double ChannelStatistics::mean() const { return count ? sum.value() / double(count) : 0; }

double TensorStatistics::mean() const { return count ? sum.value() / double(count) : 0; }

double TensorStatistics::variance() const
{
    if (count == 0)
        return 0;
    const long double average = (long double)(sum.value()) / (long double)(count);
    return std::max(0.0, double((long double)(sumOfSquares.value()) / (long double)(count) - average * average));
}

double TensorStatistics::zeroShare() const { return count ? double(zeros) / double(count) : 0; }

void TensorStatistics::merge(const TensorStatistics &other)
{
    const auto blank = [](const TensorStatistics &s) { return s.count == 0 && s.notFinite == 0 && s.images == 0 && s.channels.empty(); };
    if (blank(other))
        return;
    if (blank(*this)) {
        *this = other;
        return;
    }
    if (channelAxis != other.channelAxis || channels.size() != other.channels.size())
        throw Error(ErrorKind::InvalidInput, "statistics", "Statistics with " + std::to_string(channels.size()) + " channels along axis "
                    + std::to_string(channelAxis) + " and with " + std::to_string(other.channels.size()) + " along axis "
                    + std::to_string(other.channelAxis) + " cannot be merged; they are not of the same tensor.");
    if (other.count > 0) {
        min = count > 0 ? std::min(min, other.min) : other.min;
        max = count > 0 ? std::max(max, other.max) : other.max;
    }
    histogram.merge(other.histogram);
    sum.add(other.sum);
    sumOfSquares.add(other.sumOfSquares);
    sumOfImageMin.add(other.sumOfImageMin);
    sumOfImageMax.add(other.sumOfImageMax);
    count += other.count;
    zeros += other.zeros;
    images += other.images;
    notFinite += other.notFinite;
    for (std::size_t c = 0; c < channels.size(); ++c) {
        ChannelStatistics &mine = channels[c];
        const ChannelStatistics &theirs = other.channels[c];
        if (theirs.count > 0) {
            mine.min = mine.count > 0 ? std::min(mine.min, theirs.min) : theirs.min;
            mine.max = mine.count > 0 ? std::max(mine.max, theirs.max) : theirs.max;
        }
        mine.sum.add(theirs.sum);
        mine.count += theirs.count;
    }
}

} // namespace core

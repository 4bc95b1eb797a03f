// What one pass over the calibration data keeps of one tensor. A mergeable value: statistics of two halves
// merge into exactly (bit for bit) the statistics of the whole, in any order.
#pragma once

#include "core/stats/affine.h"

#include <cstdint>
#include <vector>

namespace core {

/// A sum without rounding error, so that addition is associative: 256 bits of fixed point, bit 0 weighs 2^-104. Every multiple of 2^-104 is
/// added exactly, so every float32 of at least 2^-80; what a value has below that bit is cut off (toward 0) before it is added. Values beyond
/// ±2^128 count as ±2^128, NaN as 0. A sum beyond ±2^151 wraps.
struct ExactSum {
    std::int64_t limbs[4] = {0, 0, 0, 0};   ///< two's complement, least significant first
    void add(double value);
    void add(std::int64_t mantissa, int exponent); ///< mantissa · 2^exponent; exponent ≤ 88
    void add(const ExactSum &other);
    double value() const;
    friend bool operator==(const ExactSum &, const ExactSum &) = default;
};

/// Growable histogram of |bins| = 2·halfBins equal bins over [−2^exponent, 2^exponent). When a value falls outside,
/// the range doubles and neighbouring bins merge in pairs, so counts are never split.
struct Histogram {
    static constexpr int halfBins = 2048;
    int exponent = -126;                     ///< range is ±2^exponent; −126 = empty
    std::vector<std::uint64_t> counts;       ///< 2·halfBins, empty when nothing was seen
    double binWidth() const;
    double binLeft(std::size_t bin) const;
    void growTo(int newExponent);
    void merge(const Histogram &other);
    std::uint64_t total() const;
    friend bool operator==(const Histogram &, const Histogram &) = default;
};

struct ChannelStatistics {
    float min = 0, max = 0;
    ExactSum sum;
    std::uint64_t count = 0;
    double mean() const;
    friend bool operator==(const ChannelStatistics &, const ChannelStatistics &) = default;
};

struct TensorStatistics {
    Histogram histogram;                     ///< empty when only min/max was asked for
    float min = 0, max = 0;                  ///< over everything seen; meaningful when count > 0
    ExactSum sum, sumOfSquares;
    ExactSum sumOfImageMin, sumOfImageMax;   ///< for moving_average_min_max: mean of the per-image extremes
    std::uint64_t count = 0, zeros = 0, images = 0;
    std::uint64_t notFinite = 0;             ///< NaN and ±inf, which enter nothing else
    int channelAxis = -1;                    ///< axis of `channels`, −1 = none
    std::vector<ChannelStatistics> channels;

    double mean() const;
    double variance() const;
    double zeroShare() const;
    /// Throws Error{InvalidInput} when axis or channel count differ.
    void merge(const TensorStatistics &other);
    friend bool operator==(const TensorStatistics &, const TensorStatistics &) = default;
};

} // namespace core

// Minimum, maximum, zeros and not-finite values in one pass; SIMD chosen at run time (Highway). Single-threaded: callers split the work.
// Results do not depend on the order of the elements. Not-finite values are counted and enter nothing else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

namespace core {

struct RangeScan {
    float min = std::numeric_limits<float>::infinity();   ///< +inf while there was no finite value
    float max = -std::numeric_limits<float>::infinity();
    std::uint64_t zeros = 0, notFinite = 0;

    void add(const RangeScan &other);
    bool any() const { return min <= max; }
    friend bool operator==(const RangeScan &, const RangeScan &) = default;
};

/// What is read next can be fetched along the way when it has so many elements.
constexpr std::size_t leastAhead = 4096;

/// ahead: only for speed, leastAhead elements or null.
void scanRange(const float *x, std::size_t count, RangeScan &scan, const float *ahead = nullptr);

/// x is [rows][width]. mins and maxs hold one entry a column, start at ±inf, and are widened; scan gets the counts, not the extremes.
/// ahead: only for speed, as many elements or null.
void scanRangeColumns(const float *x, std::size_t rows, std::size_t width, float *mins, float *maxs, RangeScan &scan, const float *ahead = nullptr);

} // namespace core

// Histogram, sum and sum of squares of a tensor whose largest magnitude is known; SIMD chosen at run time (Highway). Single-threaded.
// All results are integers, so they do not depend on the order of the elements, on the way the work is split, or on the instruction set.
#pragma once

#include <cstddef>
#include <cstdint>

namespace core {

/// Σ round(v / 2^(exponent − 30)) and Σ round(v² / 2^(2·exponent − 30)); exact while less than 2^32 values are added.
/// The square is rounded to float32 first.
struct FixedSums {
    std::int64_t sum = 0, squares = 0;
    friend bool operator==(const FixedSums &, const FixedSums &) = default;
};

struct BinPlan {
    int exponent = 0;           ///< every finite |v| < 2^exponent
    int countsExponent = 0;     ///< the counters' range is ±2^countsExponent, which holds every value; not below `exponent` − 16
    bool finite = true;         ///< false: NaN and inf may occur and are left out (slow)
    bool manyZeros = false;     ///< only for speed: zeros are counted apart
    const float *ahead = nullptr; ///< only for speed: as many elements, which are read next and fetched along the way; may be null
};

/// Counters of one bin lie side by side, so that runs of one value do not wait for each other; a bin's count is the sum of its four.
constexpr std::size_t histogramLanes = 4;
constexpr std::size_t histogramBins = 4096;  ///< = 2 · Histogram::halfBins

/// counts[histogramBins][histogramLanes]; the caller empties them before 2^32 values were counted. Null: only the sums.
void binValues(const float *x, std::size_t count, const BinPlan &plan, std::uint32_t *counts, FixedSums &sums);

/// The sum alone.
std::int64_t sumValues(const float *x, std::size_t count, const BinPlan &plan);

/// x is [rows][width]; adds the sum of each column to sums[width].
void sumColumns(const float *x, std::size_t rows, std::size_t width, const BinPlan &plan, std::int64_t *sums);

/// The smallest exponent with |v| < 2^exponent, at least −125.
int exponentAbove(float magnitude);

} // namespace core

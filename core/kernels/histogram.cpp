#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/histogram.cpp"
#include "hwy/foreach_target.h"

#include "core/kernels/histogram.h"

#include "hwy/cache_control.h"
#include "hwy/highway.h"

#include <algorithm>
#include <cmath>
#include <utility>

// Every value is scaled to t = v · 2^(30 − exponent), |t| < 2^30. Its integer below gives the bin by a shift, so that counters of a wider
// range get what merging bins in pairs would give; its nearest integer is summed in two halves of 15 bits, so that int32 lanes hold a block.

HWY_BEFORE_NAMESPACE();
namespace core {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using F = hn::ScalableTag<float>;
using I = hn::RebindToSigned<F>;
using U = hn::RebindToUnsigned<F>;
using V = hn::Vec<F>;
using VI = hn::Vec<I>;

constexpr std::size_t sumBlock = 8192;   // 2^13 addends below 2^16 fit a lane
constexpr std::size_t binBlock = 1024;

// |t| < 2^31, so the conversions need none of the care that Highway takes of others.
HWY_INLINE VI nearestInteger(V t)
{
#if HWY_TARGET <= HWY_AVX3 && HWY_ARCH_X86
    return VI{_mm512_cvtps_epi32(t.raw)};
#elif HWY_TARGET == HWY_AVX2
    return VI{_mm256_cvtps_epi32(t.raw)};
#else
    return hn::NearestInt(t);
#endif
}

HWY_INLINE VI integerBelow(V t)
{
#if HWY_TARGET <= HWY_AVX3 && HWY_ARCH_X86
    return VI{_mm512_cvt_roundps_epi32(t.raw, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC)};
#elif HWY_TARGET == HWY_AVX2
    return VI{_mm256_cvttps_epi32(_mm256_floor_ps(t.raw))};
#else
    return hn::ConvertTo(I(), hn::Floor(t));
#endif
}

/// Σ value modulo 2^32 and Σ ⌊value / 2^15⌋, from which follows Σ value for up to 2^16 addends.
struct Halves {
    VI wrapped, high;
};

HWY_INLINE Halves noHalves() { return {hn::Zero(I()), hn::Zero(I())}; }

HWY_INLINE void addHalves(Halves &sum, VI value)
{
    sum.wrapped = hn::Add(sum.wrapped, value);
    sum.high = hn::Add(sum.high, hn::ShiftRight<15>(value));
}

HWY_INLINE VI lowOf(const Halves &sum) { return hn::Sub(sum.wrapped, hn::ShiftLeft<15>(sum.high)); }

HWY_INLINE std::int64_t total(const Halves &a, const Halves &b)
{
    const I di;
    const std::int64_t high = hn::GetLane(hn::SumOfLanes(di, hn::Add(a.high, b.high)));
    return high * 32768 + hn::GetLane(hn::SumOfLanes(di, hn::Add(lowOf(a), lowOf(b))));
}

HWY_INLINE VI squareOf(V t)
{
    return nearestInteger(hn::Mul(hn::Mul(t, t), hn::Set(F(), 0x1p-30f)));
}

enum class Count { All, ZerosApart, Nothing };

/// Number of elements done (whole vectors).
template <Count What>
HWY_INLINE std::size_t binBlocks(const float *x, std::size_t count, float factor, int shift, const float *ahead, std::uint32_t *counts, std::int64_t *sums)
{
    const F d;
    const I di;
    const U du;
    const std::size_t lanes = hn::Lanes(d), vectors = count / lanes * lanes;
    const V scale = hn::Set(d, factor);
    const VI centre = hn::Set(di, std::int32_t(histogramBins / 2 * histogramLanes));
    const VI keep = hn::Set(di, -std::int32_t(histogramLanes));
    HWY_ALIGN std::uint32_t buffers[2][binBlock + 2 * HWY_MAX_BYTES / sizeof(std::uint32_t)];
    std::uint32_t *bins = buffers[0], *waiting = buffers[1];
    std::size_t filled = 0;
    constexpr std::size_t lane = What == Count::Nothing ? 0 : 1; // counts may be null then
    std::uint32_t *const second = counts + lane, *const third = counts + 2 * lane, *const fourth = counts + 3 * lane;
    const auto countFour = [&](const std::uint32_t *four) HWY_ATTR {
        ++counts[four[0]];
        ++second[four[1]];
        ++third[four[2]];
        ++fourth[four[3]];
    };
    const auto countRest = [&](std::size_t k, std::size_t end) HWY_ATTR {
        for (; k + 4 <= end; k += 4)
            countFour(waiting + k);
        for (; k < end; ++k)
            ++counts[waiting[k]];
    };
    for (std::size_t begin = 0; begin < vectors; begin += sumBlock) {
        const std::size_t blockEnd = std::min(vectors, begin + sumBlock);
        Halves sumA = noHalves(), sumB = sumA, squareA = sumA, squareB = sumA;
        for (std::size_t at = begin; at < blockEnd; at += binBlock) {
            const std::size_t stop = std::min(blockEnd, at + binBlock), before = filled;
            std::swap(bins, waiting);
            filled = 0;
            const auto one = [&](std::size_t i, Halves &sum, Halves &square) HWY_ATTR {
                const V v = hn::LoadU(d, x + i), t = hn::Mul(v, scale);
                addHalves(sum, nearestInteger(t));
                addHalves(square, squareOf(t));
                if constexpr (What != Count::Nothing) {
                    // bin · 4: two bits less to shift, then masked off
                    const VI bin = hn::Add(hn::And(hn::ShiftRightSame(integerBelow(t), shift), keep), centre);
                    if constexpr (What == Count::ZerosApart) {
                        const auto some = hn::RebindMask(du, hn::Ne(v, hn::Zero(d)));
                        hn::StoreU(hn::Compress(hn::BitCast(du, bin), some), du, bins + filled);
                        filled += hn::CountTrue(du, some);
                    } else {
                        hn::StoreU(hn::BitCast(du, bin), du, bins + filled);
                        filled += lanes;
                    }
                }
            };
            // Vectors wait for arithmetic, counters for the memory: so the bins of the block before are counted between the vectors of this one.
            const std::size_t step = before * 2 * lanes / (stop - at) / 4 * 4;
            std::size_t i = at, counted = 0;
            for (; i + 2 * lanes <= stop; i += 2 * lanes) {
                one(i, sumA, squareA);
                one(i + lanes, sumB, squareB);
                if (ahead != nullptr)
                    for (std::size_t line = 0; line < 2 * lanes; line += 16)
                        hwy::Prefetch(ahead + i + line);
                if constexpr (What != Count::Nothing)
                    for (const std::size_t end = counted + step; counted < end; counted += 4)
                        countFour(waiting + counted);
            }
            for (; i < stop; i += lanes)
                one(i, sumA, squareA);
            if constexpr (What == Count::ZerosApart)
                counts[histogramBins / 2 * histogramLanes] += std::uint32_t(stop - at - filled);
            if constexpr (What != Count::Nothing)
                countRest(counted, before);
        }
        sums[0] += total(sumA, sumB);
        sums[1] += total(squareA, squareB);
    }
    if constexpr (What != Count::Nothing) {
        std::swap(bins, waiting);
        countRest(0, filled);
    }
    return vectors;
}

HWY_ATTR std::size_t binFast(const float *x, std::size_t count, float factor, int shift, bool manyZeros, const float *ahead, std::uint32_t *counts, std::int64_t *sums)
{
    if (counts == nullptr)
        return binBlocks<Count::Nothing>(x, count, factor, shift, ahead, counts, sums);
#if HWY_TARGET <= HWY_AVX3 && HWY_ARCH_X86 // elsewhere compressing costs more than the zeros
    if (manyZeros)
        return binBlocks<Count::ZerosApart>(x, count, factor, shift, ahead, counts, sums);
#endif
    (void)manyZeros;
    return binBlocks<Count::All>(x, count, factor, shift, ahead, counts, sums);
}

HWY_ATTR std::size_t sumFast(const float *x, std::size_t count, float factor, std::int64_t *sum)
{
    const F d;
    const std::size_t lanes = hn::Lanes(d), vectors = count / lanes * lanes;
    const V scale = hn::Set(d, factor);
    for (std::size_t begin = 0; begin < vectors; begin += sumBlock) {
        const std::size_t stop = std::min(vectors, begin + sumBlock);
        Halves a = noHalves(), b = a;
        std::size_t i = begin;
        for (; i + 2 * lanes <= stop; i += 2 * lanes) {
            addHalves(a, nearestInteger(hn::Mul(hn::LoadU(d, x + i), scale)));
            addHalves(b, nearestInteger(hn::Mul(hn::LoadU(d, x + i + lanes), scale)));
        }
        for (; i < stop; i += lanes)
            addHalves(a, nearestInteger(hn::Mul(hn::LoadU(d, x + i), scale)));
        *sum += total(a, b);
    }
    return vectors;
}

template <int N>
HWY_INLINE void sumTile(const float *x, std::size_t rows, std::size_t pitch, V scale, std::int64_t *sums)
{
    const F d;
    const I di;
    const std::size_t lanes = hn::Lanes(d);
    Halves tile[N];
    for (int t = 0; t < N; ++t)
        tile[t] = noHalves();
    for (std::size_t row = 0; row < rows; ++row)
        for (int t = 0; t < N; ++t)
            addHalves(tile[t], nearestInteger(hn::Mul(hn::LoadU(d, x + row * pitch + std::size_t(t) * lanes), scale)));
    HWY_ALIGN std::int32_t high[HWY_MAX_BYTES / sizeof(std::int32_t)], low[HWY_MAX_BYTES / sizeof(std::int32_t)];
    for (int t = 0; t < N; ++t) {
        hn::Store(tile[t].high, di, high);
        hn::Store(lowOf(tile[t]), di, low);
        for (std::size_t i = 0; i < lanes; ++i)
            sums[std::size_t(t) * lanes + i] += std::int64_t(high[i]) * 32768 + low[i];
    }
}

/// Whole vectors of columns; returns how many columns. At most 2^15 rows.
HWY_ATTR std::size_t sumTiles(const float *x, std::size_t rows, std::size_t width, float factor, std::int64_t *sums)
{
    const std::size_t lanes = hn::Lanes(F());
    const V scale = hn::Set(F(), factor);
    std::size_t column = 0;
    while (column + lanes <= width)
        switch (std::min<std::size_t>((width - column) / lanes, 4)) {
        case 4: sumTile<4>(x + column, rows, width, scale, sums + column); column += 4 * lanes; break;
        case 3: sumTile<3>(x + column, rows, width, scale, sums + column); column += 3 * lanes; break;
        case 2: sumTile<2>(x + column, rows, width, scale, sums + column); column += 2 * lanes; break;
        default: sumTile<1>(x + column, rows, width, scale, sums + column); column += lanes; break;
        }
    return column;
}

} // namespace HWY_NAMESPACE
} // namespace core
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace core {
namespace {

HWY_EXPORT(binFast);
HWY_EXPORT(sumFast);
HWY_EXPORT(sumTiles);

/// The factor must be a float, and scaling must never lose bits of small values.
bool fits(const BinPlan &plan) { return plan.finite && plan.exponent >= -96 && plan.exponent <= 30; }

float factorOf(const BinPlan &plan) { return std::ldexp(1.0f, 30 - plan.exponent); }

int shiftOf(const BinPlan &plan) { return std::min(19 + plan.countsExponent - plan.exponent, 31); }

std::int64_t scaled(float v, int exponent) { return std::int64_t(std::nearbyint(std::ldexp(double(v), 30 - exponent))); }

std::int64_t scaledSquare(float v, int exponent)
{
    const float t = float(std::ldexp(double(v), 30 - exponent));
    return std::int64_t(std::nearbyint(t * t * 0x1p-30f));
}

std::size_t binOf(float v, const BinPlan &plan)
{
    const auto below = std::int64_t(std::floor(std::ldexp(double(v), 30 - plan.exponent)));
    return std::size_t((below >> shiftOf(plan)) + std::int64_t(histogramBins / 2));
}

} // namespace

int exponentAbove(float magnitude)
{
    return magnitude > 0 ? std::max(std::ilogb(magnitude) + 1, -125) : -125;
}

void binValues(const float *x, std::size_t count, const BinPlan &plan, std::uint32_t *counts, FixedSums &sums)
{
    std::int64_t fast[2] = {0, 0};
    // The kernel's bins come times four, so it shifts by two less.
    std::size_t i = fits(plan) ? HWY_DYNAMIC_DISPATCH(binFast)(x, count, factorOf(plan), shiftOf(plan) - 2, plan.manyZeros, plan.ahead, counts, fast) : 0;
    for (; i < count; ++i) {
        if (!plan.finite && !std::isfinite(x[i]))
            continue;
        if (counts != nullptr)
            ++counts[binOf(x[i], plan) * histogramLanes];
        fast[0] += scaled(x[i], plan.exponent);
        fast[1] += scaledSquare(x[i], plan.exponent);
    }
    sums.sum += fast[0];
    sums.squares += fast[1];
}

std::int64_t sumValues(const float *x, std::size_t count, const BinPlan &plan)
{
    std::int64_t sum = 0;
    std::size_t i = fits(plan) ? HWY_DYNAMIC_DISPATCH(sumFast)(x, count, factorOf(plan), &sum) : 0;
    for (; i < count; ++i)
        if (plan.finite || std::isfinite(x[i]))
            sum += scaled(x[i], plan.exponent);
    return sum;
}

void sumColumns(const float *x, std::size_t rows, std::size_t width, const BinPlan &plan, std::int64_t *sums)
{
    constexpr std::size_t rowBlock = 32768;
    for (std::size_t row = 0; row < rows; row += rowBlock) {
        const std::size_t height = std::min(rowBlock, rows - row);
        const float *block = x + row * width;
        const std::size_t done = fits(plan) ? HWY_DYNAMIC_DISPATCH(sumTiles)(block, height, width, factorOf(plan), sums) : 0;
        for (std::size_t i = 0; i < height; ++i)
            for (std::size_t column = done; column < width; ++column)
                if (const float v = block[i * width + column]; plan.finite || std::isfinite(v))
                    sums[column] += scaled(v, plan.exponent);
    }
}

} // namespace core
#endif

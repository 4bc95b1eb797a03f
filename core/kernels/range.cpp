#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/range.cpp"
#include "hwy/foreach_target.h"

#include "core/kernels/range.h"

#include "hwy/cache_control.h"
#include "hwy/highway.h"

#include <algorithm>
#include <cmath>

HWY_BEFORE_NAMESPACE();
namespace core {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using F = hn::ScalableTag<float>;
using I = hn::RebindToSigned<F>;
using V = hn::Vec<F>;
using VI = hn::Vec<I>;

struct Lanes {
    V low, high, poison;  // poison: 0, or NaN once a value was not finite
    VI zeros;             // less the number of zeros
};

HWY_INLINE Lanes freshLanes()
{
    const F d;
    return {hn::Set(d, std::numeric_limits<float>::infinity()), hn::Set(d, -std::numeric_limits<float>::infinity()), hn::Zero(d), hn::Zero(I())};
}

HWY_INLINE void take(Lanes &lanes, V v)
{
    const F d;
    const V zero = hn::Zero(d);
    lanes.low = hn::Min(lanes.low, v);
    lanes.high = hn::Max(lanes.high, v);
    lanes.poison = hn::MulAdd(v, zero, lanes.poison);
    lanes.zeros = hn::Add(lanes.zeros, hn::VecFromMask(I(), hn::RebindMask(I(), hn::Eq(v, zero))));
}

HWY_INLINE bool clean(V poison)
{
    const F d;
    return hn::AllTrue(d, hn::Eq(poison, poison));
}

constexpr std::size_t distance = 2048; // floats that are on their way from memory while others are looked at

/// False, and nothing changed, when a value is not finite. At most 2^24 elements.
HWY_ATTR bool scanFinite(const float *x, std::size_t count, const float *ahead, RangeScan &scan)
{
    const F d;
    const I di;
    const std::size_t lanes = hn::Lanes(d);
    Lanes a = freshLanes(), b = a, c = a, e = a;
    std::size_t i = 0;
    for (; i + 4 * lanes <= count; i += 4 * lanes) {
        if (const float *later = i + distance < count ? x + i + distance : ahead != nullptr ? ahead + (i + distance - count) : nullptr)
            for (std::size_t line = 0; line < 4 * lanes; line += 16)
                hwy::Prefetch(later + line);
        take(a, hn::LoadU(d, x + i));
        take(b, hn::LoadU(d, x + i + lanes));
        take(c, hn::LoadU(d, x + i + 2 * lanes));
        take(e, hn::LoadU(d, x + i + 3 * lanes));
    }
    for (; i + lanes <= count; i += lanes)
        take(a, hn::LoadU(d, x + i));
    if (!clean(hn::Add(hn::Add(a.poison, b.poison), hn::Add(c.poison, e.poison))))
        return false;
    RangeScan found;
    const V low = hn::Min(hn::Min(a.low, b.low), hn::Min(c.low, e.low)), high = hn::Max(hn::Max(a.high, b.high), hn::Max(c.high, e.high));
    found.min = hn::GetLane(hn::MinOfLanes(d, low));
    found.max = hn::GetLane(hn::MaxOfLanes(d, high));
    found.zeros = std::uint64_t(-std::int64_t(hn::GetLane(hn::SumOfLanes(di, hn::Add(hn::Add(a.zeros, b.zeros), hn::Add(c.zeros, e.zeros))))));
    for (; i < count; ++i) {
        const float v = x[i];
        if (!(v - v == 0))
            return false;
        found.min = v < found.min ? v : found.min;
        found.max = v > found.max ? v : found.max;
        found.zeros += v == 0;
    }
    scan.add(found);
    return true;
}

template <int N>
HWY_INLINE bool scanTile(const float *x, std::size_t rows, std::size_t pitch, const float *ahead, float *mins, float *maxs, std::uint64_t &zeros)
{
    const F d;
    const std::size_t lanes = hn::Lanes(d);
    Lanes tile[N];
    for (int t = 0; t < N; ++t)
        tile[t] = freshLanes();
    for (std::size_t row = 0; row < rows; ++row) {
        if (ahead != nullptr)
            for (std::size_t line = 0; line < N * lanes; line += 16)
                hwy::Prefetch(ahead + row * pitch + line);
        for (int t = 0; t < N; ++t)
            take(tile[t], hn::LoadU(d, x + row * pitch + std::size_t(t) * lanes));
    }
    V poison = tile[0].poison;
    VI counted = tile[0].zeros;
    for (int t = 1; t < N; ++t) {
        poison = hn::Add(poison, tile[t].poison);
        counted = hn::Add(counted, tile[t].zeros);
    }
    if (!clean(poison))
        return false;
    for (int t = 0; t < N; ++t) {
        const std::size_t at = std::size_t(t) * lanes;
        hn::StoreU(hn::Min(tile[t].low, hn::LoadU(d, mins + at)), d, mins + at);
        hn::StoreU(hn::Max(tile[t].high, hn::LoadU(d, maxs + at)), d, maxs + at);
    }
    zeros += std::uint64_t(-std::int64_t(hn::GetLane(hn::SumOfLanes(I(), counted))));
    return true;
}

/// Up to four vectors wide. Returns the columns done from the left, 0 when a value there is not finite; at most 2^24 rows.
HWY_ATTR std::size_t scanTileColumns(const float *x, std::size_t rows, std::size_t pitch, std::size_t width, const float *ahead, float *mins, float *maxs,
                                     std::uint64_t &zeros)
{
    const std::size_t lanes = hn::Lanes(F());
    switch (std::min<std::size_t>(width / lanes, 4)) {
    case 4: return scanTile<4>(x, rows, pitch, ahead, mins, maxs, zeros) ? 4 * lanes : 0;
    case 3: return scanTile<3>(x, rows, pitch, ahead, mins, maxs, zeros) ? 3 * lanes : 0;
    case 2: return scanTile<2>(x, rows, pitch, ahead, mins, maxs, zeros) ? 2 * lanes : 0;
    case 1: return scanTile<1>(x, rows, pitch, ahead, mins, maxs, zeros) ? lanes : 0;
    default: return 0;
    }
}

} // namespace HWY_NAMESPACE
} // namespace core
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace core {
namespace {

HWY_EXPORT(scanFinite);
HWY_EXPORT(scanTileColumns);

constexpr std::size_t block = 16384;

} // namespace

void RangeScan::add(const RangeScan &other)
{
    min = std::min(min, other.min) + 0.0f; // no −0, whose place in the order is undecided
    max = std::max(max, other.max) + 0.0f;
    zeros += other.zeros;
    notFinite += other.notFinite;
}

void scanRange(const float *x, std::size_t count, RangeScan &scan, const float *ahead)
{
    for (std::size_t begin = 0; begin < count; begin += block) {
        const std::size_t length = std::min(block, count - begin), left = count - begin - length;
        const float *next = left == 0 ? ahead : left >= leastAhead ? x + begin + length : nullptr;
        if (HWY_DYNAMIC_DISPATCH(scanFinite)(x + begin, length, next, scan))
            continue;
        RangeScan found;
        for (std::size_t i = begin; i < begin + length; ++i) {
            if (!std::isfinite(x[i])) {
                ++found.notFinite;
                continue;
            }
            found.min = std::min(found.min, x[i]);
            found.max = std::max(found.max, x[i]);
            found.zeros += x[i] == 0;
        }
        scan.add(found);
    }
}

void scanRangeColumns(const float *x, std::size_t rows, std::size_t width, float *mins, float *maxs, RangeScan &scan, const float *ahead)
{
    for (std::size_t row = 0; row < rows; row += block) {
        const std::size_t height = std::min(block, rows - row);
        std::size_t column = 0;
        while (column < width) {
            const float *tile = x + row * width + column;
            const float *later = ahead == nullptr ? nullptr : ahead + row * width + column;
            const std::size_t done = HWY_DYNAMIC_DISPATCH(scanTileColumns)(tile, height, width, width - column, later, mins + column, maxs + column, scan.zeros);
            column += done;
            if (done > 0 || column == width)
                continue;
            for (std::size_t i = 0; i < height; ++i) { // a column that fills no vector or holds a value that is not finite
                const float v = tile[i * width];
                if (!std::isfinite(v)) {
                    ++scan.notFinite;
                    continue;
                }
                mins[column] = std::min(mins[column], v);
                maxs[column] = std::max(maxs[column], v);
                scan.zeros += v == 0;
            }
            ++column;
        }
    }
    for (std::size_t column = 0; column < width; ++column) {
        mins[column] += 0.0f;
        maxs[column] += 0.0f;
    }
}

} // namespace core
#endif

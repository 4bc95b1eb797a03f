#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/fake_quantize.cpp"
#include "hwy/foreach_target.h"

#include "core/kernels/fake_quantize.h"
#include "core/kernels/vector_codes_inl.h"

#include "hwy/highway.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <type_traits>
#include <vector>

HWY_BEFORE_NAMESPACE();
namespace core {
namespace HWY_NAMESPACE {

/// Calls body(i) for each whole vector; the rest goes through a padded copy, so that every element is computed alike.
template <class Body>
HWY_INLINE void overSpan(const float *x, float *y, std::size_t count, const Body &body)
{
    const F d;
    const std::size_t lanes = hn::Lanes(d);
    std::size_t i = 0;
    for (; i + 4 * lanes <= count; i += 4 * lanes) {
        const V a = body(hn::LoadU(d, x + i)), b = body(hn::LoadU(d, x + i + lanes));
        const V c = body(hn::LoadU(d, x + i + 2 * lanes)), e = body(hn::LoadU(d, x + i + 3 * lanes));
        hn::StoreU(a, d, y + i);
        hn::StoreU(b, d, y + i + lanes);
        hn::StoreU(c, d, y + i + 2 * lanes);
        hn::StoreU(e, d, y + i + 3 * lanes);
    }
    for (; i + lanes <= count; i += lanes)
        hn::StoreU(body(hn::LoadU(d, x + i)), d, y + i);
    if (i < count) {
        HWY_ALIGN float padded[HWY_MAX_BYTES / sizeof(float)] = {};
        std::memcpy(padded, x + i, (count - i) * sizeof(float));
        hn::Store(body(hn::Load(d, padded)), d, padded);
        std::memcpy(y + i, padded, (count - i) * sizeof(float));
    }
}

/// Multiplying by 1/scale instead of dividing, where that surely gives the same code: the product differs from the quotient by less than
/// 2^-22 of the largest code, so both round alike unless the product lies that close to a tie. `sure` is the largest safe distance from an
/// integer; 0 = divide always. Powers of two are exact, every distance is safe.
struct Reciprocal {
    float inverse = 1, sure = 0;
};

inline Reciprocal reciprocalOf(float scale, float low, float high)
{
    const float largest = std::max(std::abs(low), std::abs(high)) + 1;
    if (!(scale > 1e-30f && scale < 1e30f) || largest > 4096)
        return {};
    int exponent = 0;
    const bool exact = std::frexp(scale, &exponent) == 0.5f;
    return {1 / scale, exact ? 1.0f : 0.5f - largest * 0x1p-21f};
}

/// fakeQuantize of four vectors at a time; `first` is applied to r before.
template <class First>
HWY_INLINE void fakeQuantizeWith(const float *x, float *y, std::size_t count, float scale, float low, float high, const First &first)
{
    const F d;
    const V s = hn::Set(d, scale), lo = hn::Set(d, low), hi = hn::Set(d, high);
    const auto divided = [&](V r) HWY_ATTR { return hn::Mul(centredCode(first(r), s, lo, hi), s); };
    const Reciprocal reciprocal = reciprocalOf(scale, low, high);
    std::size_t done = 0;
    if (reciprocal.sure > 0) {
        const V inverse = hn::Set(d, reciprocal.inverse), sure = hn::Set(d, reciprocal.sure);
        const std::size_t lanes = hn::Lanes(d);
        const auto product = [&](V r) HWY_ATTR { return atMost(atLeast(hn::Mul(first(r), inverse), lo), hi); };
        const auto distance = [&](V v, V code) HWY_ATTR { return hn::Abs(hn::Sub(v, code)); };
        for (; done + 4 * lanes <= count; done += 4 * lanes) {
            const float *from = x + done;
            float *to = y + done;
            const V ra = hn::LoadU(d, from), rb = hn::LoadU(d, from + lanes), rc = hn::LoadU(d, from + 2 * lanes), re = hn::LoadU(d, from + 3 * lanes);
            const V a = product(ra), b = product(rb), c = product(rc), e = product(re);
            const V ca = roundCode(a), cb = roundCode(b), cc = roundCode(c), ce = roundCode(e);
            const V farthest = hn::Max(hn::Max(distance(a, ca), distance(b, cb)), hn::Max(distance(c, cc), distance(e, ce)));
            if (HWY_LIKELY(hn::AllFalse(d, hn::Gt(farthest, sure)))) {
                hn::StoreU(hn::Mul(ca, s), d, to);
                hn::StoreU(hn::Mul(cb, s), d, to + lanes);
                hn::StoreU(hn::Mul(cc, s), d, to + 2 * lanes);
                hn::StoreU(hn::Mul(ce, s), d, to + 3 * lanes);
            } else {
                hn::StoreU(divided(ra), d, to);
                hn::StoreU(divided(rb), d, to + lanes);
                hn::StoreU(divided(rc), d, to + 2 * lanes);
                hn::StoreU(divided(re), d, to + 3 * lanes);
            }
        }
    }
    overSpan(x + done, y + done, count - done, divided);
}

HWY_ATTR void fakeQuantizeSpan(const float *x, float *y, std::size_t count, float scale, float low, float high, PreClamp clamp)
{
    const F d;
    if (clamp.low == -std::numeric_limits<float>::infinity() && clamp.high == std::numeric_limits<float>::infinity()) {
        fakeQuantizeWith(x, y, count, scale, low, high, [](V r) HWY_ATTR { return r; });
    } else {
        const V first = hn::Set(d, clamp.low), last = hn::Set(d, clamp.high);
        fakeQuantizeWith(x, y, count, scale, low, high, [&](V r) HWY_ATTR { return clampKeepingNan(r, first, last); });
    }
}

/// Rows of `width` columns, each column with its own numbers; width is a multiple of 16.
HWY_ATTR void fakeQuantizeColumns(const float *x, float *y, std::size_t rows, std::size_t width, const float *scale, const float *low, const float *high)
{
    const F d;
    const std::size_t lanes = hn::Lanes(d);
    for (std::size_t row = 0; row < rows; ++row, x += width, y += width)
        for (std::size_t i = 0; i < width; i += lanes) {
            const V s = hn::LoadU(d, scale + i);
            hn::StoreU(hn::Mul(centredCode(hn::LoadU(d, x + i), s, hn::LoadU(d, low + i), hn::LoadU(d, high + i)), s), d, y + i);
        }
}

HWY_ATTR void clampAll(const float *x, float *y, std::size_t count, PreClamp clamp)
{
    const F d;
    const V low = hn::Set(d, clamp.low), high = hn::Set(d, clamp.high);
    overSpan(x, y, count, [&](V r) HWY_ATTR { return clampKeepingNan(r, low, high); });
}

template <class Code>
HWY_INLINE void quantizeCodes(const float *x, Code *codes, std::size_t count, float scale, float low, float high, std::int32_t zeroPoint)
{
    const F d;
    const hn::Rebind<Code, F> dc;
    const std::size_t lanes = hn::Lanes(d);
    const V s = hn::Set(d, scale), lo = hn::Set(d, low), hi = hn::Set(d, high), z = hn::Set(d, float(zeroPoint));
    const auto body = [&](V r) HWY_ATTR { return hn::DemoteTo(dc, hn::ConvertTo(I(), hn::Add(centredCode(r, s, lo, hi), z))); };
    std::size_t i = 0;
    for (; i + 2 * lanes <= count; i += 2 * lanes) {
        const auto a = body(hn::LoadU(d, x + i)), b = body(hn::LoadU(d, x + i + lanes));
        hn::StoreU(a, dc, codes + i);
        hn::StoreU(b, dc, codes + i + lanes);
    }
    for (; i < count; i += lanes) {
        const std::size_t part = std::min(lanes, count - i);
        HWY_ALIGN float padded[HWY_MAX_BYTES / sizeof(float)] = {};
        HWY_ALIGN Code result[HWY_MAX_BYTES];
        std::memcpy(padded, x + i, part * sizeof(float));
        hn::StoreU(body(hn::Load(d, padded)), dc, result);
        std::memcpy(codes + i, result, part * sizeof(Code));
    }
}

template <class Code>
HWY_INLINE void dequantizeCodes(const Code *codes, float *y, std::size_t count, float scale, std::int32_t zeroPoint)
{
    const F d;
    const I di;
    const hn::Rebind<Code, F> dc;
    const std::size_t lanes = hn::Lanes(d);
    const V s = hn::Set(d, scale);
    const auto z = hn::Set(di, zeroPoint);
    const auto body = [&](auto c) HWY_ATTR { return hn::Mul(hn::ConvertTo(d, hn::Sub(hn::PromoteTo(di, c), z)), s); };
    std::size_t i = 0;
    for (; i + 2 * lanes <= count; i += 2 * lanes) {
        const V a = body(hn::LoadU(dc, codes + i)), b = body(hn::LoadU(dc, codes + i + lanes));
        hn::StoreU(a, d, y + i);
        hn::StoreU(b, d, y + i + lanes);
    }
    for (; i < count; i += lanes) {
        const std::size_t part = std::min(lanes, count - i);
        HWY_ALIGN Code padded[HWY_MAX_BYTES] = {};
        HWY_ALIGN float result[HWY_MAX_BYTES / sizeof(float)];
        std::memcpy(padded, codes + i, part * sizeof(Code));
        hn::Store(body(hn::LoadU(dc, padded)), d, result);
        std::memcpy(y + i, result, part * sizeof(float));
    }
}

HWY_ATTR void quantizeU8(const float *x, std::uint8_t *codes, std::size_t count, float scale, float low, float high, std::int32_t zeroPoint)
{
    quantizeCodes(x, codes, count, scale, low, high, zeroPoint);
}
HWY_ATTR void quantizeI8(const float *x, std::int8_t *codes, std::size_t count, float scale, float low, float high, std::int32_t zeroPoint)
{
    quantizeCodes(x, codes, count, scale, low, high, zeroPoint);
}
HWY_ATTR void dequantizeU8(const std::uint8_t *codes, float *y, std::size_t count, float scale, std::int32_t zeroPoint)
{
    dequantizeCodes(codes, y, count, scale, zeroPoint);
}
HWY_ATTR void dequantizeI8(const std::int8_t *codes, float *y, std::size_t count, float scale, std::int32_t zeroPoint)
{
    dequantizeCodes(codes, y, count, scale, zeroPoint);
}

} // namespace HWY_NAMESPACE
} // namespace core
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace core {
namespace {

HWY_EXPORT(fakeQuantizeSpan);
HWY_EXPORT(fakeQuantizeColumns);
HWY_EXPORT(clampAll);
HWY_EXPORT(quantizeU8);
HWY_EXPORT(quantizeI8);
HWY_EXPORT(dequantizeU8);
HWY_EXPORT(dequantizeI8);

constexpr std::size_t widestLanes = 16;       // floats of the widest vectors
constexpr std::size_t widestTable = 16384;    // columns whose numbers are spread out beforehand

float lowOf(const AffineParams &params) { return float(std::int64_t(params.qmin) - params.zeroPoint); }
float highOf(const AffineParams &params) { return float(std::int64_t(params.qmax) - params.zeroPoint); }

void span(const float *x, float *y, std::size_t count, const AffineParams &params, PreClamp clamp)
{
    HWY_DYNAMIC_DISPATCH(fakeQuantizeSpan)(x, y, count, params.scale, lowOf(params), highOf(params), clamp);
}

/// One number a column, the channels' pattern repeated until it fills whole vectors.
struct ColumnTable {
    std::vector<float> scale, low, high;
    std::size_t rowsAtOnce = 1;

    ColumnTable(std::size_t channels, std::size_t inner, const AffineParams *params)
    {
        const std::size_t width = channels * inner;
        rowsAtOnce = widestLanes / std::gcd(width, widestLanes);
        for (std::size_t i = 0; i < rowsAtOnce * width; ++i) {
            const AffineParams &entry = params[i % width / inner];
            scale.push_back(entry.scale);
            low.push_back(lowOf(entry));
            high.push_back(highOf(entry));
        }
    }
};

} // namespace

void fakeQuantize(const float *x, float *y, std::size_t count, const AffineParams &params, PreClamp clamp)
{
    span(x, y, count, params, clamp);
}

void fakeQuantizeChannels(const float *x, float *y, std::size_t outer, std::size_t channels, std::size_t inner, const AffineParams *params)
{
    const std::size_t width = channels * inner;
    std::size_t done = 0;
    if (inner < widestLanes && width > 0 && width <= widestTable && outer >= 4 * widestLanes) {
        const ColumnTable table(channels, inner, params);
        const std::size_t blocks = outer / table.rowsAtOnce;
        HWY_DYNAMIC_DISPATCH(fakeQuantizeColumns)(x, y, blocks, table.rowsAtOnce * width, table.scale.data(), table.low.data(), table.high.data());
        done = blocks * table.rowsAtOnce;
    }
    for (std::size_t row = done; row < outer; ++row)
        for (std::size_t c = 0; c < channels; ++c) {
            const std::size_t at = (row * channels + c) * inner;
            span(x + at, y + at, inner, params[c], {});
        }
}

void clampSpan(const float *x, float *y, std::size_t count, PreClamp clamp)
{
    HWY_DYNAMIC_DISPATCH(clampAll)(x, y, count, clamp);
}

void quantizeSpan(const float *x, std::uint8_t *codes, std::size_t count, const AffineParams &params)
{
    HWY_DYNAMIC_DISPATCH(quantizeU8)(x, codes, count, params.scale, lowOf(params), highOf(params), params.zeroPoint);
}
void quantizeSpan(const float *x, std::int8_t *codes, std::size_t count, const AffineParams &params)
{
    HWY_DYNAMIC_DISPATCH(quantizeI8)(x, codes, count, params.scale, lowOf(params), highOf(params), params.zeroPoint);
}
void dequantizeSpan(const std::uint8_t *codes, float *y, std::size_t count, const AffineParams &params)
{
    HWY_DYNAMIC_DISPATCH(dequantizeU8)(codes, y, count, params.scale, params.zeroPoint);
}
void dequantizeSpan(const std::int8_t *codes, float *y, std::size_t count, const AffineParams &params)
{
    HWY_DYNAMIC_DISPATCH(dequantizeI8)(codes, y, count, params.scale, params.zeroPoint);
}

} // namespace core
#endif

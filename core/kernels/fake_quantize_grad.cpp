#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/fake_quantize_grad.cpp"
#include "hwy/foreach_target.h"

#include "core/kernels/fake_quantize_grad.h"
#include "core/kernels/vector_codes_inl.h"

#include "hwy/highway.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

HWY_BEFORE_NAMESPACE();
namespace core {
namespace HWY_NAMESPACE {

constexpr std::size_t mostLanes = HWY_MAX_BYTES / sizeof(float);

HWY_INLINE auto inside(V r, V above, V below)
{
    return hn::And(hn::Gt(r, above), hn::Lt(r, below));
}

HWY_ATTR void passSpan(const float *r, const float *g, float *gx, std::size_t count, GradientWindow window)
{
    const F d;
    const std::size_t lanes = hn::Lanes(d);
    const V above = hn::Set(d, window.above), below = hn::Set(d, window.below);
    std::size_t i = 0;
    for (; i + 2 * lanes <= count; i += 2 * lanes) {
        const V a = hn::LoadU(d, r + i), b = hn::LoadU(d, r + i + lanes);
        const V ga = hn::LoadU(d, g + i), gb = hn::LoadU(d, g + i + lanes);
        hn::StoreU(hn::IfThenElseZero(inside(a, above, below), ga), d, gx + i);
        hn::StoreU(hn::IfThenElseZero(inside(b, above, below), gb), d, gx + i + lanes);
    }
    for (; i < count; ++i)
        gx[i] = r[i] > window.above && r[i] < window.below ? g[i] : 0.0f;
}

struct ScaleGradient {
    V scale, low, high, first, last, above, below;

    /// Stores dL/dr and adds the terms of dL/dscale to `sum`.
    HWY_INLINE void take(const float *r, const float *g, float *gx, V &sum) const
    {
        const F d;
        const V x = hn::LoadU(d, r), gradient = hn::LoadU(d, g);
        hn::StoreU(hn::IfThenElseZero(inside(x, above, below), gradient), d, gx);
        const V v = hn::Div(clampKeepingNan(x, first, last), scale);
        const V limited = atMost(atLeast(v, low), high);
        const V term = hn::Sub(roundCode(limited), hn::IfThenElseZero(hn::Eq(v, limited), v));
        sum = hn::Add(sum, hn::Mul(gradient, term));
    }
};

HWY_ATTR double passSpanToScale(const float *r, const float *g, float *gx, std::size_t count, const AffineParams &params, PreClamp clamp,
                                GradientWindow window)
{
    constexpr std::size_t vectorsInFloat = 32; // of each accumulator, before it goes to double
    const F d;
    const std::size_t lanes = hn::Lanes(d);
    const ScaleGradient gradient{hn::Set(d, params.scale), hn::Set(d, float(std::int64_t(params.qmin) - params.zeroPoint)),
                                 hn::Set(d, float(std::int64_t(params.qmax) - params.zeroPoint)), hn::Set(d, clamp.low), hn::Set(d, clamp.high),
                                 hn::Set(d, window.above), hn::Set(d, window.below)};
    HWY_ALIGN float parts[4 * mostLanes];
    double total = 0;
    std::size_t i = 0;
    while (count - i >= lanes) {
        V a = hn::Zero(d), b = a, c = a, e = a;
        for (std::size_t k = 0; k < vectorsInFloat && count - i >= 4 * lanes; ++k, i += 4 * lanes) {
            gradient.take(r + i, g + i, gx + i, a);
            gradient.take(r + i + lanes, g + i + lanes, gx + i + lanes, b);
            gradient.take(r + i + 2 * lanes, g + i + 2 * lanes, gx + i + 2 * lanes, c);
            gradient.take(r + i + 3 * lanes, g + i + 3 * lanes, gx + i + 3 * lanes, e);
        }
        if (count - i < 4 * lanes)
            for (; count - i >= lanes; i += lanes)
                gradient.take(r + i, g + i, gx + i, a);
        hn::Store(a, d, parts);
        hn::Store(b, d, parts + lanes);
        hn::Store(c, d, parts + 2 * lanes);
        hn::Store(e, d, parts + 3 * lanes);
        for (std::size_t k = 0; k < 4 * lanes; ++k)
            total += double(parts[k]);
    }
    if (i < count) {
        HWY_ALIGN float rest[mostLanes] = {}, restGradient[mostLanes] = {}, result[mostLanes];
        std::memcpy(rest, r + i, (count - i) * sizeof(float));
        std::memcpy(restGradient, g + i, (count - i) * sizeof(float));
        V sum = hn::Zero(d);
        gradient.take(rest, restGradient, result, sum);
        std::memcpy(gx + i, result, (count - i) * sizeof(float));
        hn::Store(sum, d, parts);
        for (std::size_t k = 0; k < lanes; ++k)
            total += double(parts[k]);
    }
    return total;
}

HWY_ATTR std::size_t maskBytes(std::size_t count)
{
    const std::size_t lanes = hn::Lanes(F());
    return (count + lanes - 1) / lanes * ((lanes + 7) / 8);
}

/// Highway may touch 8 bytes of a mask, so whole groups go through a buffer.
constexpr std::size_t maskGroup = 16;

HWY_ATTR void makeMask(const float *r, std::uint8_t *mask, std::size_t count, GradientWindow window)
{
    const F d;
    const std::size_t lanes = hn::Lanes(d), bytes = (lanes + 7) / 8;
    const V above = hn::Set(d, window.above), below = hn::Set(d, window.below);
    std::uint8_t buffer[maskGroup * ((mostLanes + 7) / 8) + 8] = {};
    std::size_t i = 0;
    while (i < count) {
        std::size_t used = 0;
        for (std::size_t k = 0; k < maskGroup && count - i >= lanes; ++k, i += lanes, used += bytes)
            hn::StoreMaskBits(d, inside(hn::LoadU(d, r + i), above, below), buffer + used);
        if (used < maskGroup * bytes && i < count) {
            HWY_ALIGN float rest[mostLanes] = {};
            std::memcpy(rest, r + i, (count - i) * sizeof(float));
            hn::StoreMaskBits(d, inside(hn::Load(d, rest), above, below), buffer + used);
            used += bytes;
            i = count;
        }
        std::memcpy(mask, buffer, used);
        mask += used;
    }
}

HWY_ATTR void passMasked(const std::uint8_t *mask, const float *g, float *gx, std::size_t count)
{
    const F d;
    const std::size_t lanes = hn::Lanes(d), bytes = (lanes + 7) / 8;
    std::size_t left = maskBytes(count), i = 0;
    for (; left >= 8 && count - i >= lanes; i += lanes, mask += bytes, left -= bytes)
        hn::StoreU(hn::IfThenElseZero(hn::LoadMaskBits(d, mask), hn::LoadU(d, g + i)), d, gx + i);
    if (i == count)
        return;
    std::uint8_t buffer[16] = {};
    std::memcpy(buffer, mask, std::min<std::size_t>(left, 8));
    const std::uint8_t *at = buffer;
    for (; i < count; i += lanes, at += bytes) {
        const std::size_t part = std::min(lanes, count - i);
        HWY_ALIGN float rest[mostLanes] = {};
        std::memcpy(rest, g + i, part * sizeof(float));
        hn::Store(hn::IfThenElseZero(hn::LoadMaskBits(d, at), hn::Load(d, rest)), d, rest);
        std::memcpy(gx + i, rest, part * sizeof(float));
    }
}

} // namespace HWY_NAMESPACE
} // namespace core
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace core {
namespace {

HWY_EXPORT(passSpan);
HWY_EXPORT(passSpanToScale);
HWY_EXPORT(maskBytes);
HWY_EXPORT(makeMask);
HWY_EXPORT(passMasked);

constexpr float infinity = std::numeric_limits<float>::infinity();

// Floats in their order as integers.
std::int32_t orderOf(float value)
{
    const auto bits = std::bit_cast<std::uint32_t>(value);
    return std::int32_t(bits >> 31 ? 0x80000000u - bits : bits);
}
float floatAt(std::int32_t order)
{
    return std::bit_cast<float>(order < 0 ? 0x80000000u - std::uint32_t(order) : std::uint32_t(order));
}

/// The greatest float r with r / scale < low: quotients never fall as r rises.
float lastBelow(float low, float scale)
{
    const auto below = [=](std::int32_t order) { return floatAt(order) / scale < low; };
    std::int32_t least = orderOf(-infinity), most = orderOf(infinity);
    const float near = low * scale;
    if (std::abs(near) < 1e38f) {
        if (const std::int32_t guess = orderOf(near) - 2; below(guess))
            least = guess;
        if (const std::int32_t guess = orderOf(near) + 2; !below(guess))
            most = guess;
    }
    while (std::int64_t(most) - least > 1) {
        const auto middle = std::int32_t((std::int64_t(most) + least) / 2);
        (below(middle) ? least : most) = middle;
    }
    return floatAt(least);
}

} // namespace

GradientWindow gradientWindow(const AffineParams &params, PreClamp clamp)
{
    const float low = float(std::int64_t(params.qmin) - params.zeroPoint), high = float(std::int64_t(params.qmax) - params.zeroPoint);
    return {std::max(clamp.low, lastBelow(low, params.scale)), std::min(clamp.high, -lastBelow(-high, params.scale))};
}

void passGradient(const float *r, const float *g, float *gx, std::size_t count, GradientWindow window)
{
    HWY_DYNAMIC_DISPATCH(passSpan)(r, g, gx, count, window);
}

double passGradientToScale(const float *r, const float *g, float *gx, std::size_t count, const AffineParams &params, PreClamp clamp)
{
    return HWY_DYNAMIC_DISPATCH(passSpanToScale)(r, g, gx, count, params, clamp, gradientWindow(params, clamp));
}

std::size_t passMaskBytes(std::size_t count)
{
    return HWY_DYNAMIC_DISPATCH(maskBytes)(count);
}

void makePassMask(const float *r, std::uint8_t *mask, std::size_t count, GradientWindow window)
{
    HWY_DYNAMIC_DISPATCH(makeMask)(r, mask, count, window);
}

void passGradientByMask(const std::uint8_t *mask, const float *g, float *gx, std::size_t count)
{
    HWY_DYNAMIC_DISPATCH(passMasked)(mask, g, gx, count);
}

} // namespace core
#endif

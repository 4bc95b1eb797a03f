#include "core/stats/affine.h"

#include "core/base/error.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace core {
namespace {

constexpr double smallestScale = 0x1p-23;
constexpr std::int64_t exactCodes = std::int64_t(1) << 24;   // float32 holds every code up to here

double powerOfTwo(double scale, PowerOfTwoRounding rounding)
{
    int exponent = 0;
    const double mantissa = std::frexp(scale, &exponent);    // scale = mantissa · 2^exponent, mantissa in [0.5, 1)
    const bool down = rounding == PowerOfTwoRounding::Ceil ? mantissa == 0.5 : mantissa * mantissa < 0.5;
    return std::ldexp(1.0, down ? exponent - 1 : exponent);
}

float finishScale(double scale, const Range &range, const AffineOptions &options)
{
    if (options.scaleType == ScaleType::PowerOfTwo)
        scale = powerOfTwo(scale, options.rounding);
    const double least = options.floorScale ? smallestScale : double(std::numeric_limits<float>::min());
    const double bounded = std::max(scale, least);
    if (!(bounded <= double(std::numeric_limits<float>::max())))
        throw Error(ErrorKind::Numeric, "scale", "The range " + std::to_string(range.min) + " to " + std::to_string(range.max)
                    + " needs a scale that float32 cannot hold; check the values of this tensor.");
    return float(bounded);
}

double roundTo(double value, RoundMethod method)
{
    switch (method) {
    case RoundMethod::HalfEven: return std::nearbyint(value);
    case RoundMethod::HalfAwayFromZero: return std::round(value);
    case RoundMethod::Floor: return std::floor(value);
    }
    return value;
}

} // namespace

AffineParams affineFromRange(Range range, const AffineOptions &options)
{
    if (!std::isfinite(range.min) || !std::isfinite(range.max))
        throw Error(ErrorKind::Numeric, "scale", "The range " + std::to_string(range.min) + " to " + std::to_string(range.max)
                    + " is not finite; look for the operator that overflows.");
    AffineParams params;
    const double low = std::min(range.min, 0.0), high = std::max(range.max, 0.0);
    const double extreme = std::max(-low, high);
    if (!isIntegerDtype(options.dtype)) {
        const bool e4m3 = options.dtype == QuantDtype::Fp8E4M3;
        if (e4m3 || options.dtype == QuantDtype::Fp8E5M2) {
            params.qmax = e4m3 ? 448 : 57344;
            params.qmin = -params.qmax;
            if (extreme > 0)
                params.scale = finishScale(extreme / params.qmax, range, options);
        }
        return params;
    }
    CodeRange codes = codeRange(options.dtype, options.narrow);
    if (options.reduced && dtypeBits(options.dtype) == 8)
        codes = isSignedDtype(options.dtype) ? CodeRange{options.narrow ? -63 : -64, 63} : CodeRange{0, 127};
    params.qmin = std::int32_t(codes.min);
    params.qmax = std::int32_t(codes.max);
    const double steps = double(codes.max - codes.min);
    if (extreme > 0) {
        const double halfWidth = options.symmetric ? extreme : high / 2 - low / 2; // the whole width could overflow
        params.scale = finishScale(halfWidth / (steps / 2), range, options);
    }
    if (options.symmetric)
        params.zeroPoint = isSignedDtype(options.dtype) ? 0 : std::int32_t((codes.max + 1) / 2);
    else
        params.zeroPoint = std::int32_t(std::clamp(double(codes.min) - std::nearbyint(low / double(params.scale)), double(codes.min), double(codes.max)));
    return params;
}

Range representableRange(const AffineParams &params)
{
    return {dequantize(params.qmin, params), dequantize(params.qmax, params)};
}

std::int64_t quantize(double value, const AffineParams &params, RoundMethod method)
{
    const bool wide = std::int64_t(params.qmax) - params.qmin >= exactCodes;
    const double ratio = wide ? value / double(params.scale) : double(float(value) / params.scale);
    const double code = roundTo(ratio, method) + double(params.zeroPoint);
    if (!(code > double(params.qmin)))   // NaN included
        return params.qmin;
    return code < double(params.qmax) ? std::int64_t(code) : params.qmax;
}

} // namespace core

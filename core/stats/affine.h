// From a real range to scale and zero point (integer quantization).
//   q = clamp(round(r / scale) + zeroPoint, qmin, qmax),  r̂ = (q − zeroPoint) · scale
#pragma once

#include "core/stats/quant_dtype.h"

#include <cstdint>
#include <vector>

namespace core {

enum class ScaleType { Float, PowerOfTwo };
enum class PowerOfTwoRounding { Nearest, Ceil, Mse };
enum class RoundMethod { HalfEven, HalfAwayFromZero, Floor };

struct Range {
    double min = 0, max = 0;
    friend bool operator==(const Range &, const Range &) = default;
};

struct AffineOptions {
    QuantDtype dtype = QuantDtype::Int8;
    bool symmetric = true;
    bool narrow = false;                       ///< −127…127, scale = absmax/127; else full, absmax/127.5
    bool reduced = false;                      ///< 8-bit types use 7 bits: −64…63 (narrow −63…63), 0…127
    ScaleType scaleType = ScaleType::Float;
    PowerOfTwoRounding rounding = PowerOfTwoRounding::Ceil; ///< Mse is resolved by the observer; here it acts as Nearest
    bool floorScale = true;                    ///< scale ≥ 2^-23; false for derived bias scales
};

struct AffineParams {
    float scale = 1.0f;
    std::int32_t zeroPoint = 0;
    std::int32_t qmin = -128, qmax = 127;
    friend bool operator==(const AffineParams &, const AffineParams &) = default;
};

/// The range is widened to contain 0; a range of {0, 0} gives scale 1. Throws Error{Numeric} on NaN or infinity.
/// For fp8 the scale maps absmax to the largest finite value; for Float16/BFloat16/Float32 scale 1.
AffineParams affineFromRange(Range range, const AffineOptions &options);

/// The real numbers that the lowest and highest code stand for.
Range representableRange(const AffineParams &params);

std::int64_t quantize(double value, const AffineParams &params, RoundMethod method = RoundMethod::HalfEven);
inline double dequantize(std::int64_t code, const AffineParams &params) { return double(code - params.zeroPoint) * double(params.scale); }

} // namespace core

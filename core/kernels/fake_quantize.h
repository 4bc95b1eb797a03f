// Quantize and dequantize in one pass over memory; SIMD chosen at run time (Highway). Single-threaded: callers split the work.
//   y = (clamp(round_half_even(r / scale) + zeroPoint, qmin, qmax) − zeroPoint) · scale
// Bit for bit what ONNX QuantizeLinear followed by DequantizeLinear gives in float32 (a true division, no reciprocal). NaN gives the
// lowest code, as the quantizing cast does.
#pragma once

#include "core/stats/affine.h"

#include <cstddef>
#include <cstdint>
#include <limits>

namespace core {

/// Applied to r before quantizing: a Relu or Clip that was fused in.
struct PreClamp {
    float low = -std::numeric_limits<float>::infinity();
    float high = std::numeric_limits<float>::infinity();
};

/// y may be x. Codes must fit 24 bits (all types but int32).
void fakeQuantize(const float *x, float *y, std::size_t count, const AffineParams &params, PreClamp clamp = {});

/// The same with one entry of `params` a channel; x is [outer][channels][inner].
void fakeQuantizeChannels(const float *x, float *y, std::size_t outer, std::size_t channels, std::size_t inner, const AffineParams *params);

/// Clamp alone, in place allowed.
void clampSpan(const float *x, float *y, std::size_t count, PreClamp clamp);

/// Codes → real numbers and back, 8 bits.
void quantizeSpan(const float *x, std::uint8_t *codes, std::size_t count, const AffineParams &params);
void quantizeSpan(const float *x, std::int8_t *codes, std::size_t count, const AffineParams &params);
void dequantizeSpan(const std::uint8_t *codes, float *y, std::size_t count, const AffineParams &params);
void dequantizeSpan(const std::int8_t *codes, float *y, std::size_t count, const AffineParams &params);

} // namespace core

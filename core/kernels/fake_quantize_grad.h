// Gradients of fake quantization; SIMD chosen at run time (Highway). Single-threaded: callers split the work. With lo = qmin − zeroPoint,
// hi = qmax − zeroPoint, x = clamp(r) and v = x / scale in float32:
//   dL/dr = g where the clamp's bounds lie strictly around r and lo <= v <= hi, else 0
//   dL/dscale = Σ g · (lo if v < lo; hi if v > hi; round(v) − v otherwise)
// NaN in r: dL/dr = 0, and v counts as below lo, as in the forward pass.
#pragma once

#include "core/kernels/fake_quantize.h"

namespace core {

/// A gradient passes where above < r < below: both conditions in one, exact for every float.
struct GradientWindow {
    float above = -std::numeric_limits<float>::infinity();
    float below = std::numeric_limits<float>::infinity();
    friend bool operator==(const GradientWindow &, const GradientWindow &) = default;
};
GradientWindow gradientWindow(const AffineParams &params, PreClamp clamp);

/// gx = g inside the window, else 0. gx may be g.
void passGradient(const float *r, const float *g, float *gx, std::size_t count, GradientWindow window);

/// The same, and returns Σ g · (…). In blocks of fixed size summed in double: the same bits on the same kind of CPU.
double passGradientToScale(const float *r, const float *g, float *gx, std::size_t count, const AffineParams &params, PreClamp clamp);

/// One bit an element that says whether it lies inside the window; so r need not be kept. The layout belongs to the CPU.
std::size_t passMaskBytes(std::size_t count);
/// mask has passMaskBytes(count) bytes.
void makePassMask(const float *r, std::uint8_t *mask, std::size_t count, GradientWindow window);
void passGradientByMask(const std::uint8_t *mask, const float *g, float *gx, std::size_t count);

} // namespace core

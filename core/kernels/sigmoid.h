// 1 / (1 + e^−x), SIMD chosen at run time (Highway). Every element is computed alike wherever it stands in the span, which LibTorch's
// sigmoid does not promise. Single-threaded: callers split the work. NaN stays NaN.
#pragma once

#include <cstddef>

namespace core {

/// y may be x.
void sigmoidSpan(const float *x, float *y, std::size_t count);

} // namespace core

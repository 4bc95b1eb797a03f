// The gradient of a depthwise convolution's weights, channels last; oneDNN's takes several times as long from 5 x 5 on. SIMD chosen at run time
// (Highway). Single-threaded: callers split images and rows, and add the parts in a fixed order.
#pragma once

#include <cstdint>

namespace core {

struct DepthwiseShape {
    std::int64_t channels = 0, height = 0, width = 0, outputWidth = 0;
    std::int64_t kernelHeight = 1, kernelWidth = 1, strideHeight = 1, strideWidth = 1, dilationHeight = 1, dilationWidth = 1;
    std::int64_t top = 0, left = 0;   ///< pads before
};

/// x is one image [height, width, channels], dy its result's gradient [·, outputWidth, channels]. Adds what output rows first … last − 1 give to
/// weights [kernelHeight · kernelWidth, channels] and, unless null, to bias [channels].
void addDepthwiseGradient(const float *x, const float *dy, const DepthwiseShape &shape, std::int64_t first, std::int64_t last, float *weights, float *bias);

} // namespace core

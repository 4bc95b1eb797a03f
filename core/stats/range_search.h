// What the observers of histograms and of weights share: searching the range whose codes lose least.
#pragma once

#include "core/stats/affine.h"

#include <functional>
#include <vector>

namespace core {

/// Σ (r − r̂)² with these params. May return any larger number once it is known to exceed `bound`.
using ErrorOfParams = std::function<double(const AffineParams &params, double bound)>;

struct RangeChoice {
    Range range;
    AffineParams params;
    double error = 0;
};

/// Scale and zero point of a range; with PowerOfTwoRounding::Mse the exponent of five around it that loses least.
RangeChoice settleRange(Range range, const AffineOptions &options, const ErrorOfParams &error);

/// The range between 0.1 and 1.0 of `full` that loses least; both ends are searched when asymmetric codes have two sides to serve.
RangeChoice searchClipping(Range full, const AffineOptions &options, const ErrorOfParams &error);

/// TensorRT's method: the threshold on |r| at which the clipped distribution and its image under the codes have the least
/// Kullback-Leibler divergence. `magnitudes[i]` counts |r| in [i, i+1) · width.
Range entropyRange(const std::vector<double> &magnitudes, double width, Range full, const AffineOptions &options);

} // namespace core

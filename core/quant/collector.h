// Tensors → statistics. One pass per tensor (min, max, histogram, sums, zeros, per channel), own SIMD kernels,
// the same bits for any number of threads and any split into batches.
#pragma once

#include "core/stats/statistics.h"

#include <ATen/core/Tensor.h>

namespace core {

/// MinMax: no histogram, no sum of squares, and sums only where there are channels.
enum class StatisticsDetail { MinMax, Full };

/// Adds a batch; dimension 0 is the image. Before they are summed, values are rounded to 2^-30 of the power of two above their image's largest
/// magnitude, squares to 2^-30 of its square. Images without a finite value count in notFinite only. channelAxis −1 = no per-channel statistics.
/// Float tensors, contiguous or channels_last. Throws Error{InvalidInput} when the axis does not exist or differs from what was collected before.
void collect(TensorStatistics &statistics, const at::Tensor &batch, int channelAxis, StatisticsDetail detail);

} // namespace core

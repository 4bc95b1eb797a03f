// Tensors → statistics. One pass per tensor (min, max, histogram, sums, zeros, per channel), own SIMD kernels,
// the same bits for any number of threads and any split into batches.
#pragma once

#include "core/stats/statistics.h"

#include <ATen/core/Tensor.h>

namespace core {

enum class StatisticsDetail { MinMax, Full }; ///< MinMax: no histogram

/// Adds a batch; dimension 0 is the image. channelAxis −1 = no per-channel statistics. Float tensors, contiguous or channels_last.
void collect(TensorStatistics &statistics, const at::Tensor &batch, int channelAxis, StatisticsDetail detail);

} // namespace core

// Sums whose bits do not depend on the number of threads (at::sum's do, from 10^5 elements).
#pragma once

#include <ATen/core/Tensor.h>

namespace core {

/// Sum of a float or double tensor over `dims` (distinct, -rank…rank-1; empty = all): float lanes inside fixed
/// blocks, double across blocks. Other types go to at::sum, which is exact for integers. While autograd records, at::sum is used, since its
/// gradient is known. Keeps the memory order of x (channels_last stays channels_last).
at::Tensor deterministicSum(const at::Tensor &x, at::IntArrayRef dims, bool keepDim);
at::Tensor deterministicMean(const at::Tensor &x, at::IntArrayRef dims, bool keepDim);

} // namespace core

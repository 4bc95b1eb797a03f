// Which of a model's outputs are class scores.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

namespace core {

/// The output that accuracy and agreement are measured on: the first N×K (further dimensions of size 1 allowed) one,
/// else −1 = all outputs side by side.
int scoredOutput(const std::vector<at::Tensor> &outputs);
at::Tensor scoredTensor(const std::vector<at::Tensor> &outputs);

} // namespace core

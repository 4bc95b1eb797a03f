// The autograd functions of the fake quantizers. What backward needs is copied, so a quantizer may move on or go before backward runs.
#pragma once

#include "core/quant/fake_quantizer_pass.h"

#include <ATen/core/Tensor.h>

#include <vector>

namespace core {

/// Fake quantization whose gradient passes straight through inside the codes (STE). With one entry a bit an element is kept, else r.
at::Tensor straightThrough(const at::Tensor &r, const QuantizerPass &pass, MinMax *seen = nullptr);

/// The same with gradients for `parameter` (one element an entry): dL/dparameter = factor · dL/dscale.
at::Tensor withScaleGradient(const at::Tensor &r, const at::Tensor &parameter, const QuantizerPass &pass, const std::vector<double> &factors);

/// Rounding to float16, bfloat16 or (divided by the scale) fp8; pass.params hold the scales. The gradient passes where fp8 does not saturate.
at::Tensor castThrough(const at::Tensor &r, QuantDtype dtype, const QuantizerPass &pass, MinMax *seen = nullptr);

/// r in float32.
at::Tensor asFloat(const at::Tensor &r);

} // namespace core

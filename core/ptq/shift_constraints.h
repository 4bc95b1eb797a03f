// AMD's NPU computes with power-of-two scales by shifting, and its shifters have limits. With pos = −log2(scale):
//   Conv, ConvTranspose, Gemm   0 ≤ weight + input − output ≤ 16;   an int8 bias: min(0, cut − 16) ≤ weight + input − bias ≤ 15
//   Add, Sub                    the inputs' pos differ by 7 at most;   Add: −7 ≤ least input − output ≤ 25
//   Mul                         0 ≤ sum of the inputs − output ≤ 32
// (the limits that AMD Quark's quantizer for this target keeps).
#pragma once

#include "core/quant/quantized_model.h"

namespace core {

/// Changes weight scales until the first line holds; says so, and names what else does not hold. Biases must be fitted again
/// afterwards (fitBiases). Layers without power-of-two scales at all places are left alone.
Diagnostics fitShifts(QuantizedModel &model);

} // namespace core

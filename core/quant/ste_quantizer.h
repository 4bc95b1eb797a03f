// Straight-through quantizers (QAT): no parameters of their own, the numbers follow the tensors.
//
// Activations keep the clipping that calibration found: the range is the calibrated one, each end scaled by (average now) / (average at the start).
// The averages are those of the ranges (0 included) that a step's calls saw, joined: the plain mean over the first ten steps, which is the start
// and leaves the numbers alone, then moving with momentum 0.05. An end that is 0 in either takes the farther one. Fixed ranges never move.
// Weights do the same with the range of the tensor itself, at every call and until the end. Power-of-two scales are rounded as the scheme says,
// from the range before rounding. Biases of 32 bits keep their numbers, the product of other scales.
#pragma once

#include "core/quant/fake_quantizer.h"

namespace core {

std::unique_ptr<FakeQuantizer> makeSteQuantizer(const FakeQuantizerOptions &options);
/// DynamicQuantizeLinear: numbers from the tensor itself, every time. A tensor that holds NaN or infinity goes through unquantized.
std::unique_ptr<FakeQuantizer> makeDynamicQuantizer(const FakeQuantizerOptions &options);

} // namespace core

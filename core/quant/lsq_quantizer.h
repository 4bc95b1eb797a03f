// Learned step size quantization (Esser et al. 2020): scale = start · σ, σ is trained, one a channel or group. Zero points stay.
#pragma once

#include "core/quant/fake_quantizer.h"

namespace core {

/// A start scale that is 0 or not finite becomes 2·mean|r|/√qmax, of the initial weights or of the first tensor that comes.
std::unique_ptr<FakeQuantizer> makeLsqQuantizer(const FakeQuantizerOptions &options);

} // namespace core

// Trained quantization thresholds (Jain et al. 2020): scale = 2^⌈log2t⌉ / 2^(bits − 1), zero point 0, full codes; log2t is trained and kept
// within ten octaves of its start. Signed symmetric types, per tensor.
#pragma once

#include "core/quant/fake_quantizer.h"

namespace core {

/// Starts at the calibrated threshold; where that is 0 or not finite, at |mean| + 3·deviation of the initial weights or the first tensor.
std::unique_ptr<FakeQuantizer> makeTqtQuantizer(const FakeQuantizerOptions &options);

} // namespace core

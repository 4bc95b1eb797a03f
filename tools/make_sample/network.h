// The sample network: a small MobileNet for 28×28 grey images, 10 classes, about 17,000 parameters.
//
//   28×28   Conv 3×3, 1→16 · BN · ReLU6
//           depthwise 3×3 /2 · BN · ReLU6 · 1×1, 16→32 · BN · ReLU6
//   14×14   x + [ depthwise 3×3 · BN · ReLU6 · 1×1, 32→32 · BN ]
//           depthwise 3×3 /2 · BN · ReLU6 · 1×1, 32→64 · BN · ReLU6
//    7×7    x + [ depthwise 3×3 · BN · ReLU6 · 1×1, 64→64 · BN ]
//           1×1, 64→96 · BN · ReLU6 · GlobalAveragePool · Gemm 96→10
//
// Why it is hard to quantize. In MobileNets as deployed, the channels of a depthwise convolution differ in range by one to
// two orders of magnitude once BatchNormalization is folded (Nagel et al. 2019, "Data-Free Quantization Through Weight
// Equalization and Bias Correction", figure 2). A network this small, trained for minutes, does not grow that by itself.
// So the scale of every BatchNormalization before and behind a depthwise convolution starts at a spread, a power of `ratio`
// in −½…½ for each channel, opposite before and behind. BatchNormalization behind the depthwise convolution undoes what
// a scale before it did, so training has little reason to level them. Ranges of the folded depthwise weights then differ by
// about ratio², activations by ratio only: one scale per tensor starves the small channels, a scale per channel (or
// equalization) does not.
#pragma once

#include "core/graph/graph.h"

/// Weights by Kaiming He's rule, uniform, from `seed`; BatchNormalization and Clip as nodes of their own.
core::Model untrainedNetwork(double ratio, std::uint64_t seed);

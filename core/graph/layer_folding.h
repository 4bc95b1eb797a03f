// What stands around a Conv, ConvTranspose or Gemm moved into it: BatchNormalization (inference, in double precision), padding.
#pragma once

#include "core/graph/graph.h"

namespace core {

/// Folds where the layer's weights are constants and the normalization is the only reader of its output; the layer's
/// output then is the normalization's output value (same name). A missing bias is created as "<node>_bias".
/// Returns the number of folded nodes. Throws Error{InvalidInput} naming both nodes when their channels differ.
std::size_t foldBatchNormalization(Graph &graph);

/// Zero Pad → Conv becomes the pads of the Conv (same numbers, one tensor and one quantizer less).
std::size_t foldPadding(Graph &graph);

/// Gives each Conv, ConvTranspose and Gemm with constant weights and no bias a zero bias; returns how many.
std::size_t addMissingBiases(Graph &graph);

} // namespace core

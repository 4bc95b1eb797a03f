// What the inputs of an operator mean to a quantizer.
#pragma once

#include "core/graph/graph.h"

#include <optional>
#include <string>
#include <vector>

namespace core {

/// Weight and bias of a Conv, ConvTranspose, Gemm or MatMul.
struct WeightRole {
    std::size_t weightInput = 1;
    std::optional<std::size_t> biasInput;   ///< the node has one that is not omitted
    int channelAxis = 0;                    ///< axis of the output channels in the weight; −1 = no such axis
    std::int64_t outputChannels = -1;       ///< −1 = not known
};
/// nullopt for other operators and for products of two tensors that are not constant.
std::optional<WeightRole> weightRole(const Graph &graph, const Node &node);

/// Conv, ConvTranspose, Gemm, MatMul.
bool isMatrixOperator(const Node &node);
/// Inputs that carry data which can be quantized; shapes, indices, scales, slopes and statistics are not among them.
std::vector<std::size_t> dataInputs(const Node &node);
/// Outputs that carry data; the indices of MaxPool and the mask of Dropout do not.
std::vector<ValueId> dataOutputs(const Node &node);
/// Operators that only move values of input 0 about: output 0 (all outputs of Split) has the same scale and zero point.
/// A Pad counts when it pads with 0, a Resize when it is nearest, a Relu when `nonNegativeInput`.
bool preservesValues(const Graph &graph, const Node &node, bool nonNegativeInput);

/// The constant bounds of a Clip (or Relu: 0, none); nullopt where the bound is absent or not constant.
struct ClipBounds {
    std::optional<float> min, max;
    bool known = true;                      ///< false: a bound is computed at run time
};
ClipBounds clipBounds(const Graph &graph, const Node &node);

/// By ValueId::index: values that are certainly not negative (behind Relu, Sigmoid, Softmax, Clip from 0… and moved about).
std::vector<bool> nonNegativeValues(const Graph &graph);
/// By ValueId::index: values computed from shapes and constants only (Shape, Size, arithmetic on them).
std::vector<bool> shapeArithmetic(const Graph &graph);

} // namespace core

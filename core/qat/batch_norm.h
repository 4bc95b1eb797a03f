// BatchNormalization while a model is trained: as a node of its own (float), or folded into the layer before it (quantized).
#pragma once

#include "core/exec/op_registry.h"
#include "core/quant/fake_quantizer.h"
#include "core/spec/training.h"

#include <ATen/core/Tensor.h>

#include <memory>
#include <vector>

namespace core {

/// A Conv (or Gemm with transposed weights) and the BatchNormalization that was folded into it. Its weight and bias become functions of these tensors.
struct FoldedLayer {
    NodeId layer;
    ValueId weight, bias;                 ///< in the prepared graph
    std::string name;                     ///< of the BatchNormalization
    BatchNormMode mode = BatchNormMode::Running;
    bool frozen = false;
    double epsilon = 1e-5;
    at::Tensor rawWeight, gamma, beta;    ///< leaves
    at::Tensor rawBias;                   ///< of the layer before folding, constant; may be undefined
    at::Tensor offset;                    ///< what bias correction added
    at::Tensor mean, variance;            ///< running

    at::Tensor foldedWeight() const;
    at::Tensor foldedBias() const;
    /// y = layer(x) with folded weight and bias. While gradients are recorded, and until frozen: updates the running statistics; in Batch mode gives what BatchNormalization with the statistics of
    /// this batch would give: (y − mean(y)) · |γ| / √(var(y) + ε γ²/(σ² + ε)) + β, which is y's √ correction (Krishnamoorthi 2018, section 3.2.2).
    at::Tensor operator()(const at::Tensor &y);
    std::vector<NamedTensor> state() const;
};

/// The layers of `prepared` whose BatchNormalization stands in `source` and whose weights are the folded ones.
std::vector<std::shared_ptr<FoldedLayer>> foldedLayers(const Graph &source, const Graph &prepared, BatchNormMode mode);

/// BatchNormalization as a node of a float model: statistics of the batch while `*training`, else the running ones. Running statistics (inputs 3
/// and 4) are updated in place with momentum 0.1.
Kernel batchNormTrainingKernel(const Node &node, std::shared_ptr<const bool> training);

} // namespace core

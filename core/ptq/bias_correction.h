// Bias correction from statistics (Nagel et al. 2019, "Data-Free Quantization Through Weight Equalization and Bias
// Correction"): a rounded weight shifts the mean of its layer's output by Σ (ŵ − w) · E[x]; the bias takes that back.
#pragma once

#include "core/ptq/algorithm.h"

namespace core {

class BiasCorrection : public PtqAlgorithm {
public:
    std::string name() const override { return "bias_correction"; }
    PtqStage stage() const override { return PtqStage::AfterCalibration; }
    PtqNeeds needs(const Graph &graph, const Placement &placement) const override;
    /// Changes constant biases of Conv, ConvTranspose, Gemm and MatMul + Add in state.graph. Positions of a Conv's kernel that fall on padding
    /// count as zeros where the sizes are known.
    /// Layers without a constant bias or without channel means are left and named in a Diagnostic.
    void apply(PtqState &state, Progress &progress) override;
};

} // namespace core

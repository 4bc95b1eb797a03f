// Cross-layer equalization (Nagel et al. 2019): scales channels of one layer down and of the next up, so that both
// layers' per-channel weight ranges meet; the float network computes the same.
#pragma once

#include "core/ptq/algorithm.h"

namespace core {

struct EqualizationOptions {
    int iterations = 40;             ///< at most
    double tolerance = 1e-3;         ///< largest |s − 1| at which it has converged
    /// Clip(0, b) becomes Relu + Min with b / s per channel; false: such pairs are skipped (targets that run Conv as int8 only with
    /// a quantizer right behind its Relu).
    bool boundClips = true;
};

struct EqualizationReport {
    std::size_t pairs = 0, boundedClips = 0;
    int iterations = 0;
    double largestScale = 1;         ///< max of s and 1/s over all channels
};

/// Pairs Conv → [Relu or Clip(0, b)] → Conv, and depthwise chains Conv → dw → Conv, where the tensor between them has one reader.
/// Also through Gemm at either end when the tensors keep their channels.
EqualizationReport equalize(Graph &graph, const EqualizationOptions &options = {});

class Equalization : public PtqAlgorithm {
public:
    explicit Equalization(EqualizationOptions options = {}) : m_options(options) {}
    std::string name() const override { return "equalization"; }
    PtqStage stage() const override { return PtqStage::BeforeCalibration; }
    void apply(PtqState &state, Progress &progress) override;

private:
    EqualizationOptions m_options;
};

} // namespace core

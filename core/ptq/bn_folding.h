// BatchNormalization and padding folded into the layers around them (core/graph/layer_folding.h).
#pragma once

#include "core/graph/layer_folding.h"
#include "core/ptq/algorithm.h"

namespace core {

class BnFolding : public PtqAlgorithm {
public:
    std::string name() const override { return "bn_folding"; }
    PtqStage stage() const override { return PtqStage::BeforeCalibration; }
    void apply(PtqState &state, Progress &progress) override;
};

} // namespace core

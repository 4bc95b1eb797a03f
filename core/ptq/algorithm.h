// A PTQ algorithm states what it needs observed and how it applies; the pipeline runs them in the order of QUANTIZATION.md §7.
#pragma once

#include "core/base/progress.h"
#include "core/quant/quantized_model.h"
#include "core/stats/statistics.h"

#include <string>
#include <unordered_map>
#include <vector>

namespace core {

using StatisticsMap = std::unordered_map<ValueId, TensorStatistics>;

enum class PtqStage { BeforeCalibration, AfterCalibration };

struct PtqNeeds {
    std::vector<ValueId> channelMeans;    ///< values whose per-channel statistics must be collected
    bool samples = false;                 ///< wants tensors again (AdaRound)
};

/// What an algorithm may change.
struct PtqState {
    Graph graph;
    Placement placement;                  ///< empty before calibration
    StatisticsMap statistics;             ///< likewise
    QuantizedModel quantized;             ///< filled after the observers ran; graph there is a snapshot of `graph`
    Diagnostics diagnostics;
};

class PtqAlgorithm {
public:
    virtual ~PtqAlgorithm() = default;
    virtual std::string name() const = 0;
    virtual PtqStage stage() const = 0;
    virtual PtqNeeds needs(const Graph &graph, const Placement &placement) const { (void)graph; (void)placement; return {}; }
    virtual void apply(PtqState &state, Progress &progress) = 0;
};

} // namespace core

// Rules with evidence and a remedy: what hurts a quantized model, found from its graph, its statistics and the figures of a run. Pure: no data is read.
#pragma once

#include "core/graph/graph.h"
#include "core/report/report.h"
#include "core/spec/finding.h"
#include "core/spec/placement.h"
#include "core/stats/statistics.h"

#include <unordered_map>
#include <vector>

namespace core {

struct DoctorInput {
    const Graph &source;                    ///< folded float graph, BatchNormalization kept
    const Graph &prepared;                  ///< as it is calibrated; the ids of `source`
    const Recipe &recipe;
    const Placement &placement;             ///< of `prepared`
    const std::unordered_map<ValueId, TensorStatistics> *statistics = nullptr;  ///< nullptr before calibration
    const Report *report = nullptr;         ///< nullptr before a run: rows by tensor name, diagnostics of the numbers
};

/// Worst first. A rule whose figures are missing says nothing. A remedy can always be placed.
std::vector<Finding> diagnose(const DoctorInput &input);

/// For a recipe that place() refused: the settings that match nothing, with their removal; else the refusal itself.
std::vector<Finding> diagnoseRefusal(const Graph &graph, const Recipe &recipe, const Error &refusal);

} // namespace core

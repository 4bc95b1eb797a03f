// The order of post-training quantization: fold → equalize → place → calibrate → observe → bias correction → numbers.
// The data pass itself lies between prepare() and quantize(), so that saved statistics can take its place.
#pragma once

#include "core/ptq/algorithm.h"
#include "core/ptq/calibrator.h"

#include <memory>
#include <vector>

namespace core {

class PtqPipeline {
public:
    /// `graph`: constants folded, shapes known where possible.
    PtqPipeline(Graph graph, const Recipe &recipe);

    /// Runs what comes before calibration and places the quantizers.
    void prepare(Progress &progress);
    const PtqState &state() const { return m_state; }
    /// The prepared float graph, as it is calibrated.
    std::shared_ptr<const Graph> graph() const { return m_graph; }
    /// Staleness is judged by this graph: equal for recipes that need the same statistics.
    const Graph &keyGraph() const { return m_keyGraph; }
    /// Placed tensors and what the algorithms need.
    std::vector<CalibrationTarget> targets() const;

    /// Observers, then the algorithms after calibration. No data is needed.
    QuantizedModel quantize(StatisticsMap statistics, Progress &progress);

private:
    Recipe m_recipe;
    PtqState m_state;
    Graph m_keyGraph;
    std::shared_ptr<const Graph> m_graph;
    std::vector<std::unique_ptr<PtqAlgorithm>> m_algorithms;
};

} // namespace core

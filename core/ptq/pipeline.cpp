#include "core/ptq/pipeline.h"

#include "core/ptq/bias_correction.h"
#include "core/ptq/bn_folding.h"
#include "core/ptq/equalization.h"
#include "core/ptq/point_numbers.h"
#include "core/ptq/shift_constraints.h"
#include "core/ptq/widen_half.h"

#include <algorithm>
#include <map>

namespace core {

PtqPipeline::PtqPipeline(Graph graph, const Recipe &recipe) : m_recipe(recipe)
{
    m_state.graph = std::move(graph);
    m_algorithms.push_back(std::make_unique<BnFolding>());
    if (recipe.equalize)
        m_algorithms.push_back(std::make_unique<Equalization>(EqualizationOptions{.boundClips = !targetProfile(recipe.target).activationFusionNeedsRange}));
    if (recipe.biasCorrection)
        m_algorithms.push_back(std::make_unique<BiasCorrection>());
}

void PtqPipeline::prepare(Progress &progress)
{
    progress.beginStage("prepare");
    if (widenHalf(m_state.graph))
        m_state.diagnostics.push_back({Severity::Note, "half-widened", "", "The model is half precision; the quantized file computes in float32 between its inputs and outputs."});
    for (const auto &algorithm : m_algorithms)
        if (algorithm->stage() == PtqStage::BeforeCalibration)
            algorithm->apply(m_state, progress);
    m_keyGraph = m_state.graph;
    if (m_recipe.biasCorrection)
        addMissingBiases(m_state.graph);
    m_state.placement = place(m_state.graph, m_recipe);
    m_graph = std::make_shared<const Graph>(m_state.graph);
}

std::vector<CalibrationTarget> PtqPipeline::targets() const
{
    std::map<ValueId, int> axes;
    for (const Point &point : m_state.placement.points)
        if (point.kind == PointKind::Activation && point.scheme.quantized() && !m_graph->isConstant(point.value))
            axes.emplace(point.value, -1);
    for (const auto &algorithm : m_algorithms)
        for (ValueId value : algorithm->needs(*m_graph, m_state.placement).channelMeans)
            if (!m_graph->isConstant(value))
                axes[value] = channelAxisOf(*m_graph, value);
    std::vector<CalibrationTarget> targets;
    for (const auto &[value, axis] : axes)
        targets.push_back({value, axis});
    return targets;
}

QuantizedModel PtqPipeline::quantize(StatisticsMap statistics, Progress &progress)
{
    progress.beginStage("quantize");
    m_state.statistics = std::move(statistics);
    m_state.quantized = quantizePoints(m_graph, m_state.placement, m_state.statistics);
    if (targetProfile(m_recipe.target).shiftConstraints) {
        const Diagnostics shifts = fitShifts(m_state.quantized);
        m_state.diagnostics.insert(m_state.diagnostics.end(), shifts.begin(), shifts.end());
        m_state.quantized.diagnostics.clear();
        fitBiases(m_state.quantized);
    }
    progress.checkpoint();
    bool changed = false;
    for (const auto &algorithm : m_algorithms) {
        if (algorithm->stage() != PtqStage::AfterCalibration)
            continue;
        algorithm->apply(m_state, progress);
        changed = true;
    }
    if (changed) {
        m_state.quantized.graph = std::make_shared<const Graph>(m_state.graph);
        m_state.quantized.diagnostics.clear();
        fitBiases(m_state.quantized);
    }
    Diagnostics &all = m_state.quantized.diagnostics;
    all.insert(all.end(), m_state.diagnostics.begin(), m_state.diagnostics.end());
    all.insert(all.end(), m_state.placement.diagnostics.begin(), m_state.placement.diagnostics.end());
    return m_state.quantized;
}

} // namespace core

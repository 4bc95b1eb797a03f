// The facts of every layer, from the graph, the placement and the figures of the last run: a pure function, run in the light lane.
#pragma once

#include "core/session/session.h"
#include "widgets/graph/graph_style.h"
#include "widgets/shared/layer_facts.h"
#include "widgets/spec/spec_context.h"

#include <memory>
#include <vector>

namespace app {

/// What the views show of the present settings, without a run.
struct Layers {
    std::shared_ptr<const core::Graph> graph;          ///< as drawn
    std::shared_ptr<const core::Placement> placement;
    std::shared_ptr<const widgets::SpecContext> context; ///< for inspector and recipe
    std::shared_ptr<const widgets::LayerTable> table;
    std::vector<widgets::QuantizerMark> marks;
    core::Diagnostics diagnostics;                     ///< of the placement
    QString error;                                     ///< why there is no placement; then nothing is quantized in `table`
};

/// Where the figures come from; all may be missing.
struct FigureSources {
    std::shared_ptr<const core::Report> report, other;   ///< shown; compared with
    bool stale = false;                                  ///< `report` is of other settings
    std::shared_ptr<const core::ImageRun> image;         ///< instead of the report's SQNR
};
std::shared_ptr<const Layers> describeLayers(const core::Prepared &prepared, const core::Recipe &recipe, const FigureSources &sources);

} // namespace app

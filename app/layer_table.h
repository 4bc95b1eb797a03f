// The facts of every layer, from the graph, the placement and the figures of the last run: a pure function, run in the light lane.
#pragma once

#include "core/session/session.h"
#include "widgets/shared/layer_facts.h"

#include <memory>
#include <vector>

namespace app {

/// A quantizer as the canvas marks it on the edge from a tensor to one reader.
struct EdgeMark {
    core::ValueId value;
    core::NodeId consumer;
    int inputIndex = 0;
    QString badge, toolTip;
    bool on = true;
};

/// What the views show of the present settings, without a run.
struct Layers {
    std::shared_ptr<const core::Graph> graph;          ///< as drawn
    core::Placement placement;
    std::shared_ptr<const widgets::LayerTable> table;
    std::vector<EdgeMark> marks;
    core::Diagnostics diagnostics;                     ///< of the placement
    QString error;                                     ///< why there is no placement; then nothing is quantized in `table`
};

/// `report` may be null; `stale`: it is of other settings. `other`: a run to compare with (may be null).
std::shared_ptr<const Layers> describeLayers(const core::Prepared &prepared, const core::Recipe &recipe, const core::Report *report, bool stale,
                                             const core::Report *other);

} // namespace app

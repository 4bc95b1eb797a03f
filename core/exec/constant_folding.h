// Evaluates what does not depend on the inputs, removes Identity, Dropout and unused nodes, and turns shape
// arithmetic on known dimensions into constants. Names of graph inputs, outputs and of surviving nodes are kept.
#pragma once

#include "core/graph/graph.h"

namespace core {

struct FoldingReport {
    std::size_t nodesBefore = 0, nodesAfter = 0;
};

/// Results above `maxElements`, or above eight times that together, are not folded (ConstantOfShape bombs). Constant Ifs are replaced by the
/// branch taken. QuantizeLinear, DequantizeLinear and random operators stay. Types and shapes are annotated (inferShapes, whose errors pass through).
FoldingReport foldConstants(Graph &graph, std::int64_t maxElements = 1 << 24);

} // namespace core

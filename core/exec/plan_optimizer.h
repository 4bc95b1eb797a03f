// Rewrites the part of a graph that an Executor runs, for inference: the same results, computed faster.
#pragma once

#include "core/graph/graph.h"

namespace core {

/// Graph outputs (fetches and taps) and inputs (feeds) are kept as they are. May leave nodes of domain "quantscope"
/// (fused operators), so the result is for running only.
void optimizePlan(Graph &part);

} // namespace core

// One node computed ahead of the run, from constants alone.
#pragma once

#include "core/graph/graph.h"

#include <optional>
#include <vector>

namespace core {

/// Every input is a constant or omitted, and the operator gives the same result at every run.
bool isConstantNode(const Graph &graph, const Node &node);

/// The outputs of such a node, in the types that the graph gives them. nullopt when there is no kernel, when it fails (the run will
/// say why) or when a result would exceed `maxElements`, judged by shape before anything is computed.
std::optional<std::vector<TensorData>> evaluateNode(const Graph &graph, const Node &node, std::int64_t maxElements);

/// Replaces the node by constants for its outputs. Returns false, changing nothing, where evaluateNode gives nothing.
bool replaceByConstants(Graph &graph, NodeId id, std::int64_t maxElements);

} // namespace core

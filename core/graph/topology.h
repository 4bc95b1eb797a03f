// The order in which nodes can run.
#pragma once

#include "core/graph/graph.h"

#include <vector>

namespace core {

/// Nodes so that every producer comes before its consumers; stable: nodes keep their present order where it allows.
/// Values that a node's bodies capture count as its inputs. Throws Error{InvalidInput} naming nodes of a cycle.
std::vector<NodeId> topologicalOrder(const Graph &graph);

/// Nodes needed to compute `targets` when the values in `given` (and constants) are known already; in graph order.
std::vector<NodeId> nodesNeeded(const Graph &graph, const std::vector<ValueId> &targets, const std::vector<ValueId> &given = {});

} // namespace core

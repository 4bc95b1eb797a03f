// An If whose condition is a constant becomes the nodes of the branch taken.
#pragma once

#include "core/graph/graph.h"

namespace core {

/// False, changing nothing, when the node is no If with a constant condition. The If's output values stay. Nodes and values of the branch
/// keep their names where these are free.
bool inlineConstantIf(Graph &graph, NodeId id);

} // namespace core

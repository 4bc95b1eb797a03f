// What a node costs for one image: multiply-accumulate operations and constant parameters. Unknown shapes count as 0, a dynamic batch as 1.
#pragma once

#include "core/graph/graph.h"

namespace core {

std::int64_t multiplyAccumulates(const Graph &graph, const Node &node);
std::int64_t multiplyAccumulates(const Graph &graph);
/// Elements of the floating-point constants that the node reads.
std::int64_t parameterCount(const Graph &graph, const Node &node);

} // namespace core

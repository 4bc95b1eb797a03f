// Nodes that hand an input on unchanged.
#pragma once

#include "core/graph/graph.h"

#include <optional>

namespace core {

/// Index of the input that the node's first output equals at every run (shapes as annotated); nullopt when there is none or when
/// another output is needed. Identity, Dropout, Cast to the same type, Reshape to the same shape, Transpose in order, zero Pad…
std::optional<std::size_t> passedInput(const Graph &graph, const Node &node);

/// Removes the node; readers of its output read `input`. A graph output keeps its name: the producer of `input` then makes it. Returns
/// false, changing nothing, where that is not possible (a graph input that is a graph output).
bool bypass(Graph &graph, NodeId id, std::size_t input);

} // namespace core

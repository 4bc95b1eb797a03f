// A file of weights put into a graph, by name.
#pragma once

#include "core/graph/graph.h"
#include "core/weights/weight_file.h"

#include <string>

namespace core {

/// Replaces the graph's constants by the tensors of the same name. Names may differ in what exporters change: "/" for ".", a prefix that all of one side
/// have. Floating types are converted to the constant's. Left out: num_batches_tracked and integers that the graph has no constant for. The graph before
/// its BatchNormalization is folded is meant, and all or nothing is applied: throws Error{InvalidInput} that names `described`, the first few
/// tensors and how many, when shapes or types differ, when a weight of a layer is missing in the file, or when the file has floating tensors that the
/// graph has no place for. Returns a note that says how many were applied.
Diagnostic applyWeights(Graph &graph, const WeightFile &weights, const std::string &described);

} // namespace core

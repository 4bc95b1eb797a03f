// A model file made ready for work: constants folded, shapes inferred, input geometry known.
#pragma once

#include "core/data/dataset.h"
#include "core/graph/graph.h"
#include "core/session/session.h"

#include <memory>
#include <string>

namespace core {

/// Reads a file or builds a network, and applies the weights; what there is to say about them is among the model's diagnostics.
/// Throws Error naming the file.
Model openModel(const ModelSource &source);
/// The same, folded; shapes are annotated.
Model loadFolded(const ModelSource &source, std::size_t *nodesBefore = nullptr);
/// Of the file; of a built-in network what its constants take.
std::int64_t sourceBytes(const ModelSource &source, const Graph &graph);
void foldAndInfer(Graph &graph);

/// Size and layout of the first input if it is an image (rank 4), from its shape and the transform; all 0 otherwise.
/// Throws Error{InvalidInput} that names --size when height or width are open and the transform does not say them,
/// and when both are known and differ.
InputGeometry inputGeometry(const Graph &graph, const TransformSpec &transform);

/// The transform with the size that inputGeometry() finds.
TransformSpec effectiveTransform(const Graph &graph, const TransformSpec &transform);

/// Batch size to run with: the model's own where it is fixed, else `wish`.
int runBatchSize(const Graph &graph, int wish);

/// The data set with the recipe's transform and the model's geometry.
std::unique_ptr<Dataset> openFor(const Graph &graph, const DataSource &source, const TransformSpec &transform);

std::int64_t parameterCount(const Graph &graph);
bool isQuantizedGraph(const Graph &graph);

} // namespace core

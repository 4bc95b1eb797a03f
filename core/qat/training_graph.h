// The graph that is trained: a prepared graph with fake quantizers at its points, each a node with a kernel of its own.
#pragma once

#include "core/exec/op_registry.h"
#include "core/qat/batch_norm.h"
#include "core/quant/quantized_model.h"

#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

namespace core {

struct TrainingGraph {
    std::shared_ptr<const Graph> graph;
    std::unordered_map<NodeId, Kernel> kernels;
    /// By point; sharing sets have one object. Null where nothing is quantized, and for biases whose scale is derived.
    std::vector<std::shared_ptr<FakeQuantizer>> quantizers;
    /// Where the value of a tensor of the prepared graph is found: behind its quantizer, where it has one that every reader reads.
    std::unordered_map<ValueId, ValueId> moved;
};

/// A Relu or Clip in front of a quantizer that alone reads it becomes part of the quantizer. Weights of `layers` come from their folding.
TrainingGraph buildTrainingGraph(const QuantizedModel &start, const std::vector<std::shared_ptr<FoldedLayer>> &layers);

} // namespace core

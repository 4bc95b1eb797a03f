// A model while it is trained: parameters, fake quantizers and BatchNormalization around a graph that the executor runs with gradients, and the
// way back to a plain value that is evaluated and exported.
#pragma once

#include "core/qat/optimizer.h"
#include "core/quant/quantized_model.h"
#include "core/spec/training.h"
#include "core/stats/statistics.h"

#include <ATen/core/Tensor.h>

#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace core {

class TrainingModel {
public:
    /// `start`: calibrated, with numbers. `source`: the graph it was prepared from, same ids, where BatchNormalization still stands; a layer whose
    /// folded weights are no longer those of `source` (equalized) is trained with its BatchNormalization fixed. Biases whose scale is derived
    /// (s_input · s_weight) are not quantized while training: half a step of theirs is less than 2^-8 of a step of the layer's output.
    TrainingModel(const QuantizedModel &start, const Graph &source, const TrainingSpec &spec);
    /// The float model: BatchNormalization nodes are trained as spec.batchNorm says.
    TrainingModel(std::shared_ptr<const Graph> graph, const TrainingSpec &spec);
    ~TrainingModel();

    struct Result {
        std::vector<at::Tensor> outputs, features;   ///< features: spec.loss.tensors
    };
    /// Training forward pass; records gradients where GradMode is on.
    Result operator()(std::span<const at::Tensor> inputs);

    ParameterGroups parameters() const;
    /// After every step of the optimiser.
    void afterStep();
    void freezeAverages();
    void freezeBatchNorm();

    /// Everything a checkpoint must hold; the live tensors themselves, names unique.
    std::vector<NamedTensor> state() const;
    /// The same values written back. Throws Error{InvalidInput} when names or sizes differ.
    void restore(const std::vector<NamedTensor> &state);

    /// As it stands now. The float model has an empty placement. Numbers of derived biases are those of `start`: fit them (core/ptq/point_numbers.h).
    QuantizedModel freeze() const;

    /// Of the quantizers around a node, by tensor name.
    std::vector<std::pair<std::string, double>> thresholds(const std::string &node) const;
    /// The weights that a node reads, as they are now (before quantization).
    std::vector<std::pair<std::string, at::Tensor>> weights(const std::string &node) const;
    /// First tensor of a forward pass that holds NaN or infinity, as "tensor 't' of node 'n'"; "" = none.
    std::string firstNotFinite(std::span<const at::Tensor> inputs) const;
    const Diagnostics &diagnostics() const;

private:
    struct Impl;
    std::unique_ptr<Impl> m_impl;
};

/// Constants that training changes: weights and biases of layers, BatchNormalization and other normalizations, slopes; not bounds, shapes, scales.
std::vector<ValueId> trainableConstants(const Graph &graph);

} // namespace core

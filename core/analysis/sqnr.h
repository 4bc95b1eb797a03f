// Error per layer: signal-to-quantization-noise ratio, 10·log10(Σ r² / Σ (r − r̂)²), in dB.
#pragma once

#include "core/exec/executor.h"
#include "core/quant/quantized_model.h"

#include <ATen/core/Tensor.h>

#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace core {

/// Running sums in double, in the order in which they are added.
struct SqnrSum {
    double signal = 0, noise = 0;
    void add(std::span<const float> exact, std::span<const float> other);
    /// 200 where nothing differs; −200 for noise on a signal of 0; within ±200 otherwise.
    double decibels() const;
};

/// Of a weight or bias point: what its codes stand for against `exact`, a graph with the same ids (for biases the model's own, else the
/// correction counts as an error). nullopt for a point that is not constant or not quantized.
std::optional<double> constantSqnr(const QuantizedModel &model, PointId point, const Graph &exact);

/// Of activations: the tensor of the float graph against what the readers get in the quantized graph, so that the error
/// of all layers before is in it. Two runs for each batch, tensors of one batch in memory.
class ActivationSqnr {
public:
    /// `quantized` and `dequantized` as buildQdqGraph() gives them; `floating` has the ids of model.graph.
    ActivationSqnr(std::shared_ptr<const Graph> floating, const QuantizedModel &model, std::shared_ptr<const Graph> quantized,
                   const std::vector<ValueId> &dequantized);
    /// Returns what the quantized model gives.
    std::vector<at::Tensor> add(std::span<const at::Tensor> inputs);
    /// Forgets what was added.
    void reset();
    /// By point; nullopt for points that were not observed.
    std::vector<std::optional<double>> decibels() const;

private:
    struct Tapped { ValueId exact, other; std::size_t point; };
    std::vector<Tapped> m_tapped;
    std::vector<SqnrSum> m_sums;           ///< by point
    std::vector<bool> m_seen;
    Executor m_floating, m_quantized;
};

} // namespace core

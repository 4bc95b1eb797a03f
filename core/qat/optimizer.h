// LibTorch's optimisers over three groups of parameters, with a state that can be saved and restored.
#pragma once

#include "core/quant/fake_quantizer.h"
#include "core/spec/training.h"

#include <ATen/core/Tensor.h>

#include <memory>
#include <vector>

namespace core {

/// Leaves that require a gradient. Names are unique over all three.
struct ParameterGroups {
    std::vector<NamedTensor> weights;     ///< with weight decay
    std::vector<NamedTensor> plain;       ///< biases, BatchNormalization
    std::vector<NamedTensor> quantizers;  ///< with a learning rate of their own, never decayed
    std::vector<at::Tensor> all() const;
};

class Optimizer {
public:
    Optimizer(const TrainingSpec &spec, const ParameterGroups &groups);
    ~Optimizer();

    /// `factor` multiplies both learning rates of the spec.
    void setRateFactor(double factor);
    void zeroGradients();
    /// Parameters without a gradient stay.
    void step();
    std::int64_t steps() const { return m_steps; }

    /// Copies of everything that step() depends on besides parameters and gradients.
    std::vector<NamedTensor> state() const;
    /// Throws Error{InvalidInput}, and changes nothing, when names or sizes are not those of this optimiser's parameters.
    void restore(const std::vector<NamedTensor> &state, std::int64_t steps);

private:
    struct Impl;
    std::unique_ptr<Impl> m_impl;
    std::int64_t m_steps = 0;
};

/// Norm over all gradients; with `largest` > 0 they are scaled down so that it does not exceed it.
double clipGradients(const std::vector<at::Tensor> &parameters, double largest);

} // namespace core

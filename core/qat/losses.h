// What training makes small: cross-entropy against labels, distance from the float model, or both.
#pragma once

#include "core/spec/training.h"

#include <ATen/core/Tensor.h>

#include <span>
#include <vector>

namespace core {

/// What a model gave for one batch.
struct ModelOutputs {
    std::span<const at::Tensor> outputs;   ///< of the model, N×…
    std::span<const at::Tensor> features;  ///< the tensors that LossSpec names
};

/// KL divergence of softmax(student / T) from softmax(teacher / T), mean over the rows, times T² (Hinton et al. 2015). N×K.
at::Tensor distillationLoss(const at::Tensor &student, const at::Tensor &teacher, double temperature);
/// Mean squared difference over the teacher's variance.
at::Tensor relativeError(const at::Tensor &student, const at::Tensor &teacher);

/// `scored`: index of the output that holds class scores, −1 = none. `teacher` may be empty where nothing is distilled; labels where no
/// cross-entropy is taken. Throws Error{InvalidInput} that says what is missing, or which label the outputs have no class for.
at::Tensor trainingLoss(const LossSpec &spec, const ModelOutputs &student, const ModelOutputs &teacher, std::span<const std::int64_t> labels, int scored);

} // namespace core

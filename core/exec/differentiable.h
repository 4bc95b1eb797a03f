// What kernels do while gradients are recorded: paths for gradients where the kernels of inference would cut them, and where LibTorch's own
// derivative is slow, or NaN at points that networks do reach.
#pragma once

#include "core/exec/op_registry.h"

#include <ATen/core/Tensor.h>

#include <initializer_list>
#include <span>

namespace core {

/// Autograd records and one of these requires grad (undefined tensors do not).
bool recording(std::initializer_list<at::Tensor> tensors);
bool recording(std::span<const at::Tensor> tensors);

/// x between the bounds; the gradient is 0 on and beyond them. Keeps the result, not x.
at::Tensor recordedClamp(const at::Tensor &x, double low, double high);
/// √x whose gradient at 0 is 0, not infinite. x ≥ 0.
at::Tensor recordedRoot(const at::Tensor &x);
/// `values`, with the gradient of x (casts to a coarser grid).
at::Tensor straightThrough(const at::Tensor &x, const at::Tensor &values);

/// Throws Error{Unsupported} when a gradient would have to pass through input i of the call: "no gradient passes through its <what>".
void refuseGradient(const OpCall &call, std::size_t i, const std::string &what, const std::string &label);

/// An input requires grad and no float output does: throws Error{Unsupported} naming the node, so that no network trains with a part cut off unseen.
void checkGradientPasses(const OpCall &call, const std::string &label);

/// False for operators that have no derivative by nature: whole numbers, truth values, places, steps, and bodies that check for themselves.
bool hasGradient(const std::string &opType);
/// False for inputs that are no parameters but steer the operator: bounds of Clip, scales of Resize, ratio of Dropout…
bool isTrainableInput(const Node &node, std::size_t i);

} // namespace core

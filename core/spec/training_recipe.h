// The recipe that a training method implies.
#pragma once

#include "core/base/error.h"
#include "core/spec/recipe.h"
#include "core/spec/training.h"

namespace core {

/// Sets, where the user said nothing, the global `qat` of activations and weights that are integers; TQT also makes them signed, symmetric and
/// per tensor with power-of-two scales and full range. Float and Qat change nothing. `changes` gets a note for what a preset had chosen otherwise.
Recipe trainingRecipe(const Recipe &recipe, TrainMethod method, Diagnostics *changes = nullptr);

} // namespace core

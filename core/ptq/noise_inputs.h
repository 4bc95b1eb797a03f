// Repeatable inputs for checks that need no data.
#pragma once

#include "core/graph/graph.h"

#include <ATen/core/Tensor.h>

#include <optional>
#include <vector>

namespace core {

/// Uniform noise in [−1, 1) for every input, the same on each call; an open first dimension becomes 1. nullopt when another size is not
/// known, or an input is not float, or there would be more than 2^28 elements.
std::optional<std::vector<at::Tensor>> noiseInputs(const Graph &graph);

} // namespace core

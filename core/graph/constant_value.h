// The tensor that a Constant node makes.
#pragma once

#include "core/graph/graph.h"

namespace core {

/// Whatever attribute holds it (value, value_ints, value_float …); nullopt for sparse ones.
std::optional<TensorData> constantNodeValue(const Node &node);

} // namespace core

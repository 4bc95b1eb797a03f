// What QDQ ONNX or a target cannot say is refused when it is placed, with the reason.
#pragma once

#include "core/graph/graph.h"
#include "core/spec/placement.h"
#include "core/spec/resolver.h"

namespace core {

/// Throws Error{InvalidInput} naming node, field and origin. `role` Input / Output: activations.
void checkScheme(const ResolvedScheme &resolved, TensorRole role, const Node &node, const TensorData *weight, const TargetProfile &target);

} // namespace core

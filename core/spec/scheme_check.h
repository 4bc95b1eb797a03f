// What QDQ ONNX or a target cannot say is refused when it is placed, with the reason.
#pragma once

#include "core/graph/graph.h"
#include "core/spec/placement.h"
#include "core/spec/resolver.h"

#include <optional>
#include <string>

namespace core {

struct SchemeRefusal {
    const char *field;                   ///< its JSON name
    std::string value, why;
};

/// nullopt = can be said. `role` Input / Output: activations. `weight` may be null when it is not known.
std::optional<SchemeRefusal> schemeRefusal(const Scheme &scheme, TensorRole role, const TensorData *weight, const TargetProfile &target);

/// The same as an exception: throws Error{InvalidInput} naming node, field and origin.
void checkScheme(const ResolvedScheme &resolved, TensorRole role, const Node &node, const TensorData *weight, const TargetProfile &target);

} // namespace core

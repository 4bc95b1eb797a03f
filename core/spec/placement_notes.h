// What the user should know of a finished placement: where the target will compute in float.
#pragma once

#include "core/graph/graph.h"
#include "core/spec/fusion.h"
#include "core/spec/placement.h"
#include "core/spec/resolver.h"
#include "core/spec/target_profile.h"

namespace core {

/// Appends to placement.diagnostics: "float-fallback", and "setting-without-effect" for output_tensors inside a fused group.
void addPlacementNotes(const Graph &graph, const TargetProfile &target, const Resolver &resolver, const Fusions &fusions, Placement &placement);

} // namespace core

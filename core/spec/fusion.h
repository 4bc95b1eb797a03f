// Which nodes a target runs as one, and therefore which tensors between them get no quantizer.
#pragma once

#include "core/graph/graph.h"
#include "core/spec/resolver.h"
#include "core/spec/target_profile.h"

#include <string>
#include <vector>

namespace core {

struct Fusions {
    std::vector<std::vector<NodeId>> groups;  ///< in order, two nodes or more
    std::vector<int> groupOf;                 ///< by NodeId::index; −1 = on its own
    std::vector<std::string> innerReason;     ///< by ValueId::index; not empty = no quantizer here, and why
    std::vector<std::string> unfusedReason;   ///< by ValueId::index; why a Conv and its activation were not fused
};

Fusions findFusions(const Graph &graph, const Resolver &resolver, const TargetProfile &target,
                    const std::vector<std::string> &splitConcats);

} // namespace core

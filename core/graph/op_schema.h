// The operators this program knows: their arity, and in which operator set their form changed.
#pragma once

#include "core/graph/graph.h"

#include <string_view>
#include <vector>

namespace core {

struct OpSchema {
    std::string_view type;
    int minInputs = 1, maxInputs = 1;    ///< of the newest form; maxInputs −1 = any number
    int minOutputs = 1, maxOutputs = 1;
    std::vector<int> versions;           ///< operator sets that introduced or changed it, rising: {1, 6, 11, 13}
    int removed = 0;                     ///< operator set that took it away again (Upsample, Scatter); 0 = none
    /// Version in force at `opset`; 0 when the operator does not exist there yet, or no more.
    int versionAt(int opset) const;
};

/// Operators of domain "" only; nullptr for an unknown one.
const OpSchema *findSchema(std::string_view opType);

/// Wrong number of inputs or outputs; one Diagnostic for each node. Unknown operators are not judged.
Diagnostics checkArity(const Graph &graph);

} // namespace core

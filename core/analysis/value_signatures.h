// Which tensors of two graphs are the same computation on the same constants.
#pragma once

#include "core/graph/graph.h"

#include <cstdint>
#include <vector>

namespace core {

/// By ValueId::index. Equal: made by the same operators with the same attributes from the same inputs (by their position) and constants (by
/// their bytes), whatever the names. What random operators and nodes with bodies make is equal to nothing. 0 = no such value.
std::vector<std::uint64_t> valueSignatures(const Graph &graph);

} // namespace core

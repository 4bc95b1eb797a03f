// A limited number of samples, spread evenly.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace core {

/// Ascending indices into `labels`, at most `limit` (0 = all): every class gives equally many as far as it has them, evenly spaced within the class.
std::vector<std::size_t> spreadEvenly(std::span<const std::int64_t> labels, std::size_t limit);

} // namespace core

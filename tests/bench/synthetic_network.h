// EfficientNet-Lite0 in its shape, with weights made up: so that the benchmark needs no file.
#pragma once

#include "core/graph/graph.h"

namespace bench {

/// Input "image" N×3×size×size, output "logits" N×1000. The same bits every time.
core::Graph syntheticNetwork(std::int64_t size);

} // namespace bench

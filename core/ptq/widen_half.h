// float16 and bfloat16 models in float32 between a Cast at each input and output: QuantizeLinear before opset 23 wants its scale in the
// tensor's own type, and biases' scales do not fit into 16 bits.
#pragma once

#include "core/graph/graph.h"

namespace core {

/// Types and values of half precision become float32; names, also of inputs and outputs, and the types of inputs and outputs stay.
/// Returns how many tensors were widened. Throws Error{Unsupported} naming a node with bodies (If, Loop) in such a model.
std::size_t widenHalf(Graph &graph);

} // namespace core

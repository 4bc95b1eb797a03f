// Types and shapes of all values from those of the inputs, without running anything and without libonnx.
#pragma once

#include "core/graph/graph.h"

#include <map>
#include <vector>

namespace core {

/// What is known of a small integer tensor (shape arithmetic): each element a number or not known.
struct PartialInts {
    std::vector<Dimension> elements;     ///< size −1 = not known; a symbol is carried along
    bool scalar = false;                 ///< rank 0, else rank 1
    bool known() const;
};

struct ShapeFacts {
    std::map<ValueId, PartialInts> integers;  ///< of Shape, Gather, Slice, Concat, Cast, arithmetic… on them
};

/// Annotates Value::type and Value::shape in place, nodes in graph order (which must be topological). Operators that are not known give
/// unknown shapes; a shape that was given in the file is kept where inference says less. Equal symbols stay equal ("N"
/// through the network). Bodies of If, Loop and Scan are not entered. Throws Error{InvalidInput} naming the node and both shapes
/// where they cannot fit (Conv channels, MatMul, broadcasting).
ShapeFacts inferShapes(Graph &graph);

} // namespace core

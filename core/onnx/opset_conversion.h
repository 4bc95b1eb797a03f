// Older operator forms ⇄ the newest, on the Graph: the reader lifts, the writer lowers. Nothing else knows about opsets.
#pragma once

#include "core/graph/graph.h"

namespace core {

/// Rewrites nodes (bodies too) from their form in `opset` to that of newestOpset: axes attribute → input, Softmax before 13 on a flattened
/// tensor, Clip min / max, Split, Reduce*, Pad, Resize / Upsample, Dropout, BatchNormalization outputs, Scatter → ScatterElements, and so on.
/// A node that cannot be lifted stays as it is and is named in `diagnostics`.
void liftToNewest(Graph &graph, int opset, Diagnostics &diagnostics);

/// The other way. Throws Error{Unsupported} that lists every node that cannot be expressed in `opset`, and why.
void lowerTo(Graph &graph, int opset);

/// Lowest operator set in which lowerTo() succeeds, at least `atLeast`.
int lowestOpset(const Graph &graph, int atLeast);

} // namespace core

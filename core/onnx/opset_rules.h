// The rules of liftToNewest() and lowerTo(), grouped by what changed. Private to core/onnx.
#pragma once

#include "core/onnx/opset_rewriter.h"

namespace core {

using OpsetRules = std::unordered_map<std::string_view, OpsetRewriter::Rule>;

void addLiftInputRules(OpsetRules &rules);       ///< attributes that became inputs
void addLiftResizeRules(OpsetRules &rules);      ///< Resize, Upsample
void addLiftFormRules(OpsetRules &rules);        ///< everything else

void addLowerInputRules(OpsetRules &rules);
void addLowerResizeRules(OpsetRules &rules);
void addLowerFormRules(OpsetRules &rules);
/// What no rule changes: the operator must exist at the opset, and know the node's attributes and element types.
/// Attributes that only say the default are dropped.
void checkLowered(OpsetRewriter &rewriter, NodeId id);

/// Axes as the older form wants them: not negative before 11 where the rank is known.
Ints olderAxes(const OpsetRewriter &rewriter, Ints axes, std::optional<std::int64_t> rank);
/// Input `index` must be a constant and becomes an attribute; complains and gives nullopt where it is none.
std::optional<Ints> constantInts(OpsetRewriter &rewriter, NodeId id, std::size_t index, const char *what);

} // namespace core

// One line that selects nodes, for the layer table's filter and for "select by rule". It is core/spec/rule_query.h with what only the window knows:
//
//   sqnr<20  weight_sqnr<30  clipped>1%  sensitivity>0.5  difference<30  image_error<20  macs>10M  bytes>1k     figures of the last run
//   dtype:i8*  badge of the type          overridden:true  excluded:true  stale:true  worst:true (worst tenth by activation SQNR)
//   word       the name contains it, in any letter case
//
// "|" separates alternatives, words of one alternative must all hold, "!" or "-" in front of a word turns it round. A figure that is not known
// matches nothing.
#pragma once

#include "core/graph/graph.h"
#include "widgets/shared/layer_facts.h"

#include <vector>

namespace widgets {

struct NodeQueryResult {
    std::vector<core::NodeId> nodes;     ///< in the table's order
    QString error;                       ///< a sentence, empty when the text could be understood
};

/// An empty text matches everything. `graph` may be null: then terms about the graph are an error.
NodeQueryResult selectNodes(const core::Graph *graph, const LayerTable &facts, const QString &text);

/// What can be written, for tooltips: keys of the graph and of the figures.
QString nodeQueryHelp();

} // namespace widgets

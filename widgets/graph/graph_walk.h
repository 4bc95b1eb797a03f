// Ways through a drawing: along its tensors, to its neighbours, by name. Pure functions.
#pragma once

#include "widgets/graph/drawn_graph.h"

#include <set>
#include <vector>

namespace widgets {

enum class Step { ToProducer, ToConsumer, ToLeft, ToRight };

/// The box one step away: of several producers or consumers the one straightest above or below; left and right within the rank.
/// −1 where there is none; inputs and outputs of the graph are not stepped on.
int stepFrom(const DrawnGraph &drawing, int box, Step step);

/// The nodes with their direct producers / consumers; `whole` = with everything up- / downstream.
std::set<core::NodeId> grown(const DrawnGraph &drawing, const std::set<core::NodeId> &nodes, bool upstream, bool whole);
/// All drawn nodes but these.
std::set<core::NodeId> inverted(const DrawnGraph &drawing, const std::set<core::NodeId> &nodes);
/// Nodes whose name or operator contains the text, whatever its case; in the order of the graph.
std::vector<core::NodeId> findNodes(const DrawnGraph &drawing, const QString &text);

} // namespace widgets

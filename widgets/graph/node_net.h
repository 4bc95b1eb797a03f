// Which nodes of a graph are drawn, and what feeds what among them.
#pragma once

#include "core/graph/graph.h"

#include <vector>

namespace widgets {

/// Nodes computed from constants only are not drawn, nor are QuantizeLinear / DequantizeLinear pairs: their tensor counts as the one
/// before QuantizeLinear, their scales are badges on its line.
struct NodeNet {
    struct Use {
        int node = -1;          ///< index into nodes; −1 = the graph's output
        int inputIndex = -1;    ///< −1 = output of the graph, or taken by the node's body
        core::NodeId through;   ///< the DequantizeLinear between, if there is one
    };
    struct Tensor {
        core::ValueId value;
        int source = -1;        ///< index into nodes; −1 = input of the graph
        std::vector<Use> uses;
    };
    std::vector<core::NodeId> nodes;   ///< in graph order
    std::vector<int> indexOf;          ///< by NodeId::index; −1 = not drawn
    std::vector<Tensor> tensors;       ///< with at least one use, or an input of the graph
    std::vector<std::vector<int>> next, previous; ///< each neighbour once
    std::vector<bool> leaves, enters;  ///< a tensor of the node is an output, an input of the graph is one of its operands
};

NodeNet nodeNetOf(const core::Graph &graph);

} // namespace widgets

// Blocks of a network, found from its structure: what lies between a tensor and the Add or Concat that joins its branches again
// (one way in, one way out), inverted bottlenecks without a shortcut, and a convolution with what follows it.
#pragma once

#include "widgets/graph/node_net.h"

#include <vector>

namespace widgets {

enum class BlockKind { Residual, InvertedResidual, SplitConcat, Shuffle, Branches, Separable, InvertedBottleneck, Layer };

struct GraphBlock {
    BlockKind kind = BlockKind::Layer;
    std::vector<int> nodes;   ///< indices into NodeNet::nodes, ascending; two or more
};

/// Disjoint, in order of their first node.
std::vector<GraphBlock> findBlocks(const core::Graph &graph, const NodeNet &net);

} // namespace widgets

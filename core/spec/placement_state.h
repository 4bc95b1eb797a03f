// What the parts of a placement in the making share.
#pragma once

#include "core/spec/placement.h"
#include "core/spec/resolver.h"

#include <map>
#include <set>
#include <string>
#include <utility>

namespace core {

using Edge = std::pair<NodeId, std::size_t>;   ///< a node and the index of one of its inputs

struct PlacementState {
    const Graph &graph;
    const Config &config;
    const TargetProfile &target;
    const Resolver &resolver;
    std::vector<std::vector<Graph::Use>> uses; ///< by ValueId::index
    std::set<Edge> disabled{};                 ///< edges that are switched off
    std::map<Edge, PointId> pointOfEdge{};     ///< the quantizer an edge reads
    std::set<ValueId> absentValues{};
    Placement placement{};

    const ResolvedScheme &role(NodeId id, TensorRole r) const { return resolver.node(id).role(r); }
    bool excluded(NodeId id) const { return resolver.node(id).excluded; }
    std::string label(NodeId id) const { return graph.node(id).opType + " '" + graph.node(id).name + "'"; }
    void absent(ValueId id, std::string reason);   ///< the first reason stays
    PointId addPoint(Point point);
};

/// Why the node's bias cannot be an integer, whatever its input; empty when it can.
std::string biasObstacle(const PlacementState &state, const Node &node, const WeightRole &weight);

/// Weights, constant operands and biases, after the activations; and why other constants stay float.
void placeConstants(PlacementState &state);

} // namespace core

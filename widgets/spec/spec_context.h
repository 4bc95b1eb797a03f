// Graph, recipe and placement with what the inspector looks up in them, prepared once for each change of the recipe.
#pragma once

#include "core/graph/graph.h"
#include "core/spec/placement.h"
#include "core/spec/recipe.h"
#include "core/spec/resolver.h"
#include "core/spec/target_profile.h"
#include "widgets/spec/spec_change.h"

#include <QString>

#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace widgets {

/// Never throws for a recipe that does not fit the graph: rules, names and patterns that match nothing count as absent, and an unknown preset or
/// target as none. `graph` may be null (no model): then only the global scope has something to show.
class SpecContext {
public:
    SpecContext(std::shared_ptr<const core::Graph> graph, core::Recipe recipe, std::shared_ptr<const core::Placement> placement = {});

    const core::Graph &graph() const { return *m_graph; }
    const core::Recipe &recipe() const { return m_recipe; }
    const core::TargetProfile &target() const { return m_target; }
    const core::Config &effective() const { return m_effective; }     ///< with preset and target below the user's own
    const core::GlobalOrigins &globalOrigins() const { return m_globalOrigins; }
    const core::Resolver &resolver() const { return *m_resolver; }    ///< everything; what placement goes by
    /// As if only this scope and what it inherits from existed. Rules: those up to this one.
    std::shared_ptr<const core::Resolver> resolverFor(const SpecScope &scope) const;

    /// Nodes whose settings the scope touches, in graph order.
    std::vector<core::NodeId> nodesOf(const SpecScope &scope) const;
    bool hasRole(core::NodeId node, core::TensorRole role) const;
    const core::TensorData *weightOf(core::NodeId node) const;        ///< null when it has none

    const core::Placement *placement() const { return m_placement.get(); }
    const core::Point *pointOfEdge(core::NodeId node, std::size_t input) const;
    /// The quantizer that the producer puts behind a tensor, or that of an initializer; null = none.
    const core::Point *pointOfValue(core::ValueId value) const;
    /// Why there is none; empty when there is one or nothing is known.
    std::string absenceOf(core::ValueId value) const;
    const std::vector<core::Graph::Use> &usesOf(core::ValueId value) const { return m_uses.at(std::size_t(value.index)); }
    core::NodeId producerOf(core::ValueId value) const { return m_producers.at(std::size_t(value.index)); }
    /// The nodes that run as one with this one, in order; empty when it stands alone.
    std::vector<core::NodeId> groupOf(core::NodeId node) const;

private:
    std::shared_ptr<const core::Graph> m_graph;
    core::Recipe m_recipe;
    std::shared_ptr<const core::Placement> m_placement;
    core::TargetProfile m_target;
    core::Config m_effective;
    core::GlobalOrigins m_globalOrigins;
    std::vector<std::vector<core::NodeId>> m_ruleMatches;             ///< index = place in the recipe
    std::vector<bool> m_liveRules;
    std::shared_ptr<const core::Resolver> m_resolver;
    std::vector<unsigned> m_roles;                                    ///< by NodeId::index, bit = TensorRole
    std::map<core::NodeId, const core::TensorData *> m_weights;
    std::vector<std::vector<core::Graph::Use>> m_uses;
    std::vector<core::NodeId> m_producers;
    std::map<std::pair<core::NodeId, std::size_t>, std::size_t> m_pointOfEdge;
    std::map<core::ValueId, std::size_t> m_pointOfValue, m_absences;
};

/// What a query selects, or the sentence of what is wrong with it.
struct QueryResult {
    std::vector<core::NodeId> nodes;
    QString error;                                                    ///< also when it matches nothing
};
QueryResult runQuery(const std::string &query, const core::Graph &graph);

} // namespace widgets

#include "widgets/spec/spec_context.h"

#include "core/spec/operator_roles.h"
#include "core/spec/rule_query.h"

#include <QCoreApplication>

#include <algorithm>

namespace widgets {

using core::Config;
using core::Graph;
using core::NodeId;
using core::TensorRole;

namespace {

constexpr unsigned bit(TensorRole role) { return 1u << unsigned(role); }

/// Without what matches nothing: the resolver refuses that, but a view has to show the rest.
Config withoutDead(Config config, const Graph &graph, const std::vector<bool> &liveRules)
{
    std::set<std::string> types;
    for (const NodeId id : graph.order())
        types.insert(graph.node(id).opType);
    std::erase_if(config.byOpType, [&](const auto &entry) { return !types.contains(entry.first); });
    std::erase_if(config.byNode, [&](const auto &entry) { return !graph.findNode(entry.first).valid(); });
    std::erase_if(config.exclude, [&](const std::string &pattern) {
        return std::none_of(graph.order().begin(), graph.order().end(), [&](NodeId id) { return core::globMatches(pattern, graph.node(id).name); });
    });
    std::vector<core::Rule> rules;
    for (std::size_t i = 0; i < config.rules.size() && i < liveRules.size(); ++i)
        if (liveRules[i])
            rules.push_back(std::move(config.rules[i]));
    config.rules = std::move(rules);
    return config;
}

} // namespace

QueryResult runQuery(const std::string &query, const Graph &graph)
{
    QueryResult result;
    try {
        result.nodes = core::RuleQuery(query).select(graph);
        if (result.nodes.empty())
            result.error = QCoreApplication::translate("RuleQuery", "It matches no layer of this model.");
    } catch (const core::Error &error) {
        result.error = QString::fromStdString(error.sentence());
    }
    return result;
}

SpecContext::SpecContext(std::shared_ptr<const Graph> graph, core::Recipe recipe, std::shared_ptr<const core::Placement> placement)
    : m_graph(graph ? std::move(graph) : std::make_shared<const Graph>()), m_recipe(std::move(recipe)), m_placement(std::move(placement))
{
    core::Recipe usable = m_recipe;
    const auto known = [](const std::vector<std::string> &names, const std::string &name) { return std::find(names.begin(), names.end(), name) != names.end(); };
    if (!known(core::presetNames(), usable.preset))
        usable.preset = core::Recipe().preset;
    if (!known(core::targetProfileNames(), usable.target))
        usable.target.clear();
    m_target = core::targetProfile(usable.target);
    m_effective = core::effectiveConfig(usable);
    m_globalOrigins = core::globalOrigins(usable);
    for (const core::Rule &rule : m_effective.rules) {
        m_ruleMatches.push_back(runQuery(rule.query, *m_graph).nodes);
        m_liveRules.push_back(!m_ruleMatches.back().empty());
    }
    m_resolver = std::make_shared<const core::Resolver>(*m_graph, withoutDead(m_effective, *m_graph, m_liveRules), m_globalOrigins);

    m_uses = usesByValue(*m_graph);
    m_producers = producerByValue(*m_graph);
    m_roles.assign(std::size_t(m_graph->nodeIdLimit()), 0);
    for (const NodeId id : m_graph->order()) {
        const core::Node &node = m_graph->node(id);
        unsigned &roles = m_roles[std::size_t(id.index)];
        if (const auto weight = weightRole(*m_graph, node)) {
            m_weights[id] = m_graph->constant(node.input(weight->weightInput));
            roles |= bit(TensorRole::Weight) | (weight->biasInput ? bit(TensorRole::Bias) : 0);
        }
        const auto inputs = dataInputs(node);
        if (std::any_of(inputs.begin(), inputs.end(), [&](std::size_t i) { return !m_graph->isConstant(node.inputs[i]); }))
            roles |= bit(TensorRole::Input);
        if (!dataOutputs(node).empty())
            roles |= bit(TensorRole::Output);
    }
    if (!m_placement)
        return;
    for (std::size_t i = 0; i < m_placement->points.size(); ++i) {
        const core::Point &point = m_placement->points[i];
        for (const Graph::Use &use : point.uses)
            m_pointOfEdge[{use.node, use.inputIndex}] = i;
        m_pointOfValue.emplace(point.value, i);
    }
    for (std::size_t i = 0; i < m_placement->absences.size(); ++i)
        m_absences[m_placement->absences[i].value] = i;
}

std::shared_ptr<const core::Resolver> SpecContext::resolverFor(const SpecScope &scope) const
{
    if (scope.kind == SpecScope::Kind::Nodes)
        return m_resolver;
    Config config;
    config.global = m_effective.global;
    if (scope.kind == SpecScope::Kind::OpType) {
        if (const auto own = m_effective.byOpType.find(scope.opType); own != m_effective.byOpType.end())
            config.byOpType.insert(*own);
    } else if (scope.kind == SpecScope::Kind::Rule) {
        config.byOpType = m_effective.byOpType;
        for (std::size_t i = 0; i <= scope.rule && i < m_effective.rules.size(); ++i)
            config.rules.push_back(m_effective.rules[i]);
    }
    return std::make_shared<const core::Resolver>(*m_graph, withoutDead(std::move(config), *m_graph, m_liveRules), m_globalOrigins);
}

std::vector<NodeId> SpecContext::nodesOf(const SpecScope &scope) const
{
    std::vector<NodeId> nodes;
    switch (scope.kind) {
    case SpecScope::Kind::Global: return m_graph->order();
    case SpecScope::Kind::OpType:
        std::copy_if(m_graph->order().begin(), m_graph->order().end(), std::back_inserter(nodes),
                     [&](NodeId id) { return m_graph->node(id).opType == scope.opType; });
        return nodes;
    case SpecScope::Kind::Rule: return scope.rule < m_ruleMatches.size() ? m_ruleMatches[scope.rule] : nodes;
    case SpecScope::Kind::Nodes: break;
    }
    std::copy_if(scope.nodes.begin(), scope.nodes.end(), std::back_inserter(nodes), [&](NodeId id) { return m_graph->contains(id); });
    return nodes;
}

bool SpecContext::hasRole(NodeId node, TensorRole role) const
{
    return std::size_t(node.index) < m_roles.size() && (m_roles[std::size_t(node.index)] & bit(role));
}

const core::TensorData *SpecContext::weightOf(NodeId node) const
{
    const auto found = m_weights.find(node);
    return found == m_weights.end() ? nullptr : found->second;
}

const core::Point *SpecContext::pointOfEdge(NodeId node, std::size_t input) const
{
    const auto found = m_pointOfEdge.find({node, input});
    return found == m_pointOfEdge.end() ? nullptr : &m_placement->points[found->second];
}

const core::Point *SpecContext::pointOfValue(core::ValueId value) const
{
    const auto found = m_pointOfValue.find(value);
    return found == m_pointOfValue.end() ? nullptr : &m_placement->points[found->second];
}

std::string SpecContext::absenceOf(core::ValueId value) const
{
    const auto found = m_absences.find(value);
    return found == m_absences.end() ? std::string() : m_placement->absences[found->second].reason;
}

std::vector<NodeId> SpecContext::groupOf(NodeId node) const
{
    if (m_placement)
        for (const std::vector<NodeId> &group : m_placement->fusedGroups)
            if (std::find(group.begin(), group.end(), node) != group.end())
                return group;
    return {};
}

} // namespace widgets

#include "widgets/spec/spec_change.h"

#include "core/base/error.h"
#include "core/spec/rule_query.h"

#include <algorithm>

namespace widgets {

using core::Config;
using core::Graph;
using core::NodeId;
using core::QuantizationConfig;
using core::Recipe;
using core::Rule;

namespace {

std::vector<NodeId> matches(const std::string &query, const Graph &graph)
{
    try {
        return core::RuleQuery(query).select(graph);
    } catch (const core::Error &) {
        return {};
    }
}

template <class T> void addOnce(std::vector<T> &list, const T &entry)
{
    if (std::find(list.begin(), list.end(), entry) == list.end())
        list.push_back(entry);
}

/// A name as a pattern inside a query, where blanks, commas and bars separate.
std::string inQuery(std::string name)
{
    std::replace_if(name.begin(), name.end(), [](char c) { return c == ' ' || c == ',' || c == '|'; }, '?');
    return name;
}

std::string trimmed(const std::string &text)
{
    const std::size_t begin = text.find_first_not_of(' ');
    return begin == std::string::npos ? std::string() : text.substr(begin, text.find_last_not_of(' ') - begin + 1);
}

class Editor {
public:
    Editor(Recipe &recipe, const Graph &graph) : m(recipe), m_config(recipe.config), m_graph(graph) {}

    void operator()(const SetField &edit)
    {
        forEachConfig(edit.scope, [&](QuantizationConfig &config) { setField(specOf(config, edit.role), edit.field, edit.value); });
    }

    void operator()(const ResetScope &edit)
    {
        forEachConfig(edit.scope, [&](QuantizationConfig &config) {
            if (edit.role)
                specOf(config, *edit.role) = {};
            else
                config = {};
        });
    }

    void operator()(const SetQuantized &edit)
    {
        std::set<NodeId> nodes;
        std::copy_if(edit.nodes.begin(), edit.nodes.end(), std::inserter(nodes, nodes.end()), [&](NodeId id) { return m_graph.contains(id); });
        if (edit.quantized)
            return include(nodes);
        for (const NodeId id : nodes)
            addOnce(m_config.exclude, m_graph.node(id).name);
    }

    void operator()(const SwitchEdge &edit)
    {
        if (!m_graph.contains(edit.node) || edit.input < 0 || std::size_t(edit.input) >= m_graph.node(edit.node).inputs.size())
            return;
        const std::string &name = m_graph.node(edit.node).name;
        std::vector<int> &off = m_config.disabledEdges[name];
        std::erase(off, edit.input);
        if (!edit.on)
            off.insert(std::upper_bound(off.begin(), off.end(), edit.input), edit.input);
        if (off.empty())
            m_config.disabledEdges.erase(name);
    }

    void operator()(const SplitConcat &edit)
    {
        if (!m_graph.contains(edit.node) || !m_graph.node(edit.node).is("Concat"))
            return;
        const std::string &name = m_graph.node(edit.node).name;
        std::erase(m_config.splitConcats, name);
        if (edit.split)
            m_config.splitConcats.push_back(name);
    }

    void operator()(const AddRule &edit) { m_config.rules.push_back(edit.rule); }
    void operator()(const RemoveRule &edit)
    {
        if (edit.index < m_config.rules.size())
            m_config.rules.erase(m_config.rules.begin() + std::ptrdiff_t(edit.index));
    }
    void operator()(const MoveRule &edit)
    {
        if (edit.from >= m_config.rules.size() || edit.to >= m_config.rules.size())
            return;
        Rule rule = std::move(m_config.rules[edit.from]);
        m_config.rules.erase(m_config.rules.begin() + std::ptrdiff_t(edit.from));
        m_config.rules.insert(m_config.rules.begin() + std::ptrdiff_t(edit.to), std::move(rule));
    }
    void operator()(const SetRuleQuery &edit)
    {
        if (edit.index < m_config.rules.size())
            m_config.rules[edit.index].query = edit.query;
    }
    void operator()(const SetRuleExclude &edit)
    {
        if (edit.index < m_config.rules.size())
            m_config.rules[edit.index].exclude = edit.exclude;
    }
    void operator()(const AddExclude &edit)
    {
        if (!edit.pattern.empty())
            addOnce(m_config.exclude, edit.pattern);
    }
    void operator()(const RemoveExclude &edit) { std::erase(m_config.exclude, edit.pattern); }

    void operator()(const ChoosePreset &edit)
    {
        try {
            const Recipe preset = core::presetRecipe(edit.name);
            m.preset = preset.preset;
            m.equalize = preset.equalize;
            m.biasCorrection = preset.biasCorrection;
        } catch (const core::Error &) {
        }
    }
    void operator()(const ChooseTarget &edit) { m.target = edit.name; }
    void operator()(const SetSwitch &edit)
    {
        switch (edit.which) {
        case RecipeSwitch::Equalize: m.equalize = edit.on; break;
        case RecipeSwitch::BiasCorrection: m.biasCorrection = edit.on; break;
        case RecipeSwitch::ReduceRange: m_config.reduceRange = edit.on; break;
        case RecipeSwitch::QuantizeInputs: m_config.quantizeInputs = edit.on; break;
        case RecipeSwitch::QuantizeOutputs: m_config.quantizeOutputs = edit.on; break;
        }
    }
    void operator()(const ReplaceRecipe &edit) { m = edit.recipe; }

private:
    template <class F> void forEachConfig(const SpecScope &scope, F &&f)
    {
        const auto inMap = [&](std::map<std::string, QuantizationConfig> &map, const std::string &key) {
            f(map[key]);
            if (map[key] == QuantizationConfig{})
                map.erase(key);
        };
        switch (scope.kind) {
        case SpecScope::Kind::Global: return f(m_config.global);
        case SpecScope::Kind::OpType:
            if (!scope.opType.empty())
                inMap(m_config.byOpType, scope.opType);
            return;
        case SpecScope::Kind::Rule:
            if (scope.rule < m_config.rules.size())
                f(m_config.rules[scope.rule].config);
            return;
        case SpecScope::Kind::Nodes: break;
        }
        for (const NodeId id : scope.nodes)
            if (m_graph.contains(id))
                inMap(m_config.byNode, m_graph.node(id).name);
    }

    void include(const std::set<NodeId> &nodes)
    {
        std::vector<std::string> exclude;
        for (const std::string &pattern : m_config.exclude) {
            std::vector<std::string> others;
            bool touched = false;
            for (const NodeId id : m_graph.order()) {
                const std::string &name = m_graph.node(id).name;
                if (!core::globMatches(pattern, name))
                    continue;
                if (nodes.contains(id))
                    touched = true;
                else
                    others.push_back(name);
            }
            for (const std::string &kept : touched ? others : std::vector<std::string>{pattern})
                addOnce(exclude, kept);
        }
        m_config.exclude = std::move(exclude);
        std::vector<Rule> rules;
        for (Rule &rule : m_config.rules)
            if (!rule.exclude || exceptFromRule(rule, nodes))
                rules.push_back(std::move(rule));
        m_config.rules = std::move(rules);
    }

    /// false: nothing is left of the rule.
    bool exceptFromRule(Rule &rule, const std::set<NodeId> &nodes)
    {
        const std::vector<NodeId> before = matches(rule.query, m_graph);
        std::vector<NodeId> left;
        std::string exception;
        for (const NodeId id : before) {
            if (nodes.contains(id))
                exception += " !name:" + inQuery(m_graph.node(id).name);
            else
                left.push_back(id);
        }
        if (exception.empty())
            return true;
        if (left.empty())
            return false;
        std::string query;
        for (std::size_t begin = 0; begin <= rule.query.size();) {
            const std::size_t end = std::min(rule.query.find('|', begin), rule.query.size());
            const std::string alternative = trimmed(rule.query.substr(begin, end - begin));
            if (!alternative.empty())
                query += (query.empty() ? "" : " | ") + alternative + exception;
            begin = end + 1;
        }
        if (matches(query, m_graph) == left) {
            rule.query = query;
            return true;
        }
        for (const NodeId id : left) // names that a query cannot say
            addOnce(m_config.exclude, m_graph.node(id).name);
        rule.exclude = false;
        return rule.config != QuantizationConfig{};
    }

    Recipe &m;
    Config &m_config;
    const Graph &m_graph;
};

} // namespace

Recipe apply(const Recipe &recipe, const Graph &graph, const SpecEdits &edits)
{
    Recipe result = recipe;
    for (const SpecEdit &edit : edits)
        std::visit(Editor(result, graph), edit);
    return result;
}

SpecEdits observerEdits(const SpecScope &scope, core::TensorRole role, const FieldValue &observer, double percentile)
{
    SpecEdits edits = {SetField{scope, role, SpecField::Observer, observer}};
    if (observer == FieldValue(core::ObserverKind::Percentile))
        edits.push_back(SetField{scope, role, SpecField::Percentile, percentile});
    return edits;
}

SpecEdits fixedRangeEdits(const SpecScope &scope, core::TensorRole role, core::Range range)
{
    return {SetField{scope, role, SpecField::FixedRange, range}, SetField{scope, role, SpecField::Observer, core::ObserverKind::Fixed}};
}

} // namespace widgets

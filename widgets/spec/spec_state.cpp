#include "widgets/spec/spec_state.h"

#include "core/spec/operator_roles.h"
#include "core/spec/scheme_check.h"

#include <QCoreApplication>

#include <algorithm>
#include <cctype>

namespace widgets {

using core::ConfigLayer;
using core::FieldOrigin;
using core::NodeId;
using core::ResolvedScheme;
using core::TensorRole;

namespace {

QString tr(const char *text) { return QCoreApplication::translate("SpecState", text); }
QString utf8(const std::string &text) { return QString::fromStdString(text); }

QString sentence(std::string why)
{
    if (!why.empty())
        why[0] = char(std::toupper(static_cast<unsigned char>(why[0])));
    return utf8(why);
}

bool sameOrigin(const FieldOrigin &a, const FieldOrigin &b)
{
    return a.layer == b.layer && (a.layer == ConfigLayer::Node || a.detail == b.detail);
}

/// Layers of the scope that are set alike.
struct Case {
    const ResolvedScheme *resolved;
    const core::TensorData *weight;
    int layers;

    bool holds(const ResolvedScheme &other, const core::TensorData *otherWeight) const
    {
        const auto rank = [](const core::TensorData *data) { return data ? data->dims.size() : 0; };
        return resolved->scheme == other.scheme && rank(weight) == rank(otherWeight) && resolved->origins.size() == other.origins.size()
            && std::equal(resolved->origins.begin(), resolved->origins.end(), other.origins.begin(),
                          [](const auto &a, const auto &b) { return a.first == b.first && sameOrigin(a.second, b.second); });
    }
};

/// What was written, from what came out of it: fields with an origin were set, the others follow from their defaults.
core::QuantizationSpec writtenSpec(const ResolvedScheme &resolved)
{
    core::QuantizationSpec spec;
    for (const SpecField field : allSpecFields)
        if (resolved.origins.contains(fieldKey(field)))
            setField(spec, field, fieldOf(resolved.scheme, field));
    return spec;
}

class Builder {
public:
    Builder(const SpecContext &context, const SpecScope &scope) : m(context), m_resolver(context.resolverFor(scope)), m_nodes(context.nodesOf(scope))
    {
        m_state.scope = scope;
        m_state.layers = int(m_nodes.size());
    }

    SpecState run()
    {
        for (std::size_t i = 0; i < 4; ++i)
            buildRole(TensorRole(i), m_state.roles[i]);
        buildQuantized();
        if (m_state.scope.kind == SpecScope::Kind::Nodes && m_nodes.size() == 1)
            buildSingle(m.graph().node(m_nodes.front()));
        return std::move(m_state);
    }

private:
    const core::QuantizationConfig *ownConfig(NodeId node) const
    {
        const core::Config &config = m.recipe().config;
        const auto in = [](const auto &map, const std::string &key) { return map.contains(key) ? &map.at(key) : nullptr; };
        switch (m_state.scope.kind) {
        case SpecScope::Kind::Global: return &config.global;
        case SpecScope::Kind::OpType: return in(config.byOpType, m_state.scope.opType);
        case SpecScope::Kind::Rule: return m_state.scope.rule < config.rules.size() ? &config.rules[m_state.scope.rule].config : nullptr;
        case SpecScope::Kind::Nodes: break;
        }
        return node.valid() ? in(config.byNode, m.graph().node(node).name) : nullptr;
    }

    /// The scope without any layer: no model, or a rule that matches nothing.
    const ResolvedScheme &bareScheme(TensorRole role)
    {
        core::QuantizationSpec spec = specOf(m.effective().global, role);
        m_bare.origins = m.globalOrigins().byRole[std::size_t(role)];
        if (m_state.scope.kind != SpecScope::Kind::Global)
            if (const core::QuantizationConfig *own = ownConfig({}))
                spec.overlay(specOf(*own, role));
        m_bare.scheme = core::finishScheme(spec, role);
        return m_bare;
    }

    void buildRole(TensorRole role, RoleState &state)
    {
        state.role = role;
        std::vector<Case> cases;
        for (const NodeId id : m_nodes) {
            if (!m.hasRole(id, role))
                continue;
            ++state.layers;
            const ResolvedScheme &resolved = m_resolver->node(id).role(role);
            const core::TensorData *weight = role == TensorRole::Weight ? m.weightOf(id) : nullptr;
            const auto same = std::find_if(cases.rbegin(), cases.rend(), [&](const Case &c) { return c.holds(resolved, weight); });
            if (same == cases.rend())
                cases.push_back({&resolved, weight, 1});
            else
                ++same->layers;
        }
        if (cases.empty() && m_nodes.empty() && m_state.scope.kind != SpecScope::Kind::Nodes)
            cases.push_back({&bareScheme(role), nullptr, 0});
        state.applies = !cases.empty();
        for (const SpecField field : allSpecFields)
            buildField(role, field, cases, state.fields[std::size_t(field)]);
        markSetHere(state);
        if (state.applies)
            summarize(state);
    }

    void buildField(TensorRole role, SpecField field, const std::vector<Case> &cases, FieldState &state)
    {
        state.field = field;
        if (cases.empty())
            return;
        const FieldValue first = fieldOf(cases.front().resolved->scheme, field);
        const FieldOrigin origin = cases.front().resolved->origin(fieldKey(field));
        bool sameValue = true, sameFrom = true, settable = false;
        for (const Case &c : cases) {
            sameValue = sameValue && fieldOf(c.resolved->scheme, field) == first;
            sameFrom = sameFrom && sameOrigin(c.resolved->origin(fieldKey(field)), origin);
            const QString refusal = fieldRefusal(field, role, c.resolved->scheme, m.target());
            settable = settable || refusal.isEmpty();
            if (state.refusal.isEmpty())
                state.refusal = refusal;
            if (const auto wrong = core::schemeRefusal(c.resolved->scheme, role, c.weight, m.target()); wrong && wrong->field == std::string_view(fieldKey(field)))
                state.problem = sentence(wrong->why);
        }
        if (settable)
            state.refusal.clear();
        if (sameValue)
            state.value = first;
        state.origin = sameFrom ? originText(origin, false) : tr("mixed");
        state.originInWords = sameFrom ? originText(origin, true) : tr("different places");
        for (const FieldValue &value : fieldChoices(field))
            state.choices.push_back({value, settable ? choiceRefusal(role, field, value, cases) : QString()});
    }

    QString choiceRefusal(TensorRole role, SpecField field, const FieldValue &value, const std::vector<Case> &cases) const
    {
        int refused = 0, all = 0;
        std::string why;
        for (const Case &c : cases) {
            all += c.layers;
            const core::Scheme &now = c.resolved->scheme;
            if (fieldOf(now, field) == value)
                continue;
            core::QuantizationSpec spec = writtenSpec(*c.resolved);
            setField(spec, field, value);
            for (const auto &[other, with] : companions(now, field, value))
                setField(spec, other, with);
            const auto refusal = core::schemeRefusal(core::finishScheme(spec, role), role, c.weight, m.target());
            if (!refusal || (refusal->field != std::string_view(fieldKey(field)) && core::schemeRefusal(now, role, c.weight, m.target())))
                continue;
            refused += c.layers;
            if (why.empty())
                why = refusal->why;
        }
        if (why.empty() || refused == all)
            return sentence(why);
        return tr("Not for %1 of %2 layers: %3").arg(refused).arg(all).arg(utf8(why));
    }

    void markSetHere(RoleState &state)
    {
        const bool perNode = m_state.scope.kind == SpecScope::Kind::Nodes;
        const auto mark = [&](const core::QuantizationConfig *own) {
            if (!own)
                return;
            const core::QuantizationSpec &spec = specOf(*own, state.role);
            if (spec.empty())
                return;
            state.setHere = true;
            for (FieldState &field : state.fields)
                field.setHere = field.setHere || fieldOf(spec, field.field).has_value();
        };
        if (perNode)
            std::for_each(m_nodes.begin(), m_nodes.end(), [&](NodeId id) { mark(ownConfig(id)); });
        else
            mark(ownConfig({}));
        for (FieldState &field : state.fields) {
            if (!field.setHere)
                continue;
            if (field.origin != tr("mixed"))
                field.origin = tr("set here");
            if (!perNode)
                field.overridden = int(std::count_if(m_nodes.begin(), m_nodes.end(), [&](NodeId id) {
                    const char *key = fieldKey(field.field);
                    return m.hasRole(id, state.role)
                        && !sameOrigin(m.resolver().node(id).role(state.role).origin(key), m_resolver->node(id).role(state.role).origin(key));
                }));
        }
    }

    static void summarize(RoleState &state)
    {
        const auto part = [&](SpecField field) {
            const auto &value = state.field(field).value;
            return value ? valueText(field, *value) : tr("mixed");
        };
        state.summary = part(SpecField::Dtype);
        const auto &dtype = state.field(SpecField::Dtype).value;
        if (state.role == TensorRole::Bias || (dtype && *dtype == FieldValue(core::QuantDtype::Float32)))
            return;
        if (state.role == TensorRole::Weight)
            state.summary += QStringLiteral(" · ") + part(SpecField::QScheme);
        state.summary += QStringLiteral(" · ") + part(SpecField::Observer);
    }

    void buildQuantized()
    {
        std::size_t excluded = 0;
        for (const NodeId id : m_nodes) {
            const core::ResolvedNode &node = m.resolver().node(id);
            if (!node.excluded)
                continue;
            if (++excluded == 1)
                m_state.excludedBy = utf8(node.excludedBy);
        }
        m_state.quantized = excluded == 0;
        if (excluded > 0 && excluded < m_nodes.size())
            m_state.quantized.reset();
    }

    void buildSingle(const core::Node &node)
    {
        const core::Config &config = m.recipe().config;
        if (node.is("Concat"))
            m_state.splitConcat = std::find(config.splitConcats.begin(), config.splitConcats.end(), node.name) != config.splitConcats.end();
        std::vector<std::size_t> inputs = dataInputs(node);
        if (const auto weight = weightRole(m.graph(), node); weight && weight->biasInput)
            inputs.push_back(*weight->biasInput);
        for (const std::size_t i : inputs)
            m_state.edges.push_back(edge(node, i, false));
        for (const core::ValueId out : dataOutputs(node))
            for (const core::Graph::Use &use : m.usesOf(out)) {
                const core::Node &reader = m.graph().node(use.node);
                const auto data = dataInputs(reader);
                if (std::find(data.begin(), data.end(), use.inputIndex) != data.end())
                    m_state.edges.push_back(edge(reader, use.inputIndex, true));
            }
        if (m.placement())
            writeNotes(node);
    }

    EdgeState edge(const core::Node &reader, std::size_t input, bool outgoing) const
    {
        const core::ValueId value = reader.inputs[input];
        EdgeState state;
        state.node = reader.id;
        state.input = int(input);
        state.outgoing = outgoing;
        const auto &disabled = m.recipe().config.disabledEdges;
        if (const auto off = disabled.find(reader.name); off != disabled.end())
            state.on = std::find(off->second.begin(), off->second.end(), int(input)) == off->second.end();
        state.text = outgoing ? QStringLiteral("→ ") + utf8(reader.name) : QStringLiteral("← ") + utf8(m.graph().value(value).name);
        if (const core::Point *point = m.pointOfEdge(reader.id, input)) {
            state.quantized = true;
            state.badge = utf8(point->scheme.badge());
            state.reason = utf8(point->reason + " Set by " + point->provenance + ".");
        } else if (m.placement()) {
            state.badge = QStringLiteral("f32");
            const std::string why = m.absenceOf(value);
            state.reason = !state.on ? tr("This edge is switched off.") : why.empty() ? tr("This reader takes the tensor in float.") : utf8(why);
        }
        return state;
    }

    void writeNotes(const core::Node &node)
    {
        const auto &graph = m.graph();
        const auto label = [&](NodeId id) { return utf8(graph.node(id).opType + " '" + graph.node(id).name + "'"); };
        if (m.resolver().node(node.id).excluded)
            return;
        const std::vector<NodeId> group = m.groupOf(node.id);
        QString &output = m_state.roles[std::size_t(TensorRole::Output)].note;
        if (!group.empty() && group.back() != node.id)
            output = tr("Runs as one with %1, whose outputs count.").arg(label(group.back()));
        else if (const core::Point *point = node.output().valid() ? m.pointOfValue(node.output()) : nullptr; point && point->owner != node.id)
            output = tr("Shares its scale; the setting of %1 counts.").arg(label(point->owner));
        else if (!point && node.output().valid())
            output = utf8(m.absenceOf(node.output()));
        QString &input = m_state.roles[std::size_t(TensorRole::Input)].note;
        for (const std::size_t i : dataInputs(node)) {
            const core::Point *point = m.pointOfEdge(node.id, i);
            if (point && point->kind == core::PointKind::Activation && point->owner != node.id && point->owner.valid()) {
                input = tr("The outputs of %1 count. What you set here makes a second quantizer on this edge.").arg(label(point->owner));
                break;
            }
        }
        if (const auto weight = weightRole(graph, node)) {
            if (!m.pointOfEdge(node.id, weight->weightInput))
                m_state.roles[std::size_t(TensorRole::Weight)].note = utf8(m.absenceOf(node.input(weight->weightInput)));
            if (weight->biasInput && !m.pointOfEdge(node.id, *weight->biasInput))
                m_state.roles[std::size_t(TensorRole::Bias)].note = utf8(m.absenceOf(node.input(*weight->biasInput)));
        }
    }

    const SpecContext &m;
    std::shared_ptr<const core::Resolver> m_resolver;
    std::vector<NodeId> m_nodes;
    ResolvedScheme m_bare;
    SpecState m_state;
};

} // namespace

SpecState specState(const SpecContext &context, const SpecScope &scope)
{
    return Builder(context, scope).run();
}

} // namespace widgets

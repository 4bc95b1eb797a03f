#include "core/spec/resolver.h"

#include "core/base/error.h"
#include "core/spec/rule_query.h"
#include "core/spec/spec_fields.h"
#include "core/spec/target_profile.h"

#include <algorithm>

namespace core {

namespace {

const QuantizationSpec &specOf(const QuantizationConfig &config, TensorRole role)
{
    switch (role) {
    case TensorRole::Input: return config.inputTensors;
    case TensorRole::Output: return config.outputTensors;
    case TensorRole::Weight: return config.weight;
    case TensorRole::Bias: break;
    }
    return config.bias;
}

struct Accumulated {
    QuantizationSpec spec;
    ConfigLayer layer = ConfigLayer::Default;
    std::map<std::string, FieldOrigin> origins;

    void add(const QuantizationSpec &over, const FieldOrigin &origin)
    {
        if (over.empty())
            return;
        spec.overlay(over);
        layer = std::max(layer, origin.layer);
        forEachField(over, [&](const char *name, const auto &field) {
            if (field)
                origins[name == std::string_view("best_observer") ? "observer" : name] = origin;
        });
    }
};

[[noreturn]] void matchesNothing(const std::string &what, const std::string &name)
{
    throw Error(ErrorKind::InvalidInput, "configuration", what + " '" + name + "' matches no node of the model.");
}

} // namespace

Scheme finishScheme(const QuantizationSpec &spec, TensorRole role)
{
    Scheme scheme;
    scheme.dtype = spec.dtype.value_or(role == TensorRole::Bias ? QuantDtype::Int32 : QuantDtype::Int8);
    scheme.granularity = spec.qscheme.value_or(Granularity::PerTensor);
    scheme.channelAxis = spec.chAxis.value_or(-1);
    scheme.groupSize = spec.groupSize.value_or(0);
    scheme.symmetric = spec.symmetric.value_or(true);
    scheme.observer = spec.observer.value_or(ObserverKind::MinMax);
    scheme.bestObserver = spec.bestObserver.value_or(false);
    scheme.percentile = spec.percentile.value_or(99.99);
    scheme.fixedRange = spec.fixedRange.value_or(Range{});
    const bool pof2Observer = scheme.observer == ObserverKind::Pof2MinMax || scheme.observer == ObserverKind::Pof2Mse;
    scheme.scaleType = spec.scaleType.value_or(pof2Observer ? ScaleType::PowerOfTwo : ScaleType::Float);
    scheme.pof2Rounding = scheme.observer == ObserverKind::Pof2Mse ? PowerOfTwoRounding::Mse : spec.pof2Rounding.value_or(PowerOfTwoRounding::Ceil);
    const bool narrows = isSignedDtype(scheme.dtype) && scheme.dtype != QuantDtype::Int32;
    scheme.narrow = spec.narrowRange.value_or(role == TensorRole::Weight) && scheme.symmetric && narrows;
    scheme.roundMethod = spec.roundMethod.value_or(RoundMethod::HalfEven);
    scheme.dynamic = spec.isDynamic.value_or(false);
    scheme.qat = spec.qat.value_or(QatMethod::Ste);
    return scheme;
}

std::string FieldOrigin::text() const
{
    switch (layer) {
    case ConfigLayer::Default: return "default";
    case ConfigLayer::Preset: return "preset '" + detail + "'";
    case ConfigLayer::Target: return "target '" + detail + "'";
    case ConfigLayer::Global: return "global";
    case ConfigLayer::OpType: return "operator type '" + detail + "'";
    case ConfigLayer::Rule: return "rule '" + detail + "'";
    case ConfigLayer::Node: break;
    }
    return "node '" + detail + "'";
}

FieldOrigin ResolvedScheme::origin(const std::string &field) const
{
    const auto found = origins.find(field);
    return found == origins.end() ? FieldOrigin{} : found->second;
}

std::string ResolvedScheme::provenance() const
{
    const FieldOrigin dtype = origin("dtype");
    if (dtype.layer == layer || (layer == ConfigLayer::Global && dtype.layer != ConfigLayer::Default))
        return dtype.text();
    for (const auto &[field, from] : origins)
        if (from.layer == layer)
            return from.text();
    return "default";
}

GlobalOrigins globalOrigins(const Recipe &recipe)
{
    const PresetLayers preset = presetLayers(recipe.preset);
    const TargetProfile target = targetProfile(recipe.target);
    GlobalOrigins result;
    for (std::size_t i = 0; i < 4; ++i) {
        const TensorRole role = TensorRole(i);
        Accumulated all;
        all.add(specOf(preset.suggested, role), {ConfigLayer::Preset, recipe.preset});
        all.add(specOf(target.defaults, role), {ConfigLayer::Target, recipe.target});
        all.add(specOf(preset.fixed, role), {ConfigLayer::Preset, recipe.preset});
        all.add(specOf(recipe.config.global, role), {ConfigLayer::Global, {}});
        result.byRole[i] = std::move(all.origins);
    }
    return result;
}

Resolver::Resolver(const Graph &graph, const Config &config, const GlobalOrigins &origins)
    : m_nodes(std::size_t(graph.nodeIdLimit()))
{
    struct Layered {
        std::array<Accumulated, 4> roles;
        void add(const QuantizationConfig &over, const FieldOrigin &origin)
        {
            for (std::size_t i = 0; i < 4; ++i)
                roles[i].add(specOf(over, TensorRole(i)), origin);
        }
    };
    Layered base;
    base.add(config.global, {ConfigLayer::Global, {}});
    for (std::size_t i = 0; i < 4; ++i)
        for (auto &[field, origin] : base.roles[i].origins)
            if (const auto known = origins.byRole[i].find(field); known != origins.byRole[i].end())
                origin = known->second;
    std::vector<Layered> layered(m_nodes.size(), base);

    for (const auto &[opType, over] : config.byOpType) {
        bool matched = false;
        for (NodeId id : graph.order()) {
            if (graph.node(id).opType != opType)
                continue;
            matched = true;
            layered[std::size_t(id.index)].add(over, {ConfigLayer::OpType, opType});
        }
        if (!matched)
            matchesNothing("The operator type", opType);
    }
    for (const Rule &rule : config.rules) {
        const std::vector<NodeId> selected = RuleQuery(rule.query).select(graph);
        if (selected.empty())
            matchesNothing("The rule", rule.query);
        for (NodeId id : selected) {
            layered[std::size_t(id.index)].add(rule.config, {ConfigLayer::Rule, rule.query});
            if (rule.exclude) {
                m_nodes[std::size_t(id.index)].excluded = true;
                m_nodes[std::size_t(id.index)].excludedBy = "rule '" + rule.query + "'";
            }
        }
    }
    for (const auto &[name, over] : config.byNode) {
        const NodeId id = graph.findNode(name);
        if (!id.valid())
            matchesNothing("The node name", name);
        layered[std::size_t(id.index)].add(over, {ConfigLayer::Node, name});
    }
    for (const std::string &pattern : config.exclude) {
        bool matched = false;
        for (NodeId id : graph.order()) {
            if (!globMatches(pattern, graph.node(id).name))
                continue;
            matched = true;
            m_nodes[std::size_t(id.index)].excluded = true;
            m_nodes[std::size_t(id.index)].excludedBy = "exclude '" + pattern + "'";
        }
        if (!matched)
            matchesNothing("The exclude pattern", pattern);
    }
    for (NodeId id : graph.order()) {
        for (std::size_t i = 0; i < 4; ++i) {
            Accumulated &from = layered[std::size_t(id.index)].roles[i];
            ResolvedScheme &to = m_nodes[std::size_t(id.index)].roles[i];
            to.scheme = finishScheme(from.spec, TensorRole(i));
            to.layer = std::max(from.layer, ConfigLayer::Default);
            to.origins = std::move(from.origins);
        }
    }
}

} // namespace core

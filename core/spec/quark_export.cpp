#include "core/spec/operator_roles.h"
#include "core/spec/quark_config.h"
#include "core/spec/quark_table.h"
#include "core/spec/resolver.h"
#include "core/spec/spec_fields.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <set>

namespace core {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::array roleNames{"input_tensors", "output_tensors", "weight", "bias"};

const QuantizationSpec &specOf(const QuantizationConfig &config, std::size_t role)
{
    return role == 0 ? config.inputTensors : role == 1 ? config.outputTensors : role == 2 ? config.weight : config.bias;
}

class Writer {
public:
    Writer(const Recipe &recipe, const Graph &graph)
        : m_recipe(recipe), m_graph(graph), m_config(effectiveConfig(recipe)), m_resolver(graph, m_config)
    {
    }

    QuarkExport run()
    {
        m_where = "global";
        const Json global = layer(schemesOf(m_config.global), "");
        Json types = Json::object(), nodes = Json::object();
        for (const quark::LayerType &type : quark::layerTypes())
            if (const Json one = typeLayer(type); !one.is_null() && one != global)
                types[std::string(type.name)] = one;
        std::vector<std::string> exclude = m_config.exclude;
        for (NodeId id : m_graph.order())
            writeNode(m_graph.node(id), global, types, nodes, exclude);
        reportRest();
        const Json json = {{"global_quant_config", global}, {"exclude", exclude}, {"algo_config", nullptr}, {"softmax_quant_spec", nullptr},
                           {"quant_method", "quark"}, {"layer_type_quant_config", types}, {"layer_quant_config", nodes},
                           {"kv_cache_quant_config", Json::object()}, {"kv_cache_post_rope", false}, {"quant_mode", "fx_graph_mode"}};
        m_result.json = json.dump(2) + "\n";
        return std::move(m_result);
    }

private:
    using Schemes = std::array<Scheme, 4>;

    void report(Severity severity, const std::string &what)
    {
        const std::string sentence = m_where + ": " + what;
        if (m_said.insert(what).second)
            m_result.diagnostics.push_back({severity, "quark-export", m_where, sentence});
    }

    static Schemes schemesOf(const QuantizationConfig &config)
    {
        Schemes schemes;
        for (std::size_t i = 0; i < 4; ++i)
            schemes[i] = finishScheme(specOf(config, i), TensorRole(i));
        return schemes;
    }

    Json layer(const Schemes &schemes, const std::string &layerType)
    {
        Json json = Json::object();
        for (std::size_t i = 0; i < 4; ++i)
            json[roleNames[i]] = tensor(schemes[i], TensorRole(i), layerType);
        json["target_device"] = nullptr;
        return json;
    }

    Json tensor(const Scheme &scheme, TensorRole role, const std::string &layerType)
    {
        if (!scheme.quantized())
            return nullptr;
        const bool typeOnly = scheme.dtype == QuantDtype::Float16 || scheme.dtype == QuantDtype::BFloat16;
        Json json = {{"dtype", enumName(scheme.dtype)}, {"is_dynamic", nullptr}, {"qscheme", nullptr}, {"ch_axis", nullptr}, {"group_size", nullptr},
                     {"block_size", nullptr}, {"symmetric", nullptr}, {"round_method", nullptr}, {"scale_type", nullptr}, {"zero_point_type", "int32"},
                     {"scale_format", nullptr}, {"scale_calculation_mode", nullptr}, {"mx_element_dtype", nullptr},
                     {"observer_cls", "PlaceholderObserver"}, {"is_scale_quant", false}};
        if (typeOnly)
            return json;
        const std::string field = std::string(roleNames[std::size_t(role)]) + ".";
        json["is_dynamic"] = scheme.dynamic;
        json["qscheme"] = enumName(scheme.granularity);
        json["symmetric"] = scheme.symmetric;
        json["round_method"] = enumName(scheme.roundMethod);
        json["scale_type"] = enumName(scheme.scaleType);
        json["observer_cls"] = observer(scheme, field);
        if (scheme.granularity == Granularity::PerChannel)
            json["ch_axis"] = scheme.channelAxis >= 0 ? scheme.channelAxis : layerType == "ConvTranspose2d" ? 1 : 0;
        if (scheme.granularity == Granularity::PerGroup) {
            json["ch_axis"] = 1;
            json["group_size"] = scheme.groupSize;
        }
        if (scheme.narrow)
            report(Severity::Problem, field + "symmetric_range narrow has no counterpart; Quark divides by 127.5, not by 127.");
        if (role == TensorRole::Bias && scheme.dtype == QuantDtype::Int32)
            report(Severity::Note, field + "dtype int32 has a scale of its own in Quark, not that of the input times that of the weight.");
        return json;
    }

    std::string_view observer(const Scheme &scheme, const std::string &field)
    {
        const auto granularity = std::string(enumName(scheme.granularity));
        if (scheme.bestObserver) {
            report(Severity::Problem, field + "observer best has no counterpart; min_max is written.");
        } else if (const auto *row = quark::findObserver(scheme.observer, scheme.scaleType, scheme.qat, scheme.granularity)) {
            if (row->kind == ObserverKind::Percentile && scheme.percentile != quark::fixedPercentile)
                report(Severity::Problem, field + "percentile is fixed to 99.99999999 in Quark.");
            if (row->kind == ObserverKind::Pof2MinMax && scheme.pof2Rounding != PowerOfTwoRounding::Nearest)
                report(Severity::Problem, field + "pof2_rounding " + std::string(enumName(scheme.pof2Rounding)) + " has no counterpart; Quark rounds to the nearest power of two.");
            return row->name;
        } else {
            report(Severity::Problem, field + "observer " + std::string(enumName(scheme.observer)) + " (" + granularity + ", scales " + std::string(enumName(scheme.scaleType))
                       + ", qat " + std::string(enumName(scheme.qat)) + ") has no counterpart; min_max is written.");
        }
        for (const auto qat : {scheme.qat, QatMethod::Ste})
            for (const auto scale : {scheme.scaleType, ScaleType::Float})
                if (const auto *row = quark::findObserver(ObserverKind::MinMax, scale, qat, scheme.granularity))
                    return row->name;
        return "PlaceholderObserver";
    }

    /// null where the model has no such layer, or its operators have different settings.
    Json typeLayer(const quark::LayerType &type)
    {
        Json json;
        for (const std::string &op : type.operators) {
            const auto &order = m_graph.order();
            if (std::none_of(order.begin(), order.end(), [&](NodeId id) { return m_graph.node(id).is(op); }))
                continue;
            QuantizationConfig config = m_config.global;
            if (const auto over = m_config.byOpType.find(op); over != m_config.byOpType.end())
                config.overlay(over->second);
            m_where = std::string(type.name);
            const Json one = layer(schemesOf(config), m_where);
            if (!json.is_null() && json != one)
                return {};
            json = one;
        }
        return json;
    }

    void writeNode(const Node &node, const Json &global, const Json &types, Json &nodes, std::vector<std::string> &exclude)
    {
        const ResolvedNode &resolved = m_resolver.node(node.id);
        m_where = node.opType + " '" + node.name + "'";
        if (resolved.excluded) {
            if (resolved.excludedBy.starts_with("rule"))
                exclude.push_back(node.name);
            return;
        }
        const auto all = quark::layerTypes();
        const auto type = std::find_if(all.begin(), all.end(), [&](const quark::LayerType &t) {
            return node.domain.empty() && std::find(t.operators.begin(), t.operators.end(), node.opType) != t.operators.end();
        });
        Schemes schemes;
        bool specific = false;
        for (std::size_t i = 0; i < 4; ++i) {
            schemes[i] = resolved.roles[i].scheme;
            specific |= resolved.roles[i].layer > ConfigLayer::Global;
        }
        if (type == all.end()) {
            if (specific)
                report(Severity::Problem, "the settings of " + m_where + " have no counterpart; Quark configures Conv2d, ConvTranspose2d and Linear layers only.");
            return;
        }
        const Json own = layer(schemes, std::string(type->name));
        const auto ofType = types.find(std::string(type->name));
        if (own != (ofType == types.end() ? global : *ofType))
            nodes[node.name] = own;
    }

    void reportRest()
    {
        m_where = "recipe";
        const std::pair<bool, const char *> rest[] = {
            {m_recipe.equalize, "equalize"}, {m_recipe.biasCorrection, "bias_correction"}, {!m_config.quantizeInputs, "quantize_inputs false"},
            {!m_config.quantizeOutputs, "quantize_outputs false"}, {m_config.reduceRange, "reduce_range"}, {!m_config.disabledEdges.empty(), "disabled_edges"},
            {!m_config.splitConcats.empty(), "split_concats"}, {!m_recipe.target.empty(), "target"}};
        for (const auto &[used, name] : rest)
            if (used)
                report(Severity::Problem, std::string(name) + " has no counterpart in Quark's configuration.");
    }

    const Recipe &m_recipe;
    const Graph &m_graph;
    const Config m_config;
    const Resolver m_resolver;
    std::string m_where;
    std::set<std::string> m_said;
    QuarkExport m_result;
};

} // namespace

QuarkExport recipeToQuark(const Recipe &recipe, const Graph &graph)
{
    return Writer(recipe, graph).run();
}

} // namespace core

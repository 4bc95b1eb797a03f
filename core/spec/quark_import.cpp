#include "core/spec/json_reader.h"
#include "core/spec/quark_config.h"
#include "core/spec/quark_table.h"
#include "core/spec/spec_fields.h"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace core {

namespace {

using Json = nlohmann::ordered_json;

[[noreturn]] void fail(const std::string &path, const std::string &what)
{
    throw Error(ErrorKind::InvalidInput, "quark", (path.empty() ? std::string("The document") : "'" + path + "'") + " " + what);
}

bool says(const Json &object, const char *key)
{
    const auto at = object.find(key);
    return at != object.end() && !at->is_null();
}

class Reader {
public:
    QuarkImport run(const Json &document)
    {
        m_result.recipe = presetRecipe("a8w8");
        Config &config = m_result.recipe.config;
        for (const auto &[key, value] : document.items()) {
            if (value.is_null() || quark::isMachinery(key))
                continue;
            if (key == "global_quant_config")
                config.global = layer(value, key, "");
            else if (key == "layer_type_quant_config")
                readTypes(object(value, key), config);
            else if (key == "layer_quant_config")
                readLayers(object(value, key), config);
            else if (key == "exclude")
                readExclude(value, config);
            else if (key == "softmax_quant_spec")
                config.byOpType["Softmax"].outputTensors = tensor(value, key, "output_tensors", "Softmax");
            else if (key == "algo_config" || key == "pre_quant_opt_config")
                readAlgorithms(value, key);
            else if (!value.empty() && value != Json(false) && value != Json(0.0))
                report(Severity::Problem, key, "has no counterpart here and is left out.");
        }
        return std::move(m_result);
    }

private:
    void report(Severity severity, const std::string &path, const std::string &what)
    {
        m_result.diagnostics.push_back({severity, "quark-import", path, "'" + path + "' " + what});
    }

    static const Json &object(const Json &value, const std::string &path)
    {
        if (!value.is_object())
            fail(path, std::string("must be an object, not ") + value.type_name() + ".");
        return value;
    }

    static std::string text(const Json &value, const std::string &path)
    {
        if (!value.is_string())
            fail(path, "must be a text, not " + value.dump() + ".");
        return value.get<std::string>();
    }

    static bool flag(const Json &value, const std::string &path)
    {
        if (!value.is_boolean())
            fail(path, "must be true or false, not " + value.dump() + ".");
        return value.get<bool>();
    }

    static int number(const Json &value, const std::string &path)
    {
        if (!value.is_number_integer() || value.get<std::int64_t>() < -64 || value.get<std::int64_t>() > (1 << 30))
            fail(path, "must be a whole number, not " + value.dump() + ".");
        return value.get<int>();
    }

    QuantizationConfig layer(const Json &value, const std::string &path, const std::string &layerType)
    {
        object(value, path);
        QuantizationConfig config;
        forEachRole(config, [&](const char *role, QuantizationSpec &spec) {
            const std::string at = path + "." + role;
            if (!says(value, role)) {
                spec.dtype = QuantDtype::Float32;
                if (path != "global_quant_config")
                    report(Severity::Note, at, "is not given; the layer's own configuration replaces the global one, so this tensor stays float.");
                return;
            }
            const Json &given = value[role];
            if (given.is_array() && given.size() != 1)
                report(Severity::Problem, at, "lists " + std::to_string(given.size()) + " quantizations of one tensor; only the first is taken.");
            if (given.is_array() && given.empty())
                spec.dtype = QuantDtype::Float32;
            else
                spec = tensor(given.is_array() ? given[0] : given, at, role, layerType);
        });
        for (const auto &[key, member] : value.items())
            if (key != "input_tensors" && key != "output_tensors" && key != "weight" && key != "bias" && !member.is_null())
                report(Severity::Problem, path + "." + key, "has no counterpart here and is left out.");
        return config;
    }

    QuantizationSpec tensor(const Json &value, const std::string &path, const std::string &role, const std::string &layerType)
    {
        object(value, path);
        QuantizationSpec spec;
        if (!says(value, "dtype"))
            fail(path, "has no dtype.");
        const std::string dtype = text(value["dtype"], path + ".dtype");
        spec.dtype = enumFromName<QuantDtype>(dtype);
        if (!spec.dtype) {
            report(Severity::Problem, path + ".dtype", "is '" + dtype + "', which has no counterpart here; the tensor stays float.");
            spec.dtype = QuantDtype::Float32;
            return spec;
        }
        if (role == "bias" && spec.dtype == QuantDtype::Int32)
            report(Severity::Note, path, "is int32; its scale is that of the input times that of the weight here, not one of its own.");
        const bool typeOnly = spec.dtype == QuantDtype::Float16 || spec.dtype == QuantDtype::BFloat16;
        if (!typeOnly) {
            spec.qscheme = Granularity::PerTensor;
            spec.symmetric = true;
            spec.observer = ObserverKind::MinMax;
            spec.scaleType = ScaleType::Float;
            spec.roundMethod = RoundMethod::HalfEven;
            spec.isDynamic = false;
            spec.qat = QatMethod::Ste;
            if (isIntegerDtype(*spec.dtype) && isSignedDtype(*spec.dtype))
                spec.narrowRange = false; // symmetric scales of Quark are absmax / 127.5
        }
        for (const auto &[key, member] : value.items()) {
            const std::string at = path + "." + key;
            if (member.is_null() || key == "dtype" || quark::isMachinery(key) || typeOnly)
                continue;
            if (key == "qscheme")
                readGranularity(member, at, spec);
            else if (key == "symmetric")
                spec.symmetric = flag(member, at);
            else if (key == "is_dynamic" || key == "dynamic")
                spec.isDynamic = flag(member, at);
            else if (key == "round_method")
                readRounding(member, at, spec);
            else if (key == "group_size" || key == "ch_axis" || key == "axis")
                number(member, at);
            else if (key == "scale_type" || key == "observer_cls")
                text(member, at);
            else if (key == "zero_point_type" && member == Json("int32"))
                continue;
            else if (member != Json(false))
                report(Severity::Problem, at, "is " + member.dump() + ", which has no counterpart here and is left out.");
        }
        if (!typeOnly) {
            readScale(value, path, spec);
            readObserver(value, path, spec);
            readAxis(value, path, role, layerType, spec);
        }
        return spec;
    }

    void readGranularity(const Json &value, const std::string &path, QuantizationSpec &spec)
    {
        const std::string name = text(value, path);
        const auto known = enumFromName<Granularity>(name);
        if (known)
            spec.qscheme = known;
        else
            report(Severity::Problem, path, "is '" + name + "', which has no counterpart here; per_tensor is used.");
    }

    void readRounding(const Json &value, const std::string &path, QuantizationSpec &spec)
    {
        const std::string name = text(value, path);
        const auto known = enumFromName<RoundMethod>(name);
        if (known)
            spec.roundMethod = known;
        else
            report(Severity::Problem, path, "is '" + name + "', which has no counterpart here; half_even is used.");
    }

    void readScale(const Json &value, const std::string &path, QuantizationSpec &spec)
    {
        if (!says(value, "scale_type"))
            return;
        const std::string name = value["scale_type"].get<std::string>();
        if (name == "pof2")
            spec.scaleType = ScaleType::PowerOfTwo;
        else if (name != "float" && name != "float32")
            report(Severity::Problem, path + ".scale_type", "is '" + name + "'; scales are float32 here.");
    }

    void readObserver(const Json &value, const std::string &path, QuantizationSpec &spec)
    {
        if (!says(value, "observer_cls"))
            return;
        const std::string at = path + ".observer_cls", name = value["observer_cls"].get<std::string>();
        if (name == "PlaceholderObserver") {
            report(Severity::Note, at, "observes nothing; min_max is used.");
            return;
        }
        const quark::ObserverRow *row = quark::findObserver(name);
        if (!row) {
            report(Severity::Problem, at, "is '" + name + "', which has no counterpart here; min_max is used.");
            return;
        }
        spec.observer = row->kind;
        spec.qat = row->qat;
        if (row->kind == ObserverKind::Percentile)
            spec.percentile = quark::fixedPercentile;
        if (row->scaleType == ScaleType::PowerOfTwo) {
            spec.pof2Rounding = row->kind == ObserverKind::Pof2Mse ? PowerOfTwoRounding::Mse : PowerOfTwoRounding::Nearest;
            if (says(value, "scale_type") && spec.scaleType == ScaleType::Float)
                report(Severity::Note, at, "makes power-of-two scales, so scale_type is pof2 and not " + value["scale_type"].get<std::string>() + ".");
            spec.scaleType = ScaleType::PowerOfTwo;
        }
        if (!row->remark.empty())
            report(Severity::Note, at, std::string(row->remark) + ".");
    }

    /// Quark counts axes in PyTorch's weights: 0 = output channels (1 for ConvTranspose2d), which a layer knows by itself here.
    void readAxis(const Json &value, const std::string &path, const std::string &role, const std::string &layerType, QuantizationSpec &spec)
    {
        const char *axisKey = says(value, "ch_axis") ? "ch_axis" : "axis";
        const std::optional<int> axis = says(value, axisKey) ? std::optional<int>(value[axisKey].get<int>()) : std::nullopt;
        if (spec.qscheme == Granularity::PerGroup) {
            const int size = says(value, "group_size") ? value["group_size"].get<int>() : 0;
            if (size == -1)
                spec.qscheme = Granularity::PerChannel;
            else if (size < 1)
                fail(path + ".group_size", "must be at least 1 (or -1) where qscheme is per_group.");
            else
                spec.groupSize = size;
            if (axis == 0)
                report(Severity::Problem, path + "." + axisKey, "is 0: groups along the output channels have no counterpart; they run along the inputs here.");
        } else if (spec.qscheme == Granularity::PerChannel && axis) {
            const int own = layerType == "ConvTranspose2d" ? 1 : 0;
            if (role == "weight" ? axis != own : true)
                spec.chAxis = axis;
        }
    }

    void readTypes(const Json &types, Config &config)
    {
        for (const auto &[name, value] : types.items()) {
            const std::string path = "layer_type_quant_config." + name;
            const quark::LayerType *type = quark::findLayerType(name);
            if (!type) {
                report(Severity::Problem, path, "is a layer type without a counterpart and is left out; known are Conv2d, ConvTranspose2d and Linear.");
                continue;
            }
            if (type->operators.size() == 1) {
                config.byOpType[type->operators.front()] = layer(value, path, name);
                continue;
            }
            Rule rule{"op:", layer(value, path, name), false};
            for (const std::string &op : type->operators)
                rule.query += (rule.query.size() > 3 ? "," : "") + op;
            config.rules.insert(config.rules.begin(), std::move(rule));
        }
    }

    void readLayers(const Json &layers, Config &config)
    {
        std::vector<Rule> patterns; // the first match wins in Quark, the last rule here
        for (const auto &[name, value] : layers.items()) {
            const std::string path = "layer_quant_config." + name;
            QuantizationConfig one = layer(value, path, "");
            if (name.find_first_of("*?[") == std::string::npos) {
                config.byNode[name] = std::move(one);
            } else if (name.find_first_of(" ,|") != std::string::npos) {
                report(Severity::Problem, path, "is a pattern with a space, comma or bar, which a rule cannot hold; it is left out.");
            } else {
                warnOfSets(name, path);
                patterns.insert(patterns.begin(), {"name:" + name, std::move(one), false});
            }
        }
        config.rules.insert(config.rules.end(), patterns.begin(), patterns.end());
    }

    void warnOfSets(const std::string &pattern, const std::string &path)
    {
        if (pattern.find('[') != std::string::npos)
            report(Severity::Problem, path, "uses a set of characters [...], which is taken literally here.");
    }

    void readExclude(const Json &value, Config &config)
    {
        if (!value.is_array())
            fail("exclude", "must be a list, not " + value.dump() + ".");
        for (const Json &name : value) {
            config.exclude.push_back(text(name, "exclude"));
            warnOfSets(config.exclude.back(), "exclude." + config.exclude.back());
        }
    }

    void readAlgorithms(const Json &value, const std::string &key)
    {
        const Json list = value.is_array() ? value : Json::array({value});
        for (const Json &algorithm : list) {
            const std::string name = algorithm.is_object() && algorithm.contains("name") && algorithm["name"].is_string()
                ? algorithm["name"].get<std::string>() : algorithm.dump();
            report(Severity::Problem, key, "asks for the algorithm '" + name + "', which has no counterpart here and is not run.");
        }
    }

    QuarkImport m_result;
};

/// The configuration itself, also where a model's config.json wraps it; nullptr when it is not Quark's.
const Json *configurationIn(const Json &document)
{
    if (!document.is_object())
        return nullptr;
    const auto wrapped = document.find("quantization_config");
    const Json &inner = wrapped == document.end() ? document : *wrapped;
    const auto global = inner.is_object() ? inner.find("global_quant_config") : inner.end();
    return inner.is_object() && global != inner.end() && global->is_object() ? &inner : nullptr;
}

} // namespace

bool isQuarkConfig(std::string_view text)
{
    try {
        return configurationIn(BasicJsonObject<Json>::parse(text));
    } catch (const Error &) {
        return false;
    }
}

QuarkImport recipeFromQuark(std::string_view text)
{
    const Json document = BasicJsonObject<Json>::parse(text);
    const Json *configuration = configurationIn(document);
    if (!configuration)
        throw Error(ErrorKind::InvalidInput, "quark", "There is no 'global_quant_config' object, so this is not a configuration of AMD Quark.");
    return Reader().run(*configuration);
}

} // namespace core

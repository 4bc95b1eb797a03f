#include "core/spec/config_json.h"

#include "core/spec/json_reader.h"
#include "core/spec/spec_fields.h"
#include "core/spec/target_profile.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

namespace core {

namespace {

using Json = nlohmann::ordered_json;
using JsonObject = BasicJsonObject<Json>;

constexpr std::pair<ResizeMode, const char *> resizeModes[] = {
    {ResizeMode::None, "none"}, {ResizeMode::ShortSide, "short_side"}, {ResizeMode::Stretch, "stretch"}, {ResizeMode::Letterbox, "letterbox"}};
constexpr std::pair<Resampling, const char *> resamplings[] = {{Resampling::PilBilinear, "pil_bilinear"}, {Resampling::PilBicubic, "pil_bicubic"},
                                                               {Resampling::OpenCvLinear, "opencv_linear"}, {Resampling::OpenCvArea, "opencv_area"}};
constexpr std::pair<ChannelOrder, const char *> channelOrders[] = {{ChannelOrder::Rgb, "rgb"}, {ChannelOrder::Bgr, "bgr"}};

template <class E, std::size_t n> std::string_view nameOf(const std::pair<E, const char *> (&table)[n], E value)
{
    for (const auto &[candidate, name] : table)
        if (candidate == value)
            return name;
    return "?";
}

template <class E, std::size_t n> void readName(JsonObject &object, const char *key, const std::pair<E, const char *> (&table)[n], E &to)
{
    std::string name;
    if (!object.find(key))
        return;
    object.read(key, name);
    std::vector<std::string> names;
    for (const auto &[candidate, known] : table) {
        if (known == name) {
            to = candidate;
            return;
        }
        names.emplace_back(known);
    }
    JsonObject::fail(object.pathOf(key), "cannot be '" + name + "'; it is one of " + oneOf(names) + ".");
}

Json toJson(const QuantizationSpec &spec)
{
    Json json = Json::object();
    const bool best = spec.bestObserver.value_or(false) && !spec.observer;
    forEachField(spec, [&](const char *name, const auto &field) {
        using T = typename std::decay_t<decltype(field)>::value_type;
        if (std::string_view(name) == "best_observer" ? (!field || best) : !field)
            return;
        if (std::string_view(name) == "symmetric_range") {
            if constexpr (std::is_same_v<T, bool>)
                json[name] = *field ? "narrow" : "full";
        } else if constexpr (std::is_enum_v<T>) {
            json[name] = enumName(*field);
        } else if constexpr (std::is_same_v<T, Range>) {
            json[name] = {field->min, field->max};
        } else {
            json[name] = *field;
        }
    });
    if (best)
        json["observer"] = "best";
    return json;
}

void readSpec(JsonObject &object, QuantizationSpec &spec)
{
    forEachField(spec, [&](const char *name, auto &field) {
        using T = typename std::decay_t<decltype(field)>::value_type;
        const Json *value = object.find(name);
        if (!value)
            return;
        const std::string path = object.pathOf(name);
        if (std::string_view(name) == "symmetric_range") {
            const auto text = JsonObject::convert<std::string>(*value, path);
            if (text != "narrow" && text != "full")
                JsonObject::fail(path, "cannot be '" + text + "'; it is one of narrow, full.");
            if constexpr (std::is_same_v<T, bool>)
                field = text == "narrow";
        } else if constexpr (std::is_enum_v<T>) {
            const auto text = JsonObject::convert<std::string>(*value, path);
            if (std::string_view(name) == "observer" && text == "best") {
                spec.bestObserver = true;
                return;
            }
            field = enumFromName<T>(text);
            if (!field) {
                auto names = enumNames<T>();
                if (std::string_view(name) == "observer")
                    names.emplace_back("best");
                JsonObject::fail(path, "cannot be '" + text + "'; it is one of " + oneOf(names) + ".");
            }
        } else if constexpr (std::is_same_v<T, Range>) {
            const auto ends = JsonObject::convert<std::vector<double>>(*value, path);
            if (ends.size() != 2 || !(ends[0] <= ends[1]))
                JsonObject::fail(path, "must be [minimum, maximum], not " + value->dump() + ".");
            field = Range{ends[0], ends[1]};
        } else {
            field = JsonObject::convert<T>(*value, path);
        }
    });
    if (spec.percentile && !(*spec.percentile >= 90 && *spec.percentile <= 100))
        JsonObject::fail(object.pathOf("percentile"), "must lie between 90 and 100.");
    if (spec.groupSize && *spec.groupSize < 1)
        JsonObject::fail(object.pathOf("group_size"), "must be at least 1.");
}

void writeRoles(Json &json, const QuantizationConfig &config)
{
    forEachRole(config, [&](const char *name, const QuantizationSpec &spec) {
        if (!spec.empty())
            json[name] = toJson(spec);
    });
}

void readRoles(JsonObject &object, QuantizationConfig &config)
{
    forEachRole(config, [&](const char *name, QuantizationSpec &spec) { object.object(name, [&](JsonObject &inner) { readSpec(inner, spec); }); });
}

Json toJson(const Config &config)
{
    const auto roles = [](const QuantizationConfig &layer) {
        Json json = Json::object();
        writeRoles(json, layer);
        return json;
    };
    Json json = Json::object();
    if (config.global != QuantizationConfig{})
        json["global"] = roles(config.global);
    for (const auto &[type, layer] : config.byOpType)
        json["op_types"][type] = roles(layer);
    for (const Rule &rule : config.rules) {
        Json one = {{"query", rule.query}};
        if (rule.exclude)
            one["exclude"] = true;
        writeRoles(one, rule.config);
        json["rules"].push_back(std::move(one));
    }
    for (const auto &[name, layer] : config.byNode)
        json["nodes"][name] = roles(layer);
    if (!config.exclude.empty())
        json["exclude"] = config.exclude;
    if (!config.quantizeInputs)
        json["quantize_inputs"] = false;
    if (!config.quantizeOutputs)
        json["quantize_outputs"] = false;
    if (config.reduceRange)
        json["reduce_range"] = true;
    for (const auto &[name, indices] : config.disabledEdges)
        json["disabled_edges"][name] = indices;
    if (!config.splitConcats.empty())
        json["split_concats"] = config.splitConcats;
    return json;
}

void readConfig(JsonObject &object, Config &config)
{
    object.object("global", [&](JsonObject &inner) { readRoles(inner, config.global); });
    object.map("op_types", [&](const std::string &type, JsonObject &inner) { readRoles(inner, config.byOpType[type]); });
    if (const Json *rules = object.find("rules")) {
        const std::string path = object.pathOf("rules");
        if (!rules->is_array())
            JsonObject::fail(path, "must be a list, not " + rules->dump() + ".");
        for (std::size_t i = 0; i < rules->size(); ++i) {
            JsonObject inner((*rules)[i], path + "[" + std::to_string(i) + "]");
            Rule rule;
            if (!inner.find("query"))
                JsonObject::fail(inner.path(), "has no query.");
            inner.read("query", rule.query);
            inner.read("exclude", rule.exclude);
            readRoles(inner, rule.config);
            inner.finish();
            config.rules.push_back(std::move(rule));
        }
    }
    object.map("nodes", [&](const std::string &name, JsonObject &inner) { readRoles(inner, config.byNode[name]); });
    object.read("exclude", config.exclude);
    object.read("quantize_inputs", config.quantizeInputs);
    object.read("quantize_outputs", config.quantizeOutputs);
    object.read("reduce_range", config.reduceRange);
    if (const Json *edges = object.find("disabled_edges")) {
        const JsonObject holder(*edges, object.pathOf("disabled_edges"));
        for (const auto &[name, indices] : edges->items())
            config.disabledEdges[name] = JsonObject::convert<std::vector<int>>(indices, holder.pathOf(name));
    }
    object.read("split_concats", config.splitConcats);
}

Json toJson(const TransformSpec &transform)
{
    return {{"preset", transform.preset},
            {"resize", nameOf(resizeModes, transform.resize)},
            {"resize_to", transform.resizeTo},
            {"width", transform.width},
            {"height", transform.height},
            {"center_crop", transform.centerCrop},
            {"channels", nameOf(channelOrders, transform.order)},
            {"resampling", nameOf(resamplings, transform.resampling)},
            {"mean", transform.mean},
            {"std", transform.stddev},
            {"divisor", transform.divisor},
            {"exif_rotation", transform.exifRotation},
            {"pad_color", transform.padColor}};
}

template <class T> void readTriple(JsonObject &object, const char *key, std::array<T, 3> &to)
{
    std::vector<T> list;
    if (!object.find(key))
        return;
    object.read(key, list);
    if (list.size() != 3)
        JsonObject::fail(object.pathOf(key), "must have three entries.");
    std::copy(list.begin(), list.end(), to.begin());
}

void readTransform(JsonObject &object, TransformSpec &transform)
{
    std::string preset;
    object.read("preset", preset);
    if (!preset.empty())
        transform = transformPreset(preset);
    readName(object, "resize", resizeModes, transform.resize);
    object.read("resize_to", transform.resizeTo);
    object.read("width", transform.width);
    object.read("height", transform.height);
    object.read("center_crop", transform.centerCrop);
    readName(object, "channels", channelOrders, transform.order);
    readName(object, "resampling", resamplings, transform.resampling);
    readTriple(object, "mean", transform.mean);
    readTriple(object, "std", transform.stddev);
    object.read("divisor", transform.divisor);
    object.read("exif_rotation", transform.exifRotation);
    readTriple(object, "pad_color", transform.padColor);
    for (const auto &[key, size] : {std::pair{"resize_to", transform.resizeTo}, {"width", transform.width}, {"height", transform.height}})
        if (size < 0 || size > 65536)
            JsonObject::fail(object.pathOf(key), "must lie between 0 and 65536, not " + std::to_string(size) + ".");
    if (!(transform.divisor > 0) || std::any_of(transform.stddev.begin(), transform.stddev.end(), [](double s) { return !(s > 0); }))
        JsonObject::fail(object.path(), "needs a divisor and a std above 0.");
}

void checkVersion(JsonObject &object, int &version)
{
    object.read("schema_version", version);
    if (version != recipeSchemaVersion)
        JsonObject::fail(object.pathOf("schema_version"), "is " + std::to_string(version) + ", this program reads version "
                             + std::to_string(recipeSchemaVersion) + ".");
}

} // namespace

std::string_view resizeModeName(ResizeMode mode) { return nameOf(resizeModes, mode); }
std::string_view resamplingName(Resampling resampling) { return nameOf(resamplings, resampling); }
std::string_view channelOrderName(ChannelOrder order) { return nameOf(channelOrders, order); }

std::string configToJson(const Config &config)
{
    Json json = {{"schema_version", recipeSchemaVersion}};
    json.update(toJson(config));
    return json.dump(2) + "\n";
}

Config configFromJson(std::string_view text)
{
    const Json json = JsonObject::parse(text);
    JsonObject object(json, "");
    int version = recipeSchemaVersion;
    checkVersion(object, version);
    Config config;
    readConfig(object, config);
    object.finish();
    return config;
}

std::string recipeToJson(const Recipe &recipe)
{
    const Json json = {{"schema_version", recipe.schemaVersion},
                       {"preset", recipe.preset},
                       {"target", recipe.target},
                       {"config", toJson(recipe.config)},
                       {"transform", toJson(recipe.transform)},
                       {"algorithms", {{"equalize", recipe.equalize}, {"bias_correction", recipe.biasCorrection}}},
                       {"calibration", {{"images", recipe.calibrationImages}, {"batch_size", recipe.batchSize}}},
                       {"seed", recipe.seed},
                       {"opset", recipe.opset}};
    return json.dump(2) + "\n";
}

Recipe recipeFromJson(std::string_view text)
{
    const Json json = JsonObject::parse(text);
    JsonObject object(json, "");
    std::string preset = "best";
    object.read("preset", preset);
    Recipe recipe = presetRecipe(preset);
    checkVersion(object, recipe.schemaVersion);
    object.read("target", recipe.target);
    targetProfile(recipe.target);
    object.object("config", [&](JsonObject &inner) { readConfig(inner, recipe.config); });
    object.object("transform", [&](JsonObject &inner) { readTransform(inner, recipe.transform); });
    object.object("algorithms", [&](JsonObject &inner) {
        inner.read("equalize", recipe.equalize);
        inner.read("bias_correction", recipe.biasCorrection);
    });
    object.object("calibration", [&](JsonObject &inner) {
        inner.read("images", recipe.calibrationImages);
        inner.read("batch_size", recipe.batchSize);
        if (recipe.calibrationImages < 0 || recipe.batchSize < 1)
            JsonObject::fail(inner.path(), "needs images of at least 0 and a batch_size of at least 1.");
    });
    object.read("seed", recipe.seed);
    object.read("opset", recipe.opset);
    if (recipe.opset < 0)
        JsonObject::fail("opset", "must not be negative.");
    object.finish();
    return recipe;
}

} // namespace core

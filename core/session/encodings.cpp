#include "core/session/encodings.h"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace core {
namespace {

using Json = nlohmann::ordered_json;

Json describe(const QuantizedModel &model, const Point &point)
{
    const PointNumbers &numbers = model.numbers.at(std::size_t(point.id.index));
    const Scheme &scheme = point.scheme;
    Json json = {{"tensor", model.graph->value(point.value).name}, {"dtype", quantDtypeName(scheme.dtype)}, {"bits", dtypeBits(scheme.dtype)}};
    if (point.kind == PointKind::Activation && point.owner.valid())
        json["owner"] = model.graph->node(point.owner).name;
    json["readers"] = Json::array();
    for (const Graph::Use &use : point.uses)
        json["readers"].push_back(model.graph->node(use.node).name);
    if (scheme.dynamic) {
        json["dynamic"] = true;
        return json;
    }
    json["symmetric"] = scheme.symmetric;
    const bool scaled = isIntegerDtype(scheme.dtype) || scheme.dtype == QuantDtype::Fp8E4M3 || scheme.dtype == QuantDtype::Fp8E5M2;
    if (scaled) {
        json["scale"] = Json::array();
        json["zero_point"] = Json::array();
        Range range;
        for (const AffineParams &params : numbers.params) {
            json["scale"].push_back(params.scale);
            json["zero_point"].push_back(params.zeroPoint);
            const Range one = representableRange(params);
            range = {std::min(range.min, one.min), std::max(range.max, one.max)};
        }
        if (isIntegerDtype(scheme.dtype)) {
            json["min"] = range.min;
            json["max"] = range.max;
        }
    }
    if (scheme.granularity != Granularity::PerTensor && numbers.params.size() > 1)
        json["axis"] = scheme.channelAxis;
    if (scheme.granularity == Granularity::PerGroup)
        json["group_size"] = scheme.groupSize;
    if (point.shares.valid() && point.shares != point.id)
        json["shares_with"] = model.graph->value(model.placement.point(point.shares).value).name;
    return json;
}

} // namespace

std::string encodingsToJson(const QuantizedModel &model, const std::string &file)
{
    Json json = {{"schema_version", 1}, {"file", file}, {"activations", Json::array()}, {"weights", Json::array()}, {"biases", Json::array()}};
    for (const Point &point : model.placement.points) {
        if (!point.scheme.quantized())
            continue;
        const char *list = point.kind == PointKind::Activation ? "activations" : point.kind == PointKind::Weight ? "weights" : "biases";
        json[list].push_back(describe(model, point));
    }
    return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

} // namespace core

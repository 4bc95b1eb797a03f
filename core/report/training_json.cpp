#include "core/report/training_json.h"

#include "core/report/evaluation_fields.h"

#include <nlohmann/json.hpp>

#include <cmath>
#include <limits>

namespace core {
namespace {

using Json = nlohmann::ordered_json;

Json finite(double value) { return std::isfinite(value) ? Json(value) : Json(); }
double number(const Json &json) { return json.is_null() ? std::numeric_limits<double>::quiet_NaN() : json.get<double>(); }

Json toJson(const CurvePoint &point)
{
    Json json{{"step", point.step}, {"epoch", point.epoch}, {"loss", finite(point.loss)}, {"learning_rate", point.learningRate}};
    if (point.evaluation)
        putEvaluation(json, *point.evaluation);
    return json;
}

std::optional<double> optionalNumber(const Json &json, const char *key)
{
    return json.contains(key) ? std::optional(json[key].get<double>()) : std::nullopt;
}

CurvePoint pointFromJson(const Json &json)
{
    CurvePoint point{json.at("step"), json.at("epoch"), number(json.at("loss")), json.at("learning_rate"), {}};
    if (!json.contains("images"))
        return point;
    Evaluation evaluation;
    evaluation.top1 = optionalNumber(json, "top1");
    evaluation.top5 = optionalNumber(json, "top5");
    if (json.contains("agreement")) {
        const Json &agreement = json["agreement"];
        evaluation.agreement = AgreementFigures{agreement.at("top1"), agreement.at("cosine"), agreement.at("sqnr_db")};
    }
    evaluation.images = json.at("images");
    evaluation.skipped = json.at("skipped");
    point.evaluation = std::move(evaluation);
    return point;
}

Json toJson(const std::vector<CurvePoint> &curve)
{
    Json json = Json::array();
    for (const CurvePoint &point : curve)
        json.push_back(toJson(point));
    return json;
}

std::vector<CurvePoint> pointsFromJson(const Json &json)
{
    std::vector<CurvePoint> curve;
    for (const Json &point : json)
        curve.push_back(pointFromJson(point));
    return curve;
}

} // namespace

std::string recordToJson(const TrainingRecord &record)
{
    Json json{{"method", record.method}, {"spec", Json::parse(record.specJson, nullptr, false)}, {"steps", record.steps}, {"best_step", record.bestStep},
              {"seconds", record.seconds}, {"ending", record.ending}, {"curve", toJson(record.curve)}};
    if (json["spec"].is_discarded())
        json["spec"] = Json();
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

TrainingRecord recordFromJson(const std::string &text)
{
    try {
        const Json json = Json::parse(text);
        TrainingRecord record;
        record.method = json.at("method");
        record.specJson = json.at("spec").is_null() ? std::string() : json.at("spec").dump(2) + "\n";
        record.steps = json.at("steps");
        record.bestStep = json.at("best_step");
        record.seconds = json.at("seconds");
        record.ending = json.at("ending");
        record.curve = pointsFromJson(json.at("curve"));
        return record;
    } catch (const Json::exception &) {
        throw Error(ErrorKind::InvalidInput, "report", "This is no record of a training.");
    }
}

std::string curveToJson(const std::vector<CurvePoint> &curve)
{
    return toJson(curve).dump();
}

std::vector<CurvePoint> curveFromJson(const std::string &text)
{
    try {
        return pointsFromJson(Json::parse(text));
    } catch (const Json::exception &) {
        throw Error(ErrorKind::InvalidInput, "report", "This is no curve of a training.");
    }
}

std::string pointToJson(const CurvePoint &point)
{
    return toJson(point).dump();
}

} // namespace core

#include "core/report/training_json.h"

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
    if (!point.evaluation)
        return json;
    const Evaluation &evaluation = *point.evaluation;
    if (evaluation.top1)
        json["top1"] = *evaluation.top1;
    if (evaluation.top5)
        json["top5"] = *evaluation.top5;
    if (const auto &agreement = evaluation.agreement)
        json["agreement"] = {{"top1", agreement->top1}, {"cosine", agreement->cosine}, {"sqnr_db", agreement->sqnrDb}};
    json["images"] = evaluation.images;
    json["skipped"] = evaluation.skipped;
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

} // namespace

std::string recordToJson(const TrainingRecord &record)
{
    Json json{{"method", record.method}, {"spec", Json::parse(record.specJson, nullptr, false)}, {"steps", record.steps}, {"best_step", record.bestStep},
              {"seconds", record.seconds}, {"ending", record.ending}, {"curve", Json::array()}};
    if (json["spec"].is_discarded())
        json["spec"] = Json();
    for (const CurvePoint &point : record.curve)
        json["curve"].push_back(toJson(point));
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
        for (const Json &point : json.at("curve"))
            record.curve.push_back(pointFromJson(point));
        return record;
    } catch (const Json::exception &) {
        throw Error(ErrorKind::InvalidInput, "report", "This is no record of a training.");
    }
}

std::string pointToJson(const CurvePoint &point)
{
    return toJson(point).dump();
}

} // namespace core

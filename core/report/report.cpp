#include "core/report/report.h"

#include "core/report/evaluation_fields.h"
#include "core/report/training_json.h"

#include <nlohmann/json.hpp>

namespace core {

namespace {

using Json = nlohmann::ordered_json;

const char *severityName(Severity severity)
{
    switch (severity) {
    case Severity::Note: return "note";
    case Severity::Warning: return "warning";
    case Severity::Problem: break;
    }
    return "problem";
}

Json toJson(const Evaluation &evaluation)
{
    Json json = Json::object();
    putEvaluation(json, evaluation);
    return json;
}

Json toJson(const LayerRow &row)
{
    return {{"node", row.node},
            {"op", row.opType},
            {"tensor", row.tensor},
            {"kind", row.kind},
            {"badge", row.badge},
            {"observer", row.observer},
            {"scales", row.scales},
            {"zero_points", row.zeroPoints},
            {"range", {row.rangeMin, row.rangeMax}},
            {"seen", {row.seenMin, row.seenMax}},
            {"sqnr_db", row.sqnrDb},
            {"clipped", row.clippedShare},
            {"reason", row.reason},
            {"provenance", row.provenance}};
}

Json toJson(const Judge &judge)
{
    Json json = {{"name", judge.name}, {"ran", judge.ran}};
    if (judge.top1)
        json["top1"] = *judge.top1;
    if (judge.top5)
        json["top5"] = *judge.top5;
    if (judge.ran) {
        json["largest_difference"] = judge.largestDifference;
        json["mean_difference"] = judge.meanDifference;
    }
    if (!judge.note.empty())
        json["note"] = judge.note;
    return json;
}

Json toJson(const Diagnostics &diagnostics)
{
    Json list = Json::array();
    for (const Diagnostic &diagnostic : diagnostics)
        list.push_back({{"severity", severityName(diagnostic.severity)}, {"code", diagnostic.code}, {"node", diagnostic.node}, {"sentence", diagnostic.sentence}});
    return list;
}

} // namespace

std::string reportToJson(const Report &report, bool withLayers)
{
    Json json = {{"file", report.file}, {"float", toJson(report.floating)}, {"quantized", toJson(report.quantized)}, {"exported", toJson(report.exported)}};
    if (const auto &agreement = report.exported.agreement ? report.exported.agreement : report.quantized.agreement)
        json["agreement"] = agreementFields<Json>(*agreement);
    json["images_per_second"] = {{"float", report.floating.imagesPerSecond},
                                 {"calibrate", report.calibrateImagesPerSecond},
                                 {"quantized", report.quantized.imagesPerSecond},
                                 {"exported", report.exported.imagesPerSecond}};
    if (!report.torchScriptFile.empty())
        json["torchscript"] = report.torchScriptFile;
    json["seconds"] = report.seconds;
    json["program"] = report.program;
    json["source"] = report.sourceFile;
    json["preset"] = report.preset;
    json["target"] = report.target;
    json["opset"] = report.opset;
    json["bytes"] = {{"source", report.sourceBytes}, {"file", report.fileBytes}};
    json["calibration_images"] = report.calibrationImages;
    json["frozen_equal"] = report.frozenEqual;
    json["judges"] = Json::array();
    for (const Judge &judge : report.judges)
        json["judges"].push_back(toJson(judge));
    json["warnings"] = toJson(report.diagnostics);
    if (report.training)
        json["training"] = Json::parse(recordToJson(*report.training));
    if (withLayers) {
        json["layers"] = Json::array();
        for (const LayerRow &row : report.layers)
            json["layers"].push_back(toJson(row));
        const Json recipe = Json::parse(report.recipeJson, nullptr, false);
        if (!recipe.is_discarded())
            json["recipe"] = recipe;
    }
    return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

} // namespace core

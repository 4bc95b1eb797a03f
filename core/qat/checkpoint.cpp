#include "core/qat/checkpoint.h"

#include "core/exec/executor.h"
#include "core/weights/weight_file.h"

#include <nlohmann/json.hpp>

#include <ATen/ATen.h>

namespace core {
namespace {

using Json = nlohmann::json;

constexpr int formatVersion = 1;

void put(WeightFile &file, const std::string &prefix, const std::vector<NamedTensor> &tensors)
{
    for (const NamedTensor &one : tensors)
        file.tensors.emplace_back(prefix + one.name, toTensorData(one.tensor.detach().contiguous()));
}

std::vector<NamedTensor> take(const WeightFile &file, const std::string &prefix)
{
    std::vector<NamedTensor> tensors;
    for (const auto &[name, data] : file.tensors)
        if (name.starts_with(prefix))
            tensors.push_back({name.substr(prefix.size()), toTensor(data)});
    return tensors;
}

Json toJson(const std::optional<double> &value) { return value ? Json(*value) : Json(); }

std::optional<double> number(const Json &json) { return json.is_null() ? std::nullopt : std::optional(json.get<double>()); }

Json toJson(const CurvePoint &point)
{
    Json json{{"step", point.step}, {"epoch", point.epoch}, {"loss", point.loss}, {"learning_rate", point.learningRate}};
    if (const auto &evaluation = point.evaluation) {
        Json &e = json["evaluation"] = {{"images", evaluation->images}, {"skipped", evaluation->skipped}, {"top1", toJson(evaluation->top1)},
                                        {"top5", toJson(evaluation->top5)}, {"images_per_second", evaluation->imagesPerSecond}};
        if (const auto &agreement = evaluation->agreement)
            e["agreement"] = {agreement->top1, agreement->cosine, agreement->sqnrDb};
    }
    return json;
}

CurvePoint pointFromJson(const Json &json)
{
    CurvePoint point{json.at("step"), json.at("epoch"), json.at("loss"), json.at("learning_rate"), {}};
    if (json.contains("evaluation")) {
        const Json &e = json["evaluation"];
        Evaluation evaluation;
        evaluation.images = e.at("images");
        evaluation.skipped = e.at("skipped");
        evaluation.top1 = number(e.at("top1"));
        evaluation.top5 = number(e.at("top5"));
        evaluation.imagesPerSecond = e.at("images_per_second");
        if (e.contains("agreement"))
            evaluation.agreement = AgreementFigures{e["agreement"].at(0), e["agreement"].at(1), e["agreement"].at(2)};
        point.evaluation = std::move(evaluation);
    }
    return point;
}

} // namespace

void writeCheckpoint(const Checkpoint &checkpoint, const std::filesystem::path &path)
{
    const TrainingRecord &record = checkpoint.record;
    Json curve = Json::array();
    for (const CurvePoint &point : record.curve)
        curve.push_back(toJson(point));
    Json json{{"format", formatVersion}, {"key", checkpoint.key}, {"step", checkpoint.step}, {"method", record.method}, {"spec", record.specJson},
              {"best_step", record.bestStep}, {"seconds", record.seconds}, {"ending", record.ending}, {"curve", std::move(curve)},
              {"plateau_factor", checkpoint.plateauFactor}, {"plateau_waiting", checkpoint.plateauWaiting},
              {"without_progress", checkpoint.withoutProgress}, {"smoothed_loss", checkpoint.smoothedLoss}, {"first_loss", checkpoint.firstLoss},
              {"finished", checkpoint.finished}};
    if (checkpoint.bestScore)
        json["best_score"] = {checkpoint.bestScore->accuracy, checkpoint.bestScore->sqnr};
    WeightFile file;
    put(file, "model/", checkpoint.model);
    put(file, "optimizer/", checkpoint.optimizer);
    put(file, "best/", checkpoint.best);
    file.metadata["quantscope_training"] = json.dump();
    writeSafetensors(file, path);
}

Checkpoint readCheckpoint(const std::filesystem::path &path)
{
    const WeightFile file = readWeights(path);
    const auto refuse = [&path](const std::string &what) { return Error(ErrorKind::InvalidInput, "train", "'" + path.string() + "' " + what); };
    const auto text = file.metadata.find("quantscope_training");
    if (text == file.metadata.end())
        throw refuse("is no checkpoint of a training.");
    try {
        const Json json = Json::parse(text->second);
        if (json.at("format") != formatVersion)
            throw refuse("is a checkpoint of another version of this program; train anew.");
        Checkpoint checkpoint;
        checkpoint.key = json.at("key");
        checkpoint.step = checkpoint.record.steps = json.at("step");
        checkpoint.record.method = json.at("method");
        checkpoint.record.specJson = json.at("spec");
        checkpoint.record.bestStep = json.at("best_step");
        checkpoint.record.seconds = json.at("seconds");
        checkpoint.record.ending = json.at("ending");
        for (const Json &point : json.at("curve"))
            checkpoint.record.curve.push_back(pointFromJson(point));
        checkpoint.plateauFactor = json.at("plateau_factor");
        checkpoint.plateauWaiting = json.at("plateau_waiting");
        checkpoint.withoutProgress = json.at("without_progress");
        checkpoint.smoothedLoss = json.at("smoothed_loss");
        checkpoint.firstLoss = json.at("first_loss");
        checkpoint.finished = json.at("finished");
        if (json.contains("best_score"))
            checkpoint.bestScore = TrainingScore{json["best_score"].at(0), json["best_score"].at(1)};
        checkpoint.model = take(file, "model/");
        checkpoint.optimizer = take(file, "optimizer/");
        checkpoint.best = take(file, "best/");
        return checkpoint;
    } catch (const Json::exception &) {
        throw refuse("is a damaged checkpoint; train anew.");
    }
}

} // namespace core

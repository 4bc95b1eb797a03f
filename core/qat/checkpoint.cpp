#include "core/qat/checkpoint.h"

#include "core/exec/executor.h"
#include "core/report/training_json.h"
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

} // namespace

void writeCheckpoint(const Checkpoint &checkpoint, const std::filesystem::path &path)
{
    Json json{{"format", formatVersion}, {"key", checkpoint.key}, {"step", checkpoint.step}, {"plateau_factor", checkpoint.plateauFactor}, {"plateau_waiting", checkpoint.plateauWaiting},
              {"without_progress", checkpoint.withoutProgress}, {"smoothed_loss", checkpoint.smoothedLoss}, {"first_loss", checkpoint.firstLoss},
              {"finished", checkpoint.finished}};
    if (checkpoint.bestScore)
        json["best_score"] = {checkpoint.bestScore->accuracy, checkpoint.bestScore->sqnr};
    WeightFile file;
    put(file, "model/", checkpoint.model);
    put(file, "optimizer/", checkpoint.optimizer);
    put(file, "best/", checkpoint.best);
    file.metadata["quantscope_training"] = json.dump();
    file.metadata["quantscope_record"] = recordToJson(checkpoint.record);
    writeSafetensors(file, path);
}

Checkpoint readCheckpoint(const std::filesystem::path &path)
{
    const WeightFile file = readWeights(path);
    const auto refuse = [&path](const std::string &what) { return Error(ErrorKind::InvalidInput, "train", "'" + path.string() + "' " + what); };
    const auto text = file.metadata.find("quantscope_training");
    if (text == file.metadata.end() || !file.metadata.contains("quantscope_record"))
        throw refuse("is no checkpoint of a training.");
    try {
        const Json json = Json::parse(text->second);
        if (json.at("format") != formatVersion)
            throw refuse("is a checkpoint of another version of this program; train anew.");
        Checkpoint checkpoint;
        checkpoint.key = json.at("key");
        checkpoint.record = recordFromJson(file.metadata.at("quantscope_record"));
        checkpoint.step = json.at("step");
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

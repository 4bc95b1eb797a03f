// A training as it stands between two steps: enough to go on with the same curve, bit for bit. Stored as one safetensors file.
#pragma once

#include "core/quant/fake_quantizer.h"
#include "core/report/report.h"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace core {

struct TrainingScore {
    double accuracy = 0, sqnr = 0;       ///< top-1 where there are labels (else 0), then the agreement
    friend auto operator<=>(const TrainingScore &, const TrainingScore &) = default;
};

struct Checkpoint {
    std::string key;                     ///< of model, data and recipe; another one does not fit
    TrainingRecord record;
    std::int64_t step = 0;               ///< steps made
    std::vector<NamedTensor> model, optimizer;   ///< TrainingModel::state(), Optimizer::state()
    double plateauFactor = 1;
    int plateauWaiting = 0, withoutProgress = 0;
    double smoothedLoss = 0, firstLoss = 0;
    std::optional<TrainingScore> bestScore;
    std::vector<NamedTensor> best;       ///< TrainingModel::state() at bestStep; empty before an evaluation
    bool finished = false;
};

/// Atomically. Throws Error{Io}.
void writeCheckpoint(const Checkpoint &checkpoint, const std::filesystem::path &file);
/// Throws Error{Io} or {InvalidInput} naming the file.
Checkpoint readCheckpoint(const std::filesystem::path &file);

} // namespace core

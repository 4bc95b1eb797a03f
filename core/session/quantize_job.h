// The whole way from a float file to a quantized, measured and verified one.
#pragma once

#include "core/quant/quantized_model.h"
#include "core/report/report.h"
#include "core/session/session.h"

#include <functional>
#include <string>

namespace core {

/// Throws Error{Unsupported} naming the file and every node that cannot run.
void requireExecutable(const Graph &graph, const std::filesystem::path &file);

/// What a training puts between quantizing and freezing.
struct TrainingStage {
    bool quantizes = true;            ///< false: the float model itself is trained, and written without quantizers
    std::string name;                 ///< ends the file's name instead of the preset
    /// From the calibrated model (quantizes == false: `source` with an empty placement) to the trained one. May add to the report.
    std::function<QuantizedModel(const Graph &source, QuantizedModel start, Report &report)> train;
};

/// See Session::quantize() and Session::train().
Report runQuantizeJob(const QuantizeRequest &request, int threads, Progress &progress, const TrainingStage *training = nullptr);

} // namespace core

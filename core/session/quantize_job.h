// The whole way from a float file to a quantized, measured and verified one.
#pragma once

#include "core/ptq/calibrator.h"
#include "core/ptq/pipeline.h"
#include "core/report/report.h"
#include "core/session/session.h"

#include <vector>

namespace core {

struct KeyedCalibration {
    StatisticsKey key;
    CalibrationResult result;
};

/// One pass over request.calibration (at most recipe.calibrationImages). Throws Error, Cancelled.
KeyedCalibration calibrateFor(const PtqPipeline &pipeline, const std::vector<CalibrationTarget> &targets, const QuantizeRequest &request,
                              int threads, Progress &progress);

/// Throws Error{Unsupported} naming the file and every node that cannot run.
void requireExecutable(const Graph &graph, const std::filesystem::path &file);

/// See Session::quantize().
Report runQuantizeJob(const QuantizeRequest &request, int threads, Progress &progress);

} // namespace core

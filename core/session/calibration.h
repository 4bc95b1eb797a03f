// Statistics for a request: from its data, or those that an earlier pass left.
#pragma once

#include "core/ptq/calibrator.h"
#include "core/ptq/pipeline.h"
#include "core/session/session.h"

#include <memory>
#include <vector>

namespace core {

struct KeyedCalibration {
    StatisticsKey key;
    CalibrationResult result;
};

/// request.calibration, at most recipe.calibrationImages of it.
DataSource calibrationSource(const QuantizeRequest &request);

/// What is measured on: the validation data, else at most so many images of the calibration data. ImageRun and FlippedImage count in it.
inline constexpr std::size_t imagesWithoutValidation = 64;
DataSource measuredSource(const QuantizeRequest &request);

/// What statistics for this request must have been made from; without data its part is empty.
StatisticsKey keyFor(const PtqPipeline &pipeline, const QuantizeRequest &request);
std::string keyText(const StatisticsKey &key);

/// One pass over the data. Throws Error, Cancelled.
KeyedCalibration calibrateFor(const PtqPipeline &pipeline, const std::vector<CalibrationTarget> &targets, const QuantizeRequest &request,
                              int threads, Progress &progress);

/// Of every float tensor; request.calibrated itself while its key fits.
std::shared_ptr<const Calibration> calibrateAll(const PtqPipeline &pipeline, const QuantizeRequest &request, int threads, Progress &progress);

/// request.calibrated when its key fits, else request.statistics where given, else a pass over the placed tensors.
CalibrationResult statisticsFor(const PtqPipeline &pipeline, const QuantizeRequest &request, int threads, Progress &progress);

} // namespace core

// The record of a training as JSON, as reports, projects and checkpoints hold it.
#pragma once

#include "core/report/report.h"

#include <string>

namespace core {

/// One line, numbers such that they are read back bit for bit; a loss that is NaN (before the first step) is null.
std::string recordToJson(const TrainingRecord &record);
/// Throws Error{InvalidInput} when it is no such text.
TrainingRecord recordFromJson(const std::string &json);

/// The curve alone, likewise.
std::string curveToJson(const std::vector<CurvePoint> &curve);
std::vector<CurvePoint> curveFromJson(const std::string &json);

/// One point as one line: step, epoch, loss, learning_rate, and of an evaluation top1, top5, agreement, images.
std::string pointToJson(const CurvePoint &point);

} // namespace core

// A report as a project keeps it: all that the window shows of an older run, without the histograms.
#pragma once

#include "core/report/report.h"

#include <QJsonArray>
#include <QJsonObject>

namespace app {

QJsonObject reportToRunJson(const core::Report &report);
/// Missing fields stay at their defaults.
core::Report reportFromRunJson(const QJsonObject &json);

QJsonArray curveToJson(const std::vector<core::CurvePoint> &curve);
std::vector<core::CurvePoint> curveFromJson(const QJsonValue &json);

} // namespace app

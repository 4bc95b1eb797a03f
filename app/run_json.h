// A report as a project keeps it: all that the window shows of an older run, without the histograms.
#pragma once

#include "core/report/report.h"

#include <QJsonObject>

namespace app {

QJsonObject reportToRunJson(const core::Report &report);
/// Missing fields stay at their defaults. Throws core::Error{InvalidInput} for a training that cannot be read.
core::Report reportFromRunJson(const QJsonObject &json);

} // namespace app

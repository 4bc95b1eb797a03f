// The whole way from a float file to a quantized, measured and verified one.
#pragma once

#include "core/report/report.h"
#include "core/session/session.h"

namespace core {

/// Throws Error{Unsupported} naming the file and every node that cannot run.
void requireExecutable(const Graph &graph, const std::filesystem::path &file);

/// See Session::quantize().
Report runQuantizeJob(const QuantizeRequest &request, int threads, Progress &progress);

} // namespace core

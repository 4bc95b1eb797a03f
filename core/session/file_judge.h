// How another runtime sees the written file: accuracy, and how far its outputs are from ours.
#pragma once

#include "core/metrics/top_k.h"
#include "core/report/report.h"
#include "core/session/evaluator.h"
#include "core/session/foreign_runtime.h"

#include <memory>

namespace core {

/// Runs on the batches that evaluateGraphs() has at hand, so no image is decoded twice and memory does not grow. At most about
/// `mostImages` images, spread evenly, and at most `mostSeconds`. Fails quietly: what went wrong stands in the verdict.
class FileJudge {
public:
    static constexpr std::int64_t mostImages = 1000;
    static constexpr double mostSeconds = 300;

    FileJudge(const std::filesystem::path &file, const ForeignRuntimeOptions &options, bool useLabels, Progress &progress);
    /// `ours`: which model of the batch its outputs are compared with.
    void add(const EvaluatedBatch &batch, std::size_t ours);
    /// Also for the report: a Diagnostic when it refuses or fails.
    Judge verdict(Diagnostics &diagnostics) const;
    double imagesPerSecond() const { return m_seconds > 0 ? double(m_timedImages) / m_seconds : 0; }

private:
    Progress &m_progress;
    bool m_useLabels;
    std::unique_ptr<ForeignRuntime> m_runtime;
    NoRuntime m_why;
    std::string m_name, m_failure;
    TopK m_accuracy;
    OutputDifference m_difference;
    std::int64_t m_images = 0, m_timedImages = 0, m_offered = 0;
    double m_seconds = 0, m_allSeconds = 0;
};

} // namespace core

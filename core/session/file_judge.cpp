#include "core/session/file_judge.h"

#include "core/metrics/scored_output.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <chrono>

namespace core {

FileJudge::FileJudge(const std::filesystem::path &file, const ForeignRuntimeOptions &options, bool useLabels, Progress &progress)
    : m_progress(progress), m_useLabels(useLabels), m_runtime(openForeignRuntime(file, options, progress, m_why)), m_name(m_runtime ? m_runtime->name() : "ONNX Runtime")
{
}

void FileJudge::add(const EvaluatedBatch &batch, std::size_t ours)
{
    m_offered += batch.count;
    const std::int64_t perBatch = std::max<std::int64_t>(batch.count, 1), wanted = std::max<std::int64_t>(mostImages / perBatch, 1);
    const std::int64_t step = std::max<std::int64_t>((batch.batches + wanted - 1) / wanted, 1);
    if (!m_runtime || batch.index % step != 0 || m_allSeconds > mostSeconds)
        return;
    const auto start = std::chrono::steady_clock::now();
    try {
        const std::vector<at::Tensor> outputs = m_runtime->run(batch.inputs, m_progress);
        const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        m_allSeconds += seconds;
        if (m_images > 0) {
            m_seconds += seconds;
            m_timedImages += batch.count;
        }
        m_images += batch.count;
        m_difference.add(outputs, batch.outputs.at(ours), batch.count);
        const at::Tensor scores = scoredTensor(outputs);
        if (m_useLabels && scoredOutput(outputs) >= 0 && scores.size(0) >= batch.count)
            m_accuracy.add(scores.slice(0, 0, batch.count), batch.labels);
    } catch (const Error &error) {
        m_failure = error.sentence();
        m_runtime.reset();
    }
}

Judge FileJudge::verdict(Diagnostics &diagnostics) const
{
    Judge judge;
    judge.name = m_name;
    judge.ran = m_images > 0;
    if (m_accuracy.images > 0) {
        judge.top1 = m_accuracy.top1Percent();
        judge.top5 = m_accuracy.top5Percent();
    }
    judge.largestDifference = m_difference.largest;
    judge.meanDifference = m_difference.mean();
    judge.note = m_failure.empty() ? m_why.sentence : m_failure;
    if (judge.note.empty() && m_images < m_offered)
        judge.note = "Ran on " + std::to_string(m_images) + " of " + std::to_string(m_offered) + " images.";
    if (m_why.refused || !m_failure.empty())
        diagnostics.push_back({Severity::Warning, "judge-failed", "", judge.note});
    return judge;
}

} // namespace core

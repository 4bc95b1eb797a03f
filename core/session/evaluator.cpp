#include "core/session/evaluator.h"

#include "core/data/loader.h"
#include "core/exec/executor.h"
#include "core/metrics/agreement.h"
#include "core/metrics/scored_output.h"
#include "core/metrics/top_k.h"
#include "core/session/model_loading.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>

namespace core {
namespace {

using Clock = std::chrono::steady_clock;

struct Running {
    Executor executor;
    TopK accuracy;
    Agreement agreement;
    double seconds = 0, firstSeconds = 0;
};

bool sameBits(const at::Tensor &a, const at::Tensor &b)
{
    if (a.sizes() != b.sizes() || a.scalar_type() != b.scalar_type())
        return false;
    const at::Tensor x = a.contiguous(), y = b.contiguous();
    return x.nbytes() == 0 || std::memcmp(x.data_ptr(), y.data_ptr(), x.nbytes()) == 0;
}

/// Without the first batch, in which plans are made, unless there is no other.
double imagesPerSecond(const Running &model, std::int64_t images, std::int64_t firstImages)
{
    const bool more = images > firstImages && model.seconds > model.firstSeconds;
    const double seconds = more ? model.seconds - model.firstSeconds : model.seconds;
    return seconds > 0 ? double(more ? images - firstImages : images) / seconds : 0;
}

} // namespace

bool sameOutputs(const std::vector<at::Tensor> &a, const std::vector<at::Tensor> &b)
{
    if (a.size() != b.size())
        return false;
    for (std::size_t i = 0; i < a.size(); ++i)
        if (!sameBits(a[i], b[i]))
            return false;
    return true;
}

void OutputDifference::add(const std::vector<at::Tensor> &a, const std::vector<at::Tensor> &b, std::int64_t count)
{
    for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
        if (!a[i].is_floating_point() || a[i].sizes() != b[i].sizes() || a[i].numel() == 0)
            continue;
        const bool rows = a[i].dim() > 0 && a[i].size(0) > count;
        at::Tensor x = a[i].to(at::kFloat).contiguous(), y = b[i].to(at::kFloat).contiguous();
        if (rows) {
            x = x.slice(0, 0, count);
            y = y.slice(0, 0, count);
        }
        const float *p = x.data_ptr<float>(), *q = y.data_ptr<float>();
        for (std::int64_t k = 0; k < x.numel(); ++k) {
            const double difference = p[k] == q[k] ? 0.0 : std::fabs(double(p[k]) - double(q[k]));
            largest = std::max(largest, difference);
            sum += difference;
        }
        elements += x.numel();
    }
}

EvaluationResult evaluateGraphs(const std::vector<std::shared_ptr<const Graph>> &graphs, const Dataset &dataset,
                                const EvaluationOptions &options, Progress &progress, const BatchObserver &observer)
{
    at::NoGradGuard noGrad;
    std::vector<Running> running;
    for (const auto &graph : graphs)
        running.push_back({Executor(graph), {}, {}, 0, 0});
    EvaluationResult result;
    result.sameAsPrevious.assign(graphs.size(), true);
    const std::int64_t total = std::int64_t(dataset.size());
    progress.beginStage(options.stage, total);
    const int fixedBatch = runBatchSize(*graphs.front(), 0);
    const int batchSize = fixedBatch > 0 ? fixedBatch : std::max(options.batchSize, 1);
    Loader loader(dataset, batchSize, options.threads);
    const bool labelled = options.useLabels && dataset.hasLabels();
    std::int64_t index = 0, firstImages = 0;
    std::vector<std::vector<at::Tensor>> outputs(running.size());
    while (std::optional<Batch> batch = loader.next()) {
        const std::int64_t count = std::int64_t(batch->indices.size());
        std::vector<at::Tensor> inputs = batch->inputs;
        if (fixedBatch > 0)
            for (at::Tensor &input : inputs)
                input = filledBatch(input, fixedBatch);
        // Decoding goes on beside the model that runs first, so each takes its turn at that.
        for (std::size_t turn = 0; turn < running.size(); ++turn) {
            const std::size_t m = (turn + std::size_t(index)) % running.size();
            const auto start = Clock::now();
            outputs[m] = running[m].executor.run(inputs);
            const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
            running[m].seconds += seconds;
            if (index == 0)
                running[m].firstSeconds = seconds;
        }
        const at::Tensor reference = scoredTensor(outputs[0]);
        for (std::size_t m = 0; m < running.size(); ++m) {
            if (m > 0)
                result.sameAsPrevious[m] = result.sameAsPrevious[m] && sameOutputs(outputs[m], outputs[m - 1]);
            const at::Tensor scores = scoredTensor(outputs[m]);
            if (!scores.defined() || scores.dim() < 1 || scores.size(0) < count)
                continue;
            if (labelled && scoredOutput(outputs[m]) >= 0)
                running[m].accuracy.add(scores.slice(0, 0, count), batch->labels);
            if (m > 0 && options.compareWithFirst && reference.sizes() == scores.sizes())
                running[m].agreement.add(reference.slice(0, 0, count), scores.slice(0, 0, count));
        }
        result.images += count;
        if (index == 0)
            firstImages = count;
        if (observer)
            observer({inputs, outputs, batch->labels, batch->indices, index, count, (total + batchSize - 1) / batchSize});
        ++index;
        progress.checkpoint(count ? std::int64_t(batch->indices.back()) + 1 : result.images, total);
    }
    for (std::size_t m = 0; m < running.size(); ++m) {
        Evaluation evaluation;
        evaluation.images = result.images;
        evaluation.skipped = std::int64_t(loader.skipped().size());
        evaluation.diagnostics = loader.skipped();
        if (running[m].accuracy.images > 0) {
            evaluation.top1 = running[m].accuracy.top1Percent();
            evaluation.top5 = running[m].accuracy.top5Percent();
        }
        if (m > 0 && options.compareWithFirst && running[m].agreement.images > 0)
            evaluation.agreement = AgreementFigures{running[m].agreement.top1Percent(), running[m].agreement.cosine(), running[m].agreement.sqnrDb()};
        evaluation.imagesPerSecond = imagesPerSecond(running[m], result.images, firstImages);
        result.models.push_back(std::move(evaluation));
    }
    return result;
}

} // namespace core

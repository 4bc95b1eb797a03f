#include "core/session/evaluator.h"

#include "core/data/loader.h"
#include "core/exec/executor.h"
#include "core/metrics/agreement.h"
#include "core/metrics/top_k.h"
#include "core/session/model_loading.h"

#include <torch/torch.h>

#include <chrono>
#include <cstring>

namespace core {
namespace {

using Clock = std::chrono::steady_clock;

struct Running {
    Executor executor;
    TopK accuracy;
    Agreement agreement;
    double seconds = 0;
};

bool sameBits(const at::Tensor &a, const at::Tensor &b)
{
    if (a.sizes() != b.sizes() || a.scalar_type() != b.scalar_type())
        return false;
    const at::Tensor x = a.contiguous(), y = b.contiguous();
    return x.nbytes() == 0 || std::memcmp(x.data_ptr(), y.data_ptr(), x.nbytes()) == 0;
}

/// Models with a fixed batch get their last, shorter batch filled up with its last image.
at::Tensor padBatch(const at::Tensor &tensor, std::int64_t size)
{
    if (tensor.size(0) >= size)
        return tensor;
    std::vector<std::int64_t> repeat(std::size_t(tensor.dim()), 1);
    repeat[0] = size - tensor.size(0);
    return torch::cat({tensor, tensor.slice(0, tensor.size(0) - 1).repeat(repeat)});
}

} // namespace

int scoredOutput(const std::vector<at::Tensor> &outputs)
{
    for (std::size_t i = 0; i < outputs.size(); ++i) {
        const at::Tensor &output = outputs[i];
        if (output.is_floating_point() && output.dim() >= 2 && output.size(1) > 1 && output.numel() == output.size(0) * output.size(1))
            return int(i);
    }
    return -1;
}

at::Tensor scoredTensor(const std::vector<at::Tensor> &outputs)
{
    if (const int index = scoredOutput(outputs); index >= 0)
        return outputs[std::size_t(index)];
    std::vector<at::Tensor> flat;
    for (const at::Tensor &output : outputs)
        if (output.is_floating_point() && output.dim() >= 1 && output.numel() > 0 && (flat.empty() || output.size(0) == flat[0].size(0)))
            flat.push_back(output.contiguous().reshape({output.size(0), -1}));
    return flat.empty() ? at::Tensor() : flat.size() == 1 ? flat[0] : torch::cat(flat, 1);
}

EvaluationResult evaluateGraphs(const std::vector<std::shared_ptr<const Graph>> &graphs, const Dataset &dataset,
                                const EvaluationOptions &options, Progress &progress, const BatchObserver &observer)
{
    torch::NoGradGuard noGrad;
    std::vector<Running> running;
    for (const auto &graph : graphs)
        running.push_back({Executor(graph), {}, {}, 0});
    EvaluationResult result;
    result.sameAsPrevious.assign(graphs.size(), true);
    const std::int64_t total = std::int64_t(dataset.size());
    progress.beginStage(options.stage, total);
    const int fixedBatch = runBatchSize(*graphs.front(), 0);
    const int batchSize = fixedBatch > 0 ? fixedBatch : options.batchSize;
    Loader loader(dataset, batchSize, options.threads);
    bool scored = dataset.hasLabels();
    while (std::optional<Batch> batch = loader.next()) {
        const std::int64_t count = std::int64_t(batch->indices.size());
        std::vector<at::Tensor> inputs = batch->inputs;
        if (fixedBatch > 0)
            for (at::Tensor &input : inputs)
                input = padBatch(input, fixedBatch);
        std::vector<std::vector<at::Tensor>> outputs;
        for (Running &model : running) {
            const auto start = Clock::now();
            outputs.push_back(model.executor.run(inputs));
            model.seconds += std::chrono::duration<double>(Clock::now() - start).count();
        }
        for (std::size_t m = 0; m < running.size(); ++m) {
            if (m > 0)
                for (std::size_t i = 0; i < outputs[m].size(); ++i)
                    result.sameAsPrevious[m] = result.sameAsPrevious[m] && i < outputs[m - 1].size() && sameBits(outputs[m][i], outputs[m - 1][i]);
            at::Tensor scores = scoredTensor(outputs[m]), reference = scoredTensor(outputs[0]);
            if (!scores.defined() || scores.dim() < 1 || scores.size(0) < count)
                continue;
            scores = scores.slice(0, 0, count);
            if (scored && scoredOutput(outputs[m]) >= 0)
                running[m].accuracy.add(scores, batch->labels);
            if (m > 0 && options.compareWithFirst)
                running[m].agreement.add(reference.slice(0, 0, count), scores);
        }
        result.images += count;
        if (observer)
            observer(inputs, outputs, batch->labels);
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
        evaluation.imagesPerSecond = running[m].seconds > 0 ? double(result.images) / running[m].seconds : 0;
        result.models.push_back(std::move(evaluation));
    }
    return result;
}

} // namespace core

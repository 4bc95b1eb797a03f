#include "core/ptq/calibrator.h"

#include "core/data/loader.h"
#include "core/exec/executor.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <chrono>
#include <unordered_map>

namespace core {
namespace {

using Clock = std::chrono::steady_clock;

std::string producerText(const Graph &graph, ValueId value)
{
    const NodeId node = graph.producer(value);
    return node.valid() ? "node '" + graph.node(node).name + "' (" + graph.node(node).opType + ")" : "the model's input";
}

void checkFinite(const Graph &graph, const std::vector<CalibrationTarget> &targets, CalibrationResult &result)
{
    std::vector<std::size_t> position(std::size_t(graph.nodeIdLimit()), 0);
    std::size_t next = 1;
    for (NodeId id : graph.order())
        position[std::size_t(id.index)] = next++;
    std::vector<std::pair<std::size_t, ValueId>> bad;
    for (const CalibrationTarget &target : targets) {
        const auto found = result.statistics.find(target.value);
        if (found == result.statistics.end() || found->second.notFinite == 0)
            continue;
        const NodeId producer = graph.producer(target.value);
        bad.emplace_back(producer.valid() ? position[std::size_t(producer.index)] : 0, target.value);
    }
    std::sort(bad.begin(), bad.end());
    for (const auto &[order, value] : bad) {
        const TensorStatistics &statistics = result.statistics.at(value);
        const std::uint64_t total = statistics.count + statistics.notFinite;
        const std::string what = "Tensor '" + graph.value(value).name + "' of " + producerText(graph, value) + " holds "
            + std::to_string(statistics.notFinite) + " values of " + std::to_string(total) + " that are NaN or infinite";
        if (statistics.notFinite * 100 > total)
            throw Error(ErrorKind::Numeric, "calibrate", what + "; check the model and the transform of the images.");
        result.diagnostics.push_back({Severity::Warning, "not-finite", graph.value(value).name, what + "; they were left out."});
    }
}

} // namespace

int channelAxisOf(const Graph &graph, ValueId value)
{
    const std::size_t rank = graph.value(value).shape ? graph.value(value).shape->size() : 0;
    for (const Graph::Use &use : graph.uses(value)) {
        const Node &node = graph.node(use.node);
        if (use.inputIndex == 0 && (node.is("Conv") || node.is("ConvTranspose") || node.is("Gemm")))
            return 1;
        if (use.inputIndex == 0 && node.is("MatMul"))
            return rank >= 2 ? int(rank) - 1 : -1;
    }
    return rank == 2 || rank >= 4 ? 1 : rank == 3 ? 2 : -1;
}

std::vector<CalibrationTarget> allTargets(const Graph &graph)
{
    std::vector<CalibrationTarget> targets;
    for (ValueId id : graph.values()) {
        const Value &value = graph.value(id);
        if (graph.isConstant(id) || (value.type != DataType::Float32 && value.type != DataType::Undefined))
            continue;
        targets.push_back({id, channelAxisOf(graph, id)});
    }
    return targets;
}

CalibrationResult calibrate(const std::shared_ptr<const Graph> &graph, const std::vector<CalibrationTarget> &targets,
                            const Dataset &dataset, const CalibrationOptions &options, Progress &progress)
{
    CalibrationResult result;
    ExecutorOptions execution;
    std::unordered_map<ValueId, std::pair<TensorStatistics *, int>> slots;
    for (const CalibrationTarget &target : targets) {
        execution.taps.push_back(target.value);
        slots[target.value] = {&result.statistics[target.value], target.channelAxis};
    }
    Executor executor(graph, execution);
    std::int64_t count = 0;
    const Executor::Tap tap = [&](ValueId value, const at::Tensor &made) {
        const auto found = slots.find(value);
        if (found == slots.end() || made.scalar_type() != at::kFloat || made.numel() == 0)
            return;
        const bool filling = options.fillBatches && count < options.batchSize && made.dim() > 0 && made.size(0) == options.batchSize;
        const at::Tensor tensor = filling ? made.slice(0, 0, count) : made;
        auto &[statistics, axis] = found->second;
        if (tensor.dim() == 0)
            collect(*statistics, tensor.reshape({1, 1}), -1, options.detail);
        else
            collect(*statistics, tensor, axis < tensor.dim() ? axis : -1, options.detail);
    };
    at::NoGradGuard noGrad;
    const std::int64_t total = std::int64_t(dataset.size());
    progress.beginStage("calibrate", total);
    Loader loader(dataset, options.batchSize, options.threads);
    double seconds = 0;
    std::int64_t done = 0;
    while (std::optional<Batch> batch = loader.next()) {
        count = std::int64_t(batch->indices.size());
        if (options.fillBatches)
            for (at::Tensor &input : batch->inputs)
                input = filledBatch(input, options.batchSize);
        const auto start = Clock::now();
        executor.run(batch->inputs, tap);
        seconds += std::chrono::duration<double>(Clock::now() - start).count();
        result.images += count;
        done = batch->indices.empty() ? done : std::int64_t(batch->indices.back()) + 1;
        progress.checkpoint(done, total);
    }
    result.diagnostics = loader.skipped();
    result.imagesPerSecond = seconds > 0 ? double(result.images) / seconds : 0;
    checkFinite(*graph, targets, result);
    return result;
}

void mergeStatistics(CalibrationResult &into, const CalibrationResult &part)
{
    if (into.statistics.size() != part.statistics.size())
        throw Error(ErrorKind::InvalidInput, "calibrate", "The two parts cover " + std::to_string(into.statistics.size()) + " and "
                                                              + std::to_string(part.statistics.size()) + " tensors and cannot be merged.");
    for (auto &[value, statistics] : into.statistics) {
        const auto found = part.statistics.find(value);
        if (found == part.statistics.end())
            throw Error(ErrorKind::InvalidInput, "calibrate", "The two parts of the statistics cover different tensors and cannot be merged.");
        statistics.merge(found->second);
    }
    into.images += part.images;
    into.diagnostics.insert(into.diagnostics.end(), part.diagnostics.begin(), part.diagnostics.end());
}

} // namespace core

#include "core/session/session.h"

#include "core/base/atomic_file.h"
#include "core/exec/executor.h"
#include "core/graph/node_cost.h"
#include "core/graph/op_schema.h"
#include "core/ptq/pipeline.h"
#include "core/session/calibration.h"
#include "core/session/evaluator.h"
#include "core/session/foreign_exceptions.h"
#include "core/session/model_loading.h"
#include "core/session/quantize_job.h"
#include "core/session/session_impl.h"
#include "core/session/train_job.h"

#include <algorithm>

namespace core {

Session::Session(int threads) : m_impl(std::make_unique<Impl>())
{
    m_impl->threads = threads;
    guarded("session", [threads] { configureEngine(threads); });
}

Session::~Session() = default;

ModelInfo Session::info(const ModelSource &source)
{
    return guarded("info", [&] {
        Model model = openModel(source);
        ModelInfo info;
        info.opset = model.opset;
        info.nodes = model.graph.nodeCount();
        info.quantized = isQuantizedGraph(model.graph);
        info.warnings = model.diagnostics;
        for (Diagnostic &wrong : checkArity(model.graph))
            info.unsupported.push_back(std::move(wrong));
        const std::int64_t stored = parameterCount(model.graph);
        try {
            foldAndInfer(model.graph);
        } catch (const Error &error) {
            info.unsupported.push_back({Severity::Problem, "invalid-graph", "", error.sentence()});
        }
        for (Diagnostic &missing : unsupportedNodes(model.graph))
            info.unsupported.push_back(std::move(missing));
        info.parameters = info.quantized ? stored : parameterCount(model.graph);
        info.macs = multiplyAccumulates(model.graph);
        info.nodesAfterFolding = model.graph.nodeCount();
        for (const NodeId id : model.graph.order()) {
            const Node &node = model.graph.node(id);
            ++info.operatorCounts[node.domain.empty() ? node.opType : node.domain + "." + node.opType];
        }
        for (const ValueId id : model.graph.inputs)
            info.inputs.push_back(model.graph.value(id));
        for (const ValueId id : model.graph.outputs)
            info.outputs.push_back(model.graph.value(id));
        return info;
    });
}

Model Session::load(const ModelSource &source)
{
    return guarded("load", [&] { return loadFolded(source); });
}

Evaluation Session::evaluate(const ModelSource &source, const DataSource &data, const Recipe &recipe, Progress &progress)
{
    return guarded("evaluate", [&] {
        progress.beginStage("load");
        const Model model = loadFolded(source);
        requireExecutable(model.graph, source.path);
        const auto graph = std::make_shared<const Graph>(model.graph);
        const auto dataset = openFor(*graph, data, recipe.transform);
        EvaluationOptions options;
        options.batchSize = recipe.batchSize;
        options.threads = m_impl->threads;
        Evaluation evaluation = evaluateGraphs({graph}, *dataset, options, progress).models.front();
        if (dataset->hasLabels() && !evaluation.top1)
            evaluation.diagnostics.push_back({Severity::Warning, "no-class-scores", "",
                                              "The images have labels, but no output of the model has one score for each class, so there is no accuracy."});
        return evaluation;
    });
}

void Session::calibrate(const QuantizeRequest &request, const std::filesystem::path &file, Progress &progress)
{
    guarded("calibrate", [&] {
        progress.beginStage("load");
        Model model = loadFolded(request.source());
        requireExecutable(model.graph, request.model);
        PtqPipeline pipeline(std::move(model.graph), request.recipe);
        pipeline.prepare(progress);
        const KeyedCalibration result = calibrateFor(pipeline, allTargets(*pipeline.graph()), request, m_impl->threads, progress);
        progress.checkpoint();
        writeFileAtomically(file, serializeStatistics(result.key, *pipeline.graph(), result.result));
    });
}

Prepared Session::prepare(const ModelSource &source, const Recipe &recipe)
{
    return guarded("prepare", [&] {
        Progress quiet;
        Prepared prepared;
        Model model = loadFolded(source);
        prepared.source = prepared.graph = std::make_shared<const Graph>(model.graph);
        prepared.diagnostics = std::move(model.diagnostics);
        prepared.quantized = isQuantizedGraph(*prepared.source);
        for (Diagnostic &missing : unsupportedNodes(*prepared.source))
            prepared.diagnostics.push_back(std::move(missing));
        if (prepared.quantized)
            return prepared;
        PtqPipeline pipeline(std::move(model.graph), recipe);
        try {
            pipeline.prepare(quiet);
        } catch (const Error &error) { // it can be looked at all the same
            prepared.diagnostics.push_back({Severity::Problem, "not-prepared", "", error.sentence()});
            return prepared;
        }
        prepared.graph = pipeline.graph();
        prepared.placement = pipeline.state().placement;
        prepared.diagnostics.insert(prepared.diagnostics.end(), pipeline.state().diagnostics.begin(), pipeline.state().diagnostics.end());
        return prepared;
    });
}

std::shared_ptr<const Calibration> Session::calibrate(const QuantizeRequest &request, Progress &progress)
{
    return guarded("calibrate", [&] {
        progress.beginStage("load");
        Model model = loadFolded(request.source());
        requireExecutable(model.graph, request.model);
        PtqPipeline pipeline(std::move(model.graph), request.recipe);
        pipeline.prepare(progress);
        return calibrateAll(pipeline, request, m_impl->threads, progress);
    });
}

std::vector<Finding> Session::diagnose(const QuantizeRequest &request, const Report *report)
{
    return guarded("diagnose", [&] { return m_impl->exploration.diagnose(request, report, m_impl->threads); });
}

WhatIf Session::whatIf(const QuantizeRequest &request, const Recipe &changed, int images, Progress &progress)
{
    return guarded("what-if", [&] { return m_impl->exploration.whatIf(request, changed, images, progress, m_impl->threads); });
}

ImageRun Session::runImage(const QuantizeRequest &request, std::size_t image, Progress &progress)
{
    return guarded("image", [&] { return m_impl->exploration.runImage(request, image, progress, m_impl->threads); });
}

Report Session::quantize(const QuantizeRequest &request, Progress &progress)
{
    return guarded("quantize", [&] { return runQuantizeJob(request, m_impl->threads, progress); });
}

Report Session::train(const TrainRequest &request, TrainingControl &control, const TrainingObserver &observer, Progress &progress)
{
    return guarded("train", [&] { return runTrainJob(request, control, observer, m_impl->threads, progress); });
}

} // namespace core

#include "core/session/exploration.h"

#include "core/analysis/doctor.h"
#include "core/analysis/what_if.h"
#include "core/data/loader.h"
#include "core/metrics/agreement.h"
#include "core/metrics/scored_output.h"
#include "core/metrics/top_k.h"
#include "core/quant/qdq_graph.h"
#include "core/session/calibration.h"
#include "core/session/evaluator.h"
#include "core/session/foreign_exceptions.h"
#include "core/session/model_loading.h"
#include "core/session/quantize_job.h"
#include "core/spec/config_json.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <chrono>

namespace fs = std::filesystem;

namespace core {
namespace {

constexpr std::size_t bestClasses = 5;

std::string sourceText(const DataSource &source) { return source.path.string() + '\n' + source.labels.string() + '\n' + std::to_string(source.limit); }

std::string transformText(const Recipe &recipe)
{
    Recipe plain;
    plain.transform = recipe.transform;
    plain.batchSize = recipe.batchSize;
    return recipeToJson(plain);
}

Evaluation figures(const std::vector<PinnedBatch> &batches, const std::vector<std::vector<at::Tensor>> &floating,
                   const std::vector<std::vector<at::Tensor>> &other, bool labelled)
{
    Evaluation evaluation;
    Agreement agreement;
    TopK accuracy;
    for (std::size_t b = 0; b < batches.size(); ++b) {
        const std::int64_t count = batches[b].count;
        evaluation.images += count;
        const at::Tensor reference = scoredTensor(floating[b]), scores = scoredTensor(other[b]);
        if (!scores.defined() || scores.dim() < 1 || scores.size(0) < count)
            continue;
        if (labelled && scoredOutput(other[b]) >= 0)
            accuracy.add(scores.slice(0, 0, count), batches[b].labels);
        if (reference.defined() && reference.sizes() == scores.sizes())
            agreement.add(reference.slice(0, 0, count), scores.slice(0, 0, count));
    }
    if (accuracy.images > 0) {
        evaluation.top1 = accuracy.top1Percent();
        evaluation.top5 = accuracy.top5Percent();
    }
    if (agreement.images > 0)
        evaluation.agreement = AgreementFigures{agreement.top1Percent(), agreement.cosine(), agreement.sqnrDb()};
    return evaluation;
}

std::vector<ClassScore> bestScores(const std::vector<at::Tensor> &outputs)
{
    const int index = scoredOutput(outputs);
    if (index < 0)
        return {};
    const at::Tensor scores = outputs[std::size_t(index)].slice(0, 0, 1).to(at::kDouble).contiguous();
    std::vector<ClassScore> all;
    for (std::int64_t k = 0; k < scores.numel(); ++k)
        if (const double score = scores.data_ptr<double>()[k]; score == score)
            all.push_back({k, score});
    std::stable_sort(all.begin(), all.end(), [](const ClassScore &a, const ClassScore &b) { return a.score > b.score; });
    all.resize(std::min(all.size(), bestClasses));
    return all;
}

/// A recipe applied: the model with its numbers and the float graph it stands for.
struct Built {
    std::string key;
    std::shared_ptr<const Calibration> calibrated;
    std::shared_ptr<const Graph> source, floating;
    QuantizedModel model;
};

/// Images and what the float model says of them.
struct Pinned {
    std::string key;
    bool labelled = false;
    std::vector<std::vector<at::Tensor>> floating;
    Diagnostics skipped;
    WhatIfRunner runner;
    std::shared_ptr<const Built> before;   ///< of the runner

    explicit Pinned(std::vector<PinnedBatch> batches) : runner(std::move(batches)) {}
};

/// The statistics are of this graph and transform; which images they are of is not asked.
bool fitsGraph(const PtqPipeline &pipeline, const QuantizeRequest &request)
{
    try {
        const Graph &graph = *pipeline.graph();
        return request.calibrated->key.starts_with(keyText(statisticsKey(pipeline.keyGraph(), effectiveTransform(graph, request.recipe.transform), "")));
    } catch (const Error &) {
        return false;
    }
}

/// Executors for one image.
struct ImageRunner {
    std::shared_ptr<const Built> built;
    Executor original;
    ActivationSqnr both;
};

} // namespace

struct Exploration::State {
    std::string modelKey;
    std::shared_ptr<const Graph> source;
    std::shared_ptr<const Built> built;
    std::unique_ptr<Pinned> pinned;
    std::unique_ptr<ImageRunner> imageRunner;

    std::shared_ptr<const Graph> load(const ModelSource &model)
    {
        std::string key = std::to_string(model.seed);
        for (const fs::path &file : {model.path, model.weights}) {
            std::error_code ignored;
            const auto changed = fs::last_write_time(file, ignored).time_since_epoch().count();
            const auto bytes = fs::file_size(file, ignored);
            key += '\n' + file.string() + '\n' + std::to_string(changed) + '\n' + std::to_string(bytes);
        }
        if (source && key == modelKey)
            return source;
        auto graph = std::make_shared<const Graph>(loadFolded(model).graph);
        *this = State();
        source = std::move(graph);
        modelKey = key;
        return source;
    }

    void requireFloat(const QuantizeRequest &request)
    {
        const auto graph = load(request.source());
        requireExecutable(*graph, request.model);
        if (isQuantizedGraph(*graph))
            throw Error(ErrorKind::InvalidInput, "explore", "'" + request.model.string() + "' is quantized already; give the float model.");
        if (!request.calibrated)
            throw Error(ErrorKind::InvalidInput, "explore", "The model was not calibrated; calibrate first.");
    }

    /// Of request.recipe: checked against the data on the disk, kept for the next call.
    std::shared_ptr<const Built> quantized(const QuantizeRequest &request, Progress &progress)
    {
        const std::string key = recipeToJson(request.recipe) + sourceText(request.calibration);
        if (built && built->key == key && built->calibrated == request.calibrated)
            return built;
        PtqPipeline pipeline(*source, request.recipe);
        pipeline.prepare(progress);
        requireFit(*request.calibrated, keyText(keyFor(pipeline, request)));
        built = finish(pipeline, key, request.calibrated, progress);
        return built;
    }

    /// A recipe beside it: the same data, so only what it makes of the graph and of the images is compared.
    std::shared_ptr<const Built> changed(const QuantizeRequest &request, const Recipe &recipe, Progress &progress)
    {
        PtqPipeline pipeline(*source, recipe);
        pipeline.prepare(progress);
        const Graph &graph = *pipeline.graph();
        const std::string &key = request.calibrated->key;
        const std::string data = recipe.calibrationImages == request.recipe.calibrationImages ? key.substr(key.rfind('\n') + 1) : "";
        requireFit(*request.calibrated, keyText(statisticsKey(pipeline.keyGraph(), effectiveTransform(graph, recipe.transform), data)));
        return finish(pipeline, {}, request.calibrated, progress);
    }

    static void requireFit(const Calibration &calibrated, const std::string &key)
    {
        if (calibrated.key != key)
            throw Error(ErrorKind::InvalidInput, "explore", "The statistics were made for another graph, other images or another preparation (equalization, "
                                                            "transform); calibrate again.");
    }

    std::shared_ptr<const Built> finish(PtqPipeline &pipeline, std::string key, const std::shared_ptr<const Calibration> &calibrated, Progress &progress)
    {
        auto made = std::make_shared<Built>();
        made->key = std::move(key);
        made->calibrated = calibrated;
        made->source = source;
        made->floating = pipeline.graph();
        made->model = pipeline.quantize(calibrated->statistics, progress);
        return made;
    }

    Pinned &pin(const QuantizeRequest &request, int images, Progress &progress, int threads)
    {
        const bool validated = !request.validation.path.empty();
        DataSource data = validated ? request.validation : request.calibration;
        data.limit = data.limit ? std::min(data.limit, std::size_t(images)) : std::size_t(images);
        const std::string key = sourceText(data) + '\n' + transformText(request.recipe) + (validated ? "v" : "c");
        if (pinned && pinned->key == key)
            return *pinned;
        if (data.path.empty())
            throw Error(ErrorKind::InvalidInput, "explore", "There are no images to try the change on; give calibration or validation images.");
        at::NoGradGuard noGrad;
        const auto dataset = openFor(*source, data, request.recipe.transform);
        const int fixed = runBatchSize(*source, 0);
        Executor executor(source);
        Loader loader(*dataset, fixed > 0 ? fixed : std::max(request.recipe.batchSize, 1), threads);
        std::vector<PinnedBatch> batches;
        std::vector<std::vector<at::Tensor>> outputs;
        const auto total = std::int64_t(dataset->size());
        progress.beginStage("pin", total);
        while (std::optional<Batch> loaded = loader.next()) {
            PinnedBatch batch{std::move(loaded->inputs), std::move(loaded->labels), std::int64_t(loaded->indices.size())};
            for (at::Tensor &input : batch.inputs)
                input = filledBatch(input, fixed);
            outputs.push_back(executor.run(batch.inputs));
            progress.checkpoint(loaded->indices.empty() ? 0 : std::int64_t(loaded->indices.back()) + 1, total);
            batches.push_back(std::move(batch));
        }
        auto made = std::make_unique<Pinned>(std::move(batches));
        made->key = key;
        made->labelled = validated && dataset->hasLabels();
        made->floating = std::move(outputs);
        made->skipped = loader.skipped();
        pinned = std::move(made);
        return *pinned;
    }
};

Exploration::Exploration() : m_state(std::make_unique<State>()) {}

Exploration::~Exploration() = default;

std::vector<Finding> Exploration::diagnose(const QuantizeRequest &request, const Report *report, int)
{
    return guarded("diagnose", [&] {
        const auto source = m_state->load(request.source());
        Progress quiet;
        PtqPipeline pipeline(*source, request.recipe);
        try {
            pipeline.prepare(quiet);
        } catch (const Error &error) {
            return diagnoseRefusal(*source, request.recipe, error);
        }
        const Graph &graph = *pipeline.graph();
        DoctorInput input{*source, graph, request.recipe, pipeline.state().placement};
        input.report = report;
        if (request.calibrated && fitsGraph(pipeline, request))
            input.statistics = &request.calibrated->statistics;
        return core::diagnose(input);
    });
}

WhatIf Exploration::whatIf(const QuantizeRequest &request, const Recipe &changed, int images, Progress &progress, int threads)
{
    return guarded("explore", [&] {
        const auto start = std::chrono::steady_clock::now();
        if (images < 1)
            throw Error(ErrorKind::InvalidInput, "explore", "A change cannot be tried on " + std::to_string(images) + " images; give 1 or more.");
        m_state->requireFloat(request);
        const auto before = m_state->quantized(request, progress);
        const auto after = m_state->changed(request, changed, progress);
        Pinned &pinned = m_state->pin(request, images, progress, threads);
        const auto total = std::int64_t(pinned.runner.batches().size());
        if (pinned.before != before) {
            progress.beginStage("before", total);
            pinned.runner.setBefore(before->model, before->floating, progress);
            pinned.before = before;
        }
        progress.beginStage("after", total);
        WhatIfOutcome outcome = pinned.runner.compare(after->model, after->floating, progress);
        WhatIf result;
        result.before = figures(pinned.runner.batches(), pinned.floating, outcome.before, pinned.labelled);
        result.after = figures(pinned.runner.batches(), pinned.floating, outcome.after, pinned.labelled);
        result.images = result.after.images;
        for (Evaluation *evaluation : {&result.before, &result.after}) {
            evaluation->skipped = std::int64_t(pinned.skipped.size());
            evaluation->diagnostics = pinned.skipped;
        }
        result.sqnrBefore = std::move(outcome.sqnrBefore);
        result.sqnrAfter = std::move(outcome.sqnrAfter);
        result.nodesRun = outcome.nodesRun;
        result.nodes = outcome.nodes;
        result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        return result;
    });
}

ImageRun Exploration::runImage(const QuantizeRequest &request, std::size_t image, Progress &progress, int)
{
    return guarded("explore", [&] {
        progress.beginStage("image", 1);
        m_state->requireFloat(request);
        const DataSource data = measuredSource(request);
        if (data.path.empty())
            throw Error(ErrorKind::InvalidInput, "explore", "There are no images; give calibration or validation images.");
        const auto built = m_state->quantized(request, progress);
        const Graph &source = *built->source;
        const auto dataset = openFor(source, data, request.recipe.transform);
        if (image >= dataset->size())
            throw Error(ErrorKind::InvalidInput, "explore", "There is no image " + std::to_string(image) + "; the data has " + std::to_string(dataset->size()) + ".");
        at::NoGradGuard noGrad;
        ImageRun run;
        run.path = dataset->describe(image);
        const Sample sample = dataset->load(image);
        run.label = sample.label;
        const int fixed = runBatchSize(source, 0);
        std::vector<at::Tensor> inputs;
        for (const at::Tensor &input : sample.inputs)
            inputs.push_back(filledBatch(input.unsqueeze(0), fixed));
        progress.checkpoint();
        std::unique_ptr<ImageRunner> &runner = m_state->imageRunner;
        if (!runner || runner->built != built) {
            std::vector<ValueId> back;
            const auto qdq = std::make_shared<const Graph>(buildQdqGraph(built->model, &back));
            runner.reset(new ImageRunner{built, Executor(built->source), ActivationSqnr(built->floating, built->model, qdq, back)});
        }
        runner->both.reset();
        run.floating = bestScores(runner->original.run(inputs));
        progress.checkpoint();
        run.quantized = bestScores(runner->both.add(inputs));
        const auto decibels = runner->both.decibels();
        for (const Point &point : built->model.placement.points)
            if (const auto &found = decibels[std::size_t(point.id.index)])
                run.sqnr.emplace_back(built->model.graph->value(point.value).name, *found);
        progress.checkpoint(1, 1);
        return run;
    });
}

} // namespace core

#include "core/session/quantize_job.h"

#include "core/analysis/sqnr.h"
#include "core/base/atomic_file.h"
#include "core/graph/op_schema.h"
#include "core/onnx/opset_conversion.h"
#include "core/onnx/writer.h"
#include "core/ptq/noise_inputs.h"
#include "core/quant/qdq_graph.h"
#include "core/session/calibration.h"
#include "core/session/encodings.h"
#include "core/session/evaluator.h"
#include "core/session/file_judge.h"
#include "core/session/flipped_images.h"
#include "core/session/layer_rows.h"
#include "core/session/model_loading.h"
#include "core/session/output_folder.h"
#include "core/session/torchscript_export.h"
#include "core/spec/config_json.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <chrono>
#include <cmath>

namespace fs = std::filesystem;

namespace core {
namespace {

constexpr std::int64_t sqnrImages = 16;
constexpr double judgeTolerance = 0.5;                // points of top-1

void append(Diagnostics &to, const Diagnostics &more)
{
    to.insert(to.end(), more.begin(), more.end());
}

class QuantizeJob {
public:
    QuantizeJob(const QuantizeRequest &request, int threads, Progress &progress, const TrainingStage *training)
        : m_request(request), m_threads(threads), m_progress(progress), m_training(training)
    {
    }

    Report run()
    {
        const auto start = std::chrono::steady_clock::now();
        load();
        std::optional<OutputFolder> folder;
        if (!m_request.outputDirectory.empty()) {
            folder.emplace(m_request.outputDirectory);
            protectSource(*folder);
        }
        const StatisticsMap statistics = !m_training || m_training->quantizes ? quantize() : keepFloat();
        if (m_training)
            m_quantized = m_training->train(m_source->graph, std::move(m_quantized), m_report);
        append(m_report.diagnostics, m_quantized.diagnostics);
        m_qdq = std::make_shared<const Graph>(buildQdqGraph(m_quantized, &m_dequantized));
        if (folder) {
            write(folder->staged(m_name));
            readBack(folder->staged(m_name));
            if (m_request.torchScript)
                writeScript(*folder);
        }
        measure(folder ? folder->staged(m_name) : fs::path());
        for (std::size_t i = 0; i < m_sqnr.size(); ++i)
            if (!m_sqnr[i])
                m_sqnr[i] = constantSqnr(m_quantized, PointId{std::int32_t(i)}, *m_quantized.graph);
        m_report.layers = layerRows(m_quantized, statistics, m_sqnr);
        m_report.recipeJson = recipeToJson(m_request.recipe);
        m_report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        if (!folder)
            return std::move(m_report);
        m_progress.checkpoint();
        writeFileAtomically(folder->staged("recipe.json"), m_report.recipeJson);
        writeFileAtomically(folder->staged("encodings.json"), encodingsToJson(m_quantized, m_name));
        if (m_report.training)
            writeFileAtomically(folder->staged("training.json"), m_report.training->specJson);
        writeFileAtomically(folder->staged("report.json"), reportToJson(m_report));
        writeFileAtomically(folder->staged("report.html"), reportToHtml(m_report));
        m_progress.checkpoint();
        folder->commit();
        return std::move(m_report);
    }

private:
    StatisticsMap quantize()
    {
        PtqPipeline pipeline(m_source->graph, m_request.recipe);
        pipeline.prepare(m_progress);
        m_prepared = pipeline.graph();
        CalibrationResult calibration = statisticsFor(pipeline, m_request, m_threads, m_progress);
        m_report.calibrationImages = calibration.images;
        m_report.calibrateImagesPerSecond = calibration.imagesPerSecond;
        append(m_report.diagnostics, calibration.diagnostics);
        m_quantized = pipeline.quantize(calibration.statistics, m_progress);
        return std::move(calibration.statistics);
    }

    StatisticsMap keepFloat()
    {
        m_prepared = std::make_shared<const Graph>(m_source->graph);
        m_quantized.graph = m_prepared;
        return {};
    }

    void load()
    {
        m_progress.beginStage("load");
        m_source = std::make_unique<Model>(loadFolded(m_request.source()));
        requireExecutable(m_source->graph, m_request.model);
        if (isQuantizedGraph(m_source->graph))
            throw Error(ErrorKind::InvalidInput, "quantize", "'" + m_request.model.string() + "' is quantized already; give the float model.");
        m_report.program = std::string("Quantscope ") + QUANTSCOPE_VERSION;
        m_report.sourceFile = m_request.model.string();
        m_report.sourceBytes = sourceBytes(m_request.source(), m_source->graph);
        m_report.preset = m_request.recipe.preset;
        m_report.target = m_request.recipe.target;
        m_report.diagnostics = m_source->diagnostics;
        m_name = m_request.fileName.empty() ? m_request.model.stem().string() + "_" + (m_training ? m_training->name : m_request.recipe.preset) + ".onnx" : m_request.fileName;
        if (!m_request.outputDirectory.empty())
            m_report.file = (m_request.outputDirectory / m_name).string();
    }

    void protectSource(const OutputFolder &folder) const
    {
        std::error_code ignored;
        if (fs::equivalent(folder.final(m_name), m_request.model, ignored))
            throw Error(ErrorKind::InvalidInput, "quantize", "The result would overwrite the model '" + m_request.model.string() + "'; choose another folder.");
    }

    void write(const fs::path &file)
    {
        m_progress.beginStage("write");
        Model model = *m_source;
        model.graph = *m_qdq;
        model.producerName = "quantscope";
        model.producerVersion = QUANTSCOPE_VERSION;
        model.diagnostics.clear();
        const int lowest = lowestOpset(model.graph, requiredOpset(m_quantized, std::min(m_source->opset, newestOpset)));
        const int wish = m_request.recipe.opset;
        if (wish > 0 && wish < lowest)
            throw Error(ErrorKind::InvalidInput, "export", "Opset " + std::to_string(wish) + " cannot express this model; it needs " + std::to_string(lowest) + " at least.");
        m_report.opset = wish > 0 ? wish : lowest;
        writeModel(model, m_report.opset, file);
        m_report.fileBytes = std::int64_t(fs::file_size(file));
        for (const fs::directory_entry &entry : fs::directory_iterator(file.parent_path()))
            if (entry.path() != file)
                m_report.fileBytes += std::int64_t(entry.file_size());
    }

    /// What cannot be said in TorchScript costs only that file.
    void writeScript(const OutputFolder &folder)
    {
        const std::string name = fs::path(m_name).replace_extension(".pt").string();
        try {
            writeTorchScript(*m_qdq, folder.staged(name));
            m_report.torchScriptFile = folder.final(name).string();
        } catch (const Error &error) {
            if (error.kind() != ErrorKind::Unsupported)
                throw;
            note(Severity::Warning, "no-torchscript", "No TorchScript file was written: " + error.sentence());
        }
    }

    void readBack(const fs::path &file)
    {
        m_progress.beginStage("verify");
        const auto fail = [this](const std::string &what) {
            throw Error(ErrorKind::Internal, "verify", "The file that was written for '" + m_name + "' is not valid: " + what);
        };
        try {
            Model model = loadFolded(file);
            const Diagnostics wrong = checkArity(model.graph);
            if (!wrong.empty())
                fail(joinSentences(wrong));
            const auto names = [](const Graph &graph, const std::vector<ValueId> &values) {
                std::vector<std::string> list;
                for (const ValueId id : values)
                    list.push_back(graph.value(id).name);
                return list;
            };
            if (names(model.graph, model.graph.inputs) != names(m_source->graph, m_source->graph.inputs)
                || names(model.graph, model.graph.outputs) != names(m_source->graph, m_source->graph.outputs))
                fail("its inputs or outputs are not those of the model.");
            m_exported = std::make_shared<const Graph>(std::move(model.graph));
        } catch (const Error &error) {
            if (error.kind() == ErrorKind::Internal)
                throw;
            fail(error.sentence());
        }
    }

    void measure(const fs::path &file)
    {
        m_sqnr.resize(m_quantized.placement.points.size());
        const auto original = std::make_shared<const Graph>(m_source->graph);
        const bool validated = !m_request.validation.path.empty();
        const DataSource source = measuredSource(m_request);
        if (!validated && !source.path.empty())
            note(Severity::Note, "no-validation", "No validation images were given; the agreement was measured on " + std::to_string(imagesWithoutValidation)
                     + " calibration images at most.");
        if (source.path.empty()) {
            compareOnNoise();
            return;
        }
        const auto dataset = openFor(*original, source, m_request.recipe.transform);
        EvaluationOptions options;
        options.batchSize = m_request.recipe.batchSize;
        options.threads = m_threads;
        options.useLabels = validated;
        std::unique_ptr<FileJudge> judge;
        if (m_request.judge && m_exported) {
            m_progress.beginStage("verify");
            judge = std::make_unique<FileJudge>(file, judgeOptions(), validated && dataset->hasLabels(), m_progress);
        }
        ActivationSqnr sqnr(m_prepared, m_quantized, m_qdq, m_dequantized);
        OutputDifference own;
        const bool fixed = runBatchSize(*original, 0) > 0;
        FlippedImages flipped(*dataset, 1);
        std::vector<std::shared_ptr<const Graph>> graphs = {original, m_qdq};
        if (m_exported)
            graphs.push_back(m_exported);
        const EvaluationResult result = evaluateGraphs(graphs, *dataset, options, m_progress, [&](const EvaluatedBatch &batch) {
            flipped.add(batch);
            if (m_exported && !sameOutputs(batch.outputs[1], batch.outputs[2]))
                own.add(batch.outputs[1], batch.outputs[2], batch.count);
            if (batch.index % std::max<std::int64_t>(batch.batches / sqnrImages, 1) == 0) {
                std::vector<at::Tensor> inputs(batch.inputs.begin(), batch.inputs.end());
                if (!fixed)
                    for (at::Tensor &input : inputs)
                        input = input.slice(0, 0, 1);
                sqnr.add(inputs);
            }
            if (judge)
                judge->add(batch, 1);
        });
        m_sqnr = sqnr.decibels();
        m_report.floating = result.models[0];
        m_report.quantized = result.models[1];
        m_report.flipped = flipped.take();
        append(m_report.diagnostics, m_report.floating.diagnostics);
        if (validated && dataset->hasLabels() && !m_report.floating.top1)
            note(Severity::Warning, "no-class-scores", "The images have labels, but no output of the model has one score for each class; the agreement is reported.");
        if (!m_exported)
            return;
        m_report.exported = result.models[2];
        freeze(result.sameAsPrevious[2] && m_report.quantized.top1 == m_report.exported.top1);
        m_report.judges.push_back({"quantscope", m_report.exported.top1, m_report.exported.top5, own.largest, own.mean(), "", true});
        if (!judge)
            return;
        m_report.judges.push_back(judge->verdict(m_report.diagnostics));
        const Judge &other = m_report.judges.back();
        if (other.top1 && m_report.exported.top1 && other.note.empty() && std::fabs(*other.top1 - *m_report.exported.top1) > judgeTolerance)
            note(Severity::Warning, "judges-differ", other.name + " gives the file another accuracy: top-1 " + std::to_string(*other.top1) + " instead of "
                     + std::to_string(*m_report.exported.top1) + " %.");
    }

    /// Without data there is no accuracy, but the file can be compared with what was to be written.
    void compareOnNoise()
    {
        if (!m_exported)
            return;
        const auto inputs = noiseInputs(*m_qdq);
        if (!inputs) {
            note(Severity::Warning, "not-compared", "There are no images, and the sizes of the inputs are not known, so the written file was not run.");
            m_report.frozenEqual = true;
            return;
        }
        at::NoGradGuard noGrad;
        freeze(sameOutputs(Executor(m_qdq).run(*inputs), Executor(m_exported).run(*inputs)));
        note(Severity::Note, "no-data", "There are no images; the written file was compared on noise only.");
    }

    void freeze(bool equal)
    {
        m_report.frozenEqual = equal;
        if (!equal)
            note(Severity::Problem, "freeze-differs", "The written file does not compute the same as the model before it was frozen; do not use it, and report this.");
    }

    ForeignRuntimeOptions judgeOptions() const
    {
        ForeignRuntimeOptions options;
        options.threads = engineThreads();
        if (m_request.recipe.target != "onnxruntime-cpu")
            options.disabledOptimizers = {"WeightBiasQuantization"};
        return options;
    }

    void note(Severity severity, const std::string &code, const std::string &sentence) { m_report.diagnostics.push_back({severity, code, "", sentence}); }

    const QuantizeRequest &m_request;
    int m_threads;
    Progress &m_progress;
    const TrainingStage *m_training;
    Report m_report;
    std::string m_name;
    std::unique_ptr<Model> m_source;
    std::shared_ptr<const Graph> m_prepared, m_qdq, m_exported;
    QuantizedModel m_quantized;
    std::vector<ValueId> m_dequantized;
    std::vector<std::optional<double>> m_sqnr;
};

} // namespace

void requireExecutable(const Graph &graph, const fs::path &file)
{
    const Diagnostics missing = unsupportedNodes(graph);
    if (!missing.empty())
        throw Error(ErrorKind::Unsupported, "load", "'" + file.string() + "' cannot be run: " + joinSentences(missing));
}

Report runQuantizeJob(const QuantizeRequest &request, int threads, Progress &progress, const TrainingStage *training)
{
    return QuantizeJob(request, threads, progress, training).run();
}

} // namespace core

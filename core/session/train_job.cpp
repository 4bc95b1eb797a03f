#include "core/session/train_job.h"

#include "core/data/cached_dataset.h"
#include "core/data/fingerprint.h"
#include "core/exec/executor.h"
#include "core/ptq/point_numbers.h"
#include "core/ptq/shift_constraints.h"
#include "core/qat/trainer.h"
#include "core/quant/collector.h"
#include "core/quant/qdq_graph.h"
#include "core/session/calibration.h"
#include "core/session/evaluator.h"
#include "core/session/model_loading.h"
#include "core/session/quantize_job.h"
#include "core/spec/config_json.h"
#include "core/spec/training_recipe.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <bit>
#include <chrono>

namespace fs = std::filesystem;

namespace core {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::int64_t cachedBytes = std::int64_t(512) << 20;         // of validation images
constexpr auto updateInterval = std::chrono::milliseconds(50), weightsInterval = std::chrono::milliseconds(500);

/// Tells the observer of steps, not too often, and of every evaluation.
class Teller {
public:
    Teller(const TrainingObserver &observer, TrainingControl::State &control, const TrainingModel &model, const TrainingSpec &spec)
        : m_observer(observer), m_control(control), m_model(model), m_batch(spec.batchSize)
    {
    }

    void tell(const CurvePoint &point, std::int64_t steps, bool best, bool paused)
    {
        if (!m_observer)
            return;
        const Clock::time_point now = Clock::now();
        const bool news = point.evaluation || paused != m_paused || point.step == steps;
        if (!news && now - m_last < updateInterval)
            return;
        TrainingUpdate update{point, steps, rate(point.step, now), best, paused, {}, {}};
        if (const std::string node = m_control.watched(); !node.empty()) {
            update.thresholds = m_model.thresholds(node);
            if (now - m_lastWeights >= weightsInterval || node != m_weightsOf) {
                m_lastWeights = now;
                m_weightsOf = node;
                for (const auto &[name, tensor] : m_model.weights(node))
                    update.weights.emplace_back(name, statisticsOf(tensor));
            }
        }
        m_last = now;
        m_paused = paused;
        m_observer(update);
    }

private:
    /// Over the steps since the last pause; evaluations count.
    double rate(std::int64_t step, Clock::time_point now)
    {
        if (!m_rated || m_paused) {
            m_firstStep = step;
            m_first = now;
            m_rated = true;
        }
        const double seconds = std::chrono::duration<double>(now - m_first).count();
        return seconds > 0 ? double((step - m_firstStep) * m_batch) / seconds : 0;
    }

    static std::shared_ptr<const TensorStatistics> statisticsOf(const at::Tensor &tensor)
    {
        auto statistics = std::make_shared<TensorStatistics>();
        if (tensor.numel() > 0)
            collect(*statistics, tensor.contiguous().reshape({1, -1}), -1, StatisticsDetail::Full);
        return statistics;
    }

    const TrainingObserver &m_observer;
    TrainingControl::State &m_control;
    const TrainingModel &m_model;
    std::int64_t m_batch, m_firstStep = 0;
    Clock::time_point m_last{}, m_lastWeights{}, m_first{};
    std::string m_weightsOf;
    bool m_paused = false, m_rated = false;
};

class TrainJob {
public:
    TrainJob(const TrainRequest &request, TrainingControl &control, const TrainingObserver &observer, int threads, Progress &progress)
        : m_request(request), m_control(control.state()), m_observer(observer), m_threads(threads), m_progress(progress), m_spec(request.spec)
    {
        checkTraining(m_spec);
        if (m_request.training.path.empty())
            throw Error(ErrorKind::InvalidInput, "train", "There are no images to train with.");
        if (!quantizes() && m_spec.loss.crossEntropy == 0)
            throw Error(ErrorKind::InvalidInput, "train", "The float model cannot be distilled from itself; train it by cross-entropy, with labelled images.");
        if (!quantizes())
            return;
        m_request.quantize.recipe = trainingRecipe(m_request.quantize.recipe, m_spec.method, &m_notes);
        if (m_request.quantize.calibration.path.empty() && m_request.quantize.statistics.empty() && !m_request.quantize.calibrated)
            m_request.quantize.calibration = m_request.training;
    }

    Report run()
    {
        if (!m_request.checkpoint.empty()) { // it outlives the output folder of a run that fails
            std::error_code error;
            const fs::path folder = fs::absolute(m_request.checkpoint).parent_path();
            fs::create_directories(folder, error);
            if (error)
                throw Error(ErrorKind::Io, "train", "The folder of the checkpoint, '" + folder.string() + "', cannot be made: " + error.message() + "; name another place for it.");
        }
        if (m_request.resume) {
            if (m_request.checkpoint.empty())
                throw Error(ErrorKind::InvalidInput, "train", "To resume, name the checkpoint.");
            m_from = readCheckpoint(m_request.checkpoint);
        }
        TrainingStage stage;
        stage.quantizes = quantizes();
        stage.name = trainMethodName(m_spec.method);
        stage.train = [this](const Graph &source, QuantizedModel start, Report &report) { return train(source, std::move(start), report); };
        Report report = runQuantizeJob(m_request.quantize, m_threads, m_progress, &stage);
        report.diagnostics.insert(report.diagnostics.begin(), m_notes.begin(), m_notes.end());
        return report;
    }

private:
    bool quantizes() const { return m_spec.method != TrainMethod::Float; }
    const Recipe &recipe() const { return m_request.quantize.recipe; }

    /// Validation images; without any the calibration or training images, for agreement only.
    DataSource measured() const
    {
        QuantizeRequest request = m_request.quantize;
        if (request.calibration.path.empty())
            request.calibration = m_request.training;
        return measuredSource(request);
    }

    std::string keyOf(const QuantizedModel &start, const Dataset &training, const Dataset &validation) const
    {
        const StatisticsKey key = statisticsKey(*start.graph, effectiveTransform(*start.graph, recipe().transform), training.fingerprint());
        Fingerprint numbers;
        for (const PointNumbers &point : start.numbers)
            for (const AffineParams &params : point.params) {
                numbers.add(std::uint64_t(std::bit_cast<std::uint32_t>(params.scale)));
                numbers.add(std::uint64_t(std::int64_t(params.zeroPoint)));
            }
        Fingerprint all;
        for (const std::string &part : {keyText(key), validation.fingerprint(), recipeToJson(recipe()), trainingToJson(m_spec), numbers.text()})
            all.add(part);
        return all.text();
    }

    /// The model as it stands, with numbers that can be exported.
    QuantizedModel frozen(const TrainingModel &model) const
    {
        QuantizedModel result = model.freeze();
        if (!quantizes())
            return result;
        Diagnostics shifts;
        if (targetProfile(recipe().target).shiftConstraints)
            shifts = fitShifts(result);
        result.diagnostics.clear();
        fitBiases(result);
        result.diagnostics.insert(result.diagnostics.end(), shifts.begin(), shifts.end());
        return result;
    }

    QuantizedModel train(const Graph &source, QuantizedModel start, Report &report)
    {
        m_progress.beginStage("prepare");
        Diagnostics remarks;
        for (const Diagnostic &remark : start.diagnostics) // these are said anew of the trained weights
            if (remark.code != "bias-raised-scale" && remark.code != "zero-channel")
                remarks.push_back(remark);
        const auto original = std::make_shared<const Graph>(source);
        const auto data = openFor(source, m_request.training, recipe().transform);
        const auto validation = cachedDataset(openFor(source, measured(), recipe().transform), cachedBytes);
        TrainingModel model = quantizes() ? TrainingModel(start, source, m_spec) : TrainingModel(start.graph, m_spec);
        TrainerOptions options;
        options.threads = m_threads;
        options.fixedBatch = runBatchSize(source, 0);
        options.key = keyOf(start, *data, *validation);
        Trainer trainer(model, original, *data, m_spec, options);
        Teller teller(m_observer, m_control, model, m_spec);

        TrainerHooks hooks;
        hooks.wish = [this] { return TrainerHooks::Wish(m_control.wish.load()); };
        hooks.evaluate = [&] { return evaluate(original, frozen(model), *validation); };
        hooks.stepped = [&](const CurvePoint &point, bool best, bool paused) { teller.tell(point, trainer.totalSteps(), best, paused); };
        if (!m_request.checkpoint.empty())
            hooks.save = [&](const Checkpoint &checkpoint) { save(checkpoint, remarks); };
        report.training = trainer.run(hooks, m_progress, m_from ? &*m_from : nullptr);
        QuantizedModel best = frozen(model);
        for (const Diagnostics *more : {&model.diagnostics(), &trainer.diagnostics()})
            remarks.insert(remarks.end(), more->begin(), more->end());
        best.diagnostics.insert(best.diagnostics.begin(), remarks.begin(), remarks.end());
        return best;
    }

    /// A disk that is full at the start ends the training; one that fills up later does not cost what was learned since.
    void save(const Checkpoint &checkpoint, Diagnostics &remarks)
    {
        try {
            writeCheckpoint(checkpoint, m_request.checkpoint);
            m_saved = true;
        } catch (const Error &error) {
            if (!m_saved)
                throw;
            if (!m_saveFailed)
                remarks.push_back({Severity::Warning, "checkpoint-not-written", "", "A checkpoint could not be written, so an older one stands there: " + error.sentence()});
            m_saveFailed = true;
        }
    }

    Evaluation evaluate(const std::shared_ptr<const Graph> &original, const QuantizedModel &model, const Dataset &validation) const
    {
        Progress quiet({}, m_progress.stopToken());
        EvaluationOptions options;
        options.batchSize = recipe().batchSize;
        options.threads = m_threads;
        options.useLabels = !m_request.quantize.validation.path.empty();
        const bool accuracy = options.useLabels && validation.hasLabels();
        std::vector<std::shared_ptr<const Graph>> graphs;
        if (!accuracy)
            graphs.push_back(original);
        graphs.push_back(std::make_shared<const Graph>(buildQdqGraph(model)));
        return evaluateGraphs(graphs, validation, options, quiet).models.back();
    }

    TrainRequest m_request;
    TrainingControl::State &m_control;
    const TrainingObserver &m_observer;
    int m_threads;
    Progress &m_progress;
    TrainingSpec m_spec;
    std::optional<Checkpoint> m_from;
    Diagnostics m_notes;
    bool m_saved = false, m_saveFailed = false;
};

} // namespace

TrainingControl::TrainingControl() : m_state(std::make_unique<State>()) {}
TrainingControl::~TrainingControl() = default;

void TrainingControl::pause()
{
    int expected = State::GoOn;
    m_state->wish.compare_exchange_strong(expected, State::Pause);
}

void TrainingControl::resume()
{
    int expected = State::Pause;
    m_state->wish.compare_exchange_strong(expected, State::GoOn);
}

void TrainingControl::stopAndKeepBest()
{
    m_state->wish = State::Finish;
}

void TrainingControl::watch(const std::string &node)
{
    m_state->watch(node);
}

Report runTrainJob(const TrainRequest &request, TrainingControl &control, const TrainingObserver &observer, int threads, Progress &progress)
{
    return TrainJob(request, control, observer, threads, progress).run();
}

} // namespace core

#include "core/qat/trainer.h"

#include "core/data/augment.h"
#include "core/data/loader.h"
#include "core/exec/executor.h"
#include "core/metrics/scored_output.h"
#include "core/qat/losses.h"
#include "core/qat/schedule.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <thread>
#include <utility>

namespace core {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::int64_t mostCurvePoints = 2000;
constexpr double smoothing = 0.05;             // of the loss that divergence is judged by
constexpr double divergence = 10;              // smoothed loss against that of the first batch

/// Samples from `first` on, `count` of them.
class Part : public Dataset {
public:
    Part(const Dataset &whole, std::size_t first, std::size_t count) : m_whole(whole), m_first(first), m_count(count) {}
    std::size_t size() const override { return m_count; }
    bool hasLabels() const override { return m_whole.hasLabels(); }
    std::string describe(std::size_t index) const override { return m_whole.describe(m_first + index); }
    Sample load(std::size_t index) const override { return m_whole.load(m_first + index); }
    std::string fingerprint() const override { return m_whole.fingerprint(); }

private:
    const Dataset &m_whole;
    std::size_t m_first, m_count;
};

std::vector<NamedTensor> copies(const std::vector<NamedTensor> &state)
{
    std::vector<NamedTensor> copied;
    for (const NamedTensor &one : state)
        copied.push_back({one.name, one.tensor.detach().clone()});
    return copied;
}

std::string stepText(std::int64_t step) { return step > 0 ? "step " + std::to_string(step) : "the state before training"; }

} // namespace

TrainingScore scoreOf(const Evaluation &evaluation)
{
    return {evaluation.top1.value_or(0), evaluation.agreement ? evaluation.agreement->sqnrDb : 0};
}

struct Trainer::Impl {
    TrainingModel &model;
    const Dataset &data;
    TrainingSpec spec;
    TrainerOptions options;
    std::int64_t batchSize, stepsPerEpoch, totalSteps;
    Optimizer optimizer;
    Schedule schedule;
    std::vector<at::Tensor> parameters;
    std::unique_ptr<Executor> teacher;
    std::size_t teacherOutputs = 0;
    Checkpoint now;                            ///< model and optimizer are filled when it is saved
    Diagnostics diagnostics;
    bool toldUnreadable = false;               ///< they are the same in every epoch
    const TrainerHooks *hooks = nullptr;
    Progress *progress = nullptr;
    Clock::time_point begun;
    double secondsBefore = 0;
    bool over = false;

    Impl(TrainingModel &model_, std::shared_ptr<const Graph> graph, const Dataset &data_, const TrainingSpec &spec_, TrainerOptions options_)
        : model(model_), data(data_), spec(spec_), options(std::move(options_)),
          batchSize(options.fixedBatch > 0 ? options.fixedBatch : std::min<std::int64_t>(spec.batchSize, std::int64_t(data.size()))),
          stepsPerEpoch(std::max<std::int64_t>(std::int64_t(data.size()) / std::max<std::int64_t>(batchSize, 1), 1)),
          totalSteps(spec.maxSteps > 0 ? std::min(spec.maxSteps, stepsPerEpoch * spec.epochs) : stepsPerEpoch * spec.epochs),
          optimizer(spec, model.parameters()), schedule(spec, stepsPerEpoch, totalSteps), parameters(model.parameters().all())
    {
        if (data.size() == 0)
            throw Error(ErrorKind::InvalidInput, "train", "There are no images to train with.");
        if (spec.loss.crossEntropy > 0 && !data.hasLabels())
            throw Error(ErrorKind::InvalidInput, "train", "Cross-entropy needs labelled images and the training images have no labels; train by distillation instead.");
        now.key = options.key;
        now.record.method = trainMethodName(spec.method);
        now.record.specJson = trainingToJson(spec);
        if (spec.loss.distillation > 0 || spec.loss.features > 0)
            makeTeacher(std::move(graph));
    }

    void makeTeacher(std::shared_ptr<const Graph> graph)
    {
        ExecutorOptions wanted;
        wanted.fetches = graph->outputs;
        teacherOutputs = graph->outputs.size();
        if (spec.loss.features > 0)
            for (const std::string &name : spec.loss.tensors)
                wanted.fetches.push_back(graph->findValue(name));   // the training model has refused unknown names
        teacher = std::make_unique<Executor>(std::move(graph), wanted);
    }

    double epochOf(std::int64_t step) const { return double(step) / double(stepsPerEpoch); }
    std::int64_t evaluationInterval() const { return spec.evaluateEvery > 0 ? spec.evaluateEvery : stepsPerEpoch; }

    double seconds() const { return secondsBefore + std::chrono::duration<double>(Clock::now() - begun).count(); }

    void save()
    {
        if (!hooks->save)
            return;
        now.model = model.state();
        now.optimizer = optimizer.state();
        now.plateauFactor = schedule.plateauFactor();
        now.plateauWaiting = schedule.waiting();
        now.record.seconds = seconds();
        hooks->save(now);
        now.model.clear();
        now.optimizer.clear();
    }

    void restore(const Checkpoint &from)
    {
        if (from.key != options.key)
            throw Error(ErrorKind::InvalidInput, "train", "The checkpoint was made from another model, other images, another recipe or other training settings; train anew.");
        model.restore(from.model);
        optimizer.restore(from.optimizer, from.step);
        schedule.restore(from.plateauFactor, from.plateauWaiting);
        now = from;
        now.model.clear();
        now.optimizer.clear();
        secondsBefore = from.record.seconds;
    }

    void record(CurvePoint point, bool best, bool paused = false)
    {
        std::vector<CurvePoint> &curve = now.record.curve;
        const std::int64_t stride = std::max<std::int64_t>(totalSteps / mostCurvePoints, 1);
        if (!paused) {
            if (!curve.empty() && curve.back().step == point.step)
                curve.back() = point;
            else if (point.evaluation || point.step % stride == 0 || point.step == totalSteps)
                curve.push_back(point);
        }
        if (hooks->stepped)
            hooks->stepped(point, best, paused);
    }

    bool evaluated(std::int64_t step) const
    {
        const auto &curve = now.record.curve;
        return !curve.empty() && curve.back().step == step && curve.back().evaluation;
    }

    void evaluate(CurvePoint point)
    {
        bool best = true;
        if (hooks->evaluate) {
            point.evaluation = hooks->evaluate();
            const TrainingScore score = scoreOf(*point.evaluation);
            best = !now.bestScore || score > *now.bestScore;
            if (best)
                now.bestScore = score;
        }
        if (best) {
            now.best = copies(model.state());
            now.record.bestStep = point.step;
        }
        now.withoutProgress = best ? 0 : now.withoutProgress + 1;
        schedule.evaluated(best);
        record(point, best);
        const auto &start = now.record.curve.front().evaluation;
        if (point.step > 0 && point.evaluation && start && scoreOf(*point.evaluation) < scoreOf(*start) && now.smoothedLoss > divergence * now.firstLoss)
            return diverge("the loss rose from " + std::to_string(now.firstLoss) + " to " + std::to_string(now.smoothedLoss) + ", and the model is worse than at the start.");
        if (spec.patience > 0 && now.withoutProgress >= spec.patience)
            finish("No better state in " + std::to_string(now.withoutProgress) + " evaluations; " + stepText(now.record.bestStep) + " was kept.");
    }

    void finish(const std::string &ending)
    {
        over = true;
        now.record.ending = ending;
    }

    CurvePoint pointAt(std::int64_t step, double loss) const
    {
        return {step, epochOf(step), loss, spec.learningRate * schedule.factor(std::max<std::int64_t>(step - 1, 0)), {}};
    }

    void diverge(const std::string &what)
    {
        const std::string sentence = "Training went astray at step " + std::to_string(now.step) + ": " + what + " " + stepText(now.record.bestStep)
            + " was kept. Use a smaller learning rate, a warm-up or gradient clipping.";
        diagnostics.push_back({Severity::Warning, "training-diverged", "", sentence});
        model.restore(now.best);
        finish(sentence);
    }

    at::Tensor lossOf(const std::vector<at::Tensor> &inputs, std::span<const std::int64_t> labels)
    {
        std::vector<at::Tensor> outputs, features;
        if (teacher) {
            at::NoGradGuard noGrad;
            outputs = teacher->run(inputs);
            features.assign(outputs.begin() + std::ptrdiff_t(teacherOutputs), outputs.end());
            outputs.resize(teacherOutputs);
        }
        const TrainingModel::Result result = model(inputs);
        return trainingLoss(spec.loss, {result.outputs, result.features}, {outputs, features}, labels, scoredOutput(result.outputs));
    }

    /// One step; false when it went astray and the best state was restored.
    bool learn(const std::vector<at::Tensor> &inputs, std::span<const std::int64_t> labels, double &value)
    {
        if (double(now.step) >= spec.freezeObserversAt * double(totalSteps))
            model.freezeAverages();
        if (double(now.step) >= spec.freezeBatchNormAt * double(totalSteps))
            model.freezeBatchNorm();
        const c10::AutoGradMode grad(true);
        optimizer.setRateFactor(schedule.factor(now.step));
        optimizer.zeroGradients();
        const at::Tensor loss = lossOf(inputs, labels);
        value = loss.item<double>();
        double norm = 0;
        if (std::isfinite(value)) {
            loss.backward();
            if (hooks->gradients)
                hooks->gradients(parameters);
            norm = clipGradients(parameters, spec.gradientClip);
        }
        if (!std::isfinite(value) || !std::isfinite(norm)) {
            const std::string where = model.firstNotFinite(inputs);
            const std::string what = std::isfinite(value) ? "the gradient is not finite" : "the loss is not finite";
            if (now.step == 0)
                throw Error(ErrorKind::Numeric, "train", "Before the first step " + what + (where.empty() ? "." : "; the first such value is in " + where + "."));
            diverge(what + (where.empty() ? "." : "; the first such value is in " + where + "."));
            return false;
        }
        optimizer.step();
        model.afterStep();
        ++now.step;
        now.smoothedLoss = now.step == 1 ? value : now.smoothedLoss + smoothing * (value - now.smoothedLoss);
        if (now.step == 1)
            now.firstLoss = value;
        return true;
    }

    void obeyWishes(const CurvePoint &point)
    {
        using Wish = TrainerHooks::Wish;
        Wish wish = hooks->wish ? hooks->wish() : Wish::GoOn;
        if (wish == Wish::Pause) {
            save();
            record(point, false, true);
            while ((wish = hooks->wish()) == Wish::Pause) {
                progress->checkpoint();
                std::this_thread::sleep_for(std::chrono::milliseconds(20));
            }
            if (wish == Wish::GoOn && hooks->stepped)
                hooks->stepped(point, false, false);
        }
        if (wish == Wish::Finish && !over) {
            if (!evaluated(point.step))
                evaluate(point);
            finish("Stopped at step " + std::to_string(now.step) + "; " + stepText(now.record.bestStep) + " was kept.");
        }
    }

    void runEpoch(std::int64_t epoch)
    {
        const std::int64_t first = now.step - epoch * stepsPerEpoch;
        const auto view = trainingEpoch(data, spec.augment, spec.seed, epoch);
        const std::size_t begin = std::size_t(first * batchSize), end = std::min(view->size(), std::size_t(stepsPerEpoch * batchSize));
        const Part part(*view, begin, end - begin);
        Loader loader(part, int(batchSize), options.threads, 3);
        while (auto batch = loader.next()) {
            // Unreadable images are left out; a batch without any readable one is a step that teaches nothing.
            const std::int64_t position = first + std::int64_t(batch->indices.back()) / batchSize;
            now.step = std::max(now.step, epoch * stepsPerEpoch + position);
            if (options.fixedBatch > 0) {
                for (at::Tensor &input : batch->inputs)
                    input = filledBatch(input, options.fixedBatch);
                batch->labels.resize(std::size_t(options.fixedBatch), batch->labels.back());
            }
            double value = 0;
            if (!learn(batch->inputs, batch->labels, value))
                return;
            const CurvePoint point = pointAt(now.step, value);
            if (now.step % evaluationInterval() == 0 || now.step == totalSteps) {
                evaluate(point);
                save();
            } else {
                record(point, false);
            }
            progress->checkpoint(now.step, totalSteps);
            if (!over)
                obeyWishes(point);
            if (over || now.step >= totalSteps)
                break;
        }
        if (!std::exchange(toldUnreadable, true))
            diagnostics.insert(diagnostics.end(), loader.skipped().begin(), loader.skipped().end());
        if (!over && now.step < totalSteps)
            now.step = std::max(now.step, (epoch + 1) * stepsPerEpoch);
    }

    TrainingRecord run()
    {
        begun = Clock::now();
        progress->beginStage("train", totalSteps);
        if (!now.finished) {
            try {
                if (now.step == 0 && !evaluated(0)) {
                    evaluate(pointAt(0, std::numeric_limits<double>::quiet_NaN()));
                    save();
                } else if (now.step % evaluationInterval() == 0 && !evaluated(now.step) && hooks->evaluate) {
                    evaluate(now.record.curve.empty() ? pointAt(now.step, now.smoothedLoss) : now.record.curve.back());
                }
                progress->checkpoint(now.step, totalSteps);
                while (!over && now.step < totalSteps)
                    runEpoch(now.step / stepsPerEpoch);
            } catch (const Cancelled &) {
                save();
                throw;
            }
            if (!over)
                finish("All " + std::to_string(totalSteps) + " steps were made; " + stepText(now.record.bestStep) + " was kept.");
            now.finished = true;
            now.record.steps = now.step;
            save();
        }
        model.restore(now.best);
        now.record.steps = now.step;
        now.record.seconds = seconds();
        return now.record;
    }
};

Trainer::Trainer(TrainingModel &model, std::shared_ptr<const Graph> teacher, const Dataset &data, const TrainingSpec &spec, TrainerOptions options)
    : m_impl(std::make_unique<Impl>(model, std::move(teacher), data, spec, std::move(options)))
{
}

Trainer::~Trainer() = default;

TrainingRecord Trainer::run(const TrainerHooks &hooks, Progress &progress, const Checkpoint *from)
{
    m_impl->hooks = &hooks;
    m_impl->progress = &progress;
    if (from)
        m_impl->restore(*from);
    return m_impl->run();
}

std::int64_t Trainer::totalSteps() const
{
    return m_impl->totalSteps;
}

const Diagnostics &Trainer::diagnostics() const
{
    return m_impl->diagnostics;
}

} // namespace core

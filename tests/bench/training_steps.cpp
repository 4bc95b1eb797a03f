#include "tests/bench/training_steps.h"

#include "core/exec/executor.h"
#include "core/metrics/scored_output.h"
#include "core/ptq/pipeline.h"
#include "core/qat/losses.h"
#include "core/qat/training_model.h"
#include "core/session/model_loading.h"
#include "core/spec/training_recipe.h"
#include "tests/bench/bench_data.h"
#include "tests/bench/timing.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <deque>
#include <numeric>
#include <random>

namespace bench {

using namespace core;

namespace {

QuantizedModel quantized(const Graph &graph, TrainMethod method, const Dataset &data, const Options &options)
{
    Progress quiet;
    PtqPipeline pipeline(graph, trainingRecipe(presetRecipe("a8w8"), method));
    pipeline.prepare(quiet);
    CalibrationOptions calibration;
    calibration.batchSize = options.batch;
    calibration.threads = options.threads;
    return pipeline.quantize(calibrate(pipeline.graph(), pipeline.targets(), data, calibration, quiet).statistics, quiet);
}

/// A model, its optimiser and the time that one step takes.
class Stepper {
public:
    Stepper(std::unique_ptr<TrainingModel> model, const TrainingSpec &spec) : m_model(std::move(model)), m_optimizer(spec, m_model->parameters()), m_spec(spec)
    {
        m_model->freezeAverages();
        m_model->freezeBatchNorm();
    }

    void step(const std::vector<at::Tensor> &batch)
    {
        const c10::AutoGradMode grad(true);
        m_optimizer.zeroGradients();
        const TrainingModel::Result result = (*m_model)(batch);
        const int scored = scoredOutput(result.outputs);
        const std::vector<std::int64_t> labels(std::size_t(batch[0].size(0)), 1);
        const at::Tensor loss = scored >= 0 ? trainingLoss(m_spec.loss, {result.outputs, {}}, {}, labels, scored) : result.outputs[0].square().mean();
        loss.backward();
        m_optimizer.step();
        m_model->afterStep();
    }

private:
    std::unique_ptr<TrainingModel> m_model;
    Optimizer m_optimizer;
    TrainingSpec m_spec;
};

} // namespace

TrainingResult measureTraining(const Options &given)
{
    Options options = given;
    configureEngine(options.threads);
    options.threads = engineThreads();
    const Graph graph = networkOf(options);
    options.batch = runBatchSize(graph, options.batch);
    const auto data = dataOf(options, graph, std::size_t(2 * options.batch));
    const std::vector<at::Tensor> batch = batchOf(*data, options.batch);
    TrainingSpec spec = defaultTraining(TrainMethod::Qat, true);
    spec.loss.distillation = 0;
    spec.learningRate = 1e-7;

    std::deque<Stepper> steppers;
    std::shared_ptr<const Graph> prepared;
    for (const TrainMethod method : {TrainMethod::Qat, TrainMethod::Lsq, TrainMethod::Tqt}) {
        const QuantizedModel model = quantized(graph, method, *data, options);
        prepared = model.graph;
        steppers.emplace_back(std::make_unique<TrainingModel>(model, graph, spec), spec);
    }
    steppers.emplace_back(std::make_unique<TrainingModel>(prepared, spec), spec);
    const std::size_t floating = steppers.size() - 1;

    std::vector<std::vector<double>> ratios(steppers.size());
    std::vector<double> floats;
    std::vector<std::size_t> order(steppers.size());
    std::iota(order.begin(), order.end(), std::size_t(0));
    std::mt19937 random(1);
    for (int round = -2; round < options.rounds; ++round) {
        std::vector<double> seconds(steppers.size());
        std::shuffle(order.begin(), order.end(), random);
        for (const std::size_t turn : order)
            seconds[turn] = secondsOf([&] { steppers[turn].step(batch); });
        if (round < 0)
            continue;
        floats.push_back(seconds[floating]);
        for (std::size_t i = 0; i < floating; ++i)
            ratios[i].push_back(seconds[i] / seconds[floating]);
    }
    return {median(ratios[0]), median(ratios[1]), median(ratios[2]), median(floats)};
}

} // namespace bench

#include "app/training_options.h"

#include "app/recipe_options.h"
#include "core/base/atomic_file.h"

#include <CLI/CLI.hpp>

namespace app {
namespace {

[[noreturn]] void wrong(const std::string &sentence)
{
    throw core::Error(core::ErrorKind::InvalidInput, usageOperation, sentence);
}

} // namespace

void TrainingOptions::addOptions(CLI::App &c)
{
    const std::string group = "Training";
    c.add_option("--train", data.path, "Images to train with; labels are needed for --loss ce only")->required()->type_name("DIR")->group(group);
    c.add_option("--train-labels", data.labels, "Classes of the training images, as --labels")->type_name("FILE")->group(group);
    c.add_option("--train-limit", data.limit, "At most so many training images")->check(CLI::PositiveNumber)->group(group);
    c.add_option("--method", m_method, "qat (the default), lsq (learned scales), tqt (learned thresholds) or float (no quantizers)")->group(group);
    c.add_option("--training", file, "Start from a saved training.json")->type_name("FILE")->group(group);
    c.add_option("--epochs", m_epochs, "Times that every training image is seen")->group(group);
    c.add_option("--steps", m_steps, "At most so many steps")->group(group);
    c.add_option("--optimizer", m_optimizer, "adam or sgd")->group(group);
    c.add_option("--lr", m_rate, "Learning rate of weights")->group(group);
    c.add_option("--quantizer-lr", m_quantizerRate, "Learning rate of scales (relative to their start) and thresholds (octaves)")->group(group);
    c.add_option("--momentum", m_momentum, "Of sgd")->group(group);
    c.add_option("--weight-decay", m_decay, "Of weights; never of quantizers")->group(group);
    c.add_option("--schedule", m_schedule, "constant, step, cosine or plateau")->group(group);
    c.add_option("--step-epochs", m_stepEpochs, "step: every so many epochs; plateau: after so many evaluations without progress")->group(group);
    c.add_option("--warmup", m_warmup, "Steps in which the learning rate rises")->group(group);
    c.add_option("--gradient-clip", m_clip, "Largest norm of the gradient")->group(group);
    c.add_option("--loss", m_loss, "distill (from the float model, no labels needed), ce (cross-entropy) or both")->group(group);
    c.add_option("--temperature", m_temperature, "Of distillation")->group(group);
    c.add_option("--label-smoothing", m_smoothing, "Of cross-entropy")->group(group);
    c.add_option("--feature", m_features, "Tensor whose error against the float model is part of the loss (may be repeated)")->type_size(1)->expected(1)->take_all()->group(group);
    c.add_flag_function("--random-crop,!--no-random-crop", [this](std::int64_t n) { m_crop = n > 0; }, "Random resized crops")->group(group);
    c.add_option("--min-area", m_minArea, "Smallest share of the image that a random crop takes")->group(group);
    c.add_flag_function("--flip,!--no-flip", [this](std::int64_t n) { m_flip = n > 0; }, "Flip left and right at random")->group(group);
    c.add_option("--color", m_color, "Random brightness, contrast and saturation: factors 1 - x to 1 + x")->group(group);
    c.add_option("--shift", m_shift, "Random shift by so many pixels")->group(group);
    c.add_option("--batch-norm", m_batchNorm, "fixed, running or batch statistics")->group(group);
    c.add_option("--freeze-batch-norm", m_freezeBatchNorm, "Share of the steps after which they stay")->group(group);
    c.add_option("--freeze-observers", m_freezeObservers, "Share of the steps after which ranges of qat stay")->group(group);
    c.add_option("--evaluate-every", m_evaluateEvery, "Steps between evaluations; once an epoch by default")->group(group);
    c.add_option("--patience", m_patience, "Stop after so many evaluations without a better one")->group(group);
    c.add_option("--checkpoint", checkpoint, "Kept here while it trains; <out>/<model>_<method>.checkpoint by default")->type_name("FILE")->group(group);
    c.add_flag("--resume", resume, "Go on from the checkpoint")->group(group);
}

core::TrainingSpec TrainingOptions::build(std::optional<int> batch, std::optional<std::uint64_t> seed) const
{
    core::TrainingSpec spec;
    if (!file.empty()) {
        spec = core::trainingFromJson(core::readFile(file, std::int64_t(1) << 20));
        if (m_method)
            spec.method = core::trainMethodFromName(*m_method);
    } else {
        const core::TrainMethod method = core::trainMethodFromName(m_method.value_or("qat"));
        spec = core::defaultTraining(method, method == core::TrainMethod::Float);
    }
    const auto take = [](auto &field, const auto &given) {
        if (given)
            field = *given;
    };
    if (m_loss) {
        if (*m_loss != "ce" && *m_loss != "distill" && *m_loss != "both")
            wrong("--loss is ce, distill or both, not '" + *m_loss + "'.");
        spec.loss.crossEntropy = *m_loss == "distill" ? 0 : 1;
        spec.loss.distillation = *m_loss == "ce" ? 0 : 1;
    }
    if (!m_features.empty()) {
        spec.loss.tensors = m_features;
        spec.loss.features = 1;
    }
    if (m_optimizer)
        spec.optimizer = core::optimizerFromName(*m_optimizer);
    if (m_schedule)
        spec.schedule = core::scheduleFromName(*m_schedule);
    if (m_batchNorm)
        spec.batchNorm = core::batchNormModeFromName(*m_batchNorm);
    take(spec.epochs, m_epochs);
    take(spec.maxSteps, m_steps);
    take(spec.batchSize, batch);
    take(spec.seed, seed);
    take(spec.learningRate, m_rate);
    take(spec.quantizerLearningRate, m_quantizerRate);
    take(spec.momentum, m_momentum);
    take(spec.weightDecay, m_decay);
    take(spec.stepEpochs, m_stepEpochs);
    take(spec.warmupSteps, m_warmup);
    take(spec.gradientClip, m_clip);
    take(spec.loss.temperature, m_temperature);
    take(spec.loss.labelSmoothing, m_smoothing);
    take(spec.augment.randomResizedCrop, m_crop);
    take(spec.augment.minArea, m_minArea);
    take(spec.augment.flip, m_flip);
    take(spec.augment.brightness, m_color);
    take(spec.augment.contrast, m_color);
    take(spec.augment.saturation, m_color);
    take(spec.augment.shift, m_shift);
    take(spec.freezeBatchNormAt, m_freezeBatchNorm);
    take(spec.freezeObserversAt, m_freezeObservers);
    take(spec.evaluateEvery, m_evaluateEvery);
    take(spec.patience, m_patience);
    core::checkTraining(spec);
    return spec;
}

} // namespace app

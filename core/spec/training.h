// How a model is trained: everything that decides the curve, as one value that is saved beside the result (training.json).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace core {

enum class TrainMethod { Float, Qat, Lsq, Tqt };
enum class OptimizerKind { Adam, Sgd };
enum class ScheduleKind { Constant, Step, Cosine, Plateau };
/// Fixed: running statistics as they are in the model. Running: they follow the batches (momentum 0.1), the forward pass uses them. Batch: the
/// forward pass normalizes with the batch itself, folded weights corrected by √(running variance / batch variance).
enum class BatchNormMode { Fixed, Running, Batch };

/// The loss is the weighted sum of its parts; a part with weight 0 is not computed.
struct LossSpec {
    double crossEntropy = 0;                   ///< needs labels
    double distillation = 1;                   ///< from the float model: KL divergence where the output is class scores, else mean squared error over
                                               ///< every output, divided by the output's variance
    double features = 0;                       ///< mean squared error, likewise divided, of `tensors`
    double labelSmoothing = 0;
    double temperature = 1;                    ///< of the KL divergence; the gradient is scaled by its square
    std::vector<std::string> tensors;          ///< names of float tensors of the model
    friend bool operator==(const LossSpec &, const LossSpec &) = default;
};

/// Random changes of the training images, drawn anew for each image and epoch.
struct AugmentSpec {
    bool randomResizedCrop = true;
    double minArea = 0.25, maxArea = 1;        ///< share of the image
    double maxAspect = 4.0 / 3;                ///< width / height between 1 / maxAspect and maxAspect
    bool flip = true;                          ///< left and right, every second time
    double brightness = 0, contrast = 0, saturation = 0; ///< factors between 1 − x and 1 + x, in random order
    int shift = 0;                             ///< pixels of the input, up, down and sideways; what comes in is the border colour
    friend bool operator==(const AugmentSpec &, const AugmentSpec &) = default;
};

struct TrainingSpec {
    int schemaVersion = 1;
    TrainMethod method = TrainMethod::Qat;
    int epochs = 10;
    std::int64_t maxSteps = 0;                 ///< 0 = epochs alone decide
    int batchSize = 16;
    std::uint64_t seed = 0;
    OptimizerKind optimizer = OptimizerKind::Adam;
    double learningRate = 1e-5;                ///< right for networks of millions of weights; small ones take 1e-3
    double quantizerLearningRate = 1e-3;       ///< relative to a parameter of size 1: LSQ scales are learned as multiples of their start
    double momentum = 0.9;                     ///< Sgd, with Nesterov's look-ahead
    double weightDecay = 0;                    ///< of weights; never of biases, BatchNormalization and quantizers
    ScheduleKind schedule = ScheduleKind::Cosine;
    double stepFactor = 0.1;                   ///< Step, Plateau
    int stepEpochs = 10;                       ///< Step: every so many epochs. Plateau: after so many evaluations without progress
    int warmupSteps = 0;                       ///< linear rise from 0
    double gradientClip = 0;                   ///< largest norm of the whole gradient; 0 = none
    LossSpec loss;
    AugmentSpec augment;
    BatchNormMode batchNorm = BatchNormMode::Fixed;
    double freezeBatchNormAt = 0.5;            ///< share of all steps after which the statistics stay
    double freezeObserversAt = 0.5;            ///< the same for the moving averages of STE quantizers
    std::int64_t evaluateEvery = 0;            ///< steps; 0 = once an epoch
    int patience = 0;                          ///< stop after so many evaluations without a new best; 0 = never
    friend bool operator==(const TrainingSpec &, const TrainingSpec &) = default;
};

/// Defaults that suit the method; distillation where the images have no labels.
TrainingSpec defaultTraining(TrainMethod method, bool labelled);

/// Throws Error{InvalidInput} naming the field, its value and what would be accepted.
void checkTraining(const TrainingSpec &spec);

/// Fields in snake_case, "loss" and "augment" as objects of their own; every field is written.
std::string trainingToJson(const TrainingSpec &spec);
/// Fields that are not named are those of defaultTraining(method, method is float). Throws Error{InvalidInput} for JSON that is none, for fields or
/// names that are unknown, and for what checkTraining refuses.
TrainingSpec trainingFromJson(const std::string &json);

/// "float", "qat", "lsq", "tqt"; throws Error{InvalidInput} listing them otherwise. Likewise the others.
TrainMethod trainMethodFromName(std::string_view name);
std::string trainMethodName(TrainMethod method);
OptimizerKind optimizerFromName(std::string_view name);        ///< adam, sgd
std::string optimizerName(OptimizerKind kind);
ScheduleKind scheduleFromName(std::string_view name);          ///< constant, step, cosine, plateau
std::string scheduleName(ScheduleKind kind);
BatchNormMode batchNormModeFromName(std::string_view name);    ///< fixed, running, batch
std::string batchNormModeName(BatchNormMode mode);

} // namespace core

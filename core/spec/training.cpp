#include "core/spec/training.h"

#include "core/spec/json_reader.h"

#include <nlohmann/json.hpp>

#include <cmath>
#include <utility>

namespace core {

namespace {

using Json = nlohmann::ordered_json;
using JsonObject = BasicJsonObject<Json>;

constexpr int trainingSchemaVersion = 1;

constexpr std::pair<TrainMethod, const char *> methods[] = {
    {TrainMethod::Float, "float"}, {TrainMethod::Qat, "qat"}, {TrainMethod::Lsq, "lsq"}, {TrainMethod::Tqt, "tqt"}};
constexpr std::pair<OptimizerKind, const char *> optimizers[] = {{OptimizerKind::Adam, "adam"}, {OptimizerKind::Sgd, "sgd"}};
constexpr std::pair<ScheduleKind, const char *> schedules[] = {
    {ScheduleKind::Constant, "constant"}, {ScheduleKind::Step, "step"}, {ScheduleKind::Cosine, "cosine"}, {ScheduleKind::Plateau, "plateau"}};
constexpr std::pair<BatchNormMode, const char *> batchNormModes[] = {
    {BatchNormMode::Fixed, "fixed"}, {BatchNormMode::Running, "running"}, {BatchNormMode::Batch, "batch"}};

constexpr const auto &namesOf(TrainMethod) { return methods; }
constexpr const auto &namesOf(OptimizerKind) { return optimizers; }
constexpr const auto &namesOf(ScheduleKind) { return schedules; }
constexpr const auto &namesOf(BatchNormMode) { return batchNormModes; }

template <class E> std::string nameOf(E value)
{
    for (const auto &[candidate, name] : namesOf(value))
        if (candidate == value)
            return name;
    return "?";
}

[[noreturn]] void refuse(const std::string &sentence)
{
    throw Error(ErrorKind::InvalidInput, "training", sentence);
}

template <class E> E fromName(std::string_view what, std::string_view name)
{
    std::vector<std::string> names;
    for (const auto &[candidate, known] : namesOf(E{})) {
        if (known == name)
            return candidate;
        names.emplace_back(known);
    }
    refuse("'" + std::string(what) + "' cannot be '" + std::string(name) + "'; it is one of " + oneOf(names) + ".");
}

/// f(name, field) for every field but the version, in the order in which they are written. `T` may be const.
template <class T, class F> void eachField(T &spec, F &&f)
{
    using Spec = std::remove_const_t<T>;
    if constexpr (std::is_same_v<Spec, LossSpec>) {
        f("cross_entropy", spec.crossEntropy);
        f("distillation", spec.distillation);
        f("features", spec.features);
        f("label_smoothing", spec.labelSmoothing);
        f("temperature", spec.temperature);
        f("tensors", spec.tensors);
    } else if constexpr (std::is_same_v<Spec, AugmentSpec>) {
        f("random_resized_crop", spec.randomResizedCrop);
        f("min_area", spec.minArea);
        f("max_area", spec.maxArea);
        f("max_aspect", spec.maxAspect);
        f("flip", spec.flip);
        f("brightness", spec.brightness);
        f("contrast", spec.contrast);
        f("saturation", spec.saturation);
        f("shift", spec.shift);
    } else {
        f("method", spec.method);
        f("epochs", spec.epochs);
        f("max_steps", spec.maxSteps);
        f("batch_size", spec.batchSize);
        f("seed", spec.seed);
        f("optimizer", spec.optimizer);
        f("learning_rate", spec.learningRate);
        f("quantizer_learning_rate", spec.quantizerLearningRate);
        f("momentum", spec.momentum);
        f("weight_decay", spec.weightDecay);
        f("schedule", spec.schedule);
        f("step_factor", spec.stepFactor);
        f("step_epochs", spec.stepEpochs);
        f("warmup_steps", spec.warmupSteps);
        f("gradient_clip", spec.gradientClip);
        f("loss", spec.loss);
        f("augment", spec.augment);
        f("batch_norm", spec.batchNorm);
        f("freeze_batch_norm_at", spec.freezeBatchNormAt);
        f("freeze_observers_at", spec.freezeObserversAt);
        f("evaluate_every", spec.evaluateEvery);
        f("patience", spec.patience);
    }
}

template <class T> constexpr bool isPart = std::is_same_v<T, LossSpec> || std::is_same_v<T, AugmentSpec>;

template <class T> void write(Json &json, const T &spec)
{
    eachField(spec, [&](const char *name, const auto &field) {
        using Field = std::decay_t<decltype(field)>;
        if constexpr (isPart<Field>) {
            json[name] = Json::object();
            write(json[name], field);
        } else if constexpr (std::is_enum_v<Field>) {
            json[name] = nameOf(field);
        } else {
            json[name] = field;
        }
    });
}

template <class E> void readName(JsonObject &object, const char *key, E &to)
{
    std::string name;
    if (!object.find(key))
        return;
    object.read(key, name);
    to = fromName<E>(object.pathOf(key), name);
}

template <class T> void read(JsonObject &object, T &spec)
{
    eachField(spec, [&](const char *name, auto &field) {
        using Field = std::decay_t<decltype(field)>;
        if constexpr (isPart<Field>)
            object.object(name, [&](JsonObject &inner) { read(inner, field); });
        else if constexpr (std::is_enum_v<Field>)
            readName(object, name, field);
        else
            object.read(name, field);
    });
}

std::string text(double value) { return std::isfinite(value) ? Json(value).dump() : std::to_string(value); }

[[noreturn]] void refuseValue(const char *field, const std::string &value, const std::string &wanted)
{
    refuse("'" + std::string(field) + "' is " + value + "; it must be " + wanted + ".");
}

void inRange(const char *field, double value, double lowest, double highest)
{
    if (!(value >= lowest && value <= highest))
        refuseValue(field, text(value), "between " + text(lowest) + " and " + text(highest));
}

void above(const char *field, double value, double bound, double highest)
{
    if (!(value > bound && value <= highest))
        refuseValue(field, text(value), "above " + text(bound) + " and at most " + text(highest));
}

void below(const char *field, double value, double lowest, double bound)
{
    if (!(value >= lowest && value < bound))
        refuseValue(field, text(value), "at least " + text(lowest) + " and below " + text(bound));
}

void whole(const char *field, std::int64_t value, std::int64_t lowest, std::int64_t highest)
{
    if (value < lowest || value > highest)
        refuseValue(field, std::to_string(value), "between " + std::to_string(lowest) + " and " + std::to_string(highest));
}

void checkLoss(const LossSpec &loss)
{
    constexpr double most = 1e6;
    inRange("loss.cross_entropy", loss.crossEntropy, 0, most);
    inRange("loss.distillation", loss.distillation, 0, most);
    inRange("loss.features", loss.features, 0, most);
    if (loss.crossEntropy == 0 && loss.distillation == 0 && loss.features == 0)
        refuse("The weights of the loss, cross_entropy, distillation and features, are all 0; one of them must be above.");
    below("loss.label_smoothing", loss.labelSmoothing, 0, 1);
    above("loss.temperature", loss.temperature, 0, 1000);
    if (loss.features > 0 && loss.tensors.empty())
        refuse("'loss.features' is " + text(loss.features) + ", but 'loss.tensors' names no tensor; name some or set it to 0.");
    for (const std::string &name : loss.tensors)
        if (name.empty())
            refuse("'loss.tensors' has an empty name; it must be names of tensors of the model.");
}

void checkAugment(const AugmentSpec &augment)
{
    above("augment.min_area", augment.minArea, 0, 1);
    inRange("augment.max_area", augment.maxArea, augment.minArea, 1);
    inRange("augment.max_aspect", augment.maxAspect, 1, 100);
    inRange("augment.brightness", augment.brightness, 0, 1);
    inRange("augment.contrast", augment.contrast, 0, 1);
    inRange("augment.saturation", augment.saturation, 0, 1);
    whole("augment.shift", augment.shift, 0, 4096);
}

} // namespace

TrainingSpec defaultTraining(TrainMethod method, bool labelled)
{
    TrainingSpec spec;
    spec.method = method;
    spec.loss.crossEntropy = labelled ? 1 : 0;
    spec.loss.distillation = 1;
    if (method != TrainMethod::Float)
        return spec;
    spec.optimizer = OptimizerKind::Sgd;
    spec.learningRate = 0.05;
    spec.weightDecay = 1e-4;
    spec.warmupSteps = 100;
    spec.batchSize = 64;
    spec.batchNorm = BatchNormMode::Batch;
    spec.freezeBatchNormAt = 1;
    if (labelled) {
        spec.loss.distillation = 0;
        spec.loss.labelSmoothing = 0.05;
    }
    return spec;
}

void checkTraining(const TrainingSpec &spec)
{
    constexpr std::int64_t many = std::int64_t(1) << 53;
    if (spec.schemaVersion != trainingSchemaVersion)
        refuse("'schema_version' is " + std::to_string(spec.schemaVersion) + ", this program reads version " + std::to_string(trainingSchemaVersion) + ".");
    whole("epochs", spec.epochs, 1, 1'000'000);
    whole("max_steps", spec.maxSteps, 0, many);
    whole("batch_size", spec.batchSize, 1, 65'536);
    inRange("learning_rate", spec.learningRate, 0, 100);
    inRange("quantizer_learning_rate", spec.quantizerLearningRate, 0, 100);
    const bool learnsQuantizers = spec.method == TrainMethod::Lsq || spec.method == TrainMethod::Tqt;
    if (spec.learningRate == 0 && !(learnsQuantizers && spec.quantizerLearningRate > 0))
        refuse("'learning_rate' is 0, so that nothing is learned; it must be above 0" + std::string(learnsQuantizers ? ", or quantizer_learning_rate." : "."));
    below("momentum", spec.momentum, 0, 1);
    inRange("weight_decay", spec.weightDecay, 0, 1);
    above("step_factor", spec.stepFactor, 0, 1);
    whole("step_epochs", spec.stepEpochs, 1, 1'000'000);
    whole("warmup_steps", spec.warmupSteps, 0, 1'000'000'000);
    inRange("gradient_clip", spec.gradientClip, 0, 1e9);
    checkLoss(spec.loss);
    checkAugment(spec.augment);
    inRange("freeze_batch_norm_at", spec.freezeBatchNormAt, 0, 1);
    inRange("freeze_observers_at", spec.freezeObserversAt, 0, 1);
    whole("evaluate_every", spec.evaluateEvery, 0, many);
    whole("patience", spec.patience, 0, 1'000'000);
}

std::string trainingToJson(const TrainingSpec &spec)
{
    Json json = {{"schema_version", spec.schemaVersion}};
    write(json, spec);
    return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

TrainingSpec trainingFromJson(const std::string &json)
{
    try {
        const Json parsed = JsonObject::parse(json);
        JsonObject object(parsed, "");
        TrainMethod method = TrainMethod::Qat;
        readName(object, "method", method);
        TrainingSpec spec = defaultTraining(method, method == TrainMethod::Float);
        object.read("schema_version", spec.schemaVersion);
        read(object, spec);
        object.finish();
        checkTraining(spec);
        return spec;
    } catch (const Error &error) {
        throw Error(error.kind(), "training", error.sentence());
    }
}

TrainMethod trainMethodFromName(std::string_view name) { return fromName<TrainMethod>("method", name); }
std::string trainMethodName(TrainMethod method) { return nameOf(method); }
OptimizerKind optimizerFromName(std::string_view name) { return fromName<OptimizerKind>("optimizer", name); }
std::string optimizerName(OptimizerKind kind) { return nameOf(kind); }
ScheduleKind scheduleFromName(std::string_view name) { return fromName<ScheduleKind>("schedule", name); }
std::string scheduleName(ScheduleKind kind) { return nameOf(kind); }
BatchNormMode batchNormModeFromName(std::string_view name) { return fromName<BatchNormMode>("batch_norm", name); }
std::string batchNormModeName(BatchNormMode mode) { return nameOf(mode); }

} // namespace core

#include "widgets/training/training_settings.h"

#include <QCoreApplication>
#include <QDir>
#include <QFileInfo>

#include <cmath>

namespace widgets {
namespace {

QString tr(const char *text) { return QCoreApplication::translate("widgets::TrainingPanel", text); }
QString percent(double value) { return QString::number(value, 'f', 1) + QStringLiteral("\u00a0%"); }

} // namespace

QString durationText(double seconds)
{
    const auto whole = qint64(std::ceil(std::min(seconds, 3.6e8)));
    if (whole >= 3600)
        return tr("%1 h %2 min").arg(whole / 3600).arg(whole / 60 % 60, 2, 10, QLatin1Char('0'));
    return QStringLiteral("%1:%2").arg(whole / 60).arg(whole % 60, 2, 10, QLatin1Char('0'));
}

QString statusText(const TrainingStatus &s)
{
    switch (s.phase) {
    case TrainingPhase::Idle: return {};
    case TrainingPhase::Starting: return tr("%1: preparing").arg(s.name);
    case TrainingPhase::Stopping: return tr("%1: stopping; the best state is measured").arg(s.name);
    case TrainingPhase::Discarding: return tr("%1: stopping").arg(s.name);
    default: break;
    }
    QStringList parts{s.steps > 0 ? tr("step %1 of %2").arg(s.step).arg(s.steps) : tr("step %1").arg(s.step)};
    if (s.epochs > 0)
        parts << tr("epoch %1 of %2").arg(s.epoch, 0, 'f', 1).arg(s.epochs);
    if (s.phase == TrainingPhase::Running && s.imagesPerSecond > 0)
        parts << tr("%1 img\u2060/\u2060s").arg(s.imagesPerSecond, 0, 'f', s.imagesPerSecond < 10 ? 1 : 0);
    if (s.phase == TrainingPhase::Running && s.secondsLeft >= 1)
        parts << tr("%1 left").arg(durationText(s.secondsLeft));
    const QString what = s.phase == TrainingPhase::Paused ? tr("paused at ") : s.phase == TrainingPhase::Pausing ? tr("pausing at ") : QString();
    return QStringLiteral("%1: %2%3").arg(s.name, what, parts.join(QStringLiteral(", ")));
}

QString bestText(const TrainingStatus &s)
{
    if (!s.best)
        return {};
    QStringList others;
    if (s.ptq)
        others << tr("PTQ %1").arg(percent(*s.ptq));
    if (s.floating)
        others << tr("float %1").arg(percent(*s.floating));
    const QString best = s.bestStep > 0 ? tr("Best %1 %2 at step %3").arg(s.figure, percent(*s.best)).arg(s.bestStep) : tr("No better %1 than PTQ yet").arg(s.figure);
    return others.isEmpty() ? best : best + QStringLiteral("; ") + others.join(QStringLiteral(", "));
}

LossChoice lossChoiceOf(const core::LossSpec &loss)
{
    if (loss.features > 0)
        return LossChoice::Features;
    if (loss.crossEntropy > 0)
        return loss.distillation > 0 ? LossChoice::Both : LossChoice::CrossEntropy;
    return LossChoice::Distillation;
}

core::LossSpec withLoss(core::LossSpec loss, LossChoice choice)
{
    const auto weigh = [](double &weight, bool wanted) { weight = !wanted ? 0 : weight > 0 ? weight : 1; };
    weigh(loss.crossEntropy, choice == LossChoice::CrossEntropy || choice == LossChoice::Both);
    weigh(loss.distillation, choice == LossChoice::Distillation || choice == LossChoice::Both);
    weigh(loss.features, choice == LossChoice::Features);
    return loss;
}

core::TrainingSpec withMethod(const core::TrainingSpec &spec, core::TrainMethod method, bool labelled)
{
    using Spec = core::TrainingSpec;
    Spec next = core::defaultTraining(method, labelled);
    const Spec without = core::defaultTraining(spec.method, false), with = core::defaultTraining(spec.method, true);
    const auto keep = [&](auto... field) {
        const auto one = [&](auto f) {
            if (!(spec.*f == without.*f) && !(spec.*f == with.*f))
                next.*f = spec.*f;
        };
        (one(field), ...);
    };
    keep(&Spec::epochs, &Spec::maxSteps, &Spec::batchSize, &Spec::seed, &Spec::optimizer, &Spec::learningRate, &Spec::quantizerLearningRate, &Spec::momentum, &Spec::weightDecay,
         &Spec::schedule, &Spec::stepFactor, &Spec::stepEpochs, &Spec::warmupSteps, &Spec::gradientClip, &Spec::loss, &Spec::augment, &Spec::batchNorm, &Spec::freezeBatchNormAt,
         &Spec::freezeObserversAt, &Spec::evaluateEvery, &Spec::patience);
    return next;
}

QString methodName(core::TrainMethod method)
{
    switch (method) {
    case core::TrainMethod::Float: return tr("Float");
    case core::TrainMethod::Qat: return QStringLiteral("QAT");
    case core::TrainMethod::Lsq: return QStringLiteral("LSQ");
    case core::TrainMethod::Tqt: return QStringLiteral("TQT");
    }
    return {};
}

QString methodText(core::TrainMethod method)
{
    switch (method) {
    case core::TrainMethod::Float: return tr("Trains the float model itself, without quantizers: to fit it to other images, or from the start.");
    case core::TrainMethod::Qat: return tr("Weights learn to live with rounding; ranges follow what is seen, as a moving average.");
    case core::TrainMethod::Lsq: return tr("Weights and the step size of every quantizer are learned together; the best first choice, for 4 bits and less above all.");
    case core::TrainMethod::Tqt: return tr("Weights and power-of-two thresholds are learned together, for hardware that scales by shifting; symmetric, one scale a tensor.");
    }
    return {};
}

bool mayHaveLabels(const QString &images, const QString &labels)
{
    if (!labels.isEmpty())
        return true;
    const QFileInfo place(images);
    if (place.isFile())
        return place.suffix().compare(QStringLiteral("npz"), Qt::CaseInsensitive) == 0;
    return place.isDir() && QDir(images).entryList(QDir::Dirs | QDir::NoDotAndDotDot).size() > 1;
}

QString trainingProblem(const TrainingSettings &settings, const TrainingContext &context)
{
    if (!context.model)
        return tr("Open a model first.");
    if (!context.obstacle.isEmpty())
        return context.obstacle;
    if (settings.images.isEmpty())
        return tr("Choose images to train with.");
    if (!QFileInfo::exists(settings.images))
        return tr("There are no images to train with at %1.").arg(settings.images);
    if (settings.spec.loss.crossEntropy > 0 && !mayHaveLabels(settings.images, settings.labels))
        return tr("Cross-entropy needs labels: name a labels file, or put the images of each class in a folder of its own.");
    try {
        core::checkTraining(settings.spec);
    } catch (const core::Error &error) {
        return QString::fromStdString(error.sentence());
    }
    return {};
}

} // namespace widgets

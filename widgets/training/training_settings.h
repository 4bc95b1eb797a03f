// What the Training dock edits and shows, as values.
#pragma once

#include "core/base/error.h"
#include "core/spec/training.h"

#include <QString>
#include <QStringList>

#include <optional>

namespace widgets {

struct TrainingSettings {
    QString images;                         ///< folder of images, or .npy / .npz / IDX file
    QString labels;                         ///< list of classes or of files; may be empty
    int limit = 0;                          ///< at most so many images, 0 = all
    core::TrainingSpec spec;                ///< always one that core::checkTraining accepts
    friend bool operator==(const TrainingSettings &, const TrainingSettings &) = default;
};

/// What there is to train, and what was left of an earlier training.
struct TrainingContext {
    bool model = false;
    QString obstacle;                       ///< why nothing can be trained now, whatever the settings; empty when it can
    bool normalizes = true;                 ///< the model holds BatchNormalization
    QStringList selectedTensors;            ///< what the selected layers give, for the loss on features
    QString unfinished;                     ///< "LSQ 1, step 120 of 500"; empty = no training can go on
    friend bool operator==(const TrainingContext &, const TrainingContext &) = default;
};

enum class TrainingPhase { Idle, Starting, Running, Pausing, Paused, Stopping, Discarding };

struct TrainingStatus {
    TrainingPhase phase = TrainingPhase::Idle;
    QString name;                           ///< "LSQ 1"
    std::int64_t step = 0, steps = 0;
    double epoch = 0;
    int epochs = 0;
    double imagesPerSecond = 0, secondsLeft = 0;
    QString figure;                         ///< what best, ptq and floating are: "top-1", "same top-1 as float"
    std::optional<double> best, ptq, floating; ///< %
    std::int64_t bestStep = 0;
};

/// "Step 120 of 500, epoch 2.4 of 10, 310 img/s, 1:12 left"
QString statusText(const TrainingStatus &status);
/// "Best top-1 88.2 % at step 100; PTQ 71.4 %, float 91.1 %"
QString bestText(const TrainingStatus &status);
/// "0:42", "12:05", "3 h 05 min".
QString durationText(double seconds);

enum class LossChoice { Distillation, CrossEntropy, Both, Features };
LossChoice lossChoiceOf(const core::LossSpec &loss);
/// Weights that were above 0 stay.
core::LossSpec withLoss(core::LossSpec loss, LossChoice choice);
/// Another method: what stood at the default of the old one takes the default of the new one.
core::TrainingSpec withMethod(const core::TrainingSpec &spec, core::TrainMethod method, bool labelled);

/// "QAT", "LSQ", "TQT", "Float".
QString methodName(core::TrainMethod method);
/// One sentence on what it does.
QString methodText(core::TrainMethod method);

/// Whether images in that place can have labels: a labels file, a folder a class, or a file of arrays that may bring them.
bool mayHaveLabels(const QString &images, const QString &labels);
/// Why a training cannot start, as a sentence; empty when it can.
QString trainingProblem(const TrainingSettings &settings, const TrainingContext &context);

} // namespace widgets

// Where trainings are kept: the checkpoint of one that goes on, with what it was started with, so that it outlives the window; and the
// checkpoints of finished ones, which their runs name.
#pragma once

#include "app/project.h"

#include <QLockFile>

#include <memory>
#include <optional>

namespace app {

/// A training that was begun and has no run yet.
struct UnfinishedTraining {
    std::filesystem::path checkpoint;
    QString name;                            ///< "LSQ 1"
    QDateTime when;                          ///< of its last sign of life
    std::int64_t step = 0, steps = 0, bestStep = 0;
    std::vector<core::CurvePoint> curve;     ///< so far
    Settings settings;                       ///< that it was started with
};

class TrainingStore {
public:
    /// `folder` is made when it is missing.
    explicit TrainingStore(const QString &folder);
    static QString defaultFolder();

    /// A file for another training of the model with this hash. It is this program's until release().
    std::filesystem::path begin(const QByteArray &modelHash);
    /// Takes up one that was found; false when another program has it.
    bool take(const UnfinishedTraining &training);
    void release();
    /// Written beside the checkpoint; false when it cannot be.
    bool note(const UnfinishedTraining &training) const;
    /// The newest of this model that has a checkpoint and no program that works on it.
    std::optional<UnfinishedTraining> find(const QByteArray &modelHash) const;
    /// From now on the checkpoint belongs to a run.
    void finish(const std::filesystem::path &checkpoint) const;
    void remove(const std::filesystem::path &checkpoint) const;

private:
    QString m_folder;
    std::unique_ptr<QLockFile> m_lock;
};

} // namespace app

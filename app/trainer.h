// The training of a window: at most one at a time, in the heavy lane. It starts, is steered and followed from here; what comes of it is a run of the
// document, or a checkpoint that can go on later.
#pragma once

#include "app/document.h"
#include "app/export_wish.h"
#include "app/lane.h"
#include "app/training_feed.h"
#include "app/training_store.h"
#include "core/session/session.h"
#include "widgets/training/training_settings.h"

#include <QElapsedTimer>
#include <QObject>
#include <QStringList>
#include <QTimer>

#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace app {

class Trainer : public QObject {
    Q_OBJECT
public:
    /// `session` gives the engine and is called in the lane only. `folder`: of checkpoints.
    Trainer(Document &document, Lane &lane, std::function<core::Session &()> session, const QString &folder, QObject *parent = nullptr);
    /// Checkpoints of runs that were never saved go with it.
    ~Trainer() override;

    /// It trains, or is paused.
    bool active() const { return m_status.phase != widgets::TrainingPhase::Idle; }
    const widgets::TrainingStatus &status() const { return m_status; }
    /// Why nothing can be trained now, but for images; empty when it can.
    QString obstacle() const;
    /// What can go on; of the model that is open.
    const std::optional<UnfinishedTraining> &unfinished() const { return m_unfinished; }
    /// Of the training that is on, or was the last one.
    const std::vector<core::CurvePoint> &curve() const { return m_running.curve; }
    core::TrainMethod method() const { return m_running.settings.training.method; }
    const std::filesystem::path &checkpoint() const { return m_running.checkpoint; }

public Q_SLOTS:
    void train();
    void pause();
    /// Of the paused training, else of the unfinished one, whose settings become those of the document.
    void resume();
    void stopAndKeepBest();
    /// Of the training that is on, else of the unfinished one.
    void discard();
    /// Ends so that it can go on later.
    void suspend();
    /// The node of the prepared graph whose thresholds and weights are told; "" = none.
    void watch(const std::string &node);
    /// Writes what the run learned, verified as every export.
    void exportRun(const ExportWish &wish);

Q_SIGNALS:
    void changed();                                      ///< the phase, the obstacle or what is unfinished
    void started();
    void updated(const std::vector<core::TrainingUpdate> &updates); ///< at most 20 times a second
    void finished(const core::Report &report);           ///< and is a run of the document
    void exported(const core::Report &report);

private:
    core::TrainRequest request(const Settings &settings) const;
    void start(UnfinishedTraining training, bool resume);
    void drain();
    void take(const core::TrainingUpdate &update);
    void finish(const core::Report &report);
    void fail(const Failure &failure);
    void end();
    void note();
    void setPhase(widgets::TrainingPhase phase);
    void look();
    void forgetUnsaved();
    QString nextName(core::TrainMethod method) const;
    std::optional<double> knownFloat(const Settings &settings) const;

    Document &m_document;
    Lane &m_lane;
    std::function<core::Session &()> m_session;
    TrainingStore m_store;
    widgets::TrainingStatus m_status;
    std::optional<UnfinishedTraining> m_unfinished;
    UnfinishedTraining m_running;
    std::shared_ptr<core::TrainingControl> m_control;
    std::shared_ptr<TrainingFeed> m_feed;
    std::vector<std::filesystem::path> m_unsaved;        ///< checkpoints of runs that stand in no project file yet
    std::string m_watched;
    QTimer m_drain;
    QElapsedTimer m_sinceDrain;
    bool m_discarding = false;
};

} // namespace app

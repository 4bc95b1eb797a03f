// Between window and engine: what the window asks for becomes a job on one of two lanes, what comes back goes into the document.
#pragma once

#include "app/document.h"
#include "app/export_wish.h"
#include "app/lane.h"
#include "app/trainer.h"
#include "core/session/session.h"

#include <QObject>
#include <QStringList>

#include <memory>
#include <optional>

class QTimer;

namespace app {

class Controller : public QObject {
    Q_OBJECT
public:
    /// threads 0 = all cores. `trainingFolder`: of checkpoints; empty = the user's own.
    Controller(Document &document, int threads, const QString &trainingFolder = {}, QObject *parent = nullptr);
    ~Controller() override;

    Lane &heavy() { return m_heavy; }
    Lane &light() { return m_light; }
    Trainer &trainer() { return *m_trainer; }
    const std::vector<core::Finding> &findings() const { return m_findings; }
    /// Why run() cannot start now, as a sentence for the user; empty when it can.
    QString obstacle() const;

public Q_SLOTS:
    /// An .onnx model, a .qsproj project. Ends in modelOpened() or failed().
    void open(const QString &path);
    void openSample();
    /// A project that was read already (recovery); `fileName` is where it is saved.
    void openProject(const app::Project &project, const QString &fileName);
    void calibrate();
    /// Calibrates where needed, quantizes, evaluates; the result is a new run.
    void run();
    /// The same, written into a folder and verified there; of a trained run what it learned.
    void exportTo(const app::ExportWish &wish);
    /// What a change of the recipe does, on the pinned images; the answer comes as whatIfReady().
    void predict(const core::Recipe &before, const core::Recipe &after, const QString &what);
    void dropPrediction();
    /// One image of the run that is shown; its error colours the graph until Document::setImage(nullptr).
    void runImage(std::size_t index);
    /// A training that is on can go on later.
    void stop();
    void train() { m_trainer->train(); }
    void pauseTraining() { m_trainer->pause(); }
    void resumeTraining() { m_trainer->resume(); }
    void stopAndKeepBest() { m_trainer->stopAndKeepBest(); }
    void discardTraining() { m_trainer->discard(); }

Q_SIGNALS:
    /// What was asked for cannot be now; a sentence for the user.
    void refused(const QString &sentence);
    /// The file of a project is not where it was, or is another one: the user is asked.
    void modelMissing(const app::Project &project, const QString &fileName, bool changed);
    void modelOpened(const QString &path);
    void exported(const core::Report &report);
    void runFinished(const core::Report &report);
    void findingsChanged();
    void whatIfFailed(const QString &sentence);
    void whatIfReady(const core::WhatIf &prediction, const QString &what);
    void failed(const QString &title, const app::Failure &failure);

private:
    /// A result that comes when another model is open is dropped.
    template <class Result>
    std::function<void(std::shared_ptr<const Result>)> ofThisModel(std::function<void(std::shared_ptr<const Result>)> body)
    {
        return [this, prepared = m_document.prepared(), body = std::move(body)](std::shared_ptr<const Result> result) {
            if (prepared == m_document.prepared())
                body(std::move(result));
        };
    }
    core::QuantizeRequest request() const;
    core::Session &session();              ///< heavy lane only
    void describe();
    void diagnose();
    /// A run; with an output directory an export.
    void start(const QString &title, core::QuantizeRequest wanted);
    void finishRun(std::shared_ptr<const core::Calibration> calibration, const core::Report &report, const Settings &settings, bool isExport);
    QString nextRunName(const core::Recipe &recipe) const;

    Document &m_document;
    int m_threads;
    std::unique_ptr<core::Session> m_session;
    std::vector<core::Finding> m_findings;
    QTimer *m_diagnosis;
    std::unique_ptr<Trainer> m_trainer;
    Lane m_light, m_heavy;                 ///< last: they end before what their jobs use
};

} // namespace app

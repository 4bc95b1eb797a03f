// The window's part in a training: what the panel shows, what its buttons do, and that nothing learned is lost by accident.
#include "app/main_window.h"

#include "app/analysis_panel.h"
#include "app/window_actions.h"
#include "widgets/log/run_log_panel.h"
#include "widgets/training/training_panel.h"

#include <QDockWidget>
#include <QFileInfo>
#include <QMessageBox>
#include <QPushButton>
#include <QStatusBar>

namespace app {

using widgets::TrainingPhase;

void MainWindow::connectTraining()
{
    Trainer &trainer = m_controller.trainer();
    connect(m_training, &widgets::TrainingPanel::edited, this, &MainWindow::takeTraining);
    connect(m_training, &widgets::TrainingPanel::trainRequested, this, &MainWindow::train);
    connect(m_training, &widgets::TrainingPanel::pauseRequested, &m_controller, &Controller::pauseTraining);
    connect(m_training, &widgets::TrainingPanel::resumeRequested, &m_controller, &Controller::resumeTraining);
    connect(m_training, &widgets::TrainingPanel::stopAndKeepBestRequested, &m_controller, &Controller::stopAndKeepBest);
    connect(m_training, &widgets::TrainingPanel::discardRequested, this, &MainWindow::discardTraining);
    connect(&trainer, &Trainer::changed, this, &MainWindow::showTrainingState);
    connect(&trainer, &Trainer::updated, this, [this] { m_training->setStatus(m_controller.trainer().status()); });
    connect(&m_selection, &widgets::NodeSelection::selectionChanged, this, &MainWindow::showTrainingState);
    connect(&trainer, &Trainer::started, this, [this] {
        for (const char *name : {"training", "analysis"}) {
            dock(QString::fromLatin1(name))->show();
            dock(QString::fromLatin1(name))->raise();
        }
        m_analysis->showTab(AnalysisPanel::Curves);
    });
    connect(&trainer, &Trainer::finished, this, [this](const core::Report &report) {
        if (report.training)
            m_log->append(tr("%1: %2").arg(m_document.run(m_document.currentRun())->name, QString::fromStdString(report.training->ending)));
    });
}

void MainWindow::showTraining()
{
    const Settings &settings = m_document.settings();
    widgets::TrainingSettings shown;
    shown.images = text(settings.trainingData.path);
    shown.labels = text(settings.trainingData.labels);
    shown.limit = int(settings.trainingData.limit);
    shown.spec = settings.training;
    m_training->setSettings(shown);
    m_training->setStartFolder(QFileInfo(text(m_document.project().model)).absolutePath());
    showTrainingState();
}

void MainWindow::showTrainingState()
{
    const Trainer &trainer = m_controller.trainer();
    widgets::TrainingContext context;
    context.model = m_document.hasModel();
    context.obstacle = trainer.obstacle();
    if (context.model) {
        const core::Graph &source = *m_document.prepared()->source;
        context.normalizes = std::any_of(source.order().begin(), source.order().end(), [&](core::NodeId id) { return source.node(id).opType == "BatchNormalization"; });
        for (const core::NodeId id : m_selection.nodes())
            if (source.contains(id) && source.node(id).output().valid())
                context.selectedTensors << QString::fromStdString(source.value(source.node(id).output()).name);
    }
    if (const auto &left = trainer.unfinished())
        context.unfinished = left->steps > 0 ? tr("%1, step %2 of %3,").arg(left->name).arg(left->step).arg(left->steps) : left->name;
    m_training->setContext(context);
    m_training->setStatus(trainer.status());
    if (m_trainingPhase != trainer.status().phase || m_trainingLeft != context.unfinished) {
        m_trainingPhase = trainer.status().phase;
        m_trainingLeft = context.unfinished;
        m_actions->update();
    }
}

void MainWindow::takeTraining(const widgets::TrainingSettings &training)
{
    Settings settings = m_document.settings();
    settings.training = training.spec;
    settings.trainingData = {path(training.images), path(training.labels), std::size_t(std::max(training.limit, 0))};
    m_document.change(settings, tr("Training settings"));
}

void MainWindow::train()
{
    const QString problem = widgets::trainingProblem(m_training->settings(), {m_document.hasModel(), m_controller.trainer().obstacle(), true, {}, {}});
    if (problem.isEmpty())
        return m_controller.train();
    if (m_document.hasModel()) {
        dock("training")->show();
        dock("training")->raise();
    }
    m_log->append(problem, core::Severity::Warning);
    statusBar()->showMessage(problem, 5000);
}

void MainWindow::discardTraining()
{
    const Trainer &trainer = m_controller.trainer();
    if (!trainer.active() && !trainer.unfinished())
        return;
    const QString name = trainer.active() ? trainer.status().name : trainer.unfinished()->name;
    const std::int64_t step = trainer.active() ? trainer.status().step : trainer.unfinished()->step;
    if (step > 0 && QMessageBox::question(this, tr("Discard the training"), tr("Everything that %1 learned in %2 steps is lost. Discard it?").arg(name).arg(step),
                                          QMessageBox::Discard | QMessageBox::Cancel, QMessageBox::Cancel) != QMessageBox::Discard)
        return;
    m_controller.discardTraining();
}

bool MainWindow::mayInterruptTraining()
{
    const widgets::TrainingStatus &status = m_controller.trainer().status();
    if (!m_controller.trainer().active() || status.phase == TrainingPhase::Paused || status.phase == TrainingPhase::Discarding)
        return true;
    QMessageBox box(QMessageBox::Question, tr("A training is on"),
                    tr("%1 is at step %2 of %3. If it is interrupted it can go on when this model is opened again.").arg(status.name).arg(status.step).arg(status.steps), QMessageBox::Cancel, this);
    QPushButton *interrupt = box.addButton(tr("Interrupt"), QMessageBox::AcceptRole);
    box.setDefaultButton(QMessageBox::Cancel);
    box.exec();
    return box.clickedButton() == interrupt;
}

} // namespace app

// What the Analysis dock shows of a training: its curves, live or of an older run, and the weights as they move.
#include "app/analysis_panel.h"

#include "widgets/charts/curves_panel.h"
#include "widgets/charts/histogram_chart.h"

#include <QApplication>
#include <QComboBox>
#include <QTabWidget>

namespace app {
namespace {

const QString live = QStringLiteral("live");

} // namespace

void AnalysisPanel::connectTraining()
{
    Trainer &trainer = m_controller.trainer();
    connect(&trainer, &Trainer::started, this, &AnalysisPanel::startCurves);
    connect(&trainer, &Trainer::updated, this, &AnalysisPanel::takeUpdates);
    connect(&trainer, &Trainer::changed, this, [this, &trainer] {
        if (!trainer.active() && !m_trained.empty()) {
            m_trained.clear();
            showTensor();
        }
    });
    connect(m_curves, &widgets::CurvesPanel::followRequested, this, &AnalysisPanel::startCurves);
    connect(&m_selection, &widgets::NodeSelection::selectionChanged, this, &AnalysisPanel::watchNode);
    connect(&m_document, &Document::opened, this, [this] {
        m_curvesOf.clear();
        m_chosenRun.clear();
        m_curves->clear();
    });
}

void AnalysisPanel::watchNode()
{
    const core::NodeId node = preparedNode(snapshotOf(m_document), m_selection.current());
    m_controller.trainer().watch(node.valid() ? m_document.prepared()->graph->node(node).name : std::string());
    m_trained.clear();
    if (m_curvesOf == live)
        m_curves->setThresholdsText(node.valid() ? tr("Thresholds of the selected layer appear with the next steps.") : tr("Select a layer to see its thresholds."));
}

void AnalysisPanel::startCurves()
{
    m_curvesOf = live;
    m_curves->clear();
    m_curves->setFollowable(false);
    watchNode();
    const Trainer &trainer = m_controller.trainer();
    m_curves->setTitle(tr("%1, as it trains").arg(trainer.status().name));
    m_curves->append(trainer.curve(), trainer.method() != core::TrainMethod::Float);
    m_curves->setFloat(trainer.status().floating);
    if (trainer.status().best)
        m_curves->setBest(trainer.status().bestStep);
}

void AnalysisPanel::takeUpdates(const std::vector<core::TrainingUpdate> &updates)
{
    const bool quantized = m_controller.trainer().method() != core::TrainMethod::Float;
    bool moved = false;
    std::vector<core::CurvePoint> points;
    for (const core::TrainingUpdate &update : updates) {
        if (!update.paused)
            points.push_back(update.point);
        for (const auto &[tensor, statistics] : update.weights) {
            m_trained[tensor] = statistics;
            moved = true;
        }
    }
    if (m_curvesOf == live) {
        m_curves->append(points, quantized);
        m_curves->setFloat(m_controller.trainer().status().floating);
        for (const core::TrainingUpdate &update : updates)
            m_curves->appendThresholds(double(update.point.step), update.thresholds);
        m_curves->setBest(m_controller.trainer().status().bestStep);
    }
    const TensorChoice *shown = choice();
    // Not under the hand of somebody who drags a range.
    if (moved && shown && shown->constant && m_histogram->isVisible() && QApplication::mouseButtons() == Qt::NoButton)
        showTensor();
}

void AnalysisPanel::showCurves()
{
    Trainer &trainer = m_controller.trainer();
    const Run *run = m_document.run(m_document.currentRun());
    const bool chosen = run && run->trained();
    const QString key = chosen ? text(run->checkpoint) + QLatin1Char('\n') + run->name : QString();
    if (key == m_chosenRun)
        return;
    m_chosenRun = key;
    if (trainer.active() && !chosen)
        return;
    const bool justEnded = m_curvesOf == live && chosen && !trainer.active() && run->checkpoint == trainer.checkpoint();
    m_curvesOf = key;
    if (justEnded)
        m_curves->clearFigures(); // the thresholds stay
    else
        m_curves->clear(chosen ? tr("Thresholds are shown while a training is on.") : QString());
    m_curves->setFollowable(trainer.active());
    if (!chosen)
        return;
    const core::TrainingRecord &record = *run->report.training;
    m_curves->setTitle(tr("%1: %2").arg(run->name, QString::fromStdString(record.ending)));
    m_curves->append(record.curve, run->settings.training.method != core::TrainMethod::Float);
    m_curves->setFloat(run->settings.training.method == core::TrainMethod::Float ? std::nullopt : run->report.floating.top1);
    m_curves->setBest(record.bestStep);
}

} // namespace app

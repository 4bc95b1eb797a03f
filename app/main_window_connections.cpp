// Who hears whom: the window's connections. What is done then stands in main_window_flow.cpp.
#include "app/main_window.h"

#include "app/analysis_panel.h"
#include "app/export_dialog.h"
#include "app/prediction_bar.h"
#include "app/status_panel.h"
#include "app/step_bar.h"
#include "app/window_actions.h"
#include "core/base/atomic_file.h"
#include "core/spec/config_json.h"
#include "widgets/data/data_panel.h"
#include "widgets/graph/graph_canvas.h"
#include "widgets/log/problems_panel.h"
#include "widgets/log/run_log_panel.h"
#include "widgets/spec/inspector.h"
#include "widgets/spec/recipe_panel.h"
#include "widgets/spec/spec_tab.h"
#include "widgets/start/start_page.h"
#include "widgets/tables/layer_table_view.h"

#include <QDockWidget>
#include <QFileDialog>
#include <QStatusBar>

namespace app {

void MainWindow::connectDocument()
{
    connect(&m_document, &Document::opened, this, [this] {
        m_baseline.reset();
        m_lastSettings = m_document.settings();
        m_prediction->hide();
        m_selection.reset();
        m_canvas->clear();
        m_layers->setGraph(m_document.hasModel() ? m_document.prepared()->source : nullptr);
        showDocks(m_document.hasModel());
        if (m_document.hasModel()) {
            const QString mode = m_document.project().canvasMode;
            m_canvas->setMode(mode == QStringLiteral("blocks") ? widgets::GraphMode::Blocks : mode == QStringLiteral("overview") ? widgets::GraphMode::Overview : widgets::GraphMode::Layers);
            if (!m_document.project().windowState.isEmpty())
                restoreState(m_document.project().windowState);
            setOverlay(m_document.project().overlay);
            m_drawRequest = m_canvas->request();
            draw();
        }
        updateTitle();
    });
    connect(&m_document, &Document::settingsChanged, this, [this] {
        showData();
        showTraining();
        predict();
        m_lastSettings = m_document.settings();
        showSteps();
        m_status->showDocument(m_document);
        m_actions->update();
    });
    connect(&m_document, &Document::runsChanged, this, [this] {
        m_status->showDocument(m_document);
        showSteps();
    });
    connect(&m_document, &Document::calibrationChanged, this, [this] {
        m_inspector->setCalibrated(bool(m_document.calibration()));
        showSteps();
    });
    connect(&m_document, &Document::layersChanged, this, &MainWindow::showLayers);
    connect(&m_document, &Document::imageChanged, this, &MainWindow::showImage);
    connect(&m_document, &Document::modifiedChanged, this, &MainWindow::updateTitle);
    connect(&m_selection, &widgets::NodeSelection::selectionChanged, this, [this] { m_actions->update(); });
}

void MainWindow::connectPanels()
{
    connect(m_start, &widgets::StartPage::sampleRequested, this, &MainWindow::openSample);
    connect(m_start, &widgets::StartPage::openRequested, this, [this] { action("open")->trigger(); });
    connect(m_start, &widgets::StartPage::recentChosen, this, &MainWindow::open);
    connect(m_start, &widgets::StartPage::recentRemoved, this, [this](const QString &path) {
        removeRecentFile(path);
        updateRecent();
    });
    connect(m_start, &widgets::StartPage::pathsDropped, this, &MainWindow::takePaths);
    connect(m_canvas, &widgets::GraphCanvas::drawingRequested, this, [this](const widgets::DrawRequest &request) {
        m_drawRequest = request;
        draw();
    });
    connect(m_canvas, &widgets::GraphCanvas::overlayChanged, this, [this](widgets::Overlay overlay) { m_layers->setOverlay(overlay); });
    widgets::GraphView &view = m_canvas->view();
    connect(&view, &widgets::GraphView::inspectorRequested, this, [this] {
        dock("inspector")->show();
        dock("inspector")->raise();
        m_inspector->setFocus();
    });
    connect(&view, &widgets::GraphView::quantizationToggled, this, &MainWindow::toggleQuantization);
    connect(&view, &widgets::GraphView::quantizerClicked, this, [this](core::ValueId, core::NodeId consumer, int index) {
        if (!consumer.valid())
            return;
        const auto &disabled = m_document.recipe().config.disabledEdges;
        const auto found = disabled.find(m_document.prepared()->graph->node(consumer).name);
        const bool off = found != disabled.end() && std::find(found->second.begin(), found->second.end(), index) != found->second.end();
        applyEdits({widgets::SwitchEdge{consumer, index, off}});
    });
    connect(&view, &widgets::GraphView::menuRequested, this, [this](core::NodeId, const QPoint &position) {
        QMenu menu(this);
        for (const char *name : {"toggle", "per-channel", "per-tensor", "int8", "int4", "act16", "reset-layer", "select-similar", "grow-up", "grow-down", "fit"})
            menu.addAction(action(QString::fromLatin1(name)));
        menu.exec(position);
    });
    connect(m_layers, &widgets::LayerTableView::quantizationToggled, this, [this](core::NodeId node, bool on) { applyEdits({widgets::SetQuantized{editable({node}), on}}); });
    connect(m_layers, &widgets::LayerTableView::editRequested, this, [this] {
        dock("inspector")->show();
        dock("inspector")->raise();
        m_inspector->showTab(widgets::Inspector::Spec);
    });
    connect(m_layers, &widgets::LayerTableView::nodeActivated, &view, &widgets::GraphView::centreOnNode);
    connect(m_inspector, &widgets::Inspector::editRequested, this, &MainWindow::applyEdits);
    connect(m_inspector, &widgets::Inspector::rangesWanted, this, &MainWindow::showRanges);
    connect(m_inspector, &widgets::Inspector::observerChosen, this, [this](core::NodeId node, core::TensorRole role, const widgets::FieldValue &observer, double percentile) {
        applyEdits(widgets::observerEdits(widgets::SpecScope::of({node}), role, observer, percentile));
    });
    connect(m_recipe, &widgets::RecipePanel::editRequested, this, &MainWindow::applyEdits);
    connect(m_recipe, &widgets::RecipePanel::rulePicked, this, [this](std::size_t rule) {
        dock("inspector")->show();
        dock("inspector")->raise();
        m_inspector->showTab(widgets::Inspector::Spec);
        m_inspector->specTab()->setScope(widgets::SpecScope::ofRule(rule));
    });
    connect(m_recipe, &widgets::RecipePanel::rulePreviewed, this, [this](const std::vector<core::NodeId> &nodes) { m_selection.select({nodes.begin(), nodes.end()}); });
    connect(m_recipe, &widgets::RecipePanel::exportRequested, this, [this] {
        const QString file = QFileDialog::getSaveFileName(this, tr("Save the recipe"), QStringLiteral("recipe.json"), tr("Recipes (*.json)"));
        if (file.isEmpty())
            return;
        try {
            core::writeFileAtomically(path(file), core::recipeToJson(m_document.recipe()));
        } catch (const core::Error &error) {
            reportFailure(tr("Save the recipe"), {false, error.kind(), {}, QString::fromStdString(error.sentence())});
        }
    });
    connect(m_recipe, &widgets::RecipePanel::importRequested, this, [this] {
        const QString file = QFileDialog::getOpenFileName(this, tr("Open a recipe"), {}, tr("Recipes (*.json);;All files (*)"));
        if (file.isEmpty())
            return;
        try {
            applyEdits({widgets::ReplaceRecipe{core::recipeFromJson(core::readFile(path(file)))}});
        } catch (const core::Error &error) {
            reportFailure(tr("Open a recipe"), {false, error.kind(), {}, QStringLiteral("'%1': %2").arg(file, QString::fromStdString(error.sentence()))});
        }
    });
    connect(m_data, &widgets::DataPanel::edited, this, &MainWindow::takeData);
    connect(m_analysis, &AnalysisPanel::editRequested, this, &MainWindow::applyEdits);
    connect(m_analysis, &AnalysisPanel::nodeActivated, &view, &widgets::GraphView::centreOnNode);
    connect(m_problems, &widgets::ProblemsPanel::titleChanged, dock("problems"), &QDockWidget::setWindowTitle);
    connect(m_problems, &widgets::ProblemsPanel::showRequested, this, [this](int, const std::vector<core::NodeId> &nodes) {
        m_selection.select({nodes.begin(), nodes.end()}, nodes.empty() ? core::NodeId() : nodes.front());
        if (!nodes.empty())
            m_canvas->view().centreOnNode(nodes.front());
    });
    connect(m_problems, &widgets::ProblemsPanel::fixRequested, this, [this](int index) {
        const widgets::ProblemRow &row = m_problems->problems()[std::size_t(index)];
        for (const core::Finding &finding : m_controller.findings())
            if (finding.remedy && row.code == QString::fromStdString(finding.code) && row.title == QString::fromStdString(finding.title))
                return m_document.changeRecipe(*finding.remedy, row.fix);
    });
    connect(m_prediction, &PredictionBar::kept, this, [this] { m_baseline.reset(); });
    connect(m_prediction, &PredictionBar::undone, this, &MainWindow::takeBack);
    connect(m_steps, &StepBar::stepChosen, this, &MainWindow::showStep);
    connect(m_status, &StatusPanel::stopRequested, this, [this] { action("stop")->trigger(); });
}

void MainWindow::connectController()
{
    Lane &heavy = m_controller.heavy();
    connect(&heavy, &Lane::started, this, [this](const QString &title) { m_log->append(title + QStringLiteral("…")); });
    connect(&heavy, &Lane::progressed, m_status, &StatusPanel::showProgress);
    connect(&heavy, &Lane::progressed, this, [this](const QString &, const core::ProgressReport &report) {
        if (m_export)
            m_export->showProgress(progressText(report), report.total > 0 ? int(100 * report.done / report.total) : -1);
    });
    connect(&heavy, &Lane::busyChanged, this, [this](bool busy) {
        m_status->setBusy(busy);
        m_actions->update();
    });
    connect(&m_controller, &Controller::failed, this, &MainWindow::reportFailure);
    connect(&m_controller, &Controller::refused, this, [this](const QString &sentence) {
        m_log->append(sentence, core::Severity::Warning);
        statusBar()->showMessage(sentence, 5000);
    });
    connect(&m_controller, &Controller::modelMissing, this, &MainWindow::askForModel, Qt::QueuedConnection);
    connect(&m_controller, &Controller::findingsChanged, this, &MainWindow::showFindings);
    connect(&m_controller, &Controller::modelOpened, this, [this](const QString &path) {
        addRecentFile(path);
        updateRecent();
        if (m_recovered) {
            m_document.markUnsaved();
            m_recovery.flush();
            m_recovery.remove(*m_recovered);
            m_recovered.reset();
        }
        m_log->append(tr("Opened %1: %n layer(s)", nullptr, int(m_document.prepared()->source->nodeCount())).arg(path));
        for (const core::Diagnostic &remark : m_document.prepared()->diagnostics)
            m_log->append(QString::fromStdString(remark.sentence), remark.severity);
    });
    connect(&m_controller, &Controller::runFinished, this, [this](const core::Report &report) {
        m_baseline.reset();
        m_prediction->hide();
        m_log->append(verdictText(report) + tr(", %1 s in all").arg(report.seconds, 0, 'f', 1));
        if (m_canvas->overlay() == widgets::Overlay::Operator || m_canvas->overlay() == widgets::Overlay::Dtype)
            setOverlay(int(widgets::Overlay::ActivationSqnr));
    });
    connect(&m_controller, &Controller::exported, this, [this](const core::Report &report) {
        m_log->append(tr("Written and verified: %1").arg(QString::fromStdString(report.file)));
        if (m_export)
            m_export->showReport(report);
    });
    connect(&m_controller, &Controller::whatIfReady, this, [this](const core::WhatIf &prediction, const QString &what) {
        if (m_baseline)
            m_prediction->showPrediction(prediction, what);
    });
    connect(&m_controller, &Controller::whatIfFailed, this, [this](const QString &sentence) {
        if (m_baseline)
            m_prediction->showNoPrediction(m_document.lastEdit(), sentence);
    });
    connect(&m_recovery, &Recovery::failed, this, [this](const QString &sentence) { reportFailure(tr("Autosave"), {false, core::ErrorKind::Io, {}, sentence}); });
}

} // namespace app

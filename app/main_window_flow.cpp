// What the window does when something has happened; who tells it stands in main_window_connections.cpp.
#include "app/main_window.h"

#include "app/export_dialog.h"
#include "app/prediction_bar.h"
#include "app/status_panel.h"
#include "app/step_bar.h"
#include "app/tensor_views.h"
#include "app/window_actions.h"
#include "widgets/data/data_panel.h"
#include "widgets/graph/graph_canvas.h"
#include "widgets/log/problems_panel.h"
#include "widgets/log/run_log_panel.h"
#include "widgets/spec/inspector.h"
#include "widgets/spec/recipe_panel.h"
#include "widgets/tables/layer_table_view.h"
#include "widgets/tables/node_query.h"

#include <QDockWidget>
#include <QFileDialog>
#include <QFileInfo>
#include <QInputDialog>
#include <QLabel>
#include <QMessageBox>

namespace app {

QString MainWindow::rangesText(core::NodeId id) const
{
    const core::Report *report = m_document.report();
    if (!report || !m_document.prepared()->source->contains(id))
        return {};
    const core::Graph &graph = *m_document.prepared()->source;
    QStringList lines;
    for (const core::ValueId value : graph.node(id).outputs)
        for (const core::LayerRow &row : report->layers)
            if (value.valid() && row.kind == "activation" && row.tensor == graph.value(value).name)
                lines << tr("seen %1 … %2, range %3 … %4").arg(row.seenMin, 0, 'g', 4).arg(row.seenMax, 0, 'g', 4).arg(row.rangeMin, 0, 'g', 4).arg(row.rangeMax, 0, 'g', 4);
    return lines.join(QLatin1Char('\n'));
}

void MainWindow::draw()
{
    if (!m_document.hasModel())
        return;
    m_controller.light().start<widgets::DrawnGraph>(
        "draw", tr("Drawing"),
        [graph = m_document.prepared()->source, request = m_drawRequest](core::Progress &progress) {
            return std::make_shared<const widgets::DrawnGraph>(widgets::drawGraph(*graph, request, progress.stopToken()));
        },
        [this, drawn = m_document.prepared()](std::shared_ptr<const widgets::DrawnGraph> drawing) {
            if (drawn != m_document.prepared())
                return;
            m_canvas->setDrawing(drawing);
            if (m_document.prepared()->quantized)
                m_canvas->setMarks(widgets::marksOfFile(*m_document.prepared()->source, *drawing));
        },
        {}, true);
}

void MainWindow::showLayers()
{
    const auto layers = m_document.layers();
    m_canvas->setFacts(layers->table);
    if (!m_document.prepared()->quantized)
        m_canvas->setMarks(layers->marks);
    m_layers->setLayers(layers->table);
    m_inspector->setLayers(layers->table);
    m_inspector->setContext(layers->context);
    m_recipe->setContext(layers->context);
    showSteps();
    m_actions->update();
}

void MainWindow::showFindings()
{
    std::vector<widgets::ProblemRow> rows;
    core::Diagnostics remarks;
    for (const core::Finding &finding : m_controller.findings()) {
        rows.push_back(widgets::problemOf(finding));
        for (const core::NodeId node : finding.nodes)
            if (m_document.hasModel() && m_document.prepared()->source->contains(node))
                remarks.push_back({finding.severity, finding.code, m_document.prepared()->source->node(node).name, finding.evidence});
    }
    m_problems->setProblems(rows);
    m_inspector->setRemarks(std::move(remarks));
    showSteps();
}

void MainWindow::showSteps()
{
    const bool model = m_document.hasModel();
    const Settings &settings = m_document.settings();
    const auto layers = m_document.layers();
    m_steps->setState(Step::Model, model ? StepState::Done : StepState::Todo, model ? text(m_document.project().model) : tr("Open a model"));
    const bool data = model && !settings.calibration.path.empty();
    m_steps->setState(Step::Data, data ? StepState::Done : StepState::Todo, data ? text(settings.calibration.path) : tr("Choose images to calibrate and to measure with"));
    const bool wrong = layers && !layers->error.isEmpty();
    m_steps->setState(Step::Specs, wrong ? StepState::Error : model ? StepState::Done : StepState::Todo, wrong ? layers->error : tr("Preset, target, and what differs for single layers"));
    m_steps->setState(Step::Calibrate, m_document.calibration() ? StepState::Done : StepState::Todo, tr("One pass over the images; every observer can be tried afterwards"));
    const bool run = m_document.report(), stale = m_document.isStale(m_document.currentRun());
    m_steps->setState(Step::Evaluate, !run ? StepState::Todo : stale ? StepState::Stale : StepState::Done, run ? verdictText(*m_document.report()) : tr("Accuracy of float and quantized model (F5)"));
    bool problems = false;
    for (const core::Finding &finding : m_controller.findings())
        problems |= finding.severity == core::Severity::Problem;
    m_steps->setState(Step::Fix, problems ? StepState::Error : run ? StepState::Done : StepState::Todo, tr("What hurts, and what can be done"));
    const bool exported = run && m_document.report()->exported.images > 0;
    m_steps->setState(Step::Export, exported ? stale ? StepState::Stale : StepState::Done : StepState::Todo, tr("Write the quantized file and measure it (Ctrl+E)"));
}

void MainWindow::showStep(Step step)
{
    const auto raise = [this](const char *name) {
        dock(QString::fromLatin1(name))->show();
        dock(QString::fromLatin1(name))->raise();
    };
    switch (step) {
    case Step::Model: return action("open")->trigger();
    case Step::Data: return raise("data");
    case Step::Specs: return raise("recipe");
    case Step::Calibrate: return action("calibrate")->trigger();
    case Step::Evaluate: return run();
    case Step::Fix: return raise("problems");
    case Step::Export: return showExport();
    }
}

void MainWindow::showData()
{
    const Settings &settings = m_document.settings();
    widgets::DataSettings data;
    data.calibration = text(settings.calibration.path);
    data.validation = text(settings.validation.path);
    data.labels = text(settings.validation.labels);
    data.calibrationImages = settings.recipe.calibrationImages;
    data.validationImages = int(settings.validation.limit);
    data.transform = settings.recipe.transform;
    m_data->setSettings(data);
    m_data->setEnabled(m_document.hasModel());
    m_data->setStartFolder(QFileInfo(text(m_document.project().model)).absolutePath());
}

void MainWindow::takeData(const widgets::DataSettings &data)
{
    Settings settings = m_document.settings();
    settings.calibration.path = path(data.calibration);
    settings.validation.path = path(data.validation);
    settings.validation.labels = path(data.labels);
    settings.validation.limit = std::size_t(std::max(data.validationImages, 0));
    settings.recipe.calibrationImages = data.calibrationImages;
    settings.recipe.transform = data.transform;
    m_document.change(settings, tr("Data"));
}

void MainWindow::takePaths(const QStringList &paths)
{
    for (const QString &dropped : paths)
        if (!QFileInfo(dropped).isDir())
            return open(dropped);
    if (paths.isEmpty())
        return;
    if (!m_document.hasModel()) {
        QMessageBox::information(this, tr("Images"), tr("Open a model first; then folders of images can be dropped on it."));
        return;
    }
    Settings settings = m_document.settings();
    const bool first = settings.calibration.path.empty();
    (first ? settings.calibration : settings.validation).path = path(paths.constFirst());
    m_document.change(settings, first ? tr("Images to calibrate with") : tr("Images to measure with"));
}

void MainWindow::showRanges(core::NodeId node)
{
    m_controller.light().start<std::vector<widgets::TensorRanges>>(
        "ranges", tr("Ranges"),
        [snapshot = snapshotOf(m_document), node](core::Progress &) { return std::make_shared<const std::vector<widgets::TensorRanges>>(rangesOf(snapshot, node)); },
        [this, node](std::shared_ptr<const std::vector<widgets::TensorRanges>> ranges) { m_inspector->setRanges(node, *ranges); }, {}, true);
}

std::set<core::NodeId> MainWindow::editable(const std::set<core::NodeId> &nodes) const
{
    std::set<core::NodeId> found;
    if (!m_document.hasModel())
        return found;
    const core::Graph &graph = *m_document.prepared()->graph, &source = *m_document.prepared()->source;
    for (const core::NodeId node : nodes)
        if (graph.contains(node))
            found.insert(node);
        else if (const core::NodeId before = source.contains(node) ? source.producer(source.node(node).input(0)) : core::NodeId(); before.valid() && graph.contains(before))
            found.insert(before); // a folded BatchNormalization
    return found;
}

void MainWindow::toggleQuantization(const std::vector<core::NodeId> &nodes)
{
    if (!m_document.layers())
        return;
    const std::set<core::NodeId> wanted = editable({nodes.begin(), nodes.end()});
    bool anyOn = false;
    for (const widgets::LayerFacts &facts : *m_document.layers()->table)
        anyOn |= wanted.contains(facts.node) && !facts.excluded;
    applyEdits({widgets::SetQuantized{wanted, !anyOn}});
}

void MainWindow::applyEdits(const widgets::SpecEdits &edits)
{
    if (!m_document.hasModel() || edits.empty())
        return;
    const core::Graph &graph = *m_document.prepared()->graph;
    m_document.changeRecipe(widgets::apply(m_document.recipe(), graph, edits), widgets::describe(edits, graph, m_document.recipe()));
}

void MainWindow::predict()
{
    core::Recipe before = m_lastSettings.recipe;
    before.transform = m_document.recipe().transform;
    before.calibrationImages = m_document.recipe().calibrationImages;
    const bool onlyRecipe = m_lastSettings.calibration.path == m_document.settings().calibration.path && m_lastSettings.validation.path == m_document.settings().validation.path
        && before.transform == m_lastSettings.recipe.transform && before.calibrationImages == m_lastSettings.recipe.calibrationImages;
    if (!m_document.calibration() || !onlyRecipe || m_controller.heavy().runs("run")) {
        m_baseline.reset();
        m_prediction->hide();
        return;
    }
    if (sameWithoutTraining(m_lastSettings, m_document.settings()))
        return; // how it would be trained changes nothing of what is predicted
    if (!m_baseline)
        m_baseline = m_lastSettings;
    if (sameWithoutTraining(*m_baseline, m_document.settings())) {
        m_baseline.reset();
        m_controller.dropPrediction();
        m_prediction->hide();
        return;
    }
    const QString what = m_document.lastEdit();
    m_prediction->showWaiting(what, m_controller.trainer().active() ? tr("it is predicted when the training has ended") : tr("predicting…"));
    m_controller.predict(m_baseline->recipe, m_document.recipe(), what);
}

void MainWindow::takeBack()
{
    const std::optional<Settings> before = m_baseline;
    const Settings now = m_document.settings();
    QUndoStack &stack = m_document.undoStack();
    while (before && stack.canUndo() && !sameWithoutTraining(m_document.settings(), *before))
        stack.undo();
    m_baseline.reset();
    Settings kept = m_document.settings(); // what was said of the training in between
    kept.training = now.training;
    kept.trainingData = now.trainingData;
    m_document.change(kept, tr("Training settings"));
}

void MainWindow::showImage()
{
    const auto image = m_document.image();
    m_imageBar->setVisible(bool(image));
    if (!image)
        return;
    m_imageText->setText(tr("Error on one image: %1").arg(QString::fromStdString(image->path)));
    setOverlay(int(widgets::Overlay::ActivationSqnr));
}

void MainWindow::reportFailure(const QString &title, const Failure &failure)
{
    if (m_export)
        m_export->showFailure(failure.cancelled ? tr("Stopped; nothing was written.") : failure.sentence);
    if (failure.cancelled) {
        m_log->append(tr("%1: stopped").arg(title));
        return;
    }
    m_log->append(title + QStringLiteral(": ") + failure.sentence, core::Severity::Problem);
    widgets::ProblemRow row{core::Severity::Problem, QStringLiteral("failed"), tr("%1 failed").arg(title), failure.sentence, {}, {}};
    if (m_document.hasModel()) // the node that the sentence names
        for (const core::NodeId id : m_document.prepared()->source->order())
            if (const QString name = QString::fromStdString(m_document.prepared()->source->node(id).name); failure.sentence.contains(QLatin1Char('\'') + name + QLatin1Char('\'')))
                row.nodes.push_back(id);
    m_problems->addProblem(row);
    if (!row.nodes.empty())
        m_selection.select({row.nodes.begin(), row.nodes.end()}, row.nodes.front());
    dock("problems")->show();
    dock("problems")->raise();
    if (!m_document.hasModel())
        QMessageBox::warning(this, title, failure.sentence);
}

void MainWindow::askForModel(const Project &project, const QString &fileName, bool changed)
{
    const QString model = text(project.model);
    QMessageBox box(QMessageBox::Question, tr("Model"),
                    changed ? tr("%1 is not the file that this project was made with. Its results and layer settings may not fit.").arg(model) : tr("%1 is not there any more.").arg(model),
                    QMessageBox::NoButton, this);
    QPushButton *use = changed ? box.addButton(tr("Use it as it is"), QMessageBox::AcceptRole) : nullptr;
    QPushButton *find = box.addButton(tr("Look for it…"), QMessageBox::ActionRole);
    box.addButton(QMessageBox::Cancel);
    box.exec();
    Project found = project;
    found.modelHash.clear();
    if (box.clickedButton() == find) {
        const QString file = QFileDialog::getOpenFileName(this, tr("Where is %1?").arg(QFileInfo(model).fileName()), {}, tr("Models (*.onnx)"));
        if (file.isEmpty())
            return;
        found.model = path(file);
    } else if (!use || box.clickedButton() != use) {
        return;
    }
    m_controller.openProject(found, fileName);
}

void MainWindow::run()
{
    const QString obstacle = m_controller.obstacle();
    if (obstacle.isEmpty())
        return m_controller.run();
    if (!m_document.hasModel() || m_document.settings().calibration.path.empty())
        showStep(m_document.hasModel() ? Step::Data : Step::Model);
    else
        showStep(Step::Fix);
    m_log->append(obstacle, core::Severity::Warning);
    statusBar()->showMessage(obstacle, 5000);
}

void MainWindow::showExport()
{
    const Run *shown = m_document.run(m_document.currentRun());
    if (m_export || (!m_controller.obstacle().isEmpty() && !(shown && shown->trained())))
        return run();
    m_export = new ExportDialog(m_document, m_preferences.judge, this);
    m_export->setAttribute(Qt::WA_DeleteOnClose);
    connect(m_export, &QDialog::finished, this, [this] { m_export = nullptr; });
    connect(m_export, &ExportDialog::targetChosen, this, [this](const QString &name) { applyEdits({widgets::ChooseTarget{name.toStdString()}}); });
    connect(m_export, &ExportDialog::exportRequested, &m_controller, &Controller::exportTo);
    connect(m_export, &ExportDialog::stopRequested, this, [this] { action("stop")->trigger(); });
    m_export->open();
}

void MainWindow::setOverlay(int index)
{
    if (index >= 0 && index < widgets::overlayCount)
        m_canvas->setOverlay(widgets::Overlay(index));
}

void MainWindow::selectByRule()
{
    bool accepted = false;
    const QString query = QInputDialog::getText(this, tr("Select by rule"), tr("Layers for which this holds, such as  op:Conv group>1 sqnr<20"), QLineEdit::Normal, {}, &accepted);
    if (!accepted || !m_document.layers())
        return;
    const widgets::NodeQueryResult result = widgets::selectNodes(m_document.prepared()->source.get(), *m_document.layers()->table, query);
    if (!result.error.isEmpty()) {
        QMessageBox::warning(this, tr("Select by rule"), result.error);
        return;
    }
    m_selection.select({result.nodes.begin(), result.nodes.end()});
    m_recipe->proposeRule(query);
    statusBar()->showMessage(tr("%n layer(s) selected", nullptr, int(result.nodes.size())), 5000);
}

void MainWindow::offerRecovery()
{
    for (const Recovery::Found &found : m_recovery.found()) {
        const QString name = found.original.isEmpty() ? tr("a project that was never saved") : found.original;
        const auto answer = QMessageBox::question(this, tr("Recover"), tr("The program ended before the edits of %1 were saved (%2). Recover them?").arg(name, found.when.toString()));
        if (answer != QMessageBox::Yes) {
            m_recovery.remove(found);
            continue;
        }
        try {
            m_controller.openProject(m_recovery.load(found), found.original);
            m_recovered = found;
            return;
        } catch (const core::Error &error) {
            reportFailure(tr("Recover"), {false, error.kind(), {}, QString::fromStdString(error.sentence())});
        }
    }
}

} // namespace app

#include "app/main_window.h"

#include "app/analysis_panel.h"
#include "app/export_dialog.h"
#include "app/options.h"
#include "app/prediction_bar.h"
#include "app/preferences_dialog.h"
#include "app/status_panel.h"
#include "app/step_bar.h"
#include "app/window_actions.h"
#include "widgets/data/data_panel.h"
#include "widgets/graph/graph_canvas.h"
#include "widgets/graph/graph_export.h"
#include "widgets/log/problems_panel.h"
#include "widgets/log/run_log_panel.h"
#include "widgets/spec/inspector.h"
#include "widgets/spec/recipe_panel.h"
#include "widgets/start/start_page.h"
#include "widgets/tables/layer_table_view.h"
#include "widgets/training/training_panel.h"

#include <QApplication>
#include <QCloseEvent>
#include <QDockWidget>
#include <QFileDialog>
#include <QFileInfo>
#include <QMenuBar>
#include <QMessageBox>
#include <QMimeData>
#include <QStackedWidget>
#include <QStatusBar>
#include <QTabBar>
#include <QTimer>
#include <QToolButton>
#include <QUndoView>
#include <QVBoxLayout>

namespace app {
namespace {

constexpr int tallScreen = 860;   // below this height the bottom docks share one place

} // namespace

MainWindow::MainWindow(const WindowOptions &options, QWidget *parent)
    : QMainWindow(parent), m_preferences(loadPreferences()), m_document(), m_controller(m_document, options.threads < 0 ? m_preferences.threads : options.threads, options.trainingFolder),
      m_recovery(m_document, options.autosaveFolder.isEmpty() ? Recovery::defaultFolder() : options.autosaveFolder)
{
    setObjectName(QStringLiteral("main-window"));
    setAcceptDrops(true);
    setDockOptions(AllowNestedDocks | AllowTabbedDocks | AnimatedDocks);
    setTabPosition(Qt::AllDockWidgetAreas, QTabWidget::North);
    resize(1600, 1000);
    buildCenter();
    buildDocks();
    buildBars();
    m_actions = std::make_unique<WindowActions>(*this);
    connectDocument();
    connectPanels();
    connectController();
    connectTraining();
    applyTheme();
    showDockTitles(false);
    showDocks(false);
    updateTitle();
    updateRecent();
    showData();
    showTraining();
    showSteps();
}

MainWindow::~MainWindow()
{
    m_controller.heavy().disconnect(this);
    m_controller.light().disconnect(this);
    m_controller.disconnect(this);
    m_document.disconnect(this);
    m_selection.disconnect(this);
    // Views hold on to document and selection, so they go first.
    delete takeCentralWidget();
    qDeleteAll(findChildren<QDockWidget *>(QString(), Qt::FindDirectChildrenOnly));
}

void MainWindow::buildCenter()
{
    m_start = new widgets::StartPage;
    try {
        sampleFolder();
        m_start->setSampleAvailable(true);
    } catch (const core::Error &error) {
        m_start->setSampleAvailable(false, QString::fromStdString(error.sentence()));
    }
    m_canvas = new widgets::GraphCanvas;
    m_canvas->setSelection(&m_selection);
    m_canvas->setDetails([this](core::NodeId node) { return rangesText(node); });
    m_canvas->view().setWheelZooms(m_preferences.wheelZooms);
    m_prediction = new PredictionBar;
    m_imageBar = new QFrame;
    m_imageBar->setAutoFillBackground(true);
    m_imageText = new QLabel;
    auto *back = new QToolButton;
    back->setText(tr("Back to the run"));
    connect(back, &QToolButton::clicked, this, [this] { m_document.setImage(nullptr); });
    auto *line = new QHBoxLayout(m_imageBar);
    line->setContentsMargins(8, 4, 8, 4);
    line->addWidget(m_imageText, 1);
    line->addWidget(back);
    m_imageBar->hide();
    auto *page = new QWidget;
    auto *column = new QVBoxLayout(page);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(m_prediction);
    column->addWidget(m_imageBar);
    column->addWidget(m_canvas, 1);
    m_center = new QStackedWidget;
    m_center->addWidget(m_start);
    m_center->addWidget(page);
    setCentralWidget(m_center);
}

QDockWidget *MainWindow::addDock(const QString &name, const QString &title, QWidget *content, Qt::DockWidgetArea area)
{
    auto *dock = new QDockWidget(title, this);
    dock->setObjectName(name);
    dock->setWidget(content);
    addDockWidget(area, dock);
    return dock;
}

void MainWindow::buildDocks()
{
    setCorner(Qt::BottomLeftCorner, Qt::BottomDockWidgetArea);
    setCorner(Qt::BottomRightCorner, Qt::RightDockWidgetArea);
    m_layers = new widgets::LayerTableView(&m_selection);
    m_inspector = new widgets::Inspector(&m_selection);
    m_recipe = new widgets::RecipePanel;
    m_data = new widgets::DataPanel;
    m_training = new widgets::TrainingPanel;
    m_analysis = new AnalysisPanel(m_document, m_controller, m_selection);
    m_problems = new widgets::ProblemsPanel;
    m_log = new widgets::RunLogPanel;
    m_history = new QUndoView(&m_document.undoStack());
    m_history->setEmptyLabel(tr("As opened"));
    m_history->setAccessibleName(tr("History of edits"));
    addDock("layers", tr("Layers"), m_layers, Qt::LeftDockWidgetArea);
    addDock("inspector", tr("Inspector"), m_inspector, Qt::RightDockWidgetArea);
    addDock("recipe", tr("Recipe"), m_recipe, Qt::RightDockWidgetArea);
    addDock("data", tr("Data"), m_data, Qt::RightDockWidgetArea);
    addDock("training", tr("Training"), m_training, Qt::RightDockWidgetArea);
    addDock("analysis", tr("Analysis"), m_analysis, Qt::BottomDockWidgetArea);
    addDock("problems", m_problems->title(), m_problems, Qt::BottomDockWidgetArea);
    addDock("log", tr("Run log"), m_log, Qt::BottomDockWidgetArea);
    addDock("history", tr("History"), m_history, Qt::BottomDockWidgetArea);
}

void MainWindow::buildBars()
{
    m_steps = new StepBar;
    m_status = new StatusPanel(m_preferences.threads);
    statusBar()->addWidget(m_status, 1);
    statusBar()->setSizeGripEnabled(false);
    statusBar()->setContentsMargins(0, 0, 0, 0);
}

QAction *MainWindow::action(const QString &name) const { return m_actions->find(name); }
QDockWidget *MainWindow::dock(const QString &name) const { return findChild<QDockWidget *>(name); }

void MainWindow::applyLayout(const QString &name)
{
    if (const QByteArray state = savedLayout(name); !state.isEmpty() && restoreState(state))
        return;
    const auto place = [this](const char *dockName, Qt::DockWidgetArea area) {
        QDockWidget *d = dock(QString::fromLatin1(dockName));
        addDockWidget(area, d);
        d->setFloating(false);
        d->show();
        return d;
    };
    QDockWidget *layers = place("layers", Qt::LeftDockWidgetArea), *inspector = place("inspector", Qt::RightDockWidgetArea), *recipe = place("recipe", Qt::RightDockWidgetArea),
                *data = place("data", Qt::RightDockWidgetArea), *training = place("training", Qt::RightDockWidgetArea), *analysis = place("analysis", Qt::BottomDockWidgetArea), *problems = place("problems", Qt::BottomDockWidgetArea),
                *log = place("log", Qt::BottomDockWidgetArea), *history = place("history", Qt::BottomDockWidgetArea);
    tabifyDockWidget(inspector, recipe);
    tabifyDockWidget(recipe, data);
    tabifyDockWidget(data, training);
    const bool tall = height() >= tallScreen, diagnose = name == QStringLiteral("diagnose"), train = name == QStringLiteral("train");
    if (tall)
        splitDockWidget(analysis, problems, Qt::Vertical);
    else
        tabifyDockWidget(analysis, problems);
    tabifyDockWidget(problems, log);
    tabifyDockWidget(log, history);
    problems->raise();
    (train ? training : inspector)->raise();
    if (!tall)
        (diagnose ? problems : analysis)->raise();
    resizeDocks({layers, inspector}, {width() * (diagnose ? 30 : 23) / 100, std::max(width() * 22 / 100, 340)}, Qt::Horizontal);
    if (tall)
        resizeDocks({analysis, problems}, {height() * (diagnose ? 34 : train ? 38 : 26) / 100, height() * (diagnose ? 16 : 9) / 100}, Qt::Vertical);
    else
        resizeDocks({analysis}, {height() * (train ? 46 : 30) / 100}, Qt::Vertical);
    // Tab bars of an arrangement that is gone stay behind as a line.
    QTimer::singleShot(0, this, [this] {
        for (QTabBar *bar : findChildren<QTabBar *>(QString(), Qt::FindDirectChildrenOnly))
            if (bar->count() == 0)
                bar->hide();
    });
    m_analysis->showTab(diagnose ? AnalysisPanel::LayerError : train ? AnalysisPanel::Curves : AnalysisPanel::Histogram);
}

void MainWindow::showDocks(bool shown)
{
    const bool was = m_center->currentIndex() == 1;
    m_center->setCurrentIndex(shown ? 1 : 0);
    if (!shown)
        for (QDockWidget *each : findChildren<QDockWidget *>(QString(), Qt::FindDirectChildrenOnly))
            each->hide();
    else if (!was)
        applyLayout(QStringLiteral("explore"));
}

void MainWindow::showDockTitles(bool shown)
{
    for (QDockWidget *each : findChildren<QDockWidget *>(QString(), Qt::FindDirectChildrenOnly)) {
        QWidget *old = each->titleBarWidget();
        each->setTitleBarWidget(shown ? nullptr : new QWidget);
        delete old;
    }
}

void MainWindow::resetLayout()
{
    for (const char *name : {"explore", "diagnose", "train"})
        saveLayout(QString::fromLatin1(name), {});
    if (m_document.hasModel())
        applyLayout(QStringLiteral("explore"));
}

void MainWindow::setThemeChoice(ThemeChoice choice)
{
    m_preferences.theme = choice;
    savePreferences(m_preferences);
    applyTheme();
}

void MainWindow::applyTheme()
{
    bool dark = m_preferences.theme == ThemeChoice::Dark;
    if (m_preferences.theme == ThemeChoice::System) {
        static const QPalette system = QApplication::palette();
        dark = system.color(QPalette::Window).lightness() < 128;
    }
    m_theme = dark ? widgets::Theme::dark() : widgets::Theme::light();
    QApplication::setPalette(m_theme.palette());
    m_start->setTheme(m_theme);
    m_canvas->setTheme(m_theme);
    m_prediction->setTheme(m_theme);
    m_layers->setTheme(m_theme);
    m_inspector->setTheme(m_theme);
    m_recipe->setTheme(m_theme);
    m_data->setTheme(m_theme);
    m_training->setTheme(m_theme);
    m_analysis->setTheme(m_theme);
    m_problems->setTheme(m_theme);
    m_log->setTheme(m_theme);
    m_steps->setTheme(m_theme);
    m_status->setTheme(m_theme);
    QPalette notice = m_theme.palette();
    notice.setColor(QPalette::Window, m_theme.notice);
    m_imageBar->setPalette(notice);
}

void MainWindow::updateTitle()
{
    setWindowTitle(m_document.hasModel() ? m_document.displayName() + QStringLiteral("[*]") : QString());
    setWindowModified(m_document.isModified());
}

void MainWindow::updateRecent()
{
    std::vector<widgets::RecentFile> files;
    QMenu *menu = m_actions->recentMenu();
    menu->clear();
    for (const QString &path : recentFiles()) {
        const bool missing = !QFileInfo::exists(path);
        files.push_back({path, missing, {}});
        QAction *entry = menu->addAction(QFileInfo(path).fileName(), this, [this, path] { open(path); });
        entry->setToolTip(path);
        entry->setEnabled(!missing);
    }
    menu->setToolTipsVisible(true);
    menu->setEnabled(!menu->isEmpty());
    if (!menu->isEmpty()) {
        menu->addSeparator();
        menu->addAction(tr("Forget these"), this, [this] {
            forgetRecentFiles();
            updateRecent();
        });
    }
    m_start->setRecent(std::move(files));
}

bool MainWindow::mayDiscard()
{
    if (!m_document.isModified())
        return true;
    const auto answer = QMessageBox::warning(this, tr("Unsaved changes"), tr("Save the changes of %1?").arg(m_document.displayName()),
                                             QMessageBox::Save | QMessageBox::Discard | QMessageBox::Cancel, QMessageBox::Save);
    return answer == QMessageBox::Discard || (answer == QMessageBox::Save && save());
}

void MainWindow::open(const QString &path)
{
    if (mayInterruptTraining() && mayDiscard())
        m_controller.open(path);
}

void MainWindow::openSample()
{
    if (mayInterruptTraining() && mayDiscard())
        m_controller.openSample();
}

bool MainWindow::save()
{
    if (m_document.fileName().isEmpty())
        return saveAs();
    static const char *const modes[] = {"blocks", "layers", "overview"};
    m_document.setView(saveState(), QString::fromLatin1(modes[int(m_canvas->mode())]), int(m_canvas->overlay()));
    try {
        saveProject(m_document.project(), path(m_document.fileName()));
    } catch (const core::Error &error) {
        reportFailure(tr("Save"), {false, error.kind(), QString::fromStdString(error.operation()), QString::fromStdString(error.sentence())});
        return false;
    }
    m_document.setSaved(m_document.fileName());
    addRecentFile(m_document.fileName());
    updateRecent();
    updateTitle();
    return true;
}

bool MainWindow::saveAs()
{
    const QFileInfo model(text(m_document.project().model));
    QString file = QFileDialog::getSaveFileName(this, tr("Save project"), m_document.fileName().isEmpty() ? model.absolutePath() + QLatin1Char('/') + model.completeBaseName() + QStringLiteral(".qsproj")
                                                                                                          : m_document.fileName(),
                                                tr("Projects (*.qsproj)"));
    if (file.isEmpty())
        return false;
    if (!file.endsWith(QStringLiteral(".qsproj"), Qt::CaseInsensitive))
        file += QStringLiteral(".qsproj");
    const QString before = m_document.fileName();
    m_document.setFileName(file);
    if (save())
        return true;
    m_document.setFileName(before);
    return false;
}

void MainWindow::saveDrawing(bool svg)
{
    const QString file = QFileDialog::getSaveFileName(this, tr("Save the graph"), QFileInfo(text(m_document.project().model)).completeBaseName() + (svg ? QStringLiteral(".svg") : QStringLiteral(".png")),
                                                      svg ? tr("Drawings (*.svg)") : tr("Pictures (*.png)"));
    if (file.isEmpty())
        return;
    if (const QString problem = widgets::saveGraph(m_canvas->scene(), file); !problem.isEmpty())
        reportFailure(tr("Save the graph"), {false, core::ErrorKind::Io, QStringLiteral("graph"), problem});
}

void MainWindow::showPreferences()
{
    PreferencesDialog dialog(m_preferences, this);
    if (dialog.exec() != QDialog::Accepted)
        return;
    m_preferences = dialog.preferences();
    savePreferences(m_preferences);
    m_canvas->view().setWheelZooms(m_preferences.wheelZooms);
    applyTheme();
}

void MainWindow::closeEvent(QCloseEvent *event)
{
    if (!mayInterruptTraining() || !mayDiscard()) {
        event->ignore();
        return;
    }
    m_controller.stop();
    event->accept();
}

void MainWindow::dragEnterEvent(QDragEnterEvent *event)
{
    if (!widgets::droppablePaths(event->mimeData()).isEmpty())
        event->acceptProposedAction();
}

void MainWindow::dropEvent(QDropEvent *event)
{
    takePaths(widgets::droppablePaths(event->mimeData()));
    event->acceptProposedAction();
}

} // namespace app

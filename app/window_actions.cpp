#include "app/window_actions.h"

#include "app/analysis_panel.h"
#include "app/main_window.h"
#include "app/status_panel.h"
#include "app/step_bar.h"
#include "widgets/graph/graph_canvas.h"
#include "widgets/graph/graph_export.h"
#include "widgets/tables/layer_table_view.h"

#include <QAction>
#include <QActionGroup>
#include <QApplication>
#include <QDockWidget>
#include <QFileDialog>
#include <QMenuBar>
#include <QMessageBox>
#include <QToolBar>

namespace app {

using widgets::SpecScope;

namespace {

QString tr(const char *text) { return MainWindow::tr(text); }

} // namespace

WindowActions::WindowActions(MainWindow &window) : m_window(window)
{
    fileMenu();
    editMenu();
    viewMenu();
    layerMenu();
    runMenu();
    analysisMenu();
    windowMenu();
    helpMenu();
    toolBar();
    update();
}

QAction *WindowActions::add(QMenu *menu, const QString &name, const QString &text, const QKeySequence &shortcut, std::function<void()> body)
{
    QAction *action = menu->addAction(text);
    action->setObjectName(name);
    action->setShortcut(shortcut);
    QObject::connect(action, &QAction::triggered, &m_window, [body = std::move(body)] { body(); });
    m_actions.insert(name, action);
    return action;
}

void WindowActions::fileMenu()
{
    QMenu *menu = m_window.menuBar()->addMenu(tr("&File"));
    add(menu, "open", tr("&Open…"), QKeySequence::Open, [this] {
        const QString file = QFileDialog::getOpenFileName(&m_window, tr("Open a model or a project"), {}, tr("Models and projects (*.onnx *.qsproj);;All files (*)"));
        if (!file.isEmpty())
            m_window.open(file);
    });
    add(menu, "sample", tr("Open the bundled &sample"), {}, [this] { m_window.openSample(); });
    m_recent = menu->addMenu(tr("Open &recent"));
    menu->addSeparator();
    add(menu, "save", tr("&Save project"), QKeySequence::Save, [this] { m_window.save(); });
    add(menu, "save-as", tr("Save project &as…"), QKeySequence::SaveAs, [this] { m_window.saveAs(); });
    menu->addSeparator();
    add(menu, "export", tr("&Export quantized model…"), QKeySequence(Qt::CTRL | Qt::Key_E), [this] { m_window.showExport(); });
    QMenu *picture = menu->addMenu(tr("Graph as &picture"));
    add(picture, "graph-png", tr("Save as PNG…"), {}, [this] { m_window.saveDrawing(false); });
    add(picture, "graph-svg", tr("Save as SVG…"), {}, [this] { m_window.saveDrawing(true); });
    add(picture, "graph-copy", tr("Copy"), {}, [this] { widgets::copyGraph(m_window.canvas()->scene()); });
    menu->addSeparator();
    add(menu, "preferences", tr("Se&ttings…"), QKeySequence(Qt::CTRL | Qt::Key_Comma), [this] { m_window.showPreferences(); });
    add(menu, "quit", tr("&Quit"), QKeySequence::Quit, [this] { m_window.close(); });
}

void WindowActions::editMenu()
{
    QMenu *menu = m_window.menuBar()->addMenu(tr("&Edit"));
    QUndoStack &stack = m_window.document().undoStack();
    for (const bool undo : {true, false}) {
        QAction *action = undo ? stack.createUndoAction(&m_window, tr("&Undo")) : stack.createRedoAction(&m_window, tr("&Redo"));
        action->setShortcut(undo ? QKeySequence::Undo : QKeySequence::Redo);
        menu->addAction(action);
        m_actions.insert(undo ? "undo" : "redo", action);
    }
    menu->addSeparator();
    widgets::GraphView &view = m_window.canvas()->view();
    add(menu, "find", tr("&Find…"), QKeySequence::Find, [this] { m_window.canvas()->startFind(); });
    add(menu, "select-rule", tr("Select by &rule…"), QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_F), [this] { m_window.selectByRule(); });
    add(menu, "select-all", tr("Select &all"), QKeySequence::SelectAll, [&view] { view.selectAll(); });
    add(menu, "invert", tr("&Invert selection"), QKeySequence(Qt::CTRL | Qt::Key_I), [&view] { view.invertSelection(); });
    add(menu, "select-similar", tr("Select si&milar layers"), QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_M), [this] {
        const auto layers = m_window.document().layers();
        const core::NodeId current = m_window.selection().current();
        if (!layers || !current.valid())
            return;
        QString type;
        for (const widgets::LayerFacts &facts : *layers->table)
            if (facts.node == current)
                type = facts.opType;
        widgets::NodeSelection::Nodes nodes;
        for (const widgets::LayerFacts &facts : *layers->table)
            if (facts.opType == type)
                nodes.insert(facts.node);
        m_window.selection().select(nodes, current);
    });
    add(menu, "grow-up", tr("Grow &upstream"), QKeySequence(Qt::CTRL | Qt::Key_Up), [&view] { view.growSelection(true, false); });
    add(menu, "grow-down", tr("Grow &downstream"), QKeySequence(Qt::CTRL | Qt::Key_Down), [&view] { view.growSelection(false, false); });
    add(menu, "all-up", tr("Everything upstream"), QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_Up), [&view] { view.growSelection(true, true); });
    add(menu, "all-down", tr("Everything downstream"), QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_Down), [&view] { view.growSelection(false, true); });
    menu->addSeparator();
    add(menu, "back", tr("Selection &back"), QKeySequence(Qt::ALT | Qt::Key_Left), [this] { m_window.selection().goBack(); });
    add(menu, "forward", tr("Selection for&ward"), QKeySequence(Qt::ALT | Qt::Key_Right), [this] { m_window.selection().goForward(); });
}

void WindowActions::viewMenu()
{
    QMenu *menu = m_window.menuBar()->addMenu(tr("&View"));
    widgets::GraphCanvas *canvas = m_window.canvas();
    add(menu, "mode-blocks", tr("&Blocks"), QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_1), [canvas] { canvas->setMode(widgets::GraphMode::Blocks); });
    add(menu, "mode-layers", tr("&Layers"), QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_2), [canvas] { canvas->setMode(widgets::GraphMode::Layers); });
    add(menu, "mode-overview", tr("&Overview"), QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_3), [canvas] { canvas->setMode(widgets::GraphMode::Overview); });
    menu->addSeparator();
    QMenu *colours = menu->addMenu(tr("&Colour by"));
    for (int i = 0; i < widgets::overlayCount; ++i) {
        QAction *action = add(colours, QStringLiteral("overlay-%1").arg(i + 1), widgets::overlayName(widgets::Overlay(i)), QKeySequence(Qt::Key_1 + i), [this, i] { m_window.setOverlay(i); });
        action->setShortcutContext(Qt::WidgetWithChildrenShortcut); // digits are text elsewhere
        canvas->addAction(action);
        m_window.layerTable()->table()->addAction(action);
    }
    menu->addSeparator();
    add(menu, "fit", tr("&Fit"), QKeySequence(Qt::CTRL | Qt::Key_0), [canvas] { canvas->view().fitAll(); });
    add(menu, "actual-size", tr("100 %"), QKeySequence(Qt::CTRL | Qt::Key_1), [canvas] { canvas->view().showActualSize(); });
    add(menu, "zoom-in", tr("Zoom in"), QKeySequence::ZoomIn, [canvas] { canvas->view().zoomBy(1.25); });
    add(menu, "zoom-out", tr("Zoom out"), QKeySequence::ZoomOut, [canvas] { canvas->view().zoomBy(0.8); });
    menu->addSeparator();
    QMenu *theme = menu->addMenu(tr("&Theme"));
    auto *group = new QActionGroup(&m_window);
    const std::pair<const char *, QString> themes[] = {{"theme-system", tr("As the system")}, {"theme-light", tr("Light")}, {"theme-dark", tr("Dark")}};
    for (int i = 0; i < 3; ++i) {
        QAction *action = add(theme, themes[i].first, themes[i].second, {}, [this, i] { m_window.setThemeChoice(ThemeChoice(i)); });
        action->setCheckable(true);
        action->setChecked(int(loadPreferences().theme) == i);
        group->addAction(action);
    }
}

void WindowActions::layerMenu()
{
    QMenu *menu = m_layerMenu = m_window.menuBar()->addMenu(tr("&Layer"));
    const auto scope = [this] { return SpecScope::of(m_window.editable(m_window.selection().nodes())); };
    const auto set = [this, scope](core::TensorRole role, widgets::SpecField field, widgets::FieldValue value) {
        m_window.applyEdits({widgets::SetField{scope(), role, field, value}});
    };
    add(menu, "toggle", tr("&Quantize / keep float"), QKeySequence(), [this] {
        const auto &nodes = m_window.selection().nodes();
        m_window.toggleQuantization({nodes.begin(), nodes.end()});
    });
    menu->addSeparator();
    add(menu, "per-channel", tr("Weights per &channel"), QKeySequence(Qt::CTRL | Qt::ALT | Qt::Key_C), [set] {
        set(core::TensorRole::Weight, widgets::SpecField::QScheme, core::Granularity::PerChannel);
    });
    add(menu, "per-tensor", tr("Weights per &tensor"), QKeySequence(Qt::CTRL | Qt::ALT | Qt::Key_T), [set] {
        set(core::TensorRole::Weight, widgets::SpecField::QScheme, core::Granularity::PerTensor);
    });
    add(menu, "int8", tr("Weights int&8"), {}, [set] { set(core::TensorRole::Weight, widgets::SpecField::Dtype, core::QuantDtype::Int8); });
    add(menu, "int4", tr("Weights int&4"), {}, [set] { set(core::TensorRole::Weight, widgets::SpecField::Dtype, core::QuantDtype::Int4); });
    add(menu, "act16", tr("Activations int&16"), {}, [set] { set(core::TensorRole::Output, widgets::SpecField::Dtype, core::QuantDtype::Int16); });
    menu->addSeparator();
    add(menu, "reset-layer", tr("&Reset to inherited"), QKeySequence(Qt::CTRL | Qt::Key_R), [this, scope] { m_window.applyEdits({widgets::ResetScope{scope(), {}}}); });
}

void WindowActions::runMenu()
{
    QMenu *menu = m_window.menuBar()->addMenu(tr("&Run"));
    add(menu, "run", tr("&Run: calibrate, quantize, evaluate"), QKeySequence(Qt::Key_F5), [this] { m_window.run(); });
    add(menu, "calibrate", tr("&Calibrate only"), QKeySequence(Qt::SHIFT | Qt::Key_F5), [this] { m_window.controller().calibrate(); });
    add(menu, "stop", tr("&Stop"), QKeySequence(Qt::Key_Escape), [this] {
        m_window.statusPanel()->acknowledgeStop();
        m_window.controller().stop();
    });
    menu->addSeparator();
    Controller &controller = m_window.controller();
    add(menu, "train", tr("&Train"), QKeySequence(Qt::CTRL | Qt::Key_T), [this] { m_window.train(); });
    add(menu, "train-pause", tr("&Pause the training"), {}, [&controller] { controller.pauseTraining(); });
    add(menu, "train-resume", tr("R&esume the training"), {}, [&controller] { controller.resumeTraining(); });
    add(menu, "train-stop", tr("Stop and &keep the best"), {}, [&controller] { controller.stopAndKeepBest(); });
    add(menu, "train-discard", tr("&Discard the training…"), {}, [this] { m_window.discardTraining(); });
}

void WindowActions::analysisMenu()
{
    QMenu *menu = m_window.menuBar()->addMenu(tr("&Analysis"));
    const QString names[] = {tr("&Histogram"), tr("&Ranges"), tr("&Layer error"), tr("&Accuracy"), tr("&Images"), tr("&Compare"), tr("C&urves")};
    for (int i = 0; i < AnalysisPanel::tabCount; ++i)
        add(menu, QStringLiteral("analysis-%1").arg(i), names[i], QKeySequence(Qt::ALT | Qt::Key(Qt::Key_1 + i)), [this, i] {
            m_window.dock("analysis")->show();
            m_window.dock("analysis")->raise();
            m_window.analysis()->showTab(AnalysisPanel::Tab(i));
        });
}

void WindowActions::windowMenu()
{
    QMenu *menu = m_window.menuBar()->addMenu(tr("&Window"));
    for (QDockWidget *dock : m_window.findChildren<QDockWidget *>(QString(), Qt::FindDirectChildrenOnly))
        menu->addAction(dock->toggleViewAction());
    QAction *titles = add(menu, "dock-titles", tr("Title bars, to move the docks"), {}, [this] { m_window.showDockTitles(find("dock-titles")->isChecked()); });
    titles->setCheckable(true);
    menu->addSeparator();
    const std::pair<const char *, QString> layouts[] = {{"explore", tr("Layout &Explore")}, {"diagnose", tr("Layout &Diagnose")}, {"train", tr("Layout &Train")}};
    for (const auto &[name, text] : layouts)
        add(menu, QStringLiteral("layout-") + name, text, {}, [this, name = QString::fromLatin1(name)] { m_window.applyLayout(name); });
    QMenu *save = menu->addMenu(tr("&Save this layout as"));
    for (const auto &[name, text] : layouts)
        add(save, QStringLiteral("save-layout-") + name, text, {}, [this, name = QString::fromLatin1(name)] { saveLayout(name, m_window.saveState()); });
    add(menu, "layout-reset", tr("&Reset layouts"), {}, [this] { m_window.resetLayout(); });
}

void WindowActions::helpMenu()
{
    QMenu *menu = m_window.menuBar()->addMenu(tr("&Help"));
    add(menu, "keys", tr("&Keys"), QKeySequence::HelpContents, [this] {
        QString rows;
        for (const QAction *action : m_window.findChildren<QAction *>())
            if (!action->shortcut().isEmpty() && !action->text().isEmpty())
                rows += QStringLiteral("<tr><td>%1&nbsp;&nbsp;</td><td>%2</td></tr>")
                            .arg(action->shortcut().toString(QKeySequence::NativeText).toHtmlEscaped(), action->text().remove(QLatin1Char('&')).toHtmlEscaped());
        rows += tr("<tr><td>Arrows&nbsp;&nbsp;</td><td>walk along the graph</td></tr><tr><td>Space</td><td>quantize or keep float</td></tr>"
                   "<tr><td>Enter</td><td>inspector</td></tr><tr><td>Ctrl+wheel</td><td>zoom</td></tr>");
        QMessageBox box(QMessageBox::NoIcon, tr("Keys"), QStringLiteral("<table>%1</table>").arg(rows), QMessageBox::Close, &m_window);
        box.exec();
    });
    add(menu, "about", tr("&About Quantscope"), {}, [this] {
        QMessageBox::about(&m_window, tr("About Quantscope"),
                           tr("<h3>Quantscope %1</h3><p>Quantizes vision networks layer by layer and measures the file it writes.</p>"
                              "<p>Free software under the GNU General Public License, version 3 or later.</p>")
                               .arg(QApplication::applicationVersion()));
    });
}

void WindowActions::toolBar()
{
    auto *bar = m_window.addToolBar(tr("Main"));
    bar->setObjectName(QStringLiteral("main-bar"));
    bar->setMovable(false);
    for (const char *name : {"open", "save"})
        bar->addAction(find(name));
    bar->addSeparator();
    for (const char *name : {"undo", "redo"})
        bar->addAction(find(name));
    bar->addSeparator();
    bar->addWidget(m_window.stepBar());
    auto *space = new QWidget;
    space->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Preferred);
    bar->addWidget(space);
    find("run")->setIconText(tr("Run (F5)"));
    find("open")->setIconText(tr("Open"));
    find("save")->setIconText(tr("Save"));
    find("undo")->setIconText(tr("Undo"));
    find("redo")->setIconText(tr("Redo"));
    bar->addAction(find("run"));
    bar->addAction(find("export"));
    find("export")->setIconText(tr("Export"));
    bar->setToolButtonStyle(Qt::ToolButtonTextOnly);
}

void WindowActions::update()
{
    const bool model = m_window.document().hasModel(), busy = m_window.controller().heavy().busy(), selected = !m_window.selection().nodes().empty();
    const QString obstacle = m_window.controller().obstacle();
    const Trainer &trainer = m_window.controller().trainer();
    using Phase = widgets::TrainingPhase;
    const Phase phase = trainer.status().phase;
    find("train")->setEnabled(model && !busy);
    find("train-pause")->setEnabled(phase == Phase::Running);
    find("train-resume")->setEnabled(phase == Phase::Paused || (!busy && trainer.unfinished()));
    find("train-stop")->setEnabled(phase == Phase::Running || phase == Phase::Paused);
    find("train-discard")->setEnabled(phase != Phase::Discarding && (trainer.active() || trainer.unfinished()));
    for (const char *name : {"save", "save-as", "find", "select-rule", "select-all", "invert", "mode-blocks", "mode-layers", "mode-overview", "fit", "actual-size", "zoom-in", "zoom-out",
                             "graph-png", "graph-svg", "graph-copy"})
        find(name)->setEnabled(model);
    for (const char *name : {"run", "calibrate", "export"}) {
        find(name)->setEnabled(model && !busy);
        find(name)->setToolTip(busy ? trainer.active() ? tr("A training is on; end it first") : tr("Something runs already") : obstacle.isEmpty() ? find(name)->text().remove(QLatin1Char('&')) : obstacle);
    }
    find("stop")->setEnabled(busy);
    for (const char *name : {"select-similar", "grow-up", "grow-down", "all-up", "all-down", "toggle", "per-channel", "per-tensor", "int8", "int4", "act16", "reset-layer"})
        find(name)->setEnabled(model && selected);
    find("back")->setEnabled(m_window.selection().canGoBack());
    find("forward")->setEnabled(m_window.selection().canGoForward());
}

} // namespace app

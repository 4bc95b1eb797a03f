// The journeys of a user through the real window, with mouse and keyboard, on the bundled sample.
#include "app/analysis_panel.h"
#include "app/export_dialog.h"
#include "app/main_window.h"
#include "app/prediction_bar.h"
#include "app/status_panel.h"
#include "app/step_bar.h"
#include "core/base/atomic_file.h"
#include "core/spec/config_json.h"
#include "widgets/charts/histogram_chart.h"
#include "widgets/graph/graph_canvas.h"
#include "widgets/log/problems_panel.h"
#include "widgets/shared/app_style.h"
#include "widgets/tables/compare_view.h"
#include "widgets/tables/images_view.h"
#include "widgets/tables/layer_table_view.h"

using namespace app;

namespace {

constexpr int patience = 60000;

} // namespace

class TestJourneys : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void initTestCase();
    void init();
    void cleanup();
    void fromStartToVerifiedFileByKeyboard();
    void aDepthwiseNetworkRecovers();
    void theCommandLineGivesTheSameFile();
    void theWindowStaysLiveDuringARun();
    void stopLeavesThingsAsTheyWere();
    void failuresAreShownWithTheirNode();
    void draggedRangesAreOneUndo();
    void flippedImagesColourTheGraph();
    void projectsComeBack();
    void aChangedModelIsAskedAbout();
    void quantizedFilesOpenReadOnly();
    void doctorsFixIsAnUndoableCommand();
    void quantizersAreSwitchedOnTheirEdges();
    void layoutsAreRestored();
    void theExportDialogChoosesATargetAndGuardsTheSource();
    void closingDuringARunEndsAtOnce();
    void whatACrashLeftIsOfferedAndStaysUnsaved();
    void whatCannotBePredictedIsSaid();
    void everyControlHasAName();

private:
    void openSample();
    void run();
    void type(const QString &text) { QTest::keyClicks(QApplication::focusWidget(), text); }
    std::size_t runs() const { return m_window->document().project().runs.size(); }
    const core::Report &report() const { return *m_window->document().report(); }
    QString path(const QString &name) const { return m_folder->filePath(name); }
    void usePreset(const char *name) { m_window->applyEdits({widgets::ChoosePreset{name}}); }
    core::NodeId node(const char *name) const { return m_window->document().prepared()->source->findNode(name); }

    std::unique_ptr<QTemporaryDir> m_folder;
    std::unique_ptr<MainWindow> m_window;
};

void TestJourneys::initTestCase()
{
    QStandardPaths::setTestModeEnabled(true);
    QApplication::setOrganizationName("quantscope-tests");
    QApplication::setApplicationName("journeys");
    QSettings().clear();
    QApplication::setStyle(new widgets::AppStyle);
}

void TestJourneys::init()
{
    m_folder = std::make_unique<QTemporaryDir>();
    WindowOptions options;
    options.autosaveFolder = path("autosave");
    m_window = std::make_unique<MainWindow>(options);
    m_window->resize(1500, 950);
    m_window->show();
    QVERIFY(QTest::qWaitForWindowActive(m_window.get()));
}

void TestJourneys::cleanup()
{
    m_window->document().setSaved(m_window->document().fileName());
    m_window.reset();
    m_folder.reset();
}

void TestJourneys::openSample()
{
    m_window->openSample();
    QTRY_VERIFY_WITH_TIMEOUT(m_window->document().layers(), patience);
}

void TestJourneys::run()
{
    const std::size_t before = runs();
    QTest::keyClick(m_window.get(), Qt::Key_F5);
    QTRY_COMPARE_WITH_TIMEOUT(runs(), before + 1, patience);
}

/// Journey a.
void TestJourneys::fromStartToVerifiedFileByKeyboard()
{
    QCOMPARE(m_window->stepBar()->state(Step::Model), StepState::Todo);
    auto *button = qobject_cast<QPushButton *>(QApplication::focusWidget()); // the first thing that Enter presses
    QVERIFY(button && button->text().contains("sample"));
    QTest::keyClick(button, Qt::Key_Space);
    QTRY_VERIFY_WITH_TIMEOUT(m_window->document().layers(), patience);
    QCOMPARE(m_window->stepBar()->state(Step::Data), StepState::Done);
    run();
    QVERIFY(*report().floating.top1 > 88 && report().quantized.top1);
    QVERIFY2(m_window->statusPanel()->summary().contains("float 91.1 %"), qPrintable(m_window->statusPanel()->summary()));
    QTRY_COMPARE(m_window->stepBar()->state(Step::Evaluate), StepState::Done);

    QTest::keyClick(m_window.get(), Qt::Key_E, Qt::ControlModifier);
    ExportDialog *dialog = m_window->exportDialog();
    QVERIFY(dialog);
    QTRY_VERIFY(qobject_cast<QLineEdit *>(dialog->focusWidget()));
    QTest::keyClick(dialog->focusWidget(), Qt::Key_A, Qt::ControlModifier);
    QTest::keyClicks(dialog->focusWidget(), path("out"));
    QTest::keyClick(dialog->focusWidget(), Qt::Key_Return);
    QTRY_COMPARE_WITH_TIMEOUT(runs(), std::size_t(2), patience);
    QCOMPARE(*report().exported.top1, *report().quantized.top1);
    QVERIFY(report().frozenEqual);
    QVERIFY(QFileInfo(path("out/sample_best.onnx")).size() > 1000);
    auto *result = dialog->findChild<QLabel *>("result");
    QVERIFY2(result->text().contains(QLocale().toString(*report().exported.top1, 'f', 2)), qPrintable(result->text()));
    QTest::keyClick(dialog, Qt::Key_Escape);
    QTRY_VERIFY(!m_window->exportDialog());
    QTRY_COMPARE(m_window->stepBar()->state(Step::Export), StepState::Done);
}

/// Journey b.
void TestJourneys::aDepthwiseNetworkRecovers()
{
    openSample();
    usePreset("a8w8");
    run();
    const double lost = *report().floating.top1 - *report().quantized.top1;
    QVERIFY2(lost > 2, qPrintable(QString::number(lost)));
    QTRY_VERIFY(!std::isnan(m_window->document().layers()->table->at(0).activationSqnr));

    // The overlay shows where it is lost, the doctor names the layers.
    m_window->canvas()->view().setFocus();
    QTest::keyClick(&m_window->canvas()->view(), Qt::Key_4);
    QCOMPARE(m_window->canvas()->overlay(), widgets::Overlay::ActivationSqnr);
    const auto sqnr = [&](const char *name) {
        for (const widgets::LayerFacts &facts : *m_window->document().layers()->table)
            if (facts.node == node(name))
                return facts.activationSqnr;
        return widgets::unknown;
    };
    QVERIFY(sqnr("block1/depthwise/conv") < sqnr("stem/conv") - 8);
    const auto guilty = [&] {
        for (const widgets::ProblemRow &row : m_window->problems()->problems())
            if (row.code == "channel-ranges")
                return std::count(row.nodes.begin(), row.nodes.end(), node("block1/depthwise/conv")) == 1;
        return false;
    };
    QTRY_VERIFY_WITH_TIMEOUT(guilty(), patience);

    // They are selected by rule in the table's filter, and become per channel.
    QLineEdit *filter = m_window->layerTable()->filterEdit();
    filter->setFocus();
    QTest::keyClicks(filter, "op:Conv group>1");
    QTest::keyClick(filter, Qt::Key_Return);
    QCOMPARE(m_window->selection().nodes().size(), std::size_t(4));
    filter->selectAll();
    QTest::keyClicks(filter, "op:Conv"); // in this network the pointwise layers lose as much
    QTest::keyClick(filter, Qt::Key_Return);
    QCOMPARE(m_window->selection().nodes().size(), std::size_t(10));
    QTest::keyClick(m_window.get(), Qt::Key_C, Qt::ControlModifier | Qt::AltModifier);
    QCOMPARE(m_window->document().recipe().config.byNode.size(), m_window->selection().nodes().size());
    QCOMPARE(m_window->document().undoStack().count(), 2); // the preset, and all layers in one step
    QVERIFY(m_window->document().isStale(0));

    // What if: predicted before it is kept.
    QVERIFY(m_window->predictionBar()->isVisible());
    QTRY_VERIFY_WITH_TIMEOUT(m_window->predictionBar()->text().contains("dB"), patience);
    const QRegularExpression change("SQNR of the outputs ([0-9.]+) → ([0-9.]+) dB");
    const QRegularExpressionMatch match = change.match(m_window->predictionBar()->text());
    QVERIFY2(match.hasMatch(), qPrintable(m_window->predictionBar()->text()));
    QVERIFY2(m_window->predictionBar()->text().contains("per_channel"), qPrintable(m_window->predictionBar()->text()));
    QVERIFY2(match.captured(2).toDouble() > match.captured(1).toDouble() + 3, qPrintable(match.captured(0)));

    run();
    const double left = *report().floating.top1 - *report().quantized.top1;
    QVERIFY2(left < lost / 2, qPrintable(QString("%1 of %2").arg(left).arg(lost)));
    QTest::keyClick(m_window.get(), Qt::Key_6, Qt::AltModifier);
    QCOMPARE(m_window->analysis()->currentTab(), AnalysisPanel::Compare);
    QCOMPARE(m_window->analysis()->compare()->runs()->rowCount(), 2);
    QVERIFY(m_window->analysis()->compare()->differences()->rowCount() > 0);
}

/// Journey e: what the window decided, the command line repeats byte for byte.
void TestJourneys::theCommandLineGivesTheSameFile()
{
    openSample();
    usePreset("a8w8-per-channel");
    m_window->controller().exportTo({path("window"), "sample.onnx", false});
    QTRY_COMPARE_WITH_TIMEOUT(runs(), std::size_t(1), patience);
    const QString sample = QStringLiteral(QUANTSCOPE_SOURCE_DIR "/resources/sample");
    const auto program = [&](const QStringList &more) {
        QProcess process;
        process.start(QUANTSCOPE_PROGRAM, QStringList{"quantize", sample + "/sample.onnx", "--calib", sample + "/calib", "--val", sample + "/val", "--recipe",
                                                      path("window/recipe.json"), "--no-judge", "--out", path("cli")} + more);
        return process.waitForFinished(patience) ? process.exitCode() : -1;
    };
    QCOMPARE(program({}), 0);
    QCOMPARE(core::readFile(app::path(path("cli/sample_a8w8-per-channel.onnx"))), core::readFile(app::path(path("window/sample.onnx"))));
    QVERIFY(QFile::exists(path("cli/report.json")) && QFile::exists(path("cli/report.html")));
    QCOMPARE(program({"--min-accuracy", "99.9"}), 3);
}

void TestJourneys::theWindowStaysLiveDuringARun()
{
    openSample();
    std::vector<qint64> gaps;
    QElapsedTimer clock;
    QTimer probe;
    probe.setTimerType(Qt::PreciseTimer);
    probe.setInterval(5);
    connect(&probe, &QTimer::timeout, this, [&] { gaps.push_back(clock.restart()); });
    for (const char *preset : {"best", "a8w8", "a16w8"}) {
        usePreset(preset);
        m_window->run();
        QVERIFY(m_window->controller().heavy().busy());
        clock.start();
        probe.start();
        QTRY_VERIFY_WITH_TIMEOUT(!m_window->controller().heavy().busy(), patience);
        probe.stop();
    }
    QVERIFY(gaps.size() > 20);
    std::sort(gaps.begin(), gaps.end());
    qInfo("%zu turns of the event loop, median %lld ms, longest %lld ms", gaps.size(), gaps[gaps.size() / 2], gaps.back());
    QVERIFY(gaps[gaps.size() * 95 / 100] < 100);
}

void TestJourneys::stopLeavesThingsAsTheyWere()
{
    openSample();
    m_window->run();
    QTRY_VERIFY(m_window->action("stop")->isEnabled());
    QTest::keyClick(m_window.get(), Qt::Key_Escape);
    QTRY_VERIFY_WITH_TIMEOUT(!m_window->controller().heavy().busy(), 5000);
    QCOMPARE(runs(), std::size_t(0));
    QCOMPARE(m_window->statusPanel()->activity(), QString("Ready"));
    run(); // and it can start again
}

void TestJourneys::failuresAreShownWithTheirNode()
{
    openSample();
    Settings settings = m_window->document().settings();
    settings.calibration.path = app::path(path("nowhere"));
    m_window->document().change(settings, "Data");
    m_window->run();
    QTRY_VERIFY_WITH_TIMEOUT(!m_window->problems()->problems().empty() && m_window->problems()->problems().front().code == "failed", patience);
    QVERIFY(m_window->problems()->problems().front().evidence.contains("nowhere"));
    QVERIFY(m_window->dock("problems")->isVisible());
    QCOMPARE(runs(), std::size_t(0));
}

void TestJourneys::draggedRangesAreOneUndo()
{
    openSample();
    usePreset("a8w8-per-channel");
    run();
    m_window->selection().select({node("stem/relu6")});
    widgets::HistogramChart *chart = m_window->analysis()->histogram();
    QTRY_VERIFY_WITH_TIMEOUT(!chart->isEmpty() && chart->subject().scheme.quantized(), patience);
    const int steps = m_window->document().undoStack().count();
    const core::Range before = chart->range();
    QWidget *surface = chart->plot()->viewport();
    const QPoint from = chart->handlePosition(1).toPoint(), to = from - QPoint(40, 0);
    QTest::mousePress(surface, Qt::LeftButton, {}, from);
    QTest::mouseMove(surface, from - QPoint(20, 0));
    QTest::mouseMove(surface, to);
    QTest::mouseRelease(surface, Qt::LeftButton, {}, to);
    QCOMPARE(m_window->document().undoStack().count(), steps + 1);
    QVERIFY(chart->range().max < before.max);
    bool fixed = false;
    for (const auto &[name, config] : m_window->document().recipe().config.byNode)
        fixed |= config.outputTensors.observer == core::ObserverKind::Fixed && config.outputTensors.fixedRange.has_value();
    QVERIFY(fixed);
    m_window->action("undo")->trigger();
    QVERIFY(m_window->document().recipe().config.byNode.empty());
}

void TestJourneys::flippedImagesColourTheGraph()
{
    openSample();
    usePreset("a8w4");
    run();
    QTRY_VERIFY_WITH_TIMEOUT(m_window->analysis()->images()->model()->rowCount() > 0, patience);
    const double ofRun = m_window->document().layers()->table->at(0).activationSqnr;
    Q_EMIT m_window->analysis()->images()->imageActivated(0);
    QTRY_VERIFY_WITH_TIMEOUT(m_window->document().image(), patience);
    QTRY_VERIFY(m_window->document().layers()->table->at(0).activationSqnr != ofRun);
    m_window->document().setImage(nullptr);
    QTRY_COMPARE(m_window->document().layers()->table->at(0).activationSqnr, ofRun);
}

void TestJourneys::projectsComeBack()
{
    openSample();
    usePreset("a8w8");
    run();
    m_window->setOverlay(int(widgets::Overlay::WeightSqnr));
    m_window->document().setFileName(path("p.qsproj"));
    QVERIFY(m_window->save());
    QVERIFY(!m_window->isWindowModified());
    m_window->document().close();
    QSignalSpy opened(&m_window->controller(), &Controller::modelOpened);
    m_window->open(path("p.qsproj"));
    QTRY_COMPARE_WITH_TIMEOUT(opened.count(), 1, patience);
    QCOMPARE(m_window->document().recipe().preset, std::string("a8w8"));
    QCOMPARE(runs(), std::size_t(1));
    QVERIFY(!m_window->document().isStale(0));
    QTRY_VERIFY(m_window->document().layers() && !std::isnan(m_window->document().layers()->table->at(0).activationSqnr));
    QCOMPARE(m_window->canvas()->overlay(), widgets::Overlay::WeightSqnr);
    QVERIFY(m_window->windowTitle().contains("p.qsproj"));
}

void TestJourneys::aChangedModelIsAskedAbout()
{
    openSample();
    Project project = m_window->document().project();
    project.modelHash = QByteArray(64, '0');
    saveProject(project, app::path(path("changed.qsproj")));
    project.model = "/nowhere/gone.onnx";
    saveProject(project, app::path(path("gone.qsproj")));
    for (const auto &[file, changed] : {std::pair{"changed.qsproj", true}, {"gone.qsproj", false}}) {
        QSignalSpy missing(&m_window->controller(), &Controller::modelMissing);
        QString question;
        QTimer::singleShot(0, m_window.get(), [&] {
            auto *timer = new QTimer(m_window.get());
            connect(timer, &QTimer::timeout, timer, [&question, timer] {
                if (auto *box = qobject_cast<QMessageBox *>(QApplication::activeModalWidget())) {
                    question = box->text();
                    box->reject();
                    timer->deleteLater();
                }
            });
            timer->start(20);
        });
        m_window->document().setSaved({});
        m_window->open(path(QString::fromLatin1(file)));
        QTRY_COMPARE_WITH_TIMEOUT(missing.count(), 1, patience);
        QCOMPARE(missing[0][2].toBool(), changed);
        QTRY_VERIFY(!question.isEmpty());
    }
}

void TestJourneys::quantizedFilesOpenReadOnly()
{
    openSample();
    m_window->controller().exportTo({path("out"), "q.onnx", false, true});
    QTRY_COMPARE_WITH_TIMEOUT(runs(), std::size_t(1), patience);
    QVERIFY(QFileInfo(path("out/q.pt")).size() > 0);
    m_window->document().setSaved({});
    QSignalSpy opened(&m_window->controller(), &Controller::modelOpened);
    m_window->open(path("out/q.onnx"));
    QTRY_COMPARE_WITH_TIMEOUT(opened.count(), 1, patience);
    QTRY_VERIFY(m_window->document().layers());
    QVERIFY(m_window->document().prepared()->quantized);
    QVERIFY(m_window->controller().obstacle().contains("calibrate") || m_window->controller().obstacle().contains("quantized already"));
    QTRY_VERIFY(!m_window->canvas()->scene().state().marks.empty());
    QVERIFY(!m_window->canvas()->scene().state().marks.front().switchable);
}

void TestJourneys::doctorsFixIsAnUndoableCommand()
{
    openSample();
    usePreset("a8w8");
    run();
    const auto withFix = [&] {
        const auto &rows = m_window->problems()->problems();
        for (std::size_t i = 0; i < rows.size(); ++i)
            if (!rows[i].fix.isEmpty() && rows[i].code == "channel-ranges")
                return int(i);
        return -1;
    };
    QTRY_VERIFY_WITH_TIMEOUT(withFix() >= 0, patience);
    const core::Recipe before = m_window->document().recipe();
    Q_EMIT m_window->problems()->fixRequested(withFix());
    QVERIFY(!(m_window->document().recipe() == before));
    m_window->action("undo")->trigger();
    QVERIFY(m_window->document().recipe() == before);
}

void TestJourneys::quantizersAreSwitchedOnTheirEdges()
{
    openSample();
    QTRY_VERIFY(m_window->canvas()->scene().state().drawing);
    const auto marks = [&] { return m_window->document().layers()->marks; };
    QTRY_VERIFY(!marks().empty());
    const widgets::QuantizerMark mark = marks().at(1);
    Q_EMIT m_window->canvas()->view().quantizerClicked(mark.value, mark.consumer, mark.inputIndex);
    QCOMPARE(m_window->document().recipe().config.disabledEdges.size(), std::size_t(1));
    QTRY_VERIFY(std::any_of(m_window->document().layers()->marks.begin(), m_window->document().layers()->marks.end(),
                            [&](const widgets::QuantizerMark &m) { return m.consumer == mark.consumer && m.inputIndex == mark.inputIndex && !m.on; }));
    Q_EMIT m_window->canvas()->view().quantizerClicked(mark.value, mark.consumer, mark.inputIndex);
    QVERIFY(m_window->document().recipe().config.disabledEdges.empty());
}

void TestJourneys::layoutsAreRestored()
{
    openSample();
    m_window->dock("layers")->hide();
    m_window->action("save-layout-diagnose")->trigger();
    m_window->applyLayout("explore");
    QVERIFY(m_window->dock("layers")->isVisible());
    m_window->applyLayout("diagnose");
    QVERIFY(!m_window->dock("layers")->isVisible());
    m_window->resetLayout();
    m_window->applyLayout("diagnose");
    QVERIFY(m_window->dock("layers")->isVisible());
}

void TestJourneys::theExportDialogChoosesATargetAndGuardsTheSource()
{
    openSample();
    m_window->showExport();
    ExportDialog *dialog = m_window->exportDialog();
    QVERIFY(dialog);
    auto *target = dialog->findChild<QComboBox *>("target");
    target->setCurrentIndex(target->findData("tensorrt"));
    QCOMPARE(m_window->document().recipe().target, std::string("tensorrt"));
    const auto exportButton = [&] {
        for (QPushButton *button : dialog->findChildren<QPushButton *>())
            if (button->text().contains("Export"))
                return button;
        return static_cast<QPushButton *>(nullptr);
    };
    QVERIFY(exportButton()->isEnabled());
    dialog->setFolder(QStringLiteral(QUANTSCOPE_SOURCE_DIR "/resources/sample"));
    dialog->findChildren<QLineEdit *>().at(1)->setText("sample.onnx"); // the model itself
    QVERIFY(!exportButton()->isEnabled());
    QVERIFY(dialog->findChild<QLabel *>("problem")->text().contains("never overwritten"));
    dialog->reject();
}

void TestJourneys::closingDuringARunEndsAtOnce()
{
    openSample();
    m_window->run();
    QTRY_VERIFY(m_window->controller().heavy().busy());
    m_window->document().setSaved({});
    QVERIFY(m_window->close());
    m_window.reset(); // waits for the thread
    WindowOptions options;
    options.autosaveFolder = path("autosave");
    m_window = std::make_unique<MainWindow>(options);
}

void TestJourneys::whatACrashLeftIsOfferedAndStaysUnsaved()
{
    openSample();
    usePreset("a8w4");
    Project project = m_window->document().project();
    const QString left = path("autosave/left.autosave");
    QFile file(left);
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write(QJsonDocument(QJsonObject{{"original", ""}, {"project", QJsonDocument::fromJson(projectToJson(project, {})).object()}}).toJson());
    file.close();
    m_window->document().setSaved({});
    m_window->document().close();
    QTimer answer;
    connect(&answer, &QTimer::timeout, this, [] {
        if (auto *box = qobject_cast<QMessageBox *>(QApplication::activeModalWidget()))
            box->button(QMessageBox::Yes)->click();
    });
    answer.start(20);
    m_window->offerRecovery();
    answer.stop();
    QVERIFY(QFile::exists(left)); // until it is open
    QTRY_VERIFY_WITH_TIMEOUT(m_window->document().hasModel(), patience);
    QCOMPARE(m_window->document().recipe().preset, std::string("a8w4"));
    QVERIFY(m_window->document().isModified());
    QVERIFY(!QFile::exists(left));
    QCOMPARE(QDir(path("autosave")).entryList({"*.autosave"}).size(), 1); // kept safe again
}

void TestJourneys::whatCannotBePredictedIsSaid()
{
    openSample();
    run();
    m_window->applyEdits({widgets::SetSwitch{widgets::RecipeSwitch::Equalize, true}}); // its statistics do not exist
    QTRY_VERIFY_WITH_TIMEOUT(m_window->predictionBar()->text().contains("cannot be predicted"), patience);
    QVERIFY2(m_window->predictionBar()->text().contains("alibrate"), qPrintable(m_window->predictionBar()->text()));
    m_window->action("undo")->trigger();
    QVERIFY(!m_window->predictionBar()->isVisible());
}

/// For screen readers.
void TestJourneys::everyControlHasAName()
{
    openSample();
    m_window->selection().select({node("stem/conv")});
    QStringList nameless;
    for (QWidget *widget : m_window->findChildren<QWidget *>()) {
        const bool control = qobject_cast<QAbstractButton *>(widget) || qobject_cast<QLineEdit *>(widget) || qobject_cast<QComboBox *>(widget) || qobject_cast<QAbstractSpinBox *>(widget)
            || qobject_cast<QAbstractItemView *>(widget) || qobject_cast<QPlainTextEdit *>(widget);
        const bool ofQt = widget->objectName().startsWith("qt_") || qobject_cast<QHeaderView *>(widget) || qobject_cast<QTabBar *>(widget->parentWidget())
            || qobject_cast<QAbstractItemView *>(widget->parentWidget()) || QByteArray(widget->metaObject()->className()).startsWith("QComboBox")
            || QByteArray(widget->metaObject()->className()).startsWith("QDockWidget") || QByteArray(widget->metaObject()->className()).startsWith("QToolBarExtension")
            || QByteArray(widget->metaObject()->className()) == "QLineEditIconButton";
        if (!control || ofQt)
            continue;
        const QAccessibleInterface *accessible = QAccessible::queryAccessibleInterface(widget);
        if (!accessible || accessible->text(QAccessible::Name).trimmed().isEmpty())
            nameless << QStringLiteral("%1 '%2' in %3").arg(QLatin1String(widget->metaObject()->className()), widget->objectName(), QLatin1String(widget->parentWidget()->metaObject()->className()));
    }
    QVERIFY2(nameless.isEmpty(), qPrintable(nameless.join("; ")));
}

QTEST_MAIN(TestJourneys)
#include "tst_journeys.moc"

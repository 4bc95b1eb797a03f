// Journey d: train with live curves, pause, quit, resume, stop and keep the best, compare with post-training quantization, export.
#include "app/analysis_panel.h"
#include "app/export_dialog.h"
#include "app/main_window.h"
#include "app/prediction_bar.h"
#include "widgets/charts/curves_panel.h"
#include "widgets/charts/histogram_chart.h"
#include "widgets/shared/app_style.h"
#include "widgets/tables/compare_view.h"
#include "widgets/training/training_panel.h"

using namespace app;
using widgets::CurvesPanel;
using widgets::TrainingPhase;

namespace {

constexpr int patience = 60000;

} // namespace

class TestTrainingJourney : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void initTestCase();
    void init();
    void cleanup();
    void trainPauseQuitResumeCompareExport();
    void whatIsDiscardedIsGone();
    void trainingSettingsAreUndoneAndDoNotPredict();
    void closingAsksWhileItTrains();
    void olderLayoutsHaveThePanelToo();

private:
    void openWindow();
    void openSample();
    void press(const char *button);
    TrainingPhase phase() { return m_window->controller().trainer().status().phase; }
    std::int64_t step() { return m_window->controller().trainer().status().step; }
    std::size_t runs() const { return m_window->document().project().runs.size(); }
    CurvesPanel *curves() { return m_window->analysis()->curves(); }
    int points(CurvesPanel::Group group) { return int(curves()->chart(group)->csv().count('\n')) - 1; }
    QString path(const QString &name) const { return m_folder->filePath(name); }
    QStringList kept(const char *pattern) const { return QDir(path("training")).entryList({pattern}, QDir::Files); }

    std::unique_ptr<QTemporaryDir> m_folder;
    std::unique_ptr<MainWindow> m_window;
};

void TestTrainingJourney::initTestCase()
{
    QStandardPaths::setTestModeEnabled(true);
    QApplication::setOrganizationName("quantscope-tests");
    QApplication::setApplicationName("training-journey");
    QSettings().clear();
    QSettings().setValue("judge", false); // other programs judge elsewhere
    QApplication::setStyle(new widgets::AppStyle);
}

void TestTrainingJourney::init()
{
    m_folder = std::make_unique<QTemporaryDir>();
    openWindow();
}

void TestTrainingJourney::cleanup()
{
    m_window->document().setSaved(m_window->document().fileName());
    m_window.reset();
    m_folder.reset();
}

void TestTrainingJourney::openWindow()
{
    WindowOptions options;
    options.autosaveFolder = path("autosave");
    options.trainingFolder = path("training");
    m_window = std::make_unique<MainWindow>(options);
    m_window->resize(1500, 950);
    m_window->show();
    QVERIFY(QTest::qWaitForWindowActive(m_window.get()));
}

/// The sample with 4-bit weights, and a short training on a few images.
void TestTrainingJourney::openSample()
{
    m_window->openSample();
    QTRY_VERIFY_WITH_TIMEOUT(m_window->document().layers(), patience);
    m_window->applyEdits({widgets::ChoosePreset{"a8w4"}});
    Settings settings = m_window->document().settings();
    settings.training.epochs = 200;
    settings.training.batchSize = 20;
    settings.training.learningRate = 1e-3;
    settings.training.evaluateEvery = 10;
    settings.training.augment.randomResizedCrop = false;
    settings.validation.limit = 100;
    m_window->document().change(settings, "A short training");
    m_window->applyLayout("train");
}

void TestTrainingJourney::press(const char *name)
{
    auto *button = m_window->trainingPanel()->findChild<QPushButton *>(name);
    QTRY_VERIFY2(button->isVisible() && button->isEnabled(), name);
    QTest::mouseClick(button, Qt::LeftButton);
}

void TestTrainingJourney::trainPauseQuitResumeCompareExport()
{
    openSample();
    QTest::keyClick(m_window.get(), Qt::Key_F5);
    QTRY_COMPARE_WITH_TIMEOUT(runs(), std::size_t(1), patience);
    const double floating = *m_window->document().report()->floating.top1, ptq = *m_window->document().report()->quantized.top1;
    QVERIFY2(ptq < floating - 3, qPrintable(QString("float %1, PTQ %2").arg(floating).arg(ptq)));

    // Curves come while it trains, of the selected layer its thresholds and its weights too.
    const core::NodeId stem = m_window->document().prepared()->source->findNode("stem/conv");
    m_window->selection().select({stem}, stem);
    QTest::keyClick(m_window.get(), Qt::Key_T, Qt::ControlModifier);
    QCOMPARE(phase(), TrainingPhase::Starting);
    QCOMPARE(m_window->analysis()->currentTab(), AnalysisPanel::Curves);
    QTRY_VERIFY_WITH_TIMEOUT(points(CurvesPanel::Loss) >= 5, patience);
    QTRY_VERIFY_WITH_TIMEOUT(points(CurvesPanel::Thresholds) >= 2, patience);
    QCOMPARE(curves()->chart(CurvesPanel::Accuracy)->references().size(), std::size_t(2)); // float, PTQ
    QCOMPARE(curves()->chart(CurvesPanel::Accuracy)->references()[0].value, floating);
    QCOMPARE(curves()->chart(CurvesPanel::Accuracy)->references()[1].value, ptq);

    m_window->analysis()->showTab(AnalysisPanel::Histogram);
    auto *tensor = m_window->analysis()->findChild<QComboBox *>("tensor");
    tensor->setCurrentIndex(tensor->findText("weight", Qt::MatchStartsWith));
    const auto spread = [&] { // of the weights that are shown
        const auto shown = m_window->analysis()->histogram()->subject().statistics;
        return shown && m_window->analysis()->histogram()->subject().title.contains("weight") ? shown->sumOfSquares.value() : 0;
    };
    QTRY_VERIFY(spread() > 0);
    const double before = spread();
    QTRY_VERIFY_WITH_TIMEOUT(spread() != before, patience);
    m_window->analysis()->showTab(AnalysisPanel::Curves);

    // Editing goes on; what needs the engine says that it waits.
    QVERIFY(!m_window->action("run")->isEnabled());
    m_window->applyEdits({widgets::SetQuantized{{stem}, false}});
    QVERIFY(m_window->predictionBar()->isVisible());
    QVERIFY2(m_window->predictionBar()->text().contains("when the training has ended"), qPrintable(m_window->predictionBar()->text()));
    m_window->action("undo")->trigger();
    QVERIFY(!m_window->predictionBar()->isVisible());

    press("pause");
    QTRY_COMPARE(phase(), TrainingPhase::Paused);
    const std::int64_t paused = step();
    QTest::qWait(200);
    QCOMPARE(step(), paused);
    QVERIFY(m_window->trainingPanel()->findChild<QLabel *>("state")->text().contains("paused"));

    // The window closes without a question, and another one goes on.
    m_window->document().setSaved({});
    QVERIFY(m_window->close());
    m_window.reset();
    QCOMPARE(kept("*.checkpoint").size(), 1);
    openWindow();
    m_window->openSample();
    QTRY_VERIFY_WITH_TIMEOUT(m_window->controller().trainer().unfinished(), patience);
    QCOMPARE(m_window->controller().trainer().unfinished()->step, paused);
    QVERIFY(m_window->document().recipe().preset != "a8w4");
    QTRY_VERIFY_WITH_TIMEOUT(m_window->document().layers() && !m_window->controller().heavy().busy(), patience);
    m_window->dock("training")->raise();
    press("resume");
    QCOMPARE(m_window->document().recipe().preset, std::string("a8w4")); // what it was started with
    QTRY_VERIFY_WITH_TIMEOUT(step() > paused, patience);

    press("stop");
    QTRY_COMPARE_WITH_TIMEOUT(runs(), std::size_t(1), patience);
    QCOMPARE(phase(), TrainingPhase::Idle);
    const Run trained = *m_window->document().run(0);
    QCOMPARE(trained.name, QString("LSQ 1"));
    QVERIFY(trained.trained() && trained.report.training->method == "lsq");
    QVERIFY(trained.report.training->steps > paused);
    QVERIFY(trained.report.training->curve.front().step == 0 && trained.report.training->curve.front().evaluation);
    QVERIFY(*trained.report.quantized.top1 >= ptq);
    QVERIFY(!m_window->document().isStale(0));
    QVERIFY(kept("*.json").isEmpty() && kept("*.checkpoint").size() == 1);

    // Beside post-training quantization.
    m_window->run();
    QTRY_COMPARE_WITH_TIMEOUT(runs(), std::size_t(2), patience);
    QTest::keyClick(m_window.get(), Qt::Key_6, Qt::AltModifier);
    QCOMPARE(m_window->analysis()->compare()->runs()->rowCount(), 2);
    QVERIFY(m_window->analysis()->compare()->differences()->rowCount() > 0);
    m_window->document().setCurrentRun(0);
    QCOMPARE(points(CurvesPanel::Loss), int(trained.report.training->curve.size()) - 1); // the stored one
    m_window->analysis()->showTab(AnalysisPanel::Curves);
    QTRY_VERIFY(!curves()->chart(CurvesPanel::Loss)->isEmpty());

    // The file holds what was learned.
    QTest::keyClick(m_window.get(), Qt::Key_E, Qt::ControlModifier);
    ExportDialog *dialog = m_window->exportDialog();
    QVERIFY(dialog);
    QCOMPARE(dialog->wish().trainedRun, 0);
    QCOMPARE(dialog->fileName(), QString("sample_lsq.onnx"));
    dialog->setFolder(path("out"));
    QTest::keyClick(dialog->focusWidget(), Qt::Key_Return);
    QTRY_VERIFY_WITH_TIMEOUT(m_window->document().run(0)->report.exported.images > 0, patience);
    const core::Report &exported = m_window->document().run(0)->report;
    QCOMPARE(*exported.exported.top1, *trained.report.quantized.top1);
    QVERIFY(exported.frozenEqual);
    QVERIFY(QFileInfo(path("out/sample_lsq.onnx")).size() > 1000);
    QCOMPARE(runs(), std::size_t(2));
    QTest::keyClick(dialog, Qt::Key_Escape);
    QTRY_VERIFY(!m_window->exportDialog());

    // A project keeps all of it.
    m_window->document().setFileName(path("p.qsproj"));
    QVERIFY(m_window->save());
    const Project project = loadProject(app::path(path("p.qsproj")));
    QCOMPARE(project.runs[0].checkpoint, trained.checkpoint);
    QCOMPARE(project.runs[0].report.training->curve.size(), trained.report.training->curve.size());
}

void TestTrainingJourney::whatIsDiscardedIsGone()
{
    openSample();
    press("train");
    QTRY_VERIFY_WITH_TIMEOUT(phase() == TrainingPhase::Running && step() > 0, patience);
    const auto answer = [&](QMessageBox::StandardButton button) {
        auto *timer = new QTimer(m_window.get());
        connect(timer, &QTimer::timeout, timer, [timer, button] {
            if (auto *box = qobject_cast<QMessageBox *>(QApplication::activeModalWidget())) {
                timer->deleteLater();
                box->button(button)->click();
            }
        });
        timer->start(20);
    };
    answer(QMessageBox::Cancel);
    press("discard");
    QCOMPARE(phase(), TrainingPhase::Running);
    answer(QMessageBox::Discard);
    press("discard");
    QTRY_COMPARE_WITH_TIMEOUT(phase(), TrainingPhase::Idle, 5000);
    QCOMPARE(runs(), std::size_t(0));
    QVERIFY(!m_window->controller().trainer().unfinished());
    QVERIFY(kept("*.checkpoint").isEmpty() && kept("*.json").isEmpty());

    // Esc ends it too, but it can go on.
    press("train");
    QTRY_VERIFY_WITH_TIMEOUT(step() >= 11, patience); // behind the first checkpoint
    m_window->activateWindow();
    QVERIFY(QTest::qWaitForWindowActive(m_window.get()));
    QTest::keyClick(m_window.get(), Qt::Key_Escape);
    QTRY_COMPARE_WITH_TIMEOUT(phase(), TrainingPhase::Idle, 5000);
    QVERIFY(m_window->controller().trainer().unfinished());
    QVERIFY(m_window->trainingPanel()->findChild<QPushButton *>("resume")->isVisible());
}

void TestTrainingJourney::trainingSettingsAreUndoneAndDoNotPredict()
{
    openSample();
    m_window->run();
    QTRY_COMPARE_WITH_TIMEOUT(runs(), std::size_t(1), patience);
    auto *epochs = m_window->trainingPanel()->findChild<QDoubleSpinBox *>("epochs");
    epochs->setFocus();
    QTest::keyClick(epochs, Qt::Key_Up);
    QCOMPARE(m_window->document().settings().training.epochs, 201);
    QVERIFY(!m_window->predictionBar()->isVisible());
    QVERIFY(!m_window->document().isStale(0));
    m_window->action("undo")->trigger();
    QCOMPARE(epochs->value(), 200);
}

void TestTrainingJourney::closingAsksWhileItTrains()
{
    openSample();
    m_window->document().setSaved({});
    press("train");
    QTRY_VERIFY_WITH_TIMEOUT(step() > 0, patience);
    QString question;
    QTimer answer;
    connect(&answer, &QTimer::timeout, this, [&] {
        if (auto *box = qobject_cast<QMessageBox *>(QApplication::activeModalWidget())) {
            question = box->text();
            box->reject();
        }
    });
    answer.start(20);
    QVERIFY(!m_window->close());
    answer.stop();
    QVERIFY2(question.contains("LSQ 1") && question.contains("can go on"), qPrintable(question));
    QCOMPARE(phase(), TrainingPhase::Running);
}

/// A layout that was saved before there was a Training dock.
void TestTrainingJourney::olderLayoutsHaveThePanelToo()
{
    openSample();
    QDockWidget *dock = m_window->dock("training");
    m_window->removeDockWidget(dock);
    const QByteArray old = m_window->saveState();
    m_window->applyLayout("train");
    QVERIFY(m_window->restoreState(old));
    m_window->train();
    QTRY_VERIFY(dock->isVisible());
    QVERIFY(!dock->isFloating());
    QVERIFY(m_window->dockWidgetArea(dock) != Qt::NoDockWidgetArea);
}

QTEST_MAIN(TestTrainingJourney)
#include "tst_training_journey.moc"

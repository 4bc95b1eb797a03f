// quantscope_shots DIR [--models FOLDER] [--training] [--only LOOK]
//
// Drives the real window through its journeys and saves a picture of every station, light and dark, at 1600 × 1000 and on a small screen.
// FOLDER holds efficientnet-lite0.onnx and FastestDet.onnx, and beside it imagenet-sample/ and coco128/; without it only the bundled sample is shown.
#include "app/analysis_panel.h"
#include "app/export_dialog.h"
#include "app/main_window.h"
#include "widgets/shared/app_style.h"
#include "app/options.h"
#include "app/prediction_bar.h"
#include "widgets/charts/curves_panel.h"
#include "widgets/graph/graph_canvas.h"
#include "widgets/log/problems_panel.h"
#include "widgets/spec/inspector.h"
#include "widgets/tables/layer_table_view.h"
#include "widgets/tables/node_query.h"

#include <cstdio>

using namespace app;

namespace {

constexpr int patience = 240000; // ms for a run

template <class Condition>
bool waitFor(Condition condition, int milliseconds = 20000)
{
    QElapsedTimer clock;
    clock.start();
    while (!condition()) {
        if (clock.elapsed() > milliseconds)
            return false;
        QCoreApplication::processEvents(QEventLoop::AllEvents, 20);
        QThread::msleep(2);
    }
    return true;
}

class Photographer {
public:
    Photographer(const QString &folder, bool dark, QSize size) : m_folder(folder), m_suffix(QStringLiteral("%1-%2").arg(dark ? "dark" : "light").arg(size.width()))
    {
        WindowOptions options;
        options.autosaveFolder = m_temporary.path();
        options.trainingFolder = m_temporary.filePath("training");
        m_window = std::make_unique<MainWindow>(options);
        m_window->setThemeChoice(dark ? ThemeChoice::Dark : ThemeChoice::Light);
        m_window->resize(size);
        m_window->show();
        m_window->resetLayout();
    }
    MainWindow &window() { return *m_window; }

    void settle()
    {
        waitFor([&] { return !m_window->controller().heavy().busy(); }, patience);
        for (int i = 0; i < 12; ++i) {
            QCoreApplication::processEvents(QEventLoop::AllEvents, 50);
            QThread::msleep(20);
        }
    }
    void shoot(const QString &name, QWidget *widget = nullptr)
    {
        settle();
        shootNow(name, widget);
    }
    /// While something runs.
    void shootNow(const QString &name, QWidget *widget = nullptr)
    {
        const QString file = QStringLiteral("%1/%2-%3.png").arg(m_folder, name, m_suffix);
        QWidget *shown = widget ? widget : m_window.get();
        if (!shown->grab().save(file))
            std::fprintf(stderr, "%s cannot be written.\n", qPrintable(file));
        else
            std::printf("%s\n", qPrintable(file));
        std::fflush(stdout);
    }
    bool open(const std::function<void()> &body)
    {
        discard();
        QSignalSpy opened(&m_window->controller(), &Controller::modelOpened);
        body();
        return waitFor([&] { return opened.count() > 0 && m_window->document().layers() != nullptr; });
    }
    bool run()
    {
        const std::size_t before = m_window->document().project().runs.size();
        m_window->run();
        return waitFor([&] { return m_window->document().project().runs.size() > before || !m_window->controller().heavy().busy(); }, patience);
    }
    void select(const QString &query)
    {
        const auto result = widgets::selectNodes(m_window->document().prepared()->source.get(), *m_window->document().layers()->table, query);
        if (!result.nodes.empty()) {
            m_window->selection().select({result.nodes.begin(), result.nodes.end()}, result.nodes.front());
            m_window->canvas()->view().centreOnNode(result.nodes.front());
        }
    }
    void discard() { m_window->document().setSaved(m_window->document().fileName()); }

private:
    QString m_folder, m_suffix;
    QTemporaryDir m_temporary;
    std::unique_ptr<MainWindow> m_window;
};

void showSample(Photographer &p)
{
    MainWindow &w = p.window();
    p.shoot("01-start");
    p.open([&] { w.openSample(); });
    p.shoot("02-sample-opened");
    p.run();
    p.shoot("03-sample-run");
    w.showExport();
    w.exportDialog()->setFolder(QDir::tempPath() + "/quantscope-shots-export");
    p.shoot("04-export", w.exportDialog());
    for (QPushButton *button : w.exportDialog()->findChildren<QPushButton *>())
        if (button->isDefault())
            button->click();
    p.settle();
    p.shoot("05-exported", w.exportDialog());
    w.exportDialog()->close();
    p.settle();
}

void showTraining(Photographer &p)
{
    MainWindow &w = p.window();
    p.open([&] { w.openSample(); });
    w.applyEdits({widgets::ChoosePreset{"a8w4"}});
    Settings settings = w.document().settings();
    settings.training.epochs = 40;
    settings.training.learningRate = 1e-3;
    settings.training.evaluateEvery = 20;
    w.document().change(settings, "Training settings");
    p.run();
    p.settle();
    w.applyLayout("train");
    p.select("block1/depthwise/conv");
    p.shoot("06-before-training");
    w.train();
    const Trainer &trainer = w.controller().trainer();
    const auto reached = [&](std::int64_t step) { return waitFor([&] { return trainer.status().step >= step || !trainer.active(); }, patience); };
    reached(90);
    p.shootNow("07-training");
    w.analysis()->showTab(AnalysisPanel::Histogram);
    auto *tensor = w.analysis()->findChild<QComboBox *>("tensor");
    tensor->setCurrentIndex(tensor->findText("weight", Qt::MatchStartsWith));
    reached(130);
    p.shootNow("08-training-histogram");
    w.controller().pauseTraining();
    waitFor([&] { return trainer.status().phase == widgets::TrainingPhase::Paused; });
    w.analysis()->showTab(AnalysisPanel::Curves);
    for (int i = 0; i < widgets::CurvesPanel::groupCount; ++i)
        w.analysis()->curves()->setShown(widgets::CurvesPanel::Group(i), true);
    waitFor([] { return false; }, 200);
    p.shootNow("09-training-paused");
    w.controller().stopAndKeepBest();
    waitFor([&] { return !trainer.active(); }, patience);
    w.analysis()->showTab(AnalysisPanel::Compare);
    p.shoot("09b-trained-compare");
    p.discard();
}

Settings imagenet(const QString &data)
{
    Settings s;
    s.recipe = core::presetRecipe("a8w8");
    s.recipe.transform = core::transformPreset("tf");
    s.recipe.transform.resizeTo = 256;
    s.recipe.transform.width = s.recipe.transform.height = 224;
    s.calibration = {path(data + "/imagenet-sample/calib"), {}, 64};
    s.validation = {path(data + "/imagenet-sample/val"), path(data + "/imagenet-sample/synsets.txt"), 160};
    return s;
}

void showClassifier(Photographer &p, const QString &models)
{
    MainWindow &w = p.window();
    if (!p.open([&] { w.open(models + "/efficientnet-lite0.onnx"); }))
        return;
    w.document().change(imagenet(QFileInfo(models).absolutePath()), "Data");
    p.shoot("10-efficientnet-layers");
    p.run();
    p.shoot("11-efficientnet-sqnr");
    p.select("op:Conv group>1 sqnr<14");
    p.shoot("12-guilty-layers");
    w.analysis()->showTab(AnalysisPanel::LayerError);
    p.shoot("13-layer-error");
    w.analysis()->showTab(AnalysisPanel::Ranges);
    p.shoot("14-ranges");
    w.analysis()->showTab(AnalysisPanel::Images);
    p.shoot("15-images");
    w.dock("problems")->raise();
    p.shoot("16-problems");
    w.analysis()->showTab(AnalysisPanel::Histogram);
    w.dock("analysis")->raise();
    p.select("op:Conv group>1");
    w.action("per-channel")->trigger();
    waitFor([&] { return w.predictionBar()->text().contains("dB"); }, 30000);
    p.shoot("17-what-if");
    p.run();
    w.analysis()->showTab(AnalysisPanel::Compare);
    p.shoot("18-compare");
    w.analysis()->showTab(AnalysisPanel::Accuracy);
    w.canvas()->setMode(widgets::GraphMode::Overview);
    p.shoot("19-overview");
    w.canvas()->setMode(widgets::GraphMode::Blocks);
    w.dock("recipe")->raise();
    p.shoot("20-blocks-recipe");
    w.dock("data")->raise();
    p.shoot("21-data");
    p.discard();
}

void showDetector(Photographer &p, const QString &models)
{
    MainWindow &w = p.window();
    if (!p.open([&] { w.open(models + "/FastestDet.onnx"); }))
        return;
    p.settle();
    w.canvas()->setMode(widgets::GraphMode::Overview);
    w.setOverlay(int(widgets::Overlay::Dtype));
    p.shoot("30-fastestdet-overview");
    w.canvas()->setMode(widgets::GraphMode::Layers);
    p.shoot("31-fastestdet-layers");
}

} // namespace

int main(int argc, char **argv)
{
    QApplication application(argc, argv);
    QApplication::setOrganizationName("quantscope");
    QApplication::setApplicationName("quantscope-shots");
    QSettings().clear();
    QApplication::setStyle(new widgets::AppStyle);
    QCommandLineParser parser;
    parser.addHelpOption();
    parser.addPositionalArgument("DIR", "Folder for the pictures.");
    parser.addOption({"models", "Folder with efficientnet-lite0.onnx and FastestDet.onnx.", "FOLDER"});
    parser.addOption({"training", "Only the stations of a training."});
    parser.addOption({"only", "Only this look: light-1600, dark-1600, light-1280 or dark-1280.", "LOOK"});
    parser.process(application);
    if (parser.positionalArguments().size() != 1)
        parser.showHelp(2);
    const QString folder = parser.positionalArguments().constFirst(), models = parser.value("models");
    if (!QDir().mkpath(folder)) {
        std::fprintf(stderr, "%s cannot be made.\n", qPrintable(folder));
        return 1;
    }
    for (const QSize size : {QSize(1600, 1000), QSize(1280, 720)})
        for (const bool dark : {false, true}) {
            const QString look = QStringLiteral("%1-%2").arg(dark ? "dark" : "light").arg(size.width());
            if (parser.isSet("only") && parser.value("only") != look)
                continue;
            Photographer photographer(folder, dark, size);
            if (parser.isSet("training")) {
                showTraining(photographer);
                continue;
            }
            showSample(photographer);
            photographer.discard();
            showTraining(photographer);
            if (!models.isEmpty()) {
                showClassifier(photographer, models);
                showDetector(photographer, models);
            }
            photographer.discard();
        }
    return 0;
}

#include "app/document.h"
#include "app/project.h"
#include "app/training_feed.h"
#include "app/training_store.h"

#include "core/base/error.h"

using namespace app;

namespace fs = std::filesystem;

class TestProject : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void roundTripKeepsEverything();
    void pathsBelowTheProjectAreRelative();
    void brokenFilesAreNamed_data();
    void brokenFilesAreNamed();
    void editsAreUndoneResultsBecomeStale();
    void runsAreAddedRenamedAndRemoved();
    void olderProjectsOpen();
    void onlyWhatARunDependsOnMakesItStale();
    void trainingsAreFoundAgain();
    void evaluationsAreNeverLost();
};

static Project example(const fs::path &folder)
{
    Project project;
    project.model = folder / "net.onnx";
    project.modelHash = "ab12";
    project.settings.recipe = core::presetRecipe("a8w8");
    project.settings.recipe.config.rules.push_back({"op:Conv group>1", {}, true});
    project.settings.calibration = {folder / "photos", {}, 100};
    project.settings.validation = {"/elsewhere/val", "/elsewhere/labels.txt", 0};
    project.settings.training.epochs = 7;
    project.settings.training.seed = 9007199254740993; // no double
    project.settings.trainingData = {folder / "more", {}, 50};
    Run run;
    run.name = "first";
    run.when = QDateTime(QDate(2026, 3, 1), QTime(12, 30));
    run.settings = project.settings;
    run.report.preset = "a8w8";
    run.report.floating.top1 = 90.5;
    run.report.quantized.top1 = 88.25;
    run.report.quantized.agreement = core::AgreementFigures{97, 0.99, 20.5};
    run.report.exported.images = 12;
    run.report.fileBytes = 1234;
    core::LayerRow row;
    row.node = "conv1";
    row.tensor = "y";
    row.kind = "activation";
    row.badge = "i8";
    row.scales = {0.5f};
    row.zeroPoints = {3};
    row.rangeMin = -1;
    row.rangeMax = 2;
    row.sqnrDb = 17.5;
    row.clippedShare = 0.01;
    run.report.layers.push_back(row);
    run.report.flipped.push_back({7, "/elsewhere/val/a.png", 1, 1, 2, 0.75, 0.5});
    run.report.judges.push_back({"ONNX Runtime", 88.0, {}, 0.5, 0.01, "", true});
    run.report.diagnostics.push_back({core::Severity::Problem, "code", "conv1", "Sentence."});
    core::CurvePoint start, point;
    start.evaluation.emplace().top1 = 71.5;
    point.step = 5;
    point.epoch = 0.5;
    point.loss = 1.25;
    point.learningRate = 0.001;
    run.report.training = core::TrainingRecord{"lsq", "{}", {start, point}, 9, 5, 12.5, "Finished."};
    run.checkpoint = folder / "kept" / "a.checkpoint";
    project.runs.push_back(run);
    project.windowState = QByteArray("\x00\xff layout", 9);
    project.canvasMode = "overview";
    project.overlay = 3;
    return project;
}

void TestProject::roundTripKeepsEverything()
{
    const Project project = example("/work");
    const Project back = projectFromJson(projectToJson(project, "/work"), "/work", "p.qsproj");
    QCOMPARE(back.model, project.model);
    QCOMPARE(back.modelHash, project.modelHash);
    QVERIFY(back.settings == project.settings);
    QCOMPARE(back.windowState, project.windowState);
    QCOMPARE(back.canvasMode, project.canvasMode);
    QCOMPARE(back.overlay, 3);
    QCOMPARE(back.runs.size(), std::size_t(1));
    const Run &a = project.runs[0], &b = back.runs[0];
    QCOMPARE(b.name, a.name);
    QCOMPARE(b.when, a.when);
    QVERIFY(b.settings == a.settings);
    QCOMPARE(*b.report.quantized.top1, 88.25);
    QVERIFY(!b.report.quantized.top5);
    QCOMPARE(b.report.quantized.agreement->cosine, 0.99);
    QCOMPARE(b.report.exported.images, std::int64_t(12));
    QCOMPARE(b.report.fileBytes, std::int64_t(1234));
    QCOMPARE(b.report.layers.at(0).scales.at(0), 0.5f);
    QCOMPARE(b.report.layers.at(0).zeroPoints.at(0), std::int64_t(3));
    QCOMPARE(b.report.layers.at(0).rangeMax, 2.0);
    QCOMPARE(b.report.layers.at(0).clippedShare, 0.01);
    QCOMPARE(b.report.flipped.at(0).path, std::string("/elsewhere/val/a.png"));
    QCOMPARE(b.report.flipped.at(0).quantizedClass, std::int64_t(2));
    QCOMPARE(*b.report.judges.at(0).top1, 88.0);
    QCOMPARE(b.report.diagnostics.at(0).sentence, std::string("Sentence."));
    QCOMPARE(b.checkpoint, a.checkpoint);
    QVERIFY(b.trained());
    QCOMPARE(b.report.training->ending, std::string("Finished."));
    QCOMPARE(b.report.training->bestStep, std::int64_t(5));
    QCOMPARE(b.report.training->curve.size(), std::size_t(2));
    QCOMPARE(*b.report.training->curve[0].evaluation->top1, 71.5);
    QCOMPARE(b.report.training->curve[1].loss, 1.25);
    QVERIFY(!b.report.training->curve[1].evaluation);
    QCOMPARE(back.settings.training.seed, std::uint64_t(9007199254740993));
    QCOMPARE(projectToJson(back, "/work"), projectToJson(project, "/work"));
}

void TestProject::pathsBelowTheProjectAreRelative()
{
    QTemporaryDir folder;
    const fs::path here = folder.path().toStdString();
    saveProject(example(here), here / "p.qsproj");
    const QByteArray json = [&] {
        QFile file(folder.filePath("p.qsproj"));
        return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
    }();
    QVERIFY(json.contains("\"net.onnx\"") && json.contains("\"photos\"") && json.contains("\"/elsewhere/val\""));
    QVERIFY(QDir().mkpath(folder.filePath("moved")));
    QVERIFY(QFile::rename(folder.filePath("p.qsproj"), folder.filePath("moved/p.qsproj")));
    const Project moved = loadProject(here / "moved/p.qsproj");
    QCOMPARE(moved.model, here / "moved/net.onnx");
    QCOMPARE(moved.settings.validation.path, fs::path("/elsewhere/val"));
    QVERIFY_THROWS_EXCEPTION(core::Error, saveProject(example(here), here / "no/such/folder/p.qsproj"));
}

void TestProject::brokenFilesAreNamed_data()
{
    QTest::addColumn<QByteArray>("json");
    QTest::addColumn<QString>("part");
    QTest::newRow("no JSON") << QByteArray("{") << "at byte";
    QTest::newRow("no version") << QByteArray("{}") << "schema_version";
    QTest::newRow("newer") << QByteArray("{\"schema_version\": 9}") << "newer version";
    QTest::newRow("no model") << QByteArray("{\"schema_version\": 1, \"settings\": {\"recipe\": {\"schema_version\": 1}}}") << "names no model";
    QTest::newRow("odd recipe") << QByteArray("{\"schema_version\": 1, \"settings\": {\"recipe\": {\"schema_version\": 1, \"colour\": 3}}}") << "colour";
}

void TestProject::brokenFilesAreNamed()
{
    QFETCH(QByteArray, json);
    QFETCH(QString, part);
    try {
        projectFromJson(json, "/", "odd.qsproj");
        QFAIL("it was accepted");
    } catch (const core::Error &error) {
        const QString sentence = QString::fromStdString(error.sentence());
        QVERIFY2(sentence.contains("'odd.qsproj'") && sentence.contains(part), qPrintable(sentence));
    }
}

void TestProject::editsAreUndoneResultsBecomeStale()
{
    Document document;
    document.open(example("/work"), std::make_shared<core::Prepared>(), {});
    QSignalSpy changed(&document, &Document::settingsChanged), edited(&document, &Document::edited);
    QVERIFY(!document.isModified() && !document.isStale(0));
    core::Recipe recipe = document.recipe();
    document.changeRecipe(recipe, "nothing");
    QCOMPARE(document.undoStack().count(), 0);
    recipe.equalize = true;
    document.changeRecipe(recipe, "Equalization on");
    QCOMPARE(document.undoStack().undoText(), QString("Equalization on"));
    QVERIFY(document.isModified() && document.isStale(0));
    document.undoStack().undo();
    QVERIFY(!document.isModified() && !document.isStale(0));
    QVERIFY(!document.recipe().equalize);
    QCOMPARE(changed.count(), 2);
    QCOMPARE(edited.count(), 2);
    QVERIFY(document.report());
}

void TestProject::runsAreAddedRenamedAndRemoved()
{
    Document document;
    document.open(example("/work"), std::make_shared<core::Prepared>(), "/work/p.qsproj");
    QCOMPARE(document.displayName(), QString("p.qsproj"));
    QCOMPARE(document.currentRun(), 0);
    Run second = *document.run(0);
    second.name = "second";
    document.addRun(second);
    QCOMPARE(document.currentRun(), 1);
    QCOMPARE(document.comparedRun(), 0);
    QVERIFY(document.isModified());
    document.renameRun(1, "  better ");
    QCOMPARE(document.run(1)->name, QString("better"));
    document.removeRun(0);
    QCOMPARE(document.currentRun(), 0);
    QCOMPARE(document.comparedRun(), -1);
    QCOMPARE(document.run(0)->name, QString("better"));
    document.setSaved("/work/p.qsproj");
    QVERIFY(!document.isModified());
}

void TestProject::olderProjectsOpen()
{
    QJsonObject json = QJsonDocument::fromJson(projectToJson(example("/work"), "/work")).object();
    QJsonObject settings = json["settings"].toObject();
    settings.remove("training");
    settings.remove("training_data");
    json["settings"] = settings;
    const Project old = projectFromJson(QJsonDocument(json).toJson(), "/work", "old.qsproj");
    QVERIFY(old.settings.training == usualTraining());
    QVERIFY(old.settings.trainingData.path.empty());
}

void TestProject::onlyWhatARunDependsOnMakesItStale()
{
    Project project = example("/work");
    Run untrained = project.runs[0];
    untrained.report.training.reset();
    project.runs.push_back(untrained);
    Document document;
    document.open(project, std::make_shared<core::Prepared>(), {});
    const auto stale = [&] { return std::pair(document.isStale(0), document.isStale(1)); };
    QCOMPARE(stale(), std::pair(false, false));
    Settings settings = document.settings();
    settings.training.epochs = 8;
    document.change(settings, "Training settings");
    QCOMPARE(stale(), std::pair(true, false));
    document.undoStack().undo();
    settings = document.settings();
    settings.trainingData.limit = 3;
    document.change(settings, "Training settings");
    QCOMPARE(stale(), std::pair(true, false));
    document.undoStack().undo();
    settings = document.settings();
    settings.recipe.equalize = true;
    document.change(settings, "Recipe");
    QCOMPARE(stale(), std::pair(true, true));
}

void TestProject::trainingsAreFoundAgain()
{
    QTemporaryDir folder;
    const QByteArray hash(64, 'a'), other(64, 'b');
    UnfinishedTraining training;
    {
        TrainingStore store(folder.path());
        training.checkpoint = store.begin(hash);
        training.name = "LSQ 1";
        training.step = 120;
        training.steps = 500;
        training.bestStep = 100;
        training.curve = example("/work").runs[0].report.training->curve;
        training.settings = example("/work").settings;
        QVERIFY(store.note(training));
        QVERIFY(!store.find(hash));                  // nothing was learned yet
        QFile file(text(training.checkpoint));
        QVERIFY(file.open(QIODevice::WriteOnly));
        TrainingStore second(folder.path());
        QVERIFY(!second.find(hash));                 // the first one works on it
        QVERIFY(!second.take(training));
    }
    TrainingStore store(folder.path());
    QVERIFY(!store.find(other));
    QVERIFY(!store.find({}));
    const auto found = store.find(hash);
    QVERIFY(found);
    QCOMPARE(found->checkpoint, training.checkpoint);
    QCOMPARE(found->name, QString("LSQ 1"));
    QCOMPARE(found->step, std::int64_t(120));
    QVERIFY(found->settings == training.settings);
    QCOMPARE(found->bestStep, std::int64_t(100));
    QCOMPARE(found->curve.size(), std::size_t(2));
    QCOMPARE(*found->curve[0].evaluation->top1, 71.5);
    QVERIFY(store.take(*found));
    store.release();
    store.finish(found->checkpoint);
    QVERIFY(!store.find(hash));
    QVERIFY(QFile::exists(text(training.checkpoint))); // it belongs to a run now
    store.note(training);
    store.remove(training.checkpoint);
    QVERIFY(QDir(folder.path()).entryList({"*.checkpoint", "*.json"}).isEmpty());
}

void TestProject::evaluationsAreNeverLost()
{
    int woken = 0;
    TrainingFeed feed([&] { ++woken; });
    for (int i = 1; i <= 1000; ++i) {
        core::TrainingUpdate update;
        update.point.step = i;
        if (i % 100 == 0)
            update.point.evaluation.emplace();
        if (i % 50 == 0)
            update.weights = {{"w", std::make_shared<const core::TensorStatistics>()}};
        feed.push(std::move(update));
    }
    QCOMPARE(woken, 1);
    const std::vector<core::TrainingUpdate> updates = feed.take();
    int evaluations = 0, weights = 0;
    for (const core::TrainingUpdate &update : updates) {
        evaluations += update.point.evaluation.has_value();
        weights += !update.weights.empty();
    }
    QVERIFY(updates.size() < 100);                   // the window was away for long
    QCOMPARE(evaluations, 10);
    QCOMPARE(weights, 1);                            // the newest only
    QCOMPARE(updates.back().point.step, std::int64_t(1000));
    feed.push({});
    QCOMPARE(woken, 2);
}

QTEST_GUILESS_MAIN(TestProject)
#include "tst_project.moc"

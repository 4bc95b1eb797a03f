#include "app/document.h"
#include "app/project.h"

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

QTEST_GUILESS_MAIN(TestProject)
#include "tst_project.moc"

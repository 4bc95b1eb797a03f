// The program as built, run from outside on the bundled sample.
#include "tests/support/program_run.h"

#include <csignal>
#include <sys/types.h>

namespace {

using tests::contents;
using tests::run;
using tests::Run;

const QString sample = QStringLiteral(QUANTSCOPE_SOURCE_DIR "/resources/sample");

QStringList onnxFiles(const QString &folder)
{
    return QDir(folder).entryList({QStringLiteral("*.onnx")}, QDir::Files);
}

/// The sample as an ordinary job: model, data and input, preset a8w8-per-channel, few images.
QStringList quantizeSample(const QString &out, const QStringList &more = {})
{
    return QStringList{"quantize", sample + "/sample.onnx", "--calib", sample + "/calib", "--val", sample + "/val", "--labels", sample + "/labels.txt",
                       "--transform", "unit", "--stretch", "--preset", "a8w8-per-channel", "--limit", "100", "--threads", "2", "--out", out, "--json"} + more;
}

} // namespace

class TestCli : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void wrongUsageEndsWithTwo_data();
    void wrongUsageEndsWithTwo();
    void helpAndVersion();
    void info();
    void infoRefusesWhatIsNoModel();
    void evaluate();
    void quantizeWritesOneFileAndItsReport();
    void sameRecipeSameBytes();
    void recipeOfQuarkGivesTheSameFile();
    void exportFromStatistics();
    void optionsOverrideTheRecipe();
    void agreementWithoutLabels();
    void missedGateEndsWithThree();
    void sampleCommandForPeople();
    void naiveQuantizationLosesOnTheSample();
    void interruptLeavesNothing();
};

void TestCli::wrongUsageEndsWithTwo_data()
{
    QTest::addColumn<QStringList>("arguments");
    QTest::addColumn<QByteArray>("named");       // what the sentence must name
    const QString model = sample + "/sample.onnx", calib = sample + "/calib";
    const QStringList job{"quantize", model, "--calib", calib, "--out", QDir::tempPath() + "/never-written"};
    QTest::newRow("nothing") << QStringList{} << QByteArray("subcommand");
    QTest::newRow("unknown command") << QStringList{"quantise"} << QByteArray("quantise");
    QTest::newRow("unknown option") << job + QStringList{"--colour"} << QByteArray("--colour");
    QTest::newRow("no model") << QStringList{"info"} << QByteArray("model");
    QTest::newRow("no such model") << QStringList{"info", "/nowhere/model.onnx"} << QByteArray("/nowhere/model.onnx");
    QTest::newRow("no such data") << QStringList{"evaluate", model, "--val", "/nowhere/val"} << QByteArray("/nowhere/val");
    QTest::newRow("no calibration") << QStringList{"quantize", model, "--out", "x"} << QByteArray("--calib");
    QTest::newRow("unknown preset lists the known") << job + QStringList{"--preset", "a9w9"} << QByteArray("a8w8-per-channel");
    QTest::newRow("unknown target lists the known") << job + QStringList{"--target", "abacus"} << QByteArray("onnxruntime-cpu");
    QTest::newRow("unknown observer lists the known") << job + QStringList{"--observer", "guess"} << QByteArray("histogram_mse");
    QTest::newRow("unknown transform lists the known") << job + QStringList{"--transform", "bgr"} << QByteArray("imagenet");
    QTest::newRow("size and crop") << job + QStringList{"--size", "28x28", "--crop", "28"} << QByteArray("--crop");
    QTest::newRow("odd size") << job + QStringList{"--size", "28by28"} << QByteArray("28by28");
    QTest::newRow("zero std") << job + QStringList{"--std", "0"} << QByteArray("--std");
    QTest::newRow("two means") << job + QStringList{"--mean", "0,0"} << QByteArray("--mean");
    QTest::newRow("negative threads") << job + QStringList{"--threads", "-1"} << QByteArray("--threads");
    QTest::newRow("no such recipe") << job + QStringList{"--recipe", "/nowhere/r.json"} << QByteArray("/nowhere/r.json");
    QTest::newRow("unknown field") << job + QStringList{"--set", "config.global.weight.bits=7"} << QByteArray("bits");
    QTest::newRow("gate without data") << job + QStringList{"--min-accuracy", "80"} << QByteArray("--val");
    QTest::newRow("labels without data") << job + QStringList{"--labels", "x.txt"} << QByteArray("--val");
    QTest::newRow("name that matches no node") << job + QStringList{"--exclude", "conv-that-is-not-there", "--transform", "unit", "--stretch"} << QByteArray("conv-that-is-not-there");
}

void TestCli::wrongUsageEndsWithTwo()
{
    QFETCH(QStringList, arguments);
    QFETCH(QByteArray, named);
    const Run r = run(arguments);
    QCOMPARE(r.exitCode, 2);
    QVERIFY2(r.err.contains(named), r.err.constData());
    QCOMPARE(r.out, QByteArray());
    QVERIFY(!QFileInfo::exists(QDir::tempPath() + "/never-written") || onnxFiles(QDir::tempPath() + "/never-written").isEmpty());
}

void TestCli::helpAndVersion()
{
    const Run help = run({"quantize", "--help"});
    QCOMPARE(help.exitCode, 0);
    for (const char *option : {"--calib", "--val", "--labels", "--preset", "--target", "--recipe", "--transform", "--resize", "--crop", "--size", "--bgr",
                               "--observer", "--equalize", "--bias-correction", "--out", "--json", "--threads", "--min-accuracy"})
        QVERIFY2(help.out.contains(option), option);
    QCOMPARE(run({"--version"}).exitCode, 0);
}

void TestCli::info()
{
    const Run r = run({"info", sample + "/sample.onnx", "--json"});
    QCOMPARE(r.exitCode, 0);
    const QJsonObject j = r.json();
    QCOMPARE(j["opset"].toInt(), 13);
    QCOMPARE(j["quantized"].toBool(true), false);
    QVERIFY(j["unsupported"].toArray().isEmpty());
    QCOMPARE(j["inputs"].toArray().size(), 1);
    const QJsonObject input = j["inputs"].toArray()[0].toObject();
    QCOMPARE(input["name"].toString(), QString("image"));
    QCOMPARE(input["shape"].toArray(), (QJsonArray{"N", 1, 28, 28}));
    const QJsonObject operators = j["operators"].toObject();
    QCOMPARE(operators["Conv"].toInt(), 10);
    QCOMPARE(operators["Clip"].toInt(), 8);
    QCOMPARE(operators["Add"].toInt(), 2);
    QCOMPARE(operators["Gemm"].toInt(), 1);
    // By hand, layer by layer: output positions × kernel × input channels of a group × output channels.
    const int macs = 28 * 28 * 9 * 16 + 14 * 14 * 9 * 16 + 14 * 14 * 16 * 32 + 14 * 14 * 9 * 32 + 14 * 14 * 32 * 32 + 7 * 7 * 9 * 32
        + 7 * 7 * 32 * 64 + 7 * 7 * 9 * 64 + 7 * 7 * 64 * 64 + 7 * 7 * 64 * 96 + 96 * 10;
    QCOMPARE(j["macs"].toInt(), macs);

    const Run text = run({"info", sample + "/sample.onnx"});
    QCOMPARE(text.exitCode, 0);
    QVERIFY(text.out.contains("N x 1 x 28 x 28"));
}

void TestCli::infoRefusesWhatIsNoModel()
{
    QTemporaryDir folder;
    QFile file(folder.filePath("picture.onnx"));
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write(QByteArray("\x89PNG\r\n\x1a\n", 8).repeated(40));
    file.close();
    const Run r = run({"info", file.fileName(), "--json"});
    QCOMPARE(r.exitCode, 2);
    QVERIFY(r.err.contains("picture.onnx"));
    QVERIFY(!r.json()["error"].toObject()["sentence"].toString().isEmpty());
}

void TestCli::evaluate()
{
    const Run r = run({"evaluate", sample + "/sample.onnx", "--val", sample + "/val", "--transform", "unit", "--stretch", "--json"});
    QCOMPARE(r.exitCode, 0);
    const QJsonObject j = r.json();
    QCOMPARE(j["images"].toInt(), 800);
    QVERIFY2(j["top1"].toDouble() >= 88 && j["top1"].toDouble() < 100, r.out.constData());
    QVERIFY(j["top5"].toDouble() > j["top1"].toDouble());
    QVERIFY(j["images_per_second"].toDouble() > 0);
}

void TestCli::quantizeWritesOneFileAndItsReport()
{
    QTemporaryDir out;
    const Run r = run(quantizeSample(out.path()));
    QVERIFY2(r.exitCode == 0, r.err.constData());
    QCOMPARE(onnxFiles(out.path()).size(), 1);
    const QJsonObject j = r.json();
    QCOMPARE(QFileInfo(j["file"].toString()).canonicalFilePath(), QFileInfo(out.filePath(onnxFiles(out.path())[0])).canonicalFilePath());
    for (const char *model : {"float", "quantized", "exported"}) {
        QVERIFY2(j[model].toObject()["top1"].toDouble() > 50, model);
        QVERIFY2(j[model].toObject().contains("top5"), model);
    }
    QCOMPARE(j["exported"].toObject()["top1"].toDouble(), j["quantized"].toObject()["top1"].toDouble());
    for (const char *stage : {"float", "calibrate", "quantized", "exported"})
        QVERIFY2(j["images_per_second"].toObject()[stage].toDouble() > 0, stage);
    QVERIFY(j["seconds"].toDouble() > 0);
    for (const char *file : {"recipe.json", "encodings.json", "report.json"})
        QVERIFY2(QJsonDocument::fromJson(contents(out.filePath(file))).isObject(), file);
    QVERIFY(contents(out.filePath("report.html")).contains("<svg"));

    const Run info = run({"info", j["file"].toString(), "--json"});
    QVERIFY(info.json()["quantized"].toBool());
    const Run again = run({"evaluate", j["file"].toString(), "--val", sample + "/val", "--transform", "unit", "--stretch", "--limit", "100", "--json"});
    QCOMPARE(again.json()["top1"].toDouble(), j["exported"].toObject()["top1"].toDouble());
}

void TestCli::sameRecipeSameBytes()
{
    QTemporaryDir first, second;
    QCOMPARE(run(quantizeSample(first.path(), {"--observer", "percentile", "--percentile", "99.9", "--exclude", "head/*"})).exitCode, 0);
    const Run r = run({"quantize", sample + "/sample.onnx", "--calib", sample + "/calib", "--recipe", first.filePath("recipe.json"), "--threads", "1",
                       "--out", second.path()});
    QVERIFY2(r.exitCode == 0, r.err.constData());
    QCOMPARE(onnxFiles(second.path()), onnxFiles(first.path()));
    const QString name = onnxFiles(first.path())[0];
    QVERIFY(contents(first.filePath(name)) == contents(second.filePath(name)));
    QCOMPARE(contents(first.filePath("recipe.json")), contents(second.filePath("recipe.json")));
}

void TestCli::recipeOfQuarkGivesTheSameFile()
{
    QTemporaryDir first, second;
    const QString quark = first.path() + "/quark.json";
    const Run written = run(quantizeSample(first.path(), {"--no-judge", "--set", "config.global.weight.symmetric_range=full", "--write-quark", quark}));
    QCOMPARE(written.exitCode, 0);
    QVERIFY(QJsonDocument::fromJson(contents(quark)).object().contains("global_quant_config"));
    QVERIFY2(written.err.contains("bias.dtype int32 has a scale of its own in Quark"), written.err);
    QCOMPARE(run(quantizeSample(second.path(), {"--no-judge", "--recipe", quark})).exitCode, 0);
    QCOMPARE(onnxFiles(second.path()), onnxFiles(first.path()));
    QVERIFY(contents(first.path() + "/" + onnxFiles(first.path()).at(0)) == contents(second.path() + "/" + onnxFiles(second.path()).at(0)));
}

void TestCli::exportFromStatistics()
{
    QTemporaryDir direct, saved;
    const QString statistics = saved.filePath("calibration.stats");
    QCOMPARE(run(quantizeSample(direct.path())).exitCode, 0);
    const Run c = run({"calibrate", sample + "/sample.onnx", "--calib", sample + "/calib", "--transform", "unit", "--stretch", "--preset", "a8w8-per-channel",
                       "--statistics", statistics});
    QVERIFY2(c.exitCode == 0, c.err.constData());
    const QStringList job{"export", sample + "/sample.onnx", "--statistics", statistics, "--preset", "a8w8-per-channel", "--stretch", "--out", saved.path()};
    const Run e = run(job + QStringList{"--transform", "unit"});
    QVERIFY2(e.exitCode == 0, e.err.constData());
    const QString name = onnxFiles(direct.path())[0];
    QVERIFY(contents(direct.filePath(name)) == contents(saved.filePath(name)));

    const Run stale = run(job + QStringList{"--transform", "byte"});
    QCOMPARE(stale.exitCode, 2);
    QVERIFY2(stale.err.contains("transform"), stale.err.constData());
}

void TestCli::optionsOverrideTheRecipe()
{
    QTemporaryDir out;
    const Run r = run({"sample", "--limit", "20", "--preset", "a8w8", "--equalize", "--no-bias-correction", "--seed", "5", "--batch", "4",
                       "--set", "config.global.weight.dtype=int4", "--out", out.path(), "--json"});
    QVERIFY2(r.exitCode == 0, r.err.constData());
    const QJsonObject recipe = QJsonDocument::fromJson(contents(out.filePath("recipe.json"))).object();
    QCOMPARE(recipe["preset"].toString(), QString("a8w8"));
    QCOMPARE(recipe["algorithms"].toObject()["equalize"].toBool(), true);
    QCOMPARE(recipe["algorithms"].toObject()["bias_correction"].toBool(true), false);
    QCOMPARE(recipe["seed"].toInt(), 5);
    QCOMPARE(recipe["calibration"].toObject()["batch_size"].toInt(), 4);
    QCOMPARE(recipe["config"].toObject()["global"].toObject()["weight"].toObject()["dtype"].toString(), QString("int4"));
    QCOMPARE(recipe["transform"].toObject()["resize"].toString(), QString("stretch"));
}

void TestCli::agreementWithoutLabels()
{
    QTemporaryDir out;
    const Run r = run({"quantize", sample + "/sample.onnx", "--calib", sample + "/calib", "--val", sample + "/calib", "--transform", "unit", "--size", "28x28",
                       "--out", out.path(), "--json"});
    QVERIFY2(r.exitCode == 0, r.err.constData());
    const QJsonObject agreement = r.json()["agreement"].toObject();
    QVERIFY2(agreement["top1"].toDouble() > 80, r.out.constData());
    QVERIFY(agreement["cosine"].toDouble() > 0.9);
    QVERIFY(agreement["sqnr_db"].toDouble() > 5);
}

void TestCli::missedGateEndsWithThree()
{
    QTemporaryDir out;
    const Run missed = run(quantizeSample(out.path(), {"--min-accuracy", "100"}));
    QCOMPARE(missed.exitCode, 3);
    QVERIFY(missed.err.contains("--min-accuracy"));
    QVERIFY(missed.json().contains("exported"));
    QCOMPARE(run({"evaluate", sample + "/sample.onnx", "--val", sample + "/val", "--transform", "unit", "--stretch", "--min-accuracy", "100"}).exitCode, 3);
    QCOMPARE(run({"evaluate", sample + "/sample.onnx", "--val", sample + "/val", "--transform", "unit", "--stretch", "--min-accuracy", "50"}).exitCode, 0);
}

void TestCli::sampleCommandForPeople()
{
    QTemporaryDir out;
    const Run r = run({"sample", "--limit", "100", "--out", out.path()});
    QVERIFY2(r.exitCode == 0, r.err.constData());
    QCOMPARE(r.err, QByteArray());                 // no progress bar where there is no terminal
    QVERIFY(r.out.contains("float"));
    QVERIFY(r.out.contains("exported file"));
    QVERIFY(r.out.contains(out.filePath(onnxFiles(out.path())[0]).toUtf8()));
}

void TestCli::naiveQuantizationLosesOnTheSample()
{
    QTemporaryDir naive, best;
    const auto drop = [](const QString &preset, const QString &out) {
        const QJsonObject j = run({"sample", "--preset", preset, "--out", out, "--json"}).json();
        return j["float"].toObject()["top1"].toDouble() - j["exported"].toObject()["top1"].toDouble();
    };
    const double naiveDrop = drop("a8w8", naive.path()), bestDrop = drop("best", best.path());
    QVERIFY2(naiveDrop >= 2, qPrintable(QString::number(naiveDrop)));
    QVERIFY2(bestDrop <= 1, qPrintable(QString::number(bestDrop)));
}

void TestCli::interruptLeavesNothing()
{
    QTemporaryDir out;
    QProcess process;
    process.start(QStringLiteral(QUANTSCOPE_PROGRAM), {"sample", "--out", out.path()});
    QVERIFY(process.waitForStarted());
    // Once the process catches SIGINT, a signal asks it to stop instead of killing it.
    const auto catches = [&process] {
        for (const QByteArray &line : contents(QStringLiteral("/proc/%1/status").arg(process.processId())).split('\n'))
            if (line.startsWith("SigCgt:"))
                return (line.mid(7).trimmed().toULongLong(nullptr, 16) >> (SIGINT - 1) & 1) == 1;
        return false;
    };
    QTRY_VERIFY_WITH_TIMEOUT(catches(), 60'000);
    QCOMPARE(::kill(pid_t(process.processId()), SIGINT), 0);
    QVERIFY(process.waitForFinished(60'000));
    QCOMPARE(process.exitStatus(), QProcess::NormalExit);
    QCOMPARE(process.exitCode(), 130);
    QVERIFY(QDir(out.path()).isEmpty());
    QVERIFY(process.readAllStandardError().contains("Interrupted"));
}

QTEST_APPLESS_MAIN(TestCli)
#include "tst_cli.moc"

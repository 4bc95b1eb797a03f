// `quantscope train` run from outside on the bundled sample: what post-training quantization loses comes back, and nothing is lost on the way.
#include "tests/support/program_run.h"

#include <csignal>
#include <sys/types.h>

namespace {

const QString sample = QStringLiteral(QUANTSCOPE_SOURCE_DIR "/resources/sample");

using tests::contents;

struct Run : tests::Run {
    QJsonObject report() const { return lines().isEmpty() ? QJsonObject() : lines().last(); }
    QJsonArray curve() const { return report()["training"].toObject()["curve"].toArray(); }
};

Run run(const QStringList &arguments) { return {tests::run(arguments, 120'000)}; }

/// Weights of 4 bits with one scale a tensor, trained without labels on the calibration images.
QStringList trainSample(const QString &out, const QString &method, const QStringList &more = {})
{
    return QStringList{"train", sample + "/sample.onnx", "--recipe", sample + "/recipe.json", "--preset", "a8w4", "--set", "config.global.weight.qscheme=per_tensor",
                       "--train", sample + "/calib", "--val", sample + "/val", "--labels", sample + "/labels.txt", "--method", method, "--batch", "20", "--lr", "1e-3",
                       "--no-random-crop", "--shift", "2", "--threads", "2", "--out", out, "--json"} + more;
}

QStringList files(const QString &folder, const QString &pattern = "*")
{
    return QDir(folder).entryList({pattern}, QDir::Files | QDir::Hidden);
}

QByteArray text(const QJsonArray &array) { return QJsonDocument(array).toJson(QJsonDocument::Compact); }

} // namespace

class TestCliTraining : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void recoversHalfOfTheLoss_data();
    void recoversHalfOfTheLoss();
    void resumesAfterAKill();
    void interruptKeepsTheCheckpoint();
    void trainsAFloatModel();
    void wrongUsageEndsWithTwo_data();
    void wrongUsageEndsWithTwo();
};

void TestCliTraining::recoversHalfOfTheLoss_data()
{
    QTest::addColumn<QString>("method");
    for (const char *method : {"qat", "lsq", "tqt"})
        QTest::newRow(method) << QString(method);
}

void TestCliTraining::recoversHalfOfTheLoss()
{
    QFETCH(QString, method);
    QTemporaryDir folder;
    const Run result = run(trainSample(folder.path(), method, {"--epochs", "60", "--evaluate-every", "100", "--torchscript"}));
    QVERIFY2(result.exitCode == 0, result.err);
    const QJsonObject report = result.report();
    const double floating = report["float"].toObject()["top1"].toDouble(), trained = report["exported"].toObject()["top1"].toDouble();
    const double before = result.curve().first().toObject()["top1"].toDouble();
    QVERIFY2(before < floating - 20, qPrintable(QString::number(before)));            // it does lose
    QVERIFY2(trained > before + (floating - before) / 2, qPrintable(QString("%1 became %2, float %3").arg(before).arg(trained).arg(floating)));
    QCOMPARE(report["training"].toObject()["method"].toString(), method);
    QCOMPARE(result.curve().first().toObject()["step"].toInt(), 0);
    QVERIFY(result.curve().first().toObject()["loss"].isNull());
    QCOMPARE(result.curve().last().toObject()["step"].toInt(), 300);

    // What is exported is the best state as it was measured while it was trained, and computes the same.
    double best = 0;
    for (const QJsonValue &point : result.curve())
        best = std::max(best, point.toObject()["top1"].toDouble());
    QCOMPARE(trained, best);
    QVERIFY(report["frozen_equal"].toBool());
    for (const QJsonValue &judge : report["judges"].toArray())
        if (judge.toObject()["ran"].toBool())
            QVERIFY2(std::abs(judge.toObject()["top1"].toDouble() - trained) <= 0.5, qPrintable(judge.toObject()["name"].toString()));

    // One line for every point of the curve that was told, evaluations all among them.
    int evaluations = 0;
    for (const QJsonObject &line : result.lines().mid(0, result.lines().size() - 1))
        evaluations += line.contains("images");
    QCOMPARE(evaluations, 4);
    QCOMPARE(files(folder.path(), "*.onnx"), QStringList{"sample_" + method + ".onnx"});
    QCOMPARE(files(folder.path()), (QStringList{"encodings.json", "recipe.json", "report.html", "report.json", "sample_" + method + ".onnx", "sample_" + method + ".pt", "training.json"}));
    QCOMPARE(QJsonDocument::fromJson(contents(folder.filePath("training.json"))).object()["method"].toString(), method);
}

void TestCliTraining::resumesAfterAKill()
{
    QTemporaryDir whole, parts;
    const QStringList short_{"--epochs", "40", "--evaluate-every", "15", "--no-judge", "--limit", "100"};
    const Run uninterrupted = run(trainSample(whole.path(), "lsq", short_));
    QVERIFY2(uninterrupted.exitCode == 0, uninterrupted.err);

    QProcess process;
    process.start(QStringLiteral(QUANTSCOPE_PROGRAM), trainSample(parts.path(), "lsq", short_));
    QByteArray out;
    QTRY_VERIFY_WITH_TIMEOUT((process.waitForReadyRead(10), out += process.readAllStandardOutput(), out.contains("\"step\":60,")), 60'000);
    ::kill(pid_t(process.processId()), SIGKILL);
    QVERIFY(process.waitForFinished(10'000));
    QVERIFY(process.exitStatus() == QProcess::CrashExit);
    QCOMPARE(files(parts.path(), "*.onnx"), QStringList{});
    QCOMPARE(files(parts.path()), QStringList{"sample_lsq.checkpoint"});

    const Run resumed = run(trainSample(parts.path(), "lsq", short_ + QStringList{"--resume"}));
    QVERIFY2(resumed.exitCode == 0, resumed.err);
    QVERIFY(resumed.lines().first()["step"].toInt() >= 45);
    QCOMPARE(text(resumed.curve()), text(uninterrupted.curve()));
    QVERIFY(contents(parts.filePath("sample_lsq.onnx")) == contents(whole.filePath("sample_lsq.onnx")));
    QVERIFY(!files(parts.path()).contains("sample_lsq.checkpoint"));
}

void TestCliTraining::interruptKeepsTheCheckpoint()
{
    QTemporaryDir folder;
    const QString out = folder.filePath("new/out");
    QProcess process;
    process.start(QStringLiteral(QUANTSCOPE_PROGRAM), trainSample(out, "qat", {"--epochs", "4000", "--evaluate-every", "100000"}));
    QByteArray lines;
    QTRY_VERIFY_WITH_TIMEOUT((process.waitForReadyRead(10), lines += process.readAllStandardOutput(), lines.count('\n') > 4), 60'000);
    ::kill(pid_t(process.processId()), SIGINT);
    QVERIFY(process.waitForFinished(20'000));
    QCOMPARE(process.exitCode(), 130);
    QCOMPARE(files(out), QStringList{"sample_qat.checkpoint"});
}

void TestCliTraining::trainsAFloatModel()
{
    QTemporaryDir folder;
    // The labelled images are those of the validation here: only the mechanism is looked at.
    const Run result = run({"train", sample + "/sample.onnx", "--recipe", sample + "/recipe.json", "--method", "float", "--train", sample + "/val", "--train-labels", sample + "/labels.txt",
                            "--val", sample + "/val", "--labels", sample + "/labels.txt", "--lr", "0.002", "--warmup", "0", "--epochs", "2", "--no-random-crop", "--no-flip",
                            "--out", folder.path(), "--json"});
    QVERIFY2(result.exitCode == 0, result.err);
    const QJsonObject report = result.report();
    QVERIFY2(report["exported"].toObject()["top1"].toDouble() > report["float"].toObject()["top1"].toDouble(), qPrintable(QString::number(report["exported"].toObject()["top1"].toDouble())));
    QVERIFY(report["frozen_equal"].toBool());
    const Run info = run({"info", folder.filePath("sample_float.onnx")});
    QCOMPARE(info.exitCode, 0);
    QVERIFY(!contents(folder.filePath("sample_float.onnx")).contains("QuantizeLinear"));
}

void TestCliTraining::wrongUsageEndsWithTwo_data()
{
    QTest::addColumn<QStringList>("arguments");
    QTest::addColumn<QByteArray>("named");
    const QString never = QDir::tempPath() + "/never-written";
    QTest::newRow("method") << trainSample(never, "magic") << QByteArray("magic");
    QTest::newRow("loss") << trainSample(never, "qat", {"--loss", "hinge"}) << QByteArray("hinge");
    QTest::newRow("float without labels") << trainSample(never, "float") << QByteArray("label");
    QTest::newRow("cross-entropy without labels") << trainSample(never, "qat", {"--loss", "ce"}) << QByteArray("label");
    QTest::newRow("nothing to resume") << trainSample(never, "qat", {"--resume"}) << QByteArray("sample_qat.checkpoint");
    QTest::newRow("place of the checkpoint") << trainSample(never, "qat", {"--checkpoint", "/dev/null/there"}) << QByteArray("/dev/null");
    QTest::newRow("epochs") << trainSample(never, "qat", {"--epochs", "0"}) << QByteArray("epochs");
    QTest::newRow("feature") << trainSample(never, "qat", {"--feature", "no_such_tensor"}) << QByteArray("no_such_tensor");
}

void TestCliTraining::wrongUsageEndsWithTwo()
{
    QFETCH(QStringList, arguments);
    QFETCH(QByteArray, named);
    const Run result = run(arguments);
    QCOMPARE(result.exitCode, 2);
    QVERIFY2(result.err.contains(named), result.err);
}

QTEST_GUILESS_MAIN(TestCliTraining)
#include "tst_cli_training.moc"

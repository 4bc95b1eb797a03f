// Built-in networks and files of weights on the command line. The files are put together here, from torchvision's list of keys.
#include "tests/support/program_run.h"

#include <cmath>

namespace {

using tests::run;
using tests::Run;

/// Convolutions as large as keeps the activations' size (variance 2 / inputs of one output), BatchNormalization as it begins.
QByteArray safetensors(const QString &network)
{
    QFile list(QStringLiteral(QUANTSCOPE_SOURCE_DIR "/tests/golden/%1_state_dict.txt").arg(network));
    if (!list.open(QIODevice::ReadOnly))
        return {};
    QRandomGenerator random(1);
    QByteArray header, data;
    while (!list.atEnd()) {
        const QStringList line = QString::fromUtf8(list.readLine()).trimmed().split(' ');
        const QString name = line[0], dims = line.value(1).replace('x', ',');
        const bool counter = name.endsWith("num_batches_tracked");
        qint64 count = 1, inputs = 1;
        for (const QString &dim : dims.split(',', Qt::SkipEmptyParts)) {
            inputs = count == 1 ? 1 : inputs * dim.toLongLong();
            count *= dim.toLongLong();
        }
        const qsizetype start = data.size();
        if (counter)
            data += QByteArray(8, '\0');
        for (qint64 i = 0; i < count && !counter; ++i) {
            float value = name.endsWith("running_var") || (name.endsWith("weight") && inputs == 1 && !dims.contains(',')) ? 1.0f : 0.0f;
            if (dims.contains(','))
                value = float((2 * random.generateDouble() - 1) * std::sqrt(6.0 / double(inputs)));
            data.append(reinterpret_cast<const char *>(&value), sizeof value);
        }
        header += QStringLiteral("%1\"%2\":{\"dtype\":\"%3\",\"shape\":[%4],\"data_offsets\":[%5,%6]}")
                      .arg(header.isEmpty() ? "{" : ",", name, counter ? "I64" : "F32", dims).arg(start).arg(data.size()).toUtf8();
    }
    header += '}';
    const quint64 length = quint64(header.size());
    return QByteArray(reinterpret_cast<const char *>(&length), sizeof length) + header + data;
}

} // namespace

class TestCliWeights : public QObject {
    Q_OBJECT

    QTemporaryDir m_folder;

    QString path(const QString &name) const { return m_folder.filePath(name); }
    QStringList job(const QString &command, const QString &weights, const QStringList &more) const
    {
        return QStringList{command, "--model", "mobilenet_v2", "--weights", path(weights), "--threads", "2", "--json"} + more;
    }

private Q_SLOTS:
    void initTestCase()
    {
        QByteArray bytes = safetensors("mobilenet_v2");
        QVERIFY(bytes.size() > 14'000'000);
        for (const char *name : {"one.safetensors", "two.safetensors"}) {
            QFile file(path(name));
            QVERIFY(file.open(QIODevice::WriteOnly));
            QCOMPARE(file.write(bytes), bytes.size());
            bytes.back() = char(bytes.back() ^ 1);                       // of the second: one bit of the last bias
        }
        QVERIFY(QDir().mkpath(path("images")));
        QRandomGenerator random(5);
        for (int i = 0; i < 3; ++i) {
            QImage image(8, 8, QImage::Format_RGB888);
            for (int y = 0; y < 8; ++y)
                for (int x = 0; x < 8; ++x)
                    image.setPixel(x, y, random.generate() | 0xFF000000);
            QVERIFY(image.scaled(240, 260, Qt::IgnoreAspectRatio, Qt::SmoothTransformation).save(path("images/%1.png").arg(i)));
        }
    }

    void quantize()
    {
        const Run r = run(job("quantize", "one.safetensors", {"--calib", path("images"), "--val", path("images"), "--preset", "a8w8-per-channel", "--no-judge", "--out", path("out")}));
        QVERIFY2(r.exitCode == 0, r.err.constData());
        QCOMPARE(QDir(path("out")).entryList({"*.onnx"}), QStringList{"mobilenet_v2_a8w8-per-channel.onnx"});
        const QJsonObject report = r.json();
        QCOMPARE(report["source"].toString(), QString("mobilenet_v2"));
        const double megabytes = report["bytes"].toObject()["source"].toDouble() / 1e6;
        QVERIFY2(megabytes > 14.0 && megabytes < 14.3, qPrintable(QString::number(megabytes)));
        QFile recipe(path("out/recipe.json"));
        QVERIFY(recipe.open(QIODevice::ReadOnly));
        QCOMPARE(QJsonDocument::fromJson(recipe.readAll()).object()["transform"].toObject()["mean"].toArray(), (QJsonArray{0.485, 0.456, 0.406}));
        QVERIFY2(r.out.contains("262 tensors were taken from"), r.out.constData());
        QVERIFY(!r.out.contains("random-weights"));
        QVERIFY(report["float"].toObject()["images"].toInt() == 3);
        // What it learned lies in the file: read back, it holds as many weights.
        const Run info = run({"info", path("out/mobilenet_v2_a8w8-per-channel.onnx"), "--json"});
        QCOMPARE(info.json()["operators"].toObject()["Conv"].toInt(), 52);
        QCOMPARE(info.json()["quantized"].toBool(), true);
    }

    /// Statistics belong to the weights they were made with.
    void statisticsKnowTheWeights()
    {
        const Run made = run(job("calibrate", "one.safetensors", {"--calib", path("images"), "--statistics", path("statistics")}));
        QVERIFY2(made.exitCode == 0, made.err.constData());
        const auto exported = [this](const QString &weights) {
            return run(job("export", weights, {"--statistics", path("statistics"), "--preset", "a8w8", "--no-judge", "--out", path("exported")}));
        };
        QCOMPARE(exported("two.safetensors").exitCode, 2);
        QVERIFY(!QFileInfo::exists(path("exported/mobilenet_v2_a8w8.onnx")));
        const Run same = exported("one.safetensors");
        QVERIFY2(same.exitCode == 0, same.err.constData());
    }

    void infoAndEvaluate()
    {
        const Run random = run({"info", "resnet18", "--json"});
        QVERIFY2(random.exitCode == 0, random.err.constData());
        QCOMPARE(random.json()["operators"].toObject()["Conv"].toInt(), 20);
        QCOMPARE(random.json()["parameters"].toInt(), 11'689'512 + 2 * 4800);       // and the running means and variances
        QVERIFY(random.out.contains("random-weights"));
        const Run evaluated = run(job("evaluate", "one.safetensors", {"--val", path("images")}));
        QVERIFY2(evaluated.exitCode == 0, evaluated.err.constData());
        QCOMPARE(evaluated.json()["images"].toInt(), 3);
    }

    void refused_data()
    {
        QTest::addColumn<QStringList>("arguments");
        QTest::addColumn<QByteArray>("named");
        QTest::newRow("another network's weights") << QStringList{"info", "resnet18", "--weights", path("one.safetensors")} << QByteArray("Weights of the model that are not in the file (102)");
        QTest::newRow("no such network") << QStringList{"info", "--model", "resnet50"} << QByteArray("mobilenet_v2");
        QTest::newRow("no such weights") << QStringList{"info", "resnet18", "--weights", "/nowhere/w.pth"} << QByteArray("/nowhere/w.pth");
        QTest::newRow("no weights at all") << QStringList{"info", "resnet18", "--weights", path("images/0.png")} << QByteArray("0.png");
    }

    void refused()
    {
        QFETCH(QStringList, arguments);
        QFETCH(QByteArray, named);
        const Run r = run(arguments);
        QCOMPARE(r.exitCode, 2);
        QVERIFY2(r.err.contains(named), r.err.constData());
    }
};

QTEST_MAIN(TestCliWeights)
#include "tst_cli_weights.moc"

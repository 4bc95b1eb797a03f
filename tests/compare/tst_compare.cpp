// Our executor and the files we write, judged by ONNX Runtime and OpenVINO. QUANTSCOPE_DATA names the folder with the larger models
// (models/*.onnx, imagenet-sample, coco128); everything that is not there is skipped.
#include "core/exec/executor.h"
#include "core/session/model_loading.h"
#include "core/session/npy_file.h"
#include "core/session/session.h"

#include <QtTest/QtTest>

#include <filesystem>

using namespace core;
namespace fs = std::filesystem;

namespace {

const fs::path sourceFolder = QUANTSCOPE_SOURCE_DIR;

struct Network {
    QString name;
    fs::path file, images;
    Recipe recipe;
};

fs::path dataFolder()
{
    const char *folder = std::getenv("QUANTSCOPE_DATA");
    return folder ? folder : "";
}

Network network(const QString &name)
{
    if (name == "EfficientNet-Lite0") {
        Recipe recipe;
        recipe.transform = transformPreset("tf");
        return {name, dataFolder() / "models/efficientnet-lite0.onnx", dataFolder() / "imagenet-sample/calib", recipe};
    }
    Recipe recipe;
    recipe.transform = transformPreset("unit");
    recipe.transform.resize = ResizeMode::Stretch;
    if (name == "FastestDet") {
        recipe.transform.order = ChannelOrder::Bgr;
        return {name, dataFolder() / "models/FastestDet.onnx", dataFolder() / "imagenet-sample/calib", recipe};
    }
    return {name, sourceFolder / "resources/sample/sample.onnx", sourceFolder / "resources/sample/calib", recipe};
}

bool there(const Network &n)
{
    std::error_code ignored;
    return fs::exists(n.file, ignored) && fs::exists(n.images, ignored);
}

#define REQUIRE(n) \
    if (!there(n)) \
        QSKIP(qPrintable(n.name + " is not there; QUANTSCOPE_DATA names the folder of the larger models."));

/// Real images, one after another, as many as the batch of the model.
std::vector<at::Tensor> someImages(const Network &n, const Graph &graph, int count)
{
    DataSource source;
    source.path = n.images;
    const auto data = openFor(graph, source, n.recipe.transform);
    std::vector<at::Tensor> images;
    for (int i = 0; i < runBatchSize(graph, count); ++i)
        images.push_back(data->load(std::size_t(i) % data->size()).inputs.at(0));
    return {at::stack(images).contiguous()};
}

/// What another program makes of a file; empty with the reason in `why` when it is not installed (`missing`) or refuses.
std::vector<at::Tensor> judged(const char *script, const fs::path &file, const std::vector<at::Tensor> &inputs, QString &why, bool &missing)
{
    QTemporaryDir folder;
    const std::string in = folder.filePath("in").toStdString(), out = folder.filePath("out").toStdString();
    for (std::size_t i = 0; i < inputs.size(); ++i)
        writeNpy(in + std::to_string(i) + ".npy", inputs[i]);
    QProcess python;
    python.setProcessChannelMode(QProcess::MergedChannels);
    python.start("python3", {QString::fromStdString((sourceFolder / "tests/compare" / script).string()), QString::fromStdString(file.string()),
                             QString::fromStdString(in), QString::fromStdString(out)});
    const bool ended = python.waitForFinished(240'000);
    missing = python.error() == QProcess::FailedToStart || (ended && python.exitCode() == 77);
    why = python.error() == QProcess::FailedToStart ? QString("python3 is not there") : QString::fromUtf8(python.readAll()).right(600);
    std::vector<at::Tensor> outputs;
    if (!ended || python.exitStatus() != QProcess::NormalExit || python.exitCode() != 0)
        return outputs;
    for (std::size_t i = 0; fs::exists(out + std::to_string(i) + ".npy"); ++i)
        outputs.push_back(readNpy(out + std::to_string(i) + ".npy"));
    return outputs;
}

/// Largest difference relative to the largest value.
double relativeDifference(const at::Tensor &a, const at::Tensor &b)
{
    if (a.sizes() != b.sizes() || a.numel() == 0)
        return std::numeric_limits<double>::infinity();
    const at::Tensor x = a.to(at::kDouble), y = b.to(at::kDouble);
    return ((x - y).abs().max() / y.abs().max().clamp_min(1e-30)).item<double>();
}

/// ‖a − b‖ / ‖b‖
double noise(const at::Tensor &a, const at::Tensor &b)
{
    if (a.sizes() != b.sizes() || a.numel() == 0)
        return std::numeric_limits<double>::infinity();
    const at::Tensor x = a.to(at::kDouble), y = b.to(at::kDouble);
    return ((x - y).norm() / y.norm().clamp_min(1e-30)).item<double>();
}

/// The only .onnx file in a folder.
fs::path onnxFileIn(const fs::path &folder)
{
    for (const fs::directory_entry &entry : fs::directory_iterator(folder))
        if (entry.path().extension() == ".onnx")
            return entry.path();
    return {};
}

} // namespace

class TestCompare : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void initTestCase() { configureEngine(2); }

    void floatModelAgainstOnnxRuntime_data()
    {
        QTest::addColumn<QString>("name");
        for (const char *name : {"sample", "EfficientNet-Lite0", "FastestDet"})
            QTest::newRow(name) << name;
    }
    void floatModelAgainstOnnxRuntime()
    {
        QFETCH(QString, name);
        const Network n = network(name);
        REQUIRE(n);
        const auto graph = std::make_shared<const Graph>(loadFolded(n.file).graph);
        const auto inputs = someImages(n, *graph, 2);
        QString why;
        bool missing = false;
        const auto theirs = judged("run_onnxruntime.py", n.file, inputs, why, missing);
        if (missing)
            QSKIP(qPrintable("ONNX Runtime is not there: " + why));
        at::NoGradGuard noGrad;
        const auto ours = Executor(graph).run(inputs);
        QCOMPARE(theirs.size(), ours.size());
        for (std::size_t i = 0; i < ours.size(); ++i) {
            const double difference = relativeDifference(ours[i], theirs[i]);
            QVERIFY2(difference < 1e-4, qPrintable(QString("output %1 differs by %2").arg(i).arg(difference)));
        }
    }

    void exportedFile_data()
    {
        QTest::addColumn<QString>("name");
        QTest::addColumn<QString>("preset");
        QTest::addColumn<QString>("script");
        QTest::addColumn<QString>("target");
        for (const char *name : {"sample", "FastestDet"})
            for (const std::string &preset : presetNames())
                QTest::addRow("%s %s onnxruntime", name, preset.c_str()) << name << QString::fromStdString(preset) << "run_onnxruntime.py" << "";
        QTest::addRow("sample best onnxruntime-cpu") << "sample" << "best" << "run_onnxruntime.py" << "onnxruntime-cpu";
        // Eight bits only: OpenVINO's 16-bit activations differ from ONNX's own reference evaluator by a quarter of the range.
        for (const char *name : {"sample", "FastestDet", "EfficientNet-Lite0"})
            QTest::addRow("%s best openvino", name) << name << "best" << "run_openvino.py" << "openvino";
        QTest::addRow("sample a8w8 openvino") << "sample" << "a8w8" << "run_openvino.py" << "";
        QTest::addRow("EfficientNet-Lite0 a8w8-per-channel onnxruntime") << "EfficientNet-Lite0" << "a8w8-per-channel" << "run_onnxruntime.py" << "onnxruntime-cpu";
    }
    /// Integer kernels round sums that the float executor does not, so single codes may differ; in a deep network one of them can move a
    /// single output far, but not the output as a whole (a wrong scale or layer gives noise near 1).
    void exportedFile()
    {
        QFETCH(QString, name);
        QFETCH(QString, preset);
        QFETCH(QString, script);
        QFETCH(QString, target);
        const Network n = network(name);
        REQUIRE(n);
        QTemporaryDir folder;
        QuantizeRequest request;
        request.model = n.file;
        request.calibration.path = n.images;
        request.calibration.limit = 16;
        request.recipe = presetRecipe(preset.toStdString());
        request.recipe.target = target.toStdString();
        request.recipe.transform = n.recipe.transform;
        request.outputDirectory = folder.path().toStdString();
        request.judge = false;
        Progress quiet;
        const Report report = Session(2).quantize(request, quiet);
        QVERIFY(report.frozenEqual);
        const fs::path file = onnxFileIn(request.outputDirectory);
        const auto graph = std::make_shared<const Graph>(loadFolded(file).graph);
        const auto inputs = someImages(n, *graph, 4);
        QString why;
        bool missing = false;
        const auto theirs = judged(script.toUtf8().constData(), file, inputs, why, missing);
        if (missing)
            QSKIP(qPrintable(script + ": " + why));
        at::NoGradGuard noGrad;
        const auto ours = Executor(graph).run(inputs);
        QVERIFY2(theirs.size() == ours.size(), qPrintable(why));
        for (std::size_t i = 0; i < ours.size(); ++i) {
            const double relative = noise(ours[i], theirs[i]);
            QVERIFY2(relative < 0.1, qPrintable(QString("output %1: noise %2").arg(i).arg(relative)));
        }
    }
};

QTEST_GUILESS_MAIN(TestCompare)
#include "tst_compare.moc"

#include "core/base/atomic_file.h"
#include "core/onnx/reader.h"
#include "core/onnx/writer.h"
#include "core/session/foreign_exceptions.h"
#include "core/session/model_loading.h"
#include "core/session/session.h"
#include "tests/support/memory_dataset.h"
#include "tests/support/tiny_graph.h"

#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>

#include <nlohmann/json.hpp>

#include <QtTest>

using namespace core;
using tests::TinyGraph;

namespace fs = std::filesystem;

class TestSession : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void initTestCase();
    void infoOfAModel();
    void infoListsEverythingUnsupported();
    void infoOfAQuantizedModel();
    void quantizeWritesAllFiles();
    void everyPresetIsWrittenAndEqual();
    void sameBytesForOneThreadAndMore();
    void withoutLabelsThereIsAgreement();
    void withoutValidationCalibrationImagesServe();
    void statisticsReplaceTheImages();
    void staleStatisticsAreRefused();
    void detectorWithAFixedBatch();
    void stoppedJobsLeaveNothing();
    void failedJobsLeaveNothing();
    void sourceIsNeverOverwritten();
    void quantizedModelsAreRefused();
    void foreignExceptions();
    void geometryOfInputs();

private:
    QTemporaryDir m_folder;
    fs::path path(const std::string &name) const { return fs::path(m_folder.path().toStdString()) / name; }
    QuantizeRequest request(const std::string &preset, const std::string &out) const;
};

namespace {

std::vector<float> floats(const at::Tensor &t) { return {t.data_ptr<float>(), t.data_ptr<float>() + t.numel()}; }

ValueId conv(TinyGraph &tiny, const std::string &name, ValueId in, std::vector<std::int64_t> dims, unsigned seed, std::int64_t group = 1)
{
    const std::int64_t pad = (dims[2] - 1) / 2;
    return tiny.node("Conv", name,
                     {in, tiny.constant(name + ".w", dims, floats(tests::noise(dims, seed))), tiny.constant(name + ".b", {dims[0]}, floats(tests::noise({dims[0]}, seed + 9)))},
                     {{"group", group}, {"kernel_shape", std::vector<std::int64_t>{dims[2], dims[3]}}, {"pads", std::vector<std::int64_t>(4, pad)}});
}

/// Images N×3×8×8 → 4 classes, with what real networks have: depthwise, ReLU6, residual Add, pooling, Gemm.
Model classifier(std::int64_t batch)
{
    TinyGraph tiny;
    const ValueId x = tiny.input("image", {batch, 3, 8, 8});
    const auto clip = [&](const std::string &name, ValueId in) {
        return tiny.node("Clip", name, {in, tiny.constant(name + ".low", {}, {0}), tiny.constant(name + ".high", {}, {6})});
    };
    const ValueId stem = clip("six", conv(tiny, "stem", x, {6, 3, 3, 3}, 1));
    const ValueId depthwise = tiny.node("Relu", "relu", {conv(tiny, "depthwise", stem, {6, 1, 3, 3}, 2, 6)});
    const ValueId sum = tiny.node("Add", "add", {conv(tiny, "project", depthwise, {6, 6, 1, 1}, 3), stem});
    const ValueId pooled = tiny.node("Flatten", "flat", {tiny.node("GlobalAveragePool", "pool", {sum})});
    tiny.output(tiny.node("Gemm", "scores", {pooled, tiny.constant("fc.w", {4, 6}, floats(tests::noise({4, 6}, 4))), tiny.constant("fc.b", {4}, {0, 0.1f, -0.1f, 0})},
                          {{"transB", std::int64_t(1)}}));
    tiny.graph.value(tiny.graph.outputs[0]).shape = Shape{{batch, batch < 0 ? "N" : ""}, {4, {}}};
    Model model;
    model.graph = tiny.graph;
    if (batch < 0)
        (*model.graph.value(x).shape)[0].symbol = "N";
    return model;
}

Recipe recipe(const std::string &preset)
{
    Recipe made = presetRecipe(preset);
    made.transform = transformPreset("unit");
    made.transform.resize = ResizeMode::Stretch;
    made.transform.centerCrop = false;
    return made;
}

std::vector<std::string> listed(const fs::path &folder)
{
    std::vector<std::string> names;
    std::error_code ignored;
    for (const fs::directory_entry &entry : fs::directory_iterator(folder, ignored))
        names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
}

template <class F>
std::string errorOf(F &&f, ErrorKind kind)
{
    try {
        f();
    } catch (const Error &error) {
        return error.kind() == kind ? error.sentence() : std::string("another kind: ") + error.what();
    }
    return {};
}

bool has(const std::string &text, const char *part) { return text.find(part) != std::string::npos; }

} // namespace

QuantizeRequest TestSession::request(const std::string &preset, const std::string &out) const
{
    QuantizeRequest made;
    made.model = path("net.onnx");
    made.calibration.path = path("images/calib");
    made.validation.path = path("images/val");
    made.recipe = recipe(preset);
    made.outputDirectory = path(out);
    made.judge = false;
    return made;
}

/// Four classes of coloured noise; validation images lie in class folders, those for calibration flat.
void TestSession::initTestCase()
{
    for (int i = 0; i < 24; ++i) {
        cv::Mat image(8, 8, CV_8UC3);
        const at::Tensor values = tests::noise({8 * 8 * 3}, unsigned(i + 1));
        for (int k = 0; k < 192; ++k)
            image.data[k] = uchar(std::clamp(128 + 100 * values[k].item<float>() + float((k + i) % 3) * 20, 0.0f, 255.0f));
        const fs::path folder = path(i < 12 ? "images/val/class" + std::to_string(i % 4) : "images/calib");
        fs::create_directories(folder);
        QVERIFY(cv::imwrite((folder / (std::to_string(i) + ".png")).string(), image));
    }
    writeModel(classifier(-1), 13, path("net.onnx"));
    writeModel(classifier(5), 13, path("fixed.onnx"));
}

void TestSession::infoOfAModel()
{
    const ModelInfo info = Session(1).info(path("net.onnx"));
    QCOMPARE(info.opset, 13);
    QCOMPARE(info.nodes, std::size_t(9));
    QCOMPARE(info.operatorCounts.at("Conv"), std::size_t(3));
    QCOMPARE(info.parameters, std::int64_t(6 * 27 + 6 + 6 * 9 + 6 + 36 + 6 + 24 + 4 + 2));
    QCOMPARE(info.macs, std::int64_t(64 * 6 * 27 + 64 * 6 * 9 + 64 * 6 * 6 + 24));
    QVERIFY(info.unsupported.empty());
    QVERIFY(!info.quantized);
    QCOMPARE(info.inputs.at(0).name, std::string("image"));
    QCOMPARE(info.outputs.at(0).name, std::string("scores"));
    QVERIFY(has(errorOf([&] { Session(1).info(path("missing.onnx")); }, ErrorKind::Io), "missing.onnx"));
}

void TestSession::infoListsEverythingUnsupported()
{
    TinyGraph tiny;
    const ValueId x = tiny.input("x", {1, 4});
    tiny.output(tiny.node("FrobnicateA", "first", {x}));
    tiny.output(tiny.node("FrobnicateB", "second", {x}));
    Model model;
    model.graph = tiny.graph;
    writeModel(model, 13, path("odd.onnx"));
    const ModelInfo info = Session(1).info(path("odd.onnx"));
    QCOMPARE(info.unsupported.size(), std::size_t(2));
    const std::string text = joinSentences(info.unsupported);
    QVERIFY(has(text, "FrobnicateA") && has(text, "FrobnicateB"));

    QuantizeRequest job = request("a8w8", "odd");
    job.model = path("odd.onnx");
    Progress progress;
    const std::string refused = errorOf([&] { Session(1).quantize(job, progress); }, ErrorKind::Unsupported);
    QVERIFY2(has(refused, "odd.onnx") && has(refused, "FrobnicateA") && has(refused, "FrobnicateB"), refused.c_str());
}

void TestSession::infoOfAQuantizedModel()
{
    Progress progress;
    const Report report = Session(1).quantize(request("a8w8", "info"), progress);
    const ModelInfo info = Session(1).info(report.file);
    QVERIFY(info.quantized);
    QVERIFY(info.unsupported.empty());
    QCOMPARE(info.macs, Session(1).info(path("net.onnx")).macs);
}

void TestSession::quantizeWritesAllFiles()
{
    Progress progress;
    const Report report = Session(2).quantize(request("best", "out/new"), progress);
    QCOMPARE(listed(path("out/new")), (std::vector<std::string>{"encodings.json", "net_best.onnx", "recipe.json", "report.html", "report.json"}));
    QCOMPARE(report.file, path("out/new/net_best.onnx").string());
    QVERIFY(report.frozenEqual);
    QCOMPARE(report.floating.images, std::int64_t(12));
    QVERIFY(report.floating.top1 && report.exported.top1);
    QCOMPARE(*report.exported.top1, *report.quantized.top1);
    QVERIFY(report.exported.agreement->cosine > 0.99);
    QVERIFY(report.exported.agreement->sqnrDb > 20);
    QCOMPARE(report.calibrationImages, std::int64_t(12));
    QCOMPARE(report.opset, 13);
    QCOMPARE(report.fileBytes, std::int64_t(fs::file_size(report.file)));
    QCOMPARE(report.judges.at(0).name, std::string("quantscope"));
    QCOMPARE(report.judges.at(0).largestDifference, 0.0);
    bool activation = false, weight = false;
    for (const LayerRow &row : report.layers) {
        activation |= row.kind == "activation" && row.tensor == "image" && row.sqnrDb > 30;
        weight |= row.kind == "weight" && row.tensor == "stem.w" && row.sqnrDb > 30 && row.scales.size() == 6;
        QVERIFY2(!row.histogram.empty() && row.histogram.size() <= 64, row.tensor.c_str());
        QVERIFY2(!row.reason.empty() && !row.provenance.empty(), row.tensor.c_str());
    }
    QVERIFY(activation && weight);

    const auto encodings = nlohmann::json::parse(readFile(path("out/new/encodings.json")));
    for (const auto &entry : encodings["weights"])
        if (entry["tensor"] == "stem.w") {
            QCOMPARE(entry["scale"].size(), std::size_t(6));
            QCOMPARE(entry["dtype"].get<std::string>(), std::string("int8"));
            QCOMPARE(entry["axis"].get<int>(), 0);
        }
    QVERIFY(nlohmann::json::parse(readFile(path("out/new/report.json")))["layers"].size() == report.layers.size());
    QCOMPARE(nlohmann::json::parse(readFile(path("out/new/recipe.json")))["preset"].get<std::string>(), std::string("best"));

    const Model back = readModel(path("out/new/net_best.onnx"));
    QCOMPARE(back.producerName, std::string("quantscope"));
    QCOMPARE(back.graph.value(back.graph.outputs[0]).name, std::string("scores"));
    QVERIFY(back.graph.findNode("stem").valid() && back.graph.findNode("depthwise").valid());
    const Evaluation again = Session(1).evaluate(report.file, {path("images/val"), {}, 0}, recipe("best"), progress);
    QCOMPARE(*again.top1, *report.exported.top1);
}

void TestSession::everyPresetIsWrittenAndEqual()
{
    for (const std::string &preset : presetNames()) {
        Progress progress;
        const Report report = Session(2).quantize(request(preset, "presets"), progress);
        QVERIFY2(report.frozenEqual, preset.c_str());
        QVERIFY2(report.exported.agreement->cosine > 0.9, preset.c_str());
        QCOMPARE(report.opset, preset == "a16w8" || preset == "a8w4" ? 21 : 13);
    }
    QCOMPARE(listed(path("presets")).size(), presetNames().size() + 4);
}

void TestSession::sameBytesForOneThreadAndMore()
{
    Progress progress;
    QuantizeRequest first = request("best", "one"), second = request("best", "two");
    first.recipe.equalize = second.recipe.equalize = true;
    second.recipe.batchSize = 8;
    Session(1).quantize(first, progress);
    Session(3).quantize(second, progress);
    QVERIFY(readFile(path("one/net_best.onnx")) == readFile(path("two/net_best.onnx")));
    QVERIFY(readFile(path("one/encodings.json")) == readFile(path("two/encodings.json")));
}

void TestSession::withoutLabelsThereIsAgreement()
{
    Progress progress;
    QuantizeRequest job = request("a8w8-per-channel", "unlabelled");
    job.validation.path = path("images/calib");
    const Report report = Session(2).quantize(job, progress);
    QVERIFY(!report.exported.top1);
    QCOMPARE(report.exported.images, std::int64_t(12));
    QVERIFY(report.exported.agreement->top1 > 50);
    QVERIFY(!report.floating.agreement);
}

void TestSession::withoutValidationCalibrationImagesServe()
{
    Progress progress;
    QuantizeRequest job = request("a8w8", "novalidation");
    job.calibration.path = path("images/val");
    job.validation.path.clear();
    const Report report = Session(2).quantize(job, progress);
    QVERIFY(!report.exported.top1);
    QCOMPARE(report.exported.images, std::int64_t(12));
    QVERIFY(has(joinSentences(report.diagnostics), "No validation images"));
}

void TestSession::statisticsReplaceTheImages()
{
    Progress progress;
    Session(2).calibrate(request("a8w8", "unused"), path("saved.stats"), progress);
    QVERIFY(!fs::exists(path("unused")));
    for (const char *preset : {"a8w8", "best", "pof2-mse"}) {
        Session(2).quantize(request(preset, "direct"), progress);
        QuantizeRequest job = request(preset, "saved");
        job.statistics = path("saved.stats");
        job.calibration.path.clear();
        job.validation.path.clear();
        const Report report = Session(2).quantize(job, progress);
        QVERIFY(report.frozenEqual);
        QCOMPARE(report.floating.images, std::int64_t(0));
        QCOMPARE(report.calibrationImages, std::int64_t(12));
        const std::string name = std::string("net_") + preset + ".onnx";
        QVERIFY2(readFile(path("direct") / name) == readFile(path("saved") / name), preset);
    }
}

void TestSession::staleStatisticsAreRefused()
{
    Progress progress;
    Session(2).calibrate(request("a8w8", "unused"), path("stale.stats"), progress);
    QuantizeRequest job = request("a8w8", "stale");
    job.statistics = path("stale.stats");
    job.recipe.transform.divisor = 1;
    const auto run = [&] { return errorOf([&] { Session(2).quantize(job, progress); }, ErrorKind::InvalidInput); };
    QVERIFY(has(run(), "stale.stats") && has(run(), "the image transform"));
    job = request("a8w8", "stale");
    job.statistics = path("stale.stats");
    job.calibration.path = path("images/val");
    QVERIFY2(has(run(), "the calibration images"), run().c_str());
    job.recipe.equalize = true;
    QVERIFY2(has(run(), "stale"), run().c_str());
    QVERIFY(!fs::exists(path("stale")));
}

/// 12 images in batches of 5: the last one is filled up and the filling is not counted.
void TestSession::detectorWithAFixedBatch()
{
    Progress progress;
    QuantizeRequest fixed = request("a8w8", "fixed"), open = request("a8w8", "open");
    fixed.model = path("fixed.onnx");
    const Report a = Session(2).quantize(fixed, progress), b = Session(2).quantize(open, progress);
    QCOMPARE(a.exported.images, std::int64_t(12));
    QCOMPARE(*a.exported.top1, *b.exported.top1);
    QCOMPARE(a.exported.agreement->sqnrDb, b.exported.agreement->sqnrDb);
    QCOMPARE(a.layers.at(0).scales, b.layers.at(0).scales);
}

void TestSession::stoppedJobsLeaveNothing()
{
    // Stop at every stage in turn.
    std::set<std::string> stages;
    for (int stopAt = 1; stopAt < 200; ++stopAt) {
        std::stop_source source;
        int reports = 0;
        std::string stage;
        Progress progress(
            [&](const ProgressReport &report) {
                if (++reports == stopAt) {
                    stage = report.stage;
                    source.request_stop();
                }
            },
            source.get_token());
        try {
            Session(1).quantize(request("a8w8", "stopped/deep"), progress);
            break;
        } catch (const Cancelled &) {
            stages.insert(stage);
            QVERIFY2(!fs::exists(path("stopped")), stage.c_str());
        }
    }
    for (const char *stage : {"load", "calibrate", "write", "verify", "evaluate"})
        QVERIFY2(stages.contains(stage), stage);
    QVERIFY(fs::exists(path("stopped/deep/net_a8w8.onnx")) || stages.size() >= 5);
}

void TestSession::failedJobsLeaveNothing()
{
    Progress progress;
    QuantizeRequest job = request("a8w8", "failed");
    job.validation.path = path("no such folder");
    QVERIFY(!errorOf([&] { Session(1).quantize(job, progress); }, ErrorKind::Io).empty());
    QVERIFY(!fs::exists(path("failed")));
    job = request("a8w8", "failed");
    job.recipe.opset = 10;
    job.recipe.preset = "a8w8-per-channel";
    QVERIFY(has(errorOf([&] { Session(1).quantize(job, progress); }, ErrorKind::InvalidInput), "Opset 10"));
    QVERIFY(!fs::exists(path("failed")));
}

void TestSession::sourceIsNeverOverwritten()
{
    Progress progress;
    fs::create_directories(path("mine"));
    fs::copy_file(path("net.onnx"), path("mine/net.onnx"));
    fs::create_symlink(path("mine/net.onnx"), path("mine/net_a8w8.onnx"));
    const std::string before = readFile(path("mine/net.onnx"));
    QuantizeRequest job = request("a8w8", "mine");
    job.model = path("mine/net.onnx");
    QVERIFY(has(errorOf([&] { Session(1).quantize(job, progress); }, ErrorKind::InvalidInput), "overwrite"));
    QVERIFY(readFile(path("mine/net.onnx")) == before);
}

void TestSession::quantizedModelsAreRefused()
{
    Progress progress;
    Session(1).quantize(request("a8w8", "twice"), progress);
    QuantizeRequest job = request("a8w8", "twice2");
    job.model = path("twice/net_a8w8.onnx");
    QVERIFY(has(errorOf([&] { Session(1).quantize(job, progress); }, ErrorKind::InvalidInput), "quantized already"));
}

void TestSession::foreignExceptions()
{
    const auto message = [](auto thrown, ErrorKind kind) { return errorOf([&] { guarded("job", [&] { throw thrown; }); }, kind); };
    QVERIFY(has(message(std::runtime_error("boom"), ErrorKind::Internal), "boom"));
    QVERIFY(has(message(std::bad_alloc(), ErrorKind::InvalidInput), "memory"));
    QVERIFY(has(message(cv::Exception(1, "bad picture", "f", "file", 3), ErrorKind::Internal), "bad picture"));
    QVERIFY(has(message(fs::filesystem_error("where", std::make_error_code(std::errc::permission_denied)), ErrorKind::Io), "where"));
    QVERIFY(has(message(5, ErrorKind::Internal), "unknown"));
    QCOMPARE(message(Error(ErrorKind::Numeric, "x", "Kept."), ErrorKind::Numeric), std::string("Kept."));
    const std::string torch = errorOf([&] { guarded("job", [] { at::zeros({2, 2}).mm(at::zeros({3, 2})); }); }, ErrorKind::Internal);
    QVERIFY2(has(torch, "LibTorch") && !has(torch, "Exception raised from") && !has(torch, "frame #"), torch.c_str());
    bool cancelled = false;
    try {
        guarded("job", [] { throw Cancelled{}; });
    } catch (const Cancelled &) {
        cancelled = true;
    }
    QVERIFY(cancelled);
}

void TestSession::geometryOfInputs()
{
    const auto geometry = [](std::vector<std::int64_t> dims, int width = 0, int height = 0) {
        TinyGraph tiny;
        tiny.input("x", dims);
        TransformSpec transform;
        transform.width = width;
        transform.height = height;
        return inputGeometry(tiny.graph, transform);
    };
    QCOMPARE(geometry({1, 3, 20, 30}).height, 20);
    QCOMPARE(geometry({1, 3, 20, 30}).width, 30);
    QVERIFY(!geometry({1, 3, 20, 30}).channelsLastLayout);
    QVERIFY(geometry({1, 20, 30, 3}).channelsLastLayout);
    QCOMPARE(geometry({1, 20, 30, 3}).width, 30);
    QCOMPARE(geometry({-1, 1, 28, 28}).channels, 1);
    QCOMPARE(geometry({-1, 3, -1, -1}, 64, 32).height, 32);
    QVERIFY(has(errorOf([&] { geometry({1, 3, -1, -1}); }, ErrorKind::InvalidInput), "--size"));
    QVERIFY(has(errorOf([&] { geometry({1, 3, 20, 30}, 40, 20); }, ErrorKind::InvalidInput), "30x20"));
    QCOMPARE(geometry({1, 10}).width, 0);
}

QTEST_APPLESS_MAIN(TestSession)
#include "tst_session.moc"

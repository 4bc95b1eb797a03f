// The steps that a window takes one by one, on the bundled sample.
#include "core/base/atomic_file.h"
#include "core/session/session.h"
#include "core/spec/config_json.h"

using namespace core;

namespace fs = std::filesystem;

namespace {

const fs::path sample = fs::path(QUANTSCOPE_SOURCE_DIR) / "resources/sample";

QuantizeRequest request(const std::string &preset)
{
    QuantizeRequest made;
    made.model = sample / "sample.onnx";
    made.calibration = {sample / "calib", {}, 40};
    made.validation = {sample / "val", sample / "labels.txt", 80};
    made.recipe = presetRecipe(preset);
    made.recipe.transform = recipeFromJson(readFile(sample / "recipe.json")).transform;
    made.judge = false;
    return made;
}

} // namespace

class TestSessionSteps : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void prepareFoldsAndPlaces()
    {
        const Prepared prepared = Session(2).prepare(sample / "sample.onnx", presetRecipe("a8w8"));
        std::size_t folded = 0;
        for (const NodeId id : prepared.source->order())
            if (!prepared.graph->contains(id)) {
                QCOMPARE(prepared.source->node(id).opType, std::string("BatchNormalization"));
                ++folded;
            } else {
                QCOMPARE(prepared.graph->node(id).name, prepared.source->node(id).name);
            }
        QVERIFY(folded > 3);
        QVERIFY(!prepared.placement.points.empty());
    }

    void oneCalibrationServesEveryPreset()
    {
        Session session(2);
        Progress progress;
        QuantizeRequest job = request("a8w8");
        const auto calibration = session.calibrate(job, progress);
        QCOMPARE(calibration->images, std::int64_t(40));
        for (const char *preset : {"a8w8", "a8w8-per-channel", "a16w8"}) {
            QuantizeRequest fresh = request(preset), again = fresh;
            again.calibrated = calibration;
            QCOMPARE(session.calibrate(again, progress), calibration); // nothing to do
            const Report a = session.quantize(fresh, progress), b = session.quantize(again, progress);
            QCOMPARE(*a.quantized.top1, *b.quantized.top1);
            QCOMPARE(a.quantized.agreement->sqnrDb, b.quantized.agreement->sqnrDb);
            QCOMPARE(b.calibrationImages, std::int64_t(40));
        }
    }

    void otherDataNeedsAnotherCalibration()
    {
        Session session(2);
        Progress progress;
        QuantizeRequest job = request("a8w8");
        job.calibrated = session.calibrate(job, progress);
        QuantizeRequest other = job;
        other.calibration.limit = 20;
        const auto second = session.calibrate(other, progress);
        QVERIFY(second != job.calibrated);
        QCOMPARE(second->images, std::int64_t(20));
        QCOMPARE(session.quantize(other, progress).calibrationImages, std::int64_t(20)); // the one that does not fit is not used
        other = job;
        other.recipe.equalize = true;
        QVERIFY(session.calibrate(other, progress)->key != job.calibrated->key);
    }

    void withoutAFolderNothingIsWritten()
    {
        QTemporaryDir here;
        const QString before = QDir::currentPath();
        QVERIFY(QDir::setCurrent(here.path()));
        Progress progress;
        const Report report = Session(2).quantize(request("a8w8"), progress);
        QVERIFY(QDir::setCurrent(before));
        QVERIFY(QDir(here.path()).isEmpty(QDir::AllEntries | QDir::Hidden | QDir::NoDotAndDotDot));
        QVERIFY(report.file.empty() && report.judges.empty());
        QVERIFY(report.floating.top1 && report.quantized.top1 && !report.exported.top1);
        QVERIFY(!report.layers.empty());
    }

    void flippedImagesExplainTheAgreement()
    {
        Progress progress;
        const Report report = Session(2).quantize(request("a8w4"), progress);
        const double same = report.quantized.agreement->top1 / 100 * double(report.quantized.images);
        QCOMPARE(report.flipped.size(), std::size_t(report.quantized.images - std::llround(same)));
        QVERIFY(!report.flipped.empty());
        for (const FlippedImage &image : report.flipped) {
            QVERIFY(image.floatClass != image.quantizedClass);
            QVERIFY(fs::exists(image.path));
            QVERIFY(image.label >= 0);
        }
    }

    void clippedShareIsThatOfTheStatistics()
    {
        Progress progress;
        QuantizeRequest job = request("a8w8");
        for (const LayerRow &row : Session(2).quantize(job, progress).layers)
            QVERIFY2(row.clippedShare < 1e-3, row.tensor.c_str()); // min_max clips nothing but what falls into the zero point's rounding
        job.recipe.config.global.outputTensors.observer = ObserverKind::Percentile;
        job.recipe.config.global.outputTensors.percentile = 98;
        job.recipe.config.global.inputTensors = job.recipe.config.global.outputTensors;
        double most = 0;
        for (const LayerRow &row : Session(2).quantize(job, progress).layers)
            most = std::max(most, row.clippedShare);
        QVERIFY2(most > 0.005 && most < 0.05, std::to_string(most).c_str());
    }
};

QTEST_GUILESS_MAIN(TestSessionSteps)
#include "tst_session_steps.moc"

#include "core/base/error.h"
#include "core/spec/training.h"

#include <QtTest/QtTest>

#include <functional>
#include <limits>

using namespace core;

namespace {

QString refusal(const std::function<void()> &act)
{
    try {
        act();
    } catch (const Error &error) {
        return error.kind() == ErrorKind::InvalidInput ? QString::fromStdString(error.what()) : "(another kind)";
    }
    return "(accepted)";
}

QString refusalOfJson(const char *json)
{
    return refusal([&] { trainingFromJson(json); });
}

/// No field has its default.
TrainingSpec everything()
{
    TrainingSpec spec;
    spec.method = TrainMethod::Tqt;
    spec.epochs = 3;
    spec.maxSteps = 5'000'000'000;
    spec.batchSize = 7;
    spec.seed = 18'446'744'073'709'551'615u;
    spec.optimizer = OptimizerKind::Sgd;
    spec.learningRate = 0.1;
    spec.quantizerLearningRate = 1e-5;
    spec.momentum = 0.85;
    spec.weightDecay = 4e-5;
    spec.schedule = ScheduleKind::Plateau;
    spec.stepFactor = 0.3;
    spec.stepEpochs = 4;
    spec.warmupSteps = 17;
    spec.gradientClip = 2.5;
    spec.loss = {0.5, 0.25, 0.125, 0.2, 4, {"features/1", "it's \xC3\xA4"}};
    spec.augment = {false, 0.08, 0.9, 1.5, false, 0.1, 0.2, 0.3, 4};
    spec.batchNorm = BatchNormMode::Running;
    spec.freezeBatchNormAt = 0.75;
    spec.freezeObserversAt = 0.25;
    spec.evaluateEvery = 50;
    spec.patience = 6;
    return spec;
}

} // namespace

class TestTrainingSpec : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void defaultsOfQuantizedTraining();
    void defaultsOfFloatTraining();
    void everyDefaultIsAccepted();
    void everyFieldSurvivesJson();
    void theWrittenForm();
    void whatIsNotNamedIsTheMethodsDefault();
    void wrongJsonIsNamed_data();
    void wrongJsonIsNamed();
    void wrongValuesAreNamed_data();
    void wrongValuesAreNamed();
    void oneLearningRateMayBeZero();
    void namesOfEnumerations();
};

void TestTrainingSpec::defaultsOfQuantizedTraining()
{
    for (const TrainMethod method : {TrainMethod::Qat, TrainMethod::Lsq, TrainMethod::Tqt}) {
        const TrainingSpec spec = defaultTraining(method, false);
        QVERIFY(spec.method == method);
        QVERIFY(spec.optimizer == OptimizerKind::Adam);
        QVERIFY(spec.schedule == ScheduleKind::Cosine);
        QVERIFY(spec.batchNorm == BatchNormMode::Fixed);
        QCOMPARE(spec.learningRate, 1e-5);
        QCOMPARE(spec.weightDecay, 0.0);
        QCOMPARE(spec.loss.crossEntropy, 0.0);
        QCOMPARE(spec.loss.distillation, 1.0);
        QVERIFY(spec.augment.randomResizedCrop && spec.augment.flip);
        const TrainingSpec labelled = defaultTraining(method, true);
        QCOMPARE(labelled.loss.crossEntropy, 1.0);
        QCOMPARE(labelled.loss.distillation, 1.0);
    }
}

void TestTrainingSpec::defaultsOfFloatTraining()
{
    const TrainingSpec spec = defaultTraining(TrainMethod::Float, true);
    QVERIFY(spec.optimizer == OptimizerKind::Sgd);
    QVERIFY(spec.schedule == ScheduleKind::Cosine);
    QVERIFY(spec.batchNorm == BatchNormMode::Batch);
    QCOMPARE(spec.momentum, 0.9);
    QCOMPARE(spec.learningRate, 0.05);
    QCOMPARE(spec.warmupSteps, 100);
    QCOMPARE(spec.weightDecay, 1e-4);
    QCOMPARE(spec.batchSize, 64);
    QCOMPARE(spec.freezeBatchNormAt, 1.0);
    QCOMPARE(spec.loss.crossEntropy, 1.0);
    QCOMPARE(spec.loss.labelSmoothing, 0.05);
    QCOMPARE(spec.loss.distillation, 0.0);
    const LossSpec unlabelled = defaultTraining(TrainMethod::Float, false).loss;
    QCOMPARE(unlabelled.crossEntropy, 0.0);
    QCOMPARE(unlabelled.distillation, 1.0);
}

void TestTrainingSpec::everyDefaultIsAccepted()
{
    for (const TrainMethod method : {TrainMethod::Float, TrainMethod::Qat, TrainMethod::Lsq, TrainMethod::Tqt})
        for (const bool labelled : {false, true}) {
            const TrainingSpec spec = defaultTraining(method, labelled);
            checkTraining(spec);
            QVERIFY(trainingFromJson(trainingToJson(spec)) == spec);
        }
}

void TestTrainingSpec::everyFieldSurvivesJson()
{
    const TrainingSpec spec = everything();
    const std::string json = trainingToJson(spec);
    QVERIFY(trainingFromJson(json) == spec);
    QCOMPARE(trainingToJson(trainingFromJson(json)), json);
}

void TestTrainingSpec::theWrittenForm()
{
    const char *expected = R"({
  "schema_version": 1,
  "method": "tqt",
  "epochs": 3,
  "max_steps": 5000000000,
  "batch_size": 7,
  "seed": 18446744073709551615,
  "optimizer": "sgd",
  "learning_rate": 0.1,
  "quantizer_learning_rate": 1e-05,
  "momentum": 0.85,
  "weight_decay": 4e-05,
  "schedule": "plateau",
  "step_factor": 0.3,
  "step_epochs": 4,
  "warmup_steps": 17,
  "gradient_clip": 2.5,
  "loss": {
    "cross_entropy": 0.5,
    "distillation": 0.25,
    "features": 0.125,
    "label_smoothing": 0.2,
    "temperature": 4.0,
    "tensors": [
      "features/1",
      "it's ä"
    ]
  },
  "augment": {
    "random_resized_crop": false,
    "min_area": 0.08,
    "max_area": 0.9,
    "max_aspect": 1.5,
    "flip": false,
    "brightness": 0.1,
    "contrast": 0.2,
    "saturation": 0.3,
    "shift": 4
  },
  "batch_norm": "running",
  "freeze_batch_norm_at": 0.75,
  "freeze_observers_at": 0.25,
  "evaluate_every": 50,
  "patience": 6
}
)";
    QCOMPARE(QString::fromStdString(trainingToJson(everything())), QString::fromUtf8(expected));
}

void TestTrainingSpec::whatIsNotNamedIsTheMethodsDefault()
{
    QVERIFY(trainingFromJson("{}") == defaultTraining(TrainMethod::Qat, false));
    QVERIFY(trainingFromJson(R"({"method": "float"})") == defaultTraining(TrainMethod::Float, true));
    TrainingSpec expected = defaultTraining(TrainMethod::Lsq, false);
    expected.epochs = 2;
    expected.loss.temperature = 3;
    QVERIFY(trainingFromJson(R"({"epochs": 2, "method": "lsq", "loss": {"temperature": 3}})") == expected);
}

void TestTrainingSpec::wrongJsonIsNamed_data()
{
    QTest::addColumn<QByteArray>("json");
    QTest::addColumn<QString>("sentence");
    QTest::newRow("none") << QByteArray("epochs: 3") << "[training] This is not JSON: ";
    QTest::newRow("list") << QByteArray("[]") << "[training] The document must be an object, not array.";
    QTest::newRow("unknown") << QByteArray(R"({"epoch": 3})") << "[training] 'epoch' is not a known field; the fields here are augment, ";
    QTest::newRow("unknown inside") << QByteArray(R"({"loss": {"ce": 1}})") << "[training] 'loss.ce' is not a known field; the fields here are cross_entropy, ";
    QTest::newRow("method") << QByteArray(R"({"method": "adaround"})") << "[training] 'method' cannot be 'adaround'; it is one of float, qat, lsq, tqt.";
    QTest::newRow("optimizer") << QByteArray(R"({"optimizer": "lion"})") << "[training] 'optimizer' cannot be 'lion'; it is one of adam, sgd.";
    QTest::newRow("schedule") << QByteArray(R"({"schedule": ""})") << "[training] 'schedule' cannot be ''; it is one of constant, step, cosine, plateau.";
    QTest::newRow("batch norm") << QByteArray(R"({"batch_norm": "on"})") << "[training] 'batch_norm' cannot be 'on'; it is one of fixed, running, batch.";
    QTest::newRow("type of name") << QByteArray(R"({"method": 1})") << "[training] 'method' must be a text, not 1.";
    QTest::newRow("type of number") << QByteArray(R"({"epochs": 1.5})") << "[training] 'epochs' must be a whole number, not 1.5.";
    QTest::newRow("too large") << QByteArray(R"({"epochs": 4294967297})") << "[training] 'epochs' must be a whole number, not 4294967297.";
    QTest::newRow("negative seed") << QByteArray(R"({"seed": -1})") << "[training] 'seed' must be a whole number, not -1.";
    QTest::newRow("tensors") << QByteArray(R"({"loss": {"tensors": ["a", 2]}})") << "[training] 'loss.tensors[1]' must be a text, not 2.";
    QTest::newRow("part") << QByteArray(R"({"augment": true})") << "[training] 'augment' must be an object, not boolean.";
    QTest::newRow("version") << QByteArray(R"({"schema_version": 2})") << "[training] 'schema_version' is 2, this program reads version 1.";
    QTest::newRow("value") << QByteArray(R"({"batch_size": 0})") << "[training] 'batch_size' is 0; it must be between 1 and 65536.";
}

void TestTrainingSpec::wrongJsonIsNamed()
{
    QFETCH(QByteArray, json);
    QFETCH(QString, sentence);
    const QString refused = refusalOfJson(json.constData());
    QVERIFY2(refused.startsWith(sentence), qPrintable(refused));
}

using Change = std::function<void(TrainingSpec &)>;
Q_DECLARE_METATYPE(Change)

void TestTrainingSpec::wrongValuesAreNamed_data()
{
    QTest::addColumn<Change>("change");
    QTest::addColumn<QString>("sentence");
    const auto row = [](const char *name, Change change, const char *sentence) {
        QTest::newRow(name) << std::move(change) << "[training] " + QString(sentence);
    };
    constexpr double nan = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();
    row("epochs", [](auto &s) { s.epochs = 0; }, "'epochs' is 0; it must be between 1 and 1000000.");
    row("steps", [](auto &s) { s.maxSteps = -1; }, "'max_steps' is -1; it must be between 0 and 9007199254740992.");
    row("rate", [](auto &s) { s.learningRate = -0.5; }, "'learning_rate' is -0.5; it must be between 0.0 and 100.0.");
    row("no rate", [](auto &s) { s.learningRate = 0; }, "'learning_rate' is 0, so that nothing is learned; it must be above 0.");
    row("nan", [](auto &s) { s.quantizerLearningRate = nan; }, "'quantizer_learning_rate' is nan; it must be between 0.0 and 100.0.");
    row("momentum", [](auto &s) { s.momentum = 1; }, "'momentum' is 1.0; it must be at least 0.0 and below 1.0.");
    row("decay", [](auto &s) { s.weightDecay = infinity; }, "'weight_decay' is inf; it must be between 0.0 and 1.0.");
    row("factor", [](auto &s) { s.stepFactor = 0; }, "'step_factor' is 0.0; it must be above 0.0 and at most 1.0.");
    row("step epochs", [](auto &s) { s.stepEpochs = 0; }, "'step_epochs' is 0; it must be between 1 and 1000000.");
    row("warm-up", [](auto &s) { s.warmupSteps = -3; }, "'warmup_steps' is -3; it must be between 0 and 1000000000.");
    row("clip", [](auto &s) { s.gradientClip = -1; }, "'gradient_clip' is -1.0; it must be between 0.0 and 1000000000.0.");
    row("no loss", [](auto &s) { s.loss.distillation = 0; }, "The weights of the loss, cross_entropy, distillation and features, are all 0; one of them must be above.");
    row("negative loss", [](auto &s) { s.loss.crossEntropy = -1; }, "'loss.cross_entropy' is -1.0; it must be between 0.0 and 1000000.0.");
    row("smoothing", [](auto &s) { s.loss.labelSmoothing = 1; }, "'loss.label_smoothing' is 1.0; it must be at least 0.0 and below 1.0.");
    row("temperature", [](auto &s) { s.loss.temperature = 0; }, "'loss.temperature' is 0.0; it must be above 0.0 and at most 1000.0.");
    row("no tensors", [](auto &s) { s.loss.features = 2; }, "'loss.features' is 2.0, but 'loss.tensors' names no tensor; name some or set it to 0.");
    row("empty name", [](auto &s) { s.loss.tensors = {""}; }, "'loss.tensors' has an empty name; it must be names of tensors of the model.");
    row("area", [](auto &s) { s.augment.minArea = 0; }, "'augment.min_area' is 0.0; it must be above 0.0 and at most 1.0.");
    row("areas", [](auto &s) { s.augment.maxArea = 0.125; }, "'augment.max_area' is 0.125; it must be between 0.25 and 1.0.");
    row("aspect", [](auto &s) { s.augment.maxAspect = 0.5; }, "'augment.max_aspect' is 0.5; it must be between 1.0 and 100.0.");
    row("brightness", [](auto &s) { s.augment.brightness = 1.5; }, "'augment.brightness' is 1.5; it must be between 0.0 and 1.0.");
    row("contrast", [](auto &s) { s.augment.contrast = -1; }, "'augment.contrast' is -1.0; it must be between 0.0 and 1.0.");
    row("saturation", [](auto &s) { s.augment.saturation = 2; }, "'augment.saturation' is 2.0; it must be between 0.0 and 1.0.");
    row("shift", [](auto &s) { s.augment.shift = -1; }, "'augment.shift' is -1; it must be between 0 and 4096.");
    row("freeze", [](auto &s) { s.freezeBatchNormAt = 1.5; }, "'freeze_batch_norm_at' is 1.5; it must be between 0.0 and 1.0.");
    row("observers", [](auto &s) { s.freezeObserversAt = -1; }, "'freeze_observers_at' is -1.0; it must be between 0.0 and 1.0.");
    row("evaluations", [](auto &s) { s.evaluateEvery = -1; }, "'evaluate_every' is -1; it must be between 0 and 9007199254740992.");
    row("patience", [](auto &s) { s.patience = -1; }, "'patience' is -1; it must be between 0 and 1000000.");
}

void TestTrainingSpec::wrongValuesAreNamed()
{
    QFETCH(Change, change);
    QFETCH(QString, sentence);
    TrainingSpec spec;
    change(spec);
    QCOMPARE(refusal([&] { checkTraining(spec); }), sentence);
}

void TestTrainingSpec::oneLearningRateMayBeZero()
{
    TrainingSpec spec = defaultTraining(TrainMethod::Lsq, false);
    spec.learningRate = 0;
    checkTraining(spec);
    spec.quantizerLearningRate = 0;
    QCOMPARE(refusal([&] { checkTraining(spec); }), "[training] 'learning_rate' is 0, so that nothing is learned; it must be above 0, or quantizer_learning_rate.");
}

void TestTrainingSpec::namesOfEnumerations()
{
    for (const char *name : {"float", "qat", "lsq", "tqt"})
        QCOMPARE(trainMethodName(trainMethodFromName(name)), name);
    for (const char *name : {"adam", "sgd"})
        QCOMPARE(optimizerName(optimizerFromName(name)), name);
    for (const char *name : {"constant", "step", "cosine", "plateau"})
        QCOMPARE(scheduleName(scheduleFromName(name)), name);
    for (const char *name : {"fixed", "running", "batch"})
        QCOMPARE(batchNormModeName(batchNormModeFromName(name)), name);
    QVERIFY(trainMethodFromName("lsq") == TrainMethod::Lsq);
    QCOMPARE(refusal([] { trainMethodFromName("QAT"); }), "[training] 'method' cannot be 'QAT'; it is one of float, qat, lsq, tqt.");
}

QTEST_APPLESS_MAIN(TestTrainingSpec)
#include "tst_training_spec.moc"

// The loop on a small network: it learns, it can be interrupted anywhere, and it finds its way back.
#include "core/qat/trainer.h"

#include "core/exec/executor.h"
#include "core/ptq/pipeline.h"
#include "core/quant/qdq_graph.h"
#include "core/spec/training_recipe.h"
#include "tests/support/memory_dataset.h"
#include "tests/support/tiny_graph.h"

#include <ATen/ATen.h>

#include <QtTest/QtTest>

using namespace core;

namespace {

std::vector<float> numbers(std::size_t count, unsigned seed, float scale)
{
    const at::Tensor values = tests::noise({std::int64_t(count)}, seed) * scale;
    return {values.data_ptr<float>(), values.data_ptr<float>() + count};
}

/// Conv 1→8 (3×3), Relu, Conv depthwise, Relu, GlobalAveragePool, Flatten, Gemm 8→4 on 1×8×8 images.
std::shared_ptr<const Graph> network(float scale = 0.6f)
{
    tests::TinyGraph t;
    ValueId x = t.input("image", {-1, 1, 8, 8});
    t.graph.value(x).shape->at(0) = {-1, "N"};
    const auto conv = [&](const std::string &name, ValueId in, std::int64_t channels, std::int64_t perGroup, std::int64_t group, unsigned seed) {
        const ValueId w = t.constant(name + ".w", {channels, perGroup, 3, 3}, numbers(std::size_t(channels * perGroup * 9), seed, scale));
        const ValueId b = t.constant(name + ".b", {channels}, numbers(std::size_t(channels), seed + 1, 0.1f));
        return t.node("Conv", name, {in, w, b}, {{"group", group}, {"kernel_shape", std::vector<std::int64_t>{3, 3}}, {"pads", std::vector<std::int64_t>{1, 1, 1, 1}}});
    };
    x = t.node("Relu", "relu1", {conv("conv1", x, 8, 1, 1, 1)});
    x = t.node("Relu", "relu2", {conv("conv2", x, 8, 1, 8, 3)});
    x = t.node("Flatten", "flat", {t.node("GlobalAveragePool", "pool", {x})}, {{"axis", std::int64_t(1)}});
    x = t.node("Gemm", "fc", {x, t.constant("fc.w", {4, 8}, numbers(32, 5, 4)), t.constant("fc.b", {4}, numbers(4, 6, 0.1f))}, {{"transB", std::int64_t(1)}});
    t.output(x);
    return std::make_shared<const Graph>(t.graph);
}

/// Label = the quarter of the image that is brightest.
tests::MemoryDataset pictures(std::size_t count, unsigned seed)
{
    std::vector<at::Tensor> images;
    std::vector<std::int64_t> labels;
    for (std::size_t i = 0; i < count; ++i) {
        at::Tensor image = tests::noise({1, 8, 8}, seed + unsigned(i)) * 0.3f;
        const std::int64_t label = std::int64_t(i % 4);
        image.narrow(1, label / 2 * 4, 4).narrow(2, label % 2 * 4, 4).add_(float(label + 1) * 0.5f);
        images.push_back(image);
        labels.push_back(label);
    }
    return tests::MemoryDataset(std::move(images), std::move(labels));
}

QuantizedModel quantized(const std::shared_ptr<const Graph> &graph, TrainMethod method, const Dataset &data)
{
    Recipe recipe = presetRecipe("a8w4");
    recipe.config.global.weight.dtype = QuantDtype::Int3;
    recipe.config.global.weight.qscheme = Granularity::PerTensor;
    Progress quiet;
    PtqPipeline pipeline(*graph, trainingRecipe(recipe, method));
    pipeline.prepare(quiet);
    return pipeline.quantize(calibrate(pipeline.graph(), pipeline.targets(), data, {}, quiet).statistics, quiet);
}

TrainingSpec specFor(TrainMethod method)
{
    TrainingSpec spec = defaultTraining(method, false);
    spec.epochs = 6;
    spec.batchSize = 8;
    spec.learningRate = 1e-3;
    spec.augment.randomResizedCrop = spec.augment.flip = false;
    return spec;
}

/// Distance of the frozen model's class shares from the float model's; larger is better.
struct Measure {
    std::shared_ptr<const Graph> graph;
    const tests::MemoryDataset &data;
    TrainingModel &model;

    Evaluation operator()() const
    {
        at::NoGradGuard noGrad;
        Executor exact(graph), frozen(std::make_shared<const Graph>(buildQdqGraph(model.freeze())));
        double signal = 0, noise = 0;
        for (std::size_t i = 0; i < data.size(); ++i) {
            const at::Tensor input = data.load(i).inputs[0].unsqueeze(0);
            const at::Tensor a = at::softmax(exact.run(std::vector{input})[0], 1), b = at::softmax(frozen.run(std::vector{input})[0], 1);
            signal += a.square().sum().item<double>();
            noise += (a - b).square().sum().item<double>();
        }
        Evaluation evaluation;
        evaluation.images = std::int64_t(data.size());
        evaluation.agreement = AgreementFigures{0, 0, 10 * std::log10(signal / std::max(noise, 1e-30))};
        return evaluation;
    }
};

bool sameTensors(const std::vector<NamedTensor> &a, const std::vector<NamedTensor> &b)
{
    if (a.size() != b.size())
        return false;
    for (std::size_t i = 0; i < a.size(); ++i)
        if (a[i].name != b[i].name || !a[i].tensor.equal(b[i].tensor))
            return false;
    return true;
}

std::vector<NamedTensor> copies(const std::vector<NamedTensor> &state)
{
    std::vector<NamedTensor> result;
    for (const NamedTensor &one : state)
        result.push_back({one.name, one.tensor.detach().clone()});
    return result;
}

QByteArray curveText(const TrainingRecord &record)
{
    QByteArray text;
    for (const CurvePoint &point : record.curve)
        text += QByteArray::number(qlonglong(point.step)) + ' ' + QByteArray::number(point.loss, 'g', 17) + ' '
            + (point.evaluation ? QByteArray::number(point.evaluation->agreement->sqnrDb, 'g', 17) : QByteArray("-")) + '\n';
    return text;
}

TrainMethod methodOf(const QString &name) { return trainMethodFromName(name.toStdString()); }

} // namespace

class TestTrainer : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { configureEngine(1); }

    void distillationBringsBackWhatRoundingLost_data() { methods(); }
    void distillationBringsBackWhatRoundingLost()
    {
        QFETCH(QString, method);
        const TrainMethod kind = methodOf(method);
        const auto graph = network();
        const tests::MemoryDataset data = pictures(48, 7);
        TrainingSpec spec = specFor(kind);
        TrainingModel model(quantized(graph, kind, data), *graph, spec);
        Trainer trainer(model, graph, data, spec, {});
        QCOMPARE(trainer.totalSteps(), std::int64_t(36));
        const Measure judge{graph, data, model};
        TrainerHooks hooks;
        hooks.evaluate = judge;
        Progress quiet;
        const TrainingRecord record = trainer.run(hooks, quiet);
        QCOMPARE(record.steps, std::int64_t(36));
        const double before = record.curve.front().evaluation->agreement->sqnrDb;
        double best = before;
        for (const CurvePoint &point : record.curve)
            if (point.evaluation)
                best = std::max(best, point.evaluation->agreement->sqnrDb);
        QVERIFY2(best > before + 1.5, qPrintable(QString("%1 dB became %2 dB").arg(before).arg(best)));
        QCOMPARE(judge().agreement->sqnrDb, best); // the best state was restored
        QCOMPARE(record.curve.front().step, std::int64_t(0));
        QVERIFY(std::isnan(record.curve.front().loss));
    }

    void crossEntropyTeachesAFloatModel()
    {
        const auto graph = network();
        const tests::MemoryDataset data = pictures(64, 11);
        TrainingSpec spec = specFor(TrainMethod::Float);
        spec.loss = {};
        spec.loss.crossEntropy = 1;
        spec.loss.distillation = 0;
        spec.warmupSteps = 0;
        spec.learningRate = 0.05;
        spec.epochs = 30;
        TrainingModel model(graph, spec);
        Trainer trainer(model, nullptr, data, spec, {});
        Progress quiet;
        const TrainingRecord record = trainer.run({}, quiet);
        QVERIFY2(record.curve.back().loss < 0.3 * record.curve[1].loss, qPrintable(QString::number(record.curve.back().loss)));
        // What is frozen is what was trained.
        const Graph trained = *model.freeze().graph;
        const auto parameter = model.weights("fc");
        QCOMPARE(parameter.size(), std::size_t(2));
        QVERIFY(toTensor(*trained.constant(trained.findValue("fc.w"))).equal(parameter[0].second));
        QVERIFY(!trained.constant(trained.findValue("fc.w"))->sameAs(*graph->constant(graph->findValue("fc.w"))));
    }

    void interruptedAndResumedIsTheSameBitForBit_data() { methods(); }
    void interruptedAndResumedIsTheSameBitForBit()
    {
        QFETCH(QString, method);
        const TrainMethod kind = methodOf(method);
        const auto graph = network();
        const tests::MemoryDataset data = pictures(44, 3); // the last four images of an epoch are left out
        TrainingSpec spec = specFor(kind);
        spec.augment.flip = true;
        spec.evaluateEvery = 4;
        const QuantizedModel start = quantized(graph, kind, data);
        QTemporaryDir folder;
        const std::filesystem::path file = folder.filePath("checkpoint").toStdString();
        const auto runUntil = [&](std::int64_t stopAt, const Checkpoint *from, std::vector<NamedTensor> &state) {
            TrainingModel model(start, *graph, spec);
            Trainer trainer(model, graph, data, spec, {1, 0, "key"});
            const Measure judge{graph, data, model};
            std::stop_source stop;
            Progress progress({}, stop.get_token());
            TrainerHooks hooks;
            hooks.evaluate = judge;
            hooks.save = [&](const Checkpoint &checkpoint) { writeCheckpoint(checkpoint, file); };
            hooks.stepped = [&](const CurvePoint &point, bool, bool) {
                if (point.step == stopAt)
                    stop.request_stop();
            };
            TrainingRecord record;
            try {
                record = trainer.run(hooks, progress, from);
            } catch (const Cancelled &) {
            }
            state = copies(model.state());
            return record;
        };
        std::vector<NamedTensor> whole, parts;
        const TrainingRecord uninterrupted = runUntil(-1, nullptr, whole);
        runUntil(7, nullptr, parts);
        Checkpoint first = readCheckpoint(file);
        QCOMPARE(first.step, std::int64_t(7));
        QVERIFY(!first.finished);
        runUntil(18, &first, parts);
        const Checkpoint second = readCheckpoint(file);
        QCOMPARE(second.step, std::int64_t(18));
        const TrainingRecord resumed = runUntil(-1, &second, parts);
        QCOMPARE(curveText(resumed), curveText(uninterrupted));
        QCOMPARE(resumed.bestStep, uninterrupted.bestStep);
        QVERIFY(sameTensors(parts, whole));
        // A finished one gives its result at once.
        const Checkpoint finished = readCheckpoint(file);
        QVERIFY(finished.finished);
        QCOMPARE(curveText(runUntil(-1, &finished, parts)), curveText(uninterrupted));
        QVERIFY(sameTensors(parts, whole));
    }

    void checkpointsOfSomethingElseAreRefused()
    {
        const auto graph = network();
        const tests::MemoryDataset data = pictures(16, 3);
        const TrainingSpec spec = specFor(TrainMethod::Lsq);
        TrainingModel model(quantized(graph, TrainMethod::Lsq, data), *graph, spec);
        Trainer trainer(model, graph, data, spec, {1, 0, "one"});
        Checkpoint other;
        other.key = "another";
        Progress quiet;
        QVERIFY_EXCEPTION_THROWN(trainer.run({}, quiet, &other), Error);
        QTemporaryDir folder;
        const std::filesystem::path file = folder.filePath("broken").toStdString();
        QFile broken(QString::fromStdString(file.string()));
        QVERIFY(broken.open(QIODevice::WriteOnly) && broken.write("no checkpoint") > 0);
        broken.close();
        QVERIFY_EXCEPTION_THROWN(readCheckpoint(file), Error);
    }

    void pausingSavesAndStoppingKeepsTheBest()
    {
        const auto graph = network();
        const tests::MemoryDataset data = pictures(32, 5);
        TrainingSpec spec = specFor(TrainMethod::Qat);
        TrainingModel model(quantized(graph, TrainMethod::Qat, data), *graph, spec);
        Trainer trainer(model, graph, data, spec, {});
        const Measure judge{graph, data, model};
        int asked = 0, saved = 0, paused = 0;
        std::int64_t last = 0;
        TrainerHooks hooks;
        hooks.evaluate = judge;
        hooks.save = [&](const Checkpoint &) { ++saved; };
        hooks.stepped = [&](const CurvePoint &point, bool, bool isPaused) {
            paused += isPaused;
            last = point.step;
        };
        hooks.wish = [&] {
            ++asked;
            return asked < 3 ? TrainerHooks::Wish::GoOn : asked < 6 ? TrainerHooks::Wish::Pause : asked == 6 ? TrainerHooks::Wish::GoOn : TrainerHooks::Wish::Finish;
        };
        Progress quiet;
        const TrainingRecord record = trainer.run(hooks, quiet);
        QCOMPARE(paused, 1);
        QVERIFY(saved >= 2);
        QCOMPARE(last, std::int64_t(4));
        QCOMPARE(record.steps, std::int64_t(4));
        QVERIFY(record.ending.find("Stopped at step 4") != std::string::npos);
        QVERIFY(record.curve.back().evaluation.has_value());
    }

    void divergenceGoesBackToTheBest()
    {
        const auto graph = network();
        const tests::MemoryDataset data = pictures(32, 5);
        TrainingSpec spec = specFor(TrainMethod::Lsq);
        spec.optimizer = OptimizerKind::Sgd;
        spec.momentum = 0;
        spec.schedule = ScheduleKind::Constant;
        spec.learningRate = 1e4;
        spec.epochs = 40;
        TrainingModel model(quantized(graph, TrainMethod::Lsq, data), *graph, spec);
        const std::vector<NamedTensor> before = copies(model.state());
        Trainer trainer(model, graph, data, spec, {});
        const Measure judge{graph, data, model};
        TrainerHooks hooks;
        hooks.evaluate = judge;
        Progress quiet;
        const TrainingRecord record = trainer.run(hooks, quiet);
        QCOMPARE(trainer.diagnostics().size(), std::size_t(1));
        QCOMPARE(trainer.diagnostics()[0].code, std::string("training-diverged"));
        QVERIFY2(record.ending.find("smaller learning rate") != std::string::npos, record.ending.c_str());
        QCOMPARE(record.bestStep, std::int64_t(0));
        QVERIFY(sameTensors(copies(model.state()), before));
    }

    void aLossThatStartsAsNanNamesItsNode()
    {
        auto broken = std::make_shared<Graph>(*network());
        std::vector<float> weights = broken->constant(broken->findValue("fc.w"))->toFloats();
        weights[3] = std::numeric_limits<float>::quiet_NaN();
        broken->setConstant(broken->findValue("fc.w"), TensorData::fromFloats({4, 8}, weights));
        const tests::MemoryDataset data = pictures(16, 5);
        TrainingSpec spec = specFor(TrainMethod::Float);
        spec.loss.crossEntropy = 1;
        spec.loss.distillation = 0;
        TrainingModel model(std::shared_ptr<const Graph>(broken), spec);
        Trainer trainer(model, nullptr, data, spec, {});
        Progress quiet;
        try {
            trainer.run({}, quiet);
            QFAIL("nothing was thrown");
        } catch (const Error &error) {
            QVERIFY(error.kind() == ErrorKind::Numeric);
            QVERIFY2(error.sentence().find("'fc.w'") != std::string::npos, error.sentence().c_str());
        }
    }

    void patienceEndsATrainingThatGetsNoBetter()
    {
        const auto graph = network();
        const tests::MemoryDataset data = pictures(32, 5);
        TrainingSpec spec = specFor(TrainMethod::Qat);
        spec.epochs = 50;
        spec.patience = 3;
        TrainingModel model(quantized(graph, TrainMethod::Qat, data), *graph, spec);
        Trainer trainer(model, graph, data, spec, {});
        int evaluations = 0;
        TrainerHooks hooks;
        hooks.evaluate = [&] {
            Evaluation same;
            same.top1 = ++evaluations == 2 ? 60 : 50;
            return same;
        };
        Progress quiet;
        const TrainingRecord record = trainer.run(hooks, quiet);
        QCOMPARE(evaluations, 5);
        QCOMPARE(record.bestStep, std::int64_t(4));
        QCOMPARE(record.steps, std::int64_t(16));
    }

    void gradientsPassOneHook()
    {
        const auto graph = network();
        const tests::MemoryDataset data = pictures(16, 5);
        TrainingSpec spec = specFor(TrainMethod::Qat);
        spec.epochs = 1;
        TrainingModel model(quantized(graph, TrainMethod::Qat, data), *graph, spec);
        const std::vector<NamedTensor> before = copies(model.state());
        Trainer trainer(model, graph, data, spec, {});
        int calls = 0;
        TrainerHooks hooks;
        hooks.gradients = [&](const std::vector<at::Tensor> &parameters) {
            ++calls;
            for (const at::Tensor &parameter : parameters)
                if (parameter.grad().defined())
                    parameter.mutable_grad().zero_();
        };
        Progress quiet;
        trainer.run(hooks, quiet);
        QCOMPARE(calls, 2);
        const std::vector<NamedTensor> after = copies(model.state());
        for (std::size_t i = 0; i < after.size(); ++i)
            if (after[i].name.starts_with("parameter/"))
                QVERIFY2(after[i].tensor.equal(before[i].tensor), after[i].name.c_str());
    }

private:
    static void methods()
    {
        QTest::addColumn<QString>("method");
        for (const char *method : {"qat", "lsq", "tqt"})
            QTest::newRow(method) << QString(method);
    }
};

QTEST_APPLESS_MAIN(TestTrainer)
#include "tst_trainer.moc"

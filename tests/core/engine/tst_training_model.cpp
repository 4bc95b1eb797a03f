// A model while it is trained computes what the quantized model that it is frozen to computes, before and after a step.
#include "core/qat/training_model.h"

#include "core/exec/executor.h"
#include "core/ptq/pipeline.h"
#include "core/quant/qdq_graph.h"
#include "core/spec/training_recipe.h"
#include "tests/support/memory_dataset.h"
#include "tests/support/tiny_graph.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <QtTest/QtTest>

#include <algorithm>
#include <limits>
#include <set>

using namespace core;

namespace {

std::vector<float> numbers(std::size_t count, unsigned seed, float scale = 1)
{
    const at::Tensor values = tests::noise({std::int64_t(count)}, seed) * scale;
    return {values.data_ptr<float>(), values.data_ptr<float>() + count};
}

/// Conv 2→4, BatchNormalization, Relu6, depthwise Conv, Add, GlobalAveragePool, Flatten, Gemm 4→3.
tests::TinyGraph network()
{
    tests::TinyGraph t;
    const ValueId x = t.input("x", {-1, 2, 6, 6});
    const std::map<std::string, AttributeValue> same{{"kernel_shape", std::vector<std::int64_t>{3, 3}}, {"pads", std::vector<std::int64_t>{1, 1, 1, 1}}};
    std::map<std::string, AttributeValue> depthwise = same;
    depthwise["group"] = std::int64_t(4);
    const ValueId conv = t.node("Conv", "conv", {x, t.constant("w", {4, 2, 3, 3}, numbers(72, 1))}, same);
    const ValueId bn = t.node("BatchNormalization", "bn",
                              {conv, t.constant("gamma", {4}, {2, 1, -1, 3}), t.constant("beta", {4}, {1, 0.5f, 2, 0}), t.constant("mean", {4}, {0.1f, -0.2f, 0.3f, 0}),
                               t.constant("var", {4}, {1, 0.5f, 2, 1})});
    const ValueId six = t.node("Clip", "six", {bn, t.constant("low", {}, {0}), t.constant("high", {}, {6})});
    const ValueId deep = t.node("Conv", "deep", {six, t.constant("d", {4, 1, 3, 3}, numbers(36, 2)), t.constant("db", {4}, {1, -1, 0.5f, 0})}, depthwise);
    const ValueId sum = t.node("Add", "sum", {deep, six});
    const ValueId flat = t.node("Flatten", "flat", {t.node("GlobalAveragePool", "pool", {sum})}, {{"axis", std::int64_t(1)}});
    t.output(t.node("Gemm", "fc", {flat, t.constant("f", {3, 4}, numbers(12, 3)), t.constant("fb", {1, 3}, {0.25f, 0, -0.25f})}, {{"transB", std::int64_t(1)}}));
    return t;
}

at::Tensor images(unsigned seed, std::int64_t count = 3)
{
    return tests::noise({count, 2, 6, 6}, seed) * 2;
}

QuantizedModel quantized(const Graph &graph, TrainMethod method)
{
    Progress quiet;
    PtqPipeline pipeline(graph, trainingRecipe(presetRecipe("a8w8"), method));
    pipeline.prepare(quiet);
    std::vector<at::Tensor> samples;
    for (unsigned i = 0; i < 4; ++i)
        samples.push_back(images(i + 10, 1)[0]);
    return pipeline.quantize(calibrate(pipeline.graph(), pipeline.targets(), tests::MemoryDataset(samples), {}, quiet).statistics, quiet);
}

/// Biases stay float, as they are while training: then nothing may differ.
QuantizedModel withoutBiases(QuantizedModel model)
{
    for (Point &point : model.placement.points)
        if (point.kind == PointKind::Bias)
            point.scheme.dtype = QuantDtype::Float32;
    return model;
}

TrainingSpec specOf(BatchNormMode mode = BatchNormMode::Fixed)
{
    TrainingSpec spec;
    spec.batchNorm = mode;
    spec.optimizer = OptimizerKind::Sgd;
    spec.learningRate = spec.quantizerLearningRate = 0.01;
    return spec;
}

at::Tensor forward(TrainingModel &model, const at::Tensor &x)
{
    at::NoGradGuard off;
    return model(std::vector{x}).outputs.at(0);
}

at::Tensor frozen(const QuantizedModel &model, const at::Tensor &x)
{
    at::NoGradGuard off;
    return Executor(std::make_shared<const Graph>(buildQdqGraph(model))).run(std::vector{x}).at(0);
}

void step(TrainingModel &model, Optimizer &optimizer, const at::Tensor &x)
{
    optimizer.zeroGradients();
    model(std::vector{x}).outputs.at(0).square().mean().backward();
    optimizer.step();
    model.afterStep();
}

std::string firstDifference(const at::Tensor &a, const at::Tensor &b, double tolerance)
{
    const double largest = a.sizes() == b.sizes() ? (a - b).abs().max().item<double>() : std::numeric_limits<double>::infinity();
    return largest <= tolerance ? "" : "differ by " + std::to_string(largest) + ", allowed " + std::to_string(tolerance);
}

std::vector<float> constant(const QuantizedModel &model, const char *name)
{
    return model.graph->constant(model.graph->findValue(name))->toFloats();
}

std::vector<std::string> names(const std::vector<NamedTensor> &list)
{
    std::vector<std::string> result;
    for (const NamedTensor &one : list)
        result.push_back(one.name);
    std::sort(result.begin(), result.end());
    return result;
}

std::vector<NamedTensor> copies(const std::vector<NamedTensor> &state)
{
    std::vector<NamedTensor> result;
    for (const NamedTensor &one : state)
        result.push_back({one.name, one.tensor.detach().clone()});
    return result;
}

const Point &pointOf(const QuantizedModel &model, const char *tensor)
{
    for (const Point &point : model.placement.points)
        if (model.graph->value(point.value).name == tensor)
            return point;
    throw std::runtime_error(std::string("no point at ") + tensor);
}

void everyMethod()
{
    QTest::addColumn<int>("method");
    QTest::addColumn<int>("mode");
    for (const TrainMethod method : {TrainMethod::Qat, TrainMethod::Lsq, TrainMethod::Tqt})
        for (const BatchNormMode mode : {BatchNormMode::Fixed, BatchNormMode::Running, BatchNormMode::Batch})
            QTest::addRow("%s, %s", trainMethodName(method).c_str(), batchNormModeName(mode).c_str()) << int(method) << int(mode);
}

} // namespace

class TestTrainingModel : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { configureEngine(1); }

    void startsWhereCalibrationEnded_data() { everyMethod(); }
    void startsWhereCalibrationEnded()
    {
        QFETCH(int, method);
        QFETCH(int, mode);
        const Graph source = network().graph;
        const QuantizedModel start = quantized(source, TrainMethod(method));
        TrainingModel model(start, source, specOf(BatchNormMode(mode)));
        QVERIFY(model.diagnostics().empty());
        const QuantizedModel same = model.freeze();
        QCOMPARE(same.numbers.size(), start.numbers.size());
        for (std::size_t i = 0; i < start.numbers.size(); ++i)
            QVERIFY2(same.numbers[i].params == start.numbers[i].params, start.graph->value(start.placement.points[i].value).name.c_str());
        for (const char *name : {"d", "db", "f", "fb", "low", "high"})
            QVERIFY2(constant(same, name) == constant(start, name), name);
        const std::vector<float> now = constant(same, "w"), before = constant(start, "w");
        for (std::size_t i = 0; i < now.size(); ++i) // folded anew, in float
            QVERIFY(BatchNormMode(mode) == BatchNormMode::Fixed ? now[i] == before[i] : std::abs(now[i] - before[i]) <= 1e-6f);
    }

    void computesWhatItIsFrozenTo_data() { everyMethod(); }
    void computesWhatItIsFrozenTo()
    {
        QFETCH(int, method);
        QFETCH(int, mode);
        const Graph source = network().graph;
        const QuantizedModel start = quantized(source, TrainMethod(method));
        const at::Tensor x = images(1);
        TrainingModel model(start, source, specOf(BatchNormMode(mode)));
        TrainingModel exact(withoutBiases(start), source, specOf(BatchNormMode(mode)));
        Optimizer optimizer(specOf(), exact.parameters());
        // Derived biases alone are another thing while training: a rounded one may move an activation by a code, and that is at most a code of the output here.
        const double code = double(start.numbers[std::size_t(pointOf(start, "fc").id.index)].params[0].scale);
        std::string difference = firstDifference(forward(model, x), frozen(model.freeze(), x), 1.01 * code);
        QVERIFY2(difference.empty(), difference.c_str());
        for (int i = 0; i < 3; ++i) {
            const QuantizedModel now = exact.freeze(); // first: it must not wait for a pass with the new weights
            difference = firstDifference(forward(exact, x), frozen(now, x), 0);
            QVERIFY2(difference.empty(), difference.c_str());
            step(exact, optimizer, x);
        }
        QVERIFY(!forward(exact, x).equal(forward(model, x)));
    }

    void whatIsTrained()
    {
        const Graph source = network().graph;
        const QuantizedModel start = quantized(source, TrainMethod::Lsq);
        const ParameterGroups plain = TrainingModel(start, source, specOf()).parameters();
        // A bias is one whatever its shape, and the bounds of Clip are not trained.
        QCOMPARE(names(plain.weights), (std::vector<std::string>{"parameter/d", "parameter/f", "parameter/w"}));
        QCOMPARE(names(plain.plain), (std::vector<std::string>{"parameter/conv_bias", "parameter/db", "parameter/fb"}));
        std::set<std::int32_t> sets;
        for (const Point &point : start.placement.points)
            if (point.kind != PointKind::Bias)
                sets.insert(point.shares.index);
        QCOMPARE(plain.quantizers.size(), sets.size());
        for (const at::Tensor &tensor : plain.all())
            QVERIFY(tensor.is_leaf() && tensor.requires_grad());

        const ParameterGroups folded = TrainingModel(start, source, specOf(BatchNormMode::Running)).parameters();
        QCOMPARE(names(folded.weights), (std::vector<std::string>{"layer/bn.weight", "parameter/d", "parameter/f"}));
        QCOMPARE(names(folded.plain), (std::vector<std::string>{"layer/bn.beta", "layer/bn.gamma", "parameter/db", "parameter/fb"}));
        QVERIFY(TrainingModel(quantized(source, TrainMethod::Qat), source, specOf()).parameters().quantizers.empty());

        const ParameterGroups floats = TrainingModel(std::make_shared<const Graph>(source), specOf()).parameters();
        QCOMPARE(names(floats.weights), (std::vector<std::string>{"parameter/d", "parameter/f", "parameter/w"}));
        QCOMPARE(names(floats.plain), (std::vector<std::string>{"parameter/beta", "parameter/db", "parameter/fb", "parameter/gamma"}));
    }

    void aStepIsFrozen_data() { everyMethod(); }
    void aStepIsFrozen()
    {
        QFETCH(int, method);
        QFETCH(int, mode);
        const Graph source = network().graph;
        const QuantizedModel start = quantized(source, TrainMethod(method));
        TrainingModel model(start, source, specOf(BatchNormMode(mode)));
        const ParameterGroups groups = model.parameters();
        Optimizer optimizer(specOf(), groups);
        step(model, optimizer, images(1) * 3);
        for (const at::Tensor &parameter : groups.all())
            QVERIFY(parameter.grad().defined());
        const QuantizedModel after = model.freeze();
        for (const auto *list : {&groups.weights, &groups.plain})
            for (const NamedTensor &one : *list)
                if (one.name.starts_with("parameter/")) {
                    const std::string name = one.name.substr(10);
                    const at::Tensor now = one.tensor.detach().contiguous();
                    QVERIFY2(constant(after, name.c_str()) == std::vector<float>(now.data_ptr<float>(), now.data_ptr<float>() + now.numel()), name.c_str());
                    QVERIFY2(constant(after, name.c_str()) != constant(start, name.c_str()), name.c_str());
                }
        QVERIFY(constant(after, "w") != constant(start, "w"));
        QVERIFY(constant(after, "conv_bias") != constant(start, "conv_bias"));
        QCOMPARE(constant(after, "high"), std::vector<float>{6});
        const auto scale = [](const QuantizedModel &from, const char *tensor) { return from.numbers[std::size_t(pointOf(from, tensor).id.index)].params[0].scale; };
        if (TrainMethod(method) != TrainMethod::Tqt) // a step of its threshold need not reach the next power of two
            QVERIFY(scale(after, "f") != scale(start, "f"));
        // Pooling and reshaping keep the scale: one quantizer for all.
        bool shared = false;
        for (const Point &point : after.placement.points) {
            shared |= point.shares != point.id;
            QVERIFY(after.numbers[std::size_t(point.id.index)].params == after.numbers[std::size_t(point.shares.index)].params);
        }
        QVERIFY(shared);
        const auto thresholds = model.thresholds("deep");
        QVERIFY(std::any_of(thresholds.begin(), thresholds.end(), [](const auto &one) { return one.first == "six" && one.second > 0; }));
        QVERIFY(std::any_of(thresholds.begin(), thresholds.end(), [](const auto &one) { return one.first == "d"; }));
        QVERIFY(model.thresholds("nobody").empty() && model.weights("nobody").empty());
        QCOMPARE(model.weights("conv").at(0).first, std::string("w"));
        QVERIFY(model.weights("conv")[0].second.equal(toTensor(*after.graph->constant(after.graph->findValue("w")))));
        QCOMPARE(model.weights("deep").size(), std::size_t(2));
    }

    void statesGoRound_data() { everyMethod(); }
    void statesGoRound()
    {
        QFETCH(int, method);
        QFETCH(int, mode);
        const Graph source = network().graph;
        const QuantizedModel start = quantized(source, TrainMethod(method));
        const TrainingSpec spec = specOf(BatchNormMode(mode));
        TrainingModel first(start, source, spec), second(start, source, spec);
        Optimizer optimizer(spec, first.parameters());
        step(first, optimizer, images(1));
        step(first, optimizer, images(2));
        const std::vector<NamedTensor> state = copies(first.state());
        const std::vector<std::string> list = names(state);
        QVERIFY(std::adjacent_find(list.begin(), list.end()) == list.end());
        QVERIFY(!forward(second, images(3)).equal(forward(first, images(3))));
        for (std::size_t i = 0; i < state.size(); ++i) {
            std::vector<NamedTensor> wrong = state;
            wrong[i].name += "?";
            QVERIFY_EXCEPTION_THROWN(second.restore(wrong), Error);
            wrong = state;
            wrong[i].tensor = at::zeros({2, 7});
            QVERIFY_EXCEPTION_THROWN(second.restore(wrong), Error);
        }
        std::vector<NamedTensor> more = state;
        more.push_back({"parameter/low", at::zeros({})});
        QVERIFY_EXCEPTION_THROWN(second.restore(more), Error);
        second.restore(state);
        QVERIFY(forward(second, images(3)).equal(forward(first, images(3))));
        Optimizer other(spec, second.parameters());
        other.restore(optimizer.state(), optimizer.steps());
        step(first, optimizer, images(3));
        step(second, other, images(3));
        QVERIFY(forward(second, images(4)).equal(forward(first, images(4))));
    }

    void aFloatModelFollowsItsBatches()
    {
        const auto source = std::make_shared<const Graph>(network().graph);
        TrainingModel model(source, specOf(BatchNormMode::Batch)), fixed(source, specOf());
        const at::Tensor x = images(1, 8);
        const std::string difference = firstDifference(forward(model, x), frozen(model.freeze(), x), 1e-5);
        QVERIFY2(difference.empty(), difference.c_str());
        QVERIFY(forward(fixed, x).equal(forward(model, x)));
        const at::Tensor batch = model(std::vector{x}).outputs[0].detach();
        fixed(std::vector{x});
        QVERIFY(!batch.equal(forward(fixed, x)));
        // 0.9 · running + 0.1 · of the batch, unbiased.
        const at::Tensor raw = at::conv2d(x, toTensor(*source->constant(source->findValue("w"))), {}, 1, 1);
        const at::Tensor mean = at::tensor({0.1f, -0.2f, 0.3f, 0.0f}) * 0.9 + raw.mean({0, 2, 3}) * 0.1, variance = at::tensor({1.0f, 0.5f, 2.0f, 1.0f}) * 0.9 + raw.var({0, 2, 3}) * 0.1;
        const auto statistics = [](const TrainingModel &from, const char *name) { return at::tensor(constant(from.freeze(), name)); };
        QVERIFY(at::allclose(statistics(model, "mean"), mean, 1e-5, 1e-5) && at::allclose(statistics(model, "var"), variance, 1e-5, 1e-5));
        QCOMPARE(constant(fixed.freeze(), "var"), (std::vector<float>{1, 0.5f, 2, 1}));
        model.freezeBatchNorm();
        model(std::vector{x});
        QVERIFY(at::allclose(statistics(model, "var"), variance, 1e-5, 1e-5));
        QVERIFY(model.freeze().placement.points.empty());
    }

    void whatIsNotFiniteIsNamed()
    {
        tests::TinyGraph tiny = network();
        const ValueId idle = tiny.conv("idle", tiny.graph.findValue("six"), 4, 1); // nobody reads it
        QVERIFY(idle.valid());
        const std::vector<at::Tensor> x{images(1)};
        const Graph source = tiny.graph;
        QCOMPARE(TrainingModel(std::make_shared<const Graph>(source), specOf()).firstNotFinite(x), std::string());

        tests::TinyGraph nan = tiny;
        nan.graph.setConstant(nan.graph.findValue("db"), TensorData::fromFloats({4}, std::vector<float>{0, std::numeric_limits<float>::quiet_NaN(), 0, 0}));
        QCOMPARE(TrainingModel(std::make_shared<const Graph>(nan.graph), specOf()).firstNotFinite(x), std::string("weight 'db'"));

        // Every weight is finite; 3e38 · 6 is not.
        tests::TinyGraph large = tiny;
        large.graph.setConstant(large.graph.findValue("d"), TensorData::fromFloats({4, 1, 3, 3}, std::vector<float>(36, 3e38f)));
        QCOMPARE(TrainingModel(std::make_shared<const Graph>(large.graph), specOf()).firstNotFinite(x), std::string("tensor 'deep' of node 'deep'"));

        const QuantizedModel start = quantized(network().graph, TrainMethod::Lsq);
        TrainingModel model(start, network().graph, specOf(BatchNormMode::Running));
        QCOMPARE(model.firstNotFinite(x), std::string());
        at::Tensor f = model.weights("fc").at(0).second;
        f[1][2] = std::numeric_limits<float>::infinity();
        QCOMPARE(model.firstNotFinite(x), std::string("weight 'f'"));
    }
};

QTEST_APPLESS_MAIN(TestTrainingModel)
#include "tst_training_model.moc"

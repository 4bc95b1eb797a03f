#include "core/ptq/pipeline.h"
#include "core/ptq/widen_half.h"
#include "tests/support/memory_dataset.h"
#include "tests/support/tiny_graph.h"

#include <QtTest>

using namespace core;
using tests::TinyGraph;

class TestPipeline : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void foldsBeforeItPlaces();
    void targetsCoverEveryPoint();
    void numbersForEveryPoint();
    void biasCorrectionMovesTheBias();
    void keyGraphIgnoresBiasCorrection();
    void equalizationComesBeforeCalibration();
    void boundsAreLeftToTargetsThatTakeThem();
    void rulesThatMatchNothing();
    void halfPrecisionIsWidened();
};

namespace {

TinyGraph network()
{
    TinyGraph tiny;
    const ValueId x = tiny.input("x", {-1, 2, 6, 6});
    const at::Tensor w = tests::noise({4, 2, 3, 3}, 3), v = tests::noise({3, 4, 1, 1}, 4);
    const auto floats = [](const at::Tensor &t) { return std::vector<float>(t.data_ptr<float>(), t.data_ptr<float>() + t.numel()); };
    const ValueId conv = tiny.node("Conv", "conv", {x, tiny.constant("w", {4, 2, 3, 3}, floats(w))}, {{"kernel_shape", std::vector<std::int64_t>{3, 3}}});
    const ValueId bn = tiny.node("BatchNormalization", "bn",
                                 {conv, tiny.constant("g", {4}, {1, 8, 1, 2}), tiny.constant("h", {4}, {0, 1, 2, 3}), tiny.constant("m", {4}, {0, 0, 1, 0}),
                                  tiny.constant("s", {4}, {1, 1, 2, 1})});
    const ValueId relu = tiny.node("Relu", "relu", {bn});
    tiny.output(tiny.node("Conv", "head", {relu, tiny.constant("v", {3, 4, 1, 1}, floats(v)), tiny.constant("vb", {3}, {1, 2, 3})}));
    return tiny;
}

Recipe recipe(const char *preset, bool equalize = false, bool biasCorrection = false)
{
    Recipe made = presetRecipe(preset);
    made.equalize = equalize;
    made.biasCorrection = biasCorrection;
    return made;
}

StatisticsMap statistics(const PtqPipeline &pipeline)
{
    std::vector<at::Tensor> samples;
    for (unsigned i = 1; i <= 4; ++i)
        samples.push_back(tests::noise({2, 6, 6}, i));
    Progress progress;
    return calibrate(pipeline.graph(), pipeline.targets(), tests::MemoryDataset(samples), {}, progress).statistics;
}

} // namespace

void TestPipeline::foldsBeforeItPlaces()
{
    Progress progress;
    PtqPipeline pipeline(network().graph, recipe("a8w8"));
    pipeline.prepare(progress);
    QCOMPARE(pipeline.graph()->nodeCount(), std::size_t(3));
    QVERIFY(!pipeline.graph()->findNode("bn").valid());
    for (const char *tensor : {"x", "relu", "head", "w", "v", "vb", "conv_bias"}) {
        const ValueId value = pipeline.graph()->findValue(tensor);
        QVERIFY2(std::any_of(pipeline.state().placement.points.begin(), pipeline.state().placement.points.end(), [&](const Point &p) { return p.value == value; }), tensor);
    }
    QCOMPARE(pipeline.state().placement.points[0].provenance, std::string("preset 'a8w8'"));
}

void TestPipeline::targetsCoverEveryPoint()
{
    Progress progress;
    PtqPipeline plain(network().graph, recipe("a8w8")), corrected(network().graph, recipe("a8w8", false, true));
    plain.prepare(progress);
    corrected.prepare(progress);
    const auto axes = [](const PtqPipeline &pipeline) {
        std::map<std::string, int> list;
        for (const CalibrationTarget &target : pipeline.targets())
            list[pipeline.graph()->value(target.value).name] = target.channelAxis;
        return list;
    };
    QCOMPARE(axes(plain), (std::map<std::string, int>{{"x", -1}, {"relu", -1}, {"head", -1}}));
    QCOMPARE(axes(corrected), (std::map<std::string, int>{{"x", 1}, {"relu", 1}, {"head", -1}}));
}

void TestPipeline::numbersForEveryPoint()
{
    for (const std::string &preset : presetNames()) {
        Progress progress;
        PtqPipeline pipeline(network().graph, presetRecipe(preset));
        pipeline.prepare(progress);
        const QuantizedModel model = pipeline.quantize(statistics(pipeline), progress);
        QCOMPARE(model.numbers.size(), model.placement.points.size());
        for (const Point &point : model.placement.points) {
            const auto &params = model.numbers[std::size_t(point.id.index)].params;
            QVERIFY2(!params.empty(), preset.c_str());
            for (const AffineParams &one : params)
                QVERIFY2(one.scale > 0 && std::isfinite(one.scale), preset.c_str());
            if (point.kind == PointKind::Weight && point.scheme.granularity == Granularity::PerChannel)
                QCOMPARE(std::int64_t(params.size()), model.graph->constant(point.value)->dims[0]);
        }
    }
}

void TestPipeline::biasCorrectionMovesTheBias()
{
    Progress progress;
    PtqPipeline plain(network().graph, recipe("a8w8")), corrected(network().graph, recipe("a8w8", false, true));
    plain.prepare(progress);
    corrected.prepare(progress);
    const QuantizedModel a = plain.quantize(statistics(plain), progress), b = corrected.quantize(statistics(corrected), progress);
    const auto bias = [](const QuantizedModel &model) { return model.graph->constant(model.graph->findValue("vb"))->toFloats(); };
    QCOMPARE(bias(a), (std::vector<float>{1, 2, 3}));
    QVERIFY(bias(b) != bias(a));
    for (std::size_t i = 0; i < 3; ++i)
        QVERIFY(std::abs(bias(b)[i] - bias(a)[i]) < 0.2f);
    QVERIFY(a.numbers[0].params == b.numbers[0].params);
}

void TestPipeline::keyGraphIgnoresBiasCorrection()
{
    Progress progress;
    PtqPipeline plain(network().graph, recipe("a8w8")), corrected(network().graph, recipe("best", false, true)), equalized(network().graph, recipe("a8w8", true));
    const auto key = [&](PtqPipeline &pipeline) {
        pipeline.prepare(progress);
        return statisticsKey(pipeline.keyGraph(), {}, "");
    };
    const StatisticsKey first = key(plain);
    QVERIFY(first == key(corrected));
    QVERIFY(!(first == key(equalized)));
}

void TestPipeline::equalizationComesBeforeCalibration()
{
    Progress progress;
    PtqPipeline pipeline(network().graph, recipe("a8w8", true));
    pipeline.prepare(progress);
    // Folded first: bn's factors (1, 8, 1, 2) are part of the ranges that are evened out.
    const std::vector<float> w = pipeline.graph()->constant(pipeline.graph()->findValue("w"))->toFloats();
    const std::vector<float> v = pipeline.graph()->constant(pipeline.graph()->findValue("v"))->toFloats();
    for (std::size_t c = 0; c < 4; ++c) {
        float produced = 0, consumed = 0;
        for (std::size_t k = 0; k < 18; ++k)
            produced = std::max(produced, std::abs(w[c * 18 + k]));
        for (std::size_t o = 0; o < 3; ++o)
            consumed = std::max(consumed, std::abs(v[o * 4 + c]));
        QVERIFY(std::abs(produced / consumed - 1) < 0.01f);
    }
}

/// ONNX Runtime runs Conv as int8 only with a quantizer right behind its Relu, which a bound for each channel would get between.
void TestPipeline::boundsAreLeftToTargetsThatTakeThem()
{
    TinyGraph tiny;
    const ValueId conv = tiny.conv("a", tiny.input("x", {-1, 2, 6, 6}), 2, 4);
    tiny.graph.setConstant(tiny.graph.findValue("a.w"), TensorData::fromFloats({4, 2, 1, 1}, std::vector<float>{1, 2, 3, 4, 5, 6, 7, 8}));
    const ValueId clip = tiny.node("Clip", "six", {conv, tiny.constant("low", {}, {0}), tiny.constant("high", {}, {6})});
    tiny.output(tiny.conv("b", clip, 4, 2));
    for (const char *target : {"", "onnxruntime-cpu"}) {
        Progress progress;
        Recipe made = recipe("a8w8", true);
        made.target = target;
        PtqPipeline pipeline(tiny.graph, made);
        pipeline.prepare(progress);
        QCOMPARE(pipeline.graph()->node(pipeline.graph()->findNode("six")).opType, std::string(*target ? "Clip" : "Relu"));
    }
}

void TestPipeline::rulesThatMatchNothing()
{
    Progress progress;
    Recipe wrong = recipe("a8w8");
    wrong.config.exclude = {"no such node*"};
    PtqPipeline pipeline(network().graph, wrong);
    QVERIFY_THROWS_EXCEPTION(Error, pipeline.prepare(progress));
}

void TestPipeline::halfPrecisionIsWidened()
{
    TinyGraph tiny;
    const ValueId x = tiny.input("x", {1, 1, 2, 2}, DataType::Float16);
    const std::uint16_t half[] = {floatToHalf(0.5f)};
    const auto *raw = reinterpret_cast<const std::byte *>(half);
    const ValueId w = tiny.graph.addConstant("w", TensorData::fromBytes(DataType::Float16, {1, 1, 1, 1}, {raw, raw + 2}));
    const ValueId conv = tiny.node("Conv", "conv", {x, w}, {}, DataType::Float16);
    const ValueId cast = tiny.node("Cast", "cast", {conv}, {{"to", std::int64_t(DataType::Float16)}}, DataType::Float16);
    tiny.output(tiny.node("Relu", "y", {cast}, {}, DataType::Float16));
    Graph graph = tiny.graph;
    QCOMPARE(widenHalf(graph), std::size_t(5));
    std::vector<std::string> order;
    for (const NodeId id : graph.order())
        order.push_back(graph.node(id).name);
    QCOMPARE(order, (std::vector<std::string>{"x_Cast", "conv", "cast", "y", "y_Cast"}));
    QCOMPARE(graph.value(graph.inputs[0]).type, DataType::Float16);
    QCOMPARE(graph.value(graph.outputs[0]).type, DataType::Float16);
    QCOMPARE(graph.value(graph.outputs[0]).name, std::string("y"));
    QCOMPARE(graph.constant(graph.findValue("w"))->type, DataType::Float32);
    QCOMPARE(graph.constant(graph.findValue("w"))->toFloats(), std::vector<float>{0.5f});
    QCOMPARE(graph.node(graph.findNode("cast")).intAttribute("to", 0), std::int64_t(DataType::Float32));
    QCOMPARE(graph.value(conv).type, DataType::Float32);
    QCOMPARE(graph.node(graph.findNode("conv")).input(0), graph.node(graph.findNode("x_Cast")).output());

    Graph again = network().graph;
    QCOMPARE(widenHalf(again), std::size_t(0));
}

QTEST_APPLESS_MAIN(TestPipeline)
#include "tst_pipeline.moc"

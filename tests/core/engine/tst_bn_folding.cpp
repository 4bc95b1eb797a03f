#include "core/exec/executor.h"
#include "core/ptq/bn_folding.h"
#include "core/graph/layer_channels.h"
#include "tests/support/memory_dataset.h"
#include "tests/support/tiny_graph.h"

#include <QtTest>

using namespace core;
using tests::TinyGraph;

class TestBnFolding : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void numbersByHand();
    void missingBiasIsMade();
    void groupedTransposedConvolution();
    void gemmWithBeta();
    void leftWhereAnotherReads();
    void sharedWeightIsCopied();
    void channelsThatDiffer();
    void paddingMovesIntoTheConvolution();
    void paddingWithOtherValuesStays();
    void zeroBiases();
    void channelsOfWeightElements();
};

namespace {

std::vector<float> floats(const Graph &graph, const char *name)
{
    return graph.constant(graph.findValue(name))->toFloats();
}

std::vector<at::Tensor> run(const Graph &graph, const at::Tensor &input)
{
    ExecutorOptions options;
    options.optimize = false;
    return Executor(std::make_shared<const Graph>(graph), options).run(std::vector<at::Tensor>{input});
}

ValueId batchNorm(TinyGraph &tiny, const std::string &name, ValueId in, std::vector<float> gamma, std::vector<float> beta, std::vector<float> mean, std::vector<float> variance)
{
    const auto dims = [](const std::vector<float> &values) { return std::vector<std::int64_t>{std::int64_t(values.size())}; };
    return tiny.node("BatchNormalization", name,
                     {in, tiny.constant(name + ".gamma", dims(gamma), gamma), tiny.constant(name + ".beta", dims(beta), beta),
                      tiny.constant(name + ".mean", dims(mean), mean), tiny.constant(name + ".var", dims(variance), variance)});
}

} // namespace

// γ / √(σ² + ε) = 3 / √(3.99999 + 1e-5) = 1.5; weight 2·1.5; bias (1 − 5)·1.5 + 4 = −2.
void TestBnFolding::numbersByHand()
{
    TinyGraph tiny;
    const ValueId x = tiny.input("x", {1, 1, 2, 2});
    const ValueId conv = tiny.node("Conv", "conv", {x, tiny.constant("w", {1, 1, 1, 1}, {2}), tiny.constant("b", {1}, {1})});
    tiny.output(batchNorm(tiny, "bn", conv, {3}, {4}, {5}, {3.99999f}));
    QCOMPARE(foldBatchNormalization(tiny.graph), std::size_t(1));
    QCOMPARE(tiny.graph.nodeCount(), std::size_t(1));
    QCOMPARE(tiny.graph.value(tiny.graph.outputs[0]).name, std::string("bn"));
    QCOMPARE(tiny.graph.node(tiny.nodeId("conv")).output(), tiny.graph.outputs[0]);
    QVERIFY(std::abs(floats(tiny.graph, "w")[0] - 3.0f) < 1e-6f);
    QVERIFY(std::abs(floats(tiny.graph, "b")[0] + 2.0f) < 1e-6f);
    QVERIFY(!tiny.graph.findValue("bn.gamma").valid());
}

void TestBnFolding::missingBiasIsMade()
{
    TinyGraph tiny;
    const ValueId x = tiny.input("x", {1, 1, 2, 2});
    const ValueId conv = tiny.node("Conv", "conv", {x, tiny.constant("w", {2, 1, 1, 1}, {1, 2})});
    tiny.output(batchNorm(tiny, "bn", conv, {1, 1}, {0, 7}, {2, 0}, {0.99999f, 0.99999f}));
    QCOMPARE(foldBatchNormalization(tiny.graph), std::size_t(1));
    const std::vector<float> bias = floats(tiny.graph, "conv_bias");
    QVERIFY(std::abs(bias[0] + 2) < 1e-5f && std::abs(bias[1] - 7) < 1e-5f);
}

void TestBnFolding::groupedTransposedConvolution()
{
    TinyGraph tiny;
    const ValueId x = tiny.input("x", {1, 4, 3, 3});
    std::vector<float> weight(4 * 3 * 2 * 2);
    for (std::size_t i = 0; i < weight.size(); ++i)
        weight[i] = float(i % 7) - 3;
    const ValueId conv = tiny.node("ConvTranspose", "up", {x, tiny.constant("w", {4, 3, 2, 2}, weight), tiny.constant("b", {6}, {1, 2, 3, 4, 5, 6})},
                                   {{"group", std::int64_t(2)}, {"kernel_shape", std::vector<std::int64_t>{2, 2}}});
    tiny.output(batchNorm(tiny, "bn", conv, {1, 2, 3, 4, 5, 6}, {6, 5, 4, 3, 2, 1}, {.1f, .2f, .3f, .4f, .5f, .6f}, {1, 2, 3, 4, 5, 6}));
    const at::Tensor input = tests::noise({1, 4, 3, 3}, 1), before = run(tiny.graph, input)[0];
    QCOMPARE(foldBatchNormalization(tiny.graph), std::size_t(1));
    QVERIFY((run(tiny.graph, input)[0] - before).abs().max().item<float>() < 1e-4f);
}

void TestBnFolding::gemmWithBeta()
{
    TinyGraph tiny;
    const ValueId x = tiny.input("x", {2, 3});
    const ValueId fc = tiny.node("Gemm", "fc", {x, tiny.constant("w", {3, 2}, {1, 2, 3, 4, 5, 6}), tiny.constant("b", {2}, {10, 20})},
                                 {{"alpha", 2.0f}, {"beta", 0.5f}});
    tiny.output(batchNorm(tiny, "bn", fc, {2, 3}, {1, 1}, {1, 2}, {1, 4}));
    const at::Tensor input = tests::noise({2, 3}, 2), before = run(tiny.graph, input)[0];
    QCOMPARE(foldBatchNormalization(tiny.graph), std::size_t(1));
    QCOMPARE(tiny.graph.node(tiny.nodeId("fc")).floatAttribute("beta", 1), 1.0f);
    QVERIFY((run(tiny.graph, input)[0] - before).abs().max().item<float>() < 1e-4f);
}

void TestBnFolding::leftWhereAnotherReads()
{
    TinyGraph tiny;
    const ValueId conv = tiny.conv("conv", tiny.input("x", {1, 1, 2, 2}), 1, 1);
    tiny.output(batchNorm(tiny, "bn", conv, {3}, {4}, {5}, {1}));
    tiny.output(tiny.node("Relu", "relu", {conv}));
    QCOMPARE(foldBatchNormalization(tiny.graph), std::size_t(0));
    QCOMPARE(tiny.graph.nodeCount(), std::size_t(3));

    TinyGraph exposed;
    const ValueId seen = exposed.conv("conv", exposed.input("x", {1, 1, 2, 2}), 1, 1);
    exposed.output(seen);
    exposed.output(batchNorm(exposed, "bn", seen, {3}, {4}, {5}, {1}));
    QCOMPARE(foldBatchNormalization(exposed.graph), std::size_t(0));
}

void TestBnFolding::sharedWeightIsCopied()
{
    TinyGraph tiny;
    const ValueId x = tiny.input("x", {1, 1, 2, 2}), w = tiny.constant("w", {1, 1, 1, 1}, {2});
    const ValueId first = tiny.node("Conv", "first", {x, w}), second = tiny.node("Conv", "second", {x, w});
    tiny.output(batchNorm(tiny, "bn", first, {3}, {0}, {0}, {0.99999f}));
    tiny.output(second);
    QCOMPARE(foldBatchNormalization(tiny.graph), std::size_t(1));
    QCOMPARE(floats(tiny.graph, "w")[0], 2.0f);
    const ValueId own = tiny.graph.node(tiny.nodeId("first")).input(1);
    QVERIFY(own != w);
    QVERIFY(std::abs(tiny.graph.constant(own)->toFloats()[0] - 6) < 1e-5f);
}

void TestBnFolding::channelsThatDiffer()
{
    TinyGraph tiny;
    const ValueId conv = tiny.conv("conv1", tiny.input("x"), 3, 2);
    tiny.output(batchNorm(tiny, "bn1", conv, {1, 1, 1}, {1, 1, 1}, {1, 1, 1}, {1, 1, 1}));
    try {
        foldBatchNormalization(tiny.graph);
        QFAIL("no error");
    } catch (const Error &error) {
        QCOMPARE(error.kind(), ErrorKind::InvalidInput);
        for (const char *part : {"conv1", "bn1", "2", "3"})
            QVERIFY2(error.sentence().find(part) != std::string::npos, error.what());
    }
}

void TestBnFolding::paddingMovesIntoTheConvolution()
{
    TinyGraph tiny;
    const ValueId x = tiny.input("x", {1, 1, 3, 4});
    const ValueId pad = tiny.node("Pad", "pad", {x, tiny.integers("pads", {0, 0, 1, 2, 0, 0, 3, 4})});
    const ValueId conv = tiny.node("Conv", "conv", {pad, tiny.constant("w", {1, 1, 2, 2}, {1, 2, 3, 4})},
                                   {{"pads", std::vector<std::int64_t>{1, 0, 0, 1}}, {"kernel_shape", std::vector<std::int64_t>{2, 2}}});
    tiny.output(conv);
    const at::Tensor input = tests::noise({1, 1, 3, 4}, 3), before = run(tiny.graph, input)[0];
    QCOMPARE(foldPadding(tiny.graph), std::size_t(1));
    QCOMPARE(tiny.graph.nodeCount(), std::size_t(1));
    QCOMPARE(tiny.graph.node(tiny.nodeId("conv")).intsAttribute("pads"), (std::vector<std::int64_t>{2, 2, 3, 5}));
    QVERIFY(at::equal(run(tiny.graph, input)[0], before));
}

void TestBnFolding::paddingWithOtherValuesStays()
{
    const auto folded = [](std::vector<std::int64_t> pads, float value, const char *mode) {
        TinyGraph tiny;
        const ValueId pad = tiny.node("Pad", "pad", {tiny.input("x", {1, 1, 4, 4}), tiny.integers("pads", std::move(pads)), tiny.constant("value", {}, {value})},
                                      {{"mode", std::string(mode)}});
        tiny.output(tiny.node("Conv", "conv", {pad, tiny.constant("w", {1, 1, 1, 1}, {1})}));
        return foldPadding(tiny.graph);
    };
    QCOMPARE(folded({0, 0, 1, 1, 0, 0, 1, 1}, 0, "constant"), std::size_t(1));
    QCOMPARE(folded({0, 0, 1, 1, 0, 0, 1, 1}, 1, "constant"), std::size_t(0));
    QCOMPARE(folded({0, 0, 1, 1, 0, 0, 1, 1}, 0, "reflect"), std::size_t(0));
    QCOMPARE(folded({0, 0, -1, 1, 0, 0, 1, 1}, 0, "constant"), std::size_t(0));
    QCOMPARE(folded({1, 0, 0, 0, 0, 0, 0, 0}, 0, "constant"), std::size_t(0));
}

void TestBnFolding::zeroBiases()
{
    TinyGraph tiny;
    const ValueId x = tiny.input("x", {1, 2, 4, 4});
    const ValueId conv = tiny.node("Conv", "conv", {x, tiny.constant("w", {3, 2, 1, 1})});
    tiny.output(tiny.conv("kept", conv, 3, 1));
    QCOMPARE(addMissingBiases(tiny.graph), std::size_t(1));
    QCOMPARE(floats(tiny.graph, "conv_bias"), (std::vector<float>{0, 0, 0}));
    QCOMPARE(addMissingBiases(tiny.graph), std::size_t(0));
}

// Conv [4, 2, …] with 2 groups: rows 0, 1 read channels 0, 1; rows 2, 3 read channels 2, 3.
void TestBnFolding::channelsOfWeightElements()
{
    TinyGraph tiny;
    const ValueId x = tiny.input("x", {1, 4, 4, 4});
    const ValueId w = tiny.constant("w", {4, 2, 1, 1});
    tiny.node("Conv", "conv", {x, w}, {{"group", std::int64_t(2)}});
    const LayerChannels conv(tiny.graph.node(tiny.nodeId("conv")), *tiny.graph.constant(w));
    QCOMPARE(conv.outputs(), std::int64_t(4));
    QCOMPARE(conv.inputs(), std::int64_t(4));
    std::vector<std::size_t> in, out;
    for (std::int64_t i = 0; i < 8; ++i) {
        in.push_back(conv.input(i));
        out.push_back(conv.output(i));
    }
    QCOMPARE(out, (std::vector<std::size_t>{0, 0, 1, 1, 2, 2, 3, 3}));
    QCOMPARE(in, (std::vector<std::size_t>{0, 1, 0, 1, 2, 3, 2, 3}));

    // ConvTranspose [4, 2, …] with 2 groups: rows are inputs, columns the outputs of the row's group.
    tiny.node("ConvTranspose", "up", {x, w}, {{"group", std::int64_t(2)}});
    const LayerChannels up(tiny.graph.node(tiny.nodeId("up")), *tiny.graph.constant(w));
    in.clear();
    out.clear();
    for (std::int64_t i = 0; i < 8; ++i) {
        in.push_back(up.input(i));
        out.push_back(up.output(i));
    }
    QCOMPARE(in, (std::vector<std::size_t>{0, 0, 1, 1, 2, 2, 3, 3}));
    QCOMPARE(out, (std::vector<std::size_t>{0, 1, 0, 1, 2, 3, 2, 3}));
}

QTEST_APPLESS_MAIN(TestBnFolding)
#include "tst_bn_folding.moc"

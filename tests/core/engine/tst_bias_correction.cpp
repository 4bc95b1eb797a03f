#include "core/ptq/bias_correction.h"
#include "tests/support/hand_model.h"

#include <QtTest>

using namespace core;
using tests::affine;
using tests::HandModel;
using tests::TinyGraph;

class TestBiasCorrection : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void numbersByHand();
    void groupsReadTheirOwnChannels();
    void paddingCountsAsZeros();
    void transposedConvolutionWithStride();
    void gemmWithFactors();
    void matMulAndAdd();
    void layersThatAreSkipped();
    void asksForChannelMeans();
};

namespace {

TensorStatistics means(const std::vector<double> &values)
{
    TensorStatistics statistics;
    statistics.channelAxis = 1;
    for (const double value : values) {
        ChannelStatistics channel;
        channel.sum.add(value * 4);
        channel.count = 4;
        statistics.channels.push_back(channel);
    }
    return statistics;
}

PtqState stateOf(const TinyGraph &tiny, const HandModel &hand, const std::vector<double> &inputMeans, const char *input = "x")
{
    PtqState state;
    state.graph = tiny.graph;
    state.quantized = hand.model;
    state.placement = hand.model.placement;
    if (!inputMeans.empty())
        state.statistics[tiny.graph.findValue(input)] = means(inputMeans);
    return state;
}

std::vector<float> corrected(PtqState state, const char *bias)
{
    Progress progress;
    BiasCorrection().apply(state, progress);
    for (const Diagnostic &diagnostic : state.diagnostics)
        qInfo("%s", diagnostic.sentence.c_str());
    return state.graph.constant(state.graph.findValue(bias))->toFloats();
}

bool near(const std::vector<float> &a, const std::vector<float> &b)
{
    for (std::size_t i = 0; i < a.size(); ++i)
        if (std::abs(a[i] - b.at(i)) > 1e-5f)
            return false;
    return a.size() == b.size();
}

} // namespace

// Steps of 1: 0.3 → 0, 0.6 → 1. Channel 0: (0 − 0.3)·2 + (1 − 0.6)·10 = 3.4, so 5 − 3.4; channel 1: (1 − 0.7)·2 = 0.6.
void TestBiasCorrection::numbersByHand()
{
    TinyGraph tiny;
    const ValueId x = tiny.input("x", {1, 2, 2, 2});
    tiny.output(tiny.node("Conv", "conv", {x, tiny.constant("w", {2, 2, 1, 1}, {0.3f, 0.6f, 0.7f, 2}), tiny.constant("b", {2}, {5, 1})}));
    HandModel hand(tiny.graph);
    hand.weight("w", {affine(1)});
    QVERIFY(near(corrected(stateOf(tiny, hand, {2, 10}), "b"), {1.6f, 0.4f}));
}

void TestBiasCorrection::groupsReadTheirOwnChannels()
{
    TinyGraph tiny;
    const ValueId x = tiny.input("x", {1, 2, 2, 2});
    tiny.output(tiny.node("Conv", "conv", {x, tiny.constant("w", {2, 1, 1, 2}, {0.3f, 0.3f, 0.7f, 1}), tiny.constant("b", {2}, {0, 0})},
                          {{"group", std::int64_t(2)}, {"kernel_shape", std::vector<std::int64_t>{1, 2}}}));
    HandModel hand(tiny.graph);
    hand.weight("w", {affine(1)});
    QVERIFY(near(corrected(stateOf(tiny, hand, {2, 10}), "b"), {1.2f, -3}));
}

// 3 taps over 4 inputs with one zero on either side: the outer taps read inside at 3 of 4 positions. Stride 2 (outputs at −1 and 1): the first
// tap reads inside once of twice.
void TestBiasCorrection::paddingCountsAsZeros()
{
    const auto corrected2 = [](std::int64_t stride, std::int64_t outputs, const char *automatic) {
        TinyGraph tiny;
        const ValueId x = tiny.input("x", {1, 1, 1, 4});
        std::map<std::string, AttributeValue> attributes{{"kernel_shape", std::vector<std::int64_t>{1, 3}}, {"strides", std::vector<std::int64_t>{1, stride}}};
        if (*automatic)
            attributes["auto_pad"] = std::string(automatic);
        else
            attributes["pads"] = std::vector<std::int64_t>{0, 1, 0, 1};
        tiny.output(tiny.node("Conv", "conv", {x, tiny.constant("w", {1, 1, 1, 3}, {0.25f, 0.125f, 0.375f}), tiny.constant("b", {1}, {0})}, attributes));
        tiny.graph.value(tiny.graph.outputs[0]).shape = Shape{{1, {}}, {1, {}}, {1, {}}, {outputs, {}}};
        HandModel hand(tiny.graph);
        hand.weight("w", {affine(1)});
        return corrected(stateOf(tiny, hand, {8}), "b");
    };
    QVERIFY(near(corrected2(1, 4, ""), {8 * (0.25f * 0.75f + 0.125f + 0.375f * 0.75f)}));
    QVERIFY(near(corrected2(2, 2, ""), {8 * (0.25f * 0.5f + 0.125f + 0.375f)}));
    QVERIFY(near(corrected2(1, 4, "SAME_UPPER"), {8 * (0.25f * 0.75f + 0.125f + 0.375f * 0.75f)}));
    // Inputs 0…3, outputs at 0 and 2: one zero is needed, and SAME_UPPER puts it at the end.
    QVERIFY(near(corrected2(2, 2, "SAME_UPPER"), {8 * (0.25f + 0.125f + 0.375f * 0.5f)}));
    QVERIFY(near(corrected2(2, 2, "SAME_LOWER"), {8 * (0.25f * 0.5f + 0.125f + 0.375f)}));
}

// Stride 2×2: each output sees on average a quarter of the kernel.
void TestBiasCorrection::transposedConvolutionWithStride()
{
    TinyGraph tiny;
    const ValueId x = tiny.input("x", {1, 1, 2, 2});
    tiny.output(tiny.node("ConvTranspose", "up", {x, tiny.constant("w", {1, 1, 2, 2}, {0.25f, 0.25f, 0.25f, 0.25f}), tiny.constant("b", {1}, {0})},
                          {{"strides", std::vector<std::int64_t>{2, 2}}, {"kernel_shape", std::vector<std::int64_t>{2, 2}}}));
    HandModel hand(tiny.graph);
    hand.weight("w", {affine(1)});
    QVERIFY(near(corrected(stateOf(tiny, hand, {4}), "b"), {1}));
}

// alpha·Δ = 2·(1 − 0.75)·8 = 4; beta·b must fall by 4, so b by 8.
void TestBiasCorrection::gemmWithFactors()
{
    TinyGraph tiny;
    const ValueId x = tiny.input("x", {1, 1});
    tiny.output(tiny.node("Gemm", "fc", {x, tiny.constant("w", {1, 1}, {0.75f}), tiny.constant("b", {1}, {10})}, {{"alpha", 2.0f}, {"beta", 0.5f}}));
    HandModel hand(tiny.graph);
    hand.weight("w", {affine(1)});
    QVERIFY(near(corrected(stateOf(tiny, hand, {8}), "b"), {2}));
}

void TestBiasCorrection::matMulAndAdd()
{
    TinyGraph tiny;
    const ValueId x = tiny.input("x", {1, 2});
    const ValueId product = tiny.node("MatMul", "mm", {x, tiny.constant("w", {2, 2}, {0.3f, 0.6f, 0.7f, 2})});
    tiny.output(tiny.node("Add", "add", {tiny.constant("b", {2}, {0, 0}), product}));
    HandModel hand(tiny.graph);
    hand.weight("w", {affine(1)});
    // Column 0: (0 − 0.3)·2 + (1 − 0.7)·10 = 2.4; column 1: (1 − 0.6)·2 = 0.8.
    QVERIFY(near(corrected(stateOf(tiny, hand, {2, 10}), "b"), {-2.4f, -0.8f}));
}

void TestBiasCorrection::layersThatAreSkipped()
{
    Progress progress;
    TinyGraph bare;
    bare.output(bare.node("Conv", "conv", {bare.input("x", {1, 1, 2, 2}), bare.constant("w", {1, 1, 1, 1}, {0.3f})}));
    HandModel hand(bare.graph);
    hand.weight("w", {affine(1)});
    PtqState state = stateOf(bare, hand, {2});
    BiasCorrection().apply(state, progress);
    QCOMPARE(state.diagnostics.size(), std::size_t(1));
    QVERIFY(state.diagnostics[0].sentence.find("no constant bias") != std::string::npos);

    TinyGraph unseen;
    unseen.output(unseen.conv("conv", unseen.input("x", {1, 1, 2, 2}), 1, 1));
    HandModel blind(unseen.graph);
    blind.weight("conv.w", {affine(1)});
    state = stateOf(unseen, blind, {});
    BiasCorrection().apply(state, progress);
    QCOMPARE(state.diagnostics.size(), std::size_t(1));
    QVERIFY(state.diagnostics[0].sentence.find("no channel means") != std::string::npos);

    TinyGraph shared;
    const ValueId x = shared.input("x", {1, 1, 2, 2}), b = shared.constant("b", {1}, {1});
    shared.output(shared.node("Conv", "one", {x, shared.constant("w", {1, 1, 1, 1}, {0.3f}), b}));
    shared.output(shared.node("Conv", "two", {x, shared.constant("v", {1, 1, 1, 1}, {0.3f}), b}));
    HandModel both(shared.graph);
    both.weight("w", {affine(1)});
    state = stateOf(shared, both, {2});
    BiasCorrection().apply(state, progress);
    QCOMPARE(state.graph.constant(b)->toFloats(), std::vector<float>{1});
    QCOMPARE(state.diagnostics.size(), std::size_t(1));
}

void TestBiasCorrection::asksForChannelMeans()
{
    TinyGraph tiny;
    const ValueId conv = tiny.conv("conv", tiny.input("x", {1, 1, 2, 2}), 1, 1);
    tiny.output(tiny.conv("float", conv, 1, 1));
    HandModel hand(tiny.graph);
    hand.weight("conv.w", {affine(1)});
    hand.weight("float.w", {affine(1)}, QuantDtype::Float32);
    QCOMPARE(BiasCorrection().needs(tiny.graph, hand.model.placement).channelMeans, std::vector<ValueId>{tiny.graph.findValue("x")});
}

QTEST_APPLESS_MAIN(TestBiasCorrection)
#include "tst_bias_correction.moc"

#include "core/exec/executor.h"
#include "core/ptq/equalization.h"
#include "core/ptq/noise_inputs.h"
#include "tests/support/memory_dataset.h"
#include "tests/support/tiny_graph.h"

#include <QtTest>

using namespace core;
using tests::TinyGraph;

class TestEqualization : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void numbersByHand();
    void clipGetsABoundForEachChannel();
    void clipsCanBeSkipped();
    void depthwiseChainComputesTheSame();
    void pairsThatAreLeft();
    void zeroChannelsAreLeft();
    void algorithmKeepsTheFunction();
    void noiseIsRepeatable();
};

namespace {

std::vector<float> floats(const Graph &graph, const char *name)
{
    return graph.constant(graph.findValue(name))->toFloats();
}

at::Tensor run(const Graph &graph, const at::Tensor &input)
{
    return Executor(std::make_shared<const Graph>(graph)).run(std::vector<at::Tensor>{input})[0];
}

ValueId conv(TinyGraph &tiny, const std::string &name, ValueId in, std::vector<std::int64_t> dims, unsigned seed, std::int64_t group = 1)
{
    const at::Tensor w = tests::noise(dims, seed), b = tests::noise({dims[0]}, seed + 100);
    // Uneven channels, so that there is something to even out.
    for (std::int64_t c = 0; c < dims[0]; ++c)
        w[c] *= float(1 << (c % 5));
    const std::int64_t pad = (dims[2] - 1) / 2;
    return tiny.node("Conv", name,
                     {in, tiny.constant(name + ".w", dims, {w.data_ptr<float>(), w.data_ptr<float>() + w.numel()}),
                      tiny.constant(name + ".b", {dims[0]}, {b.data_ptr<float>(), b.data_ptr<float>() + b.numel()})},
                     {{"group", group}, {"kernel_shape", std::vector<std::int64_t>{dims[2], dims[3]}}, {"pads", std::vector<std::int64_t>(4, pad)}});
}

ValueId clip(TinyGraph &tiny, const std::string &name, ValueId in, float low, float high)
{
    return tiny.node("Clip", name, {in, tiny.constant(name + ".low", {}, {low}), tiny.constant(name + ".high", {}, {high})});
}

} // namespace

// Produced ranges 4 and 1, consumed 1 and 4: s = √(4/1) = 2 and √(1/4) = ½. Both layers then have 2 everywhere.
void TestEqualization::numbersByHand()
{
    TinyGraph tiny;
    const ValueId x = tiny.input("x", {1, 1, 2, 2});
    const ValueId first = tiny.node("Conv", "a", {x, tiny.constant("a.w", {2, 1, 1, 1}, {4, -1}), tiny.constant("a.b", {2}, {1, 1})});
    const ValueId relu = tiny.node("Relu", "relu", {first});
    tiny.output(tiny.node("Conv", "b", {relu, tiny.constant("b.w", {1, 2, 1, 1}, {-1, 4}), tiny.constant("b.b", {1}, {3})}));
    const EqualizationReport report = equalize(tiny.graph);
    QCOMPARE(report.pairs, std::size_t(1));
    QCOMPARE(report.boundedClips, std::size_t(0));
    QCOMPARE(report.largestScale, 2.0);
    QCOMPARE(floats(tiny.graph, "a.w"), (std::vector<float>{2, -2}));
    QCOMPARE(floats(tiny.graph, "a.b"), (std::vector<float>{0.5f, 2}));
    QCOMPARE(floats(tiny.graph, "b.w"), (std::vector<float>{-2, 2}));
    QCOMPARE(floats(tiny.graph, "b.b"), (std::vector<float>{3}));
}

void TestEqualization::clipGetsABoundForEachChannel()
{
    TinyGraph tiny;
    const ValueId x = tiny.input("x", {1, 1, 8, 8});
    const ValueId first = tiny.node("Conv", "a", {x, tiny.constant("a.w", {2, 1, 1, 1}, {40, -10}), tiny.constant("a.b", {2}, {1, 1})});
    tiny.output(tiny.node("Conv", "b", {clip(tiny, "six", first, 0, 6), tiny.constant("b.w", {1, 2, 1, 1}, {-10, 40})}));
    const at::Tensor input = tests::noise({1, 1, 8, 8}, 4), before = run(tiny.graph, input);
    const EqualizationReport report = equalize(tiny.graph);
    QCOMPARE(report.boundedClips, std::size_t(1));
    const Node &relu = tiny.graph.node(tiny.nodeId("six"));
    QCOMPARE(relu.opType, std::string("Relu"));
    const Node &minimum = tiny.graph.node(tiny.graph.producer(tiny.graph.findValue("six")));
    QCOMPARE(minimum.opType, std::string("Min"));
    const TensorData &bound = *tiny.graph.constant(minimum.input(1));
    QCOMPARE(bound.dims, (std::vector<std::int64_t>{1, 2, 1, 1}));
    QCOMPARE(bound.toFloats(), (std::vector<float>{3, 12}));
    QVERIFY(at::allclose(run(tiny.graph, input), before, 1e-5, 1e-5));
}

void TestEqualization::clipsCanBeSkipped()
{
    TinyGraph tiny;
    const ValueId a = conv(tiny, "a", tiny.input("x", {1, 2, 4, 4}), {4, 2, 1, 1}, 1);
    tiny.output(conv(tiny, "b", clip(tiny, "six", a, 0, 6), {2, 4, 1, 1}, 2));
    QCOMPARE(equalize(tiny.graph, {40, 1e-3, false}).pairs, std::size_t(0));
    QCOMPARE(tiny.graph.node(tiny.nodeId("six")).opType, std::string("Clip"));
}

void TestEqualization::depthwiseChainComputesTheSame()
{
    TinyGraph tiny;
    const ValueId x = tiny.input("x", {1, 3, 9, 9});
    const ValueId expand = clip(tiny, "six1", conv(tiny, "expand", x, {10, 3, 1, 1}, 1), 0, 6);
    const ValueId depthwise = clip(tiny, "six2", conv(tiny, "depthwise", expand, {10, 1, 3, 3}, 2, 10), 0, 6);
    tiny.output(conv(tiny, "project", depthwise, {4, 10, 1, 1}, 3));
    const at::Tensor input = tests::noise({1, 3, 9, 9}, 5), before = run(tiny.graph, input);
    const EqualizationReport report = equalize(tiny.graph);
    QCOMPARE(report.pairs, std::size_t(2));
    QCOMPARE(report.boundedClips, std::size_t(2));
    QVERIFY(report.iterations > 1);
    QVERIFY(at::allclose(run(tiny.graph, input), before, 1e-4, 1e-4));
    // Every channel between two layers has the same range on both sides, which is what the method converges to.
    const std::vector<float> w1 = floats(tiny.graph, "depthwise.w"), w2 = floats(tiny.graph, "project.w");
    for (std::size_t c = 0; c < 10; ++c) {
        float produced = 0, consumed = 0;
        for (std::size_t k = 0; k < 9; ++k)
            produced = std::max(produced, std::abs(w1[c * 9 + k]));
        for (std::size_t o = 0; o < 4; ++o)
            consumed = std::max(consumed, std::abs(w2[o * 10 + c]));
        QVERIFY(std::abs(produced / consumed - 1) < 0.01f);
    }
}

void TestEqualization::pairsThatAreLeft()
{
    // A second reader, an activation that is not linear on either side of 0, a Clip from −1, a weight that others read.
    TinyGraph branch;
    const ValueId a = conv(branch, "a", branch.input("x", {1, 2, 4, 4}), {4, 2, 1, 1}, 1);
    branch.output(conv(branch, "b", a, {2, 4, 1, 1}, 2));
    branch.output(a);
    QCOMPARE(equalize(branch.graph).pairs, std::size_t(0));

    TinyGraph sigmoid;
    sigmoid.output(conv(sigmoid, "b", sigmoid.node("Sigmoid", "s", {conv(sigmoid, "a", sigmoid.input("x", {1, 2, 4, 4}), {4, 2, 1, 1}, 1)}), {2, 4, 1, 1}, 2));
    QCOMPARE(equalize(sigmoid.graph).pairs, std::size_t(0));

    TinyGraph below;
    below.output(conv(below, "b", clip(below, "c", conv(below, "a", below.input("x", {1, 2, 4, 4}), {4, 2, 1, 1}, 1), -1, 6), {2, 4, 1, 1}, 2));
    QCOMPARE(equalize(below.graph).pairs, std::size_t(0));

    TinyGraph shared;
    const ValueId first = conv(shared, "a", shared.input("x", {1, 4, 4, 4}), {4, 4, 1, 1}, 1);
    shared.output(shared.node("Conv", "b", {first, shared.graph.findValue("a.w")}));
    QCOMPARE(equalize(shared.graph).pairs, std::size_t(0));
}

void TestEqualization::zeroChannelsAreLeft()
{
    TinyGraph tiny;
    const ValueId x = tiny.input("x", {1, 1, 2, 2});
    const ValueId first = tiny.node("Conv", "a", {x, tiny.constant("a.w", {2, 1, 1, 1}, {0, 9}), tiny.constant("a.b", {2}, {1, 1})});
    tiny.output(tiny.node("Conv", "b", {first, tiny.constant("b.w", {1, 2, 1, 1}, {5, 1})}));
    equalize(tiny.graph);
    QCOMPARE(floats(tiny.graph, "a.w"), (std::vector<float>{0, 3}));
    QCOMPARE(floats(tiny.graph, "a.b")[0], 1.0f);
    QCOMPARE(floats(tiny.graph, "b.w"), (std::vector<float>{5, 3}));
}

void TestEqualization::algorithmKeepsTheFunction()
{
    TinyGraph tiny;
    const ValueId x = tiny.input("x", {1, 3, 9, 9});
    tiny.output(conv(tiny, "b", clip(tiny, "six", conv(tiny, "a", x, {10, 3, 3, 3}, 1), 0, 6), {4, 10, 3, 3}, 2));
    PtqState state;
    state.graph = tiny.graph;
    Progress progress;
    Equalization().apply(state, progress);
    QVERIFY(state.diagnostics.empty());
    QVERIFY(!state.graph.constant(state.graph.findValue("a.w"))->sameAs(*tiny.graph.constant(tiny.graph.findValue("a.w"))));

    PtqState nothing;
    TinyGraph lone;
    lone.output(lone.conv("a", lone.input("x"), 3, 4));
    nothing.graph = lone.graph;
    Equalization().apply(nothing, progress);
    QCOMPARE(nothing.diagnostics.size(), std::size_t(1));
    QCOMPARE(nothing.diagnostics[0].code, std::string("nothing-to-equalize"));
}

void TestEqualization::noiseIsRepeatable()
{
    TinyGraph tiny;
    tiny.input("x", {-1, 2, 3});
    const auto first = noiseInputs(tiny.graph), second = noiseInputs(tiny.graph);
    QVERIFY(first && second);
    QCOMPARE((*first)[0].sizes().vec(), (std::vector<std::int64_t>{1, 2, 3}));
    QVERIFY(at::equal((*first)[0], (*second)[0]));
    QVERIFY((*first)[0].abs().max().item<float>() <= 1);

    TinyGraph open, huge;
    open.input("x", {1, -1});
    QVERIFY(!noiseInputs(open.graph));
    huge.input("x", {1 << 20, 1 << 20});
    QVERIFY(!noiseInputs(huge.graph));
}

QTEST_APPLESS_MAIN(TestEqualization)
#include "tst_equalization.moc"

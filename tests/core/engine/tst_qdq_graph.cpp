#include "core/quant/qdq_graph.h"
#include "tests/support/hand_model.h"

#include <QtTest>

using namespace core;
using tests::affine;
using tests::HandModel;
using tests::TinyGraph;

class TestQdqGraph : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void convolution();
    void outputKeepsItsName();
    void sharedScales();
    void secondQuantizerOnAnEdge();
    void weightWithAFloatReader();
    void groupsBecomeBlocks();
    void halfPrecisionIsAPairOfCasts();
    void dynamicQuantization();
    void floatPointsAreLeft();
    void opsets();
};

namespace {

std::vector<std::string> order(const Graph &graph)
{
    std::vector<std::string> list;
    for (const NodeId id : graph.order())
        list.push_back(graph.node(id).opType + " " + graph.node(id).name);
    return list;
}

const Node &node(const Graph &graph, const char *name) { return graph.node(graph.findNode(name)); }
const TensorData &constant(const Graph &graph, ValueId id) { return *graph.constant(id); }

using Names = std::vector<std::string>;

TinyGraph convGraph()
{
    TinyGraph tiny;
    const ValueId x = tiny.input("x", {1, 1, 2, 2});
    const ValueId conv = tiny.node("Conv", "conv", {x, tiny.constant("w", {2, 1, 1, 1}, {1, -2}), tiny.constant("b", {2}, {1, 0.5f})});
    tiny.output(tiny.node("Relu", "y", {conv}));
    return tiny;
}

} // namespace

void TestQdqGraph::convolution()
{
    const TinyGraph tiny = convGraph();
    HandModel hand(tiny.graph);
    hand.activation("x", affine(0.1f, 128, 0, 255), QuantDtype::UInt8);
    hand.weight("w", {affine(0.01f), affine(0.02f)});
    hand.point(PointKind::Bias, "b", QuantDtype::Int32, {affine(0.001f, 0, INT32_MIN, INT32_MAX), affine(0.002f, 0, INT32_MIN, INT32_MAX)});
    std::vector<ValueId> back;
    const Graph graph = buildQdqGraph(hand.model, &back);
    QCOMPARE(order(graph), (Names{"QuantizeLinear x_QuantizeLinear", "DequantizeLinear x_DequantizeLinear", "DequantizeLinear w_DequantizeLinear",
                                  "DequantizeLinear b_DequantizeLinear", "Conv conv", "Relu y"}));
    const Node &conv = node(graph, "conv"), &down = node(graph, "x_QuantizeLinear"), &up = node(graph, "x_DequantizeLinear");
    QCOMPARE(down.input(0), graph.inputs[0]);
    QCOMPARE(constant(graph, down.input(1)).toFloats(), std::vector<float>{0.1f});
    QCOMPARE(constant(graph, down.input(1)).dims, std::vector<std::int64_t>{});
    QCOMPARE(constant(graph, down.input(2)).type, DataType::UInt8);
    QCOMPARE(constant(graph, down.input(2)).toInt64s(), std::vector<std::int64_t>{128});
    QCOMPARE(up.input(0), down.output());
    QCOMPARE(up.input(1), down.input(1));
    QCOMPARE(up.input(2), down.input(2));
    QCOMPARE(conv.input(0), up.output());
    QCOMPARE(graph.value(up.output()).name, std::string("x_dequantized"));

    // The dequantized weight keeps the weight's name; int8 codes, one scale and zero point for each channel.
    QCOMPARE(graph.value(conv.input(1)).name, std::string("w"));
    QVERIFY(!graph.isConstant(conv.input(1)));
    const Node &weight = node(graph, "w_DequantizeLinear");
    QCOMPARE(constant(graph, weight.input(0)).type, DataType::Int8);
    QCOMPARE(constant(graph, weight.input(0)).toInt64s(), (std::vector<std::int64_t>{100, -100}));
    QCOMPARE(constant(graph, weight.input(0)).dims, (std::vector<std::int64_t>{2, 1, 1, 1}));
    QCOMPARE(constant(graph, weight.input(1)).toFloats(), (std::vector<float>{0.01f, 0.02f}));
    QCOMPARE(constant(graph, weight.input(2)).dims, (std::vector<std::int64_t>{2}));
    QCOMPARE(weight.intAttribute("axis", -9), std::int64_t(0));
    const Node &bias = node(graph, "b_DequantizeLinear");
    QCOMPARE(constant(graph, bias.input(0)).type, DataType::Int32);
    QCOMPARE(constant(graph, bias.input(0)).toInt64s(), (std::vector<std::int64_t>{1000, 250}));
    QCOMPARE(bias.inputs.size(), std::size_t(2));

    QCOMPARE(back, (std::vector<ValueId>{up.output(), conv.input(1), conv.input(2)}));
    QCOMPARE(graph.value(graph.outputs[0]).name, std::string("y"));
    QVERIFY(!tiny.graph.findValue("x_dequantized").valid());   // the float model is untouched
}

void TestQdqGraph::outputKeepsItsName()
{
    const TinyGraph tiny = convGraph();
    HandModel hand(tiny.graph);
    hand.activation("y", affine(0.5f));
    const Graph graph = buildQdqGraph(hand.model);
    QCOMPARE(order(graph), (Names{"Conv conv", "Relu y", "QuantizeLinear y_QuantizeLinear", "DequantizeLinear y_DequantizeLinear"}));
    QCOMPARE(graph.value(graph.outputs[0]).name, std::string("y"));
    QCOMPARE(graph.producer(graph.outputs[0]), graph.findNode("y_DequantizeLinear"));
    QCOMPARE(graph.value(node(graph, "y").output()).name, std::string("y_float"));
}

void TestQdqGraph::sharedScales()
{
    TinyGraph tiny;
    const ValueId x = tiny.input("x", {1, 1, 4, 4});
    const ValueId pool = tiny.node("MaxPool", "pool", {x}, {{"kernel_shape", std::vector<std::int64_t>{2, 2}}});
    tiny.output(tiny.conv("conv", pool, 1, 1));
    HandModel hand(tiny.graph);
    hand.activation("x", affine(0.25f, 3));
    hand.activation("pool", affine(0.25f, 3)).shares = PointId{0};
    const Graph graph = buildQdqGraph(hand.model);
    QCOMPARE(node(graph, "pool_QuantizeLinear").input(1), node(graph, "x_QuantizeLinear").input(1));
    QCOMPARE(node(graph, "pool_QuantizeLinear").input(2), node(graph, "x_QuantizeLinear").input(2));
    QCOMPARE(graph.value(node(graph, "x_QuantizeLinear").input(1)).name, std::string("x_scale"));
}

void TestQdqGraph::secondQuantizerOnAnEdge()
{
    TinyGraph tiny;
    const ValueId x = tiny.input("x", {1, 1, 4, 4});
    tiny.output(tiny.node("Relu", "a", {x}));
    tiny.output(tiny.node("Relu", "b", {x}));
    tiny.output(tiny.node("Relu", "c", {x}));
    HandModel hand(tiny.graph);
    hand.activation("x", affine(1)).uses = {{tiny.nodeId("a"), 0}};
    hand.activation("x", affine(2)).uses = {{tiny.nodeId("b"), 0}};
    const Graph graph = buildQdqGraph(hand.model);
    const auto scaleOf = [&](const char *reader) {
        const Node &up = graph.node(graph.producer(node(graph, reader).input(0)));
        return constant(graph, up.input(1)).toFloats()[0];
    };
    QCOMPARE(scaleOf("a"), 1.0f);
    QCOMPARE(scaleOf("b"), 2.0f);
    QCOMPARE(node(graph, "c").input(0), graph.inputs[0]);
}

void TestQdqGraph::weightWithAFloatReader()
{
    TinyGraph tiny;
    const ValueId x = tiny.input("x", {1, 1, 2, 2}), w = tiny.constant("w", {1, 1, 1, 1}, {0.7f});
    tiny.output(tiny.node("Conv", "a", {x, w}));
    tiny.output(tiny.node("Conv", "b", {x, w}));
    HandModel hand(tiny.graph);
    hand.weight("w", {affine(0.5f)}).uses = {{tiny.nodeId("a"), 1}};
    const Graph graph = buildQdqGraph(hand.model);
    QCOMPARE(graph.value(node(graph, "b").input(1)).name, std::string("w"));
    QCOMPARE(constant(graph, node(graph, "b").input(1)).toFloats(), std::vector<float>{0.7f});
    QCOMPARE(graph.value(node(graph, "a").input(1)).name, std::string("w_dequantized"));
    QCOMPARE(node(graph, "w_DequantizeLinear").has("axis"), false);
}

// [2, 4], channels on axis 0, groups of 2 on axis 1: scales [2, 2] and block_size 2 on axis 1.
void TestQdqGraph::groupsBecomeBlocks()
{
    TinyGraph tiny;
    const ValueId x = tiny.input("x", {1, 4});
    tiny.output(tiny.node("Gemm", "fc", {x, tiny.constant("w", {2, 4}, {1, 2, 3, 4, 5, 6, 7, 7})}, {{"transB", std::int64_t(1)}}));
    HandModel hand(tiny.graph);
    Point &point = hand.weight("w", {affine(1), affine(2), affine(3), affine(4)}, QuantDtype::Int4);
    point.scheme.granularity = Granularity::PerGroup;
    point.scheme.groupSize = 2;
    const Graph graph = buildQdqGraph(hand.model);
    const Node &up = node(graph, "w_DequantizeLinear");
    QCOMPARE(constant(graph, up.input(1)).dims, (std::vector<std::int64_t>{2, 2}));
    QCOMPARE(constant(graph, up.input(1)).toFloats(), (std::vector<float>{1, 2, 3, 4}));
    QCOMPARE(constant(graph, up.input(2)).type, DataType::Int4);
    QCOMPARE(up.intAttribute("axis", -9), std::int64_t(1));
    QCOMPARE(up.intAttribute("block_size", 0), std::int64_t(2));
    QCOMPARE(requiredOpset(hand.model, 11), 21);
}

void TestQdqGraph::halfPrecisionIsAPairOfCasts()
{
    const TinyGraph tiny = convGraph();
    HandModel hand(tiny.graph);
    hand.activation("x", affine(1), QuantDtype::Float16);
    hand.weight("w", {affine(1)}, QuantDtype::BFloat16);
    const Graph graph = buildQdqGraph(hand.model);
    QCOMPARE(order(graph), (Names{"Cast x_Cast", "Cast x_CastBack", "Cast w_CastBack", "Conv conv", "Relu y"}));
    QCOMPARE(node(graph, "x_Cast").intAttribute("to", 0), std::int64_t(DataType::Float16));
    QCOMPARE(node(graph, "x_CastBack").intAttribute("to", 0), std::int64_t(DataType::Float32));
    QCOMPARE(constant(graph, node(graph, "w_CastBack").input(0)).type, DataType::BFloat16);
}

void TestQdqGraph::dynamicQuantization()
{
    const TinyGraph tiny = convGraph();
    HandModel hand(tiny.graph);
    hand.activation("x", affine(1), QuantDtype::UInt8).scheme.dynamic = true;
    const Graph graph = buildQdqGraph(hand.model);
    const Node &down = node(graph, "x_DynamicQuantizeLinear"), &up = node(graph, "x_DequantizeLinear");
    QCOMPARE(down.outputs, (std::vector<ValueId>{up.input(0), up.input(1), up.input(2)}));
    QCOMPARE(requiredOpset(hand.model, 7), 11);
}

void TestQdqGraph::floatPointsAreLeft()
{
    const TinyGraph tiny = convGraph();
    HandModel hand(tiny.graph);
    hand.activation("x", affine(1), QuantDtype::Float32);
    std::vector<ValueId> back;
    const Graph graph = buildQdqGraph(hand.model, &back);
    QCOMPARE(order(graph), (Names{"Conv conv", "Relu y"}));
    QVERIFY(!back.at(0).valid());
}

void TestQdqGraph::opsets()
{
    const TinyGraph tiny = convGraph();
    const auto needed = [&](QuantDtype activation, QuantDtype weight, std::size_t scales, int source) {
        HandModel hand(tiny.graph);
        hand.activation("x", affine(1), activation);
        hand.weight("w", std::vector<AffineParams>(scales, affine(1)), weight);
        return requiredOpset(hand.model, source);
    };
    QCOMPARE(needed(QuantDtype::UInt8, QuantDtype::Int8, 1, 7), 10);
    QCOMPARE(needed(QuantDtype::UInt8, QuantDtype::Int8, 1, 17), 17);
    QCOMPARE(needed(QuantDtype::UInt8, QuantDtype::Int8, 2, 11), 13);
    QCOMPARE(needed(QuantDtype::UInt16, QuantDtype::Int8, 1, 13), 21);
    QCOMPARE(needed(QuantDtype::Int8, QuantDtype::Int4, 2, 13), 21);
    QCOMPARE(needed(QuantDtype::Fp8E4M3, QuantDtype::Int8, 1, 13), 19);
    QCOMPARE(needed(QuantDtype::Float16, QuantDtype::Float32, 1, 9), 10);
}

QTEST_APPLESS_MAIN(TestQdqGraph)
#include "tst_qdq_graph.moc"

#include "core/base/progress.h"
#include "tests/support/tiny_graph.h"
#include "widgets/graph/drawn_graph.h"
#include "widgets/graph/graph_style.h"
#include "widgets/graph/graph_walk.h"

#include <functional>

using namespace widgets;
using core::NodeId;
using core::ValueId;

class TestGraphDrawing : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void drawsNodesInputsAndOutputs();
    void constantPartsAreNotDrawn();
    void quantizerPairsAreBadgesNotBoxes();
    void oneOperandUsedTwiceIsOneLine();
    void findsAResidualBlock();
    void opensABlock();
    void findsBottlenecksWithoutAShortcut();
    void findsShuffleAndC2f();
    void aTensorTappedInsideIsNoBlock();
    void overviewIsCompact();
    void stopsWhenAsked();
    void stepsAlongTensorsAndRanks();
    void growsAndInverts();
    void findsByNameAndOperator();
    void aBlockLooksLikeItsWorstChild();
    void fusedTypesGiveAMixedBadge();
};

/// Nodes named after operator and number: add("Relu", {x}) makes "Relu0".
struct Net : tests::TinyGraph {
    ValueId add(const std::string &type, std::vector<ValueId> inputs, const std::string &name = {})
    {
        return node(type, name.empty() ? type + std::to_string(graph.nodeCount()) : name, std::move(inputs));
    }
    ValueId conv(ValueId x, std::int64_t kernel, std::int64_t group = 1)
    {
        const std::string name = "Conv" + std::to_string(graph.nodeCount());
        return node("Conv", name, {x, constant(name + ".w", {8, 8 / group, kernel, kernel})}, {{"group", group}});
    }
    NodeId of(ValueId v) const { return graph.producer(v); }
};

static QStringList titles(const DrawnGraph &drawing, BoxKind kind)
{
    QStringList list;
    for (const DrawnBox &box : drawing.boxes)
        if (box.kind == kind)
            list << box.title;
    return list;
}

void TestGraphDrawing::drawsNodesInputsAndOutputs()
{
    Net net;
    const ValueId relu = net.add("Relu", {net.input("x")}, "/stage/act/Relu");
    net.graph.outputs = {relu};
    const DrawnGraph drawing = drawGraph(net.graph);
    QCOMPARE(drawing.boxes.size(), std::size_t(3));
    QCOMPARE(titles(drawing, BoxKind::Input), QStringList{"x"});
    QCOMPARE(titles(drawing, BoxKind::Node), QStringList{"stage/act"}); // "Relu" stands on the second line
    QCOMPARE(titles(drawing, BoxKind::Output), QStringList{"/stage/act/Relu"});
    QCOMPARE(drawing.boxes[0].subtitle, QString("1×3×8×8"));
    QCOMPARE(drawing.boxOf(net.of(relu)), 1);
    QCOMPARE(drawing.trunks[1].ends[0].uses[0].node, NodeId{}); // the graph's output
    QVERIFY(drawing.boxes[0].rect.bottom() < drawing.boxes[1].rect.top());
}

void TestGraphDrawing::constantPartsAreNotDrawn()
{
    Net net;
    const ValueId x = net.input("x");
    const ValueId shape = net.add("Constant", {});
    const ValueId cast = net.add("Cast", {shape});
    net.graph.outputs = {net.add("Reshape", {x, cast})};
    const DrawnGraph drawing = drawGraph(net.graph);
    QCOMPARE(titles(drawing, BoxKind::Node), QStringList{"Reshape2"});
    QCOMPARE(drawing.boxOf(net.of(cast)), -1);
}

void TestGraphDrawing::quantizerPairsAreBadgesNotBoxes()
{
    Net net;
    const ValueId x = net.input("x");
    const ValueId scale = net.constant("scale", {}, {0.25f});
    const ValueId zero = net.graph.addConstant("zero", core::TensorData::fromIntegers(core::DataType::UInt8, {}, std::vector<std::int64_t>{7}));
    const ValueId q = net.add("QuantizeLinear", {x, scale, zero});
    const ValueId dq = net.add("DequantizeLinear", {q, scale, zero});
    const ValueId relu = net.add("Relu", {dq});
    net.graph.outputs = {relu};
    const DrawnGraph drawing = drawGraph(net.graph);
    QCOMPARE(titles(drawing, BoxKind::Node), QStringList{"Relu2"});
    QCOMPARE(drawing.trunks[0].value, x);
    QCOMPARE(drawing.trunks[0].ends[0].uses[0].through, net.of(dq));
    const std::vector<QuantizerMark> marks = marksOfFile(net.graph, drawing);
    QCOMPARE(marks.size(), std::size_t(1));
    QCOMPARE(marks[0].consumer, net.of(relu));
    QCOMPARE(marks[0].badge, QString("u8"));
    QVERIFY(!marks[0].switchable);
    QCOMPARE(marks[0].toolTip, QString("Quantized in the file: x\nScale 0.25\nZero point 7"));
}

void TestGraphDrawing::oneOperandUsedTwiceIsOneLine()
{
    Net net;
    const ValueId a = net.add("Relu", {net.input("x")});
    net.graph.outputs = {net.add("Mul", {a, a})};
    const DrawnGraph drawing = drawGraph(net.graph);
    QCOMPARE(drawing.trunks[1].ends.size(), std::size_t(1));
    QCOMPARE(drawing.trunks[1].ends[0].uses.size(), std::size_t(2));
}

/// x → MaxPool → [conv → relu → conv → Add → relu] → GlobalAveragePool
static Net residual()
{
    Net net;
    const ValueId pool = net.add("MaxPool", {net.input("x")});
    const ValueId inner = net.conv(net.add("Relu", {net.conv(pool, 3)}), 3);
    const ValueId out = net.add("Relu", {net.add("Add", {inner, pool})});
    net.graph.outputs = {net.add("GlobalAveragePool", {out})};
    return net;
}

void TestGraphDrawing::findsAResidualBlock()
{
    const Net net = residual();
    const DrawnGraph drawing = drawGraph(net.graph, {GraphMode::Blocks, {}});
    QCOMPARE(titles(drawing, BoxKind::Block), QStringList{"Residual block"});
    QCOMPARE(titles(drawing, BoxKind::Node), (QStringList{"MaxPool0", "GlobalAveragePool6"}));
    const DrawnBox &block = drawing.boxes[std::size_t(drawing.boxOf(net.graph.findNode("Add4")))];
    QCOMPARE(block.nodes.size(), std::size_t(5)); // with the Relu behind the Add
    QCOMPARE(block.key(), net.graph.findNode("Conv1"));
}

void TestGraphDrawing::opensABlock()
{
    const Net net = residual();
    const NodeId key = net.graph.findNode("Conv1");
    const DrawnGraph drawing = drawGraph(net.graph, {GraphMode::Blocks, {key}});
    QVERIFY(titles(drawing, BoxKind::Block).isEmpty());
    QCOMPARE(drawing.frames.size(), std::size_t(1));
    QCOMPARE(drawing.frames[0].key, key);
    QCOMPARE(drawing.frames[0].boxes.size(), std::size_t(5));
    QCOMPARE(drawing.boxes.size(), drawGraph(net.graph).boxes.size());
}

void TestGraphDrawing::findsBottlenecksWithoutAShortcut()
{
    Net net;
    ValueId x = net.add("Relu", {net.conv(net.input("x"), 3)});
    x = net.conv(net.add("Clip", {net.conv(x, 3, 8)}), 1);                                                  // depthwise, pointwise
    x = net.conv(net.add("Clip", {net.conv(net.add("Clip", {net.conv(x, 1)}), 3, 8)}), 1);                  // expand, depthwise, project
    net.graph.outputs = {net.add("Softmax", {x})};
    QCOMPARE(titles(drawGraph(net.graph, {GraphMode::Blocks, {}}), BoxKind::Block),
             (QStringList{"Conv + Relu", "Separable conv", "Inverted bottleneck"}));
}

void TestGraphDrawing::findsShuffleAndC2f()
{
    Net net;
    ValueId x = net.add("MaxPool", {net.input("x")});
    x = net.add("Concat", {net.conv(x, 1), net.conv(net.add("Relu", {net.conv(x, 1)}), 3, 8)});
    x = net.add("Reshape", {net.add("Transpose", {net.add("Reshape", {x})})});
    const ValueId split = net.add("Split", {x});
    const ValueId inner = net.add("Add", {net.conv(net.conv(split, 3), 3), split});
    x = net.conv(net.add("Concat", {split, inner}), 1);
    net.graph.outputs = {x};
    QCOMPARE(titles(drawGraph(net.graph, {GraphMode::Blocks, {}}), BoxKind::Block), (QStringList{"Shuffle block", "C2f block"}));
}

void TestGraphDrawing::aTensorTappedInsideIsNoBlock()
{
    Net net;
    const ValueId pool = net.add("MaxPool", {net.input("x")});
    const ValueId tapped = net.conv(pool, 3);
    net.graph.outputs = {net.add("Add", {net.conv(tapped, 3), pool}), tapped};
    QVERIFY(titles(drawGraph(net.graph, {GraphMode::Blocks, {}}), BoxKind::Block).isEmpty());
}

void TestGraphDrawing::overviewIsCompact()
{
    Net net;
    ValueId x = net.input("x");
    for (int i = 0; i < 100; ++i)
        x = net.add("Relu", {x});
    net.graph.outputs = {x};
    const DrawnGraph layers = drawGraph(net.graph), overview = drawGraph(net.graph, {GraphMode::Overview, {}});
    QVERIFY(overview.columnCount > 3);
    QVERIFY(overview.bounds.height() < layers.bounds.height() / 5);
    QVERIFY(overview.bounds.width() > overview.bounds.height());
    QVERIFY(overview.boxes.front().compact);
}

void TestGraphDrawing::stopsWhenAsked()
{
    std::stop_source stop;
    stop.request_stop();
    QVERIFY_THROWS_EXCEPTION(core::Cancelled, drawGraph(residual().graph, {}, stop.get_token()));
}

void TestGraphDrawing::stepsAlongTensorsAndRanks()
{
    Net net;
    const ValueId a = net.add("Relu", {net.input("x")});
    const ValueId left = net.add("Sin", {a}), right = net.add("Cos", {a});
    const ValueId sum = net.add("Add", {left, right});
    net.graph.outputs = {sum};
    const DrawnGraph d = drawGraph(net.graph);
    const auto box = [&](ValueId v) { return d.boxOf(net.of(v)); };
    QCOMPARE(stepFrom(d, box(a), Step::ToConsumer), box(left));
    QCOMPARE(stepFrom(d, box(left), Step::ToRight), box(right));
    QCOMPARE(stepFrom(d, box(right), Step::ToLeft), box(left));
    QCOMPARE(stepFrom(d, box(right), Step::ToRight), -1);
    QCOMPARE(stepFrom(d, box(right), Step::ToConsumer), box(sum));
    QCOMPARE(stepFrom(d, box(a), Step::ToProducer), -1); // the input of the graph is not stepped on
}

void TestGraphDrawing::growsAndInverts()
{
    Net net;
    const ValueId a = net.add("Relu", {net.input("x")}), b = net.add("Sin", {a}), c = net.add("Cos", {b});
    net.graph.outputs = {c};
    const DrawnGraph d = drawGraph(net.graph);
    QCOMPARE(grown(d, {net.of(c)}, true, false), (std::set<NodeId>{net.of(b), net.of(c)}));
    QCOMPARE(grown(d, {net.of(c)}, true, true), (std::set<NodeId>{net.of(a), net.of(b), net.of(c)}));
    QCOMPARE(grown(d, {net.of(a)}, false, false), (std::set<NodeId>{net.of(a), net.of(b)}));
    QCOMPARE(inverted(d, {net.of(b)}), (std::set<NodeId>{net.of(a), net.of(c)}));
}

void TestGraphDrawing::findsByNameAndOperator()
{
    const Net net = residual();
    const DrawnGraph d = drawGraph(net.graph), blocks = drawGraph(net.graph, {GraphMode::Blocks, {}});
    QCOMPARE(findNodes(d, "relu").size(), std::size_t(2));
    QCOMPARE(findNodes(d, "  add4 "), std::vector<NodeId>{net.graph.findNode("Add4")});
    QVERIFY(findNodes(d, " ").empty());
    QCOMPARE(findNodes(blocks, "add4"), std::vector<NodeId>{net.graph.findNode("Add4")}); // inside a block too
}

static LayerTable factsOf(const core::Graph &graph)
{
    LayerTable table;
    for (const NodeId id : graph.order()) {
        LayerFacts f;
        f.node = id;
        f.opType = QString::fromStdString(graph.node(id).opType);
        f.activationSqnr = 20 + id.index;
        table.push_back(f);
    }
    return table;
}

void TestGraphDrawing::aBlockLooksLikeItsWorstChild()
{
    const Net net = residual();
    LayerTable table = factsOf(net.graph); // SQNR 20 … 26
    table[3].activationSqnr = 10;
    const DrawnGraph d = drawGraph(net.graph, {GraphMode::Blocks, {}});
    const Theme theme = Theme::light();
    const std::vector<BoxLook> looks = boxLooks(d, &table, Overlay::ActivationSqnr, theme);
    const BoxLook &block = looks[std::size_t(d.boxOf(net.graph.findNode("Conv1")))];
    QCOMPARE(block.metric, QString("10.0 dB"));
    QCOMPARE(block.fill, theme.metric(0));
    QVERIFY(block.worst);
    const BoxLook &last = looks[std::size_t(d.boxOf(net.graph.findNode("GlobalAveragePool6")))];
    QCOMPARE(last.fill, theme.metric(1));
    QVERIFY(!last.worst);
}

void TestGraphDrawing::fusedTypesGiveAMixedBadge()
{
    const Net net = residual();
    LayerTable table = factsOf(net.graph);
    for (LayerFacts &f : table)
        if (f.opType == "Conv") {
            f.parameters = 576;
            f.dtype = DtypeClass::Int8PerChannel;
            f.badge = "i8c";
        }
    const DrawnGraph d = drawGraph(net.graph, {GraphMode::Blocks, {}});
    const std::size_t block = std::size_t(d.boxOf(net.graph.findNode("Conv1")));
    QCOMPARE(boxLooks(d, &table, Overlay::Dtype, Theme::light())[block].badge, QString("i8c"));
    QCOMPARE(boxLooks(d, &table, Overlay::Dtype, Theme::light())[block].fill, Theme::light().fill(DtypeClass::Int8PerChannel));
    table[3].badge = "u8";
    QCOMPARE(boxLooks(d, &table, Overlay::Dtype, Theme::light())[block].badge, QString("mix"));
}

QTEST_GUILESS_MAIN(TestGraphDrawing)
#include "tst_graph_drawing.moc"

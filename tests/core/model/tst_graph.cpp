#include "core/graph/graph.h"

#include "tests/support/tiny_graph.h"

#include <QtTest/QtTest>

using namespace core;

namespace {

using Names = std::vector<std::string>;

std::shared_ptr<const Graph> body(const tests::TinyGraph &tiny) { return std::make_shared<const Graph>(tiny.graph); }

/// n = Neg(outer)
tests::TinyGraph negOf(const std::string &outer)
{
    tests::TinyGraph tiny;
    tiny.output(tiny.node("Neg", "n", {tiny.graph.addValue(outer)}));
    return tiny;
}

std::string firstInput(const Node &node, const std::string &attribute)
{
    const Graph &graph = *std::get<std::shared_ptr<const Graph>>(node.attributes.at(attribute));
    return graph.value(graph.node(graph.order().front()).inputs.front()).name;
}

} // namespace

class TestGraph : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void namesAreMadeUnique()
    {
        Graph graph;
        const ValueId a = graph.addValue("a"), again = graph.addValue("a"), third = graph.addValue("a");
        QCOMPARE(graph.value(a).name, std::string("a"));
        QCOMPARE(graph.value(again).name, std::string("a_1"));
        QCOMPARE(graph.value(third).name, std::string("a_2"));
        QVERIFY(graph.findValue("a_1") == again);
        QVERIFY(!graph.findValue("b").valid());
        Node node;
        node.opType = "Relu";
        const NodeId first = graph.addNode(node), second = graph.addNode(node);
        QCOMPARE(graph.node(first).name, std::string("Relu"));
        QCOMPARE(graph.node(second).name, std::string("Relu_1"));
        QVERIFY(graph.node(second).generatedName);
    }

    void idsStayWhenNodesGo()
    {
        tests::TinyGraph tiny;
        const ValueId a = tiny.node("Relu", "a", {tiny.input("x")});
        tiny.node("Neg", "b", {a});
        const NodeId removed = tiny.nodeId("a"), kept = tiny.nodeId("b");
        tiny.graph.removeNode(removed);
        QVERIFY(!tiny.graph.contains(removed) && tiny.graph.contains(kept));
        QVERIFY(tiny.graph.order() == std::vector<NodeId>{kept});
        QVERIFY(!tiny.graph.findNode("a").valid());
        Node node;
        node.opType = "Abs";
        QCOMPARE(tiny.graph.insertNode(node, kept).index, 2);
        QCOMPARE(tiny.graph.node(tiny.graph.order().front()).opType, std::string("Abs"));
        QVERIFY_EXCEPTION_THROWN(tiny.graph.node(removed), Error);
        QVERIFY_EXCEPTION_THROWN(tiny.graph.setOrder({kept, kept}), Error);
        QVERIFY_EXCEPTION_THROWN(tiny.graph.setOrder({kept}), Error);
    }

    void usesAndProducers()
    {
        tests::TinyGraph tiny;
        const ValueId x = tiny.input("x"), a = tiny.node("Relu", "a", {x});
        const ValueId square = tiny.node("Mul", "square", {a, a});
        tiny.output(square);
        QCOMPARE(tiny.graph.uses(a).size(), std::size_t(2));
        QCOMPARE(tiny.graph.uses(a)[1].inputIndex, std::size_t(1));
        QVERIFY(tiny.graph.producer(a) == tiny.nodeId("a"));
        QVERIFY(!tiny.graph.producer(x).valid());
        QVERIFY(tiny.graph.isOutput(square) && !tiny.graph.isOutput(a));
        QCOMPARE(usesByValue(tiny.graph)[std::size_t(a.index)].size(), std::size_t(2));
        QVERIFY(producerByValue(tiny.graph)[std::size_t(square.index)] == tiny.nodeId("square"));
        tiny.graph.replaceUses(a, x);
        QVERIFY(tiny.graph.uses(a).empty());
        tiny.graph.replaceUses(square, x, true);
        QVERIFY(tiny.graph.isOutput(x));
    }

    void constantsSayTypeAndShape()
    {
        Graph graph;
        const ValueId id = graph.addConstant("w", TensorData::fromInt32s({2, 1}, std::vector<std::int32_t>{3, 4}));
        QVERIFY(graph.isConstant(id) && graph.value(id).type == DataType::Int32);
        QVERIFY(*graph.value(id).shape == (Shape{{2, {}}, {1, {}}}));
        graph.removeConstant(id);
        QVERIFY(graph.constant(id) == nullptr && graph.contains(id));
    }

    void unusedValuesGo()
    {
        tests::TinyGraph tiny;
        const ValueId x = tiny.input("x"), spare = tiny.constant("spare", {2});
        const ValueId captured = tiny.constant("captured", {2});
        tiny.output(tiny.node("If", "if", {x}, {{"then_branch", body(negOf("captured"))}}));
        tiny.graph.removeUnusedValues();
        QVERIFY(!tiny.graph.contains(spare) && !tiny.graph.findValue("spare").valid());
        QVERIFY(tiny.graph.isConstant(captured));
        QVERIFY(tiny.graph.contains(x));
    }

    void outerNamesOfNestedBodies()
    {
        tests::TinyGraph middle;
        const ValueId condition = middle.graph.addValue("condition"), own = middle.node("Relu", "own", {middle.graph.addValue("first")});
        middle.node("If", "if", {condition}, {{"then_branch", body(negOf("own"))}, {"else_branch", body(negOf("deep"))}});
        middle.output(own);
        QVERIFY(outerNames(middle.graph) == (Names{"first", "condition", "deep"}));
        Node node;
        node.attributes = {{"a", body(negOf("z"))}, {"b", body(negOf("z"))}, {"c", std::int64_t(1)}};
        QVERIFY(capturedNames(node) == Names{"z"});
    }

    void renamingReachesIntoBodies()
    {
        tests::TinyGraph tiny;
        const ValueId x = tiny.input("x"), a = tiny.node("Relu", "a", {x});
        tiny.output(tiny.node("If", "if", {x}, {{"then_branch", body(negOf("a"))}}));
        const Graph before = tiny.graph;
        tiny.graph.renameValue(a, "n");
        const Node &node = tiny.graph.node(tiny.nodeId("if"));
        QCOMPARE(firstInput(node, "then_branch"), std::string("n"));
        QVERIFY(capturedNames(node) == Names{"n"}); // the body's own "n" had to make room
        QCOMPARE(firstInput(before.node(before.findNode("if")), "then_branch"), std::string("a"));
        QVERIFY_EXCEPTION_THROWN(tiny.graph.renameValue(a, "x"), Error);
    }

    void replacingReachesIntoBodies()
    {
        tests::TinyGraph tiny;
        const ValueId x = tiny.input("x"), a = tiny.node("Relu", "a", {x});
        tiny.output(tiny.node("If", "if", {x}, {{"then_branch", body(negOf("a"))}}));
        tiny.graph.replaceUses(a, x);
        QCOMPARE(firstInput(tiny.graph.node(tiny.nodeId("if")), "then_branch"), std::string("x"));
    }

    void typedAttributes()
    {
        Node node;
        node.name = "c";
        node.opType = "Conv";
        node.attributes = {{"group", std::int64_t(4)}, {"alpha", 0.5f}, {"pads", std::vector<std::int64_t>{1, 2}}, {"mode", std::string("same")}};
        QCOMPARE(node.intAttribute("group", 1), std::int64_t(4));
        QCOMPARE(node.intAttribute("absent", 7), std::int64_t(7));
        QCOMPARE(node.floatAttribute("alpha", 0), 0.5f);
        QCOMPARE(node.intsAttribute("pads")[1], std::int64_t(2));
        QCOMPARE(node.stringAttribute("mode", ""), std::string("same"));
        QVERIFY(node.floatsAttribute("absent").empty());
        try {
            node.intAttribute("alpha", 0);
            QFAIL("no error");
        } catch (const Error &error) {
            QCOMPARE(error.sentence(), std::string("Attribute 'alpha' of Conv 'c' should be an integer and is not."));
        }
    }
};

QTEST_APPLESS_MAIN(TestGraph)
#include "tst_graph.moc"

#include "core/graph/topology.h"

#include "tests/support/tiny_graph.h"

#include <QtTest/QtTest>

using namespace core;

namespace {

std::string names(const Graph &graph, const std::vector<NodeId> &ids)
{
    std::string text;
    for (const NodeId id : ids)
        text += (text.empty() ? "" : " ") + graph.node(id).name;
    return text;
}

/// Gives the graph's nodes the order of `wish`.
void reorder(Graph &graph, const std::vector<std::string> &wish)
{
    std::vector<NodeId> order;
    for (const std::string &name : wish)
        order.push_back(graph.findNode(name));
    graph.setOrder(order);
}

/// x → a → b → d, x → c → d.
tests::TinyGraph diamond()
{
    tests::TinyGraph tiny;
    const ValueId x = tiny.input("x");
    const ValueId b = tiny.node("Neg", "b", {tiny.node("Relu", "a", {x})});
    tiny.output(tiny.node("Add", "d", {b, tiny.node("Abs", "c", {x})}));
    return tiny;
}

} // namespace

class TestTopology : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void aGoodOrderIsKept()
    {
        tests::TinyGraph tiny = diamond();
        reorder(tiny.graph, {"c", "a", "b", "d"});
        QCOMPARE(names(tiny.graph, topologicalOrder(tiny.graph)), std::string("c a b d"));
    }

    void producersComeFirst()
    {
        tests::TinyGraph tiny = diamond();
        reorder(tiny.graph, {"d", "b", "a", "c"});
        QCOMPARE(names(tiny.graph, topologicalOrder(tiny.graph)), std::string("a b c d"));
    }

    void holesAndTheEmptyGraph()
    {
        QVERIFY(topologicalOrder(Graph{}).empty());
        tests::TinyGraph tiny = diamond();
        tiny.graph.removeNode(tiny.nodeId("a"));
        QCOMPARE(names(tiny.graph, topologicalOrder(tiny.graph)), std::string("b c d"));
    }

    void aTensorTakenTwiceCountsOnce()
    {
        tests::TinyGraph tiny;
        const ValueId a = tiny.node("Relu", "a", {tiny.input("x")});
        tiny.output(tiny.node("Mul", "square", {a, a, ValueId{}}));
        QCOMPARE(names(tiny.graph, topologicalOrder(tiny.graph)), std::string("a square"));
    }

    void bodiesWaitForWhatTheyCapture()
    {
        tests::TinyGraph inner, tiny;
        inner.output(inner.node("Neg", "n", {inner.graph.addValue("a")}));
        const ValueId x = tiny.input("x"), condition = tiny.input("condition", {}, DataType::Bool);
        tiny.node("Relu", "a", {x});
        tiny.output(tiny.node("If", "if", {condition}, {{"then_branch", std::make_shared<const Graph>(inner.graph)}}));
        reorder(tiny.graph, {"if", "a"});
        QCOMPARE(names(tiny.graph, topologicalOrder(tiny.graph)), std::string("a if"));
        QCOMPARE(names(tiny.graph, nodesNeeded(tiny.graph, tiny.graph.outputs)), std::string("if a"));
    }

    void aCycleIsNamed()
    {
        tests::TinyGraph tiny;
        const ValueId x = tiny.input("x");
        const ValueId first = tiny.node("Add", "first", {x, x});
        const ValueId second = tiny.node("Relu", "second", {first});
        tiny.graph.node(tiny.nodeId("first")).inputs[1] = second;
        tiny.output(tiny.node("Neg", "after", {second}));
        try {
            topologicalOrder(tiny.graph);
            QFAIL("no error");
        } catch (const Error &error) {
            QCOMPARE(int(error.kind()), int(ErrorKind::InvalidInput));
            QVERIFY2(error.sentence().find("'second' → 'first' → 'second'") != std::string::npos, error.what());
            QVERIFY2(error.sentence().find("after") == std::string::npos, error.what());
        }
    }

    void aLongCycleIsCutShort()
    {
        tests::TinyGraph tiny;
        ValueId last = tiny.node("Relu", "n0", {ValueId{}});
        for (int i = 1; i < 5000; ++i)
            last = tiny.node("Relu", "n" + std::to_string(i), {last});
        tiny.graph.node(tiny.nodeId("n0")).inputs[0] = last;
        try {
            topologicalOrder(tiny.graph);
            QFAIL("no error");
        } catch (const Error &error) {
            QVERIFY2(error.sentence().find("(5000 nodes)") != std::string::npos, error.what());
            QVERIFY(error.sentence().size() < 300);
        }
    }

    void neededForATarget()
    {
        const tests::TinyGraph tiny = diamond();
        const Graph &graph = tiny.graph;
        QCOMPARE(names(graph, nodesNeeded(graph, {graph.findValue("b")})), std::string("a b"));
        QCOMPARE(names(graph, nodesNeeded(graph, {graph.findValue("d")})), std::string("a b c d"));
        QCOMPARE(names(graph, nodesNeeded(graph, {graph.findValue("b"), graph.findValue("c")})), std::string("a b c"));
    }

    void whatIsGivenIsNotComputed()
    {
        const tests::TinyGraph tiny = diamond();
        const Graph &graph = tiny.graph;
        QCOMPARE(names(graph, nodesNeeded(graph, {graph.findValue("d")}, {graph.findValue("b")})), std::string("c d"));
        QVERIFY(nodesNeeded(graph, {graph.findValue("b")}, {graph.findValue("b")}).empty());
        QVERIFY(nodesNeeded(graph, {graph.findValue("x")}).empty());
        QVERIFY(nodesNeeded(graph, {ValueId{}}).empty());
    }
};

QTEST_APPLESS_MAIN(TestTopology)
#include "tst_topology.moc"

#include "core/graph/node_cost.h"
#include "tests/support/tiny_graph.h"

#include <QtTest>

using namespace core;
using tests::TinyGraph;

class TestNodeCost : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void convolution()
    {
        TinyGraph tiny;
        const ValueId x = tiny.input("x", {-1, 4, 8, 8});
        const ValueId y = tiny.node("Conv", "conv", {x, tiny.constant("w", {6, 2, 3, 3}, std::vector<float>(108, 1)), tiny.constant("b", {6}, std::vector<float>(6, 0))},
                                    {{"group", std::int64_t(2)}});
        tiny.graph.value(y).shape = Shape{{-1, "N"}, {6, {}}, {5, {}}, {5, {}}};
        const Node &node = tiny.graph.node(tiny.graph.producer(y));
        QCOMPARE(multiplyAccumulates(tiny.graph, node), std::int64_t(6 * 25 * 2 * 9));
        QCOMPARE(parameterCount(tiny.graph, node), std::int64_t(114));
        tiny.graph.value(y).shape.reset();
        QCOMPARE(multiplyAccumulates(tiny.graph, node), std::int64_t(0));
    }

    void matrixProducts()
    {
        TinyGraph tiny;
        const ValueId x = tiny.input("x", {-1, 7});
        const ValueId g = tiny.node("Gemm", "gemm", {x, tiny.constant("w", {10, 7}, std::vector<float>(70, 1))}, {{"transB", std::int64_t(1)}});
        const ValueId m = tiny.node("MatMul", "matmul", {g, tiny.constant("v", {10, 3}, std::vector<float>(30, 1))});
        tiny.graph.value(g).shape = Shape{{-1, "N"}, {10, {}}};
        tiny.graph.value(m).shape = Shape{{-1, "N"}, {3, {}}};
        QCOMPARE(multiplyAccumulates(tiny.graph), std::int64_t(70 + 30));
    }
};

QTEST_APPLESS_MAIN(TestNodeCost)
#include "tst_node_cost.moc"

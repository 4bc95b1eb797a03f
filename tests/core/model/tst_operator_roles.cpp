#include "core/spec/operator_roles.h"
#include "tests/support/tiny_graph.h"

#include <QtTest/QtTest>

using namespace core;
using tests::TinyGraph;

namespace {

using Indices = std::vector<std::size_t>;

/// One node of `type` with so many inputs, for functions that look at the node alone.
Node bare(const std::string &type, std::size_t inputs, const std::string &domain = {})
{
    Node node;
    node.opType = type;
    node.domain = domain;
    for (std::size_t i = 0; i < inputs; ++i)
        node.inputs.push_back(ValueId{std::int32_t(i)});
    return node;
}

} // namespace

class TestOperatorRoles : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void weights_data()
    {
        QTest::addColumn<QString>("type");
        QTest::addColumn<QList<int>>("dims");
        QTest::addColumn<int>("transB");
        QTest::addColumn<int>("group");
        QTest::addColumn<int>("axis");
        QTest::addColumn<int>("outputs");
        // ONNX: Conv W is M × C/group × k…, ConvTranspose W is C × M/group × k…, Gemm B is K × N (N × K with transB), MatMul … × K × N.
        QTest::newRow("Conv") << "Conv" << QList<int>{8, 2, 3, 3} << 0 << 2 << 0 << 8;
        QTest::newRow("ConvTranspose") << "ConvTranspose" << QList<int>{6, 4, 2, 2} << 0 << 1 << 1 << 4;
        QTest::newRow("ConvTranspose groups") << "ConvTranspose" << QList<int>{6, 4, 2, 2} << 0 << 3 << 1 << 12;
        QTest::newRow("Gemm") << "Gemm" << QList<int>{5, 7} << 0 << 1 << 1 << 7;
        QTest::newRow("Gemm transB") << "Gemm" << QList<int>{5, 7} << 1 << 1 << 0 << 5;
        QTest::newRow("MatMul") << "MatMul" << QList<int>{5, 7} << 0 << 1 << 1 << 7;
        QTest::newRow("MatMul stack") << "MatMul" << QList<int>{2, 5, 7} << 0 << 1 << 2 << 7;
        QTest::newRow("MatMul vector") << "MatMul" << QList<int>{5} << 0 << 1 << -1 << -1;
    }
    void weights()
    {
        QFETCH(QString, type);
        QFETCH(QList<int>, dims);
        QFETCH(int, transB);
        QFETCH(int, group);
        TinyGraph g;
        const ValueId w = g.constant("w", {dims.begin(), dims.end()});
        const ValueId out = g.node(type.toStdString(), "n", {g.input("x"), w}, {{"transB", std::int64_t(transB)}, {"group", std::int64_t(group)}});
        const auto role = weightRole(g.graph, g.graph.node(g.graph.producer(out)));
        QVERIFY(role && role->weightInput == 1 && !role->biasInput);
        QTEST(role->channelAxis, "axis");
        QTEST(int(role->outputChannels), "outputs");
    }

    void noWeight()
    {
        TinyGraph g;
        const ValueId x = g.input("x", {2, 2}), y = g.input("y", {2, 2});
        const auto role = [&](ValueId out) { return weightRole(g.graph, g.graph.node(g.graph.producer(out))); };
        QVERIFY(!role(g.node("MatMul", "mm", {x, y})));
        QVERIFY(!role(g.node("Add", "add", {x, g.constant("k", {2})})));
        QVERIFY(!role(g.node("MatMul", "mmi", {x, g.integers("i", {1, 2})})));
        const auto left = role(g.node("MatMul", "left", {g.constant("l", {2, 2}), x}));
        QVERIFY(left && left->weightInput == 0 && left->channelAxis == -1);
    }

    void dataInputs_data()
    {
        QTest::addColumn<QString>("type");
        QTest::addColumn<int>("inputs");
        QTest::addColumn<QList<int>>("expected");
        QTest::newRow("Conv") << "Conv" << 3 << QList<int>{0, 1};
        QTest::newRow("Concat") << "Concat" << 3 << QList<int>{0, 1, 2};
        QTest::newRow("Where") << "Where" << 3 << QList<int>{1, 2};
        QTest::newRow("Clip") << "Clip" << 3 << QList<int>{0};
        QTest::newRow("PRelu") << "PRelu" << 2 << QList<int>{0};
        QTest::newRow("Gather") << "Gather" << 2 << QList<int>{0};
        QTest::newRow("Resize") << "Resize" << 4 << QList<int>{0};
        QTest::newRow("BatchNormalization") << "BatchNormalization" << 5 << QList<int>{0};
        QTest::newRow("Shape") << "Shape" << 1 << QList<int>{};
        QTest::newRow("Constant") << "Constant" << 0 << QList<int>{};
    }
    void dataInputs()
    {
        QFETCH(QString, type);
        QFETCH(int, inputs);
        QFETCH(QList<int>, expected);
        const Indices found = core::dataInputs(bare(type.toStdString(), std::size_t(inputs)));
        QCOMPARE(QList<int>(found.begin(), found.end()), expected);
        QVERIFY(core::dataInputs(bare(type.toStdString(), std::size_t(inputs), "com.microsoft")).empty());
    }

    void omittedInputsCarryNothing()
    {
        Node node = bare("Concat", 3);
        node.inputs[1] = {};
        QCOMPARE(core::dataInputs(node), (Indices{0, 2}));
    }

    void indicesAndMasksAreNoData()
    {
        for (const auto &[type, count] : {std::pair{"MaxPool", 1}, {"Dropout", 1}, {"TopK", 1}, {"Split", 2}, {"Relu", 2}}) {
            Node node = bare(type, 1);
            node.outputs = {ValueId{7}, ValueId{8}};
            QCOMPARE(int(dataOutputs(node).size()), count);
        }
        Node omitted = bare("Split", 1);
        omitted.outputs = {ValueId{}, ValueId{8}};
        QCOMPARE(dataOutputs(omitted), std::vector<ValueId>{ValueId{8}});
    }

    void valuePreserving()
    {
        TinyGraph g;
        const ValueId x = g.input("x");
        const auto moves = [&](ValueId out, bool nonNegative = false) { return preservesValues(g.graph, g.graph.node(g.graph.producer(out)), nonNegative); };
        for (const char *type : {"Reshape", "Flatten", "Transpose", "Squeeze", "Unsqueeze", "Slice", "Gather", "Split", "MaxPool", "DepthToSpace",
                                 "SpaceToDepth", "Identity", "Dropout", "Expand", "Tile"})
            QVERIFY2(moves(g.node(type, type, {x})), type);
        for (const char *type : {"AveragePool", "Conv", "Add", "Concat", "Softmax", "Clip"})
            QVERIFY2(!moves(g.node(type, type, {x})), type);
        QVERIFY(moves(g.node("Relu", "r", {x}), true) && !moves(g.node("Relu", "r2", {x}), false));
        const auto mode = [](const char *name) { return std::map<std::string, AttributeValue>{{"mode", std::string(name)}}; };
        QVERIFY(moves(g.node("Resize", "near", {x}, mode("nearest"))) && moves(g.node("Resize", "default", {x})));
        QVERIFY(!moves(g.node("Resize", "lin", {x}, mode("linear"))) && !moves(g.node("Resize", "cub", {x}, mode("cubic"))));
        const ValueId pads = g.integers("pads", {0, 0, 1, 1, 0, 0, 1, 1});
        QVERIFY(moves(g.node("Pad", "pad0", {x, pads})));
        QVERIFY(moves(g.node("Pad", "padz", {x, pads, g.constant("zero", {}, {0})})));
        QVERIFY(!moves(g.node("Pad", "pad1", {x, pads, g.constant("one", {}, {1})})));
        QVERIFY(!moves(g.node("Pad", "padv", {x, pads, g.input("v", {})})));
        QVERIFY(moves(g.node("Pad", "padr", {x, pads, g.constant("two", {}, {2})}, mode("reflect"))));
    }

    void boundsOfClip()
    {
        TinyGraph g;
        const ValueId x = g.input("x"), lo = g.constant("lo", {}, {0}), hi = g.constant("hi", {}, {6});
        const auto bounds = [&](ValueId out) { return clipBounds(g.graph, g.graph.node(g.graph.producer(out))); };
        const ClipBounds six = bounds(g.node("Clip", "six", {x, lo, hi}));
        QVERIFY(six.known && six.min == 0.0f && six.max == 6.0f);
        const ClipBounds upper = bounds(g.node("Clip", "upper", {x, ValueId{}, hi}));
        QVERIFY(upper.known && !upper.min && upper.max == 6.0f);
        QVERIFY(!bounds(g.node("Clip", "run time", {x, lo, g.input("h", {})})).known);
        const ClipBounds relu = bounds(g.node("Relu", "relu", {x}));
        QVERIFY(relu.known && relu.min == 0.0f && !relu.max);
    }

    void signs()
    {
        TinyGraph g;
        const ValueId x = g.input("x");
        const ValueId relu = g.node("Relu", "relu", {x});
        const ValueId moved = g.node("Transpose", "t", {relu});
        const ValueId sum = g.node("Add", "sum", {relu, g.constant("positive", {4}, {0, 1, 2, 3})});
        const ValueId minus = g.node("Add", "minus", {relu, g.constant("negative", {1}, {-1})});
        const ValueId mixed = g.node("Concat", "mixed", {relu, x});
        const ValueId cubic = g.node("Resize", "cubic", {relu}, {{"mode", std::string("cubic")}});
        const ValueId clip = g.node("Clip", "clip", {x, g.constant("lo", {}, {0})});
        const ValueId below = g.node("Clip", "below", {x, g.constant("lo2", {}, {-1})});
        const ValueId foreign = g.node("Relu", "foreign", {x});
        g.graph.node(g.graph.producer(foreign)).domain = "custom";
        const auto found = nonNegativeValues(g.graph);
        for (ValueId id : {relu, moved, sum, clip})
            QVERIFY2(found[std::size_t(id.index)], g.graph.value(id).name.c_str());
        for (ValueId id : {x, minus, mixed, cubic, below, foreign})
            QVERIFY2(!found[std::size_t(id.index)], g.graph.value(id).name.c_str());
    }

    void arithmeticOnShapes()
    {
        TinyGraph g;
        const ValueId x = g.input("x");
        const ValueId shape = g.node("Shape", "shape", {x}, {}, DataType::Int64);
        const ValueId part = g.node("Gather", "part", {shape, g.integers("i", {0})}, {}, DataType::Int64);
        const ValueId data = g.node("Gather", "data", {x, g.integers("j", {0})});
        const ValueId joint = g.node("Reshape", "joint", {x, part});
        const auto found = shapeArithmetic(g.graph);
        QVERIFY(found[std::size_t(shape.index)] && found[std::size_t(part.index)]);
        QVERIFY(!found[std::size_t(x.index)] && !found[std::size_t(data.index)] && !found[std::size_t(joint.index)]);
    }
};

QTEST_APPLESS_MAIN(TestOperatorRoles)
#include "tst_operator_roles.moc"

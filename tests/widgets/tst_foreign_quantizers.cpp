#include "tests/support/tiny_graph.h"
#include "widgets/spec/foreign_quantizers.h"

using namespace widgets;
using core::DataType;
using core::ValueId;

class Net : public tests::TinyGraph {
public:
    ValueId scalar(const std::string &name, float value) { return graph.addConstant(name, core::TensorData::fromFloats({}, std::vector<float>{value})); }
    ValueId code(const std::string &name, DataType type, std::vector<std::int64_t> values)
    {
        const std::vector<std::int64_t> dims = values.size() == 1 ? std::vector<std::int64_t>{} : std::vector<std::int64_t>{std::int64_t(values.size())};
        return graph.addConstant(name, core::TensorData::fromIntegers(type, dims, values));
    }
};

/// x → Q → DQ → Conv(w by DQ per channel) → Q → DQ → y
static Net qdqNetwork()
{
    Net t;
    const ValueId x = t.input("x"), s = t.scalar("s", 0.5f), z = t.code("z", DataType::UInt8, {7});
    const ValueId dq = t.node("DequantizeLinear", "xdq", {t.node("QuantizeLinear", "xq", {x, s, z}, {}, DataType::UInt8), s, z});
    const ValueId w = t.graph.addConstant("w", core::TensorData::fromIntegers(DataType::Int8, {2, 3, 1, 1}, std::vector<std::int64_t>{1, 2, 3, 4, 5, 6}));
    const ValueId wdq = t.node("DequantizeLinear", "wdq", {w, t.constant("ws", {2}, {0.25f, 0.125f})}, {{"axis", std::int64_t(-4)}});
    const ValueId conv = t.node("Conv", "conv", {dq, wdq});
    const ValueId one = t.node("Constant", "one", {}, {{"value", core::TensorData::fromFloats({}, std::vector<float>{0.0625f})}});
    t.output(t.node("DequantizeLinear", "ydq", {t.node("QuantizeLinear", "yq", {conv, one, t.code("yz", DataType::Int8, {-3})}, {}, DataType::Int8), one}));
    return t;
}

class TestForeignQuantizers : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void floatFilesHaveNone();
    void findsThoseAroundALayer();
    void aQuantizerIsItsOwn();
    void integerOperatorsHoldTheirs();
    void dynamicOnesHaveNoScale();
    void listsTheWholeFile();
};

void TestForeignQuantizers::floatFilesHaveNone()
{
    tests::TinyGraph t;
    t.output(t.conv("conv", t.input("x"), 3, 4));
    QVERIFY(!isQuantizedFile(t.graph));
    QVERIFY(foreignQuantizers(t.graph, t.nodeId("conv")).empty());
    QVERIFY(foreignQuantizers(t.graph, core::NodeId{99}).empty());
}

void TestForeignQuantizers::findsThoseAroundALayer()
{
    const Net t = qdqNetwork();
    QVERIFY(isQuantizedFile(t.graph));
    const auto found = foreignQuantizers(t.graph, t.nodeId("conv"));
    QCOMPARE(found.size(), std::size_t(3));
    QCOMPARE(found[0].role, "input");
    QVERIFY(found[0].type == DataType::UInt8);
    QCOMPARE(found[0].scales, std::vector<float>{0.5f});
    QCOMPARE(found[0].zeroPoints, std::vector<std::int64_t>{7});
    QCOMPARE(found[0].axis, -1);
    QCOMPARE(found[1].role, "weight");
    QCOMPARE(found[1].scales, (std::vector<float>{0.25f, 0.125f}));
    QVERIFY(found[1].zeroPoints.empty());
    QVERIFY(found[1].type == DataType::Int8);
    QCOMPARE(found[1].axis, 0);
    QCOMPARE(found[2].role, "output");
    QCOMPARE(found[2].scales, std::vector<float>{0.0625f}); // of a Constant node
    QCOMPARE(found[2].zeroPoints, std::vector<std::int64_t>{-3});
    QCOMPARE(t.graph.value(found[2].value).name, std::string("conv"));
}

void TestForeignQuantizers::aQuantizerIsItsOwn()
{
    const Net t = qdqNetwork();
    const auto found = foreignQuantizers(t.graph, t.nodeId("xq"));
    QCOMPARE(found.size(), std::size_t(1));
    QCOMPARE(t.graph.value(found[0].value).name, std::string("x"));
}

void TestForeignQuantizers::integerOperatorsHoldTheirs()
{
    Net t;
    const ValueId x = t.input("x", {1, 3, 8, 8}, DataType::UInt8), z = t.code("z", DataType::UInt8, {128});
    const ValueId w = t.graph.addConstant("w", core::TensorData::fromIntegers(DataType::Int8, {2, 3, 1, 1}, std::vector<std::int64_t>{1, 2, 3, 4, 5, 6}));
    const ValueId conv = t.node("QLinearConv", "conv", {x, t.scalar("xs", 0.5f), z, w, t.constant("ws", {2}, {1, 2}), t.code("wz", DataType::Int8, {0, 0}), t.scalar("ys", 4), z},
                                {}, DataType::UInt8);
    t.output(conv);
    const auto found = foreignQuantizers(t.graph, t.nodeId("conv"));
    QCOMPARE(found.size(), std::size_t(3));
    QCOMPARE(found[1].scales, (std::vector<float>{1, 2}));
    QCOMPARE(found[1].axis, 0);
    QCOMPARE(found[2].role, "output");
    QCOMPARE(found[2].scales, std::vector<float>{4});
    QCOMPARE(found[2].zeroPoints, std::vector<std::int64_t>{128});
}

void TestForeignQuantizers::dynamicOnesHaveNoScale()
{
    Net t;
    const ValueId q = t.node("DynamicQuantizeLinear", "dyn", {t.input("x")}, {}, DataType::UInt8, 3);
    t.output(t.node("MatMulInteger", "mm", {q, t.code("w", DataType::Int8, {1, 2, 3})}, {}, DataType::Int32));
    const auto found = foreignQuantizers(t.graph, t.nodeId("dyn"));
    QCOMPARE(found.size(), std::size_t(1));
    QVERIFY(found[0].scales.empty() && found[0].zeroPoints.empty());
    QVERIFY(found[0].type == DataType::UInt8);
}

void TestForeignQuantizers::listsTheWholeFile()
{
    const auto all = foreignQuantizers(qdqNetwork().graph);
    QCOMPARE(all.size(), std::size_t(5)); // xq xdq wdq yq ydq
}

QTEST_GUILESS_MAIN(TestForeignQuantizers)
#include "tst_foreign_quantizers.moc"

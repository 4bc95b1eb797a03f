#include "tests/support/hand_model.h"

#include <QtTest>

using namespace core;
using tests::affine;
using tests::HandModel;
using tests::TinyGraph;

class TestQuantizedModel : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void layouts();
    void axisThatDoesNotExist();
    void codesPerTensorAndPerChannel();
    void codesOfGroups();
    void asymmetricWeightsComeBack();
    void halvesAndBytes();
    void fourBitsArePacked();
};

namespace {

Scheme scheme(Granularity granularity, int axis = 0, int groupSize = 0)
{
    Scheme s;
    s.granularity = granularity;
    s.channelAxis = axis;
    s.groupSize = groupSize;
    return s;
}

std::vector<std::size_t> entries(const Scheme &s, const std::vector<std::int64_t> &dims)
{
    const ParamLayout layout(s, dims);
    std::vector<std::size_t> list;
    for (std::int64_t i = 0; i < elementCount(dims); ++i)
        list.push_back(layout.of(i));
    return list;
}

using Indices = std::vector<std::size_t>;

} // namespace

void TestQuantizedModel::layouts()
{
    QCOMPARE(entries(scheme(Granularity::PerTensor), {2, 3}), (Indices{0, 0, 0, 0, 0, 0}));
    QCOMPARE(entries(scheme(Granularity::PerChannel, 0), {2, 3}), (Indices{0, 0, 0, 1, 1, 1}));
    QCOMPARE(entries(scheme(Granularity::PerChannel, 1), {2, 3}), (Indices{0, 1, 2, 0, 1, 2}));
    QCOMPARE(entries(scheme(Granularity::PerChannel, -1), {2, 3}), (Indices{0, 1, 2, 0, 1, 2}));
    QCOMPARE(entries(scheme(Granularity::PerChannel, 1), {2, 2, 2}), (Indices{0, 0, 1, 1, 0, 0, 1, 1}));
    // Groups of 2 along axis 1: entry = channel · 2 + group; the last group is shorter.
    QCOMPARE(entries(scheme(Granularity::PerGroup, 0, 2), {2, 3}), (Indices{0, 0, 1, 2, 2, 3}));
    // MatMul [K, N], channel axis 1: groups run along K.
    QCOMPARE(entries(scheme(Granularity::PerGroup, 1, 2), {4, 2}), (Indices{0, 2, 0, 2, 1, 3, 1, 3}));
    QCOMPARE(ParamLayout(scheme(Granularity::PerGroup, 0, 2), {2, 3}).count(), std::int64_t(4));
    QCOMPARE(ParamLayout(scheme(Granularity::PerChannel, 0), {0, 3}).count(), std::int64_t(0));
}

void TestQuantizedModel::axisThatDoesNotExist()
{
    QVERIFY_THROWS_EXCEPTION(Error, ParamLayout(scheme(Granularity::PerChannel, 2), {2, 3}));
    QVERIFY_THROWS_EXCEPTION(Error, ParamLayout(scheme(Granularity::PerChannel, -3), {2, 3}));
    QVERIFY_THROWS_EXCEPTION(Error, ParamLayout(scheme(Granularity::PerChannel, 0), {}));
}

void TestQuantizedModel::codesPerTensorAndPerChannel()
{
    TinyGraph tiny;
    tiny.constant("w", {2, 3}, {0.5f, 1.5f, 2.5f, -0.5f, -200, 200});
    HandModel one(tiny.graph), each(tiny.graph);
    one.weight("w", {affine(1)});
    // Half to even, saturated at the ends.
    QCOMPARE(integerCodes(one.model, PointId{0}), (std::vector<std::int64_t>{0, 2, 2, 0, -128, 127}));
    QCOMPARE(dequantizedWeights(one.model, PointId{0}), (std::vector<float>{0, 2, 2, 0, -128, 127}));
    each.weight("w", {affine(0.5f), affine(4, 0, -127, 127)});
    QCOMPARE(integerCodes(each.model, PointId{0}), (std::vector<std::int64_t>{1, 3, 5, 0, -50, 50}));
    QCOMPARE(dequantizedWeights(each.model, PointId{0}), (std::vector<float>{0.5f, 1.5f, 2.5f, 0, -200, 200}));
    QCOMPARE(storedCodes(each.model, PointId{0}).type, DataType::Int8);
    QCOMPARE(storedCodes(each.model, PointId{0}).dims, (std::vector<std::int64_t>{2, 3}));
}

void TestQuantizedModel::codesOfGroups()
{
    TinyGraph tiny;
    tiny.constant("w", {1, 4}, {3, 4, 30, 40});
    HandModel hand(tiny.graph);
    Point &point = hand.weight("w", {affine(1), affine(10)}, QuantDtype::Int4);
    point.scheme.granularity = Granularity::PerGroup;
    point.scheme.groupSize = 2;
    QCOMPARE(integerCodes(hand.model, PointId{0}), (std::vector<std::int64_t>{3, 4, 3, 4}));
    QCOMPARE(dequantizedWeights(hand.model, PointId{0}), (std::vector<float>{3, 4, 30, 40}));
}

void TestQuantizedModel::asymmetricWeightsComeBack()
{
    TinyGraph tiny;
    tiny.constant("w", {3}, {-1, 0, 24.5f});
    HandModel hand(tiny.graph);
    hand.weight("w", {affine(0.1f, 10, 0, 255)}, QuantDtype::UInt8);
    QCOMPARE(integerCodes(hand.model, PointId{0}), (std::vector<std::int64_t>{0, 10, 255}));
    QCOMPARE(dequantizedWeights(hand.model, PointId{0}), (std::vector<float>{-10 * 0.1f, 0, 245 * 0.1f}));
}

void TestQuantizedModel::halvesAndBytes()
{
    TinyGraph tiny;
    tiny.constant("w", {2}, {1.0009765f, 3});   // half has steps of 2^-10 above 1
    HandModel hand(tiny.graph);
    hand.weight("w", {affine(1)}, QuantDtype::Float16);
    QCOMPARE(storedCodes(hand.model, PointId{0}).type, DataType::Float16);
    QCOMPARE(dequantizedWeights(hand.model, PointId{0}), (std::vector<float>{1.0009765625f, 3}));

    HandModel brain(tiny.graph);
    brain.weight("w", {affine(1)}, QuantDtype::BFloat16);
    QCOMPARE(dequantizedWeights(brain.model, PointId{0}), (std::vector<float>{1, 3}));

    HandModel fp8(tiny.graph);
    fp8.weight("w", {affine(0.5f)}, QuantDtype::Fp8E4M3);   // 2.0019 → 2, 6 stays
    QCOMPARE(storedCodes(fp8.model, PointId{0}).type, DataType::Float8E4M3FN);
    QCOMPARE(dequantizedWeights(fp8.model, PointId{0}), (std::vector<float>{1, 3}));
}

void TestQuantizedModel::fourBitsArePacked()
{
    TinyGraph tiny;
    tiny.constant("w", {3}, {-7, 1, 7});
    HandModel hand(tiny.graph);
    hand.weight("w", {affine(1, 0, -7, 7)}, QuantDtype::Int4);
    const TensorData codes = storedCodes(hand.model, PointId{0});
    QCOMPARE(codes.type, DataType::Int4);
    // Low nibble first: −7 = 0x9, 1, then 7.
    QCOMPARE(*codes.bytes, (std::vector<std::byte>{std::byte(0x19), std::byte(0x07)}));
}

QTEST_APPLESS_MAIN(TestQuantizedModel)
#include "tst_quantized_model.moc"

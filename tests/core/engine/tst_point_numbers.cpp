#include "core/ptq/point_numbers.h"
#include "core/quant/collector.h"
#include "tests/support/hand_model.h"

#include <ATen/ATen.h>

#include <QtTest>

using namespace core;
using tests::affine;
using tests::HandModel;
using tests::TinyGraph;

class TestPointNumbers : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void activationFromStatistics();
    void setsAreObservedTogether();
    void weightsPerTensorChannelAndGroup();
    void biasScaleIsTheProduct();
    void biasThatWouldOverflowRaisesTheScale();
    void powerOfTwoScalesStayPowersOfTwo();
    void channelOfZeros();
    void transposedConvolutionWithGroups();
    void missingStatistics();
    void weightThatIsNotFinite();
    void fixedRangeNeedsNoData();
    void bestDoesNotClipOutputs();
};

namespace {

TensorStatistics seen(const std::vector<float> &values)
{
    TensorStatistics statistics;
    collect(statistics, at::tensor(values).reshape({1, -1}), -1, StatisticsDetail::Full);
    return statistics;
}

struct Case {
    TinyGraph tiny;
    HandModel hand;
    StatisticsMap statistics;
    Case(const TinyGraph &graph) : tiny(graph), hand(graph.graph) {}
    QuantizedModel numbers() { return quantizePoints(hand.model.graph, hand.model.placement, statistics); }
};

/// Conv with weights [2, 1, 1, 1] and biases [2].
Case convCase(std::vector<float> weight, std::vector<float> bias, Granularity granularity, float inputMax = 127)
{
    TinyGraph tiny;
    const ValueId x = tiny.input("x", {1, 1, 2, 2});
    tiny.output(tiny.node("Conv", "conv", {x, tiny.constant("w", {2, 1, 1, 1}, std::move(weight)), tiny.constant("b", {2}, std::move(bias))}));
    Case made(tiny);
    made.hand.activation("x", {}).scheme.narrow = true;
    Scheme &scheme = made.hand.weight("w", {}).scheme;
    scheme.granularity = granularity;
    scheme.narrow = true;
    Point &point = made.hand.point(PointKind::Bias, "b", QuantDtype::Int32, {});
    point.scheme.granularity = granularity;
    point.biasInput = PointId{0};
    point.biasWeight = PointId{1};
    made.statistics[tiny.graph.findValue("x")] = seen({-inputMax, inputMax});
    return made;
}

} // namespace

// uint8, −1…3: s = 4/255, z = round(1/s) = 64.
void TestPointNumbers::activationFromStatistics()
{
    TinyGraph tiny;
    tiny.output(tiny.node("Relu", "y", {tiny.input("x", {1, 4})}));
    Case c(tiny);
    c.hand.activation("x", {}, QuantDtype::UInt8).scheme.symmetric = false;
    c.statistics[tiny.graph.findValue("x")] = seen({-1, 0.5f, 3, 2});
    const QuantizedModel model = c.numbers();
    QCOMPARE(model.numbers[0].params, (std::vector<AffineParams>{{float(4.0 / 255), 64, 0, 255}}));
    QCOMPARE(model.numbers[0].seen, (Range{-1, 3}));
    QCOMPARE(model.numbers[0].range, (Range{-1, 3}));
}

void TestPointNumbers::setsAreObservedTogether()
{
    TinyGraph tiny;
    const ValueId x = tiny.input("x", {1, 4}), y = tiny.input("y", {1, 4});
    tiny.output(tiny.node("Concat", "z", {x, y}, {{"axis", std::int64_t(1)}}));
    Case c(tiny);
    for (const char *name : {"x", "y", "z"}) {
        Point &point = c.hand.activation(name, {});
        point.shares = PointId{0};
        point.scheme.narrow = true;
    }
    c.statistics[x] = seen({-1, 1});
    c.statistics[y] = seen({-127, 5});
    c.statistics[tiny.graph.findValue("z")] = seen({2});
    const QuantizedModel model = c.numbers();
    for (std::size_t i = 0; i < 3; ++i)
        QCOMPARE(model.numbers[i].params.at(0).scale, 1.0f);
    QCOMPARE(model.numbers[2].seen, (Range{-127, 5}));
}

void TestPointNumbers::weightsPerTensorChannelAndGroup()
{
    TinyGraph tiny;
    const ValueId x = tiny.input("x", {1, 4});
    tiny.output(tiny.node("Gemm", "fc", {x, tiny.constant("w", {2, 4}, {127, 1, 254, 2, -381, 3, 4, 508})}, {{"transB", std::int64_t(1)}}));
    const auto scales = [&](Granularity granularity, int group) {
        Case c(tiny);
        Scheme &scheme = c.hand.weight("w", {}).scheme;
        scheme.narrow = true;
        scheme.granularity = granularity;
        scheme.groupSize = group;
        std::vector<float> list;
        const QuantizedModel model = c.numbers();
        for (const AffineParams &params : model.numbers[0].params)
            list.push_back(params.scale);
        return list;
    };
    QCOMPARE(scales(Granularity::PerTensor, 0), (std::vector<float>{4}));
    QCOMPARE(scales(Granularity::PerChannel, 0), (std::vector<float>{2, 4}));
    QCOMPARE(scales(Granularity::PerGroup, 2), (std::vector<float>{1, 2, 3, 4}));
}

// s_x = 127/127 = 1, s_w = 2 and 0.5.
void TestPointNumbers::biasScaleIsTheProduct()
{
    Case c = convCase({254, -63.5f}, {100, 7}, Granularity::PerChannel);
    const QuantizedModel model = c.numbers();
    QCOMPARE(model.numbers[2].params.size(), std::size_t(2));
    QCOMPARE(model.numbers[2].params[0].scale, 2.0f);
    QCOMPARE(model.numbers[2].params[1].scale, 0.5f);
    QCOMPARE(model.numbers[2].params[0].qmax, INT32_MAX);
    QCOMPARE(integerCodes(model, PointId{2}), (std::vector<std::int64_t>{50, 14}));
    QVERIFY(model.diagnostics.empty());

    Case one = convCase({254, -63.5f}, {100, 7}, Granularity::PerTensor);
    QCOMPARE(one.numbers().numbers[2].params.size(), std::size_t(1));
    QCOMPARE(one.numbers().numbers[2].params[0].scale, 2.0f);
}

// s_x·s_w = 1e-3 · 1e-4 = 1e-7 and |b| = 500 would be 5e9 codes; 2^30 allow 4.66e-7.
void TestPointNumbers::biasThatWouldOverflowRaisesTheScale()
{
    Case c = convCase({127e-4f, 127}, {500, 1}, Granularity::PerChannel, 0.127f);
    const QuantizedModel model = c.numbers();
    const float input = model.numbers[0].params[0].scale, raised = model.numbers[1].params[0].scale;
    QVERIFY(500 / (double(input) * double(raised)) <= double(1 << 30) * 1.000001);
    QVERIFY(500 / (double(input) * double(raised)) > double(1 << 30) * 0.999);
    QCOMPARE(model.numbers[1].params[1].scale, 1.0f);
    QCOMPARE(model.numbers[2].params[0].scale, input * raised);
    QVERIFY(std::abs(integerCodes(model, PointId{2})[0]) <= std::int64_t(1) << 30);
    QCOMPARE(model.diagnostics.size(), std::size_t(1));
    QCOMPARE(model.diagnostics[0].code, std::string("bias-raised-scale"));
    QVERIFY(model.diagnostics[0].sentence.find("'w'") != std::string::npos);
}

void TestPointNumbers::powerOfTwoScalesStayPowersOfTwo()
{
    Case c = convCase({127e-4f, 127}, {500, 1}, Granularity::PerChannel, 0.127f);
    for (Point &point : c.hand.model.placement.points)
        if (point.kind != PointKind::Bias)
            point.scheme.scaleType = ScaleType::PowerOfTwo;
    const QuantizedModel model = c.numbers();
    for (std::size_t i = 0; i < 2; ++i)
        for (const AffineParams &params : model.numbers[i].params) {
            int exponent = 0;
            QCOMPARE(std::frexp(params.scale, &exponent), 0.5f);
        }
    QVERIFY(std::abs(integerCodes(model, PointId{2})[0]) <= std::int64_t(1) << 30);
}

void TestPointNumbers::channelOfZeros()
{
    Case c = convCase({0, 127}, {-0.26f, 1}, Granularity::PerChannel);
    const QuantizedModel model = c.numbers();
    // 2^30 codes hold −0.26 at 2.4e-10, but no scale is below 2^-23.
    QCOMPARE(model.numbers[1].params[0].scale, 0x1p-23f);
    QVERIFY(std::abs(double(integerCodes(model, PointId{2})[0]) * double(0x1p-23f) + 0.26) < 1e-7);
    QCOMPARE(model.diagnostics.at(0).code, std::string("zero-channel"));
    QCOMPARE(model.diagnostics.at(0).severity, Severity::Note);
}

// ConvTranspose [4, 1, …] with 2 groups has 2 outputs and one weight channel (axis 1): both biases use its scale.
void TestPointNumbers::transposedConvolutionWithGroups()
{
    TinyGraph tiny;
    const ValueId x = tiny.input("x", {1, 4, 2, 2});
    tiny.output(tiny.node("ConvTranspose", "up", {x, tiny.constant("w", {4, 1, 1, 1}, {1, 2, 3, 254}), tiny.constant("b", {2}, {6, 8})}, {{"group", std::int64_t(2)}}));
    Case c(tiny);
    c.hand.activation("x", {}).scheme.narrow = true;
    Scheme &scheme = c.hand.weight("w", {}).scheme;
    scheme.granularity = Granularity::PerChannel;
    scheme.channelAxis = 1;
    scheme.narrow = true;
    Point &point = c.hand.point(PointKind::Bias, "b", QuantDtype::Int32, {});
    point.scheme.granularity = Granularity::PerChannel;
    point.biasInput = PointId{0};
    point.biasWeight = PointId{1};
    c.statistics[x] = seen({-127, 1});
    const QuantizedModel model = c.numbers();
    QCOMPARE(model.numbers[1].params.size(), std::size_t(1));
    QCOMPARE(integerCodes(model, PointId{2}), (std::vector<std::int64_t>{3, 4}));
}

void TestPointNumbers::missingStatistics()
{
    TinyGraph tiny;
    tiny.output(tiny.node("Relu", "y", {tiny.input("forgotten", {1, 4})}));
    Case c(tiny);
    c.hand.activation("forgotten", {});
    try {
        c.numbers();
        QFAIL("no error");
    } catch (const Error &error) {
        QCOMPARE(error.kind(), ErrorKind::InvalidInput);
        QVERIFY(error.sentence().find("forgotten") != std::string::npos);
    }
}

void TestPointNumbers::weightThatIsNotFinite()
{
    Case c = convCase({NAN, 1}, {0, 0}, Granularity::PerChannel);
    QVERIFY_THROWS_EXCEPTION(Error, c.numbers());
}

void TestPointNumbers::fixedRangeNeedsNoData()
{
    TinyGraph tiny;
    tiny.output(tiny.node("Relu", "y", {tiny.input("x", {1, 4})}));
    Case c(tiny);
    Scheme &scheme = c.hand.activation("x", {}, QuantDtype::UInt8).scheme;
    scheme.observer = ObserverKind::Fixed;
    scheme.fixedRange = {0, 510};
    scheme.symmetric = false;
    QCOMPARE(c.numbers().numbers[0].params, (std::vector<AffineParams>{{2.0f, 0, 0, 255}}));
}

void TestPointNumbers::bestDoesNotClipOutputs()
{
    TinyGraph tiny;
    const ValueId x = tiny.input("x", {1, 4});
    tiny.output(tiny.node("Relu", "y", {x}));
    Case c(tiny);
    // Exponentially distributed up to 9.2: four bits are best spent on less.
    std::vector<float> values;
    for (int i = 0; i < 10000; ++i)
        values.push_back(float(-std::log((i + 1) / 10000.0)));
    for (const char *name : {"x", "y"}) {
        Scheme &scheme = c.hand.activation(name, {}, QuantDtype::UInt4).scheme;
        scheme.bestObserver = true;
        scheme.symmetric = false;
        c.statistics[tiny.graph.findValue(name)] = seen(values);
    }
    const QuantizedModel model = c.numbers();
    QVERIFY(model.numbers[0].range.max < 8);
    QVERIFY(model.numbers[1].range.max > 9.2);
    QCOMPARE(model.numbers[1].observer, ObserverKind::MinMax);
}

QTEST_APPLESS_MAIN(TestPointNumbers)
#include "tst_point_numbers.moc"

#include "core/base/error.h"
#include "core/stats/affine.h"

#include <QtTest/QtTest>

#include <cmath>
#include <limits>

using namespace core;

namespace {

AffineOptions options(QuantDtype dtype, bool symmetric, bool narrow = false, ScaleType type = ScaleType::Float,
                      PowerOfTwoRounding rounding = PowerOfTwoRounding::Ceil)
{
    AffineOptions o;
    o.dtype = dtype;
    o.symmetric = symmetric;
    o.narrow = narrow;
    o.scaleType = type;
    o.rounding = rounding;
    return o;
}

} // namespace

class TestAffine : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void ranges_data()
    {
        QTest::addColumn<QString>("dtype");
        QTest::addColumn<bool>("symmetric");
        QTest::addColumn<bool>("narrow");
        QTest::addColumn<double>("min");
        QTest::addColumn<double>("max");
        QTest::addColumn<double>("scale");
        QTest::addColumn<int>("zeroPoint");
        const auto row = [](const char *name, const char *dtype, bool symmetric, bool narrow, double min, double max, double scale, int zeroPoint) {
            QTest::newRow(name) << dtype << symmetric << narrow << min << max << scale << zeroPoint;
        };
        row("int8 full: absmax / 127.5", "int8", true, false, -1, 2.55, 0.02, 0);
        row("int8 narrow: absmax / 127", "int8", true, true, -2.54, 1, 0.02, 0);
        row("uint8 symmetric stands on 128", "uint8", true, false, -1, 2.55, 0.02, 128);
        row("int8 asymmetric", "int8", false, false, -1, 1.55, 0.01, -28);
        row("uint8 asymmetric", "uint8", false, false, -1, 1.55, 0.01, 100);
        row("int8 asymmetric narrow", "int8", false, true, -1, 1.54, 0.01, -27);
        row("zero is always in the range, below", "uint8", false, false, 1, 2.55, 0.01, 0);
        row("zero is always in the range, above", "uint8", false, false, -2.55, -1, 0.01, 255);
        row("half to even zero point", "uint8", false, false, -0.5, 254.5, 1, 0);
        row("half to even zero point, odd", "uint8", false, false, -1.5, 253.5, 1, 2);
        row("int4", "int4", true, false, -7.5, 3, 1, 0);
        row("int4 narrow", "int4", true, true, -7, 3, 1, 0);
        row("uint4", "uint4", false, false, -1, 14, 1, 1);
        row("uint4 symmetric", "uint4", true, false, -7.5, 3, 1, 8);
        row("int2 full", "int2", true, false, -3, 1, 2, 0);
        row("int3 narrow", "int3", true, true, -6, 6, 2, 0);
        row("int16", "int16", true, false, -32767.5, 5, 1, 0);
        row("uint16", "uint16", false, false, -20000, 45535, 1, 20000);
        row("uint16 symmetric", "uint16", true, false, -32767.5, 0, 1, 32768);
        row("int32", "int32", true, false, -2147483647.5, 0, 1, 0);
        row("nothing but zeros", "int8", true, false, 0, 0, 1, 0);
        row("nothing but zeros, asymmetric", "int8", false, false, 0, 0, 1, -128);
        row("floor of the scale", "int8", true, true, -1e-9, 1e-9, 0x1p-23, 0);
        row("fp8 e4m3 reaches 448", "fp8_e4m3", true, false, -896, 3, 2, 0);
        row("fp8 e5m2 reaches 57344", "fp8_e5m2", true, false, 0, 28672, 0.5, 0);
        row("float16 has no scale", "float16", true, false, -5, 5, 1, 0);
        row("float32 has no scale", "float32", true, false, -5, 5, 1, 0);
    }
    void ranges()
    {
        QFETCH(QString, dtype);
        QFETCH(bool, symmetric);
        QFETCH(bool, narrow);
        QFETCH(double, min);
        QFETCH(double, max);
        QFETCH(double, scale);
        QFETCH(int, zeroPoint);
        const AffineParams params = affineFromRange({min, max}, options(*quantDtypeFromName(dtype.toStdString()), symmetric, narrow));
        QCOMPARE(params.scale, float(scale));
        QCOMPARE(params.zeroPoint, zeroPoint);
    }

    void powersOfTwo_data()
    {
        QTest::addColumn<double>("absmax");
        QTest::addColumn<double>("ceil");
        QTest::addColumn<double>("nearest");
        QTest::newRow("exactly one") << 127.0 << 1.0 << 1.0;
        QTest::newRow("a little more") << 127.1 << 2.0 << 1.0;
        QTest::newRow("a little less than sqrt 2") << 127 * 1.4142 << 2.0 << 1.0;
        QTest::newRow("a little more than sqrt 2") << 127 * 1.4143 << 2.0 << 2.0;
        QTest::newRow("0.3") << 127 * 0.3 << 0.5 << 0.25;
        QTest::newRow("below the floor") << 1e-12 << 0x1p-23 << 0x1p-23;
    }
    void powersOfTwo()
    {
        QFETCH(double, absmax);
        QFETCH(double, ceil);
        QFETCH(double, nearest);
        const auto scale = [&](PowerOfTwoRounding rounding) {
            return double(affineFromRange({-absmax, absmax}, options(QuantDtype::Int8, true, true, ScaleType::PowerOfTwo, rounding)).scale);
        };
        QCOMPARE(scale(PowerOfTwoRounding::Ceil), ceil);
        QCOMPARE(scale(PowerOfTwoRounding::Nearest), nearest);
        QCOMPARE(scale(PowerOfTwoRounding::Mse), nearest);
    }

    void powerOfTwoFollowsTheZeroPoint()
    {
        // (3 + 1) / 255 = 0.0157 → 1/32; zero point = round(1 · 32).
        const AffineParams params = affineFromRange({-1, 3}, options(QuantDtype::UInt8, false, false, ScaleType::PowerOfTwo));
        QCOMPARE(params, (AffineParams{0.03125f, 32, 0, 255}));
    }

    void withoutTheFloor()
    {
        AffineOptions bias = options(QuantDtype::Int32, true);
        bias.floorScale = false;
        QVERIFY(affineFromRange({-1, 1}, bias).scale < 0x1p-30f);
        QVERIFY(affineFromRange({-1e-300, 0}, bias).scale > 0);
    }

    void refusesWhatIsNotFinite()
    {
        const double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
        for (const Range range : {Range{nan, 1}, Range{0, nan}, Range{-inf, 0}, Range{0, inf}, Range{-1.7e308, 1.7e308}})
            try {
                affineFromRange(range, options(QuantDtype::Int8, false));
                QFAIL("no error");
            } catch (const Error &error) {
                QCOMPARE(error.kind(), ErrorKind::Numeric);
            }
    }

    void extremesOfFloat()
    {
        const double largest = double(std::numeric_limits<float>::max());
        const AffineParams params = affineFromRange({-largest, largest}, options(QuantDtype::UInt8, false));
        QCOMPARE(params.scale, float(2 * largest / 255));
        QCOMPARE(params.zeroPoint, 128);
    }

    void representable()
    {
        const AffineParams params{0.5f, 100, 0, 255};
        QCOMPARE(representableRange(params), (Range{-50, 77.5}));
    }

    void rounding_data()
    {
        QTest::addColumn<double>("value");
        QTest::addColumn<int>("even");
        QTest::addColumn<int>("away");
        QTest::addColumn<int>("floor");
        const auto row = [](double value, int even, int away, int floor) { QTest::addRow("%g", value) << value << even << away << floor; };
        row(0.25, 10, 11, 10); // 0.5 codes, zero point 10
        row(0.75, 12, 12, 11);
        row(-0.25, 10, 9, 9);
        row(-0.75, 8, 8, 8);
        row(0.6, 11, 11, 11);
        row(1000, 127, 127, 127);
        row(-1000, -128, -128, -128);
        row(std::numeric_limits<double>::infinity(), 127, 127, 127);
        row(std::numeric_limits<double>::quiet_NaN(), -128, -128, -128);
    }
    void rounding()
    {
        QFETCH(double, value);
        const AffineParams params{0.5f, 10, -128, 127};
        QTEST(int(quantize(value, params, RoundMethod::HalfEven)), "even");
        QTEST(int(quantize(value, params, RoundMethod::HalfAwayFromZero)), "away");
        QTEST(int(quantize(value, params, RoundMethod::Floor)), "floor");
    }

    void floatDivisionAsOnnxDoesIt()
    {
        // numpy: np.float32(0.35) / np.float32(0.1) is 3.5, the quotient of the same two in double 3.49999989.
        const AffineParams params{0.1f, 0, -128, 127};
        QCOMPARE(quantize(double(0.35f), params), std::int64_t(4));
        // int32 codes need double: 2^30 + 1 is no float32.
        QCOMPARE(quantize(1073741825.0, AffineParams{1.0f, 0, std::numeric_limits<int>::min(), std::numeric_limits<int>::max()}), std::int64_t(1073741825));
    }

    void thereAndBack()
    {
        const AffineParams params = affineFromRange({-1, 2}, options(QuantDtype::UInt8, false));
        QCOMPARE(dequantize(quantize(0, params), params), 0.0);
        for (double r = -1; r <= 2; r += 0.01)
            QVERIFY(std::fabs(dequantize(quantize(r, params), params) - r) <= double(params.scale) * 0.5001);
    }
};

QTEST_APPLESS_MAIN(TestAffine)
#include "tst_affine.moc"

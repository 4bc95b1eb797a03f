#include "core/exec/quant_codes.h"
#include "core/kernels/fake_quantize.h"
#include "core/kernels/histogram.h"
#include "core/kernels/range.h"
#include "tests/support/each_target.h"

#include <QtTest/QtTest>

#include <ATen/ATen.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

using namespace core;

namespace {

using tests::onEachTarget;

constexpr float notANumber = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();

/// Roughly normal values around 0, the same every time.
std::vector<float> numbers(std::size_t count, float scale = 1)
{
    std::uint64_t state = 7;
    std::vector<float> values(count);
    for (float &value : values) {
        double sum = 0;
        for (int i = 0; i < 4; ++i) {
            state = state * 6364136223846793005ull + 1442695040888963407ull;
            sum += double(state >> 40) / double(1 << 24) - 0.5;
        }
        value = float(sum * 2) * scale;
    }
    return values;
}

std::uint32_t bits(float value) { return std::bit_cast<std::uint32_t>(value); }

/// ONNX QuantizeLinear followed by DequantizeLinear, written out.
int code(float r, const AffineParams &p)
{
    if (std::isnan(r))
        return p.qmin;
    const float rounded = std::nearbyintf(r / p.scale);
    return int(std::min(std::max(double(rounded) + p.zeroPoint, double(p.qmin)), double(p.qmax)));
}
float fake(float r, const AffineParams &p) { return float(code(r, p) - p.zeroPoint) * p.scale; }
float limited(float r, const PreClamp &c) { return r < c.low ? c.low : r > c.high ? c.high : r; }

const std::vector<std::size_t> lengths{0, 1, 2, 3, 7, 8, 15, 16, 17, 31, 33, 64, 65, 100, 511, 1025, 9001};

struct PlainBins {
    FixedSums sums;
    std::vector<std::uint32_t> counts = std::vector<std::uint32_t>(histogramBins, 0);
};

PlainBins plainBins(const std::vector<float> &values, int exponent, int countsExponent)
{
    PlainBins result;
    for (const float v : values) {
        if (!std::isfinite(v))
            continue;
        const double t = double(v) * std::exp2(30 - exponent);
        result.sums.sum += std::llrint(t);
        const float square = float(t) * float(t);
        result.sums.squares += std::llrint(double(square) / 1073741824.0);
        ++result.counts.at(std::size_t(std::floor(double(v) / (std::exp2(countsExponent) / 2048)) + 2048));
    }
    return result;
}

} // namespace

class TestKernels : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void fakeQuantizeIsBitExact_data()
    {
        QTest::addColumn<float>("scale");
        QTest::addColumn<int>("zeroPoint");
        QTest::addColumn<int>("qmin");
        QTest::addColumn<int>("qmax");
        QTest::newRow("int8") << 0.0123f << 0 << -128 << 127;
        QTest::newRow("narrow") << 0.0123f << 0 << -127 << 127;
        QTest::newRow("uint8") << 0.017f << 100 << 0 << 255;
        QTest::newRow("int4") << 0.25f << 1 << -8 << 7;
        QTest::newRow("int16") << 0.0001f << 0 << -32768 << 32767;
        QTest::newRow("uint16") << 0.0001f << 40000 << 0 << 65535;
    }
    void fakeQuantizeIsBitExact()
    {
        QFETCH(float, scale);
        QFETCH(int, zeroPoint);
        QFETCH(int, qmin);
        QFETCH(int, qmax);
        const AffineParams p{scale, zeroPoint, qmin, qmax};
        const float specials[] = {notANumber, inf, -inf, -0.0f, 1e30f, 2.5f * scale, 3.5f * scale, -0.25f * scale, 1e-40f};
        onEachTarget([&](const char *target) {
            for (const PreClamp clamp : {PreClamp{}, PreClamp{0, inf}, PreClamp{0, 1}})
                for (const std::size_t length : lengths) {
                    std::vector<float> x = numbers(length);
                    for (std::size_t i = 3; i < length; i += 5)
                        x[i] = specials[i / 5 % 9];
                    std::vector<float> y(length, -7);
                    fakeQuantize(x.data(), y.data(), length, p, clamp);
                    for (std::size_t i = 0; i < length; ++i)
                        if (const float expected = fake(limited(x[i], clamp), p); bits(y[i]) != bits(expected))
                            QFAIL(qPrintable(QString("%1, length %2: %3 gave %4 instead of %5").arg(target).arg(length).arg(double(x[i])).arg(double(y[i])).arg(double(expected))));
                    fakeQuantize(x.data(), x.data(), length, p, clamp);
                    QVERIFY(length == 0 || std::memcmp(x.data(), y.data(), length * sizeof(float)) == 0);
                }
        });
    }

    void ordinaryNumbersAndTies()
    {
        // One number at or beside a tie among ordinary ones: where products by 1/scale could round otherwise than quotients.
        onEachTarget([&](const char *target) {
            for (const float scale : {0.0123f, 0.1f, 0.3333333f, 0.5f, 7.7e-5f, 1e-34f}) {
                const AffineParams p{scale, 3, -128, 127};
                std::vector<float> x = numbers(64 * 260, 50 * scale);
                for (int k = -130; k < 130; ++k) {
                    float tie = (float(k) + 0.5f) * scale;
                    for (int step = 0; step < k % 4; ++step)
                        tie = std::nextafter(tie, k % 2 ? inf : -inf);
                    x[std::size_t(64 * (k + 130) + (k + 130) % 64)] = tie;
                }
                std::vector<float> y(x.size());
                fakeQuantize(x.data(), y.data(), x.size(), p);
                for (std::size_t i = 0; i < x.size(); ++i)
                    if (bits(y[i]) != bits(fake(x[i], p)))
                        QFAIL(qPrintable(QString("%1, scale %2: %3 gave %4").arg(target).arg(double(scale)).arg(double(x[i])).arg(double(y[i]))));
            }
        });
    }

    void eachChannelHasItsOwnNumbers_data()
    {
        QTest::addColumn<int>("outer");
        QTest::addColumn<int>("channels");
        QTest::addColumn<int>("inner");
        QTest::newRow("channels last, 24") << 131 << 24 << 1;
        QTest::newRow("channels last, 3") << 200 << 3 << 1;
        QTest::newRow("channels last, 16") << 64 << 16 << 1;
        QTest::newRow("planes of 49") << 3 << 5 << 49;
        QTest::newRow("depthwise weights") << 1 << 7 << 9;
        QTest::newRow("short rows, many") << 97 << 5 << 3;
        QTest::newRow("nothing") << 0 << 5 << 3;
    }
    void eachChannelHasItsOwnNumbers()
    {
        QFETCH(int, outer);
        QFETCH(int, channels);
        QFETCH(int, inner);
        std::vector<AffineParams> params;
        for (int c = 0; c < channels; ++c)
            params.push_back({0.01f * float(c + 1), c % 3, -128 + c, 127 - c});
        onEachTarget([&](const char *) {
            const std::vector<float> x = numbers(std::size_t(outer * channels * inner), 3);
            std::vector<float> y(x.size());
            fakeQuantizeChannels(x.data(), y.data(), std::size_t(outer), std::size_t(channels), std::size_t(inner), params.data());
            for (std::size_t i = 0; i < x.size(); ++i)
                QCOMPARE(bits(y[i]), bits(fake(x[i], params[i / std::size_t(inner) % std::size_t(channels)])));
        });
    }

    void codesThereAndBack()
    {
        const AffineParams u{0.02f, 117, 0, 255}, s{0.02f, -11, -128, 127}, four{0.3f, 0, -8, 7};
        onEachTarget([&](const char *) {
            for (const std::size_t length : lengths) {
                std::vector<float> x = numbers(length, 2), y(length);
                if (length > 2) {
                    x[1] = notANumber;
                    x[2] = -inf;
                }
                std::vector<std::uint8_t> uc(length);
                std::vector<std::int8_t> sc(length);
                quantizeSpan(x.data(), uc.data(), length, u);
                for (std::size_t i = 0; i < length; ++i)
                    QCOMPARE(int(uc[i]), code(x[i], u));
                dequantizeSpan(uc.data(), y.data(), length, u);
                for (std::size_t i = 0; i < length; ++i)
                    QCOMPARE(bits(y[i]), bits(fake(x[i], u)));
                for (const AffineParams &p : {s, four}) {
                    quantizeSpan(x.data(), sc.data(), length, p);
                    for (std::size_t i = 0; i < length; ++i)
                        QCOMPARE(int(sc[i]), code(x[i], p));
                    dequantizeSpan(sc.data(), y.data(), length, p);
                    for (std::size_t i = 0; i < length; ++i)
                        QCOMPARE(bits(y[i]), bits(fake(x[i], p)));
                }
            }
        });
    }

    void operatorsGiveTheSameBits_data()
    {
        QTest::addColumn<int>("type");
        QTest::addColumn<int>("zeroPoint");
        QTest::addColumn<int>("qmin");
        QTest::addColumn<int>("qmax");
        QTest::newRow("uint8") << int(DataType::UInt8) << 77 << 0 << 255;
        QTest::newRow("int8") << int(DataType::Int8) << -3 << -128 << 127;
        QTest::newRow("int16") << int(DataType::Int16) << 0 << -32768 << 32767;
        QTest::newRow("int4") << int(DataType::Int4) << 1 << -8 << 7;
    }
    void operatorsGiveTheSameBits()
    {
        QFETCH(int, type);
        QFETCH(int, zeroPoint);
        QFETCH(int, qmin);
        QFETCH(int, qmax);
        const AffineParams p{0.013f, zeroPoint, qmin, qmax};
        std::vector<float> x = numbers(70001, 2);
        x[5] = notANumber;
        x[6] = -inf;
        x[7] = -0.0f;
        std::vector<float> y(x.size());
        fakeQuantize(x.data(), y.data(), x.size(), p);
        const at::Tensor zero = at::tensor(std::int64_t(zeroPoint)).to(type == int(DataType::UInt8) ? at::kByte : type == int(DataType::Int16) ? at::kShort : at::kChar);
        const at::Tensor codes = quantizeTensor(at::tensor(x), at::tensor(p.scale), zero, DataType(type), {}, true, "test");
        const at::Tensor values = dequantizeTensor(codes, at::tensor(p.scale), zero, {}, "test");
        QCOMPARE(std::size_t(values.numel()), y.size());
        QVERIFY(std::memcmp(values.data_ptr<float>(), y.data(), y.size() * sizeof(float)) == 0);
    }

    void clampKeepsNan()
    {
        onEachTarget([&](const char *) {
            const std::vector<float> x{-1, 0.5f, 7, notANumber, -0.0f, inf, -inf, 6, 3};
            std::vector<float> y(x.size());
            clampSpan(x.data(), y.data(), x.size(), {0, 6});
            QVERIFY(std::isnan(y[3]));
            y[3] = 0;
            QCOMPARE(y, (std::vector<float>{0, 0.5f, 6, 0, 0, 6, 0, 6, 3}));
        });
    }

    void rangeCountsZerosAndSkipsNotFinite()
    {
        onEachTarget([&](const char *target) {
            for (const bool broken : {false, true})
                for (const std::size_t length : lengths) {
                    std::vector<float> x = numbers(length);
                    RangeScan expected;
                    for (std::size_t i = 0; i < length; ++i) {
                        if (i % 7 == 5)
                            x[i] = i % 2 ? 0.0f : -0.0f;
                        if (broken && i % 11 == 10)
                            x[i] = i % 3 == 0 ? notANumber : i % 3 == 1 ? inf : -inf;
                        if (!std::isfinite(x[i])) {
                            ++expected.notFinite;
                            continue;
                        }
                        expected.zeros += x[i] == 0;
                        expected.min = std::min(expected.min, x[i]);
                        expected.max = std::max(expected.max, x[i]);
                    }
                    RangeScan scan;
                    scanRange(x.data(), length, scan);
                    QVERIFY2(scan == expected, target);
                }
            RangeScan zeros;
            const std::vector<float> signedZeros{-0.0f, -0.0f};
            scanRange(signedZeros.data(), 2, zeros);
            QCOMPARE(bits(zeros.min), 0u);
            QVERIFY(!RangeScan().any() && zeros.any());
        });
    }

    void columnsHaveTheirOwnExtremesAndSums()
    {
        onEachTarget([&](const char *target) {
            for (const bool broken : {false, true})
                for (const std::size_t width : {1u, 3u, 16u, 24u, 48u, 67u, 130u}) {
                    const std::size_t rows = 37;
                    std::vector<float> x = numbers(rows * width);
                    if (broken)
                        x[5 * width + width / 2] = notANumber;
                    std::vector<float> mins(width, inf), maxs(width, -inf), low = mins, high = maxs;
                    std::vector<std::int64_t> sums(width, 5), expected(width, 5);
                    for (std::size_t i = 0; i < x.size(); ++i)
                        if (std::isfinite(x[i])) {
                            low[i % width] = std::min(low[i % width], x[i]);
                            high[i % width] = std::max(high[i % width], x[i]);
                            expected[i % width] += std::llrint(double(x[i]) * std::exp2(27));
                        }
                    RangeScan scan;
                    scanRangeColumns(x.data(), rows, width, mins.data(), maxs.data(), scan);
                    QVERIFY2(mins == low && maxs == high && scan.notFinite == (broken ? 1u : 0u), target);
                    BinPlan plan;
                    plan.exponent = 3;
                    plan.finite = !broken;
                    sumColumns(x.data(), rows, width, plan, sums.data());
                    QVERIFY2(sums == expected, target);
                }
        });
    }

    void histogramAndSums_data()
    {
        QTest::addColumn<float>("scale");
        QTest::addColumn<int>("exponent");
        QTest::addColumn<int>("countsExponent");
        QTest::newRow("usual") << 1.0f << 2 << 2;
        QTest::newRow("counters of a wider range") << 1.0f << 2 << 5;
        QTest::newRow("counters of a much wider range") << 1.0f << 2 << 40;
        QTest::newRow("counters of a narrower range") << 1.0f << 9 << 2;
        QTest::newRow("counters of the narrowest range") << 1.0f << 18 << 2;
        QTest::newRow("tiny") << 0x1p-90f << -88 << -88;
        QTest::newRow("denormal") << 0x1p-125f << -123 << -123;
        QTest::newRow("huge") << 0x1p100f << 102 << 110;
    }
    void histogramAndSums()
    {
        QFETCH(float, scale);
        QFETCH(int, exponent);
        QFETCH(int, countsExponent);
        const float specials[] = {0.0f, -0.0f, 0x1p-11f * scale, -0x1p-11f * scale, -0x1p-20f * scale, std::nextafter(scale, 0.0f),
                                  std::nextafter(-scale, 0.0f), -1e-44f, 1.5f * scale};
        onEachTarget([&](const char *target) {
            for (const int variant : {0, 1, 2})
                for (const std::size_t length : lengths) {
                    std::vector<float> x = numbers(length, scale);
                    for (std::size_t i = 1; i < length; i += 3)
                        x[i] = specials[i / 3 % 9];
                    if (variant == 2)
                        for (std::size_t i = 0; i < length; i += 13)
                            x[i] = i % 2 ? notANumber : inf;
                    const PlainBins expected = plainBins(x, exponent, countsExponent);
                    const BinPlan plan{exponent, countsExponent, variant != 2, variant == 1, variant == 1 ? x.data() : nullptr};
                    std::vector<std::uint32_t> counts(histogramBins * histogramLanes, 0), merged(histogramBins, 0);
                    FixedSums sums;
                    binValues(x.data(), length, plan, counts.data(), sums);
                    for (std::size_t i = 0; i < counts.size(); ++i)
                        merged[i / histogramLanes] += counts[i];
                    QVERIFY2(merged == expected.counts, target);
                    QCOMPARE(sums.sum, expected.sums.sum);
                    QCOMPARE(sums.squares, expected.sums.squares);
                    QCOMPARE(sumValues(x.data(), length, plan), expected.sums.sum);
                    FixedSums alone;
                    binValues(x.data(), length, plan, nullptr, alone);
                    QCOMPARE(alone, expected.sums);
                }
        });
    }

    void exponents()
    {
        QCOMPARE(exponentAbove(0), -125);
        QCOMPARE(exponentAbove(1e-45f), -125);
        QCOMPARE(exponentAbove(0.75f), 0);
        QCOMPARE(exponentAbove(1), 1);
        QCOMPARE(exponentAbove(5.99f), 3);
        QCOMPARE(exponentAbove(std::numeric_limits<float>::max()), 128);
    }
};

QTEST_APPLESS_MAIN(TestKernels)
#include "tst_kernels.moc"

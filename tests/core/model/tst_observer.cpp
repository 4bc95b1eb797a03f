#include "core/base/error.h"
#include "core/stats/observer.h"

#include <QtTest/QtTest>

#include <cmath>
#include <functional>
#include <limits>
#include <random>

using namespace core;

namespace {

/// Bin counts relative to the middle; min and max at the outer edges of what is filled.
TensorStatistics fromBins(int exponent, const std::function<std::uint64_t(int)> &count)
{
    TensorStatistics s;
    s.histogram.growTo(exponent);
    int first = 2048, last = -2049;
    for (int bin = -2048; bin < 2048; ++bin)
        if (const std::uint64_t n = count(bin)) {
            s.histogram.counts[std::size_t(bin + 2048)] = n;
            s.count += n;
            first = std::min(first, bin);
            last = std::max(last, bin);
        }
    s.min = float(double(first) * s.histogram.binWidth());
    s.max = std::nextafter(float(double(last + 1) * s.histogram.binWidth()), 0.0f);
    return s;
}

/// Exponential on both sides, with one value far out.
TensorStatistics withOutlier(int outlier = 2000)
{
    return fromBins(0, [outlier](int bin) { return std::uint64_t(bin == outlier ? 1 : std::floor(1e6 * std::exp(-std::fabs(bin + 0.5) / 60))); });
}

ObserverOptions options(ObserverKind kind, QuantDtype dtype = QuantDtype::Int8, bool symmetric = true)
{
    ObserverOptions o;
    o.kind = kind;
    o.affine.dtype = dtype;
    o.affine.symmetric = symmetric;
    return o;
}

/// Σ count·(r − r̂)²/count by plain sampling: 64 points a bin.
double sampledError(const Histogram &histogram, const AffineParams &params)
{
    double sum = 0, total = 0;
    for (std::size_t bin = 0; bin < histogram.counts.size(); ++bin)
        for (int i = 0; i < 64 && histogram.counts[bin] > 0; ++i) {
            const double r = histogram.binLeft(bin) + (i + 0.5) / 64 * histogram.binWidth();
            const double q = std::min(std::max(std::nearbyint(r / double(params.scale)) + params.zeroPoint, double(params.qmin)), double(params.qmax));
            const double difference = r - (q - params.zeroPoint) * double(params.scale);
            sum += double(histogram.counts[bin]) * difference * difference;
            total += double(histogram.counts[bin]);
        }
    return sum / total;
}

bool near(double a, double b, double relative) { return std::fabs(a - b) <= relative * std::max(std::fabs(a), std::fabs(b)); }

#define COMPARE_NEAR(a, b, relative) \
    QVERIFY2(near(a, b, relative), qPrintable(QString("%1 is not %2").arg(double(a), 0, 'g', 12).arg(double(b), 0, 'g', 12)))

/// 200 numbers that Python was given too.
std::vector<float> someWeights()
{
    std::vector<float> values;
    for (int k = 0; k < 200; ++k)
        values.push_back(float(std::sin(k * k * 0.37) * (k % 7 == 0 ? 3 : 1)));
    return values;
}

double weightError(const std::vector<float> &values, const AffineParams &params)
{
    double sum = 0;
    for (const float v : values)
        sum += std::pow(double(v) - dequantize(quantize(double(v), params), params), 2);
    return sum / double(values.size());
}

} // namespace

class TestObserver : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void namesThereAndBack()
    {
        for (const char *name : {"min_max", "moving_average_min_max", "histogram_mse", "percentile", "entropy", "pof2_min_max", "pof2_mse", "fixed"})
            QCOMPARE(observerName(observerFromName(name).value()), std::string_view(name));
        QVERIFY(!observerFromName("best"));
    }

    void errorOfOneBin_data()
    {
        QTest::addColumn<int>("bin");
        QTest::addColumn<double>("scale");
        QTest::addColumn<int>("qmin");
        QTest::addColumn<int>("qmax");
        QTest::addColumn<double>("error");
        // Width 1, so that the integrals can be done by hand.
        QTest::newRow("four codes a bin: s²/12") << 5 << 0.25 << -32768 << 32767 << 0.25 * 0.25 / 12;
        QTest::newRow("a threshold in the middle: w²/12") << 5 << 1.0 << -128 << 127 << 1.0 / 12;
        QTest::newRow("[0, 1) all to code 0: w²/3") << 0 << 100.0 << -128 << 127 << 1.0 / 3;
        QTest::newRow("[-1, 0) all to code 0: w²/3") << -1 << 100.0 << -128 << 127 << 1.0 / 3;
        QTest::newRow("[30, 31) to 40: mean of 9²…10²") << 30 << 40.0 << -128 << 127 << (1000.0 - 729) / 3;
        QTest::newRow("clipped at 10, [12, 13)") << 12 << 10.0 << -1 << 1 << (27.0 - 8) / 3;
        QTest::newRow("clipped at -10, [-13, -12)") << -13 << 10.0 << -1 << 1 << (27.0 - 8) / 3;
        QTest::newRow("half inside: [10, 11), top 10.5") << 10 << 10.5 << -1 << 1 << 0.25 / 3;
        QTest::newRow("nothing below 0: [-3, -2) to 0") << -3 << 1.0 << 0 << 255 << (27.0 - 8) / 3;
    }
    void errorOfOneBin()
    {
        QFETCH(int, bin);
        QFETCH(double, scale);
        QFETCH(int, qmin);
        QFETCH(int, qmax);
        QFETCH(double, error);
        const TensorStatistics s = fromBins(11, [&](int b) { return b == bin ? 7u : 0u; });
        COMPARE_NEAR(expectedSquaredError(s.histogram, AffineParams{float(scale), 0, qmin, qmax}), error, 1e-9);
    }

    void errorAgreesWithSampling()
    {
        std::mt19937 random(3);
        for (int round = 0; round < 40; ++round) {
            const int exponent = int(random() % 20) - 10, spread = int(random() % 300) + 5;
            const TensorStatistics s = fromBins(exponent, [&](int bin) { return bin < -1500 ? 0 : std::uint64_t(random() % 1000 * std::exp(-std::abs(bin) / double(spread))); });
            const double reach = std::exp2(exponent);
            for (const AffineParams &p : {AffineParams{float(reach / 128), 0, -128, 127}, AffineParams{float(reach / 200), 30, 0, 255},
                                          AffineParams{float(reach / 77), -2, -8, 7}, AffineParams{float(reach / 9), 0, -8, 7}, AffineParams{float(reach / 3000), 0, -128, 127}})
                COMPARE_NEAR(expectedSquaredError(s.histogram, p), sampledError(s.histogram, p), 2e-3);
            const AffineParams fine{float(reach / 20000), 0, -32768, 32767};
            COMPARE_NEAR(expectedSquaredError(s.histogram, fine), double(fine.scale) * double(fine.scale) / 12, 1e-2);
        }
    }

    void powerOfTwoGridsAreNotFree()
    {
        // Bin centres of a power-of-two histogram fall on the codes of a power-of-two grid; the values between do not.
        const TensorStatistics s = fromBins(0, [](int bin) { return bin >= 0 && bin < 1000 ? 5u : 0u; });
        const AffineParams params{0x1p-7f, 0, -128, 127};
        COMPARE_NEAR(expectedSquaredError(s.histogram, params), 0x1p-14 / 12, 0.01);
    }

    void knownValuesHaveTheirOwnError()
    {
        // Relu6: half zeros, a quarter exactly 6, the rest spread over 0…6. Only the spread part costs anything.
        TensorStatistics s = fromBins(3, [](int bin) { return bin < 0 || bin > 1536 ? 0u : bin == 0 ? 1536u * 2 + 1 : bin == 1536 ? 1536u : 1u; });
        s.min = 0;
        s.max = 6;
        s.zeros = 1536 * 2;
        const ObserverResult result = observe(s, options(ObserverKind::MinMax, QuantDtype::UInt8, false));
        QCOMPARE(result.range, (Range{0, 6}));
        QCOMPARE(result.params, (AffineParams{float(6.0 / 255), 0, 0, 255}));
        COMPARE_NEAR(result.meanSquaredError, std::pow(6.0 / 255, 2) / 12 / 4, 1e-3);
    }

    void minMax()
    {
        TensorStatistics s;
        s.min = -1;
        s.max = 1.55f;
        s.count = 1;
        const ObserverResult result = observe(s, options(ObserverKind::MinMax, QuantDtype::UInt8, false));
        QCOMPARE(result.params.scale, 0.01f);
        QCOMPARE(result.params.zeroPoint, 100);
        QCOMPARE(result.meanSquaredError, 0.0);
    }

    void movingAverageIsTheMeanOfTheImages()
    {
        TensorStatistics s = withOutlier();
        s.images = 4;
        s.sumOfImageMin.add(-2);
        s.sumOfImageMax.add(3);
        QCOMPARE(observe(s, options(ObserverKind::MovingAverageMinMax)).range, (Range{-0.5, 0.75}));
    }

    void fixedNeedsNoData()
    {
        ObserverOptions o = options(ObserverKind::Fixed, QuantDtype::UInt8, false);
        o.fixedRange = {0, 2.55};
        QCOMPARE(observe(TensorStatistics(), o).params, (AffineParams{0.01f, 0, 0, 255}));
        QVERIFY(observe(withOutlier(), o).meanSquaredError > 0);
    }

    void percentile_data()
    {
        QTest::addColumn<double>("percentile");
        QTest::addColumn<bool>("symmetric");
        QTest::addColumn<double>("min");
        QTest::addColumn<double>("max");
        // 1,000 values evenly over −400…600.
        QTest::newRow("all, symmetric") << 100.0 << true << -400.0 << 600.0;
        QTest::newRow("all") << 100.0 << false << -400.0 << 600.0;
        QTest::newRow("2 % cut from each end") << 96.0 << false << -380.0 << 580.0;
        QTest::newRow("5 % of |r|") << 95.0 << true << -400.0 << 550.0;
        QTest::newRow("30 % of |r|: 700 values within ±350") << 70.0 << true << -350.0 << 350.0;
    }
    void percentile()
    {
        QFETCH(double, percentile);
        QFETCH(bool, symmetric);
        QFETCH(double, min);
        QFETCH(double, max);
        TensorStatistics s = fromBins(11, [](int bin) { return bin >= -400 && bin < 600 ? 1u : 0u; });
        s.max = 600;
        ObserverOptions o = options(ObserverKind::Percentile, QuantDtype::Int8, symmetric);
        o.percentile = percentile;
        const ObserverResult result = observe(s, o);
        QVERIFY2(std::fabs(result.range.min - min) < 1e-6 && std::fabs(result.range.max - max) < 1e-6,
                 qPrintable(QString("%1 … %2").arg(result.range.min).arg(result.range.max)));
    }

    void percentileLeavesZeroAlone()
    {
        TensorStatistics s = fromBins(0, [](int bin) { return bin < 0 ? 0u : bin == 0 ? 501u : bin < 500 ? 1u : 0u; });
        s.zeros = 500;
        ObserverOptions o = options(ObserverKind::Percentile, QuantDtype::UInt8, false);
        o.percentile = 90;
        const ObserverResult result = observe(s, o);
        QCOMPARE(result.range.min, 0.0);
        COMPARE_NEAR(result.range.max, 450.0 / 2048, 1e-6);
    }

    void histogramMseFindsTheLeastError_data()
    {
        QTest::addColumn<QString>("dtype");
        QTest::addColumn<bool>("symmetric");
        for (const char *dtype : {"int4", "int8", "uint8", "int16"})
            for (const bool symmetric : {true, false})
                QTest::addRow("%s %s", dtype, symmetric ? "symmetric" : "asymmetric") << dtype << symmetric;
    }
    void histogramMseFindsTheLeastError()
    {
        QFETCH(QString, dtype);
        QFETCH(bool, symmetric);
        const ObserverOptions o = options(ObserverKind::HistogramMse, *quantDtypeFromName(dtype.toStdString()), symmetric);
        for (const int outlier : {2000, -1900, 300}) {
            const TensorStatistics s = withOutlier(outlier);
            double least = std::numeric_limits<double>::infinity();
            for (int low = 20; low >= 2; --low)
                for (int high = 20; high >= 2; --high)
                    if (!symmetric || low == high)
                        least = std::min(least, expectedSquaredError(s.histogram, affineFromRange({double(s.min) * low / 20, double(s.max) * high / 20}, o.affine)));
            const ObserverResult result = observe(s, o);
            QVERIFY2(result.meanSquaredError <= least * 1.0001, qPrintable(QString("%1 against %2").arg(result.meanSquaredError).arg(least)));
            COMPARE_NEAR(result.meanSquaredError, expectedSquaredError(s.histogram, result.params), 1e-3);
            QVERIFY(result.meanSquaredError <= observe(s, options(ObserverKind::MinMax, o.affine.dtype, symmetric)).meanSquaredError);
        }
    }

    void histogramMseClipsEachSideByItself()
    {
        const ObserverResult result = observe(withOutlier(-2000), options(ObserverKind::HistogramMse, QuantDtype::UInt4, false));
        QVERIFY(result.range.min > -0.5 && result.range.min < -0.09);
        QVERIFY(result.range.max < 0.45);
    }

    void entropyIsTensorRtsMethod()
    {
        // A plain numpy form of the method (expanding each level over its used bins) chose 639 of 2,001 bins for the first histogram,
        // all 2,048 for the second, and 1,761 for the second with the 8 levels of int4.
        const TensorStatistics outlier = fromBins(0, [](int bin) { return bin < 0 ? 0 : bin == 2000 ? 1 : bin > 2000 ? 0 : std::uint64_t(std::floor(1e6 * std::exp(-bin / 60.0))); });
        const TensorStatistics bell = fromBins(0, [](int bin) { return bin < 0 ? 0 : std::uint64_t(std::floor(1e6 * std::exp(-std::pow(bin / 700.0, 2)))); });
        const auto bins = [](const ObserverResult &result) { return int(std::lround(result.range.max * 2048)); };
        QCOMPARE(bins(observe(outlier, options(ObserverKind::Entropy))), 639);
        QCOMPARE(bins(observe(bell, options(ObserverKind::Entropy))), 2048);
        QCOMPARE(bins(observe(bell, options(ObserverKind::Entropy, QuantDtype::Int4))), 1761);
        QCOMPARE(bins(observe(outlier, options(ObserverKind::Entropy, QuantDtype::Int16))), 2001);
    }

    void powersOfTwo()
    {
        const TensorStatistics s = withOutlier();
        const ObserverResult ceil = observe(s, options(ObserverKind::Pof2MinMax));
        QCOMPARE(ceil.params.scale, 0x1p-7f); // 0.977 / 127.5 = 0.0077, 2^-7 = 0.0078
        const ObserverResult mse = observe(s, options(ObserverKind::Pof2Mse));
        float best = 0;
        double least = std::numeric_limits<double>::infinity();
        for (const float scale : {0x1p-9f, 0x1p-8f, 0x1p-7f, 0x1p-6f, 0x1p-5f})
            if (const double error = expectedSquaredError(s.histogram, {scale, 0, -128, 127}); error < least) {
                least = error;
                best = scale;
            }
        QCOMPARE(mse.params.scale, best);
        QVERIFY(best < 0x1p-7f);
        COMPARE_NEAR(mse.meanSquaredError, least, 1e-3);
        ObserverOptions rounded = options(ObserverKind::Percentile);
        rounded.percentile = 99;
        rounded.affine.scaleType = ScaleType::PowerOfTwo;
        rounded.affine.rounding = PowerOfTwoRounding::Mse;
        int exponent = 0;
        QCOMPARE(std::frexp(observe(s, rounded).params.scale, &exponent), 0.5f);
    }

    void fp8HasItsOwnGrid_data()
    {
        QTest::addColumn<QString>("dtype");
        QTest::addColumn<float>("scale");
        QTest::newRow("e4m3") << "fp8_e4m3" << 448.0f;
        QTest::newRow("e5m2") << "fp8_e5m2" << 57344.0f;
    }
    void fp8HasItsOwnGrid()
    {
        QFETCH(QString, dtype);
        QFETCH(float, scale);
        const TensorStatistics s = fromBins(0, [](int bin) { return bin < -700 ? 0u : std::uint64_t(2000 - std::abs(bin) / 2); });
        const QuantDtype type = *quantDtypeFromName(dtype.toStdString());
        const ObserverResult result = observe(s, options(ObserverKind::MinMax, type));
        QCOMPARE(result.params.scale, s.max / scale);
        double sum = 0;
        for (std::size_t bin = 0; bin < 4096; ++bin)
            for (int i = 0; i < 16 && s.histogram.counts[bin] > 0; ++i) {
                const auto r = float(s.histogram.binLeft(bin) + (i + 0.5) / 16 * s.histogram.binWidth());
                const double stored = double(float8ToFloat(floatToFloat8(r / result.params.scale, storageType(type)), storageType(type)) * result.params.scale);
                sum += double(s.histogram.counts[bin]) / 16 * std::pow(double(r) - stored, 2);
            }
        COMPARE_NEAR(result.meanSquaredError, sum / double(s.count), 2e-3);
    }

    /// Of the ranges that lose at most a quarter more than the least, the widest.
    void bestIsHardlyWorseThanAnyOther()
    {
        const TensorStatistics s = withOutlier();
        ObserverKind kind = ObserverKind::Fixed;
        const ObserverResult best = observeBest(s, options(ObserverKind::MinMax), &kind);
        for (const ObserverKind other : {ObserverKind::MinMax, ObserverKind::Percentile, ObserverKind::HistogramMse, ObserverKind::Entropy}) {
            const ObserverResult result = observe(s, options(other));
            QVERIFY(best.meanSquaredError <= 1.25 * result.meanSquaredError);
            QVERIFY(result.meanSquaredError > best.meanSquaredError || result.range.max - result.range.min <= best.range.max - best.range.min);
        }
        QVERIFY(kind != ObserverKind::Fixed && kind != ObserverKind::MinMax);
        TensorStatistics plain;
        plain.count = 2;
        plain.max = 1;
        observeBest(plain, options(ObserverKind::MinMax), &kind);
        QCOMPARE(kind, ObserverKind::MinMax);
    }

    void whatIsMissingIsSaid()
    {
        TensorStatistics plain;
        QVERIFY_THROWS_EXCEPTION(Error, observe(plain, options(ObserverKind::MinMax)));
        plain.count = 1;
        for (const ObserverKind kind : {ObserverKind::HistogramMse, ObserverKind::Percentile, ObserverKind::Entropy})
            QVERIFY_THROWS_EXCEPTION(Error, observe(plain, options(kind)));
        plain.histogram.counts.resize(7);
        QVERIFY_THROWS_EXCEPTION(Error, observe(plain, options(ObserverKind::MinMax)));
        QVERIFY_THROWS_EXCEPTION(Error, observeWeights({}, options(ObserverKind::MinMax)));
        const float broken[] = {1, std::numeric_limits<float>::quiet_NaN()};
        QVERIFY_THROWS_EXCEPTION(Error, observeWeights(broken, options(ObserverKind::MinMax)));
    }

    void extremeTensors()
    {
        TensorStatistics zeros = fromBins(-125, [](int bin) { return bin == 0 ? 9u : 0u; });
        zeros.max = 0;
        zeros.zeros = 9;
        TensorStatistics constant = fromBins(2, [](int bin) { return bin == 1536 ? 9u : 0u; });
        constant.min = constant.max = 3;
        TensorStatistics huge = fromBins(128, [](int bin) { return bin == 0 || bin == -2000 ? 1u : 0u; });
        TensorStatistics tiny = fromBins(-120, [](int bin) { return bin == 5 || bin == -2000 ? 1u : 0u; });
        for (const TensorStatistics *s : {&zeros, &constant, &huge, &tiny})
            for (const QuantDtype dtype : {QuantDtype::Int8, QuantDtype::UInt8, QuantDtype::Int4, QuantDtype::Int16, QuantDtype::Fp8E4M3, QuantDtype::BFloat16})
                for (const bool symmetric : {true, false})
                    for (const ObserverKind kind : {ObserverKind::MinMax, ObserverKind::MovingAverageMinMax, ObserverKind::HistogramMse, ObserverKind::Percentile,
                                                    ObserverKind::Entropy, ObserverKind::Pof2MinMax, ObserverKind::Pof2Mse}) {
                        const ObserverResult result = observe(*s, options(kind, dtype, symmetric));
                        QVERIFY(result.params.scale > 0 && std::isfinite(result.meanSquaredError) && result.meanSquaredError >= 0);
                    }
        QCOMPARE(observe(zeros, options(ObserverKind::HistogramMse)).params.scale, 1.0f);
        // A constant 3 is hit exactly by the top code of uint8.
        QVERIFY(observe(constant, options(ObserverKind::MinMax, QuantDtype::UInt8, false)).meanSquaredError < 1e-12);
    }

    void weightsAreTakenExactly()
    {
        const std::vector<float> values = someWeights();
        ObserverOptions o = options(ObserverKind::Percentile, QuantDtype::Int8, false);
        o.percentile = 95;
        // numpy.percentile(values, [2.5, 97.5]) and numpy.percentile(abs(values), 95)
        COMPARE_NEAR(observeWeights(values, o).range.min, -2.09840575, 1e-7);
        COMPARE_NEAR(observeWeights(values, o).range.max, 2.27661595, 1e-7);
        o.affine.symmetric = true;
        COMPARE_NEAR(observeWeights(values, o).range.max, 2.278417050838469, 1e-7);
        const ObserverResult plain = observeWeights(values, options(ObserverKind::MinMax));
        QCOMPARE(plain.range, (Range{double(-2.9594688f), double(2.9825013f)}));
        COMPARE_NEAR(plain.meanSquaredError, weightError(values, plain.params), 1e-3);
    }

    void weightMseIsADirectSearch()
    {
        const std::vector<float> values = someWeights();
        for (const QuantDtype dtype : {QuantDtype::Int4, QuantDtype::Int8, QuantDtype::UInt4, QuantDtype::Int16, QuantDtype::Int3})
            for (const bool symmetric : {true, false}) {
                const ObserverOptions o = options(ObserverKind::HistogramMse, dtype, symmetric);
                double least = std::numeric_limits<double>::infinity();
                for (int low = 20; low >= 2; --low)
                    for (int high = 20; high >= 2; --high)
                        if (!symmetric || low == high)
                            least = std::min(least, weightError(values, affineFromRange({-2.9594688 * low / 20, 2.9825013 * high / 20}, o.affine)));
                const ObserverResult result = observeWeights(values, o);
                QVERIFY2(result.meanSquaredError <= least * (symmetric ? 1.001 : 1.05), qPrintable(QString("%1 against %2").arg(result.meanSquaredError).arg(least)));
                COMPARE_NEAR(result.meanSquaredError, weightError(values, result.params), 1e-2);
            }
    }

    void weightsOfEveryKind()
    {
        const std::vector<float> values = someWeights(), zeros(5, 0.0f), one{-2.5f};
        for (const ObserverKind kind : {ObserverKind::MinMax, ObserverKind::MovingAverageMinMax, ObserverKind::HistogramMse, ObserverKind::Percentile,
                                        ObserverKind::Entropy, ObserverKind::Pof2MinMax, ObserverKind::Pof2Mse})
            for (const QuantDtype dtype : {QuantDtype::Int8, QuantDtype::Int2, QuantDtype::Fp8E5M2, QuantDtype::Float16, QuantDtype::Float32}) {
                QVERIFY(observeWeights(values, options(kind, dtype)).params.scale > 0);
                QCOMPARE(observeWeights(zeros, options(kind, dtype)).params.scale, 1.0f);
                QVERIFY(std::isfinite(observeWeights(one, options(kind, dtype)).meanSquaredError));
            }
        QCOMPARE(observeWeights(values, options(ObserverKind::MinMax, QuantDtype::Float32)).meanSquaredError, 0.0);
        ObserverOptions fixed = options(ObserverKind::Fixed);
        fixed.fixedRange = {-1, 1};
        QCOMPARE(observeWeights(values, fixed).params.scale, float(1 / 127.5));
    }
};

QTEST_APPLESS_MAIN(TestObserver)
#include "tst_observer.moc"

#include "core/base/error.h"
#include "core/stats/statistics.h"

#include <QtTest/QtTest>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

using namespace core;

namespace {

ExactSum sumOf(const std::vector<double> &values)
{
    ExactSum sum;
    for (const double value : values)
        sum.add(value);
    return sum;
}

Histogram histogramOf(int exponent, const std::vector<std::pair<int, std::uint64_t>> &bins)
{
    Histogram histogram;
    histogram.growTo(exponent);
    for (const auto &[bin, count] : bins)
        histogram.counts[std::size_t(bin + Histogram::halfBins)] += count;
    return histogram;
}

std::uint64_t at(const Histogram &histogram, int bin) { return histogram.counts.at(std::size_t(bin + Histogram::halfBins)); }

TensorStatistics statisticsOf(int exponent, int bin, float min, float max)
{
    TensorStatistics s;
    s.histogram = histogramOf(exponent, {{bin, 3}, {0, 1}});
    s.min = min;
    s.max = max;
    s.count = 4;
    s.zeros = 1;
    s.images = 1;
    s.sum.add(double(min) + double(max) / 3);
    s.sumOfSquares.add(double(max) * double(max));
    s.sumOfImageMin.add(double(min));
    s.sumOfImageMax.add(double(max));
    s.channelAxis = 1;
    s.channels.resize(2);
    s.channels[0].min = min;
    s.channels[0].max = 0;
    s.channels[0].count = 2;
    s.channels[0].sum.add(double(min));
    s.channels[1] = s.channels[0];
    s.channels[1].max = max;
    return s;
}

} // namespace

class TestStatistics : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void sumIsExactInAnyOrder()
    {
        std::mt19937_64 random(5);
        std::vector<double> values;
        for (int i = 0; i < 500; ++i)
            values.push_back(std::ldexp(double(float(double(random() >> 11) * 0x1p-53)) - 0.5, int(random() % 150) - 40));
        const ExactSum expected = sumOf(values);
        for (int round = 0; round < 5; ++round) {
            std::shuffle(values.begin(), values.end(), random);
            QVERIFY(sumOf(values) == expected);
            ExactSum left = sumOf({values.begin(), values.begin() + 123}), right = sumOf({values.begin() + 123, values.end()});
            right.add(left);
            QVERIFY(right == expected);
        }
        for (const double value : std::vector<double>(values))
            values.push_back(-value);
        QVERIFY(sumOf(values) == ExactSum());
    }

    void sumsThatDoublesLose()
    {
        QVERIFY(sumOf({0x1p100, 1, -0x1p100}).value() == 1.0);
        QVERIFY(sumOf({0x1p127, 0x1p-80, -0x1p127}).value() == 0x1p-80);
        QVERIFY(sumOf({-0x1p60, -0.25, 0x1p60}).value() == -0.25);
        QVERIFY(sumOf({-3}).value() == -3.0);
        QVERIFY(sumOf({}).value() == 0.0);
        // Python: sum(Fraction(0.1) for _ in range(10)) as float
        QVERIFY(sumOf(std::vector<double>(10, 0.1)).value() == 1.0);
        // 2^53 + 1 + 1: rounding once gives 2^53 + 2, rounding twice 2^53
        QVERIFY(sumOf({0x1p53, 1, 1}).value() == 0x1p53 + 2);
        // Half a unit and a trace: the trace, 130 bits below, decides.
        QVERIFY(sumOf({0x1p53, 1, 0x1p-80}).value() == 0x1p53 + 2);
        QVERIFY(sumOf({0x1p53, 1}).value() == 0x1p53);
    }

    void carriesRunThrough()
    {
        // −2^-104 is 256 ones; one more carries through all of them.
        ExactSum minusOne;
        minusOne.limbs[0] = minusOne.limbs[1] = minusOne.limbs[2] = minusOne.limbs[3] = -1;
        ExactSum zero = minusOne;
        zero.add(std::int64_t(1), -104);
        QVERIFY(zero == ExactSum());
        ExactSum one;
        one.add(std::int64_t(1), -104);
        minusOne.add(one);
        QVERIFY(minusOne == ExactSum());
    }

    void sumOfWhatLiesOutside()
    {
        QVERIFY(sumOf({std::numeric_limits<double>::quiet_NaN(), 2}).value() == 2.0);
        QVERIFY(sumOf({std::numeric_limits<double>::infinity()}).value() == 0x1p128);
        QVERIFY(sumOf({-1e300, 1e301}).value() == 0.0);
        QVERIFY(sumOf({0x1p-105, 0x1p-105}).value() == 0.0);   // cut off, toward 0
        QVERIFY(sumOf({-0x1p-105, 0x1p-104}).value() == 0x1p-104);
        QVERIFY(sumOf({1e-300}).value() == 0.0);
    }

    void sumOfScaledIntegers()
    {
        ExactSum sum;
        sum.add(std::int64_t(-5), -3);
        sum.add(std::numeric_limits<std::int64_t>::max(), 20);
        sum.add(std::numeric_limits<std::int64_t>::min(), 20);
        QVERIFY(sum.value() == -1048576.625);
        ExactSum lost;
        lost.add(std::int64_t(-7), -106);
        QVERIFY(lost.value() == -0x1p-104);
        lost.add(std::int64_t(1), -500);
        QVERIFY(lost.value() == -0x1p-104);
    }

    void binsGrowInPairs()
    {
        Histogram h = histogramOf(0, {{0, 1}, {1, 2}, {2, 4}, {3, 8}, {-1, 16}, {-2, 32}, {-3, 64}, {2047, 128}, {-2048, 256}});
        QCOMPARE(h.binWidth(), 1.0 / 2048);
        QCOMPARE(h.binLeft(2048), 0.0);
        QCOMPARE(h.binLeft(0), -1.0);
        h.growTo(1);
        QCOMPARE(at(h, 0), 3u);
        QCOMPARE(at(h, 1), 12u);
        QCOMPARE(at(h, -1), 48u);
        QCOMPARE(at(h, -2), 64u);
        QCOMPARE(at(h, 1023), 128u);
        QCOMPARE(at(h, -1024), 256u);
        QCOMPARE(h.total(), 511u);
        h.growTo(-5);
        QCOMPARE(h.exponent, 1);
        h.growTo(100);
        QCOMPARE(at(h, 0), 1u + 2 + 4 + 8 + 128);
        QCOMPARE(at(h, -1), 16u + 32 + 64 + 256);
    }

    void growingInStepsIsGrowingAtOnce()
    {
        Histogram steps = histogramOf(-125, {{5, 1}, {-7, 2}, {1999, 3}, {-2048, 4}}), once = steps;
        for (int exponent = -124; exponent <= -118; ++exponent)
            steps.growTo(exponent);
        once.growTo(-118);
        QVERIFY(steps == once);
    }

    void histogramsMergeInAnyOrder()
    {
        const Histogram a = histogramOf(-3, {{1, 5}, {-2000, 7}}), b = histogramOf(4, {{2, 11}}), c = histogramOf(-125, {{0, 13}});
        Histogram ab = a, ba = b, first, second = c;
        ab.merge(b);
        ba.merge(a);
        QVERIFY(ab == ba);
        first.merge(ab);
        first.merge(c);
        second.merge(a);
        second.merge(b);
        QVERIFY(first == second);
        QCOMPARE(first.exponent, 4);
        QCOMPARE(first.total(), 36u);
        Histogram copy = a;
        copy.merge(Histogram());
        QVERIFY(copy == a);
    }

    void partsMergeToTheWhole()
    {
        const TensorStatistics a = statisticsOf(0, 100, -0.5f, 0.25f), b = statisticsOf(3, -9, -6, 0.1f), c = statisticsOf(2, 5, -1, 3);
        TensorStatistics left = a, right = c, none;
        left.merge(b);
        left.merge(c);
        right.merge(none);
        right.merge(b);
        right.merge(a);
        none.merge(left);
        QVERIFY(left == right);
        QVERIFY(none == left);
        QCOMPARE(left.min, -6.0f);
        QCOMPARE(left.max, 3.0f);
        QCOMPARE(left.count, 12u);
        QCOMPARE(left.images, 3u);
        QCOMPARE(left.zeroShare(), 0.25);
        QCOMPARE(left.histogram.total(), 12u);
        QCOMPARE(left.channels[0].min, -6.0f);
        QCOMPARE(left.channels[1].max, 3.0f);
        QCOMPARE(left.channels[0].mean(), -7.5 / 6);
        QCOMPARE(left.sumOfImageMin.value(), -7.5);
    }

    void meanAndVariance()
    {
        TensorStatistics s;
        QCOMPARE(s.mean(), 0.0);
        QCOMPARE(s.variance(), 0.0);
        for (const double value : {2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0}) {
            s.sum.add(value);
            s.sumOfSquares.add(value * value);
            ++s.count;
        }
        QCOMPARE(s.mean(), 5.0);
        QCOMPARE(s.variance(), 4.0);
    }

    void differentTensorsAreRefused()
    {
        TensorStatistics a = statisticsOf(0, 1, -1, 1), b = a, c = a;
        b.channelAxis = 2;
        c.channels.resize(3);
        QVERIFY_THROWS_EXCEPTION(Error, a.merge(b));
        QVERIFY_THROWS_EXCEPTION(Error, a.merge(c));
    }
};

QTEST_APPLESS_MAIN(TestStatistics)
#include "tst_statistics.moc"

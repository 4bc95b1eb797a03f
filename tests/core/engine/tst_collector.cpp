#include "core/base/error.h"
#include "core/quant/collector.h"

#include <QtTest/QtTest>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <cmath>
#include <limits>

using namespace core;

namespace {

constexpr float notANumber = std::numeric_limits<float>::quiet_NaN();

/// Values of very different size, a third of them zero; image i is larger than image i − 1.
at::Tensor sample(const std::vector<std::int64_t> &sizes)
{
    at::Tensor x = at::empty(sizes, at::kFloat);
    std::uint64_t state = 99;
    const std::int64_t perImage = x.numel() / sizes[0];
    float *data = x.data_ptr<float>();
    for (std::int64_t i = 0; i < x.numel(); ++i) {
        state = state * 6364136223846793005ull + 1442695040888963407ull;
        const double uniform = double(state >> 40) / double(1 << 24) - 0.4;
        data[i] = (state >> 33) % 3 == 0 ? 0.0f : float(uniform * std::exp2(double((state >> 20) % 9)) * double(i / perImage * 3 + 1));
    }
    return x;
}

TensorStatistics collected(const at::Tensor &x, int axis = 1, StatisticsDetail detail = StatisticsDetail::Full)
{
    TensorStatistics statistics;
    collect(statistics, x, axis, detail);
    return statistics;
}

struct Threads {
    explicit Threads(int count) : before(at::get_num_threads()) { at::set_num_threads(count); }
    ~Threads() { at::set_num_threads(before); }
    int before;
};

bool near(double a, double b, double relative) { return std::fabs(a - b) <= relative * std::max(std::fabs(a), std::fabs(b)); }

/// What the header promises, by plain loops over [images][channels][rest].
TensorStatistics plainStatistics(const at::Tensor &x, int axis, StatisticsDetail detail)
{
    TensorStatistics s;
    s.channelAxis = axis;
    const bool full = detail == StatisticsDetail::Full;
    const std::int64_t perImage = x.numel() / x.size(0), inner = axis < 0 ? perImage : perImage / x.size(1);
    s.channels.resize(axis < 0 ? 0 : std::size_t(x.size(1)));
    float largest = 0;
    for (std::int64_t image = 0; image < x.size(0); ++image) {
        const float *v = x.data_ptr<float>() + image * perImage;
        float low = std::numeric_limits<float>::infinity(), high = -low;
        for (std::int64_t i = 0; i < perImage; ++i)
            if (std::isfinite(v[i])) {
                low = std::min(low, v[i]);
                high = std::max(high, v[i]);
            }
        const float magnitude = std::max(std::fabs(low), std::fabs(high));
        const int exponent = magnitude > 0 ? std::ilogb(magnitude) + 1 : -125;
        largest = std::max(largest, magnitude);
        s.sumOfImageMin.add(double(low));
        s.sumOfImageMax.add(double(high));
        s.min = s.images == 0 ? low : std::min(s.min, low);
        s.max = s.images == 0 ? high : std::max(s.max, high);
        ++s.images;
        for (std::int64_t i = 0; i < perImage; ++i) {
            if (!std::isfinite(v[i])) {
                ++s.notFinite;
                continue;
            }
            ++s.count;
            s.zeros += v[i] == 0;
            const float t = std::ldexp(v[i], 30 - exponent);
            const auto rounded = std::int64_t(std::nearbyint(t));
            if (full || axis >= 0)
                s.sum.add(rounded, exponent - 30);
            if (full)
                s.sumOfSquares.add(std::int64_t(std::nearbyint(t * t * 0x1p-30f)), 2 * exponent - 30);
            if (axis < 0)
                continue;
            ChannelStatistics &channel = s.channels[std::size_t(i / inner)];
            channel.min = channel.count == 0 ? v[i] : std::min(channel.min, v[i]);
            channel.max = channel.count == 0 ? v[i] : std::max(channel.max, v[i]);
            channel.sum.add(rounded, exponent - 30);
            ++channel.count;
        }
    }
    if (!full)
        return s;
    s.histogram.exponent = std::ilogb(largest) + 1;
    s.histogram.counts.assign(4096, 0);
    for (std::int64_t i = 0; i < x.numel(); ++i)
        if (const float v = x.data_ptr<float>()[i]; std::isfinite(v))
            ++s.histogram.counts[std::size_t(std::floor(double(v) / s.histogram.binWidth()) + 2048)];
    return s;
}

at::Tensor channelsLast(const at::Tensor &x) { return x.contiguous(at::MemoryFormat::ChannelsLast); }

} // namespace

class TestCollector : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void eightNumbers()
    {
        // |−4| needs exponent 3, as ±2^2 would hold it only at the edge: bins of 8/2048 = 1/256.
        const at::Tensor x = at::tensor({-1.0f, 0.0f, 0.5f, 3.0f, 0.0f, -0.0f, 2.0f, -4.0f}).reshape({2, 2, 2});
        const TensorStatistics s = collected(x);
        QCOMPARE(s.min, -4.0f);
        QCOMPARE(s.max, 3.0f);
        QCOMPARE(s.count, 8u);
        QCOMPARE(s.zeros, 3u);
        QCOMPARE(s.images, 2u);
        QCOMPARE(s.sum.value(), 0.5);
        QCOMPARE(s.sumOfSquares.value(), 30.25);
        QCOMPARE(s.sumOfImageMin.value(), -5.0);
        QCOMPARE(s.sumOfImageMax.value(), 5.0);
        QCOMPARE(s.histogram.exponent, 3);
        QCOMPARE(s.histogram.total(), 8u);
        QCOMPARE(s.histogram.counts[2048], 3u);
        QCOMPARE(s.histogram.counts[2048 + 128], 1u);
        QCOMPARE(s.histogram.counts[2048 + 3 * 256], 1u);
        QCOMPARE(s.histogram.counts[2048 - 4 * 256], 1u);
        QCOMPARE(s.channels.size(), std::size_t(2));
        QCOMPARE(s.channels[0].min, -1.0f);
        QCOMPARE(s.channels[0].max, 0.0f);
        QCOMPARE(s.channels[0].sum.value(), -1.0);
        QCOMPARE(s.channels[1].min, -4.0f);
        QCOMPARE(s.channels[1].max, 3.0f);
        QCOMPARE(s.channels[1].sum.value(), 1.5);
        QCOMPARE(s.channels[1].count, 4u);
    }

    void plainLoopsAgree_data()
    {
        QTest::addColumn<QList<int>>("sizes");
        QTest::addColumn<int>("axis");
        QTest::newRow("image") << QList<int>{3, 5, 17, 19} << 1;
        QTest::newRow("small planes") << QList<int>{2, 24, 3, 3} << 1;
        QTest::newRow("vector") << QList<int>{4, 37} << 1;
        QTest::newRow("tokens") << QList<int>{2, 50, 24} << 2;
        QTest::newRow("middle axis") << QList<int>{2, 3, 20, 6} << 2;
        QTest::newRow("rows of a middle axis") << QList<int>{2, 3, 4, 40} << 2;
        QTest::newRow("volume") << QList<int>{1, 6, 4, 5, 7} << 1;
        QTest::newRow("no channels") << QList<int>{3, 1000} << -1;
        QTest::newRow("one value") << QList<int>{1, 1} << 1;
    }
    void plainLoopsAgree()
    {
        QFETCH(QList<int>, sizes);
        QFETCH(int, axis);
        const at::Tensor x = sample({sizes.begin(), sizes.end()});
        const TensorStatistics s = collected(x, axis);
        const std::int64_t channels = axis < 0 ? 0 : x.size(axis), inner = axis < 0 ? 1 : x.stride(axis);
        double sum = 0, squares = 0, low = 1e30, high = -1e30;
        std::uint64_t zeros = 0;
        std::vector<double> channelSum(std::size_t(channels), 0), channelLow(std::size_t(channels), 1e30), channelHigh(std::size_t(channels), -1e30);
        std::vector<std::uint64_t> bins(4096, 0);
        for (std::int64_t i = 0; i < x.numel(); ++i) {
            const double v = double(x.data_ptr<float>()[i]);
            sum += v;
            squares += v * v;
            zeros += v == 0;
            low = std::min(low, v);
            high = std::max(high, v);
            ++bins[std::size_t(std::floor(v / s.histogram.binWidth()) + 2048)];
            if (channels > 0) {
                const auto c = std::size_t(i / inner % channels);
                channelSum[c] += v;
                channelLow[c] = std::min(channelLow[c], v);
                channelHigh[c] = std::max(channelHigh[c], v);
            }
        }
        const double tolerance = std::max(std::fabs(low), std::fabs(high)) * 0x1p-29 * double(x.numel());
        QVERIFY(std::fabs(s.sum.value() - sum) <= tolerance);
        QVERIFY(near(s.sumOfSquares.value(), squares, 1e-6));
        QCOMPARE(double(s.min), low);
        QCOMPARE(double(s.max), high);
        QCOMPARE(s.zeros, zeros);
        QCOMPARE(s.count, std::uint64_t(x.numel()));
        QCOMPARE(s.histogram.counts, bins);
        QCOMPARE(s.channels.size(), std::size_t(channels));
        for (std::size_t c = 0; c < s.channels.size(); ++c) {
            QVERIFY(std::fabs(s.channels[c].sum.value() - channelSum[c]) <= tolerance);
            QCOMPARE(double(s.channels[c].min), channelLow[c]);
            QCOMPARE(double(s.channels[c].max), channelHigh[c]);
            QCOMPARE(s.channels[c].count, std::uint64_t(x.numel() / channels));
        }
    }

    void splitsThreadsAndMemoryOrderChangeNothing_data()
    {
        QTest::addColumn<QList<int>>("sizes");
        QTest::newRow("many channels") << QList<int>{8, 40, 41, 43};
        QTest::newRow("three channels") << QList<int>{8, 3, 160, 160};
        QTest::newRow("odd channels") << QList<int>{8, 7, 9, 5};
        QTest::newRow("pixel") << QList<int>{8, 100, 1, 1};
    }
    void splitsThreadsAndMemoryOrderChangeNothing()
    {
        QFETCH(QList<int>, sizes);
        const at::Tensor x = sample({sizes.begin(), sizes.end()});
        for (const StatisticsDetail detail : {StatisticsDetail::MinMax, StatisticsDetail::Full}) {
            const TensorStatistics whole = collected(x, 1, detail);
            QCOMPARE(whole.histogram.counts.empty(), detail == StatisticsDetail::MinMax);
            QVERIFY(whole == collected(channelsLast(x), 1, detail));
            QVERIFY(whole == collected(x.transpose(2, 3).contiguous().transpose(2, 3), 1, detail));
            for (const int threads : {1, 2, 3}) {
                const Threads guard(threads);
                QVERIFY(whole == collected(x, 1, detail));
                QVERIFY(whole == collected(channelsLast(x), 1, detail));
                for (const int first : {1, 3, 4}) {
                    TensorStatistics parts;
                    collect(parts, x.narrow(0, 0, first), 1, detail);
                    collect(parts, x.narrow(0, first, 8 - first), 1, detail);
                    QVERIFY(whole == parts);
                    TensorStatistics back = collected(channelsLast(x.narrow(0, first, 8 - first)), 1, detail);
                    back.merge(collected(x.narrow(0, 0, first), 1, detail));
                    QVERIFY(whole == back);
                }
                TensorStatistics single;
                for (std::int64_t i = 7; i >= 0; --i)
                    collect(single, x.narrow(0, i, 1), 1, detail);
                QVERIFY(whole == single);
            }
        }
    }

    void guessesOfTheGridChangeNothing()
    {
        // Four blocks an image; images much larger and smaller than those before, growing and shrinking inside, empty, with NaN.
        at::Tensor x = sample({7, 8, 70, 90});
        const double sizes[] = {1, 100, 0.01, 0, 2, 3000, 1};
        const std::int64_t perImage = x.numel() / 7;
        for (std::int64_t i = 0; i < x.numel(); ++i) {
            const std::int64_t image = i / perImage, at = i % perImage;
            const bool first = at < perImage / 2;
            const double inside = image == 1 && first ? 40 : image == 4 && !first ? 40 : image == 5 && at < 9 ? 1e-6 : 1;
            x.data_ptr<float>()[i] *= float(sizes[image] * inside);
        }
        for (const std::int64_t at : {2 * perImage + 5, 6 * perImage + 20000, 6 * perImage + 20001})
            x.data_ptr<float>()[at] = notANumber;
        for (const int axis : {-1, 1})
            for (const StatisticsDetail detail : {StatisticsDetail::MinMax, StatisticsDetail::Full}) {
                const TensorStatistics expected = plainStatistics(x, axis, detail);
                for (const int threads : {1, 2, 3}) {
                    const Threads guard(threads);
                    for (const at::Tensor &ordered : {x, channelsLast(x)}) {
                        QVERIFY(collected(ordered, axis, detail) == expected);
                        TensorStatistics forward, backward, again = expected;
                        for (std::int64_t i = 0; i < 7; ++i) {
                            collect(forward, ordered.narrow(0, i, 1), axis, detail);
                            collect(backward, ordered.narrow(0, 6 - i, 1), axis, detail);
                        }
                        QVERIFY(forward == expected);
                        QVERIFY(backward == expected);
                        collect(again, ordered, axis, detail);
                        TensorStatistics twice = expected;
                        twice.merge(expected);
                        QVERIFY(again == twice);
                    }
                }
            }
    }

    void tinyAndHugeValues()
    {
        const at::Tensor x = sample({4, 3, 150, 150});
        for (const double factor : {0x1p-60, 0x1p-85, 0x1p-130, 0x1p90}) {
            const at::Tensor scaled = (x.to(at::kDouble) * factor).to(at::kFloat);
            const TensorStatistics s = collected(scaled);
            QVERIFY(s == collected(channelsLast(scaled)));
            TensorStatistics parts = collected(scaled.narrow(0, 0, 1));
            collect(parts, scaled.narrow(0, 1, 3), 1, StatisticsDetail::Full);
            QVERIFY(s == parts);
            for (const int threads : {1, 2, 3}) {
                const Threads guard(threads);
                QVERIFY(s == collected(scaled));
            }
            QCOMPARE(s.histogram.total(), s.count);
            QVERIFY(double(s.max) > 0 && double(s.max) < std::exp2(s.histogram.exponent));
        }
        const TensorStatistics tiny = collected((x.to(at::kDouble) * 0x1p-60).to(at::kFloat));
        QVERIFY(near(tiny.mean(), collected(x).mean() * 0x1p-60, 1e-6));
    }

    void valuesThatAreNotFinite()
    {
        at::Tensor x = sample({4, 3, 20, 20});
        std::uint64_t zeros = collected(x).zeros;
        float *data = x.data_ptr<float>();
        for (const std::int64_t at : {7, 403, 404, 2401}) {
            zeros -= data[at] == 0;
            data[at] = at == 404 ? std::numeric_limits<float>::infinity() : notANumber;
        }
        const TensorStatistics s = collected(x);
        QCOMPARE(s.notFinite, 4u);
        QCOMPARE(s.count, 4796u);
        QCOMPARE(s.zeros, zeros);
        QCOMPARE(s.histogram.total(), 4796u);
        QCOMPARE(s.channels[0].count, 4u * 400 - 2);
        QCOMPARE(s.channels[1].count, 4u * 400 - 2);
        QCOMPARE(s.channels[2].count, 4u * 400);
        QVERIFY(std::isfinite(s.sum.value()) && std::isfinite(s.max));
        QVERIFY(s == collected(channelsLast(x)));
        const TensorStatistics nothing = collected(at::full({2, 3}, notANumber));
        QCOMPARE(nothing.count, 0u);
        QCOMPARE(nothing.images, 0u);
        QCOMPARE(nothing.notFinite, 6u);
        TensorStatistics both = nothing;
        collect(both, at::ones({1, 3}), 1, StatisticsDetail::Full);
        QCOMPARE(both.min, 1.0f);
    }

    void unusualTensors()
    {
        TensorStatistics s;
        collect(s, at::zeros({0, 3, 4, 4}), 1, StatisticsDetail::Full);
        QVERIFY(s == TensorStatistics());
        QCOMPARE(collected(at::ones({2, 3}).to(at::kHalf)).sum.value(), 6.0);
        QCOMPARE(collected(at::ones({1, 1}).expand({2, 40})).count, 80u);
        QVERIFY_THROWS_EXCEPTION(Error, collected(at::ones({2, 3}), 2));
        QVERIFY_THROWS_EXCEPTION(Error, collected(at::ones({2, 3}), 0));
        TensorStatistics three = collected(at::ones({2, 3}));
        QVERIFY_THROWS_EXCEPTION(Error, collect(three, at::ones({2, 4}), 1, StatisticsDetail::Full));
    }
};

QTEST_APPLESS_MAIN(TestCollector)
#include "tst_collector.moc"

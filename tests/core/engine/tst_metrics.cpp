#include "core/base/error.h"
#include "core/metrics/agreement.h"
#include "core/metrics/top_k.h"

#include <QtTest/QtTest>

#include <ATen/ATen.h>

#include <limits>

using namespace core;

namespace {

constexpr double notANumber = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();

at::Tensor rows(std::vector<std::vector<double>> values)
{
    at::Tensor t = at::empty({std::int64_t(values.size()), std::int64_t(values.front().size())}, at::kFloat);
    for (std::size_t i = 0; i < values.size(); ++i)
        for (std::size_t k = 0; k < values[i].size(); ++k)
            t[std::int64_t(i)][std::int64_t(k)] = values[i][k];
    return t;
}

TopK counted(const at::Tensor &logits, std::vector<std::int64_t> labels)
{
    TopK result;
    result.add(logits, labels);
    return result;
}

Agreement compared(const at::Tensor &a, const at::Tensor &b)
{
    Agreement result;
    result.add(a, b);
    return result;
}

} // namespace

class TestMetrics : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void topOneAndFive()
    {
        const at::Tensor logits = rows({{0, 9, 8, 7, 6, 5, 4}, {0, 9, 8, 7, 6, 5, 4}, {0, 9, 8, 7, 6, 5, 4}, {0, 9, 8, 7, 6, 5, 4}});
        TopK k = counted(logits, {1, 2, 5, 6});
        QCOMPARE(k.images, std::int64_t(4));
        QCOMPARE(k.top1, std::int64_t(1));
        QCOMPARE(k.top5, std::int64_t(3));
        QCOMPARE(k.top1Percent(), 25.0);
        QCOMPARE(k.top5Percent(), 75.0);
        k.add(logits.slice(0, 0, 1).reshape({1, 7, 1, 1}), std::vector<std::int64_t>{1});
        QCOMPARE(k.top1, std::int64_t(2));
        QCOMPARE(TopK{}.top1Percent(), 0.0);
    }

    void tiesFollowArgmax()
    {
        const at::Tensor equal = at::zeros({1, 7});
        QCOMPARE(counted(equal, {0}).top1, std::int64_t(1));
        QCOMPARE(counted(equal, {1}).top1, std::int64_t(0));
        QCOMPARE(counted(equal, {4}).top5, std::int64_t(1));
        QCOMPARE(counted(equal, {5}).top5, std::int64_t(0));
    }

    void nanIsNeverRight()
    {
        QCOMPARE(counted(rows({{notANumber, 1, 2}}), {0}).top5, std::int64_t(0));
        QCOMPARE(counted(rows({{notANumber, 1, 2}}), {2}).top1, std::int64_t(1));
        QCOMPARE(counted(rows({{notANumber, notANumber, notANumber}}), {1}).top5, std::int64_t(0));
        QCOMPARE(counted(rows({{1, infinity, 2}}), {1}).top1, std::int64_t(1));
    }

    void labelsOutsideTheClasses()
    {
        QCOMPARE(counted(rows({{1, 2}, {1, 2}}), {-1, 1}).images, std::int64_t(1));
        QVERIFY_EXCEPTION_THROWN(counted(rows({{1, 2}}), {2}), Error);
        QVERIFY_EXCEPTION_THROWN(counted(rows({{1, 2}}), {0, 0}), Error);
        QVERIFY_EXCEPTION_THROWN(counted(at::zeros({2, 3, 4}), {0, 0}), Error);
    }

    void agreementByHand()
    {
        // Image 1: (3, 4) and (3, 4): cosine 1. Image 2: (1, 0) and (1, 1): cosine 1/√2, noise 1.
        const Agreement a = compared(rows({{3, 4}, {1, 0}}), rows({{3, 4}, {1, 1}}));
        QCOMPARE(a.images, std::int64_t(2));
        QCOMPARE(a.top1Percent(), 100.0);                          // (1, 1): the first of equals
        QCOMPARE(a.cosine(), (1 + std::sqrt(0.5)) / 2);
        QCOMPARE(a.sqnrDb(), 10 * std::log10(26.0 / 1.0));
        QCOMPARE(a.largestDifference, 1.0);
        QCOMPARE(compared(rows({{1, 2}}), rows({{2, 1}})).top1Percent(), 0.0);
    }

    void equalAndUnequalExtremes()
    {
        const Agreement same = compared(rows({{1, notANumber, infinity}}), rows({{1, notANumber, infinity}}));
        QCOMPARE(same.sqnrDb(), 200.0);
        QCOMPARE(same.cosine(), 1.0);
        QCOMPARE(same.largestDifference, 0.0);
        const Agreement broken = compared(rows({{1, 2, 3}}), rows({{1, notANumber, 3}}));
        QCOMPARE(broken.sqnrDb(), -200.0);
        QCOMPARE(broken.cosine(), 0.0);
        QCOMPARE(broken.largestDifference, infinity);
        const Agreement zero = compared(at::zeros({1, 3}), at::zeros({1, 3}));
        QCOMPARE(zero.cosine(), 1.0);
        QCOMPARE(zero.sqnrDb(), 200.0);
        QCOMPARE(compared(at::zeros({1, 3}), at::ones({1, 3})).sqnrDb(), -200.0);
        QCOMPARE(compared(at::zeros({0, 3}), at::zeros({0, 3})).images, std::int64_t(0));
        QVERIFY_EXCEPTION_THROWN(compared(at::zeros({1, 3}), at::zeros({1, 4})), Error);
    }

    void memoryOrderDoesNotMatter()
    {
        const at::Tensor a = at::arange(48, at::kFloat).reshape({2, 3, 2, 4}), b = a + 0.25f;
        const Agreement plain = compared(a, b), last = compared(a.contiguous(at::MemoryFormat::ChannelsLast), b);
        QCOMPARE(plain.cosine(), last.cosine());
        QCOMPARE(plain.noise, last.noise);
        QCOMPARE(plain.noise, 48 / 16.0);
    }
};

QTEST_APPLESS_MAIN(TestMetrics)
#include "tst_metrics.moc"

#include "core/ptq/calibrator.h"
#include "tests/support/memory_dataset.h"
#include "tests/support/tiny_graph.h"

#include <QtTest>

#include <cmath>

using namespace core;
using tests::MemoryDataset;
using tests::TinyGraph;

class TestCalibrator : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void statisticsByHand();
    void batchesDoNotMatter();
    void fixedBatchIsFilledUp();
    void halvesMergeToTheWhole();
    void targetsAndAxes();
    void aFewNonFiniteValuesAreAWarning();
    void manyNonFiniteValuesAreAnError();
    void stops();
};

namespace {

std::shared_ptr<const Graph> shared(const TinyGraph &tiny) { return std::make_shared<const Graph>(tiny.graph); }

std::vector<at::Tensor> samples(int count, const std::vector<std::int64_t> &dims = {2, 3, 3})
{
    std::vector<at::Tensor> list;
    for (int i = 0; i < count; ++i)
        list.push_back(tests::noise(dims, unsigned(i + 1)));
    return list;
}

TinyGraph convGraph(std::int64_t batch)
{
    TinyGraph tiny;
    tiny.output(tiny.node("Relu", "y", {tiny.conv("conv", tiny.input("x", {batch, 2, 3, 3}), 2, 4)}));
    return tiny;
}

CalibrationResult run(const TinyGraph &tiny, const Dataset &data, int batchSize, bool fill = false)
{
    Progress progress;
    return calibrate(shared(tiny), allTargets(tiny.graph), data, {StatisticsDetail::Full, batchSize, fill, 2}, progress);
}

bool same(const CalibrationResult &a, const CalibrationResult &b)
{
    if (a.statistics.size() != b.statistics.size() || a.images != b.images)
        return false;
    for (const auto &[value, statistics] : a.statistics)
        if (!(statistics == b.statistics.at(value)))
            return false;
    return true;
}

} // namespace

void TestCalibrator::statisticsByHand()
{
    TinyGraph tiny;
    const ValueId x = tiny.input("x", {-1, 2, 1, 2});
    tiny.output(tiny.node("Relu", "y", {x}));
    const MemoryDataset data({at::tensor({-1.0f, 2.0f, 3.0f, 0.0f}).reshape({2, 1, 2}), at::tensor({5.0f, -2.0f, 1.0f, 1.0f}).reshape({2, 1, 2})});
    const CalibrationResult result = run(tiny, data, 8);
    QCOMPARE(result.images, std::int64_t(2));
    QVERIFY(result.imagesPerSecond > 0);
    const TensorStatistics &in = result.statistics.at(x), &out = result.statistics.at(tiny.graph.findValue("y"));
    QCOMPARE(in.min, -2.0f);
    QCOMPARE(in.max, 5.0f);
    QCOMPARE(in.count, std::uint64_t(8));
    QCOMPARE(in.images, std::uint64_t(2));
    QCOMPARE(in.zeros, std::uint64_t(1));
    QCOMPARE(in.mean(), 9.0 / 8);
    QCOMPARE(in.sumOfImageMin.value(), -3.0);
    QCOMPARE(in.sumOfImageMax.value(), 8.0);
    QCOMPARE(in.channels.at(0).mean(), 1.0);
    QCOMPARE(in.channels.at(1).mean(), 1.25);
    QCOMPARE(out.min, 0.0f);
    QCOMPARE(out.zeros, std::uint64_t(3));
}

void TestCalibrator::batchesDoNotMatter()
{
    const TinyGraph tiny = convGraph(-1);
    const MemoryDataset data(samples(7));
    const CalibrationResult one = run(tiny, data, 1);
    QVERIFY(same(one, run(tiny, data, 3)));
    QVERIFY(same(one, run(tiny, data, 7)));
}

void TestCalibrator::fixedBatchIsFilledUp()
{
    const MemoryDataset data(samples(7));
    QVERIFY(same(run(convGraph(-1), data, 1), run(convGraph(4), data, 4, true)));
}

void TestCalibrator::halvesMergeToTheWhole()
{
    const TinyGraph tiny = convGraph(-1);
    std::vector<at::Tensor> all = samples(9);
    const MemoryDataset whole(all), first({all.begin(), all.begin() + 4}), second({all.begin() + 4, all.end()});
    CalibrationResult merged = run(tiny, second, 2);
    mergeStatistics(merged, run(tiny, first, 3));
    QVERIFY(same(merged, run(tiny, whole, 4)));

    CalibrationResult other;
    QVERIFY_THROWS_EXCEPTION(Error, mergeStatistics(merged, other));
}

void TestCalibrator::targetsAndAxes()
{
    TinyGraph tiny;
    const ValueId image = tiny.input("image", {1, 3, 4, 4}), tokens = tiny.input("tokens", {1, 5, 6});
    const ValueId indices = tiny.input("indices", {2}, DataType::Int64);
    tiny.output(tiny.conv("conv", image, 3, 2));
    tiny.output(tiny.node("MatMul", "mm", {tokens, tiny.constant("w", {6, 2})}));
    tiny.output(tiny.node("Gather", "picked", {tokens, indices}));
    QCOMPARE(channelAxisOf(tiny.graph, image), 1);
    QCOMPARE(channelAxisOf(tiny.graph, tokens), 2);
    std::vector<std::string> names;
    for (const CalibrationTarget &target : allTargets(tiny.graph))
        names.push_back(tiny.graph.value(target.value).name);
    QCOMPARE(names, (std::vector<std::string>{"image", "tokens", "conv", "mm", "picked"}));
}

void TestCalibrator::aFewNonFiniteValuesAreAWarning()
{
    TinyGraph tiny;
    tiny.output(tiny.node("Relu", "y", {tiny.input("x", {-1, 1, 20, 20})}));
    std::vector<at::Tensor> list = samples(2, {1, 20, 20});
    list[1].view(-1)[7] = std::nanf("");
    const CalibrationResult result = run(tiny, MemoryDataset(list), 2);
    QVERIFY(!result.diagnostics.empty());
    QVERIFY(result.diagnostics[0].sentence.find("'x'") != std::string::npos);
    QCOMPARE(result.statistics.at(tiny.graph.findValue("x")).notFinite, std::uint64_t(1));
}

void TestCalibrator::manyNonFiniteValuesAreAnError()
{
    TinyGraph tiny;
    tiny.output(tiny.node("Sqrt", "root", {tiny.input("x", {-1, 1, 4, 4})}));
    try {
        run(tiny, MemoryDataset(samples(2, {1, 4, 4})), 2);
        QFAIL("no error");
    } catch (const Error &error) {
        QCOMPARE(error.kind(), ErrorKind::Numeric);
        QVERIFY2(error.sentence().find("node 'root'") != std::string::npos, error.what());
    }
}

void TestCalibrator::stops()
{
    const TinyGraph tiny = convGraph(-1);
    std::stop_source source;
    int reports = 0;
    Progress progress([&](const ProgressReport &) { ++reports; source.request_stop(); }, source.get_token());
    bool cancelled = false;
    try {
        calibrate(shared(tiny), allTargets(tiny.graph), MemoryDataset(samples(50)), {StatisticsDetail::Full, 1, false, 1}, progress);
    } catch (const Cancelled &) {
        cancelled = true;
    }
    QVERIFY(cancelled);
    QCOMPARE(reports, 1);
}

QTEST_APPLESS_MAIN(TestCalibrator)
#include "tst_calibrator.moc"

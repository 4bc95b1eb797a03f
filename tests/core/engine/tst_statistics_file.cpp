#include "core/ptq/calibrator.h"
#include "core/quant/collector.h"
#include "tests/support/tiny_graph.h"

#include <ATen/ATen.h>

#include <QtTest>

using namespace core;
using tests::TinyGraph;

class TestStatisticsFile : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void initTestCase();
    void everythingComesBack();
    void sameBytesWhateverTheOrder();
    void staleSaysWhatChanged();
    void keysFollowTheModel();
    void truncatedAnywhere();
    void damagedCounts();
    void otherFiles();

private:
    TinyGraph m_tiny;
    CalibrationResult m_result;
    StatisticsKey m_key;
};

namespace {

std::string sentenceOf(const std::string &bytes, const StatisticsKey &key, const Graph &graph)
{
    try {
        parseStatistics(bytes, key, graph);
    } catch (const Error &error) {
        return error.kind() == ErrorKind::InvalidInput ? error.sentence() : "another kind of error";
    }
    return {};
}

bool has(const std::string &text, const char *part) { return text.find(part) != std::string::npos; }

} // namespace

void TestStatisticsFile::initTestCase()
{
    const ValueId x = m_tiny.input("x", {2, 3, 2, 2});
    m_tiny.output(m_tiny.conv("conv", x, 3, 2));
    const at::Tensor values = at::arange(24, at::kFloat).reshape({2, 3, 2, 2}) - 5;
    collect(m_result.statistics[x], values, 1, StatisticsDetail::Full);
    collect(m_result.statistics[m_tiny.graph.findValue("conv")], values * 0.25f, -1, StatisticsDetail::MinMax);
    m_result.images = 2;
    m_key = statisticsKey(m_tiny.graph, transformPreset("unit"), "some images");
}

void TestStatisticsFile::everythingComesBack()
{
    const CalibrationResult back = parseStatistics(serializeStatistics(m_key, m_tiny.graph, m_result), m_key, m_tiny.graph);
    QCOMPARE(back.images, std::int64_t(2));
    QCOMPARE(back.statistics.size(), std::size_t(2));
    for (const auto &[value, statistics] : m_result.statistics)
        QVERIFY(back.statistics.at(value) == statistics);
}

void TestStatisticsFile::sameBytesWhateverTheOrder()
{
    CalibrationResult other;
    other.images = m_result.images;
    other.statistics.reserve(1000);
    for (const char *name : {"conv", "x"})
        other.statistics[m_tiny.graph.findValue(name)] = m_result.statistics.at(m_tiny.graph.findValue(name));
    QVERIFY(serializeStatistics(m_key, m_tiny.graph, other) == serializeStatistics(m_key, m_tiny.graph, m_result));
}

void TestStatisticsFile::staleSaysWhatChanged()
{
    const std::string bytes = serializeStatistics(m_key, m_tiny.graph, m_result);
    StatisticsKey other = m_key;
    other.transform = "else";
    QVERIFY(has(sentenceOf(bytes, other, m_tiny.graph), "stale: the image transform changed"));
    other.weights = "else";
    QVERIFY(has(sentenceOf(bytes, other, m_tiny.graph), "the weights, the image transform"));
    other = m_key;
    other.data = "other images";
    QVERIFY(has(sentenceOf(bytes, other, m_tiny.graph), "the calibration images"));
    other.data.clear();
    QCOMPARE(sentenceOf(bytes, other, m_tiny.graph), std::string());
}

void TestStatisticsFile::keysFollowTheModel()
{
    const auto key = [](const Graph &graph, const char *preset) { return statisticsKey(graph, transformPreset(preset), "d"); };
    const StatisticsKey base = key(m_tiny.graph, "unit");
    QVERIFY(base == key(Graph(m_tiny.graph), "unit"));
    QVERIFY(base.transform != key(m_tiny.graph, "tf").transform);

    Graph weights = m_tiny.graph;
    weights.setConstant(weights.findValue("conv.b"), TensorData::fromFloats({2}, std::vector<float>{1, 2}));
    QVERIFY(base.weights != key(weights, "unit").weights);
    QCOMPARE(key(weights, "unit").graph, base.graph);

    Graph attribute = m_tiny.graph;
    attribute.node(attribute.findNode("conv")).attributes["group"] = std::int64_t(3);
    QVERIFY(base.graph != key(attribute, "unit").graph);
    QCOMPARE(key(attribute, "unit").weights, base.weights);
}

void TestStatisticsFile::truncatedAnywhere()
{
    const std::string bytes = serializeStatistics(m_key, m_tiny.graph, m_result);
    for (std::size_t size = 0; size < bytes.size(); size += size < 400 ? 1 : 97)
        QVERIFY2(!sentenceOf(bytes.substr(0, size), m_key, m_tiny.graph).empty(), qPrintable(QString::number(size)));
    QVERIFY(!sentenceOf(bytes + "x", m_key, m_tiny.graph).empty());
}

/// Whatever stands where counts are: an error or statistics, no crash and no giant allocation.
void TestStatisticsFile::damagedCounts()
{
    const std::string bytes = serializeStatistics(m_key, m_tiny.graph, m_result);
    for (std::size_t at = 8; at + 8 < bytes.size() && at < 3000; at += 4) {
        std::string damaged = bytes;
        damaged.replace(at, 8, 8, '\xff');
        sentenceOf(damaged, m_key, m_tiny.graph);
    }
}

void TestStatisticsFile::otherFiles()
{
    QVERIFY(has(sentenceOf("PK\x03\x04 certainly something else", m_key, m_tiny.graph), "does not hold calibration statistics"));
    QVERIFY(!sentenceOf("", m_key, m_tiny.graph).empty());
}

QTEST_APPLESS_MAIN(TestStatisticsFile)
#include "tst_statistics_file.moc"

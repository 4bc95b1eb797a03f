#include "core/base/error.h"
#include "core/spec/rule_query.h"
#include "tests/support/tiny_graph.h"

#include <QtTest/QtTest>

using namespace core;
using tests::TinyGraph;

namespace {

/// x → stem (3×3, stride 2) → block1.dw (depthwise) → block1.act → block2.pw → fc
TinyGraph sample()
{
    TinyGraph g;
    ValueId v = g.input("x");
    v = g.node("Conv", "stem", {v, g.constant("stem.w", {8, 3, 3, 3})}, {{"strides", std::vector<std::int64_t>{2, 2}}});
    v = g.conv("block1.dw", v, 8, 8, 3, 8);
    v = g.node("Relu", "block1.act", {v});
    v = g.conv("block2.pw", v, 8, 16, 1);
    g.graph.value(v).shape = Shape{{-1, "N"}, {16, ""}, {4, ""}, {4, ""}};
    v = g.node("Gemm", "fc", {v, g.constant("fc.w", {10, 16})}, {{"transB", std::int64_t(1)}});
    g.output(v);
    return g;
}

QString selected(const QString &query)
{
    const TinyGraph g = sample();
    QStringList names;
    try {
        for (NodeId id : RuleQuery(query.toStdString()).select(g.graph))
            names << QString::fromStdString(g.graph.node(id).name);
    } catch (const Error &error) {
        return QString::fromStdString(error.sentence());
    }
    return names.join(' ');
}

} // namespace

class TestRuleQuery : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void queries_data()
    {
        QTest::addColumn<QString>("nodes");
        const auto row = [](const char *query, const char *nodes) { QTest::newRow(query) << QString(nodes); };
        row("op:Conv", "stem block1.dw block2.pw");
        row("op:Conv,Gemm", "stem block1.dw block2.pw fc");
        row("op:Conv group>1", "block1.dw");
        row("op:Conv !group>1", "stem block2.pw");
        row("name:block1*", "block1.dw block1.act");
        row("name:block?.pw", "block2.pw");
        row("-op:Conv", "block1.act fc");
        row("op!=Conv", "block1.act fc");
        row("op:Relu | op:Gemm", "block1.act fc");
        row("op:Conv name:*2* | op:Relu", "block1.act block2.pw");
        row("depthwise:true", "block1.dw");
        row("kernel>=3", "stem block1.dw");
        row("kernel=1", "block2.pw");
        row("stride:2", "stem");
        row("in_channels:16", "fc");
        row("out_channels>8", "block2.pw fc");
        row("params>150", "stem fc");          // 216 and 160; depthwise 72+8, pointwise 128+16
        row("position:first", "stem");
        row("position:last", "fc");
        row("position:input", "stem");
        row("position:output", "fc");
        row("index<2", "stem block1.dw");
        row("index:-1", "fc");
        row("shape:?x16x4x4", "block2.pw");
        row("rank:4", "block2.pw");
        row("weight_shape:*x1x3x3", "block1.dw");
        row("input:x", "stem");
        row("output:fc", "fc");
        row("op:LSTM", "");
        row("group>1 op:Relu", "");
    }
    void queries()
    {
        QFETCH(QString, nodes);
        QCOMPARE(selected(QTest::currentDataTag()), nodes);
    }

    void errors_data()
    {
        QTest::addColumn<QString>("sentence");
        const auto row = [](const char *query, const char *sentence) { QTest::newRow(query) << QString(sentence); };
        row("kind:Conv", "In the query 'kind:Conv': there is no key 'kind'; the keys are depthwise, domain, input, name, op, output, position, shape, weight_shape, "
                         "group, in_channels, index, kernel, out_channels, params, rank, stride.");
        row("Conv", "In the query 'Conv': 'Conv' is not of the form key:value, such as op:Conv or group>1.");
        row("group>many", "In the query 'group>many': 'group' takes a number, not 'many'.");
        row("op>Conv", "In the query 'op>Conv': 'op' is a text and cannot be compared with '>'.");
        row("op:", "In the query 'op:': 'op:' has no value.");
        row("position:middle", "In the query 'position:middle': 'position' takes first, last, input or output, not 'middle'.");
        row(" | ", "In the query ' | ': it says nothing; write key:value terms, such as op:Conv.");
    }
    void errors()
    {
        QFETCH(QString, sentence);
        QCOMPARE(selected(QTest::currentDataTag()), sentence);
    }

    void globs()
    {
        QVERIFY(globMatches("*", ""));
        QVERIFY(globMatches("a*b*c", "axxbyyc"));
        QVERIFY(!globMatches("a*b*c", "axxbyy"));
        QVERIFY(globMatches("?b", "ab"));
        QVERIFY(!globMatches("?b", "b"));
        QVERIFY(!globMatches("A", "a"));
        QVERIFY(globMatches("[x]", "[x]"));
    }
};

QTEST_APPLESS_MAIN(TestRuleQuery)
#include "tst_rule_query.moc"

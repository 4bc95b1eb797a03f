#include "core/graph/op_schema.h"
#include "tests/support/tiny_graph.h"

#include <QtTest/QtTest>

using namespace core;
using tests::TinyGraph;

class TestOpSchema : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void versionsInForce_data()
    {
        QTest::addColumn<QString>("type");
        QTest::addColumn<int>("opset");
        QTest::addColumn<int>("version");
        const auto row = [](const char *type, int opset, int version) {
            QTest::addRow("%s at %d", type, opset) << QString(type) << opset << version;
        };
        // From the operator pages of the ONNX specification.
        row("Abs", 7, 6);
        row("Clip", 10, 6);
        row("Clip", 11, 11);
        row("Clip", 23, 13);
        row("ReduceSum", 12, 11);
        row("ReduceSum", 13, 13);
        row("ReduceMean", 17, 13);
        row("ReduceMean", 18, 18);
        row("Resize", 9, 0);
        row("Resize", 10, 10);
        row("Upsample", 9, 9);
        row("Upsample", 10, 0);
        row("Scatter", 10, 9);
        row("Scatter", 11, 0);
        row("Gelu", 19, 0);
        row("Gelu", 20, 20);
        row("RMSNormalization", 22, 0);
        row("RMSNormalization", 23, 23);
        row("Xor", 23, 7);
    }
    void versionsInForce()
    {
        QFETCH(QString, type);
        QFETCH(int, opset);
        const OpSchema *schema = findSchema(type.toStdString());
        QVERIFY(schema);
        QTEST(schema->versionAt(opset), "version");
    }

    void arityOfTheNewestForm()
    {
        const OpSchema *squeeze = findSchema("Squeeze"), *concat = findSchema("Concat"), *lstm = findSchema("LSTM");
        QCOMPARE(squeeze->minInputs, 1);
        QCOMPARE(squeeze->maxInputs, 2);
        QCOMPARE(concat->maxInputs, -1);
        QCOMPARE(lstm->minOutputs, 0);
        QCOMPARE(lstm->maxOutputs, 3);
        QVERIFY(!findSchema("Convolution"));
        QVERIFY(!findSchema(""));
    }

    void wrongCountsAreNamed()
    {
        TinyGraph g;
        const ValueId x = g.input("x");
        g.node("Relu", "fine", {x});
        g.node("Relu", "two", {x, x});
        g.node("Conv", "bare", {x});
        g.node("Conv", "holed", {ValueId{}, x});
        g.node("Clip", "trailing", {x, ValueId{}, ValueId{}, ValueId{}});
        g.node("TopK", "one", {x, g.integers("k", {1})});
        g.node("Loop", "loop", {ValueId{}, ValueId{}});
        g.node("Own", "unknown", {});
        const Diagnostics found = checkArity(g.graph);
        QCOMPARE(found.size(), std::size_t(4));
        QCOMPARE(found[0].node, std::string("two"));
        QCOMPARE(found[0].sentence, std::string("Relu 'two' has 2 inputs; it takes 1."));
        QCOMPARE(found[1].sentence, std::string("Conv 'bare' has 1 inputs; it takes 2 to 3."));
        QCOMPARE(found[2].sentence, std::string("Conv 'holed' leaves out input 0, which it needs."));
        QCOMPARE(found[3].sentence, std::string("TopK 'one' has 1 outputs; it makes 2."));
    }
};

QTEST_APPLESS_MAIN(TestOpSchema)
#include "tst_op_schema.moc"

#include "core/exec/op_common.h"
#include "tests/support/tiny_graph.h"

using namespace core;

class TestOpRegistry : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void findsByDomainAndType()
    {
        Node node;
        node.opType = "Conv";
        QVERIFY(OpRegistry::instance().find(node));
        node.domain = "com.acme";
        QVERIFY(!OpRegistry::instance().find(node));
        node.domain = "com.microsoft";
        node.opType = "QuantizeLinear";
        QVERIFY(OpRegistry::instance().find(node));
    }

    void listsOperatorsOnce()
    {
        std::vector<std::string> names = OpRegistry::instance().supportedOps();
        const std::set<std::string> unique(names.begin(), names.end());
        QCOMPARE(unique.size(), names.size());
        for (const char *name : {"Conv", "ConvTranspose", "Gemm", "MatMul", "BatchNormalization", "Relu", "Mish", "MaxPool", "Resize", "NonMaxSuppression", "LSTM",
                                 "QLinearConv", "DequantizeLinear", "Cast", "If", "ScatterND", "com.microsoft.DequantizeLinear"})
            QVERIFY2(unique.contains(name), name);
    }

    void twoKernelsForOneOperatorAreAnError()
    {
        OpRegistry registry;
        registry.add("Twice", [](const Node &, const Graph &) { return Kernel(); });
        registry.add("Twice", [](const Node &, const Graph &) { return Kernel(); }, "elsewhere");
        QCOMPARE(registry.supportedOps(), (std::vector<std::string>{"Twice", "elsewhere.Twice"}));
        QVERIFY_EXCEPTION_THROWN(registry.add("Twice", [](const Node &, const Graph &) { return Kernel(); }), Error);
    }
};

QTEST_APPLESS_MAIN(TestOpRegistry)
#include "tst_op_registry.moc"

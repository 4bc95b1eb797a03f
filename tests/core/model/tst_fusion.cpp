#include "core/spec/fusion.h"
#include "core/spec/placement.h"
#include "tests/support/tiny_graph.h"

#include <QtTest/QtTest>

using namespace core;
using tests::TinyGraph;

namespace {

Config asymmetric()
{
    Config config;
    config.global.outputTensors.symmetric = false;
    config.global.outputTensors.dtype = QuantDtype::UInt8;
    return config;
}

Fusions find(const TinyGraph &g, const std::string &target = {}, const Config &config = {})
{
    return findFusions(g.graph, Resolver(g.graph, config), targetProfile(target), config.splitConcats);
}

/// "conv relu | add act": the names of every group.
QString groups(const TinyGraph &g, const Fusions &fusions)
{
    QStringList all;
    for (const auto &group : fusions.groups) {
        QStringList names;
        for (NodeId id : group)
            names << QString::fromStdString(g.graph.node(id).name);
        all << names.join(' ');
    }
    return all.join(" | ");
}

QString unfused(const TinyGraph &g, const Fusions &fusions, const std::string &value)
{
    return QString::fromStdString(fusions.unfusedReason[std::size_t(g.graph.findValue(value).index)]);
}

} // namespace

class TestFusion : public QObject {
    Q_OBJECT
private Q_SLOTS:
    /// Relu and a constant bound for each channel are what equalization makes of a Clip: one activation.
    void boundBehindARelu()
    {
        TinyGraph g;
        const ValueId relu = g.node("Relu", "relu", {g.conv("conv", g.input("x"), 3, 4)});
        g.output(g.node("Min", "min", {relu, g.constant("bound", {1, 4, 1, 1})}));
        QCOMPARE(groups(g, find(g)), QString("conv relu min"));
        const Placement placement = place(g.graph, {}, targetProfile(""));
        for (const Point &point : placement.points)
            QVERIFY(point.value != relu && point.value != g.graph.findValue("bound"));

        TinyGraph computed, alone;
        const ValueId first = computed.node("Relu", "relu", {computed.conv("conv", computed.input("x"), 3, 4)});
        computed.output(computed.node("Min", "min", {first, computed.input("bound", {1, 4, 1, 1})}));
        QCOMPARE(groups(computed, find(computed)), QString("conv relu"));
        alone.output(alone.node("Min", "min", {alone.node("Relu", "relu", {alone.input("x")}), alone.constant("bound", {1, 3, 1, 1})}));
        QCOMPARE(groups(alone, find(alone)), QString());
    }
    void activationBehindALayer_data()
    {
        QTest::addColumn<QString>("layer");
        QTest::addColumn<QString>("activation");
        QTest::addColumn<bool>("fused");
        for (const char *layer : {"Conv", "ConvTranspose", "Gemm", "MatMul", "Add", "Mul"})
            for (const char *activation : {"Relu", "Clip", "LeakyRelu", "PRelu", "Sigmoid", "HardSigmoid", "HardSwish", "Tanh"})
                QTest::addRow("%s %s", layer, activation) << layer << activation << true;
        QTest::newRow("MaxPool Relu") << "MaxPool" << "Relu" << false;
        QTest::newRow("Conv Softmax") << "Conv" << "Softmax" << false;
        QTest::newRow("Conv Add") << "Conv" << "Add" << false;
    }
    void activationBehindALayer()
    {
        QFETCH(QString, layer);
        QFETCH(QString, activation);
        QFETCH(bool, fused);
        TinyGraph g;
        const ValueId x = g.input("x", {2, 2}), w = g.constant("w", {2, 2});
        g.output(g.node(activation.toStdString(), "act", {g.node(layer.toStdString(), "layer", {x, w})}));
        QCOMPARE(groups(g, find(g)), fused ? "layer act" : "");
    }

    void onlyConsumer()
    {
        TinyGraph g;
        const ValueId c = g.conv("conv", g.input("x"), 3, 4);
        g.output(g.node("Relu", "relu", {c}));
        g.output(g.node("Sigmoid", "other", {c}));
        QCOMPARE(groups(g, find(g)), "");
        TinyGraph exposed;
        const ValueId d = exposed.conv("conv", exposed.input("x"), 3, 4);
        exposed.output(exposed.node("Relu", "relu", {d}));
        exposed.output(d);
        QCOMPARE(groups(exposed, find(exposed)), "");
    }

    void normalizationThenActivation()
    {
        TinyGraph g;
        const ValueId c = g.conv("conv", g.input("x"), 3, 4);
        const ValueId n = g.node("BatchNormalization", "bn", {c, g.constant("s", {4}), g.constant("b", {4}), g.constant("m", {4}), g.constant("v", {4})});
        g.output(g.node("Relu", "relu", {n}));
        QCOMPARE(groups(g, find(g)), "conv bn relu");
        QCOMPARE(groups(g, find(g, "onnxruntime-cpu", asymmetric())), "conv bn relu");
    }

    void oneActivationOnly()
    {
        TinyGraph g;
        g.output(g.node("Relu", "second", {g.node("Relu", "first", {g.conv("conv", g.input("x"), 3, 4)})}));
        QCOMPARE(groups(g, find(g)), "conv first");
    }

    void excludedNodesStandAlone()
    {
        TinyGraph g;
        g.output(g.node("Relu", "relu", {g.conv("conv", g.input("x"), 3, 4)}));
        Config config;
        config.exclude = {"relu"};
        QCOMPARE(groups(g, find(g, {}, config)), "");
    }

    void gatedActivations_data()
    {
        QTest::addColumn<QString>("gate");
        QTest::addColumn<QString>("target");
        QTest::addColumn<QString>("expected");
        QTest::newRow("silu") << "Sigmoid" << "" << "conv gate mul";
        QTest::newRow("hard swish") << "HardSigmoid" << "" << "conv gate mul";
        QTest::newRow("silu, onnxruntime") << "Sigmoid" << "onnxruntime-cpu" << "";     // Q behind Conv and behind Sigmoid
        QTest::newRow("hard swish, onnxruntime") << "HardSigmoid" << "onnxruntime-cpu" << "gate mul";
        QTest::newRow("silu, xint8") << "Sigmoid" << "xint8" << "gate mul";
        QTest::newRow("hard swish, xint8") << "HardSigmoid" << "xint8" << "conv gate mul";
        QTest::newRow("silu, tensorrt") << "Sigmoid" << "tensorrt" << "conv gate mul";
        QTest::newRow("tanh") << "Tanh" << "" << "";
    }
    void gatedActivations()
    {
        QFETCH(QString, gate);
        QFETCH(QString, target);
        for (const bool swapped : {false, true}) {
            TinyGraph g;
            const ValueId c = g.conv("conv", g.input("x"), 3, 4);
            const ValueId s = g.node(gate.toStdString(), "gate", {c});
            g.output(g.node("Mul", "mul", swapped ? std::vector{s, c} : std::vector{c, s}));
            QTEST(groups(g, find(g, target.toStdString())), "expected");
        }
    }

    void squeezeAndExcitationIsNoSilu()
    {
        TinyGraph g;
        const ValueId c = g.conv("conv", g.input("x"), 3, 4);
        const ValueId s = g.node("Sigmoid", "gate", {g.conv("fc", g.node("GlobalAveragePool", "pool", {c}), 4, 4)});
        g.output(g.node("Mul", "mul", {c, s}));
        QCOMPARE(groups(g, find(g)), "fc gate");
    }

    void codesMustLieInsideTheActivation_data()
    {
        QTest::addColumn<QString>("what");
        QTest::addColumn<QString>("reason");
        QTest::newRow("relu6") << "" << "";
        QTest::newRow("symmetric") << "symmetric" << "the symmetric i8 codes behind Clip 'act' reach below 0.";
        QTest::newRow("pof2") << "pof2" << "power-of-two codes behind Clip 'act' reach above its bound.";
        QTest::newRow("from -1") << "from -1" << "Clip 'act' does not start at 0, so the codes behind it reach beyond its range.";
        QTest::newRow("run time") << "run time" << "Clip 'act' does not start at 0, so the codes behind it reach beyond its range.";
        QTest::newRow("fixed") << "fixed" << "the fixed range behind Clip 'act' is wider than it.";
        QTest::newRow("fixed inside") << "fixed inside" << "";
        QTest::newRow("shared") << "shared" << "the range behind Clip 'act' is shared with 'other', which reaches beyond it.";
        QTest::newRow("shared inside") << "shared inside" << "";
        QTest::newRow("symmetric pool") << "symmetric pool" << "the range behind Clip 'act' is shared with 'pool', whose codes are symmetric.";
    }
    void codesMustLieInsideTheActivation()
    {
        QFETCH(QString, what);
        TinyGraph g;
        Config config = asymmetric();
        const ValueId x = g.input("x");
        const ValueId lo = what == "run time" ? g.input("lo", {}) : g.constant("lo", {}, {what == "from -1" ? -1.0f : 0.0f});
        const ValueId hi = g.constant("hi", {}, {6}), four = g.constant("four", {}, {4});
        ValueId v = g.node("Clip", "act", {g.conv("conv", x, 3, 4), lo, hi});
        if (what.startsWith("shared"))
            v = g.node("Concat", "cat", {v, what == "shared" ? g.node("Relu", "other", {g.conv("c2", x, 3, 4)}) : g.node("Clip", "other", {g.conv("c2", x, 3, 4), lo, four})},
                       {{"axis", std::int64_t(1)}});
        g.output(g.node("MaxPool", "pool", {v}));
        if (what == "symmetric") {
            config.global.outputTensors.symmetric = true;
            config.global.outputTensors.dtype = QuantDtype::Int8;
        }
        if (what == "symmetric pool")
            config.byNode["pool"].outputTensors.symmetric = true;
        if (what == "pof2")
            config.global.outputTensors.scaleType = ScaleType::PowerOfTwo;
        if (what.startsWith("fixed")) {
            config.byNode["act"].outputTensors.observer = ObserverKind::Fixed;
            config.byNode["act"].outputTensors.fixedRange = Range{0, what == "fixed" ? 8.0 : 6.0};
        }
        const Fusions fusions = find(g, "onnxruntime-cpu", config);
        QTEST(unfused(g, fusions, "conv"), "reason");
        QFETCH(QString, reason);
        QCOMPARE(groups(g, fusions).contains("conv act"), reason.isEmpty());
        QVERIFY(groups(g, find(g, {}, config)).contains("conv act")); // without a target it is one group in any case
    }

    void reluSharingWithOtherUnsignedValuesIsInside()
    {
        TinyGraph g;
        const ValueId x = g.input("x");
        const ValueId a = g.node("Relu", "relu", {g.conv("c1", x, 3, 4)});
        const ValueId b = g.node("Softmax", "soft", {g.conv("c2", x, 3, 4)});
        g.output(g.node("Concat", "cat", {a, b}, {{"axis", std::int64_t(1)}}));
        QCOMPARE(groups(g, find(g, "onnxruntime-cpu", asymmetric())), "c1 relu");
    }
};

QTEST_APPLESS_MAIN(TestFusion)
#include "tst_fusion.moc"

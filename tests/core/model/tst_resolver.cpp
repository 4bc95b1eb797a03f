#include "core/base/error.h"
#include "core/spec/resolver.h"
#include "tests/support/tiny_graph.h"

#include <QtTest/QtTest>

using namespace core;
using tests::TinyGraph;

namespace {

TinyGraph sample()
{
    TinyGraph g;
    ValueId v = g.conv("a", g.input("x"), 3, 4);
    v = g.conv("b", v, 4, 4, 3, 4);
    g.output(g.node("Relu", "r", {v}));
    return g;
}

QString refusal(const Config &config)
{
    const TinyGraph g = sample();
    try {
        Resolver resolver(g.graph, config);
    } catch (const Error &error) {
        return QString::fromStdString(error.sentence());
    }
    return "(accepted)";
}

} // namespace

class TestResolver : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void defaults()
    {
        const TinyGraph g = sample();
        const Resolver resolver(g.graph, {});
        const ResolvedNode &a = resolver.node(g.nodeId("a"));
        const Scheme &in = a.role(TensorRole::Input).scheme, &weight = a.role(TensorRole::Weight).scheme, &bias = a.role(TensorRole::Bias).scheme;
        QCOMPARE(in.dtype, QuantDtype::Int8);
        QVERIFY(in.symmetric && !in.narrow);
        QVERIFY(weight.symmetric && weight.narrow);
        QCOMPARE(weight.roundMethod, RoundMethod::HalfEven);
        QCOMPARE(bias.dtype, QuantDtype::Int32);
        QCOMPARE(in.percentile, 99.99);
        QCOMPARE(a.role(TensorRole::Input).provenance(), std::string("default"));
        QVERIFY(!a.excluded);
    }

    void theMostSpecificWinsFieldByField()
    {
        const TinyGraph g = sample();
        Config config;
        config.global.weight.dtype = QuantDtype::Int16;
        config.global.weight.observer = ObserverKind::MinMax;
        config.global.weight.percentile = 99;
        config.byOpType["Conv"].weight.observer = ObserverKind::Percentile;
        config.rules.push_back({"group>1", {}, false});
        config.rules.back().config.weight.qscheme = Granularity::PerChannel;
        config.rules.push_back({"name:b", {}, false});
        config.rules.back().config.weight.qscheme = Granularity::PerTensor;
        config.byNode["b"].weight.dtype = QuantDtype::Int8;
        const Resolver resolver(g.graph, config);
        const ResolvedScheme &a = resolver.node(g.nodeId("a")).role(TensorRole::Weight), &b = resolver.node(g.nodeId("b")).role(TensorRole::Weight);
        QCOMPARE(a.scheme.dtype, QuantDtype::Int16);
        QCOMPARE(b.scheme.dtype, QuantDtype::Int8);
        QCOMPARE(b.scheme.observer, ObserverKind::Percentile);
        QCOMPARE(b.scheme.granularity, Granularity::PerTensor); // the later rule
        QCOMPARE(b.scheme.percentile, 99.0);
        QCOMPARE(b.origin("dtype").text(), std::string("node 'b'"));
        QCOMPARE(b.origin("observer").text(), std::string("operator type 'Conv'"));
        QCOMPARE(b.origin("qscheme").text(), std::string("rule 'name:b'"));
        QCOMPARE(b.origin("percentile").text(), std::string("global"));
        QCOMPARE(b.origin("symmetric").text(), std::string("default"));
        QCOMPARE(b.provenance(), std::string("node 'b'"));
        QCOMPARE(a.provenance(), std::string("operator type 'Conv'"));
    }

    void bestAndANamedObserverReplaceEachOther()
    {
        QuantizationSpec spec, best, named;
        best.bestObserver = true;
        named.observer = ObserverKind::Entropy;
        spec.overlay(best);
        spec.overlay(named);
        QVERIFY(!spec.bestObserver && spec.observer == ObserverKind::Entropy);
        spec.overlay(best);
        QVERIFY(spec.bestObserver.value() && !spec.observer);
    }

    void powerOfTwoObserversImplyTheirScales()
    {
        const TinyGraph g = sample();
        Config config;
        config.global.weight.observer = ObserverKind::Pof2Mse;
        config.global.inputTensors.observer = ObserverKind::Pof2MinMax;
        const Resolver resolver(g.graph, config);
        const ResolvedNode &a = resolver.node(g.nodeId("a"));
        QCOMPARE(a.role(TensorRole::Weight).scheme.scaleType, ScaleType::PowerOfTwo);
        QCOMPARE(a.role(TensorRole::Weight).scheme.pof2Rounding, PowerOfTwoRounding::Mse);
        QCOMPARE(a.role(TensorRole::Input).scheme.pof2Rounding, PowerOfTwoRounding::Ceil);
    }

    void narrowIsForSymmetricSignedIntegersOnly()
    {
        const TinyGraph g = sample();
        Config config;
        config.global.weight.symmetric = false;
        QVERIFY(!Resolver(g.graph, config).node(g.nodeId("a")).role(TensorRole::Weight).scheme.narrow);
        config.global.weight.symmetric = true;
        config.global.weight.dtype = QuantDtype::UInt8;
        QVERIFY(!Resolver(g.graph, config).node(g.nodeId("a")).role(TensorRole::Weight).scheme.narrow);
    }

    void exclusion()
    {
        const TinyGraph g = sample();
        Config config;
        config.exclude = {"r*"};
        config.rules.push_back({"depthwise:true", {}, true});
        const Resolver resolver(g.graph, config);
        QVERIFY(!resolver.node(g.nodeId("a")).excluded);
        QCOMPARE(resolver.node(g.nodeId("b")).excludedBy, std::string("rule 'depthwise:true'"));
        QCOMPARE(resolver.node(g.nodeId("r")).excludedBy, std::string("exclude 'r*'"));
    }

    void presetTargetAndUserAreToldApart()
    {
        const TinyGraph g = sample();
        Recipe recipe = presetRecipe("best");
        recipe.target = "xint8";
        recipe.config.global.inputTensors.percentile = 99.5;
        const Resolver resolver(g.graph, effectiveConfig(recipe), globalOrigins(recipe));
        const ResolvedScheme &in = resolver.node(g.nodeId("a")).role(TensorRole::Input);
        QCOMPARE(in.origin("dtype").text(), std::string("target 'xint8'"));
        QCOMPARE(in.origin("scale_type").text(), std::string("target 'xint8'"));
        QCOMPARE(in.origin("observer").text(), std::string("preset 'best'"));
        QCOMPARE(in.origin("percentile").text(), std::string("global"));
    }

    void namesThatMatchNothing()
    {
        Config type, node, rule, exclude;
        type.byOpType["Convv"];
        node.byNode["c"];
        rule.rules.push_back({"group>9", {}, false});
        exclude.exclude = {"z*"};
        QCOMPARE(refusal(type), "The operator type 'Convv' matches no node of the model.");
        QCOMPARE(refusal(node), "The node name 'c' matches no node of the model.");
        QCOMPARE(refusal(rule), "The rule 'group>9' matches no node of the model.");
        QCOMPARE(refusal(exclude), "The exclude pattern 'z*' matches no node of the model.");
    }
};

QTEST_APPLESS_MAIN(TestResolver)
#include "tst_resolver.moc"

#include "core/spec/config_json.h"
#include "tests/support/tiny_graph.h"
#include "widgets/spec/spec_change.h"

using namespace widgets;
using core::QuantDtype;
using core::TensorRole;

/// x → conv1 → relu → conv2 → cat(conv2, relu) → y
static tests::TinyGraph network()
{
    tests::TinyGraph t;
    const core::ValueId x = t.input("x");
    const core::ValueId relu = t.node("Relu", "relu", {t.conv("conv1", x, 3, 4)});
    const core::ValueId second = t.conv("conv2", relu, 4, 4, 3, 4);
    t.output(t.node("Concat", "cat", {second, relu}, {{"axis", std::int64_t(1)}}));
    return t;
}

class TestSpecChange : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void setsAndResetsAField();
    void leavesNothingEmptyBehind();
    void bestIsAnObserver();
    void excludesAndIncludes();
    void takesANodeOutOfAPattern();
    void takesANodeOutOfARule();
    void switchesEdgesAndConcats();
    void keepsRulesInOrder();
    void presetBringsItsAlgorithms();
    void ignoresWhatIsNotThere();
    void speaks_data();
    void speaks();
};

void TestSpecChange::setsAndResetsAField()
{
    const auto t = network();
    const std::set<core::NodeId> convs = {t.nodeId("conv1"), t.nodeId("conv2")};
    const core::Recipe set = apply({}, t.graph, {SetField{SpecScope::of(convs), TensorRole::Weight, SpecField::Dtype, QuantDtype::Int4}});
    QCOMPARE(set.config.byNode.size(), std::size_t(2));
    QVERIFY(set.config.byNode.at("conv2").weight.dtype == QuantDtype::Int4);
    QVERIFY(!set.config.byNode.at("conv2").bias.dtype);
    const core::Recipe one = apply(set, t.graph, {SetField{SpecScope::of({t.nodeId("conv1")}), TensorRole::Weight, SpecField::Dtype, {}}});
    QVERIFY(!one.config.byNode.contains("conv1"));
    QVERIFY(one.config.byNode.contains("conv2"));
}

void TestSpecChange::leavesNothingEmptyBehind()
{
    const auto t = network();
    const core::Recipe start;
    core::Recipe recipe = start;
    for (const SpecScope &scope : {SpecScope::global(), SpecScope::ofType("Conv"), SpecScope::of({t.nodeId("relu")})}) {
        recipe = apply(recipe, t.graph, {SetField{scope, TensorRole::Output, SpecField::Percentile, 99.5}});
        QVERIFY(recipe != start);
        recipe = apply(recipe, t.graph, {ResetScope{scope, {}}});
        QCOMPARE(core::recipeToJson(recipe), core::recipeToJson(start));
        QVERIFY(recipe == start);
    }
    recipe = apply(recipe, t.graph, {SwitchEdge{t.nodeId("conv2"), 0, false}, SwitchEdge{t.nodeId("conv2"), 0, true}});
    QVERIFY(recipe == start);
}

void TestSpecChange::bestIsAnObserver()
{
    const auto t = network();
    core::Recipe recipe = apply({}, t.graph, {SetField{SpecScope::global(), TensorRole::Output, SpecField::Observer, BestObserver{}}});
    QVERIFY(recipe.config.global.outputTensors.bestObserver == true);
    recipe = apply(recipe, t.graph, observerEdits(SpecScope::global(), TensorRole::Output, core::ObserverKind::Percentile, 99.9));
    QVERIFY(!recipe.config.global.outputTensors.bestObserver);
    QVERIFY(recipe.config.global.outputTensors.observer == core::ObserverKind::Percentile);
    QCOMPARE(*recipe.config.global.outputTensors.percentile, 99.9);
    const SpecEdits dragged = fixedRangeEdits(SpecScope::of({t.nodeId("conv1")}), TensorRole::Output, {-1, 2.5});
    QCOMPARE(describe(dragged, t.graph, recipe), "Outputs of conv1: range -1 … 2.5");
    recipe = apply(recipe, t.graph, dragged);
    QVERIFY(recipe.config.byNode.at("conv1").outputTensors.observer == core::ObserverKind::Fixed);
    QVERIFY(recipe.config.byNode.at("conv1").outputTensors.fixedRange == (core::Range{-1, 2.5}));
}

void TestSpecChange::excludesAndIncludes()
{
    const auto t = network();
    core::Recipe recipe = apply({}, t.graph, {SetQuantized{{t.nodeId("conv1"), t.nodeId("relu")}, false}});
    QCOMPARE(recipe.config.exclude, (std::vector<std::string>{"conv1", "relu"}));
    recipe = apply(recipe, t.graph, {SetQuantized{{t.nodeId("conv1")}, false}, SetQuantized{{t.nodeId("relu")}, true}});
    QCOMPARE(recipe.config.exclude, (std::vector<std::string>{"conv1"}));
}

void TestSpecChange::takesANodeOutOfAPattern()
{
    const auto t = network();
    core::Recipe recipe;
    recipe.config.exclude = {"conv*", "cat"};
    recipe = apply(recipe, t.graph, {SetQuantized{{t.nodeId("conv1")}, true}});
    QCOMPARE(recipe.config.exclude, (std::vector<std::string>{"conv2", "cat"}));
}

void TestSpecChange::takesANodeOutOfARule()
{
    const auto t = network();
    core::Recipe recipe;
    recipe.config.rules = {{"op:Conv | op:Relu", {}, true}};
    recipe = apply(recipe, t.graph, {SetQuantized{{t.nodeId("conv1")}, true}});
    QCOMPARE(recipe.config.rules.size(), std::size_t(1));
    QCOMPARE(recipe.config.rules[0].query, std::string("op:Conv !name:conv1 | op:Relu !name:conv1"));
    recipe = apply(recipe, t.graph, {SetQuantized{{t.nodeId("conv2"), t.nodeId("relu")}, true}});
    QVERIFY(recipe.config.rules.empty());
}

void TestSpecChange::switchesEdgesAndConcats()
{
    const auto t = network();
    core::Recipe recipe = apply({}, t.graph, {SwitchEdge{t.nodeId("cat"), 1, false}, SwitchEdge{t.nodeId("cat"), 0, false}, SwitchEdge{t.nodeId("cat"), 0, false},
                                              SplitConcat{t.nodeId("cat"), true}, SplitConcat{t.nodeId("conv1"), true}});
    QCOMPARE(recipe.config.disabledEdges.at("cat"), (std::vector<int>{0, 1}));
    QCOMPARE(recipe.config.splitConcats, std::vector<std::string>{"cat"});
    recipe = apply(recipe, t.graph, {SwitchEdge{t.nodeId("cat"), 0, true}, SplitConcat{t.nodeId("cat"), false}});
    QCOMPARE(recipe.config.disabledEdges.at("cat"), std::vector<int>{1});
    QVERIFY(recipe.config.splitConcats.empty());
}

void TestSpecChange::keepsRulesInOrder()
{
    const auto t = network();
    core::Recipe recipe = apply({}, t.graph, {AddRule{{"op:Conv", {}, false}}, AddRule{{"op:Relu", {}, true}}, AddRule{{"op:Concat", {}, false}}, MoveRule{2, 0},
                                              SetRuleQuery{1, "group>1"}, SetRuleExclude{1, true}, RemoveRule{2}});
    QCOMPARE(recipe.config.rules.size(), std::size_t(2));
    QCOMPARE(recipe.config.rules[0].query, std::string("op:Concat"));
    QCOMPARE(recipe.config.rules[1].query, std::string("group>1"));
    QVERIFY(recipe.config.rules[1].exclude);
}

void TestSpecChange::presetBringsItsAlgorithms()
{
    const auto t = network();
    core::Recipe recipe;
    recipe.equalize = true;
    recipe.config.global.weight.dtype = QuantDtype::Int4;
    recipe = apply(recipe, t.graph, {ChoosePreset{"best"}, ChooseTarget{"tensorrt"}, SetSwitch{RecipeSwitch::ReduceRange, true}});
    QVERIFY(recipe.biasCorrection && !recipe.equalize && recipe.config.reduceRange);
    QVERIFY(recipe.config.global.weight.dtype == QuantDtype::Int4);
    QCOMPARE(recipe.target, std::string("tensorrt"));
    QVERIFY(!apply(recipe, t.graph, {ChoosePreset{"a8w8"}}).biasCorrection);
}

void TestSpecChange::ignoresWhatIsNotThere()
{
    const auto t = network();
    const core::Recipe start;
    const SpecEdits edits = {SetField{SpecScope::of({core::NodeId{77}}), TensorRole::Weight, SpecField::Dtype, QuantDtype::Int4},
                             SetField{SpecScope::ofRule(3), TensorRole::Weight, SpecField::Dtype, QuantDtype::Int4},
                             SetField{SpecScope::global(), TensorRole::Weight, SpecField::Observer, 3.5},
                             SwitchEdge{t.nodeId("conv1"), 9, false}, SwitchEdge{core::NodeId{77}, 0, false}, RemoveRule{0}, MoveRule{0, 1},
                             SetQuantized{{core::NodeId{77}}, false}, ChoosePreset{"nonsense"}, AddExclude{""}};
    QVERIFY(apply(start, t.graph, edits) == start);
}

void TestSpecChange::speaks_data()
{
    QTest::addColumn<SpecEdits>("edits");
    QTest::addColumn<QString>("sentence");
    const auto t = network();
    const core::NodeId conv1 = t.nodeId("conv1"), conv2 = t.nodeId("conv2");
    QTest::newRow("nothing") << SpecEdits{} << "";
    QTest::newRow("layers") << SpecEdits{SetField{SpecScope::of({conv1, conv2}), TensorRole::Weight, SpecField::Dtype, QuantDtype::Int4}} << "Weights of 2 layers: int4";
    QTest::newRow("layer") << SpecEdits{SetField{SpecScope::of({conv1}), TensorRole::Output, SpecField::Symmetric, false}} << "Outputs of conv1: asymmetric";
    QTest::newRow("type") << SpecEdits{SetField{SpecScope::ofType("Conv"), TensorRole::Output, SpecField::Percentile, 99.9}} << "Outputs of every Conv: percentile 99.9";
    QTest::newRow("reset") << SpecEdits{SetField{SpecScope::global(), TensorRole::Weight, SpecField::QScheme, {}}} << "Weights of the whole model: scales inherited again";
    QTest::newRow("rule") << SpecEdits{SetField{SpecScope::ofRule(0), TensorRole::Weight, SpecField::Observer, BestObserver{}}} << "Weights of rule 'op:Conv': best";
    QTest::newRow("exclude") << SpecEdits{SetQuantized{{conv1}, false}} << "Leave conv1 in float";
    QTest::newRow("edge") << SpecEdits{SwitchEdge{conv2, 0, false}} << "Quantizer of input 0 of conv2 off";
    QTest::newRow("remove rule") << SpecEdits{RemoveRule{0}} << "Remove rule 'op:Conv'";
}

void TestSpecChange::speaks()
{
    QFETCH(SpecEdits, edits);
    QFETCH(QString, sentence);
    core::Recipe before;
    before.config.rules = {{"op:Conv", {}, false}};
    QCOMPARE(describe(edits, network().graph, before), sentence);
}

QTEST_GUILESS_MAIN(TestSpecChange)
#include "tst_spec_change.moc"

#include "tests/support/tiny_graph.h"
#include "widgets/spec/spec_state.h"

using namespace widgets;
using core::NodeId;
using core::QuantDtype;
using core::TensorRole;

/// x → conv1 → relu → conv2 → fc (Gemm) → add(x2) → y
static tests::TinyGraph network()
{
    tests::TinyGraph t;
    const core::ValueId x = t.input("x");
    const core::ValueId relu = t.node("Relu", "relu", {t.conv("conv1", x, 3, 4)});
    const core::ValueId second = t.conv("conv2", relu, 4, 4);
    const core::ValueId flat = t.node("Flatten", "flat", {second});
    const core::ValueId fc = t.node("Gemm", "fc", {flat, t.constant("fc.w", {256, 10}), t.constant("fc.b", {10})});
    t.output(t.node("Add", "add", {fc, t.constant("k", {10})}));
    return t;
}

static SpecContext contextOf(const core::Recipe &recipe, const tests::TinyGraph &t = network())
{
    const auto graph = std::make_shared<const core::Graph>(t.graph);
    return {graph, recipe, std::make_shared<const core::Placement>(core::place(*graph, recipe))};
}
static SpecState stateOf(const core::Recipe &recipe, const std::vector<std::string> &names)
{
    const tests::TinyGraph t = network();
    std::set<NodeId> nodes;
    for (const std::string &name : names)
        nodes.insert(t.nodeId(name));
    return specState(contextOf(recipe, t), SpecScope::of(nodes));
}
static QString refusalOf(const FieldState &field, const FieldValue &value)
{
    for (const ChoiceState &choice : field.choices)
        if (choice.value == value)
            return choice.refusal;
    return "no such choice";
}

class TestSpecState : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void saysWhereAValueCameFrom();
    void mixesValues();
    void knowsWhichRolesALayerHas();
    void refusesWhatTheTargetCannot();
    void refusesWhatMakesNoSense();
    void groupsForMatricesOnly();
    void countsWhatIsOverridden();
    void showsARuleWithoutLayers();
    void showsTheWholeModelWithoutAModel();
    void listsEdges();
    void saysWhoseSettingCounts();
    void knowsExcludedLayers();
    void survivesARecipeOfAnotherModel();
};

void TestSpecState::saysWhereAValueCameFrom()
{
    core::Recipe recipe = core::presetRecipe("best");
    recipe.target = "onnxruntime-cpu";
    recipe.config.byOpType["Conv"].weight.qscheme = core::Granularity::PerTensor;
    recipe.config.rules = {{"name:conv2", {}, false}};
    recipe.config.rules[0].config.weight.observer = core::ObserverKind::Percentile;
    recipe.config.byNode["conv2"].weight.percentile = 99.5;
    const SpecState state = stateOf(recipe, {"conv2"});
    const RoleState &weight = state.role(TensorRole::Weight);
    QCOMPARE(weight.field(SpecField::Dtype).origin, "onnxruntime-cpu");
    QCOMPARE(weight.field(SpecField::Dtype).originInWords, "the target onnxruntime-cpu");
    QCOMPARE(weight.field(SpecField::QScheme).origin, "every Conv");
    QVERIFY(!weight.field(SpecField::QScheme).setHere);
    QCOMPARE(weight.field(SpecField::Observer).origin, "rule name:conv2");
    QCOMPARE(weight.field(SpecField::Percentile).origin, "set here");
    QVERIFY(weight.field(SpecField::Percentile).setHere && weight.setHere);
    QCOMPARE(weight.field(SpecField::RoundMethod).origin, "default");
    QCOMPARE(state.role(TensorRole::Output).field(SpecField::Observer).origin, "preset best");
    QVERIFY(state.role(TensorRole::Output).field(SpecField::Observer).value == FieldValue(BestObserver{}));
    QCOMPARE(weight.summary, "int8 · per_tensor · percentile");
}

void TestSpecState::mixesValues()
{
    core::Recipe recipe;
    recipe.config.byNode["conv1"].weight.dtype = QuantDtype::Int4;
    const SpecState state = stateOf(recipe, {"conv1", "conv2", "relu"});
    const RoleState &weight = state.role(TensorRole::Weight);
    QCOMPARE(state.layers, 3);
    QCOMPARE(weight.layers, 2);
    QVERIFY(!weight.field(SpecField::Dtype).value);
    QCOMPARE(weight.field(SpecField::Dtype).origin, "mixed");
    QVERIFY(weight.field(SpecField::Dtype).setHere);
    QVERIFY(weight.field(SpecField::QScheme).value == FieldValue(core::Granularity::PerChannel));
    QCOMPARE(weight.summary, "mixed · per_channel · min_max");
}

void TestSpecState::knowsWhichRolesALayerHas()
{
    const SpecState relu = stateOf({}, {"relu"});
    QVERIFY(relu.role(TensorRole::Input).applies && relu.role(TensorRole::Output).applies);
    QVERIFY(!relu.role(TensorRole::Weight).applies && !relu.role(TensorRole::Bias).applies);
    QVERIFY(stateOf({}, {"conv1"}).role(TensorRole::Bias).applies);
}

void TestSpecState::refusesWhatTheTargetCannot()
{
    core::Recipe recipe;
    recipe.target = "xint8";
    const SpecState state = stateOf(recipe, {"conv1"});
    const RoleState &output = state.role(TensorRole::Output), &weight = state.role(TensorRole::Weight);
    QVERIFY(refusalOf(output.field(SpecField::Dtype), QuantDtype::UInt8).contains("xint8"));
    QVERIFY(refusalOf(output.field(SpecField::Dtype), QuantDtype::Int8).isEmpty());
    QVERIFY(refusalOf(output.field(SpecField::Symmetric), false).contains("zero point 0"));
    QVERIFY(refusalOf(output.field(SpecField::ScaleType), core::ScaleType::Float).contains("pof2"));
    QVERIFY(refusalOf(weight.field(SpecField::QScheme), core::Granularity::PerChannel).contains("one scale"));
    QVERIFY(refusalOf(state.role(TensorRole::Bias).field(SpecField::Dtype), QuantDtype::Int8).isEmpty());
    recipe.target = "tensorrt";
    QVERIFY(stateOf(recipe, {"conv1"}).role(TensorRole::Bias).field(SpecField::Dtype).refusal.contains("tensorrt adds biases in float"));
}

void TestSpecState::refusesWhatMakesNoSense()
{
    const SpecState state = stateOf({}, {"conv1"});
    const RoleState &output = state.role(TensorRole::Output), &weight = state.role(TensorRole::Weight), &bias = state.role(TensorRole::Bias);
    QVERIFY(output.field(SpecField::Percentile).refusal.contains("observer percentile"));
    QVERIFY(output.field(SpecField::FixedRange).refusal.contains("observer fixed"));
    QVERIFY(output.field(SpecField::ChAxis).refusal.contains("one scale"));
    QVERIFY(!refusalOf(output.field(SpecField::QScheme), core::Granularity::PerChannel).isEmpty());
    QVERIFY(!refusalOf(output.field(SpecField::Dtype), QuantDtype::Int32).isEmpty());
    QVERIFY(weight.field(SpecField::ChAxis).refusal.isEmpty()); // best gives weights per channel
    QVERIFY(weight.field(SpecField::GroupSize).refusal.contains("per_group"));
    QVERIFY(!weight.field(SpecField::IsDynamic).refusal.isEmpty());
    QVERIFY(bias.field(SpecField::Symmetric).refusal.contains("Derived"));
    QVERIFY(bias.field(SpecField::Dtype).refusal.isEmpty());
    QVERIFY(refusalOf(bias.field(SpecField::Dtype), QuantDtype::Float32).isEmpty());
    core::Recipe recipe;
    recipe.config.byNode["conv1"].weight.dtype = QuantDtype::Float32;
    QVERIFY(stateOf(recipe, {"conv1"}).role(TensorRole::Weight).field(SpecField::QScheme).refusal.contains("not quantized"));
}

void TestSpecState::groupsForMatricesOnly()
{
    const FieldValue perGroup = core::Granularity::PerGroup;
    QVERIFY(refusalOf(stateOf({}, {"fc"}).role(TensorRole::Weight).field(SpecField::QScheme), perGroup).isEmpty());
    QVERIFY(!refusalOf(stateOf({}, {"conv1"}).role(TensorRole::Weight).field(SpecField::QScheme), perGroup).isEmpty());
    QVERIFY(refusalOf(stateOf({}, {"conv1", "conv2", "fc"}).role(TensorRole::Weight).field(SpecField::QScheme), perGroup).startsWith("Not for 2 of 3 layers"));
    QVERIFY(companions(core::Scheme{}, SpecField::QScheme, perGroup) == (std::vector<std::pair<SpecField, FieldValue>>{{SpecField::GroupSize, 32}}));
}

void TestSpecState::countsWhatIsOverridden()
{
    core::Recipe recipe;
    recipe.config.global.weight.dtype = QuantDtype::Int8;
    recipe.config.byNode["conv1"].weight.dtype = QuantDtype::Int4;
    const SpecState state = specState(contextOf(recipe), SpecScope::global());
    const FieldState &dtype = state.role(TensorRole::Weight).field(SpecField::Dtype);
    QVERIFY(dtype.value == FieldValue(QuantDtype::Int8)); // of this scope, whatever conv1 says
    QCOMPARE(dtype.origin, "set here");
    QCOMPARE(dtype.overridden, 1);
}

void TestSpecState::showsARuleWithoutLayers()
{
    core::Recipe recipe;
    recipe.config.rules = {{"op:Nothing", {}, false}};
    recipe.config.rules[0].config.weight.dtype = QuantDtype::Int4;
    const SpecState state = specState({std::make_shared<const core::Graph>(network().graph), recipe}, SpecScope::ofRule(0));
    QCOMPARE(state.layers, 0);
    QVERIFY(state.role(TensorRole::Weight).field(SpecField::Dtype).value == FieldValue(QuantDtype::Int4));
    QVERIFY(state.role(TensorRole::Weight).field(SpecField::Dtype).setHere);
}

void TestSpecState::showsTheWholeModelWithoutAModel()
{
    const SpecState state = specState({nullptr, core::presetRecipe("a8w8")}, SpecScope::global());
    QVERIFY(state.role(TensorRole::Weight).applies);
    QCOMPARE(state.role(TensorRole::Weight).field(SpecField::QScheme).origin, "preset a8w8");
    QVERIFY(!specState({nullptr, {}}, SpecScope::of({NodeId{3}})).role(TensorRole::Weight).applies);
}

void TestSpecState::listsEdges()
{
    core::Recipe recipe;
    recipe.config.disabledEdges["conv2"] = {0};
    const SpecState state = stateOf(recipe, {"conv2"});
    QCOMPARE(state.edges.size(), std::size_t(4)); // relu, weight, bias, and the reader flat
    QCOMPARE(state.edges[0].text, "← relu");
    QVERIFY(!state.edges[0].on && !state.edges[0].quantized);
    QCOMPARE(state.edges[0].badge, "f32");
    QCOMPARE(state.edges[1].badge, "i8c");
    QVERIFY(state.edges[3].outgoing);
    QCOMPARE(state.edges[3].text, "→ flat");
    QVERIFY(state.edges[3].on && state.edges[3].quantized);
}

void TestSpecState::saysWhoseSettingCounts()
{
    const SpecState conv1 = stateOf({}, {"conv1"});
    QCOMPARE(conv1.role(TensorRole::Output).note, "Runs as one with Relu 'relu', whose outputs count.");
    const SpecState flat = stateOf({}, {"flat"});
    QVERIFY(flat.role(TensorRole::Output).note.contains("Conv 'conv2'"));
    QVERIFY(flat.role(TensorRole::Input).note.contains("Conv 'conv2'"));
    QVERIFY(stateOf({}, {"conv2"}).role(TensorRole::Output).note.isEmpty());
}

void TestSpecState::knowsExcludedLayers()
{
    core::Recipe recipe;
    recipe.config.exclude = {"conv*"};
    QVERIFY(stateOf(recipe, {"conv1", "conv2"}).quantized == false);
    QCOMPARE(stateOf(recipe, {"conv1"}).excludedBy, "exclude 'conv*'");
    QVERIFY(!stateOf(recipe, {"conv1", "fc"}).quantized.has_value());
    QVERIFY(stateOf(recipe, {"fc"}).quantized == true);
}

void TestSpecState::survivesARecipeOfAnotherModel()
{
    core::Recipe recipe;
    recipe.preset = "of the future";
    recipe.target = "unheard of";
    recipe.config.byNode["stranger"].weight.dtype = QuantDtype::Int4;
    recipe.config.byOpType["Stranger"].weight.dtype = QuantDtype::Int4;
    recipe.config.exclude = {"stranger*"};
    recipe.config.rules = {{"nonsense", {}, true}, {"op:Conv", {}, false}};
    recipe.config.rules[1].config.weight.dtype = QuantDtype::Int16;
    const SpecContext context(std::make_shared<const core::Graph>(network().graph), recipe);
    QVERIFY(specState(context, SpecScope::ofRule(1)).role(TensorRole::Weight).field(SpecField::Dtype).value == FieldValue(QuantDtype::Int16));
    QCOMPARE(specState(context, SpecScope::ofRule(1)).layers, 2);
    QVERIFY(!runQuery("nonsense", context.graph()).error.isEmpty());
}

QTEST_GUILESS_MAIN(TestSpecState)
#include "tst_spec_state.moc"

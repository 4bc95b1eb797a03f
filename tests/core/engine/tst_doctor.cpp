#include "core/analysis/doctor.h"
#include "core/quant/collector.h"
#include "core/spec/config_json.h"
#include "tests/support/tiny_graph.h"

#include <ATen/ATen.h>

#include <QtTest>

#include <algorithm>

using namespace core;
using tests::TinyGraph;

class TestDoctor : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void healthyModelsAreLeftAlone();
    void channelRanges();
    void channelRangesWherePerChannelIsImpossible();
    void deadChannelsAreNoRange();
    void joinedConcats();
    void saturation();
    void outliers();
    void layersThatLoseByThemselves();
    void staleRowsSayNothing();
    void biasOverflow();
    void normalizationExpectsOtherImages();
    void fewImages();
    void rulesWithoutEffect();
    void whatMatchesNothing();
    void otherDiagnosticsAreGathered();
    void worstFirst();
};

namespace {

/// A graph with what is known of it.
struct Patient {
    Graph graph, source;
    Recipe recipe = presetRecipe("a8w8");
    std::unordered_map<ValueId, TensorStatistics> statistics;
    Report report;
    bool reported = false;

    explicit Patient(Graph made) : graph(made), source(std::move(made)) {}

    /// 40 images, each with these values.
    void seen(const std::string &tensor, std::vector<float> values, int images = 40)
    {
        const auto count = std::int64_t(values.size());
        const at::Tensor one = at::tensor(values).reshape({1, count, 1, 1});
        collect(statistics[graph.findValue(tensor)], one.expand({images, count, 1, 1}).contiguous(), 1, StatisticsDetail::Full);
    }
    LayerRow &row(const std::string &tensor, double decibels, float scale = 1, std::int64_t zeroPoint = 0)
    {
        reported = true;
        const Placement placement = place(graph, recipe);
        LayerRow row;
        row.tensor = tensor;
        row.kind = "activation";
        row.sqnrDb = decibels;
        row.scales = {scale};
        row.zeroPoints = {zeroPoint};
        for (const Point &point : placement.points)
            if (graph.value(point.value).name == tensor) {
                row.node = graph.node(point.owner).name;
                row.badge = point.scheme.badge();
            }
        report.layers.push_back(row);
        return report.layers.back();
    }
    std::vector<Finding> findings()
    {
        const Placement placement = place(graph, recipe);
        DoctorInput input{source, graph, recipe, placement};
        input.statistics = statistics.empty() ? nullptr : &statistics;
        input.report = reported ? &report : nullptr;
        return diagnose(input);
    }
    std::optional<Finding> finding(const std::string &code)
    {
        for (const Finding &one : findings())
            if (one.code == code)
                return one;
        return {};
    }
    std::vector<std::string> names(const Finding &finding) const
    {
        std::vector<std::string> list;
        for (const NodeId id : finding.nodes)
            list.push_back(graph.node(id).name);
        return list;
    }
};

using Names = std::vector<std::string>;

bool has(const std::string &text, const char *part) { return text.find(part) != std::string::npos; }

/// x → a → b → c, 1×1 convolutions of one to four channels; a's weights have these largest values by channel.
Graph chain(std::vector<float> weights = {1, 1, 1, 1})
{
    TinyGraph tiny;
    const auto channels = std::int64_t(weights.size());
    const ValueId x = tiny.input("x", {-1, 1, 4, 4});
    const ValueId a = tiny.node("Conv", "a", {x, tiny.constant("a.w", {channels, 1, 1, 1}, weights)}, {{"kernel_shape", std::vector<std::int64_t>{1, 1}}});
    const ValueId b = tiny.conv("b", a, channels, 2);
    tiny.output(tiny.conv("c", b, 2, 3));
    return tiny.graph;
}

/// Two convolutions side by side into a Concat.
Graph joined()
{
    TinyGraph tiny;
    const ValueId x = tiny.input("x", {-1, 3, 4, 4});
    const ValueId boxes = tiny.conv("boxes", x, 3, 2), scores = tiny.conv("scores", x, 3, 2);
    tiny.output(tiny.conv("head", tiny.node("Concat", "cat", {boxes, scores}, {{"axis", std::int64_t(1)}}), 4, 2));
    return tiny.graph;
}

} // namespace

void TestDoctor::healthyModelsAreLeftAlone()
{
    Patient patient(chain());
    for (const char *tensor : {"x", "a", "b", "c"}) {
        patient.seen(tensor, {-1, -0.5f, 0.25f, 0.5f, 1});
        patient.row(tensor, 35, 1.0f / 127);
    }
    QVERIFY(patient.findings().empty());
    Patient unknown(chain());
    QVERIFY(unknown.findings().empty());
}

// Sorted 1, 2, 3, 40 the lower quartile is the first of four: 40×.
void TestDoctor::channelRanges()
{
    Patient patient(chain({2, 40, -3, 1}));
    const auto found = patient.finding("channel-ranges");
    QVERIFY(found);
    QCOMPARE(found->severity, Severity::Problem);
    QCOMPARE(found->title, std::string("Channel ranges differ 40×"));
    QVERIFY2(has(found->evidence, "1 of 3 layers") && has(found->evidence, "a 40×"), found->evidence.c_str());
    QCOMPARE(patient.names(*found), Names{"a"});
    QCOMPARE(found->fix, std::string("Per-channel weights for 1 layer"));
    Recipe expected = patient.recipe;
    expected.config.byNode["a"].weight.qscheme = Granularity::PerChannel;
    QVERIFY(found->remedy && *found->remedy == expected);
    patient.recipe = *found->remedy;
    QVERIFY(!patient.finding("channel-ranges"));
    Patient even(chain({5, 40, 30, 20}));                  // 8× is still borne
    QVERIFY(!even.finding("channel-ranges"));
    Patient one(chain({7}));
    QVERIFY(!one.finding("channel-ranges"));
}

void TestDoctor::channelRangesWherePerChannelIsImpossible()
{
    Patient patient(chain({2, 40, -3, 1}));
    patient.recipe = presetRecipe("pof2-ceil");
    patient.recipe.target = "xint8";
    const auto found = patient.finding("channel-ranges");
    QVERIFY(found && found->remedy);
    Recipe expected = patient.recipe;
    expected.equalize = true;
    QVERIFY(*found->remedy == expected);
    QVERIFY(has(found->fix, "Equalize"));
    patient.recipe = expected;
    const auto still = patient.finding("channel-ranges");
    QVERIFY(still && !still->remedy && still->fix.empty());
}

void TestDoctor::deadChannelsAreNoRange()
{
    Patient patient(chain({2, 0, -3, 1e-9f}));
    const auto findings = patient.findings();
    QCOMPARE(findings.size(), std::size_t(1));
    QCOMPARE(findings[0].code, std::string("dead-channels"));
    QCOMPARE(findings[0].severity, Severity::Note);
    QVERIFY2(has(findings[0].evidence, "a 1 of 4"), findings[0].evidence.c_str());
}

void TestDoctor::joinedConcats()
{
    Patient patient(joined());
    patient.seen("boxes", {0, 640});
    patient.seen("scores", {0, 1});
    const auto found = patient.finding("concat-joined");
    QVERIFY(found);
    QCOMPARE(found->title, std::string("Concat joins ranges 640× apart"));
    QVERIFY2(has(found->evidence, "'boxes' (0…640)") && has(found->evidence, "'scores' (0…1)"), found->evidence.c_str());
    QCOMPARE(patient.names(*found), Names{"cat"});
    QVERIFY(found->remedy);
    QCOMPARE(found->remedy->config.splitConcats, Names{"cat"});
    patient.recipe = *found->remedy;
    QVERIFY(!patient.finding("concat-joined"));
    Patient close(joined());
    close.seen("boxes", {0, 8});
    close.seen("scores", {0, 1});
    QVERIFY(!close.finding("concat-joined"));
    Patient unknown(joined());
    unknown.seen("boxes", {0, 640});
    QVERIFY(!unknown.finding("concat-joined"));
}

// int8 with scale 1/127 reaches 1 (128.5 steps: 1.004); of twenty values two lie beyond.
void TestDoctor::saturation()
{
    std::vector<float> values(20, 0.5f);
    values[3] = 1.5f;
    values[4] = -1.5f;
    Patient patient(chain());
    patient.recipe.config.byNode["b"].outputTensors.observer = ObserverKind::Percentile;
    patient.recipe.config.byNode["b"].outputTensors.percentile = 90;
    patient.seen("b", values);
    patient.row("b", 30, 1.0f / 127);
    const auto found = patient.finding("saturation");
    QVERIFY(found);
    QCOMPARE(found->title, std::string("10 % of values saturate"));
    QCOMPARE(patient.names(*found), Names{"b"});
    QVERIFY(found->remedy);
    const QuantizationSpec &spec = found->remedy->config.byNode.at("b").outputTensors;
    QVERIFY(spec.observer == ObserverKind::MinMax && spec.bestObserver == false);
    Patient wide(chain());
    wide.seen("b", values);
    wide.row("b", 30, 1.5f / 127);
    QVERIFY(!wide.finding("saturation"));
}

void TestDoctor::outliers()
{
    std::vector<float> values(20000, 0.5f);
    values[7] = 30;
    Patient patient(chain());
    patient.seen("b", values, 40);
    const auto found = patient.finding("outlier");
    QVERIFY(found);
    QVERIFY2(has(found->evidence, "'b' reaches 30 where 99.99 % stay within 0.5"), found->evidence.c_str());
    QVERIFY(found->remedy && found->remedy->config.byNode.at("b").outputTensors.bestObserver == true);
    patient.recipe = *found->remedy;
    QVERIFY(!patient.finding("outlier"));
    values[7] = 4;
    Patient mild(chain());
    mild.seen("b", values, 40);
    QVERIFY(!mild.finding("outlier"));
    Patient output(chain());                               // "best" does not clip outputs
    values[7] = 30;
    output.seen("c", values, 40);
    QVERIFY(!output.finding("outlier"));
}

void TestDoctor::layersThatLoseByThemselves()
{
    Patient patient(chain());
    patient.row("x", 45);
    patient.row("a", 40);
    patient.row("b", 9);
    patient.row("c", 5);                                   // 4 dB are its own
    const auto found = patient.finding("low-sqnr");
    QVERIFY(found);
    QCOMPARE(patient.names(*found), Names{"b"});
    QCOMPARE(found->title, std::string("b loses 31 dB"));
    QVERIFY2(has(found->evidence, "b loses 31 dB by itself, to 9 dB"), found->evidence.c_str());
    QVERIFY(found->remedy);
    QCOMPARE(found->remedy->config.exclude, Names{"b"});
    QCOMPARE(found->fix, std::string("Keep b in float"));
    Patient kept(chain());                                 // its output has a quantizer still, for c
    kept.recipe = *found->remedy;
    kept.row("a", 40);
    kept.row("b", 9);
    QVERIFY(!kept.finding("low-sqnr"));
    Patient wide(chain());
    wide.recipe = presetRecipe("a8w8-per-channel");
    wide.recipe.target = "qnn";
    for (const auto &[tensor, decibels] : {std::pair("x", 45.0), {"a", 40.0}, {"b", 9.0}, {"c", 5.0}})
        wide.row(tensor, decibels);
    wide.seen("b", {0, 2});
    const auto sixteen = wide.finding("low-sqnr");         // a step of 1 on a power of 2: 10 lg 24 = 13.8 dB
    QVERIFY(sixteen && sixteen->remedy);
    QVERIFY(sixteen->remedy->config.byNode.at("b").outputTensors.dtype == QuantDtype::UInt16);
    wide.recipe.config.byNode["b"].weight.dtype = QuantDtype::Int4;
    for (const auto &[decibels, weights] : {std::pair(13.0, true), {14.0, false}}) {
        wide.row("b.w", decibels).kind = "weight";
        const auto shortOnes = wide.finding("low-sqnr");     // both are about what the output lost
        QVERIFY(shortOnes && shortOnes->remedy);
        QCOMPARE(shortOnes->remedy->config.byNode.at("b").weight.dtype == QuantDtype::Int8, weights);
        QCOMPARE(has(shortOnes->fix, "8-bit weights for 1 layer"), weights);
    }

    wide.statistics.clear();
    wide.seen("b", {0, 20});                               // 33.8 dB when rounded: the rest was in the inputs, made larger
    std::erase_if(wide.report.layers, [](const LayerRow &row) { return row.kind == "weight"; });
    QVERIFY(!wide.finding("low-sqnr"));

    // Through operators without a quantizer of their own the Conv is still the one to blame.
    TinyGraph tiny;
    tiny.output(tiny.node("Relu", "relu", {tiny.conv("conv", tiny.input("x", {-1, 3, 4, 4}), 3, 3)}));
    Patient fused(tiny.graph);
    fused.row("x", 30);
    fused.row("relu", 8);
    const auto behind = fused.finding("low-sqnr");
    QVERIFY(behind);
    QCOMPARE(fused.names(*behind), Names{"conv"});
}

void TestDoctor::staleRowsSayNothing()
{
    Patient patient(chain());
    patient.row("a", 40);
    patient.row("b", 9);
    QVERIFY(patient.finding("low-sqnr"));
    patient.recipe.config.byNode["b"].outputTensors.dtype = QuantDtype::Int16;
    QVERIFY(!patient.finding("low-sqnr"));
}

void TestDoctor::biasOverflow()
{
    Patient patient(chain());
    patient.reported = true;
    patient.report.diagnostics = {{Severity::Warning, "bias-raised-scale", "b.w", "Raised."},
                                  {Severity::Warning, "bias-raised-scale", "c.w", "Raised too."},
                                  {Severity::Note, "zero-channel", "a.w", "Zeros."}};
    const auto findings = patient.findings();
    QCOMPARE(findings.size(), std::size_t(1));
    QCOMPARE(findings[0].code, std::string("bias-overflow"));
    QCOMPARE(findings[0].title, std::string("Biases of 2 layers overflow"));
    QCOMPARE(patient.names(findings[0]), (Names{"b", "c", "a"}));
    QVERIFY(!findings[0].remedy);
    patient.report.diagnostics.erase(patient.report.diagnostics.begin(), patient.report.diagnostics.begin() + 2);
    QVERIFY(patient.findings().empty());
}

// The layer's output is the normalization's: mean beta, deviation gamma where the images are those that it was trained on.
void TestDoctor::normalizationExpectsOtherImages()
{
    TinyGraph tiny;
    const ValueId conv = tiny.conv("conv", tiny.input("x", {-1, 1, 4, 4}), 1, 4);
    const ValueId norm = tiny.node("BatchNormalization", "bn",
                                   {conv, tiny.constant("gamma", {4}, {2, 2, 2, 2}), tiny.constant("beta", {4}, {0, 1, -1, 0}), tiny.constant("mean", {4}), tiny.constant("var", {4})});
    tiny.output(norm);
    Graph folded = tiny.graph;
    folded.removeNode(folded.findNode("bn"));
    folded.node(folded.findNode("conv")).outputs = {norm};
    const auto patient = [&](std::vector<float> low, std::vector<float> high) {
        Patient made(tiny.graph);
        made.graph = folded;
        made.graph.removeUnusedValues();
        at::Tensor images = at::empty({40, 4, 1, 1});
        for (int i = 0; i < 40; ++i)
            for (int c = 0; c < 4; ++c)
                images.data_ptr<float>()[i * 4 + c] = (i % 2 ? low : high)[std::size_t(c)];
        collect(made.statistics[norm], images, 1, StatisticsDetail::Full);
        return made;
    };
    QVERIFY(!patient({-2, -1, -3, -2}, {2, 3, 1, 2}).finding("preprocessing"));     // just so
    Patient shifted = patient({3, 4, 2, 3}, {7, 8, 6, 7});                           // 5 = 2.5 deviations up
    const auto found = shifted.finding("preprocessing");
    QVERIFY(found && !found->remedy);
    QVERIFY2(has(found->evidence, "'bn'") && has(found->evidence, "2.5 standard deviations") && has(found->evidence, "transform"), found->evidence.c_str());
    QCOMPARE(shifted.names(*found), Names{"conv"});
    QVERIFY(patient({-20, -10, -30, -20}, {20, 30, 10, 20}).finding("preprocessing"));
    QVERIFY(patient({-0.1f, 0.9f, -1.1f, -0.1f}, {0.1f, 1.1f, -0.9f, 0.1f}).finding("preprocessing"));              // sqrt(0.51 / 4.5) = a third
    QVERIFY(!patient({-1.2f, -0.2f, -2.2f, -1.2f}, {1.2f, 2.2f, 0.2f, 1.2f}).finding("preprocessing"));               // sqrt(1.94 / 4.5) = two thirds
    const auto slightly = patient({0, 1, -1, 0}, {4, 5, 3, 4}).finding("preprocessing");                              // one deviation up
    QVERIFY(slightly && slightly->severity == Severity::Warning);
    Patient equalized = patient({3, 4, 2, 3}, {7, 8, 6, 7});
    equalized.recipe.equalize = true;
    QVERIFY(!equalized.finding("preprocessing"));
}

void TestDoctor::fewImages()
{
    Patient patient(chain());
    patient.recipe.calibrationImages = 8;
    patient.seen("x", {0, 1}, 8);
    const auto found = patient.finding("few-images");
    QVERIFY(found && found->remedy);
    QCOMPARE(found->title, std::string("Only 8 calibration images"));
    QCOMPARE(found->remedy->calibrationImages, 0);
    patient.recipe.calibrationImages = 0;
    QVERIFY(!patient.finding("few-images")->remedy);
    Patient enough(chain());
    enough.seen("x", {0, 1}, 32);
    QVERIFY(!enough.finding("few-images"));
}

void TestDoctor::rulesWithoutEffect()
{
    Patient patient(chain());
    Rule useful, useless;
    useful.query = "name:b";
    useful.config.weight.dtype = QuantDtype::Int4;
    useless.query = "op:Conv";
    useless.config.weight.dtype = QuantDtype::Int8;        // what the preset says
    patient.recipe.config.rules = {useless, useful};
    const auto findings = patient.findings();
    QCOMPARE(findings.size(), std::size_t(1));
    QCOMPARE(findings[0].code, std::string("unused-rule"));
    QVERIFY(has(findings[0].evidence, "'op:Conv'"));
    QVERIFY(findings[0].remedy);
    QCOMPARE(findings[0].remedy->config.rules, std::vector<Rule>{useful});
}

void TestDoctor::whatMatchesNothing()
{
    const Graph graph = chain();
    Recipe good = presetRecipe("a8w8"), bad;
    good.config.exclude = {"b"};
    bad = good;
    bad.config.rules.push_back({"op:Gemm", {}, true});
    bad.config.rules.push_back({"no such key>", {}, true});
    bad.config.byOpType["Gemm"].weight.dtype = QuantDtype::Int4;
    bad.config.byNode["nobody"].weight.dtype = QuantDtype::Int4;
    bad.config.exclude.push_back("nobody*");
    bad.config.disabledEdges["nobody"] = {0};
    bad.config.splitConcats = {"a"};
    const auto found = diagnoseRefusal(graph, bad, Error(ErrorKind::InvalidInput, "configuration", "Refused."));
    QCOMPARE(found.size(), std::size_t(1));
    QVERIFY(found[0].remedy && *found[0].remedy == good);
    for (const char *part : {"7 settings", "rule 'op:Gemm'", "operator type 'Gemm'", "node 'nobody'", "exclude 'nobody*'", "split Concat 'a'"})
        QVERIFY2(has(found[0].evidence, part), part);
    const auto other = diagnoseRefusal(graph, good, Error(ErrorKind::InvalidInput, "placement", "The reason."));
    QCOMPARE(other.at(0).evidence, std::string("The reason."));
    QVERIFY(!other[0].remedy);
}

void TestDoctor::otherDiagnosticsAreGathered()
{
    Patient patient(chain());
    patient.reported = true;
    patient.report.diagnostics = {{Severity::Warning, "not-finite", "a", "NaN in a."}, {Severity::Warning, "not-finite", "b", "NaN in b."},
                                  {Severity::Warning, "not-finite", "b", "NaN in b."}, {Severity::Note, "no-data", "", "A note."},
                                  {Severity::Problem, "freeze-differs", "", "It differs."}, {Severity::Warning, "float-input", "a", "Not so any more."}};
    const auto findings = patient.findings();
    QCOMPARE(findings.size(), std::size_t(2));
    QCOMPARE(findings[0].code, std::string("freeze-differs"));
    QCOMPARE(findings[0].severity, Severity::Problem);
    QCOMPARE(findings[1].title, std::string("Not finite (2)"));
    QCOMPARE(findings[1].evidence, std::string("NaN in a. NaN in b."));
    QCOMPARE(patient.names(findings[1]), (Names{"a", "b"}));
}

void TestDoctor::worstFirst()
{
    Patient patient(chain({2, 40, -3, 0.5f}));
    patient.seen("x", {0, 1}, 8);
    Rule useless;
    useless.query = "op:Conv";
    patient.recipe.config.rules = {useless};
    Names codes;
    for (const Finding &finding : patient.findings()) {
        codes.push_back(finding.code);
        if (finding.remedy)
            place(patient.graph, *finding.remedy);
        QCOMPARE(finding.fix.empty(), !finding.remedy);
    }
    QCOMPARE(codes, (Names{"channel-ranges", "few-images", "unused-rule"}));
}

QTEST_APPLESS_MAIN(TestDoctor)
#include "tst_doctor.moc"

#include "core/analysis/value_signatures.h"
#include "core/analysis/what_if.h"
#include "core/ptq/pipeline.h"
#include "core/quant/qdq_graph.h"
#include "core/session/evaluator.h"
#include "tests/support/memory_dataset.h"
#include "tests/support/tiny_graph.h"

#include <ATen/ATen.h>

#include <QtTest>

using namespace core;
using tests::TinyGraph;

class TestWhatIf : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void signaturesIgnoreNamesOnly();
    void randomTensorsAreNeverTheSame();
    void checkpointsKeepToTheBudget();
    void tensorsAloneAreShown();
    void equalsWholeRuns_data();
    void equalsWholeRuns();
    void onlyWhatIsDownstreamRuns();
    void theNewBeforeBuildsOnTheOld();
    void nothingChangedRunsNothing();
    void fixedBatchesCountTheirImagesOnly();
    void stoppedRunsKeepTheOldBefore();
};

namespace {

std::vector<float> floats(const at::Tensor &t) { return {t.data_ptr<float>(), t.data_ptr<float>() + t.numel()}; }

ValueId conv(TinyGraph &tiny, const std::string &name, ValueId in, std::vector<std::int64_t> dims, unsigned seed, std::int64_t group = 1)
{
    const std::int64_t pad = (dims[2] - 1) / 2;
    const ValueId made = tiny.node("Conv", name,
                                   {in, tiny.constant(name + ".w", dims, floats(tests::noise(dims, seed))), tiny.constant(name + ".b", {dims[0]}, floats(tests::noise({dims[0]}, seed + 9)))},
                                   {{"group", group}, {"kernel_shape", std::vector<std::int64_t>{dims[2], dims[3]}}, {"pads", std::vector<std::int64_t>(4, pad)}});
    tiny.graph.value(made).shape = Shape{{-1, "N"}, {dims[0], {}}, {8, {}}, {8, {}}};
    return made;
}

/// Two branches that meet in a Concat, a residual Add, pooling, Gemm.
Graph network(std::int64_t batch = -1)
{
    TinyGraph tiny;
    const ValueId x = tiny.input("image", {batch, 3, 8, 8});
    const auto shaped = [&](ValueId id, std::int64_t channels) {
        tiny.graph.value(id).shape = Shape{{-1, "N"}, {channels, {}}, {8, {}}, {8, {}}};
        return id;
    };
    const ValueId stem = shaped(tiny.node("Relu", "relu0", {conv(tiny, "stem", x, {6, 3, 3, 3}, 1)}), 6);
    const ValueId deep = shaped(tiny.node("Relu", "relu1", {conv(tiny, "depthwise", stem, {6, 1, 3, 3}, 2, 6)}), 6);
    const ValueId left = conv(tiny, "left", deep, {6, 6, 1, 1}, 6);
    const ValueId right = shaped(tiny.node("Sigmoid", "gate", {conv(tiny, "right", stem, {6, 6, 1, 1}, 3)}), 6);
    const ValueId cat = shaped(tiny.node("Concat", "cat", {left, right}, {{"axis", std::int64_t(1)}}), 12);
    const ValueId sum = shaped(tiny.node("Add", "add", {conv(tiny, "project", cat, {6, 12, 1, 1}, 4), stem}), 6);
    const ValueId pooled = tiny.node("GlobalAveragePool", "pool", {sum});
    tiny.graph.value(pooled).shape = Shape{{-1, "N"}, {6, {}}, {1, {}}, {1, {}}};
    const ValueId flat = tiny.node("Flatten", "flat", {pooled});
    tiny.graph.value(flat).shape = Shape{{-1, "N"}, {6, {}}};
    tiny.output(tiny.node("Gemm", "scores", {flat, tiny.constant("fc.w", {4, 6}, floats(tests::noise({4, 6}, 5))), tiny.constant("fc.b", {4}, {0, 0.1f, -0.1f, 0})},
                          {{"transB", std::int64_t(1)}}));
    tiny.graph.value(tiny.graph.outputs[0]).shape = Shape{{-1, "N"}, {4, {}}};
    return tiny.graph;
}

struct Made {
    std::shared_ptr<const Graph> floating;
    QuantizedModel model;
};

Made made(const Recipe &recipe, const Graph &graph = network())
{
    Progress progress;
    PtqPipeline pipeline(graph, recipe);
    pipeline.prepare(progress);
    std::vector<at::Tensor> samples;
    for (unsigned i = 1; i <= 5; ++i)
        samples.push_back(tests::noise({3, 8, 8}, i));
    CalibrationOptions options;
    if (graph.value(graph.inputs[0]).shape->at(0).known()) {
        options.batchSize = int(graph.value(graph.inputs[0]).shape->at(0).size);
        options.fillBatches = true;
    }
    StatisticsMap statistics = calibrate(pipeline.graph(), allTargets(*pipeline.graph()), tests::MemoryDataset(samples), options, progress).statistics;
    Made result;
    result.floating = pipeline.graph();
    result.model = pipeline.quantize(std::move(statistics), progress);
    return result;
}

std::vector<PinnedBatch> batches()
{
    std::vector<PinnedBatch> list;
    for (unsigned b = 0; b < 3; ++b)
        list.push_back({{tests::noise({b == 2 ? 2 : 4, 3, 8, 8}, 20 + b).contiguous(at::MemoryFormat::ChannelsLast)}, {}, b == 2 ? 2 : 4});
    return list;
}

/// What the comparison must give, by whole runs.
void compareWithWhole(const Made &model, const std::vector<PinnedBatch> &images, const std::vector<std::vector<at::Tensor>> &outputs,
                      const std::vector<std::pair<std::string, double>> &sqnr)
{
    std::vector<ValueId> back;
    const auto qdq = std::make_shared<const Graph>(buildQdqGraph(model.model, &back));
    Executor whole(qdq);
    ActivationSqnr reference(model.floating, model.model, qdq, back);
    QCOMPARE(outputs.size(), images.size());
    for (std::size_t b = 0; b < images.size(); ++b) {
        QVERIFY(sameOutputs(outputs[b], whole.run(images[b].inputs)));
        reference.add(images[b].inputs);
    }
    const auto decibels = reference.decibels();
    for (const auto &[name, value] : sqnr) {
        double expected = 1000;
        for (const Point &point : model.model.placement.points)
            if (model.model.graph->value(point.value).name == name && decibels[std::size_t(point.id.index)])
                expected = std::min(expected, *decibels[std::size_t(point.id.index)]);
        QCOMPARE(value, expected);
    }
}

bool names(const std::vector<std::pair<std::string, double>> &list, const std::string &name)
{
    return std::any_of(list.begin(), list.end(), [&](const auto &entry) { return entry.first == name; });
}

Recipe int4(const std::string &node)
{
    Recipe recipe = presetRecipe("a8w8");
    recipe.config.byNode[node].weight.dtype = QuantDtype::Int4;
    return recipe;
}

} // namespace

void TestWhatIf::signaturesIgnoreNamesOnly()
{
    const auto last = [](const std::string &name, float weight, const char *operation) {
        TinyGraph tiny;
        const ValueId x = tiny.input(name + "x", {1, 2});
        tiny.output(tiny.node(operation, name, {x, tiny.constant(name + "w", {2}, {1, weight})}));
        return valueSignatures(tiny.graph)[std::size_t(tiny.graph.outputs[0].index)];
    };
    QCOMPARE(last("a", 2, "Add"), last("b", 2, "Add"));
    QVERIFY(last("a", 2, "Add") != last("a", 3, "Add"));
    QVERIFY(last("a", 2, "Add") != last("a", 2, "Mul"));
    TinyGraph tiny;
    const ValueId x = tiny.input("x"), y = tiny.input("y");
    const ValueId a = tiny.node("Sub", "a", {x, y}), b = tiny.node("Sub", "b", {y, x}), c = tiny.node("Softmax", "c", {a}, {{"axis", std::int64_t(1)}}),
                  d = tiny.node("Softmax", "d", {a}, {{"axis", std::int64_t(2)}});
    const auto signatures = valueSignatures(tiny.graph);
    QVERIFY(signatures[std::size_t(a.index)] != signatures[std::size_t(b.index)]);
    QVERIFY(signatures[std::size_t(c.index)] != signatures[std::size_t(d.index)]);
}

void TestWhatIf::randomTensorsAreNeverTheSame()
{
    TinyGraph tiny;
    const ValueId x = tiny.input("x");
    const ValueId noise = tiny.node("RandomNormalLike", "noise", {x}), sum = tiny.node("Add", "sum", {x, noise});
    const auto once = valueSignatures(tiny.graph), again = valueSignatures(tiny.graph);
    QCOMPARE(once[std::size_t(x.index)], again[std::size_t(x.index)]);
    QVERIFY(once[std::size_t(sum.index)] != again[std::size_t(sum.index)]);
}

// x → a → b ─→ c (thin) → d → e, with a second edge a → c.
void TestWhatIf::checkpointsKeepToTheBudget()
{
    TinyGraph tiny;
    const ValueId a = tiny.node("Relu", "a", {tiny.input("x")}), b = tiny.node("Relu", "b", {a}), c = tiny.node("Add", "c", {a, b}), d = tiny.node("Relu", "d", {c});
    tiny.output(tiny.node("Relu", "e", {d}));
    std::vector<std::size_t> bytes(std::size_t(tiny.graph.valueIdLimit()), 100);
    bytes[std::size_t(c.index)] = 10;
    QCOMPARE(chooseCheckpoints(tiny.graph, bytes, 310), (std::vector<ValueId>{a, b, c, d}));
    QCOMPARE(chooseCheckpoints(tiny.graph, bytes, 10), std::vector<ValueId>{c});
    QVERIFY(chooseCheckpoints(tiny.graph, bytes, 9).empty());
    bytes[std::size_t(b.index)] = 0;                       // cannot be kept: no cut behind b
    QCOMPARE(chooseCheckpoints(tiny.graph, bytes, 110), (std::vector<ValueId>{a, c}));
}

/// As the float model is run: no outputs, only what is tapped.
void TestWhatIf::tensorsAloneAreShown()
{
    at::NoGradGuard noGrad;
    const Graph graph = network();
    Graph other = graph;
    other.setConstant(other.findValue("fc.b"), TensorData::fromFloats({4}, std::vector<float>{1, 2, 3, 4}));
    const ValueId add = graph.findValue("add"), scores = graph.findValue("scores");
    const std::vector<at::Tensor> inputs{tests::noise({2, 3, 8, 8}, 40)};
    CheckpointedRun run(1 << 20);
    std::vector<ValueId> shown;
    const auto tap = [&](ValueId value, const at::Tensor &) { shown.push_back(value); };
    run.begin(std::make_shared<const Graph>(graph), {add, scores});
    run.plan({{add, scores}, false, 2});
    QVERIFY(run.run(0, inputs, tap).empty());
    QCOMPARE(shown, (std::vector<ValueId>{add, scores}));
    QCOMPARE(run.nodesRun(), run.nodes());
    run.keep();
    run.begin(std::make_shared<const Graph>(other), {add, scores});
    run.plan({{scores}, false, 0});
    QCOMPARE(run.nodesRun(), std::size_t(1));
    at::Tensor seen;
    run.run(0, inputs, [&](ValueId, const at::Tensor &tensor) { seen = tensor.clone(); });
    QVERIFY(sameOutputs({seen}, Executor(std::make_shared<const Graph>(other)).run(inputs)));
    run.plan({{add}, false, 0});                           // kept: shown without a run
    shown.clear();
    run.run(0, inputs, tap);
    QCOMPARE(run.nodesRun(), std::size_t(0));
    QCOMPARE(shown, std::vector<ValueId>{add});
}

void TestWhatIf::equalsWholeRuns_data()
{
    QTest::addColumn<QString>("change");
    QTest::addColumn<int>("budget");
    for (const std::string change : {"fc int4", "stem int4", "right excluded", "add uint8", "split concat", "edge off", "per channel", "equalize", "bias correction", "float16 gate", "dynamic"})
        for (const int budget : {0, 20000, 1 << 24})
            QTest::newRow((change + ", " + std::to_string(budget)).c_str()) << QString::fromStdString(change) << budget;
}

void TestWhatIf::equalsWholeRuns()
{
    QFETCH(QString, change);
    QFETCH(int, budget);
    Recipe recipe = presetRecipe("a8w8");
    Config &config = recipe.config;
    if (change == "fc int4")
        config.byNode["scores"].weight.dtype = QuantDtype::Int4;
    else if (change == "stem int4")
        config.byNode["stem"].weight.dtype = QuantDtype::Int4;
    else if (change == "right excluded")
        config.exclude = {"right"};
    else if (change == "add uint8")
        config.byNode["add"].outputTensors.dtype = QuantDtype::UInt8;
    else if (change == "split concat")
        config.splitConcats = {"cat"};
    else if (change == "edge off")
        config.disabledEdges["add"] = {1};
    else if (change == "per channel")
        config.global.weight.qscheme = Granularity::PerChannel;
    else if (change == "equalize")
        recipe.equalize = true;
    else if (change == "bias correction")
        recipe.biasCorrection = true;
    else if (change == "float16 gate")
        config.byNode["gate"].outputTensors.dtype = QuantDtype::Float16;
    else {
        QuantizationSpec &spec = config.byNode["relu1"].outputTensors;
        spec.dtype = QuantDtype::UInt8;
        spec.symmetric = false;
        spec.isDynamic = true;
    }
    Progress progress;
    const Made before = made(presetRecipe("a8w8")), after = made(recipe);
    WhatIfRunner runner(batches(), std::size_t(budget));
    runner.setBefore(before.model, before.floating, progress);
    const WhatIfOutcome outcome = runner.compare(after.model, after.floating, progress);
    compareWithWhole(before, runner.batches(), outcome.before, outcome.sqnrBefore);
    compareWithWhole(after, runner.batches(), outcome.after, outcome.sqnrAfter);
    QVERIFY(outcome.nodes > 0 && outcome.nodesRun <= outcome.nodes);
    QVERIFY(!outcome.sqnrAfter.empty());
}

void TestWhatIf::onlyWhatIsDownstreamRuns()
{
    Progress progress;
    const Made before = made(presetRecipe("a8w8")), after = made(int4("scores")), early = made(int4("stem"));
    WhatIfRunner runner(batches());
    runner.setBefore(before.model, before.floating, progress);
    const WhatIfOutcome late = runner.compare(after.model, after.floating, progress);
    // Weight and bias back to float, Gemm, and the two nodes of the output's quantizer.
    QCOMPARE(late.nodesRun, std::size_t(5));
    QVERIFY(late.nodes > 25);
    QCOMPARE(late.sqnrAfter.size(), std::size_t(1));
    QCOMPARE(late.sqnrAfter[0].first, std::string("scores"));
    QCOMPARE(late.sqnrBefore.size(), std::size_t(1));
    QVERIFY(late.sqnrAfter[0].second < late.sqnrBefore[0].second);

    const WhatIfOutcome whole = runner.compare(early.model, early.floating, progress);
    QVERIFY(whole.nodesRun > 25);
    QVERIFY(names(whole.sqnrAfter, "relu0") && names(whole.sqnrAfter, "scores") && !names(whole.sqnrAfter, "image"));

    // One branch: the other one, and what both begin with, are taken as they are.
    const Made branch = made(int4("right"));
    const WhatIfOutcome some = runner.compare(branch.model, branch.floating, progress);
    QVERIFY(some.nodesRun > late.nodesRun && some.nodesRun < whole.nodesRun);
    QVERIFY(names(some.sqnrAfter, "gate") && names(some.sqnrAfter, "cat") && !names(some.sqnrAfter, "relu0") && !names(some.sqnrAfter, "relu1"));
}

void TestWhatIf::theNewBeforeBuildsOnTheOld()
{
    Progress progress;
    const Made first = made(presetRecipe("a8w8")), second = made(int4("project"));
    Recipe both = int4("project");
    both.config.byNode["scores"].weight.dtype = QuantDtype::Int4;
    const Made third = made(both);
    for (const std::size_t budget : {std::size_t(15000), WhatIfRunner::defaultBudget}) {
        WhatIfRunner runner(batches(), budget);
        runner.setBefore(first.model, first.floating, progress);
        runner.setBefore(second.model, second.floating, progress);
        const WhatIfOutcome outcome = runner.compare(third.model, third.floating, progress);
        compareWithWhole(second, runner.batches(), outcome.before, outcome.sqnrBefore);
        compareWithWhole(third, runner.batches(), outcome.after, outcome.sqnrAfter);
        QCOMPARE(outcome.sqnrAfter.size(), std::size_t(1));
        const WhatIfOutcome back = runner.compare(first.model, first.floating, progress);
        compareWithWhole(first, runner.batches(), back.after, back.sqnrAfter);
        QVERIFY(names(back.sqnrAfter, "add") && names(back.sqnrBefore, "add") && !names(back.sqnrAfter, "cat"));
    }
}

void TestWhatIf::nothingChangedRunsNothing()
{
    Progress progress;
    const Made model = made(presetRecipe("best"));
    WhatIfRunner runner(batches());
    runner.setBefore(model.model, model.floating, progress);
    const WhatIfOutcome outcome = runner.compare(model.model, model.floating, progress);
    QCOMPARE(outcome.nodesRun, std::size_t(0));
    QVERIFY(outcome.sqnrAfter.empty() && outcome.sqnrBefore.empty());
    compareWithWhole(model, runner.batches(), outcome.after, {});
}

void TestWhatIf::fixedBatchesCountTheirImagesOnly()
{
    Progress progress;
    const Graph graph = network(4);
    const Made before = made(presetRecipe("a8w8"), graph), after = made(int4("scores"), graph);
    const at::Tensor real = tests::noise({3, 3, 8, 8}, 31), filling = at::full({1, 3, 8, 8}, 50.0f);
    WhatIfRunner runner({{{at::cat({real, filling})}, {}, 3}});
    runner.setBefore(before.model, before.floating, progress);
    const WhatIfOutcome outcome = runner.compare(after.model, after.floating, progress);

    WhatIfRunner plain({{{at::cat({real, real.slice(0, 0, 1)})}, {}, 3}});
    plain.setBefore(before.model, before.floating, progress);
    const WhatIfOutcome expected = plain.compare(after.model, after.floating, progress);
    QCOMPARE(outcome.sqnrAfter, expected.sqnrAfter);
    QCOMPARE(outcome.sqnrBefore, expected.sqnrBefore);
}

void TestWhatIf::stoppedRunsKeepTheOldBefore()
{
    Progress progress;
    const Made first = made(presetRecipe("a8w8")), second = made(int4("stem"));
    WhatIfRunner runner(batches());
    runner.setBefore(first.model, first.floating, progress);
    std::stop_source stop;
    Progress stopped([](const ProgressReport &) {}, stop.get_token());
    stop.request_stop();
    QVERIFY_THROWS_EXCEPTION(Cancelled, runner.setBefore(second.model, second.floating, stopped));
    QVERIFY_THROWS_EXCEPTION(Cancelled, runner.compare(second.model, second.floating, stopped));
    const WhatIfOutcome outcome = runner.compare(second.model, second.floating, progress);
    compareWithWhole(first, runner.batches(), outcome.before, outcome.sqnrBefore);
    compareWithWhole(second, runner.batches(), outcome.after, outcome.sqnrAfter);
}

QTEST_APPLESS_MAIN(TestWhatIf)
#include "tst_what_if.moc"

#include "core/analysis/sqnr.h"
#include "core/quant/qdq_graph.h"
#include "core/session/calibration.h"
#include "core/session/evaluator.h"
#include "core/session/exploration.h"
#include "core/session/model_loading.h"

#include <ATen/ATen.h>

#include <QtTest>

#include <cstdlib>

using namespace core;

namespace fs = std::filesystem;

/// On the sample that comes with the program.
class TestExploration : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void initTestCase();
    void whatIfEqualsAFullEvaluation();
    void onlyTheLastNodesRun();
    void answersDoNotDependOnEarlierQuestions();
    void withoutLabelsThereIsAgreement();
    void biasCorrectionIsTriedToo();
    void statisticsMustFit();
    void stopsAtABatch();
    void oneImage();
    void findings();
    void settingsThatMatchNothing();

private:
    QuantizeRequest m_request;
};

namespace {

const fs::path sample = fs::path(QUANTSCOPE_SOURCE_DIR) / "resources/sample";

std::string lastLayer(const Graph &graph)
{
    std::string name;
    for (const NodeId id : graph.order())
        if (graph.node(id).is("Gemm") || graph.node(id).is("Conv"))
            name = graph.node(id).name;
    return name;
}

struct Whole {
    std::shared_ptr<const Graph> original, floating, qdq;
    QuantizedModel model;
    std::vector<ValueId> back;
};

Whole whole(const QuantizeRequest &request, const Recipe &recipe)
{
    Progress progress;
    Whole made;
    made.original = std::make_shared<const Graph>(loadFolded(request.model).graph);
    PtqPipeline pipeline(*made.original, recipe);
    pipeline.prepare(progress);
    made.floating = pipeline.graph();
    made.model = pipeline.quantize(request.calibrated->statistics, progress);
    made.qdq = std::make_shared<const Graph>(buildQdqGraph(made.model, &made.back));
    return made;
}

Evaluation evaluated(const QuantizeRequest &request, const Recipe &recipe, std::size_t images)
{
    Progress progress;
    const Whole made = whole(request, recipe);
    DataSource data = request.validation;
    data.limit = images;
    EvaluationOptions options;
    return evaluateGraphs({made.original, made.qdq}, *openFor(*made.original, data, recipe.transform), options, progress).models[1];
}

bool same(const Evaluation &a, const Evaluation &b)
{
    return a.images == b.images && a.top1 == b.top1 && a.top5 == b.top5 && a.agreement->top1 == b.agreement->top1 && a.agreement->cosine == b.agreement->cosine
        && a.agreement->sqnrDb == b.agreement->sqnrDb;
}

bool same(const WhatIf &a, const WhatIf &b)
{
    return same(a.before, b.before) && same(a.after, b.after) && a.sqnrBefore == b.sqnrBefore && a.sqnrAfter == b.sqnrAfter;
}

const Finding *finding(const std::vector<Finding> &list, const std::string &code)
{
    for (const Finding &one : list)
        if (one.code == code)
            return &one;
    return nullptr;
}

} // namespace

void TestExploration::initTestCase()
{
    m_request.model = sample / "sample.onnx";
    m_request.calibration.path = sample / "calib";
    m_request.validation.path = sample / "val";
    m_request.validation.labels = sample / "labels.txt";
    m_request.recipe = presetRecipe("a8w8");
    m_request.recipe.transform = transformPreset("unit");
    m_request.recipe.transform.resize = ResizeMode::Stretch;
    m_request.recipe.transform.centerCrop = false;
    Progress progress;
    m_request.calibrated = Session(2).calibrate(m_request, progress);
}

void TestExploration::whatIfEqualsAFullEvaluation()
{
    Progress progress;
    Exploration exploration;
    Recipe changed = m_request.recipe;
    changed.config.global.weight.qscheme = Granularity::PerChannel;
    const WhatIf result = exploration.whatIf(m_request, changed, 60, progress, 2);
    QCOMPARE(result.images, std::int64_t(60));
    QVERIFY(result.before.top1 && result.after.top1);
    QVERIFY(same(result.before, evaluated(m_request, m_request.recipe, 60)));
    QVERIFY(same(result.after, evaluated(m_request, changed, 60)));
    QVERIFY(result.after.agreement->sqnrDb > result.before.agreement->sqnrDb + 3);
    QVERIFY(result.seconds > 0);
}

void TestExploration::onlyTheLastNodesRun()
{
    Progress progress;
    Exploration exploration;
    Recipe changed = m_request.recipe;
    changed.config.byNode[lastLayer(loadFolded(m_request.model).graph)].weight.dtype = QuantDtype::Int4;
    const WhatIf result = exploration.whatIf(m_request, changed, 64, progress, 2);
    QCOMPARE(result.nodesRun, std::size_t(5));             // weight, bias, Gemm, and the pair behind it
    QVERIFY(result.nodes > 50);
    QCOMPARE(result.sqnrAfter.size(), std::size_t(1));
    QCOMPARE(result.sqnrAfter[0].first, std::string("logits"));
    QVERIFY(result.sqnrAfter[0].second != result.sqnrBefore.at(0).second);
    QVERIFY(same(result.after, evaluated(m_request, changed, 64)));

    // By whole runs: the figure is taken on every fourth batch of eight.
    const Whole made = whole(m_request, changed);
    ActivationSqnr sqnr(made.floating, made.model, made.qdq, made.back);
    DataSource data = m_request.validation;
    data.limit = 64;
    Progress quiet;
    evaluateGraphs({made.original}, *openFor(*made.original, data, changed.transform), {}, quiet, [&](const EvaluatedBatch &batch) {
        if (batch.index % 4 == 0)
            sqnr.add(batch.inputs);
    });
    for (const Point &point : made.model.placement.points)
        if (made.floating->value(point.value).name == "logits")
            QCOMPARE(result.sqnrAfter[0].second, sqnr.decibels().at(std::size_t(point.id.index)).value());
}

void TestExploration::answersDoNotDependOnEarlierQuestions()
{
    Progress progress;
    Recipe first = m_request.recipe, second = m_request.recipe;
    first.config.byNode[lastLayer(loadFolded(m_request.model).graph)].weight.dtype = QuantDtype::Int4;
    second.config.global.outputTensors.dtype = QuantDtype::UInt8;
    Exploration asked, fresh, third;
    asked.whatIf(m_request, first, 40, progress, 1);
    const WhatIf one = asked.whatIf(m_request, second, 40, progress, 1), other = fresh.whatIf(m_request, second, 40, progress, 2);
    QVERIFY(same(one, other));
    QuantizeRequest kept = m_request;
    kept.recipe = first;
    QVERIFY(same(asked.whatIf(kept, second, 40, progress, 1), third.whatIf(kept, second, 40, progress, 2)));
    QVERIFY(same(asked.whatIf(m_request, second, 24, progress, 1).after, evaluated(m_request, second, 24)));
}

void TestExploration::withoutLabelsThereIsAgreement()
{
    Progress progress;
    QuantizeRequest unlabelled = m_request;
    unlabelled.validation = {};
    Recipe changed = unlabelled.recipe;
    changed.config.global.weight.qscheme = Granularity::PerChannel;
    const WhatIf result = Exploration().whatIf(unlabelled, changed, 32, progress, 2);
    QCOMPARE(result.images, std::int64_t(32));
    QVERIFY(!result.after.top1 && result.after.agreement);
}

void TestExploration::biasCorrectionIsTriedToo()
{
    Progress progress;
    Recipe changed = m_request.recipe;
    changed.biasCorrection = true;
    const WhatIf result = Exploration().whatIf(m_request, changed, 32, progress, 2);
    QVERIFY(same(result.after, evaluated(m_request, changed, 32)));
    QVERIFY(result.nodesRun > result.nodes / 2);
}

void TestExploration::statisticsMustFit()
{
    Progress progress;
    Exploration exploration;
    const auto refused = [&](const QuantizeRequest &request, const Recipe &changed, const char *part) {
        try {
            exploration.whatIf(request, changed, 16, progress, 2);
        } catch (const Error &error) {
            return error.kind() == ErrorKind::InvalidInput && error.sentence().find(part) != std::string::npos;
        }
        return false;
    };
    QuantizeRequest without = m_request, other = m_request;
    without.calibrated.reset();
    QVERIFY(refused(without, m_request.recipe, "calibrate first"));
    other.calibration.limit = 10;
    QVERIFY(refused(other, m_request.recipe, "calibrate again"));
    Recipe equalized = m_request.recipe, bytes = m_request.recipe, fewer = m_request.recipe;
    equalized.equalize = true;
    bytes.transform = transformPreset("byte");
    fewer.calibrationImages = 5;
    QVERIFY(refused(m_request, equalized, "calibrate again"));
    QVERIFY(refused(m_request, bytes, "calibrate again"));
    QVERIFY(refused(m_request, fewer, "calibrate again"));
    QVERIFY_THROWS_EXCEPTION(Error, exploration.whatIf(m_request, m_request.recipe, 0, progress, 2));
}

void TestExploration::stopsAtABatch()
{
    Recipe changed = m_request.recipe;
    changed.config.global.weight.qscheme = Granularity::PerChannel;
    for (const char *stage : {"pin", "before", "after"}) {
        Exploration exploration;
        std::stop_source stop;
        Progress progress([&](const ProgressReport &report) {
            if (report.stage == stage)
                stop.request_stop();
        }, stop.get_token());
        QVERIFY_THROWS_EXCEPTION(Cancelled, exploration.whatIf(m_request, changed, 32, progress, 2));
        Progress again;
        QVERIFY(same(exploration.whatIf(m_request, changed, 32, again, 2).after, evaluated(m_request, changed, 32)));
    }
}

void TestExploration::oneImage()
{
    Progress progress;
    Exploration exploration;
    const Whole made = whole(m_request, m_request.recipe);
    const auto dataset = openFor(*made.original, m_request.validation, m_request.recipe.transform);
    for (const std::size_t index : {std::size_t(3), std::size_t(799), std::size_t(3)}) {
        const ImageRun run = exploration.runImage(m_request, index, progress, 2);
        const Sample image = dataset->load(index);
        QCOMPARE(run.path, dataset->describe(index));
        QCOMPARE(run.label, image.label);
        const std::vector<at::Tensor> inputs{image.inputs[0].unsqueeze(0)};
        for (const auto &[graph, best] : {std::pair(made.original, run.floating), std::pair(made.qdq, run.quantized)}) {
            const at::Tensor scores = Executor(graph).run(inputs).at(0).contiguous();
            QCOMPARE(best.size(), std::size_t(5));
            QCOMPARE(best[0].index, scores.argmax().item<std::int64_t>());
            for (std::size_t i = 0; i < 5; ++i) {
                QCOMPARE(best[i].score, double(scores.data_ptr<float>()[best[i].index]));
                QVERIFY(i == 0 || best[i].score <= best[i - 1].score);
            }
        }
        ActivationSqnr sqnr(made.floating, made.model, made.qdq, made.back);
        sqnr.add(inputs);
        const auto decibels = sqnr.decibels();
        std::size_t next = 0;
        for (const Point &point : made.model.placement.points)
            if (decibels[std::size_t(point.id.index)]) {
                QCOMPARE(run.sqnr.at(next).first, made.floating->value(point.value).name);
                QCOMPARE(run.sqnr.at(next++).second, *decibels[std::size_t(point.id.index)]);
            }
        QCOMPARE(run.sqnr.size(), next);
        QVERIFY(next > 10);
    }
    QVERIFY_THROWS_EXCEPTION(Error, exploration.runImage(m_request, 800, progress, 2));
}

void TestExploration::findings()
{
    Exploration exploration;
    const auto found = exploration.diagnose(m_request, nullptr, 2);
    const Finding *ranges = finding(found, "channel-ranges");
    QVERIFY(ranges && ranges->remedy);
    QCOMPARE(ranges->nodes.size(), std::size_t(4));        // the stem and three depthwise convolutions, as the sample was made
    QVERIFY(!finding(found, "preprocessing"));
    QVERIFY(!finding(found, "few-images"));
    QuantizeRequest better = m_request;
    better.recipe = *ranges->remedy;
    QVERIFY(!finding(exploration.diagnose(better, nullptr, 2), "channel-ranges"));
    Progress progress;
    const WhatIf result = exploration.whatIf(m_request, *ranges->remedy, 64, progress, 2);
    QVERIFY(result.after.agreement->sqnrDb > result.before.agreement->sqnrDb + 6);

    // Bytes where the network was trained on 0…1.
    QuantizeRequest wrong = m_request;
    wrong.recipe.transform = transformPreset("byte");
    wrong.recipe.transform.resize = ResizeMode::Stretch;
    wrong.recipe.transform.centerCrop = false;
    QVERIFY(!finding(exploration.diagnose(wrong, nullptr, 2), "preprocessing"));    // these statistics are of other tensors
    wrong.calibrated = Session(2).calibrate(wrong, progress);
    const auto bytes = exploration.diagnose(wrong, nullptr, 2);
    QVERIFY(finding(bytes, "preprocessing"));
    QCOMPARE(bytes.front().severity, Severity::Problem);
}

void TestExploration::settingsThatMatchNothing()
{
    Exploration exploration;
    QuantizeRequest request = m_request;
    request.recipe.config.rules.push_back({"op:NoSuchOperator", {}, true});
    request.recipe.config.exclude.push_back("nobody*");
    const auto found = exploration.diagnose(request, nullptr, 2);
    QCOMPARE(found.size(), std::size_t(1));
    QCOMPARE(found[0].code, std::string("unused-rule"));
    QVERIFY(found[0].remedy && *found[0].remedy == m_request.recipe);
    request.recipe = m_request.recipe;
    request.recipe.config.global.outputTensors.narrowRange = true;
    const auto refused = exploration.diagnose(request, nullptr, 2);
    QCOMPARE(refused.size(), std::size_t(1));
    QCOMPARE(refused[0].code, std::string("recipe-refused"));
    QVERIFY(!refused[0].remedy && refused[0].evidence.find("symmetric_range") != std::string::npos);
}

QTEST_APPLESS_MAIN(TestExploration)
#include "tst_exploration.moc"

#include "core/report/training_json.h"

#include <QtTest/QtTest>

#include <cmath>
#include <limits>

using namespace core;

namespace {

TrainingRecord record()
{
    TrainingRecord r;
    r.method = "lsq";
    r.specJson = "{\n  \"method\": \"lsq\"\n}\n";
    r.steps = 2;
    r.bestStep = 1;
    r.seconds = 1.5;
    r.ending = "All 2 steps were made; step 1 was kept.";
    CurvePoint start{0, 0, std::numeric_limits<double>::quiet_NaN(), 1e-3, Evaluation{}};
    start.evaluation->images = 8;
    start.evaluation->top1 = 10;
    start.evaluation->top5 = 50;
    CurvePoint first{1, 0.5, 0.1 + 0.2, 1e-3, Evaluation{}};
    first.evaluation->images = 8;
    first.evaluation->agreement = AgreementFigures{75, 0.9, 12.25};
    r.curve = {start, first, {2, 1, 0.125, 5e-4, {}}};
    return r;
}

} // namespace

class TestTrainingJson : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void pointsAsLines()
    {
        const TrainingRecord r = record();
        QCOMPARE(pointToJson(r.curve[0]), std::string(R"({"step":0,"epoch":0.0,"loss":null,"learning_rate":0.001,"top1":10.0,"top5":50.0,"images":8,"skipped":0})"));
        QCOMPARE(pointToJson(r.curve[2]), std::string(R"({"step":2,"epoch":1.0,"loss":0.125,"learning_rate":0.0005})"));
    }

    void comesBackBitForBit()
    {
        const TrainingRecord r = record(), back = recordFromJson(recordToJson(r));
        QCOMPARE(recordToJson(back), recordToJson(r));
        QCOMPARE(back.curve[1].loss, 0.30000000000000004);
        QVERIFY(std::isnan(back.curve[0].loss));
        QCOMPARE(back.curve[1].evaluation->agreement->sqnrDb, 12.25);
        QVERIFY(!back.curve[1].evaluation->top1);
        QVERIFY(!back.curve[2].evaluation);
        QCOMPARE(back.specJson, r.specJson);
        QCOMPARE(back.bestStep, std::int64_t(1));
    }

    void curvesAlone()
    {
        const std::vector<CurvePoint> curve = record().curve, back = curveFromJson(curveToJson(curve));
        QCOMPARE(back.size(), std::size_t(3));
        QVERIFY(std::isnan(back[0].loss));
        QCOMPARE(curveToJson(back), curveToJson(curve));
        QVERIFY_EXCEPTION_THROWN(curveFromJson(""), Error);
        QVERIFY_EXCEPTION_THROWN(curveFromJson("[{}]"), Error);
    }

    void somethingElseIsRefused()
    {
        for (const char *text : {"", "[]", "{\"method\": 3}", "{\"curve\": [{}]}"})
            QVERIFY_EXCEPTION_THROWN(recordFromJson(text), Error);
    }

    void reportsHoldIt()
    {
        Report report;
        report.training = record();
        QVERIFY(reportToJson(report).find("\"best_step\": 1") != std::string::npos);
        const std::string html = reportToHtml(report);
        QVERIFY(html.find("step 1 was kept") != std::string::npos);
        // Loss 0.3 at step 1 (half way, top) and 0.125 at step 2 (end, bottom).
        QVERIFY2(html.find("points=\"210.0,16.0 416.0,132.0 \"") != std::string::npos, html.c_str());
    }
};

QTEST_APPLESS_MAIN(TestTrainingJson)
#include "tst_training_json.moc"

#include "core/report/report.h"

#include <QtTest/QtTest>

#include <nlohmann/json.hpp>

#include <cmath>

using namespace core;

namespace {

Report sample(bool labelled)
{
    Report report;
    report.program = "quantscope 0.1.0";
    report.sourceFile = "net.onnx";
    report.file = "out/net_best.onnx";
    report.preset = "best";
    report.sourceBytes = 4000000;
    report.fileBytes = 1000000;
    report.opset = 13;
    report.floating.images = report.quantized.images = report.exported.images = 800;
    if (labelled) {
        report.floating.top1 = 87.625;
        report.floating.top5 = 96.75;
        report.quantized.top1 = report.exported.top1 = 87.25;
        report.quantized.top5 = report.exported.top5 = 96.5;
    }
    report.exported.agreement = AgreementFigures{95.5, 0.998, 24.5};
    report.quantized.agreement = AgreementFigures{96.0, 0.999, 25.5};
    report.floating.imagesPerSecond = 250;
    report.calibrateImagesPerSecond = 200;
    report.quantized.imagesPerSecond = 220;
    report.exported.imagesPerSecond = 60;
    report.seconds = 12.5;
    report.frozenEqual = true;
    LayerRow row;
    row.node = "conv<1>";
    row.opType = "Conv";
    row.tensor = "x & y";
    row.kind = "activation";
    row.badge = "u8";
    row.observer = "percentile";
    row.scales = {0.5f, 0.25f};
    row.zeroPoints = {0, 3};
    row.rangeMin = -1;
    row.rangeMax = 3;
    row.sqnrDb = std::numeric_limits<double>::infinity();
    row.histogram = {{-2, 1}, {-1, 0}, {0, 100}, {1, 10}};
    row.histogramBarWidth = 1;
    row.reason = "Output of Conv 'c'.";
    report.layers = {row};
    report.judges = {{"quantscope", 87.25, 96.5, 0.001, 0.0001, "", true}, {"ONNX Runtime", {}, {}, 0, 0, "not installed", false}};
    report.diagnostics = {{Severity::Warning, "float-fallback", "c", "Conv 'c' <runs> in float."}};
    report.recipeJson = R"({"preset": "best"})";
    return report;
}

} // namespace

class TestReport : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void jsonWithLabels()
    {
        const auto json = nlohmann::json::parse(reportToJson(sample(true)));
        QCOMPARE(json["file"].get<std::string>(), std::string("out/net_best.onnx"));
        QCOMPARE(json["float"]["top1"].get<double>(), 87.625);
        QCOMPARE(json["float"]["top5"].get<double>(), 96.75);
        QCOMPARE(json["quantized"]["top1"].get<double>(), 87.25);
        QCOMPARE(json["exported"]["top5"].get<double>(), 96.5);
        QCOMPARE(json["images_per_second"].dump(), std::string(R"({"calibrate":200.0,"exported":60.0,"float":250.0,"quantized":220.0})"));
        QCOMPARE(json["seconds"].get<double>(), 12.5);
        QCOMPARE(json["recipe"]["preset"].get<std::string>(), std::string("best"));
        QCOMPARE(json["layers"][0]["scales"].dump(), std::string("[0.5,0.25]"));
        QVERIFY(json["layers"][0]["sqnr_db"].is_null());
        QCOMPARE(json["judges"][1].dump(), std::string(R"({"name":"ONNX Runtime","note":"not installed","ran":false})"));
        QCOMPARE(json["warnings"][0]["severity"].get<std::string>(), std::string("warning"));
    }

    void jsonWithoutLabels()
    {
        const auto json = nlohmann::json::parse(reportToJson(sample(false), false));
        QVERIFY(!json["float"].contains("top1"));
        QCOMPARE(json["agreement"].dump(), std::string(R"({"cosine":0.998,"sqnr_db":24.5,"top1":95.5})"));
        QVERIFY(!json.contains("layers"));
    }

    void jsonSurvivesNamesThatAreNotUtf8()
    {
        Report report = sample(true);
        report.layers[0].node = "\xff";
        QVERIFY(!nlohmann::json::parse(reportToJson(report)).is_null());
    }

    void htmlIsEscapedAndSelfContained()
    {
        const std::string html = reportToHtml(sample(true));
        QVERIFY(html.find("Conv conv&lt;1&gt;") != std::string::npos);
        QVERIFY(html.find("x &amp; y") != std::string::npos);
        QVERIFY(html.find("Conv &#39;c&#39; &lt;runs&gt; in float.") != std::string::npos);
        QVERIFY(html.find("<runs>") == std::string::npos);
        QVERIFY(html.find("87.25 %") != std::string::npos);
        QVERIFY(html.find("-0.38 points") != std::string::npos || html.find("-0.37 points") != std::string::npos);
        QVERIFY(html.find("25.0 % of 4.00 MB") != std::string::npos);
        for (const char *outside : {"http:", "https:", "src=", "@import", "url("})
            QVERIFY2(html.find(outside) == std::string::npos, outside);
    }

    /// Bars: [-2,-1) one, [0,1) hundred, [1,2) ten, over a drawing 180 wide; the range −1…3 is cut at the right edge.
    void histogramGeometry()
    {
        const std::string html = reportToHtml(sample(true));
        QVERIFY(html.find("<rect class=\"range\" x=\"45.00\" y=\"0\" width=\"135.00\"") != std::string::npos);
        QVERIFY(html.find("M90.00 34v-34.00H135.00V34z") != std::string::npos); // log1p(100)/log1p(100)
        QVERIFY(html.find("M0.00 34v-5.11H45.00V34z") != std::string::npos);    // log1p(1)/log1p(100)·34
        QVERIFY(html.find("M45.00") == std::string::npos);                      // the empty bar
    }

    void withoutAnythingToShow()
    {
        const std::string html = reportToHtml(Report{});
        QVERIFY(html.find("<h2>Quantizers</h2>") == std::string::npos);
        QVERIFY(nlohmann::json::parse(reportToJson(Report{})).contains("images_per_second"));
    }
};

QTEST_APPLESS_MAIN(TestReport)
#include "tst_report.moc"

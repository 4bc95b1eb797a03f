#include "widgets/charts/accuracy_chart.h"
#include "widgets/charts/curves_chart.h"
#include "widgets/charts/curves_panel.h"
#include "widgets/charts/layer_error_chart.h"
#include "widgets/charts/ranges_chart.h"

using namespace widgets;

class TestAnalysisCharts : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void scalesGoThereAndBack();
    void ticksStandOnRoundNumbers();
    void numbersAreShort();
    void barsSelectLayers();
    void selectionMarksABar();
    void worstFirst();
    void emptyChartSaysWhatFillsIt();
    void rangesBySort();
    void rangesOfChannels();
    void accuracyPicksWhatWasMeasured();
    void curvesGrow();
    void longCurvesAreThinned();
    void eachKindOfFigureHasItsChart();
    void thresholdsFollowTheNames();
    void wheelZoomsAndDoubleClickShowsAll();
};

static core::NodeId id(int index) { return core::NodeId{index}; }

static std::shared_ptr<LayerTable> layers(std::vector<double> sqnr)
{
    auto table = std::make_shared<LayerTable>();
    for (std::size_t i = 0; i < sqnr.size(); ++i) {
        LayerFacts facts;
        facts.node = id(int(i));
        facts.name = QString("conv%1").arg(i);
        facts.opType = "Conv";
        facts.activationSqnr = sqnr[i];
        table->push_back(facts);
    }
    return table;
}

template <class Chart>
static void show(Chart &chart)
{
    chart.resize(900, 300);
    chart.show();
    QVERIFY(QTest::qWaitForWindowExposed(&chart));
}

static void click(IndexedChart &chart, int slot, Qt::KeyboardModifiers modifiers = {})
{
    QTest::mouseClick(chart.plot()->viewport(), Qt::LeftButton, modifiers, chart.slotCenter(slot).toPoint());
}

void TestAnalysisCharts::scalesGoThereAndBack()
{
    const PlotScale log2(ScaleKind::SignedLog2, -8, 8, 0.25);
    QCOMPARE(log2.forward(0), 0.0);
    QCOMPARE(log2.forward(0.125), 0.5);             // linear up to the threshold
    QCOMPARE(log2.forward(0.25), 1.0);
    QCOMPARE(log2.forward(1), 3.0);                 // two octaves above it
    QCOMPARE(log2.forward(-1), -3.0);
    QCOMPARE(log2.backward(-3), -1.0);
    const PlotScale log10(ScaleKind::Log10, 0.5, 1000);
    QCOMPARE(log10.forward(100), 2.0);
    QCOMPARE(log10.backward(log10.forward(0)), 0.5); // what lies below is drawn at the foot
}

void TestAnalysisCharts::ticksStandOnRoundNumbers()
{
    const auto labels = [](const PlotScale &scale, double from, double to, int wished) {
        QStringList texts;
        for (const auto &[at, label] : scale.ticks(from, to, wished))
            texts << label;
        return texts.join(' ');
    };
    QCOMPARE(labels(PlotScale(ScaleKind::Linear, -3, 5), -3, 5, 4), QString("−2 0 2 4"));
    QCOMPARE(labels(PlotScale(ScaleKind::Log10, 0.5, 2e5), -0.3, 5.3, 8), QString("1 10 100 1000 10 k 100 k"));
    QCOMPARE(labels(PlotScale(ScaleKind::SignedLog2, -4, 4, 1), -3, 3, 8), QString("−4 −2 −1 0 1 2 4"));
}

void TestAnalysisCharts::numbersAreShort()
{
    QCOMPARE(compactNumber(12400), QString("12.4 k"));
    QCOMPARE(compactNumber(3e6), QString("3 M"));
    QCOMPARE(plainNumber(-0.00001234567, 3), QString("−1.23e−05"));
    QCOMPARE(shareText(0.0312), QString("3.12 %"));
    QCOMPARE(shareText(1e-7), QString("< 0.001 %"));
    QCOMPARE(decibelText(std::numeric_limits<double>::infinity()), QString("∞ dB"));
    QCOMPARE(decibelText(unknown), QString("–"));
}

void TestAnalysisCharts::barsSelectLayers()
{
    NodeSelection selection;
    LayerErrorChart chart(&selection);
    chart.setLayers(layers({30, unknown, 10, 20}));  // three bars: conv0, conv2, conv3
    show(chart);
    QSignalSpy activated(&chart, &LayerErrorChart::nodeActivated);
    click(chart, 1);
    QCOMPARE(selection.nodes(), (NodeSelection::Nodes{id(2)}));
    click(chart, 2, Qt::ControlModifier);
    QCOMPARE(selection.nodes(), (NodeSelection::Nodes{id(2), id(3)}));
    QTest::keyClick(chart.plot(), Qt::Key_Home);
    QCOMPARE(selection.nodes(), (NodeSelection::Nodes{id(0)}));
    QTest::keyClick(chart.plot(), Qt::Key_Return);
    QCOMPARE(activated.count(), 1);
    QCOMPARE(activated[0][0].value<core::NodeId>(), id(0));
}

void TestAnalysisCharts::selectionMarksABar()
{
    NodeSelection selection;
    LayerErrorChart chart(&selection);
    chart.setLayers(layers({30, unknown, 10, 20}));
    selection.select({id(3)});
    QCOMPARE(chart.currentSlot(), 2);
    selection.select({id(1)});                       // has no bar
    QCOMPARE(chart.currentSlot(), -1);
}

void TestAnalysisCharts::worstFirst()
{
    NodeSelection selection;
    LayerErrorChart chart(&selection);
    chart.setLayers(layers({30, unknown, 10, 20}));
    chart.setWorstFirst(true);
    const QStringList lines = chart.csv().split('\n');
    QCOMPARE(lines[0].section(',', 0, 3), QString("layer,operator,type,activation_sqnr_db"));
    QCOMPARE(lines[1].section(',', 0, 3), QString("conv2,Conv,f32,10"));
    QCOMPARE(lines[3].section(',', 0, 3), QString("conv0,Conv,f32,30"));
    QVERIFY(chart.heading().contains("mean 20 dB"));
}

void TestAnalysisCharts::emptyChartSaysWhatFillsIt()
{
    NodeSelection selection;
    LayerErrorChart chart(&selection);
    QVERIFY(chart.emptyText().contains("F5"));
    chart.setLayers(layers({30, 20}));
    QVERIFY(!chart.isEmpty());
    chart.setMetric(Overlay::WeightSqnr);
    QVERIFY(chart.emptyText().contains("Weight SQNR is not known yet"));
    QVERIFY(RangesChart().emptyText().contains("calibration"));
    QVERIFY(AccuracyChart().isEmpty());
    QVERIFY(CurvesChart().isEmpty());
}

void TestAnalysisCharts::rangesBySort()
{
    auto table = std::make_shared<RangeTable>(3);
    (*table)[0].value = core::ValueId{7};
    (*table)[0].tensor = "narrow";
    (*table)[0].seenMin = -1;
    (*table)[0].seenMax = 1;
    (*table)[1].value = core::ValueId{8};
    (*table)[1].node = id(4);
    (*table)[1].tensor = "wide";
    (*table)[1].seenMin = 0;
    (*table)[1].seenMax = 6;
    (*table)[1].chosen = {0, 5.5};
    (*table)[2].tensor = "weight";
    (*table)[2].constant = true;
    (*table)[2].seenMin = -0.5;
    (*table)[2].seenMax = 0.5;
    RangesChart chart;
    chart.setTable(table);
    show(chart);
    QCOMPARE(chart.csv(), QString("tensor,min,max,clip_min,clip_max\nnarrow,-1,1,,\nwide,0,6,0,5.5\n"));
    chart.setSortedByWidth(true);
    QCOMPARE(chart.csv().section('\n', 1, 1), QString("wide,0,6,0,5.5"));
    QVERIFY(chart.heading().contains("3×"));
    QSignalSpy chosen(&chart, &RangesChart::tensorChosen);
    click(chart, 0);
    QCOMPARE(chosen[0][0].value<core::ValueId>(), core::ValueId{8});
    QCOMPARE(chosen[0][1].value<core::NodeId>(), id(4));
    chart.setShown(RangesChart::Weights);
    QCOMPARE(chart.csv().section('\n', 1, 1), QString("weight,-0.5,0.5,,"));
}

void TestAnalysisCharts::rangesOfChannels()
{
    std::vector<core::ChannelStatistics> channels(3);
    channels[0] = {-1, 1, {}, 5};
    channels[2] = {-4, 2, {}, 5};                    // channel 1 saw nothing
    RangesChart chart;
    chart.setChannels("conv1 weight", channels);
    chart.setShown(RangesChart::Channels);
    show(chart);
    QCOMPARE(chart.csv(), QString("channel,min,max,clip_min,clip_max\n0,-1,1,,\n2,-4,2,,\n"));
    QSignalSpy chosen(&chart, &RangesChart::channelChosen);
    click(chart, 1);
    QCOMPARE(chosen[0][0].toInt(), 2);
    chart.setChannels({}, {});                       // another tensor without channels: back to the tensors
    QVERIFY(chart.emptyText().contains("calibration"));
}

void TestAnalysisCharts::accuracyPicksWhatWasMeasured()
{
    auto runs = std::make_shared<RunTable>(2);
    (*runs)[0].name = "a8w8";
    (*runs)[0].ptq.agreement = 88.5;
    (*runs)[1].name = "best";
    (*runs)[1].ptq.agreement = 97;
    (*runs)[1].exported.agreement = 96.5;
    AccuracyChart chart;
    chart.setRuns(runs);                             // no labels: agreement
    show(chart);
    QVERIFY(!chart.isEmpty());
    QVERIFY2(chart.heading().contains("quantized 97.0 %, exported file 96.5 %"), qPrintable(chart.heading()));
    QCOMPARE(chart.csv().section('\n', 2, 2), QString("a8w8,ptq,,,88.5"));
    QSignalSpy chosen(&chart, &AccuracyChart::runChosen);
    click(chart, 1);
    QCOMPARE(chosen[0][0].toInt(), 1);
    chart.setMetric(AccuracyChart::Top5);
    QVERIFY(chart.emptyText().contains("Label the images"));
}

void TestAnalysisCharts::curvesGrow()
{
    CurvesChart chart;
    chart.append("loss", 0, 2);
    chart.append("loss", 1, 1.5);
    chart.append("accuracy", 1, 70);
    chart.append("loss", 2, unknown);
    QVERIFY(chart.isEmpty());                        // drawn a little later, however many points come
    QTRY_VERIFY(!chart.isEmpty());
    QCOMPARE(chart.names(), (QStringList{"loss", "accuracy"}));
    QCOMPARE(chart.csv(), QString("step,loss,accuracy\n0,2,\n1,1.5,70\n"));
    chart.clear();
    QVERIFY(chart.isEmpty());
}

void TestAnalysisCharts::longCurvesAreThinned()
{
    CurvesChart chart;
    for (int i = 0; i < 100000; ++i)
        chart.append("loss", i, i);
    const QStringList rows = chart.csv().split('\n', Qt::SkipEmptyParts);
    QVERIFY2(rows.size() > 4000 && rows.size() < 8300, qPrintable(QString::number(rows.size())));
    QCOMPARE(rows[1], QString("0,0"));
    QCOMPARE(rows.last(), QString("99999,99999"));
}

void TestAnalysisCharts::eachKindOfFigureHasItsChart()
{
    CurvesPanel panel;
    panel.resize(900, 240);
    panel.show();
    const auto point = [](std::int64_t step, double loss, std::optional<double> top1, double agreement) {
        core::CurvePoint p;
        p.step = step;
        p.loss = loss;
        p.learningRate = 0.1;
        if (top1 || agreement > 0) {
            p.evaluation.emplace();
            p.evaluation->top1 = top1;
            if (agreement > 0)
                p.evaluation->agreement = core::AgreementFigures{agreement, 0.9, 12.5};
        }
        return p;
    };
    panel.append({point(0, 0, 70, 75), point(1, 2, {}, 0), point(2, 1.5, 80, 85)});
    QCOMPARE(panel.chart(CurvesPanel::Loss)->csv(), QString("step,loss\n1,2\n2,1.5\n")); // step 0 was not trained
    QCOMPARE(panel.chart(CurvesPanel::Accuracy)->csv(), QString("step,top-1\n0,70\n2,80\n"));
    QCOMPARE(panel.chart(CurvesPanel::Sqnr)->csv(), QString("step,SQNR\n0,12.5\n2,12.5\n"));
    using References = std::vector<CurvesChart::Reference>;
    QVERIFY(panel.chart(CurvesPanel::Accuracy)->references() == (References{{"PTQ", 70}}));
    panel.setFloat(91);
    QVERIFY(panel.chart(CurvesPanel::Accuracy)->references() == (References{{"float", 91}, {"PTQ", 70}}));
    QVERIFY(panel.chart(CurvesPanel::Loss)->references().empty());
    QTRY_VERIFY(!panel.chart(CurvesPanel::Accuracy)->isEmpty());
    QVERIFY(panel.chart(CurvesPanel::Accuracy)->plot()->yOf(91) > 0); // in view
    QVERIFY2(panel.chart(CurvesPanel::Accuracy)->heading() == "top-1 80 %", qPrintable(panel.chart(CurvesPanel::Accuracy)->heading()));

    QVERIFY(!panel.chart(CurvesPanel::LearningRate)->isVisible());
    QTest::mouseClick(panel.toggle(CurvesPanel::LearningRate), Qt::LeftButton);
    QVERIFY(panel.chart(CurvesPanel::LearningRate)->isVisible());

    panel.clear(); // without labels
    panel.append({point(0, 0, {}, 75), point(5, 1, {}, 85)});
    QCOMPARE(panel.chart(CurvesPanel::Accuracy)->csv(), QString("step,same as float\n0,75\n5,85\n"));
    QVERIFY(panel.chart(CurvesPanel::Accuracy)->references() == (References{{"PTQ", 75}}));
}

void TestAnalysisCharts::thresholdsFollowTheNames()
{
    CurvesPanel panel;
    panel.appendThresholds(1, {{"w", 0.5}, {"y", 6}});
    panel.appendThresholds(2, {{"w", 0.25}, {"y", 5}});
    panel.appendThresholds(3, {{"v", 1}});                     // another layer is selected
    CurvesChart *chart = panel.chart(CurvesPanel::Thresholds);
    QCOMPARE(chart->csv(), QString("step,v\n3,1\n"));
    panel.appendThresholds(4, {{"w", 0.125}, {"y", 4}});
    QCOMPARE(chart->csv(), QString("step,w,y\n1,0.5,6\n2,0.25,5\n4,0.125,4\n"));
    // Of different size, but each is seen: 0.125 of 0.5 is a quarter, 4 of 6 two thirds.
    panel.resize(900, 240);
    panel.show();
    QTRY_VERIFY(!chart->isEmpty());
    QVERIFY(chart->plot()->yOf(0.25) > chart->plot()->yOf(4.0 / 6));
    QVERIFY(chart->plot()->area().contains(chart->plot()->area().center().x(), chart->plot()->yOf(0.25)));
    QVERIFY(chart->plot()->yOf(6) < chart->plot()->area().top());  // not as large as it is
    panel.setThresholdsText("Select a layer.");
    QCOMPARE(chart->emptyText(), QString("Select a layer."));
}

void TestAnalysisCharts::wheelZoomsAndDoubleClickShowsAll()
{
    NodeSelection selection;
    LayerErrorChart chart(&selection);
    chart.setLayers(layers(std::vector<double>(100, 20)));
    show(chart);
    const double width = chart.plot()->xOf(1) - chart.plot()->xOf(0);
    const QPointF at = chart.plot()->area().center();
    const double under = chart.plot()->xAt(at.x());
    QWheelEvent wheel(at, chart.plot()->viewport()->mapToGlobal(at), {}, {0, 240}, Qt::NoButton, Qt::NoModifier, Qt::NoScrollPhase, false);
    QApplication::sendEvent(chart.plot()->viewport(), &wheel);
    QVERIFY(chart.plot()->isZoomed());
    QVERIFY(chart.plot()->xOf(1) - chart.plot()->xOf(0) > 1.4 * width);
    QVERIFY(std::abs(chart.plot()->xAt(at.x()) - under) < 1e-6);
    selection.select({id(99)});                      // out of view: it comes into view
    QVERIFY(chart.plot()->area().contains(chart.slotCenter(99)));
    QTest::mouseDClick(chart.plot()->viewport(), Qt::LeftButton, {}, at.toPoint());
    QVERIFY(!chart.plot()->isZoomed());
}

QTEST_MAIN(TestAnalysisCharts)
#include "tst_analysis_charts.moc"

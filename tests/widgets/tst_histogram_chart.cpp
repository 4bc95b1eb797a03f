#include "widgets/charts/histogram_chart.h"

using namespace widgets;

class TestHistogramChart : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void statisticsOfValues();
    void channelOfAWeight();
    void linesAreWhatTheObserversSay();
    void linesOfWeightsAreExact();
    void massMovesToTheCodes();
    void errorSplitsIntoClippingAndRounding();
    void handleFollowsTheMouse();
    void symmetricHandlesMoveTogether();
    void arrowKeysMoveTheHandle();
    void typedRangeIsChosen();
    void clickOnALineChoosesItsObserver();
    void minMaxClipsNothing();
    void channelsCanBeWalked();
    void readOnlyStaysPut();
    void dataAsCsv();
    void picturesAreWritten();
    void emptyStatesSaySo();
};

/// Bins of 1/16 (±128): a few values on both sides, one far out.
static core::TensorStatistics handMade()
{
    core::TensorStatistics s;
    s.histogram.growTo(7);
    const auto put = [&](double left, std::uint64_t count) { s.histogram.counts[std::size_t(left * 16 + 2048)] += count; s.count += count; };
    put(-3, 2);
    put(0.25, 4);
    put(0.5, 8);
    put(5, 3);
    s.min = -3;
    s.max = 5.0625f;
    s.images = 1;
    s.sumOfImageMin.add(-2.0);
    s.sumOfImageMax.add(4.0);
    s.sumOfSquares.add(100.0);
    return s;
}

static HistogramSubject subjectOf(bool symmetric = false)
{
    HistogramSubject subject;
    subject.title = "conv1";
    subject.statistics = std::make_shared<core::TensorStatistics>(handMade());
    subject.scheme.symmetric = symmetric;
    subject.range = {-3, 5};
    return subject;
}

static void show(HistogramChart &chart, const HistogramSubject &subject)
{
    chart.resize(1100, 320);
    chart.setSubject(subject);
    chart.show();
    QVERIFY(QTest::qWaitForWindowExposed(&chart));
}

void TestHistogramChart::statisticsOfValues()
{
    const std::vector<float> values = {-1, 0, 0.5f, 0.5f, std::numeric_limits<float>::infinity()};
    const core::TensorStatistics s = statisticsOf(values);
    QCOMPARE(s.count, std::uint64_t(4));
    QCOMPARE(s.zeros, std::uint64_t(1));
    QCOMPARE(s.notFinite, std::uint64_t(1));
    QCOMPARE(s.min, -1.0f);
    QCOMPARE(s.max, 0.5f);
    QCOMPARE(s.mean(), 0.0);
    QCOMPARE(s.histogram.exponent, 1);              // ±2 is the least power of two that 1 lies inside
    QCOMPARE(s.histogram.counts[1024], std::uint64_t(1)); // −1 is half way down
    QCOMPARE(s.histogram.counts[2048], std::uint64_t(1));
    QCOMPARE(s.histogram.counts[2048 + 512], std::uint64_t(2));
}

void TestHistogramChart::channelOfAWeight()
{
    const std::vector<float> values = {1, 2, 3, 4, 5, 6, 7, 8}; // [2, 2, 2]
    QCOMPARE(channelOf(values, {2, 2, 2}, 0, 1), (std::vector<float>{5, 6, 7, 8}));
    QCOMPARE(channelOf(values, {2, 2, 2}, 1, 0), (std::vector<float>{1, 2, 5, 6}));
    QVERIFY(channelOf(values, {2, 2, 2}, 1, 2).empty());
}

void TestHistogramChart::linesAreWhatTheObserversSay()
{
    const core::TensorStatistics s = handMade();
    core::Scheme scheme;
    scheme.percentile = 90;
    const std::vector<ObserverLine> lines = observerLines(s, scheme);
    QCOMPARE(lines.size(), std::size_t(7));
    for (const ObserverLine &line : lines) {
        core::ObserverOptions options = scheme.observerOptions();
        options.kind = line.kind;
        const core::ObserverResult expected = core::observe(s, options);
        QVERIFY2(line.range == expected.range && line.params == expected.params, qPrintable(line.title));
        QCOMPARE(line.meanSquaredError, expected.meanSquaredError);
    }
    QCOMPARE(lines[1].kind, core::ObserverKind::MovingAverageMinMax);
    QCOMPARE(lines[1].range, (core::Range{-2, 4}));
    QCOMPARE(lines[3].title, QString("percentile 90"));
}

void TestHistogramChart::linesOfWeightsAreExact()
{
    const std::vector<float> values = {-0.5f, 0.25f, 0.75f, 2};
    const std::vector<ObserverLine> lines = observerLines(values, core::Scheme());
    QCOMPARE(lines.front().range, (core::Range{-0.5, 2}));
    for (const ObserverLine &line : lines) {
        core::ObserverOptions options;
        options.kind = line.kind;
        QVERIFY2(line.range == core::observeWeights(values, options).range, qPrintable(line.title));
    }
}

void TestHistogramChart::massMovesToTheCodes()
{
    // Codes −2 … 1 of step 1.0625: the border between 0 and 1 halves the bin at 0.5.
    const std::vector<CodeMass> codes = dequantizedDistribution(handMade(), {1.0625f, 0, -2, 1});
    QCOMPARE(codes.size(), std::size_t(3));
    QCOMPARE(codes[0].code, std::int64_t(-2));      // −3 is −2.8 steps, which −2 takes
    QCOMPARE(codes[0].count, 2.0);
    QCOMPARE(codes[1].code, std::int64_t(0));
    QCOMPARE(codes[1].count, 4.0 + 4.0);
    QCOMPARE(codes[2].value, 1.0625);
    QCOMPARE(codes[2].count, 4.0 + 3.0);            // with what is clipped

    core::TensorStatistics zeros = handMade();      // exact zeros stay zero whatever the step
    zeros.histogram.counts[2048] = zeros.zeros = 10;
    const std::vector<CodeMass> fine = dequantizedDistribution(zeros, {0.01f, 3, 0, 255});
    QCOMPARE(fine[0].count, 2.0);
    QCOMPARE(fine[1].code, std::int64_t(3));
    QCOMPARE(fine[1].count, 10.0);
}

void TestHistogramChart::errorSplitsIntoClippingAndRounding()
{
    HistogramSubject subject = subjectOf();
    const RangeEffect effect = effectOf(*subject.statistics, {-3, 1}, subject.scheme, core::AffineParams{1.0f, 0, -3, 1});
    // The three values in [5, 5.0625) become 1: (4.0625³ − 4³) / 3 / 0.0625 each.
    QVERIFY(std::abs(effect.clippingError - 3 * 16.2513021 / 17) < 1e-6);
    QCOMPARE(effect.clippedShare, 3.0 / 17);
    // −3 … −2.9375 to −3: width²/3; 0.25 … 0.3125 to 0: (0.3125³ − 0.25³) / 3 / 0.0625; 0.5 … 0.5625 to 1: the same of 0.4375 … 0.5.
    const double rounding = (2 * 0.0013020833 + 4 * 0.0794270833 + 8 * 0.2200520833) / 17;
    QVERIFY(std::abs(effect.meanSquaredError - effect.clippingError - rounding) < 1e-6);
    QCOMPARE(effect.sqnrDb, 10 * std::log10(100.0 / 17 / effect.meanSquaredError));
}

void TestHistogramChart::handleFollowsTheMouse()
{
    HistogramChart chart;
    show(chart, subjectOf());
    QSignalSpy dragged(&chart, &HistogramChart::rangeDragged), chosen(&chart, &HistogramChart::rangeChosen);
    QWidget *viewport = chart.plot()->viewport();
    const QPoint from = chart.handlePosition(1).toPoint(), to = from - QPoint(120, 0);
    QTest::mousePress(viewport, Qt::LeftButton, {}, from);
    QTest::mouseMove(viewport, from - QPoint(60, 0));
    QTest::mouseMove(viewport, to);
    QCOMPARE(dragged.count(), 2);
    QCOMPARE(chosen.count(), 0);
    QTest::mouseRelease(viewport, Qt::LeftButton, {}, to);
    QCOMPARE(chosen.count(), 1);
    const auto range = chosen[0][0].value<core::Range>();
    QCOMPARE(range.min, -3.0);
    QVERIFY(std::abs(range.max - chart.plot()->xAt(to.x())) < 1e-9);
    QVERIFY(range.max < 5 && range.max > 0);
    QVERIFY(chart.effect().clippedShare > 0.17);    // 3 of 17 values lie beyond

    // Not past zero, which must stay representable.
    QTest::mousePress(viewport, Qt::LeftButton, {}, chart.handlePosition(1).toPoint());
    QTest::mouseMove(viewport, QPoint(int(chart.plot()->area().left()) + 5, from.y()));
    QTest::mouseRelease(viewport, Qt::LeftButton, {}, QPoint(int(chart.plot()->area().left()) + 5, from.y()));
    QCOMPARE(chart.range().max, 0.0);
}

void TestHistogramChart::symmetricHandlesMoveTogether()
{
    HistogramChart chart;
    show(chart, subjectOf(true));
    QWidget *viewport = chart.plot()->viewport();
    const QPoint from = chart.handlePosition(1).toPoint();
    QTest::mousePress(viewport, Qt::LeftButton, {}, from);
    QTest::mouseMove(viewport, from - QPoint(80, 0));
    QTest::mouseRelease(viewport, Qt::LeftButton, {}, from - QPoint(80, 0));
    QVERIFY(chart.range().max < 5);
    QCOMPARE(chart.range().min, -chart.range().max);
}

void TestHistogramChart::arrowKeysMoveTheHandle()
{
    HistogramChart chart;
    show(chart, subjectOf());
    QSignalSpy chosen(&chart, &HistogramChart::rangeChosen);
    QTest::keyPress(chart.plot(), Qt::Key_Left);
    QTest::keyPress(chart.plot(), Qt::Key_Left);
    QCOMPARE(chosen.count(), 0);
    QTest::keyRelease(chart.plot(), Qt::Key_Left);
    QCOMPARE(chosen.count(), 1);
    QVERIFY(chart.range().max < 5);
    QTest::keyClick(chart.plot(), Qt::Key_Down);    // the lower end
    QTest::keyClick(chart.plot(), Qt::Key_Right, Qt::ShiftModifier);
    QCOMPARE(chosen.count(), 2);
    QVERIFY(chart.range().min > -3);
}

void TestHistogramChart::typedRangeIsChosen()
{
    HistogramChart chart;
    show(chart, subjectOf());
    QSignalSpy chosen(&chart, &HistogramChart::rangeChosen);
    QLineEdit *high = nullptr;
    for (QLineEdit *edit : chart.findChildren<QLineEdit *>())
        if (edit->accessibleName() == "Upper clip value")
            high = edit;
    high->setText("2.5");
    QTest::keyClick(high, Qt::Key_Return);
    QCOMPARE(chosen.count(), 1);
    QCOMPARE(chart.range(), (core::Range{-3, 2.5}));
    high->setText("-4");                            // below the lower end
    QTest::keyClick(high, Qt::Key_Return);
    QCOMPARE(chosen.count(), 1);
    QCOMPARE(high->text(), QString("2.5"));
}

void TestHistogramChart::clickOnALineChoosesItsObserver()
{
    HistogramChart chart;
    show(chart, subjectOf());
    chart.setObserverLines(observerLines(*chart.subject().statistics, chart.subject().scheme));
    QSignalSpy observer(&chart, &HistogramChart::observerChosen), chosen(&chart, &HistogramChart::rangeChosen);
    const QPoint at(qRound(chart.plot()->xOf(4)), int(chart.plot()->area().center().y())); // average min–max ends at 4
    QTest::mouseClick(chart.plot()->viewport(), Qt::LeftButton, {}, at);
    QCOMPARE(observer.count(), 1);
    QCOMPARE(observer[0][0].value<core::ObserverKind>(), core::ObserverKind::MovingAverageMinMax);
    QCOMPARE(chosen.count(), 0);
    auto *list = chart.findChild<QTreeWidget *>();
    QCOMPARE(list->topLevelItemCount(), 7);
    QTest::mouseClick(list->viewport(), Qt::LeftButton, {}, list->visualItemRect(list->topLevelItem(2)).center());
    QCOMPARE(observer[1][0].value<core::ObserverKind>(), core::ObserverKind::HistogramMse);
}

void TestHistogramChart::minMaxClipsNothing()
{
    const std::vector<float> values = {-0.3f, 0.1f, 0.7f};
    const core::TensorStatistics s = statisticsOf(values);
    QCOMPARE(effectOf(s, {s.min, s.max}, core::Scheme()).clippedShare, 0.0);
}

void TestHistogramChart::channelsCanBeWalked()
{
    HistogramChart chart;
    HistogramSubject subject = subjectOf();
    show(chart, subject);
    auto *box = chart.findChild<QSpinBox *>();
    QVERIFY(!box->isVisible());
    subject.channels = 32;
    chart.setSubject(subject);
    QVERIFY(box->isVisible());
    QCOMPARE(box->text(), QString("all channels"));
    QSignalSpy chosen(&chart, &HistogramChart::channelChosen);
    QTest::keyClick(box, Qt::Key_Up);
    QCOMPARE(chosen[0][0].toInt(), 0);
    subject.channel = 5;                            // an answer is no question
    chart.setSubject(subject);
    QCOMPARE(chosen.count(), 1);
    QCOMPARE(box->text(), QString("channel 5"));
}

void TestHistogramChart::readOnlyStaysPut()
{
    HistogramSubject subject = subjectOf();
    subject.editable = false;
    subject.whyNotEditable = "The file fixes it.";
    HistogramChart chart;
    show(chart, subject);
    const QPoint from = chart.handlePosition(1).toPoint();
    QTest::mousePress(chart.plot()->viewport(), Qt::LeftButton, {}, from);
    QTest::mouseMove(chart.plot()->viewport(), from - QPoint(80, 0));
    QTest::mouseRelease(chart.plot()->viewport(), Qt::LeftButton, {}, from - QPoint(80, 0));
    QCOMPARE(chart.range(), subject.range);
    QVERIFY(!chart.findChild<QLineEdit *>()->isEnabled());
}

void TestHistogramChart::dataAsCsv()
{
    HistogramSubject subject = subjectOf();
    subject.params = core::AffineParams{1.0f, 0, -3, 1};
    HistogramChart chart;
    show(chart, subject);
    QCOMPARE(chart.csv(), QString("bin_left,bin_right,count\n-3,-2.9375,2\n0.25,0.3125,4\n0.5,0.5625,8\n5,5.0625,3\n\n"
                                  "code_value,count\n-3,2\n0,4\n1,11\n"));
}

void TestHistogramChart::picturesAreWritten()
{
    QTemporaryDir folder;
    HistogramChart chart;
    show(chart, subjectOf());
    QVERIFY(chart.writePng(folder.filePath("a.png")));
    QCOMPARE(QImage(folder.filePath("a.png")).width(), 2 * chart.plot()->width());
    QVERIFY(chart.writeSvg(folder.filePath("a.svg")));
    QFile svg(folder.filePath("a.svg"));
    QVERIFY(svg.open(QIODevice::ReadOnly));
    QVERIFY(svg.readAll().contains("<svg"));
    QString why;
    QVERIFY(!chart.writeCsv(folder.filePath("missing/a.csv"), &why));
    QVERIFY(why.contains("missing/a.csv"));
}

void TestHistogramChart::emptyStatesSaySo()
{
    HistogramChart chart;
    QVERIFY(chart.emptyText().contains("Select a layer"));
    HistogramSubject subject = subjectOf();
    auto bare = std::make_shared<core::TensorStatistics>(handMade());
    bare->histogram = {};
    subject.statistics = bare;
    chart.setSubject(subject);
    QVERIFY(chart.emptyText().contains("Only minimum and maximum"));
    chart.setSubject(subjectOf());
    QVERIFY(!chart.isEmpty());
}

QTEST_MAIN(TestHistogramChart)
#include "tst_histogram_chart.moc"

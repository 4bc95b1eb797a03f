#include "widgets/tables/compare_view.h"
#include "widgets/tables/csv.h"
#include "widgets/tables/images_view.h"
#include "widgets/tables/range_model.h"

#include <QAbstractItemModelTester>

using namespace widgets;

class TestRunTables : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void rangesAsTableAndCsv();
    void runsKeepTheirPromises();
    void renamingIsAWish();
    void recipesAreComparedFieldByField();
    void figuresAreComparedWithTheirChange();
    void anyTwoRunsAreCompared();
    void pairSurvivesNewFigures();
    void imagesAreFilteredByChange();
    void doubleClickActivatesTheImage();
};

using Tester = QAbstractItemModelTester;
constexpr auto report = QAbstractItemModelTester::FailureReportingMode::QtTest;

static std::shared_ptr<RunTable> threeRuns()
{
    auto runs = std::make_shared<RunTable>(3);
    const char *const names[] = {"first", "second", "third"};
    const double accuracy[] = {41.2, 65.3, 70.9};
    for (std::size_t i = 0; i < 3; ++i) {
        RunRow &run = (*runs)[i];
        run.name = names[i];
        run.date = QDateTime(QDate(2024, 5, 1 + int(i)), QTime(12, 30));
        run.floating.top1 = 71.9;
        run.ptq.top1 = accuracy[i];
        run.fileBytes = 3600000;
        run.seconds = 12.5;
        run.recipeJson = QString(R"({"seed": %1, "preset": "best"})").arg(i);
    }
    return runs;
}

void TestRunTables::rangesAsTableAndCsv()
{
    RangeModel model;
    Tester tester(&model, report);
    auto table = std::make_shared<RangeTable>(2);
    RangeRow &x = (*table)[0];
    x.tensor = "x,1";
    x.kind = "activation";
    x.badge = "u8";
    x.seenMin = -0.1;
    x.seenMax = 6;
    x.chosen = {0, 5.5};
    x.scales = {0.015625f};
    x.zeroPoints = {0};
    x.observer = "percentile";
    RangeRow &w = (*table)[1];
    w.tensor = "w";
    w.scales = {0.5f, 0.25f};
    w.zeroPoints = {0, 0};
    model.setTable(table);
    QCOMPARE(model.index(1, RangeModel::Scale).data().toString(), QString("0.25 … 0.5 (2)"));
    QCOMPARE(model.index(1, RangeModel::SeenMin).data().toString(), QString("–"));
    QCOMPARE(csvOf(model, RangeModel::SortRole), QString("Tensor,Kind,Type,Seen min,Seen max,Clip min,Clip max,Scale,Zero point,Observer\n"
                                                         "\"x,1\",activation,u8,-0.1,6,0,5.5,0.015625,0,percentile\n"
                                                         "w,,,,,,,0.5,0,\n"));
}

void TestRunTables::runsKeepTheirPromises()
{
    RunModel model;
    Tester tester(&model, report);
    model.setTable(threeRuns());
    QCOMPARE(model.index(1, RunModel::PtqTop1).data().toString(), QString("65.3 %"));
    QCOMPARE(model.index(1, RunModel::ExportedTop1).data().toString(), QString("–"));
    QCOMPARE(model.index(1, RunModel::Date).data().toString(), QString("2024-05-02 12:30"));
    QCOMPARE(model.index(1, RunModel::Size).data().toString(), QString("3.6 MB"));
    model.setTable(nullptr);
    QCOMPARE(model.rowCount(), 0);
}

void TestRunTables::renamingIsAWish()
{
    RunModel model;
    model.setTable(threeRuns());
    QSignalSpy renamed(&model, &RunModel::runRenamed);
    QVERIFY(!model.setData(model.index(0, RunModel::Name), "  per  channel ", Qt::EditRole));
    QCOMPARE(renamed.count(), 1);
    QCOMPARE(renamed[0][1].toString(), QString("per channel"));
    model.setData(model.index(0, RunModel::Name), "first", Qt::EditRole);
    model.setData(model.index(0, RunModel::Name), "", Qt::EditRole);
    QCOMPARE(renamed.count(), 1);
    QCOMPARE(model.index(0, RunModel::Name).data().toString(), QString("first"));
}

void TestRunTables::recipesAreComparedFieldByField()
{
    const DiffRows rows = jsonDifferences(R"({"preset": "best", "seed": 1, "config": {"rules": [{"query": "op:Conv"}], "exclude": ["a", "b"]}})",
                                          R"({"preset": "best", "seed": 2, "config": {"rules": [], "reduce_range": true, "exclude": ["a"]}})");
    const DiffRows expected = {{"config.exclude", "a, b", "a"}, {"config.reduce_range", "–", "true"}, {"config.rules", "–", ""},
                               {"config.rules[0].query", "op:Conv", "–"}, {"preset", "best", "best"}, {"seed", "1", "2"}};
    QCOMPARE(rows.size(), expected.size());
    for (std::size_t i = 0; i < rows.size(); ++i)
        QVERIFY2(rows[i] == expected[i], qPrintable(rows[i].key + ": " + rows[i].a + " / " + rows[i].b));
    QVERIFY(!rows[4].different() && rows[5].different());
    QVERIFY(jsonDifferences("no json", "").empty());
    DiffModel model;
    Tester tester(&model, report);
    model.setRows(rows, "A", "B");
    QCOMPARE(model.rowCount(), 6);
    QVERIFY(model.index(5, 1).data(Qt::FontRole).value<QFont>().bold());
    QVERIFY(!model.index(4, 1).data(Qt::FontRole).isValid());
}

void TestRunTables::figuresAreComparedWithTheirChange()
{
    const auto runs = threeRuns();
    const DiffRows rows = figureDifferences((*runs)[0], (*runs)[1]);
    QCOMPARE(rows[0].b, QString("71.9 %"));
    QCOMPARE(rows[1].key, QString("Quantized top-1"));
    QCOMPARE(rows[1].b, QString("65.3 % (+24.1)"));
    QCOMPARE(figureDifferences((*runs)[2], (*runs)[1])[1].b, QString("65.3 % (−5.6)"));
}

void TestRunTables::anyTwoRunsAreCompared()
{
    CompareView view;
    view.setRuns(threeRuns());
    QCOMPARE(view.runA(), 1);                       // the two newest
    QCOMPARE(view.runB(), 2);
    view.resize(900, 300);
    view.show();
    QSignalSpy pair(&view, &CompareView::pairChosen), activated(&view, &CompareView::runActivated);
    const auto cell = [&](int row) { return view.runTable()->visualRect(view.runs()->index(row, RunModel::PtqTop1)).center(); };
    QTest::mouseClick(view.runTable()->viewport(), Qt::LeftButton, {}, cell(2));
    QTest::mouseClick(view.runTable()->viewport(), Qt::LeftButton, Qt::ControlModifier, cell(0));
    QCOMPARE(pair.count(), 1);
    QCOMPARE(pair[0][0].toInt(), 0);
    QCOMPARE(pair[0][1].toInt(), 2);
    QCOMPARE(view.differences()->headerData(1, Qt::Horizontal).toString(), QString("first"));
    const int last = view.differences()->rowCount() - 1; // of the recipe only what differs
    QCOMPARE(view.differences()->index(last, 0).data().toString(), QString("seed"));
    view.findChild<QCheckBox *>()->setChecked(true);
    QCOMPARE(view.differences()->rowCount(), last + 2);
    QTest::mouseClick(view.runTable()->viewport(), Qt::LeftButton, {}, cell(1));
    QTest::mouseDClick(view.runTable()->viewport(), Qt::LeftButton, {}, cell(1));
    QCOMPARE(activated.count(), 1);
}

void TestRunTables::pairSurvivesNewFigures()
{
    CompareView view;
    view.setRuns(threeRuns());
    view.compare(0, 1);
    view.setRuns(threeRuns());
    QCOMPARE(view.runA(), 0);
    QCOMPARE(view.runB(), 1);
    auto more = threeRuns();
    more->push_back(more->front());
    view.setRuns(more);                             // a new run: it against the one before
    QCOMPARE(view.runA(), 2);
    QCOMPARE(view.runB(), 3);
    view.setRuns(nullptr);
    QCOMPARE(view.differences()->rowCount(), 0);
}

static std::shared_ptr<ImageTable> threeImages()
{
    auto images = std::make_shared<ImageTable>();
    images->push_back({"/d/a.jpg", "cat", "cat", "dog", 0.9, 0.6, {}});
    images->push_back({"/d/b.jpg", "cat", "dog", "cat", 0.5, 0.55, {}});
    images->push_back({"/d/c.jpg", "cat", "dog", "cow", 0.4, 0.3, {}});
    return images;
}

void TestRunTables::imagesAreFilteredByChange()
{
    ImagesModel model;
    Tester tester(&model, report);
    model.setTable(threeImages());
    QCOMPARE(model.index(0, ImagesModel::Change).data().toString(), QString("became wrong"));
    QCOMPARE(model.index(1, ImagesModel::Change).data().toString(), QString("became right"));
    QCOMPARE(model.index(2, ImagesModel::Change).data().toString(), QString("wrong in both"));
    QCOMPARE(model.index(0, ImagesModel::FloatScore).data().toString(), QString("90.0 %"));
    auto logits = threeImages();
    logits->front().floatScore = 12.25;
    model.setTable(logits);
    QCOMPARE(model.index(1, ImagesModel::FloatScore).data().toString(), QString("0.5"));
    QCOMPARE(changeOf({"x", "", "cat", "dog", 1, 1, {}}), QString("changed"));

    ImagesView view;
    view.setImages(threeImages(), 50);
    view.findChild<QComboBox *>()->setCurrentIndex(2);
    QCOMPARE(view.csv(), QString("File,True class,Float,Float score,Quantized,Quantized score,Change\nb.jpg,cat,dog,0.5,cat,0.55,became right\n"));
}

void TestRunTables::doubleClickActivatesTheImage()
{
    ImagesView view;
    view.setImages(threeImages(), 50);
    view.findChild<QComboBox *>()->setCurrentIndex(3); // only the third is left
    view.resize(800, 240);
    view.show();
    QVERIFY(QTest::qWaitForWindowExposed(&view));
    QSignalSpy activated(&view, &ImagesView::imageActivated);
    const QPoint card = view.list()->visualRect(view.list()->model()->index(0, 0)).center();
    QTest::mouseClick(view.list()->viewport(), Qt::LeftButton, {}, card);
    QTest::mouseDClick(view.list()->viewport(), Qt::LeftButton, {}, card);
    QCOMPARE(activated.count(), 1);
    QCOMPARE(activated[0][0].toInt(), 2);
}

QTEST_MAIN(TestRunTables)
#include "tst_run_tables.moc"

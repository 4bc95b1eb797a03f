#include "tests/support/tiny_graph.h"
#include "widgets/spec/inspector.h"
#include "widgets/spec/node_facts.h"
#include "widgets/spec/role_section.h"
#include "widgets/spec/spec_editor.h"
#include "widgets/spec/spec_tab.h"
#include "widgets/spec/value_table_model.h"

using namespace widgets;
using core::NodeId;
using core::TensorRole;

/// x → a → relu → b → cat(b, relu) → y, in an inspector.
class Desk {
public:
    tests::TinyGraph t;
    NodeSelection selection;
    Inspector inspector{&selection};
    std::vector<SpecEdits> asked;

    explicit Desk(const core::Recipe &recipe = {})
    {
        const core::ValueId relu = t.node("Relu", "relu", {t.conv("a", t.input("x"), 3, 3)});
        t.output(t.node("Concat", "cat", {t.conv("b", relu, 3, 3), relu}, {{"axis", std::int64_t(1)}}));
        QObject::connect(&inspector, &Inspector::editRequested, [this](const SpecEdits &edits) { asked.push_back(edits); });
        show(recipe);
        inspector.resize(340, 700);
        inspector.show();
    }
    void show(const core::Recipe &recipe)
    {
        const auto graph = std::make_shared<const core::Graph>(t.graph);
        inspector.setContext(std::make_shared<const SpecContext>(graph, recipe, std::make_shared<const core::Placement>(core::place(*graph, recipe))));
    }
    template <class W> W *find(const char *name) { return inspector.findChild<W *>(name); }
    QString text(const char *name) { return find<QLabel>(name)->text(); }
};

class TestSpecInspector : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void showsWhatIsSelected();
    void walksBackAndForth();
    void choosesAScope();
    void typeFollowsTheSelection();
    void quantizesOrNot();
    void editsARule();
    void resetsEverything();
    void switchesAnEdge();
    void splitsAConcat();
    void asksForRangesOnce();
    void choosesAnObserver();
    void tellsWhy();
    void readsWeights();
    void showsForeignFilesReadOnly();
    void tableModelIsSound();
    void livesWithoutAModel();
};

void TestSpecInspector::showsWhatIsSelected()
{
    Desk desk;
    QCOMPARE(desk.text("node_name"), "Nothing selected");
    desk.selection.select({desk.t.nodeId("a")});
    QCOMPARE(desk.text("node_name"), "a");
    QCOMPARE(desk.text("node_kind"), "Conv");
    QCOMPARE(desk.text("count"), "1 of 4");
    desk.selection.select({desk.t.nodeId("a"), desk.t.nodeId("b"), desk.t.nodeId("relu")});
    QCOMPARE(desk.text("node_name"), "3 layers");
    QCOMPARE(desk.text("node_kind"), "Conv ×2, Relu ×1");
}

void TestSpecInspector::walksBackAndForth()
{
    Desk desk;
    desk.selection.select({desk.t.nodeId("a")});
    desk.selection.select({desk.t.nodeId("b")});
    QVERIFY(!desk.find<QToolButton>("forward")->isEnabled());
    QTest::mouseClick(desk.find<QToolButton>("back"), Qt::LeftButton);
    QCOMPARE(desk.text("node_name"), "a");
    QTest::mouseClick(desk.find<QToolButton>("forward"), Qt::LeftButton);
    QCOMPARE(desk.text("node_name"), "b");
}

void TestSpecInspector::choosesAScope()
{
    core::Recipe recipe;
    recipe.config.rules = {{"op:Conv", {}, false}};
    Desk desk(recipe);
    auto *scope = desk.find<QComboBox>("scope");
    QCOMPARE(scope->currentText(), "Whole model");
    desk.selection.select({desk.t.nodeId("a")});
    QCOMPARE(scope->currentText(), "This layer");
    QCOMPARE(scope->count(), 4);
    QCOMPARE(scope->itemText(1), "Every Conv (2)");
    QCOMPARE(scope->itemText(2), "Rule op:Conv (2)");
    scope->setFocus();
    QTest::keyClick(scope, Qt::Key_End);
    QCOMPARE(scope->currentText(), "Whole model");
    QVERIFY(desk.inspector.specTab()->scope() == SpecScope::global());
    QVERIFY(desk.inspector.specTab()->editor()->section(TensorRole::Weight)->isVisible());
}

void TestSpecInspector::typeFollowsTheSelection()
{
    Desk desk;
    desk.selection.select({desk.t.nodeId("a")});
    desk.inspector.specTab()->setScope(SpecScope::ofType("Conv"));
    desk.selection.select({desk.t.nodeId("relu")});
    QVERIFY(desk.inspector.specTab()->scope() == SpecScope::ofType("Relu"));
    QVERIFY(!desk.inspector.specTab()->editor()->section(TensorRole::Weight)->isVisible());
}

void TestSpecInspector::quantizesOrNot()
{
    core::Recipe recipe;
    recipe.config.exclude = {"a"};
    Desk desk(recipe);
    auto *box = desk.find<QCheckBox>("quantized");
    desk.selection.select({desk.t.nodeId("a"), desk.t.nodeId("b")});
    QCOMPARE(box->checkState(), Qt::PartiallyChecked);
    QTest::mouseClick(box, Qt::LeftButton, {}, QPoint(8, box->height() / 2));
    QCOMPARE(desk.asked.size(), std::size_t(1));
    const auto &edit = std::get<SetQuantized>(desk.asked[0].at(0));
    QVERIFY(edit.quantized);
    QCOMPARE(edit.nodes.size(), std::size_t(2));
    desk.show(apply(recipe, desk.t.graph, desk.asked[0]));
    QCOMPARE(box->checkState(), Qt::Checked);
    QTest::mouseClick(box, Qt::LeftButton, {}, QPoint(8, box->height() / 2));
    QVERIFY(!std::get<SetQuantized>(desk.asked.at(1).at(0)).quantized);
}

void TestSpecInspector::editsARule()
{
    core::Recipe recipe;
    recipe.config.rules = {{"op:Conv", {}, false}};
    Desk desk(recipe);
    desk.inspector.specTab()->setScope(SpecScope::ofRule(0));
    auto *box = desk.find<QCheckBox>("quantized");
    QVERIFY(box->isVisible() && box->isChecked());
    QTest::mouseClick(box, Qt::LeftButton, {}, QPoint(8, box->height() / 2));
    QVERIFY(std::get<SetRuleExclude>(desk.asked.at(0).at(0)).exclude);
    desk.show(core::Recipe()); // the rule is gone
    QVERIFY(desk.inspector.specTab()->scope().kind == SpecScope::Kind::Nodes);
}

void TestSpecInspector::resetsEverything()
{
    core::Recipe recipe;
    recipe.config.byNode["a"].weight.dtype = core::QuantDtype::Int4;
    Desk desk(recipe);
    desk.selection.select({desk.t.nodeId("b")});
    QVERIFY(!desk.find<QPushButton>("reset_all")->isEnabled());
    desk.selection.select({desk.t.nodeId("a")});
    QTest::mouseClick(desk.find<QPushButton>("reset_all"), Qt::LeftButton);
    QVERIFY(apply(recipe, desk.t.graph, desk.asked.at(0)) == core::Recipe());
}

void TestSpecInspector::switchesAnEdge()
{
    Desk desk;
    desk.selection.select({desk.t.nodeId("b")});
    auto *edges = desk.find<QListWidget>("edges");
    QCOMPARE(edges->count(), 4);
    QVERIFY(edges->item(0)->text().startsWith("u8"));
    edges->setCurrentRow(0);
    edges->setFocus();
    QTest::keyClick(edges, Qt::Key_Space);
    QCOMPARE(desk.asked.size(), std::size_t(1));
    const auto &edit = std::get<SwitchEdge>(desk.asked[0].at(0));
    QVERIFY(edit.node == desk.t.nodeId("b") && edit.input == 0 && !edit.on);
    desk.show(apply({}, desk.t.graph, desk.asked[0]));
    QCOMPARE(edges->item(0)->checkState(), Qt::Unchecked);
    QVERIFY(edges->item(0)->text().startsWith("f32"));
    QCOMPARE(desk.asked.size(), std::size_t(1));
}

void TestSpecInspector::splitsAConcat()
{
    Desk desk;
    desk.selection.select({desk.t.nodeId("cat")});
    auto *split = desk.find<QCheckBox>("split_concat");
    QVERIFY(split->isVisible());
    QTest::mouseClick(split, Qt::LeftButton, {}, QPoint(8, split->height() / 2));
    QVERIFY(std::get<SplitConcat>(desk.asked.at(0).at(0)).split);
    desk.selection.select({desk.t.nodeId("a")});
    QVERIFY(!split->isVisible());
}

void TestSpecInspector::asksForRangesOnce()
{
    Desk desk;
    QSignalSpy wanted(&desk.inspector, &Inspector::rangesWanted);
    desk.inspector.showTab(Inspector::RangeOfObservers);
    desk.selection.select({desk.t.nodeId("a")});
    QCOMPARE(wanted.count(), 0); // nothing was calibrated
    desk.inspector.setCalibrated(true);
    QCOMPARE(wanted.count(), 1);
    desk.inspector.showTab(Inspector::Info);
    desk.inspector.showTab(Inspector::RangeOfObservers);
    QCOMPARE(wanted.count(), 1);
    desk.selection.select({desk.t.nodeId("b")});
    QCOMPARE(wanted.count(), 2);
}

void TestSpecInspector::choosesAnObserver()
{
    Desk desk;
    desk.inspector.showTab(Inspector::RangeOfObservers);
    desk.inspector.setCalibrated(true);
    const NodeId a = desk.t.nodeId("a");
    desk.selection.select({a});
    TensorRanges ranges;
    ranges.node = a;
    ranges.tensor = "a";
    ObserverRow minMax, percentile;
    minMax.min = -1;
    minMax.max = 5;
    minMax.sqnr = 30;
    percentile.observer = core::ObserverKind::Percentile;
    percentile.percentile = 99.9;
    percentile.sqnr = 35;
    ranges.rows = {minMax, percentile};
    desk.inspector.setRanges(desk.t.nodeId("b"), {ranges}); // too late, another layer is shown
    auto *table = desk.inspector.findChild<RangeTab *>()->findChild<QTableView *>();
    QVERIFY(!table->isVisible());
    desk.inspector.setRanges(a, {ranges});
    QVERIFY(table->isVisible());
    QCOMPARE(table->model()->rowCount(), 2);
    table->sortByColumn(1, Qt::DescendingOrder);
    QCOMPARE(table->model()->index(0, 0).data().toString(), "percentile 99.9");
    NodeId node;
    FieldValue observer;
    double share = 0;
    int count = 0;
    QObject::connect(&desk.inspector, &Inspector::observerChosen, [&](NodeId of, TensorRole, const FieldValue &chosen, double p) { node = of, observer = chosen, share = p, ++count; });
    const QPoint first = table->visualRect(table->model()->index(0, 0)).center();
    QTest::mouseClick(table->viewport(), Qt::LeftButton, {}, first);
    QCOMPARE(count, 0);
    QTest::mouseDClick(table->viewport(), Qt::LeftButton, {}, first);
    QCOMPARE(count, 1);
    QVERIFY(node == a && observer == FieldValue(core::ObserverKind::Percentile));
    QCOMPARE(share, 99.9);
}

void TestSpecInspector::tellsWhy()
{
    Desk desk;
    desk.inspector.showTab(Inspector::Info);
    desk.inspector.setRemarks({{core::Severity::Warning, "code", "relu", "Relu 'relu' is <odd>."}});
    desk.selection.select({desk.t.nodeId("relu")});
    auto *info = desk.inspector.findChild<QTextBrowser *>();
    const QString text = info->toPlainText();
    QVERIFY(text.contains("Relu 'relu' is <odd>."));
    QVERIFY(text.contains("Runs as one: Conv a + Relu relu."));
    QVERIFY(text.contains("Set by preset 'best'"));
    Q_EMIT info->anchorClicked(QUrl(QStringLiteral("node:%1").arg(desk.t.nodeId("a").index)));
    QCOMPARE(desk.text("node_name"), "a");
    QVERIFY(info->toPlainText().contains("kernel_shape = 1, 1"));
}

void TestSpecInspector::readsWeights()
{
    tests::TinyGraph t;
    const core::ValueId w = t.constant("w", {2, 3}, {1, -2, 3, 0.5f, 0, -0.25f}); // Gemm, transB 0: channels are columns
    t.output(t.node("Gemm", "fc", {t.input("x", {1, 2}), w}));
    const SpecContext context(std::make_shared<const core::Graph>(t.graph), {});
    const auto facts = weightFacts(context, t.nodeId("fc"));
    QVERIFY(facts);
    QCOMPARE(facts->shape, "2×3");
    QCOMPARE(facts->channelAxis, 1);
    QVERIFY(facts->channels == (std::vector<core::Range>{{0.5, 1}, {-2, 0}, {-0.25, 3}}));
    QCOMPARE(facts->min, -2.0);
    QCOMPARE(facts->max, 3.0);
    const auto rows = tensorRows(context, t.nodeId("fc"));
    QCOMPARE(rows.size(), std::size_t(3));
    QVERIFY(rows[1].constant && rows[2].output);
    QCOMPARE(rows[0].shape, "1×2");
}

void TestSpecInspector::showsForeignFilesReadOnly()
{
    tests::TinyGraph t;
    const core::ValueId s = t.constant("s", {}, {0.5f});
    t.output(t.node("DequantizeLinear", "dq", {t.node("QuantizeLinear", "q", {t.input("x"), s}, {}, core::DataType::UInt8), s}));
    Desk desk;
    desk.inspector.setContext(std::make_shared<const SpecContext>(std::make_shared<const core::Graph>(t.graph), core::Recipe()));
    QVERIFY(!desk.find<QComboBox>("scope")->isVisible());
    QTableView *table = nullptr;
    for (QTableView *one : desk.inspector.specTab()->findChildren<QTableView *>())
        if (one->isVisible() && one->accessibleName().contains("file"))
            table = one;
    QVERIFY(table);
    QCOMPARE(table->model()->rowCount(), 2);
    QCOMPARE(table->model()->index(0, 2).data().toString(), "0.5");
    QCOMPARE(table->editTriggers(), QAbstractItemView::NoEditTriggers);
}

void TestSpecInspector::tableModelIsSound()
{
    ValueTableModel model({"a", "b"});
    QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
    model.setRows({{{"x", {}, {}, false, false}, numberCell(2)}, {{"y", {}, {}, true, false}, numberCell(10)}});
    QCOMPARE(model.rowCount(), 2);
    QCOMPARE(model.headerData(1, Qt::Horizontal, Qt::DisplayRole).toString(), "b");
    QVERIFY(model.index(1, 0).data(Qt::FontRole).value<QFont>().bold());
    QSortFilterProxyModel sorted;
    sorted.setSourceModel(&model);
    sorted.setSortRole(ValueTableModel::SortRole);
    sorted.sort(1, Qt::DescendingOrder); // as numbers: 10 before 2
    QCOMPARE(sorted.index(0, 0).data().toString(), "y");
    QCOMPARE(numberCell(std::nan("")).text, "–");
    model.setRows({});
    QCOMPARE(model.rowCount(), 0);
}

void TestSpecInspector::livesWithoutAModel()
{
    Desk desk;
    desk.selection.select({desk.t.nodeId("a")});
    desk.inspector.setContext(nullptr);
    for (const auto tab : {Inspector::Data, Inspector::RangeOfObservers, Inspector::Info, Inspector::Spec})
        desk.inspector.showTab(tab);
    QCOMPARE(desk.text("node_name"), "No model");
}

QTEST_MAIN(TestSpecInspector)
#include "tst_spec_inspector.moc"

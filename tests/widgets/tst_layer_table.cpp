#include "tests/support/tiny_graph.h"
#include "widgets/tables/csv.h"
#include "widgets/tables/layer_table_view.h"
#include "widgets/tables/node_query.h"

#include <QAbstractItemModelTester>

using namespace widgets;

class TestLayerTable : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void queries_data();
    void queries();
    void wrongQueriesSayWhy_data();
    void wrongQueriesSayWhy();
    void modelKeepsItsPromises();
    void tickingIsAWish();
    void unknownFiguresSortLast();
    void filterCountsAndKeepsRowsOnError();
    void selectionGoesBothWays();
    void filteringKeepsTheSelection();
    void currentOverlayHasAColumn();
    void exportsWhatIsShown();
};

/// stem (Conv) → dw (depthwise Conv) → act (Relu) → head (Conv, kept float)
struct Sample {
    std::shared_ptr<core::Graph> graph;
    std::shared_ptr<LayerTable> table = std::make_shared<LayerTable>();

    Sample()
    {
        tests::TinyGraph tiny;
        auto x = tiny.conv("stem", tiny.input("x", {1, 3, 8, 8}), 3, 4);
        x = tiny.conv("block/dw", x, 4, 4, 3, 4);
        x = tiny.node("Relu", "block/act", {x});
        tiny.output(tiny.conv("head", x, 4, 2));
        graph = std::make_shared<core::Graph>(tiny.graph);
        const double sqnr[] = {41.2, 9.6, unknown, 30}, clipped[] = {0, 0.02, unknown, 0.001};
        for (const core::NodeId node : graph->order()) {
            LayerFacts facts;
            const std::size_t i = table->size();
            facts.node = node;
            facts.name = QString::fromStdString(graph->node(node).name);
            facts.opType = QString::fromStdString(graph->node(node).opType);
            facts.activationSqnr = sqnr[i];
            facts.clipped = clipped[i];
            facts.macs = double(i) * 1e6;
            facts.dtype = i == 3 ? DtypeClass::Float32 : DtypeClass::Int8PerChannel;
            facts.badge = i == 3 ? "f32" : i == 1 ? "i8" : "i8c";
            facts.overridden = i == 1;
            table->push_back(facts);
        }
    }
    core::NodeId node(const char *name) const { return graph->findNode(name); }
};

static QStringList namesOf(const Sample &sample, const std::vector<core::NodeId> &nodes)
{
    QStringList names;
    for (const core::NodeId node : nodes)
        names << QString::fromStdString(sample.graph->node(node).name);
    return names;
}

void TestLayerTable::queries_data()
{
    QTest::addColumn<QString>("text");
    QTest::addColumn<QString>("expected");
    QTest::newRow("nothing") << "" << "stem block/dw block/act head";
    QTest::newRow("word, any case") << "BLOCK" << "block/dw block/act";
    QTest::newRow("not the word") << "!block" << "stem head";
    QTest::newRow("two words") << "block act" << "block/act";
    QTest::newRow("figure; unknown matches nothing") << "sqnr<35" << "block/dw head";
    QTest::newRow("nor turned round") << "!sqnr<35" << "stem";
    QTest::newRow("percent") << "clipped>1%" << "block/dw";
    QTest::newRow("at least") << "clipped>=0.02" << "block/dw";
    QTest::newRow("suffix") << "macs>=2M" << "block/act head";
    QTest::newRow("type") << "dtype:i8*" << "stem block/dw block/act";
    QTest::newRow("types") << "dtype:i8,f32" << "block/dw head";
    QTest::newRow("not the type") << "dtype!=f32" << "stem block/dw block/act";
    QTest::newRow("flag") << "overridden:true" << "block/dw";
    QTest::newRow("other flag") << "overridden!=true" << "stem block/act head";
    QTest::newRow("worst tenth") << "worst:true" << "block/dw";
    QTest::newRow("graph") << "op:Conv" << "stem block/dw head";
    QTest::newRow("graph and figure") << "op:Conv group>1 sqnr<20" << "block/dw";
    QTest::newRow("graph and figure, none") << "op:Conv group>1 sqnr>20" << "";
    QTest::newRow("alternatives") << "op:Relu | sqnr>40" << "stem block/act";
}

void TestLayerTable::queries()
{
    QFETCH(QString, text);
    QFETCH(QString, expected);
    const Sample sample;
    const NodeQueryResult result = selectNodes(sample.graph.get(), *sample.table, text);
    QCOMPARE(result.error, QString());
    QCOMPARE(namesOf(sample, result.nodes).join(' '), expected);
}

void TestLayerTable::wrongQueriesSayWhy_data()
{
    QTest::addColumn<QString>("text");
    QTest::addColumn<QString>("part");
    QTest::newRow("no number") << "sqnr<low" << "“sqnr<low” needs a number";
    QTest::newRow("half typed") << "sqnr<" << "needs a number";
    QTest::newRow("flag") << "overridden:yes" << "true or false";
    QTest::newRow("type") << "dtype>8" << "needs a type";
    QTest::newRow("unknown key") << "colour:red" << "weight_sqnr";
    QTest::newRow("graph's own") << "group>many" << "takes a number";
}

void TestLayerTable::wrongQueriesSayWhy()
{
    QFETCH(QString, text);
    QFETCH(QString, part);
    const Sample sample;
    const NodeQueryResult result = selectNodes(sample.graph.get(), *sample.table, text);
    QVERIFY2(result.error.contains(part), qPrintable(result.error));
    QVERIFY(result.nodes.empty());
    QVERIFY(selectNodes(nullptr, *sample.table, "op:Conv").error.contains("no model is open"));
}

void TestLayerTable::modelKeepsItsPromises()
{
    LayerModel model;
    LayerFilter filter(&model);
    QAbstractItemModelTester modelTester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
    QAbstractItemModelTester filterTester(&filter, QAbstractItemModelTester::FailureReportingMode::QtTest);
    const Sample sample;
    filter.setGraph(sample.graph);
    model.setTable(sample.table);
    QCOMPARE(filter.rowCount(), 4);
    QVERIFY(filter.setQuery("op:Conv"));
    QCOMPARE(filter.rowCount(), 3);
    auto next = std::make_shared<LayerTable>(*sample.table); // same nodes, new figures
    (*next)[0].activationSqnr = 3;
    QVERIFY(filter.setQuery("sqnr<20"));
    QCOMPARE(filter.rowCount(), 1);
    model.setTable(next);
    QCOMPARE(filter.rowCount(), 2);
    model.setOverlay(Overlay::Size);
    model.setTable(nullptr);
    QCOMPARE(filter.rowCount(), 0);
}

void TestLayerTable::tickingIsAWish()
{
    const Sample sample;
    LayerModel model;
    model.setTable(sample.table);
    QSignalSpy toggled(&model, &LayerModel::quantizationToggled);
    const QModelIndex stem = model.index(0, LayerModel::Quantized), head = model.index(3, LayerModel::Quantized);
    QCOMPARE(stem.data(Qt::CheckStateRole).toInt(), int(Qt::Checked));
    QCOMPARE(head.data(Qt::CheckStateRole).toInt(), int(Qt::Unchecked));
    QVERIFY(!model.setData(stem, Qt::Unchecked, Qt::CheckStateRole));
    QCOMPARE(toggled.count(), 1);
    QCOMPARE(toggled[0][0].value<core::NodeId>(), sample.node("stem"));
    QCOMPARE(toggled[0][1].toBool(), false);
    QCOMPARE(stem.data(Qt::CheckStateRole).toInt(), int(Qt::Checked)); // until a new table comes
    QVERIFY(model.index(1, LayerModel::Name).data(Qt::FontRole).value<QFont>().italic());
    QCOMPARE(model.index(1, LayerModel::Type).data().toString(), QString("i8*"));
    QVERIFY(model.index(1, LayerModel::ActivationSqnr).data(Qt::DecorationRole).isValid());
    QVERIFY(!model.index(0, LayerModel::ActivationSqnr).data(Qt::DecorationRole).isValid());
}

void TestLayerTable::unknownFiguresSortLast()
{
    const Sample sample;
    LayerModel model;
    LayerFilter filter(&model);
    model.setTable(sample.table);
    const auto names = [&] {
        QStringList list;
        for (int row = 0; row < filter.rowCount(); ++row)
            list << filter.index(row, LayerModel::Name).data().toString();
        return list.join(' ');
    };
    filter.sort(LayerModel::ActivationSqnr, Qt::AscendingOrder);
    QCOMPARE(names(), QString("block/dw head stem block/act"));
    filter.sort(LayerModel::ActivationSqnr, Qt::DescendingOrder);
    QCOMPARE(names(), QString("stem head block/dw block/act"));
    filter.sort(-1);
    QCOMPARE(names(), QString("stem block/dw block/act head"));
}

void TestLayerTable::filterCountsAndKeepsRowsOnError()
{
    const Sample sample;
    NodeSelection selection;
    LayerTableView view(&selection);
    view.setGraph(sample.graph);
    view.setLayers(sample.table);
    view.show();
    const auto label = [&](const char *name) {
        for (QLabel *one : view.findChildren<QLabel *>())
            if (one->accessibleName() == name)
                return one;
        return static_cast<QLabel *>(nullptr);
    };
    QTest::keyClicks(view.filterEdit(), "sqnr<20");
    QCOMPARE(label("Layers shown")->text(), QString("1 / 4"));
    QVERIFY(!label("Error in the filter")->isVisible());
    view.setFilterText("sqnr<20 op:");
    QVERIFY(label("Error in the filter")->isVisible());
    QCOMPARE(view.filter()->rowCount(), 1);
    view.filterEdit()->clear();
    QCOMPARE(label("Layers shown")->text(), QString("4 / 4"));
    QVERIFY(!label("Error in the filter")->isVisible());
}

void TestLayerTable::selectionGoesBothWays()
{
    const Sample sample;
    NodeSelection selection;
    LayerTableView view(&selection);
    view.setGraph(sample.graph);
    view.setLayers(sample.table);
    view.resize(700, 300);
    view.show();
    selection.select({sample.node("head"), sample.node("stem")}, sample.node("head"));
    QCOMPARE(view.table()->selectionModel()->selectedRows().size(), 2);
    QCOMPARE(view.table()->currentIndex().row(), 3);

    const QRect cell = view.table()->visualRect(view.filter()->index(1, LayerModel::Name));
    QTest::mouseClick(view.table()->viewport(), Qt::LeftButton, {}, cell.center());
    QCOMPARE(selection.nodes(), (NodeSelection::Nodes{sample.node("block/dw")}));
    QTest::keyClick(view.table(), Qt::Key_Down, Qt::ShiftModifier);
    QCOMPARE(selection.nodes(), (NodeSelection::Nodes{sample.node("block/dw"), sample.node("block/act")}));
    QCOMPARE(selection.current(), sample.node("block/act"));

    QSignalSpy toggled(&view, &LayerTableView::quantizationToggled), activated(&view, &LayerTableView::nodeActivated), edit(&view, &LayerTableView::editRequested);
    QTest::keyClick(view.table(), Qt::Key_Space);
    QCOMPARE(toggled[0][0].value<core::NodeId>(), sample.node("block/act"));
    QTest::keyClick(view.table(), Qt::Key_Return);
    QCOMPARE(activated[0][0].value<core::NodeId>(), sample.node("block/act"));
    QTest::mouseClick(view.findChild<QPushButton *>(), Qt::LeftButton);
    QCOMPARE(edit.count(), 1);
}

void TestLayerTable::filteringKeepsTheSelection()
{
    const Sample sample;
    NodeSelection selection;
    LayerTableView view(&selection);
    view.setGraph(sample.graph);
    view.setLayers(sample.table);
    view.show();
    const NodeSelection::Nodes both{sample.node("head"), sample.node("stem")};
    selection.select(both);
    view.setFilterText("stem");
    QCOMPARE(selection.nodes(), both);
    QCOMPARE(view.table()->selectionModel()->selectedRows().size(), 1);
    view.setFilterText("");
    QCOMPARE(view.table()->selectionModel()->selectedRows().size(), 2);
    view.setLayers(std::make_shared<LayerTable>(*sample.table));
    QCOMPARE(selection.nodes(), both);

    view.setFilterText("block"); // Enter in the filter takes all rows that it leaves
    QTest::keyClick(view.filterEdit(), Qt::Key_Return);
    QCOMPARE(selection.nodes(), (NodeSelection::Nodes{sample.node("block/dw"), sample.node("block/act")}));
}

void TestLayerTable::currentOverlayHasAColumn()
{
    const Sample sample;
    NodeSelection selection;
    LayerTableView view(&selection);
    view.setLayers(sample.table);
    QVERIFY(view.table()->isColumnHidden(LayerModel::Current));
    view.setOverlay(Overlay::Sensitivity);
    QVERIFY(!view.table()->isColumnHidden(LayerModel::Current));
    QCOMPARE(view.model()->headerData(LayerModel::Current, Qt::Horizontal, Qt::DisplayRole).toString(), overlayName(Overlay::Sensitivity));
}

void TestLayerTable::exportsWhatIsShown()
{
    QCOMPARE(csvLine({"a,b", "say \"x\"", "c"}), QString("\"a,b\",\"say \"\"x\"\"\",c\n"));
    const Sample sample;
    NodeSelection selection;
    LayerTableView view(&selection);
    view.setGraph(sample.graph);
    view.setLayers(sample.table);
    view.setFilterText("act|dw");
    const QStringList lines = view.csv().split('\n');
    QCOMPARE(lines.size(), 4);
    QVERIFY(lines[0].startsWith("Q,Name,Operator,Type,SQNR act."));
    QVERIFY(lines[1].startsWith("1,block/dw,Conv,i8*,9.6,,0.02,1000000,0"));
    QVERIFY(lines[2].startsWith("1,block/act,Relu,i8c,,,,2000000,0"));
}

QTEST_MAIN(TestLayerTable)
#include "tst_layer_table.moc"

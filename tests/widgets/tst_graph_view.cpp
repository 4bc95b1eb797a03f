#include "widgets/graph/edge_item.h"
#include "widgets/graph/graph_view.h"
#include "widgets/graph/minimap.h"
#include "widgets/graph/node_item.h"

#include <QAccessible>

using namespace widgets;
using core::NodeId;
using core::ValueId;

/// x → Relu0 → (Sin1, Cos2) → Add3
class TestGraphView : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void init();
    void cleanup();
    void clickSelects();
    void controlAndShiftClickExtend();
    void clickBesideClears();
    void rubberBandSelects();
    void arrowsWalk();
    void keysAskForThings();
    void clickOnAMarkSwitchesOneConsumer();
    void clickOnALineNamesTheTensor();
    void doubleClickOpensABlock();
    void overlayKeepsItems();
    void factsOutlineFusedNodes();
    void wheelScrollsOrZooms();
    void zoomKeepsWhatLiesUnderTheMouse();
    void middleButtonDrags();
    void fitAndActualSize();
    void selectionFromElsewhereIsShown();
    void minimapMovesTheView();
    void speaksToAssistiveTechnology();
    void sameModeKeepsThePlace();

private:
    NodeId node(const char *name) const { return m_graph.findNode(name); }
    int box(const char *name) const { return m_scene->state().drawing->boxOf(node(name)); }
    QPoint at(const char *name) const { return m_view->boxRectInViewport(box(name)).center().toPoint(); }
    void show(GraphMode mode = GraphMode::Layers, const std::set<NodeId> &opened = {});
    void click(QPoint where, Qt::KeyboardModifiers modifiers = {}) { QTest::mouseClick(m_view->viewport(), Qt::LeftButton, modifiers, where); }

    core::Graph m_graph;
    std::unique_ptr<GraphScene> m_scene;
    std::unique_ptr<GraphView> m_view;
    std::unique_ptr<NodeSelection> m_selection;
};

static ValueId addNode(core::Graph &graph, const std::string &type, std::vector<ValueId> inputs)
{
    const ValueId out = graph.addValue(type + std::to_string(graph.nodeCount()) + "_out");
    core::Node node;
    node.name = type + std::to_string(graph.nodeCount());
    node.opType = type;
    node.inputs = std::move(inputs);
    node.outputs = {out};
    graph.addNode(std::move(node));
    return out;
}

void TestGraphView::init()
{
    m_graph = {};
    m_graph.inputs = {m_graph.addValue("x")};
    const ValueId relu = addNode(m_graph, "Relu", {m_graph.inputs.front()});
    const ValueId sine = addNode(m_graph, "Sin", {relu}), cosine = addNode(m_graph, "Cos", {relu});
    m_graph.outputs = {addNode(m_graph, "Add", {sine, cosine})};
    m_selection = std::make_unique<NodeSelection>();
    m_scene = std::make_unique<GraphScene>();
    m_scene->setSelection(m_selection.get());
    m_view = std::make_unique<GraphView>(*m_scene);
    m_view->resize(700, 600);
    m_view->show();
    show();
}

void TestGraphView::cleanup()
{
    m_view.reset();
    m_scene.reset();
}

void TestGraphView::show(GraphMode mode, const std::set<NodeId> &opened)
{
    m_view->setDrawing(std::make_shared<const DrawnGraph>(drawGraph(m_graph, {mode, opened})));
}

void TestGraphView::clickSelects()
{
    click(at("Sin1"));
    QCOMPARE(m_selection->nodes(), NodeSelection::Nodes{node("Sin1")});
    QCOMPARE(m_selection->current(), node("Sin1"));
    QVERIFY(m_scene->state().selected[std::size_t(box("Sin1"))]);
}

void TestGraphView::controlAndShiftClickExtend()
{
    click(at("Sin1"));
    click(at("Cos2"), Qt::ControlModifier);
    QCOMPARE(m_selection->nodes(), (NodeSelection::Nodes{node("Sin1"), node("Cos2")}));
    click(at("Sin1"), Qt::ControlModifier);
    QCOMPARE(m_selection->nodes(), NodeSelection::Nodes{node("Cos2")});
    click(at("Add3"), Qt::ShiftModifier);
    click(at("Add3"), Qt::ShiftModifier);
    QCOMPARE(m_selection->nodes(), (NodeSelection::Nodes{node("Cos2"), node("Add3")}));
}

void TestGraphView::clickBesideClears()
{
    click(at("Sin1"));
    click({5, 5});
    QVERIFY(m_selection->nodes().empty());
}

void TestGraphView::rubberBandSelects()
{
    const QRect both = m_view->boxRectInViewport(box("Sin1")).united(m_view->boxRectInViewport(box("Cos2"))).toRect().adjusted(-6, -3, 6, 3);
    QTest::mousePress(m_view->viewport(), Qt::LeftButton, {}, both.topLeft());
    QTest::mouseMove(m_view->viewport(), both.center());
    QTest::mouseMove(m_view->viewport(), both.bottomRight());
    QTest::mouseRelease(m_view->viewport(), Qt::LeftButton, {}, both.bottomRight());
    QCOMPARE(m_selection->nodes(), (NodeSelection::Nodes{node("Sin1"), node("Cos2")}));
}

void TestGraphView::arrowsWalk()
{
    m_selection->select({node("Relu0")});
    QTest::keyClick(m_view.get(), Qt::Key_Down);
    QCOMPARE(m_selection->current(), node("Sin1"));
    QTest::keyClick(m_view.get(), Qt::Key_Right);
    QCOMPARE(m_selection->current(), node("Cos2"));
    QTest::keyClick(m_view.get(), Qt::Key_Down, Qt::ShiftModifier);
    QCOMPARE(m_selection->nodes(), (NodeSelection::Nodes{node("Cos2"), node("Add3")}));
    QTest::keyClick(m_view.get(), Qt::Key_Up);
    QTest::keyClick(m_view.get(), Qt::Key_Up);
    QCOMPARE(m_selection->current(), node("Relu0"));
    QTest::keyClick(m_view.get(), Qt::Key_Up); // nothing above but the input
    QCOMPARE(m_selection->current(), node("Relu0"));
}

void TestGraphView::keysAskForThings()
{
    QSignalSpy inspector(m_view.get(), &GraphView::inspectorRequested), toggled(m_view.get(), &GraphView::quantizationToggled);
    QTest::keyClick(m_view.get(), Qt::Key_Return);
    QTest::keyClick(m_view.get(), Qt::Key_Space);
    QCOMPARE(inspector.count() + toggled.count(), 0); // nothing selected
    m_selection->select({node("Sin1"), node("Cos2")}, node("Cos2"));
    QTest::keyClick(m_view.get(), Qt::Key_Return);
    QTest::keyClick(m_view.get(), Qt::Key_Space);
    QCOMPARE(inspector.at(0).at(0).value<NodeId>(), node("Cos2"));
    QCOMPARE(toggled.at(0).at(0).value<std::vector<NodeId>>(), (std::vector<NodeId>{node("Sin1"), node("Cos2")}));
    QTest::keyClick(m_view.get(), Qt::Key_A, Qt::ControlModifier);
    QCOMPARE(m_selection->nodes().size(), std::size_t(4));
    QTest::keyClick(m_view.get(), Qt::Key_Escape);
    QVERIFY(m_selection->nodes().empty());
}

void TestGraphView::clickOnAMarkSwitchesOneConsumer()
{
    const ValueId relu = m_graph.findValue("Relu0_out");
    std::vector<QuantizerMark> marks = {{relu, node("Sin1"), 0, DtypeClass::UInt8, "u8", true, true, "uint8"},
                                        {relu, node("Cos2"), 0, DtypeClass::UInt8, "u8", true, false, "fixed"}};
    m_scene->setMarks(marks);
    QSignalSpy spy(m_view.get(), &GraphView::quantizerClicked);
    EdgeItem *edge = m_scene->edgeItem(1);
    QCOMPARE(m_scene->state().drawing->trunks[1].value, relu);
    click(m_view->mapFromScene(edge->markRect(0)->center()));
    QCOMPARE(spy.count(), 1);
    QCOMPARE(spy.at(0).at(0).value<ValueId>(), relu);
    QCOMPARE(spy.at(0).at(1).value<NodeId>(), node("Sin1"));
    QCOMPARE(spy.at(0).at(2).toInt(), 0);
    click(m_view->mapFromScene(edge->markRect(1)->center())); // may not be switched
    QCOMPARE(spy.count(), 1);
    QVERIFY(m_selection->nodes().empty());
    const GraphScene::Hit hit = m_scene->hit(edge->markRect(0)->center(), 3);
    QVERIFY(m_scene->toolTipAt(hit).startsWith("uint8\n"));
}

void TestGraphView::clickOnALineNamesTheTensor()
{
    QSignalSpy spy(m_view.get(), &GraphView::tensorClicked);
    const auto &line = m_scene->state().drawing->trunks[1].strokes[0];
    click(m_view->mapFromScene((line[1] + line[2]) / 2));
    QCOMPARE(spy.count(), 1);
    QCOMPARE(spy.at(0).at(0).value<ValueId>(), m_graph.findValue("Relu0_out"));
}

void TestGraphView::doubleClickOpensABlock()
{
    QSignalSpy inspector(m_view.get(), &GraphView::inspectorRequested), opened(m_view.get(), &GraphView::blockOpened),
        closed(m_view.get(), &GraphView::blockClosed);
    QTest::mouseDClick(m_view->viewport(), Qt::LeftButton, {}, at("Sin1"));
    QCOMPARE(inspector.count(), 1);
    core::Graph graph;
    graph.inputs = {graph.addValue("x")};
    const ValueId pool = addNode(graph, "MaxPool", {graph.inputs.front()});
    graph.outputs = {addNode(graph, "Add", {addNode(graph, "Conv", {pool}), pool})};
    m_graph = graph;
    show(GraphMode::Blocks);
    QCOMPARE(box("Conv1"), box("Add2"));
    QTest::mouseDClick(m_view->viewport(), Qt::LeftButton, {}, at("Conv1"));
    QCOMPARE(opened.at(0).at(0).value<NodeId>(), node("Conv1"));
    show(GraphMode::Blocks, {node("Conv1")});
    m_selection->select({node("Add2")});
    QTest::keyClick(m_view.get(), Qt::Key_Backspace);
    QCOMPARE(closed.at(0).at(0).value<NodeId>(), node("Conv1"));
}

static std::shared_ptr<const LayerTable> facts(const core::Graph &graph, const std::set<int> &fused = {})
{
    auto table = std::make_shared<LayerTable>();
    for (const NodeId id : graph.order()) {
        LayerFacts f;
        f.node = id;
        f.opType = QString::fromStdString(graph.node(id).opType);
        f.activationSqnr = 10 + id.index;
        f.group = fused.contains(id.index) ? 0 : -1;
        table->push_back(f);
    }
    return table;
}

void TestGraphView::overlayKeepsItems()
{
    m_scene->setFacts(facts(m_graph));
    const QList<QGraphicsItem *> before = m_scene->items();
    const NodeItem *item = m_scene->nodeItem(box("Add3"));
    const QColor fill = m_scene->state().looks[std::size_t(box("Add3"))].fill;
    const QImage shown = m_view->grab().toImage();
    QSignalSpy spy(m_scene.get(), &GraphScene::looksChanged);
    m_scene->setOverlay(Overlay::ActivationSqnr);
    QCOMPARE(spy.count(), 1);
    QCOMPARE(m_scene->items(), before);
    QCOMPARE(m_scene->nodeItem(box("Add3")), item);
    QVERIFY(m_scene->state().looks[std::size_t(box("Add3"))].fill != fill);
    QVERIFY(m_view->grab().toImage() != shown);
}

void TestGraphView::factsOutlineFusedNodes()
{
    m_graph.outputs = {addNode(m_graph, "Relu", {m_graph.outputs.front()})};
    show();
    const qsizetype before = m_scene->items().size();
    m_scene->setFacts(facts(m_graph, {1, 3})); // Sin1 and Add3: half of Cos2 stands in the way
    QCOMPARE(m_scene->items().size(), before);
    m_scene->setFacts(facts(m_graph, {3, 4})); // Add3 and Relu4
    QCOMPARE(m_scene->items().size(), before + 1);
    m_scene->setFacts(facts(m_graph));
    QCOMPARE(m_scene->items().size(), before);
}

void TestGraphView::wheelScrollsOrZooms()
{
    const double scale = m_view->scale();
    const QPointF middle = m_view->viewport()->rect().center();
    const auto turn = [&](Qt::KeyboardModifiers modifiers) {
        QWheelEvent event(middle, m_view->viewport()->mapToGlobal(middle), {}, {0, 120}, Qt::NoButton, modifiers, Qt::NoScrollPhase, false);
        QApplication::sendEvent(m_view->viewport(), &event);
    };
    turn({});
    QCOMPARE(m_view->scale(), scale);
    turn(Qt::ControlModifier);
    QVERIFY(m_view->scale() > scale);
    m_view->setWheelZooms(true);
    const double larger = m_view->scale();
    turn(Qt::ControlModifier);
    QCOMPARE(m_view->scale(), larger);
    turn({});
    QVERIFY(m_view->scale() > larger);
}

void TestGraphView::zoomKeepsWhatLiesUnderTheMouse()
{
    m_view->zoomBy(4);
    m_view->centerOn(m_scene->state().drawing->bounds.center());
    const QPoint mouse(200, 150);
    const QPointF before = m_view->mapToScene(mouse);
    QWheelEvent event(mouse, m_view->viewport()->mapToGlobal(mouse), {}, {0, -120}, Qt::NoButton, Qt::ControlModifier, Qt::NoScrollPhase, false);
    QApplication::sendEvent(m_view->viewport(), &event);
    QVERIFY((m_view->mapToScene(mouse) - before).manhattanLength() < 2);
}

void TestGraphView::middleButtonDrags()
{
    m_view->zoomBy(4);
    m_view->centerOn(m_scene->state().drawing->bounds.center());
    const QPoint before = at("Relu0");
    QTest::mousePress(m_view->viewport(), Qt::MiddleButton, {}, {300, 300});
    QTest::mouseMove(m_view->viewport(), {310, 320});
    QTest::mouseRelease(m_view->viewport(), Qt::MiddleButton, {}, {310, 320});
    QVERIFY((at("Relu0") - before - QPoint(10, 20)).manhattanLength() <= 2); // rounded twice
    QVERIFY(m_selection->nodes().empty());
}

void TestGraphView::fitAndActualSize()
{
    m_view->zoomBy(3);
    QTest::keyClick(m_view.get(), Qt::Key_1, Qt::ControlModifier);
    QCOMPARE(m_view->scale(), 1.0);
    m_view->zoomBy(3);
    QTest::keyClick(m_view.get(), Qt::Key_0, Qt::ControlModifier);
    const QRectF shown = m_view->mapToScene(m_view->viewport()->rect()).boundingRect();
    QVERIFY(shown.contains(m_scene->state().drawing->bounds));
}

void TestGraphView::selectionFromElsewhereIsShown()
{
    m_view->zoomBy(4);
    m_view->centerOn(0, 0);
    m_selection->select({node("Add3")});
    QVERIFY(m_view->viewport()->rect().intersects(m_view->boxRectInViewport(box("Add3")).toRect()));
}

void TestGraphView::minimapMovesTheView()
{
    auto *map = m_view->findChild<Minimap *>();
    QVERIFY(!map->isVisible()); // all is shown anyway
    m_view->zoomBy(4);
    QVERIFY(map->isVisible());
    m_view->centerOn(0, 0);
    const QPointF before = m_view->mapToScene(m_view->viewport()->rect().center());
    QTest::mouseClick(map, Qt::LeftButton, {}, QPoint(map->width() / 2, map->height() - 8));
    QVERIFY(m_view->mapToScene(m_view->viewport()->rect().center()).y() > before.y() + 50);
}

void TestGraphView::speaksToAssistiveTechnology()
{
    m_scene->setFacts(facts(m_graph));
    m_scene->setOverlay(Overlay::ActivationSqnr);
    m_selection->select({node("Sin1")});
    QCOMPARE(m_view->accessibleDescription(), QString("Sin1, Sin, f32, Activation SQNR 11.0 dB, selected"));
    QAccessibleInterface *view = QAccessible::queryAccessibleInterface(m_view.get());
    QCOMPARE(view->childCount(), 6); // four nodes, input and output
    QAccessibleInterface *child = view->child(box("Sin1"));
    QCOMPARE(child->text(QAccessible::Name), QString("Sin1"));
    QVERIFY(child->state().selected);
    QVERIFY(!view->child(box("Cos2"))->state().selected);
    QCOMPARE(view->indexOfChild(child), box("Sin1"));
    QCOMPARE(view->childAt(child->rect().center().x(), child->rect().center().y()), child);
}

void TestGraphView::sameModeKeepsThePlace()
{
    ValueId x = m_graph.outputs.front();
    for (int i = 0; i < 40; ++i)
        x = addNode(m_graph, "Relu", {x});
    m_graph.outputs = {x};
    show();
    m_view->centreOnNode(node("Relu20"));
    const QPoint before = at("Relu20");
    show(); // the same again
    QVERIFY((at("Relu20") - before).manhattanLength() <= 2);
}

QTEST_MAIN(TestGraphView)
#include "tst_graph_view.moc"

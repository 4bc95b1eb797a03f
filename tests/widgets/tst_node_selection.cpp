#include "widgets/shared/node_selection.h"

using widgets::NodeSelection;

class TestNodeSelection : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void selectsOnceAndSaysSo();
    void togglesAndKeepsACurrent();
    void walksThroughItsHistory();
    void forgetsTheFutureOnANewChoice();
};

static core::NodeId id(int index) { return core::NodeId{index}; }

void TestNodeSelection::selectsOnceAndSaysSo()
{
    NodeSelection selection;
    QSignalSpy spy(&selection, &NodeSelection::selectionChanged);
    selection.select({id(1), id(4)}, id(4));
    selection.select({id(1), id(4)}, id(4));
    QCOMPARE(spy.count(), 1);
    QCOMPARE(selection.current().index, 4);
    selection.select({id(2), id(3)}, id(9));
    QCOMPARE(selection.current().index, 2); // 9 is not among them
}

void TestNodeSelection::togglesAndKeepsACurrent()
{
    NodeSelection selection;
    selection.toggle(id(5));
    selection.toggle(id(2));
    QCOMPARE(selection.current().index, 2);
    selection.toggle(id(2));
    QCOMPARE(selection.current().index, 5);
    selection.toggle(id(5));
    QVERIFY(!selection.current());
    QVERIFY(selection.nodes().empty());
}

void TestNodeSelection::walksThroughItsHistory()
{
    NodeSelection selection;
    QVERIFY(!selection.canGoBack());
    selection.select({id(1)});
    selection.select({id(2)});
    selection.goBack();
    QCOMPARE(selection.current().index, 1);
    selection.goForward();
    QCOMPARE(selection.current().index, 2);
    QVERIFY(!selection.canGoForward());
    selection.goBack();
    selection.goBack();
    QVERIFY(selection.nodes().empty());
    QVERIFY(!selection.canGoBack());
}

void TestNodeSelection::forgetsTheFutureOnANewChoice()
{
    NodeSelection selection;
    selection.select({id(1)});
    selection.select({id(2)});
    selection.goBack();
    selection.select({id(3)});
    QVERIFY(!selection.canGoForward());
    selection.goBack();
    QCOMPARE(selection.current().index, 1);
}

QTEST_GUILESS_MAIN(TestNodeSelection)
#include "tst_node_selection.moc"

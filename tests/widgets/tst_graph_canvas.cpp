#include "tests/support/tiny_graph.h"
#include "widgets/graph/graph_canvas.h"
#include "widgets/graph/graph_export.h"
#include "widgets/graph/overlay_legend.h"

#include <QSvgRenderer>

using namespace widgets;
using core::NodeId;

/// x → pool → [conv → add with pool]
class TestGraphCanvas : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void initTestCase();
    void init();
    void cleanup();
    void modesAskForADrawing();
    void blocksAskForADrawing();
    void colourChooserSetsTheOverlay();
    void findGoesFromMatchToMatch();
    void legendCountsClassesAndBins();
    void clearForgets();
    void picturesShowEverything();
    void wrongEndingsAreExplained();

private:
    NodeId node(const char *name) const { return m_net.nodeId(name); }
    void draw() { m_canvas->setDrawing(std::make_shared<const DrawnGraph>(drawGraph(m_net.graph, m_canvas->request()))); }

    tests::TinyGraph m_net;
    std::shared_ptr<LayerTable> m_facts = std::make_shared<LayerTable>();
    std::unique_ptr<NodeSelection> m_selection;
    std::unique_ptr<GraphCanvas> m_canvas;
};

void TestGraphCanvas::initTestCase()
{
    const core::ValueId pool = m_net.node("MaxPool", "pool", {m_net.input("x")});
    m_net.output(m_net.node("Add", "add", {m_net.conv("conv", pool, 3, 3), pool}));
    const double sqnr[] = {30, 10, 20};
    for (const NodeId id : m_net.graph.order()) {
        LayerFacts f;
        f.node = id;
        f.opType = QString::fromStdString(m_net.graph.node(id).opType);
        f.activationSqnr = sqnr[id.index];
        f.dtype = f.opType == "Conv" ? DtypeClass::Int8PerChannel : DtypeClass::Float32;
        m_facts->push_back(f);
    }
}

void TestGraphCanvas::init()
{
    m_selection = std::make_unique<NodeSelection>();
    m_canvas = std::make_unique<GraphCanvas>();
    m_canvas->setSelection(m_selection.get());
    m_canvas->resize(900, 500);
    m_canvas->setFacts(m_facts);
    m_canvas->show();
    draw();
}

void TestGraphCanvas::cleanup()
{
    m_canvas.reset();
}

void TestGraphCanvas::modesAskForADrawing()
{
    QSignalSpy wanted(m_canvas.get(), &GraphCanvas::drawingRequested), changed(m_canvas.get(), &GraphCanvas::modeChanged);
    for (QToolButton *button : m_canvas->findChildren<QToolButton *>())
        if (button->text() == "Overview")
            QTest::mouseClick(button, Qt::LeftButton);
    QCOMPARE(wanted.count(), 1);
    QCOMPARE(wanted.at(0).at(0).value<DrawRequest>().mode, GraphMode::Overview);
    QCOMPARE(changed.count(), 1);
    m_canvas->setMode(GraphMode::Overview); // it is already
    QCOMPARE(wanted.count(), 1);
}

void TestGraphCanvas::blocksAskForADrawing()
{
    m_canvas->setMode(GraphMode::Blocks);
    draw();
    QSignalSpy wanted(m_canvas.get(), &GraphCanvas::drawingRequested);
    const int block = m_canvas->scene().state().drawing->boxOf(node("add"));
    QTest::mouseDClick(m_canvas->view().viewport(), Qt::LeftButton, {}, m_canvas->view().boxRectInViewport(block).center().toPoint());
    QCOMPARE(wanted.at(0).at(0).value<DrawRequest>().opened, std::set<NodeId>{node("conv")});
    draw();
    QCOMPARE(m_canvas->scene().state().drawing->frames.size(), std::size_t(1));
    m_canvas->setBlockOpen(node("conv"), false);
    QCOMPARE(wanted.count(), 2);
    QVERIFY(m_canvas->request().opened.empty());
}

void TestGraphCanvas::colourChooserSetsTheOverlay()
{
    QSignalSpy spy(m_canvas.get(), &GraphCanvas::overlayChanged);
    auto *chooser = m_canvas->findChild<QComboBox *>();
    QCOMPARE(chooser->count(), overlayCount);
    QTest::keyClick(chooser, Qt::Key_Down);
    QCOMPARE(m_canvas->overlay(), Overlay::Dtype);
    m_canvas->setOverlay(Overlay::ActivationSqnr);
    QCOMPARE(chooser->currentText(), overlayName(Overlay::ActivationSqnr));
    QCOMPARE(spy.count(), 2);
}

void TestGraphCanvas::findGoesFromMatchToMatch()
{
    m_canvas->startFind();
    auto *edit = m_canvas->findChild<QLineEdit *>();
    QTest::keyClicks(edit, "o"); // "pool" and "conv"
    QTest::keyClick(edit, Qt::Key_Return);
    QCOMPARE(m_selection->current(), node("pool"));
    QTest::keyClick(edit, Qt::Key_Return);
    QCOMPARE(m_selection->current(), node("conv"));
    QTest::keyClick(edit, Qt::Key_Return);
    QCOMPARE(m_selection->current(), node("pool"));
    QTest::keyClick(edit, Qt::Key_Return, Qt::ShiftModifier);
    QCOMPARE(m_selection->current(), node("conv"));
}

void TestGraphCanvas::legendCountsClassesAndBins()
{
    OverlayLegend &legend = *m_canvas->findChild<OverlayLegend *>();
    QCOMPARE(legend.classes().size(), std::size_t(3));
    m_canvas->setOverlay(Overlay::Dtype);
    QCOMPARE(legend.classes()[0].name, QString("float32"));
    QCOMPARE(legend.classes()[0].count, 2);
    QCOMPARE(legend.classes()[1].colour, Theme::light().fill(DtypeClass::Int8PerChannel));
    m_canvas->setOverlay(Overlay::ActivationSqnr);
    QVERIFY(legend.classes().empty());
    const std::vector<int> &bins = legend.bins();
    QCOMPARE(bins.front() + bins[bins.size() / 2] + bins.back(), 3); // 10, 20 and 30 dB
    m_canvas->setOverlay(Overlay::Sensitivity);
    QVERIFY(legend.accessibleDescription().contains("not known yet"));
}

void TestGraphCanvas::clearForgets()
{
    m_canvas->setBlockOpen(node("conv"), true);
    m_canvas->clear();
    QVERIFY(m_canvas->request().opened.empty());
    QVERIFY(m_canvas->scene().items().isEmpty());
    QVERIFY(!m_canvas->grab().isNull()); // the hint
}

void TestGraphCanvas::picturesShowEverything()
{
    QTemporaryDir dir;
    m_canvas->view().zoomBy(4);
    const QString svg = dir.filePath("graph.svg"), png = dir.filePath("graph.png");
    QCOMPARE(saveGraph(m_canvas->scene(), svg), QString());
    QCOMPARE(saveGraph(m_canvas->scene(), png, 1), QString());
    QSvgRenderer renderer(svg);
    QVERIFY(renderer.isValid());
    const QSizeF drawing = m_canvas->scene().state().drawing->bounds.size();
    QVERIFY(renderer.viewBoxF().width() > drawing.width());
    const QImage picture(png);
    QVERIFY(picture.width() > drawing.width() && picture.height() > drawing.height());
    QVERIFY(picture.width() < drawing.width() + 80); // not what the window shows, but all at full size
    const QImage small = graphImage(m_canvas->scene(), 0.15); // text and marks even so
    QImage plain(small.size(), small.format());
    QPainter painter(&plain);
    painter.setRenderHints(QPainter::Antialiasing | QPainter::TextAntialiasing);
    painter.fillRect(plain.rect(), Theme::light().canvas);
    m_canvas->scene().render(&painter, QRectF(plain.rect()), m_canvas->scene().state().drawing->bounds.adjusted(-24, -28, 24, 24));
    QVERIFY(small != plain);
    copyGraph(m_canvas->scene());
    QCOMPARE(QGuiApplication::clipboard()->image().size(), picture.size());
}

void TestGraphCanvas::wrongEndingsAreExplained()
{
    QTemporaryDir dir;
    QVERIFY(saveGraph(m_canvas->scene(), dir.filePath("graph.xyz")).contains("Choose .png or .svg"));
    QVERIFY(!QFile::exists(dir.filePath("graph.xyz")));
    QVERIFY(saveGraph(m_canvas->scene(), dir.filePath("no/such/graph.png")).contains("could not be written"));
}

QTEST_MAIN(TestGraphCanvas)
#include "tst_graph_canvas.moc"

#include "widgets/graph/graph_view.h"

#include "widgets/graph/edge_item.h"
#include "widgets/graph/graph_accessible.h"
#include "widgets/graph/minimap.h"

#include <QMouseEvent>
#include <QRubberBand>
#include <QScrollBar>
#include <QToolTip>

#include <algorithm>
#include <cmath>

namespace widgets {
namespace {

constexpr double largestScale = 4, readableScale = 0.55, startScale = 0.9;

std::size_t at(int index) { return std::size_t(index); }

} // namespace

GraphView::GraphView(GraphScene &scene, QWidget *parent) : QGraphicsView(&scene, parent), m_scene(scene), m_minimap(new Minimap(*this))
{
    setAccessibleName(tr("Graph of the network"));
    setFrameShape(QFrame::NoFrame);
    setOptimizationFlags(DontSavePainterState | DontAdjustForAntialiasing);
    setViewportUpdateMode(SmartViewportUpdate);
    setTransformationAnchor(NoAnchor);
    setResizeAnchor(AnchorViewCenter);
    setAlignment(Qt::AlignCenter);
    setRenderHints(QPainter::Antialiasing | QPainter::TextAntialiasing);
    setFocusPolicy(Qt::StrongFocus);
    setEmptyText(tr("Open a model to see its network here."));
    installGraphAccessibility();
    connect(&m_scene, &GraphScene::currentChanged, this, [this](int box) {
        describeCurrent(box);
        if (!m_ownChange)
            reveal(box);
    });
    connect(&m_scene, &GraphScene::looksChanged, m_minimap, &Minimap::refresh);
    connect(this, &GraphView::viewMoved, m_minimap, qOverload<>(&QWidget::update));
}

void GraphView::setEmptyText(const QString &text)
{
    m_emptyText = text;
    viewport()->update();
}

void GraphView::setMinimapVisible(bool visible)
{
    m_minimapWanted = visible;
    placeMinimap();
}

void GraphView::setDrawing(std::shared_ptr<const DrawnGraph> drawing, core::NodeId anchor)
{
    const std::shared_ptr<const DrawnGraph> before = m_scene.state().drawing;
    const bool same = drawing && !before->boxes.empty() && before->mode == drawing->mode && before->boxOfNode.size() == drawing->boxOfNode.size();
    if (same && before->boxOf(anchor) < 0) {
        const int middle = m_scene.state().current >= 0 ? m_scene.state().current : boxInTheMiddle();
        anchor = middle >= 0 ? before->boxes[at(middle)].key() : core::NodeId{};
    }
    const int old = before->boxOf(anchor);
    const QPoint place = old >= 0 ? mapFromScene(before->boxes[at(old)].rect.center()) : QPoint();
    m_scene.setDrawing(std::move(drawing));
    resetCachedContent();
    const DrawnGraph &now = *m_scene.state().drawing;
    if (const int box = now.boxOf(anchor); same && box >= 0) {
        scrollBy(mapFromScene(now.boxes[at(box)].rect.center()) - place);
    } else {
        showWell();
        reveal(m_scene.state().current);
    }
    placeMinimap();
}

double GraphView::fitScale() const
{
    const QRectF bounds = m_scene.sceneRect();
    const QSizeF space = maximumViewportSize() - QSize(2, 2);
    if (m_scene.state().drawing->boxes.empty())
        return 1;
    return std::min({space.width() / bounds.width(), space.height() / bounds.height(), 1.25});
}

void GraphView::setScale(double scale)
{
    scale = std::clamp(scale, std::min(fitScale(), 0.2), largestScale);
    setTransform(QTransform::fromScale(scale, scale));
    const bool tiny = m_scene.state().level(scale, m_scene.state().drawing->mode == GraphMode::Overview) == DetailLevel::Tiny;
    setRenderHint(QPainter::Antialiasing, !tiny);
    placeMinimap();
    Q_EMIT viewMoved();
}

void GraphView::fitAll()
{
    setScale(fitScale());
    centerOn(m_scene.state().drawing->bounds.center());
}

void GraphView::showActualSize()
{
    zoomAt(1, zoomCentre());
}

void GraphView::zoomBy(double factor)
{
    zoomAt(scale() * factor, zoomCentre());
}

void GraphView::zoomAt(double scale, const QPoint &fixed)
{
    const QPointF point = mapToScene(fixed);
    setScale(scale);
    scrollBy(mapFromScene(point) - fixed);
}

QPoint GraphView::zoomCentre() const
{
    const QPoint middle = viewport()->rect().center();
    if (m_scene.state().current < 0)
        return middle;
    const QPoint current = boxRectInViewport(m_scene.state().current).center().toPoint();
    return viewport()->rect().contains(current) ? current : middle;
}

void GraphView::scrollBy(const QPoint &pixels)
{
    horizontalScrollBar()->setValue(horizontalScrollBar()->value() + pixels.x());
    verticalScrollBar()->setValue(verticalScrollBar()->value() + pixels.y());
}

void GraphView::showWell()
{
    const DrawnGraph &drawing = *m_scene.state().drawing;
    if (fitScale() >= readableScale || drawing.mode == GraphMode::Overview || drawing.boxes.empty())
        return fitAll();
    setScale(std::min(startScale, double(viewport()->width()) / (drawing.bounds.width() + 48)));
    if (scale() < readableScale)
        setScale(startScale);
    const QRectF first = drawing.boxes.front().rect;
    centerOn(first.center().x(), first.top() + viewport()->height() / scale() / 2 - 24);
}

void GraphView::centreOnNode(core::NodeId node)
{
    const int box = m_scene.state().drawing->boxOf(node);
    if (box < 0)
        return;
    if (scale() < readableScale)
        setScale(startScale);
    centerOn(m_scene.state().drawing->boxes[at(box)].rect.center());
}

QRectF GraphView::boxRectInViewport(int box) const
{
    return mapFromScene(m_scene.state().drawing->boxes[at(box)].rect).boundingRect();
}

void GraphView::reveal(int box)
{
    if (box < 0 || m_scene.state().drawing->boxes.size() <= at(box))
        return;
    if (!QRectF(viewport()->rect()).contains(boxRectInViewport(box)))
        centerOn(m_scene.state().drawing->boxes[at(box)].rect.center());
}

int GraphView::boxInTheMiddle() const
{
    const DrawnGraph &drawing = *m_scene.state().drawing;
    const QPointF middle = mapToScene(viewport()->rect().center());
    int best = -1;
    double bestDistance = 0;
    for (std::size_t b = 0; b < drawing.boxes.size(); ++b) {
        const double distance = (drawing.boxes[b].rect.center() - middle).manhattanLength();
        if (!drawing.boxes[b].nodes.empty() && (best < 0 || distance < bestDistance)) {
            best = int(b);
            bestDistance = distance;
        }
    }
    return best;
}

GraphScene::Hit GraphView::hitAt(const QPoint &position) const
{
    return m_scene.hit(mapToScene(position), 4 / scale());
}

void GraphView::select(int box, Qt::KeyboardModifiers modifiers)
{
    NodeSelection *selection = m_scene.selection();
    if (!selection)
        return;
    const QScopedValueRollback<bool> own(m_ownChange, true);
    const std::vector<core::NodeId> &nodes = m_scene.state().drawing->boxes[at(box)].nodes;
    if (nodes.empty())
        return;
    NodeSelection::Nodes chosen(nodes.begin(), nodes.end());
    if (modifiers & (Qt::ControlModifier | Qt::ShiftModifier)) {
        NodeSelection::Nodes all = selection->nodes();
        const bool remove = (modifiers & Qt::ControlModifier) && m_scene.state().selected[at(box)];
        for (const core::NodeId node : chosen)
            remove ? void(all.erase(node)) : void(all.insert(node));
        chosen = std::move(all);
    }
    selection->select(chosen, nodes.front());
}

void GraphView::walk(Step step, bool extend)
{
    const DrawnGraph &drawing = *m_scene.state().drawing;
    const int from = m_scene.state().current;
    const int to = from < 0 ? boxInTheMiddle() : stepFrom(drawing, from, step);
    if (to < 0)
        return;
    select(to, extend ? Qt::ShiftModifier : Qt::NoModifier);
    ensureVisible(drawing.boxes[at(to)].rect, 60, 60);
}

void GraphView::growSelection(bool upstream, bool whole)
{
    const QScopedValueRollback<bool> own(m_ownChange, true);
    if (NodeSelection *selection = m_scene.selection())
        selection->select(grown(*m_scene.state().drawing, selection->nodes(), upstream, whole), selection->current());
}

void GraphView::invertSelection()
{
    const QScopedValueRollback<bool> own(m_ownChange, true);
    if (NodeSelection *selection = m_scene.selection())
        selection->select(inverted(*m_scene.state().drawing, selection->nodes()));
}

void GraphView::selectAll()
{
    const QScopedValueRollback<bool> own(m_ownChange, true);
    if (NodeSelection *selection = m_scene.selection())
        selection->select(inverted(*m_scene.state().drawing, {}), selection->current());
}

void GraphView::describeCurrent(int box)
{
    setAccessibleDescription(box < 0 ? QString() : boxDescription(m_scene.state(), box));
    if (box >= 0)
        announceBox(*this, box);
}

void GraphView::placeMinimap()
{
    const DrawnGraph &drawing = *m_scene.state().drawing;
    const bool all = QRectF(viewport()->rect()).contains(mapFromScene(drawing.bounds).boundingRect());
    m_minimap->setVisible(m_minimapWanted && !drawing.boxes.empty() && !all && viewport()->width() > 300 && viewport()->height() > 200);
    m_minimap->place(viewport()->geometry().adjusted(0, 0, -10, -10));
}

void GraphView::resizeEvent(QResizeEvent *event)
{
    QGraphicsView::resizeEvent(event);
    placeMinimap();
}

void GraphView::scrollContentsBy(int dx, int dy)
{
    QGraphicsView::scrollContentsBy(dx, dy);
    Q_EMIT viewMoved();
}

void GraphView::drawForeground(QPainter *painter, const QRectF &)
{
    if (!m_scene.state().drawing->boxes.empty())
        return;
    painter->resetTransform();
    painter->setPen(m_scene.state().theme.mutedText);
    painter->setFont(font());
    painter->drawText(viewport()->rect().adjusted(20, 20, -20, -20), Qt::AlignCenter | Qt::TextWordWrap, m_emptyText);
}

} // namespace widgets

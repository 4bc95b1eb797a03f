// Mouse, wheel and keyboard of GraphView.
#include "widgets/graph/graph_view.h"

#include "widgets/graph/edge_item.h"

#include <QApplication>
#include <QContextMenuEvent>
#include <QHelpEvent>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QRubberBand>
#include <QScrollBar>
#include <QToolTip>
#include <QWheelEvent>

#include <cmath>

namespace widgets {

void GraphView::wheelEvent(QWheelEvent *event)
{
    const bool control = event->modifiers() & Qt::ControlModifier;
    if (control == m_wheelZooms) {
        // Without Ctrl, which would turn scrolling into page steps.
        QWheelEvent plain(event->position(), event->globalPosition(), event->pixelDelta(), event->angleDelta(), event->buttons(),
                          event->modifiers() & ~Qt::ControlModifier, event->phase(), event->inverted());
        return QGraphicsView::wheelEvent(&plain);
    }
    zoomAt(scale() * std::pow(1.0015, event->angleDelta().y()), event->position().toPoint());
    event->accept();
}

void GraphView::mousePressEvent(QMouseEvent *event)
{
    m_pressed = event->position().toPoint();
    m_dragging = false;
    if (event->button() == Qt::MiddleButton) {
        m_panning = true;
        viewport()->setCursor(Qt::ClosedHandCursor);
    } else if (event->button() == Qt::LeftButton) {
        m_pressedOn = hitAt(m_pressed);
        if (m_pressedOn.box >= 0)
            select(m_pressedOn.box, event->modifiers());
    }
    event->accept();
}

void GraphView::mouseMoveEvent(QMouseEvent *event)
{
    const QPoint position = event->position().toPoint();
    if (m_panning) {
        scrollBy(m_pressed - position);
        m_pressed = position;
        return;
    }
    if (!(event->buttons() & Qt::LeftButton)) {
        const GraphScene::Hit hit = hitAt(position);
        const bool mark = hit.mark >= 0 && m_scene.state().marks[std::size_t(hit.mark)].switchable;
        viewport()->setCursor(mark || hit.frame ? Qt::PointingHandCursor : Qt::ArrowCursor);
        return;
    }
    if (m_pressedOn.box >= 0)
        return;
    if (!m_dragging && (position - m_pressed).manhattanLength() >= QApplication::startDragDistance()) {
        m_dragging = true;
        if (!m_band)
            m_band = new QRubberBand(QRubberBand::Rectangle, viewport());
        m_band->show();
    }
    if (m_dragging)
        m_band->setGeometry(QRect(m_pressed, position).normalized());
}

void GraphView::mouseReleaseEvent(QMouseEvent *event)
{
    if (event->button() == Qt::MiddleButton) {
        m_panning = false;
        viewport()->unsetCursor();
        return;
    }
    if (event->button() != Qt::LeftButton)
        return;
    NodeSelection *selection = m_scene.selection();
    const bool extend = event->modifiers() & (Qt::ControlModifier | Qt::ShiftModifier);
    if (m_dragging) {
        m_dragging = false;
        m_band->hide();
        const QScopedValueRollback<bool> own(m_ownChange, true);
        NodeSelection::Nodes nodes = extend && selection ? selection->nodes() : NodeSelection::Nodes{};
        for (const int box : m_scene.boxesIn(mapToScene(m_band->geometry()).boundingRect())) {
            const auto &members = m_scene.state().drawing->boxes[std::size_t(box)].nodes;
            nodes.insert(members.begin(), members.end());
        }
        if (selection)
            selection->select(nodes);
        return;
    }
    if (m_pressedOn.box >= 0)
        return;
    const GraphScene::Hit hit = hitAt(event->position().toPoint());
    if (hit.mark >= 0 && hit.mark == m_pressedOn.mark) {
        const QuantizerMark &mark = m_scene.state().marks[std::size_t(hit.mark)];
        if (mark.switchable)
            Q_EMIT quantizerClicked(mark.value, mark.consumer, mark.inputIndex);
    } else if (hit.trunk >= 0 && hit.trunk == m_pressedOn.trunk) {
        Q_EMIT tensorClicked(m_scene.state().drawing->trunks[std::size_t(hit.trunk)].value);
    } else if (hit.frame) {
        Q_EMIT blockClosed(hit.frame);
    } else if (selection && !extend) {
        selection->clear();
    }
}

void GraphView::mouseDoubleClickEvent(QMouseEvent *event)
{
    const GraphScene::Hit hit = hitAt(event->position().toPoint());
    if (event->button() != Qt::LeftButton || hit.box < 0)
        return mousePressEvent(event);
    const DrawnBox &box = m_scene.state().drawing->boxes[std::size_t(hit.box)];
    m_pressedOn = hit;
    if (box.kind == BoxKind::Block)
        Q_EMIT blockOpened(box.key());
    else if (box.kind == BoxKind::Node)
        Q_EMIT inspectorRequested(box.key());
}

void GraphView::contextMenuEvent(QContextMenuEvent *event)
{
    const bool byMouse = event->reason() == QContextMenuEvent::Mouse;
    const int box = byMouse ? hitAt(event->pos()).box : m_scene.state().current;
    if (box >= 0 && !m_scene.state().selected[std::size_t(box)])
        select(box, Qt::NoModifier);
    const QPoint where = byMouse || box < 0 ? event->globalPos() : viewport()->mapToGlobal(boxRectInViewport(box).center().toPoint());
    Q_EMIT menuRequested(box < 0 ? core::NodeId{} : m_scene.state().drawing->boxes[std::size_t(box)].key(), where);
    event->accept();
}

void GraphView::keyPressEvent(QKeyEvent *event)
{
    const bool shift = event->modifiers() & Qt::ShiftModifier, control = event->modifiers() & Qt::ControlModifier;
    const int current = m_scene.state().current;
    const DrawnBox *box = current >= 0 ? &m_scene.state().drawing->boxes[std::size_t(current)] : nullptr;
    switch (event->key()) {
    case Qt::Key_Up: return walk(Step::ToProducer, shift);
    case Qt::Key_Down: return walk(Step::ToConsumer, shift);
    case Qt::Key_Left:
    case Qt::Key_Right:
        if (event->modifiers() & Qt::AltModifier)
            break; // history of the selection
        return walk(event->key() == Qt::Key_Left ? Step::ToLeft : Step::ToRight, shift);
    case Qt::Key_Return:
    case Qt::Key_Enter:
        if (box && box->kind == BoxKind::Block && shift)
            Q_EMIT blockOpened(box->key());
        else if (box)
            Q_EMIT inspectorRequested(m_scene.selection()->current());
        return;
    case Qt::Key_Space:
        if (m_scene.selection() && !m_scene.selection()->nodes().empty()) {
            const NodeSelection::Nodes nodes = m_scene.selection()->nodes();
            Q_EMIT quantizationToggled(std::vector<core::NodeId>(nodes.begin(), nodes.end()));
        }
        return;
    case Qt::Key_Backspace: // closes the opened block around the current node
        for (const DrawnFrame &frame : m_scene.state().drawing->frames)
            if (std::find(frame.boxes.begin(), frame.boxes.end(), current) != frame.boxes.end()) {
                const core::NodeId key = frame.key; // the frame goes with the drawing
                Q_EMIT blockClosed(key);
                return;
            }
        return;
    case Qt::Key_Escape:
        if (m_scene.selection() && !m_scene.selection()->nodes().empty())
            return m_scene.selection()->clear();
        break;
    case Qt::Key_0:
        if (control)
            return fitAll();
        break;
    case Qt::Key_1:
        if (control)
            return showActualSize();
        break;
    case Qt::Key_A:
        if (control)
            return selectAll();
        break;
    case Qt::Key_Plus:
    case Qt::Key_Equal: return zoomBy(1.25);
    case Qt::Key_Minus: return zoomBy(0.8);
    case Qt::Key_PageUp:
    case Qt::Key_PageDown:
        verticalScrollBar()->triggerAction(event->key() == Qt::Key_PageUp ? QScrollBar::SliderPageStepSub : QScrollBar::SliderPageStepAdd);
        return;
    default: break;
    }
    event->ignore(); // shortcuts of the window
}

bool GraphView::viewportEvent(QEvent *event)
{
    if (event->type() == QEvent::ToolTip) {
        const auto *help = static_cast<QHelpEvent *>(event);
        const QString text = m_scene.toolTipAt(hitAt(help->pos()));
        if (text.isEmpty())
            QToolTip::hideText();
        else
            QToolTip::showText(help->globalPos(), text, viewport());
        return true;
    }
    return QGraphicsView::viewportEvent(event);
}

} // namespace widgets

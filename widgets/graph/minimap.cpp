#include "widgets/graph/minimap.h"

#include "widgets/graph/graph_view.h"

#include <QMouseEvent>
#include <QPainter>

#include <algorithm>

namespace widgets {
namespace {

constexpr int padding = 6;

} // namespace

Minimap::Minimap(GraphView &view) : QWidget(&view), m_view(view)
{
    setAccessibleName(tr("Overview map"));
    setToolTip(tr("The whole graph. Click or drag to move the view."));
    setCursor(Qt::PointingHandCursor);
    hide();
}

void Minimap::place(const QRect &area)
{
    const QRectF bounds = m_view.graphScene().state().drawing->bounds;
    if (bounds.isEmpty())
        return;
    const QSizeF most(std::min(220.0, area.width() * 0.3), std::min(360.0, area.height() * 0.55));
    QSizeF size = bounds.size().scaled(most, Qt::KeepAspectRatio);
    size = size.expandedTo(QSizeF(28, 28)) + QSizeF(2 * padding, 2 * padding);
    const QRect place(QPoint(area.right() - int(size.width()), area.bottom() - int(size.height())), size.toSize());
    if (place.size() != geometry().size())
        m_pixmap = {};
    setGeometry(place);
    raise();
}

void Minimap::refresh()
{
    m_pixmap = {};
    update();
}

QTransform Minimap::toMap() const
{
    const QRectF bounds = m_view.graphScene().state().drawing->bounds;
    const QRectF inside = QRectF(rect()).adjusted(padding, padding, -padding, -padding);
    const double scale = std::min(inside.width() / std::max(1.0, bounds.width()), inside.height() / std::max(1.0, bounds.height()));
    return QTransform(scale, 0, 0, scale, inside.center().x() - bounds.center().x() * scale, inside.center().y() - bounds.center().y() * scale);
}

void Minimap::draw()
{
    const SceneState &state = m_view.graphScene().state();
    const double ratio = devicePixelRatioF();
    m_pixmap = QPixmap(size() * ratio);
    m_pixmap.setDevicePixelRatio(ratio);
    QColor ground = state.theme.window;
    ground.setAlphaF(0.94f);
    m_pixmap.fill(Qt::transparent);
    QPainter painter(&m_pixmap);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(QPen(state.theme.grid, 1));
    painter.setBrush(ground);
    painter.drawRoundedRect(QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5), 6, 6);
    painter.setRenderHint(QPainter::Antialiasing, false);
    const QTransform map = toMap();
    for (std::size_t b = 0; b < state.drawing->boxes.size(); ++b) {
        const QRectF r = map.mapRect(state.drawing->boxes[b].rect);
        const BoxLook &look = state.looks[b];
        // Quiet fills need their outline's help at this size.
        const QColor fill = look.fill == state.theme.canvas ? state.theme.edge
            : isMetric(state.overlay)                       ? look.fill
            : state.theme.isDark                            ? look.fill.lighter(125)
                                                            : look.fill.darker(125);
        painter.fillRect(QRectF(r.topLeft(), r.size().expandedTo(QSizeF(1.5, 1))), fill);
        if (look.worst)
            painter.fillRect(QRectF(r.topRight() + QPointF(2, 0), QSizeF(3, std::max(1.5, r.height()))), state.theme.problem);
    }
}

void Minimap::paintEvent(QPaintEvent *)
{
    if (m_pixmap.isNull())
        draw();
    QPainter painter(this);
    painter.drawPixmap(0, 0, m_pixmap);
    const Theme &theme = m_view.graphScene().state().theme;
    const QRectF seen = toMap().mapRect(m_view.mapToScene(m_view.viewport()->rect()).boundingRect());
    QColor veil = theme.selection;
    veil.setAlphaF(0.12f);
    painter.setPen(QPen(theme.selection, 1));
    painter.setBrush(veil);
    painter.drawRect(seen.intersected(QRectF(rect()).adjusted(1.5, 1.5, -2.5, -2.5)));
}

void Minimap::moveTo(const QPointF &position)
{
    m_view.centerOn(toMap().inverted().map(position));
}

void Minimap::mousePressEvent(QMouseEvent *event)
{
    moveTo(event->position());
}

void Minimap::mouseMoveEvent(QMouseEvent *event)
{
    if (event->buttons() & Qt::LeftButton)
        moveTo(event->position());
}

} // namespace widgets

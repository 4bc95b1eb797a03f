#include "widgets/graph/edge_item.h"

#include <QLineF>
#include <QPainter>

#include <algorithm>

namespace widgets {
namespace {

constexpr QSizeF markSize(24, 13);
constexpr double compactMark = 7;

void appendRounded(QPainterPath &path, const std::vector<QPointF> &line, double radius)
{
    if (line.size() < 2)
        return;
    path.moveTo(line.front());
    for (std::size_t i = 1; i + 1 < line.size(); ++i) {
        const QLineF in(line[i], line[i - 1]), out(line[i], line[i + 1]);
        const double r = std::min({radius, in.length() / (i == 1 ? 1 : 2), out.length() / (i + 2 == line.size() ? 1 : 2)});
        path.lineTo(in.pointAt(in.length() > 0 ? r / in.length() : 0));
        path.quadTo(line[i], out.pointAt(out.length() > 0 ? r / out.length() : 0));
    }
    path.lineTo(line.back());
}

double distanceTo(const QPointF &a, const QPointF &b, const QPointF &p)
{
    const QPointF ab = b - a;
    const double square = QPointF::dotProduct(ab, ab);
    const double t = square > 0 ? std::clamp(QPointF::dotProduct(p - a, ab) / square, 0.0, 1.0) : 0;
    return QLineF(p, a + t * ab).length();
}

} // namespace

QPainterPath roundedPath(const std::vector<QPointF> &line, double radius)
{
    QPainterPath path;
    appendRounded(path, line, radius);
    return path;
}

EdgeItem::EdgeItem(const SceneState &state, int trunk) : m_state(state), m_trunk(trunk)
{
    setZValue(-1);
    double left = 1e18, top = 1e18, right = -1e18, bottom = -1e18;
    for (const auto &stroke : drawn().strokes) {
        appendRounded(m_path, stroke, state.drawing->mode == GraphMode::Overview ? 4 : 7);
        for (const QPointF &p : stroke) {
            left = std::min(left, p.x());
            right = std::max(right, p.x());
            top = std::min(top, p.y());
            bottom = std::max(bottom, p.y());
        }
    }
    m_bounds = QRectF(QPointF(left, top), QPointF(right, bottom)).adjusted(-16, -4, 16 + markSize.width() * 2, 4);
    findMarks();
}

void EdgeItem::findMarks()
{
    m_marks.clear();
    if (m_state.marks.empty())
        return;
    for (const DrawnEnd &end : drawn().ends) {
        int place = 0;
        for (const DrawnUse &use : end.uses) {
            const int index = use.node ? use.inputIndex : -1 - drawn().value.index;
            const auto found = m_state.markOf.find({use.node, index});
            if (found == m_state.markOf.end() || place >= 3)
                continue;
            QRectF rect(QPointF(), m_state.drawing->mode == GraphMode::Overview ? QSizeF(compactMark, compactMark) : markSize);
            rect.moveCenter(end.line.back() - QPointF(0, m_state.drawing->mode == GraphMode::Overview ? 7.5 : 13));
            rect.translate(place++ * (rect.width() + 2), 0);
            m_marks.push_back({found->second, rect});
        }
    }
}

std::optional<std::size_t> EdgeItem::markAt(const QPointF &point) const
{
    for (const Placed &placed : m_marks)
        if (placed.rect.adjusted(-2, -2, 2, 2).contains(point))
            return placed.mark;
    return {};
}

std::optional<QRectF> EdgeItem::markRect(std::size_t mark) const
{
    for (const Placed &placed : m_marks)
        if (placed.mark == mark)
            return placed.rect;
    return {};
}

bool EdgeItem::isNear(const QPointF &point, double distance) const
{
    for (const auto &stroke : drawn().strokes)
        for (std::size_t i = 1; i < stroke.size(); ++i)
            if (distanceTo(stroke[i - 1], stroke[i], point) <= distance)
                return true;
    return false;
}

void EdgeItem::paint(QPainter *painter, const QStyleOptionGraphicsItem *, QWidget *)
{
    const Theme &theme = m_state.theme;
    const DetailLevel level = m_state.level(painter->worldTransform().m11(), m_state.drawing->mode == GraphMode::Overview);
    const bool fromSelected = m_state.selected[std::size_t(drawn().source)];
    if (level == DetailLevel::Tiny) {
        painter->setPen(QPen(fromSelected ? theme.selection : theme.edge, 0));
        for (const auto &stroke : drawn().strokes)
            painter->drawPolyline(stroke.data(), int(stroke.size()));
        return;
    }
    painter->setBrush(Qt::NoBrush);
    painter->setPen(QPen(fromSelected ? theme.selection : theme.edge, fromSelected ? 2 : 1.3));
    painter->drawPath(m_path);
    for (const DrawnEnd &end : drawn().ends) {
        const bool marked = fromSelected || m_state.selected[std::size_t(end.box)];
        if (marked && !fromSelected) {
            painter->setPen(QPen(theme.selection, 2));
            painter->setBrush(Qt::NoBrush);
            painter->drawPath(roundedPath(end.line, m_state.drawing->mode == GraphMode::Overview ? 4 : 7));
        }
        const QPointF tip = end.line.back();
        painter->setPen(Qt::NoPen);
        painter->setBrush(marked ? theme.selection : theme.edge);
        const double size = m_state.drawing->mode == GraphMode::Overview ? 3 : 4;
        painter->drawPolygon(QPolygonF({tip, tip + QPointF(-size, -size * 1.5), tip + QPointF(size, -size * 1.5)}));
    }
    paintMarks(painter, level);
}

void EdgeItem::paintMarks(QPainter *painter, DetailLevel level) const
{
    const Theme &theme = m_state.theme;
    for (const Placed &placed : m_marks) {
        const QuantizerMark &mark = m_state.marks[placed.mark];
        const QColor fill = mark.on ? theme.fill(mark.dtype) : theme.canvas;
        painter->setPen(QPen(mark.on ? theme.isDark ? theme.edge : theme.outline : theme.mutedText, 1, mark.on ? Qt::SolidLine : Qt::DashLine));
        painter->setBrush(fill);
        const double corner = placed.rect.height() / 2;
        painter->drawRoundedRect(placed.rect, corner, corner);
        if (level != DetailLevel::Near || m_state.drawing->mode == GraphMode::Overview)
            continue;
        painter->setFont(m_state.fonts.badge);
        painter->setPen(mark.on ? theme.textOn(fill) : theme.mutedText);
        painter->drawText(placed.rect, Qt::AlignCenter, mark.on ? mark.badge : QStringLiteral("f32"));
    }
}

} // namespace widgets

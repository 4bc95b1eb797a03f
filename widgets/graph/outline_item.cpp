#include "widgets/graph/outline_item.h"

#include <QFontMetricsF>
#include <QPainter>

#include <algorithm>

namespace widgets {
namespace {

constexpr double titleHeight = 15;

} // namespace

OutlineItem::OutlineItem(const SceneState &state, const QRectF &rect, const QString &title, core::NodeId key)
    : m_state(state), m_rect(rect), m_shown(QStringLiteral("▾ ") + title), m_key(key)
{
    setZValue(key ? -3 : -2);
}

bool OutlineItem::titleContains(const QPointF &point) const
{
    return titleRect().contains(point);
}

QRectF OutlineItem::titleRect() const
{
    if (!m_key)
        return {};
    const double wanted = QFontMetricsF(m_state.fonts.small).horizontalAdvance(m_shown) + 8;
    return QRectF(m_rect.left() + 8, m_rect.top() - titleHeight / 2, std::min(wanted, m_rect.width() / 2 - 22), titleHeight);
}

void OutlineItem::paint(QPainter *painter, const QStyleOptionGraphicsItem *, QWidget *)
{
    const Theme &theme = m_state.theme;
    const DetailLevel level = m_state.level(painter->worldTransform().m11(), false);
    if (level == DetailLevel::Tiny && !m_key)
        return;
    painter->setPen(QPen(m_key ? theme.mutedText : theme.edge, 1, m_key ? Qt::DashLine : Qt::SolidLine));
    painter->setBrush(m_key ? QBrush(Qt::NoBrush) : QBrush(theme.window));
    painter->drawRoundedRect(m_rect, 8, 8);
    if (m_key && level != DetailLevel::Tiny) {
        painter->setFont(m_state.fonts.small);
        painter->fillRect(titleRect(), theme.canvas);
        painter->setPen(theme.mutedText);
        const QString text = QFontMetricsF(m_state.fonts.small).elidedText(m_shown, Qt::ElideRight, titleRect().width() - 4);
        painter->drawText(titleRect(), Qt::AlignCenter, text);
    }
}

} // namespace widgets

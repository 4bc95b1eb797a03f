#include "widgets/graph/outline_item.h"

#include <QPainter>

namespace widgets {
namespace {

constexpr double titleHeight = 18;

} // namespace

OutlineItem::OutlineItem(const SceneState &state, const QRectF &rect, const QString &title, core::NodeId key)
    : m_state(state), m_rect(rect), m_title(title), m_key(key)
{
    setZValue(key ? -3 : -2);
}

bool OutlineItem::titleContains(const QPointF &point) const
{
    return m_key && QRectF(m_rect.topLeft(), QSizeF(m_rect.width(), titleHeight)).contains(point);
}

void OutlineItem::paint(QPainter *painter, const QStyleOptionGraphicsItem *, QWidget *)
{
    const Theme &theme = m_state.theme;
    const DetailLevel level = m_state.level(painter->worldTransform().m11(), false);
    if (level == DetailLevel::Tiny && !m_key)
        return;
    painter->setPen(QPen(m_key ? theme.mutedText : theme.edge, 1, m_key ? Qt::DashLine : Qt::SolidLine));
    painter->setBrush(m_key ? QBrush(Qt::NoBrush) : QBrush(theme.isDark ? theme.window : theme.grid));
    painter->drawRoundedRect(m_rect, 8, 8);
    if (m_key && level != DetailLevel::Tiny) {
        painter->setFont(m_state.fonts.small);
        painter->setPen(theme.mutedText);
        painter->drawText(m_rect.adjusted(8, 1, -8, 0), Qt::AlignLeft | Qt::AlignTop, QStringLiteral("▾ ") + m_title);
    }
}

} // namespace widgets

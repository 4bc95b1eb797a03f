#include "widgets/graph/node_item.h"

#include <QFontMetricsF>
#include <QPainter>

namespace widgets {
namespace {

constexpr double radius = 5, margin = 9;

QStaticText prepared(const QString &text, const QFont &font)
{
    QStaticText result(text);
    result.setTextFormat(Qt::PlainText);
    result.setPerformanceHint(QStaticText::AggressiveCaching);
    result.prepare({}, font);
    return result;
}

/// The end of a path says more than its beginning.
QString elided(const QString &text, const QFont &font, double width)
{
    return QFontMetricsF(font).elidedText(text, text.contains(QLatin1Char('/')) ? Qt::ElideLeft : Qt::ElideMiddle, width);
}

QString elidedRight(const QString &text, const QFont &font, double width)
{
    return QFontMetricsF(font).elidedText(text, Qt::ElideRight, width);
}

} // namespace

NodeItem::NodeItem(const SceneState &state, int box)
    : m_state(state), m_box(box), m_size(state.drawing->boxes[std::size_t(box)].rect.size())
{
    setPos(drawn().rect.topLeft());
}

QRectF NodeItem::boundingRect() const
{
    return QRectF(QPointF(), m_size).adjusted(-4, -4, 4, 4);
}

void NodeItem::paint(QPainter *painter, const QStyleOptionGraphicsItem *, QWidget *)
{
    const BoxLook &look = m_state.looks[std::size_t(m_box)];
    const DetailLevel level = m_state.level(painter->worldTransform().m11(), drawn().compact);
    if (level == DetailLevel::Tiny) {
        const bool selected = m_state.selected[std::size_t(m_box)];
        const bool plain = look.fill == m_state.theme.canvas;
        painter->fillRect(QRectF(QPointF(), m_size), selected ? m_state.theme.selection : plain ? look.outline : look.fill);
        return;
    }
    if (m_generation != m_state.textGeneration)
        prepareTexts();
    paintPlate(painter, look);
    if (level == DetailLevel::Middle)
        paintMiddle(painter, look);
    else if (drawn().compact || drawn().kind == BoxKind::Input || drawn().kind == BoxKind::Output)
        paintCompact(painter, look);
    else
        paintNear(painter, look);
}

void NodeItem::prepareTexts()
{
    m_generation = m_state.textGeneration;
    const DrawnBox &box = drawn();
    const BoxLook &look = m_state.looks[std::size_t(m_box)];
    const GraphFonts &fonts = m_state.fonts;
    const bool terminal = box.kind == BoxKind::Input || box.kind == BoxKind::Output;
    const double inner = m_size.width() - 2 * margin;
    if (box.compact || terminal) {
        const QFont &font = terminal ? fonts.small : fonts.compact;
        const double metric = QFontMetricsF(fonts.small).horizontalAdvance(look.metric);
        const QString title = terminal ? box.title : box.subtitle;
        const double left = inner - (look.metric.isEmpty() || metric > inner * 0.66 ? 0 : metric + 6);
        m_title = prepared(terminal ? elided(title, font, left) : elidedRight(title, font, left), font);
        m_metric = prepared(left < inner ? look.metric : QString(), fonts.small);
    } else {
        const double badge = look.badge.isEmpty() ? 0 : 34;
        const double room = inner - badge;
        m_title = prepared(box.kind == BoxKind::Block ? elidedRight(box.title, fonts.name, room) : elided(box.title, fonts.name, room), fonts.name);
        const QFontMetricsF metrics(fonts.small);
        const double space = inner - 8 - (look.worst ? 6 : 0) - (box.kind == BoxKind::Block ? 4 : 0);
        const double wanted = metrics.horizontalAdvance(box.subtitle);
        // The operator before a shape, a number before everything.
        const QString metric = isMetric(m_state.overlay) ? look.metric : metrics.elidedText(look.metric, Qt::ElideLeft, std::max(40.0, space - wanted));
        m_metric = prepared(metric, fonts.small);
        m_subtitle = prepared(metrics.elidedText(box.subtitle, Qt::ElideRight, space - metrics.horizontalAdvance(metric) + 1), fonts.small);
        m_badge = prepared(look.badge, fonts.badge);
    }
    const QString shortName = box.kind == BoxKind::Block ? box.title : box.kind == BoxKind::Node ? box.subtitle : box.title;
    const QFont &far = box.compact ? fonts.compactLarge : fonts.large;
    m_operator = prepared(elidedRight(shortName, far, m_size.width() - 8), far);
}

void NodeItem::paintPlate(QPainter *painter, const BoxLook &look) const
{
    const Theme &theme = m_state.theme;
    const QRectF rect = QRectF(QPointF(), m_size);
    const bool terminal = drawn().kind == BoxKind::Input || drawn().kind == BoxKind::Output;
    const double corner = terminal ? m_size.height() / 2 : radius;
    if (m_state.selected[std::size_t(m_box)]) {
        const bool current = m_box == m_state.current;
        painter->setPen(QPen(theme.selection, current ? 4.5 : 3));
        painter->setBrush(Qt::NoBrush);
        painter->drawRoundedRect(rect.adjusted(-1, -1, 1, 1), corner + 1, corner + 1);
    }
    if (drawn().kind == BoxKind::Block) { // a second sheet behind it: there is more inside
        painter->setPen(QPen(look.outline, 1));
        painter->setBrush(look.fill);
        painter->drawRoundedRect(rect.adjusted(5, 3.5, -1.5, -0.5), corner, corner);
    }
    QPen pen(look.outline, 1);
    if (look.excluded)
        pen.setStyle(Qt::DashLine);
    painter->setPen(pen);
    painter->setBrush(look.fill);
    const QRectF plate = drawn().kind == BoxKind::Block ? rect.adjusted(0.5, 0.5, -4.5, -3.5) : rect.adjusted(0.5, 0.5, -0.5, -0.5);
    painter->drawRoundedRect(plate, corner, corner);
    if (look.hatched && m_state.overlay == Overlay::Dtype) {
        QColor line = look.text;
        line.setAlphaF(0.16f);
        painter->setPen(Qt::NoPen);
        painter->setBrush(QBrush(line, Qt::BDiagPattern));
        painter->drawRoundedRect(plate, corner, corner);
    }
}

void NodeItem::paintBadge(QPainter *painter, const BoxLook &look, QRectF rect) const
{
    if (look.badge.isEmpty())
        return;
    painter->setPen(QPen(look.badgeOutline, 1));
    painter->setBrush(look.badgeFill);
    painter->drawRoundedRect(rect, 3, 3);
    if (look.hatched) {
        QColor line = look.badgeText;
        line.setAlphaF(0.35f);
        painter->setPen(Qt::NoPen);
        painter->setBrush(QBrush(line, Qt::BDiagPattern));
        painter->drawRoundedRect(rect, 3, 3);
    }
    painter->setPen(look.badgeText);
    painter->setFont(m_state.fonts.badge);
    painter->drawStaticText(QPointF(rect.center().x() - m_badge.size().width() / 2, rect.center().y() - m_badge.size().height() / 2), m_badge);
}

void NodeItem::paintWorst(QPainter *painter, const BoxLook &look) const
{
    if (!look.worst)
        return;
    const bool block = drawn().kind == BoxKind::Block;
    const double w = m_size.width() - (block ? 4 : 0), h = m_size.height() - (block ? 3 : 0);
    painter->setPen(QPen(m_state.theme.canvas, 1));
    painter->setBrush(m_state.theme.problem);
    painter->drawPolygon(QPolygonF({QPointF(w, h - 13), QPointF(w, h), QPointF(w - 13, h)}));
}

void NodeItem::paintNear(QPainter *painter, const BoxLook &look)
{
    const double right = m_size.width() - margin - (drawn().kind == BoxKind::Block ? 4 : 0);
    painter->setFont(m_state.fonts.name);
    painter->setPen(look.text);
    painter->drawStaticText(QPointF(margin, 6), m_title);
    painter->setFont(m_state.fonts.small);
    painter->setPen(look.mutedText);
    painter->drawStaticText(QPointF(margin, 24), m_subtitle);
    painter->setPen(look.text);
    QFont italic = m_state.fonts.small;
    italic.setItalic(look.stale);
    painter->setFont(italic);
    painter->drawStaticText(QPointF(right - m_metric.size().width() - (look.worst ? 6 : 0), 24), m_metric);
    paintBadge(painter, look, QRectF(right - 27, 6.5, 28, 15));
    paintWorst(painter, look);
}

void NodeItem::paintCompact(QPainter *painter, const BoxLook &look)
{
    const bool terminal = drawn().kind == BoxKind::Input || drawn().kind == BoxKind::Output;
    const auto top = [this](const QStaticText &text) { return (m_size.height() - text.size().height()) / 2; };
    painter->setFont(terminal ? m_state.fonts.small : m_state.fonts.compact);
    painter->setPen(look.text);
    const bool alone = m_metric.text().isEmpty();
    painter->drawStaticText(QPointF(terminal && alone ? (m_size.width() - m_title.size().width()) / 2 : margin, top(m_title)), m_title);
    if (!alone) {
        painter->setFont(m_state.fonts.small);
        painter->setPen(look.mutedText);
        painter->drawStaticText(QPointF(m_size.width() - margin - m_metric.size().width(), top(m_metric)), m_metric);
    }
    paintWorst(painter, look);
}

void NodeItem::paintMiddle(QPainter *painter, const BoxLook &look)
{
    painter->setFont(drawn().compact ? m_state.fonts.compactLarge : m_state.fonts.large);
    painter->setPen(look.text);
    const QSizeF text = m_operator.size();
    painter->drawStaticText(QPointF((m_size.width() - text.width()) / 2, (m_size.height() - text.height()) / 2), m_operator);
    paintWorst(painter, look);
}

} // namespace widgets

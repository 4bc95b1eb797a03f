#include "widgets/charts/indexed_chart.h"

#include <QGuiApplication>
#include <QKeyEvent>

#include <algorithm>
#include <cmath>

namespace widgets {

void IndexedChart::listen()
{
    plot()->paintMarks = [this](QPainter &painter) { paintSlots(painter); };
    plot()->toolTipAt = [this](QPointF position) {
        const int slot = slotAt(position);
        return slot >= 0 ? slotToolTip(slot) : QString();
    };
    plot()->handleKey = [this](QKeyEvent *event, bool press) { return handleKey(event, press); };
    connect(plot(), &PlotView::pressed, this, [this](QPointF position) { m_pressedAt = position; });
    connect(plot(), &PlotView::moved, this, [this](QPointF position) {
        const int slot = slotAt(position);
        if (slot == m_hovered)
            return;
        m_hovered = slot;
        plot()->viewport()->setCursor(slot >= 0 ? Qt::PointingHandCursor : Qt::ArrowCursor);
        plot()->viewport()->update();
    });
    connect(plot(), &PlotView::released, this, [this](QPointF position) {
        const int slot = slotAt(position);
        if (slot < 0 || slot != slotAt(m_pressedAt))
            return;
        setCurrentSlot(slot);
        slotChosen(slot, QGuiApplication::keyboardModifiers() & (Qt::ControlModifier | Qt::ShiftModifier));
    });
}

void IndexedChart::fitSlots(const QString &title)
{
    m_hovered = -1;
    if (m_current >= slotCount())
        m_current = -1;
    plot()->setXLabels([this](double from, double to) {
        PlotScale::Ticks ticks;
        const QFontMetricsF metrics(plot()->font());
        const double slotWidth = plot()->area().width() / std::max(to - from, 1e-9);
        const int first = std::max(0, int(std::ceil(from))), last = std::min(slotCount() - 1, int(std::floor(to)));
        if (slotWidth > metrics.averageCharWidth() * 9) {
            for (int slot = first; slot <= last; ++slot)
                ticks.emplace_back(slot, metrics.elidedText(slotName(slot), Qt::ElideMiddle, slotWidth - 8));
            return ticks;
        }
        const int every = std::max(1, int(std::ceil(metrics.averageCharWidth() * 6 / slotWidth)));
        int step = 1;
        for (int i = 0; step < every; ++i)
            step = step * (i % 3 == 1 ? 5 : 4) / 2; // 2, 5, 10, 20, 50, …
        for (int slot = first; slot <= last; ++slot)
            if ((slot + 1) % step == 0 || (step > 1 && slot == 0))
                ticks.emplace_back(slot, QString::number(slot + 1));
        return ticks;
    });
    plot()->setX(PlotScale(ScaleKind::Linear, -0.6, std::max(slotCount(), 1) - 0.4), title);
}

void IndexedChart::setCurrentSlot(int slot)
{
    m_current = slot;
    if (slot >= 0)
        plot()->reveal(slot);
    plot()->viewport()->update();
}

int IndexedChart::slotAt(QPointF position) const
{
    if (isEmpty() || !plot()->area().contains(position))
        return -1;
    const int slot = int(std::lround(plot()->xAt(position.x())));
    return slot >= 0 && slot < slotCount() ? slot : -1;
}

QRectF IndexedChart::slotRect(int slot) const
{
    const QRectF area = plot()->area();
    const double left = plot()->xOf(slot - 0.5), right = plot()->xOf(slot + 0.5);
    return {left, area.top(), right - left, area.height()};
}

QPointF IndexedChart::slotCenter(int slot) const { return slotRect(slot).center(); }

std::pair<int, int> IndexedChart::shownSlots() const
{
    const QRectF area = plot()->area();
    return {std::max(0, int(std::floor(plot()->xAt(area.left())))), std::min(slotCount() - 1, int(std::ceil(plot()->xAt(area.right()))))};
}

void IndexedChart::paintNote(QPainter &painter, int slot, double y, const QString &text) const
{
    const QRectF area = plot()->area();
    const QFontMetricsF metrics(painter.font());
    const double width = std::min(metrics.horizontalAdvance(text) + 10, area.width());
    const double x = std::clamp(slotRect(slot).center().x() - width / 2, area.left(), area.right() - width);
    const QRectF box(x, std::clamp(y - metrics.height() - 8, area.top() - 6, area.bottom() - metrics.height() - 4), width, metrics.height() + 3);
    painter.setPen(QPen(theme().edge, 1));
    painter.setBrush(theme().window);
    painter.drawRoundedRect(box, 3, 3);
    painter.setPen(theme().text);
    painter.drawText(box.adjusted(5, 0, -5, 0), Qt::AlignCenter, metrics.elidedText(text, Qt::ElideMiddle, box.width() - 8));
}

bool IndexedChart::handleKey(QKeyEvent *event, bool press)
{
    const int count = slotCount();
    if (!press || count == 0)
        return false;
    int next = m_current;
    switch (event->key()) {
    case Qt::Key_Left: next = std::max(0, m_current < 0 ? 0 : m_current - 1); break;
    case Qt::Key_Right: next = std::min(count - 1, m_current + 1); break;
    case Qt::Key_Home: next = 0; break;
    case Qt::Key_End: next = count - 1; break;
    case Qt::Key_Return:
    case Qt::Key_Enter:
        if (m_current >= 0)
            slotChosen(m_current, false);
        return true;
    default: return false;
    }
    setCurrentSlot(next);
    slotChosen(next, event->modifiers() & Qt::ShiftModifier);
    return true;
}

} // namespace widgets

// A chart with one slot for each of many things in a row (layers, tensors, channels): pointing, clicking, walking with the arrow keys, and labels
// that are names where there is room and numbers where there is none.
#pragma once

#include "widgets/charts/chart_panel.h"

namespace widgets {

class IndexedChart : public ChartPanel {
    Q_OBJECT
public:
    using ChartPanel::ChartPanel;

    int currentSlot() const { return m_current; }
    QPointF slotCenter(int slot) const;

protected:
    /// To be called once by the constructor of the chart.
    void listen();
    virtual int slotCount() const = 0;
    virtual QString slotName(int slot) const = 0;
    virtual QString slotToolTip(int slot) const = 0;
    virtual void paintSlots(QPainter &painter) = 0;
    /// Clicked, or Enter on it. `add` = with Ctrl or Shift.
    virtual void slotChosen(int slot, bool add) = 0;

    void fitSlots(const QString &title);
    void setCurrentSlot(int slot);
    int slotAt(QPointF position) const;
    QRectF slotRect(int slot) const;               ///< full height of the plot area
    int hovered() const { return m_hovered; }
    /// Slots in view.
    std::pair<int, int> shownSlots() const;
    /// A note in a box beside a slot, kept inside the plot.
    void paintNote(QPainter &painter, int slot, double y, const QString &text) const;

private:
    bool handleKey(QKeyEvent *event, bool press);

    int m_current = -1, m_hovered = -1;
    QPointF m_pressedAt;
};

} // namespace widgets

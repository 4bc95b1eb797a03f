// One box of the drawing.
#pragma once

#include "widgets/graph/scene_state.h"

#include <QGraphicsItem>
#include <QStaticText>

namespace widgets {

class NodeItem : public QGraphicsItem {
public:
    enum { Type = UserType + 1 };

    NodeItem(const SceneState &state, int box);

    int box() const { return m_box; }
    int type() const override { return Type; }
    QRectF boundingRect() const override;
    void paint(QPainter *painter, const QStyleOptionGraphicsItem *option, QWidget *widget) override;

private:
    const DrawnBox &drawn() const { return m_state.drawing->boxes[std::size_t(m_box)]; }
    void prepareTexts();
    void paintPlate(QPainter *painter, const BoxLook &look) const;
    void paintNear(QPainter *painter, const BoxLook &look);
    void paintCompact(QPainter *painter, const BoxLook &look);
    void paintMiddle(QPainter *painter, const BoxLook &look);
    void paintBadge(QPainter *painter, const BoxLook &look, QRectF rect) const;
    void paintWorst(QPainter *painter, const BoxLook &look) const;

    const SceneState &m_state;
    const int m_box;
    const QSizeF m_size;
    int m_generation = -1;
    QStaticText m_title, m_subtitle, m_metric, m_operator, m_badge;
};

} // namespace widgets

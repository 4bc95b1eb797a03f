// An outline around boxes that belong together: nodes that run as one, or an opened block with its title.
#pragma once

#include "widgets/graph/scene_state.h"

#include <QGraphicsItem>

namespace widgets {

class OutlineItem : public QGraphicsItem {
public:
    enum { Type = UserType + 3 };

    /// With a key: an opened block.
    OutlineItem(const SceneState &state, const QRectF &rect, const QString &title = {}, core::NodeId key = {});

    core::NodeId key() const { return m_key; }
    bool titleContains(const QPointF &point) const;
    int type() const override { return Type; }
    QRectF boundingRect() const override { return m_rect.adjusted(-2, -9, 2, 2); }
    void paint(QPainter *painter, const QStyleOptionGraphicsItem *option, QWidget *widget) override;

private:
    QRectF titleRect() const;

    const SceneState &m_state;
    const QRectF m_rect;
    const QString m_shown;
    const core::NodeId m_key;
};

} // namespace widgets

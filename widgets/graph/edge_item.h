// One tensor: its trunk, arrow heads, and the quantizers on it.
#pragma once

#include "widgets/graph/scene_state.h"

#include <QGraphicsItem>
#include <QPainterPath>

#include <optional>

namespace widgets {

class EdgeItem : public QGraphicsItem {
public:
    enum { Type = UserType + 2 };

    EdgeItem(const SceneState &state, int trunk);

    int trunk() const { return m_trunk; }
    int type() const override { return Type; }
    QRectF boundingRect() const override { return m_bounds; }
    void paint(QPainter *painter, const QStyleOptionGraphicsItem *option, QWidget *widget) override;

    /// Looks up the marks of its ends anew.
    void findMarks();
    /// Index into SceneState::marks of the mark at a point of the scene.
    std::optional<std::size_t> markAt(const QPointF &point) const;
    /// Where a mark is drawn; nothing when it is not on this trunk.
    std::optional<QRectF> markRect(std::size_t mark) const;
    bool isNear(const QPointF &point, double distance) const;

private:
    struct Placed {
        std::size_t mark;
        QRectF rect;
    };
    const DrawnTrunk &drawn() const { return m_state.drawing->trunks[std::size_t(m_trunk)]; }
    void paintMarks(QPainter *painter, DetailLevel level) const;

    const SceneState &m_state;
    const int m_trunk;
    QRectF m_bounds;
    QPainterPath m_path;
    std::vector<Placed> m_marks;
};

/// Corners of an orthogonal line, rounded.
QPainterPath roundedPath(const std::vector<QPointF> &line, double radius);

} // namespace widgets

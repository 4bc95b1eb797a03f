// The whole drawing in the corner, in the overlay's colours; click or drag to move the view.
#pragma once

#include <QPixmap>
#include <QWidget>

namespace widgets {

class GraphView;

class Minimap : public QWidget {
    Q_OBJECT
public:
    explicit Minimap(GraphView &view);

    /// Into the bottom right corner of `area`, as large as the drawing's shape allows.
    void place(const QRect &area);

public Q_SLOTS:
    void refresh();

protected:
    void paintEvent(QPaintEvent *event) override;
    void mousePressEvent(QMouseEvent *event) override;
    void mouseMoveEvent(QMouseEvent *event) override;

private:
    QTransform toMap() const;
    void moveTo(const QPointF &position);
    void draw();

    GraphView &m_view;
    QPixmap m_pixmap;
};

} // namespace widgets

// The window onto a GraphScene: zoom, keys, rubber band, minimap. What the user wants done leaves as signals.
//
// Wheel scrolls, Ctrl + wheel zooms (or the other way round); middle button drags. Click, Ctrl click, Shift click and a rubber band
// select; arrows walk along tensors and, left and right, within a rank (Shift keeps what was selected). Double click on a block
// opens it, on a node asks for the inspector, as does Enter. Space asks to switch quantization of the selected nodes.
#pragma once

#include "widgets/graph/graph_scene.h"
#include "widgets/graph/graph_walk.h"

#include <QGraphicsView>

class QRubberBand;

namespace widgets {

class Minimap;

class GraphView : public QGraphicsView {
    Q_OBJECT
public:
    explicit GraphView(GraphScene &scene, QWidget *parent = nullptr);

    GraphScene &graphScene() const { return m_scene; }
    double scale() const { return transform().m11(); }
    void setWheelZooms(bool zooms) { m_wheelZooms = zooms; }
    void setMinimapVisible(bool visible);
    void setEmptyText(const QString &text);

    /// Shows another drawing. Of the same network in the same mode: what is in the middle (or `anchor`) keeps its place.
    void setDrawing(std::shared_ptr<const DrawnGraph> drawing, core::NodeId anchor = {});

    std::vector<core::NodeId> find(const QString &text) const { return findNodes(*m_scene.state().drawing, text); }
    QRectF boxRectInViewport(int box) const;

public Q_SLOTS:
    void fitAll();
    void showActualSize();
    void zoomBy(double factor);
    /// What lies under this point of the viewport stays there.
    void zoomAt(double scale, const QPoint &fixed);
    /// Everything where it can be read, else the beginning at a size that can.
    void showWell();
    void centreOnNode(core::NodeId node);
    void growSelection(bool upstream, bool whole);
    void invertSelection();
    void selectAll();

Q_SIGNALS:
    void inspectorRequested(core::NodeId node);
    void quantizationToggled(const std::vector<core::NodeId> &nodes);
    void quantizerClicked(core::ValueId value, core::NodeId consumer, int inputIndex);
    void blockOpened(core::NodeId key);
    void blockClosed(core::NodeId key);
    void tensorClicked(core::ValueId value);
    void menuRequested(core::NodeId node, const QPoint &globalPosition); ///< node invalid beside the boxes
    void viewMoved();

protected:
    void wheelEvent(QWheelEvent *event) override;
    void mousePressEvent(QMouseEvent *event) override;
    void mouseMoveEvent(QMouseEvent *event) override;
    void mouseReleaseEvent(QMouseEvent *event) override;
    void mouseDoubleClickEvent(QMouseEvent *event) override;
    void contextMenuEvent(QContextMenuEvent *event) override;
    void keyPressEvent(QKeyEvent *event) override;
    void resizeEvent(QResizeEvent *event) override;
    void scrollContentsBy(int dx, int dy) override;
    bool viewportEvent(QEvent *event) override;
    void drawForeground(QPainter *painter, const QRectF &rect) override;

private:
    GraphScene::Hit hitAt(const QPoint &position) const;
    void select(int box, Qt::KeyboardModifiers modifiers);
    void walk(Step step, bool extend);
    void reveal(int box);
    void setScale(double scale);
    double fitScale() const;
    int boxInTheMiddle() const;
    QPoint zoomCentre() const;
    void scrollBy(const QPoint &pixels);
    void placeMinimap();
    void describeCurrent(int box);

    GraphScene &m_scene;
    Minimap *m_minimap;
    QRubberBand *m_band = nullptr;
    QPoint m_pressed;
    GraphScene::Hit m_pressedOn;
    bool m_dragging = false, m_panning = false, m_wheelZooms = false, m_minimapWanted = true, m_ownChange = false;
    QString m_emptyText;
};

} // namespace widgets

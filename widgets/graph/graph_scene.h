// The drawing as items. Facts, overlay, theme, marks and selection repaint; only another drawing makes new items.
#pragma once

#include "widgets/graph/scene_state.h"
#include "widgets/shared/node_selection.h"

#include <QGraphicsScene>
#include <QPointer>

namespace widgets {

class EdgeItem;
class NodeItem;

class GraphScene : public QGraphicsScene {
    Q_OBJECT
public:
    explicit GraphScene(QObject *parent = nullptr);
    ~GraphScene() override;

    const SceneState &state() const { return m_state; }
    NodeSelection *selection() const { return m_selection; }
    void setSelection(NodeSelection *selection);

    NodeItem *nodeItem(int box) const { return m_nodes.at(std::size_t(box)); }
    EdgeItem *edgeItem(int trunk) const { return m_edges.at(std::size_t(trunk)); }

    /// What lies at a point: box, mark of a quantizer, trunk, title of an opened block; −1 or invalid where there is none.
    struct Hit {
        int box = -1;
        int mark = -1;
        int trunk = -1;
        core::NodeId frame;
    };
    Hit hit(const QPointF &point, double tolerance) const;
    std::vector<int> boxesIn(const QRectF &rect) const;
    QString toolTipAt(const Hit &hit) const;
    /// Further lines of a node's tooltip, for what LayerFacts does not hold.
    void setDetails(std::function<QString(core::NodeId)> details) { m_details = std::move(details); }

    /// While painting an export everything is shown whatever the scale.
    void setForceNear(bool near) { m_state.forceNear = near; }

public Q_SLOTS:
    void setDrawing(std::shared_ptr<const widgets::DrawnGraph> drawing);
    void setFacts(std::shared_ptr<const widgets::LayerTable> facts);
    void setOverlay(widgets::Overlay overlay);
    void setTheme(const widgets::Theme &theme);
    void setMarks(std::vector<widgets::QuantizerMark> marks);

Q_SIGNALS:
    void looksChanged();     ///< colours of boxes
    void drawingChanged();
    void currentChanged(int box);

private:
    void updateLooks();
    void updateSelection();
    void makeOutlines();

    SceneState m_state;
    QPointer<NodeSelection> m_selection;
    std::vector<NodeItem *> m_nodes;
    std::vector<EdgeItem *> m_edges;
    std::vector<QGraphicsItem *> m_outlines;
    std::vector<int> m_groups; // by row of facts, as outlined
    std::function<QString(core::NodeId)> m_details;
};

} // namespace widgets

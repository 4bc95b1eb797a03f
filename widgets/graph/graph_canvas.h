// The centre of the main window: modes, colours with legend, find, and the graph.
//
// The canvas never computes a drawing. It says which one it wants (`drawingRequested`); whoever owns the light lane runs
// drawGraph(graph, request, stop) there and hands the result to setDrawing. Keys 1–9 belong to the window: it calls setOverlay.
#pragma once

#include "widgets/graph/graph_view.h"

#include <QWidget>

class QButtonGroup;
class QComboBox;
class QLabel;
class QLineEdit;

namespace widgets {

class OverlayLegend;

class GraphCanvas : public QWidget {
    Q_OBJECT
public:
    explicit GraphCanvas(QWidget *parent = nullptr);
    ~GraphCanvas() override;

    GraphView &view() const { return *m_view; }
    GraphScene &scene() const { return *m_scene; }
    const DrawRequest &request() const { return m_request; }
    GraphMode mode() const { return m_request.mode; }
    Overlay overlay() const { return m_scene->state().overlay; }
    void setSelection(NodeSelection *selection) { m_scene->setSelection(selection); }
    void setDetails(std::function<QString(core::NodeId)> details) { m_scene->setDetails(std::move(details)); }

public Q_SLOTS:
    void setDrawing(std::shared_ptr<const widgets::DrawnGraph> drawing);
    /// Another network: forgets opened blocks and shows nothing until a drawing comes.
    void clear();
    void setFacts(std::shared_ptr<const widgets::LayerTable> facts);
    void setMarks(std::vector<widgets::QuantizerMark> marks);
    void setMode(widgets::GraphMode mode);
    void setOverlay(widgets::Overlay overlay);
    void setTheme(const widgets::Theme &theme);
    void setBlockOpen(core::NodeId key, bool open);
    void startFind();

Q_SIGNALS:
    void drawingRequested(const widgets::DrawRequest &request);
    void modeChanged(widgets::GraphMode mode);
    void blockToggled(core::NodeId key, bool open);
    void overlayChanged(widgets::Overlay overlay);

private:
    void find(bool forward);
    void updateMatches();

    GraphScene *m_scene;
    GraphView *m_view;
    OverlayLegend *m_legend;
    QButtonGroup *m_modes;
    QComboBox *m_colour;
    QLineEdit *m_find;
    QLabel *m_matchLabel;
    DrawRequest m_request;
    std::vector<core::NodeId> m_matches;
    core::NodeId m_anchor;
};

} // namespace widgets

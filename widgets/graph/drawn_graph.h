// A graph as it is drawn: boxes, one trunk per tensor, outlines of opened blocks. A plain value made by a pure function in a light
// thread and handed to GraphCanvas::setDrawing.
#pragma once

#include "core/graph/graph.h"

#include <QPointF>
#include <QRectF>
#include <QString>

#include <set>
#include <stop_token>
#include <vector>

namespace widgets {

enum class GraphMode { Blocks, Layers, Overview };
enum class BoxKind { Node, Block, Input, Output };

struct DrawnBox {
    BoxKind kind = BoxKind::Node;
    std::vector<core::NodeId> nodes;  ///< one of a node, all of a block, none of an input or output
    std::vector<QString> names;       ///< of the nodes
    core::ValueId value;              ///< of an input or output
    QString title, subtitle;          ///< name and operator; kind and extent of a block; name and shape of an input
    QRectF rect;
    bool compact = false;             ///< one line of text
    int column = 0;                   ///< of the overview

    core::NodeId key() const { return nodes.empty() ? core::NodeId{} : nodes.front(); }
};

struct DrawnUse {
    core::NodeId node;      ///< invalid: the graph's output
    int inputIndex = -1;
    core::NodeId through;   ///< DequantizeLinear of the file between tensor and node
};

struct DrawnEnd {
    int box = -1;
    std::vector<QPointF> line;        ///< from the source to this box
    std::vector<DrawnUse> uses;       ///< what the box does with the tensor; a block may hold several
};

struct DrawnTrunk {
    core::ValueId value;
    int source = -1;                  ///< box
    std::vector<std::vector<QPointF>> strokes;
    std::vector<DrawnEnd> ends;
    QString name, shape;
};

/// A block that is shown opened.
struct DrawnFrame {
    core::NodeId key;
    QString title;
    std::vector<int> boxes;
};

struct DrawnGraph {
    GraphMode mode = GraphMode::Layers;
    std::vector<DrawnBox> boxes;
    std::vector<DrawnTrunk> trunks;
    std::vector<DrawnFrame> frames;
    std::vector<int> boxOfNode;                       ///< by NodeId::index; −1 = not drawn
    std::vector<std::vector<int>> incoming, outgoing; ///< box → trunks
    QRectF bounds;
    int columnCount = 1;

    int boxOf(core::NodeId node) const
    {
        return node && std::size_t(node.index) < boxOfNode.size() ? boxOfNode[std::size_t(node.index)] : -1;
    }
};

struct DrawRequest {
    GraphMode mode = GraphMode::Layers;
    std::set<core::NodeId> opened;    ///< keys of blocks to show opened (mode Blocks)
};

/// "1×32×112×112"; a symbol stands for what is not known; empty without a shape.
QString shapeText(const core::Value &value);

/// Throws core::Cancelled when stopped.
DrawnGraph drawGraph(const core::Graph &graph, const DrawRequest &request = {}, std::stop_token stop = {});

} // namespace widgets

#include "widgets/graph/drawn_graph.h"

#include "widgets/graph/graph_blocks.h"
#include "widgets/graph/layered_layout.h"
#include "widgets/graph/node_net.h"

#include <QCoreApplication>
#include <QSizeF>
#include <QStringList>

#include <algorithm>
#include <map>

namespace widgets {
namespace {

std::size_t at(int index) { return std::size_t(index); }
QString tr(const char *text, int n = -1) { return QCoreApplication::translate("DrawnGraph", text, nullptr, n); }

constexpr QSizeF nodeSize(208, 46), blockSize(224, 46), compactSize(120, 28), terminalSize(152, 28), compactTerminalSize(120, 22);

QString kindName(BlockKind kind)
{
    switch (kind) {
    case BlockKind::Residual: return tr("Residual block");
    case BlockKind::InvertedResidual: return tr("Inverted residual");
    case BlockKind::SplitConcat: return tr("C2f block");
    case BlockKind::Shuffle: return tr("Shuffle block");
    case BlockKind::Branches: return tr("Branches");
    case BlockKind::Separable: return tr("Separable conv");
    case BlockKind::InvertedBottleneck: return tr("Inverted bottleneck");
    case BlockKind::Layer: break;
    }
    return {};
}

/// The part of a name path that all nodes share ("blocks.3"), else first and last name.
QString commonName(const core::Graph &graph, const std::vector<core::NodeId> &nodes)
{
    const QString first = QString::fromStdString(graph.node(nodes.front()).name);
    QStringList shared = first.split(QLatin1Char('/'), Qt::SkipEmptyParts);
    shared.removeLast();
    for (const core::NodeId id : nodes) {
        const QStringList parts = QString::fromStdString(graph.node(id).name).split(QLatin1Char('/'), Qt::SkipEmptyParts);
        qsizetype same = 0;
        while (same < shared.size() && same < parts.size() && shared[same] == parts[same])
            ++same;
        shared.resize(same);
    }
    QString last = shared.isEmpty() ? first.mid(first.lastIndexOf(QLatin1Char('/')) + 1) : shared.last();
    return last.startsWith(QLatin1Char('_')) ? last.mid(1) : last;
}

/// "/blocks.3/conv/Conv" → "blocks.3/conv": the operator is said beside it.
QString shortName(const core::Node &node)
{
    QString name = QString::fromStdString(node.name);
    const qsizetype slash = name.lastIndexOf(QLatin1Char('/'));
    if (slash > 0 && name.mid(slash + 1) == QString::fromStdString(node.opType))
        name.truncate(slash);
    while (name.size() > 1 && (name.startsWith(QLatin1Char('/')) || name.startsWith(QLatin1Char('_'))))
        name.remove(0, 1);
    return name.replace(QStringLiteral("/_"), QStringLiteral("/"));
}

class Drawer {
public:
    Drawer(const core::Graph &graph, const DrawRequest &request) : m_graph(graph), m_net(nodeNetOf(graph)), m_request(request)
    {
        m_drawing.mode = request.mode;
        m_drawing.boxOfNode.assign(at(graph.nodeIdLimit()), -1);
    }

    DrawnGraph draw(const std::stop_token &stop)
    {
        makeInputs();
        makeBoxes();
        makeTrunks();
        lay(stop);
        return std::move(m_drawing);
    }

private:
    bool compact() const { return m_request.mode == GraphMode::Overview; }

    int addBox(DrawnBox box, QSizeF size)
    {
        box.compact = compact();
        box.rect = QRectF(QPointF(), size);
        for (const core::NodeId node : box.nodes) {
            m_drawing.boxOfNode[at(node.index)] = int(m_drawing.boxes.size());
            box.names.push_back(QString::fromStdString(m_graph.node(node).name));
        }
        m_drawing.boxes.push_back(std::move(box));
        return int(m_drawing.boxes.size()) - 1;
    }

    int addTerminal(BoxKind kind, core::ValueId value)
    {
        const core::Value &v = m_graph.value(value);
        DrawnBox box;
        box.kind = kind;
        box.value = value;
        box.title = QString::fromStdString(v.name);
        box.subtitle = shapeText(v);
        return addBox(std::move(box), compact() ? compactTerminalSize : terminalSize);
    }

    void makeInputs()
    {
        for (const NodeNet::Tensor &tensor : m_net.tensors)
            if (tensor.source < 0)
                m_inputBox[tensor.value] = addTerminal(BoxKind::Input, tensor.value);
    }

    void makeBoxes()
    {
        std::vector<const GraphBlock *> blockOf(m_net.nodes.size());
        std::vector<GraphBlock> blocks;
        if (m_request.mode == GraphMode::Blocks)
            blocks = findBlocks(m_graph, m_net);
        for (const GraphBlock &block : blocks)
            for (const int n : block.nodes)
                blockOf[at(n)] = &block;
        for (std::size_t n = 0; n < m_net.nodes.size(); ++n) {
            const GraphBlock *block = blockOf[n];
            const core::NodeId key = block ? m_net.nodes[at(block->nodes.front())] : core::NodeId{};
            const bool opened = block && m_request.opened.contains(key);
            if (block && !opened) {
                if (key == m_net.nodes[n])
                    addBlock(*block);
                continue;
            }
            const core::Node &node = m_graph.node(m_net.nodes[n]);
            DrawnBox box;
            box.nodes = {node.id};
            box.title = shortName(node);
            box.subtitle = QString::fromStdString(node.opType);
            const int index = addBox(std::move(box), compact() ? compactSize : nodeSize);
            if (opened) {
                if (key == m_net.nodes[n])
                    m_drawing.frames.push_back({key, frameTitle(*block), {}});
                const auto frame = std::find_if(m_drawing.frames.begin(), m_drawing.frames.end(), [&](const DrawnFrame &f) { return f.key == key; });
                frame->boxes.push_back(index);
            }
        }
    }

    QString blockTitle(const GraphBlock &block) const
    {
        if (block.kind != BlockKind::Layer)
            return kindName(block.kind);
        QStringList types; // "Conv + Relu", a gate's inside left out
        for (const int n : block.nodes)
            types << QString::fromStdString(m_graph.node(m_net.nodes[at(n)]).opType);
        if (types.size() > 3)
            types = {types.front(), QStringLiteral("…"), types.back()};
        return types.join(QStringLiteral(" + ")).replace(QStringLiteral(" + … + "), QStringLiteral(" … "));
    }

    std::vector<core::NodeId> membersOf(const GraphBlock &block) const
    {
        std::vector<core::NodeId> members;
        for (const int n : block.nodes)
            members.push_back(m_net.nodes[at(n)]);
        return members;
    }

    QString frameTitle(const GraphBlock &block) const
    {
        return commonName(m_graph, membersOf(block)) + QStringLiteral(" · ") + blockTitle(block);
    }

    void addBlock(const GraphBlock &block)
    {
        DrawnBox box;
        box.kind = BoxKind::Block;
        box.nodes = membersOf(block);
        box.title = blockTitle(block);
        box.subtitle = commonName(m_graph, box.nodes) + QStringLiteral(" · ") + tr("%n nodes", int(box.nodes.size()));
        addBox(std::move(box), blockSize);
    }

    void makeTrunks()
    {
        for (const NodeNet::Tensor &tensor : m_net.tensors) {
            DrawnTrunk trunk;
            trunk.value = tensor.value;
            trunk.source = tensor.source < 0 ? m_inputBox[tensor.value] : m_drawing.boxOf(m_net.nodes[at(tensor.source)]);
            for (const NodeNet::Use &use : tensor.uses) {
                const core::NodeId node = use.node < 0 ? core::NodeId{} : m_net.nodes[at(use.node)];
                const int box = use.node < 0 ? addTerminal(BoxKind::Output, tensor.value) : m_drawing.boxOf(node);
                if (box == trunk.source)
                    continue; // inside a block
                auto end = std::find_if(trunk.ends.begin(), trunk.ends.end(), [&](const DrawnEnd &e) { return e.box == box; });
                if (end == trunk.ends.end())
                    end = trunk.ends.insert(end, DrawnEnd{box, {}, {}});
                end->uses.push_back({node, use.inputIndex, use.through});
            }
            if (trunk.ends.empty())
                continue;
            const core::Value &value = m_graph.value(tensor.value);
            trunk.name = QString::fromStdString(value.name);
            trunk.shape = shapeText(value);
            m_drawing.trunks.push_back(std::move(trunk));
        }
        m_drawing.incoming.resize(m_drawing.boxes.size());
        m_drawing.outgoing.resize(m_drawing.boxes.size());
        for (std::size_t t = 0; t < m_drawing.trunks.size(); ++t) {
            m_drawing.outgoing[at(m_drawing.trunks[t].source)].push_back(int(t));
            for (const DrawnEnd &end : m_drawing.trunks[t].ends)
                m_drawing.incoming[at(end.box)].push_back(int(t));
        }
    }

    void lay(const std::stop_token &stop)
    {
        LayoutProblem problem;
        if (compact()) {
            problem.boxGap = 18;
            problem.rankGap = 16;
            problem.lineGap = 7;
            problem.portGap = 12;
            problem.wrapAspect = 1.6;
        }
        for (const DrawnBox &box : m_drawing.boxes)
            problem.boxes.push_back({box.rect.width(), box.rect.height()});
        for (const DrawnTrunk &trunk : m_drawing.trunks) {
            problem.trunks.push_back({trunk.source, {}});
            for (const DrawnEnd &end : trunk.ends)
                problem.trunks.back().consumers.push_back(end.box);
        }
        LayoutResult result = layeredLayout(problem, stop);
        for (std::size_t b = 0; b < m_drawing.boxes.size(); ++b) {
            m_drawing.boxes[b].rect.moveCenter(result.centres[b]);
            m_drawing.boxes[b].column = result.columns[b];
        }
        for (std::size_t t = 0; t < m_drawing.trunks.size(); ++t) {
            m_drawing.trunks[t].strokes = std::move(result.routes[t].strokes);
            for (std::size_t e = 0; e < m_drawing.trunks[t].ends.size(); ++e)
                m_drawing.trunks[t].ends[e].line = std::move(result.routes[t].branches[e]);
        }
        m_drawing.bounds = result.bounds;
        m_drawing.columnCount = result.columnCount;
    }

    const core::Graph &m_graph;
    const NodeNet m_net;
    const DrawRequest &m_request;
    std::map<core::ValueId, int> m_inputBox;
    DrawnGraph m_drawing;
};

} // namespace

QString shapeText(const core::Value &value)
{
    if (!value.shape)
        return {};
    QStringList parts;
    for (const core::Dimension &d : *value.shape)
        parts << (d.known() ? QString::number(d.size) : d.symbol.empty() ? QStringLiteral("?") : QString::fromStdString(d.symbol));
    return parts.join(QStringLiteral("×"));
}

DrawnGraph drawGraph(const core::Graph &graph, const DrawRequest &request, std::stop_token stop)
{
    return Drawer(graph, request).draw(stop);
}

} // namespace widgets

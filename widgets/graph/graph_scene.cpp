#include "widgets/graph/graph_scene.h"

#include "widgets/graph/edge_item.h"
#include "widgets/graph/node_item.h"
#include "widgets/graph/outline_item.h"

#include <algorithm>

namespace widgets {
namespace {

std::size_t at(int index) { return std::size_t(index); }

constexpr double surround = 24; // free space around the drawing

} // namespace

GraphScene::GraphScene(QObject *parent) : QGraphicsScene(parent)
{
    m_state.drawing = std::make_shared<const DrawnGraph>();
    setBackgroundBrush(m_state.theme.canvas);
}

GraphScene::~GraphScene()
{
    clear(); // items refer to m_state
}

void GraphScene::setSelection(NodeSelection *selection)
{
    if (m_selection)
        m_selection->disconnect(this);
    m_selection = selection;
    if (m_selection)
        connect(m_selection, &NodeSelection::selectionChanged, this, &GraphScene::updateSelection);
    updateSelection();
}

void GraphScene::setDrawing(std::shared_ptr<const DrawnGraph> drawing)
{
    clear();
    m_nodes.clear();
    m_edges.clear();
    m_outlines.clear();
    m_groups.clear();
    m_state.drawing = drawing ? std::move(drawing) : std::make_shared<const DrawnGraph>();
    const DrawnGraph &d = *m_state.drawing;
    m_state.selected.assign(d.boxes.size(), false);
    m_state.looks = boxLooks(d, m_state.facts.get(), m_state.overlay, m_state.theme);
    ++m_state.textGeneration;
    setSceneRect(d.bounds.adjusted(-surround, -surround, surround, surround));
    for (std::size_t t = 0; t < d.trunks.size(); ++t)
        addItem(m_edges.emplace_back(new EdgeItem(m_state, int(t))));
    for (std::size_t b = 0; b < d.boxes.size(); ++b)
        addItem(m_nodes.emplace_back(new NodeItem(m_state, int(b))));
    makeOutlines();
    updateSelection();
    Q_EMIT drawingChanged();
    Q_EMIT looksChanged();
}

void GraphScene::setFacts(std::shared_ptr<const LayerTable> facts)
{
    m_state.facts = std::move(facts);
    updateLooks();
    std::vector<int> groups;
    if (m_state.facts)
        for (const LayerFacts &f : *m_state.facts)
            groups.push_back(f.group);
    if (groups != m_groups)
        makeOutlines();
}

void GraphScene::setOverlay(Overlay overlay)
{
    if (overlay == m_state.overlay)
        return;
    m_state.overlay = overlay;
    updateLooks();
}

void GraphScene::setTheme(const Theme &theme)
{
    m_state.theme = theme;
    setBackgroundBrush(theme.canvas);
    updateLooks();
}

void GraphScene::setMarks(std::vector<QuantizerMark> marks)
{
    m_state.marks = std::move(marks);
    m_state.markOf.clear();
    for (std::size_t i = 0; i < m_state.marks.size(); ++i) {
        const QuantizerMark &mark = m_state.marks[i];
        m_state.markOf[{mark.consumer, mark.consumer ? mark.inputIndex : -1 - mark.value.index}] = i;
    }
    for (EdgeItem *edge : m_edges)
        edge->findMarks();
    update();
}

void GraphScene::updateLooks()
{
    m_state.looks = boxLooks(*m_state.drawing, m_state.facts.get(), m_state.overlay, m_state.theme);
    ++m_state.textGeneration;
    update();
    Q_EMIT looksChanged();
}

void GraphScene::updateSelection()
{
    const DrawnGraph &d = *m_state.drawing;
    std::vector<bool> selected(d.boxes.size(), false);
    int current = -1;
    if (m_selection) {
        for (const core::NodeId node : m_selection->nodes())
            if (const int box = d.boxOf(node); box >= 0)
                selected[at(box)] = true;
        current = d.boxOf(m_selection->current());
    }
    const bool moved = current != m_state.current;
    if (selected == m_state.selected && !moved)
        return;
    m_state.selected = std::move(selected);
    m_state.current = current;
    update();
    if (moved)
        Q_EMIT currentChanged(current);
}

void GraphScene::makeOutlines()
{
    for (QGraphicsItem *item : m_outlines)
        delete item;
    m_outlines.clear();
    m_groups.clear();
    const DrawnGraph &d = *m_state.drawing;
    const auto unite = [&](const std::vector<int> &boxes) {
        QRectF rect;
        for (const int box : boxes)
            rect = rect.united(d.boxes[at(box)].rect);
        return rect;
    };
    for (const DrawnFrame &frame : d.frames)
        if (!frame.boxes.empty()) {
            m_outlines.push_back(new OutlineItem(m_state, unite(frame.boxes).adjusted(-12, -26, 12, 9), frame.title, frame.key));
            addItem(m_outlines.back());
        }
    if (!m_state.facts)
        return;
    std::map<int, std::vector<int>> groups;
    for (const LayerFacts &f : *m_state.facts) {
        m_groups.push_back(f.group);
        const int box = d.boxOf(f.node);
        if (f.group >= 0 && box >= 0 && d.boxes[at(box)].kind == BoxKind::Node)
            groups[f.group].push_back(box);
    }
    const double space = d.mode == GraphMode::Overview ? 3 : 5;
    for (const auto &[group, boxes] : groups) {
        const QRectF rect = unite(boxes).adjusted(-space, -space, space, space);
        const bool foreign = boxesIn(rect).size() != boxes.size();
        if (boxes.size() < 2 || foreign)
            continue; // another box stands between them, or they are in two columns
        m_outlines.push_back(new OutlineItem(m_state, rect));
        addItem(m_outlines.back());
    }
}

GraphScene::Hit GraphScene::hit(const QPointF &point, double tolerance) const
{
    Hit result;
    const QRectF around(point - QPointF(tolerance, tolerance), QSizeF(2 * tolerance, 2 * tolerance));
    for (const QGraphicsItem *item : items(around, Qt::IntersectsItemBoundingRect)) {
        if (item->type() == NodeItem::Type) {
            const int box = static_cast<const NodeItem *>(item)->box();
            if (m_state.drawing->boxes[at(box)].rect.contains(point))
                result.box = box;
        } else if (item->type() == EdgeItem::Type) {
            const auto *edge = static_cast<const EdgeItem *>(item);
            if (const auto mark = edge->markAt(point))
                result.mark = int(*mark);
            if (edge->isNear(point, tolerance))
                result.trunk = edge->trunk();
        } else if (const auto *outline = dynamic_cast<const OutlineItem *>(item); outline && outline->titleContains(point)) {
            result.frame = outline->key();
        }
    }
    if (result.box >= 0) {
        const int box = result.box;
        result = Hit{};
        result.box = box;
    }
    return result;
}

std::vector<int> GraphScene::boxesIn(const QRectF &rect) const
{
    std::vector<int> boxes;
    for (const QGraphicsItem *item : items(rect, Qt::IntersectsItemBoundingRect))
        if (item->type() == NodeItem::Type) {
            const int box = static_cast<const NodeItem *>(item)->box();
            if (m_state.drawing->boxes[at(box)].rect.intersects(rect))
                boxes.push_back(box);
        }
    std::sort(boxes.begin(), boxes.end());
    return boxes;
}

QString GraphScene::toolTipAt(const Hit &hit) const
{
    if (hit.box >= 0) {
        const DrawnBox &box = m_state.drawing->boxes[at(hit.box)];
        return boxToolTip(box, m_state.facts.get(), m_state.overlay, m_details && box.nodes.size() == 1 ? m_details(box.key()) : QString());
    }
    if (hit.mark >= 0) {
        const QuantizerMark &mark = m_state.marks[at(hit.mark)];
        const QString act = !mark.switchable ? QString() : mark.on ? tr("Click: this consumer reads the tensor in float.")
                                                                  : tr("Click: this consumer reads the quantized tensor.");
        return QStringList{mark.toolTip, act}.filter(QRegularExpression(QStringLiteral("."))).join(QLatin1Char('\n'));
    }
    if (hit.trunk >= 0) {
        const DrawnTrunk &trunk = m_state.drawing->trunks[at(hit.trunk)];
        return tr("Tensor %1").arg(trunk.name) + (trunk.shape.isEmpty() ? QString() : QLatin1Char('\n') + trunk.shape);
    }
    if (hit.frame)
        return tr("Click or Backspace closes the block.");
    return {};
}

} // namespace widgets

#include "widgets/graph/graph_walk.h"

#include <algorithm>
#include <cmath>

namespace widgets {
namespace {

std::size_t at(int index) { return std::size_t(index); }

std::vector<int> neighbours(const DrawnGraph &drawing, int box, bool up)
{
    std::vector<int> found;
    if (up)
        for (const int trunk : drawing.incoming[at(box)])
            found.push_back(drawing.trunks[at(trunk)].source);
    else
        for (const int trunk : drawing.outgoing[at(box)])
            for (const DrawnEnd &end : drawing.trunks[at(trunk)].ends)
                found.push_back(end.box);
    return found;
}

} // namespace

int stepFrom(const DrawnGraph &drawing, int box, Step step)
{
    if (box < 0 || at(box) >= drawing.boxes.size())
        return -1;
    const QPointF here = drawing.boxes[at(box)].rect.center();
    int best = -1;
    double bestDistance = 0;
    const auto consider = [&](int other, double distance) {
        if (drawing.boxes[at(other)].nodes.empty() || (best >= 0 && distance >= bestDistance))
            return;
        best = other;
        bestDistance = distance;
    };
    if (step == Step::ToProducer || step == Step::ToConsumer) {
        for (const int other : neighbours(drawing, box, step == Step::ToProducer)) {
            const QPointF off = drawing.boxes[at(other)].rect.center() - here;
            consider(other, std::abs(off.x()) + std::abs(off.y()) / 4);
        }
        return best;
    }
    for (std::size_t other = 0; other < drawing.boxes.size(); ++other) {
        const DrawnBox &candidate = drawing.boxes[other];
        const QPointF off = candidate.rect.center() - here;
        const double ahead = step == Step::ToLeft ? -off.x() : off.x();
        if (int(other) != box && ahead > 0 && std::abs(off.y()) < 1 && candidate.column == drawing.boxes[at(box)].column)
            consider(int(other), ahead);
    }
    return best;
}

std::set<core::NodeId> grown(const DrawnGraph &drawing, const std::set<core::NodeId> &nodes, bool upstream, bool whole)
{
    std::vector<bool> seen(drawing.boxes.size());
    std::vector<int> pending;
    for (const core::NodeId node : nodes)
        if (const int box = drawing.boxOf(node); box >= 0 && !seen[at(box)]) {
            seen[at(box)] = true;
            pending.push_back(box);
        }
    const std::size_t first = pending.size();
    std::set<core::NodeId> result = nodes;
    for (std::size_t i = 0; i < pending.size(); ++i) {
        if (!whole && i >= first)
            break;
        for (const int other : neighbours(drawing, pending[i], upstream))
            if (!seen[at(other)]) {
                seen[at(other)] = true;
                pending.push_back(other);
            }
    }
    for (const int box : pending)
        result.insert(drawing.boxes[at(box)].nodes.begin(), drawing.boxes[at(box)].nodes.end());
    return result;
}

std::set<core::NodeId> inverted(const DrawnGraph &drawing, const std::set<core::NodeId> &nodes)
{
    std::set<core::NodeId> result;
    for (const DrawnBox &box : drawing.boxes)
        for (const core::NodeId node : box.nodes)
            if (!nodes.contains(node))
                result.insert(node);
    return result;
}

std::vector<core::NodeId> findNodes(const DrawnGraph &drawing, const QString &text)
{
    std::vector<core::NodeId> found;
    const QString wanted = text.trimmed();
    if (wanted.isEmpty())
        return found;
    for (const DrawnBox &box : drawing.boxes)
        for (std::size_t i = 0; i < box.nodes.size(); ++i)
            if (box.names[i].contains(wanted, Qt::CaseInsensitive)
                || (box.kind == BoxKind::Node && box.subtitle.contains(wanted, Qt::CaseInsensitive)))
                found.push_back(box.nodes[i]);
    std::sort(found.begin(), found.end());
    return found;
}

} // namespace widgets

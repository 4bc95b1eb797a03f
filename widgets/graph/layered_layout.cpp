#include "widgets/graph/layered_layout.h"

#include "core/base/progress.h"
#include "widgets/graph/layout_parts.h"

#include <algorithm>
#include <limits>

namespace widgets {
namespace layout {
namespace {

struct Degrees {
    std::vector<std::vector<int>> successors, predecessors; // box → boxes
};

Degrees degreesOf(const LayoutProblem &problem)
{
    Degrees d;
    d.successors.resize(problem.boxes.size());
    d.predecessors.resize(problem.boxes.size());
    for (const LayoutProblem::Trunk &trunk : problem.trunks)
        for (const int consumer : trunk.consumers)
            if (consumer != trunk.source) {
                d.successors[at(trunk.source)].push_back(consumer);
                d.predecessors[at(consumer)].push_back(trunk.source);
            }
    return d;
}

/// Boxes so that sources come before consumers; where a cycle forbids it, the first box that waits is taken.
std::vector<int> runOrder(const Degrees &d)
{
    const std::size_t count = d.successors.size();
    std::vector<int> waiting(count), order;
    std::vector<bool> taken(count);
    order.reserve(count);
    for (std::size_t i = 0; i < count; ++i)
        waiting[i] = int(d.predecessors[i].size());
    std::size_t next = 0, done = 0;
    const auto take = [&](int box) {
        taken[at(box)] = true;
        order.push_back(box);
    };
    for (std::size_t i = 0; i < count; ++i)
        if (waiting[i] == 0)
            take(int(i));
    while (order.size() < count || done < order.size()) {
        if (done == order.size()) {
            while (taken[next])
                ++next;
            take(int(next));
        }
        for (const int box : d.successors[at(order[done])])
            if (--waiting[at(box)] == 0 && !taken[at(box)])
                take(box);
        ++done;
    }
    return order;
}

std::vector<int> ranksOf(const Degrees &d)
{
    const std::vector<int> order = runOrder(d);
    std::vector<int> rank(d.successors.size()), position(rank.size());
    for (std::size_t i = 0; i < order.size(); ++i)
        position[at(order[i])] = int(i);
    for (const int box : order)
        for (const int next : d.successors[at(box)])
            if (position[at(next)] > position[at(box)])
                rank[at(next)] = std::max(rank[at(next)], rank[at(box)] + 1);
    // A box that takes less than it gives moves down to what it feeds: its lines get shorter.
    for (std::size_t i = order.size(); i-- > 0;) {
        const int box = order[i];
        if (d.predecessors[at(box)].size() >= d.successors[at(box)].size())
            continue;
        int below = std::numeric_limits<int>::max();
        for (const int next : d.successors[at(box)])
            if (position[at(next)] > position[at(box)])
                below = std::min(below, rank[at(next)]);
        if (below != std::numeric_limits<int>::max())
            rank[at(box)] = std::max(rank[at(box)], below - 1);
    }
    return rank;
}

} // namespace

void checkStop(const std::stop_token &stop)
{
    if (stop.stop_requested())
        throw core::Cancelled{};
}

Layers makeLayers(const LayoutProblem &problem, const std::stop_token &stop)
{
    const std::vector<int> ranks = ranksOf(degreesOf(problem));
    checkStop(stop);
    Layers layers;
    layers.elements.resize(problem.boxes.size());
    int last = 0;
    for (std::size_t i = 0; i < ranks.size(); ++i) {
        layers.elements[i].box = true;
        layers.elements[i].rank = ranks[i];
        layers.elements[i].width = problem.boxes[i].width;
        last = std::max(last, ranks[i]);
    }
    layers.ranks.resize(std::size_t(last) + 1);
    layers.gaps.resize(std::size_t(last) + 1);
    layers.parents.resize(problem.trunks.size());

    for (std::size_t t = 0; t < problem.trunks.size(); ++t) {
        const LayoutProblem::Trunk &trunk = problem.trunks[t];
        layers.parents[t].assign(trunk.consumers.size(), -1);
        std::vector<std::size_t> byRank(trunk.consumers.size());
        for (std::size_t c = 0; c < byRank.size(); ++c)
            byRank[c] = c;
        std::stable_sort(byRank.begin(), byRank.end(),
                         [&](std::size_t a, std::size_t b) { return ranks[at(trunk.consumers[a])] < ranks[at(trunk.consumers[b])]; });
        std::size_t next = 0;
        while (next < byRank.size() && ranks[at(trunk.consumers[byRank[next]])] <= ranks[at(trunk.source)])
            ++next; // closes a cycle
        int upper = trunk.source;
        for (int rank = ranks[at(trunk.source)]; next < byRank.size(); ++rank) {
            Link link{int(t), upper, {}};
            for (; next < byRank.size() && ranks[at(trunk.consumers[byRank[next]])] == rank + 1; ++next) {
                link.lowers.push_back(trunk.consumers[byRank[next]]);
                layers.parents[t][byRank[next]] = upper;
            }
            if (next < byRank.size()) {
                const int dummy = int(layers.elements.size());
                layers.elements.push_back({});
                layers.elements.back().rank = rank + 1;
                link.lowers.push_back(dummy);
            }
            for (const int lower : link.lowers) {
                layers.elements[at(upper)].down.push_back(lower);
                layers.elements[at(lower)].up.push_back(upper);
            }
            upper = link.lowers.back();
            layers.gaps[at(rank)].push_back(std::move(link));
        }
        if ((t & 255) == 0)
            checkStop(stop);
    }
    return layers;
}

std::vector<int> chooseColumns(const Layers &layers, const LayoutProblem &problem)
{
    const std::size_t count = layers.ranks.size();
    if (problem.wrapAspect <= 0 || count < 4)
        return {0};
    std::vector<double> height(count), width(count);
    double total = 0;
    for (std::size_t k = 0; k < count; ++k) {
        for (const int e : layers.ranks[k]) {
            const bool box = layers.elements[at(e)].box;
            width[k] += box ? layers.elements[at(e)].width + problem.boxGap : problem.lineGap * 2;
            if (box)
                height[k] = std::max(height[k], problem.boxes[at(e)].height + problem.rankGap);
        }
        total += height[k];
    }
    std::vector<int> best{0};
    double bestScale = 0;
    for (int columns = 1; columns <= 24 && std::size_t(columns) * 3 <= count; ++columns) {
        std::vector<int> starts{0};
        double tallest = 0, wide = 0, filled = 0, columnWidth = 0, left = total;
        for (std::size_t k = 0; k < count; ++k) {
            filled += height[k];
            columnWidth = std::max(columnWidth, width[k]);
            if (k + 1 == count || int(starts.size()) == columns)
                continue;
            const double target = left / (columns - int(starts.size()) + 1);
            // Break here when full, or a little earlier where fewer lines would have to cross over.
            bool full = filled + height[k + 1] > target * 1.06;
            if (!full && filled > target * 0.85) {
                full = true;
                double ahead = filled;
                for (std::size_t j = k + 1; j + 1 < count && full; ++j) {
                    ahead += height[j];
                    if (ahead > target * 1.06)
                        break;
                    full = layers.gaps[j].size() > layers.gaps[k].size();
                }
            }
            if (full) {
                starts.push_back(int(k) + 1);
                wide += columnWidth + problem.boxGap * 2 + double(layers.gaps[k].size()) * problem.lineGap;
                tallest = std::max(tallest, filled);
                left -= filled;
                filled = columnWidth = 0;
            }
        }
        wide += columnWidth;
        tallest = std::max(tallest, filled);
        const double scale = std::min(problem.wrapAspect / wide, 1 / tallest);
        if (scale > bestScale) {
            bestScale = scale;
            best = starts;
        }
    }
    return best;
}

} // namespace layout

LayoutResult layeredLayout(const LayoutProblem &problem, std::stop_token stop)
{
    layout::checkStop(stop);
    if (problem.boxes.empty()) {
        LayoutResult empty;
        empty.routes.resize(problem.trunks.size());
        return empty;
    }
    layout::Layers layers = layout::makeLayers(problem, stop);
    layout::orderLayers(layers, stop);
    const std::vector<int> columns = layout::chooseColumns(layers, problem);
    std::vector<double> widths;
    for (std::size_t c = 0; c < columns.size(); ++c) {
        const int end = c + 1 < columns.size() ? columns[c + 1] : int(layers.ranks.size());
        widths.push_back(layout::placeRanks(layers, columns[c], end, problem, stop));
    }
    return layout::routeLayers(layers, problem, columns, widths, stop);
}

} // namespace widgets

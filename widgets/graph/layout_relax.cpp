#include "widgets/graph/layout_parts.h"

#include <algorithm>
#include <cmath>

namespace widgets::layout {
namespace {

constexpr int sweeps = 10;
constexpr double lineWeight = 8; // a long line would rather stay straight than a box in the middle of its neighbours

struct Pool {
    double sum = 0, weight = 0;
    std::size_t count = 0;
    double value() const { return sum / weight; }
};

/// Nearest to the wishes in the sense of least squares, in order and apart (pool adjacent violators).
void settle(Layers &layers, const std::vector<int> &rank, const LayoutProblem &problem, bool fromAbove)
{
    std::vector<double> offsets(rank.size());
    std::vector<Pool> pools;
    for (std::size_t i = 0; i < rank.size(); ++i) {
        const Element &e = layers.elements[at(rank[i])];
        if (i > 0)
            offsets[i] = offsets[i - 1] + distanceApart(layers.elements[at(rank[i - 1])], e, problem);
        double wish = e.x, weight = 0.1;
        if (const std::vector<int> &near = fromAbove ? e.up : e.down; !near.empty()) {
            wish = 0;
            weight = !e.box && !layers.elements[at(near.front())].box ? lineWeight : 1;
            for (const int n : near)
                wish += layers.elements[at(n)].x / double(near.size());
        }
        pools.push_back({(wish - offsets[i]) * weight, weight, 1});
        while (pools.size() > 1 && pools[pools.size() - 2].value() > pools.back().value()) {
            Pool &before = pools[pools.size() - 2];
            before.sum += pools.back().sum;
            before.weight += pools.back().weight;
            before.count += pools.back().count;
            pools.pop_back();
        }
    }
    std::size_t i = 0;
    for (const Pool &pool : pools)
        for (std::size_t n = 0; n < pool.count; ++n, ++i)
            layers.elements[at(rank[i])].x = pool.value() + offsets[i];
}

} // namespace

double distanceApart(const Element &left, const Element &right, const LayoutProblem &problem)
{
    const double gap = left.box && right.box ? problem.boxGap : left.box || right.box ? problem.boxGap / 2 : problem.lineGap;
    return (left.width + right.width) / 2 + gap;
}

double narrowestWidth(const Layers &layers, int first, int last, const LayoutProblem &problem)
{
    double widest = 0;
    for (int k = first; k < last; ++k) {
        const std::vector<int> &rank = layers.ranks[at(k)];
        double width = 0;
        for (std::size_t i = 0; i < rank.size(); ++i)
            width += i == 0 ? layers.elements[at(rank[i])].width
                            : distanceApart(layers.elements[at(rank[i - 1])], layers.elements[at(rank[i])], problem)
                    + (layers.elements[at(rank[i])].width - layers.elements[at(rank[i - 1])].width) / 2;
        widest = std::max(widest, width);
    }
    return widest;
}

double relaxRanks(Layers &layers, int first, int last, const LayoutProblem &problem, const std::stop_token &stop)
{
    for (int k = first; k < last; ++k)
        for (const int e : layers.ranks[at(k)])
            layers.elements[at(e)].x = 0;
    for (int sweep = 0; sweep < sweeps; ++sweep) {
        checkStop(stop);
        const bool down = sweep % 2 == 1; // down last
        for (int step = 0; step < last - first; ++step)
            settle(layers, layers.ranks[at(down ? first + step : last - 1 - step)], problem, down);
    }
    double left = 0, right = 0;
    bool any = false;
    for (int k = first; k < last; ++k)
        for (const int e : layers.ranks[at(k)]) {
            const Element &element = layers.elements[at(e)];
            left = any ? std::min(left, element.x - element.width / 2) : element.x - element.width / 2;
            right = any ? std::max(right, element.x + element.width / 2) : element.x + element.width / 2;
            any = true;
        }
    for (int k = first; k < last; ++k)
        for (const int e : layers.ranks[at(k)])
            layers.elements[at(e)].x = std::round(layers.elements[at(e)].x - left);
    return std::ceil(right - left) + 1;
}

} // namespace widgets::layout

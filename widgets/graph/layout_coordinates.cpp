#include "widgets/graph/layout_parts.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <unordered_set>

namespace widgets::layout {
namespace {

constexpr double widestRatio = 4;

/// One call for the four alignments (up or down, left or right) of a run of ranks.
class Coordinates {
public:
    Coordinates(Layers &layers, int first, int last, const LayoutProblem &problem)
        : m_layers(layers), m_first(first), m_last(last), m_problem(problem)
    {
        for (int k = first; k < last; ++k)
            for (const int e : layers.ranks[at(k)])
                m_members.push_back(e);
        m_root.resize(layers.elements.size());
        m_align.resize(layers.elements.size());
        m_x.resize(layers.elements.size());
        sortNeighbours();
        measureChains();
        findConflicts();
    }

    double place(const std::stop_token &stop)
    {
        std::array<std::vector<double>, 4> xs;
        std::array<double, 4> least{}, most{};
        std::size_t narrowest = 0;
        for (std::size_t i = 0; i < 4; ++i) {
            checkStop(stop);
            alignBlocks(i < 2, i % 2 == 0);
            compact(i % 2 == 0);
            xs[i].reserve(m_members.size());
            least[i] = std::numeric_limits<double>::max();
            most[i] = -least[i];
            for (const int e : m_members) {
                const double x = (i % 2 == 0 ? 1 : -1) * m_x[at(m_root[at(e)])];
                xs[i].push_back(x);
                least[i] = std::min(least[i], x - half(e));
                most[i] = std::max(most[i], x + half(e));
            }
            if (most[i] - least[i] < most[narrowest] - least[narrowest])
                narrowest = i;
        }
        double left = std::numeric_limits<double>::max(), right = -left;
        for (std::size_t m = 0; m < m_members.size(); ++m) {
            std::array<double, 4> candidates{};
            for (std::size_t i = 0; i < 4; ++i)
                candidates[i] = xs[i][m] + (i % 2 == 0 ? least[narrowest] - least[i] : most[narrowest] - most[i]);
            std::sort(candidates.begin(), candidates.end());
            Element &e = m_layers.elements[at(m_members[m])];
            e.x = std::round((candidates[1] + candidates[2]) / 2);
            left = std::min(left, e.x - e.width / 2);
            right = std::max(right, e.x + e.width / 2);
        }
        for (const int e : m_members)
            m_layers.elements[at(e)].x -= std::floor(left);
        return right - std::floor(left);
    }

private:
    const Element &element(int e) const { return m_layers.elements[at(e)]; }
    double half(int e) const { return element(e).width / 2; }
    bool inside(int rank) const { return rank >= m_first && rank < m_last; }
    static std::uint64_t key(int upper, int lower) { return std::uint64_t(upper) << 32 | std::uint32_t(lower); }

    void sortNeighbours()
    {
        const auto byPlace = [this](int a, int b) { return element(a).place < element(b).place; };
        for (const int e : m_members) {
            std::sort(m_layers.elements[at(e)].up.begin(), m_layers.elements[at(e)].up.end(), byPlace);
            std::sort(m_layers.elements[at(e)].down.begin(), m_layers.elements[at(e)].down.end(), byPlace);
        }
    }

    /// Lines that cross the inside of a long line: the long line stays straight.
    void findConflicts()
    {
        for (int k = m_first; k + 1 < m_last; ++k) {
            const std::vector<int> &lowers = m_layers.ranks[at(k) + 1];
            int before = 0;
            std::size_t from = 0;
            for (std::size_t i = 0; i < lowers.size(); ++i) {
                const int inner = innerAbove(lowers[i]);
                if (inner < 0 && i + 1 < lowers.size())
                    continue;
                const int after = inner >= 0 ? inner : int(m_layers.ranks[at(k)].size());
                for (; from <= i; ++from)
                    for (const int upper : element(lowers[from]).up) {
                        const int place = element(upper).place;
                        if ((place < before || place > after) && (element(upper).box || element(lowers[from]).box))
                            m_conflicts.insert(key(upper, lowers[from]));
                    }
                before = after;
            }
        }
    }

    int innerAbove(int e) const
    {
        return element(e).box || element(e).up.empty() || element(element(e).up.front()).box ? -1 : element(element(e).up.front()).place;
    }

    /// How far boxes follow each other without a gap, up and down from each box; of a line 0. The longest chain is the main path.
    void measureChains()
    {
        constexpr int longEnough = 12;
        m_chainUp.resize(m_layers.elements.size());
        m_chainDown.resize(m_layers.elements.size());
        const auto measure = [&](int e, std::vector<int> &chain, const std::vector<int> &next) {
            if (!element(e).box)
                return;
            for (const int n : next)
                chain[at(e)] = std::max(chain[at(e)], chain[at(n)]);
            chain[at(e)] = std::min(chain[at(e)] + 1, longEnough);
        };
        for (const int e : m_members)
            measure(e, m_chainUp, element(e).up);
        for (std::size_t i = m_members.size(); i-- > 0;)
            measure(m_members[i], m_chainDown, element(m_members[i]).down);
    }

    void alignBlocks(bool fromTop, bool fromLeft)
    {
        for (const int e : m_members)
            m_root[at(e)] = m_align[at(e)] = e;
        const int count = m_last - m_first;
        std::vector<int> near;
        for (int step = 1; step < count; ++step) {
            const int rank = fromTop ? m_first + step : m_last - 1 - step;
            const std::vector<int> &order = m_layers.ranks[at(rank)];
            // A neighbour counts by its chain away from here, a box by its chain away from the neighbour.
            const std::vector<int> &nearChain = fromTop ? m_chainUp : m_chainDown, &ownChain = fromTop ? m_chainDown : m_chainUp;
            int taken = std::numeric_limits<int>::min(); // place of the last neighbour used, counted in walking direction
            for (std::size_t i = 0; i < order.size(); ++i) {
                const int v = fromLeft ? order[i] : order[order.size() - 1 - i];
                near.clear();
                int longest = 0;
                for (const int u : fromTop ? element(v).up : element(v).down)
                    longest = std::max(longest, nearChain[at(u)]);
                for (const int u : fromTop ? element(v).up : element(v).down)
                    if (!element(v).box || nearChain[at(u)] == longest)
                        near.push_back(u);
                if (near.empty())
                    continue;
                const std::size_t low = (near.size() - 1) / 2, high = near.size() / 2;
                const std::array<int, 2> medians = {near[fromLeft ? low : high], near[fromLeft ? high : low]};
                for (const int u : medians) {
                    const int place = fromLeft ? element(u).place : -element(u).place;
                    if (m_align[at(v)] != v || taken >= place)
                        continue;
                    if (m_conflicts.contains(fromTop ? key(u, v) : key(v, u)))
                        continue;
                    const std::vector<int> &rivals = fromTop ? element(u).down : element(u).up;
                    if (element(u).box && std::any_of(rivals.begin(), rivals.end(), [&](int r) { return ownChain[at(r)] > ownChain[at(v)]; }))
                        continue; // yields to the main path
                    m_align[at(u)] = v;
                    m_root[at(v)] = m_root[at(u)];
                    m_align[at(v)] = m_root[at(v)];
                    taken = place;
                }
            }
        }
    }

    /// Blocks as far to the left as they go, then to the right until they touch their neighbours. From the right: mirrored.
    void compact(bool fromLeft)
    {
        struct Arc {
            int to;
            double distance;
        };
        std::vector<std::vector<Arc>> arcs(m_layers.elements.size());
        std::vector<int> waiting(m_layers.elements.size());
        for (int k = m_first; k < m_last; ++k) {
            const std::vector<int> &order = m_layers.ranks[at(k)];
            for (std::size_t i = 0; i + 1 < order.size(); ++i) {
                const int a = fromLeft ? order[i] : order[i + 1], b = fromLeft ? order[i + 1] : order[i];
                arcs[at(m_root[at(a)])].push_back({m_root[at(b)], distanceApart(element(order[i]), element(order[i + 1]), m_problem)});
                ++waiting[at(m_root[at(b)])];
            }
        }
        std::vector<int> blocks;
        for (const int e : m_members) {
            m_x[at(e)] = 0;
            if (m_root[at(e)] == e && waiting[at(e)] == 0)
                blocks.push_back(e);
        }
        for (std::size_t i = 0; i < blocks.size(); ++i)
            for (const Arc &arc : arcs[at(blocks[i])]) {
                m_x[at(arc.to)] = std::max(m_x[at(arc.to)], m_x[at(blocks[i])] + arc.distance);
                if (--waiting[at(arc.to)] == 0)
                    blocks.push_back(arc.to);
            }
        for (std::size_t i = blocks.size(); i-- > 0;) {
            double room = std::numeric_limits<double>::max();
            for (const Arc &arc : arcs[at(blocks[i])])
                room = std::min(room, m_x[at(arc.to)] - arc.distance);
            if (room != std::numeric_limits<double>::max())
                m_x[at(blocks[i])] = std::max(m_x[at(blocks[i])], room);
        }
    }

    Layers &m_layers;
    int m_first, m_last;
    const LayoutProblem &m_problem;
    std::vector<int> m_members, m_root, m_align, m_chainUp, m_chainDown;
    std::vector<double> m_x;
    std::unordered_set<std::uint64_t> m_conflicts;
};

} // namespace

double placeRanks(Layers &layers, int first, int last, const LayoutProblem &problem, const std::stop_token &stop)
{
    const double width = Coordinates(layers, first, last, problem).place(stop);
    if (width <= widestRatio * narrowestWidth(layers, first, last, problem) + problem.boxGap)
        return width;
    return relaxRanks(layers, first, last, problem, stop);
}

} // namespace widgets::layout

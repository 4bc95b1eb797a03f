#include "widgets/graph/layout_parts.h"

#include "widgets/graph/layout_tracks.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>

namespace widgets::layout {
namespace {

using Line = LayoutResult::Line;

constexpr double portMargin = 12; // from a box's corner to the nearest line
constexpr double branchRadius = 9; // where a branch leaves a horizontal part

/// Moves wishes apart by `gap` within [low, high]; they keep their order.
void spread(std::vector<double> &wishes, double low, double high, double gap)
{
    if (wishes.empty())
        return;
    if (wishes.size() > 1)
        gap = std::min(gap, (high - low) / double(wishes.size() - 1));
    for (std::size_t i = 0; i < wishes.size(); ++i)
        wishes[i] = std::max(wishes[i], i == 0 ? low : wishes[i - 1] + gap);
    for (std::size_t i = wishes.size(); i-- > 0;)
        wishes[i] = std::min(wishes[i], i + 1 == wishes.size() ? high : wishes[i + 1] - gap);
}

void append(Line &line, const QPointF &point)
{
    if (!line.empty() && line.back() == point)
        return;
    const std::size_t n = line.size();
    if (n >= 2 && ((line[n - 2].x() == line[n - 1].x() && line[n - 1].x() == point.x())
                   || (line[n - 2].y() == line[n - 1].y() && line[n - 1].y() == point.y())))
        line.back() = point;
    else
        line.push_back(point);
}

/// One link with its places.
struct Run {
    const Link *link = nullptr;
    double upper = 0;
    std::vector<double> lowers;
    Line bend;        ///< between two columns: the corners from the end of the column to the track of the next one
    double track = 0; ///< y
    bool straight = false;
};

class Router {
public:
    Router(const Layers &layers, const LayoutProblem &problem, const std::vector<int> &columns, const std::vector<double> &widths)
        : m_layers(layers), m_problem(problem), m_columns(columns), m_widths(widths), m_top(layers.ranks.size()),
          m_height(layers.ranks.size()), m_column(layers.ranks.size()), m_runs(layers.ranks.size()), m_tracks(layers.ranks.size())
    {
        for (std::size_t c = 0; c < columns.size(); ++c)
            for (std::size_t k = at(columns[c]); k < layers.ranks.size(); ++k)
                m_column[k] = int(c);
        for (std::size_t k = 0; k < layers.ranks.size(); ++k)
            for (const int e : layers.ranks[k])
                if (layers.elements[at(e)].box)
                    m_height[k] = std::max(m_height[k], problem.boxes[at(e)].height);
    }

    LayoutResult route(const std::stop_token &stop)
    {
        placeColumns();
        for (std::size_t k = 0; k < m_runs.size(); ++k) {
            checkStop(stop);
            findPorts(k);
            if (!wraps(k))
                findTracks(k);
        }
        placeRanksVertically();
        for (std::size_t k = 0; k < m_runs.size(); ++k)
            for (Run &run : m_runs[k])
                if (!wraps(k))
                    run.track += m_top[k] + m_height[k];
        for (std::size_t c = 0; c + 1 < m_columns.size(); ++c)
            bendAround(at(m_columns[c + 1]) - 1);
        checkStop(stop);
        return lines(stop);
    }

private:
    bool wraps(std::size_t gap) const { return gap + 1 < m_column.size() && m_column[gap] != m_column[gap + 1]; }
    double x(int e) const { return m_layers.elements[at(e)].x + m_left[at(m_column[at(m_layers.elements[at(e)].rank)])]; }
    const Element &element(int e) const { return m_layers.elements[at(e)]; }
    double reach(int e) const { return std::max(0.0, element(e).width / 2 - portMargin); }

    void placeColumns()
    {
        double left = 0;
        for (std::size_t c = 0; c < m_columns.size(); ++c) {
            m_left.push_back(left);
            left += m_widths[c];
            if (c + 1 < m_columns.size())
                left += m_problem.boxGap * 2 + double(m_layers.gaps[at(m_columns[c + 1]) - 1].size()) * m_problem.lineGap;
        }
    }

    void findPorts(std::size_t k)
    {
        const std::vector<Link> &links = m_layers.gaps[k];
        std::vector<Run> &runs = m_runs[k];
        std::map<int, std::vector<std::size_t>> leaving, arriving; // element → runs
        for (const Link &link : links) {
            leaving[link.upper].push_back(runs.size());
            for (const int lower : link.lowers)
                arriving[lower].push_back(runs.size());
            runs.push_back({&link, x(link.upper), std::vector<double>(link.lowers.size()), {}, 0, false});
        }
        for (auto &[e, list] : leaving)
            if (element(e).box)
                leave(k, e, list);
        for (auto &[e, list] : arriving)
            arrive(k, e, list);
        for (Run &run : runs)
            run.straight = std::all_of(run.lowers.begin(), run.lowers.end(), [&](double l) { return std::abs(l - run.upper) < 0.5; });
    }

    void leave(std::size_t k, int box, std::vector<std::size_t> &list)
    {
        std::vector<Run> &runs = m_runs[k];
        const auto mean = [&](std::size_t r) {
            double sum = 0;
            for (const int lower : runs[r].link->lowers)
                sum += x(lower);
            return sum / double(runs[r].link->lowers.size());
        };
        std::vector<std::pair<double, std::size_t>> byTarget;
        for (const std::size_t r : list)
            byTarget.emplace_back(mean(r), r);
        std::stable_sort(byTarget.begin(), byTarget.end());
        std::vector<double> wishes;
        for (const auto &[target, r] : byTarget) {
            double wish = list.size() == 1 || wraps(k) ? x(box) : std::clamp(target, x(box) - reach(box), x(box) + reach(box));
            double nearest = reach(box);
            if (!wraps(k) && list.size() == 1)
                for (const int lower : runs[r].link->lowers) // straight down to a box, if there is one below
                    if (element(lower).box && std::abs(x(lower) - x(box)) <= nearest) {
                        nearest = std::abs(x(lower) - x(box));
                        wish = x(lower);
                    }
            wishes.push_back(wish);
        }
        spread(wishes, x(box) - reach(box), x(box) + reach(box), m_problem.portGap);
        for (std::size_t i = 0; i < wishes.size(); ++i)
            runs[byTarget[i].second].upper = std::round(wishes[i]);
    }

    void arrive(std::size_t k, int e, std::vector<std::size_t> &list)
    {
        std::vector<Run> &runs = m_runs[k];
        const auto set = [&](std::size_t r, double port) {
            for (std::size_t i = 0; i < runs[r].lowers.size(); ++i)
                if (runs[r].link->lowers[i] == e)
                    runs[r].lowers[i] = port;
        };
        if (!element(e).box) {
            for (const std::size_t r : list)
                set(r, x(e));
            return;
        }
        std::stable_sort(list.begin(), list.end(), [&](std::size_t a, std::size_t b) { return runs[a].upper < runs[b].upper; });
        std::vector<double> wishes;
        for (const std::size_t r : list) {
            const double off = runs[r].upper - x(e);
            if (std::abs(off) <= reach(e) && !wraps(k))
                wishes.push_back(runs[r].upper);
            else // from further away: one line to the middle, several to their side of it
                wishes.push_back(list.size() == 1 ? x(e) : x(e) + std::copysign(reach(e) * 0.6, off));
        }
        spread(wishes, x(e) - reach(e), x(e) + reach(e), m_problem.portGap);
        for (std::size_t i = 0; i < list.size(); ++i)
            set(list[i], std::round(wishes[i]));
    }

    void findTracks(std::size_t k)
    {
        std::vector<Horizontal> horizontals;
        std::vector<std::size_t> owner;
        for (std::size_t r = 0; r < m_runs[k].size(); ++r) {
            const Run &run = m_runs[k][r];
            if (run.straight)
                continue;
            const auto [low, high] = std::minmax_element(run.lowers.begin(), run.lowers.end());
            horizontals.push_back({run.upper, run.lowers, std::min(*low, run.upper), std::max(*high, run.upper), 0});
            owner.push_back(r);
        }
        m_tracks[k] = assignTracks(horizontals);
        for (std::size_t h = 0; h < horizontals.size(); ++h)
            m_runs[k][owner[h]].track = std::round(m_problem.rankGap * 0.4) + horizontals[h].track * m_problem.lineGap;
    }

    double gapBelow(std::size_t k) const { return m_problem.rankGap + std::max(0, m_tracks[k] - 1) * m_problem.lineGap; }

    void placeRanksVertically()
    {
        std::size_t channel = 0; // tracks above the columns
        for (std::size_t c = 1; c < m_columns.size(); ++c)
            channel = std::max(channel, m_layers.gaps[at(m_columns[c]) - 1].size());
        const double start = channel == 0 ? 0 : m_problem.rankGap + double(channel - 1) * m_problem.lineGap;
        double y = start;
        for (std::size_t k = 0; k < m_top.size(); ++k) {
            if (k > 0 && m_column[k] != m_column[k - 1])
                y = start;
            m_top[k] = std::round(y);
            y += m_height[k] + gapBelow(k);
        }
    }

    /// Lines from the foot of one column to the head of the next, nested without crossings in the gutter.
    void bendAround(std::size_t k)
    {
        std::vector<std::size_t> order(m_runs[k].size());
        std::iota(order.begin(), order.end(), std::size_t(0));
        std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return m_runs[k][a].upper > m_runs[k][b].upper; });
        const int column = m_column[k];
        const double foot = m_top[k] + m_height[k] + std::round(m_problem.rankGap * 0.4);
        const double gutter = m_left[at(column)] + m_widths[at(column)] + m_problem.boxGap;
        const double head = m_top[k + 1] - std::round(m_problem.rankGap * 0.6);
        for (std::size_t i = 0; i < order.size(); ++i) {
            Run &run = m_runs[k][order[i]];
            const double step = double(i) * m_problem.lineGap;
            run.track = head - double(order.size() - 1 - i) * m_problem.lineGap;
            run.bend = {{run.upper, foot + step}, {std::round(gutter + step), foot + step}, {std::round(gutter + step), run.track}};
            run.straight = false;
        }
    }

    double topOf(int e) const
    {
        const std::size_t k = at(element(e).rank);
        return element(e).box ? m_top[k] + (m_height[k] - m_problem.boxes[at(e)].height) / 2 : m_top[k];
    }
    double bottomOf(int e) const
    {
        const std::size_t k = at(element(e).rank);
        return element(e).box ? m_top[k] + (m_height[k] + m_problem.boxes[at(e)].height) / 2 : m_top[k];
    }

    void appendLink(Line &line, const Run &run, std::size_t lower) const
    {
        append(line, {run.upper, bottomOf(run.link->upper)});
        for (const QPointF &corner : run.bend)
            append(line, corner);
        if (!run.straight) {
            append(line, {run.bend.empty() ? run.upper : run.bend.back().x(), run.track});
            append(line, {run.lowers[lower], run.track});
        }
        append(line, {run.lowers[lower], topOf(run.link->lowers[lower])});
    }

    /// The drawing of one link: whole lines to the outermost ends, short ones from the horizontal part to those between.
    void stroke(LayoutResult::Route &route, const Run &run, std::map<int, std::size_t> &openStroke) const
    {
        const double from = run.bend.empty() ? run.upper : run.bend.back().x();
        std::vector<std::size_t> order(run.lowers.size());
        std::iota(order.begin(), order.end(), std::size_t(0));
        std::stable_sort(order.begin(), order.end(),
                         [&](std::size_t a, std::size_t b) { return std::abs(run.lowers[a] - from) > std::abs(run.lowers[b] - from); });
        bool left = false, right = false, first = true;
        for (const std::size_t i : order) {
            const double to = run.lowers[i];
            bool &whole = to < from ? left : right;
            Line line;
            if (first || (!whole && std::abs(to - from) >= 0.5)) {
                const auto open = openStroke.find(run.link->upper);
                if (first && open != openStroke.end())
                    line = std::move(route.strokes[open->second]);
                appendLink(line, run, i);
                whole = true;
                if (first && open != openStroke.end()) {
                    route.strokes[open->second] = std::move(line);
                    openStroke[run.link->lowers[i]] = open->second;
                    first = false;
                    continue;
                }
                first = false;
            } else {
                if (std::abs(to - from) >= branchRadius)
                    append(line, {to + std::copysign(branchRadius, from - to), run.track});
                append(line, {to, run.track});
                append(line, {to, topOf(run.link->lowers[i])});
            }
            openStroke[run.link->lowers[i]] = route.strokes.size();
            route.strokes.push_back(std::move(line));
        }
    }

    LayoutResult lines(const std::stop_token &stop) const
    {
        LayoutResult result;
        result.columnCount = int(m_columns.size());
        const std::size_t boxes = m_problem.boxes.size();
        double right = 0, bottom = 0;
        for (std::size_t b = 0; b < boxes; ++b) {
            const std::size_t k = at(element(int(b)).rank);
            result.centres.emplace_back(x(int(b)), m_top[k] + m_height[k] / 2);
            result.ranks.push_back(int(k));
            result.columns.push_back(m_column[k]);
            right = std::max(right, x(int(b)) + m_problem.boxes[b].width / 2);
            bottom = std::max(bottom, m_top[k] + m_height[k]);
        }
        result.routes.resize(m_problem.trunks.size());
        std::vector<std::map<int, const Run *>> runOf(m_problem.trunks.size());
        std::vector<std::map<int, std::size_t>> open(m_problem.trunks.size());
        for (std::size_t k = 0; k < m_runs.size(); ++k)
            for (const Run &run : m_runs[k]) {
                runOf[at(run.link->trunk)][run.link->upper] = &run;
                stroke(result.routes[at(run.link->trunk)], run, open[at(run.link->trunk)]);
            }
        for (std::size_t t = 0; t < m_problem.trunks.size(); ++t) {
            if ((t & 255) == 0)
                checkStop(stop);
            for (std::size_t c = 0; c < m_problem.trunks[t].consumers.size(); ++c)
                result.routes[t].branches.push_back(branch(int(t), c, runOf[t], result));
            for (const Line &line : result.routes[t].strokes)
                for (const QPointF &p : line) {
                    right = std::max(right, p.x());
                    bottom = std::max(bottom, p.y());
                }
        }
        result.bounds = QRectF(0, 0, right, bottom);
        return result;
    }

    Line branch(int trunk, std::size_t consumer, const std::map<int, const Run *> &runOf, LayoutResult &result) const
    {
        const int target = m_problem.trunks[at(trunk)].consumers[consumer];
        Line line;
        if (m_layers.parents[at(trunk)][consumer] < 0) { // the line that closes a cycle
            const int source = m_problem.trunks[at(trunk)].source;
            line = {{x(source), bottomOf(source)}, {x(target), topOf(target)}};
            result.routes[at(trunk)].strokes.push_back(line);
            return line;
        }
        std::vector<std::pair<const Run *, std::size_t>> way; // from below
        int lower = target, upper = m_layers.parents[at(trunk)][consumer];
        for (;;) {
            const Run *run = runOf.at(upper);
            const auto found = std::find(run->link->lowers.begin(), run->link->lowers.end(), lower);
            way.emplace_back(run, std::size_t(found - run->link->lowers.begin()));
            if (element(upper).box)
                break;
            lower = upper;
            upper = element(upper).up.front();
        }
        for (std::size_t i = way.size(); i-- > 0;)
            appendLink(line, *way[i].first, way[i].second);
        return line;
    }

    const Layers &m_layers;
    const LayoutProblem &m_problem;
    const std::vector<int> &m_columns;
    const std::vector<double> &m_widths;
    std::vector<double> m_left, m_top, m_height;
    std::vector<int> m_column;
    std::vector<std::vector<Run>> m_runs;
    std::vector<int> m_tracks;
};

} // namespace

LayoutResult routeLayers(const Layers &layers, const LayoutProblem &problem, const std::vector<int> &columns,
                         const std::vector<double> &widths, const std::stop_token &stop)
{
    return Router(layers, problem, columns, widths).route(stop);
}

} // namespace widgets::layout

#include "widgets/graph/layout_tracks.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>

namespace widgets::layout {
namespace {

constexpr std::size_t comparedAtMost = 80; // lines of one gap whose order is chosen by comparing all pairs
constexpr int overlapPenalty = 50;         // a vertical part on another one is much worse than a crossing
constexpr double touching = 5;

bool overlap(const Horizontal &a, const Horizontal &b)
{
    return a.left <= b.right + touching && b.left <= a.right + touching;
}

/// What it costs when a lies above b.
int costAbove(const Horizontal &a, const Horizontal &b)
{
    int cost = b.upper > a.left && b.upper < a.right ? 1 : 0;
    for (const double x : a.lowers) {
        cost += x > b.left && x < b.right ? 1 : 0;
        cost += std::abs(x - b.upper) < touching ? overlapPenalty : 0;
    }
    return cost;
}

/// Greedy order of a graph of preferences (Eades, Lin and Smyth 1993): take what nothing wants below it, else what gains most.
std::vector<std::size_t> greedyOrder(const std::vector<Horizontal> &lines)
{
    const std::size_t count = lines.size();
    std::vector<int> weight(count * count);
    std::vector<int> balance(count), wantedBelow(count);
    for (std::size_t a = 0; a < count; ++a)
        for (std::size_t b = 0; b < count; ++b)
            if (a != b && overlap(lines[a], lines[b])) {
                const int preferred = costAbove(lines[b], lines[a]) - costAbove(lines[a], lines[b]);
                if (preferred > 0) {
                    weight[a * count + b] = preferred; // a should lie above b
                    balance[a] += preferred;
                    balance[b] -= preferred;
                    wantedBelow[b] += preferred;
                }
            }
    std::vector<bool> taken(count);
    std::vector<std::size_t> order;
    while (order.size() < count) {
        std::size_t best = count;
        for (std::size_t i = 0; i < count; ++i) {
            if (taken[i])
                continue;
            if (wantedBelow[i] == 0) {
                best = i;
                break;
            }
            if (best == count || balance[i] > balance[best])
                best = i;
        }
        taken[best] = true;
        order.push_back(best);
        for (std::size_t i = 0; i < count; ++i) {
            wantedBelow[i] -= weight[best * count + i];
            balance[i] += weight[best * count + i] - weight[i * count + best];
        }
    }
    return order;
}

} // namespace

int assignTracks(std::vector<Horizontal> &lines)
{
    std::vector<std::size_t> order;
    if (lines.size() <= comparedAtMost) {
        order = greedyOrder(lines);
    } else {
        // Going right: the rightmost first; going left: the leftmost first.
        order.resize(lines.size());
        std::iota(order.begin(), order.end(), std::size_t(0));
        const auto key = [&](std::size_t i) {
            const bool right = lines[i].right - lines[i].upper > lines[i].upper - lines[i].left;
            return right ? -lines[i].upper : lines[i].upper;
        };
        std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return key(a) < key(b); });
    }
    int tracks = 0;
    for (std::size_t i = 0; i < order.size(); ++i) {
        Horizontal &line = lines[order[i]];
        line.track = 0;
        for (std::size_t j = 0; j < i; ++j)
            if (const Horizontal &earlier = lines[order[j]]; earlier.track >= line.track && overlap(earlier, line))
                line.track = earlier.track + 1;
        tracks = std::max(tracks, line.track + 1);
    }
    return tracks;
}

} // namespace widgets::layout

#include "widgets/graph/layout_parts.h"

#include <algorithm>
#include <cstdint>

namespace widgets::layout {
namespace {

void renumber(Layers &layers, std::size_t rank)
{
    for (std::size_t i = 0; i < layers.ranks[rank].size(); ++i)
        layers.elements[at(layers.ranks[rank][i])].place = int(i);
}

void depthFirst(Layers &layers)
{
    std::vector<bool> seen(layers.elements.size());
    std::vector<int> stack;
    for (std::size_t start = 0; start < layers.elements.size(); ++start) {
        if (seen[start] || !layers.elements[start].up.empty())
            continue;
        stack.push_back(int(start));
        while (!stack.empty()) {
            const int e = stack.back();
            stack.pop_back();
            if (seen[at(e)])
                continue;
            seen[at(e)] = true;
            layers.ranks[at(layers.elements[at(e)].rank)].push_back(e);
            const std::vector<int> &down = layers.elements[at(e)].down;
            // Lines last, hence to the right of the boxes that the same tensor feeds.
            for (std::size_t i = down.size(); i-- > 0;)
                if (!layers.elements[at(down[i])].box)
                    stack.push_back(down[i]);
            for (std::size_t i = down.size(); i-- > 0;)
                if (layers.elements[at(down[i])].box)
                    stack.push_back(down[i]);
        }
    }
    for (std::size_t k = 0; k < layers.ranks.size(); ++k)
        renumber(layers, k);
}

/// Sorts one rank by the mean place of its neighbours above or below; elements without neighbours stay where they are.
void sweepRank(Layers &layers, std::size_t rank, bool down)
{
    struct Entry {
        double mean;
        int element;
    };
    std::vector<int> &order = layers.ranks[rank];
    std::vector<Entry> entries;
    std::vector<std::size_t> slots;
    for (std::size_t i = 0; i < order.size(); ++i) {
        const Element &e = layers.elements[at(order[i])];
        const std::vector<int> &near = down ? e.up : e.down;
        if (near.empty())
            continue;
        double sum = 0;
        for (const int n : near)
            sum += layers.elements[at(n)].place;
        entries.push_back({sum / double(near.size()), order[i]});
        slots.push_back(i);
    }
    std::stable_sort(entries.begin(), entries.end(), [](const Entry &a, const Entry &b) { return a.mean < b.mean; });
    for (std::size_t i = 0; i < slots.size(); ++i)
        order[slots[i]] = entries[i].element;
    renumber(layers, rank);
}

/// Crossings of the lines of a and b on one side when a stands left of b, less those when b stands left of a.
std::int64_t gain(const Layers &layers, const std::vector<int> &a, const std::vector<int> &b)
{
    std::int64_t now = 0, swapped = 0;
    for (const int x : a)
        for (const int y : b) {
            const int px = layers.elements[at(x)].place, py = layers.elements[at(y)].place;
            now += px > py;
            swapped += py > px;
        }
    return now - swapped;
}

bool exchangeNeighbours(Layers &layers)
{
    bool changed = false;
    for (std::vector<int> &rank : layers.ranks)
        for (std::size_t i = 0; i + 1 < rank.size(); ++i) {
            Element &a = layers.elements[at(rank[i])], &b = layers.elements[at(rank[i + 1])];
            if (gain(layers, a.up, b.up) + gain(layers, a.down, b.down) > 0) {
                std::swap(rank[i], rank[i + 1]);
                std::swap(a.place, b.place);
                changed = true;
            }
        }
    return changed;
}

} // namespace

std::int64_t countCrossings(const Layers &layers)
{
    std::int64_t total = 0;
    std::vector<int> tree, ends;
    for (std::size_t k = 0; k + 1 < layers.ranks.size(); ++k) {
        const std::size_t width = layers.ranks[k + 1].size();
        tree.assign(width + 1, 0);
        int inserted = 0;
        for (const int e : layers.ranks[k]) {
            ends.clear();
            for (const int lower : layers.elements[at(e)].down)
                ends.push_back(layers.elements[at(lower)].place);
            for (const int end : ends) { // lines inserted before that end further right
                int leftOrSame = 0;
                for (int i = end + 1; i > 0; i -= i & -i)
                    leftOrSame += tree[at(i)];
                total += inserted - leftOrSame;
            }
            for (const int end : ends) {
                for (int i = end + 1; i <= int(width); i += i & -i)
                    ++tree[at(i)];
                ++inserted;
            }
        }
    }
    return total;
}

void orderLayers(Layers &layers, const std::stop_token &stop)
{
    depthFirst(layers);
    const std::size_t size = layers.elements.size();
    const int sweeps = int(std::clamp<std::size_t>(200'000 / (size + 1), 2, 12));
    std::vector<std::vector<int>> best = layers.ranks;
    std::int64_t fewest = countCrossings(layers);
    for (int sweep = 0; sweep < sweeps && fewest > 0; ++sweep) {
        checkStop(stop);
        const bool down = sweep % 2 == 0;
        for (std::size_t k = 0; k < layers.ranks.size(); ++k)
            sweepRank(layers, down ? k : layers.ranks.size() - 1 - k, down);
        const std::int64_t crossings = countCrossings(layers);
        if (crossings < fewest) {
            fewest = crossings;
            best = layers.ranks;
        }
    }
    layers.ranks = std::move(best);
    for (std::size_t k = 0; k < layers.ranks.size(); ++k)
        renumber(layers, k);
    const int rounds = size < 20'000 ? 8 : 1;
    for (int round = 0; round < rounds && fewest > 0 && exchangeNeighbours(layers); ++round)
        checkStop(stop);
}

} // namespace widgets::layout

#include "widgets/graph/graph_blocks.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace widgets {
namespace {

constexpr std::size_t largestBlock = 64;

std::size_t at(int index) { return std::size_t(index); }

/// One way in, one way out; members ascending, the exit last.
struct Region {
    std::vector<int> nodes;
    int exit = -1;
    bool light = false; // no weights, or a gate (… → Mul): belongs to the convolution before it
};

class BlockFinder {
public:
    BlockFinder(const core::Graph &graph, const NodeNet &net) : m_graph(graph), m_net(net), m_region(net.nodes.size(), -1) {}

    std::vector<GraphBlock> find()
    {
        findRegions();
        for (const Region &region : m_regions)
            if (!region.light)
                m_blocks.push_back({kindOf(region), region.nodes});
        findChains();
        std::sort(m_blocks.begin(), m_blocks.end(), [](const GraphBlock &a, const GraphBlock &b) { return a.nodes.front() < b.nodes.front(); });
        return std::move(m_blocks);
    }

private:
    const core::Node &node(int n) const { return m_graph.node(m_net.nodes[at(n)]); }

    bool weighted(int n) const
    {
        static constexpr std::array<std::string_view, 9> types = {"Conv", "ConvTranspose", "Gemm", "MatMul", "QLinearConv", "ConvInteger",
                                                                  "QLinearMatMul", "MatMulInteger", "DeformConv"};
        return std::find(types.begin(), types.end(), node(n).opType) != types.end();
    }
    bool depthwise(int n) const { return node(n).is("Conv") && node(n).intAttribute("group", 1) > 1; }
    bool pointwise(int n) const
    {
        const core::ValueId weight = node(n).input(1);
        if (!node(n).is("Conv") || depthwise(n) || !weight)
            return false;
        const auto &shape = m_graph.value(weight).shape;
        return shape && shape->size() == 4 && (*shape)[2].size == 1 && (*shape)[3].size == 1;
    }
    bool contains(const Region &region, std::string_view type) const
    {
        return std::any_of(region.nodes.begin(), region.nodes.end(), [&](int n) { return node(n).opType == type; });
    }

    /// Nearest common dominators; graph order is topological. −1 = the outside.
    std::vector<int> dominators() const
    {
        std::vector<int> dominator(m_net.nodes.size(), -1), depth(m_net.nodes.size(), 0);
        for (std::size_t n = 0; n < dominator.size(); ++n) {
            if (m_net.enters[n] || m_net.previous[n].empty())
                continue;
            int common = m_net.previous[n].front();
            for (int other : m_net.previous[n])
                while (common != other && common >= 0 && other >= 0) {
                    int &deeper = depth[at(common)] >= depth[at(other)] ? common : other;
                    deeper = dominator[at(deeper)];
                    if (deeper < 0)
                        common = other = -1;
                }
            dominator[n] = common;
            depth[n] = common < 0 ? 0 : depth[at(common)] + 1;
        }
        return dominator;
    }

    void findRegions()
    {
        const std::vector<int> dominator = dominators();
        std::vector<Region> candidates;
        std::vector<int> stamp(m_net.nodes.size(), -1);
        for (int join = 0; join < int(m_net.nodes.size()); ++join) {
            const int entry = dominator[at(join)];
            if (entry < 0 || (m_net.previous[at(join)].size() < 2))
                continue;
            Region region{{join}, join, false};
            stamp[at(join)] = join;
            for (std::size_t i = 0; i < region.nodes.size() && region.nodes.size() <= largestBlock; ++i)
                for (const int before : m_net.previous[at(region.nodes[i])])
                    if (before != entry && stamp[at(before)] != join) {
                        stamp[at(before)] = join;
                        region.nodes.push_back(before);
                    }
            const auto closed = [&](int n) {
                return n == join || (!m_net.leaves[at(n)] && std::all_of(m_net.next[at(n)].begin(), m_net.next[at(n)].end(), [&](int next) {
                    return stamp[at(next)] == join;
                }));
            };
            if (region.nodes.size() > largestBlock || !std::all_of(region.nodes.begin(), region.nodes.end(), closed))
                continue;
            std::sort(region.nodes.begin(), region.nodes.end());
            candidates.push_back(std::move(region));
        }
        std::stable_sort(candidates.begin(), candidates.end(), [](const Region &a, const Region &b) { return a.nodes.size() > b.nodes.size(); });
        for (Region &region : candidates) {
            if (std::any_of(region.nodes.begin(), region.nodes.end(), [&](int n) { return m_region[at(n)] >= 0; }))
                continue;
            const bool noWeights = std::none_of(region.nodes.begin(), region.nodes.end(), [&](int n) { return weighted(n); });
            region.light = node(region.exit).is("Mul") || (noWeights && !node(region.exit).is("Concat"));
            for (const int n : region.nodes)
                m_region[at(n)] = int(m_regions.size());
            m_regions.push_back(std::move(region));
        }
        for (Region &region : m_regions)
            if (!region.light)
                takeTail(region);
    }

    /// An activation behind Add, the shuffle behind Concat: nodes in line without weights.
    void takeTail(Region &region)
    {
        for (;;) {
            if (m_net.leaves[at(region.exit)] || m_net.next[at(region.exit)].size() != 1)
                return;
            const int next = m_net.next[at(region.exit)].front();
            if (m_region[at(next)] >= 0 || m_net.previous[at(next)].size() != 1 || weighted(next) || poolingOrResize(next))
                return;
            m_region[at(next)] = m_region[at(region.exit)];
            region.nodes.push_back(next);
            region.exit = next;
        }
    }

    bool poolingOrResize(int n) const
    {
        return node(n).opType.ends_with("Pool") || node(n).is("Resize") || node(n).is("Flatten") || node(n).is("Pad");
    }

    BlockKind kindOf(const Region &region) const
    {
        const bool anyDepthwise = std::any_of(region.nodes.begin(), region.nodes.end(), [&](int n) { return depthwise(n); });
        const bool adds = contains(region, "Add") || contains(region, "Sum");
        if (contains(region, "Concat")) {
            if (contains(region, "Transpose"))
                return BlockKind::Shuffle;
            return adds ? BlockKind::SplitConcat : BlockKind::Branches;
        }
        return adds ? anyDepthwise ? BlockKind::InvertedResidual : BlockKind::Residual : BlockKind::Branches;
    }

    /// A weighted node with what hangs on it.
    struct Unit {
        int head = -1;
        std::vector<int> nodes;
    };

    void findChains()
    {
        std::vector<bool> seen(m_net.nodes.size());
        for (int n = 0; n < int(m_net.nodes.size()); ++n) {
            if (seen[at(n)] || m_region[at(n)] >= 0)
                continue;
            std::vector<Unit> units;
            for (int at_ = n; at_ >= 0;) {
                const Region *region = m_region[at(at_)] >= 0 ? &m_regions[at(m_region[at(at_)])] : nullptr;
                const bool heads = !region && weighted(at_);
                const bool pads = !region && node(at_).is("Pad");
                if (heads && !units.empty() && units.back().head < 0 && node(units.back().nodes.back()).is("Pad"))
                    units.back().head = at_; // padding belongs to the convolution it is made for
                else if (heads || pads || units.empty())
                    units.push_back({heads ? at_ : -1, {}});
                const std::vector<int> members = region ? region->nodes : std::vector<int>{at_};
                for (const int member : members) {
                    seen[at(member)] = true;
                    units.back().nodes.push_back(member);
                }
                at_ = following(region ? region->exit : at_, seen);
            }
            joinUnits(units);
        }
    }

    /// The next node or light region in line, −1 at a fork, a join or a block.
    int following(int n, const std::vector<bool> &seen) const
    {
        const std::vector<int> &next = m_net.next[at(n)];
        if (m_net.leaves[at(n)] || next.empty() || seen[at(next.front())])
            return -1;
        const int region = m_region[at(next.front())];
        if (region >= 0 && m_regions[at(region)].light) { // everything that n feeds lies in it
            const bool all = std::all_of(next.begin(), next.end(), [&](int m) { return m_region[at(m)] == region; });
            return all ? next.front() : -1;
        }
        const bool inLine = region < 0 && next.size() == 1 && m_net.previous[at(next.front())].size() == 1 && !m_net.enters[at(next.front())];
        return inLine ? next.front() : -1;
    }

    void joinUnits(const std::vector<Unit> &units)
    {
        const auto is = [&](std::size_t i, bool (BlockFinder::*test)(int) const) {
            return i < units.size() && units[i].head >= 0 && (this->*test)(units[i].head);
        };
        for (std::size_t i = 0; i < units.size();) {
            std::size_t count = 1;
            BlockKind kind = BlockKind::Layer;
            if (is(i, &BlockFinder::pointwise) && is(i + 1, &BlockFinder::depthwise) && is(i + 2, &BlockFinder::pointwise)) {
                count = 3;
                kind = BlockKind::InvertedBottleneck;
            } else if (is(i, &BlockFinder::depthwise) && is(i + 1, &BlockFinder::pointwise)) {
                count = 2;
                kind = BlockKind::Separable;
            }
            GraphBlock block{kind, {}};
            for (std::size_t u = i; u < i + count; ++u)
                block.nodes.insert(block.nodes.end(), units[u].nodes.begin(), units[u].nodes.end());
            std::sort(block.nodes.begin(), block.nodes.end());
            if (block.nodes.size() > 1 && units[i].head >= 0)
                m_blocks.push_back(std::move(block));
            i += count;
        }
    }

    const core::Graph &m_graph;
    const NodeNet &m_net;
    std::vector<int> m_region; // by node; −1 = none
    std::vector<Region> m_regions;
    std::vector<GraphBlock> m_blocks;
};

} // namespace

std::vector<GraphBlock> findBlocks(const core::Graph &graph, const NodeNet &net)
{
    return BlockFinder(graph, net).find();
}

} // namespace widgets

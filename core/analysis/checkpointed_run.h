// One graph after another on the same images: what a graph has in common with the one that was kept is not computed again.
#pragma once

#include "core/exec/executor.h"

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

namespace core {

/// Values of `part` (a plan's graph, nothing superfluous in it) that are worth keeping: together at most `budget` bytes, and so that every cut
/// through the graph is near. All where they fit; else the thinnest places of it, as evenly spread as the budget allows.
/// `bytes`: by ValueId::index, 0 = cannot be kept.
std::vector<ValueId> chooseCheckpoints(const Graph &part, const std::vector<std::size_t> &bytes, std::size_t budget);

/// Bit for bit what an Executor of the whole graph gives: runs begin at tensors only that it would make too.
class CheckpointedRun {
public:
    explicit CheckpointedRun(std::size_t budget) : m_budget(budget) {}

    /// The graph of the following calls. `shown` may be tapped.
    void begin(std::shared_ptr<const Graph> graph, const std::vector<ValueId> &shown);
    std::uint64_t signature(ValueId value) const { return m_signatures[std::size_t(value.index)]; }

    struct Wishes {
        std::vector<ValueId> taps;
        bool outputs = true;
        std::int64_t keepImages = 0;     ///< > 0: keep() follows; images of all batches that are run
    };
    void plan(const Wishes &wishes);
    bool hasWork() const { return m_executor.has_value(); }
    std::size_t nodes() const { return m_nodes; }
    std::size_t nodesRun() const { return m_nodesRun; }

    /// The graph's outputs, if they were wished. The same batches as for the kept graph.
    std::vector<at::Tensor> run(std::size_t batch, std::span<const at::Tensor> inputs, const Executor::Tap &tap = {});
    /// This graph is the one that is kept from now on.
    void keep();

private:
    struct Kept {
        std::vector<at::Tensor> tensors; ///< by batch
        bool feedable = true;            ///< an Executor takes it as it is
    };

    std::vector<ValueId> checkpoints(std::int64_t images) const;
    void store(ValueId value, std::size_t batch, const at::Tensor &tensor);

    std::size_t m_budget, m_nodes = 0, m_nodesRun = 0;
    std::unordered_map<std::uint64_t, Kept> m_kept, m_pending;
    std::shared_ptr<const Graph> m_graph;
    Graph m_part;                        ///< as it would be run in one piece
    std::vector<std::uint64_t> m_signatures;
    std::vector<bool> m_survives;        ///< by ValueId::index: a node of m_part makes it
    std::vector<ValueId> m_shown, m_feeds, m_fetches, m_chosen;
    std::optional<Executor> m_executor;
    bool m_outputs = true, m_keeping = false;
};

} // namespace core

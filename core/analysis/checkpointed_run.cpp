#include "core/analysis/checkpointed_run.h"

#include "core/analysis/value_signatures.h"
#include "core/exec/execution_plan.h"
#include "core/exec/plan_optimizer.h"
#include "core/graph/topology.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <limits>
#include <set>
#include <unordered_set>

namespace core {
namespace {

template <class T>
bool contains(const std::vector<T> &list, const T &value)
{
    return std::find(list.begin(), list.end(), value) != list.end();
}

/// What lives between two neighbouring nodes, for every place of the order.
class Cuts {
public:
    Cuts(const Graph &part, const std::vector<std::size_t> &bytes) : m_bytes(bytes), m_places(part.nodeCount())
    {
        std::vector<std::size_t> made(std::size_t(part.valueIdLimit()), none), last(made.size(), none);
        std::size_t place = 0;
        for (const NodeId id : part.order()) {
            const Node &node = part.node(id);
            for (const ValueId read : valuesRead(node, part))
                if (read.valid())
                    last[std::size_t(read.index)] = place;
            for (const ValueId out : node.outputs)
                if (out.valid())
                    made[std::size_t(out.index)] = place;
            ++place;
        }
        for (std::size_t v = 0; v < made.size(); ++v) {
            if (made[v] == none || last[v] == none || made[v] >= last[v])
                continue;
            m_lives.push_back({ValueId{std::int32_t(v)}, made[v], last[v]});
        }
        m_cost.assign(m_places, 0);
        m_possible.assign(m_places, true);
        for (const Life &life : m_lives)
            for (std::size_t p = life.made; p < life.last; ++p) {
                m_cost[p] += m_bytes[std::size_t(life.value.index)];
                m_possible[p] = m_possible[p] && m_bytes[std::size_t(life.value.index)] > 0;
            }
    }

    std::vector<ValueId> all() const
    {
        std::vector<ValueId> values;
        for (const Life &life : m_lives)
            if (m_bytes[std::size_t(life.value.index)] > 0)
                values.push_back(life.value);
        return values;
    }

    /// The thinnest place of each of `segments` equal parts.
    std::vector<ValueId> spread(std::size_t segments) const
    {
        std::set<ValueId> values;
        for (std::size_t s = 0; s < segments; ++s) {
            std::size_t best = none;
            for (std::size_t p = s * m_places / segments; p < (s + 1) * m_places / segments; ++p)
                if (m_possible[p] && m_cost[p] > 0 && (best == none || m_cost[p] <= m_cost[best]))
                    best = p;
            if (best == none)
                continue;
            for (const Life &life : m_lives)
                if (life.made <= best && best < life.last)
                    values.insert(life.value);
        }
        return {values.begin(), values.end()};
    }

    std::size_t total(const std::vector<ValueId> &values) const
    {
        std::size_t sum = 0;
        for (const ValueId value : values)
            sum += m_bytes[std::size_t(value.index)];
        return sum;
    }

    std::size_t places() const { return m_places; }

private:
    static constexpr std::size_t none = std::numeric_limits<std::size_t>::max();
    struct Life {
        ValueId value;
        std::size_t made, last;
    };
    const std::vector<std::size_t> &m_bytes;
    std::size_t m_places;
    std::vector<Life> m_lives;
    std::vector<std::size_t> m_cost;
    std::vector<bool> m_possible;
};

/// As prepareFeed() of the executor leaves it, so that a partial run sees what the whole run saw.
bool isFeedable(const at::Tensor &tensor)
{
    return tensor.scalar_type() == at::kFloat && (tensor.dim() != 4 || tensor.is_contiguous(at::MemoryFormat::ChannelsLast));
}

} // namespace

std::vector<ValueId> chooseCheckpoints(const Graph &part, const std::vector<std::size_t> &bytes, std::size_t budget)
{
    const Cuts cuts(part, bytes);
    std::vector<ValueId> values = cuts.all();
    for (std::size_t segments = std::min<std::size_t>(cuts.places(), 96); cuts.total(values) > budget; segments = segments * 3 / 4) {
        if (segments == 0)
            return {};
        values = cuts.spread(segments);
    }
    return values;
}

void CheckpointedRun::begin(std::shared_ptr<const Graph> graph, const std::vector<ValueId> &shown)
{
    m_executor.reset();
    m_pending.clear();
    m_graph = std::move(graph);
    m_shown = shown;
    m_signatures = valueSignatures(*m_graph);
    m_part = *m_graph;
    for (const ValueId value : shown)
        if (!contains(m_part.outputs, value))
            m_part.outputs.push_back(value);
    const std::vector<NodeId> needed = nodesNeeded(m_part, m_part.outputs);
    const std::unordered_set<NodeId> wanted(needed.begin(), needed.end());
    for (const NodeId id : m_graph->order())
        if (!wanted.contains(id))
            m_part.removeNode(id);
    m_nodes = wanted.size();
    optimizePlan(m_part);
    m_survives.assign(std::size_t(m_graph->valueIdLimit()), false);
    for (const NodeId id : m_part.order()) {
        const Node &node = m_part.node(id);
        if (node.outputs.size() == 1 && node.output().valid() && std::size_t(node.output().index) < m_survives.size())
            m_survives[std::size_t(node.output().index)] = true;
    }
}

std::vector<ValueId> CheckpointedRun::checkpoints(std::int64_t images) const
{
    std::vector<std::size_t> bytes(std::size_t(m_part.valueIdLimit()), 0);
    for (const ValueId id : m_graph->values()) {
        const Value &value = m_graph->value(id);
        if (!m_survives[std::size_t(id.index)] || !value.shape || value.shape->empty() || (value.type != DataType::Float32 && value.type != DataType::Undefined))
            continue;
        double size = double(images) * sizeof(float);
        for (std::size_t i = 1; i < value.shape->size(); ++i)
            size *= (*value.shape)[i].known() ? double((*value.shape)[i].size) : 0;
        if (size < 1e15)
            bytes[std::size_t(id.index)] = std::size_t(size);
    }
    return chooseCheckpoints(m_part, bytes, m_budget);
}

void CheckpointedRun::plan(const Wishes &wishes)
{
    m_executor.reset();
    m_pending.clear();
    m_fetches.clear();
    m_chosen.clear();
    m_outputs = wishes.outputs;
    m_keeping = wishes.keepImages > 0;
    const auto kept = [&](ValueId id) { return m_kept.contains(signature(id)); };
    std::vector<ValueId> given;
    for (std::size_t v = 0; v < m_survives.size(); ++v) {
        const ValueId id{std::int32_t(v)};
        if (m_survives[v] && kept(id) && m_kept.at(signature(id)).feedable)
            given.push_back(id);
    }
    if (wishes.outputs)
        m_chosen = m_graph->outputs;
    if (m_keeping)
        for (const ValueId id : checkpoints(wishes.keepImages))
            if (!contains(m_chosen, id))
                m_chosen.push_back(id);
    for (const ValueId id : m_chosen)
        if (!kept(id) && !contains(m_fetches, id))
            m_fetches.push_back(id);
    std::vector<ValueId> targets = m_fetches;
    targets.insert(targets.end(), wishes.taps.begin(), wishes.taps.end());
    m_nodesRun = 0;
    if (targets.empty())
        return;

    const std::vector<NodeId> needed = nodesNeeded(*m_graph, targets, given);
    m_nodesRun = needed.size();
    std::vector<bool> wanted(m_survives.size(), false);
    for (const ValueId id : targets)
        wanted[std::size_t(id.index)] = true;
    for (const NodeId id : needed)
        for (const ValueId read : valuesRead(m_graph->node(id), *m_graph))
            if (read.valid())
                wanted[std::size_t(read.index)] = true;
    m_feeds.clear();
    for (const ValueId id : m_graph->inputs)
        if (wanted[std::size_t(id.index)])
            m_feeds.push_back(id);
    for (const ValueId id : given)
        if (wanted[std::size_t(id.index)])
            m_feeds.push_back(id);
    if (m_feeds.empty())
        m_feeds = m_graph->inputs;
    ExecutorOptions options;
    options.feeds = m_feeds;
    options.fetches = m_fetches.empty() ? std::vector<ValueId>{wishes.taps.front()} : m_fetches;
    options.taps = wishes.taps;
    // What may be shown is not merged with what follows, whether or not it is shown this time.
    std::unordered_set<ValueId> tapped(wishes.taps.begin(), wishes.taps.end());
    std::unordered_set<ValueId> made;
    for (const NodeId id : needed)
        made.insert(m_graph->node(id).outputs.begin(), m_graph->node(id).outputs.end());
    for (const ValueId id : m_shown)
        if (made.contains(id) && tapped.insert(id).second)
            options.taps.push_back(id);
    m_executor.emplace(m_graph, options);
}

void CheckpointedRun::store(ValueId value, std::size_t batch, const at::Tensor &tensor)
{
    Kept &place = m_pending[signature(value)];
    if (place.tensors.size() <= batch)
        place.tensors.resize(batch + 1);
    place.tensors[batch] = tensor;
    place.feedable = place.feedable && isFeedable(tensor);
}

std::vector<at::Tensor> CheckpointedRun::run(std::size_t batch, std::span<const at::Tensor> inputs, const Executor::Tap &tap)
{
    std::vector<at::Tensor> made;
    if (m_executor) {
        std::vector<at::Tensor> feeds;
        for (const ValueId id : m_feeds) {
            const auto input = std::find(m_graph->inputs.begin(), m_graph->inputs.end(), id);
            feeds.push_back(input != m_graph->inputs.end() ? inputs[std::size_t(input - m_graph->inputs.begin())]
                                                           : m_kept.at(signature(id)).tensors.at(batch));
        }
        made = m_executor->run(feeds, tap);
    }
    if (m_keeping)
        for (std::size_t i = 0; i < m_fetches.size(); ++i)
            store(m_fetches[i], batch, made[i]);
    std::vector<at::Tensor> outputs;
    if (m_outputs)
        for (const ValueId id : m_graph->outputs) {
            const auto fetched = std::find(m_fetches.begin(), m_fetches.end(), id);
            outputs.push_back(fetched != m_fetches.end() ? made[std::size_t(fetched - m_fetches.begin())] : m_kept.at(signature(id)).tensors.at(batch));
        }
    return outputs;
}

void CheckpointedRun::keep()
{
    std::unordered_map<std::uint64_t, Kept> all;
    for (const ValueId id : m_chosen) {
        const std::uint64_t key = signature(id);
        if (const auto fresh = m_pending.find(key); fresh != m_pending.end())
            all[key] = fresh->second;
        else if (const auto old = m_kept.find(key); old != m_kept.end())
            all[key] = old->second;
    }
    m_kept = std::move(all);
    m_pending.clear();
    m_executor.reset();
}

} // namespace core

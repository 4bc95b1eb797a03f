#include "core/spec/fusion.h"

#include "core/spec/operator_roles.h"

#include <algorithm>
#include <numeric>

namespace core {

namespace {

class Finder {
public:
    Finder(const Graph &graph, const Resolver &resolver, const TargetProfile &target, const std::vector<std::string> &splitConcats)
        : m_graph(graph), m_resolver(resolver), m_target(target), m_uses(usesByValue(graph)), m_producers(producerByValue(graph)),
          m_nonNegative(nonNegativeValues(graph)), m_sets(std::size_t(graph.valueIdLimit()))
    {
        m_result.groupOf.assign(std::size_t(graph.nodeIdLimit()), -1);
        m_result.innerReason.resize(std::size_t(graph.valueIdLimit()));
        m_result.unfusedReason.resize(std::size_t(graph.valueIdLimit()));
        joinMovedValues(splitConcats);
    }

    Fusions run()
    {
        for (NodeId id : m_graph.order())
            if (const NodeId gate = gateOf(m_graph.node(id)); gate.valid())
                fuseGated(gate, id);
        for (NodeId id : m_graph.order())
            fuseWithProducer(id);
        for (auto &group : m_result.groups)
            std::sort(group.begin(), group.end(), [&](NodeId a, NodeId b) { return position(a) < position(b); });
        return std::move(m_result);
    }

private:
    std::size_t position(NodeId id)
    {
        if (m_position.empty()) {
            m_position.resize(std::size_t(m_graph.nodeIdLimit()));
            for (std::size_t i = 0; i < m_graph.order().size(); ++i)
                m_position[std::size_t(m_graph.order()[i].index)] = i;
        }
        return m_position[std::size_t(id.index)];
    }

    bool excluded(NodeId id) const { return m_resolver.node(id).excluded; }
    const std::vector<Graph::Use> &uses(ValueId id) const { return m_uses[std::size_t(id.index)]; }
    NodeId producer(ValueId id) const { return id.valid() ? m_producers[std::size_t(id.index)] : NodeId{}; }

    std::size_t root(std::size_t i)
    {
        while (m_sets[i] != i)
            i = m_sets[i] = m_sets[m_sets[i]];
        return i;
    }

    void joinMovedValues(const std::vector<std::string> &splitConcats)
    {
        std::iota(m_sets.begin(), m_sets.end(), std::size_t(0));
        for (NodeId id : m_graph.order()) {
            const Node &node = m_graph.node(id);
            const ValueId in = node.input(0);
            const bool concat = node.is("Concat") && std::find(splitConcats.begin(), splitConcats.end(), node.name) == splitConcats.end();
            if (excluded(id) || !in.valid() || !(concat || preservesValues(m_graph, node, m_nonNegative[std::size_t(in.index)])))
                continue;
            for (std::size_t i = 0; i < (concat ? node.inputs.size() : 1); ++i)
                for (ValueId out : node.outputs)
                    if (out.valid() && node.inputs[i].valid())
                        m_sets[root(std::size_t(node.inputs[i].index))] = root(std::size_t(out.index));
        }
    }

    /// The Sigmoid or HardSigmoid when `node` is the Mul of x·gate(x).
    NodeId gateOf(const Node &node) const
    {
        if (!node.is("Mul") || node.inputs.size() != 2)
            return {};
        for (std::size_t side : {0u, 1u}) {
            const NodeId gate = producer(node.inputs[side]);
            if (!gate.valid() || !(m_graph.node(gate).is("Sigmoid") || m_graph.node(gate).is("HardSigmoid")))
                continue;
            if (m_graph.node(gate).input(0) == node.inputs[1 - side] && uses(node.inputs[side]).size() == 1
                && !m_graph.isOutput(node.inputs[side]) && !excluded(gate) && !excluded(node.id))
                return gate;
        }
        return {};
    }

    void fuseGated(NodeId gate, NodeId product)
    {
        const bool silu = m_graph.node(gate).is("Sigmoid");
        m_gated[product] = gate;
        const ValueId inner = m_graph.node(gate).output();
        if (silu && m_target.siluQuantizesSigmoid)
            return;
        m_result.innerReason[std::size_t(inner.index)] =
            std::string("x·") + m_graph.node(gate).opType + "(x) counts as one activation, so its inner tensor has no quantizer.";
        join(gate, product);
    }

    void join(NodeId a, NodeId b)
    {
        int &groupA = m_result.groupOf[std::size_t(a.index)];
        int &groupB = m_result.groupOf[std::size_t(b.index)];
        if (groupA < 0 && groupB < 0) {
            groupA = groupB = int(m_result.groups.size());
            m_result.groups.push_back({a, b});
        } else if (groupA < 0) {
            groupA = groupB;
            m_result.groups[std::size_t(groupB)].push_back(a);
        } else if (groupB < 0) {
            groupB = groupA;
            m_result.groups[std::size_t(groupA)].push_back(b);
        } else if (groupA != groupB) {
            const int from = groupB, to = groupA;
            for (NodeId id : m_result.groups[std::size_t(from)]) {
                m_result.groups[std::size_t(to)].push_back(id);
                m_result.groupOf[std::size_t(id.index)] = to;
            }
            m_result.groups.erase(m_result.groups.begin() + from);
            for (int &group : m_result.groupOf)
                group -= group > from;
        }
    }

    void fuseWithProducer(NodeId id)
    {
        const Node &node = m_graph.node(id);
        if (!node.domain.empty() || excluded(id))
            return;
        std::string kind = node.opType;
        NodeId gate;
        ValueId input = node.input(0);
        if (const auto gated = m_gated.find(id); gated != m_gated.end()) {
            gate = gated->second;
            kind = m_graph.node(gate).is("Sigmoid") ? "Silu" : "HardSwish";
            input = m_graph.node(gate).input(0);
        }
        const NodeId head = producer(input);
        if (!head.valid() || m_graph.isOutput(input) || !m_graph.node(head).domain.empty())
            return;
        const auto &readers = uses(input);
        const bool only = gate.valid() ? readers.size() == 2 : readers.size() == 1;
        if (!only || std::any_of(readers.begin(), readers.end(), [&](const Graph::Use &u) { return u.node != id && u.node != gate; }))
            return;
        std::string headType = m_graph.node(head).opType;
        if (const auto found = m_headType.find(head); found != m_headType.end())
            headType = found->second;
        const bool bound = isBound(node, head);
        if (!bound && !m_target.fusions.contains({headType, kind}))
            return;
        if (m_target.activationFusionNeedsRange && (kind == "Relu" || kind == "Clip")) {
            const std::string obstacle = rangeObstacle(node);
            if (!obstacle.empty()) {
                m_result.unfusedReason[std::size_t(input.index)] = obstacle;
                return;
            }
        }
        m_result.innerReason[std::size_t(input.index)] =
            m_graph.node(head).opType + " '" + m_graph.node(head).name + "' and " + kind + " '" + node.name + "' run as one.";
        m_headType[id] = kind == "BatchNormalization" ? headType : "";
        join(head, id);
        if (gate.valid())
            join(head, gate);
    }

    /// Min with a constant behind a Relu that is fused itself: the two are a Clip with a bound for each channel, which equalization makes.
    bool isBound(const Node &node, NodeId head) const
    {
        return node.is("Min") && node.inputs.size() == 2 && m_graph.isConstant(node.inputs[1]) && m_graph.node(head).is("Relu")
            && m_result.groupOf[std::size_t(head.index)] >= 0;
    }

    /// Empty when every code of the quantizer behind a Relu or Clip lies inside its range.
    std::string rangeObstacle(const Node &node)
    {
        const std::string who = node.opType + " '" + node.name + "'";
        const ClipBounds bounds = clipBounds(m_graph, node);
        if (!bounds.known || bounds.min != 0.0f)
            return who + " does not start at 0, so the codes behind it reach beyond its range.";
        const ResolvedScheme &own = m_resolver.node(node.id).role(TensorRole::Output);
        const Scheme &scheme = own.scheme;
        if (scheme.symmetric)
            return "the symmetric " + scheme.badge() + " codes behind " + who + " reach below 0.";
        if (scheme.observer == ObserverKind::Fixed && (scheme.fixedRange.min < 0 || (bounds.max && scheme.fixedRange.max > *bounds.max)))
            return "the fixed range behind " + who + " is wider than it.";
        if (bounds.max && scheme.scaleType == ScaleType::PowerOfTwo)
            return "power-of-two codes behind " + who + " reach above its bound.";
        const std::size_t set = root(std::size_t(node.output().index));
        for (ValueId member : m_graph.values()) {
            if (member == node.output() || root(std::size_t(member.index)) != set || m_graph.isConstant(member))
                continue;
            const NodeId maker = producer(member);
            const ResolvedScheme *other = maker.valid() ? &m_resolver.node(maker).role(TensorRole::Output) : nullptr;
            if (other && other->layer > own.layer && other->scheme.symmetric)
                return "the range behind " + who + " is shared with '" + m_graph.value(member).name + "', whose codes are symmetric.";
            if (maker.valid() && movedFromSameSet(maker, set))
                continue;
            if (!bounds.max && m_nonNegative[std::size_t(member.index)])
                continue;
            const bool clips = maker.valid() && (m_graph.node(maker).is("Relu") || m_graph.node(maker).is("Clip"));
            const ClipBounds theirs = clips ? clipBounds(m_graph, m_graph.node(maker)) : ClipBounds{};
            const bool inside = clips && theirs.known && theirs.min == 0.0f && (!bounds.max || (theirs.max && *theirs.max <= *bounds.max));
            if (!inside)
                return "the range behind " + who + " is shared with '" + m_graph.value(member).name + "', which reaches beyond it.";
        }
        return {};
    }

    bool movedFromSameSet(NodeId maker, std::size_t set)
    {
        const ValueId in = m_graph.node(maker).input(0);
        return in.valid() && root(std::size_t(in.index)) == set;
    }

    const Graph &m_graph;
    const Resolver &m_resolver;
    const TargetProfile &m_target;
    std::vector<std::vector<Graph::Use>> m_uses;
    std::vector<NodeId> m_producers;
    std::vector<bool> m_nonNegative;
    std::vector<std::size_t> m_sets;
    std::vector<std::size_t> m_position;
    std::map<NodeId, NodeId> m_gated;           // product → gate
    std::map<NodeId, std::string> m_headType;   // fused nodes: what a further activation sees before it
    Fusions m_result;
};

} // namespace

Fusions findFusions(const Graph &graph, const Resolver &resolver, const TargetProfile &target, const std::vector<std::string> &splitConcats)
{
    return Finder(graph, resolver, target, splitConcats).run();
}

} // namespace core

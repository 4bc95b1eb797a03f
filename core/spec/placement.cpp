#include "core/spec/placement.h"

#include "core/spec/fusion.h"
#include "core/spec/operator_roles.h"
#include "core/spec/placement_notes.h"
#include "core/spec/placement_state.h"
#include "core/spec/resolver.h"
#include "core/spec/scheme_check.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

namespace core {

namespace {

/// A quantizer in the making: one scheme on one tensor for some of its readers.
struct Candidate {
    ValueId value;
    ResolvedScheme resolved;
    NodeId owner;
    std::vector<Graph::Use> uses;
    bool output = false;
    bool base = false;          // the producer's own, not a second quantizer for an edge
    std::string reason;
    std::size_t set = 0;
};

class Placer {
public:
    Placer(const Graph &graph, const Config &config, const TargetProfile &target, const Resolver &resolver)
        : m{graph, config, target, resolver, usesByValue(graph)}, m_fusions(findFusions(graph, resolver, target, config.splitConcats)),
          m_producers(producerByValue(graph)), m_shapeArithmetic(shapeArithmetic(graph)), m_nonNegative(nonNegativeValues(graph)),
          m_wanted(std::size_t(graph.valueIdLimit()), false)
    {
        checkNames();
    }

    Placement run()
    {
        findWanted();
        for (ValueId id : m.graph.inputs)
            placeActivation(id);
        for (NodeId id : m.graph.order())
            for (ValueId out : dataOutputs(m.graph.node(id)))
                placeActivation(out);
        shareAmongCandidates();
        emitActivations();
        placeConstants(m);
        m.placement.fusedGroups = m_fusions.groups;
        addPlacementNotes(m.graph, m.target, m.resolver, m_fusions, m.placement);
        return std::move(m.placement);
    }

private:
    NodeId producer(ValueId id) const { return m_producers[std::size_t(id.index)]; }
    const std::string &nameOf(ValueId id) const { return m.graph.value(id).name; }

    void checkNames()
    {
        for (const auto &[name, indices] : m.config.disabledEdges) {
            const NodeId id = m.graph.findNode(name);
            if (!id.valid())
                throw Error(ErrorKind::InvalidInput, "placement", "disabled_edges names the node '" + name + "', which the model does not have.");
            for (int index : indices) {
                if (index < 0 || std::size_t(index) >= m.graph.node(id).inputs.size())
                    throw Error(ErrorKind::InvalidInput, "placement", "disabled_edges names input " + std::to_string(index) + " of '" + name
                                    + "', which has " + std::to_string(m.graph.node(id).inputs.size()) + " inputs.");
                m.disabled.insert({id, std::size_t(index)});
            }
        }
        for (const std::string &name : m.config.splitConcats) {
            const NodeId id = m.graph.findNode(name);
            if (!id.valid() || !m.graph.node(id).is("Concat"))
                throw Error(ErrorKind::InvalidInput, "placement", "split_concats names '" + name + "', which is not a Concat of the model.");
        }
    }

    bool isMover(const Node &node) const
    {
        const ValueId in = node.input(0);
        return in.valid() && preservesValues(m.graph, node, m_nonNegative[std::size_t(in.index)]);
    }
    bool sharesInputs(const Node &node) const
    {
        return node.is("Concat") && std::find(m.config.splitConcats.begin(), m.config.splitConcats.end(), node.name) == m.config.splitConcats.end();
    }
    bool computes(const Node &node) const
    {
        return node.domain.empty() && !isMover(node) && !node.is("Concat") && (isMatrixOperator(node) || m.target.integerOps.contains(node.opType));
    }

    /// A tensor is worth a quantizer when an operator with an integer form reads or writes it, also through operators that only move values.
    void findWanted()
    {
        std::vector<std::size_t> sets(std::size_t(m.graph.valueIdLimit()));
        std::iota(sets.begin(), sets.end(), std::size_t(0));
        const auto root = [&](std::size_t i) {
            while (sets[i] != i)
                i = sets[i] = sets[sets[i]];
            return i;
        };
        for (NodeId id : m.graph.order()) {
            const Node &node = m.graph.node(id);
            if (m.excluded(id))
                continue;
            if (isMover(node) || node.is("Concat"))
                for (std::size_t i : dataInputs(node))
                    for (ValueId out : node.outputs)
                        if (out.valid())
                            sets[root(std::size_t(node.inputs[i].index))] = root(std::size_t(out.index));
        }
        for (NodeId id : m.graph.order()) {
            const Node &node = m.graph.node(id);
            if (m.excluded(id) || !computes(node))
                continue;
            for (std::size_t i : dataInputs(node))
                m_wanted[root(std::size_t(node.inputs[i].index))] = true;
            for (ValueId out : node.outputs)
                if (out.valid())
                    m_wanted[root(std::size_t(out.index))] = true;
            if (const int group = m_fusions.groupOf[std::size_t(id.index)]; group >= 0)
                for (ValueId out : m.graph.node(m_fusions.groups[std::size_t(group)].back()).outputs)
                    if (out.valid())
                        m_wanted[root(std::size_t(out.index))] = true;
        }
        for (std::size_t i = 0; i < sets.size(); ++i)
            if (m_wanted[root(i)])
                m_wanted[i] = true;
    }

    /// Why a float parameter keeps this node's input in float; empty when it does not.
    std::string inputKeptFloat(NodeId id)
    {
        const Node &node = m.graph.node(id);
        const auto weight = weightRole(m.graph, node);
        if (!m.target.floatParametersNeedFloatInput || !weight || node.is("MatMul"))
            return {};
        if (!m.role(id, TensorRole::Weight).scheme.quantized() || m.disabled.contains({id, weight->weightInput}))
            return "its weight stays float, and " + m.target.name + " would requantize it between two quantized tensors";
        if (weight->biasInput && !biasObstacle(m, node, *weight).empty() && m.graph.isConstant(node.input(*weight->biasInput)))
            return "its bias stays float, and " + m.target.name + " would requantize it between two quantized tensors";
        return {};
    }

    void placeActivation(ValueId id)
    {
        const Value &value = m.graph.value(id);
        const NodeId maker = producer(id);
        if (value.type != DataType::Undefined && !isFloatingPoint(value.type))
            return;
        if (m_shapeArithmetic[std::size_t(id.index)])
            return m.absent(id, "It is computed from shapes and constants.");
        if (const std::string &inner = m_fusions.innerReason[std::size_t(id.index)]; !inner.empty())
            return m.absent(id, inner);
        if (!m_wanted[std::size_t(id.index)] && maker.valid() && m.excluded(maker))
            return m.absent(id, leftOut(maker));
        if (!m_wanted[std::size_t(id.index)])
            return m.absent(id, "No operator with an integer form reads or writes it" + (m.target.name.empty() ? "." : " on " + m.target.name + "."));
        if (!maker.valid() && !m.config.quantizeInputs)
            return m.absent(id, "The recipe leaves model inputs in float.");

        std::vector<Candidate> found;
        std::vector<std::string> skipped;
        const bool hasBase = maker.valid() && !m.excluded(maker);
        if (hasBase) {
            found.push_back({id, m.role(maker, TensorRole::Output), maker, {}, false, true, {}, 0});
            checkScheme(found[0].resolved, TensorRole::Output, m.graph.node(maker), nullptr, m.target);
        }
        for (const Graph::Use &use : m.uses[std::size_t(id.index)]) {
            const Node &reader = m.graph.node(use.node);
            const auto data = dataInputs(reader);
            if (std::find(data.begin(), data.end(), use.inputIndex) == data.end())
                continue;
            if (m.disabled.contains({use.node, use.inputIndex})) {
                skipped.push_back("the edge to " + m.label(use.node) + " is switched off");
                continue;
            }
            if (const std::string why = inputKeptFloat(use.node); !why.empty() && !m.excluded(use.node)) {
                skipped.push_back("the edge to " + m.label(use.node) + " is float because " + why);
                m.placement.diagnostics.push_back({Severity::Warning, "float-input", reader.name, m.label(use.node) + " runs in float: " + why + "."});
                continue;
            }
            const ResolvedScheme &wish = m.role(use.node, TensorRole::Input);
            const bool ownWish = !m.excluded(use.node) && (!hasBase || setDifferently(wish, found[0].resolved));
            if (!ownWish) {
                if (hasBase)
                    found[0].uses.push_back(use);
                else
                    skipped.push_back(m.label(use.node) + " is left out by " + m.resolver.node(use.node).excludedBy);
                continue;
            }
            checkScheme(wish, TensorRole::Input, reader, nullptr, m.target);
            auto same = std::find_if(found.begin(), found.end(), [&](const Candidate &c) { return c.resolved.scheme == wish.scheme; });
            if (same == found.end()) {
                found.push_back({id, wish, use.node, {}, false, !hasBase && found.empty(), {}, 0});
                same = found.end() - 1;
            }
            same->uses.push_back(use);
        }
        const bool exposed = m.graph.isOutput(id);
        if (exposed && hasBase && m.config.quantizeOutputs)
            found[0].output = true;
        std::string why;
        for (Candidate &candidate : found) {
            if (!candidate.resolved.scheme.quantized()) {
                why = "It stays float by " + candidate.resolved.provenance() + ".";
                continue;
            }
            if (candidate.uses.empty() && !candidate.output)
                continue;
            candidate.reason = reasonFor(candidate, hasBase, maker);
            for (const Graph::Use &use : candidate.uses)
                m_candidateOfEdge[{use.node, use.inputIndex}] = m_candidates.size();
            if (candidate.base)
                m_baseOf[id] = m_candidates.size();
            candidate.set = m_candidates.size();
            m_candidates.push_back(std::move(candidate));
            why = "placed";
        }
        if (why == "placed")
            return;
        if (why.empty() && !skipped.empty())
            why = "No reader takes it quantized: " + skipped.front() + ".";
        if (why.empty() && exposed)
            why = m.config.quantizeOutputs && maker.valid() ? leftOut(maker) : "The recipe leaves model outputs in float.";
        m.absent(id, why.empty() ? "Nothing reads it as data." : why);
    }

    /// Between equals the producer's setting wins, unless it is that the tensor stays float.
    static bool setDifferently(const ResolvedScheme &wish, const ResolvedScheme &producer)
    {
        if (wish.layer < producer.layer || wish.scheme == producer.scheme)
            return false;
        return wish.layer > ConfigLayer::Global || (wish.scheme.quantized() && !producer.scheme.quantized());
    }

    std::string leftOut(NodeId maker) const { return m.label(maker) + ", which makes it, is left out by " + m.resolver.node(maker).excludedBy + "."; }

    std::string reasonFor(const Candidate &candidate, bool hasBase, NodeId maker) const
    {
        std::string reason;
        if (!candidate.base)
            return "Second quantizer of '" + nameOf(candidate.value) + "' for " + m.label(candidate.owner) + ", whose input_tensors were set by "
                + candidate.resolved.provenance() + ".";
        if (!hasBase)
            return (maker.valid() ? m.label(maker) + " stays float; its output is quantized for " : "Model input, quantized for ") + m.label(candidate.owner) + ".";
        const int group = m_fusions.groupOf[std::size_t(maker.index)];
        reason = "Output of " + m.label(maker);
        if (group >= 0)
            reason += ", the end of the fused group that starts with " + m.label(m_fusions.groups[std::size_t(group)].front());
        if (candidate.output)
            reason += "; it is a model output";
        const std::string &unfused = m_fusions.unfusedReason[std::size_t(candidate.value.index)];
        return reason + "." + (unfused.empty() ? "" : " Not fused with what follows: " + unfused);
    }

    std::size_t setRoot(std::size_t i)
    {
        while (m_candidates[i].set != i)
            i = m_candidates[i].set = m_candidates[m_candidates[i].set].set;
        return i;
    }

    void shareAmongCandidates()
    {
        const auto join = [&](std::size_t a, std::size_t b) {
            a = setRoot(a);
            b = setRoot(b);
            m_candidates[std::max(a, b)].set = std::min(a, b);
        };
        for (NodeId id : m.graph.order()) {
            const Node &node = m.graph.node(id);
            if (m.excluded(id) || !(isMover(node) || sharesInputs(node)))
                continue;
            for (std::size_t i : dataInputs(node)) {
                const auto in = m_candidateOfEdge.find({id, i});
                if (in == m_candidateOfEdge.end() || m_candidates[in->second].resolved.scheme.dynamic)
                    continue;
                for (ValueId out : node.outputs)
                    if (const auto base = out.valid() ? m_baseOf.find(out) : m_baseOf.end();
                        base != m_baseOf.end() && !m_candidates[base->second].resolved.scheme.dynamic) {
                        join(in->second, base->second);
                        m_candidates[base->second].reason += " Shares its scale with '" + nameOf(node.inputs[i]) + "', because " + m.label(id)
                            + (node.is("Concat") ? " puts its inputs beside each other." : " only moves values.");
                    }
            }
        }
        std::map<std::size_t, std::size_t> winner;
        for (std::size_t i = 0; i < m_candidates.size(); ++i) {
            const auto [at, first] = winner.emplace(setRoot(i), i);
            if (!first && m_candidates[i].resolved.layer > m_candidates[at->second].resolved.layer)
                at->second = i;
        }
        for (std::size_t i = 0; i < m_candidates.size(); ++i) {
            const std::size_t from = winner[setRoot(i)];
            if (from == i)
                continue;
            m_candidates[i].resolved = m_candidates[from].resolved;
            m_candidates[i].owner = m_candidates[from].owner;
        }
    }

    void emitActivations()
    {
        std::map<std::size_t, PointId> firstOfSet;
        for (std::size_t i = 0; i < m_candidates.size(); ++i) {
            Candidate &candidate = m_candidates[i];
            Point point;
            point.value = candidate.value;
            point.uses = candidate.uses;
            point.quantizesOutput = candidate.output;
            point.scheme = candidate.resolved.scheme;
            point.scheme.channelAxis = 0;
            point.owner = candidate.owner;
            point.reason = candidate.reason;
            point.provenance = candidate.resolved.provenance();
            if (const auto first = firstOfSet.find(setRoot(i)); first != firstOfSet.end())
                point.shares = first->second;
            const PointId id = m.addPoint(std::move(point));
            firstOfSet.emplace(setRoot(i), id);
            for (const Graph::Use &use : candidate.uses)
                m.pointOfEdge[{use.node, use.inputIndex}] = id;
        }
    }

    PlacementState m;
    Fusions m_fusions;
    std::vector<NodeId> m_producers;
    std::vector<bool> m_shapeArithmetic, m_nonNegative, m_wanted;
    std::vector<Candidate> m_candidates;
    std::map<Edge, std::size_t> m_candidateOfEdge;
    std::map<ValueId, std::size_t> m_baseOf;
};

} // namespace

void PlacementState::absent(ValueId id, std::string reason)
{
    if (absentValues.insert(id).second)
        placement.absences.push_back({id, std::move(reason)});
}

PointId PlacementState::addPoint(Point point)
{
    point.id = PointId{std::int32_t(placement.points.size())};
    if (!point.shares.valid())
        point.shares = point.id;
    placement.points.push_back(std::move(point));
    return placement.points.back().id;
}

Placement place(const Graph &graph, const Config &config, const TargetProfile &target)
{
    const Resolver resolver(graph, config);
    return Placer(graph, config, target, resolver).run();
}

Placement place(const Graph &graph, const Recipe &recipe)
{
    const Config config = effectiveConfig(recipe);
    const Resolver resolver(graph, config, globalOrigins(recipe));
    const TargetProfile target = targetProfile(recipe.target);
    return Placer(graph, config, target, resolver).run();
}

} // namespace core

#include "core/spec/placement.h"

#include "core/spec/fusion.h"
#include "core/spec/operator_roles.h"
#include "core/spec/placement_notes.h"
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

bool integerScheme(const Scheme &scheme)
{
    return scheme.quantized() && scheme.dtype != QuantDtype::Float16 && scheme.dtype != QuantDtype::BFloat16
        && scheme.dtype != QuantDtype::Fp8E4M3 && scheme.dtype != QuantDtype::Fp8E5M2;
}

using Edge = std::pair<NodeId, std::size_t>;

class Placer {
public:
    Placer(const Graph &graph, const Config &config, const TargetProfile &target, const Resolver &resolver)
        : m_graph(graph), m_config(config), m_target(target), m_resolver(resolver),
          m_fusions(findFusions(graph, resolver, target, config.splitConcats)), m_uses(usesByValue(graph)), m_producers(producerByValue(graph)),
          m_shapeArithmetic(shapeArithmetic(graph)), m_nonNegative(nonNegativeValues(graph)), m_wanted(std::size_t(graph.valueIdLimit()), false)
    {
        checkNames();
    }

    Placement run()
    {
        findWanted();
        for (ValueId id : m_graph.inputs)
            placeActivation(id);
        for (NodeId id : m_graph.order())
            for (ValueId out : m_graph.node(id).outputs)
                if (out.valid())
                    placeActivation(out);
        shareAmongCandidates();
        emitActivations();
        for (NodeId id : m_graph.order()) {
            placeWeight(m_graph.node(id));
            placeConstantOperands(m_graph.node(id));
        }
        for (NodeId id : m_graph.order())
            placeBias(m_graph.node(id));
        explainConstants();
        m_placement.fusedGroups = m_fusions.groups;
        addPlacementNotes(m_graph, m_target, m_fusions, m_placement);
        return std::move(m_placement);
    }

private:
    const ResolvedScheme &role(NodeId id, TensorRole r) const { return m_resolver.node(id).role(r); }
    bool excluded(NodeId id) const { return m_resolver.node(id).excluded; }
    NodeId producer(ValueId id) const { return m_producers[std::size_t(id.index)]; }
    std::string label(NodeId id) const { return m_graph.node(id).opType + " '" + m_graph.node(id).name + "'"; }
    const std::string &nameOf(ValueId id) const { return m_graph.value(id).name; }

    void checkNames()
    {
        for (const auto &[name, indices] : m_config.disabledEdges) {
            const NodeId id = m_graph.findNode(name);
            if (!id.valid())
                throw Error(ErrorKind::InvalidInput, "placement", "disabled_edges names the node '" + name + "', which the model does not have.");
            for (int index : indices) {
                if (index < 0 || std::size_t(index) >= m_graph.node(id).inputs.size())
                    throw Error(ErrorKind::InvalidInput, "placement", "disabled_edges names input " + std::to_string(index) + " of '" + name
                                    + "', which has " + std::to_string(m_graph.node(id).inputs.size()) + " inputs.");
                m_disabled.insert({id, std::size_t(index)});
            }
        }
        for (const std::string &name : m_config.splitConcats) {
            const NodeId id = m_graph.findNode(name);
            if (!id.valid() || !m_graph.node(id).is("Concat"))
                throw Error(ErrorKind::InvalidInput, "placement", "split_concats names '" + name + "', which is not a Concat of the model.");
        }
    }

    bool isMover(const Node &node) const
    {
        const ValueId in = node.input(0);
        return in.valid() && preservesValues(m_graph, node, m_nonNegative[std::size_t(in.index)]);
    }
    bool sharesInputs(const Node &node) const
    {
        return node.is("Concat") && std::find(m_config.splitConcats.begin(), m_config.splitConcats.end(), node.name) == m_config.splitConcats.end();
    }
    bool computes(const Node &node) const
    {
        return node.domain.empty() && !isMover(node) && !node.is("Concat") && (isMatrixOperator(node) || m_target.integerOps.contains(node.opType));
    }

    /// A tensor is worth a quantizer when an operator with an integer form reads or writes it, also through operators that only move values.
    void findWanted()
    {
        std::vector<std::size_t> sets(std::size_t(m_graph.valueIdLimit()));
        std::iota(sets.begin(), sets.end(), std::size_t(0));
        const auto root = [&](std::size_t i) {
            while (sets[i] != i)
                i = sets[i] = sets[sets[i]];
            return i;
        };
        for (NodeId id : m_graph.order()) {
            const Node &node = m_graph.node(id);
            if (excluded(id))
                continue;
            if (isMover(node) || node.is("Concat"))
                for (std::size_t i : dataInputs(node))
                    for (ValueId out : node.outputs)
                        if (out.valid())
                            sets[root(std::size_t(node.inputs[i].index))] = root(std::size_t(out.index));
        }
        for (NodeId id : m_graph.order()) {
            const Node &node = m_graph.node(id);
            if (excluded(id) || !computes(node))
                continue;
            for (std::size_t i : dataInputs(node))
                m_wanted[root(std::size_t(node.inputs[i].index))] = true;
            for (ValueId out : node.outputs)
                if (out.valid())
                    m_wanted[root(std::size_t(out.index))] = true;
            if (const int group = m_fusions.groupOf[std::size_t(id.index)]; group >= 0)
                for (ValueId out : m_graph.node(m_fusions.groups[std::size_t(group)].back()).outputs)
                    if (out.valid())
                        m_wanted[root(std::size_t(out.index))] = true;
        }
        for (std::size_t i = 0; i < sets.size(); ++i)
            if (m_wanted[root(i)])
                m_wanted[i] = true;
    }

    void absent(ValueId id, std::string reason)
    {
        if (m_absent.insert(id).second)
            m_placement.absences.push_back({id, std::move(reason)});
    }

    /// Why a float parameter keeps this node's input in float; empty when it does not.
    std::string inputKeptFloat(NodeId id)
    {
        const Node &node = m_graph.node(id);
        const auto weight = weightRole(m_graph, node);
        if (!m_target.floatParametersNeedFloatInput || !weight || node.is("MatMul"))
            return {};
        if (!role(id, TensorRole::Weight).scheme.quantized())
            return "its weight stays float, and " + m_target.name + " would requantize it between two quantized tensors";
        if (weight->biasInput && !biasObstacle(node, *weight).empty() && m_graph.isConstant(node.input(*weight->biasInput)))
            return "its bias stays float, and " + m_target.name + " would requantize it between two quantized tensors";
        return {};
    }

    void placeActivation(ValueId id)
    {
        const Value &value = m_graph.value(id);
        const NodeId maker = producer(id);
        if (value.type != DataType::Undefined && !isFloatingPoint(value.type))
            return;
        if (m_shapeArithmetic[std::size_t(id.index)])
            return absent(id, "It is computed from shapes and constants.");
        if (const std::string &inner = m_fusions.innerReason[std::size_t(id.index)]; !inner.empty())
            return absent(id, inner);
        if (!m_wanted[std::size_t(id.index)] && maker.valid() && excluded(maker))
            return absent(id, leftOut(maker));
        if (!m_wanted[std::size_t(id.index)])
            return absent(id, "No operator with an integer form reads or writes it" + (m_target.name.empty() ? "." : " on " + m_target.name + "."));
        if (!maker.valid() && !m_config.quantizeInputs)
            return absent(id, "The recipe leaves model inputs in float.");

        std::vector<Candidate> found;
        std::vector<std::string> skipped;
        const bool hasBase = maker.valid() && !excluded(maker);
        if (hasBase) {
            found.push_back({id, role(maker, TensorRole::Output), maker, {}, false, true, {}, 0});
            checkScheme(found[0].resolved, TensorRole::Output, m_graph.node(maker), nullptr, m_target);
        }
        for (const Graph::Use &use : m_uses[std::size_t(id.index)]) {
            const Node &reader = m_graph.node(use.node);
            const auto data = dataInputs(reader);
            if (std::find(data.begin(), data.end(), use.inputIndex) == data.end())
                continue;
            if (m_disabled.contains({use.node, use.inputIndex})) {
                skipped.push_back("the edge to " + label(use.node) + " is switched off");
                continue;
            }
            if (const std::string why = inputKeptFloat(use.node); !why.empty() && !excluded(use.node)) {
                skipped.push_back("the edge to " + label(use.node) + " is float because " + why);
                m_placement.diagnostics.push_back({Severity::Warning, "float-input", reader.name, label(use.node) + " runs in float: " + why + "."});
                continue;
            }
            const ResolvedScheme &wish = role(use.node, TensorRole::Input);
            const bool ownWish = !excluded(use.node)
                && (!hasBase || (wish.layer > ConfigLayer::Global && wish.layer >= found[0].resolved.layer && !(wish.scheme == found[0].resolved.scheme)));
            if (!ownWish) {
                if (hasBase)
                    found[0].uses.push_back(use);
                else
                    skipped.push_back(label(use.node) + " is left out by " + m_resolver.node(use.node).excludedBy);
                continue;
            }
            checkScheme(wish, TensorRole::Input, reader, nullptr, m_target);
            auto same = std::find_if(found.begin(), found.end(), [&](const Candidate &c) { return c.resolved.scheme == wish.scheme; });
            if (same == found.end()) {
                found.push_back({id, wish, use.node, {}, false, !hasBase && found.empty(), {}, 0});
                same = found.end() - 1;
            }
            same->uses.push_back(use);
        }
        const bool exposed = m_graph.isOutput(id);
        if (exposed && hasBase && m_config.quantizeOutputs)
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
            why = m_config.quantizeOutputs && maker.valid() ? leftOut(maker) : "The recipe leaves model outputs in float.";
        absent(id, why.empty() ? "Nothing reads it as data." : why);
    }

    std::string leftOut(NodeId maker) const { return label(maker) + ", which makes it, is left out by " + m_resolver.node(maker).excludedBy + "."; }

    std::string reasonFor(const Candidate &candidate, bool hasBase, NodeId maker) const
    {
        std::string reason;
        if (!candidate.base)
            return "Second quantizer of '" + nameOf(candidate.value) + "' for " + label(candidate.owner) + ", whose input_tensors were set by "
                + candidate.resolved.provenance() + ".";
        if (!hasBase)
            return (maker.valid() ? label(maker) + " stays float; its output is quantized for " : "Model input, quantized for ") + label(candidate.owner) + ".";
        const int group = m_fusions.groupOf[std::size_t(maker.index)];
        reason = "Output of " + label(maker);
        if (group >= 0)
            reason += ", the end of the fused group that starts with " + label(m_fusions.groups[std::size_t(group)].front());
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
        for (NodeId id : m_graph.order()) {
            const Node &node = m_graph.node(id);
            if (excluded(id) || !(isMover(node) || sharesInputs(node)))
                continue;
            for (std::size_t i : dataInputs(node)) {
                const auto in = m_candidateOfEdge.find({id, i});
                if (in == m_candidateOfEdge.end() || m_candidates[in->second].resolved.scheme.dynamic)
                    continue;
                for (ValueId out : node.outputs)
                    if (const auto base = out.valid() ? m_baseOf.find(out) : m_baseOf.end();
                        base != m_baseOf.end() && !m_candidates[base->second].resolved.scheme.dynamic) {
                        join(in->second, base->second);
                        m_candidates[base->second].reason += " Shares its scale with '" + nameOf(node.inputs[i]) + "', because " + label(id)
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

    PointId addPoint(Point point)
    {
        point.id = PointId{std::int32_t(m_placement.points.size())};
        if (!point.shares.valid())
            point.shares = point.id;
        m_placement.points.push_back(std::move(point));
        return m_placement.points.back().id;
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
            const PointId id = addPoint(std::move(point));
            firstOfSet.emplace(setRoot(i), id);
            for (const Graph::Use &use : candidate.uses)
                m_pointOfEdge[{use.node, use.inputIndex}] = id;
        }
    }

    bool takesQuantized(const Node &node) const
    {
        const auto data = dataInputs(node);
        return std::any_of(data.begin(), data.end(), [&](std::size_t i) { return m_pointOfEdge.contains({node.id, i}); });
    }

    PointId addConstantPoint(ValueId value, Scheme scheme, const ResolvedScheme &resolved, Graph::Use use, std::string reason)
    {
        for (PointId id : m_pointsOfConstant[value]) {
            Point &known = m_placement.points[std::size_t(id.index)];
            if (known.kind == PointKind::Weight && known.scheme == scheme) {
                known.uses.push_back(use);
                return id;
            }
        }
        Point point;
        point.kind = PointKind::Weight;
        point.value = value;
        point.uses = {use};
        point.scheme = scheme;
        point.owner = use.node;
        point.reason = std::move(reason);
        point.provenance = resolved.provenance();
        const PointId id = addPoint(std::move(point));
        m_pointsOfConstant[value].push_back(id);
        return id;
    }

    void placeWeight(const Node &node)
    {
        const auto weight = weightRole(m_graph, node);
        if (!weight)
            return;
        const ValueId value = node.input(weight->weightInput);
        if (!isFloatingPoint(m_graph.constant(value)->type))
            return;
        if (excluded(node.id))
            return absent(value, label(node.id) + " is left out by " + m_resolver.node(node.id).excludedBy + ".");
        if (m_disabled.contains({node.id, weight->weightInput}))
            return absent(value, "The edge to " + label(node.id) + " is switched off.");
        const ResolvedScheme &resolved = role(node.id, TensorRole::Weight);
        checkScheme(resolved, TensorRole::Weight, node, m_graph.constant(value), m_target);
        Scheme scheme = resolved.scheme;
        if (!scheme.quantized())
            return absent(value, "Weight of " + label(node.id) + "; it stays float by " + resolved.provenance() + ".");
        std::string reason = "Weight of " + label(node.id) + ".";
        if (scheme.granularity != Granularity::PerTensor) {
            if (scheme.channelAxis < 0)
                scheme.channelAxis = weight->channelAxis;
            if (scheme.channelAxis < 0) {
                scheme.granularity = Granularity::PerTensor;
                scheme.channelAxis = 0;
                reason += " It has no axis of output channels, so it has one scale.";
            }
        } else {
            scheme.channelAxis = 0;
        }
        m_pointOfEdge[{node.id, weight->weightInput}] = addConstantPoint(value, scheme, resolved, {node.id, weight->weightInput}, std::move(reason));
    }

    void placeConstantOperands(const Node &node)
    {
        static const std::set<std::string> operators = {"Add", "Sub", "Mul", "Max", "Min", "Sum", "Concat"};
        if (!node.domain.empty() || !operators.contains(node.opType) || !m_target.integerOps.contains(node.opType) || excluded(node.id) || !takesQuantized(node))
            return;
        const ResolvedScheme &resolved = role(node.id, TensorRole::Input);
        for (std::size_t i : dataInputs(node)) {
            const TensorData *data = m_graph.constant(node.inputs[i]);
            if (!data || !isFloatingPoint(data->type) || m_disabled.contains({node.id, i}) || !resolved.scheme.quantized() || resolved.scheme.dynamic)
                continue;
            Scheme scheme = resolved.scheme;
            scheme.channelAxis = 0;
            scheme.observer = scheme.scaleType == ScaleType::PowerOfTwo ? ObserverKind::Pof2MinMax : ObserverKind::MinMax;
            scheme.bestObserver = false;
            scheme.narrow = scheme.symmetric && isIntegerDtype(scheme.dtype) && isSignedDtype(scheme.dtype);
            m_pointOfEdge[{node.id, i}] = addConstantPoint(node.inputs[i], scheme, resolved, {node.id, i}, "Constant operand of " + label(node.id) + ".");
        }
    }

    /// Why the bias cannot be an integer, whatever its input; empty when it can.
    std::string biasObstacle(const Node &node, const WeightRole &weight) const
    {
        const ResolvedScheme &resolved = role(node.id, TensorRole::Bias);
        const Scheme &weights = role(node.id, TensorRole::Weight).scheme;
        if (!m_target.quantizeBias)
            return m_target.name + " adds biases in float";
        if (!resolved.scheme.quantized())
            return "it stays float by " + resolved.provenance();
        if (resolved.scheme.dtype == QuantDtype::Int8)
            return {};
        if (!integerScheme(weights))
            return "the weight is not an integer, so there is no scale to derive";
        if (weights.granularity == Granularity::PerGroup)
            return "the weight has several scales a channel";
        if (weights.granularity == Granularity::PerChannel && weights.channelAxis >= 0 && weights.channelAxis != weight.channelAxis)
            return "the weight's scales do not follow the output channels";
        if (node.is("Gemm") && (node.floatAttribute("alpha", 1) != 1.0f || node.floatAttribute("beta", 1) != 1.0f))
            return "alpha or beta is not 1, so the scale of the product is not that of the sum";
        const TensorData *bias = m_graph.constant(node.input(*weight.biasInput));
        if (bias && !bias->dims.empty() && (bias->dims.back() != bias->count() || (weight.outputChannels >= 0 && bias->count() != weight.outputChannels)))
            return "its shape is not one value for each output channel";
        if (bias && bias->dims.empty())
            return "its shape is not one value for each output channel";
        return {};
    }

    void placeBias(const Node &node)
    {
        const auto weight = weightRole(m_graph, node);
        if (!weight || !weight->biasInput)
            return;
        const ValueId value = node.input(*weight->biasInput);
        const TensorData *data = m_graph.constant(value);
        if (!data || !isFloatingPoint(data->type))
            return;
        const std::string who = "Bias of " + label(node.id);
        if (excluded(node.id))
            return absent(value, who + ", which is left out by " + m_resolver.node(node.id).excludedBy + ".");
        if (m_disabled.contains({node.id, *weight->biasInput}))
            return absent(value, who + "; the edge is switched off.");
        const ResolvedScheme &resolved = role(node.id, TensorRole::Bias);
        if (resolved.scheme.quantized() && m_target.quantizeBias)
            checkScheme(resolved, TensorRole::Bias, node, nullptr, m_target);
        std::string obstacle = biasObstacle(node, *weight);
        const auto input = m_pointOfEdge.find({node.id, 0});
        const auto weights = m_pointOfEdge.find({node.id, weight->weightInput});
        const bool derived = resolved.scheme.dtype == QuantDtype::Int32;
        if (obstacle.empty() && derived) {
            if (input == m_pointOfEdge.end() || !integerScheme(m_placement.point(input->second).scheme))
                obstacle = "the input is not quantized to integers, so there is no scale to derive";
            else if (m_placement.point(input->second).scheme.dynamic)
                obstacle = "the input's scale is known at run time only";
            else if (weights == m_pointOfEdge.end())
                obstacle = "the weight is not quantized, so there is no scale to derive";
        }
        if (!obstacle.empty())
            return absent(value, who + " stays float: " + obstacle + ".");
        Point point;
        point.kind = PointKind::Bias;
        point.value = value;
        point.uses = {{node.id, *weight->biasInput}};
        point.owner = node.id;
        point.scheme = resolved.scheme;
        point.provenance = resolved.provenance();
        point.scheme.symmetric = true;
        point.scheme.granularity = Granularity::PerTensor;
        point.scheme.channelAxis = int(data->dims.size()) - 1;
        if (derived) {
            point.biasInput = input->second;
            point.biasWeight = weights->second;
            point.scheme.granularity = m_placement.point(weights->second).scheme.granularity;
            point.scheme.scaleType = ScaleType::Float;
            for (PointId id : m_pointsOfConstant[value]) {
                Point &known = m_placement.points[std::size_t(id.index)];
                if (known.kind == PointKind::Bias && known.biasWeight == point.biasWeight && known.biasInput.valid()
                    && m_placement.point(known.biasInput).shares == m_placement.point(point.biasInput).shares) {
                    known.uses.push_back(point.uses.front());
                    return;
                }
            }
        }
        point.reason = who + (derived ? "; its scale is that of the input times that of the weight." : "; int8 with a scale of its own, as the target asks.");
        m_pointsOfConstant[value].push_back(addPoint(std::move(point)));
    }

    void explainConstants()
    {
        std::set<ValueId> placed;
        for (const Point &point : m_placement.points)
            placed.insert(point.value);
        for (const auto &[id, data] : m_graph.constants()) {
            if (!isFloatingPoint(data.type) || placed.contains(id) || m_absent.contains(id) || m_uses[std::size_t(id.index)].empty())
                continue;
            const Graph::Use &use = m_uses[std::size_t(id.index)].front();
            absent(id, "Constant of " + label(use.node) + ", which takes it in float.");
        }
    }

    const Graph &m_graph;
    const Config &m_config;
    const TargetProfile &m_target;
    const Resolver &m_resolver;
    Fusions m_fusions;
    std::vector<std::vector<Graph::Use>> m_uses;
    std::vector<NodeId> m_producers;
    std::vector<bool> m_shapeArithmetic, m_nonNegative, m_wanted;
    std::set<Edge> m_disabled;
    std::vector<Candidate> m_candidates;
    std::map<Edge, std::size_t> m_candidateOfEdge;
    std::map<ValueId, std::size_t> m_baseOf;
    std::map<Edge, PointId> m_pointOfEdge;
    std::map<ValueId, std::vector<PointId>> m_pointsOfConstant;
    std::set<ValueId> m_absent;
    Placement m_placement;
};

} // namespace

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

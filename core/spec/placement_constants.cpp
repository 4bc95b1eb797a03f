#include "core/spec/operator_roles.h"
#include "core/spec/placement_state.h"
#include "core/spec/scheme_check.h"

#include <algorithm>

namespace core {

namespace {

class ConstantPlacer {
public:
    explicit ConstantPlacer(PlacementState &state) : m(state) {}

    void run()
    {
        for (NodeId id : m.graph.order()) {
            placeWeight(m.graph.node(id));
            placeConstantOperands(m.graph.node(id));
        }
        for (NodeId id : m.graph.order())
            placeBias(m.graph.node(id));
        explainConstants();
    }

private:
    bool takesQuantized(const Node &node) const
    {
        const auto data = dataInputs(node);
        return std::any_of(data.begin(), data.end(), [&](std::size_t i) { return m.pointOfEdge.contains({node.id, i}); });
    }

    PointId addConstantPoint(ValueId value, Scheme scheme, const ResolvedScheme &resolved, Graph::Use use, std::string reason)
    {
        for (PointId id : m_pointsOfConstant[value]) {
            Point &known = m.placement.points[std::size_t(id.index)];
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
        const PointId id = m.addPoint(std::move(point));
        m_pointsOfConstant[value].push_back(id);
        return id;
    }

    void placeWeight(const Node &node)
    {
        const auto weight = weightRole(m.graph, node);
        if (!weight)
            return;
        const ValueId value = node.input(weight->weightInput);
        if (!isFloatingPoint(m.graph.constant(value)->type))
            return;
        if (m.excluded(node.id))
            return m.absent(value, m.label(node.id) + " is left out by " + m.resolver.node(node.id).excludedBy + ".");
        if (m.disabled.contains({node.id, weight->weightInput}))
            return m.absent(value, "The edge to " + m.label(node.id) + " is switched off.");
        const ResolvedScheme &resolved = m.role(node.id, TensorRole::Weight);
        checkScheme(resolved, TensorRole::Weight, node, m.graph.constant(value), m.target);
        Scheme scheme = resolved.scheme;
        if (!scheme.quantized())
            return m.absent(value, "Weight of " + m.label(node.id) + "; it stays float by " + resolved.provenance() + ".");
        std::string reason = "Weight of " + m.label(node.id) + ".";
        if (scheme.dtype == QuantDtype::Float16 || scheme.dtype == QuantDtype::BFloat16)
            scheme.granularity = Granularity::PerTensor; // a Cast has no scale
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
        scheme.reduced = (m.config.reduceRange || m.target.reduceRange) && (scheme.dtype == QuantDtype::Int8 || scheme.dtype == QuantDtype::UInt8);
        m.pointOfEdge[{node.id, weight->weightInput}] = addConstantPoint(value, scheme, resolved, {node.id, weight->weightInput}, std::move(reason));
    }

    void placeConstantOperands(const Node &node)
    {
        static const std::set<std::string> operators = {"Add", "Sub", "Mul", "Max", "Min", "Sum", "Concat"};
        if (!node.domain.empty() || !operators.contains(node.opType) || !m.target.integerOps.contains(node.opType) || m.excluded(node.id) || !takesQuantized(node))
            return;
        const ResolvedScheme &resolved = m.role(node.id, TensorRole::Input);
        for (std::size_t i : dataInputs(node)) {
            const TensorData *data = m.graph.constant(node.inputs[i]);
            if (!data || !isFloatingPoint(data->type) || m.disabled.contains({node.id, i}) || !resolved.scheme.quantized() || resolved.scheme.dynamic)
                continue;
            Scheme scheme = resolved.scheme;
            scheme.channelAxis = 0;
            scheme.observer = scheme.scaleType == ScaleType::PowerOfTwo ? ObserverKind::Pof2MinMax : ObserverKind::MinMax;
            scheme.bestObserver = false;
            scheme.narrow = scheme.symmetric && isIntegerDtype(scheme.dtype) && isSignedDtype(scheme.dtype);
            m.pointOfEdge[{node.id, i}] = addConstantPoint(node.inputs[i], scheme, resolved, {node.id, i}, "Constant operand of " + m.label(node.id) + ".");
        }
    }

    void placeBias(const Node &node)
    {
        const auto weight = weightRole(m.graph, node);
        if (!weight || !weight->biasInput)
            return;
        const ValueId value = node.input(*weight->biasInput);
        const TensorData *data = m.graph.constant(value);
        if (!data || !isFloatingPoint(data->type))
            return;
        const std::string who = "Bias of " + m.label(node.id);
        if (m.excluded(node.id))
            return m.absent(value, who + ", which is left out by " + m.resolver.node(node.id).excludedBy + ".");
        const ResolvedScheme &resolved = m.role(node.id, TensorRole::Bias);
        if (resolved.scheme.quantized() && m.target.quantizeBias)
            checkScheme(resolved, TensorRole::Bias, node, nullptr, m.target);
        std::string obstacle = biasObstacle(m, node, *weight);
        const auto input = m.pointOfEdge.find({node.id, 0});
        const auto weights = m.pointOfEdge.find({node.id, weight->weightInput});
        const bool derived = resolved.scheme.dtype == QuantDtype::Int32;
        if (obstacle.empty() && (input == m.pointOfEdge.end() || !isIntegerDtype(m.placement.point(input->second).scheme.dtype)))
            obstacle = "the input is not quantized to integers, so there is no scale to derive";
        else if (obstacle.empty() && derived && m.placement.point(input->second).scheme.dynamic)
            obstacle = "the input's scale is known at run time only";
        if (!obstacle.empty())
            return m.absent(value, who + " stays float: " + obstacle + ".");
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
            point.scheme.granularity = m.placement.point(weights->second).scheme.granularity;
            point.scheme.scaleType = ScaleType::Float;
            for (PointId id : m_pointsOfConstant[value]) {
                Point &known = m.placement.points[std::size_t(id.index)];
                if (known.kind == PointKind::Bias && known.biasWeight == point.biasWeight && known.biasInput.valid()
                    && m.placement.point(known.biasInput).shares == m.placement.point(point.biasInput).shares) {
                    known.uses.push_back(point.uses.front());
                    return;
                }
            }
        }
        point.reason = who + (derived ? "; its scale is that of the input times that of the weight." : "; int8 with a scale of its own, as the target asks.");
        m_pointsOfConstant[value].push_back(m.addPoint(std::move(point)));
    }

    void explainConstants()
    {
        std::set<ValueId> placed;
        for (const Point &point : m.placement.points)
            placed.insert(point.value);
        for (const auto &[id, data] : m.graph.constants()) {
            if (!isFloatingPoint(data.type) || placed.contains(id) || m.absentValues.contains(id) || m.uses[std::size_t(id.index)].empty())
                continue;
            const Graph::Use &use = m.uses[std::size_t(id.index)].front();
            m.absent(id, "Constant of " + m.label(use.node) + ", which takes it in float.");
        }
        std::erase_if(m.placement.absences, [&](const Absence &absent) { return placed.contains(absent.value); });
    }

    PlacementState &m;
    std::map<ValueId, std::vector<PointId>> m_pointsOfConstant;
};

} // namespace

std::string biasObstacle(const PlacementState &m, const Node &node, const WeightRole &weight)
{
    const ResolvedScheme &resolved = m.role(node.id, TensorRole::Bias);
    const Scheme &weights = m.role(node.id, TensorRole::Weight).scheme;
    if (!m.target.quantizeBias)
        return m.target.name + " adds biases in float";
    if (!resolved.scheme.quantized())
        return "it stays float by " + resolved.provenance();
    if (m.disabled.contains({node.id, *weight.biasInput}))
        return "the edge is switched off";
    if (m.disabled.contains({node.id, weight.weightInput}) || !weights.quantized())
        return "the weight is not quantized, so there is no scale to derive";
    if (resolved.scheme.dtype == QuantDtype::Int8)
        return {};
    if (!isIntegerDtype(weights.dtype))
        return "the weight is not an integer, so there is no scale to derive";
    if (weights.granularity == Granularity::PerGroup)
        return "the weight has several scales a channel";
    if (weights.granularity == Granularity::PerChannel && weights.channelAxis >= 0 && weights.channelAxis != weight.channelAxis)
        return "the weight's scales do not follow the output channels";
    if (node.is("Gemm") && (node.floatAttribute("alpha", 1) != 1.0f || node.floatAttribute("beta", 1) != 1.0f))
        return "alpha or beta is not 1, so the scale of the product is not that of the sum";
    const TensorData *bias = m.graph.constant(node.input(*weight.biasInput));
    if (bias && !bias->dims.empty() && (bias->dims.back() != bias->count() || (weight.outputChannels >= 0 && bias->count() != weight.outputChannels)))
        return "its shape is not one value for each output channel";
    if (bias && bias->dims.empty())
        return "its shape is not one value for each output channel";
    return {};
}

void placeConstants(PlacementState &state)
{
    ConstantPlacer(state).run();
}

} // namespace core

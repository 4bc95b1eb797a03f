#include "core/ptq/shift_constraints.h"

#include "core/spec/operator_roles.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

namespace core {
namespace {

constexpr int largestCut = 16, largestBiasShift = 15, largestRead = 7, leastWrite = -7, largestWrite = 25, largestProduct = 32;

class ShiftFitter {
public:
    explicit ShiftFitter(QuantizedModel &model) : m_model(model), m_graph(*model.graph)
    {
        for (const Point &point : model.placement.points) {
            for (const Graph::Use &use : point.uses)
                m_pointOfEdge[{use.node, use.inputIndex}] = point.id;
            if (point.kind == PointKind::Activation)
                m_pointOfValue.emplace(point.value, point.id);
        }
        for (const std::vector<NodeId> &group : model.placement.fusedGroups)
            for (NodeId id : group)
                m_lastOfGroup[id] = group.back();
    }

    Diagnostics run()
    {
        for (NodeId id : m_graph.order())
            if (isMatrixOperator(m_graph.node(id)))
                fitCut(m_graph.node(id));
        for (NodeId id : m_graph.order()) {
            const Node &node = m_graph.node(id);
            if (isMatrixOperator(node))
                checkLayer(node);
            else if (node.is("Add") || node.is("Sub") || node.is("Mul"))
                checkOperands(node);
        }
        return std::move(m_diagnostics);
    }

private:
    std::optional<int> positionOf(PointId id) const
    {
        const std::vector<AffineParams> &params = m_model.numbers.at(std::size_t(id.index)).params;
        int exponent = 0;
        if (params.size() != 1 || std::frexp(params[0].scale, &exponent) != 0.5f)
            return {};
        return 1 - exponent;
    }
    std::optional<int> position(const Node &node, std::size_t input) const
    {
        const auto found = m_pointOfEdge.find({node.id, input});
        return found == m_pointOfEdge.end() ? std::nullopt : positionOf(found->second);
    }
    std::optional<int> outputPosition(const Node &node) const
    {
        const auto last = m_lastOfGroup.find(node.id);
        const auto found = m_pointOfValue.find(last == m_lastOfGroup.end() ? node.output() : m_graph.node(last->second).output());
        return found == m_pointOfValue.end() ? std::nullopt : positionOf(found->second);
    }

    struct Layer {
        int input, weight, output;
        int cut() const { return weight + input - output; }
    };
    std::optional<Layer> layer(const Node &node, const std::optional<WeightRole> &role) const
    {
        if (!role || role->weightInput != 1)
            return {};
        const auto input = position(node, 0), weight = position(node, 1), output = outputPosition(node);
        if (!input || !weight || !output)
            return {};
        return Layer{*input, *weight, *output};
    }

    void fitCut(const Node &node)
    {
        const auto found = layer(node, weightRole(m_graph, node));
        if (!found)
            return;
        const int cut = found->cut(), wanted = std::clamp(cut, 0, largestCut);
        if (cut == wanted)
            return;
        const PointId weight = m_pointOfEdge.at({node.id, 1});
        m_model.numbers.at(std::size_t(weight.index)).params[0].scale = std::ldexp(1.0f, -(found->weight + wanted - cut));
        say(Severity::Note, node, "would shift by " + std::to_string(cut) + ", which lies outside 0 to " + std::to_string(largestCut) + "; the scale of its weight was "
                + (wanted < cut ? "raised." : "lowered, so large weights are clipped."));
    }

    void checkLayer(const Node &node)
    {
        const auto role = weightRole(m_graph, node);
        const auto found = layer(node, role);
        if (!found)
            return;
        limits(node, "shifts by", found->cut(), 0, largestCut);
        const auto bias = role->biasInput ? m_pointOfEdge.find({node.id, *role->biasInput}) : m_pointOfEdge.end();
        if (bias == m_pointOfEdge.end() || m_model.placement.point(bias->second).biasInput.valid())
            return; // none, or int32 with exactly the scale of the product
        if (const auto own = positionOf(bias->second))
            limits(node, "shifts its bias by", found->weight + found->input - *own, std::min(0, found->cut() - largestCut), largestBiasShift);
    }

    void checkOperands(const Node &node)
    {
        const auto a = position(node, 0), b = position(node, 1), output = outputPosition(node);
        if (!a || !b)
            return;
        if (!node.is("Mul"))
            limits(node, "shifts one operand against the other by", std::abs(*a - *b), 0, largestRead);
        if (output && node.is("Add"))
            limits(node, "shifts its result by", std::min(*a, *b) - *output, leastWrite, largestWrite);
        if (output && node.is("Mul"))
            limits(node, "shifts its result by", *a + *b - *output, 0, largestProduct);
    }

    void limits(const Node &node, const std::string &what, int shift, int least, int most)
    {
        if (shift < least || shift > most)
            say(Severity::Warning, node, what + " " + std::to_string(shift) + ", which lies outside " + std::to_string(least) + " to " + std::to_string(most)
                    + "; the target cannot run it as it is. Exclude it, or choose another observer for it.");
    }

    void say(Severity severity, const Node &node, const std::string &what)
    {
        m_diagnostics.push_back({severity, "shift-constraint", node.name, node.opType + " '" + node.name + "' " + what});
    }

    QuantizedModel &m_model;
    const Graph &m_graph;
    std::map<std::pair<NodeId, std::size_t>, PointId> m_pointOfEdge;
    std::map<ValueId, PointId> m_pointOfValue;
    std::map<NodeId, NodeId> m_lastOfGroup;
    Diagnostics m_diagnostics;
};

} // namespace

Diagnostics fitShifts(QuantizedModel &model)
{
    return ShiftFitter(model).run();
}

} // namespace core

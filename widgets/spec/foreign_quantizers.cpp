#include "widgets/spec/foreign_quantizers.h"

#include "core/graph/constant_value.h"
#include "core/spec/operator_roles.h"

#include <QCoreApplication>

#include <algorithm>
#include <optional>

namespace widgets {

using core::Graph;
using core::Node;
using core::NodeId;
using core::ValueId;

namespace {

QString tr(const char *text) { return QCoreApplication::translate("ForeignQuantizers", text); }

bool isQuantize(const Node &node) { return node.opType == "QuantizeLinear"; }
bool isDequantize(const Node &node) { return node.opType == "DequantizeLinear"; }

class Finder {
public:
    explicit Finder(const Graph &graph) : m_graph(graph), m_producers(producerByValue(graph)), m_uses(usesByValue(graph)) {}

    std::vector<ForeignQuantizer> of(const Node &node) const
    {
        std::vector<ForeignQuantizer> found;
        if (isQuantize(node) || isDequantize(node)) {
            found.push_back(linear(node, tr("this")));
        } else if (node.opType == "DynamicQuantizeLinear") {
            ForeignQuantizer dynamic;
            dynamic.node = node.id;
            dynamic.value = node.input(0);
            dynamic.role = tr("at run time");
            dynamic.type = core::DataType::UInt8;
            found.push_back(dynamic);
        } else if (isQuantizerNode(node)) {
            integerOperator(node, found);
        } else {
            neighbours(node, found);
        }
        return found;
    }

private:
    std::optional<core::TensorData> constantOf(ValueId id) const
    {
        if (!id.valid())
            return {};
        if (const core::TensorData *data = m_graph.constant(id))
            return *data;
        const NodeId maker = m_producers[std::size_t(id.index)];
        if (maker.valid() && m_graph.node(maker).is("Constant"))
            return constantNodeValue(m_graph.node(maker));
        return {};
    }

    void readParameters(ForeignQuantizer &to, ValueId scale, ValueId zeroPoint) const
    {
        if (const auto data = constantOf(scale); data && core::isFloatingPoint(data->type))
            to.scales = data->toFloats();
        if (const auto data = constantOf(zeroPoint)) {
            if (to.type == core::DataType::Undefined)
                to.type = data->type;
            if (core::isInteger(data->type))
                to.zeroPoints = data->toInt64s();
        }
    }

    ForeignQuantizer linear(const Node &node, const QString &role) const
    {
        ForeignQuantizer found;
        found.node = node.id;
        found.role = role;
        found.value = isQuantize(node) ? node.input(0) : node.output(0);
        if (isDequantize(node) && node.input(0).valid())
            found.type = m_graph.value(node.input(0)).type;
        readParameters(found, node.input(1), node.input(2));
        if (found.type == core::DataType::Undefined && isQuantize(node))
            found.type = node.output(0).valid() && m_graph.value(node.output(0)).type != core::DataType::Undefined ? m_graph.value(node.output(0)).type : core::DataType::UInt8;
        found.blockSize = node.intAttribute("block_size", 0);
        if (found.scales.size() > 1 || found.blockSize > 0) {
            const auto rank = [&](ValueId id) { return id.valid() && m_graph.value(id).shape ? std::int64_t(m_graph.value(id).shape->size()) : 0; };
            const std::int64_t axis = node.intAttribute("axis", 1);
            found.axis = int(axis < 0 ? std::max<std::int64_t>(axis + rank(node.input(0)), 0) : axis);
        }
        return found;
    }

    void add(const Node &node, const QString &role, std::size_t data, std::size_t scale, std::size_t zeroPoint, bool output, std::vector<ForeignQuantizer> &to) const
    {
        ForeignQuantizer found;
        found.node = node.id;
        found.role = role;
        found.value = output ? node.output(0) : node.input(data);
        if (!found.value.valid())
            return;
        found.type = m_graph.value(found.value).type;
        readParameters(found, scale < node.inputs.size() ? node.inputs[scale] : ValueId{}, zeroPoint < node.inputs.size() ? node.inputs[zeroPoint] : ValueId{});
        if (found.scales.size() > 1)
            found.axis = 0;
        to.push_back(std::move(found));
    }

    void integerOperator(const Node &node, std::vector<ForeignQuantizer> &to) const
    {
        constexpr std::size_t none = 999;
        const std::string &type = node.opType;
        if (type == "ConvInteger" || type == "MatMulInteger") {
            add(node, tr("input"), 0, none, 2, false, to);
            add(node, tr("weight"), 1, none, 3, false, to);
        } else if (type == "QLinearConcat") {
            for (std::size_t i = 2; i + 2 < node.inputs.size(); i += 3)
                add(node, tr("input"), i, i + 1, i + 2, false, to);
            add(node, tr("output"), 0, 0, 1, true, to);
        } else if (type == "QLinearConv" || type == "QLinearMatMul" || type == "QLinearAdd" || type == "QLinearMul") {
            const bool weighted = type == "QLinearConv" || type == "QLinearMatMul";
            const bool swapped = !weighted; // A, A_scale, A_zero, B, B_scale, B_zero, C_scale, C_zero in all four
            add(node, tr("input"), 0, 1, 2, false, to);
            add(node, swapped ? tr("input") : tr("weight"), 3, 4, 5, false, to);
            add(node, tr("output"), 0, 6, 7, true, to);
        } else if (type == "QGemm") {
            add(node, tr("input"), 0, 1, 2, false, to);
            add(node, tr("weight"), 3, 4, 5, false, to);
            add(node, tr("output"), 0, 7, 8, true, to);
        } else { // QLinearGlobalAveragePool, QLinearSigmoid, QLinearLeakyRelu, QLinearSoftmax…
            add(node, tr("input"), 0, 1, 2, false, to);
            add(node, tr("output"), 0, 3, 4, true, to);
        }
    }

    void neighbours(const Node &node, std::vector<ForeignQuantizer> &to) const
    {
        const auto weight = weightIndex(node);
        for (std::size_t i = 0; i < node.inputs.size(); ++i) {
            if (!node.inputs[i].valid())
                continue;
            const NodeId maker = m_producers[std::size_t(node.inputs[i].index)];
            if (maker.valid() && isDequantize(m_graph.node(maker)))
                to.push_back(linear(m_graph.node(maker), weight && i == *weight ? tr("weight") : weight && i == 2 ? tr("bias") : tr("input")));
        }
        for (const ValueId out : node.outputs) {
            if (!out.valid())
                continue;
            for (const Graph::Use &use : m_uses[std::size_t(out.index)])
                if (use.inputIndex == 0 && isQuantize(m_graph.node(use.node)))
                    to.push_back(linear(m_graph.node(use.node), tr("output")));
        }
    }

    static std::optional<std::size_t> weightIndex(const Node &node)
    {
        return core::isMatrixOperator(node) ? std::optional<std::size_t>(1) : std::nullopt;
    }

    const Graph &m_graph;
    std::vector<NodeId> m_producers;
    std::vector<std::vector<Graph::Use>> m_uses;
};

} // namespace

bool isQuantizerNode(const Node &node)
{
    return isQuantize(node) || isDequantize(node) || node.opType == "DynamicQuantizeLinear" || node.opType == "ConvInteger" || node.opType == "MatMulInteger"
        || node.opType == "QGemm" || node.opType.starts_with("QLinear");
}

bool isQuantizedFile(const Graph &graph)
{
    return std::any_of(graph.order().begin(), graph.order().end(), [&](NodeId id) { return isQuantizerNode(graph.node(id)); });
}

std::vector<ForeignQuantizer> foreignQuantizers(const Graph &graph, NodeId node)
{
    return graph.contains(node) ? Finder(graph).of(graph.node(node)) : std::vector<ForeignQuantizer>();
}

std::vector<ForeignQuantizer> foreignQuantizers(const Graph &graph)
{
    const Finder finder(graph);
    std::vector<ForeignQuantizer> all;
    for (const NodeId id : graph.order())
        if (isQuantizerNode(graph.node(id)))
            for (ForeignQuantizer &found : finder.of(graph.node(id)))
                all.push_back(std::move(found));
    return all;
}

} // namespace widgets

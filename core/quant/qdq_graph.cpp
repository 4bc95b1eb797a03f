#include "core/quant/qdq_graph.h"

#include <algorithm>
#include <map>
#include <set>

namespace core {
namespace {

bool isCastDtype(QuantDtype dtype) { return dtype == QuantDtype::Float16 || dtype == QuantDtype::BFloat16; }

class Builder {
public:
    explicit Builder(const QuantizedModel &model)
        : m_model(model), m_graph(*model.graph), m_uses(usesByValue(*model.graph))
    {
        std::size_t position = 0;
        m_position.resize(std::size_t(m_graph.nodeIdLimit()));
        for (NodeId id : m_graph.order())
            m_position[std::size_t(id.index)] = position++;
    }

    Graph build(std::vector<ValueId> *dequantized)
    {
        m_back.resize(m_model.placement.points.size());
        for (const Point &point : m_model.placement.points) {
            if (!point.scheme.quantized())
                continue;
            if (point.kind == PointKind::Activation && !m_graph.isConstant(point.value))
                addActivation(point);
            else
                addConstant(point);
        }
        m_graph.removeUnusedValues();
        if (dequantized)
            *dequantized = std::move(m_back);
        return std::move(m_graph);
    }

private:
    const PointNumbers &numbers(const Point &point) const { return m_model.numbers.at(std::size_t(point.id.index)); }

    NodeId place(Node node, NodeId before) { return before.valid() ? m_graph.insertNode(std::move(node), before) : m_graph.addNode(std::move(node)); }

    NodeId firstConsumer(const Point &point) const
    {
        NodeId first;
        for (const Graph::Use &use : point.uses)
            if (!first.valid() || m_position[std::size_t(use.node.index)] < m_position[std::size_t(first.index)])
                first = use.node;
        return first;
    }

    Node makeNode(const std::string &type, const std::string &name, std::vector<ValueId> inputs, std::vector<ValueId> outputs)
    {
        Node node;
        node.opType = type;
        node.name = m_graph.uniqueNodeName(name);
        node.inputs = std::move(inputs);
        node.outputs = std::move(outputs);
        return node;
    }

    struct ScaleValues { ValueId scale, zeroPoint; };

    /// One pair of initializers for a sharing set.
    ScaleValues scaleValues(const Point &point)
    {
        const std::int32_t root = point.shares.valid() ? point.shares.index : point.id.index;
        if (const auto found = m_scales.find(root); found != m_scales.end())
            return found->second;
        const Point &first = m_model.placement.points.at(std::size_t(root));
        const std::string &base = m_model.graph->value(first.value).name;
        const AffineParams &params = numbers(first).params.at(0);
        const DataType type = storageType(point.scheme.dtype);
        const float scale = params.scale;
        ScaleValues made;
        made.scale = m_graph.addConstant(base + "_scale", TensorData::fromFloats({}, std::span(&scale, 1)));
        made.zeroPoint = m_graph.addConstant(base + "_zero_point", zeroPoints(type, {}, {params}));
        m_scales.emplace(root, made);
        return made;
    }

    static TensorData zeroPoints(DataType type, std::vector<std::int64_t> dims, const std::vector<AffineParams> &params)
    {
        if (!isInteger(type))
            return TensorData::fromBytes(type, std::move(dims), std::vector<std::byte>(params.size()));
        std::vector<std::int64_t> values;
        for (const AffineParams &p : params)
            values.push_back(p.zeroPoint);
        return TensorData::fromIntegers(type, std::move(dims), values);
    }

    void addActivation(const Point &point)
    {
        const NodeId before = firstConsumer(point);
        if (!before.valid() && !point.quantizesOutput)
            return;
        const Value source = m_graph.value(point.value);
        std::string outputName;
        if (point.quantizesOutput && m_graph.isOutput(point.value)
            && std::find(m_graph.inputs.begin(), m_graph.inputs.end(), point.value) == m_graph.inputs.end()) {
            outputName = source.name;
            m_graph.renameValue(point.value, m_graph.uniqueValueName(source.name + "_float"));
        }
        const DataType type = storageType(point.scheme.dtype);
        const ValueId codes = m_graph.addValue(m_graph.uniqueValueName(source.name + "_quantized"), type, source.shape);
        const ValueId back = m_graph.addValue(outputName.empty() ? m_graph.uniqueValueName(source.name + "_dequantized") : outputName, source.type, source.shape);
        if (isCastDtype(point.scheme.dtype)) {
            Node down = makeNode("Cast", source.name + "_Cast", {point.value}, {codes});
            down.attributes["to"] = std::int64_t(type);
            Node up = makeNode("Cast", source.name + "_CastBack", {codes}, {back});
            up.attributes["to"] = std::int64_t(DataType::Float32);
            place(std::move(down), before);
            place(std::move(up), before);
        } else {
            ScaleValues scale;
            if (point.scheme.dynamic) {
                scale.scale = m_graph.addValue(m_graph.uniqueValueName(source.name + "_scale"), DataType::Float32, Shape{});
                scale.zeroPoint = m_graph.addValue(m_graph.uniqueValueName(source.name + "_zero_point"), type, Shape{});
                place(makeNode("DynamicQuantizeLinear", source.name + "_DynamicQuantizeLinear", {point.value}, {codes, scale.scale, scale.zeroPoint}), before);
            } else {
                scale = scaleValues(point);
                place(makeNode("QuantizeLinear", source.name + "_QuantizeLinear", {point.value, scale.scale, scale.zeroPoint}, {codes}), before);
            }
            place(makeNode("DequantizeLinear", source.name + "_DequantizeLinear", {codes, scale.scale, scale.zeroPoint}, {back}), before);
        }
        rewire(point, back);
        m_back[std::size_t(point.id.index)] = back;
        if (!outputName.empty())
            std::replace(m_graph.outputs.begin(), m_graph.outputs.end(), point.value, back);
    }

    void rewire(const Point &point, ValueId to)
    {
        for (const Graph::Use &use : point.uses)
            m_graph.node(use.node).inputs.at(use.inputIndex) = to;
    }

    /// The dequantized tensor keeps the float tensor's name where every consumer reads it.
    void addConstant(const Point &point)
    {
        const NodeId before = firstConsumer(point);
        if (!before.valid())
            return;
        const Value source = m_graph.value(point.value);
        const TensorData *data = m_model.graph->constant(point.value);
        const std::vector<AffineParams> &params = numbers(point).params;
        const bool allUses = point.uses.size() == m_uses.at(std::size_t(point.value.index)).size() && !m_graph.isOutput(point.value);
        const ValueId codes = m_graph.addConstant(source.name + "_quantized", storedCodes(m_model, point.id));
        ValueId back = point.value;
        if (allUses)
            m_graph.removeConstant(point.value);
        else
            back = m_graph.addValue(m_graph.uniqueValueName(source.name + "_dequantized"), DataType::Float32, source.shape);
        if (isCastDtype(point.scheme.dtype)) {
            Node up = makeNode("Cast", source.name + "_CastBack", {codes}, {back});
            up.attributes["to"] = std::int64_t(DataType::Float32);
            place(std::move(up), before);
        } else {
            place(dequantize(point, source.name, data->dims, params, codes, back), before);
        }
        if (!allUses)
            rewire(point, back);
        m_back[std::size_t(point.id.index)] = back;
    }

    Node dequantize(const Point &point, const std::string &name, const std::vector<std::int64_t> &tensorDims,
                    const std::vector<AffineParams> &params, ValueId codes, ValueId back)
    {
        const ParamLayout layout(point.scheme, tensorDims);
        const DataType type = storageType(point.scheme.dtype);
        std::vector<std::int64_t> dims;
        std::vector<AffineParams> stored = params;
        const bool blocked = point.kind != PointKind::Bias && layout.groups() > 1;
        if (blocked) {
            dims = tensorDims;
            dims[std::size_t(layout.groupAxis())] = layout.groups();
            stored = spread(dims, layout, params);
        } else if (params.size() > 1 || point.scheme.granularity != Granularity::PerTensor) {
            dims = {std::int64_t(params.size())};
        }
        std::vector<float> scales;
        for (const AffineParams &p : stored)
            scales.push_back(p.scale);
        std::vector<ValueId> inputs{codes, m_graph.addConstant(name + "_scale", TensorData::fromFloats(dims, scales))};
        if (type != DataType::Int32)
            inputs.push_back(m_graph.addConstant(name + "_zero_point", zeroPoints(type, dims, stored)));
        Node node = makeNode("DequantizeLinear", name + "_DequantizeLinear", std::move(inputs), {back});
        if (blocked) {
            node.attributes["axis"] = std::int64_t(layout.groupAxis());
            node.attributes["block_size"] = std::int64_t(point.scheme.groupSize);
        } else if (!dims.empty()) {
            node.attributes["axis"] = std::int64_t(layout.channelAxis());
        }
        return node;
    }

    /// ONNX wants a scale for each position of the dimensions that are not blocked.
    static std::vector<AffineParams> spread(const std::vector<std::int64_t> &dims, const ParamLayout &layout, const std::vector<AffineParams> &params)
    {
        const auto inner = [&dims](int axis) {
            std::int64_t product = 1;
            for (std::size_t i = std::size_t(axis) + 1; i < dims.size(); ++i)
                product *= dims[i];
            return product;
        };
        const std::int64_t channelInner = inner(layout.channelAxis()), groupInner = inner(layout.groupAxis());
        std::vector<AffineParams> stored(std::size_t(elementCount(dims)));
        for (std::size_t i = 0; i < stored.size(); ++i) {
            const std::int64_t channel = std::int64_t(i) / channelInner % layout.channels();
            const std::int64_t group = std::int64_t(i) / groupInner % layout.groups();
            stored[i] = params.at(std::size_t(channel * layout.groups() + group));
        }
        return stored;
    }

    const QuantizedModel &m_model;
    Graph m_graph;
    std::vector<std::vector<Graph::Use>> m_uses;
    std::vector<std::size_t> m_position;
    std::map<std::int32_t, ScaleValues> m_scales;
    std::vector<ValueId> m_back;
};

} // namespace

Graph buildQdqGraph(const QuantizedModel &model, std::vector<ValueId> *dequantized)
{
    return Builder(model).build(dequantized);
}

int requiredOpset(const QuantizedModel &model, int sourceOpset)
{
    int opset = std::max(sourceOpset, 10);
    for (const Point &point : model.placement.points) {
        const Scheme &scheme = point.scheme;
        if (!scheme.quantized())
            continue;
        if (scheme.dynamic)
            opset = std::max(opset, 11);
        if (scheme.granularity != Granularity::PerTensor || model.numbers.at(std::size_t(point.id.index)).params.size() > 1 || scheme.dtype == QuantDtype::BFloat16)
            opset = std::max(opset, 13);
        switch (scheme.dtype) {
        case QuantDtype::Fp8E4M3:
        case QuantDtype::Fp8E5M2:
            opset = std::max(opset, 19);
            break;
        case QuantDtype::Int2:
        case QuantDtype::Int3:
        case QuantDtype::Int4:
        case QuantDtype::UInt4:
        case QuantDtype::Int16:
        case QuantDtype::UInt16:
            opset = std::max(opset, 21);
            break;
        default:
            break;
        }
        if (scheme.granularity == Granularity::PerGroup)
            opset = std::max(opset, 21);
    }
    return opset;
}

} // namespace core

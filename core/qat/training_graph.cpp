#include "core/qat/training_graph.h"

#include "core/exec/executor.h"
#include "core/exec/fused_kernels.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <map>
#include <unordered_set>

namespace core {
namespace {

class Builder {
public:
    Builder(const QuantizedModel &start, const std::vector<std::shared_ptr<FoldedLayer>> &layers)
        : m_start(start), m_layers(layers), m_graph(*start.graph), m_uses(usesByValue(*start.graph))
    {
        std::size_t position = 0;
        m_position.resize(std::size_t(m_graph.nodeIdLimit()));
        for (const NodeId id : m_graph.order())
            m_position[std::size_t(id.index)] = position++;
        for (const Point &point : start.placement.points)
            for (const Graph::Use &use : point.uses)
                if (point.scheme.quantized())
                    m_readers.insert(use.node);
    }

    TrainingGraph build()
    {
        m_result.quantizers.resize(m_start.placement.points.size());
        for (const Point &point : m_start.placement.points)
            if (point.scheme.quantized() && !(point.kind == PointKind::Bias && point.biasInput.valid()))
                add(point);
        for (const std::shared_ptr<FoldedLayer> &layer : m_layers)
            fold(layer);
        m_graph.removeUnusedValues();
        m_result.graph = std::make_shared<const Graph>(std::move(m_graph));
        return std::move(m_result);
    }

private:
    NodeId firstConsumer(const std::vector<Graph::Use> &uses) const
    {
        NodeId first;
        for (const Graph::Use &use : uses)
            if (!first.valid() || m_position[std::size_t(use.node.index)] < m_position[std::size_t(first.index)])
                first = use.node;
        return first;
    }

    NodeId place(const char *type, std::vector<ValueId> inputs, std::vector<ValueId> outputs, NodeId before, Kernel kernel)
    {
        Node node;
        node.opType = type;
        node.domain = "training";
        node.name = m_graph.uniqueNodeName(std::string(type) + "_" + (outputs.empty() ? "" : m_graph.value(outputs.front()).name));
        node.inputs = std::move(inputs);
        node.outputs = std::move(outputs);
        const NodeId id = before.valid() ? m_graph.insertNode(std::move(node), before) : m_graph.addNode(std::move(node));
        m_result.kernels.emplace(id, std::move(kernel));
        return id;
    }

    std::shared_ptr<FakeQuantizer> quantizerOf(const Point &point)
    {
        const PointId root = point.shares.valid() ? point.shares : point.id;
        auto &quantizer = m_quantizers[root.index];
        if (!quantizer) {
            const Point &first = m_start.placement.point(root);
            const PointNumbers &numbers = m_start.numbers.at(std::size_t(root.index));
            FakeQuantizerOptions options{first.scheme, first.kind, numbers.params, numbers.range, numbers.seen, {}};
            if (const TensorData *data = m_start.graph->constant(first.value))
                options.initial = toTensor(*data).to(at::kFloat);
            try {
                quantizer = makeFakeQuantizer(options);
            } catch (const Error &error) {
                throw Error(error.kind(), "train", "Tensor '" + m_start.graph->value(first.value).name + "': " + error.sentence());
            }
        }
        return quantizer;
    }

    void add(const Point &point)
    {
        const NodeId before = firstConsumer(point.uses);
        if (!before.valid() && !point.quantizesOutput)
            return;
        const Value source = m_graph.value(point.value);
        const bool everyReader = point.uses.size() == m_uses[std::size_t(point.value.index)].size() && (point.quantizesOutput || !m_graph.isOutput(point.value));
        ValueId from = point.value;
        PreClamp clamp;
        if (everyReader) {
            const NodeId producer = m_graph.producer(point.value);
            const auto bounds = producer.valid() ? clampOf(m_graph, m_graph.node(producer)) : std::nullopt;
            const ValueId inner = producer.valid() ? m_graph.node(producer).input(0) : ValueId{};
            if (bounds && !m_graph.isConstant(inner) && !m_readers.contains(producer)) {
                clamp = *bounds;
                from = inner;
                m_graph.removeNode(producer);
            }
        }
        const ValueId back = m_graph.addValue(m_graph.uniqueValueName(source.name + "_trained"), DataType::Float32, source.shape);
        const std::shared_ptr<FakeQuantizer> quantizer = quantizerOf(point);
        m_result.quantizers[std::size_t(point.id.index)] = quantizer;
        place("FakeQuantize", {from}, {back}, before,
              [quantizer, clamp](OpCall &call) { call.outputs[0] = (*quantizer)(call.inputs[0], clamp); });
        for (const Graph::Use &use : point.uses)
            m_graph.node(use.node).inputs.at(use.inputIndex) = back;
        if (point.quantizesOutput)
            std::replace(m_graph.outputs.begin(), m_graph.outputs.end(), point.value, back);
        if (everyReader)
            m_result.moved.emplace(point.value, back);
    }

    void fold(const std::shared_ptr<FoldedLayer> &layer)
    {
        // Before everything: it depends on no input.
        const NodeId first = m_graph.order().front();
        m_graph.removeConstant(layer->weight);
        m_graph.removeConstant(layer->bias);
        place("FoldBatchNormalization", {}, {layer->weight, layer->bias}, first, [layer](OpCall &call) {
            call.outputs[0] = layer->foldedWeight();
            call.outputs[1] = layer->foldedBias();
        });
        const ValueId y = m_graph.node(layer->layer).output();
        const Value value = m_graph.value(y);
        const ValueId normalized = m_graph.addValue(m_graph.uniqueValueName(value.name + "_normalized"), DataType::Float32, value.shape);
        m_graph.replaceUses(y, normalized, true);
        const auto &order = m_graph.order();
        const auto at = std::find(order.begin(), order.end(), layer->layer) + 1;
        place("NormalizeBatch", {y}, {normalized}, at == order.end() ? NodeId{} : *at, [layer](OpCall &call) { call.outputs[0] = (*layer)(call.inputs[0]); });
        if (!m_result.moved.contains(y))
            m_result.moved.emplace(y, normalized);
    }

    const QuantizedModel &m_start;
    const std::vector<std::shared_ptr<FoldedLayer>> &m_layers;
    Graph m_graph;
    std::vector<std::vector<Graph::Use>> m_uses;
    std::vector<std::size_t> m_position;
    std::unordered_set<NodeId> m_readers;             ///< of quantized tensors; these nodes stay
    std::map<std::int32_t, std::shared_ptr<FakeQuantizer>> m_quantizers;
    TrainingGraph m_result;
};

} // namespace

TrainingGraph buildTrainingGraph(const QuantizedModel &start, const std::vector<std::shared_ptr<FoldedLayer>> &layers)
{
    return Builder(start, layers).build();
}

} // namespace core

#include "core/ptq/equalization.h"

#include "core/exec/executor.h"
#include "core/graph/layer_channels.h"
#include "core/ptq/noise_inputs.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

namespace core {
namespace {

struct Layer {
    NodeId node;
    std::vector<double> weight, bias;
    std::vector<std::size_t> outputOf, inputOf;   ///< of each weight element
    std::size_t outputs = 0, inputs = 0;
};

struct Pair {
    std::size_t first, second;           ///< into layers
    NodeId clip;                         ///< Clip(0, b) between them
    std::vector<double> total;           ///< product of all scales
};

bool ownConstant(const Graph &graph, ValueId value)
{
    return graph.isConstant(value) && graph.uses(value).size() == 1 && !graph.isOutput(value);
}

std::optional<Layer> makeLayer(const Graph &graph, NodeId id)
{
    const Node &node = graph.node(id);
    if (!isWeightedLayer(node) || !ownConstant(graph, node.input(1)) || (node.input(2).valid() && !ownConstant(graph, node.input(2))))
        return {};
    if (node.is("Gemm") && (node.intAttribute("transA", 0) || node.floatAttribute("alpha", 1) != 1 || node.floatAttribute("beta", 1) != 1))
        return {};
    const TensorData &weight = *graph.constant(node.input(1));
    if (weight.dims.size() < 2 || weight.type != DataType::Float32)
        return {};
    const LayerChannels channels(node, weight);
    Layer layer{id, weight.toDoubles(), {}, {}, {}, std::size_t(channels.outputs()), std::size_t(channels.inputs())};
    if (node.input(2).valid())
        layer.bias = graph.constant(node.input(2))->toDoubles();
    if (!layer.bias.empty() && layer.bias.size() != layer.outputs)
        return {};
    for (std::size_t i = 0; i < layer.weight.size(); ++i) {
        layer.outputOf.push_back(channels.output(std::int64_t(i)));
        layer.inputOf.push_back(channels.input(std::int64_t(i)));
    }
    return layer;
}

/// The upper bound of Clip(0, b), or nothing.
std::optional<double> reluBound(const Graph &graph, const Node &clip)
{
    const TensorData *low = clip.input(1).valid() ? graph.constant(clip.input(1)) : nullptr;
    const TensorData *high = clip.input(2).valid() ? graph.constant(clip.input(2)) : nullptr;
    if (!low || !high || low->count() != 1 || high->count() != 1 || low->toDoubles()[0] != 0)
        return {};
    return high->toDoubles()[0];
}

std::vector<double> ranges(const Layer &layer, bool byOutput)
{
    std::vector<double> result(byOutput ? layer.outputs : layer.inputs, 0.0);
    const std::vector<std::size_t> &channel = byOutput ? layer.outputOf : layer.inputOf;
    for (std::size_t i = 0; i < layer.weight.size(); ++i)
        result[channel[i]] = std::max(result[channel[i]], std::fabs(layer.weight[i]));
    return result;
}

class Equalizer {
public:
    Equalizer(Graph &graph, const EqualizationOptions &options) : m_graph(graph), m_options(options), m_uses(usesByValue(graph)) {}

    EqualizationReport run()
    {
        findPairs();
        EqualizationReport report;
        report.pairs = m_pairs.size();
        for (report.iterations = 0; report.iterations < m_options.iterations && !m_pairs.empty();) {
            double change = 0;
            for (Pair &pair : m_pairs)
                change = std::max(change, step(pair));
            ++report.iterations;
            if (change < m_options.tolerance)
                break;
        }
        for (const Layer &layer : m_layers)
            store(layer);
        for (const Pair &pair : m_pairs) {
            for (double scale : pair.total)
                report.largestScale = std::max({report.largestScale, scale, 1 / scale});
            if (pair.clip.valid()) {
                boundClip(pair);
                ++report.boundedClips;
            }
        }
        m_graph.removeUnusedValues();
        return report;
    }

private:
    /// The one reader of a value that nobody else sees.
    NodeId onlyReader(ValueId value) const
    {
        const auto &uses = m_uses.at(std::size_t(value.index));
        return uses.size() == 1 && uses[0].inputIndex == 0 && !m_graph.isOutput(value) ? uses[0].node : NodeId{};
    }

    std::optional<std::size_t> layerIndex(NodeId id)
    {
        if (const auto found = m_layerOf.find(id); found != m_layerOf.end())
            return found->second;
        std::optional<Layer> layer = makeLayer(m_graph, id);
        if (!layer)
            return {};
        m_layers.push_back(std::move(*layer));
        return m_layerOf[id] = m_layers.size() - 1;
    }

    void findPairs()
    {
        for (NodeId id : m_graph.order()) {
            if (!isWeightedLayer(m_graph.node(id)))
                continue;
            NodeId clip, next = onlyReader(m_graph.node(id).output());
            if (next.valid() && (m_graph.node(next).is("Relu") || m_graph.node(next).is("LeakyRelu"))) {
                next = onlyReader(m_graph.node(next).output());
            } else if (next.valid() && m_graph.node(next).is("Clip")) {
                clip = next;
                if (!m_options.boundClips || !reluBound(m_graph, m_graph.node(clip)) || m_graph.node(id).is("Gemm"))
                    continue;
                next = onlyReader(m_graph.node(clip).output());
            }
            if (!next.valid() || !isWeightedLayer(m_graph.node(next)) || m_graph.node(next).is("Gemm") != m_graph.node(id).is("Gemm"))
                continue;
            const auto first = layerIndex(id), second = layerIndex(next);
            if (first && second && m_layers[*first].outputs == m_layers[*second].inputs)
                m_pairs.push_back({*first, *second, clip, std::vector<double>(m_layers[*first].outputs, 1.0)});
        }
    }

    /// Returns the largest |s − 1|.
    double step(Pair &pair)
    {
        Layer &first = m_layers[pair.first], &second = m_layers[pair.second];
        const std::vector<double> produced = ranges(first, true), consumed = ranges(second, false);
        std::vector<double> scale(produced.size(), 1.0);
        double change = 0;
        for (std::size_t c = 0; c < scale.size(); ++c) {
            if (produced[c] > 0 && consumed[c] > 0)
                scale[c] = std::clamp(std::sqrt(produced[c] / consumed[c]), 1e-4 / pair.total[c], 1e4 / pair.total[c]);
            change = std::max(change, std::fabs(scale[c] - 1));
            pair.total[c] *= scale[c];
        }
        for (std::size_t i = 0; i < first.weight.size(); ++i)
            first.weight[i] /= scale[first.outputOf[i]];
        for (std::size_t c = 0; c < first.bias.size(); ++c)
            first.bias[c] /= scale[c];
        for (std::size_t i = 0; i < second.weight.size(); ++i)
            second.weight[i] *= scale[second.inputOf[i]];
        return change;
    }

    void store(const Layer &layer)
    {
        const Node &node = m_graph.node(layer.node);
        const auto put = [this](ValueId value, const std::vector<double> &values) {
            const std::vector<float> rounded(values.begin(), values.end());
            m_graph.setConstant(value, TensorData::fromFloats(m_graph.constant(value)->dims, rounded));
        };
        put(node.input(1), layer.weight);
        if (!layer.bias.empty())
            put(node.input(2), layer.bias);
    }

    /// Clip(0, b) → Relu, Min(b / s); the Clip's node and output names stay with the first and the last of the two.
    void boundClip(const Pair &pair)
    {
        const Node clip = m_graph.node(pair.clip);
        const double bound = *reluBound(m_graph, clip);
        const TensorData &weight = *m_graph.constant(m_graph.node(m_layers[pair.first].node).input(1));
        std::vector<std::int64_t> dims(weight.dims.size(), 1);
        dims[1] = std::int64_t(pair.total.size());
        std::vector<float> bounds;
        for (double scale : pair.total)
            bounds.push_back(float(bound / scale));
        const Value output = m_graph.value(clip.output());
        const ValueId middle = m_graph.addValue(m_graph.uniqueValueName(output.name + "_relu"), output.type, output.shape);
        const ValueId limit = m_graph.addConstant(output.name + "_bound", TensorData::fromFloats(dims, bounds));
        Node minimum;
        minimum.opType = "Min";
        minimum.name = m_graph.uniqueNodeName(clip.name + "_bound");
        minimum.inputs = {middle, limit};
        minimum.outputs = {clip.output()};
        Node &relu = m_graph.node(pair.clip);
        relu.opType = "Relu";
        relu.inputs = {clip.input(0)};
        relu.outputs = {middle};
        relu.attributes.clear();
        m_graph.insertNode(std::move(minimum), m_layers[pair.second].node);
    }

    Graph &m_graph;
    EqualizationOptions m_options;
    std::vector<std::vector<Graph::Use>> m_uses;
    std::vector<Layer> m_layers;
    std::map<NodeId, std::size_t> m_layerOf;
    std::vector<Pair> m_pairs;
};

} // namespace

EqualizationReport equalize(Graph &graph, const EqualizationOptions &options)
{
    return Equalizer(graph, options).run();
}

void Equalization::apply(PtqState &state, Progress &progress)
{
    progress.checkpoint();
    const auto before = std::make_shared<const Graph>(state.graph);
    const EqualizationReport report = equalize(state.graph, m_options);
    if (report.pairs == 0) {
        state.diagnostics.push_back({Severity::Note, "nothing-to-equalize", "", "Equalization found no pair of layers to work on."});
        return;
    }
    const auto inputs = noiseInputs(*before);
    if (!inputs)
        return;
    at::NoGradGuard noGrad;
    const std::vector<at::Tensor> expected = Executor(before).run(*inputs), found = Executor(std::make_shared<const Graph>(state.graph)).run(*inputs);
    for (std::size_t i = 0; i < expected.size(); ++i) {
        if (!expected[i].is_floating_point() || expected[i].numel() == 0)
            continue;
        const double difference = (expected[i] - found[i]).abs().max().item<double>(), largest = expected[i].abs().max().item<double>();
        if (difference <= 1e-4 * std::max(largest, 1e-6))
            continue;
        state.graph = *before;
        state.diagnostics.push_back({Severity::Warning, "equalization-undone", "",
                                     "Equalization changed output '" + before->value(before->outputs[i]).name + "' of the float model by "
                                         + std::to_string(difference) + " and was undone."});
        return;
    }
}

} // namespace core

#include "core/graph/layer_folding.h"

#include "core/graph/layer_channels.h"

#include <algorithm>
#include <cmath>

namespace core {
namespace {

TensorData floats(const std::vector<std::int64_t> &dims, const std::vector<double> &values)
{
    const std::vector<float> rounded(values.begin(), values.end());
    return TensorData::fromFloats(dims, rounded);
}

bool foldOne(Graph &graph, NodeId bnId)
{
    const Node bn = graph.node(bnId);
    if (!bn.is("BatchNormalization") || bn.inputs.size() < 5 || bn.intAttribute("training_mode", 0) != 0)
        return false;
    const ValueId joint = bn.input(0);
    const NodeId layerId = graph.producer(joint);
    if (!layerId.valid() || graph.isOutput(joint) || graph.uses(joint).size() != 1)
        return false;
    const Node layer = graph.node(layerId);
    if (!isWeightedLayer(layer))
        return false;
    const TensorData *weight = graph.constant(layer.input(1));
    const TensorData *oldBias = layer.input(2).valid() ? graph.constant(layer.input(2)) : nullptr;
    if (!weight || weight->dims.size() < 2 || (layer.input(2).valid() && !oldBias))
        return false;
    for (std::size_t i = 1; i < 5; ++i)
        if (!graph.constant(bn.input(i)))
            return false;
    const LayerChannels map(layer, *weight);
    const std::int64_t channels = map.outputs();
    const std::vector<double> gamma = graph.constant(bn.input(1))->toDoubles(), beta = graph.constant(bn.input(2))->toDoubles();
    const std::vector<double> mean = graph.constant(bn.input(3))->toDoubles(), variance = graph.constant(bn.input(4))->toDoubles();
    for (const std::vector<double> *part : {&gamma, &beta, &mean, &variance})
        if (std::int64_t(part->size()) != channels)
            throw Error(ErrorKind::InvalidInput, "bn_folding",
                        layer.opType + " '" + layer.name + "' has " + std::to_string(channels) + " channels, BatchNormalization '" + bn.name + "' has "
                            + std::to_string(part->size()) + ".");
    const double biasFactor = layer.is("Gemm") ? double(layer.floatAttribute("beta", 1)) : 1.0;
    std::vector<double> bias(std::size_t(channels), 0.0);
    if (oldBias) {
        const std::vector<double> values = oldBias->toDoubles();
        if (values.size() != bias.size() && values.size() != 1)
            return false;
        for (std::size_t c = 0; c < bias.size(); ++c)
            bias[c] = biasFactor * values[values.size() == 1 ? 0 : c];
    }
    const double epsilon = double(bn.floatAttribute("epsilon", 1e-5f));
    std::vector<double> factor(bias.size());
    for (std::size_t c = 0; c < bias.size(); ++c) {
        factor[c] = gamma[c] / std::sqrt(variance[c] + epsilon);
        bias[c] = (bias[c] - mean[c]) * factor[c] + beta[c];
    }
    const TensorData shape = *weight;
    std::vector<double> values = weight->toDoubles();
    for (std::size_t i = 0; i < values.size(); ++i)
        values[i] *= factor[map.output(std::int64_t(i))];
    setConstantInput(graph, layerId, 1, layer.name + "_weight", floats(shape.dims, values));
    setConstantInput(graph, layerId, 2, layer.name + "_bias", floats({channels}, bias));
    Node &target = graph.node(layerId);
    if (layer.is("Gemm"))
        target.attributes["beta"] = 1.0f;
    graph.removeNode(bnId);
    graph.node(layerId).outputs[0] = bn.output(0);
    return true;
}

/// Pads (begin then end) of the spatial dimensions, or empty when something else than zeros is put there.
std::vector<std::int64_t> spatialZeroPads(const Graph &graph, const Node &pad, std::size_t rank)
{
    if (pad.stringAttribute("mode", "constant") != "constant" || !graph.constant(pad.input(1)))
        return {};
    if (pad.input(2).valid()) {
        const TensorData *value = graph.constant(pad.input(2));
        if (!value || value->count() != 1 || value->toDoubles()[0] != 0)
            return {};
    }
    const std::vector<std::int64_t> pads = graph.constant(pad.input(1))->toInt64s();
    std::vector<std::int64_t> axes;
    if (pad.input(3).valid()) {
        if (!graph.constant(pad.input(3)))
            return {};
        axes = graph.constant(pad.input(3))->toInt64s();
    } else {
        for (std::size_t i = 0; i < rank; ++i)
            axes.push_back(std::int64_t(i));
    }
    if (pads.size() != 2 * axes.size())
        return {};
    const std::size_t spatial = rank - 2;
    std::vector<std::int64_t> result(2 * spatial, 0);
    for (std::size_t i = 0; i < axes.size(); ++i) {
        const std::int64_t axis = axes[i] < 0 ? axes[i] + std::int64_t(rank) : axes[i];
        const std::int64_t begin = pads[i], end = pads[i + axes.size()];
        if (begin < 0 || end < 0 || axis < 0 || axis >= std::int64_t(rank) || (axis < 2 && (begin || end)))
            return {};
        if (axis >= 2) {
            result[std::size_t(axis - 2)] = begin;
            result[std::size_t(axis - 2) + spatial] = end;
        }
    }
    return result;
}

} // namespace

std::size_t foldBatchNormalization(Graph &graph)
{
    std::size_t folded = 0;
    const std::vector<NodeId> order = graph.order();
    for (NodeId id : order)
        if (graph.contains(id) && foldOne(graph, id))
            ++folded;
    if (folded)
        graph.removeUnusedValues();
    return folded;
}

std::size_t foldPadding(Graph &graph)
{
    std::size_t folded = 0;
    const std::vector<NodeId> order = graph.order();
    for (NodeId id : order) {
        const Node conv = graph.node(id);
        if (!conv.is("Conv") || conv.stringAttribute("auto_pad", "NOTSET") != "NOTSET")
            continue;
        const TensorData *weight = graph.constant(conv.input(1));
        const NodeId padId = graph.producer(conv.input(0));
        if (!weight || weight->dims.size() < 3 || !padId.valid() || !graph.node(padId).is("Pad"))
            continue;
        if (graph.isOutput(conv.input(0)) || graph.uses(conv.input(0)).size() != 1)
            continue;
        const Node pad = graph.node(padId);
        const std::vector<std::int64_t> extra = spatialZeroPads(graph, pad, weight->dims.size());
        if (extra.empty())
            continue;
        std::vector<std::int64_t> pads = conv.intsAttribute("pads", std::vector<std::int64_t>(extra.size(), 0));
        for (std::size_t i = 0; i < pads.size() && i < extra.size(); ++i)
            pads[i] += extra[i];
        graph.node(id).attributes["pads"] = pads;
        graph.node(id).inputs[0] = pad.input(0);
        graph.removeNode(padId);
        ++folded;
    }
    if (folded)
        graph.removeUnusedValues();
    return folded;
}

std::size_t addMissingBiases(Graph &graph)
{
    std::size_t added = 0;
    const std::vector<NodeId> order = graph.order();
    for (NodeId id : order) {
        const Node node = graph.node(id);
        const TensorData *weight = isWeightedLayer(node) ? graph.constant(node.input(1)) : nullptr;
        if (!weight || weight->dims.size() < 2 || node.input(2).valid())
            continue;
        const std::int64_t channels = LayerChannels(node, *weight).outputs();
        setConstantInput(graph, id, 2, node.name + "_bias", floats({channels}, std::vector<double>(std::size_t(channels), 0.0)));
        if (node.is("Gemm"))
            graph.node(id).attributes["beta"] = 1.0f;
        ++added;
    }
    return added;
}

} // namespace core

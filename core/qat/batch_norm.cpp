#include "core/qat/batch_norm.h"

#include "core/exec/executor.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <optional>

namespace core {
namespace {

constexpr double momentum = 0.1;

std::vector<std::int64_t> alongChannels(const at::Tensor &x, std::int64_t axis)
{
    std::vector<std::int64_t> sizes(std::size_t(x.dim()), 1);
    sizes[std::size_t(axis)] = -1;
    return sizes;
}

std::vector<std::int64_t> otherAxes(const at::Tensor &x)
{
    std::vector<std::int64_t> axes{0};
    for (std::int64_t d = 2; d < x.dim(); ++d)
        axes.push_back(d);
    return axes;
}

at::Tensor constantTensor(const Graph &graph, ValueId id)
{
    const TensorData *data = id.valid() ? graph.constant(id) : nullptr;
    return data ? toTensor(*data).to(at::kFloat).clone() : at::Tensor();
}

NodeId soleReader(const Graph &graph, ValueId value)
{
    const std::vector<Graph::Use> uses = graph.uses(value);
    return uses.size() == 1 && !graph.isOutput(value) ? uses.front().node : NodeId{};
}

bool close(const at::Tensor &a, const at::Tensor &b)
{
    return a.sizes() == b.sizes() && at::allclose(a, b, 1e-3, 1e-5 * std::max(1e-3, b.abs().max().item<double>()));
}

std::shared_ptr<FoldedLayer> foldedLayer(const Graph &source, const Graph &prepared, NodeId id, BatchNormMode mode)
{
    const Node &now = prepared.node(id), &before = source.node(id);
    if (!(now.is("Conv") || (now.is("Gemm") && now.intAttribute("transB", 0) == 1 && now.floatAttribute("alpha", 1) == 1)))
        return nullptr;
    const NodeId bnId = soleReader(source, before.output());
    if (!bnId.valid() || !source.node(bnId).is("BatchNormalization") || prepared.contains(bnId) || source.node(bnId).input(0) != before.output())
        return nullptr;
    const Node &bn = source.node(bnId);
    auto layer = std::make_shared<FoldedLayer>();
    layer->layer = id;
    layer->weight = now.input(1);
    layer->bias = now.input(2);
    layer->name = bn.name;
    layer->mode = mode;
    layer->epsilon = double(bn.floatAttribute("epsilon", 1e-5f));
    layer->rawWeight = constantTensor(source, before.input(1));
    layer->gamma = constantTensor(source, bn.input(1));
    layer->beta = constantTensor(source, bn.input(2));
    layer->mean = constantTensor(source, bn.input(3));
    layer->variance = constantTensor(source, bn.input(4));
    layer->rawBias = constantTensor(source, before.input(2));
    const at::Tensor weight = constantTensor(prepared, layer->weight), bias = constantTensor(prepared, layer->bias);
    for (const at::Tensor &needed : {layer->rawWeight, layer->gamma, layer->beta, layer->mean, layer->variance, weight, bias})
        if (!needed.defined())
            return nullptr;
    if (layer->gamma.eq(0).any().item<bool>() || prepared.uses(layer->weight).size() != 1 || prepared.uses(layer->bias).size() != 1
        || !close(layer->foldedWeight(), weight))
        return nullptr;
    layer->offset = bias - layer->foldedBias();
    if (layer->rawWeight.dim() == 4)
        layer->rawWeight = layer->rawWeight.contiguous(at::MemoryFormat::ChannelsLast);
    for (at::Tensor *leaf : {&layer->rawWeight, &layer->gamma, &layer->beta})
        leaf->set_requires_grad(true);
    return layer;
}

} // namespace

at::Tensor FoldedLayer::foldedWeight() const
{
    return rawWeight * (gamma * at::rsqrt(variance + epsilon)).reshape(alongChannels(rawWeight, 0));
}

at::Tensor FoldedLayer::foldedBias() const
{
    const at::Tensor centre = rawBias.defined() ? rawBias - mean : -mean;
    const at::Tensor bias = beta + centre * gamma * at::rsqrt(variance + epsilon);
    return offset.defined() ? bias + offset : bias;
}

at::Tensor FoldedLayer::operator()(const at::Tensor &y)
{
    if (frozen || !c10::GradMode::is_enabled() || y.numel() == 0)
        return y;
    const std::vector<std::int64_t> axes = otherAxes(y), channel = alongChannels(y, 1);
    const at::Tensor deviation = at::sqrt(variance + epsilon);
    const bool batch = mode == BatchNormMode::Batch;
    const c10::AutoGradMode grad(batch);
    const at::Tensor centre = y.mean(axes), difference = batch ? y - centre.reshape(channel) : at::Tensor();
    const at::Tensor spread = batch ? (difference * difference).mean(axes) : y.var(axes, false);
    at::Tensor corrected = y;
    if (batch) {
        const at::Tensor ratio = gamma / deviation;
        corrected = difference * (gamma.abs() * at::rsqrt(spread + epsilon * ratio * ratio)).reshape(channel) + beta.reshape(channel);
        if (y.dim() == 4 && y.is_contiguous(at::MemoryFormat::ChannelsLast))
            corrected = corrected.contiguous(at::MemoryFormat::ChannelsLast);
    }
    const c10::AutoGradMode off(false);
    const at::Tensor back = deviation / gamma.detach();   // from the folded layer's scale to the layer's own
    const at::Tensor shift = offset.defined() ? beta.detach() + offset : beta.detach();
    const double count = double(y.numel() / y.size(1));
    const at::Tensor batchMean = (centre.detach() - shift) * back + mean;
    const at::Tensor batchVariance = spread.detach() * back * back * (count > 1 ? count / (count - 1) : 1.0);
    const at::Tensor known = gamma.detach().abs() > 1e-6;  // a channel scaled to nothing says nothing of what it was
    mean.lerp_(at::where(known, batchMean, mean), momentum);
    variance.lerp_(at::where(known, batchVariance, variance), momentum);
    return corrected;
}

std::vector<NamedTensor> FoldedLayer::state() const
{
    return {{name + ".weight", rawWeight}, {name + ".gamma", gamma}, {name + ".beta", beta}, {name + ".mean", mean}, {name + ".variance", variance}};
}

std::vector<std::shared_ptr<FoldedLayer>> foldedLayers(const Graph &source, const Graph &prepared, BatchNormMode mode)
{
    std::vector<std::shared_ptr<FoldedLayer>> layers;
    for (const NodeId id : prepared.order())
        if (source.contains(id))
            if (auto layer = foldedLayer(source, prepared, id, mode))
                layers.push_back(std::move(layer));
    return layers;
}

Kernel batchNormTrainingKernel(const Node &node, std::shared_ptr<const bool> training)
{
    return [training = std::move(training), epsilon = double(node.floatAttribute("epsilon", 1e-5f))](OpCall &call) {
        const bool batch = *training && c10::GradMode::is_enabled();
        call.outputs[0] = at::batch_norm(call.inputs[0], call.inputs[1], call.inputs[2], call.inputs[3], call.inputs[4], batch, momentum, epsilon, false);
    };
}

} // namespace core

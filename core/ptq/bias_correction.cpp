#include "core/ptq/bias_correction.h"

#include "core/graph/layer_channels.h"

#include <algorithm>
#include <optional>

namespace core {
namespace {

bool isLayer(const Node &node) { return isWeightedLayer(node) || node.is("MatMul"); }

/// The constant that is added to the layer's output.
ValueId biasOf(const Graph &graph, const Node &node)
{
    if (!node.is("MatMul"))
        return graph.isConstant(node.input(2)) ? node.input(2) : ValueId{};
    const std::vector<Graph::Use> uses = graph.uses(node.output());
    if (uses.size() != 1 || !graph.node(uses[0].node).is("Add"))
        return {};
    const ValueId other = graph.node(uses[0].node).input(1 - uses[0].inputIndex);
    return graph.isConstant(other) ? other : ValueId{};
}

/// How many of `outputs` positions of one axis read inside the input with each tap of the kernel; the others read padding.
std::vector<double> insideShare(std::int64_t input, std::int64_t outputs, std::int64_t taps, std::int64_t stride, std::int64_t dilation, std::int64_t before)
{
    std::vector<double> share(std::size_t(taps), 1.0);
    for (std::int64_t k = 0; k < taps; ++k) {
        const std::int64_t offset = k * dilation - before;
        // 0 ≤ o · stride + offset < input
        const std::int64_t first = offset >= 0 ? 0 : (-offset + stride - 1) / stride;
        const std::int64_t last = input - 1 - offset < 0 ? -1 : std::min((input - 1 - offset) / stride, outputs - 1);
        share[std::size_t(k)] = double(std::max<std::int64_t>(last - first + 1, 0)) / double(outputs);
    }
    return share;
}

/// For each element of a kernel the share of output positions at which it does not fall on padding; all 1 where sizes are not known.
std::vector<double> tapShares(const Graph &graph, const Node &node, const TensorData &weight)
{
    std::vector<double> shares{1.0};
    const auto &in = graph.value(node.input(0)).shape, &out = graph.value(node.output()).shape;
    const std::size_t rank = weight.dims.size();
    const bool known = node.is("Conv") && in && out && in->size() == rank && out->size() == rank;
    const std::vector<std::int64_t> strides = node.intsAttribute("strides"), dilations = node.intsAttribute("dilations"), pads = node.intsAttribute("pads");
    const std::string automatic = node.stringAttribute("auto_pad", "NOTSET");
    for (std::size_t d = 2; d < rank; ++d) {
        const std::size_t axis = d - 2;
        const std::int64_t taps = weight.dims[d], stride = axis < strides.size() ? strides[axis] : 1, dilation = axis < dilations.size() ? dilations[axis] : 1;
        std::vector<double> one(std::size_t(taps), 1.0);
        if (known && (*in)[d].size > 0 && (*out)[d].size > 0 && stride > 0) {
            const std::int64_t input = (*in)[d].size, outputs = (*out)[d].size;
            std::int64_t before = axis < pads.size() ? pads[axis] : 0;
            if (automatic.starts_with("SAME")) {
                const std::int64_t both = std::max<std::int64_t>((outputs - 1) * stride + (taps - 1) * dilation + 1 - input, 0);
                before = automatic == "SAME_UPPER" ? both / 2 : (both + 1) / 2;
            }
            one = insideShare(input, outputs, taps, stride, dilation, before);
        }
        std::vector<double> product;
        for (const double a : shares)
            for (const double b : one)
                product.push_back(a * b);
        shares = std::move(product);
    }
    return shares;
}

/// E[Δy] for each output channel, empty when the layer's form is not known here.
std::vector<double> outputShift(const Graph &graph, const Node &node, const TensorData &weight, const std::vector<float> &quantized, const std::vector<double> &means)
{
    const std::vector<float> exact = weight.toFloats();
    const LayerChannels channels(node, weight);
    if (std::int64_t(means.size()) != channels.inputs())
        return {};
    std::vector<double> shift(std::size_t(channels.outputs()), 0.0);
    const std::vector<double> shares = tapShares(graph, node, weight);
    for (std::size_t i = 0; i < exact.size(); ++i)
        shift[channels.output(std::int64_t(i))] += (double(quantized[i]) - double(exact[i])) * means[channels.input(std::int64_t(i))] * shares[i % shares.size()];
    double factor = node.is("Gemm") ? double(node.floatAttribute("alpha", 1)) : 1.0;
    if (node.is("ConvTranspose"))
        for (std::int64_t stride : node.intsAttribute("strides"))
            factor /= double(stride);
    for (double &value : shift)
        value *= factor;
    return shift;
}

std::optional<std::vector<double>> channelMeans(const StatisticsMap &statistics, ValueId value)
{
    const auto found = statistics.find(value);
    if (found == statistics.end() || found->second.channels.empty())
        return {};
    std::vector<double> means;
    for (const ChannelStatistics &channel : found->second.channels)
        means.push_back(channel.mean());
    return means;
}

} // namespace

PtqNeeds BiasCorrection::needs(const Graph &graph, const Placement &placement) const
{
    PtqNeeds needs;
    for (const Point &point : placement.points)
        if (point.kind == PointKind::Weight && point.scheme.quantized())
            for (const Graph::Use &use : point.uses)
                if (isLayer(graph.node(use.node)) && use.inputIndex == 1)
                    needs.channelMeans.push_back(graph.node(use.node).input(0));
    return needs;
}

void BiasCorrection::apply(PtqState &state, Progress &progress)
{
    Graph &graph = state.graph;
    const auto skip = [&state](const Node &node, const std::string &why) {
        state.diagnostics.push_back({Severity::Note, "bias-not-corrected", node.name, "The bias of " + node.opType + " '" + node.name + "' was not corrected: " + why + "."});
    };
    for (const Point &point : state.quantized.placement.points) {
        if (point.kind != PointKind::Weight || !point.scheme.quantized())
            continue;
        progress.checkpoint();
        const TensorData weight = *state.quantized.graph->constant(point.value);
        const std::vector<float> quantized = dequantizedWeights(state.quantized, point.id);
        for (const Graph::Use &use : point.uses) {
            const Node node = graph.node(use.node);
            if (!isLayer(node) || use.inputIndex != 1 || weight.dims.size() < 2)
                continue;
            const ValueId bias = biasOf(graph, node);
            const auto means = channelMeans(state.statistics, node.input(0));
            if (!bias.valid() || !means || (node.is("Gemm") && node.intAttribute("transA", 0)) || (node.is("MatMul") && weight.dims.size() != 2)) {
                skip(node, !bias.valid() ? "it has no constant bias" : "its input has no channel means");
                continue;
            }
            const std::vector<double> shift = outputShift(graph, node, weight, quantized, *means);
            const TensorData old = *graph.constant(bias);
            std::vector<double> values = old.toDoubles();
            const double beta = node.is("Gemm") ? double(node.floatAttribute("beta", 1)) : 1.0;
            if (shift.empty() || values.size() != shift.size() || beta == 0) {
                skip(node, "the shapes of weight, bias and input do not fit the correction");
                continue;
            }
            std::vector<float> corrected(values.size());
            for (std::size_t c = 0; c < values.size(); ++c)
                corrected[c] = float(values[c] - shift[c] / beta);
            TensorData data = TensorData::fromFloats(old.dims, corrected);
            if (graph.uses(bias).size() == 1) {
                graph.setConstant(bias, std::move(data));
            } else {
                skip(node, "it shares its bias with other layers");
            }
        }
    }
}

} // namespace core

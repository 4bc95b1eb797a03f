// Convolution straight on oneDNN: weights reordered once for each shape family, addition and clamp applied while the result is in
// registers, pads on one side without a copy, fake quantization while it is in the cache. Accumulation runs over input channels in order, so the bits do not depend on the
// number of threads or on how a batch is split.
#include "core/exec/executor.h"
#include "core/exec/fused_kernels.h"
#include "core/exec/onednn.h"
#include "core/exec/op_common.h"
#include "core/exec/window.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

namespace core {
namespace {

using Ints = std::vector<std::int64_t>;
using dnnl::memory;

memory::desc channelsLast(const Ints &sizes)
{
    return memory::desc(sizes, memory::data_type::f32, memory::format_tag::nhwc);
}

struct Prepared {
    dnnl::convolution_forward primitive;
    memory::desc source, target;
    memory weights;
};

/// What is done to the result before it is stored.
enum class After { Nothing, Clamp, SumClamp };

struct Geometry {
    Ints source, weights, target, strides, dilations, before, after;
};

class ConvState {
public:
    ConvState(const Node &node, TensorData weight, at::Tensor bias, std::int64_t groups)
        : m_clamp(clampAttribute(node)), m_quantize(quantizePassAttribute(node)), m_weight(std::move(weight)), m_bias(std::move(bias)), m_groups(groups)
    {
    }

    const Ints &weightSizes() const { return m_weight.dims; }

    void run(const at::Tensor &x, at::Tensor &y, const Window &place, After after)
    {
        const std::int64_t images = x.size(0), together = quantizes(after) ? imagesTogether(images, y.numel() / images) : images;
        const at::Tensor firstX = x.narrow(0, 0, together), firstY = y.narrow(0, 0, together);
        const Prepared &ready = prepared(firstX, firstY, place, after);
        dnnl::stream stream(cpuEngine());
        float *source = x.data_ptr<float>(), *target = y.data_ptr<float>();
        memory from(ready.source, cpuEngine(), source), to(ready.target, cpuEngine(), target);
        std::unordered_map<int, memory> arguments{{DNNL_ARG_SRC, from}, {DNNL_ARG_WEIGHTS, ready.weights}, {DNNL_ARG_DST, to}};
        if (m_bias.defined())
            arguments.emplace(DNNL_ARG_BIAS, wrap(biasDesc(), m_bias));
        for (std::int64_t image = 0; image < images; image += together) {
            ready.primitive.execute(stream, arguments);
            stream.wait();
            if (quantizes(after))
                (*m_quantize)(target, target, firstY.numel());
            source += firstX.numel();
            target += firstY.numel();
            from.set_data_handle(source);
            to.set_data_handle(target);
        }
    }

    /// What run() leaves out when the result is not complete yet.
    void finish(at::Tensor &y) const
    {
        clamp(y);
        if (m_quantize) {
            y = y.is_non_overlapping_and_dense() ? y : y.contiguous();
            (*m_quantize)(y.data_ptr<float>(), y.data_ptr<float>(), y.numel());
        }
    }

private:
    bool quantizes(After after) const { return m_quantize && after != After::Nothing; }

    /// As many images as leave a result that stays in the cache until it is quantized; a divisor, so that one primitive serves all.
    static std::int64_t imagesTogether(std::int64_t images, std::int64_t elementsOfImage)
    {
        constexpr std::int64_t elements = 1 << 19;
        std::int64_t count = std::clamp<std::int64_t>(elements * at::get_num_threads() / std::max<std::int64_t>(elementsOfImage, 1), 1, images);
        while (images % count != 0)
            --count;
        return count;
    }

    void clamp(at::Tensor &y) const
    {
        if (clamps())
            at::clamp_(y, m_clamp.low, m_clamp.high);
    }

    bool clamps() const { return std::isfinite(m_clamp.low) || std::isfinite(m_clamp.high); }
    memory::desc biasDesc() const { return memory::desc({m_weight.dims[0]}, memory::data_type::f32, memory::format_tag::x); }

    const Prepared &prepared(const at::Tensor &x, const at::Tensor &y, const Window &place, After after)
    {
        const std::array<std::int64_t, 5> key{x.size(0), x.size(2), x.size(3), std::int64_t(after), at::get_num_threads()};
        if (const auto found = m_prepared.find(key); found != m_prepared.end())
            return found->second;
        if (m_prepared.size() >= 16)   // inputs of ever new sizes
            m_prepared.clear();
        Geometry geometry;
        geometry.source = x.sizes().vec();
        geometry.target = y.sizes().vec();
        geometry.weights = m_weight.dims;
        if (m_groups > 1) {
            geometry.weights[0] /= m_groups;
            geometry.weights.insert(geometry.weights.begin(), m_groups);
        }
        geometry.strides = place.strides;
        for (const auto dilation : place.dilations)
            geometry.dilations.push_back(dilation - 1);
        geometry.before = place.before;
        geometry.after = place.after;
        return m_prepared.emplace(key, prepare(geometry, after)).first->second;
    }

    dnnl::primitive_attr attributes(After wanted) const
    {
        dnnl::post_ops after;
        if (wanted == After::SumClamp)
            after.append_sum(1.0f);
#if DNNL_VERSION_MAJOR >= 3
        const auto eltwise = [&](dnnl::algorithm kind, float alpha, float beta) { after.append_eltwise(kind, alpha, beta); };
#else
        const auto eltwise = [&](dnnl::algorithm kind, float alpha, float beta) { after.append_eltwise(1.0f, kind, alpha, beta); };
#endif
        if (wanted == After::Nothing)
            return {};
        if (m_clamp.low == 0 && !std::isfinite(m_clamp.high))
            eltwise(dnnl::algorithm::eltwise_relu, 0, 0);
        else if (clamps())
            eltwise(dnnl::algorithm::eltwise_clip, m_clamp.low, m_clamp.high);
        dnnl::primitive_attr attributes;
        attributes.set_post_ops(after);
        return attributes;
    }

    Prepared prepare(const Geometry &g, After after)
    {
        const memory::desc source = channelsLast(g.source), target = channelsLast(g.target);
        const memory::desc weights(g.weights, memory::data_type::f32, memory::format_tag::any);
        const memory::desc bias = m_bias.defined() ? biasDesc() : memory::desc();
        const auto kind = dnnl::prop_kind::forward_inference;
        const auto algorithm = dnnl::algorithm::convolution_direct;
#if DNNL_VERSION_MAJOR >= 3
        const dnnl::convolution_forward::primitive_desc description(cpuEngine(), kind, algorithm, source, weights, bias, target, g.strides, g.dilations,
                                                                    g.before, g.after, attributes(after));
#else
        const dnnl::convolution_forward::primitive_desc description({kind, algorithm, source, weights, bias, target, g.strides, g.dilations, g.before, g.after},
                                                                    attributes(after), cpuEngine());
#endif
        return {dnnl::convolution_forward(description), source, target, packed(description.weights_desc(), g.weights)};
    }

    memory packed(const memory::desc &wanted, const Ints &sizes)
    {
        for (const memory &known : m_packed)
            if (known.get_desc() == wanted)
                return known;
        const auto order = sizes.size() == 5 ? memory::format_tag::goihw : memory::format_tag::oihw;
        const at::Tensor weight = toTensor(m_weight);
        memory plain = wrap(memory::desc(sizes, memory::data_type::f32, order), weight);
        memory result(wanted, cpuEngine());
        dnnl::stream stream(cpuEngine());
        dnnl::reorder(plain, result).execute(stream, plain, result);
        stream.wait();
        m_packed.push_back(result);
        return result;
    }

    PreClamp m_clamp;
    std::optional<QuantizePass> m_quantize;
    TensorData m_weight;   // shared with the graph; the reordered copy is the one that is used
    at::Tensor m_bias;
    std::int64_t m_groups;
    std::map<std::array<std::int64_t, 5>, Prepared> m_prepared;
    std::vector<memory> m_packed;
};

const TensorData *dataAttribute(const Node &node, const std::string &name)
{
    const auto found = node.attributes.find(name);
    return found == node.attributes.end() ? nullptr : std::get_if<TensorData>(&found->second);
}

} // namespace

Kernel fusedConvKernel(const Node &node)
{
    const std::int64_t groups = node.intAttribute("group", 1);
    const TensorData *weight = dataAttribute(node, "weight"), *bias = dataAttribute(node, "bias");
    if (!weight || weight->dims.size() != 4)
        failNode(ErrorKind::Internal, node, "its weights are missing.");
    auto state = std::make_shared<ConvState>(node, *weight, bias ? toTensor(*bias) : at::Tensor(), groups);
    const WindowAttributes window = readWindow(node);
    if (!window.kernel.empty() && at::IntArrayRef(window.kernel) != at::IntArrayRef(state->weightSizes()).slice(2))
        failNode(ErrorKind::InvalidInput, node, "attribute kernel_shape differs from the weight's shape.");
    return [state, window, groups, label = nodeLabel(node)](OpCall &call) {
        const Ints &w = state->weightSizes();
        at::Tensor x = call.inputs[0].to(at::kFloat);
        if (x.dim() != 4 || x.size(1) != w[1] * groups)
            failCall(ErrorKind::InvalidInput, label, "the input has " + (x.dim() == 4 ? std::to_string(x.size(1)) + " channels" : "rank " + std::to_string(x.dim()))
                     + ", the weight takes rank 4 and " + std::to_string(w[1] * groups) + " channels.");
        const Window place = resolveWindow(window, at::IntArrayRef(w).slice(2), x, label);
        const Ints sizes{x.size(0), w[0], place.outputs[0], place.outputs[1]};
        checkResultSize(sizes, label);
        const at::Tensor residual = call.inputs.size() > 1 ? call.inputs[1] : at::Tensor();
        const bool sum = residual.defined() && residual.sizes() == at::IntArrayRef(sizes) && residual.scalar_type() == at::kFloat;
        const bool apart = residual.defined() && !sum;   // an operand that is broadcast
        at::Tensor y;
        if (sum && canReuse(call, 1, sizes) && residual.is_contiguous(at::MemoryFormat::ChannelsLast))
            y = residual;
        else if (sum)
            y = residual.clone(at::MemoryFormat::ChannelsLast);
        else
            y = at::empty(sizes, x.options().memory_format(at::MemoryFormat::ChannelsLast));
        if (x.numel() == 0 && !sum)
            y.zero_();
        else if (x.numel() != 0)
            state->run(x.contiguous(at::MemoryFormat::ChannelsLast), y, place, sum ? After::SumClamp : apart ? After::Nothing : After::Clamp);
        if (apart)
            y = at::add(y, residual);
        if (apart || x.numel() == 0)
            state->finish(y);
        call.outputs[0] = y;
    };
}

} // namespace core

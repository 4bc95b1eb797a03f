// Normalizations. Means over images or groups have a fixed order (deterministic_sum.h).
#include "core/exec/deterministic_sum.h"
#include "core/exec/differentiable.h"
#include "core/exec/op_common.h"

#include <ATen/ATen.h>

namespace core {
namespace {

using Ints = std::vector<std::int64_t>;

at::Tensor optionalInput(const OpCall &call, std::size_t i)
{
    return i < call.inputs.size() ? call.inputs[i] : at::Tensor{};
}

// A list with one number per channel, shaped to broadcast against x [n, c, …].
at::Tensor perChannel(const at::Tensor &values, const at::Tensor &x, const std::string &label)
{
    const std::int64_t channels = x.dim() > 1 ? x.size(1) : 0;
    if (x.dim() < 2 || values.numel() != channels)
        failCall(ErrorKind::InvalidInput, label, "there are " + std::to_string(values.numel()) + " parameters for " + std::to_string(channels) + " channels.");
    Ints sizes(std::size_t(x.dim()), 1);
    sizes[1] = channels;
    return values.reshape(sizes);
}

struct Centered {
    at::Tensor difference, inverseDeviation;
};

Centered center(const at::Tensor &x, const Ints &axes, double epsilon)
{
    const at::Tensor difference = x - deterministicMean(x, axes, true);
    return {difference, at::rsqrt(deterministicMean(difference * difference, axes, true) + epsilon)};
}

Ints spatialAxes(const at::Tensor &x, std::int64_t first = 2)
{
    Ints axes;
    for (std::int64_t d = first; d < x.dim(); ++d)
        axes.push_back(d);
    return axes;
}

Kernel batchNormKernel(const Node &node, const Graph &)
{
    const bool training = node.intAttribute("training_mode", 0) != 0;
    return [training, epsilon = node.floatAttribute("epsilon", 1e-5f), momentum = node.floatAttribute("momentum", 0.9f), label = nodeLabel(node)](OpCall &call) {
        const at::Tensor &x = call.inputs[0], &scale = call.inputs[1], &shift = call.inputs[2];
        at::Tensor mean = call.inputs[3], variance = call.inputs[4];
        for (std::size_t i = 1; i < 5; ++i)
            perChannel(call.inputs[i], x, label);
        if (training) {
            Ints axes = spatialAxes(x);
            axes.insert(axes.begin(), 0);
            const at::Tensor batchMean = deterministicMean(x, axes, true), difference = x - batchMean;
            const at::Tensor batchVariance = deterministicMean(difference * difference, axes, true);
            if (call.outputs.size() > 1)
                call.outputs[1] = mean * momentum + batchMean.reshape({-1}) * (1 - momentum);
            if (call.outputs.size() > 2)
                call.outputs[2] = variance * momentum + batchVariance.reshape({-1}) * (1 - momentum);
            mean = batchMean.reshape({-1});
            variance = batchVariance.reshape({-1});
        }
        const at::Tensor factor = scale.reshape({-1}) / at::sqrt(variance.reshape({-1}) + epsilon);
        if (recording(call.inputs)) {
            // The small vectors carry the gradients of all four parameters; the image passes through one operator.
            const at::Tensor offset = shift.reshape({-1}) - mean.reshape({-1}) * factor;
            call.outputs[0] = at::batch_norm(x, factor.to(x.scalar_type()), offset.to(x.scalar_type()), at::zeros_like(factor, x.options().requires_grad(false)),
                                             at::ones_like(factor, x.options().requires_grad(false)), false, 0, 0, false);
            return;
        }
        const at::Tensor factors = perChannel(factor, x, label).to(x.scalar_type());
        const at::Tensor offsets = perChannel(shift.reshape({-1}) - mean.reshape({-1}) * factor, x, label).to(x.scalar_type());
        if (canReuse(call, 0, x.sizes())) {
            at::Tensor result = x;
            call.outputs[0] = result.mul_(factors).add_(offsets);
        } else {
            call.outputs[0] = at::addcmul(offsets, x, factors);
            if (x.dim() == 4 && x.suggest_memory_format() == at::MemoryFormat::ChannelsLast)
                call.outputs[0] = call.outputs[0].contiguous(at::MemoryFormat::ChannelsLast);
        }
    };
}

Kernel instanceNormKernel(const Node &node, const Graph &)
{
    return [epsilon = node.floatAttribute("epsilon", 1e-5f), label = nodeLabel(node)](OpCall &call) {
        const at::Tensor &x = call.inputs[0];
        const at::Tensor scale = perChannel(call.inputs[1], x, label), shift = perChannel(call.inputs[2], x, label);
        if (x.dim() < 3) {   // one number per channel: it is its own mean
            call.outputs[0] = (x - x) * scale + shift;
            return;
        }
        const Centered c = center(x, spatialAxes(x), epsilon);
        call.outputs[0] = c.difference * (c.inverseDeviation * scale) + shift;
    };
}

Kernel groupNormKernel(const Node &node, const Graph &)
{
    const std::int64_t groups = node.intAttribute("num_groups", 0);
    if (groups < 1)
        failNode(ErrorKind::InvalidInput, node, "attribute num_groups is missing or not above 0.");
    return [groups, epsilon = node.floatAttribute("epsilon", 1e-5f), label = nodeLabel(node)](OpCall &call) {
        const at::Tensor &x = call.inputs[0];
        if (x.dim() < 2 || x.size(1) % groups != 0)
            failCall(ErrorKind::InvalidInput, label, "the channels do not divide into " + std::to_string(groups) + " groups.");
        const std::int64_t channels = x.size(1);
        // Operator set 18 had one scale for a group.
        const auto widen = [&](const at::Tensor &values) {
            return perChannel(values.numel() == groups && groups != channels ? values.repeat_interleave(channels / groups) : values, x, label);
        };
        Ints sizes(x.sizes().begin(), x.sizes().end());
        sizes[1] = groups;
        sizes.insert(sizes.begin() + 2, channels / groups);
        const at::Tensor grouped = x.reshape(sizes);
        const Centered c = center(grouped, spatialAxes(grouped), epsilon);
        call.outputs[0] = (c.difference * c.inverseDeviation).reshape(x.sizes()) * widen(call.inputs[1]) + widen(call.inputs[2]);
    };
}

Kernel layerNormKernel(const Node &node, const Graph &)
{
    return [axis = node.intAttribute("axis", -1), epsilon = node.floatAttribute("epsilon", 1e-5f), label = nodeLabel(node)](OpCall &call) {
        const at::Tensor &x = call.inputs[0], &scale = call.inputs[1], shift = optionalInput(call, 2);
        const std::int64_t first = normalizeAxis(axis, x.dim(), label);
        const at::IntArrayRef normalized = x.sizes().slice(std::size_t(first));
        const bool recordsMeans = call.outputs.size() > 1 && recording({x});   // native_layer_norm gives its further results no gradient
        if (recordsMeans) {
            const Centered c = center(x, spatialAxes(x, first), epsilon);
            call.outputs[0] = c.difference * c.inverseDeviation * scale;
            if (shift.defined())
                call.outputs[0] = call.outputs[0] + shift;
            call.outputs[1] = deterministicMean(x, spatialAxes(x, first), true);
            if (call.outputs.size() > 2)
                call.outputs[2] = c.inverseDeviation;
            return;
        }
        const bool fits = scale.sizes() == normalized && (!shift.defined() || shift.sizes() == normalized) && scale.scalar_type() == x.scalar_type();
        const auto [y, mean, inverse] = at::native_layer_norm(x, normalized, fits ? scale : at::Tensor{}, fits ? shift : at::Tensor{}, epsilon);
        call.outputs[0] = y;
        if (!fits)
            call.outputs[0] = shift.defined() ? y * scale + shift : y * scale;
        if (call.outputs.size() > 1)
            call.outputs[1] = mean;
        if (call.outputs.size() > 2)
            call.outputs[2] = inverse;
    };
}

Kernel rmsNormKernel(const Node &node, const Graph &)
{
    return [axis = node.intAttribute("axis", -1), epsilon = node.floatAttribute("epsilon", 1e-5f), label = nodeLabel(node)](OpCall &call) {
        const at::Tensor &x = call.inputs[0];
        const Ints axes = spatialAxes(x, normalizeAxis(axis, x.dim(), label));
        call.outputs[0] = x * at::rsqrt(deterministicMean(x * x, axes, true) + epsilon) * call.inputs[1];
    };
}

Kernel lrnKernel(const Node &node, const Graph &)
{
    const std::int64_t size = node.intAttribute("size", 0);
    if (size < 1 || size > (1 << 20))
        failNode(ErrorKind::InvalidInput, node, "attribute size is missing or out of range.");
    return [size, alpha = node.floatAttribute("alpha", 1e-4f), beta = node.floatAttribute("beta", 0.75f), bias = node.floatAttribute("bias", 1),
            label = nodeLabel(node)](OpCall &call) {
        const at::Tensor &x = call.inputs[0];
        if (x.dim() < 2)
            failCall(ErrorKind::InvalidInput, label, "the input has rank " + std::to_string(x.dim()) + " and no channels.");
        const at::Tensor squares = x * x;
        at::Tensor sum = at::zeros_like(squares);
        const std::int64_t channels = x.size(1), below = (size - 1) / 2;
        for (std::int64_t k = 0; k < size; ++k) {
            const std::int64_t shift = k - below, count = channels - std::abs(shift);
            if (count > 0)
                sum.narrow(1, std::max<std::int64_t>(-shift, 0), count).add_(squares.narrow(1, std::max<std::int64_t>(shift, 0), count));
        }
        call.outputs[0] = x * at::pow(sum * (alpha / float(size)) + bias, -beta);
    };
}

Kernel lpNormalizationKernel(const Node &node, const Graph &)
{
    const std::int64_t p = node.intAttribute("p", 2);
    if (p != 1 && p != 2)
        failNode(ErrorKind::Unsupported, node, "attribute p is " + std::to_string(p) + ", but must be 1 or 2.");
    return [p, axis = node.intAttribute("axis", -1), label = nodeLabel(node)](OpCall &call) {
        const at::Tensor &x = call.inputs[0];
        const Ints axes{normalizeAxis(axis, x.dim(), label)};
        const bool recorded = recording({x});
        const at::Tensor sum = deterministicSum(p == 1 ? at::abs(x) : x * x, axes, true), norm = p == 1 ? sum : recorded ? recordedRoot(sum) : at::sqrt(sum);
        if (recorded)   // the branch that is not taken would send NaN back
            call.outputs[0] = x / norm.masked_fill(norm.eq(0), 1);
        else
            call.outputs[0] = at::where(norm.eq(0), at::zeros_like(x), x / norm);
    };
}

Kernel meanVarianceKernel(const Node &node, const Graph &)
{
    return [given = node.intsAttribute("axes", {0, 2, 3}), label = nodeLabel(node)](OpCall &call) {
        const at::Tensor &x = call.inputs[0];
        const Ints axes = normalizeAxes(given, x.dim(), label);
        const at::Tensor difference = x - deterministicMean(x, axes, true);
        const at::Tensor variance = deterministicMean(difference * difference, axes, true);
        call.outputs[0] = difference / ((recording({x}) ? recordedRoot(variance) : at::sqrt(variance)) + 1e-9);
    };
}

} // namespace

void registerNormOps(OpRegistry &registry)
{
    registry.add("BatchNormalization", batchNormKernel);
    registry.add("InstanceNormalization", instanceNormKernel);
    registry.add("GroupNormalization", groupNormKernel);
    registry.add("LayerNormalization", layerNormKernel);
    registry.add("RMSNormalization", rmsNormKernel);
    registry.add("LRN", lrnKernel);
    registry.add("LpNormalization", lpNormalizationKernel);
    registry.add("MeanVarianceNormalization", meanVarianceKernel);
}

} // namespace core

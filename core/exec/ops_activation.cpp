// Activations. Those that LibTorch has in place overwrite an input that dies with the call.
#include "core/exec/differentiable.h"
#include "core/exec/op_common.h"

#include <ATen/ATen.h>

#include <functional>
#include <limits>

namespace core {
namespace {

using Apply = std::function<at::Tensor(const at::Tensor &)>;
using ApplyInPlace = std::function<void(at::Tensor &)>;

constexpr double infinity = std::numeric_limits<double>::infinity();

Kernel unaryKernel(Apply apply, ApplyInPlace inPlace = {})
{
    return [apply = std::move(apply), inPlace = std::move(inPlace)](OpCall &call) {
        if (inPlace && call.inputs[0].is_non_overlapping_and_dense() && canReuse(call, 0, call.inputs[0].sizes())) {
            at::Tensor x = call.inputs[0];
            inPlace(x);
            call.outputs[0] = x;
        } else {
            call.outputs[0] = apply(withoutHoles(call.inputs[0]));
        }
    };
}

// These are made of parts that round alike in vectors and one by one, which at::elu, at::softplus and at::mish do not; those have the better
// gradients (softplus' at 0 is ½) and are taken while they are recorded.

// gamma · (x where x > 0, else alpha · (e^(x · inner) − 1))
at::Tensor eluOf(const at::Tensor &x, float alpha, float gamma = 1, float inner = 1)
{
    if (recording({x}))
        return at::elu(x, alpha, gamma, inner);
    const at::Tensor low = at::expm1(at::clamp_max(x, 0) * inner) * (alpha * gamma);
    return at::where(x.gt(0), gamma == 1 ? x : x * gamma, low);
}

at::Tensor softplusOf(const at::Tensor &x)
{
    return recording({x}) ? at::softplus(x) : at::log1p(at::exp(-at::abs(x))) + at::clamp_min(x, 0);
}

at::Tensor mishOf(const at::Tensor &x)
{
    return recording({x}) ? at::mish(x) : x * at::tanh(softplusOf(x));
}

// Its gradient at 0 is 0, which at::clamp_min's is not.
at::Tensor reluOf(const at::Tensor &x)
{
    return recording({x}) && x.is_floating_point() ? at::relu(x) : at::clamp_min(x, 0);
}

void addPlain(OpRegistry &registry, const std::string &type, Apply apply, ApplyInPlace inPlace = {})
{
    registry.add(type, [apply = std::move(apply), inPlace = std::move(inPlace)](const Node &, const Graph &) { return unaryKernel(apply, inPlace); });
}

Kernel clipKernel(const Node &, const Graph &)
{
    return [](OpCall &call) {
        const at::Tensor &x = call.inputs[0];
        const auto given = [&](std::size_t i) -> c10::optional<at::Tensor> {
            if (i >= call.inputs.size() || !call.inputs[i].defined() || call.inputs[i].numel() == 0)
                return c10::nullopt;
            return call.inputs[i].reshape({-1})[0];
        };
        const auto bound = [&](std::size_t i) -> c10::optional<at::Scalar> {
            const c10::optional<at::Tensor> number = given(i);
            return number ? c10::optional<at::Scalar>(number->detach().item()) : c10::nullopt;
        };
        if (recording(call.inputs.subspan(1)) && x.is_floating_point()) {
            call.outputs[0] = at::clamp(x, given(1), given(2));
            return;
        }
        const auto low = bound(1), high = bound(2);
        if (!low && !high) {
            call.outputs[0] = x;
        } else if (recording({x})) {
            call.outputs[0] = recordedClamp(x, low ? low->to<double>() : -infinity, high ? high->to<double>() : infinity);
        } else if (canReuse(call, 0, x.sizes())) {
            at::Tensor result = x;
            call.outputs[0] = at::clamp_(result, low, high);
        } else {
            call.outputs[0] = at::clamp(x, low, high);
        }
    };
}

Kernel pReluKernel(const Node &, const Graph &)
{
    return [](OpCall &call) {
        const at::Tensor &x = call.inputs[0], &slope = call.inputs[1];
        if (slope.numel() == 1 && x.is_floating_point() && !slope.requires_grad()) {
            const at::Scalar alpha = slope.item();
            if (canReuse(call, 0, x.sizes())) {
                at::Tensor result = x;
                call.outputs[0] = at::leaky_relu_(result, alpha);
            } else {
                call.outputs[0] = at::leaky_relu(x, alpha);
            }
            return;
        }
        call.outputs[0] = at::where(x.lt(0), x * slope, x);
    };
}

enum class Normalized { Softmax, LogSoftmax, Hardmax };

Kernel softmaxKernel(const Node &node, Normalized kind)
{
    return [axis = node.intAttribute("axis", -1), kind, label = nodeLabel(node)](OpCall &call) {
        const at::Tensor &x = call.inputs[0];
        const std::int64_t dim = normalizeAxis(axis, std::max<std::int64_t>(x.dim(), 1), label);
        if (kind == Normalized::Hardmax && x.numel() > 0 && x.dim() > 0)
            call.outputs[0] = at::zeros_like(x).scatter_(dim, at::argmax(x, dim, true), 1);
        else if (kind == Normalized::Hardmax)
            call.outputs[0] = at::ones_like(x);
        else
            call.outputs[0] = kind == Normalized::Softmax ? at::softmax(x, dim) : at::log_softmax(x, dim);
    };
}

Kernel shrinkKernel(const Node &node, const Graph &)
{
    const float lambda = node.floatAttribute("lambd", 0.5f), bias = node.floatAttribute("bias", 0);
    return unaryKernel([lambda, bias](const at::Tensor &x) {
        const at::Tensor shrunk = at::where(x.lt(-lambda), (x + bias).to(x.scalar_type()), (x - bias).to(x.scalar_type()));
        return at::where(at::logical_or(x.lt(-lambda), x.gt(lambda)), shrunk, at::zeros_like(x));
    });
}

Kernel hardSigmoidKernel(const Node &node, const Graph &)
{
    const float alpha = node.floatAttribute("alpha", 0.2f), beta = node.floatAttribute("beta", 0.5f);
    return unaryKernel([alpha, beta](const at::Tensor &x) { return recording({x}) ? recordedClamp(x * alpha + beta, 0, 1) : at::clamp(x * alpha + beta, 0, 1); },
                       [alpha, beta](at::Tensor &x) { x.mul_(alpha).add_(beta).clamp_(0, 1); });
}

Kernel geluKernel(const Node &node, const Graph &)
{
    const std::string approximate = node.stringAttribute("approximate", "none");
    if (approximate != "none" && approximate != "tanh")
        failNode(ErrorKind::Unsupported, node, "attribute approximate '" + approximate + "' is unknown.");
    return unaryKernel([approximate](const at::Tensor &x) { return at::gelu(x, approximate); },
                       [approximate](at::Tensor &x) { at::gelu_(x, approximate); });
}

Kernel swishKernel(const Node &node, const Graph &)
{
    const float alpha = node.floatAttribute("alpha", 1);
    return unaryKernel([alpha](const at::Tensor &x) { return x * sigmoidOf(x * alpha); });
}

void addWithParameters(OpRegistry &registry)
{
    registry.add("LeakyRelu", [](const Node &node, const Graph &) {
        const float alpha = node.floatAttribute("alpha", 0.01f);
        return unaryKernel([alpha](const at::Tensor &x) { return at::leaky_relu(x, alpha); }, [alpha](at::Tensor &x) { at::leaky_relu_(x, alpha); });
    });
    registry.add("Elu", [](const Node &node, const Graph &) {
        const float alpha = node.floatAttribute("alpha", 1);
        return unaryKernel([alpha](const at::Tensor &x) { return eluOf(x, alpha); });
    });
    registry.add("Selu", [](const Node &node, const Graph &) {
        const float alpha = node.floatAttribute("alpha", 1.67326319217681884765625f), gamma = node.floatAttribute("gamma", 1.05070102214813232421875f);
        return unaryKernel([=](const at::Tensor &x) { return eluOf(x, alpha, gamma); });
    });
    registry.add("Celu", [](const Node &node, const Graph &) {
        const float alpha = node.floatAttribute("alpha", 1);
        if (alpha == 0)
            failNode(ErrorKind::InvalidInput, node, "attribute alpha is 0.");
        return unaryKernel([alpha](const at::Tensor &x) { return eluOf(x, alpha, 1, 1 / alpha); });
    });
    registry.add("ThresholdedRelu", [](const Node &node, const Graph &) {
        const float alpha = node.floatAttribute("alpha", 1);
        return unaryKernel([alpha](const at::Tensor &x) { return at::threshold(x, alpha, 0); }, [alpha](at::Tensor &x) { at::threshold_(x, alpha, 0); });
    });
    registry.add("HardSigmoid", hardSigmoidKernel);
    registry.add("Shrink", shrinkKernel);
    registry.add("Gelu", geluKernel);
    registry.add("Swish", swishKernel);
}

} // namespace

void registerActivationOps(OpRegistry &registry)
{
    addPlain(registry, "Relu", reluOf, [](at::Tensor &x) { at::clamp_min_(x, 0); });
    addPlain(registry, "Sigmoid", sigmoidOf, sigmoidInPlace);
    addPlain(registry, "Tanh", [](const at::Tensor &x) { return at::tanh(x); }, [](at::Tensor &x) { at::tanh_(x); });
    addPlain(registry, "HardSwish", [](const at::Tensor &x) { return at::hardswish(x); }, [](at::Tensor &x) { at::hardswish_(x); });
    addPlain(registry, "Mish", mishOf, [](at::Tensor &x) { x.mul_(at::tanh(softplusOf(x))); });
    addPlain(registry, "Softplus", softplusOf);
    addPlain(registry, "Softsign", [](const at::Tensor &x) { return x / (at::abs(x) + 1); });
    registry.add("Clip", clipKernel);
    registry.add("PRelu", pReluKernel);
    registry.add("Softmax", [](const Node &node, const Graph &) { return softmaxKernel(node, Normalized::Softmax); });
    registry.add("LogSoftmax", [](const Node &node, const Graph &) { return softmaxKernel(node, Normalized::LogSoftmax); });
    registry.add("Hardmax", [](const Node &node, const Graph &) { return softmaxKernel(node, Normalized::Hardmax); });
    addWithParameters(registry);
}

} // namespace core

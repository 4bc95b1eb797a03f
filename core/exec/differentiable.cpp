#include "core/exec/differentiable.h"

#include "core/exec/op_common.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <map>
#include <set>

namespace core {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

struct Clamp : Function<Clamp> {
    static at::Tensor forward(AutogradContext *context, const at::Tensor &x, double low, double high)
    {
        context->saved_data["low"] = low;
        context->saved_data["high"] = high;
        const at::Tensor y = at::clamp(x, low, high);
        context->save_for_backward({y});
        return y;
    }

    static variable_list backward(AutogradContext *context, const variable_list &gradients)
    {
        const at::Tensor y = context->get_saved_variables()[0];
        const double low = context->saved_data["low"].toDouble(), high = context->saved_data["high"].toDouble();
        return {at::hardtanh_backward(gradients[0], y, low, high), {}, {}};
    }
};

struct StraightThrough : Function<StraightThrough> {
    static at::Tensor forward(AutogradContext *, const at::Tensor &, const at::Tensor &values) { return values.alias(); }
    static variable_list backward(AutogradContext *, const variable_list &gradients) { return {gradients[0], {}}; }
};

bool wantsGradient(const at::Tensor &x) { return x.defined() && x.requires_grad(); }

} // namespace

bool recording(std::span<const at::Tensor> tensors)
{
    return at::GradMode::is_enabled() && std::any_of(tensors.begin(), tensors.end(), wantsGradient);
}

bool recording(std::initializer_list<at::Tensor> tensors)
{
    return recording(std::span(tensors.begin(), tensors.size()));
}

at::Tensor recordedClamp(const at::Tensor &x, double low, double high)
{
    return Clamp::apply(x, low, high);
}

at::Tensor recordedRoot(const at::Tensor &x)
{
    const at::Tensor zero = x.eq(0);
    return at::sqrt(x.masked_fill(zero, 1)).masked_fill(zero, 0);
}

at::Tensor straightThrough(const at::Tensor &x, const at::Tensor &values)
{
    return StraightThrough::apply(x, values);
}

void refuseGradient(const OpCall &call, std::size_t i, const std::string &what, const std::string &label)
{
    if (i < call.inputs.size() && recording({call.inputs[i]}))
        failCall(ErrorKind::Unsupported, label, "no gradient passes through its " + what + "; keep what they are computed from fixed while the model is trained.");
}

void checkGradientPasses(const OpCall &call, const std::string &label)
{
    if (!recording(call.inputs))
        return;
    bool cut = false;
    for (const at::Tensor &y : call.outputs) {
        if (!y.defined() || !y.is_floating_point() || y.numel() == 0)
            continue;
        if (y.requires_grad())
            return;
        cut = true;
    }
    if (cut)
        failCall(ErrorKind::Unsupported, label, "it cannot be trained through: its gradient is not implemented. Keep what comes before it fixed, or leave it out.");
}

bool hasGradient(const std::string &opType)
{
    static const std::set<std::string> without{
        // truth values and whole numbers
        "And", "ArgMax", "ArgMin", "BitShift", "BitwiseAnd", "BitwiseNot", "BitwiseOr", "BitwiseXor", "ConvInteger", "Equal", "Greater", "GreaterOrEqual",
        "IsInf", "IsNaN", "Less", "LessOrEqual", "MatMulInteger", "NonMaxSuppression", "NonZero", "Not", "Or", "Shape", "Size", "Xor",
        // codes; what is trained are the fake quantizers of core/quant
        "DynamicQuantizeLinear", "QGemm", "QLinearAdd", "QLinearConcat", "QLinearConv", "QLinearGlobalAveragePool", "QLinearLeakyRelu", "QLinearMatMul",
        "QLinearMul", "QLinearSigmoid", "QuantizeLinear",
        // steps: 0 wherever there is a derivative
        "Ceil", "Floor", "Hardmax", "Round", "Sign",
        // made of shapes alone
        "Constant", "ConstantOfShape", "EyeLike",
        // bodies of their own
        "If", "Loop", "Scan"};
    return !without.contains(opType);
}

bool isTrainableInput(const Node &node, std::size_t i)
{
    // How many inputs, from the first, are data or parameters.
    static const std::map<std::string, std::size_t> leading{{"Clip", 1}, {"Pad", 1}, {"Resize", 1}, {"Dropout", 1}, {"CumSum", 1}, {"TopK", 1},
                                                            {"QuantizeLinear", 1}, {"NonMaxSuppression", 0}, {"Range", 0}, {"MaxRoiPool", 1}, {"RoiAlign", 2}};
    const auto found = leading.find(node.opType);
    return found == leading.end() || i < found->second || i >= node.inputs.size();
}

} // namespace core

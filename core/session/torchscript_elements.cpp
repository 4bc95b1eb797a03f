// TorchScript of operators that work element by element, reduce, cast and quantize.
#include "core/exec/executor.h"
#include "core/exec/op_common.h"
#include "core/exec/quant_codes.h"
#include "core/session/torchscript_source.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <limits>

namespace core {
namespace {

using Ints = std::vector<std::int64_t>;

constexpr double infinity = std::numeric_limits<double>::infinity();

std::string call(const std::string &function, const std::string &arguments) { return "torch." + function + "(" + arguments + ")"; }

ScriptTranslation unary(const char *function)
{
    return [function](ScriptWriter &script, const Node &node) { script.output(node, call(function, script.input(node, 0))); };
}

ScriptTranslation binary(const char *function)
{
    return [function](ScriptWriter &script, const Node &node) { script.output(node, call(function, script.input(node, 0) + ", " + script.input(node, 1))); };
}

ScriptTranslation variadic(const char *function, bool mean = false)
{
    return [=](ScriptWriter &script, const Node &node) {
        std::string sum = script.input(node, 0);
        for (std::size_t i = 1; i < node.inputs.size(); ++i)
            sum = call(function, sum + ", " + script.input(node, i));
        script.output(node, mean && node.inputs.size() > 1 ? call("div", sum + ", " + scriptNumber(double(node.inputs.size()))) : sum);
    };
}

/// Text in which $x is the input, $a and $b are float attributes.
ScriptTranslation formula(const char *text, const char *first = nullptr, float firstDefault = 0, const char *second = nullptr, float secondDefault = 0)
{
    return [=](ScriptWriter &script, const Node &node) {
        std::string result;
        for (const char *c = text; *c; ++c) {
            if (*c != '$') {
                result += *c;
                continue;
            }
            ++c;
            result += *c == 'x' ? script.input(node, 0) : scriptNumber(*c == 'a' ? node.floatAttribute(first, firstDefault) : node.floatAttribute(second, secondDefault));
        }
        script.output(node, result);
    };
}

void clip(ScriptWriter &script, const Node &node)
{
    const double low = script.number(node, 1, -infinity), high = script.number(node, 2, infinity);
    script.output(node, call("clamp", script.input(node, 0) + ", " + scriptNumber(low) + ", " + scriptNumber(high)));
}

void pRelu(ScriptWriter &script, const Node &node)
{
    const std::string x = script.input(node, 0);
    script.output(node, call("where", call("lt", x + ", 0") + ", " + call("mul", x + ", " + script.input(node, 1)) + ", " + x));
}

void gelu(ScriptWriter &script, const Node &node)
{
    script.output(node, call("gelu", script.input(node, 0) + ", approximate='" + node.stringAttribute("approximate", "none") + "'"));
}

ScriptTranslation alongAxis(const char *function)
{
    return [function](ScriptWriter &script, const Node &node) {
        script.output(node, call(function, script.input(node, 0) + ", " + std::to_string(node.intAttribute("axis", -1))));
    };
}

ScriptTranslation reduction(const char *function)
{
    return [function](ScriptWriter &script, const Node &node) {
        Ints axes = script.ints(node, 1);
        if (axes.empty() && node.intAttribute("noop_with_empty_axes", 0) != 0) {
            script.output(node, script.input(node, 0));
            return;
        }
        if (axes.empty())
            for (std::int64_t d = 0; d < script.rank(node, 0); ++d)
                axes.push_back(d);
        const std::string how = scriptList(axes) + ", " + (node.intAttribute("keepdims", 1) != 0 ? "True" : "False"), x = script.input(node, 0);
        if (std::string(function) == "norm")
            script.output(node, call("sqrt", call("sum", call("mul", x + ", " + x) + ", " + how)));
        else
            script.output(node, call(function, x + ", " + how));
    };
}

ScriptTranslation place(const char *function)
{
    return [function](ScriptWriter &script, const Node &node) {
        if (node.intAttribute("select_last_index", 0) != 0)
            refuseScript(node, "select_last_index cannot be written.");
        script.output(node, call(function, script.input(node, 0) + ", " + std::to_string(node.intAttribute("axis", 0)) + ", "
                                               + (node.intAttribute("keepdims", 1) != 0 ? "True" : "False")));
    };
}

/// Types are written as their number in c10::ScalarType, as torch.jit does itself.
std::string to(const std::string &x, at::ScalarType type) { return call("to", x + ", " + std::to_string(int(type))); }

bool isFloat8(DataType type) { return type >= DataType::Float8E4M3FN && type <= DataType::Float8E5M2FNUZ; }

void cast(ScriptWriter &script, const Node &node)
{
    const auto type = DataType(node.intAttribute("to", 1));
    if (isFloat8(type) || bitsPerElement(type) < 8)
        refuseScript(node, "a cast to " + dataTypeName(type) + " cannot be written.");
    const std::string x = script.input(node, 0);
    if (type == DataType::Float16 || type == DataType::BFloat16)
        script.output(node, to(to(x, type == DataType::Float16 ? at::kHalf : at::kBFloat16), at::kFloat));
    else
        script.output(node, to(x, storageScalarType(type, nodeLabel(node))));
}

/// Scale or zero point, shaped to broadcast against the node's input; in blocks only where that is a constant.
std::string parameter(ScriptWriter &script, const Node &node, std::size_t i, at::ScalarType type)
{
    const TensorData *data = script.constant(node, i);
    if (!data)
        refuseScript(node, "its scale or zero point is computed; only fixed ones can be written.");
    at::Tensor value = toTensor(*data).to(type);
    if (value.numel() == 1) {
        value = value.reshape({});
    } else if (const std::int64_t block = node.intAttribute("block_size", 0); block > 0) {
        const Ints dims = script.sizes(node, 0, 0);
        value = alignParameter(value, at::zeros({1}).expand(dims), {node.intAttribute("axis", 1), block}, nodeLabel(node));
    } else {
        Ints shape(std::size_t(script.rank(node, 0)), 1);
        const auto along = std::size_t(script.axis(node, node.intAttribute("axis", 1)));
        if (value.dim() != 1 || along >= shape.size())
            refuseScript(node, "its scales do not fit axis " + std::to_string(along) + ".");
        shape[along] = value.numel();
        value = value.reshape(shape);
    }
    return script.buffer(node.name + (i == 1 ? "_scale" : "_zero_point"), value);
}

bool holdsOnlyZeros(const TensorData *data)
{
    if (!data || isFloat8(data->type))
        return data == nullptr;
    const Ints values = data->toInt64s();
    return std::all_of(values.begin(), values.end(), [](auto value) { return value == 0; });
}

// A true division and half to even, as ONNX says; aten::fake_quantize multiplies by the inverse, which differs at ties.
void quantize(ScriptWriter &script, const Node &node)
{
    DataType type = DataType::UInt8;
    if (script.has(node, 2))
        type = script.graph().value(node.input(2)).type;
    else if (const auto wish = node.intAttribute("output_dtype", 0); wish != 0)
        type = DataType(wish);
    if (!isInteger(type) || bitsPerElement(type) > 16)
        refuseScript(node, "quantizing to " + dataTypeName(type) + " cannot be written.");
    const IntegerLimits limits = integerLimits(type, nodeLabel(node));
    std::string codes = call("round", call("div", script.input(node, 0) + ", " + parameter(script, node, 1, at::kFloat)));
    if (!holdsOnlyZeros(script.constant(node, 2)))
        codes = call("add", codes + ", " + parameter(script, node, 2, at::kFloat));
    codes = call("clamp", codes + ", " + std::to_string(limits.min) + ", " + std::to_string(limits.max));
    script.output(node, to(codes, storageScalarType(type, nodeLabel(node))));
}

void dequantize(ScriptWriter &script, const Node &node)
{
    std::string codes = script.input(node, 0);
    if (script.has(node, 2) && !holdsOnlyZeros(script.constant(node, 2)))
        codes = call("sub", to(codes, at::kInt) + ", " + parameter(script, node, 2, at::kInt));
    std::string real = call("mul", to(codes, at::kFloat) + ", " + parameter(script, node, 1, at::kFloat));
    const DataType type = script.has(node, 1) ? script.graph().value(node.input(1)).type : DataType::Float32;
    if (type == DataType::Float16 || type == DataType::BFloat16)
        real = to(to(real, type == DataType::Float16 ? at::kHalf : at::kBFloat16), at::kFloat);
    script.output(node, real);
}

void where(ScriptWriter &script, const Node &node)
{
    script.output(node, call("where", to(script.input(node, 0), at::kBool) + ", " + script.input(node, 1) + ", " + script.input(node, 2)));
}

void power(ScriptWriter &script, const Node &node)
{
    const TensorData *exponent = script.constant(node, 1);
    const bool one = exponent && exponent->count() == 1 && exponent->dims.size() <= 1;
    script.output(node, call("pow", script.input(node, 0) + ", " + (one ? scriptNumber(script.number(node, 1, 1)) : script.input(node, 1))));
}

} // namespace

void addScriptElements(ScriptTranslations &all)
{
    for (const auto &[type, function] : std::map<std::string, const char *>{
             {"Relu", "relu"}, {"Sigmoid", "sigmoid"}, {"Tanh", "tanh"}, {"Sqrt", "sqrt"}, {"Exp", "exp"},
             {"Log", "log"}, {"Abs", "abs"}, {"Neg", "neg"}, {"Reciprocal", "reciprocal"}, {"Floor", "floor"}, {"Ceil", "ceil"}, {"Round", "round"}, {"Sign", "sign"},
             {"Erf", "erf"}, {"Sin", "sin"}, {"Cos", "cos"}, {"Not", "logical_not"}})
        all[type] = unary(function);
    all["HardSwish"] = formula("torch.hardswish($x)");
    all["Mish"] = formula("torch.mish($x)");
    all["Softplus"] = formula("torch.softplus($x)");
    for (const auto &[type, function] : std::map<std::string, const char *>{
             {"Add", "add"}, {"Sub", "sub"}, {"Mul", "mul"}, {"Div", "div"}, {"Equal", "eq"}, {"Less", "lt"}, {"LessOrEqual", "le"}, {"Greater", "gt"}, {"GreaterOrEqual", "ge"},
             {"And", "logical_and"}, {"Or", "logical_or"}, {"MatMul", "matmul"}})
        all[type] = binary(function);
    all["Sum"] = variadic("add");
    all["Mean"] = variadic("add", true);
    all["Max"] = variadic("maximum");
    all["Min"] = variadic("minimum");
    all["Pow"] = power;
    all["Where"] = where;
    all["Clip"] = clip;
    all["PRelu"] = pRelu;
    all["Gelu"] = gelu;
    all["LeakyRelu"] = formula("torch.leaky_relu($x, $a)", "alpha", 0.01f);
    all["Elu"] = formula("torch.elu($x, $a)", "alpha", 1);
    all["Selu"] = formula("torch.elu($x, $a, $b)", "alpha", 1.67326319217681884765625f, "gamma", 1.05070102214813232421875f);
    all["HardSigmoid"] = formula("torch.clamp(torch.add(torch.mul($x, $a), $b), 0, 1)", "alpha", 0.2f, "beta", 0.5f);
    all["Swish"] = formula("torch.mul($x, torch.sigmoid(torch.mul($x, $a)))", "alpha", 1);
    all["Softsign"] = formula("torch.div($x, torch.add(torch.abs($x), 1))");
    all["Identity"] = all["Dropout"] = formula("$x");
    all["Softmax"] = alongAxis("softmax");
    all["LogSoftmax"] = alongAxis("log_softmax");
    all["ReduceMean"] = reduction("mean");
    all["ReduceSum"] = reduction("sum");
    all["ReduceMax"] = reduction("amax");
    all["ReduceMin"] = reduction("amin");
    all["ReduceL2"] = reduction("norm");
    all["ArgMax"] = place("argmax");
    all["ArgMin"] = place("argmin");
    all["Cast"] = cast;
    all["QuantizeLinear"] = quantize;
    all["DequantizeLinear"] = dequantize;
}

} // namespace core

// Shapes: elementwise operators, normalizations and whatever else keeps the shape of its first input.
#include "core/graph/shape_rules.h"

#include <algorithm>

namespace core {
namespace {

std::optional<Shape> shapeOf(const ShapeCall &call, std::size_t input)
{
    const Shape *shape = call.shape(input);
    return shape ? std::optional(*shape) : std::nullopt;
}

void keep(ShapeCall &call) { call.set(0, call.type(0), shapeOf(call, 0)); }
void keepAsBool(ShapeCall &call) { call.set(0, DataType::Bool, shapeOf(call, 0)); }

/// Of all inputs from `first` on; nullopt when a rank is not known.
std::optional<Shape> broadcastInputs(const ShapeCall &call, std::size_t first = 0)
{
    std::optional<Shape> result;
    for (std::size_t i = first; i < call.node.inputs.size(); ++i) {
        const Shape *shape = call.shape(i);
        if (!shape)
            return {};
        result = result ? broadcast(call, *result, *shape) : *shape;
    }
    return result;
}

DataType firstType(const ShapeCall &call, std::size_t first = 0)
{
    for (std::size_t i = first; i < call.node.inputs.size(); ++i) {
        if (call.type(i) != DataType::Undefined)
            return call.type(i);
    }
    return DataType::Undefined;
}

void broadcasting(ShapeCall &call) { call.set(0, firstType(call), broadcastInputs(call)); }
void power(ShapeCall &call) { call.set(0, call.type(0), broadcastInputs(call)); }
void comparison(ShapeCall &call) { call.set(0, DataType::Bool, broadcastInputs(call)); }
void where(ShapeCall &call) { call.set(0, firstType(call, 1), broadcastInputs(call)); }

void cast(ShapeCall &call) { call.set(0, DataType(call.intAttribute("to", 0)), shapeOf(call, 0)); }
void castLike(ShapeCall &call) { call.set(0, call.type(1), shapeOf(call, 0)); }

void dropout(ShapeCall &call)
{
    keep(call);
    call.set(1, DataType::Bool, shapeOf(call, 0));
}

void batchNormalization(ShapeCall &call)
{
    keep(call);
    const Shape *x = call.shape(0);
    for (std::size_t i = 1; i < call.node.inputs.size() && x && x->size() > 1; ++i) {
        if (const Shape *other = call.shape(i); other && other->size() == 1)
            unify(call, (*x)[1], (*other)[0], "an input of shape " + shapeText(*x) + " does not fit statistics of shape " + shapeText(*other) + ".");
    }
    for (const std::size_t output : {1u, 2u})
        call.set(output, call.type(3), shapeOf(call, 3));
}

void layerNormalization(ShapeCall &call)
{
    keep(call);
    const Shape *x = call.shape(0);
    if (!x)
        return;
    Shape statistics = *x;
    for (auto i = std::size_t(call.axis(call.intAttribute("axis", -1), std::int64_t(x->size()))); i < x->size(); ++i)
        statistics[i] = {1, {}};
    for (const std::size_t output : {1u, 2u})
        call.set(output, DataType(call.intAttribute("stash_type", 1)), statistics);
}

void quantize(ShapeCall &call)
{
    DataType type = call.has(2) ? call.type(2) : DataType(call.intAttribute("output_dtype", 0));
    if (type == DataType::Undefined && !call.has(2))
        type = DataType::UInt8;
    call.set(0, type, shapeOf(call, 0));
}

void dequantize(ShapeCall &call)
{
    const auto wanted = DataType(call.intAttribute("output_dtype", 0));
    call.set(0, wanted == DataType::Undefined ? call.type(1) : wanted, shapeOf(call, 0));
}

void dynamicQuantize(ShapeCall &call)
{
    call.set(0, DataType::UInt8, shapeOf(call, 0));
    call.set(1, DataType::Float32, Shape{});
    call.set(2, DataType::UInt8, Shape{});
}

void like(ShapeCall &call)
{
    const auto type = DataType(call.intAttribute("dtype", 0));
    call.set(0, type == DataType::Undefined ? call.type(0) : type, shapeOf(call, 0));
}

} // namespace

void addElementwiseRules(ShapeRules &rules)
{
    for (const char *type : {"Abs", "Acos", "Acosh", "Asin", "Asinh", "Atan", "Atanh", "BitwiseNot", "Ceil", "Celu", "Clip", "Cos", "Cosh", "CumSum", "Elu", "Erf",
                             "Exp", "Floor", "Gelu", "GroupNormalization", "HardSigmoid", "HardSwish", "Hardmax", "Identity", "InstanceNormalization", "LRN",
                             "LeakyRelu", "Log", "LogSoftmax", "LpNormalization", "MeanVarianceNormalization", "Mish", "Neg", "PRelu", "RMSNormalization",
                             "Reciprocal", "Relu", "ReverseSequence", "RotaryEmbedding", "Round", "ScatterElements", "ScatterND", "Selu", "Shrink", "Sigmoid",
                             "Sign", "Sin", "Sinh", "Softmax", "Softplus", "Softsign", "Sqrt", "Tan", "Tanh", "ThresholdedRelu", "Trilu"})
        rules[type] = keep;
    for (const char *type : {"Not", "IsNaN", "IsInf"})
        rules[type] = keepAsBool;
    for (const char *type : {"Add", "Sub", "Mul", "Div", "Mod", "BitShift", "BitwiseAnd", "BitwiseOr", "BitwiseXor", "Sum", "Mean", "Max", "Min"})
        rules[type] = broadcasting;
    for (const char *type : {"And", "Or", "Xor", "Equal", "Less", "Greater", "LessOrEqual", "GreaterOrEqual"})
        rules[type] = comparison;
    for (const char *type : {"Bernoulli", "EyeLike", "RandomNormalLike", "RandomUniformLike"})
        rules[type] = like;
    rules["Pow"] = power;
    rules["Where"] = where;
    rules["Cast"] = cast;
    rules["CastLike"] = castLike;
    rules["Dropout"] = dropout;
    rules["BatchNormalization"] = batchNormalization;
    rules["LayerNormalization"] = layerNormalization;
    rules["QuantizeLinear"] = quantize;
    rules["DequantizeLinear"] = dequantize;
    rules["DynamicQuantizeLinear"] = dynamicQuantize;
}

} // namespace core

// Element by element: arithmetic, comparison, logic, bits. Broadcasting is the same in ONNX and LibTorch.
#include "core/exec/differentiable.h"
#include "core/exec/op_common.h"

#include <ATen/ATen.h>

#include <limits>

namespace core {
namespace {

using Unary = at::Tensor (*)(const at::Tensor &);
using UnaryInPlace = at::Tensor &(*)(at::Tensor &);

void addUnary(OpRegistry &registry, const std::string &type, Unary compute, UnaryInPlace inPlace = nullptr)
{
    registry.add(type, [compute, inPlace](const Node &, const Graph &) -> Kernel {
        return [compute, inPlace](OpCall &call) {
            if (inPlace && call.inputs[0].is_non_overlapping_and_dense() && canReuse(call, 0, call.inputs[0].sizes())) {
                at::Tensor x = call.inputs[0];
                call.outputs[0] = inPlace(x);
            } else {
                call.outputs[0] = compute(withoutHoles(call.inputs[0]));
            }
        };
    });
}

using Combine = at::Tensor (*)(const at::Tensor &, const at::Tensor &);
using CombineInto = void (*)(at::Tensor &, const at::Tensor &);

// The left operand is overwritten when it may be; so is the right one when the operator commutes.
at::Tensor combine(const OpCall &call, std::size_t left, std::size_t right, Combine compute, CombineInto inPlace, bool commutes)
{
    const at::Tensor &a = call.inputs[left], &b = call.inputs[right];
    if (inPlace && a.scalar_type() == b.scalar_type()) {
        const auto sizes = at::infer_size(a.sizes(), b.sizes());
        if (canReuse(call, left, sizes)) {
            at::Tensor result = a;
            inPlace(result, b);
            return result;
        }
        if (commutes && canReuse(call, right, sizes)) {
            at::Tensor result = b;
            inPlace(result, a);
            return result;
        }
    }
    return compute(a, b);
}

void addBinary(OpRegistry &registry, const std::string &type, Combine compute, CombineInto inPlace = nullptr, bool commutes = false)
{
    registry.add(type, [=](const Node &, const Graph &) -> Kernel {
        return [=](OpCall &call) { call.outputs[0] = combine(call, 0, 1, compute, inPlace, commutes); };
    });
}

void addVariadic(OpRegistry &registry, const std::string &type, Combine compute, CombineInto inPlace, bool mean)
{
    registry.add(type, [=](const Node &node, const Graph &) -> Kernel {
        if (node.inputs.empty())
            failNode(ErrorKind::InvalidInput, node, "it has no inputs.");
        return [=](OpCall &call) {
            at::Tensor result = call.inputs[0];
            const std::size_t count = call.inputs.size();
            if (count > 1)
                result = combine(call, 0, 1, compute, inPlace, true);
            for (std::size_t i = 2; i < count; ++i)
                result = compute(result, call.inputs[i]);
            call.outputs[0] = mean && count > 1 ? at::div(result, at::Scalar(double(count))) : result;
        };
    });
}

at::Tensor divide(const at::Tensor &a, const at::Tensor &b)
{
    return a.is_floating_point() ? at::div(a, b) : at::div(a, b, "trunc");
}

bool isExactExponent(double e)
{
    return e == 0.5 || e == 1 || e == 2 || e == 3 || e == -0.5 || e == -1 || e == -2;
}

// The result has the type of the base whatever the exponent's. In float32 a vector's rounding is not that of a single number, so
// powers that LibTorch has no plain products for are taken in double.
at::Tensor power(const at::Tensor &base, const at::Tensor &exponent)
{
    const bool recorded = recording({base, exponent});
    if (base.scalar_type() == at::kFloat && exponent.is_floating_point() && !recorded && !(exponent.numel() == 1 && isExactExponent(exponent.item<double>())))
        return at::pow(base.to(at::kDouble), exponent.to(at::kDouble)).to(at::kFloat);
    if (base.scalar_type() == exponent.scalar_type() && (base.is_floating_point() || !exponent.lt(0).any().item<bool>()))
        return at::pow(base, exponent);
    if (base.is_floating_point() && exponent.numel() == 1 && !exponent.requires_grad())
        return at::pow(base, exponent.item()).reshape(at::infer_size(base.sizes(), exponent.sizes()));
    if (!base.is_floating_point() && !exponent.is_floating_point() && !exponent.lt(0).any().item<bool>())
        return at::pow(base.to(at::kLong), exponent.to(at::kLong)).to(base.scalar_type());
    return at::pow(base.to(at::kDouble), exponent.to(at::kDouble)).to(base.scalar_type());
}

// Of parts that round alike in vectors and one by one, which at::sinh and at::cosh do not.
at::Tensor hyperbolicSine(const at::Tensor &x)
{
    if (recording({x}))
        return at::sinh(x);
    const at::Tensor e = at::expm1(at::abs(x)), value = at::where(at::isinf(e), e, (e + e / (e + 1)) / 2);
    return at::copysign(value, x);
}
at::Tensor hyperbolicCosine(const at::Tensor &x)
{
    if (recording({x}))
        return at::cosh(x);
    const at::Tensor root = at::exp(at::abs(x) / 2);
    return root * 0.5 * root + 0.5 / root / root;
}

at::Tensor absolute(const at::Tensor &x) { return x.scalar_type() == at::kBool ? x : at::abs(x); }
at::Tensor roundIfFloat(const at::Tensor &x) { return x.is_floating_point() ? at::round(x) : x; }
at::Tensor floorIfFloat(const at::Tensor &x) { return x.is_floating_point() ? at::floor(x) : x; }
at::Tensor ceilIfFloat(const at::Tensor &x) { return x.is_floating_point() ? at::ceil(x) : x; }

Kernel modKernel(const Node &node, const Graph &)
{
    const bool truncated = node.intAttribute("fmod", 0) != 0;
    return [truncated](OpCall &call) {
        const at::Tensor &x = call.inputs[0], &y = call.inputs[1];
        at::Tensor result = truncated ? at::fmod(x, y) : at::remainder(x, y);
        // LibTorch leaves a zero its own sign where the sign is to be the divisor's.
        call.outputs[0] = truncated || !result.is_floating_point() ? result : at::copysign(result, y);
    };
}

// Codes that live in a wider torch type are cut back to their own width.
at::Tensor maskUnsigned(const at::Tensor &x, DataType type)
{
    if (type == DataType::UInt16)
        return at::bitwise_and(x, at::Scalar(0xFFFF));
    if (type == DataType::UInt32)
        return at::bitwise_and(x, at::Scalar(std::int64_t(0xFFFFFFFF)));
    return x;
}

Kernel bitShiftKernel(const Node &node, const Graph &graph)
{
    const std::string direction = node.stringAttribute("direction", "");
    if (direction != "LEFT" && direction != "RIGHT")
        failNode(ErrorKind::InvalidInput, node, "attribute direction is '" + direction + "', but must be LEFT or RIGHT.");
    const DataType type = inputType(node, graph, 0);
    return [left = direction == "LEFT", type](OpCall &call) {
        const at::Tensor &x = call.inputs[0];
        const std::int64_t width = isInteger(type) ? bitsPerElement(type) : std::int64_t(x.element_size()) * 8;
        // Shifts by a negative number, or by the whole width, leave only copies of the sign.
        const at::Tensor outside = at::logical_or(call.inputs[1].lt(0), call.inputs[1].ge(width));
        const at::Tensor bits = call.inputs[1].clamp(0, width - 1);
        if (left) {
            call.outputs[0] = maskUnsigned(at::bitwise_left_shift(x, bits), type).masked_fill(outside, 0);
        } else if (type == DataType::UInt64) {
            const auto ones = at::bitwise_left_shift(at::full({}, -1, x.options()), (64 - bits).clamp_max(63));
            const auto shifted = at::bitwise_and(at::bitwise_right_shift(x, bits), at::bitwise_not(ones));
            call.outputs[0] = at::where(bits.eq(0), x, shifted).masked_fill(outside, 0);
        } else {
            const at::Tensor sign = at::where(x.lt(0), at::full({}, -1, x.options()), at::zeros({}, x.options()));
            call.outputs[0] = at::where(outside, sign, at::bitwise_right_shift(x, bits));
        }
    };
}

Kernel bitwiseNotKernel(const Node &node, const Graph &graph)
{
    const DataType type = inputType(node, graph, 0);
    return [type](OpCall &call) { call.outputs[0] = maskUnsigned(at::bitwise_not(call.inputs[0]), type); };
}

Kernel isInfKernel(const Node &node, const Graph &)
{
    const bool negative = node.intAttribute("detect_negative", 1) != 0, positive = node.intAttribute("detect_positive", 1) != 0;
    return [negative, positive](OpCall &call) {
        const at::Tensor &x = call.inputs[0];
        constexpr double infinity = std::numeric_limits<double>::infinity();
        if (negative && positive)
            call.outputs[0] = at::isinf(x);
        else if (negative)
            call.outputs[0] = x.eq(-infinity);
        else if (positive)
            call.outputs[0] = x.eq(infinity);
        else
            call.outputs[0] = at::zeros_like(x, x.options().dtype(at::kBool));
    };
}

Kernel whereKernel(const Node &, const Graph &)
{
    return [](OpCall &call) { call.outputs[0] = at::where(call.inputs[0].to(at::kBool), call.inputs[1], call.inputs[2]); };
}

void addArithmetic(OpRegistry &registry)
{
    addBinary(registry, "Add", [](const at::Tensor &a, const at::Tensor &b) { return at::add(a, b); },
              [](at::Tensor &a, const at::Tensor &b) { a.add_(b); }, true);
    addBinary(registry, "Sub", [](const at::Tensor &a, const at::Tensor &b) { return at::sub(a, b); },
              [](at::Tensor &a, const at::Tensor &b) { a.sub_(b); });
    addBinary(registry, "Mul", [](const at::Tensor &a, const at::Tensor &b) { return at::mul(a, b); },
              [](at::Tensor &a, const at::Tensor &b) { a.mul_(b); }, true);
    addBinary(registry, "Div", divide, [](at::Tensor &a, const at::Tensor &b) { a.div_(b); });
    addBinary(registry, "Pow", power);
    registry.add("Mod", modKernel);
    const Combine add = [](const at::Tensor &a, const at::Tensor &b) { return at::add(a, b); };
    const CombineInto addInto = [](at::Tensor &a, const at::Tensor &b) { a.add_(b); };
    addVariadic(registry, "Sum", add, addInto, false);
    addVariadic(registry, "Mean", add, addInto, true);
    addVariadic(registry, "Max", [](const at::Tensor &a, const at::Tensor &b) { return at::maximum(a, b); },
                [](at::Tensor &a, const at::Tensor &b) { at::maximum_out(a, a, b); }, false);
    addVariadic(registry, "Min", [](const at::Tensor &a, const at::Tensor &b) { return at::minimum(a, b); },
                [](at::Tensor &a, const at::Tensor &b) { at::minimum_out(a, a, b); }, false);
}

void addFunctions(OpRegistry &registry)
{
    addUnary(registry, "Sqrt", at::sqrt, at::sqrt_);
    addUnary(registry, "Exp", at::exp, at::exp_);
    addUnary(registry, "Log", at::log, at::log_);
    addUnary(registry, "Abs", absolute, at::abs_);
    addUnary(registry, "Neg", at::neg, at::neg_);
    addUnary(registry, "Reciprocal", at::reciprocal, at::reciprocal_);
    addUnary(registry, "Floor", floorIfFloat, at::floor_);
    addUnary(registry, "Ceil", ceilIfFloat, at::ceil_);
    addUnary(registry, "Round", roundIfFloat, [](at::Tensor &x) -> at::Tensor & { return at::round_(x); });
    addUnary(registry, "Sign", at::sign);
    addUnary(registry, "Erf", at::erf, at::erf_);
    addUnary(registry, "Sin", at::sin, at::sin_);
    addUnary(registry, "Cos", at::cos, at::cos_);
    addUnary(registry, "Tan", at::tan);
    addUnary(registry, "Asin", at::asin);
    addUnary(registry, "Acos", at::acos);
    addUnary(registry, "Atan", at::atan);
    addUnary(registry, "Sinh", hyperbolicSine);
    addUnary(registry, "Cosh", hyperbolicCosine);
    addUnary(registry, "Asinh", at::asinh);
    addUnary(registry, "Acosh", at::acosh);
    addUnary(registry, "Atanh", at::atanh);
    addUnary(registry, "IsNaN", at::isnan);
    registry.add("IsInf", isInfKernel);
}

} // namespace

void registerElementwiseOps(OpRegistry &registry)
{
    addArithmetic(registry);
    addFunctions(registry);
    addBinary(registry, "Equal", [](const at::Tensor &a, const at::Tensor &b) { return at::eq(a, b); });
    addBinary(registry, "Less", [](const at::Tensor &a, const at::Tensor &b) { return at::lt(a, b); });
    addBinary(registry, "LessOrEqual", [](const at::Tensor &a, const at::Tensor &b) { return at::le(a, b); });
    addBinary(registry, "Greater", [](const at::Tensor &a, const at::Tensor &b) { return at::gt(a, b); });
    addBinary(registry, "GreaterOrEqual", [](const at::Tensor &a, const at::Tensor &b) { return at::ge(a, b); });
    addBinary(registry, "And", [](const at::Tensor &a, const at::Tensor &b) { return at::logical_and(a, b); });
    addBinary(registry, "Or", [](const at::Tensor &a, const at::Tensor &b) { return at::logical_or(a, b); });
    addBinary(registry, "Xor", [](const at::Tensor &a, const at::Tensor &b) { return at::logical_xor(a, b); });
    addUnary(registry, "Not", at::logical_not);
    addBinary(registry, "BitwiseAnd", [](const at::Tensor &a, const at::Tensor &b) { return at::bitwise_and(a, b); });
    addBinary(registry, "BitwiseOr", [](const at::Tensor &a, const at::Tensor &b) { return at::bitwise_or(a, b); });
    addBinary(registry, "BitwiseXor", [](const at::Tensor &a, const at::Tensor &b) { return at::bitwise_xor(a, b); });
    registry.add("BitwiseNot", bitwiseNotKernel);
    registry.add("BitShift", bitShiftKernel);
    registry.add("Where", whereKernel);
}

} // namespace core

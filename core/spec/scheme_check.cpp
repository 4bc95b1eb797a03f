#include "core/spec/scheme_check.h"

#include "core/spec/operator_roles.h"
#include "core/spec/spec_fields.h"

namespace core {

namespace {

const char *roleName(TensorRole role)
{
    switch (role) {
    case TensorRole::Input: return "input_tensors";
    case TensorRole::Output: return "output_tensors";
    case TensorRole::Weight: return "weight";
    case TensorRole::Bias: break;
    }
    return "bias";
}

} // namespace

std::optional<SchemeRefusal> schemeRefusal(const Scheme &scheme, TensorRole role, const TensorData *weight, const TargetProfile &target)
{
    const bool activation = role == TensorRole::Input || role == TensorRole::Output;
    const auto refuse = [](const char *field, std::string value, std::string why) {
        return std::optional<SchemeRefusal>({field, std::move(value), std::move(why)});
    };
    const std::string dtype(enumName(scheme.dtype));
    if (!scheme.quantized())
        return {};
    if (scheme.observer == ObserverKind::Fixed && !(scheme.fixedRange.min < scheme.fixedRange.max))
        return refuse("observer", "fixed", "the fixed observer needs a fixed_range whose minimum is below its maximum.");
    if (scheme.percentile < 90 || scheme.percentile > 100)
        return refuse("percentile", std::to_string(scheme.percentile), "a percentile lies between 90 and 100.");
    const bool pof2Observer = scheme.observer == ObserverKind::Pof2MinMax || scheme.observer == ObserverKind::Pof2Mse;
    if (pof2Observer && !scheme.bestObserver && scheme.scaleType != ScaleType::PowerOfTwo)
        return refuse("scale_type", "float", "the observer " + std::string(enumName(scheme.observer)) + " makes power-of-two scales; use pof2 or another observer.");
    if (scheme.qat == QatMethod::Tqt && (!isSignedDtype(scheme.dtype) || !scheme.symmetric || scheme.granularity != Granularity::PerTensor))
        return refuse("qat", "tqt", "TQT trains one threshold of signed symmetric codes a tensor; use lsq or ste.");
    if (scheme.qat == QatMethod::Lsq && !isIntegerDtype(scheme.dtype))
        return refuse("qat", "lsq", "LSQ trains the scale of integers; " + dtype + " has none.");
    if (activation) {
        if (scheme.granularity != Granularity::PerTensor)
            return refuse("qscheme", std::string(enumName(scheme.granularity)), "an activation has one scale; per_channel and per_group are for weights.");
        if (scheme.roundMethod != RoundMethod::HalfEven)
            return refuse("round_method", std::string(enumName(scheme.roundMethod)), "ONNX QuantizeLinear rounds half to even; use half_even on activations.");
        if (scheme.narrow)
            return refuse("symmetric_range", "narrow", "ONNX QuantizeLinear saturates at the lowest code; use full on activations.");
        if (scheme.dtype == QuantDtype::Int2 || scheme.dtype == QuantDtype::Int3 || scheme.dtype == QuantDtype::Int32)
            return refuse("dtype", dtype, "ONNX QuantizeLinear has no such activation type; use 4, 8 or 16 bits.");
        if (scheme.dynamic && (scheme.dtype != QuantDtype::UInt8 || scheme.symmetric))
            return refuse("is_dynamic", "true", "ONNX DynamicQuantizeLinear makes uint8, asymmetric, per tensor only.");
        if (!target.activationDtypes.empty() && !target.activationDtypes.contains(scheme.dtype))
            return refuse("dtype", dtype, "the target " + target.name + " has no activations of this type.");
        if (target.requiresSymmetricActivations && isIntegerDtype(scheme.dtype) && !scheme.symmetric)
            return refuse("symmetric", "false", "the target " + target.name + " has zero point 0 only; use symmetric activations.");
    } else if (role == TensorRole::Weight) {
        if (scheme.dtype == QuantDtype::Int32)
            return refuse("dtype", dtype, "weights have at most 16 bits.");
        if (scheme.dynamic)
            return refuse("is_dynamic", "true", "weights are constant and have no dynamic quantization.");
        if (scheme.granularity == Granularity::PerGroup) {
            if (scheme.groupSize < 1)
                return refuse("group_size", std::to_string(scheme.groupSize), "per_group needs a group_size of at least 1.");
            if (!weight || weight->dims.size() != 2)
                return refuse("qscheme", "per_group", "ONNX groups values along one axis, which is defined for the two-dimensional weights of Gemm and MatMul only.");
        }
        if (scheme.channelAxis >= 0 && weight && std::size_t(scheme.channelAxis) >= weight->dims.size())
            return refuse("ch_axis", std::to_string(scheme.channelAxis), "the weight has " + std::to_string(weight->dims.size()) + " axes.");
        if (!target.weightDtypes.empty() && !target.weightDtypes.contains(scheme.dtype))
            return refuse("dtype", dtype, "the target " + target.name + " has no weights of this type.");
        if (target.requiresPerTensorWeights && scheme.granularity != Granularity::PerTensor)
            return refuse("qscheme", std::string(enumName(scheme.granularity)), "the target " + target.name + " has one scale a weight tensor; use per_tensor.");
    } else {
        const bool int8 = scheme.dtype == QuantDtype::Int8 && target.allowsInt8Bias;
        if (scheme.dtype != QuantDtype::Int32 && !int8)
            return refuse("dtype", dtype, scheme.dtype == QuantDtype::Int8
                       ? "int8 biases need a target that runs them, such as xint8; use int32 or float32."
                       : "a bias is int32 with the scale of input times weight, or float32.");
        return {};
    }
    if (target.requiresPowerOfTwo && isIntegerDtype(scheme.dtype) && scheme.scaleType != ScaleType::PowerOfTwo)
        return refuse("scale_type", std::string(enumName(scheme.scaleType)), "the target " + target.name + " shifts instead of multiplying; use pof2.");
    return {};
}

void checkScheme(const ResolvedScheme &resolved, TensorRole role, const Node &node, const TensorData *weight, const TargetProfile &target)
{
    if (const auto refusal = schemeRefusal(resolved.scheme, role, weight, target))
        throw Error(ErrorKind::InvalidInput, "placement",
                    node.opType + " '" + node.name + "', " + roleName(role) + "." + refusal->field + " = " + refusal->value + " ("
                        + resolved.origin(refusal->field).text() + "): " + refusal->why);
}

} // namespace core

#include "core/spec/target_profile.h"

#include "core/base/error.h"

#include <initializer_list>

namespace core {

namespace {

using Names = std::initializer_list<const char *>;

void fuse(TargetProfile &profile, Names producers, Names activations)
{
    for (const char *producer : producers)
        for (const char *activation : activations)
            profile.fusions.emplace(producer, activation);
}

QuantizationConfig defaultsOf(QuantDtype activation, bool symmetric, Granularity weights)
{
    QuantizationConfig config;
    config.inputTensors.dtype = activation;
    config.inputTensors.symmetric = symmetric;
    config.outputTensors = config.inputTensors;
    config.weight.dtype = QuantDtype::Int8;
    config.weight.symmetric = true;
    config.weight.qscheme = weights;
    return config;
}

constexpr Names allActivations = {"Relu", "Clip", "LeakyRelu", "PRelu", "Sigmoid", "HardSigmoid", "HardSwish", "Tanh", "Elu", "Selu",
                                  "Celu", "Softplus", "Softsign", "ThresholdedRelu", "Mish", "Gelu", "Silu", "Swish"};
const std::set<std::string> valueOps = {"Reshape", "Flatten", "Transpose", "Squeeze", "Unsqueeze", "Slice", "Gather", "Split",
                                        "MaxPool", "Pad", "Resize", "DepthToSpace", "SpaceToDepth", "Identity", "Dropout",
                                        "Concat", "Expand", "Tile"};
const std::set<std::string> matrixOps = {"Conv", "ConvTranspose", "Gemm", "MatMul"};

std::set<std::string> operators(Names more)
{
    std::set<std::string> all = valueOps;
    all.insert(matrixOps.begin(), matrixOps.end());
    all.insert(more.begin(), more.end());
    return all;
}

TargetProfile anyTarget()
{
    TargetProfile profile;
    profile.description = "no particular target: quantized wherever QDQ ONNX can say it";
    fuse(profile, {"Conv", "ConvTranspose", "Gemm", "MatMul"}, {"BatchNormalization"});
    fuse(profile, {"Conv", "ConvTranspose", "Gemm", "MatMul", "BatchNormalization", "Add", "Mul"}, allActivations);
    profile.integerOps = operators({"Add", "Sub", "Mul", "Div", "Max", "Min", "Sum", "Mean", "AveragePool", "GlobalAveragePool",
                                    "GlobalMaxPool", "ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "Relu", "Clip", "LeakyRelu",
                                    "PRelu", "Sigmoid", "HardSigmoid", "HardSwish", "Tanh", "Elu", "Selu", "Celu", "Softplus", "Softsign",
                                    "ThresholdedRelu", "Mish", "Gelu", "Swish", "Softmax", "BatchNormalization", "InstanceNormalization",
                                    "GroupNormalization", "LayerNormalization", "LpPool", "Abs", "Neg"});
    return profile;
}

TargetProfile onnxRuntimeCpu()
{
    TargetProfile profile;
    profile.name = "onnxruntime-cpu";
    profile.description = "ONNX Runtime, CPU execution provider";
    profile.defaults = defaultsOf(QuantDtype::UInt8, false, Granularity::PerChannel);
    fuse(profile, {"Conv", "ConvTranspose", "Gemm", "MatMul"}, {"BatchNormalization"});
    fuse(profile, {"Conv", "Gemm", "MatMul", "Add", "Mul"}, {"Relu", "Clip"});
    profile.activationFusionNeedsRange = true;
    profile.siluQuantizesSigmoid = true;
    profile.floatParametersNeedFloatInput = true;
    profile.integerOps = operators({"Add", "Mul", "AveragePool", "GlobalAveragePool", "LeakyRelu", "Sigmoid", "Softmax", "Where"});
    profile.floatFallbackOps = {"ConvTranspose"};
    profile.integerKernelDtypes = {QuantDtype::Int8, QuantDtype::UInt8};
    profile.activationDtypes = {QuantDtype::Int8, QuantDtype::UInt8, QuantDtype::Int16, QuantDtype::UInt16, QuantDtype::Int4, QuantDtype::UInt4,
                                QuantDtype::Float16, QuantDtype::BFloat16, QuantDtype::Fp8E4M3, QuantDtype::Fp8E5M2};
    return profile;
}

TargetProfile tensorRt()
{
    TargetProfile profile;
    profile.name = "tensorrt";
    profile.description = "NVIDIA TensorRT, explicit quantization";
    profile.defaults = defaultsOf(QuantDtype::Int8, true, Granularity::PerChannel);
    fuse(profile, {"Conv", "ConvTranspose", "Gemm", "MatMul"}, {"BatchNormalization"});
    fuse(profile, {"Conv", "ConvTranspose", "Gemm", "MatMul", "Add"},
         {"Relu", "Clip", "LeakyRelu", "Sigmoid", "HardSigmoid", "HardSwish", "Tanh", "Elu", "Silu", "Swish", "Gelu"});
    profile.quantizeBias = false;
    profile.requiresSymmetricActivations = true;
    profile.integerOps = operators({"Add", "AveragePool", "GlobalAveragePool", "ReduceMean"});
    profile.activationDtypes = {QuantDtype::Int8, QuantDtype::Fp8E4M3, QuantDtype::Float16, QuantDtype::BFloat16};
    profile.weightDtypes = {QuantDtype::Int8, QuantDtype::Int4, QuantDtype::Fp8E4M3, QuantDtype::Float16, QuantDtype::BFloat16};
    return profile;
}

TargetProfile openVino()
{
    TargetProfile profile;
    profile.name = "openvino";
    profile.description = "OpenVINO, CPU and GPU plugins";
    profile.defaults = defaultsOf(QuantDtype::UInt8, false, Granularity::PerChannel);
    fuse(profile, {"Conv", "ConvTranspose", "Gemm", "MatMul"}, {"BatchNormalization"});
    fuse(profile, {"Conv", "ConvTranspose", "Gemm", "MatMul", "Add", "Mul"}, allActivations);
    profile.integerOps = operators({"Add", "Mul", "AveragePool", "GlobalAveragePool", "ReduceMean", "ReduceMax", "Relu", "Clip", "PRelu", "LeakyRelu"});
    profile.integerKernelDtypes = {QuantDtype::Int8, QuantDtype::UInt8};
    return profile;
}

TargetProfile qnn()
{
    TargetProfile profile;
    profile.name = "qnn";
    profile.description = "Qualcomm AI Engine Direct (HTP)";
    profile.defaults = defaultsOf(QuantDtype::UInt8, false, Granularity::PerChannel);
    fuse(profile, {"Conv", "ConvTranspose", "Gemm", "MatMul"}, {"BatchNormalization"});
    fuse(profile, {"Conv", "ConvTranspose", "Gemm", "MatMul", "Add", "Mul"}, {"Relu", "Clip"});
    profile.activationFusionNeedsRange = true;
    profile.siluQuantizesSigmoid = true;
    profile.integerOps = anyTarget().integerOps;
    profile.activationDtypes = {QuantDtype::Int8, QuantDtype::UInt8, QuantDtype::UInt16, QuantDtype::Int16, QuantDtype::Float16};
    profile.weightDtypes = {QuantDtype::Int8, QuantDtype::UInt8, QuantDtype::Int4, QuantDtype::UInt16, QuantDtype::Int16, QuantDtype::Float16};
    return profile;
}

TargetProfile xint8()
{
    TargetProfile profile;
    profile.name = "xint8";
    profile.description = "AMD NPU, XINT8: int8 with power-of-two scales";
    profile.defaults = defaultsOf(QuantDtype::Int8, true, Granularity::PerTensor);
    for (QuantizationSpec *spec : {&profile.defaults.inputTensors, &profile.defaults.outputTensors, &profile.defaults.weight}) {
        spec->scaleType = ScaleType::PowerOfTwo;
        spec->pof2Rounding = PowerOfTwoRounding::Ceil;
    }
    fuse(profile, {"Conv", "ConvTranspose", "Gemm", "MatMul"}, {"BatchNormalization"});
    fuse(profile, {"Conv", "ConvTranspose", "Gemm", "MatMul", "Add", "Mul"}, {"Relu", "Clip", "LeakyRelu", "PRelu", "HardSwish", "HardSigmoid"});
    profile.allowsInt8Bias = true;
    profile.requiresSymmetricActivations = true;
    profile.requiresPowerOfTwo = true;
    profile.requiresPerTensorWeights = true;
    profile.shiftConstraints = true;
    profile.integerOps = operators({"Add", "Sub", "Mul", "AveragePool", "GlobalAveragePool", "ReduceMean", "Relu", "Clip", "LeakyRelu", "PRelu",
                                    "HardSigmoid", "HardSwish", "Softmax"});
    profile.activationDtypes = profile.weightDtypes = {QuantDtype::Int8};
    return profile;
}

} // namespace

std::vector<std::string> targetProfileNames()
{
    return {"onnxruntime-cpu", "tensorrt", "openvino", "qnn", "xint8"};
}

TargetProfile targetProfile(std::string_view name)
{
    if (name.empty())
        return anyTarget();
    if (name == "onnxruntime-cpu")
        return onnxRuntimeCpu();
    if (name == "tensorrt")
        return tensorRt();
    if (name == "openvino")
        return openVino();
    if (name == "qnn")
        return qnn();
    if (name == "xint8")
        return xint8();
    throw Error(ErrorKind::InvalidInput, "target",
                "There is no target '" + std::string(name) + "'; the targets are onnxruntime-cpu, tensorrt, openvino, qnn, xint8.");
}

} // namespace core

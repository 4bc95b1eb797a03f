// What a target runs as integers, and what it refuses.
#pragma once

#include "core/spec/config.h"

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace core {

struct TargetProfile {
    std::string name;                                ///< "" = no target: every fusion of QUANTIZATION.md §4
    std::string description;
    QuantizationConfig defaults;                     ///< between a preset's suggestions and its fixed part
    /// (producer operator, activation) pairs that run as one kernel, e.g. {"Conv", "Relu"}. x·Sigmoid(x) is written
    /// "Silu", x·HardSigmoid(x) "HardSwish".
    std::set<std::pair<std::string, std::string>> fusions;
    bool activationFusionNeedsRange = false;         ///< Relu / Clip fuse only when the code range lies inside (onnxruntime-cpu)
    bool siluQuantizesSigmoid = false;
    bool quantizeBias = true;                        ///< tensorrt: false
    bool allowsInt8Bias = false;                     ///< int8 biases with a scale of their own (xint8)
    bool floatParametersNeedFloatInput = false;      ///< a float weight or bias between quantized tensors is requantized (onnxruntime-cpu)
    bool requiresSymmetricActivations = false;
    bool requiresPowerOfTwo = false;
    bool requiresPerTensorWeights = false;
    bool shiftConstraints = false;                   ///< its shifters have limits (xint8; core/ptq/shift_constraints.h)
    bool reduceRange = false;                        ///< 7-bit weights (CPUs without VNNI)
    std::set<QuantDtype> activationDtypes, weightDtypes;
    /// Operators whose inputs and outputs are worth quantizing; a tensor that none of them reads or writes stays float.
    std::set<std::string> integerOps;
    std::set<std::string> floatFallbackOps;          ///< quantized all the same, but computed in float (a diagnostic says so)
    std::set<QuantDtype> integerKernelDtypes;        ///< layers with other types run in float; empty = all
};

/// "", "onnxruntime-cpu", "tensorrt", "openvino", "qnn", "xint8". Throws Error{InvalidInput} listing the names.
TargetProfile targetProfile(std::string_view name);
std::vector<std::string> targetProfileNames();

} // namespace core

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
    QuantizationConfig defaults;                     ///< overlaid on the preset's global configuration
    /// (producer operator, activation) pairs that run as one integer kernel, e.g. {"Conv", "Relu"}.
    std::set<std::pair<std::string, std::string>> fusions;
    bool activationFusionNeedsRange = false;         ///< Relu / Clip fuse only when the code range lies inside (onnxruntime-cpu)
    bool siluQuantizesSigmoid = false;
    bool quantizeBias = true;                        ///< tensorrt: false
    bool requiresSymmetricActivations = false;
    bool requiresPowerOfTwo = false;
    bool requiresPerTensorWeights = false;
    bool reduceRange = false;                        ///< 7-bit weights (CPUs without VNNI)
    std::set<QuantDtype> activationDtypes, weightDtypes;
    std::set<std::string> integerOps;                ///< operators with an integer kernel; others fall back to float
};

/// "", "onnxruntime-cpu", "tensorrt", "openvino", "qnn", "xint8". Throws Error{InvalidInput} listing the names.
TargetProfile targetProfile(std::string_view name);
std::vector<std::string> targetProfileNames();

} // namespace core

// Where every output position of a Resize reads its input: pure arithmetic, no tensors.
//
// Coordinates are computed in float32, as ONNX Runtime does, because deployed files were checked against it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace core {

struct ResizeOptions {
    enum class Interpolation { Nearest, Linear, Cubic };
    Interpolation interpolation = Interpolation::Nearest;
    std::string coordinates = "half_pixel";          ///< coordinate_transformation_mode
    std::string nearest = "round_prefer_floor";      ///< nearest_mode
    float cubicA = -0.75f;
    float extrapolation = 0;                         ///< value outside, tf_crop_and_resize only
    bool antialias = false, excludeOutside = false;
};

struct ResizeAxis {
    std::int64_t inputSize = 0, outputSize = 0;
    float scale = 1;                                 ///< output / input; as given when scales were given
    float roiStart = 0, roiEnd = 1;                  ///< tf_crop_and_resize
};

/// For output position i: Σ_k weights[i·taps + k] · x[indices[i·taps + k]]; indices lie inside the input.
struct ResizePlan {
    std::int64_t taps = 1;
    std::vector<std::int64_t> indices;
    std::vector<float> weights;
    std::vector<bool> outside;                       ///< positions that take the extrapolation value; empty = none
};

/// inputSize ≥ 1.
ResizePlan planResizeAxis(const ResizeAxis &axis, const ResizeOptions &mode);

} // namespace core

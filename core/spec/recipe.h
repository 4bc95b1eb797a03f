// Everything that decides a result, as one value that is saved beside it and can be given back: --recipe R.json.
#pragma once

#include "core/spec/config.h"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace core {

enum class ResizeMode { None, ShortSide, Stretch, Letterbox };
enum class ChannelOrder { Rgb, Bgr };
enum class Resampling { PilBilinear, PilBicubic, OpenCvLinear, OpenCvArea }; ///< Pil* = antialiased, as Pillow does it

/// From a decoded image to the model's input tensor.
struct TransformSpec {
    std::string preset;                        ///< "imagenet", "tf", "unit", "byte" or empty
    ResizeMode resize = ResizeMode::ShortSide;
    int resizeTo = 0;                          ///< short side; 0 = crop / 0.875 rounded (256 for 224)
    int width = 0, height = 0;                 ///< size of the tensor; 0 = the model's own
    bool centerCrop = true;                    ///< ShortSide only
    ChannelOrder order = ChannelOrder::Rgb;
    Resampling resampling = Resampling::PilBilinear;
    std::array<double, 3> mean{0, 0, 0};       ///< after division by `divisor`, in tensor channel order
    std::array<double, 3> stddev{1, 1, 1};
    double divisor = 255;                      ///< 255 → 0…1, 1 → 0…255
    bool exifRotation = false;
    std::array<int, 3> padColor{114, 114, 114}; ///< Letterbox
    friend bool operator==(const TransformSpec &, const TransformSpec &) = default;
};

/// imagenet (mean 0.485…, std 0.229…), tf (0.5/0.5), unit (0…1), byte (0…255); throws Error{InvalidInput} otherwise.
TransformSpec transformPreset(const std::string &name);

struct Recipe {
    int schemaVersion = 1;
    std::string preset = "best";
    std::string target;                        ///< target profile, "" = none
    Config config;                             ///< the user's own settings over preset and target
    TransformSpec transform;
    bool equalize = false;
    bool biasCorrection = false;
    int calibrationImages = 0;                 ///< at most so many, 0 = all
    int batchSize = 8;
    std::uint64_t seed = 0;
    int opset = 0;                             ///< of the exported file; 0 = as low as the types allow, never below the source's
    friend bool operator==(const Recipe &, const Recipe &) = default;
};

/// Names: a8w8, a8w8-per-channel, best, a16w8, a8w4, pof2-ceil, pof2-mse. Sets preset and the algorithms;
/// recipe.config stays the user's own (empty). Throws Error{InvalidInput} listing the names otherwise.
Recipe presetRecipe(const std::string &name);
std::vector<std::string> presetNames();

/// What a preset says of every layer. `suggested` gives way to the defaults of a target, `fixed` does not.
struct PresetLayers {
    QuantizationConfig suggested, fixed;
    std::string description;
};
PresetLayers presetLayers(const std::string &name);

/// The configuration in force, which is what place() takes:
/// preset's suggestions < target's defaults < preset's fixed part < recipe.config.
Config effectiveConfig(const Recipe &recipe);

} // namespace core

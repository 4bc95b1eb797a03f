// Options that change a recipe, one for every field that is worth a name of its own; --set reaches the others.
#pragma once

#include "core/base/error.h"
#include "core/spec/recipe.h"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace app {

/// Operation of an Error that is about the command line itself; its sentence names the option.
inline constexpr const char *usageOperation = "command line";

struct RecipeOptions {
    std::filesystem::path file, quarkFile;
    std::optional<std::string> preset, target, transform, size, crop, observer, weightObserver, resampling;
    std::optional<int> resize, batch, calibrationImages, opset;
    std::optional<std::uint64_t> seed;
    std::optional<double> percentile, divisor;
    std::optional<bool> equalize, biasCorrection, bgr, exif;
    std::vector<double> mean, stddev;
    std::vector<std::string> exclude, assignments;
    bool letterbox = false, stretch = false;

    void addInputOptions(CLI::App &command);          ///< how an image becomes a tensor
    void addQuantizationOptions(CLI::App &command);

    /// `base` is used where --recipe is not given. A --recipe in AMD Quark's form may leave remarks.
    /// Throws core::Error{InvalidInput} in the words of the option.
    core::Recipe build(const core::Recipe &base, core::Diagnostics &remarks) const;
};

} // namespace app

// Which data the project uses and how an image becomes the model's input: the value that the Data step edits.
#pragma once

#include "core/spec/recipe.h"

#include <QString>

#include <array>
#include <optional>
#include <string>

namespace widgets {

struct DataSettings {
    QString calibration;                    ///< folder of images, or .npy / .npz / IDX file
    QString validation;                     ///< may be empty: agreement with the float model is measured instead
    QString labels;                         ///< list of classes or of files; may be empty
    int calibrationImages = 0;              ///< at most so many, 0 = all
    int validationImages = 0;
    core::TransformSpec transform;
    friend bool operator==(const DataSettings &, const DataSettings &) = default;
};

/// Name of the preset whose numbers these are, whatever the transform calls itself; empty = none.
std::string transformPresetOf(const core::TransformSpec &transform);
/// Numbers of another preset; size, resizing and channel order stay.
core::TransformSpec withPreset(const core::TransformSpec &transform, const std::string &preset);

/// What happens to an image, in order: "short side to 256 (crop / 0.875), centre crop to the model's size, RGB, ÷ 255, − mean, ÷ std".
QString transformText(const core::TransformSpec &transform);

/// "0.485 0.456 0.406"; one number counts for all three. nullopt = not that.
std::optional<std::array<double, 3>> parseTriple(const QString &text);
QString tripleText(const std::array<double, 3> &values);

} // namespace widgets

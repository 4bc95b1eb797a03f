// The random change of one image: what is drawn, and what it does to pixels and to tensors. The semantics are those of torchvision's
// RandomResizedCrop, RandomHorizontalFlip and ColorJitter on Pillow images.
#pragma once

#include "core/data/counter_random.h"
#include "core/data/pil_resize.h"
#include "core/spec/training.h"

#include <ATen/core/Tensor.h>
#include <opencv2/core/mat.hpp>

#include <optional>
#include <vector>

namespace core {

struct ImageChange {
    enum class Color { Brightness, Contrast, Saturation };
    struct ColorStep {
        Color color = Color::Brightness;
        float factor = 1;
    };

    AugmentSpec augment;
    CounterRandom cropRandom{0};
    bool flip = false;
    std::vector<ColorStep> colors;       ///< in this order
    int shiftX = 0, shiftY = 0;          ///< to the right, down

    /// The window of an image of this size that is resized to the input; nullopt = the image keeps the transform's own geometry. The same for each call.
    std::optional<PixelWindow> crop(int width, int height) const;
};

/// Depends on the arguments alone. The spec is one that checkTraining accepts.
ImageChange drawChange(const AugmentSpec &augment, std::uint64_t seed, std::int64_t epoch, std::size_t index);

/// Up to ten times: a share of the area, and an aspect uniform in its logarithm; the first window that fits lies anywhere. Else the largest central
/// window whose aspect is allowed.
PixelWindow drawCrop(int width, int height, const AugmentSpec &augment, CounterRandom &random);

/// 8 bits, 1 or 3 channels: flip, colours, shift. Brightness blends with black, contrast with the mean of the grey image, saturation with the grey
/// image (ITU-R 601-2), as Pillow's ImageEnhance, rounding included. The given pixels stay as they are.
cv::Mat changedPixels(const cv::Mat &image, bool bgr, const ImageChange &change, const cv::Scalar &border);

/// C×H×W (or H×W×C) of a floating type: crop (resized bilinearly), flip, shift (what comes in is 0); every other tensor stays as it is.
at::Tensor changedTensor(const at::Tensor &tensor, const ImageChange &change, bool channelsLast);

} // namespace core

// Encoded image → 8-bit pixels.
#pragma once

#include <opencv2/core/mat.hpp>

#include <cstddef>
#include <span>

namespace core {

/// More pixels than this are refused before memory is taken.
inline constexpr std::int64_t maxImagePixels = std::int64_t(1) << 28;

struct Picture {
    cv::Mat pixels;                      ///< 8 bits, 1 or 3 channels
    bool bgr = false;                    ///< order of 3 channels
};

/// Always 3 channels (alpha is dropped, 16 bits lose their low byte, CMYK is converted). Throws Error{InvalidInput}.
Picture decodeImage(std::span<const std::byte> encoded, bool exifRotation);

/// The picture with `channels` (1 or 3): grey is Pillow's "L", colour from grey repeats it.
Picture withChannels(Picture picture, int channels);

} // namespace core

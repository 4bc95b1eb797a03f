// Encoded image → 8-bit pixels.
#pragma once

#include <opencv2/core/mat.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace core {

/// More pixels than this are refused before memory is taken.
inline constexpr std::int64_t maxImagePixels = std::int64_t(1) << 28;

struct Picture {
    cv::Mat pixels;                      ///< 8 bits, 1 or 3 channels
    bool bgr = false;                    ///< order of 3 channels
    int reduction = 1;                   ///< so many times smaller than the image is, rounded up
};

/// Always 3 channels (alpha is dropped, 16 bits lose their low byte, CMYK is converted). Throws Error{InvalidInput}.
/// reduction: 1, 2, 4 or 8; more than 1 for JPEG only, whose blocks are then decoded as smaller ones.
Picture decodeImage(std::span<const std::byte> encoded, bool exifRotation, int reduction = 1);

struct PictureSize {
    int width = 0, height = 0;
};

/// As the header of a JPEG tells it, before any rotation; nullopt for other formats, and for what decodeImage would refuse by its header.
std::optional<PictureSize> sizeOfJpeg(std::span<const std::byte> encoded);

/// The picture with `channels` (1 or 3): grey is Pillow's "L", colour from grey repeats it.
Picture withChannels(Picture picture, int channels);

} // namespace core

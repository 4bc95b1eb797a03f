// What can be told of an encoded image before any memory is taken for its pixels.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace core {

struct ImageHeader {
    std::int64_t width = 0, height = 0;  ///< 0 = not told (formats that are not looked into)
    bool complete = true;                ///< false: the file ends before the image does
};

/// Looks into JPEG, PNG, BMP, WebP and PNM; for everything else the defaults.
ImageHeader inspectImage(std::span<const std::byte> encoded);

} // namespace core

// The part of Pillow's resize that a crop needs: only those rows and columns are computed.
#pragma once

#include <cstddef>
#include <cstdint>

namespace core {

/// Interleaved 8-bit pixels; rows `rowBytes` apart.
struct PixelView {
    const std::uint8_t *data = nullptr;
    std::ptrdiff_t rowBytes = 0;
    int width = 0, height = 0, channels = 0;
};

struct PixelWindow {
    int x = 0, y = 0, width = 0, height = 0;
};

/// `window` of the image that pilResize (transform.h) makes of `source` at newWidth×newHeight, into rows of `outRowBytes`.
/// All sizes positive, the window inside the new image.
void pilResizeWindow(const PixelView &source, int newWidth, int newHeight, const PixelWindow &window, bool cubic,
                     std::uint8_t *out, std::ptrdiff_t outRowBytes);

} // namespace core

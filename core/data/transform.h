// From encoded image to input tensor. Pil* resampling agrees with Pillow's antialiased resize bit for bit in 8 bits.
#pragma once

#include "core/data/dataset.h"

namespace core {

/// `encoded` = a JPEG, PNG, … file's bytes. Returns C×H×W (or H×W×C) float32. Throws Error{InvalidInput}.
at::Tensor imageToTensor(std::span<const std::byte> encoded, const TransformSpec &transform, const InputGeometry &geometry);

/// Pillow's Image.resize on interleaved 8-bit pixels (rows without padding): triangle (bilinear) or cubic filter with
/// support scaled by the reduction, 8-bit intermediate after the horizontal pass.
std::vector<std::uint8_t> pilResize(const std::uint8_t *pixels, int width, int height, int channels, int newWidth, int newHeight, bool cubic);

} // namespace core

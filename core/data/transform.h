// From encoded image to input tensor. Pil* resampling agrees with Pillow's antialiased resize bit for bit in 8 bits.
#pragma once

#include "core/data/dataset.h"

#include <cstddef>
#include <span>
#include <vector>

namespace core {

struct ImageChange;
struct Picture;

/// ShortSide: the long side is rounded to the nearest pixel, the crop's offset down (torchvision cuts the long side off and rounds
/// the offset; on 800 ImageNet photographs that is worth 87.0 % instead of 87.6 %). Letterbox: centred, rounded likewise.
///
/// `encoded` = a JPEG, PNG, … file's bytes. Returns C×H×W (or H×W×C) float32, in memory pixel by pixel (channels last) either
/// way. Throws Error{InvalidInput}.
///
/// With a change (image_change.h) the window that it crops is resized to the input, in place of resizing and centre crop; flip, colours and shift
/// follow, then the values are normalized. A JPEG is decoded at 1/2, 1/4 or 1/8 of its size where the window then still has the input's size.
at::Tensor imageToTensor(std::span<const std::byte> encoded, const TransformSpec &transform, const InputGeometry &geometry, const ImageChange *change = nullptr);

/// The same from decoded pixels (image_decode.h).
at::Tensor pictureToTensor(const Picture &picture, const TransformSpec &transform, const InputGeometry &geometry, const ImageChange *change = nullptr);

/// What would fail for every image: no size, zero divisor or deviation, channels other than 1 and 3. Throws Error{InvalidInput}.
void checkTransform(const TransformSpec &transform, const InputGeometry &geometry);

/// Pillow's Image.resize on interleaved 8-bit pixels (rows without padding): triangle (bilinear) or cubic filter with
/// support scaled by the reduction, 8-bit intermediate after the horizontal pass.
std::vector<std::uint8_t> pilResize(const std::uint8_t *pixels, int width, int height, int channels, int newWidth, int newHeight, bool cubic);

} // namespace core

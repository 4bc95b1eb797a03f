// Top-1 and top-5 accuracy. Of equal scores the lower class stands first, as argmax has it (quantized outputs often tie, and an
// output of equal scores must not count as right); NaN is never right, and never stands before another score.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>

namespace core {

struct TopK {
    std::int64_t images = 0, top1 = 0, top5 = 0;
    double top1Percent() const { return images ? 100.0 * double(top1) / double(images) : 0; }
    double top5Percent() const { return images ? 100.0 * double(top5) / double(images) : 0; }
    /// logits: N×K (further dimensions of size 1 allowed); labels: N class indices, images with −1 are not counted.
    /// Throws Error{InvalidInput} for a label of K or more.
    void add(const at::Tensor &logits, std::span<const std::int64_t> labels);
};

} // namespace core

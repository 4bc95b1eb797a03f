// Top-1 and top-5 accuracy; ties and NaN count as wrong only when a strictly larger score exists elsewhere (NaN is never right).
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>

namespace core {

struct TopK {
    std::int64_t images = 0, top1 = 0, top5 = 0;
    double top1Percent() const { return images ? 100.0 * double(top1) / double(images) : 0; }
    double top5Percent() const { return images ? 100.0 * double(top5) / double(images) : 0; }
    /// logits: N×K (further dimensions of size 1 allowed); labels: N class indices.
    void add(const at::Tensor &logits, std::span<const std::int64_t> labels);
};

} // namespace core

#include "core/metrics/top_k.h"

#include "core/base/error.h"

#include <ATen/ATen.h>

#include <string>

namespace core {

void TopK::add(const at::Tensor &logits, std::span<const std::int64_t> labels)
{
    const std::int64_t count = std::int64_t(labels.size());
    if (logits.dim() < 2 || logits.size(0) != count || logits.numel() != count * logits.size(1))
        throw Error(ErrorKind::Internal, "top_k",
                    "An output of shape " + c10::str(logits.sizes()) + " holds no class scores for " + std::to_string(count) + " images.");
    const at::Tensor scores = logits.detach().reshape({count, logits.size(1)}).to(at::kDouble).contiguous();
    const std::int64_t classes = scores.size(1);
    const double *row = scores.data_ptr<double>();
    for (std::int64_t i = 0; i < count; ++i, row += classes) {
        const std::int64_t label = labels[std::size_t(i)];
        if (label < 0)
            continue;
        if (label >= classes)
            throw Error(ErrorKind::InvalidInput, "top_k",
                        "An image has the label " + std::to_string(label) + ", but the model tells " + std::to_string(classes)
                            + " classes apart; give the class of every folder with --labels.");
        ++images;
        const double own = row[label];
        if (own != own)
            continue;
        std::int64_t better = 0;
        for (std::int64_t k = 0; k < classes; ++k)
            better += row[k] > own || (row[k] == own && k < label);
        top1 += better < 1;
        top5 += better < 5;
    }
}

} // namespace core

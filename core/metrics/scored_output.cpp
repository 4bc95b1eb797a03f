#include "core/metrics/scored_output.h"

#include <ATen/ATen.h>

namespace core {

int scoredOutput(const std::vector<at::Tensor> &outputs)
{
    for (std::size_t i = 0; i < outputs.size(); ++i) {
        const at::Tensor &output = outputs[i];
        if (output.is_floating_point() && output.dim() >= 2 && output.size(1) > 1 && output.numel() == output.size(0) * output.size(1))
            return int(i);
    }
    return -1;
}

at::Tensor scoredTensor(const std::vector<at::Tensor> &outputs)
{
    if (const int index = scoredOutput(outputs); index >= 0)
        return outputs[std::size_t(index)];
    std::vector<at::Tensor> flat;
    for (const at::Tensor &output : outputs)
        if (output.is_floating_point() && output.dim() >= 1 && output.numel() > 0 && (flat.empty() || output.size(0) == flat[0].size(0)))
            flat.push_back(output.contiguous().reshape({output.size(0), -1}));
    return flat.empty() ? at::Tensor() : flat.size() == 1 ? flat[0] : at::cat(flat, 1);
}

} // namespace core

#include "core/ptq/noise_inputs.h"

#include <ATen/ATen.h>

namespace core {

std::optional<std::vector<at::Tensor>> noiseInputs(const Graph &graph)
{
    std::vector<at::Tensor> inputs;
    std::uint64_t state = 0x9e3779b97f4a7c15ull;
    for (ValueId id : graph.inputs) {
        const Value &value = graph.value(id);
        if (!value.shape || (value.type != DataType::Float32 && value.type != DataType::Undefined))
            return {};
        std::vector<std::int64_t> dims;
        for (const Dimension &dimension : *value.shape) {
            if (!dimension.known() && !dims.empty())
                return {};
            dims.push_back(dimension.known() ? dimension.size : 1);
        }
        if (elementCount(dims) > std::int64_t(1) << 28)
            return {};
        at::Tensor tensor = at::empty(dims, at::kFloat);
        float *data = tensor.data_ptr<float>();
        for (std::int64_t i = 0; i < tensor.numel(); ++i) {
            state = state * 6364136223846793005ull + 1442695040888963407ull;
            data[i] = float(double(state >> 40) / double(1 << 23) - 1.0);
        }
        inputs.push_back(tensor);
    }
    return inputs;
}

} // namespace core

// A data set whose samples are given in the test.
#pragma once

#include "core/data/dataset.h"

#include <ATen/ATen.h>

#include <string>
#include <utility>
#include <vector>

namespace tests {

class MemoryDataset : public core::Dataset {
public:
    explicit MemoryDataset(std::vector<at::Tensor> samples, std::vector<std::int64_t> labels = {})
        : m_samples(std::move(samples)), m_labels(std::move(labels)) {}

    std::size_t size() const override { return m_samples.size(); }
    bool hasLabels() const override { return !m_labels.empty(); }
    std::string describe(std::size_t index) const override { return "sample " + std::to_string(index); }
    core::Sample load(std::size_t index) const override { return {{m_samples.at(index)}, m_labels.empty() ? -1 : m_labels.at(index)}; }
    std::string fingerprint() const override { return "memory"; }

private:
    std::vector<at::Tensor> m_samples;
    std::vector<std::int64_t> m_labels;
};

/// Repeatable numbers in [−1, 1).
inline at::Tensor noise(const std::vector<std::int64_t> &dims, unsigned seed)
{
    at::Tensor tensor = at::empty(dims, at::kFloat);
    std::uint32_t state = seed * 2654435761u + 1;
    float *data = tensor.data_ptr<float>();
    for (std::int64_t i = 0; i < tensor.numel(); ++i) {
        state = state * 1664525u + 1013904223u;
        data[i] = float(std::int32_t(state >> 8) - (1 << 23)) / float(1 << 23);
    }
    return tensor;
}

} // namespace tests

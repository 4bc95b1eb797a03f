// What all measurements share.
#pragma once

#include "core/data/dataset.h"

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <chrono>
#include <vector>

namespace bench {

template <class F> double secondsOf(F &&f)
{
    const auto start = std::chrono::steady_clock::now();
    f();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

inline double median(std::vector<double> values)
{
    std::sort(values.begin(), values.end());
    const std::size_t half = values.size() / 2;
    return values.empty() ? 0 : values.size() % 2 ? values[half] : (values[half - 1] + values[half]) / 2;
}

/// The first `size` samples as one batch, images channels_last.
std::vector<at::Tensor> batchOf(const core::Dataset &data, int size);

} // namespace bench

// Kernel, strides, dilations and pads of convolutions and pools, for any number of spatial axes.
#pragma once

#include "core/graph/graph.h"

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

namespace core {

/// As the node says it; empty lists stand for the defaults.
struct WindowAttributes {
    std::vector<std::int64_t> kernel, strides, dilations, pads;
    std::string autoPad = "NOTSET";
    bool ceilMode = false;
};
/// Throws Error{InvalidInput} for an unknown auto_pad.
WindowAttributes readWindow(const Node &node);

/// The same for one input: every list has one number per spatial axis.
struct Window {
    std::vector<std::int64_t> kernel, strides, dilations, before, after, outputs;

    std::size_t axes() const { return kernel.size(); }
    /// Cells between the first and the last element of the kernel, both included.
    std::int64_t extent(std::size_t i) const { return (kernel[i] - 1) * dilations[i] + 1; }
    bool padded() const;
    bool symmetric() const;   ///< before == after
    bool dilated() const;
};

/// `x` is [n, c, spatial…]. Throws Error{InvalidInput} when the lists do not fit it or the padded input is smaller than the kernel. Windows that would begin
/// behind the input and its left pad are left out (ceil_mode).
Window resolveWindow(const WindowAttributes &attributes, at::IntArrayRef kernel, const at::Tensor &x, const std::string &label);

/// Spatial pads as at::constant_pad_nd wants them: last axis first.
std::vector<std::int64_t> reversedPads(const std::vector<std::int64_t> &before, const std::vector<std::int64_t> &after);

} // namespace core

// What every user of oneDNN needs. Included by .cpp files only.
#pragma once

#include <ATen/core/Tensor.h>

#include <oneapi/dnnl/dnnl.hpp>

namespace core {

/// The process's one CPU engine.
const dnnl::engine &cpuEngine();
/// The tensor's own memory, read as `desc` says.
dnnl::memory wrap(const dnnl::memory::desc &desc, const at::Tensor &tensor);

} // namespace core

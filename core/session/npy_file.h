// Tensors as .npy files (format 1.0), for handing them to another program.
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>

namespace core {

/// float32, float64, (u)int8…64, bool. Throws Error{Io}, Error{Unsupported} for other types.
void writeNpy(const std::filesystem::path &file, const at::Tensor &tensor);
/// The same types and float16 (given as float32), little-endian, C order. Throws Error{Io or InvalidInput}.
at::Tensor readNpy(const std::filesystem::path &file);

} // namespace core

// Tensors by name, as files of weights hold them: PyTorch state_dict (.pth, .pt; zip and the older stream), safetensors.
#pragma once

#include "core/base/error.h"
#include "core/graph/tensor_data.h"

#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace core {

struct WeightFile {
    std::vector<std::pair<std::string, TensorData>> tensors;   ///< in the file's order, names unique
    std::map<std::string, std::string> metadata;               ///< safetensors only
};

/// By content, not by name. Throws Error{Io} naming the file, Error{InvalidInput} or {Unsupported} naming file and tensor: a file of another kind,
/// sizes that do not fit the file (checked before memory is taken), anything in a pickle besides tensors, numbers, strings and containers.
WeightFile readWeights(const std::filesystem::path &file);

/// Atomically. Tensors in the order given; the same value gives the same bytes. Throws Error{Io}, and Error{InvalidInput} or {Unsupported} naming a tensor whose
/// name is taken or no UTF-8, or that safetensors has no type for.
void writeSafetensors(const WeightFile &weights, const std::filesystem::path &file);

} // namespace core

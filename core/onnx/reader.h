// ONNX file → Model. Opsets 7–23, whatever libonnx the system has; older operator forms are lifted to the newest.
#pragma once

#include "core/graph/graph.h"

#include <filesystem>
#include <span>

namespace core {

struct ReadLimits {
    std::int64_t maxTensorBytes = std::int64_t(8) << 30;
    std::int64_t maxNodes = 1'000'000;
};

/// Throws Error{Io} when the file cannot be read and Error{InvalidInput} for a broken or hostile one; the sentence names
/// file and node. What merely cannot be executed is no error here: see Model::diagnostics and unsupportedNodes().
Model readModel(const std::filesystem::path &file, const ReadLimits &limits = {});
/// `directory` is where external data may lie; empty = external data is refused.
Model readModel(std::span<const std::byte> bytes, const std::filesystem::path &directory = {}, const ReadLimits &limits = {});

/// One TensorProto file (input_0.pb of a backend test).
TensorData readTensor(const std::filesystem::path &file);

} // namespace core

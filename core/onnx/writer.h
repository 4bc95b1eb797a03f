// Model → ONNX bytes. Stable order: the same model gives the same bytes.
#pragma once

#include "core/graph/graph.h"

#include <filesystem>
#include <string>

namespace core {

/// Operators are lowered from the newest form to that of `opset`. Throws Error{Unsupported} naming the node that
/// cannot be expressed there, and above 2 GB.
std::string serializeModel(const Model &model, int opset);

/// Tensors that take more than this together go into external data: a protobuf message holds 2 GB at most.
inline constexpr std::int64_t largestInlineBytes = 1'900'000'000;

/// Writes to a temporary file beside `file`, then renames. Models with more tensor bytes than `maxInlineBytes` get external data in one file
/// beside it, "NAME.onnx.data", written in the same way.
void writeModel(const Model &model, int opset, const std::filesystem::path &file, std::int64_t maxInlineBytes = largestInlineBytes);

} // namespace core

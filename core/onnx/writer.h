// Model → ONNX bytes. Stable order: the same model gives the same bytes.
#pragma once

#include "core/graph/graph.h"

#include <filesystem>
#include <string>

namespace core {

/// Operators are lowered from the newest form to that of `opset`. Throws Error{Unsupported} naming the node that
/// cannot be expressed there.
std::string serializeModel(const Model &model, int opset);
/// Writes to a temporary file beside `file`, then renames. Models above 2 GB get external data.
void writeModel(const Model &model, int opset, const std::filesystem::path &file);

} // namespace core

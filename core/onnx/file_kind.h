// What a file that is no ONNX model seems to be.
#pragma once

#include <string>
#include <string_view>

namespace core {

/// "a PNG image", "a Git LFS pointer…"; empty when nothing is recognised.
std::string recognizedKind(std::string_view bytes);

} // namespace core

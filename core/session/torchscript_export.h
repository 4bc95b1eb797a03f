// A frozen model as TorchScript: a .pt file that torch.jit.load opens in Python and C++.
#pragma once

#include "core/graph/graph.h"

#include <filesystem>

namespace core {

/// The graph of buildQdqGraph(), or any other of classification and detection networks. forward(inputs…) → a tensor, or a tuple of them, in float32 as the
/// executor computes it: QuantizeLinear by a true division and rounding half to even (not aten::fake_quantize, which multiplies by the inverse);
/// weights stay the integers they are, and are dequantized when it runs. Buffers carry the names of the tensors.
/// Written whole or not at all. Throws Error{Unsupported} naming the node, Error{Io} naming the file.
void writeTorchScript(const Graph &qdqGraph, const std::filesystem::path &file);

} // namespace core

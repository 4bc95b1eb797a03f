// Helpers shared by the operator families of core/exec.
//
// How ONNX types live in tensors, everywhere in core/exec:
//   float32, float16, bfloat16, fp8      float tensors; Cast and QuantizeLinear round the values to the type's grid,
//                                        all other arithmetic stays in float32. The type itself is graph.value(id).type.
//   float64 → double; bool → bool; int8, uint8, int16, int32, int64 → the same
//   uint16 → int32; uint32, uint64 → int64 (uint64 keeps its bits); int4 → int8; uint4 → uint8
#pragma once

#include "core/exec/op_registry.h"

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace core {

/// Throws Error{kind} whose sentence starts "Node 'name' (Type): ".
[[noreturn]] void failNode(ErrorKind kind, const Node &node, const std::string &sentence);
/// What nodes are called in messages, for kernels that outlive their Node: "Node 'name' (Type)".
std::string nodeLabel(const Node &node);
[[noreturn]] void failCall(ErrorKind kind, const std::string &label, const std::string &sentence);

/// -rank…rank-1 → 0…rank-1; throws Error{InvalidInput} outside.
std::int64_t normalizeAxis(std::int64_t axis, std::int64_t rank, const std::string &label);
/// Sorted is not promised; duplicates are an error.
std::vector<std::int64_t> normalizeAxes(std::vector<std::int64_t> axes, std::int64_t rank, const std::string &label);

/// Any integer (or integral float) tensor as a list.
std::vector<std::int64_t> toInts(const at::Tensor &tensor);
std::vector<float> toFloatList(const at::Tensor &tensor);

/// A list of integers given by an input: read once when it is constant, else at every call.
class IntsInput {
public:
    IntsInput(const Node &node, const Graph &graph, std::size_t index);
    bool present() const { return m_present; }
    std::optional<std::vector<std::int64_t>> get(const OpCall &call) const;  ///< nullopt when omitted
private:
    std::size_t m_index;
    bool m_present = false;
    std::optional<std::vector<std::int64_t>> m_constant;
};

/// True when input i of the call may be written in place and has the result's shape and a floating type.
bool canReuse(const OpCall &call, std::size_t i, at::IntArrayRef resultSizes);

/// x, or a copy without holes: LibTorch's functions round otherwise where elements do not lie side by side, and a batch of one may where
/// a batch of many does not.
at::Tensor withoutHoles(const at::Tensor &x);

/// at::sigmoid with the same bits for an element wherever it stands (core/kernels/sigmoid.h); autograd gets at::sigmoid itself.
at::Tensor sigmoidOf(const at::Tensor &x);
void sigmoidInPlace(at::Tensor &x);

/// Throws Error{InvalidInput} when a result of these sizes would exceed 2^32 elements.
void checkResultSize(at::IntArrayRef sizes, const std::string &label);

/// Type of input i as the graph knows it, Undefined when it does not.
DataType inputType(const Node &node, const Graph &graph, std::size_t i);
DataType outputType(const Node &node, const Graph &graph, std::size_t i = 0);
/// The torch type in which tensors of an ONNX type live (table above); throws Error{Unsupported} for String, complex.
at::ScalarType storageScalarType(DataType type, const std::string &label);
/// Converts to an ONNX type: truncates, wraps, rounds or (fp8, when `saturate`) saturates as Cast does.
at::Tensor convertTo(const at::Tensor &x, DataType type, bool saturate, const std::string &label);

// Parts of the families that have files of their own, called by their family's function.
void registerPadOps(OpRegistry &registry);
void registerGeneratorOps(OpRegistry &registry);
void registerQLinearOps(OpRegistry &registry);
void registerAttentionOps(OpRegistry &registry);
void registerDeformOps(OpRegistry &registry);
void registerEinsumOps(OpRegistry &registry);

} // namespace core

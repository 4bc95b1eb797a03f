// Operators that exist only inside an Executor's plan: several nodes in one pass over memory.
#pragma once

#include "core/exec/op_registry.h"
#include "core/kernels/fake_quantize.h"

#include <optional>

namespace core {

/// Domain of these nodes; a file must not bring any.
inline constexpr const char *fusedDomain = "quantscope";

/// "Conv": X [, residual]. Attributes of Conv, and weight and bias (tensors, float32), low and high (bounds, optional), FakeQuantize's (optional):
///   y = fakeQuantize(clamp(conv(X) + residual, low, high))
/// oneDNN with weights reordered once; any padding; channels_last in and out. The residual is overwritten when it dies here.
/// "FakeQuantize": X. Attributes of QuantizePass; in place when X dies here.
/// Throws like a KernelFactory.
Kernel makeFusedKernel(const Node &node);

Kernel fusedConvKernel(const Node &node);
Kernel fakeQuantizeKernel(const Node &node);

/// Bounds of a Relu, or of a Clip with constant bounds; nullopt for everything else.
std::optional<PreClamp> clampOf(const Graph &graph, const Node &node);
void setClamp(Node &node, PreClamp clamp);
PreClamp clampAttribute(const Node &node);

/// A fake quantization with the clamp before it, split over the threads.
struct QuantizePass {
    AffineParams params;
    PreClamp clamp;
    void operator()(const float *x, float *y, std::int64_t count) const;
};
void setQuantizePass(Node &node, const QuantizePass &pass);
std::optional<QuantizePass> quantizePassAttribute(const Node &node);

/// Who makes and reads each value, as it was when this was built; nodes removed since are not found.
class ValueUsers {
public:
    explicit ValueUsers(const Graph &graph);
    /// The one reader of a value that nobody else sees (no graph output, captured by no body); else invalid.
    NodeId soleReader(ValueId value) const;
    /// The node that makes such a value; else invalid.
    NodeId soleProducer(ValueId value) const;

private:
    const Graph &m_graph;
    std::vector<NodeId> m_readers, m_producers;
};

/// QuantizeLinear → DequantizeLinear with one constant scale, and a Relu or Clip before it.
void fuseFakeQuantize(Graph &part);
/// Conv with constant weights, then Add, then Relu or Clip, then FakeQuantize.
void fuseConvolutions(Graph &part);

} // namespace core

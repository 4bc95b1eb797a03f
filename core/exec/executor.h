// Runs a Graph on LibTorch: planned once, channels_last, tensors freed at their last use, any tensor can be fed,
// fetched or tapped. Differentiable when built with autograd.
#pragma once

#include "core/base/error.h"
#include "core/exec/op_registry.h"
#include "core/graph/graph.h"

#include <ATen/core/Tensor.h>

#include <functional>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

namespace core {

struct ExecutorOptions {
    /// Values given to run() instead of the graph's inputs (any tensor: a partial run). Empty = graph.inputs.
    std::vector<ValueId> feeds;
    /// Values returned by run(), in this order. Empty = graph.outputs.
    std::vector<ValueId> fetches;
    /// Values shown to the tap, in the order in which they are made. Feeds and constants may be among them.
    std::vector<ValueId> taps;
    /// No folding, no in-place: gradients flow to feeds that require grad and to parameters(). Where one would be cut that is only not implemented,
    /// run() throws Error{Unsupported} naming the node.
    bool autograd = false;
    bool optimize = true;        ///< fold Conv + BatchNormalization, fuse activations, work in place
    /// Nodes that run this instead of their operator's kernel (fake quantization while a model is trained).
    std::unordered_map<NodeId, Kernel> kernels;
};

class Executor {
public:
    /// The tensor is only valid during the call and must not be written.
    using Tap = std::function<void(ValueId, const at::Tensor &)>;

    /// Throws Error{Unsupported} that lists every node that cannot run, not only the first.
    explicit Executor(std::shared_ptr<const Graph> graph, ExecutorOptions options = {});
    ~Executor();
    Executor(Executor &&) noexcept;
    Executor &operator=(Executor &&) noexcept;

    /// Feeds in the order of options.feeds (or graph.inputs); float tensors are contiguous NCHW or channels_last.
    /// Throws Error{InvalidInput} naming the node at which shapes do not fit. Deterministic for any thread count
    /// and any split of the batch (inference).
    std::vector<at::Tensor> run(std::span<const at::Tensor> feeds, const Tap &tap = {});

    /// Constants as tensors, by value id. When built with autograd, float ones are leaves that require grad, except those that only steer operators
    /// (bounds of Clip, scales of Resize…); what is not to be trained should have it switched off, which saves the time of its gradient.
    std::unordered_map<ValueId, at::Tensor> &parameters();

    const std::vector<ValueId> &feeds() const;
    const std::vector<ValueId> &fetches() const;

private:
    struct Plan;
    std::unique_ptr<Plan> m_plan;
};

/// Every node of the graph that cannot be executed, with the reason.
Diagnostics unsupportedNodes(const Graph &graph);

/// Conversions between plain constants and tensors (fp16, bf16, fp8 → float32; 4-bit → int8).
at::Tensor toTensor(const TensorData &data);
TensorData toTensorData(const at::Tensor &tensor);
/// Stored as `type`: what op_common.h says lives in this tensor's torch type. Throws Error{InvalidInput} when a value does not fit.
TensorData toTensorData(const at::Tensor &tensor, DataType type);

/// Process-wide set-up: keeps freed memory (mallopt, PERFORMANCE.md), sets the threads of LibTorch, OpenBLAS and oneDNN.
/// threads 0 = all cores. Safe to call again.
void configureEngine(int threads);
int engineThreads();

} // namespace core

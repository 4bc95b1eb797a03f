// One operator family = one ops_*.cpp file + one line in op_registry.cpp.
#pragma once

#include "core/graph/graph.h"

#include <ATen/core/Tensor.h>

#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace core {

/// One call of a kernel. Omitted optional inputs are undefined tensors.
struct OpCall {
    std::span<const at::Tensor> inputs;       ///< the node's, then what its bodies capture (capturedNames)
    std::vector<at::Tensor> outputs;          ///< filled by the kernel, same count as the node's outputs
    /// Input i dies with this call and is owned by the executor: its memory may be written (never while autograd records).
    std::function<bool(std::size_t)> mayOverwrite;
};

using Kernel = std::function<void(OpCall &)>;
/// Reads the attributes once. `graph` gives constant inputs and known shapes.
/// Throws Error{Unsupported or InvalidInput} whose sentence names the node and the attribute.
using KernelFactory = std::function<Kernel(const Node &, const Graph &)>;

class OpRegistry {
public:
    /// All operator families of core/exec.
    static const OpRegistry &instance();

    /// Throws Error{Internal} when the operator is there already.
    void add(const std::string &opType, KernelFactory factory, const std::string &domain = {});
    /// nullptr for an operator without kernel.
    const KernelFactory *find(const Node &node) const;
    /// Rising; operators of other domains as "domain.Type".
    std::vector<std::string> supportedOps() const;

private:
    std::map<std::pair<std::string, std::string>, KernelFactory> m_factories;
};

// Registration functions, one for each ops_*.cpp.
void registerConvOps(OpRegistry &);
void registerLinearOps(OpRegistry &);
void registerPoolOps(OpRegistry &);
void registerNormOps(OpRegistry &);
void registerActivationOps(OpRegistry &);
void registerElementwiseOps(OpRegistry &);
void registerReduceOps(OpRegistry &);
void registerShapeOps(OpRegistry &);
void registerIndexOps(OpRegistry &);
void registerResizeOps(OpRegistry &);
void registerDetectionOps(OpRegistry &);
void registerRecurrentOps(OpRegistry &);
void registerQuantOps(OpRegistry &);
void registerCastOps(OpRegistry &);
void registerControlOps(OpRegistry &);

} // namespace core

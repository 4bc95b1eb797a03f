// Gemm, MatMul, Det.
#include "core/exec/matrix_product.h"
#include "core/exec/op_common.h"

#include <ATen/ATen.h>

namespace core {
namespace {

std::string sizesText(const at::Tensor &x)
{
    std::string text = "[";
    for (const auto size : x.sizes()) {
        if (text.size() > 1)
            text += 'x';
        text += std::to_string(size);
    }
    text += ']';
    return text;
}

// Packing a large constant once would double its memory and gain little.
bool worthKeeping(const Node &node, const Graph &graph)
{
    const TensorData *data = node.input(1).valid() ? graph.constant(node.input(1)) : nullptr;
    return data && data->dims.size() == 2 && data->count() <= (std::int64_t(4) << 20);
}

Kernel gemmKernel(const Node &node, const Graph &graph)
{
    const bool transA = node.intAttribute("transA", 0) != 0, transB = node.intAttribute("transB", 0) != 0;
    return [transA, transB, keeps = worthKeeping(node, graph), packed = PackedOperand(), alpha = node.floatAttribute("alpha", 1), beta = node.floatAttribute("beta", 1), label = nodeLabel(node)](OpCall &call) {
        const at::Tensor &a = call.inputs[0], &b = call.inputs[1], c = call.inputs.size() > 2 ? call.inputs[2] : at::Tensor{};
        if (a.dim() != 2 || b.dim() != 2 || a.size(transA ? 0 : 1) != b.size(transB ? 1 : 0))
            failCall(ErrorKind::InvalidInput, label, "A is " + sizesText(a) + " and B " + sizesText(b) + ", which do not fit.");
        at::Tensor result = matrixProduct(transA ? a.t() : a, transB ? b.t() : b, keeps ? &packed : nullptr);
        if (alpha != 1)
            result = (result * alpha).to(a.scalar_type());
        if (c.defined() && beta != 0)
            result = result + (beta == 1 ? c : (c * beta).to(c.scalar_type()));
        call.outputs[0] = result;
    };
}

Kernel matMulKernel(const Node &node, const Graph &graph)
{
    return [keeps = worthKeeping(node, graph), packed = PackedOperand(), label = nodeLabel(node)](OpCall &call) {
        const at::Tensor &a = call.inputs[0], &b = call.inputs[1];
        if (a.dim() == 0 || b.dim() == 0 || a.size(-1) != b.size(b.dim() == 1 ? 0 : -2))
            failCall(ErrorKind::InvalidInput, label, "A is " + sizesText(a) + " and B " + sizesText(b) + ", which do not fit.");
        call.outputs[0] = matrixProduct(a, b, keeps ? &packed : nullptr);
    };
}

Kernel detKernel(const Node &node, const Graph &)
{
    return [label = nodeLabel(node)](OpCall &call) {
        const at::Tensor &x = call.inputs[0];
        if (x.dim() < 2 || x.size(-1) != x.size(-2))
            failCall(ErrorKind::InvalidInput, label, "the input is " + sizesText(x) + ", not square.");
        call.outputs[0] = at::det(x);
    };
}

} // namespace

void registerLinearOps(OpRegistry &registry)
{
    registry.add("Gemm", gemmKernel);
    registry.add("MatMul", matMulKernel);
    registry.add("Det", detKernel);
    registerAttentionOps(registry);
}

} // namespace core

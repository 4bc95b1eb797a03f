// Matrix products of tensors: at::matmul's broadcasting, with bits that depend neither on threads nor on how a batch is
// split (core/kernels/gemm.h).
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>

namespace core {

/// Keeps the packed form of a right operand that is the same at every call (a constant matrix). Notices other tensors and changes in place.
class PackedOperand {
public:
    PackedOperand();
    at::Tensor pack(const at::Tensor &b) const;   ///< b is a float32 matrix
private:
    struct Memory;
    std::shared_ptr<Memory> m_memory;             ///< shared by copies
};

/// Shapes must fit as at::matmul wants them. Calls that autograd records, and types other than float32, go to at::matmul.
at::Tensor matrixProduct(const at::Tensor &a, const at::Tensor &b, const PackedOperand *operand = nullptr);
/// x · wᵀ (+ bias, which may be undefined).
at::Tensor linearProduct(const at::Tensor &x, const at::Tensor &w, const at::Tensor &bias);

} // namespace core

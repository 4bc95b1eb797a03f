// Quantizing and dequantizing tensors as ONNX's QuantizeLinear and DequantizeLinear define it, for the operators
// of ops_quant.cpp and ops_qlinear.cpp.
#pragma once

#include "core/graph/tensor_data.h"

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>

namespace core {

/// Where the scales and zero points of a tensor vary.
struct QuantGrain {
    std::int64_t axis = 1;
    std::int64_t blockSize = 0;   ///< 0 = one scale for an index of the axis (or for the tensor)
};

struct IntegerLimits {
    std::int64_t min = 0, max = 255;
};
/// Throws Error{Unsupported} when `type` is no integer type that values are quantized to.
IntegerLimits integerLimits(DataType type, const std::string &label);

/// ONNX type of the codes that a zero point of this torch type stands for, when the graph does not say.
DataType codeType(at::ScalarType type);

/// `parameter` (one number, one an index of the axis, or one a block) reshaped so that it broadcasts against x.
/// Throws Error{InvalidInput} when it does not fit.
at::Tensor alignParameter(const at::Tensor &parameter, const at::Tensor &x, const QuantGrain &grain, const std::string &label);

/// round(x / scale) half to even + zero point, saturated; codes in the torch type of `type` (op_common.h).
/// fp8 types give float tensors on the type's grid. zeroPoint may be undefined.
at::Tensor quantizeTensor(const at::Tensor &x, const at::Tensor &scale, const at::Tensor &zeroPoint, DataType type, const QuantGrain &grain,
                          bool saturate, const std::string &label);
/// (x − zero point) · scale in float32.
at::Tensor dequantizeTensor(const at::Tensor &x, const at::Tensor &scale, const at::Tensor &zeroPoint, const QuantGrain &grain,
                            const std::string &label);

} // namespace core

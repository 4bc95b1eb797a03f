// TensorProto ⇄ TensorData.
#pragma once

#include "core/graph/tensor_data.h"

#include <string>

namespace onnx {
class TensorProto;
class SparseTensorProto;
}

namespace core {

struct ReadContext;

/// Takes the data out of `tensor`. `what` begins the sentences of errors: "Tensor 'w'". Sizes are checked before memory is taken.
TensorData tensorFromProto(onnx::TensorProto &tensor, ReadContext &context, const std::string &what);
/// Dense.
TensorData tensorFromSparse(onnx::SparseTensorProto &sparse, ReadContext &context, const std::string &what);

/// Everything but the bytes: dims, type, strings, doc string.
void tensorHeadToProto(const TensorData &data, onnx::TensorProto &tensor);
/// With raw_data, whatever the type.
void tensorToProto(const TensorData &data, onnx::TensorProto &tensor);

} // namespace core

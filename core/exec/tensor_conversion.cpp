#include "core/exec/executor.h"
#include "core/exec/op_common.h"

#include <ATen/ATen.h>

#include <cstring>

namespace core {
namespace {

template <class T, class Source>
at::Tensor copied(const std::vector<Source> &values, const std::vector<std::int64_t> &dims, at::ScalarType type)
{
    at::Tensor tensor = at::empty(dims, at::TensorOptions().dtype(type));
    T *target = tensor.data_ptr<T>();
    for (std::size_t i = 0; i < values.size(); ++i)
        target[i] = T(values[i]);
    return tensor;
}

// Types whose bytes are those of the tensor.
bool sameBytes(DataType type)
{
    switch (type) {
    case DataType::Float32: case DataType::Float64: case DataType::Int8: case DataType::UInt8: case DataType::Int16:
    case DataType::Int32: case DataType::Int64: case DataType::UInt64:
        return true;
    default: return false;
    }
}

DataType plainType(at::ScalarType type)
{
    switch (type) {
    case at::kFloat: return DataType::Float32;
    case at::kDouble: return DataType::Float64;
    case at::kHalf: return DataType::Float16;
    case at::kBFloat16: return DataType::BFloat16;
    case at::kBool: return DataType::Bool;
    case at::kChar: return DataType::Int8;
    case at::kByte: return DataType::UInt8;
    case at::kShort: return DataType::Int16;
    case at::kInt: return DataType::Int32;
    case at::kLong: return DataType::Int64;
    default: throw Error(ErrorKind::Unsupported, "tensor", std::string("Tensors of torch type ") + c10::toString(type) + " have no ONNX type.");
    }
}

std::vector<std::byte> bytesOf(const at::Tensor &tensor)
{
    std::vector<std::byte> bytes(tensor.nbytes());
    if (!bytes.empty())
        std::memcpy(bytes.data(), tensor.data_ptr(), bytes.size());
    return bytes;
}

template <class Code, class Convert>
TensorData encoded(const at::Tensor &tensor, DataType type, std::vector<std::int64_t> dims, Convert convert)
{
    const at::Tensor values = tensor.to(at::kFloat);
    const float *source = values.data_ptr<float>();
    std::vector<std::byte> bytes(std::size_t(values.numel()) * sizeof(Code));
    for (std::size_t i = 0; i < std::size_t(values.numel()); ++i) {
        const Code code = convert(source[i]);
        std::memcpy(bytes.data() + i * sizeof(Code), &code, sizeof(Code));
    }
    return TensorData::fromBytes(type, std::move(dims), std::move(bytes));
}

} // namespace

at::Tensor toTensor(const TensorData &data)
{
    const at::ScalarType storage = storageScalarType(data.type, "Constant");
    const std::int64_t count = data.count();
    if (sameBytes(data.type)) {
        const std::int64_t needed = byteSize(data.type, count);
        if (needed > 0 && (!data.bytes || std::int64_t(data.bytes->size()) < needed))
            throw Error(ErrorKind::InvalidInput, "tensor", "A constant of type " + dataTypeName(data.type) + " with " + std::to_string(count)
                        + " elements has only " + std::to_string(data.bytes ? data.bytes->size() : 0) + " bytes.");
        at::Tensor tensor = at::empty(data.dims, at::TensorOptions().dtype(storage));
        if (needed > 0)
            std::memcpy(tensor.data_ptr(), data.bytes->data(), std::size_t(needed));
        return tensor;
    }
    switch (storage) {
    case at::kFloat: return copied<float>(data.toFloats(), data.dims, storage);
    case at::kBool: {
        std::vector<std::int64_t> values = data.toInt64s();
        for (std::int64_t &value : values)
            value = value != 0;
        return copied<bool>(values, data.dims, storage);
    }
    case at::kChar: return copied<std::int8_t>(data.toInt64s(), data.dims, storage);
    case at::kByte: return copied<std::uint8_t>(data.toInt64s(), data.dims, storage);
    case at::kInt: return copied<std::int32_t>(data.toInt64s(), data.dims, storage);
    default: return copied<std::int64_t>(data.toInt64s(), data.dims, at::kLong);
    }
}

TensorData toTensorData(const at::Tensor &tensor)
{
    return toTensorData(tensor, plainType(tensor.scalar_type()));
}

TensorData toTensorData(const at::Tensor &given, DataType type)
{
    const at::Tensor tensor = given.detach().contiguous(at::MemoryFormat::Contiguous);
    std::vector<std::int64_t> dims(tensor.sizes().begin(), tensor.sizes().end());
    switch (type) {
    case DataType::Float16: return encoded<std::uint16_t>(tensor, type, std::move(dims), floatToHalf);
    case DataType::BFloat16: return encoded<std::uint16_t>(tensor, type, std::move(dims), floatToBfloat16);
    case DataType::Float8E4M3FN: case DataType::Float8E4M3FNUZ: case DataType::Float8E5M2: case DataType::Float8E5M2FNUZ:
        return encoded<std::uint8_t>(tensor, type, std::move(dims), [type](float value) { return floatToFloat8(value, type); });
    default: break;
    }
    const at::ScalarType storage = storageScalarType(type, "Constant");
    if (sameBytes(type) && tensor.scalar_type() == storage)
        return TensorData::fromBytes(type, std::move(dims), bytesOf(tensor));
    if (storage == at::kFloat || storage == at::kDouble)
        return TensorData::fromBytes(type, std::move(dims), bytesOf(tensor.to(storage)));
    return TensorData::fromIntegers(type, std::move(dims), toInts(tensor));
}

} // namespace core

#include "core/graph/tensor_data.h"

#include "core/base/error.h"

#include <cstring>
#include <limits>

namespace core {

namespace {

constexpr std::int64_t largestCount = std::int64_t(1) << 48;

template <class T>
std::vector<std::byte> bytesOf(std::span<const T> values)
{
    std::vector<std::byte> bytes(values.size_bytes());
    if (!bytes.empty())
        std::memcpy(bytes.data(), values.data(), bytes.size());
    return bytes;
}

void requireCount(std::span<const std::int64_t> dims, std::size_t have)
{
    if (elementCount(dims) != std::int64_t(have))
        throw Error(ErrorKind::Internal, "tensor", "The dimensions ask for " + std::to_string(elementCount(dims))
                        + " elements, but " + std::to_string(have) + " were given.");
}

bool isSignedInteger(DataType type)
{
    switch (type) {
    case DataType::Int2:
    case DataType::Int4:
    case DataType::Int8:
    case DataType::Int16:
    case DataType::Int32:
    case DataType::Int64: return true;
    default: return false;
    }
}

template <class T>
T elementAt(const std::byte *bytes, std::int64_t index)
{
    T value;
    std::memcpy(&value, bytes + std::size_t(index) * sizeof(T), sizeof(T));
    return value;
}

/// Packed 2- and 4-bit elements, lowest bits first.
std::int64_t packedAt(const std::byte *bytes, std::int64_t index, int bits, bool isSigned)
{
    const std::int64_t bit = index * bits;
    const int code = (std::to_integer<int>(bytes[bit / 8]) >> (bit % 8)) & ((1 << bits) - 1);
    return isSigned && code >= (1 << (bits - 1)) ? code - (1 << bits) : code;
}

float float4ToFloat(int code)
{
    constexpr float magnitudes[8] = {0, 0.5f, 1, 1.5f, 2, 3, 4, 6};
    return code & 8 ? -magnitudes[code & 7] : magnitudes[code & 7];
}

template <class T>
T convertedAt(const TensorData &data, std::int64_t i)
{
    const std::byte *bytes = data.bytes->data();
    switch (data.type) {
    case DataType::Float32: return T(elementAt<float>(bytes, i));
    case DataType::Float64: return T(elementAt<double>(bytes, i));
    case DataType::Float16: return T(halfToFloat(elementAt<std::uint16_t>(bytes, i)));
    case DataType::BFloat16: return T(bfloat16ToFloat(elementAt<std::uint16_t>(bytes, i)));
    case DataType::Int8: return T(elementAt<std::int8_t>(bytes, i));
    case DataType::Bool:
    case DataType::UInt8: return T(elementAt<std::uint8_t>(bytes, i));
    case DataType::Int16: return T(elementAt<std::int16_t>(bytes, i));
    case DataType::UInt16: return T(elementAt<std::uint16_t>(bytes, i));
    case DataType::Int32: return T(elementAt<std::int32_t>(bytes, i));
    case DataType::UInt32: return T(elementAt<std::uint32_t>(bytes, i));
    case DataType::Int64: return T(elementAt<std::int64_t>(bytes, i));
    case DataType::UInt64: return T(elementAt<std::uint64_t>(bytes, i));
    case DataType::Int4:
    case DataType::UInt4: return T(packedAt(bytes, i, 4, data.type == DataType::Int4));
    case DataType::Int2:
    case DataType::UInt2: return T(packedAt(bytes, i, 2, data.type == DataType::Int2));
    case DataType::Float4E2M1: return T(float4ToFloat(int(packedAt(bytes, i, 4, false))));
    case DataType::Float8E4M3FN:
    case DataType::Float8E4M3FNUZ:
    case DataType::Float8E5M2:
    case DataType::Float8E5M2FNUZ: return T(float8ToFloat(elementAt<std::uint8_t>(bytes, i), data.type));
    default: return T{};
    }
}

template <class T>
std::vector<T> converted(const TensorData &data)
{
    if (!data.bytes || bitsPerElement(data.type) == 0 || data.type == DataType::Complex64 || data.type == DataType::Complex128
        || data.type == DataType::Float8E8M0)
        throw Error(ErrorKind::Unsupported, "tensor", "A tensor of type " + dataTypeName(data.type) + " has no numeric form here.");
    const std::int64_t count = data.count();
    if (byteSize(data.type, count) > std::int64_t(data.bytes->size()))
        throw Error(ErrorKind::InvalidInput, "tensor", "A " + dataTypeName(data.type) + " tensor of " + std::to_string(count)
                        + " elements has only " + std::to_string(data.bytes->size()) + " bytes.");
    std::vector<T> values(std::size_t(count), T{});
    for (std::int64_t i = 0; i < count; ++i)
        values[std::size_t(i)] = convertedAt<T>(data, i);
    return values;
}

} // namespace

std::string dataTypeName(DataType type)
{
    static constexpr const char *names[] = {"undefined", "float32", "uint8", "int8", "uint16", "int16", "int32", "int64", "string",
                                            "bool", "float16", "float64", "uint32", "uint64", "complex64", "complex128", "bfloat16",
                                            "float8_e4m3fn", "float8_e4m3fnuz", "float8_e5m2", "float8_e5m2fnuz", "uint4", "int4",
                                            "float4_e2m1", "float8_e8m0", "uint2", "int2"};
    const auto code = std::size_t(type);
    return std::int32_t(type) >= 0 && code < std::size(names) ? names[code] : "type " + std::to_string(std::int32_t(type));
}

int bitsPerElement(DataType type)
{
    switch (type) {
    case DataType::Int2:
    case DataType::UInt2: return 2;
    case DataType::Int4:
    case DataType::UInt4:
    case DataType::Float4E2M1: return 4;
    case DataType::UInt8:
    case DataType::Int8:
    case DataType::Bool:
    case DataType::Float8E4M3FN:
    case DataType::Float8E4M3FNUZ:
    case DataType::Float8E5M2:
    case DataType::Float8E5M2FNUZ:
    case DataType::Float8E8M0: return 8;
    case DataType::UInt16:
    case DataType::Int16:
    case DataType::Float16:
    case DataType::BFloat16: return 16;
    case DataType::Float32:
    case DataType::Int32:
    case DataType::UInt32: return 32;
    case DataType::Float64:
    case DataType::Int64:
    case DataType::UInt64:
    case DataType::Complex64: return 64;
    case DataType::Complex128: return 128;
    default: return 0;
    }
}

bool isFloatingPoint(DataType type)
{
    switch (type) {
    case DataType::Float32:
    case DataType::Float64:
    case DataType::Float16:
    case DataType::BFloat16:
    case DataType::Float8E4M3FN:
    case DataType::Float8E4M3FNUZ:
    case DataType::Float8E5M2:
    case DataType::Float8E5M2FNUZ:
    case DataType::Float4E2M1:
    case DataType::Float8E8M0: return true;
    default: return false;
    }
}

bool isInteger(DataType type)
{
    switch (type) {
    case DataType::UInt2:
    case DataType::UInt4:
    case DataType::UInt8:
    case DataType::UInt16:
    case DataType::UInt32:
    case DataType::UInt64: return true;
    default: return isSignedInteger(type);
    }
}

std::int64_t elementCount(std::span<const std::int64_t> dims)
{
    std::int64_t count = 1;
    bool tooLarge = false;
    for (const std::int64_t size : dims) {
        if (size < 0)
            throw Error(ErrorKind::InvalidInput, "tensor", "A tensor has the negative dimension " + std::to_string(size) + ".");
        if (size == 0)
            return 0;
        tooLarge = tooLarge || count > largestCount / size;
        count = tooLarge ? largestCount : count * size;
    }
    if (tooLarge)
        throw Error(ErrorKind::InvalidInput, "tensor", "A tensor's dimensions ask for more than 2^48 elements.");
    return count;
}

std::int64_t byteSize(DataType type, std::int64_t count)
{
    return (count * bitsPerElement(type) + 7) / 8;
}

TensorData TensorData::fromFloats(std::vector<std::int64_t> dims, std::span<const float> values)
{
    requireCount(dims, values.size());
    return fromBytes(DataType::Float32, std::move(dims), bytesOf(values));
}

TensorData TensorData::fromInt64s(std::vector<std::int64_t> dims, std::span<const std::int64_t> values)
{
    requireCount(dims, values.size());
    return fromBytes(DataType::Int64, std::move(dims), bytesOf(values));
}

TensorData TensorData::fromInt32s(std::vector<std::int64_t> dims, std::span<const std::int32_t> values)
{
    requireCount(dims, values.size());
    return fromBytes(DataType::Int32, std::move(dims), bytesOf(values));
}

TensorData TensorData::fromBytes(DataType type, std::vector<std::int64_t> dims, std::vector<std::byte> bytes)
{
    TensorData data;
    data.type = type;
    data.dims = std::move(dims);
    data.bytes = std::make_shared<const std::vector<std::byte>>(std::move(bytes));
    return data;
}

TensorData TensorData::fromIntegers(DataType type, std::vector<std::int64_t> dims, std::span<const std::int64_t> values)
{
    requireCount(dims, values.size());
    const int bits = bitsPerElement(type);
    if (!isInteger(type))
        throw Error(ErrorKind::Internal, "tensor", dataTypeName(type) + " is not an integer type.");
    const bool isSigned = isSignedInteger(type);
    const std::int64_t lowest = !isSigned ? 0 : bits == 64 ? std::numeric_limits<std::int64_t>::min() : -(std::int64_t(1) << (bits - 1));
    const std::int64_t highest = bits == 64 ? std::numeric_limits<std::int64_t>::max()
                                            : (std::int64_t(1) << (isSigned ? bits - 1 : bits)) - 1;
    std::vector<std::byte> bytes(std::size_t(byteSize(type, std::int64_t(values.size()))), std::byte{0});
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (values[i] < lowest || values[i] > highest)
            throw Error(ErrorKind::Internal, "tensor", std::to_string(values[i]) + " does not fit into " + dataTypeName(type) + ".");
        if (bits >= 8) {
            std::memcpy(bytes.data() + i * std::size_t(bits / 8), &values[i], std::size_t(bits / 8));
        } else {
            const std::size_t bit = i * std::size_t(bits);
            bytes[bit / 8] |= std::byte((values[i] & ((1 << bits) - 1)) << (bit % 8));
        }
    }
    return fromBytes(type, std::move(dims), std::move(bytes));
}

std::vector<float> TensorData::toFloats() const
{
    return converted<float>(*this);
}

std::vector<double> TensorData::toDoubles() const
{
    return converted<double>(*this);
}

std::vector<std::int64_t> TensorData::toInt64s() const
{
    return converted<std::int64_t>(*this);
}

bool TensorData::sameAs(const TensorData &other) const
{
    if (type != other.type || dims != other.dims || !bytes != !other.bytes || !strings != !other.strings)
        return false;
    return (!bytes || bytes == other.bytes || *bytes == *other.bytes) && (!strings || *strings == *other.strings);
}

} // namespace core

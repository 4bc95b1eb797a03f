#include "core/graph/tensor_data.h"

#include "core/base/error.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

namespace core {
namespace {

static_assert(std::endian::native == std::endian::little, "TensorData keeps little-endian bytes and reads them in place");

constexpr std::int64_t maxElements = std::int64_t(1) << 48;

struct IntegerRange { std::int64_t lowest, highest; };

IntegerRange integerRange(DataType type)
{
    switch (type) {
    case DataType::Bool: return {0, 1};
    case DataType::UInt2: return {0, 3};
    case DataType::Int2: return {-2, 1};
    case DataType::UInt4: return {0, 15};
    case DataType::Int4: return {-8, 7};
    case DataType::UInt8: return {0, 255};
    case DataType::Int8: return {-128, 127};
    case DataType::UInt16: return {0, 65535};
    case DataType::Int16: return {-32768, 32767};
    case DataType::UInt32: return {0, 4294967295};
    case DataType::Int32: return {std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::max()};
    case DataType::UInt64: return {0, std::numeric_limits<std::int64_t>::max()};
    case DataType::Int64: return {std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()};
    default: throw Error(ErrorKind::Unsupported, "tensor", "Integers cannot be stored as " + dataTypeName(type) + ".");
    }
}

struct Float8Format { int mantissaBits, smallestExponent; std::uint8_t largestCode, nan; bool negativeZero; };

Float8Format float8Format(DataType type)
{
    switch (type) {
    case DataType::Float8E4M3FN: return {3, -6, 0x7E, 0x7F, true};
    case DataType::Float8E4M3FNUZ: return {3, -7, 0x7F, 0x80, false};
    case DataType::Float8E5M2: return {2, -14, 0x7B, 0x7F, true};
    case DataType::Float8E5M2FNUZ: return {2, -15, 0x7F, 0x80, false};
    default: throw Error(ErrorKind::Unsupported, "tensor", "Type " + dataTypeName(type) + " is not an 8-bit float.");
    }
}

float float4ToFloat(unsigned bits)
{
    constexpr float magnitudes[8] = {0.0f, 0.5f, 1.0f, 1.5f, 2.0f, 3.0f, 4.0f, 6.0f};
    return (bits & 8) ? -magnitudes[bits & 7] : magnitudes[bits & 7];
}

unsigned packedField(const std::byte *data, std::size_t index, int bits)
{
    const std::size_t perByte = 8 / std::size_t(bits);
    const unsigned byte = std::to_integer<unsigned>(data[index / perByte]);
    return (byte >> (index % perByte * std::size_t(bits))) & ((1u << bits) - 1);
}

template <class T>
T load(const std::byte *data, std::size_t index)
{
    T value;
    std::memcpy(&value, data + index * sizeof(T), sizeof(T));
    return value;
}

/// double → int64 without undefined behaviour.
std::int64_t toInteger(double value)
{
    if (std::isnan(value))
        return 0;
    if (value >= 9223372036854775808.0)
        return std::numeric_limits<std::int64_t>::max();
    if (value < -9223372036854775808.0)
        return std::numeric_limits<std::int64_t>::min();
    return std::int64_t(value);
}

template <class Out, class T>
Out convertTo(T value)
{
    if constexpr (std::is_same_v<Out, std::int64_t> && std::is_floating_point_v<T>)
        return toInteger(value);
    else
        return static_cast<Out>(value);
}

template <class Out, class Element>
std::vector<Out> eachElement(std::size_t count, Element element)
{
    std::vector<Out> out(count);
    for (std::size_t i = 0; i < count; ++i)
        out[i] = convertTo<Out>(element(i));
    return out;
}

template <class Out>
std::vector<Out> convertAll(const TensorData &tensor)
{
    const auto count = std::size_t(tensor.count());
    if (bitsPerElement(tensor.type) == 0)
        throw Error(ErrorKind::Unsupported, "tensor", "Elements of type " + dataTypeName(tensor.type) + " are not numbers this program can read.");
    const std::int64_t needed = byteSize(tensor.type, std::int64_t(count));
    if (needed > 0 && (!tensor.bytes || std::int64_t(tensor.bytes->size()) < needed))
        throw Error(ErrorKind::InvalidInput, "tensor", "A " + dataTypeName(tensor.type) + " tensor of " + std::to_string(count) + " elements needs "
                    + std::to_string(needed) + " bytes and has " + std::to_string(tensor.bytes ? tensor.bytes->size() : 0) + ".");
    if (count == 0)
        return {};
    const std::byte *data = tensor.bytes->data();
    const auto plain = [&]<class T>(T) { return eachElement<Out>(count, [data](std::size_t i) { return load<T>(data, i); }); };
    switch (tensor.type) {
    case DataType::Float32: return plain(float{});
    case DataType::Float64: return plain(double{});
    case DataType::UInt8: case DataType::Bool: return plain(std::uint8_t{});
    case DataType::Int8: return plain(std::int8_t{});
    case DataType::UInt16: return plain(std::uint16_t{});
    case DataType::Int16: return plain(std::int16_t{});
    case DataType::UInt32: return plain(std::uint32_t{});
    case DataType::Int32: return plain(std::int32_t{});
    case DataType::UInt64: return plain(std::uint64_t{});
    case DataType::Int64: return plain(std::int64_t{});
    case DataType::Float16: return eachElement<Out>(count, [data](std::size_t i) { return halfToFloat(load<std::uint16_t>(data, i)); });
    case DataType::BFloat16: return eachElement<Out>(count, [data](std::size_t i) { return bfloat16ToFloat(load<std::uint16_t>(data, i)); });
    case DataType::Float8E4M3FN: case DataType::Float8E4M3FNUZ: case DataType::Float8E5M2: case DataType::Float8E5M2FNUZ:
        return eachElement<Out>(count, [data, type = tensor.type](std::size_t i) { return float8ToFloat(load<std::uint8_t>(data, i), type); });
    case DataType::Float8E8M0:
        return eachElement<Out>(count, [data](std::size_t i) {
            const int code = load<std::uint8_t>(data, i);
            return code == 255 ? std::numeric_limits<double>::quiet_NaN() : std::ldexp(1.0, code - 127);
        });
    case DataType::Float4E2M1: return eachElement<Out>(count, [data](std::size_t i) { return float4ToFloat(packedField(data, i, 4)); });
    case DataType::UInt4: case DataType::UInt2:
        return eachElement<Out>(count, [data, bits = bitsPerElement(tensor.type)](std::size_t i) { return packedField(data, i, bits); });
    case DataType::Int4: case DataType::Int2:
        return eachElement<Out>(count, [data, bits = bitsPerElement(tensor.type)](std::size_t i) {
            const int value = int(packedField(data, i, bits));
            return value >= (1 << (bits - 1)) ? value - (1 << bits) : value;
        });
    default: throw Error(ErrorKind::Unsupported, "tensor", "Elements of type " + dataTypeName(tensor.type) + " cannot be converted to real numbers.");
    }
}

void checkCount(const std::vector<std::int64_t> &dims, std::size_t count)
{
    if (elementCount(dims) != std::int64_t(count))
        throw Error(ErrorKind::InvalidInput, "tensor", "The dimensions ask for " + std::to_string(elementCount(dims)) + " elements, "
                    + std::to_string(count) + " were given.");
}

template <class T>
TensorData fromPlain(DataType type, std::vector<std::int64_t> dims, std::span<const T> values)
{
    checkCount(dims, values.size());
    std::vector<std::byte> bytes(values.size_bytes());
    if (!bytes.empty())
        std::memcpy(bytes.data(), values.data(), bytes.size());
    return TensorData::fromBytes(type, std::move(dims), std::move(bytes));
}

} // namespace

std::string dataTypeName(DataType type)
{
    static constexpr const char *names[] = {"undefined", "float32", "uint8", "int8", "uint16", "int16", "int32", "int64", "string", "bool",
        "float16", "float64", "uint32", "uint64", "complex64", "complex128", "bfloat16", "float8e4m3fn", "float8e4m3fnuz", "float8e5m2",
        "float8e5m2fnuz", "uint4", "int4", "float4e2m1", "float8e8m0", "uint2", "int2"};
    const auto code = std::int32_t(type);
    if (code < 0 || code >= std::int32_t(std::size(names)))
        return "type " + std::to_string(code);
    return names[code];
}

int bitsPerElement(DataType type)
{
    switch (type) {
    case DataType::UInt2: case DataType::Int2: return 2;
    case DataType::UInt4: case DataType::Int4: case DataType::Float4E2M1: return 4;
    case DataType::UInt8: case DataType::Int8: case DataType::Bool: case DataType::Float8E4M3FN: case DataType::Float8E4M3FNUZ:
    case DataType::Float8E5M2: case DataType::Float8E5M2FNUZ: case DataType::Float8E8M0: return 8;
    case DataType::UInt16: case DataType::Int16: case DataType::Float16: case DataType::BFloat16: return 16;
    case DataType::Float32: case DataType::Int32: case DataType::UInt32: return 32;
    case DataType::Float64: case DataType::Int64: case DataType::UInt64: case DataType::Complex64: return 64;
    case DataType::Complex128: return 128;
    default: return 0;
    }
}

bool isFloatingPoint(DataType type)
{
    switch (type) {
    case DataType::Float32: case DataType::Float16: case DataType::Float64: case DataType::BFloat16: case DataType::Float8E4M3FN:
    case DataType::Float8E4M3FNUZ: case DataType::Float8E5M2: case DataType::Float8E5M2FNUZ: case DataType::Float4E2M1:
    case DataType::Float8E8M0: return true;
    default: return false;
    }
}

bool isInteger(DataType type)
{
    switch (type) {
    case DataType::UInt8: case DataType::Int8: case DataType::UInt16: case DataType::Int16: case DataType::Int32: case DataType::Int64:
    case DataType::UInt32: case DataType::UInt64: case DataType::UInt4: case DataType::Int4: case DataType::UInt2: case DataType::Int2: return true;
    default: return false;
    }
}

std::int64_t elementCount(std::span<const std::int64_t> dims)
{
    std::int64_t count = 1;
    bool empty = false, tooMany = false;
    for (const std::int64_t dim : dims) {
        if (dim < 0)
            throw Error(ErrorKind::InvalidInput, "tensor", "A dimension is " + std::to_string(dim) + "; dimensions cannot be negative.");
        if (dim == 0)
            empty = true;
        else if (count > maxElements / dim)
            tooMany = true;
        else
            count *= dim;
    }
    if (empty)
        return 0;
    if (tooMany)
        throw Error(ErrorKind::InvalidInput, "tensor", "The dimensions multiply to more than 2^48 elements.");
    return count;
}

std::int64_t byteSize(DataType type, std::int64_t count)
{
    const std::int64_t bits = bitsPerElement(type);
    return bits < 8 ? (count * bits + 7) / 8 : count * (bits / 8);
}

TensorData TensorData::fromFloats(std::vector<std::int64_t> dims, std::span<const float> values)
{
    return fromPlain(DataType::Float32, std::move(dims), values);
}

TensorData TensorData::fromInt64s(std::vector<std::int64_t> dims, std::span<const std::int64_t> values)
{
    return fromPlain(DataType::Int64, std::move(dims), values);
}

TensorData TensorData::fromInt32s(std::vector<std::int64_t> dims, std::span<const std::int32_t> values)
{
    return fromPlain(DataType::Int32, std::move(dims), values);
}

TensorData TensorData::fromBytes(DataType type, std::vector<std::int64_t> dims, std::vector<std::byte> bytes)
{
    const std::int64_t count = elementCount(dims);
    if (bitsPerElement(type) != 0 && byteSize(type, count) != std::int64_t(bytes.size()))
        throw Error(ErrorKind::InvalidInput, "tensor", std::to_string(count) + " elements of " + dataTypeName(type) + " take "
                    + std::to_string(byteSize(type, count)) + " bytes, " + std::to_string(bytes.size()) + " were given.");
    TensorData tensor;
    tensor.type = type;
    tensor.dims = std::move(dims);
    tensor.bytes = std::make_shared<const std::vector<std::byte>>(std::move(bytes));
    return tensor;
}

TensorData TensorData::fromIntegers(DataType type, std::vector<std::int64_t> dims, std::span<const std::int64_t> values)
{
    checkCount(dims, values.size());
    const IntegerRange range = integerRange(type);
    const int bits = bitsPerElement(type);
    std::vector<std::byte> bytes(std::size_t(byteSize(type, std::int64_t(values.size()))));
    for (std::size_t i = 0; i < values.size(); ++i) {
        const std::int64_t value = values[i];
        if (value < range.lowest || value > range.highest)
            throw Error(ErrorKind::InvalidInput, "tensor", "Value " + std::to_string(value) + " at index " + std::to_string(i) + " does not fit into "
                        + dataTypeName(type) + " (" + std::to_string(range.lowest) + " to " + std::to_string(range.highest) + ").");
        if (bits >= 8) {
            std::memcpy(bytes.data() + i * std::size_t(bits / 8), &value, std::size_t(bits / 8));
        } else {
            const std::size_t perByte = 8 / std::size_t(bits);
            bytes[i / perByte] |= std::byte((unsigned(value) & ((1u << bits) - 1)) << (i % perByte * std::size_t(bits)));
        }
    }
    return fromBytes(type, std::move(dims), std::move(bytes));
}

std::vector<float> TensorData::toFloats() const { return convertAll<float>(*this); }
std::vector<double> TensorData::toDoubles() const { return convertAll<double>(*this); }
std::vector<std::int64_t> TensorData::toInt64s() const { return convertAll<std::int64_t>(*this); }

bool TensorData::sameAs(const TensorData &other) const
{
    if (type != other.type || dims != other.dims)
        return false;
    if (type == DataType::String)
        return strings == other.strings || (strings && other.strings && *strings == *other.strings);
    return bytes == other.bytes || (bytes && other.bytes && *bytes == *other.bytes);
}

float halfToFloat(std::uint16_t bits)
{
    const std::uint32_t sign = std::uint32_t(bits & 0x8000u) << 16;
    const std::uint32_t exponent = (bits >> 10) & 31u, mantissa = bits & 0x3FFu;
    if (exponent == 0) {
        const float magnitude = float(mantissa) * 0x1p-24f;
        return sign ? -magnitude : magnitude;
    }
    const std::uint32_t rest = exponent == 31 ? 0x7F800000u | (mantissa << 13) : ((exponent + 112) << 23) | (mantissa << 13);
    return std::bit_cast<float>(sign | rest);
}

std::uint16_t floatToHalf(float value)
{
    const auto bits = std::bit_cast<std::uint32_t>(value);
    const auto sign = std::uint16_t((bits >> 16) & 0x8000u);
    const std::uint32_t magnitude = bits & 0x7FFFFFFFu;
    if (magnitude > 0x7F800000u)
        return std::uint16_t(sign | 0x7E00u | ((magnitude >> 13) & 0x3FFu));
    if (magnitude >= 0x477FF000u)
        return std::uint16_t(sign | 0x7C00u);
    if (magnitude < 0x38800000u) // adding 0.5 lines the value up with half's subnormal step of 2^-24
        return std::uint16_t(sign | (std::bit_cast<std::uint32_t>(std::bit_cast<float>(magnitude) + 0.5f) - 0x3F000000u));
    return std::uint16_t(sign | ((magnitude - (112u << 23) + 0xFFFu + ((magnitude >> 13) & 1u)) >> 13));
}

float bfloat16ToFloat(std::uint16_t bits)
{
    return std::bit_cast<float>(std::uint32_t(bits) << 16);
}

std::uint16_t floatToBfloat16(float value)
{
    const auto bits = std::bit_cast<std::uint32_t>(value);
    if ((bits & 0x7FFFFFFFu) > 0x7F800000u)
        return std::uint16_t((bits >> 16) | 0x40u);
    return std::uint16_t((bits + 0x7FFFu + ((bits >> 16) & 1u)) >> 16);
}

float float8ToFloat(std::uint8_t bits, DataType type)
{
    const Float8Format format = float8Format(type);
    const int magnitude = bits & 0x7F;
    if (format.negativeZero ? magnitude > format.largestCode : bits == format.nan) {
        if (type == DataType::Float8E5M2 && magnitude == 0x7C)
            return bits & 0x80 ? -std::numeric_limits<float>::infinity() : std::numeric_limits<float>::infinity();
        return std::numeric_limits<float>::quiet_NaN();
    }
    const int field = magnitude >> format.mantissaBits, hidden = 1 << format.mantissaBits, mantissa = magnitude & (hidden - 1);
    const float value = field == 0 ? std::ldexp(float(mantissa), format.smallestExponent - format.mantissaBits)
                                   : std::ldexp(float(hidden + mantissa), format.smallestExponent + field - 1 - format.mantissaBits);
    return bits & 0x80 ? -value : value;
}

std::uint8_t floatToFloat8(float value, DataType type)
{
    const Float8Format format = float8Format(type);
    const unsigned sign = std::signbit(value) ? 0x80u : 0u;
    if (std::isnan(value))
        return format.negativeZero ? std::uint8_t(sign | format.nan) : format.nan;
    const float magnitude = std::fabs(value);
    unsigned code = format.largestCode;
    if (magnitude < 65536.0f) {
        const int exponent = magnitude == 0.0f ? format.smallestExponent : std::max(std::ilogb(magnitude), format.smallestExponent);
        const double steps = std::nearbyint(std::ldexp(double(magnitude), format.mantissaBits - exponent));
        code = std::min(code, unsigned(((exponent - format.smallestExponent) << format.mantissaBits) + int(steps)));
    }
    return code == 0 && !format.negativeZero ? std::uint8_t(0) : std::uint8_t(sign | code);
}

} // namespace core

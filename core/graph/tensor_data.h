// A constant tensor as a plain value: element type, dimensions, little-endian row-major bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace core {

/// ONNX TensorProto.DataType codes. Codes that are not named here may occur and survive a round trip.
enum class DataType : std::int32_t {
    Undefined = 0, Float32 = 1, UInt8 = 2, Int8 = 3, UInt16 = 4, Int16 = 5, Int32 = 6, Int64 = 7,
    String = 8, Bool = 9, Float16 = 10, Float64 = 11, UInt32 = 12, UInt64 = 13, Complex64 = 14,
    Complex128 = 15, BFloat16 = 16, Float8E4M3FN = 17, Float8E4M3FNUZ = 18, Float8E5M2 = 19,
    Float8E5M2FNUZ = 20, UInt4 = 21, Int4 = 22, Float4E2M1 = 23, Float8E8M0 = 24, UInt2 = 25, Int2 = 26,
};

std::string dataTypeName(DataType type);       ///< "float32", "int4", … ; "type 99" when unknown
int bitsPerElement(DataType type);             ///< 0 for String, Undefined and unknown codes
bool isFloatingPoint(DataType type);           ///< any real-valued type, fp8 included
bool isInteger(DataType type);                 ///< signed or unsigned, Bool excluded

/// Product of dims; throws Error{InvalidInput} on a negative dimension or when it exceeds 2^48.
std::int64_t elementCount(std::span<const std::int64_t> dims);
/// Bytes that `count` elements occupy; sub-byte types are packed from the low bits, last byte padded.
std::int64_t byteSize(DataType type, std::int64_t count);

/// Cheap to copy: the bytes are shared and never changed after construction.
struct TensorData {
    DataType type = DataType::Undefined;
    std::vector<std::int64_t> dims;
    std::shared_ptr<const std::vector<std::byte>> bytes;               ///< null for String tensors
    std::shared_ptr<const std::vector<std::string>> strings;           ///< String tensors only
    std::string docString;

    std::int64_t count() const { return elementCount(dims); }
    bool isScalarLike() const { return count() == 1; }

    static TensorData fromFloats(std::vector<std::int64_t> dims, std::span<const float> values);
    static TensorData fromInt64s(std::vector<std::int64_t> dims, std::span<const std::int64_t> values);
    static TensorData fromInt32s(std::vector<std::int64_t> dims, std::span<const std::int32_t> values);
    static TensorData fromBytes(DataType type, std::vector<std::int64_t> dims, std::vector<std::byte> bytes);
    /// Integers stored in `type` (any integer type, 2 and 4 bits packed); values are range-checked.
    static TensorData fromIntegers(DataType type, std::vector<std::int64_t> dims, std::span<const std::int64_t> values);

    /// Any numeric type converted; throws Error{Unsupported} for String and unknown types.
    std::vector<float> toFloats() const;
    std::vector<double> toDoubles() const;
    std::vector<std::int64_t> toInt64s() const;

    bool sameAs(const TensorData &other) const; ///< type, dims and bytes equal
};

float halfToFloat(std::uint16_t bits);
std::uint16_t floatToHalf(float value);          ///< round to nearest even
float bfloat16ToFloat(std::uint16_t bits);
std::uint16_t floatToBfloat16(float value);      ///< round to nearest even
/// `type` is one of the four Float8 types. Saturating conversion, round to nearest even (ONNX QuantizeLinear).
float float8ToFloat(std::uint8_t bits, DataType type);
std::uint8_t floatToFloat8(float value, DataType type);

} // namespace core

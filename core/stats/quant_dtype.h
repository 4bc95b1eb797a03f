// The number formats a tensor can be quantized to (QuantizationSpec::dtype).
#pragma once

#include "core/graph/tensor_data.h"

#include <cstdint>
#include <optional>
#include <string_view>

namespace core {

enum class QuantDtype {
    Int2, Int3, Int4, UInt4, Int8, UInt8, Int16, UInt16, Int32,
    Float16, BFloat16, Fp8E4M3, Fp8E5M2, Float32 ///< Float32 = not quantized
};

std::string_view quantDtypeName(QuantDtype dtype);                    ///< "int8", "fp8_e4m3", …
std::optional<QuantDtype> quantDtypeFromName(std::string_view name);
std::string_view quantDtypeBadge(QuantDtype dtype);                   ///< "i8", "u8", "i16", "f16", "f32", …

bool isIntegerDtype(QuantDtype dtype);
bool isSignedDtype(QuantDtype dtype);   ///< integers only
int dtypeBits(QuantDtype dtype);
/// Code limits of an integer dtype; narrow drops the lowest code of a signed type (−127…127).
struct CodeRange { std::int64_t min = 0, max = 0; };
CodeRange codeRange(QuantDtype dtype, bool narrow = false);
/// How ONNX stores the codes: int2 and int3 as INT4 (see QUANTIZATION.md §1).
DataType storageType(QuantDtype dtype);

} // namespace core

#include "core/stats/quant_dtype.h"

#include <array>

namespace core {
namespace {

enum class Family { Signed, Unsigned, Real };

struct DtypeInfo {
    QuantDtype dtype;
    std::string_view name, badge;
    Family family;
    int bits;
    DataType storage;
};

constexpr std::array<DtypeInfo, 14> infos{{
    {QuantDtype::Int2, "int2", "i2", Family::Signed, 2, DataType::Int4},
    {QuantDtype::Int3, "int3", "i3", Family::Signed, 3, DataType::Int4},
    {QuantDtype::Int4, "int4", "i4", Family::Signed, 4, DataType::Int4},
    {QuantDtype::UInt4, "uint4", "u4", Family::Unsigned, 4, DataType::UInt4},
    {QuantDtype::Int8, "int8", "i8", Family::Signed, 8, DataType::Int8},
    {QuantDtype::UInt8, "uint8", "u8", Family::Unsigned, 8, DataType::UInt8},
    {QuantDtype::Int16, "int16", "i16", Family::Signed, 16, DataType::Int16},
    {QuantDtype::UInt16, "uint16", "u16", Family::Unsigned, 16, DataType::UInt16},
    {QuantDtype::Int32, "int32", "i32", Family::Signed, 32, DataType::Int32},
    {QuantDtype::Float16, "float16", "f16", Family::Real, 16, DataType::Float16},
    {QuantDtype::BFloat16, "bfloat16", "bf16", Family::Real, 16, DataType::BFloat16},
    {QuantDtype::Fp8E4M3, "fp8_e4m3", "f8e4", Family::Real, 8, DataType::Float8E4M3FN},
    {QuantDtype::Fp8E5M2, "fp8_e5m2", "f8e5", Family::Real, 8, DataType::Float8E5M2},
    {QuantDtype::Float32, "float32", "f32", Family::Real, 32, DataType::Float32},
}};

constexpr bool inOrder()
{
    for (std::size_t i = 0; i < infos.size(); ++i)
        if (std::size_t(infos[i].dtype) != i)
            return false;
    return true;
}
static_assert(inOrder());

const DtypeInfo &info(QuantDtype dtype) { return infos.at(std::size_t(dtype)); }

} // namespace

std::string_view quantDtypeName(QuantDtype dtype) { return info(dtype).name; }
std::string_view quantDtypeBadge(QuantDtype dtype) { return info(dtype).badge; }

std::optional<QuantDtype> quantDtypeFromName(std::string_view name)
{
    for (const DtypeInfo &entry : infos)
        if (entry.name == name)
            return entry.dtype;
    return {};
}

bool isIntegerDtype(QuantDtype dtype) { return info(dtype).family != Family::Real; }
bool isSignedDtype(QuantDtype dtype) { return info(dtype).family == Family::Signed; }
int dtypeBits(QuantDtype dtype) { return info(dtype).bits; }
DataType storageType(QuantDtype dtype) { return info(dtype).storage; }

CodeRange codeRange(QuantDtype dtype, bool narrow)
{
    const std::int64_t codes = std::int64_t(1) << dtypeBits(dtype);
    switch (info(dtype).family) {
    case Family::Signed: return {-codes / 2 + (narrow ? 1 : 0), codes / 2 - 1};
    case Family::Unsigned: return {0, codes - 1};
    case Family::Real: break;
    }
    return {};
}

} // namespace core

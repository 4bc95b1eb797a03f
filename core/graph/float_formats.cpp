// Conversions between float32 and the narrow float formats (IEEE half, bfloat16, OCP fp8).
#include "core/graph/tensor_data.h"

#include <bit>
#include <cmath>
#include <limits>

namespace core {

namespace {

struct Float8Format {
    int mantissaBits;
    int bias;
    float largest;
    bool hasInfinity;   ///< E5M2 only; overflow saturates to the largest finite value all the same
    bool negativeZero;  ///< the FNUZ forms have none: 0x80 is their NaN
};

Float8Format formatOf(DataType type)
{
    switch (type) {
    case DataType::Float8E4M3FN: return {3, 7, 448.0f, false, true};
    case DataType::Float8E4M3FNUZ: return {3, 8, 240.0f, false, false};
    case DataType::Float8E5M2: return {2, 15, 57344.0f, true, true};
    default: return {2, 16, 57344.0f, false, false};
    }
}

bool isNanCode(std::uint8_t bits, const Float8Format &format)
{
    if (!format.negativeZero)
        return bits == 0x80;
    return format.hasInfinity ? (bits & 0x7f) > 0x7c : (bits & 0x7f) == 0x7f;
}

} // namespace

float halfToFloat(std::uint16_t bits)
{
    const int exponent = (bits >> 10) & 0x1f;
    const int mantissa = bits & 0x3ff;
    float magnitude;
    if (exponent == 0)
        magnitude = std::ldexp(float(mantissa), -24);
    else if (exponent < 31)
        magnitude = std::ldexp(float(mantissa | 0x400), exponent - 25);
    else
        magnitude = mantissa ? std::numeric_limits<float>::quiet_NaN() : std::numeric_limits<float>::infinity();
    return bits & 0x8000 ? -magnitude : magnitude;
}

std::uint16_t floatToHalf(float value)
{
    const std::uint16_t sign = std::signbit(value) ? 0x8000 : 0;
    if (std::isnan(value))
        return sign | 0x7e00;
    const float magnitude = std::fabs(value);
    if (magnitude >= 65520.0f)
        return sign | 0x7c00;
    if (magnitude < std::ldexp(1.0f, -14))
        return sign | std::uint16_t(std::nearbyint(std::ldexp(magnitude, 24)));
    const std::uint32_t bits = std::bit_cast<std::uint32_t>(magnitude);
    const std::uint32_t rounded = bits + 0xfff + ((bits >> 13) & 1);
    return sign | std::uint16_t((rounded >> 13) - (112u << 10));
}

float bfloat16ToFloat(std::uint16_t bits)
{
    return std::bit_cast<float>(std::uint32_t(bits) << 16);
}

std::uint16_t floatToBfloat16(float value)
{
    const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
    if (std::isnan(value))
        return std::uint16_t((bits >> 16) | 0x40);
    return std::uint16_t((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

float float8ToFloat(std::uint8_t bits, DataType type)
{
    const Float8Format format = formatOf(type);
    if (isNanCode(bits, format))
        return std::numeric_limits<float>::quiet_NaN();
    const int magnitudeBits = bits & 0x7f;
    const int exponent = magnitudeBits >> format.mantissaBits;
    const int mantissa = magnitudeBits & ((1 << format.mantissaBits) - 1);
    float magnitude;
    if (format.hasInfinity && exponent == 31)
        magnitude = std::numeric_limits<float>::infinity();
    else if (exponent == 0)
        magnitude = std::ldexp(float(mantissa), 1 - format.bias - format.mantissaBits);
    else
        magnitude = std::ldexp(float(mantissa | (1 << format.mantissaBits)), exponent - format.bias - format.mantissaBits);
    return bits & 0x80 ? -magnitude : magnitude;
}

std::uint8_t floatToFloat8(float value, DataType type)
{
    const Float8Format format = formatOf(type);
    if (std::isnan(value))
        return format.negativeZero ? 0x7f : 0x80;
    const std::uint8_t sign = std::signbit(value) ? 0x80 : 0;
    const float magnitude = std::fabs(value);
    int code;
    if (magnitude >= format.largest) {
        int exponent;
        const float fraction = std::frexp(format.largest, &exponent);
        const int mantissa = int(std::ldexp(fraction, format.mantissaBits + 1)) & ((1 << format.mantissaBits) - 1);
        code = ((exponent - 1 + format.bias) << format.mantissaBits) | mantissa;
    } else {
        // The step of the binade that the value lies in; nearbyint rounds ties to even codes.
        int exponent = 0;
        std::frexp(magnitude, &exponent);
        const int binade = std::max(exponent - 1, 1 - format.bias);
        const float steps = std::nearbyint(std::ldexp(magnitude, format.mantissaBits - binade));
        code = int(steps) + ((binade - 1 + format.bias) << format.mantissaBits);
        if (magnitude == 0.0f)
            code = 0;
    }
    if (code == 0 && !format.negativeZero)
        return 0;
    return sign | std::uint8_t(code);
}

} // namespace core

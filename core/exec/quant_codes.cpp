#include "core/exec/quant_codes.h"

#include "core/exec/op_common.h"
#include "core/kernels/fake_quantize.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>

namespace core {
namespace {

// Adding and taking away 1.5·2^23 rounds |v| < 2^22 half to even, and vectorises on every CPU.
constexpr float roundingBias = 12582912.0f;

template <class Code>
void quantizeWide(const float *x, Code *codes, std::int64_t count, const AffineParams &params)
{
    const float scale = params.scale, low = float(std::int64_t(params.qmin) - params.zeroPoint), high = float(std::int64_t(params.qmax) - params.zeroPoint);
    for (std::int64_t i = 0; i < count; ++i) {
        float v = x[i] / scale;
        v = v > low ? v : low;
        v = v < high ? v : high;
        const float rounded = (v + roundingBias) - roundingBias;
        codes[i] = Code(std::int32_t(rounded) + params.zeroPoint);
    }
}

template <class Code>
at::Tensor quantizeWhole(const at::Tensor &x, float scale, std::int64_t zeroPoint, IntegerLimits limits, at::ScalarType storage)
{
    at::Tensor codes = at::empty_like(x, x.options().dtype(storage));
    const AffineParams params{scale, std::int32_t(zeroPoint), std::int32_t(limits.min), std::int32_t(limits.max)};
    const float *source = x.data_ptr<float>();
    Code *target = codes.data_ptr<Code>();
    at::parallel_for(0, x.numel(), 32768, [&](std::int64_t begin, std::int64_t end) {
        if constexpr (sizeof(Code) == 1)
            quantizeSpan(source + begin, target + begin, std::size_t(end - begin), params);
        else
            quantizeWide(source + begin, target + begin, end - begin, params);
    });
    return codes;
}

template <class Code>
at::Tensor dequantizeWhole(const at::Tensor &x, float scale, std::int32_t zeroPoint)
{
    at::Tensor values = at::empty_like(x, x.options().dtype(at::kFloat));
    const Code *source = x.data_ptr<Code>();
    float *target = values.data_ptr<float>();
    at::parallel_for(0, x.numel(), 32768, [&](std::int64_t begin, std::int64_t end) {
        if constexpr (sizeof(Code) == 1) {
            dequantizeSpan(source + begin, target + begin, std::size_t(end - begin), AffineParams{scale, zeroPoint});
        } else {
            for (std::int64_t i = begin; i < end; ++i)
                target[i] = float(std::int32_t(source[i]) - zeroPoint) * scale;
        }
    });
    return values;
}

bool isFloat8(DataType type)
{
    return type >= DataType::Float8E4M3FN && type <= DataType::Float8E5M2FNUZ;
}

bool packed(const at::Tensor &x)
{
    return x.is_non_overlapping_and_dense();
}

} // namespace

IntegerLimits integerLimits(DataType type, const std::string &label)
{
    switch (type) {
    case DataType::UInt8: return {0, 255};
    case DataType::Int8: return {-128, 127};
    case DataType::UInt16: return {0, 65535};
    case DataType::Int16: return {-32768, 32767};
    case DataType::UInt4: return {0, 15};
    case DataType::Int4: return {-8, 7};
    case DataType::UInt2: return {0, 3};
    case DataType::Int2: return {-2, 1};
    case DataType::Int32: return {-2147483648LL, 2147483647LL};
    default: failCall(ErrorKind::Unsupported, label, "quantizing to " + dataTypeName(type) + " is not possible.");
    }
}

DataType codeType(at::ScalarType type)
{
    switch (type) {
    case at::kChar: return DataType::Int8;
    case at::kShort: return DataType::Int16;
    case at::kInt: return DataType::UInt16;
    default: return DataType::UInt8;
    }
}

at::Tensor alignParameter(const at::Tensor &parameter, const at::Tensor &x, const QuantGrain &grain, const std::string &label)
{
    if (parameter.numel() == 1)
        return parameter.reshape({});
    const std::int64_t axis = normalizeAxis(grain.axis, std::max<std::int64_t>(x.dim(), 1), label);
    if (grain.blockSize > 0) {
        bool fits = parameter.dim() == x.dim();
        for (std::int64_t d = 0; fits && d < x.dim(); ++d)
            fits = parameter.size(d) == (d == axis ? (x.size(d) + grain.blockSize - 1) / grain.blockSize : x.size(d));
        if (!fits)
            failCall(ErrorKind::InvalidInput, label, "the scales do not fit blocks of " + std::to_string(grain.blockSize) + " along axis "
                     + std::to_string(axis) + ".");
        return parameter.repeat_interleave(grain.blockSize, axis).narrow(axis, 0, x.size(axis));
    }
    if (parameter.dim() != 1 || x.dim() == 0 || parameter.size(0) != x.size(axis))
        failCall(ErrorKind::InvalidInput, label, "there are " + std::to_string(parameter.numel()) + " scales or zero points for "
                 + std::to_string(x.dim() == 0 ? 1 : x.size(axis)) + " indices of axis " + std::to_string(axis) + ".");
    std::vector<std::int64_t> sizes(std::size_t(x.dim()), 1);
    sizes[std::size_t(axis)] = x.size(axis);
    return parameter.reshape(sizes);
}

at::Tensor quantizeTensor(const at::Tensor &input, const at::Tensor &scale, const at::Tensor &zeroPoint, DataType type, const QuantGrain &grain,
                          bool saturate, const std::string &label)
{
    const at::Tensor x = input.to(at::kFloat);
    if (isFloat8(type))
        return convertTo(x / alignParameter(scale.to(at::kFloat), x, grain, label), type, saturate, label);
    const IntegerLimits limits = integerLimits(type, label);
    const at::ScalarType storage = storageScalarType(type, label);
    const bool single = scale.numel() == 1 && (!zeroPoint.defined() || zeroPoint.numel() == 1);
    if (single && type != DataType::Int32 && packed(x)) {
        const float s = scale.to(at::kFloat).item<float>();
        const std::int64_t z = zeroPoint.defined() ? zeroPoint.to(at::kLong).item<std::int64_t>() : 0;
        switch (storage) {
        case at::kByte: return quantizeWhole<std::uint8_t>(x, s, z, limits, storage);
        case at::kChar: return quantizeWhole<std::int8_t>(x, s, z, limits, storage);
        case at::kShort: return quantizeWhole<std::int16_t>(x, s, z, limits, storage);
        default: return quantizeWhole<std::int32_t>(x, s, z, limits, storage);
        }
    }
    at::Tensor codes = at::round(x / alignParameter(scale.to(at::kFloat), x, grain, label)).to(at::kDouble);
    if (zeroPoint.defined())
        codes = codes + alignParameter(zeroPoint.to(at::kDouble), x, grain, label);
    return codes.clamp(double(limits.min), double(limits.max)).nan_to_num(double(limits.min)).to(storage);
}

at::Tensor dequantizeTensor(const at::Tensor &x, const at::Tensor &scale, const at::Tensor &zeroPoint, const QuantGrain &grain,
                            const std::string &label)
{
    const bool single = scale.numel() == 1 && (!zeroPoint.defined() || zeroPoint.numel() == 1);
    if (single && packed(x) && !scale.requires_grad() && !x.is_floating_point()) {
        const float s = scale.to(at::kFloat).item<float>();
        const auto z = zeroPoint.defined() ? std::int32_t(zeroPoint.to(at::kLong).item<std::int64_t>()) : 0;
        switch (x.scalar_type()) {
        case at::kByte: return dequantizeWhole<std::uint8_t>(x, s, z);
        case at::kChar: return dequantizeWhole<std::int8_t>(x, s, z);
        case at::kShort: return dequantizeWhole<std::int16_t>(x, s, z);
        default: break;
        }
    }
    // Codes of 32 bits are subtracted as integers, before float32 could round them.
    at::Tensor difference = x;
    if (zeroPoint.defined() && !zeroPoint.is_floating_point())
        difference = x.to(at::kLong) - alignParameter(zeroPoint.to(at::kLong), x, grain, label);
    return difference.to(at::kFloat) * alignParameter(scale.to(at::kFloat), x, grain, label);
}

} // namespace core

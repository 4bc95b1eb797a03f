#include "core/quant/quantized_model.h"

#include <algorithm>

namespace core {
namespace {

const TensorData &constantOf(const QuantizedModel &model, const Point &point)
{
    const TensorData *data = model.graph->constant(point.value);
    if (!data)
        throw Error(ErrorKind::Internal, "quantize", "Tensor '" + model.graph->value(point.value).name + "' is no constant.");
    return *data;
}

} // namespace

ParamLayout::ParamLayout(const Scheme &scheme, const std::vector<std::int64_t> &dims)
{
    if (scheme.granularity == Granularity::PerTensor)
        return;
    const int rank = int(dims.size());
    m_channelAxis = scheme.channelAxis < 0 ? scheme.channelAxis + rank : scheme.channelAxis;
    if (m_channelAxis < 0 || m_channelAxis >= rank)
        throw Error(ErrorKind::InvalidInput, "quantize",
                    "Channel axis " + std::to_string(scheme.channelAxis) + " does not exist in a tensor with " + std::to_string(rank) + " dimensions.");
    m_channels = dims[std::size_t(m_channelAxis)];
    for (int i = m_channelAxis + 1; i < rank; ++i)
        m_channelInner *= dims[std::size_t(i)];
    if (scheme.granularity != Granularity::PerGroup || rank < 2)
        return;
    m_groupAxis = m_channelAxis == 0 ? 1 : m_channelAxis - 1;
    m_groupDim = dims[std::size_t(m_groupAxis)];
    m_groupSize = scheme.groupSize > 0 ? std::min<std::int64_t>(scheme.groupSize, std::max<std::int64_t>(m_groupDim, 1)) : std::max<std::int64_t>(m_groupDim, 1);
    m_groups = std::max<std::int64_t>((m_groupDim + m_groupSize - 1) / m_groupSize, 1);
    for (int i = m_groupAxis + 1; i < rank; ++i)
        m_groupInner *= dims[std::size_t(i)];
}

std::size_t ParamLayout::of(std::int64_t element) const
{
    if (m_channels * m_groups <= 1)
        return 0;
    const std::int64_t channel = element / m_channelInner % m_channels;
    if (m_groups == 1)
        return std::size_t(channel);
    return std::size_t(channel * m_groups + element / m_groupInner % m_groupDim / m_groupSize);
}

std::vector<std::int64_t> integerCodes(const QuantizedModel &model, PointId id)
{
    const Point &point = model.placement.point(id);
    const TensorData &data = constantOf(model, point);
    const std::vector<AffineParams> &params = model.numbers.at(std::size_t(id.index)).params;
    const ParamLayout layout(point.scheme, data.dims);
    const std::vector<double> values = data.toDoubles();
    std::vector<std::int64_t> codes(values.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
        const std::size_t entry = params.size() == 1 ? 0 : layout.of(std::int64_t(i));
        codes[i] = quantize(values[i], params.at(entry), point.scheme.roundMethod);
    }
    return codes;
}

TensorData storedCodes(const QuantizedModel &model, PointId id)
{
    const Point &point = model.placement.point(id);
    const DataType type = storageType(point.scheme.dtype);
    if (isIntegerDtype(point.scheme.dtype))
        return TensorData::fromIntegers(type, constantOf(model, point).dims, integerCodes(model, id));
    const TensorData &data = constantOf(model, point);
    const std::vector<AffineParams> &params = model.numbers.at(std::size_t(id.index)).params;
    const ParamLayout layout(point.scheme, data.dims);
    const std::vector<float> values = data.toFloats();
    const bool wide = point.scheme.dtype == QuantDtype::Float16 || point.scheme.dtype == QuantDtype::BFloat16;
    std::vector<std::byte> bytes(values.size() * (wide ? 2 : 1));
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (wide) {
            const std::uint16_t bits = type == DataType::Float16 ? floatToHalf(values[i]) : floatToBfloat16(values[i]);
            bytes[2 * i] = std::byte(bits & 0xff);
            bytes[2 * i + 1] = std::byte(bits >> 8);
        } else {
            const std::size_t entry = params.size() == 1 ? 0 : layout.of(std::int64_t(i));
            bytes[i] = std::byte(floatToFloat8(values[i] / params.at(entry).scale, type));
        }
    }
    return TensorData::fromBytes(type, data.dims, std::move(bytes));
}

std::vector<float> dequantizedWeights(const QuantizedModel &model, PointId id)
{
    const Point &point = model.placement.point(id);
    const std::vector<AffineParams> &params = model.numbers.at(std::size_t(id.index)).params;
    const TensorData codes = storedCodes(model, id);
    std::vector<float> values = codes.toFloats();
    if (point.scheme.dtype == QuantDtype::Float16 || point.scheme.dtype == QuantDtype::BFloat16)
        return values;
    const ParamLayout layout(point.scheme, codes.dims);
    for (std::size_t i = 0; i < values.size(); ++i) {
        const AffineParams &p = params.at(params.size() == 1 ? 0 : layout.of(std::int64_t(i)));
        values[i] = (values[i] - float(p.zeroPoint)) * p.scale;
    }
    return values;
}

} // namespace core

#include "core/data/stored_array.h"

#include "core/base/error.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <bit>
#include <cstring>

namespace core {
namespace {

static_assert(std::endian::native == std::endian::little, "Arrays are read into little-endian tensors.");

struct Mapping {
    at::ScalarType stored;               ///< type of the same size in which the bytes are wrapped
    at::ScalarType wanted;
};

std::optional<Mapping> mappingOf(DataType type)
{
    switch (type) {
    case DataType::Float32: return Mapping{at::kFloat, at::kFloat};
    case DataType::Float64: return Mapping{at::kDouble, at::kFloat};
    case DataType::Float16: return Mapping{at::kHalf, at::kFloat};
    case DataType::UInt8: return Mapping{at::kByte, at::kByte};
    case DataType::Int8: return Mapping{at::kChar, at::kChar};
    case DataType::Bool: return Mapping{at::kBool, at::kBool};
    case DataType::Int16: return Mapping{at::kShort, at::kShort};
    case DataType::UInt16: return Mapping{at::kShort, at::kInt};
    case DataType::Int32: return Mapping{at::kInt, at::kInt};
    case DataType::UInt32: return Mapping{at::kInt, at::kLong};
    case DataType::Int64:
    case DataType::UInt64: return Mapping{at::kLong, at::kLong};
    default: return {};
    }
}

template <class From, class To>
void convert(const std::byte *from, at::Tensor &to)
{
    To *out = to.data_ptr<To>();
    for (std::int64_t i = 0; i < to.numel(); ++i) {
        From value;
        std::memcpy(&value, from + std::size_t(i) * sizeof value, sizeof value);
        out[i] = To(value);
    }
}

} // namespace

std::string shapeText(at::IntArrayRef dims)
{
    std::string text;
    for (const std::int64_t d : dims) {
        if (!text.empty())
            text += 'x';
        text += std::to_string(d);
    }
    return text.empty() ? "a scalar" : text;
}

std::int64_t StoredArray::elementsOfRow() const
{
    std::int64_t count = 1;
    for (std::size_t i = 1; i < dims.size(); ++i)
        count *= dims[i];
    return count;
}

std::vector<std::byte> StoredArray::read(std::int64_t firstRow, std::int64_t count) const
{
    const std::size_t element = std::size_t(bitsPerElement(type) / 8), rowBytes = std::size_t(elementsOfRow()) * element;
    std::vector<std::byte> result(rowBytes * std::size_t(count));
    const std::uint64_t start = offset + std::uint64_t(firstRow) * rowBytes;
    if (bytes)
        std::memcpy(result.data(), bytes->data() + start, result.size());
    else
        file->read(start, result);
    if (bigEndian && element > 1)
        for (std::size_t i = 0; i < result.size(); i += element)
            std::reverse(result.begin() + std::ptrdiff_t(i), result.begin() + std::ptrdiff_t(i + element));
    if (type == DataType::Bool)                                                // any other byte in a bool is undefined behaviour
        for (std::byte &b : result)
            b = std::byte(b != std::byte(0));
    return result;
}

at::Tensor StoredArray::row(std::int64_t index) const
{
    if (index < 0 || index >= rows())
        throw Error(ErrorKind::Internal, "data", described + " has no row " + std::to_string(index) + ".");
    const std::vector<std::byte> raw = read(index, 1);
    const Mapping mapping = mappingOf(type).value();
    at::Tensor tensor = at::empty(at::IntArrayRef(dims).slice(1), mapping.wanted);
    switch (type) {
    case DataType::UInt16: convert<std::uint16_t, std::int32_t>(raw.data(), tensor); break;
    case DataType::UInt32: convert<std::uint32_t, std::int64_t>(raw.data(), tensor); break;
    case DataType::Float64: convert<double, float>(raw.data(), tensor); break;
    case DataType::Float16: {
        float *out = tensor.data_ptr<float>();
        for (std::int64_t i = 0; i < tensor.numel(); ++i) {
            std::uint16_t bits;
            std::memcpy(&bits, raw.data() + 2 * i, 2);
            out[i] = halfToFloat(bits);
        }
        break;
    }
    default: std::memcpy(tensor.data_ptr(), raw.data(), raw.size());
    }
    return tensor;
}

std::vector<std::int64_t> StoredArray::labels() const
{
    const bool whole = isInteger(type) || type == DataType::Bool;
    if (!whole || dims.empty() || elementsOfRow() != 1)
        throw Error(ErrorKind::InvalidInput, "labels",
                    described + " holds " + dataTypeName(type) + " of shape " + shapeText(dims) + "; labels are one integer a sample.");
    StoredArray flat = *this;
    flat.dims = {1, rows()};
    const at::Tensor values = flat.row(0).to(at::kLong);
    const std::int64_t *begin = values.data_ptr<std::int64_t>();
    std::vector<std::int64_t> result(begin, begin + values.numel());
    const auto negative = std::find_if(result.begin(), result.end(), [](std::int64_t v) { return v < 0; });
    if (negative != result.end())
        throw Error(ErrorKind::InvalidInput, "labels",
                    described + " has the label " + std::to_string(*negative) + " at position " + std::to_string(negative - result.begin()) + "; labels begin at 0.");
    return result;
}

} // namespace core

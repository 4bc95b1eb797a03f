// IDX, the format of MNIST: 0, 0, type, rank, dimensions (32 bits each, big-endian), data.
#include "core/base/error.h"
#include "core/data/stored_array.h"

#include <algorithm>

namespace core {
namespace {

DataType typeOf(unsigned code)
{
    switch (code) {
    case 0x08: return DataType::UInt8;
    case 0x09: return DataType::Int8;
    case 0x0B: return DataType::Int16;
    case 0x0C: return DataType::Int32;
    case 0x0D: return DataType::Float32;
    case 0x0E: return DataType::Float64;
    }
    return DataType::Undefined;
}

} // namespace

std::optional<StoredArray> readIdx(const std::filesystem::path &path)
{
    auto file = std::make_shared<const RandomAccessFile>(path);
    std::byte header[4 + 4 * 8] = {};
    file->read(0, std::span(header).first(std::min<std::uint64_t>(file->size(), sizeof header)));
    const auto byte = [&](std::size_t i) { return std::to_integer<std::uint32_t>(header[i]); };
    const std::uint32_t rank = byte(3);
    StoredArray array;
    array.type = typeOf(byte(2));
    if (file->size() < 4 || byte(0) != 0 || byte(1) != 0 || array.type == DataType::Undefined || rank < 1 || rank > 8)
        return {};
    array.described = "'" + path.string() + "'";
    array.bigEndian = true;
    array.offset = 4 + 4 * rank;
    std::uint64_t bytes = std::uint64_t(bitsPerElement(array.type) / 8);
    bool tooMany = file->size() < array.offset;
    for (std::size_t d = 0; d < rank; ++d) {
        const std::size_t at = 4 + 4 * d;
        array.dims.push_back(std::int64_t(byte(at) << 24 | byte(at + 1) << 16 | byte(at + 2) << 8 | byte(at + 3)));
        tooMany = tooMany || __builtin_mul_overflow(bytes, std::uint64_t(array.dims.back()), &bytes);
    }
    if (tooMany || bytes != file->size() - array.offset)
        throw Error(ErrorKind::InvalidInput, "data",
                    array.described + " cannot be read as IDX: its header says " + dataTypeName(array.type) + " of shape " + shapeText(array.dims) + ", but it has "
                        + std::to_string(file->size()) + " bytes in all.");
    if (bytes == 0)
        throw Error(ErrorKind::InvalidInput, "data", array.described + " is empty (shape " + shapeText(array.dims) + ").");
    array.file = std::move(file);
    return array;
}

} // namespace core

// IDX, the format of MNIST: 0, 0, type, rank, dimensions (32 bits each, big-endian), data.
#include "core/base/error.h"
#include "core/data/stored_array.h"

#include <zlib.h>

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

struct Header {
    StoredArray array;
    std::uint64_t bytes = 0;             ///< of the data behind it
};

constexpr std::size_t longestHeader = 4 + 4 * 8;

[[noreturn]] void refuse(const StoredArray &array, const std::string &but)
{
    throw Error(ErrorKind::InvalidInput, "data",
                array.described + " cannot be read as IDX: its header says " + dataTypeName(array.type) + " of shape " + shapeText(array.dims) + ", but " + but + ".");
}

/// nullopt when `start`, the first bytes of a file, is no header.
std::optional<Header> readHeader(std::span<const std::byte> start, const std::string &described, const std::string &allBytes)
{
    const auto byte = [&](std::size_t i) { return i < start.size() ? std::to_integer<std::uint32_t>(start[i]) : 0; };
    const std::uint32_t rank = byte(3);
    Header header;
    StoredArray &array = header.array;
    array.type = typeOf(byte(2));
    if (start.size() < 4 || byte(0) != 0 || byte(1) != 0 || array.type == DataType::Undefined || rank < 1 || rank > 8)
        return {};
    array.described = described;
    array.bigEndian = true;
    array.offset = 4 + 4 * rank;
    header.bytes = std::uint64_t(bitsPerElement(array.type) / 8);
    bool tooMany = start.size() < array.offset;
    for (std::size_t d = 0; d < rank; ++d) {
        const std::size_t at = 4 + 4 * d;
        array.dims.push_back(std::int64_t(byte(at) << 24 | byte(at + 1) << 16 | byte(at + 2) << 8 | byte(at + 3)));
        tooMany = tooMany || __builtin_mul_overflow(header.bytes, std::uint64_t(array.dims.back()), &header.bytes);
    }
    if (tooMany)
        refuse(array, allBytes);
    return header;
}

void refuseEmpty(const Header &header)
{
    if (header.bytes == 0)
        throw Error(ErrorKind::InvalidInput, "data", header.array.described + " is empty (shape " + shapeText(header.array.dims) + ").");
}

/// The unpacked bytes of a gzip file, in order.
class GzipStream {
public:
    explicit GzipStream(const RandomAccessFile &file) : m_file(file), m_packed(65'536)
    {
        if (inflateInit2(&m_stream, MAX_WBITS + 16) != Z_OK)
            throw Error(ErrorKind::Internal, "data", "zlib cannot be used.");
    }
    ~GzipStream() { inflateEnd(&m_stream); }
    GzipStream(const GzipStream &) = delete;
    GzipStream &operator=(const GzipStream &) = delete;

    /// How many bytes of `out` were filled: fewer than there is room for at the end only, whose checksum was right then.
    std::size_t read(std::span<std::byte> out)
    {
        std::size_t have = 0;
        while (have < out.size() && !m_ended) {
            const std::size_t room = std::min<std::size_t>(out.size() - have, 1 << 30);
            m_stream.next_out = reinterpret_cast<Bytef *>(out.data() + have);
            m_stream.avail_out = uInt(room);
            if (m_stream.avail_in == 0)
                fill();
            const int status = inflate(&m_stream, Z_NO_FLUSH);
            m_ended = status == Z_STREAM_END;
            if (!m_ended && status != Z_OK)
                throw Error(ErrorKind::InvalidInput, "data", "'" + m_file.path().string() + "' is damaged: its gzip data cannot be unpacked.");
            have += room - m_stream.avail_out;
        }
        return have;
    }

private:
    void fill()
    {
        const std::size_t count = std::min<std::uint64_t>(m_packed.size(), m_file.size() - m_at);
        if (count == 0)
            throw Error(ErrorKind::InvalidInput, "data", "'" + m_file.path().string() + "' is truncated: its gzip data has no end.");
        m_file.read(m_at, std::span(m_packed).first(count));
        m_at += count;
        m_stream.next_in = reinterpret_cast<Bytef *>(m_packed.data());
        m_stream.avail_in = uInt(count);
    }

    const RandomAccessFile &m_file;
    std::vector<std::byte> m_packed;
    std::uint64_t m_at = 0;
    z_stream m_stream{};
    bool m_ended = false;
};

} // namespace

std::optional<StoredArray> readIdx(const std::filesystem::path &path)
{
    auto file = std::make_shared<const RandomAccessFile>(path);
    std::byte start[longestHeader] = {};
    const auto known = std::span(start).first(std::min<std::uint64_t>(file->size(), sizeof start));
    file->read(0, known);
    const std::string allBytes = "it has " + std::to_string(file->size()) + " bytes in all";
    auto header = readHeader(known, "'" + path.string() + "'", allBytes);
    if (!header)
        return {};
    if (header->bytes != file->size() - header->array.offset)
        refuse(header->array, allBytes);
    refuseEmpty(*header);
    header->array.file = std::move(file);
    return std::move(header->array);
}

std::optional<StoredArray> readGzippedIdx(const std::filesystem::path &path)
{
    constexpr std::uint64_t mostUnpacked = std::uint64_t(4) << 30, mostRatio = 1032;   // deflate cannot pack more tightly
    const RandomAccessFile file(path);
    GzipStream stream(file);
    std::vector<std::byte> bytes(longestHeader);
    bytes.resize(stream.read(bytes));
    auto header = readHeader(bytes, "'" + path.string() + "'", "it has " + std::to_string(bytes.size()) + " bytes in all when unpacked");
    if (!header)
        return {};
    refuseEmpty(*header);
    StoredArray &array = header->array;
    if (header->bytes > mostUnpacked || header->bytes / mostRatio > file.size())
        refuse(array, "that is more than its " + std::to_string(file.size()) + " packed bytes hold, or than the 4 GiB that are unpacked");
    const std::size_t begun = bytes.size(), whole = array.offset + header->bytes;
    bytes.resize(std::max(whole, begun));
    const std::size_t have = begun < whole ? begun + stream.read(std::span(bytes).subspan(begun)) : begun;
    std::byte beyond[1];
    if (have != whole || stream.read(beyond) != 0)
        refuse(array, "it has " + (have < whole ? std::to_string(have) + " bytes" : std::string("more bytes")) + " in all when unpacked");
    array.bytes = std::make_shared<const std::vector<std::byte>>(std::move(bytes));
    return std::move(array);
}

} // namespace core

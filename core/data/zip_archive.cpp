#include "core/data/zip_archive.h"

#include "core/base/error.h"

#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <span>

namespace core {
namespace {

[[noreturn]] void refuse(const std::string &described, const std::string &why)
{
    throw Error(ErrorKind::InvalidInput, "data", described + " cannot be read: " + why);
}

std::uint64_t number(std::span<const std::byte> bytes, std::size_t at, int count)
{
    std::uint64_t value = 0;
    for (int i = 0; i < count; ++i)
        value |= std::to_integer<std::uint64_t>(bytes[at + std::size_t(i)]) << 8 * i;
    return value;
}

std::vector<std::byte> part(const RandomAccessFile &file, std::uint64_t offset, std::uint64_t count, const std::string &described)
{
    if (offset > file.size() || count > file.size() - offset)
        refuse(described, "the archive is truncated or damaged.");
    std::vector<std::byte> bytes(count);
    file.read(offset, bytes);
    return bytes;
}

struct Directory {
    std::uint64_t offset = 0, bytes = 0, entries = 0;
};

Directory findDirectory(const RandomAccessFile &file, const std::string &described)
{
    const std::uint64_t tail = std::min<std::uint64_t>(file.size(), 65'557 + 20);
    const auto end = part(file, file.size() - tail, tail, described);
    if (end.size() < 22)
        refuse(described, "it is no ZIP archive.");
    for (std::size_t at = end.size() - 22 + 1; at-- > 0;) {
        if (std::memcmp(end.data() + at, "PK\5\6", 4) != 0)
            continue;
        Directory directory{number(end, at + 16, 4), number(end, at + 12, 4), number(end, at + 10, 2)};
        if (at >= 20 && std::memcmp(end.data() + at - 20, "PK\6\7", 4) == 0) {      // ZIP64: the true figures stand elsewhere
            const auto large = part(file, number(end, at - 20 + 8, 8), 56, described);
            if (std::memcmp(large.data(), "PK\6\6", 4) != 0)
                refuse(described, "the archive is damaged.");
            directory = {number(large, 48, 8), number(large, 40, 8), number(large, 32, 8)};
        }
        return directory;
    }
    refuse(described, "it is no ZIP archive.");
}

std::vector<ZipMember> readDirectory(const RandomAccessFile &file, const std::string &described)
{
    const Directory directory = findDirectory(file, described);
    const auto bytes = part(file, directory.offset, directory.bytes, described);
    std::vector<ZipMember> members;
    std::size_t at = 0;
    for (std::uint64_t i = 0; i < directory.entries; ++i) {
        if (bytes.size() - at < 46 || std::memcmp(bytes.data() + at, "PK\1\2", 4) != 0)
            refuse(described, "the archive is damaged.");
        ZipMember m;
        m.method = number(bytes, at + 10, 2);
        m.crc = number(bytes, at + 16, 4);
        m.packed = number(bytes, at + 20, 4);
        m.unpacked = number(bytes, at + 24, 4);
        m.header = number(bytes, at + 42, 4);
        const std::size_t nameLength = number(bytes, at + 28, 2), extra = number(bytes, at + 30, 2), comment = number(bytes, at + 32, 2);
        if (bytes.size() - at - 46 < nameLength + extra + comment)
            refuse(described, "the archive is damaged.");
        m.name.assign(reinterpret_cast<const char *>(bytes.data() + at + 46), nameLength);
        if (number(bytes, at + 8, 2) & 1)
            refuse(described, "its member '" + m.name + "' is encrypted.");
        const std::size_t extraStart = at + 46 + nameLength, extraEnd = extraStart + extra;
        for (std::size_t e = extraStart; e + 4 <= extraEnd;) {
            const std::size_t length = number(bytes, e + 2, 2);
            if (length > extraEnd - e - 4)
                break;
            std::size_t field = e + 4;
            if (number(bytes, e, 2) == 1)                                      // ZIP64: only those that did not fit, in this order
                for (std::uint64_t *value : {&m.unpacked, &m.packed, &m.header})
                    if (*value == 0xFFFFFFFF && field + 8 <= e + 4 + length) {
                        *value = number(bytes, field, 8);
                        field += 8;
                    }
            e += 4 + length;
        }
        at = extraEnd + comment;
        members.push_back(std::move(m));
    }
    return members;
}

std::uint64_t checkSum(const std::vector<std::byte> &bytes)
{
    uLong crc = crc32(0, nullptr, 0);
    for (std::uint64_t at = 0; at < bytes.size(); at += 1 << 30)
        crc = crc32(crc, reinterpret_cast<const Bytef *>(bytes.data() + at), uInt(std::min<std::uint64_t>(bytes.size() - at, 1 << 30)));
    return crc;
}

} // namespace

ZipArchive::ZipArchive(std::shared_ptr<const RandomAccessFile> file, const std::string &described)
    : m_file(std::move(file))
    , m_members(readDirectory(*m_file, described))
{
}

std::uint64_t ZipArchive::offset(const ZipMember &member, const std::string &described) const
{
    const auto local = part(*m_file, member.header, 30, described);
    if (std::memcmp(local.data(), "PK\3\4", 4) != 0)
        refuse(described, "the archive is damaged.");
    const std::uint64_t offset = member.header + 30 + number(local, 26, 2) + number(local, 28, 2);
    if (offset > m_file->size() || member.packed > m_file->size() - offset || (member.method == 0 && member.packed != member.unpacked))
        refuse(described, "the archive is truncated or damaged.");
    return offset;
}

std::vector<std::byte> ZipArchive::read(const ZipMember &member, const std::string &described) const
{
    if (member.method != 0 && member.method != 8)
        refuse(described, "it is packed with method " + std::to_string(member.method) + "; 0 and 8 are known.");
    const auto bytes = member.method == 0 ? part(*m_file, offset(member, described), member.packed, described) : inflated(member, described);
    if (checkSum(bytes) != member.crc)
        refuse(described, member.method == 0 ? "its data is damaged." : "its packed data is damaged.");
    return bytes;
}

std::vector<std::byte> ZipArchive::inflated(const ZipMember &member, const std::string &described) const
{
    if (member.unpacked / 1040 > member.packed || member.unpacked > mostUnpacked)   // deflate makes at most 1032 bytes of one
        refuse(described, "it says that " + std::to_string(member.packed) + " bytes unpack to " + std::to_string(member.unpacked) + "; save it unpacked.");
    const std::uint64_t start = offset(member, described);
    std::vector<std::byte> packed(std::min<std::uint64_t>(member.packed, 1 << 20)), result(member.unpacked);
    z_stream stream{};
    if (inflateInit2(&stream, -MAX_WBITS) != Z_OK)
        throw Error(ErrorKind::Internal, "data", described + " cannot be unpacked: zlib does not start.");
    const std::unique_ptr<z_stream, decltype(&inflateEnd)> guard(&stream, inflateEnd);
    std::uint64_t consumed = 0, produced = 0;
    int state = Z_OK;
    while (state == Z_OK) {
        if (stream.avail_in == 0 && consumed < member.packed) {
            const std::uint64_t count = std::min<std::uint64_t>(packed.size(), member.packed - consumed);
            m_file->read(start + consumed, std::span(packed).first(count));
            consumed += count;
            stream.next_in = reinterpret_cast<Bytef *>(packed.data());
            stream.avail_in = uInt(count);
        }
        const uInt room = uInt(std::min<std::uint64_t>(result.size() - produced, 1 << 30));
        Bytef beyond = 0;                                                      // finds the end of the stream when all is unpacked
        stream.next_out = room > 0 ? reinterpret_cast<Bytef *>(result.data() + produced) : &beyond;
        stream.avail_out = room > 0 ? room : 1;
        state = inflate(&stream, Z_NO_FLUSH);
        if (room == 0 && stream.avail_out == 0)
            break;
        if (room > 0)
            produced += room - stream.avail_out;
    }
    if (state != Z_STREAM_END || produced != result.size())
        refuse(described, "its packed data is damaged.");
    return result;
}

} // namespace core

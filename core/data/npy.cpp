// NumPy's .npy: magic, version, length of the header, header = a Python dictionary of three entries.
#include "core/base/error.h"
#include "core/data/stored_array.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <functional>

namespace core {
namespace {

using Read = std::function<void(std::uint64_t, std::span<std::byte>)>;

[[noreturn]] void refuse(const std::string &described, const std::string &why)
{
    throw Error(ErrorKind::InvalidInput, "data", described + " cannot be read as an array: " + why);
}

/// Reads {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4)} in any order and spacing.
class Header {
public:
    Header(std::string_view text, const std::string &described) : m_text(text), m_described(described) { parse(); }

    std::string descr;
    bool fortranOrder = false;
    std::vector<std::int64_t> shape;

private:
    void blanks()
    {
        while (m_at < m_text.size() && std::strchr(" \t\r\n", m_text[m_at]))
            ++m_at;
    }
    bool take(char c)
    {
        blanks();
        if (m_at >= m_text.size() || m_text[m_at] != c)
            return false;
        ++m_at;
        return true;
    }
    void expect(char c)
    {
        if (!take(c))
            refuse(m_described, std::string("its header has no '") + c + "' where one is due.");
    }
    std::string quoted()
    {
        blanks();
        const char quote = m_at < m_text.size() ? m_text[m_at] : ' ';
        const std::size_t end = quote == '\'' || quote == '"' ? m_text.find(quote, m_at + 1) : std::string_view::npos;
        if (end == std::string_view::npos)
            refuse(m_described, "it holds records or objects, not plain numbers.");
        const std::string result(m_text.substr(m_at + 1, end - m_at - 1));
        m_at = end + 1;
        return result;
    }
    bool word(std::string_view wanted)
    {
        blanks();
        if (!m_text.substr(m_at).starts_with(wanted))
            return false;
        m_at += wanted.size();
        return true;
    }
    void tuple()
    {
        expect('(');
        while (!take(')')) {
            blanks();
            std::int64_t value = 0;
            const auto [end, error] = std::from_chars(m_text.data() + m_at, m_text.data() + m_text.size(), value);
            if (error != std::errc() || value < 0 || shape.size() >= 32)
                refuse(m_described, "its header has no usable shape.");
            m_at = std::size_t(end - m_text.data());
            word("L");                                             // Python 2
            shape.push_back(value);
            if (!take(',')) {
                expect(')');
                return;
            }
        }
    }
    void parse()
    {
        expect('{');
        int seen = 0;
        while (!take('}')) {
            const std::string key = quoted();
            expect(':');
            if (key == "descr") {
                descr = quoted();
                seen |= 1;
            } else if (key == "fortran_order") {
                fortranOrder = word("True");
                if (!fortranOrder && !word("False"))
                    refuse(m_described, "fortran_order is neither True nor False.");
                seen |= 2;
            } else if (key == "shape") {
                shape.clear();
                tuple();
                seen |= 4;
            } else {
                refuse(m_described, "its header has an entry '" + key.substr(0, 40) + "'.");
            }
            if (!take(',')) {
                expect('}');
                break;
            }
        }
        if (seen != 7)
            refuse(m_described, "its header is incomplete.");
    }

    std::string_view m_text;
    std::size_t m_at = 0;
    const std::string &m_described;
};

DataType typeOf(const std::string &descr)
{
    static const std::pair<const char *, DataType> types[] = {
        {"f2", DataType::Float16}, {"f4", DataType::Float32}, {"f8", DataType::Float64}, {"b1", DataType::Bool},
        {"u1", DataType::UInt8}, {"u2", DataType::UInt16}, {"u4", DataType::UInt32}, {"u8", DataType::UInt64},
        {"i1", DataType::Int8}, {"i2", DataType::Int16}, {"i4", DataType::Int32}, {"i8", DataType::Int64}};
    if (descr.size() == 3 && std::strchr("<>=|", descr[0]))
        for (const auto &[name, type] : types)
            if (descr.substr(1) == name)
                return type;
    return DataType::Undefined;
}

/// Column-major to row-major.
std::vector<std::byte> transposed(const std::vector<std::byte> &source, const std::vector<std::int64_t> &dims, std::size_t element)
{
    std::vector<std::byte> result(source.size());
    std::vector<std::size_t> step(dims.size()), position(dims.size());
    std::size_t stride = element;
    for (std::size_t d = 0; d < dims.size(); ++d) {
        step[d] = stride;
        stride *= std::size_t(dims[d]);
    }
    std::size_t from = 0;
    for (std::size_t to = 0; to < result.size(); to += element) {
        std::memcpy(result.data() + to, source.data() + from, element);
        for (std::size_t d = dims.size(); d-- > 0;) {
            from += step[d];
            if (++position[d] < std::size_t(dims[d]))
                break;
            from -= step[d] * position[d];
            position[d] = 0;
        }
    }
    return result;
}

StoredArray parse(const Read &read, std::uint64_t available, const std::string &described)
{
    std::byte start[12] = {};
    read(0, std::span(start).first(std::min<std::uint64_t>(available, 12)));
    if (available < 12 || std::memcmp(start, "\x93NUMPY", 6) != 0)
        refuse(described, "it does not begin as .npy does.");
    const auto byte = [&](std::size_t i) { return std::to_integer<std::uint32_t>(start[i]); };
    const std::uint32_t version = byte(6);
    if (version < 1 || version > 3)
        refuse(described, "its format version is " + std::to_string(version) + ", 1 to 3 are known.");
    const std::uint64_t headerStart = version == 1 ? 10 : 12;
    const std::uint64_t length = version == 1 ? byte(8) | byte(9) << 8 : byte(8) | byte(9) << 8 | byte(10) << 16 | byte(11) << 24;
    if (length > available - headerStart || length > 1 << 20)
        refuse(described, "its header says it has " + std::to_string(length) + " bytes.");
    std::string text(length, '\0');
    read(headerStart, std::as_writable_bytes(std::span(text)));
    const Header header(text, described);

    StoredArray array;
    array.described = described;
    array.type = typeOf(header.descr);
    if (array.type == DataType::Undefined)
        refuse(described, "its elements are '" + header.descr.substr(0, 40) + "'; floats of 2, 4, 8 bytes, integers of 1 to 8 bytes and bool can be read.");
    array.bigEndian = header.descr[0] == '>';
    array.dims = header.shape;
    array.offset = headerStart + length;
    const std::uint64_t room = available - array.offset, element = std::uint64_t(bitsPerElement(array.type) / 8);
    std::uint64_t count = 1;
    bool tooMany = false;
    for (const std::int64_t d : array.dims)
        tooMany = tooMany || __builtin_mul_overflow(count, std::uint64_t(d), &count);
    if (std::find(array.dims.begin(), array.dims.end(), 0) != array.dims.end())
        refuse(described, "it is empty (shape " + shapeText(array.dims) + ").");
    if (tooMany || count > room / element)
        refuse(described, "its header says " + dataTypeName(array.type) + " of shape " + shapeText(array.dims) + ", but it has only " + std::to_string(room)
                   + " bytes of data.");
    if (header.fortranOrder && array.dims.size() > 1) {
        std::vector<std::byte> columns(count * element);
        read(array.offset, columns);
        array.bytes = std::make_shared<const std::vector<std::byte>>(transposed(columns, array.dims, element));
        array.offset = 0;
    }
    return array;
}

} // namespace

StoredArray readNpy(std::shared_ptr<const RandomAccessFile> source, std::uint64_t offset, std::uint64_t available, const std::string &described)
{
    StoredArray array = parse([&](std::uint64_t at, std::span<std::byte> out) { source->read(offset + at, out); }, available, described);
    if (!array.bytes) {
        array.file = std::move(source);
        array.offset += offset;
    }
    return array;
}

StoredArray readNpy(std::shared_ptr<const std::vector<std::byte>> bytes, const std::string &described)
{
    StoredArray array = parse([&](std::uint64_t at, std::span<std::byte> out) { std::memcpy(out.data(), bytes->data() + at, out.size()); }, bytes->size(), described);
    if (!array.bytes)
        array.bytes = std::move(bytes);
    return array;
}

} // namespace core

#include "core/weights/safetensors.h"

#include "core/base/atomic_file.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <set>

namespace core {
namespace {

using Json = nlohmann::ordered_json;

/// The limit of the reference implementation.
constexpr std::uint64_t mostHeaderBytes = 100'000'000;
constexpr std::string_view metadataName = "__metadata__";

struct TypeName {
    std::string_view name;
    DataType type;
};
constexpr std::array typeNames{
    TypeName{"F32", DataType::Float32},    TypeName{"F16", DataType::Float16},        TypeName{"BF16", DataType::BFloat16},    TypeName{"F64", DataType::Float64},
    TypeName{"I64", DataType::Int64},      TypeName{"I32", DataType::Int32},          TypeName{"I16", DataType::Int16},        TypeName{"I8", DataType::Int8},
    TypeName{"U64", DataType::UInt64},     TypeName{"U32", DataType::UInt32},         TypeName{"U16", DataType::UInt16},       TypeName{"U8", DataType::UInt8},
    TypeName{"BOOL", DataType::Bool},      TypeName{"F8_E4M3", DataType::Float8E4M3FN}, TypeName{"F8_E5M2", DataType::Float8E5M2},
};

[[noreturn]] void refuse(const std::filesystem::path &file, const std::string &why, ErrorKind kind = ErrorKind::InvalidInput)
{
    throw Error(kind, "weights", "'" + file.string() + "' cannot be read as safetensors: " + why);
}

struct Entry {
    std::string name, type;
    std::vector<std::int64_t> shape;
    std::vector<std::uint64_t> offsets;
    bool hasType = false, hasShape = false, hasOffsets = false;
};

/// Takes exactly {"name": {"dtype": "F32", "shape": [1, 2], "data_offsets": [0, 8]}, …, "__metadata__": {"text": "text"}}; keeps the order and
/// sees names that stand twice, which a parsed document would hide.
class HeaderReader : public nlohmann::json_sax<Json> {
public:
    explicit HeaderReader(const std::filesystem::path &file) : m_file(file) {}

    std::vector<Entry> entries;
    std::map<std::string, std::string> metadata;

    bool start_object(std::size_t) override
    {
        if (m_array || m_depth > 1)
            unexpected("an object");
        if (++m_depth == 2 && !m_inMetadata)
            entries.push_back({m_name, {}, {}, {}});
        return true;
    }
    bool key(std::string &text) override
    {
        if (m_depth == 2) {
            m_field = text;
            return true;
        }
        m_name = text;
        m_inMetadata = text == metadataName;
        if (!m_names.insert(text).second)
            refuse(m_file, "its header names '" + text + "' twice.");
        return true;
    }
    bool end_object() override
    {
        if (m_depth-- == 2 && !m_inMetadata) {
            const Entry &entry = entries.back();
            if (!entry.hasType || !entry.hasShape || !entry.hasOffsets || entry.offsets.size() != 2)
                refuse(m_file, "tensor '" + m_name + "' lacks its dtype, shape or data_offsets.");
        }
        return true;
    }
    bool start_array(std::size_t) override
    {
        if (m_depth != 2 || m_inMetadata || m_array || (m_field != "shape" && m_field != "data_offsets"))
            unexpected("a list");
        m_array = true;
        once(m_field == "shape" ? entries.back().hasShape : entries.back().hasOffsets);
        return true;
    }
    bool end_array() override
    {
        m_array = false;
        return true;
    }
    bool number_unsigned(std::uint64_t value) override
    {
        if (!m_array)
            unexpected("a number");
        Entry &entry = entries.back();
        if (m_field == "data_offsets") {
            if (entry.offsets.size() == 2)
                unexpected("a third offset");
            entry.offsets.push_back(value);
        } else {
            if (value > std::uint64_t(1) << 48 || entry.shape.size() == 64)
                unexpected("a shape that is too large");
            entry.shape.push_back(std::int64_t(value));
        }
        return true;
    }
    bool string(std::string &text) override
    {
        if (m_depth == 2 && m_inMetadata) {
            if (!metadata.emplace(m_field, text).second)
                refuse(m_file, "its metadata names '" + m_field + "' twice.");
        } else if (m_depth == 2 && !m_array && m_field == "dtype") {
            once(entries.back().hasType);
            entries.back().type = text;
        } else {
            unexpected("a text");
        }
        return true;
    }
    bool number_integer(std::int64_t) override { unexpected("a negative number"); }
    bool number_float(double, const std::string &) override { unexpected("a fraction"); }
    bool boolean(bool) override { unexpected("true or false"); }
    bool null() override { unexpected("null"); }
    bool binary(Json::binary_t &) override { unexpected("binary data"); }
    bool parse_error(std::size_t at, const std::string &, const nlohmann::detail::exception &) override
    {
        refuse(m_file, "its header is no JSON at byte " + std::to_string(at) + "; the file is damaged.");
    }

private:
    [[noreturn]] void unexpected(const std::string &what) const
    {
        refuse(m_file, "its header has " + what + " where none belongs" + (m_name.empty() ? "." : ", at '" + m_name + "'."));
    }
    void once(bool &seen) const
    {
        if (seen)
            refuse(m_file, "tensor '" + m_name + "' has two entries '" + m_field + "'.");
        seen = true;
    }

    std::filesystem::path m_file;
    std::set<std::string> m_names;
    std::string m_name, m_field;
    int m_depth = 0;
    bool m_array = false, m_inMetadata = false;
};

DataType typeOf(const Entry &entry, const std::filesystem::path &file)
{
    for (const TypeName &known : typeNames)
        if (known.name == entry.type)
            return known.type;
    refuse(file, "tensor '" + entry.name + "' has the type '" + entry.type + "', which this program does not know.", ErrorKind::Unsupported);
}

std::int64_t neededBytes(const Entry &entry, const std::filesystem::path &file)
{
    const DataType type = typeOf(entry, file);
    try {
        return byteSize(type, elementCount(entry.shape));
    } catch (const Error &error) {
        refuse(file, "tensor '" + entry.name + "': " + error.sentence(), error.kind());
    }
}

/// The bytes of each lie inside, behind one another, and are as many as type and shape need.
void checkLayout(const std::vector<Entry> &entries, std::uint64_t available, const std::filesystem::path &file)
{
    std::vector<const Entry *> byOffset;
    for (const Entry &entry : entries) {
        const std::uint64_t begin = entry.offsets[0], end = entry.offsets[1];
        if (begin > end || end > available)
            refuse(file, "the bytes " + std::to_string(begin) + " to " + std::to_string(end) + " of tensor '" + entry.name + "' are not in the file, which has "
                             + std::to_string(available) + " bytes of tensors.");
        const std::int64_t needed = neededBytes(entry, file);
        if (std::uint64_t(needed) != end - begin)
            refuse(file, "tensor '" + entry.name + "' needs " + std::to_string(needed) + " bytes for its shape and has " + std::to_string(end - begin) + ".");
        byOffset.push_back(&entry);
    }
    std::sort(byOffset.begin(), byOffset.end(), [](const Entry *a, const Entry *b) { return a->offsets < b->offsets; });
    std::uint64_t at = 0;
    for (const Entry *entry : byOffset) {
        if (entry->offsets[0] != at)
            refuse(file, "tensor '" + entry->name + "' begins at byte " + std::to_string(entry->offsets[0]) + ", but what is before it ends at " + std::to_string(at) + ".");
        at = entry->offsets[1];
    }
    if (at != available)
        refuse(file, "it has " + std::to_string(available) + " bytes of tensors, but its header accounts for " + std::to_string(at) + ".");
}

std::uint64_t headerBytes(const RandomAccessFile &file)
{
    std::uint64_t length = 0;
    file.read(0, std::as_writable_bytes(std::span(&length, 1)));
    return length;
}

std::string_view typeName(const std::string &tensor, DataType type)
{
    for (const TypeName &known : typeNames)
        if (known.type == type)
            return known.name;
    throw Error(ErrorKind::Unsupported, "weights", "Tensor '" + tensor + "' of type " + dataTypeName(type) + " cannot be written as safetensors.");
}

} // namespace

bool looksLikeSafetensors(const RandomAccessFile &file)
{
    if (file.size() < 10)
        return false;
    std::byte first{};
    file.read(8, std::span(&first, 1));
    return first == std::byte('{') && headerBytes(file) <= mostHeaderBytes;
}

WeightFile readSafetensors(const RandomAccessFile &file)
{
    const std::uint64_t length = file.size() < 8 ? 0 : headerBytes(file);
    if (length < 2 || length > mostHeaderBytes || length > file.size() - 8)
        refuse(file.path(), "its header would have " + std::to_string(length) + " bytes, the file has " + std::to_string(file.size()) + "; it is truncated or of another kind.");
    std::string text(length, '\0');
    file.read(8, std::as_writable_bytes(std::span(text)));
    HeaderReader header(file.path());
    if (!text.starts_with('{'))
        refuse(file.path(), "its header is no JSON object.");
    Json::sax_parse(text, &header);
    checkLayout(header.entries, file.size() - 8 - length, file.path());

    WeightFile weights;
    weights.metadata = std::move(header.metadata);
    weights.tensors.reserve(header.entries.size());
    for (Entry &entry : header.entries) {
        std::vector<std::byte> bytes(entry.offsets[1] - entry.offsets[0]);
        file.read(8 + length + entry.offsets[0], bytes);
        const DataType type = typeOf(entry, file.path());
        weights.tensors.emplace_back(std::move(entry.name), TensorData::fromBytes(type, std::move(entry.shape), std::move(bytes)));
    }
    return weights;
}

void writeSafetensors(const WeightFile &weights, const std::filesystem::path &file)
{
    Json header = Json::object();
    if (!weights.metadata.empty())
        header[std::string(metadataName)] = weights.metadata;
    std::set<std::string_view> names{metadataName};
    // Built in one go: ordered_json searches its keys at every [].
    Json::object_t &entries = header.get_ref<Json::object_t &>();
    std::int64_t at = 0;
    for (const auto &[name, tensor] : weights.tensors) {
        if (!names.insert(name).second)
            throw Error(ErrorKind::InvalidInput, "weights", "Tensor '" + name + "' cannot be written to '" + file.string() + "': the name is taken.");
        const std::int64_t size = byteSize(tensor.type, tensor.count());
        const Json entry{{"dtype", typeName(name, tensor.type)}, {"shape", tensor.dims}, {"data_offsets", {at, at + size}}};
        if (size != std::int64_t(tensor.bytes ? tensor.bytes->size() : 0))
            throw Error(ErrorKind::InvalidInput, "weights", "Tensor '" + name + "' needs " + std::to_string(size) + " bytes for its shape and has others.");
        static_cast<std::vector<std::pair<const std::string, Json>> &>(entries).emplace_back(name, entry);
        at += size;
    }
    std::string text;
    try {
        text = header.dump();
    } catch (const nlohmann::json::exception &) {
        throw Error(ErrorKind::InvalidInput, "weights", "'" + file.string() + "' cannot be written: the name of a tensor or its metadata is no UTF-8 text.");
    }
    text.resize((text.size() + 7) / 8 * 8, ' ');
    const std::uint64_t length = text.size();
    AtomicFile out(file);
    out.append({reinterpret_cast<const char *>(&length), sizeof length});
    out.append(text);
    for (const auto &[name, tensor] : weights.tensors)
        if (tensor.bytes)
            out.append({reinterpret_cast<const char *>(tensor.bytes->data()), tensor.bytes->size()});
    out.commit();
}

} // namespace core

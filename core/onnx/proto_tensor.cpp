#include "core/onnx/proto_tensor.h"

#include "core/onnx/read_context.h"

#include <charconv>
#include <cstring>
#include <limits>
#include <onnx/onnx_pb.h>

namespace core {
namespace {

constexpr std::int64_t maxDenseBytes = std::int64_t(256) << 20;

std::vector<std::byte> toBytes(const std::string &raw)
{
    const auto *first = reinterpret_cast<const std::byte *>(raw.data());
    return {first, first + raw.size()};
}

struct TypedData {
    const onnx::TensorProto &tensor;
    ReadContext &context;
    const std::string &what;
    DataType type;
    const std::vector<std::int64_t> &dims;
    std::int64_t count;

    [[noreturn]] void wrongSize(const char *field, std::int64_t have, std::int64_t want) const
    {
        if (have == 0)
            context.fail(what + " has dimensions " + dimsText(dims) + " and type " + dataTypeName(type) + ", but no data.");
        context.fail(what + " has dimensions " + dimsText(dims) + " and type " + dataTypeName(type) + ", which take " + std::to_string(want) + " values in "
                     + field + "; there are " + std::to_string(have) + ".");
    }

    template <class Field>
    std::vector<std::byte> plain(const Field &field, const char *name, std::int64_t want) const
    {
        if (field.size() != want)
            wrongSize(name, field.size(), want);
        std::vector<std::byte> bytes(std::size_t(want) * sizeof(*field.data()));
        if (!bytes.empty())
            std::memcpy(bytes.data(), field.data(), bytes.size());
        return bytes;
    }

    /// Each value takes `width` bytes; signed and unsigned readings of them are accepted.
    template <class Field>
    std::vector<std::byte> narrow(const Field &field, const char *name, std::int64_t want, int width) const
    {
        if (field.size() != want)
            wrongSize(name, field.size(), want);
        std::vector<std::byte> bytes(std::size_t(want) * std::size_t(width));
        const int bits = 8 * width;
        for (int i = 0; i < field.size(); ++i) {
            const auto value = std::int64_t(field[i]);
            if (value < -(std::int64_t(1) << (bits - 1)) || value >= (std::int64_t(1) << bits))
                context.fail(what + " holds " + std::to_string(value) + " at index " + std::to_string(i) + " of " + name + ", which does not fit into "
                             + dataTypeName(type) + ".");
            std::memcpy(bytes.data() + std::size_t(i) * std::size_t(width), &value, std::size_t(width));
        }
        return bytes;
    }

    std::vector<std::byte> bytes() const
    {
        const auto ints = [this](int width, std::int64_t want) { return narrow(tensor.int32_data(), "int32_data", want, width); };
        switch (type) {
        case DataType::Float32: return plain(tensor.float_data(), "float_data", count);
        case DataType::Complex64: return plain(tensor.float_data(), "float_data", 2 * count);
        case DataType::Float64: return plain(tensor.double_data(), "double_data", count);
        case DataType::Complex128: return plain(tensor.double_data(), "double_data", 2 * count);
        case DataType::Int64: return plain(tensor.int64_data(), "int64_data", count);
        case DataType::UInt64: return plain(tensor.uint64_data(), "uint64_data", count);
        case DataType::UInt32: return narrow(tensor.uint64_data(), "uint64_data", count, 4);
        case DataType::Int32: return plain(tensor.int32_data(), "int32_data", count);
        default: break;
        }
        const int bits = bitsPerElement(type);
        if (bits == 16)
            return ints(2, count);
        if (bits > 0 && bits <= 8)
            return ints(1, byteSize(type, count));
        context.fail(what + " has the element type " + std::to_string(int(type)) + ", which can be read from raw_data only.", ErrorKind::Unsupported);
    }
};

std::int64_t externalNumber(const std::string &text, const char *key, ReadContext &context, const std::string &what)
{
    std::int64_t number = -1;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size() || number < 0)
        context.fail(what + " has external data with " + key + " " + inQuotes(text) + "; a number of bytes is needed.");
    return number;
}

std::vector<std::byte> externalBytes(const onnx::TensorProto &tensor, ReadContext &context, const std::string &what, std::int64_t size, bool sizeKnown)
{
    std::string location;
    std::int64_t offset = 0, length = -1;
    for (const onnx::StringStringEntryProto &entry : tensor.external_data()) {
        if (entry.key() == "location")
            location = entry.value();
        else if (entry.key() == "offset")
            offset = externalNumber(entry.value(), "offset", context, what);
        else if (entry.key() == "length")
            length = externalNumber(entry.value(), "length", context, what);
    }
    if (length >= 0 && sizeKnown && length != size)
        context.fail(what + " needs " + std::to_string(size) + " bytes, and its external data has the length " + std::to_string(length) + ".");
    try {
        const std::int64_t wanted = sizeKnown ? size : length >= 0 ? length : context.external.available(location, offset);
        if (wanted > context.external.available(location, offset))
            context.fail(what + " takes " + std::to_string(wanted) + " bytes at offset " + std::to_string(offset) + " of " + inQuotes(location)
                         + ", which has only " + std::to_string(context.external.available(location, offset)) + " from there on.");
        context.takeBytes(wanted, what);
        return context.external.read(location, offset, wanted);
    } catch (const Error &) {
        throw;
    } catch (const std::runtime_error &error) {
        context.fail(what + " " + error.what() + ".");
    }
}

std::int64_t checkedCount(const std::vector<std::int64_t> &dims, const ReadContext &context, const std::string &what)
{
    try {
        return elementCount(dims);
    } catch (const Error &error) {
        context.fail(what + " has dimensions " + dimsText(dims) + ". " + error.sentence());
    }
}

bool hasTypedData(const onnx::TensorProto &tensor)
{
    return tensor.float_data_size() || tensor.int32_data_size() || tensor.int64_data_size() || tensor.double_data_size() || tensor.uint64_data_size()
        || tensor.string_data_size();
}

void makeBoolean(std::vector<std::byte> &bytes)
{
    for (std::byte &byte : bytes)
        byte = std::byte(byte != std::byte(0));
}

} // namespace

TensorData tensorFromProto(onnx::TensorProto &tensor, ReadContext &context, const std::string &what)
{
    TensorData data;
    data.type = DataType(tensor.data_type());
    data.dims.assign(tensor.dims().begin(), tensor.dims().end());
    data.docString = tensor.doc_string();
    if (data.type == DataType::Undefined)
        context.fail(what + " has no element type.");
    if (tensor.has_segment())
        context.fail(what + " is stored in segments, which this program does not read.", ErrorKind::Unsupported);
    const std::int64_t count = checkedCount(data.dims, context, what);
    const bool external = tensor.data_location() == onnx::TensorProto::EXTERNAL;

    if (data.type == DataType::String) {
        if (external || !tensor.raw_data().empty())
            context.fail(what + " holds strings, which can lie in string_data only.");
        if (tensor.string_data_size() != count)
            context.fail(what + " has dimensions " + dimsText(data.dims) + " and needs " + std::to_string(count) + " strings; it holds "
                         + std::to_string(tensor.string_data_size()) + ".");
        for (const std::string &text : tensor.string_data())
            context.takeBytes(std::int64_t(text.size() + sizeof(text)), what);
        data.strings = std::make_shared<const std::vector<std::string>>(tensor.string_data().begin(), tensor.string_data().end());
        return data;
    }

    const bool sizeKnown = bitsPerElement(data.type) != 0;
    const std::int64_t size = byteSize(data.type, count);
    std::vector<std::byte> bytes;
    if (external) {
        bytes = externalBytes(tensor, context, what, size, sizeKnown);
    } else if (!tensor.raw_data().empty()) {
        if (hasTypedData(tensor))
            context.fail(what + " has its data twice: in raw_data and in a typed field.");
        const auto have = std::int64_t(tensor.raw_data().size());
        if (sizeKnown && have != size)
            context.fail(what + " has dimensions " + dimsText(data.dims) + " and type " + dataTypeName(data.type) + ", which take " + std::to_string(size)
                         + " bytes; raw_data has " + std::to_string(have) + ".");
        context.takeBytes(have, what);
        bytes = toBytes(tensor.raw_data());
        delete tensor.release_raw_data();
    } else if (sizeKnown || hasTypedData(tensor)) {
        if (hasTypedData(tensor))
            context.takeBytes(size, what);
        bytes = TypedData{tensor, context, what, data.type, data.dims, count}.bytes();
    }
    if (data.type == DataType::Bool)
        makeBoolean(bytes);
    data.bytes = std::make_shared<const std::vector<std::byte>>(std::move(bytes));
    return data;
}

TensorData tensorFromSparse(onnx::SparseTensorProto &sparse, ReadContext &context, const std::string &what)
{
    const std::vector<std::int64_t> dims(sparse.dims().begin(), sparse.dims().end());
    const std::int64_t count = checkedCount(dims, context, what);
    const TensorData values = tensorFromProto(*sparse.mutable_values(), context, what + " (values)");
    const TensorData indices = tensorFromProto(*sparse.mutable_indices(), context, what + " (indices)");
    const int bits = bitsPerElement(values.type);
    const std::int64_t stored = values.count(), rank = std::int64_t(dims.size());
    if (bits < 8)
        context.fail(what + " is sparse with elements of type " + dataTypeName(values.type) + "; only whole bytes are read.", ErrorKind::Unsupported);
    if (byteSize(values.type, count) > maxDenseBytes)
        context.fail(what + " is sparse and would take " + std::to_string(byteSize(values.type, count)) + " bytes in full, more than "
                     + std::to_string(maxDenseBytes) + ".", ErrorKind::Unsupported);
    const bool linear = indices.dims.size() == 1;
    if (indices.type != DataType::Int64 || indices.dims.empty() || indices.dims.size() > 2 || indices.dims[0] != stored || values.dims.size() != 1
        || (!linear && indices.dims[1] != rank))
        context.fail(what + " is sparse with " + std::to_string(stored) + " values and indices of dimensions " + dimsText(indices.dims)
                     + "; [values] or [values, rank] of type int64 are needed.");
    context.takeBytes(byteSize(values.type, count), what);
    std::vector<std::byte> dense(std::size_t(byteSize(values.type, count)));
    const std::vector<std::int64_t> positions = indices.toInt64s();
    const auto width = std::size_t(bits / 8);
    for (std::int64_t i = 0; i < stored; ++i) {
        std::int64_t at = linear ? positions[std::size_t(i)] : 0;
        bool inside = !linear || (at >= 0 && at < count);
        for (std::int64_t d = 0; !linear && inside && d < rank; ++d) {
            const std::int64_t index = positions[std::size_t(i * rank + d)], size = dims[std::size_t(d)];
            inside = index >= 0 && index < size;
            at = inside ? at * size + index : 0;
        }
        if (!inside)
            context.fail(what + " is sparse, and index " + std::to_string(i) + " points outside of its dimensions " + dimsText(dims) + ".");
        std::memcpy(dense.data() + std::size_t(at) * width, values.bytes->data() + std::size_t(i) * width, width);
    }
    return TensorData::fromBytes(values.type, dims, std::move(dense));
}

void tensorHeadToProto(const TensorData &data, onnx::TensorProto &tensor)
{
    tensor.mutable_dims()->Add(data.dims.begin(), data.dims.end());
    tensor.set_data_type(std::int32_t(data.type));
    if (!data.docString.empty())
        tensor.set_doc_string(data.docString);
    if (data.strings) {
        for (const std::string &text : *data.strings)
            tensor.add_string_data(text);
    }
}

void tensorToProto(const TensorData &data, onnx::TensorProto &tensor)
{
    tensorHeadToProto(data, tensor);
    if (data.type == DataType::String)
        return;
    if (data.bytes && !data.bytes->empty())
        tensor.set_raw_data(data.bytes->data(), data.bytes->size());
    else
        tensor.set_raw_data("", 0);
}

} // namespace core

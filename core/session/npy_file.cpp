#include "core/session/npy_file.h"

#include "core/base/atomic_file.h"
#include "core/base/error.h"
#include "core/graph/tensor_data.h"

#include <ATen/ATen.h>

#include <charconv>
#include <cstring>
#include <fstream>
#include <map>

namespace core {
namespace {

const std::map<std::string, at::ScalarType> &types()
{
    static const std::map<std::string, at::ScalarType> known{
        {"<f4", at::kFloat}, {"<f8", at::kDouble}, {"<f2", at::kHalf}, {"|i1", at::kChar}, {"|u1", at::kByte},
        {"<i2", at::kShort},   {"<i4", at::kInt},   {"<i8", at::kLong},   {"|b1", at::kBool}};
    return known;
}

[[noreturn]] void broken(const std::filesystem::path &file, const std::string &why)
{
    throw Error(ErrorKind::InvalidInput, "npy", "'" + file.string() + "' " + why + ".");
}

/// What follows "'key': " in the header's dictionary.
std::string field(const std::string &header, const std::string &key, const std::filesystem::path &file)
{
    const auto at = header.find("'" + key + "':");
    if (at == std::string::npos)
        broken(file, "has no field '" + key + "'");
    const auto begin = header.find_first_not_of(' ', at + key.size() + 3);
    if (begin == std::string::npos)
        broken(file, "has an empty field '" + key + "'");
    const auto end = header[begin] == '(' ? header.find(')', begin) : header.find_first_of(",}", begin);
    if (end == std::string::npos)
        broken(file, "has a header that does not end");
    return header.substr(begin, end - begin);
}

} // namespace

void writeNpy(const std::filesystem::path &file, const at::Tensor &tensor)
{
    std::string name;
    for (const auto &[text, type] : types())
        if (type == tensor.scalar_type())
            name = text;
    if (name.empty())
        throw Error(ErrorKind::Unsupported, "npy", std::string("A tensor of type ") + toString(tensor.scalar_type()) + " cannot be handed over.");
    std::string dims;
    for (const std::int64_t size : tensor.sizes())
        dims += std::to_string(size) + ", ";
    std::string header = "{'descr': '" + name + "', 'fortran_order': False, 'shape': (" + dims + "), }";
    header.append(63 - (10 + header.size()) % 64, ' ');
    header += '\n';
    const std::uint16_t size = std::uint16_t(header.size());
    const at::Tensor dense = tensor.contiguous();
    std::ofstream out(file, std::ios::binary);
    out.write("\x93NUMPY\x01\x00", 8);
    out.put(char(size & 0xff)).put(char(size >> 8));
    out << header;
    if (dense.nbytes() > 0)
        out.write(static_cast<const char *>(dense.data_ptr()), std::streamsize(dense.nbytes()));
    out.close();
    if (!out)
        throw Error(ErrorKind::Io, "npy", "Cannot write '" + file.string() + "'.");
}

at::Tensor readNpy(const std::filesystem::path &file)
{
    const std::string bytes = readFile(file);
    if (bytes.size() < 10 || bytes.compare(0, 6, "\x93NUMPY") != 0 || (bytes[6] != 1 && bytes[6] != 2))
        broken(file, "is no .npy file of format 1 or 2");
    const auto byte = [&bytes](std::size_t i) { return std::size_t(static_cast<unsigned char>(bytes[i])); };
    std::size_t start = 10, length = byte(8) | byte(9) << 8;
    if (bytes[6] == 2) {
        if (bytes.size() < 12)
            broken(file, "is truncated");
        start = 12;
        length |= byte(10) << 16 | byte(11) << 24;
    }
    if (length > bytes.size() - start)
        broken(file, "is truncated");
    const std::string header = bytes.substr(start, length);
    std::string descr = field(header, "descr", file);
    if (descr.size() > 2)
        descr = descr.substr(1, descr.size() - 2);
    const auto type = types().find(descr);
    if (type == types().end() || field(header, "fortran_order", file) != "False")
        broken(file, "has elements of type " + descr + " or Fortran order, which is not read here");
    std::vector<std::int64_t> dims;
    const std::string shape = field(header, "shape", file);
    for (std::size_t at = shape.find_first_of("0123456789"); at != std::string::npos; at = shape.find_first_of("0123456789", at)) {
        std::int64_t size = 0;
        const auto [end, error] = std::from_chars(shape.data() + at, shape.data() + shape.size(), size);
        if (error != std::errc())
            broken(file, "has a dimension that is too large");
        dims.push_back(size);
        at = std::size_t(end - shape.data());
    }
    const std::int64_t count = elementCount(dims);
    at::Tensor tensor;
    if (std::size_t(count) > bytes.size() || std::size_t(count) * c10::elementSize(type->second) != bytes.size() - start - length)
        broken(file, "does not hold as many bytes as its shape says");
    tensor = at::empty(dims, type->second);
    if (tensor.nbytes() > 0)
        std::memcpy(tensor.data_ptr(), bytes.data() + start + length, tensor.nbytes());
    return type->second == at::kHalf ? tensor.to(at::kFloat) : tensor;
}

} // namespace core

#include "core/weights/torch_tensors.h"

#include <algorithm>
#include <cstring>
#include <set>
#include <tuple>

namespace core {
namespace {

using Kind = Pickle::Kind;
using Bytes = std::shared_ptr<const std::vector<std::byte>>;

[[noreturn]] void refuse(const std::string &described, const std::string &why)
{
    throw Error(ErrorKind::InvalidInput, "weights", described + " cannot be read: " + why);
}

std::size_t tensorCount(const Pickle &pickle, const Pickle::Object &object)
{
    std::size_t count = 0;
    if (object.kind == Kind::Dictionary)
        for (std::size_t i = 0; i + 1 < object.items.size(); i += 2)
            count += pickle.objects[object.items[i]].kind == Kind::Text && pickle.objects[object.items[i + 1]].kind == Kind::Tensor;
    return count;
}

const Pickle::Object &mappingOf(const Pickle &pickle, const std::string &described)
{
    const Pickle::Object *best = &pickle.top();
    std::size_t most = tensorCount(pickle, *best);
    std::set<std::uint32_t> seen;
    if (pickle.top().kind == Kind::Dictionary)
        for (std::size_t i = 1; i < pickle.top().items.size(); i += 2) {
            if (!seen.insert(pickle.top().items[i]).second)
                continue;
            const Pickle::Object &value = pickle.objects[pickle.top().items[i]];
            if (const std::size_t count = tensorCount(pickle, value); count > most) {
                best = &value;
                most = count;
            }
        }
    if (most == 0)
        refuse(described, "it holds no tensors by name; save model.state_dict().");
    return *best;
}

bool isContiguous(const PickledTensor &tensor)
{
    std::int64_t expected = 1;
    for (std::size_t d = tensor.dims.size(); d-- > 0; expected *= tensor.dims[d])
        if (tensor.dims[d] != 1 && tensor.strides[d] != expected)
            return false;
    return true;
}

/// Row-major copy. Every element lies within `storage` (the unpickler has seen to it).
std::vector<std::byte> gathered(const PickledTensor &tensor, std::int64_t first, std::size_t elementBytes, const std::vector<std::byte> &storage)
{
    const std::int64_t count = elementCount(tensor.dims);
    std::vector<std::byte> out(std::size_t(count) * elementBytes);
    if (isContiguous(tensor)) {
        std::copy_n(storage.begin() + std::ptrdiff_t(std::size_t(first) * elementBytes), out.size(), out.begin());
        return out;
    }
    std::vector<std::int64_t> index(tensor.dims.size()), strides = tensor.strides;
    for (std::size_t d = 0; d < strides.size(); ++d)
        if (tensor.dims[d] == 1)
            strides[d] = 0;                     // may be any number
    std::int64_t at = first;
    for (std::int64_t i = 0; i < count; ++i) {
        std::memcpy(out.data() + std::size_t(i) * elementBytes, storage.data() + std::size_t(at) * elementBytes, elementBytes);
        for (std::size_t d = index.size(); d-- > 0;) {
            at += strides[d];
            if (++index[d] < tensor.dims[d])
                break;
            at -= strides[d] * tensor.dims[d];
            index[d] = 0;
        }
    }
    return out;
}

class Tensors {
public:
    Tensors(const Pickle &pickle, const StorageReader &read, std::uint64_t fileBytes, const std::string &described)
        : m_pickle(pickle), m_read(read), m_left((std::uint64_t(16) << 20) + 4 * fileBytes), m_described(described)
    {
    }

    TensorData make(const PickledTensor &tensor, const std::string &name)
    {
        const PickledStorage &storage = m_pickle.storages[tensor.storage];
        TensorData data;
        data.type = storage.type;
        data.dims = tensor.dims;
        std::int64_t count = 0;
        try {
            count = data.count();
        } catch (const Error &error) {
            refuse(m_described, "tensor '" + name + "': " + error.sentence());
        }
        data.bytes = count == 0 ? std::make_shared<const std::vector<std::byte>>() : view(tensor, storage, count, name);
        return data;
    }

private:
    Bytes view(const PickledTensor &tensor, const PickledStorage &storage, std::int64_t count, const std::string &name)
    {
        Bytes &whole = m_storages[storage.key];
        if (!whole)
            whole = std::make_shared<const std::vector<std::byte>>(m_read(storage));
        const std::int64_t first = storage.viewOffset + tensor.offset;
        if (first == 0 && count == storage.elements && isContiguous(tensor))
            return whole;
        Bytes &part = m_views[{storage.key, first, tensor.dims, tensor.strides}];
        if (part)
            return part;
        const std::int64_t bytes = byteSize(storage.type, count);
        if (std::uint64_t(bytes) > m_left)
            refuse(m_described, "tensor '" + name + "' would take " + std::to_string(bytes) + " bytes; so many views of the same elements are not read.");
        m_left -= std::uint64_t(bytes);
        part = std::make_shared<const std::vector<std::byte>>(gathered(tensor, first, std::size_t(byteSize(storage.type, 1)), *whole));
        return part;
    }

    const Pickle &m_pickle;
    const StorageReader &m_read;
    std::uint64_t m_left;
    const std::string &m_described;
    std::map<std::string, Bytes> m_storages;
    std::map<std::tuple<std::string, std::int64_t, std::vector<std::int64_t>, std::vector<std::int64_t>>, Bytes> m_views;
};

} // namespace

std::string quoted(const std::filesystem::path &file)
{
    std::string text = "'";
    return text.append(file.string()).append("'");
}

WeightFile tensorsOf(const Pickle &pickle, const StorageReader &read, std::uint64_t fileBytes, const std::string &described)
{
    constexpr std::string_view wrapper = "module.";
    const Pickle::Object &mapping = mappingOf(pickle, described);
    Tensors tensors(pickle, read, fileBytes, described);
    WeightFile weights;
    std::set<std::string_view> names;
    for (std::size_t i = 0; i + 1 < mapping.items.size(); i += 2) {
        const Pickle::Object &key = pickle.objects[mapping.items[i]], &value = pickle.objects[mapping.items[i + 1]];
        if (key.kind != Kind::Text || value.kind != Kind::Tensor)
            continue;
        if (!names.insert(key.text).second)
            refuse(described, "it has two tensors named '" + key.text + "'.");
        weights.tensors.emplace_back(key.text, tensors.make(pickle.tensors[std::size_t(value.number)], key.text));
    }
    if (std::all_of(weights.tensors.begin(), weights.tensors.end(), [&](const auto &tensor) { return tensor.first.starts_with(wrapper); }))
        for (auto &tensor : weights.tensors)
            tensor.first.erase(0, wrapper.size());
    return weights;
}

} // namespace core

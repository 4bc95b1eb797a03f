#include "core/weights/torch_legacy.h"

#include "core/weights/torch_tensors.h"

#include <algorithm>

namespace core {
namespace {

using Kind = Pickle::Kind;

/// Where all the pickles must lie.
constexpr std::uint64_t mostPickleBytes = std::uint64_t(32) << 20;
constexpr std::string_view magic = "\x6C\xFC\x9C\x46\xF9\x20\x6A\xA8\x50\x19";   // 0x1950a86a20f9469cfc6c
constexpr std::int64_t protocol = 1001;

class TorchStream {
public:
    explicit TorchStream(const RandomAccessFile &file)
        : m_file(file), m_described(quoted(file.path())), m_bytes(std::min(file.size(), mostPickleBytes))
    {
        m_file.read(0, m_bytes);
    }

    WeightFile weights()
    {
        const Pickle first = next();
        if (first.top().kind != Kind::LongInteger || first.top().text != magic)
            refuse("it is a pickle, but none that torch.save wrote.");
        const Pickle version = next();
        if (version.top().kind != Kind::Integer || version.top().number != protocol)
            refuse("its format has another number than 1001.");
        checkMachine(next());
        const Pickle object = next(), keys = next();
        findStorages(object, keys);
        return tensorsOf(object, [this](const PickledStorage &storage) { return bytesOf(storage); }, m_file.size(), m_described);
    }

private:
    [[noreturn]] void refuse(const std::string &why) const { throw Error(ErrorKind::InvalidInput, "weights", m_described + " cannot be read: " + why); }

    Pickle next()
    {
        Pickle pickle = readPickle(std::span(m_bytes).subspan(m_at), m_described);
        m_at += pickle.bytes;
        return pickle;
    }

    void checkMachine(const Pickle &facts) const
    {
        if (facts.top().kind != Kind::Dictionary)
            refuse("it does not say on what machine it was written.");
        const auto &items = facts.top().items;
        for (std::size_t i = 0; i + 1 < items.size(); i += 2)
            if (facts.objects[items[i]].text == "little_endian" && facts.objects[items[i + 1]].number != 1)
                refuse("its numbers are not in little-endian byte order; save it anew on a usual machine.");
    }

    void findStorages(const Pickle &object, const Pickle &keys)
    {
        std::map<std::string_view, const PickledStorage *> known;
        for (const PickledStorage &storage : object.storages)
            known.emplace(storage.key, &storage);
        if (keys.top().kind != Kind::List)
            refuse("it has no list of storages.");
        std::uint64_t at = m_at;
        for (const std::uint32_t item : keys.top().items) {
            const std::string &key = keys.objects[item].text;
            const auto found = known.find(key);
            if (keys.objects[item].kind != Kind::Text || found == known.end() || m_offsets.contains(key))
                refuse("its list of storages does not fit its tensors.");
            std::int64_t elements = 0;
            if (m_file.size() - at < sizeof elements)
                refuse("the file is truncated.");
            m_file.read(at, std::as_writable_bytes(std::span(&elements, 1)));
            at += sizeof elements;
            if (elements != found->second->elements)
                refuse("storage '" + key + "' has " + std::to_string(elements) + " elements where " + std::to_string(found->second->elements) + " are announced.");
            const auto bytes = std::uint64_t(byteSize(found->second->type, elements));
            if (bytes > m_file.size() - at)
                refuse("storage '" + key + "' needs " + std::to_string(bytes) + " bytes, but the file ends after " + std::to_string(m_file.size() - at) + "; it is truncated.");
            m_offsets.emplace(key, at);
            at += bytes;
        }
    }

    std::vector<std::byte> bytesOf(const PickledStorage &storage) const
    {
        const auto found = m_offsets.find(storage.key);
        if (found == m_offsets.end())
            refuse("its list of storages lacks '" + storage.key + "'.");
        std::vector<std::byte> bytes(std::size_t(byteSize(storage.type, storage.elements)));
        m_file.read(found->second, bytes);
        return bytes;
    }

    const RandomAccessFile &m_file;
    std::string m_described;
    std::vector<std::byte> m_bytes;
    std::size_t m_at = 0;
    std::map<std::string, std::uint64_t> m_offsets;
};

} // namespace

bool looksLikePickle(const RandomAccessFile &file)
{
    std::byte start[2] = {};
    if (file.size() < sizeof start)
        return false;
    file.read(0, start);
    return start[0] == std::byte(0x80) && start[1] >= std::byte(2) && start[1] <= std::byte(5);
}

WeightFile readTorchLegacy(const RandomAccessFile &file) { return TorchStream(file).weights(); }

} // namespace core

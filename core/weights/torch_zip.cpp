#include "core/weights/torch_zip.h"

#include "core/data/zip_archive.h"
#include "core/weights/torch_tensors.h"

#include <cstring>

namespace core {
namespace {

constexpr std::uint64_t mostPickleBytes = std::uint64_t(32) << 20;

class TorchArchive {
public:
    explicit TorchArchive(const std::shared_ptr<const RandomAccessFile> &file)
        : m_described(quoted(file->path())), m_archive(file, m_described), m_storedLeft(file->size())
    {
        const ZipMember *pickle = nullptr;
        for (const ZipMember &member : m_archive.members()) {
            if (!m_members.emplace(member.name, &member).second)
                refuse("the archive has two members '" + member.name.substr(0, 200) + "'.");
            const std::size_t folder = member.name.find('/');
            if (member.name.substr(folder == std::string::npos ? 0 : folder + 1) != "data.pkl")
                continue;
            if (pickle)
                refuse("the archive has two members data.pkl.");
            pickle = &member;
            m_folder = member.name.substr(0, member.name.size() - std::strlen("data.pkl"));
        }
        if (!pickle)
            refuse("the archive has no data.pkl, so it is none that torch.save wrote.");
        if (const auto order = m_members.find(m_folder + "byteorder"); order != m_members.end()) {
            const auto bytes = order->second->unpacked <= 16 ? m_archive.read(*order->second, m_described) : std::vector<std::byte>{};
            if (std::string_view(reinterpret_cast<const char *>(bytes.data()), bytes.size()) != "little")
                refuse("its numbers are not in little-endian byte order; save it anew on a usual machine.");
        }
        if (pickle->unpacked > mostPickleBytes)
            refuse("its data.pkl has " + std::to_string(pickle->unpacked) + " bytes, more than any state_dict.");
        m_pickle = m_archive.read(*pickle, m_described);
    }

    WeightFile weights()
    {
        return tensorsOf(readPickle(m_pickle, m_described), [this](const PickledStorage &storage) { return bytesOf(storage); }, m_archive.file()->size(), m_described);
    }

private:
    [[noreturn]] void refuse(const std::string &why) const { throw Error(ErrorKind::InvalidInput, "weights", m_described + " cannot be read: " + why); }

    std::vector<std::byte> bytesOf(const PickledStorage &storage)
    {
        const auto found = m_members.find(m_folder + "data/" + storage.key);
        if (found == m_members.end())
            refuse("the archive lacks the storage '" + storage.key + "'.");
        const ZipMember &member = *found->second;
        const std::int64_t needed = byteSize(storage.type, storage.elements);
        if (member.unpacked != std::uint64_t(needed))
            refuse("storage '" + storage.key + "' needs " + std::to_string(needed) + " bytes and has " + std::to_string(member.unpacked) + ".");
        // Members of an honest archive do not overlap, so together they are no longer than the file.
        std::uint64_t &left = member.method == 0 ? m_storedLeft : m_packedLeft;
        if (member.unpacked > left)
            refuse("its storages are larger than the file, or too large to be unpacked into memory.");
        left -= member.unpacked;
        return m_archive.read(member, m_described);
    }

    std::string m_described;
    ZipArchive m_archive;
    std::map<std::string, const ZipMember *> m_members;
    std::string m_folder;
    std::vector<std::byte> m_pickle;
    std::uint64_t m_storedLeft, m_packedLeft = ZipArchive::mostUnpacked;
};

} // namespace

bool looksLikeZip(const RandomAccessFile &file)
{
    char start[4] = {};
    if (file.size() < sizeof start)
        return false;
    file.read(0, std::as_writable_bytes(std::span(start)));
    return std::memcmp(start, "PK\3\4", sizeof start) == 0;
}

WeightFile readTorchZip(const std::shared_ptr<const RandomAccessFile> &file) { return TorchArchive(file).weights(); }

} // namespace core

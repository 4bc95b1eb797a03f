// .npz: a ZIP archive of .npy files.
#include "core/base/error.h"
#include "core/data/stored_array.h"
#include "core/data/zip_archive.h"

#include <set>

namespace core {
namespace {

[[noreturn]] void refuse(const std::string &described, const std::string &why)
{
    throw Error(ErrorKind::InvalidInput, "data", described + " cannot be read: " + why);
}

} // namespace

std::vector<StoredArray> readNpz(const std::filesystem::path &path)
{
    const ZipArchive archive(std::make_shared<const RandomAccessFile>(path), "'" + path.string() + "'");
    std::vector<StoredArray> arrays;
    std::set<std::string> names;
    std::uint64_t unpacked = 0;
    for (const ZipMember &member : archive.members()) {
        if (!member.name.ends_with(".npy"))
            continue;
        const std::string name = member.name.substr(0, member.name.size() - 4), described = "'" + path.string() + "[" + name + "]'";
        if (!names.insert(name).second)
            refuse(described, "the archive has two members of this name.");
        if (member.method == 0) {
            arrays.push_back(readNpy(archive.file(), archive.offset(member, described), member.unpacked, described));
        } else {
            if (member.unpacked > ZipArchive::mostUnpacked - unpacked)
                refuse(described, "it is too large to be unpacked into memory; save it with numpy.savez, not packed.");
            unpacked += member.unpacked;
            arrays.push_back(readNpy(std::make_shared<const std::vector<std::byte>>(archive.read(member, described)), described));
        }
        arrays.back().name = name;
    }
    if (arrays.empty())
        refuse("'" + path.string() + "'", "the archive holds no arrays.");
    return arrays;
}

} // namespace core

// ZIP archives as numpy and PyTorch write them: stored or deflated members, ZIP64. Sizes are those of the central directory, checked against the file.
#pragma once

#include "core/data/random_access_file.h"

#include <memory>
#include <string>
#include <vector>

namespace core {

struct ZipMember {
    std::string name;
    std::uint64_t method = 0;                    ///< 0 stored, 8 deflated; others cannot be read
    std::uint64_t packed = 0, unpacked = 0;      ///< bytes
    std::uint64_t header = 0, crc = 0;
};

/// Thread-safe. Everything throws Error{InvalidInput} that begins with `described`: no archive, truncated, damaged, encrypted.
class ZipArchive {
public:
    /// What all packed members together may need; whoever unpacks several adds up.
    static constexpr std::uint64_t mostUnpacked = std::uint64_t(4) << 30;

    ZipArchive(std::shared_ptr<const RandomAccessFile> file, const std::string &described);

    const std::shared_ptr<const RandomAccessFile> &file() const { return m_file; }
    const std::vector<ZipMember> &members() const { return m_members; }
    /// Where the member's bytes begin; all of them lie in the file. Stored members are as long unpacked as packed.
    std::uint64_t offset(const ZipMember &member, const std::string &described) const;
    /// The member's bytes, unpacked; its check sum is right.
    std::vector<std::byte> read(const ZipMember &member, const std::string &described) const;

private:
    std::vector<std::byte> inflated(const ZipMember &member, const std::string &described) const;

    std::shared_ptr<const RandomAccessFile> m_file;
    std::vector<ZipMember> m_members;
};

} // namespace core

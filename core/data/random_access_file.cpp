#include "core/data/random_access_file.h"

#include "core/base/error.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace core {

RandomAccessFile::RandomAccessFile(const std::filesystem::path &path)
    : m_path(path)
    , m_descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK))
{
    struct stat status{};
    if (m_descriptor >= 0 && ::fstat(m_descriptor, &status) == 0 && S_ISREG(status.st_mode)) {
        m_size = std::uint64_t(status.st_size);
        return;
    }
    const std::string reason = m_descriptor >= 0 ? "it is no regular file" : std::strerror(errno);
    if (m_descriptor >= 0)
        ::close(m_descriptor);
    throw Error(ErrorKind::Io, "data", "Cannot open '" + path.string() + "': " + reason + ".");
}

RandomAccessFile::~RandomAccessFile() { ::close(m_descriptor); }

void RandomAccessFile::read(std::uint64_t offset, std::span<std::byte> out) const
{
    std::size_t have = 0;
    while (have < out.size()) {
        const ssize_t got = ::pread(m_descriptor, out.data() + have, out.size() - have, off_t(offset + have));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            throw Error(ErrorKind::Io, "data",
                        "Cannot read '" + m_path.string() + "' at byte " + std::to_string(offset + have) + ": " + (got < 0 ? std::strerror(errno) : "the file ends there") + ".");
        have += std::size_t(got);
    }
}

} // namespace core

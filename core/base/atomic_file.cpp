#include "core/base/atomic_file.h"

#include "core/base/error.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace core {

namespace {

[[noreturn]] void fail(const std::string &what, const std::filesystem::path &file, int error)
{
    throw Error(ErrorKind::Io, "file", what + " '" + file.string() + "': " + std::strerror(error) + ".");
}

} // namespace

AtomicFile::AtomicFile(std::filesystem::path file)
    : m_file(std::move(file))
    , m_temporary(m_file.string() + ".XXXXXX.tmp")
    , m_descriptor(::mkstemps(m_temporary.data(), 4))
{
    if (m_descriptor < 0)
        fail("Cannot write", m_file, errno);
}

AtomicFile::~AtomicFile()
{
    if (m_descriptor < 0)
        return;
    ::close(m_descriptor);
    ::unlink(m_temporary.c_str());
}

void AtomicFile::abandon(int error)
{
    ::close(std::exchange(m_descriptor, -1));
    ::unlink(m_temporary.c_str());
    fail("Cannot write", m_file, error);
}

void AtomicFile::append(std::string_view bytes)
{
    while (!bytes.empty()) {
        const ssize_t written = ::write(m_descriptor, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            abandon(errno);
        bytes.remove_prefix(std::size_t(written));
    }
}

void AtomicFile::commit()
{
    const mode_t mask = ::umask(0);
    ::umask(mask);
    if (::fchmod(m_descriptor, 0666 & ~mask) != 0 || ::fsync(m_descriptor) != 0 || ::rename(m_temporary.c_str(), m_file.c_str()) != 0)
        abandon(errno);
    ::close(std::exchange(m_descriptor, -1));
}

void writeFileAtomically(const std::filesystem::path &file, std::string_view bytes)
{
    AtomicFile whole(file);
    whole.append(bytes);
    whole.commit();
}

std::string readFile(const std::filesystem::path &file, std::int64_t maxBytes)
{
    const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        fail("Cannot open", file, errno);
    struct stat status{};
    std::string bytes;
    int error = 0;
    if (::fstat(descriptor, &status) != 0)
        error = errno;
    else if (S_ISDIR(status.st_mode))
        error = EISDIR;
    if (!error && status.st_size > maxBytes) {
        ::close(descriptor);
        throw Error(ErrorKind::InvalidInput, "file", "'" + file.string() + "' has " + std::to_string(status.st_size)
                        + " bytes, more than the limit of " + std::to_string(maxBytes) + ".");
    }
    if (!error) {
        bytes.resize(std::size_t(status.st_size));
        std::size_t have = 0;
        while (have < bytes.size()) {
            const ssize_t got = ::read(descriptor, bytes.data() + have, bytes.size() - have);
            if (got < 0 && errno == EINTR)
                continue;
            if (got < 0)
                error = errno;
            if (got <= 0)
                break;
            have += std::size_t(got);
        }
        bytes.resize(have);
    }
    ::close(descriptor);
    if (error)
        fail("Cannot read", file, error);
    return bytes;
}

} // namespace core

#include "core/onnx/external_data.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <stdexcept>
#include <sys/stat.h>
#include <unistd.h>

namespace core {

namespace fs = std::filesystem;

struct ExternalFiles::File {
    int descriptor = -1;
    std::int64_t size = 0;
    ~File()
    {
        if (descriptor >= 0)
            ::close(descriptor);
    }
};

namespace {

std::string shown(const std::string &location)
{
    std::string text = location.substr(0, 200);
    std::replace_if(text.begin(), text.end(), [](char c) { return std::uint8_t(c) < 32 || c == 127; }, '?');
    return "'" + text + "'";
}

bool isInside(const fs::path &file, const fs::path &directory)
{
    const auto [end, mismatch] = std::mismatch(directory.begin(), directory.end(), file.begin(), file.end());
    return end == directory.end() && mismatch != file.end();
}

/// Inside `directory`, symbolic links followed.
fs::path resolved(const fs::path &directory, const std::string &location)
{
    if (directory.empty())
        throw std::runtime_error("lies in the external file " + shown(location) + ", and the model was not read from a folder");
    const fs::path relative(location);
    if (location.empty() || location.size() > 4096 || location.find('\0') != std::string::npos)
        throw std::runtime_error("names no usable external file: " + shown(location));
    if (relative.is_absolute() || location.front() == '/' || location.front() == '\\' || location.find(":\\") != std::string::npos)
        throw std::runtime_error("lies in " + shown(location) + ", an absolute path; only files in the model's folder are read");
    if (std::find(relative.begin(), relative.end(), "..") != relative.end())
        throw std::runtime_error("lies in " + shown(location) + ", a path with '..'; only files in the model's folder are read");
    std::error_code error;
    const fs::path base = fs::canonical(directory, error);
    const fs::path file = error ? fs::path() : fs::canonical(base / relative, error);
    if (error)
        throw std::runtime_error("lies in the external file " + shown(location) + ", which cannot be opened: " + error.message());
    if (!isInside(file, base))
        throw std::runtime_error("lies in " + shown(location) + ", a link that leaves the model's folder");
    return file;
}

} // namespace

ExternalFiles::ExternalFiles(fs::path directory)
    : m_directory(std::move(directory))
{
}

ExternalFiles::~ExternalFiles() = default;

ExternalFiles::File &ExternalFiles::open(const std::string &location)
{
    if (const auto found = m_files.find(location); found != m_files.end())
        return *found->second;
    const fs::path path = resolved(m_directory, location);
    auto file = std::make_unique<File>();
    file->descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    struct stat status{};
    if (file->descriptor < 0 || ::fstat(file->descriptor, &status) != 0)
        throw std::runtime_error("lies in the external file " + shown(location) + ", which cannot be opened: " + std::strerror(errno));
    if (!S_ISREG(status.st_mode))
        throw std::runtime_error("lies in " + shown(location) + ", which is not a plain file");
    file->size = status.st_size;
    if (m_files.size() > 500)
        m_files.clear();
    return *m_files.emplace(location, std::move(file)).first->second;
}

std::int64_t ExternalFiles::available(const std::string &location, std::int64_t offset)
{
    return std::max<std::int64_t>(0, open(location).size - offset);
}

std::vector<std::byte> ExternalFiles::read(const std::string &location, std::int64_t offset, std::int64_t length)
{
    const File &file = open(location);
    if (offset < 0 || length < 0 || offset > file.size || length > file.size - offset)
        throw std::runtime_error("takes " + std::to_string(length) + " bytes at offset " + std::to_string(offset) + " of " + shown(location)
                                 + ", which has " + std::to_string(file.size) + " bytes");
    std::vector<std::byte> bytes(static_cast<std::size_t>(length));
    std::size_t have = 0;
    while (have < bytes.size()) {
        const ssize_t got = ::pread(file.descriptor, bytes.data() + have, bytes.size() - have, offset + std::int64_t(have));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            throw std::runtime_error("cannot be read from " + shown(location) + ": " + (got < 0 ? std::strerror(errno) : "the file became shorter"));
        have += std::size_t(got);
    }
    return bytes;
}

} // namespace core

#include "core/session/output_folder.h"

#include "core/base/error.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <system_error>

namespace fs = std::filesystem;

namespace core {

PrivateFolder::PrivateFolder(const fs::path &parent, const std::string &prefix)
{
    std::string pattern = (parent / (prefix + "XXXXXX")).string();
    if (!::mkdtemp(pattern.data()))
        throw Error(ErrorKind::Io, "file", "Cannot make a folder in '" + parent.string() + "': " + std::strerror(errno) + ".");
    m_path = pattern;
}

PrivateFolder::~PrivateFolder()
{
    std::error_code ignored;
    fs::remove_all(m_path, ignored);
}

OutputFolder::MadeFolders::~MadeFolders()
{
    std::error_code ignored;
    if (!keep)
        for (auto folder = made.rbegin(); folder != made.rend(); ++folder)
            fs::remove(*folder, ignored);
}

OutputFolder::OutputFolder(const fs::path &folder) : m_folder(folder)
{
    std::error_code error;
    std::vector<fs::path> missing;
    for (fs::path at = fs::absolute(folder).lexically_normal(); !at.empty() && !fs::exists(at, error) && at != at.parent_path(); at = at.parent_path())
        if (at.has_filename())
            missing.push_back(at);
    for (auto at = missing.rbegin(); at != missing.rend(); ++at) {
        fs::create_directory(*at, error);
        if (error)
            throw Error(ErrorKind::Io, "file", "Cannot make the folder '" + at->string() + "': " + error.message() + ".");
        m_made.made.push_back(*at);
    }
    if (!fs::is_directory(folder, error))
        throw Error(ErrorKind::Io, "file", "'" + folder.string() + "' is not a folder; --out takes one.");
    m_staging = std::make_unique<PrivateFolder>(folder, ".quantscope-");
}

OutputFolder::~OutputFolder() = default;

fs::path OutputFolder::staged(const std::string &name) const
{
    return m_staging->path() / name;
}

void OutputFolder::commit()
{
    std::vector<fs::path> files;
    for (const fs::directory_entry &entry : fs::directory_iterator(m_staging->path()))
        files.push_back(entry.path());
    std::sort(files.begin(), files.end(), [](const fs::path &a, const fs::path &b) {
        return std::pair(a.extension() == ".onnx", a) < std::pair(b.extension() == ".onnx", b);
    });
    m_made.keep = true;
    for (const fs::path &file : files) {
        std::error_code error;
        fs::rename(file, m_folder / file.filename(), error);
        if (error)
            throw Error(ErrorKind::Io, "file", "Cannot write '" + (m_folder / file.filename()).string() + "': " + error.message() + ".");
    }
}

} // namespace core

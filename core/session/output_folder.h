// The files of a job, all or none: they are written into a hidden folder inside the output folder and moved out at the end.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace core {

/// A folder that only this user can enter, removed with all it holds.
class PrivateFolder {
public:
    /// `prefix` + six random characters. Throws Error{Io}.
    PrivateFolder(const std::filesystem::path &parent, const std::string &prefix);
    ~PrivateFolder();
    PrivateFolder(const PrivateFolder &) = delete;
    PrivateFolder &operator=(const PrivateFolder &) = delete;
    const std::filesystem::path &path() const { return m_path; }

private:
    std::filesystem::path m_path;
};

class OutputFolder {
public:
    /// Makes the folder and what is missing above it. Throws Error{Io} naming it when it cannot be made or written to.
    explicit OutputFolder(const std::filesystem::path &folder);
    /// Without commit(): removes everything, also the folders that were made.
    ~OutputFolder();

    /// Where to write a file of this name for now, and where it will be.
    std::filesystem::path staged(const std::string &name) const;
    std::filesystem::path final(const std::string &name) const { return m_folder / name; }
    /// Moves every staged file to its place (each at once, replacing what was there), names that end in .onnx last.
    void commit();

private:
    struct MadeFolders {
        std::vector<std::filesystem::path> made;
        bool keep = false;
        ~MadeFolders();
    };
    std::filesystem::path m_folder;
    MadeFolders m_made;                 // outlives the staging folder, which lies inside
    std::unique_ptr<PrivateFolder> m_staging;
};

} // namespace core

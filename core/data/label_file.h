// Text files with labels: a list of classes, or "file,label" lines.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace core {

/// A class list: line number from 0 = class index of the folder that is the whole line or its first word
/// ("n01440764 tench, Tinca tinca"). A file list: "file,label" (also separated by tab or blanks) with the label an
/// integer or the name of a class; names are numbered in bytewise order. `#` starts no comment; a heading line is skipped.
class LabelFile {
public:
    /// Throws Error{Io or InvalidInput} naming file and line.
    explicit LabelFile(const std::filesystem::path &file);

    bool listsFiles() const { return m_listsFiles; }
    std::size_t entryCount() const { return m_listsFiles ? m_fileLabels.size() : m_lines.size(); }
    /// Class list: index of a folder. Throws Error{InvalidInput} when two lines begin with it.
    std::optional<std::int64_t> classOf(const std::string &folder) const;
    /// File list: by the path as it stands there, else by the bare file name where one side names no folder.
    std::optional<std::int64_t> labelOf(const std::string &relativePath) const;

private:
    void readClasses();
    void readFiles();

    std::filesystem::path m_file;
    std::vector<std::string> m_lines;
    bool m_listsFiles = false;
    std::unordered_map<std::string, std::int64_t> m_wholeLine, m_firstWord;   ///< −2 = ambiguous, here and below
    std::unordered_map<std::string, std::int64_t> m_fileLabels, m_bareNames;
};

/// By the extension.
bool looksLikeImage(const std::filesystem::path &file);

/// The whole text is one integer, ≥ 0.
std::optional<std::int64_t> parseLabel(std::string_view text);

} // namespace core

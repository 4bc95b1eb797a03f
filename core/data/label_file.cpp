#include "core/data/label_file.h"

#include "core/base/atomic_file.h"
#include "core/base/error.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>

namespace core {
namespace {

constexpr std::int64_t ambiguous = -2;

std::string_view trimmed(std::string_view text)
{
    constexpr std::string_view blanks = " \t\r";
    const std::size_t first = text.find_first_not_of(blanks);
    return first == std::string_view::npos ? std::string_view() : text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

std::string lower(std::string_view text)
{
    std::string result(text);
    for (char &c : result)
        if (c >= 'A' && c <= 'Z')
            c = char(c - 'A' + 'a');
    return result;
}

/// First field of a line that may be quoted, and what follows its separator.
struct Fields {
    std::string file, label;
};

std::optional<Fields> split(std::string_view line)
{
    Fields fields;
    std::size_t at = 0;
    if (line.starts_with('"')) {
        for (at = 1; at < line.size(); ++at) {
            if (line[at] == '"' && (at + 1 == line.size() || line[at + 1] != '"'))
                break;
            at += line[at] == '"';
            fields.file += line[at];
        }
        at = line.find_first_of(",;\t ", at);
    } else {
        at = line.find_first_of(",;\t");
        if (at == std::string_view::npos)
            at = line.find_last_of(' ');
        fields.file = trimmed(line.substr(0, at));
    }
    if (at == std::string_view::npos)
        return {};
    std::string_view rest = trimmed(line.substr(at + 1));
    if (rest.size() >= 2 && rest.front() == '"' && rest.back() == '"')
        rest = rest.substr(1, rest.size() - 2);
    else
        rest = trimmed(rest.substr(0, rest.find_first_of(",;\t")));
    fields.label = rest;
    return fields.file.empty() || fields.label.empty() ? std::nullopt : std::optional(fields);
}

bool isHeading(const Fields &fields)
{
    static constexpr std::array<std::string_view, 8> words = {"label", "labels", "class", "classes", "class_id", "class_name", "target", "category"};
    return !looksLikeImage(fields.file) && std::find(words.begin(), words.end(), lower(fields.label)) != words.end();
}

std::string normalized(const std::string &path)
{
    return std::filesystem::path(path).lexically_normal().generic_string();
}

void rememberOnce(std::unordered_map<std::string, std::int64_t> &map, const std::string &key, std::int64_t value)
{
    const auto [found, isNew] = map.emplace(key, value);
    if (!isNew && found->second != value)
        found->second = ambiguous;
}

} // namespace

std::optional<std::int64_t> parseLabel(std::string_view text)
{
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && end == text.data() + text.size() && value >= 0 ? std::optional(value) : std::nullopt;
}

bool looksLikeImage(const std::filesystem::path &file)
{
    static constexpr std::array<std::string_view, 16> extensions = {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".dib", ".webp",
                                                                    ".tif", ".tiff", ".ppm", ".pgm", ".pbm", ".pnm", ".pam", ".jp2"};
    return std::find(extensions.begin(), extensions.end(), lower(file.extension().string())) != extensions.end();
}

LabelFile::LabelFile(const std::filesystem::path &file)
    : m_file(file)
{
    const std::string text = readFile(file, std::int64_t(1) << 30);
    if (text.find('\0') != std::string::npos)
        throw Error(ErrorKind::InvalidInput, "labels", "The labels file '" + file.string() + "' is no text file; it must be a class list or hold \"file,label\" lines.");
    std::string_view rest = text;
    if (rest.starts_with("\xEF\xBB\xBF"))
        rest.remove_prefix(3);
    while (!rest.empty()) {
        const std::size_t end = rest.find('\n');
        m_lines.emplace_back(trimmed(rest.substr(0, end)));
        rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    }
    while (!m_lines.empty() && m_lines.back().empty())
        m_lines.pop_back();
    const auto first = std::find_if(m_lines.begin(), m_lines.end(), [](const std::string &line) { return !line.empty(); });
    if (first == m_lines.end())
        throw Error(ErrorKind::InvalidInput, "labels", "The labels file '" + file.string() + "' is empty.");
    const auto fields = split(*first);
    m_listsFiles = lower(file.extension().string()) == ".csv" || (fields && looksLikeImage(fields->file));
    m_listsFiles ? readFiles() : readClasses();
}

void LabelFile::readClasses()
{
    for (std::size_t i = 0; i < m_lines.size(); ++i) {
        const std::string &line = m_lines[i];
        if (line.empty())
            continue;
        rememberOnce(m_wholeLine, line, std::int64_t(i));
        rememberOnce(m_firstWord, line.substr(0, line.find_first_of(" \t")), std::int64_t(i));
    }
}

void LabelFile::readFiles()
{
    std::vector<std::pair<std::size_t, Fields>> entries;
    for (std::size_t i = 0; i < m_lines.size(); ++i) {
        if (m_lines[i].empty())
            continue;
        const auto fields = split(m_lines[i]);
        if (!fields)
            throw Error(ErrorKind::InvalidInput, "labels",
                        "Line " + std::to_string(i + 1) + " of '" + m_file.string() + "' is '" + m_lines[i].substr(0, 80) + "'; \"file,label\" is wanted.");
        if (entries.empty() && isHeading(*fields))
            continue;
        entries.emplace_back(i + 1, *fields);
    }
    std::map<std::string, std::int64_t> names;
    for (const auto &[line, fields] : entries)
        if (!parseLabel(fields.label))
            names.emplace(fields.label, 0);
    std::int64_t next = 0;
    for (auto &[name, index] : names)
        index = next++;
    for (const auto &[line, fields] : entries) {
        const auto number = parseLabel(fields.label);
        if (number && !names.empty())
            throw Error(ErrorKind::InvalidInput, "labels",
                        "Line " + std::to_string(line) + " of '" + m_file.string() + "' has the label " + fields.label + ", other lines have names such as '"
                            + names.begin()->first + "'; all must be numbers or all names.");
        const std::int64_t label = number ? *number : names.at(fields.label);
        const std::string path = normalized(fields.file);
        const auto [found, isNew] = m_fileLabels.emplace(path, label);
        if (!isNew && found->second != label)
            throw Error(ErrorKind::InvalidInput, "labels", "Line " + std::to_string(line) + " of '" + m_file.string() + "' gives '" + fields.file + "' a second label.");
        rememberOnce(m_bareNames, std::filesystem::path(path).filename().string(), label);
    }
    if (m_fileLabels.empty())
        throw Error(ErrorKind::InvalidInput, "labels", "The labels file '" + m_file.string() + "' names no file.");
}

std::optional<std::int64_t> LabelFile::classOf(const std::string &folder) const
{
    if (const auto found = m_wholeLine.find(folder); found != m_wholeLine.end() && found->second != ambiguous)
        return found->second;
    const auto found = m_firstWord.find(folder);
    if (found == m_firstWord.end())
        return {};
    if (found->second == ambiguous)
        throw Error(ErrorKind::InvalidInput, "labels", "Several lines of '" + m_file.string() + "' begin with '" + folder + "'; the class of that folder is not clear.");
    return found->second;
}

std::optional<std::int64_t> LabelFile::labelOf(const std::string &relativePath) const
{
    if (const auto found = m_fileLabels.find(relativePath); found != m_fileLabels.end())
        return found->second;
    const std::string bare = std::filesystem::path(relativePath).filename().string();
    const auto &candidates = bare == relativePath ? m_bareNames : m_fileLabels;   // folders must not differ on both sides
    const auto found = candidates.find(bare);
    return found == candidates.end() || found->second == ambiguous ? std::nullopt : std::optional(found->second);
}

} // namespace core

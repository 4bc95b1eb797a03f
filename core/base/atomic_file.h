// Whole files, written so that nobody ever sees half of one.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace core {

/// A file that appears under its name, whole, when it is committed: temporary file in the same folder, fsync, rename. Without commit()
/// nothing is left behind. Throws Error{Io} naming the file and the system's reason.
class AtomicFile {
public:
    explicit AtomicFile(std::filesystem::path file);
    ~AtomicFile();
    AtomicFile(const AtomicFile &) = delete;
    AtomicFile &operator=(const AtomicFile &) = delete;

    void append(std::string_view bytes);
    void commit();

private:
    [[noreturn]] void abandon(int error);

    std::filesystem::path m_file;
    std::string m_temporary;
    int m_descriptor = -1;
};

/// Temporary file in the same folder, fsync, rename. Throws Error{Io} naming the file and the system's reason; leaves nothing behind.
void writeFileAtomically(const std::filesystem::path &file, std::string_view bytes);
/// Throws Error{Io}; Error{InvalidInput} when larger than maxBytes.
std::string readFile(const std::filesystem::path &file, std::int64_t maxBytes = std::int64_t(4) << 30);

} // namespace core

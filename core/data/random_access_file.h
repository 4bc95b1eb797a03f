// Parts of a file, read from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

namespace core {

class RandomAccessFile {
public:
    /// Throws Error{Io} naming the file; only regular files are opened.
    explicit RandomAccessFile(const std::filesystem::path &path);
    ~RandomAccessFile();
    RandomAccessFile(const RandomAccessFile &) = delete;
    RandomAccessFile &operator=(const RandomAccessFile &) = delete;

    const std::filesystem::path &path() const { return m_path; }
    std::uint64_t size() const { return m_size; }
    /// Thread-safe. Fills `out` or throws Error{Io}.
    void read(std::uint64_t offset, std::span<std::byte> out) const;

private:
    std::filesystem::path m_path;
    int m_descriptor = -1;
    std::uint64_t m_size = 0;
};

} // namespace core

// Whole files, written so that nobody ever sees half of one.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace core {

/// Temporary file in the same folder, fsync, rename. Throws Error{Io} naming the file and the system's reason; leaves nothing behind.
void writeFileAtomically(const std::filesystem::path &file, std::string_view bytes);
/// Throws Error{Io}; Error{InvalidInput} when larger than maxBytes.
std::string readFile(const std::filesystem::path &file, std::int64_t maxBytes = std::int64_t(4) << 30);

} // namespace core

// Tensors whose bytes lie in files beside the model.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace core {

/// Opens each file once. Errors are sentences for the caller to complete: std::runtime_error.
class ExternalFiles {
public:
    /// Empty: everything is refused.
    explicit ExternalFiles(std::filesystem::path directory);
    ~ExternalFiles();
    ExternalFiles(const ExternalFiles &) = delete;
    ExternalFiles &operator=(const ExternalFiles &) = delete;

    /// Bytes in the file from `offset` on; checks the location.
    std::int64_t available(const std::string &location, std::int64_t offset);
    std::vector<std::byte> read(const std::string &location, std::int64_t offset, std::int64_t length);

private:
    struct File;
    File &open(const std::string &location);

    std::filesystem::path m_directory;
    std::map<std::string, std::unique_ptr<File>> m_files;
};

} // namespace core

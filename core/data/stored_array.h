// An array as it lies in a file (.npy, a member of an .npz, IDX): rows are read when they are wanted.
#pragma once

#include "core/data/random_access_file.h"
#include "core/graph/tensor_data.h"

#include <ATen/core/Tensor.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace core {

struct StoredArray {
    std::string name;                                        ///< of the member; "" where the file is the array
    std::string described;                                   ///< "file.npy" or "file.npz[name]", for messages
    DataType type = DataType::Undefined;
    bool bigEndian = false;
    std::vector<std::int64_t> dims;                          ///< the first counts the rows
    std::shared_ptr<const RandomAccessFile> file;            ///< the bytes from `offset` on, or …
    std::uint64_t offset = 0;
    std::shared_ptr<const std::vector<std::byte>> bytes;     ///< … in memory (was packed, or column-major)

    std::int64_t rows() const { return dims.empty() ? 0 : dims.front(); }
    std::int64_t elementsOfRow() const;
    /// One row without the first dimension. Thread-safe. Floating types become float32; bool and integers keep their type where LibTorch has
    /// it, else the next larger signed one.
    at::Tensor row(std::int64_t index) const;
    /// The whole array as integers (one a row). Throws Error{InvalidInput} when it is no integer array N or N×1, or has negative values.
    std::vector<std::int64_t> labels() const;

private:
    std::vector<std::byte> read(std::int64_t firstRow, std::int64_t count) const;   ///< in this machine's byte order
};

/// "3x28x28".
std::string shapeText(at::IntArrayRef dims);

/// NumPy's .npy format, versions 1–3, from `source` at `offset` with `available` bytes. Throws Error{InvalidInput} naming `described`: not
/// .npy, objects or records, more elements than bytes.
StoredArray readNpy(std::shared_ptr<const RandomAccessFile> source, std::uint64_t offset, std::uint64_t available, const std::string &described);
/// The same from memory.
StoredArray readNpy(std::shared_ptr<const std::vector<std::byte>> bytes, const std::string &described);

/// All arrays of an .npz (ZIP: stored or deflated members, ZIP64), in the order of the file.
std::vector<StoredArray> readNpz(const std::filesystem::path &path);

/// IDX (MNIST): nullopt when the file does not begin like one; throws Error{InvalidInput} when its size contradicts its header.
std::optional<StoredArray> readIdx(const std::filesystem::path &path);
/// The same packed with gzip, unpacked into memory.
std::optional<StoredArray> readGzippedIdx(const std::filesystem::path &path);

} // namespace core

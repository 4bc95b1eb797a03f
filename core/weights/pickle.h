// A restricted reader of Python's pickles: what torch.save writes of tensors, numbers, texts and containers of them. Nothing is ever called; the few
// globals that it knows are names for what is built here. https://docs.python.org/3/library/pickletools.html
#pragma once

#include "core/graph/tensor_data.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace core {

/// A run of elements of one type in the file, which several tensors may look at.
struct PickledStorage {
    DataType type = DataType::Undefined;
    std::string key;                        ///< names the storage in the file
    std::int64_t elements = 0;              ///< of the whole storage
    std::int64_t viewOffset = 0, viewElements = 0;   ///< the part that is meant
};

struct PickledTensor {
    std::size_t storage = 0;                ///< index into Pickle::storages
    std::int64_t offset = 0;                ///< of the first element, within the view
    std::vector<std::int64_t> dims, strides;   ///< in elements, equally many, none negative; every element lies within the view
};

/// Objects refer to one another by index, so that no nesting and no cycle costs more than its bytes.
struct Pickle {
    enum class Kind : std::uint8_t { None, Boolean, Integer, LongInteger, Real, Text, List, Tuple, Dictionary, Global, Storage, Tensor, Mark };
    struct Object {
        Kind kind = Kind::None;
        std::int64_t number = 0;            ///< Boolean, Integer; Storage, Tensor: the index in its list
        std::string text;                   ///< Text; Global: "module name"; LongInteger: its little-endian bytes, more than eight
        std::vector<std::uint32_t> items;   ///< List, Tuple; Dictionary: key, value, key, value…
    };

    std::vector<Object> objects;
    std::vector<PickledStorage> storages;   ///< one for each mention; equal keys have equal types and sizes
    std::vector<PickledTensor> tensors;
    std::uint32_t root = 0;
    std::size_t bytes = 0;                  ///< that it took

    const Object &top() const { return objects[root]; }
};

/// Reads one pickle from the start of `bytes`. Throws Error{InvalidInput} (damaged) or Error{Unsupported} (another global or operation, which the
/// sentence names); sentences begin with `described`.
Pickle readPickle(std::span<const std::byte> bytes, const std::string &described);

} // namespace core

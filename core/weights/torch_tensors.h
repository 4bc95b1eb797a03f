// What both forms of torch.save's files share: which mapping of the pickle is meant, and tensors gathered from their storages.
#pragma once

#include "core/weights/pickle.h"
#include "core/weights/weight_file.h"

#include <functional>

namespace core {

/// How sentences name a file.
std::string quoted(const std::filesystem::path &file);

/// The bytes of a whole storage, elements × size of one; called once for each key.
using StorageReader = std::function<std::vector<std::byte>(const PickledStorage &)>;

/// The largest mapping of names to tensors: the object itself or, one level down, one of its values. "module." is taken off when every name begins
/// with it. Tensors that look at the same elements share their bytes. `fileBytes` limits what views may add up to.
/// Throws Error{InvalidInput}, its sentence beginning with `described`.
WeightFile tensorsOf(const Pickle &pickle, const StorageReader &read, std::uint64_t fileBytes, const std::string &described);

} // namespace core

// Samples kept in memory once they were read, for data that is looked at again and again.
#pragma once

#include "core/data/dataset.h"

#include <memory>

namespace core {

/// Keeps samples until together they take `mostBytes`; the others are read anew each time.
std::unique_ptr<Dataset> cachedDataset(std::unique_ptr<Dataset> data, std::int64_t mostBytes);

} // namespace core

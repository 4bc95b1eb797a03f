// Images in folders; see openDataset for what is a class.
#pragma once

#include "core/data/dataset.h"

namespace core {

/// options.path is a folder or one image file. Throws Error{Io or InvalidInput}.
std::unique_ptr<Dataset> openImageFolder(const DatasetOptions &options);

} // namespace core

// Samples from arrays: .npy, .npz, IDX (also packed with gzip).
#pragma once

#include "core/data/dataset.h"

namespace core {

/// nullptr when the file is none of them. Arrays of uint8 for an image input are pixels (H×W, H×W×C or C×H×W) and go through the transform;
/// everything else is the input as it stands, floating types as float32. An .npz gives each input the array of its name; a single array may have
/// any name. Labels: options.labels (.npy, IDX, or one integer a line), else an array "labels", "label", "targets", "target" or "y", else the IDX
/// file whose name says labels-idx1 for images-idx3, packed or not. Throws Error{Io or InvalidInput} naming file and array.
std::unique_ptr<Dataset> openTensorFile(const DatasetOptions &options);

} // namespace core

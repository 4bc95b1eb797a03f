// What torch.save writes since PyTorch 1.6: a ZIP archive with a folder of any name, in it data.pkl, data/KEY for each storage, byteorder.
#pragma once

#include "core/data/random_access_file.h"
#include "core/weights/weight_file.h"

#include <memory>

namespace core {

bool looksLikeZip(const RandomAccessFile &file);

/// Throws as readWeights().
WeightFile readTorchZip(const std::shared_ptr<const RandomAccessFile> &file);

} // namespace core

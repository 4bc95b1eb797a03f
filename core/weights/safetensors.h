// safetensors: eight bytes length of the header, a JSON header, the tensors' little-endian bytes without holes.
// https://huggingface.co/docs/safetensors
#pragma once

#include "core/data/random_access_file.h"
#include "core/weights/weight_file.h"

namespace core {

/// Whether it begins like one; a file that does may still be damaged.
bool looksLikeSafetensors(const RandomAccessFile &file);

/// Tensors in the order of the header. Throws as readWeights().
WeightFile readSafetensors(const RandomAccessFile &file);

} // namespace core

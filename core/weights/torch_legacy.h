// What torch.save wrote before PyTorch 1.6: one pickle each of a magic number, the protocol 1001, facts about the machine, the object and the list of
// the storages' keys, then for each key the number of its elements (8 bytes) and the elements.
#pragma once

#include "core/data/random_access_file.h"
#include "core/weights/weight_file.h"

namespace core {

/// Whether it begins like a pickle of protocol 2 to 5.
bool looksLikePickle(const RandomAccessFile &file);

/// Throws as readWeights().
WeightFile readTorchLegacy(const RandomAccessFile &file);

} // namespace core

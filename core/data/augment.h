// Random changes of training images (core/spec/training.h), with OpenCV. What is drawn depends on the seed, the epoch and the image alone.
#pragma once

#include "core/data/dataset.h"
#include "core/spec/training.h"

#include <memory>

namespace core {

/// `data` seen through one epoch: sample i is sample order[i] of `data`, order = shuffledOrder(data.size(), seed, epoch), changed at random.
/// Pictures (files, arrays of bytes for an image input) are changed before they are normalized: a random crop is resized to the input and stands in
/// for resizing and centre crop; flip, colours and shift follow. Other arrays are changed as tensors: crop, flip and shift where a sample is
/// C×H×W. Keeps a reference to `data`. Thread-safe like every data set. Labels stay; the fingerprint is that of `data`.
/// Throws Error{InvalidInput} for what checkTraining refuses.
std::unique_ptr<Dataset> trainingEpoch(const Dataset &data, const AugmentSpec &augment, std::uint64_t seed, std::int64_t epoch);

/// A permutation of 0…count−1 that depends on seed and epoch alone, the same on every machine.
std::vector<std::size_t> shuffledOrder(std::size_t count, std::uint64_t seed, std::int64_t epoch);

} // namespace core

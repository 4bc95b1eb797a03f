// The ratios of PERFORMANCE.md, each inside one run: what is compared takes turns, and the median of the turns counts.
#pragma once

#include "core/data/dataset.h"
#include "core/graph/graph.h"

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace bench {

struct Options {
    std::filesystem::path model, images;   ///< empty: the synthetic network, noise
    int threads = 0, batch = 8, rounds = 15;
    std::size_t calibrationImages = 200;   ///< for memory_10x; ten times as many in the other child
    std::int64_t inputSize = 224;          ///< of the synthetic network
};

struct Result {
    std::optional<double> floatVsOnnxRuntime;   ///< own speed / ONNX Runtime's
    double calibrateMinMax = 0, calibrateHistogram = 0, fakeQuantPerTensor = 0, fakeQuantPerChannel = 0; ///< speed / own float speed
    double memory10x = 0;
    double observersSeconds = 0;
    double floatImagesPerSecond = 0;
    std::size_t tensors = 0;
    std::string judge;                          ///< version of ONNX Runtime, or why there is none
};

/// The model with constants folded; the synthetic one when no file is given.
core::Graph networkOf(const Options &options);
std::unique_ptr<core::Dataset> dataOf(const Options &options, const core::Graph &graph, std::size_t count);

Result measure(const Options &options);

/// Peak resident memory in bytes of a process of its own that calibrates with `images` images.
double peakMemoryOfCalibration(const Options &options, std::size_t images);
/// What that process does; prints the bytes.
void calibrateAndPrintPeak(const Options &options, std::size_t images);

} // namespace bench

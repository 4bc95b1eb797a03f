// Data for the benchmark: noise, or images that are decoded as in a real run.
#pragma once

#include "core/data/dataset.h"
#include "core/graph/graph.h"

#include <filesystem>
#include <memory>

namespace bench {

/// `count` samples of smooth noise in the shape of the graph's inputs (batch left out); throws core::Error when a size is not known.
std::unique_ptr<core::Dataset> noiseData(const core::Graph &graph, std::size_t count);
/// `count` samples, the files of a folder again and again.
std::unique_ptr<core::Dataset> imageData(const core::Graph &graph, const std::filesystem::path &folder, std::size_t count);

} // namespace bench

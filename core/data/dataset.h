// Data sets: samples by index. Loading is thread-safe, so that the loader can decode in parallel.
#pragma once

#include "core/base/error.h"
#include "core/spec/recipe.h"

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace core {

struct ImageChange;

/// One sample: the model's inputs in graph.inputs order, without batch dimension (e.g. 3×224×224 float32).
struct Sample {
    std::vector<at::Tensor> inputs;
    std::int64_t label = -1;             ///< −1 = none
};

/// What the model's image input wants: from its shape and the recipe.
struct InputGeometry {
    int channels = 3, height = 0, width = 0;
    bool channelsLastLayout = false;     ///< NHWC input
};

class Dataset {
public:
    virtual ~Dataset() = default;
    virtual std::size_t size() const = 0;
    virtual bool hasLabels() const = 0;
    /// File or "file[index]" of a sample, for messages.
    virtual std::string describe(std::size_t index) const = 0;
    /// Thread-safe. Throws Error{Io} or Error{InvalidInput} for an unreadable sample.
    virtual Sample load(std::size_t index) const = 0;
    /// load() with a random change of its image (image_change.h). Where samples are no pictures, that of the first input as a tensor, C×H×W.
    virtual Sample loadChanged(std::size_t index, const ImageChange &change) const;
    /// Hash of what the samples are (paths, sizes, order), for the staleness of saved statistics.
    virtual std::string fingerprint() const = 0;
};

struct DatasetOptions {
    std::filesystem::path path;          ///< image folder (per class or flat), .npy, .npz, IDX images file
    std::filesystem::path labels;        ///< optional: synsets.txt style list, CSV "file,label", IDX labels, .npy
    TransformSpec transform;
    InputGeometry geometry;
    std::size_t limit = 0;               ///< at most so many samples, spread evenly over the classes; 0 = all
    std::vector<std::string> inputNames; ///< the graph's, in order: arrays of an .npz are matched by them; may be empty
};

/// Image folders. One folder per class (sub-folders of it included): the class is the folder's position among all, bytewise sorted, or what the
/// labels file says; a single folder without labels file is no class. Images beside or without folders are unlabelled unless the labels file names
/// each ("file,label"). Files without an image extension and hidden ones are ignored. Order: bytewise by relative path.
///
/// Recognises the kind from the path. Throws Error{Io or InvalidInput} that names the path and says what would be accepted.
std::unique_ptr<Dataset> openDataset(const DatasetOptions &options);

} // namespace core

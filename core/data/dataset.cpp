#include "core/data/dataset.h"

#include "core/data/image_change.h"
#include "core/data/image_folder.h"
#include "core/data/label_file.h"
#include "core/data/tensor_dataset.h"

namespace core {

Sample Dataset::loadChanged(std::size_t index, const ImageChange &change) const
{
    Sample sample = load(index);
    if (!sample.inputs.empty())
        sample.inputs.front() = changedTensor(sample.inputs.front(), change, false);
    return sample;
}

std::unique_ptr<Dataset> openDataset(const DatasetOptions &options)
{
    namespace fs = std::filesystem;
    std::error_code error;
    const fs::file_status status = fs::status(options.path, error);
    if (!fs::exists(status))
        throw Error(ErrorKind::Io, "data", "'" + options.path.string() + "' does not exist" + (error ? " or cannot be read: " + error.message() : "") + ".");
    if (fs::is_directory(status) || (fs::is_regular_file(status) && looksLikeImage(options.path)))
        return openImageFolder(options);
    if (fs::is_regular_file(status))
        if (auto dataset = openTensorFile(options))
            return dataset;
    throw Error(ErrorKind::InvalidInput, "data",
                "'" + options.path.string() + "' is nothing that samples can be read from. Accepted are folders of images, .npy, .npz and IDX files.");
}

} // namespace core

#include "core/weights/weight_file.h"

#include "core/weights/safetensors.h"
#include "core/weights/torch_legacy.h"
#include "core/weights/torch_zip.h"

namespace core {

WeightFile readWeights(const std::filesystem::path &path)
{
    const auto file = std::make_shared<const RandomAccessFile>(path);
    if (looksLikeSafetensors(*file))     // first: a header of 640 bytes begins like a pickle
        return readSafetensors(*file);
    if (looksLikeZip(*file))
        return readTorchZip(file);
    if (looksLikePickle(*file))
        return readTorchLegacy(*file);
    throw Error(ErrorKind::InvalidInput, "weights", "'" + path.string() + "' is no file of weights that this program knows; it reads safetensors and PyTorch's state_dict.");
}

} // namespace core

#include "core/weights/weight_file.h"

#include "core/weights/safetensors.h"

namespace core {

WeightFile readWeights(const std::filesystem::path &path)
{
    const RandomAccessFile file(path);
    if (looksLikeSafetensors(file))
        return readSafetensors(file);
    throw Error(ErrorKind::InvalidInput, "weights", "'" + path.string() + "' is no file of weights that this program knows; it reads safetensors and PyTorch's state_dict.");
}

} // namespace core

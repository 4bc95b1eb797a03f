// Any bytes: the reader gives a model or one core::Error. What it gives can be written, and what was written can be read.
#include "core/onnx/reader.h"
#include "core/onnx/writer.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>

namespace {

constexpr core::ReadLimits limits{std::int64_t(1) << 24, 2000};

/// Holds weights.bin, which models of the corpus refer to.
std::filesystem::path folder;

std::string written(const core::Model &model)
{
    try {
        return core::serializeModel(model, std::max(7, model.opset));
    } catch (const core::Error &error) {
        // InvalidInput: attributes of the wrong type are kept on reading and named on lowering.
        if (error.kind() == core::ErrorKind::Unsupported || error.kind() == core::ErrorKind::InvalidInput)
            return {};
        throw;
    }
}

} // namespace

extern "C" int LLVMFuzzerInitialize(int *, char ***)
{
    std::string name = (std::filesystem::temp_directory_path() / "fuzz_reader.XXXXXX").string();
    if (!::mkdtemp(name.data()))
        std::abort();
    folder = name;
    std::ofstream(folder / "weights.bin") << std::string(4096, '\1');
    std::atexit([] { std::filesystem::remove_all(folder); });
    return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    core::Model model;
    try {
        model = core::readModel(std::as_bytes(std::span(data, size)), folder, limits);
    } catch (const core::Error &) {
        return 0;
    }
    try {
        const std::string first = written(model);
        if (first.empty())
            return 0;
        const core::Model again = core::readModel(std::as_bytes(std::span(first.data(), first.size())));
        if (model.opset >= core::newestOpset && written(again) != first) {
            std::fputs("Written, read and written again, the model has other bytes.\n", stderr);
            std::abort();
        }
    } catch (const core::Error &error) {
        std::fprintf(stderr, "A model that was read cannot be written and read again: %s\n", error.what());
        std::abort();
    }
    return 0;
}

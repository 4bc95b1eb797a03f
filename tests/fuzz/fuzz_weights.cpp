// Any bytes: readWeights() gives tensors or one core::Error. What it gives can be written as safetensors and read again, the same.
#include "core/weights/weight_file.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace {

/// A file in memory.
struct MemoryFile {
    MemoryFile(const std::uint8_t *data, std::size_t size) : descriptor(::memfd_create("weights", MFD_CLOEXEC))
    {
        if (descriptor < 0 || ::write(descriptor, data, size) != ::ssize_t(size))
            std::abort();
    }
    ~MemoryFile() { ::close(descriptor); }
    std::filesystem::path path() const { return "/proc/self/fd/" + std::to_string(descriptor); }

    int descriptor;
};

std::filesystem::path folder;

} // namespace

extern "C" int LLVMFuzzerInitialize(int *, char ***)
{
    std::string name = (std::filesystem::temp_directory_path() / "fuzz_weights.XXXXXX").string();
    if (!::mkdtemp(name.data()))
        std::abort();
    folder = name;
    std::atexit([] { std::filesystem::remove_all(folder); });
    return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    core::WeightFile weights;
    try {
        weights = core::readWeights(MemoryFile(data, size).path());
        core::writeSafetensors(weights, folder / "written");
    } catch (const core::Error &) {                     // names that are no UTF-8 can be read, but not written
        return 0;
    }
    try {
        const core::WeightFile again = core::readWeights(folder / "written");
        bool same = again.metadata == weights.metadata && again.tensors.size() == weights.tensors.size();
        for (std::size_t i = 0; same && i < again.tensors.size(); ++i)
            same = again.tensors[i].first == weights.tensors[i].first && again.tensors[i].second.sameAs(weights.tensors[i].second);
        if (same)
            return 0;
        std::fputs("Written and read again, the tensors are others.\n", stderr);
    } catch (const core::Error &error) {
        std::fprintf(stderr, "What was read cannot be written and read again: %s\n", error.what());
    }
    std::abort();
}

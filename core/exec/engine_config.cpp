#include "core/exec/executor.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <dlfcn.h>
#include <malloc.h>

#include <algorithm>
#include <limits>
#include <thread>

namespace core {
namespace {

// Activations are tens of megabytes; given back to the kernel after every operator, their page faults cost more than the arithmetic.
void keepFreedMemory()
{
#ifdef M_MMAP_MAX
    mallopt(M_MMAP_MAX, 0);
    mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
    mallopt(M_TOP_PAD, 256 << 20);
#endif
}

// Which BLAS and OpenMP are behind LibTorch is only known at run time.
void setThreadsOf(const char *function, int threads)
{
    using Setter = void (*)(int);
    if (const auto set = reinterpret_cast<Setter>(dlsym(RTLD_DEFAULT, function)))
        set(threads);
}

} // namespace

void configureEngine(int threads)
{
    if (threads < 0 || threads > 4096)
        throw Error(ErrorKind::InvalidInput, "engine", "There cannot be " + std::to_string(threads) + " threads; give 0 for all cores or a number up to 4096.");
    const int count = threads > 0 ? threads : std::max(1, int(std::thread::hardware_concurrency()));
    keepFreedMemory();
    at::set_num_threads(count);
    setThreadsOf("openblas_set_num_threads", count);
    setThreadsOf("omp_set_num_threads", count);
}

int engineThreads()
{
    return at::get_num_threads();
}

} // namespace core

#include "core/exec/onednn.h"

namespace core {

const dnnl::engine &cpuEngine()
{
    static const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
    return engine;
}

dnnl::memory wrap(const dnnl::memory::desc &desc, const at::Tensor &tensor)
{
    return dnnl::memory(desc, cpuEngine(), tensor.data_ptr());
}

} // namespace core

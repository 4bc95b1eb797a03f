// A two-dimensional convolution whose gradients are recorded, straight on oneDNN: pads of one side without a copy, primitives made once, no reorder but
// of the weights; depthwise weights have their own kernel (core/kernels/depthwise_gradient.h).
#pragma once

#include "core/exec/window.h"

#include <ATen/core/Tensor.h>

#include <memory>

namespace core {

class RecordedConv {
public:
    RecordedConv();
    /// x [n, c, h, w], weight [o, c / groups, kh, kw], bias [o] or undefined; float32 on the CPU, none empty, shapes fit. The result is channels_last.
    /// Gradients are the same for any split of the work among `threads`, not for another number of them. There is no second derivative.
    at::Tensor operator()(const at::Tensor &x, const at::Tensor &weight, const at::Tensor &bias, const Window &window, std::int64_t groups) const;

    static bool takes(const at::Tensor &x, const at::Tensor &weight, const at::Tensor &bias);

private:
    struct State;
    std::shared_ptr<State> m_state;   ///< shared by copies
};

} // namespace core

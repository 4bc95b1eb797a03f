// Tensors, schemes and starts for the tests of the fake quantizers.
#pragma once

#include "core/quant/fake_quantizer.h"
#include "core/quant/quantized_model.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <limits>
#include <vector>

namespace core::test {

inline constexpr float notANumber = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();

inline at::Tensor noise(at::IntArrayRef sizes, double scale, std::uint64_t state = 11)
{
    const at::Tensor values = at::empty(sizes, at::kFloat);
    for (std::int64_t i = 0; i < values.numel(); ++i) {
        state = state * 6364136223846793005ull + 1442695040888963407ull;
        values.data_ptr<float>()[i] = float((double(state >> 11) * 0x1p-52 - 1) * scale);
    }
    return values;
}

inline at::Tensor list(const std::vector<float> &values)
{
    return at::tensor(values, at::kFloat);
}

inline std::vector<float> flat(const at::Tensor &x)
{
    const at::Tensor values = x.detach().contiguous();
    return {values.data_ptr<float>(), values.data_ptr<float>() + values.numel()};
}

inline Scheme schemeOf(QuantDtype dtype, bool symmetric, QatMethod method = QatMethod::Ste)
{
    Scheme scheme;
    scheme.dtype = dtype;
    scheme.symmetric = symmetric;
    scheme.qat = method;
    return scheme;
}

inline FakeQuantizerOptions activation(const Scheme &scheme, Range range)
{
    FakeQuantizerOptions options;
    options.scheme = scheme;
    options.start = {affineFromRange(range, scheme.affineOptions())};
    options.startRange = options.seen = range;
    return options;
}

/// min_max, as post-training quantization starts.
inline FakeQuantizerOptions weight(const Scheme &scheme, const at::Tensor &initial)
{
    FakeQuantizerOptions options;
    options.scheme = scheme;
    options.kind = PointKind::Weight;
    options.initial = initial;
    const ParamLayout layout(scheme, initial.sizes().vec());
    std::vector<Range> ranges(std::size_t(layout.count()));
    const std::vector<float> values = flat(initial);
    for (std::size_t i = 0; i < values.size(); ++i) {
        Range &range = ranges[layout.of(std::int64_t(i))];
        range = {std::min(range.min, double(values[i])), std::max(range.max, double(values[i]))};
    }
    for (const Range &range : ranges)
        options.start.push_back(affineFromRange(range, scheme.affineOptions()));
    return options;
}

struct Passed {
    at::Tensor y, gx;
    std::vector<double> parameter;
};

inline Passed pass(FakeQuantizer &quantizer, const at::Tensor &given, const at::Tensor &g, PreClamp clamp = {})
{
    const at::Tensor r = given.detach().requires_grad_();
    for (const at::Tensor &parameter : quantizer.trainable())
        parameter.mutable_grad() = at::Tensor();
    Passed result;
    result.y = quantizer(r, clamp);
    result.y.backward(g);
    result.gx = r.grad();
    for (const at::Tensor &parameter : quantizer.trainable())
        for (std::int64_t i = 0; i < parameter.numel(); ++i)
            result.parameter.push_back(double(parameter.grad().data_ptr<float>()[i]));
    return result;
}

} // namespace core::test

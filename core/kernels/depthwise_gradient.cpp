#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/depthwise_gradient.cpp"
#include "hwy/foreach_target.h"

#include "core/kernels/depthwise_gradient.h"

#include "hwy/highway.h"

#include <algorithm>

HWY_BEFORE_NAMESPACE();
namespace core {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using F = hn::ScalableTag<float>;
using V = hn::Vec<F>;

// `taps` neighbouring taps over `count` cells of a row, one vector of channels.
template <int taps>
HWY_INLINE void addRow(const float *x, const float *dy, std::int64_t count, std::int64_t xStep, std::int64_t dyStep, std::int64_t tapStep, float *weights, std::int64_t weightStep)
{
    const F d;
    V w0 = hn::LoadU(d, weights), w1 = w0, w2 = w0, w3 = w0, w4 = w0;
    if constexpr (taps > 1)
        w1 = hn::LoadU(d, weights + weightStep);
    if constexpr (taps > 2)
        w2 = hn::LoadU(d, weights + 2 * weightStep);
    if constexpr (taps > 4) {
        w3 = hn::LoadU(d, weights + 3 * weightStep);
        w4 = hn::LoadU(d, weights + 4 * weightStep);
    }
    for (std::int64_t i = 0; i < count; ++i, x += xStep, dy += dyStep) {
        const V gradient = hn::LoadU(d, dy);
        w0 = hn::MulAdd(gradient, hn::LoadU(d, x), w0);
        if constexpr (taps > 1)
            w1 = hn::MulAdd(gradient, hn::LoadU(d, x + tapStep), w1);
        if constexpr (taps > 2)
            w2 = hn::MulAdd(gradient, hn::LoadU(d, x + 2 * tapStep), w2);
        if constexpr (taps > 4) {
            w3 = hn::MulAdd(gradient, hn::LoadU(d, x + 3 * tapStep), w3);
            w4 = hn::MulAdd(gradient, hn::LoadU(d, x + 4 * tapStep), w4);
        }
    }
    hn::StoreU(w0, d, weights);
    if constexpr (taps > 1)
        hn::StoreU(w1, d, weights + weightStep);
    if constexpr (taps > 2)
        hn::StoreU(w2, d, weights + 2 * weightStep);
    if constexpr (taps > 4) {
        hn::StoreU(w3, d, weights + 3 * weightStep);
        hn::StoreU(w4, d, weights + 4 * weightStep);
    }
}

struct Span {
    std::int64_t begin, end;   // output cells of a row whose tap lies inside the image
};

HWY_INLINE Span cellsOf(const DepthwiseShape &s, std::int64_t tap)
{
    const std::int64_t shift = s.left - tap * s.dilationWidth, last = s.width - 1 + shift;
    const std::int64_t begin = shift > 0 ? (shift + s.strideWidth - 1) / s.strideWidth : 0;
    return {begin, last < 0 ? 0 : std::min(last / s.strideWidth + 1, s.outputWidth)};
}

// One row of the kernel over one row of the image, for one vector of channels.
void addKernelRow(const float *x, const float *dy, const DepthwiseShape &s, float *weights)
{
    const std::int64_t c = s.channels, xStep = s.strideWidth * c, tapStep = s.dilationWidth * c;
    const auto place = [&](std::int64_t cell, std::int64_t tap) { return x + (cell * s.strideWidth - s.left + tap * s.dilationWidth) * c; };
    const auto single = [&](std::int64_t tap, std::int64_t begin, std::int64_t end) {
        if (begin < end)
            addRow<1>(place(begin, tap), dy + begin * c, end - begin, xStep, c, tapStep, weights + tap * c, c);
    };
    for (std::int64_t tap = 0; tap < s.kernelWidth;) {
        const std::int64_t left = s.kernelWidth - tap, taps = left >= 5 ? 5 : left >= 3 ? 3 : left;
        // A later tap's cells begin and end earlier.
        const std::int64_t begin = cellsOf(s, tap).begin, end = std::max(cellsOf(s, tap + taps - 1).end, begin);
        for (std::int64_t k = tap; k < tap + taps; ++k) {
            const Span own = cellsOf(s, k);
            single(k, own.begin, std::min(own.end, begin));
            single(k, std::max(own.begin, end), own.end);
        }
        if (begin < end) {
            const float *source = place(begin, tap), *gradient = dy + begin * c;
            float *const target = weights + tap * c;
            if (taps == 5)
                addRow<5>(source, gradient, end - begin, xStep, c, tapStep, target, c);
            else if (taps == 3)
                addRow<3>(source, gradient, end - begin, xStep, c, tapStep, target, c);
            else if (taps == 2)
                addRow<2>(source, gradient, end - begin, xStep, c, tapStep, target, c);
            else
                addRow<1>(source, gradient, end - begin, xStep, c, tapStep, target, c);
        }
        tap += taps;
    }
}

// Channels that fill no vector.
void addKernelRowScalar(const float *x, const float *dy, const DepthwiseShape &s, float *weights)
{
    for (std::int64_t tap = 0; tap < s.kernelWidth; ++tap) {
        const Span cells = cellsOf(s, tap);
        float sum = weights[tap * s.channels];
        for (std::int64_t i = cells.begin; i < cells.end; ++i)
            sum += dy[i * s.channels] * x[(i * s.strideWidth - s.left + tap * s.dilationWidth) * s.channels];
        weights[tap * s.channels] = sum;
    }
}

void addDepthwiseGradient(const float *x, const float *dy, const DepthwiseShape &s, std::int64_t first, std::int64_t last, float *weights, float *bias)
{
    const F d;
    const std::int64_t lanes = std::int64_t(hn::Lanes(d)), c = s.channels, whole = c / lanes * lanes;
    for (std::int64_t row = first; row < last; ++row) {
        const float *const gradient = dy + row * s.outputWidth * c;
        for (std::int64_t k = 0; k < s.kernelHeight; ++k) {
            const std::int64_t source = row * s.strideHeight - s.top + k * s.dilationHeight;
            if (source < 0 || source >= s.height)
                continue;
            const float *const line = x + source * s.width * c;
            float *const target = weights + k * s.kernelWidth * c;
            for (std::int64_t channel = 0; channel < whole; channel += lanes)
                addKernelRow(line + channel, gradient + channel, s, target + channel);
            for (std::int64_t channel = whole; channel < c; ++channel)
                addKernelRowScalar(line + channel, gradient + channel, s, target + channel);
        }
        for (std::int64_t i = 0; bias && i < s.outputWidth; ++i)
            for (std::int64_t channel = 0; channel < c; ++channel)
                bias[channel] += gradient[i * c + channel];
    }
}

} // namespace HWY_NAMESPACE
} // namespace core
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace core {

HWY_EXPORT(addDepthwiseGradient);

void addDepthwiseGradient(const float *x, const float *dy, const DepthwiseShape &shape, std::int64_t first, std::int64_t last, float *weights, float *bias)
{
    HWY_DYNAMIC_DISPATCH(addDepthwiseGradient)(x, dy, shape, first, last, weights, bias);
}

} // namespace core
#endif

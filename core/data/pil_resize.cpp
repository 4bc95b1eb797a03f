#include "core/data/pil_resize.h"

#include "core/data/transform.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace core {
namespace {

// Fixed point: 8 bits of pixel and 2 of headroom beside the coefficient in 32.
constexpr int precisionBits = 32 - 8 - 2;
constexpr std::int32_t half = 1 << (precisionBits - 1);

double triangle(double x)
{
    x = std::fabs(x);
    return x < 1.0 ? 1.0 - x : 0.0;
}

double cubicKernel(double x)
{
    constexpr double a = -0.5;
    x = std::fabs(x);
    if (x < 1.0)
        return ((a + 2.0) * x - (a + 3.0)) * x * x + 1;
    return x < 2.0 ? (((x - 5) * x + 8) * x - 4) * a : 0.0;
}

/// Taps of the outputs first … first+count-1 of one axis.
struct Taps {
    struct Range { int first, count; };
    std::vector<Range> ranges;
    std::vector<std::int32_t> weights;   ///< `stride` an output
    std::size_t stride = 0;

    const std::int32_t *weightsOf(std::size_t i) const { return weights.data() + i * stride; }
};

Taps tapsOf(int inputSize, int outputSize, int first, int count, bool cubic)
{
    const double scale = double(inputSize) / outputSize, filterScale = std::max(scale, 1.0);
    const double support = (cubic ? 2.0 : 1.0) * filterScale, inverse = 1.0 / filterScale;
    Taps taps;
    taps.stride = std::min(std::size_t(std::ceil(support)) * 2 + 1, std::size_t(inputSize));
    taps.ranges.reserve(std::size_t(count));
    taps.weights.assign(taps.stride * std::size_t(count), 0);
    std::vector<double> exact(taps.stride);
    for (int i = 0; i < count; ++i) {
        const double center = (first + i + 0.5) * scale;
        const int begin = int(std::max(center - support + 0.5, 0.0));
        const int end = int(std::min(center + support + 0.5, double(inputSize)));
        double sum = 0;
        for (int k = 0; k < end - begin; ++k) {
            const double x = (k + begin - center + 0.5) * inverse;
            sum += exact[std::size_t(k)] = cubic ? cubicKernel(x) : triangle(x);
        }
        for (int k = 0; k < end - begin; ++k) {
            const double weight = (sum != 0 ? exact[std::size_t(k)] / sum : exact[std::size_t(k)]) * (1 << precisionBits);
            taps.weights[std::size_t(i) * taps.stride + std::size_t(k)] = std::int32_t(weight < 0 ? weight - 0.5 : weight + 0.5);
        }
        taps.ranges.push_back({begin, end - begin});
    }
    return taps;
}

std::uint8_t toByte(std::int32_t sum)
{
    return std::uint8_t(std::clamp(sum >> precisionBits, 0, 255));
}

template <int Channels>
void resampleRow(const std::uint8_t *row, const Taps &taps, std::uint8_t *out)
{
    for (std::size_t i = 0; i < taps.ranges.size(); ++i) {
        const auto [first, count] = taps.ranges[i];
        const std::uint8_t *p = row + std::ptrdiff_t(first) * Channels;
        const std::int32_t *w = taps.weightsOf(i);
        std::int32_t sum[Channels];
        for (std::int32_t &s : sum)
            s = half;
        for (int k = 0; k < count; ++k, p += Channels)
            for (int c = 0; c < Channels; ++c)
                sum[c] += p[c] * w[k];
        for (int c = 0; c < Channels; ++c)
            *out++ = toByte(sum[c]);
    }
}

void resampleRow(const std::uint8_t *row, const Taps &taps, int channels, std::uint8_t *out)
{
    switch (channels) {
    case 1: return resampleRow<1>(row, taps, out);
    case 2: return resampleRow<2>(row, taps, out);
    case 3: return resampleRow<3>(row, taps, out);
    case 4: return resampleRow<4>(row, taps, out);
    }
    throw Error(ErrorKind::Internal, "transform", "Images of " + std::to_string(channels) + " channels cannot be resized.");
}

void weighRow(const std::uint8_t *__restrict row, std::int32_t weight, std::int32_t *__restrict sums, std::size_t count)
{
    for (std::size_t i = 0; i < count; ++i)
        sums[i] += row[i] * weight;
}

} // namespace

void pilResizeWindow(const PixelView &source, int newWidth, int newHeight, const PixelWindow &window, bool cubic,
                     std::uint8_t *out, std::ptrdiff_t outRowBytes)
{
    const bool horizontal = newWidth != source.width, vertical = newHeight != source.height;
    const Taps rows = vertical ? tapsOf(source.height, newHeight, window.y, window.height, cubic) : Taps{};
    int firstRow = window.y, endRow = window.y + window.height;
    if (vertical) {
        firstRow = rows.ranges.front().first;
        endRow = rows.ranges.back().first + rows.ranges.back().count;
    }
    const std::size_t rowBytes = std::size_t(window.width) * std::size_t(source.channels);
    std::vector<std::uint8_t> narrowed;
    PixelView middle{source.data + firstRow * source.rowBytes + std::ptrdiff_t(window.x) * source.channels, source.rowBytes,
                     window.width, endRow - firstRow, source.channels};
    if (horizontal) {
        const Taps columns = tapsOf(source.width, newWidth, window.x, window.width, cubic);
        narrowed.resize(std::size_t(endRow - firstRow) * rowBytes);
        for (int y = firstRow; y < endRow; ++y)
            resampleRow(source.data + y * source.rowBytes, columns, source.channels, narrowed.data() + std::size_t(y - firstRow) * rowBytes);
        middle.data = narrowed.data();
        middle.rowBytes = std::ptrdiff_t(rowBytes);
    }
    if (!vertical) {
        for (int y = 0; y < window.height; ++y)
            std::memcpy(out + y * outRowBytes, middle.data + y * middle.rowBytes, rowBytes);
        return;
    }
    std::vector<std::int32_t> sums(rowBytes);
    for (int y = 0; y < window.height; ++y) {
        const auto [first, count] = rows.ranges[std::size_t(y)];
        const std::int32_t *w = rows.weightsOf(std::size_t(y));
        std::fill(sums.begin(), sums.end(), half);
        for (int k = 0; k < count; ++k)
            weighRow(middle.data + std::ptrdiff_t(first - firstRow + k) * middle.rowBytes, w[k], sums.data(), rowBytes);
        std::uint8_t *line = out + y * outRowBytes;
        for (std::size_t i = 0; i < rowBytes; ++i)
            line[i] = toByte(sums[i]);
    }
}

std::vector<std::uint8_t> pilResize(const std::uint8_t *pixels, int width, int height, int channels, int newWidth, int newHeight, bool cubic)
{
    if (width <= 0 || height <= 0 || channels <= 0 || newWidth <= 0 || newHeight <= 0)
        throw Error(ErrorKind::InvalidInput, "transform",
                    "An image of " + std::to_string(width) + "x" + std::to_string(height) + " cannot be resized to " + std::to_string(newWidth) + "x"
                        + std::to_string(newHeight) + ".");
    std::vector<std::uint8_t> out(std::size_t(newWidth) * std::size_t(newHeight) * std::size_t(channels));
    const std::ptrdiff_t outRowBytes = std::ptrdiff_t(newWidth) * channels;
    pilResizeWindow({pixels, std::ptrdiff_t(width) * channels, width, height, channels}, newWidth, newHeight, {0, 0, newWidth, newHeight}, cubic, out.data(), outRowBytes);
    return out;
}

} // namespace core

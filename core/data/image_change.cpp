#include "core/data/image_change.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace core {
namespace {

enum Purpose : std::uint64_t { ForCrop = 1, ForTheRest = 2 };

/// ITU-R 601-2 as Pillow's "L".
int grey(const std::uint8_t *pixel, int red)
{
    return int((pixel[red] * 19595u + pixel[1] * 38470u + pixel[2 - red] * 7471u + 0x8000u) >> 16);
}

std::uint8_t blended(int degenerate, int value, float factor)
{
    return std::uint8_t(std::clamp(float(degenerate) + factor * float(value - degenerate), 0.0f, 255.0f));
}

int meanGrey(const cv::Mat &image, int red)
{
    std::int64_t sum = 0;
    for (int y = 0; y < image.rows; ++y) {
        const std::uint8_t *in = image.ptr<std::uint8_t>(y);
        for (int x = 0; x < image.cols; ++x)
            sum += image.channels() == 1 ? in[x] : grey(in + 3 * x, red);
    }
    return int(double(sum) / (double(image.rows) * image.cols) + 0.5);
}

void blendWith(int degenerate, float factor, cv::Mat &image)
{
    std::array<std::uint8_t, 256> table;
    for (int i = 0; i < 256; ++i)
        table[std::size_t(i)] = blended(degenerate, i, factor);
    for (int y = 0; y < image.rows; ++y) {
        std::uint8_t *row = image.ptr<std::uint8_t>(y);
        for (int x = 0; x < image.cols * image.channels(); ++x)
            row[x] = table[row[x]];
    }
}

void saturate(float factor, int red, cv::Mat &image)
{
    if (image.channels() == 1)
        return;
    for (int y = 0; y < image.rows; ++y) {
        std::uint8_t *pixel = image.ptr<std::uint8_t>(y);
        for (int x = 0; x < image.cols; ++x, pixel += 3) {
            const int degenerate = grey(pixel, red);
            for (int c = 0; c < 3; ++c)
                pixel[c] = blended(degenerate, pixel[c], factor);
        }
    }
}

void applyColor(const ImageChange::ColorStep &step, int red, cv::Mat &image)
{
    switch (step.color) {
    case ImageChange::Color::Brightness: return blendWith(0, step.factor, image);
    case ImageChange::Color::Contrast: return blendWith(meanGrey(image, red), step.factor, image);
    case ImageChange::Color::Saturation: return saturate(step.factor, red, image);
    }
}

cv::Mat flipped(const cv::Mat &image)
{
    cv::Mat result(image.size(), image.type());
    const int channels = image.channels();
    for (int y = 0; y < image.rows; ++y) {
        const std::uint8_t *in = image.ptr<std::uint8_t>(y);
        std::uint8_t *out = result.ptr<std::uint8_t>(y) + std::ptrdiff_t(image.cols - 1) * channels;
        for (int x = 0; x < image.cols; ++x, in += channels, out -= channels)
            for (int c = 0; c < channels; ++c)
                out[c] = in[c];
    }
    return result;
}

/// What stays inside along one axis: [from, from + count) comes to lie at `to`.
struct Moved {
    int from = 0, to = 0, count = 0;
};

Moved moved(std::int64_t size, int shift)
{
    const int length = int(size), by = std::clamp(shift, -length, length);
    return {std::max(-by, 0), std::max(by, 0), length - std::abs(by)};
}

cv::Mat shifted(const cv::Mat &image, int right, int down, const cv::Scalar &border)
{
    cv::Mat result(image.size(), image.type(), border);
    const Moved x = moved(image.cols, right), y = moved(image.rows, down);
    if (x.count > 0 && y.count > 0)
        image(cv::Rect(x.from, y.from, x.count, y.count)).copyTo(result(cv::Rect(x.to, y.to, x.count, y.count)));
    return result;
}

} // namespace

std::optional<PixelWindow> ImageChange::crop(int width, int height) const
{
    if (!augment.randomResizedCrop)
        return {};
    CounterRandom random = cropRandom;
    return drawCrop(width, height, augment, random);
}

PixelWindow drawCrop(int width, int height, const AugmentSpec &augment, CounterRandom &random)
{
    const double area = double(width) * height;
    for (int i = 0; i < 10; ++i) {
        const double target = area * random.uniform(augment.minArea, augment.maxArea), aspect = random.logUniform(augment.maxAspect);
        const double w = std::nearbyint(std::sqrt(target * aspect)), h = std::nearbyint(std::sqrt(target / aspect));
        if (w >= 1 && w <= width && h >= 1 && h <= height) {
            const int y = int(random.below(std::uint64_t(height - int(h)) + 1)), x = int(random.below(std::uint64_t(width - int(w)) + 1));
            return {x, y, int(w), int(h)};
        }
    }
    const double own = double(width) / height, widest = augment.maxAspect;
    int w = width, h = height;
    if (own * widest < 1)
        h = std::clamp(int(std::nearbyint(width * widest)), 1, height);
    else if (own > widest)
        w = std::clamp(int(std::nearbyint(height * widest)), 1, width);
    return {(width - w) / 2, (height - h) / 2, w, h};
}

ImageChange drawChange(const AugmentSpec &augment, std::uint64_t seed, std::int64_t epoch, std::size_t index)
{
    using Color = ImageChange::Color;
    ImageChange change;
    change.augment = augment;
    change.cropRandom = CounterRandom(seed, std::uint64_t(epoch), index, ForCrop);
    CounterRandom random(seed, std::uint64_t(epoch), index, ForTheRest);
    change.flip = (random.next() >> 63) != 0 && augment.flip;
    std::array colors{std::pair(Color::Brightness, augment.brightness), std::pair(Color::Contrast, augment.contrast), std::pair(Color::Saturation, augment.saturation)};
    for (std::size_t last = colors.size(); last > 1; --last)
        std::swap(colors[last - 1], colors[random.below(last)]);
    for (const auto &[color, reach] : colors) {
        const double factor = random.uniform(std::max(0.0, 1 - reach), 1 + reach);
        if (reach > 0)
            change.colors.push_back({color, float(factor)});
    }
    const std::uint64_t places = 2 * std::uint64_t(augment.shift) + 1;
    change.shiftX = int(random.below(places)) - augment.shift;
    change.shiftY = int(random.below(places)) - augment.shift;
    return change;
}

cv::Mat changedPixels(const cv::Mat &image, bool bgr, const ImageChange &change, const cv::Scalar &border)
{
    cv::Mat result = change.flip ? flipped(image) : image;
    if (!change.colors.empty() && result.data == image.data)
        result = image.clone();
    for (const ImageChange::ColorStep &step : change.colors)
        applyColor(step, bgr ? 2 : 0, result);
    return change.shiftX != 0 || change.shiftY != 0 ? shifted(result, change.shiftX, change.shiftY, border) : result;
}

at::Tensor changedTensor(const at::Tensor &tensor, const ImageChange &change, bool channelsLast)
{
    const std::int64_t rows = channelsLast ? 0 : 1, columns = rows + 1;
    if (tensor.dim() != 3 || !tensor.is_floating_point() || tensor.numel() == 0 || std::max(tensor.size(rows), tensor.size(columns)) > 1 << 30)
        return tensor;
    const std::int64_t height = tensor.size(rows), width = tensor.size(columns);
    at::Tensor result = tensor;
    if (const auto window = change.crop(int(width), int(height)); window && (window->width != width || window->height != height)) {
        const at::Tensor cut = result.slice(rows, window->y, window->y + window->height).slice(columns, window->x, window->x + window->width);
        const at::Tensor planes = (channelsLast ? cut.permute({2, 0, 1}) : cut).unsqueeze(0).contiguous();
        const at::Tensor grown = at::upsample_bilinear2d(planes, {height, width}, false).squeeze(0);
        result = channelsLast ? grown.permute({1, 2, 0}) : grown;
    }
    if (change.flip)
        result = result.flip(columns);
    if (change.shiftX != 0 || change.shiftY != 0) {
        const Moved x = moved(width, change.shiftX), y = moved(height, change.shiftY);
        const at::Tensor framed = at::zeros_like(result);
        framed.slice(rows, y.to, y.to + y.count).slice(columns, x.to, x.to + x.count)
            .copy_(result.slice(rows, y.from, y.from + y.count).slice(columns, x.from, x.from + x.count));
        result = framed;
    }
    return result;
}

} // namespace core

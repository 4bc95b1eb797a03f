#include "core/data/transform.h"

#include "core/data/image_change.h"
#include "core/data/image_decode.h"
#include "core/data/pil_resize.h"

#include <ATen/ATen.h>

#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <cmath>
#include <optional>

namespace core {
namespace {

[[noreturn]] void refuse(const std::string &sentence)
{
    throw Error(ErrorKind::InvalidInput, "transform", sentence);
}

std::string sizeText(std::int64_t width, std::int64_t height)
{
    return std::to_string(width) + "x" + std::to_string(height);
}

/// The image scaled to width×height, `window` of that, and where the window lies in the tensor.
struct Fit {
    std::int64_t width = 0, height = 0;
    PixelWindow window;
    int left = 0, top = 0;
};

struct Extent {
    int begin = 0, count = 0, offset = 0;
};

/// Centre crop along one axis, half of what is cut (rounded down) in front; what is missing is padded likewise.
Extent centered(std::int64_t have, int want)
{
    if (have < want)
        return {0, int(have), int((want - have) / 2)};
    return {int((have - want) / 2), want, 0};
}

Fit fitImage(int width, int height, const TransformSpec &transform, int outWidth, int outHeight)
{
    Fit fit{outWidth, outHeight, {0, 0, outWidth, outHeight}, 0, 0};
    switch (transform.resize) {
    case ResizeMode::Stretch:
        return fit;
    case ResizeMode::Letterbox: {
        const double scale = std::min(double(outWidth) / width, double(outHeight) / height);
        fit.width = std::clamp<std::int64_t>(std::llrint(width * scale), 1, outWidth);
        fit.height = std::clamp<std::int64_t>(std::llrint(height * scale), 1, outHeight);
        fit.left = int((outWidth - fit.width) / 2);
        fit.top = int((outHeight - fit.height) / 2);
        fit.window = {0, 0, int(fit.width), int(fit.height)};
        return fit;
    }
    case ResizeMode::None:
        fit.width = width;
        fit.height = height;
        break;
    case ResizeMode::ShortSide: {
        const int largest = std::max(outWidth, outHeight);
        const std::int64_t automatic = transform.centerCrop ? std::llround(largest / 0.875) : largest;
        const std::int64_t target = transform.resizeTo > 0 ? transform.resizeTo : automatic;
        const std::int64_t longSide = std::llrint(double(target * std::max(width, height)) / std::min(width, height));
        fit.width = width <= height ? target : longSide;
        fit.height = width <= height ? longSide : target;
        break;
    }
    }
    const bool crops = transform.resize == ResizeMode::ShortSide && transform.centerCrop;
    if (!crops && (fit.width != outWidth || fit.height != outHeight))
        refuse("The image has " + sizeText(fit.width, fit.height) + " pixels" + (transform.resize == ResizeMode::None ? "" : " after resizing")
               + " and the model takes " + sizeText(outWidth, outHeight) + "; let it be cropped or stretched.");
    const Extent columns = centered(fit.width, outWidth), rows = centered(fit.height, outHeight);
    fit.window = {columns.begin, rows.begin, columns.count, rows.count};
    fit.left = columns.offset;
    fit.top = rows.offset;
    return fit;
}

cv::Mat resized(const cv::Mat &image, const Fit &fit, Resampling resampling)
{
    const PixelWindow &w = fit.window;
    const cv::Rect window(w.x, w.y, w.width, w.height);
    if (fit.width == image.cols && fit.height == image.rows)
        return image(window);
    if (fit.width > (1 << 30) || fit.height > (1 << 30))
        refuse("The image of " + sizeText(image.cols, image.rows) + " would become " + sizeText(fit.width, fit.height) + "; it is too narrow.");
    cv::Mat result;
    if (resampling == Resampling::PilBilinear || resampling == Resampling::PilBicubic) {
        result.create(w.height, w.width, image.type());
        pilResizeWindow({image.data, std::ptrdiff_t(image.step[0]), image.cols, image.rows, image.channels()}, int(fit.width), int(fit.height), w,
                        resampling == Resampling::PilBicubic, result.data, std::ptrdiff_t(result.step[0]));
        return result;
    }
    if (fit.width > maxImagePixels / fit.height)
        refuse("The image of " + sizeText(image.cols, image.rows) + " would become " + sizeText(fit.width, fit.height) + "; it is too narrow.");
    cv::resize(image, result, cv::Size(int(fit.width), int(fit.height)), 0, 0, resampling == Resampling::OpenCvArea ? cv::INTER_AREA : cv::INTER_LINEAR);
    return result(window);
}

/// Colour of the border, in the order of the picture's channels. Crops are padded with black, as torchvision does.
cv::Scalar borderColor(const TransformSpec &transform, const Picture &picture)
{
    if (transform.resize != ResizeMode::Letterbox)
        return {};
    const auto &[r, g, b] = transform.padColor;
    if (picture.pixels.channels() == 1)
        return cv::Scalar((r * 19595 + g * 38470 + b * 7471 + 0x8000) >> 16);
    return picture.bgr ? cv::Scalar(b, g, r) : cv::Scalar(r, g, b);
}

/// (x / divisor − mean) / std for every byte, in float32 step by step as torchvision computes it.
std::array<float, 256> valuesOfBytes(const TransformSpec &transform, std::size_t channel)
{
    std::array<float, 256> values;
    for (std::size_t i = 0; i < values.size(); ++i)
        values[i] = (float(i) / float(transform.divisor) - float(transform.mean[channel])) / float(transform.stddev[channel]);
    return values;
}

void normalize(const cv::Mat &image, const TransformSpec &transform, bool reverse, float *out)
{
    const int channels = image.channels();
    std::array<std::array<float, 256>, 3> table;
    for (int c = 0; c < channels; ++c)
        table[std::size_t(c)] = valuesOfBytes(transform, std::size_t(c));
    for (int y = 0; y < image.rows; ++y) {
        const std::uint8_t *in = image.ptr<std::uint8_t>(y);
        if (channels == 1) {
            for (int x = 0; x < image.cols; ++x)
                *out++ = table[0][in[x]];
            continue;
        }
        const int first = reverse ? 2 : 0, last = 2 - first;
        for (int x = 0; x < image.cols; ++x, in += 3, out += 3) {
            out[0] = table[0][in[first]];
            out[1] = table[1][in[1]];
            out[2] = table[2][in[last]];
        }
    }
}

int outputSize(int own, int models) { return own > 0 ? own : models; }

at::Tensor toTensor(const Picture &picture, const TransformSpec &transform, const InputGeometry &geometry, const ImageChange *change,
                    const std::optional<PixelWindow> &crop)
{
    const int width = outputSize(transform.width, geometry.width), height = outputSize(transform.height, geometry.height);
    Picture source = withChannels(picture, geometry.channels);
    if (crop)
        source.pixels = source.pixels(cv::Rect(crop->x, crop->y, crop->width, crop->height));
    const Fit fit = crop ? Fit{width, height, {0, 0, width, height}} : fitImage(source.pixels.cols, source.pixels.rows, transform, width, height);
    cv::Mat image = resized(source.pixels, fit, transform.resampling);
    const cv::Scalar border = borderColor(transform, source);
    if (image.cols != width || image.rows != height) {
        cv::Mat framed;
        cv::copyMakeBorder(image, framed, fit.top, height - image.rows - fit.top, fit.left, width - image.cols - fit.left,
                           cv::BORDER_CONSTANT | cv::BORDER_ISOLATED, border);
        image = framed;
    }
    if (change)
        image = changedPixels(image, source.bgr, *change, border);
    const at::Tensor tensor = at::empty({height, width, geometry.channels}, at::kFloat);
    normalize(image, transform, source.bgr != (transform.order == ChannelOrder::Bgr), tensor.data_ptr<float>());
    return geometry.channelsLastLayout ? tensor : tensor.permute({2, 0, 1});
}

/// How many times smaller the picture may be decoded, so that `window` still has the size of the input.
int reductionFor(const PixelWindow &window, const TransformSpec &transform, const InputGeometry &geometry)
{
    const int width = outputSize(transform.width, geometry.width), height = outputSize(transform.height, geometry.height);
    int reduction = 8;
    while (reduction > 1 && (window.width / reduction < width || window.height / reduction < height))
        reduction /= 2;
    return reduction;
}

int reduced(int size, int reduction) { return (size + reduction - 1) / reduction; }

PixelWindow reducedWindow(const PixelWindow &window, const Picture &picture)
{
    const int left = window.x / picture.reduction, top = window.y / picture.reduction;
    return {left, top, reduced(window.x + window.width, picture.reduction) - left, reduced(window.y + window.height, picture.reduction) - top};
}

} // namespace

void checkTransform(const TransformSpec &transform, const InputGeometry &geometry)
{
    const int width = outputSize(transform.width, geometry.width), height = outputSize(transform.height, geometry.height);
    if (width <= 0 || height <= 0)
        refuse("The size of the input image is not known; give it with --size WxH.");
    if (std::int64_t(width) * height > std::int64_t(1) << 26)
        refuse("An input image of " + sizeText(width, height) + " pixels is too large; at most 2^26 are accepted.");
    if (geometry.channels != 1 && geometry.channels != 3)
        refuse("The model's input has " + std::to_string(geometry.channels) + " channels; images give 1 or 3. Give tensors as .npy or .npz instead.");
    if (transform.resizeTo < 0 || transform.resizeTo > 1 << 20)
        refuse("The short side cannot be resized to " + std::to_string(transform.resizeTo) + ".");
    const auto usable = [](double divisor) { return std::isfinite(divisor) && float(divisor) != 0; };
    if (!usable(transform.divisor))
        refuse("The divisor of the pixel values is " + std::to_string(transform.divisor) + "; it must be another number than 0.");
    for (std::size_t c = 0; c < std::size_t(geometry.channels); ++c)
        if (!usable(transform.stddev[c]) || !std::isfinite(transform.mean[c]))
            refuse("Mean and standard deviation of channel " + std::to_string(c) + " are " + std::to_string(transform.mean[c]) + " and "
                   + std::to_string(transform.stddev[c]) + "; they must be numbers, the deviation not 0.");
}

at::Tensor pictureToTensor(const Picture &picture, const TransformSpec &transform, const InputGeometry &geometry, const ImageChange *change)
{
    checkTransform(transform, geometry);
    const auto window = change ? change->crop(picture.pixels.cols, picture.pixels.rows) : std::nullopt;
    return toTensor(picture, transform, geometry, change, window);
}

at::Tensor imageToTensor(std::span<const std::byte> encoded, const TransformSpec &transform, const InputGeometry &geometry, const ImageChange *change)
{
    checkTransform(transform, geometry);
    if (change)
        if (const auto size = sizeOfJpeg(encoded))
            if (const auto window = change->crop(size->width, size->height)) {
                const Picture picture = decodeImage(encoded, transform.exifRotation, reductionFor(*window, transform, geometry));
                if (picture.pixels.cols == reduced(size->width, picture.reduction) && picture.pixels.rows == reduced(size->height, picture.reduction))
                    return toTensor(picture, transform, geometry, change, reducedWindow(*window, picture));
            }
    return pictureToTensor(decodeImage(encoded, transform.exifRotation), transform, geometry, change);
}

} // namespace core

#include "core/data/image_decode.h"

#include "core/base/error.h"
#include "core/data/image_header.h"

#include <opencv2/core/utility.hpp>
#include <opencv2/core/utils/logger.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include <cstring>
#include <string>

namespace core {
namespace {

[[noreturn]] void refuse(const std::string &sentence)
{
    throw Error(ErrorKind::InvalidInput, "image", sentence);
}

/// The loader's threads are the parallelism; OpenCV neither adds its own nor prints.
void quietOpenCv()
{
    static const bool done = [] {
        cv::setNumThreads(1);
        cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT);
        return true;
    }();
    (void)done;
}

} // namespace

Picture decodeImage(std::span<const std::byte> encoded, bool exifRotation, int reduction)
{
    quietOpenCv();
    if (encoded.empty())
        refuse("The file is empty.");
    if (encoded.size() > std::size_t(1) << 30)
        refuse("The file has more than 1 GiB.");
    const ImageHeader header = inspectImage(encoded);
    if (!header.complete)
        refuse("The image is truncated.");
    if (header.width > 0 && header.height > 0 && header.width > maxImagePixels / header.height)
        refuse("The image says it has " + std::to_string(header.width) + "x" + std::to_string(header.height) + " pixels, more than the "
               + std::to_string(maxImagePixels) + " that are accepted.");
    const int color = reduction == 2 ? cv::IMREAD_REDUCED_COLOR_2
        : reduction == 4             ? cv::IMREAD_REDUCED_COLOR_4
        : reduction == 8             ? cv::IMREAD_REDUCED_COLOR_8
                                     : cv::IMREAD_COLOR;
    cv::Mat image;
    try {
        const cv::Mat bytes(1, int(encoded.size()), CV_8UC1, const_cast<std::byte *>(encoded.data()));
        image = cv::imdecode(bytes, exifRotation ? color : color | cv::IMREAD_IGNORE_ORIENTATION);
    } catch (const cv::Exception &error) {
        refuse("The image cannot be decoded (" + error.err + ").");
    }
    if (image.empty() || image.type() != CV_8UC3)
        refuse("This is no image that can be decoded.");
    return {std::move(image), true, reduction};
}

std::optional<PictureSize> sizeOfJpeg(std::span<const std::byte> encoded)
{
    if (encoded.size() < 3 || std::memcmp(encoded.data(), "\xFF\xD8\xFF", 3) != 0)
        return {};
    const ImageHeader header = inspectImage(encoded);
    if (!header.complete || header.width < 1 || header.height < 1 || header.width > maxImagePixels / header.height)
        return {};
    return PictureSize{int(header.width), int(header.height)};
}

Picture withChannels(Picture picture, int channels)
{
    const int have = picture.pixels.channels();
    if (have == channels)
        return picture;
    Picture result;
    if (channels == 3) {
        cv::cvtColor(picture.pixels, result.pixels, cv::COLOR_GRAY2RGB);
        return result;
    }
    const int red = picture.bgr ? 2 : 0, blue = 2 - red;
    result.pixels.create(picture.pixels.rows, picture.pixels.cols, CV_8UC1);
    for (int y = 0; y < picture.pixels.rows; ++y) {
        const std::uint8_t *in = picture.pixels.ptr<std::uint8_t>(y);
        std::uint8_t *out = result.pixels.ptr<std::uint8_t>(y);
        for (int x = 0; x < picture.pixels.cols; ++x, in += 3)
            out[x] = std::uint8_t((in[red] * 19595u + in[1] * 38470u + in[blue] * 7471u + 0x8000u) >> 16);
    }
    return result;
}

} // namespace core

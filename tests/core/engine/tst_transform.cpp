// Golden pixels: Pillow 13, Image.resize first to the new width, then to the new height (which is what Pillow up to 12 does
// in one call; 13 turns the order round where the height shrinks much more).
#include "core/data/image_decode.h"
#include "core/data/image_header.h"
#include "core/data/pil_resize.h"
#include "core/data/transform.h"

#include <QtTest/QtTest>

#include <opencv2/imgcodecs.hpp>

using namespace core;

namespace {

using Pixels = std::vector<std::uint8_t>;

Pixels pattern(int width, int height, int channels)
{
    Pixels pixels;
    for (int y = 0; y < height; ++y)
        for (int x = 0; x < width; ++x)
            for (int c = 0; c < channels; ++c)
                pixels.push_back(std::uint8_t(x * 37 + y * 59 + c * 101 + x * y * 13));
    return pixels;
}

/// A PNG whose pixels (RGB) are given.
std::vector<std::byte> encoded(const Pixels &rgb, int width, int height, const char *extension = ".png", int channels = 3)
{
    cv::Mat image(height, width, CV_8UC(channels));
    for (int y = 0; y < height; ++y)
        for (int x = 0; x < width; ++x)
            for (int c = 0; c < channels; ++c)
                image.ptr<std::uint8_t>(y)[x * channels + (c < 3 && channels >= 3 ? 2 - c : c)] = rgb[std::size_t((y * width + x) * channels + c)];
    std::vector<std::uint8_t> bytes;
    cv::imencode(extension, image, bytes);
    const auto *begin = reinterpret_cast<const std::byte *>(bytes.data());
    return {begin, begin + bytes.size()};
}

std::vector<std::byte> encodedMat(const cv::Mat &image, const char *extension)
{
    std::vector<std::uint8_t> bytes;
    cv::imencode(extension, image, bytes);
    const auto *begin = reinterpret_cast<const std::byte *>(bytes.data());
    return {begin, begin + bytes.size()};
}

/// Values as they are (0…255), no resizing unless said.
TransformSpec plain(ResizeMode resize = ResizeMode::None)
{
    TransformSpec spec = transformPreset("byte");
    spec.resize = resize;
    return spec;
}

InputGeometry geometry(int width, int height, int channels = 3) { return {channels, height, width, false}; }

Pixels bytesOf(const at::Tensor &tensor)
{
    const at::Tensor t = tensor.contiguous();
    Pixels bytes;
    for (std::int64_t i = 0; i < t.numel(); ++i)
        bytes.push_back(std::uint8_t(t.data_ptr<float>()[i]));
    return bytes;
}

/// The sentence of the Error that f throws.
template <class F> std::string sentence(F f)
{
    try {
        f();
    } catch (const Error &error) {
        return error.sentence();
    }
    return {};
}

bool has(const std::string &text, const char *part) { return text.find(part) != std::string::npos; }

} // namespace

class TestTransform : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void resizeIsPillows()
    {
        QCOMPARE(pilResize(pattern(7, 5, 1).data(), 7, 5, 1, 3, 2, false), (Pixels{100, 126, 132, 167, 150, 119}));
        QCOMPARE(pilResize(pattern(7, 5, 1).data(), 7, 5, 1, 3, 2, true), (Pixels{95, 123, 137, 174, 152, 116}));
        QCOMPARE(pilResize(pattern(4, 3, 3).data(), 4, 3, 3, 6, 2, false),
                 (Pixels{22, 123, 128, 43, 144, 149, 71, 156, 150, 99, 120, 72, 127, 132, 73, 148, 153, 94, 96, 197, 42, 125, 146, 71, 164, 89, 110, 202, 63, 148, 162, 87, 188, 110, 115, 216}));
        QCOMPARE(pilResize(pattern(3, 2, 3).data(), 3, 2, 3, 5, 4, true),
                 (Pixels{0, 93, 216, 5, 105, 243, 31, 132, 255, 56, 172, 99, 69, 194, 0, 11, 110, 158, 24, 128, 183, 52, 153, 201, 80, 146, 96, 95, 141, 25,
                         44, 144, 42, 61, 171, 62, 94, 195, 93, 127, 96, 92, 145, 37, 87, 60, 161, 0, 80, 194, 2, 115, 216, 39, 151, 70, 89, 171, 0, 118}));
    }

    void windowIsAPartOfTheWhole()
    {
        const Pixels source = pattern(40, 30, 3);
        const Pixels expected[2] = {
            {108, 119, 145, 122, 120, 130, 121, 111, 135, 114, 125, 140, 126, 135, 126, 123, 119, 132, 77, 112, 187, 119, 121, 146, 108, 115, 148},
            {107, 117, 144, 120, 118, 131, 120, 107, 136, 119, 127, 135, 127, 138, 125, 123, 118, 131, 69, 109, 202, 121, 120, 146, 103, 115, 150}};
        for (const bool cubic : {false, true}) {
            Pixels part(27);
            pilResizeWindow({source.data(), 120, 40, 30, 3}, 9, 8, {3, 2, 3, 3}, cubic, part.data(), 9);
            QCOMPARE(part, expected[cubic]);
        }
        Pixels same(pattern(40, 30, 3));
        QCOMPARE(pilResize(source.data(), 40, 30, 3, 40, 30, true), same);
        QVERIFY_EXCEPTION_THROWN(pilResize(source.data(), 40, 30, 3, 0, 5, false), Error);
    }

    void valuesAreThoseOfTorchvision()
    {
        // numpy float32: ((x / 255) - mean) / std
        const Pixels greys = {0, 0, 0, 1, 1, 1, 127, 127, 127, 128, 128, 128, 255, 255, 255};
        TransformSpec spec = transformPreset("imagenet");
        spec.resize = ResizeMode::None;
        const at::Tensor a = imageToTensor(encoded(greys, 5, 1), spec, geometry(5, 1)).contiguous();
        QCOMPARE(a.sizes().vec(), (std::vector<std::int64_t>{3, 1, 5}));
        const float red[] = {-2.1179039478302f, -2.1007792949676514f, 0.0569397434592247f, 0.07406462728977203f, 2.248908281326294f};
        for (int i = 0; i < 5; ++i)
            QVERIFY(a.data_ptr<float>()[i] == red[i]);
        spec = transformPreset("tf");
        spec.resize = ResizeMode::None;
        const at::Tensor b = imageToTensor(encoded(greys, 5, 1), spec, geometry(5, 1)).contiguous();
        const float half[] = {-1.0f, -0.9921568632125854f, -0.003921568393707275f, 0.003921627998352051f, 1.0f};
        for (int i = 0; i < 15; ++i)
            QVERIFY(b.data_ptr<float>()[i] == half[i % 5]);
    }

    void channelOrderAndLayout()
    {
        const auto file = encoded({1, 2, 3, 4, 5, 6}, 2, 1);
        TransformSpec spec = plain();
        QCOMPARE(bytesOf(imageToTensor(file, spec, geometry(2, 1))), (Pixels{1, 4, 2, 5, 3, 6}));
        spec.order = ChannelOrder::Bgr;
        spec.mean = {1, 0, 0};                                     // of blue, the tensor's first channel
        QCOMPARE(bytesOf(imageToTensor(file, spec, geometry(2, 1))), (Pixels{2, 5, 2, 5, 1, 4}));
        InputGeometry last{3, 1, 2, true};
        const at::Tensor t = imageToTensor(file, plain(), last);
        QCOMPARE(t.sizes().vec(), (std::vector<std::int64_t>{1, 2, 3}));
        QCOMPARE(bytesOf(t), (Pixels{1, 2, 3, 4, 5, 6}));
    }

    void greyIsPillowsL()
    {
        const Pixels colours = {255, 0, 0, 0, 255, 0, 0, 0, 255, 10, 200, 77, 1, 2, 3};
        QCOMPARE(bytesOf(imageToTensor(encoded(colours, 5, 1), plain(), geometry(5, 1, 1))), (Pixels{76, 150, 29, 129, 2}));
        QCOMPARE(bytesOf(imageToTensor(encoded({7, 200}, 2, 1, ".png", 1), plain(), geometry(2, 1, 1))), (Pixels{7, 200}));
        QCOMPARE(bytesOf(imageToTensor(encoded({7, 200}, 2, 1, ".png", 1), plain(), geometry(2, 1, 3))), (Pixels{7, 200, 7, 200, 7, 200}));
    }

    void alphaIsDroppedAndSixteenBitsShortened()
    {
        QCOMPARE(bytesOf(imageToTensor(encoded({1, 2, 3, 0, 4, 5, 6, 255}, 2, 1, ".png", 4), plain(), geometry(2, 1))), (Pixels{1, 4, 2, 5, 3, 6}));
        const cv::Mat deep = (cv::Mat_<std::uint16_t>(1, 3) << 0x00FF, 0x0100, 0xFEFF);
        QCOMPARE(bytesOf(imageToTensor(encodedMat(deep, ".png"), plain(), geometry(3, 1, 1))), (Pixels{0, 1, 254}));
    }

    void shortSideAndCrop_data()
    {
        QTest::addColumn<int>("width");
        QTest::addColumn<int>("height");
        QTest::addColumn<int>("resizeTo");
        QTest::addColumn<int>("left");      // column and row of the resized image that the tensor begins with
        QTest::addColumn<int>("top");
        QTest::addColumn<int>("newWidth");
        QTest::addColumn<int>("newHeight");
        QTest::newRow("8/7 of the crop") << 30 << 16 << 0 << 4 << 0 << 15 << 8;              // round(7 / 0.875) = 8; 8·30/16 = 15; (15 − 7) / 2 = 4
        QTest::newRow("odd rest is rounded down") << 20 << 10 << 10 << 6 << 1 << 20 << 10;
        QTest::newRow("long side is rounded") << 11 << 19 << 8 << 0 << 3 << 8 << 14;          // 8·19/11 = 13.8
    }

    void shortSideAndCrop()
    {
        QFETCH(int, width);
        QFETCH(int, height);
        QFETCH(int, resizeTo);
        QFETCH(int, left);
        QFETCH(int, top);
        QFETCH(int, newWidth);
        QFETCH(int, newHeight);
        const Pixels source = pattern(width, height, 3);
        TransformSpec spec = plain(ResizeMode::ShortSide);
        spec.resizeTo = resizeTo;
        const at::Tensor t = imageToTensor(encoded(source, width, height), spec, {3, 7, 7, true});
        const Pixels whole = pilResize(source.data(), width, height, 3, newWidth, newHeight, false);
        Pixels expected;
        for (int y = top; y < top + 7; ++y)
            for (int x = left; x < left + 7; ++x)
                for (int c = 0; c < 3; ++c)
                    expected.push_back(whole[std::size_t((y * newWidth + x) * 3 + c)]);
        QCOMPARE(bytesOf(t), expected);
    }

    void cropLargerThanTheImageIsBlack()
    {
        TransformSpec spec = plain(ResizeMode::ShortSide);
        spec.resizeTo = 2;
        const at::Tensor t = imageToTensor(encoded(Pixels(2 * 2, 9), 2, 2, ".png", 1), spec, {1, 5, 2, true});
        QCOMPARE(bytesOf(t), (Pixels{0, 0, 9, 9, 9, 9, 0, 0, 0, 0}));
    }

    void letterboxKeepsTheShape()
    {
        TransformSpec spec = plain(ResizeMode::Letterbox);
        spec.padColor = {1, 2, 3};
        const at::Tensor t = imageToTensor(encoded(Pixels(8 * 4 * 3, 9), 8, 4), spec, {3, 5, 4, true});   // 8×4 → 4×2, 3 rows to pad
        Pixels expected;
        for (int y = 0; y < 5; ++y)
            for (int x = 0; x < 4; ++x)
                for (int c = 0; c < 3; ++c)
                    expected.push_back(std::uint8_t(y == 1 || y == 2 ? 9 : c + 1));
        QCOMPARE(bytesOf(t), expected);
        spec.order = ChannelOrder::Bgr;
        QCOMPARE(bytesOf(imageToTensor(encoded(Pixels(8 * 4 * 3, 9), 8, 4), spec, {3, 5, 4, true}))[0], std::uint8_t(3));
    }

    void otherResamplings()
    {
        // Halving: area = mean of 2×2, OpenCV's linear samples at the same place; stretch does not keep the shape.
        const Pixels grey = {0, 10, 20, 30, 40, 50, 60, 70};
        for (const Resampling resampling : {Resampling::OpenCvArea, Resampling::OpenCvLinear}) {
            TransformSpec spec = plain(ResizeMode::Stretch);
            spec.resampling = resampling;
            QCOMPARE(bytesOf(imageToTensor(encoded(grey, 4, 2, ".png", 1), spec, geometry(2, 1, 1))), (Pixels{25, 45}));
        }
    }

    void exifRotationIsOffByDefault()
    {
        auto file = encodedMat(cv::Mat(8, 16, CV_8UC1, cv::Scalar(80)), ".jpg");
        const unsigned char exif[] = {0xFF, 0xE1, 0, 34, 'E', 'x', 'i', 'f', 0, 0, 'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1,
                                      0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0};   // orientation 6: turn right
        const auto *bytes = reinterpret_cast<const std::byte *>(exif);
        file.insert(file.begin() + 2, bytes, bytes + sizeof exif);
        QCOMPARE(decodeImage(file, false).pixels.cols, 16);
        QCOMPARE(decodeImage(file, true).pixels.cols, 8);
    }

    void whatIsNoImageIsRefused()
    {
        const auto refused = [](std::span<const std::byte> bytes) { return sentence([&] { decodeImage(bytes, false); }); };
        QVERIFY(has(refused({}), "empty"));
        const std::string text = "no image at all, just a sentence";
        QVERIFY(has(refused(std::as_bytes(std::span(text))), "no image"));
        for (const char *extension : {".jpg", ".png"}) {
            const auto file = encoded(pattern(40, 30, 3), 40, 30, extension);
            QCOMPARE(decodeImage(file, false).pixels.cols, 40);
            for (const std::size_t cut : {std::size_t(1), std::size_t(20), file.size() / 2, file.size() - 12})
                QVERIFY2(!refused(std::span(file).first(file.size() - cut)).empty(), extension);
        }
    }

    void hugeImagesAreRefusedByTheirHeader()
    {
        auto png = encoded(pattern(4, 3, 3), 4, 3);
        png[18] = png[22] = std::byte(0x7F);                       // width and height become 32,516 and more
        QVERIFY(has(sentence([&] { decodeImage(png, false); }), "32516x32515"));
        auto jpeg = encoded(pattern(4, 3, 3), 4, 3, ".jpg");
        QCOMPARE(inspectImage(jpeg).width, std::int64_t(4));
        QCOMPARE(inspectImage(jpeg).height, std::int64_t(3));
        auto bmp = encoded(pattern(4, 3, 3), 4, 3, ".bmp");
        QCOMPARE(inspectImage(bmp).width, std::int64_t(4));
        auto webp = encoded(pattern(40, 30, 3), 40, 30, ".webp");
        QCOMPARE(inspectImage(webp).width, std::int64_t(40));
        QCOMPARE(inspectImage(webp).height, std::int64_t(30));
        const auto ppm = encoded(pattern(4, 3, 3), 4, 3, ".ppm");
        QCOMPARE(inspectImage(ppm).width, std::int64_t(4));
        QCOMPARE(inspectImage(ppm).height, std::int64_t(3));
    }

    void impossibleTransformsAreNamed()
    {
        QVERIFY(has(sentence([] { checkTransform(plain(), geometry(0, 0)); }), "--size"));
        QVERIFY(has(sentence([] { checkTransform(plain(), geometry(8, 8, 4)); }), "4 channels"));
        QVERIFY(has(sentence([] { checkTransform(plain(), geometry(1 << 20, 1 << 20)); }), "too large"));
        TransformSpec spec = plain();
        spec.stddev = {1, 0, 1};
        QVERIFY(has(sentence([&] { checkTransform(spec, geometry(8, 8)); }), "channel 1"));
        spec = plain();
        spec.divisor = 0;
        QVERIFY(has(sentence([&] { checkTransform(spec, geometry(8, 8)); }), "divisor"));
        const auto file = encoded(pattern(4, 3, 3), 4, 3);
        QVERIFY(has(sentence([&] { imageToTensor(file, plain(), geometry(8, 8)); }), "4x3"));
    }
};

QTEST_APPLESS_MAIN(TestTransform)
#include "tst_transform.moc"

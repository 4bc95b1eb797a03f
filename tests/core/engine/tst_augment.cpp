// Orders are judged by an independent SplitMix64, resizing by Pillow 13. What is drawn and done is tested in tst_image_change.
#include "core/data/augment.h"
#include "core/data/image_change.h"
#include "core/data/image_decode.h"
#include "core/data/loader.h"
#include "core/data/transform.h"
#include "tests/support/augment_specs.h"
#include "tests/support/memory_dataset.h"

#include <QtTest/QtTest>

#include <ATen/ATen.h>

#include <opencv2/imgcodecs.hpp>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <set>

using namespace core;
namespace fs = std::filesystem;

namespace {

using tests::everything;
using tests::nothing;

TransformSpec bytes(int width, int height)
{
    TransformSpec transform = transformPreset("byte");
    transform.resize = ResizeMode::Stretch;
    transform.width = width;
    transform.height = height;
    return transform;
}

template <class T> std::vector<T> valuesOf(const at::Tensor &tensor)
{
    const at::Tensor t = tensor.contiguous();
    return {t.data_ptr<T>(), t.data_ptr<T>() + t.numel()};
}

/// A photograph-like gradient that JPEG keeps well.
cv::Mat gradient(int width, int height)
{
    cv::Mat image(height, width, CV_8UC3);
    for (int y = 0; y < height; ++y)
        for (int x = 0; x < width; ++x)
            image.at<cv::Vec3b>(y, x) = cv::Vec3b(std::uint8_t(200 * x / width + 20), std::uint8_t(200 * y / height + 20), std::uint8_t(100 * (x + y) / (width + height)));
    return image;
}

std::vector<std::byte> jpeg(const cv::Mat &image, bool turned = false)
{
    std::vector<std::uint8_t> encoded;
    cv::imencode(".jpg", image, encoded, {cv::IMWRITE_JPEG_QUALITY, 95});
    if (turned) {                                                  // orientation 6: to be turned by 90° to the right
        const std::vector<std::uint8_t> exif{0xFF, 0xE1, 0, 34, 'E', 'x', 'i', 'f', 0, 0, 'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0};
        encoded.insert(encoded.begin() + 2, exif.begin(), exif.end());
    }
    const auto *data = reinterpret_cast<const std::byte *>(encoded.data());
    return {data, data + encoded.size()};
}

at::Tensor loaded(const Dataset &data, std::size_t index) { return data.load(index).inputs.at(0); }

} // namespace

class TestAugment : public QObject {
    Q_OBJECT

    QTemporaryDir m_temporary;
    fs::path m_root;

    /// Two classes of six pictures each, all different.
    std::unique_ptr<Dataset> pictures(TransformSpec transform) const
    {
        for (int i = 0; i < 12; ++i) {
            const fs::path folder = m_root / (i % 2 ? "b" : "a");
            fs::create_directories(folder);
            const cv::Mat image = gradient(40 + i, 30 + 2 * i);
            cv::imwrite((folder / (std::to_string(i) + (i < 6 ? ".png" : ".jpg"))).string(), image);
        }
        DatasetOptions options;
        options.path = m_root;
        options.transform = std::move(transform);
        options.geometry = {3, 16, 20, false};
        return openDataset(options);
    }

    fs::path file(const std::string &name, const std::string &content) const
    {
        std::ofstream(m_root / name, std::ios::binary) << content;
        return m_root / name;
    }

private Q_SLOTS:
    void init();
    void ordersArePermutations();
    void goldenOrders();
    void cropIsResizedAsPillow();
    void identityIsBitIdentical();
    void shiftShowsTheLetterboxColour();
    void threadsChangeNothing();
    void epochsAndSeedsDiffer();
    void labelsFollowTheOrder();
    void arraysOfBytesArePictures();
    void floatArraysInBothLayouts();
    void reducedDecoding();
    void turnedPhotographs();
    void wrongSpecsAreRefused();
};

void TestAugment::init()
{
    m_root = m_temporary.filePath(QTest::currentTestFunction()).toStdString();
    fs::create_directories(m_root);
}

void TestAugment::ordersArePermutations()
{
    QVERIFY(shuffledOrder(0, 1, 1).empty());
    QCOMPARE(shuffledOrder(1, 1, 1), std::vector<std::size_t>{0});
    std::set<std::vector<std::size_t>> different;
    std::vector<int> firsts(100);
    for (std::int64_t epoch = 0; epoch < 1000; ++epoch) {
        std::vector<std::size_t> order = shuffledOrder(100, 5, epoch);
        ++firsts[order[0]];
        different.insert(order);
        std::sort(order.begin(), order.end());
        for (std::size_t i = 0; i < order.size(); ++i)
            QCOMPARE(order[i], i);
    }
    QCOMPARE(different.size(), std::size_t(1000));
    QVERIFY(*std::max_element(firsts.begin(), firsts.end()) < 30);   // 10 expected
}

void TestAugment::goldenOrders()
{
    using Order = std::vector<std::size_t>;
    QCOMPARE(shuffledOrder(10, 42, 3), (Order{2, 1, 9, 5, 6, 4, 7, 3, 0, 8}));
    QCOMPARE(shuffledOrder(10, 42, 4), (Order{6, 3, 2, 4, 9, 0, 1, 8, 5, 7}));
    QCOMPARE(shuffledOrder(10, 0, 0), (Order{3, 4, 2, 5, 0, 8, 7, 9, 1, 6}));
    QCOMPARE(shuffledOrder(10, ~std::uint64_t(0), 0), (Order{1, 2, 5, 7, 6, 4, 8, 9, 0, 3}));
}

void TestAugment::cropIsResizedAsPillow()
{
    // Image.crop((x, y, x + w, y + h)).resize((4, 3), BILINEAR) of a 12×10 picture; the image for which this window is drawn is looked for.
    cv::Mat image(10, 12, CV_8UC3);
    for (int y = 0; y < 10; ++y)
        for (int x = 0; x < 12; ++x)
            image.at<cv::Vec3b>(y, x) = cv::Vec3b(std::uint8_t(x * 20 + y * 3), std::uint8_t(y * 25), std::uint8_t(x * x + 7 * y));
    AugmentSpec spec = nothing();
    spec.randomResizedCrop = true;
    std::size_t index = 0;
    const auto is = [](const PixelWindow &w) { return w.x == 3 && w.y == 2 && w.width == 7 && w.height == 6; };
    while (index < 100'000 && !is(drawChange(spec, 0, 0, index).crop(12, 10).value()))
        ++index;
    const ImageChange change = drawChange(spec, 0, 0, index);
    QVERIFY(is(change.crop(12, 10).value()));
    TransformSpec transform = bytes(4, 3);
    transform.resampling = Resampling::PilBilinear;
    transform.resize = ResizeMode::ShortSide;                     // the crop stands in for it
    const at::Tensor tensor = pictureToTensor({image, false}, transform, {3, 3, 4, true}, &change);
    QCOMPARE(valuesOf<float>(tensor), (std::vector<float>{78, 68, 32, 110, 68, 45, 146, 68, 67, 178, 68, 91, 84, 113, 45, 116, 113, 58, 152, 113, 80, 184, 113, 104,
                                                          89, 157, 57, 121, 157, 70, 157, 157, 92, 189, 157, 116}));
}

void TestAugment::identityIsBitIdentical()
{
    TransformSpec transform = transformPreset("imagenet");
    const auto data = pictures(transform);
    const auto epoch = trainingEpoch(*data, nothing(), 3, 4);
    const std::vector<std::size_t> order = shuffledOrder(12, 3, 4);
    for (std::size_t i = 0; i < 12; ++i)
        QVERIFY(at::equal(loaded(*epoch, i), loaded(*data, order[i])));
    const tests::MemoryDataset memory({tests::noise({3, 4, 5}, 1), tests::noise({3, 4, 5}, 2)});
    const auto changed = trainingEpoch(memory, nothing(), 3, 4);
    for (std::size_t i = 0; i < 2; ++i)
        QVERIFY(at::equal(loaded(*changed, i), loaded(memory, shuffledOrder(2, 3, 4)[i])));
}

void TestAugment::shiftShowsTheLetterboxColour()
{
    TransformSpec transform = bytes(4, 4);
    transform.resize = ResizeMode::Letterbox;
    transform.padColor = {11, 22, 33};
    ImageChange change;
    change.augment = nothing();
    change.shiftX = -1;
    const at::Tensor tensor = pictureToTensor({cv::Mat(4, 4, CV_8UC3, cv::Scalar(1, 2, 3)), true}, transform, {3, 4, 4, true}, &change);
    const std::vector<float> first = valuesOf<float>(tensor[0]);
    QCOMPARE(first, (std::vector<float>{3, 2, 1, 3, 2, 1, 3, 2, 1, 11, 22, 33}));
}

void TestAugment::threadsChangeNothing()
{
    const auto data = pictures(transformPreset("imagenet"));
    const auto epoch = trainingEpoch(*data, everything(), 21, 2);
    std::vector<Batch> expected;
    for (const int threads : {1, 4}) {
        Loader loader(*epoch, 5, threads);
        for (std::size_t number = 0;; ++number) {
            auto batch = loader.next();
            if (!batch) {
                QCOMPARE(number, std::size_t(3));
                break;
            }
            if (threads == 1) {
                expected.push_back(std::move(*batch));
                continue;
            }
            QVERIFY(at::equal(batch->inputs.at(0), expected.at(number).inputs.at(0)));
            QCOMPARE(batch->labels, expected.at(number).labels);
        }
        QVERIFY(loader.skipped().empty());
    }
    QVERIFY(at::equal(loaded(*trainingEpoch(*data, everything(), 21, 2), 7), loaded(*epoch, 7)));
}

void TestAugment::epochsAndSeedsDiffer()
{
    const auto data = pictures(transformPreset("imagenet"));
    const auto imageIn = [&](std::size_t image, std::uint64_t seed, std::int64_t number) {
        const std::vector<std::size_t> order = shuffledOrder(12, seed, number);
        return loaded(*trainingEpoch(*data, everything(), seed, number), std::size_t(std::find(order.begin(), order.end(), image) - order.begin()));
    };
    QVERIFY(at::equal(imageIn(4, 1, 1), imageIn(4, 1, 1)));
    QVERIFY(!at::equal(imageIn(4, 1, 1), imageIn(4, 1, 2)));
    QVERIFY(!at::equal(imageIn(4, 1, 1), imageIn(4, 2, 1)));
    QVERIFY(shuffledOrder(12, 1, 1) != shuffledOrder(12, 1, 2));
}

void TestAugment::labelsFollowTheOrder()
{
    const auto data = pictures(transformPreset("imagenet"));
    const auto epoch = trainingEpoch(*data, everything(), 5, 0);
    const std::vector<std::size_t> order = shuffledOrder(12, 5, 0);
    QCOMPARE(epoch->size(), std::size_t(12));
    QVERIFY(epoch->hasLabels());
    QCOMPARE(epoch->fingerprint(), data->fingerprint());
    for (std::size_t i = 0; i < 12; ++i) {
        QCOMPARE(epoch->load(i).label, std::int64_t(order[i] / 6));   // a: the first six
        QCOMPARE(epoch->describe(i), data->describe(order[i]));
    }
    const tests::MemoryDataset unlabelled({tests::noise({3, 4, 5}, 1)});
    QVERIFY(!trainingEpoch(unlabelled, {}, 5, 0)->hasLabels());
}

void TestAugment::arraysOfBytesArePictures()
{
    // MNIST's own layout: images and, found by its name, labels.
    DatasetOptions options;
    options.path = file("train-images-idx3-ubyte", std::string("\0\0\x8\x3\0\0\0\x2\0\0\0\x2\0\0\0\x2\x0A\x14\x1E\x28\x32\x3C\x46\x50", 24));
    file("train-labels-idx1-ubyte", std::string("\0\0\x8\x1\0\0\0\x2\x7\x4", 10));
    options.transform = bytes(2, 2);
    options.geometry = {1, 2, 2, false};
    const auto data = openDataset(options);
    AugmentSpec spec = nothing();
    spec.brightness = 0.5;
    const auto epoch = trainingEpoch(*data, spec, 1, 1);
    QVERIFY(epoch->hasLabels());
    const std::vector<std::size_t> order = shuffledOrder(2, 1, 1);
    for (std::size_t i = 0; i < 2; ++i) {
        const float factor = drawChange(spec, 1, 1, order[i]).colors.at(0).factor;
        const Sample sample = epoch->load(i);
        QCOMPARE(sample.label, std::int64_t(order[i] == 0 ? 7 : 4));
        QCOMPARE(sample.inputs[0][0][0][1].item<float>(), std::floor(factor * (order[i] == 0 ? 20.0f : 60.0f)));
    }
    spec = {};
    QCOMPARE(loaded(*trainingEpoch(*data, spec, 1, 1), 0).sizes().vec(), (std::vector<std::int64_t>{1, 2, 2}));
}

void TestAugment::floatArraysInBothLayouts()
{
    std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2, 3, 1), }";
    header.resize(117, ' ');
    std::string content("\x93NUMPY\1\0\x76\0", 10);
    content.append(header).append(1, '\n');
    for (const float value : {1.0f, 2.0f, 3.0f, 4.0f, 5.0f, 6.0f})
        content.append(reinterpret_cast<const char *>(&value), 4);
    DatasetOptions options;
    options.path = file("x.npy", content);
    options.geometry = {1, 2, 3, true};
    AugmentSpec spec = nothing();
    spec.flip = true;
    std::uint64_t seed = 0;
    while (!drawChange(spec, seed, 0, 0).flip)
        ++seed;
    QCOMPARE(valuesOf<float>(loaded(*trainingEpoch(*openDataset(options), spec, seed, 0), 0)), (std::vector<float>{3, 2, 1, 6, 5, 4}));
    options.geometry = {0, 0, 0, false};                           // no image input: nothing is changed
    QCOMPARE(valuesOf<float>(loaded(*trainingEpoch(*openDataset(options), spec, seed, 0), 0)), (std::vector<float>{1, 2, 3, 4, 5, 6}));
}

void TestAugment::reducedDecoding()
{
    const std::vector<std::byte> encoded = jpeg(gradient(641, 479));
    QCOMPARE(sizeOfJpeg(encoded)->width, 641);
    QCOMPARE(sizeOfJpeg(encoded)->height, 479);
    for (const auto &[reduction, width, height] : {std::array{2, 321, 240}, {4, 161, 120}, {8, 81, 60}}) {
        const Picture picture = decodeImage(encoded, false, reduction);
        QCOMPARE(picture.pixels.cols, width);
        QCOMPARE(picture.pixels.rows, height);
    }
    QVERIFY(!sizeOfJpeg(std::span(encoded).first(2)));
    QVERIFY(!sizeOfJpeg(std::span(encoded).first(encoded.size() / 2)));
    const TransformSpec transform = bytes(32, 24);                 // every window is decoded at 1/8 or 1/4
    const InputGeometry geometry{3, 24, 32, false};
    const Picture whole = decodeImage(encoded, false);
    for (std::size_t i = 0; i < 20; ++i) {
        const ImageChange change = drawChange(everything(), 2, 0, i);
        const at::Tensor fast = imageToTensor(encoded, transform, geometry, &change), exact = pictureToTensor(whole, transform, geometry, &change);
        QVERIFY(!at::equal(fast, exact));
        QVERIFY2((fast - exact).abs().max().item<float>() <= 8, qPrintable(QString::number((fast - exact).abs().max().item<float>())));
    }
}

void TestAugment::turnedPhotographs()
{
    const std::vector<std::byte> encoded = jpeg(gradient(640, 480), true);
    const Picture upright = decodeImage(encoded, true);
    QCOMPARE(upright.pixels.cols, 480);
    TransformSpec transform = bytes(32, 24);
    transform.exifRotation = true;
    for (std::size_t i = 0; i < 5; ++i) {
        const ImageChange change = drawChange({}, 2, 0, i);
        const InputGeometry geometry{3, 24, 32, false};
        QVERIFY(at::equal(imageToTensor(encoded, transform, geometry, &change), pictureToTensor(upright, transform, geometry, &change)));
    }
}

void TestAugment::wrongSpecsAreRefused()
{
    const tests::MemoryDataset memory({tests::noise({3, 4, 5}, 1)});
    AugmentSpec spec;
    spec.minArea = std::nan("");
    try {
        trainingEpoch(memory, spec, 0, 0);
        QFAIL("accepted");
    } catch (const Error &error) {
        QVERIFY(error.kind() == ErrorKind::InvalidInput && error.sentence().find("augment.min_area") != std::string::npos);
    }
}

QTEST_APPLESS_MAIN(TestAugment)
#include "tst_augment.moc"

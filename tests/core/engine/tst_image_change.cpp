// Random numbers are judged by an independent SplitMix64, colours by Pillow 13.
#include "core/data/image_change.h"
#include "tests/support/augment_specs.h"
#include "tests/support/memory_dataset.h"

#include <QtTest/QtTest>

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <set>

using namespace core;

namespace {

using tests::everything;
using tests::nothing;

std::vector<int> pixelsOf(const cv::Mat &image)
{
    std::vector<int> all;
    for (int y = 0; y < image.rows; ++y)
        for (int i = 0; i < image.cols * image.channels(); ++i)
            all.push_back(image.ptr<std::uint8_t>(y)[i]);
    return all;
}

template <class T> std::vector<T> valuesOf(const at::Tensor &tensor)
{
    const at::Tensor t = tensor.contiguous();
    return {t.data_ptr<T>(), t.data_ptr<T>() + t.numel()};
}

cv::Mat mat(int rows, int cols, int channels, std::vector<std::uint8_t> values)
{
    return cv::Mat(rows, cols, CV_8UC(channels), values.data()).clone();
}

} // namespace

class TestImageChange : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void numbersOfSplitMix64();
    void numbersBelow();
    void goldenCrops();
    void cropsStayWithinTheirRanges();
    void cropsThatCannotFit();
    void drawsOfFlipColourAndShift();
    void drawsDependOnSeedEpochAndImage();
    void flipIsExact();
    void shiftBringsTheBorderIn();
    void coloursAsPillow_data();
    void coloursAsPillow();
    void coloursOfGreyAndBgr();
    void tensorsAreCroppedFlippedAndShifted();
    void otherTensorsStay();
};

void TestImageChange::numbersOfSplitMix64()
{
    CounterRandom random(1234567);                                 // the published sequence
    QCOMPARE(random.next(), 6457827717110365317u);
    QCOMPARE(random.next(), 3203168211198807973u);
    QCOMPARE(random.next(), 9817491932198370423u);
}

void TestImageChange::numbersBelow()
{
    CounterRandom random(1);
    std::array<int, 5> seen{};
    for (int i = 0; i < 5000; ++i)
        ++seen.at(random.below(5));
    for (const int count : seen)
        QVERIFY(count > 900 && count < 1100);
    QCOMPARE(random.below(1), 0u);
    for (int i = 0; i < 1000; ++i) {
        const double u = random.uniform(-2, 3), l = random.logUniform(4);
        QVERIFY(u >= -2 && u < 3);
        QVERIFY(l >= 0.25 && l <= 4);
    }
    QCOMPARE(random.logUniform(1), 1.0);
}

void TestImageChange::goldenCrops()
{
    const std::vector<std::array<int, 4>> expected{{40, 1, 299, 372}, {232, 72, 240, 258}, {24, 88, 321, 243}};
    for (std::size_t i = 0; i < expected.size(); ++i) {
        const ImageChange change = drawChange({}, 7, 1, i);
        for (int again = 0; again < 2; ++again) {
            const PixelWindow w = change.crop(500, 375).value();
            QCOMPARE((std::array{w.x, w.y, w.width, w.height}), expected[i]);
        }
    }
}

void TestImageChange::cropsStayWithinTheirRanges()
{
    AugmentSpec spec;
    spec.minArea = 0.2;
    spec.maxArea = 0.5;
    spec.maxAspect = 1.5;
    CounterRandom random(11);
    double area = 0, aspect = 0, x = 0, y = 0, least = 1, most = 0, narrowest = 9, widest = 0;
    constexpr int count = 1000, size = 1000;
    for (int i = 0; i < count; ++i) {
        const PixelWindow w = drawCrop(size, size, spec, random);
        QVERIFY(w.x >= 0 && w.y >= 0 && w.width > 0 && w.height > 0 && w.x + w.width <= size && w.y + w.height <= size);
        const double share = double(w.width) * w.height / (size * size), ratio = double(w.width) / w.height;
        area += share / count;
        aspect += std::log(ratio) / count;
        x += double(w.x) / (size - w.width) / count;
        y += double(w.y) / (size - w.height) / count;
        least = std::min(least, share);
        most = std::max(most, share);
        narrowest = std::min(narrowest, ratio);
        widest = std::max(widest, ratio);
    }
    QVERIFY(least > 0.199 && least < 0.21 && most < 0.501 && most > 0.49);         // a pixel of rounding
    QVERIFY(narrowest > 0.664 && narrowest < 0.68 && widest < 1.505 && widest > 1.47);
    QVERIFY(std::fabs(area - 0.35) < 0.01);
    QVERIFY(std::fabs(aspect) < 0.03);
    QVERIFY(std::fabs(x - 0.5) < 0.04);
    QVERIFY(std::fabs(y - 0.5) < 0.04);
}

void TestImageChange::cropsThatCannotFit()
{
    const auto central = [](int width, int height, const AugmentSpec &spec = {}) {
        CounterRandom random(3);
        const PixelWindow w = drawCrop(width, height, spec, random);
        return std::array{w.x, w.y, w.width, w.height};
    };
    QCOMPARE(central(1000, 10), (std::array{493, 0, 13, 10}));
    QCOMPARE(central(10, 1000), (std::array{0, 493, 10, 13}));
    QCOMPARE(central(1, 100'000), (std::array{0, 49'999, 1, 1}));
    QCOMPARE(central(1, 1), (std::array{0, 0, 1, 1}));
    AugmentSpec whole;
    whole.minArea = whole.maxArea = whole.maxAspect = 1;
    QCOMPARE(central(64, 64, whole), (std::array{0, 0, 64, 64}));
    QCOMPARE(central(80, 64, whole), (std::array{8, 0, 64, 64}));
}

void TestImageChange::drawsOfFlipColourAndShift()
{
    AugmentSpec spec = everything();
    spec.brightness = 0.25;
    std::set<std::vector<int>> orders;
    std::set<int> shifts;
    int flips = 0;
    for (std::size_t i = 0; i < 1000; ++i) {
        const ImageChange change = drawChange(spec, 9, 0, i);
        flips += change.flip;
        shifts.insert(change.shiftX);
        shifts.insert(change.shiftY + 100);
        std::vector<int> order;
        for (const auto &[color, factor] : change.colors) {
            order.push_back(int(color));
            const float reach = color == ImageChange::Color::Brightness ? 0.25f : 0.4f;
            QVERIFY(factor >= 1 - reach && factor <= 1 + reach);
        }
        orders.insert(order);
    }
    QVERIFY(flips > 440 && flips < 560);
    QCOMPARE(orders.size(), std::size_t(6));
    QCOMPARE(shifts, (std::set<int>{-2, -1, 0, 1, 2, 98, 99, 100, 101, 102}));
    const ImageChange none = drawChange(nothing(), 9, 0, 0);
    QVERIFY(!none.flip && none.colors.empty() && none.shiftX == 0 && none.shiftY == 0 && !none.crop(50, 50));
}

void TestImageChange::drawsDependOnSeedEpochAndImage()
{
    const auto drawn = [](std::uint64_t seed, std::int64_t epoch, std::size_t index) {
        const PixelWindow w = drawChange({}, seed, epoch, index).crop(1000, 1000).value();
        return std::array{w.x, w.y, w.width, w.height};
    };
    std::set<std::array<int, 4>> all;
    for (std::uint64_t seed = 0; seed < 5; ++seed)
        for (std::int64_t epoch = 0; epoch < 5; ++epoch)
            for (std::size_t index = 0; index < 5; ++index) {
                QCOMPARE(drawn(seed, epoch, index), drawn(seed, epoch, index));
                all.insert(drawn(seed, epoch, index));
            }
    QCOMPARE(all.size(), std::size_t(125));
}

void TestImageChange::flipIsExact()
{
    ImageChange change;
    change.flip = true;
    const cv::Mat image = mat(2, 3, 3, {1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15, 16, 17, 18, 19});
    const std::vector<int> before = pixelsOf(image);
    const cv::Mat once = changedPixels(image, true, change, {});
    QCOMPARE(pixelsOf(once), (std::vector<int>{7, 8, 9, 4, 5, 6, 1, 2, 3, 17, 18, 19, 14, 15, 16, 11, 12, 13}));
    QCOMPARE(pixelsOf(changedPixels(once, true, change, {})), before);
    QCOMPARE(pixelsOf(image), before);
}

void TestImageChange::shiftBringsTheBorderIn()
{
    const cv::Mat image = mat(2, 3, 1, {1, 2, 3, 4, 5, 6});
    const auto shifted = [&](int x, int y) {
        ImageChange change;
        change.shiftX = x;
        change.shiftY = y;
        return pixelsOf(changedPixels(image, false, change, cv::Scalar(9)));
    };
    QCOMPARE(shifted(1, 0), (std::vector<int>{9, 1, 2, 9, 4, 5}));
    QCOMPARE(shifted(-2, 1), (std::vector<int>{9, 9, 9, 3, 9, 9}));
    QCOMPARE(shifted(0, -1), (std::vector<int>{4, 5, 6, 9, 9, 9}));
    QCOMPARE(shifted(3, 0), std::vector<int>(6, 9));
    QCOMPARE(shifted(-50, 70), std::vector<int>(6, 9));
}

using Steps = std::vector<ImageChange::ColorStep>;
Q_DECLARE_METATYPE(Steps)

void TestImageChange::coloursAsPillow_data()
{
    using Color = ImageChange::Color;
    QTest::addColumn<Steps>("steps");
    QTest::addColumn<QList<int>>("expected");
    QTest::newRow("darker") << Steps{{Color::Brightness, 0.6f}} << QList<int>{6, 12, 18, 120, 60, 30, 0, 153, 76, 153, 153, 153};
    QTest::newRow("brighter") << Steps{{Color::Brightness, 1.3f}} << QList<int>{13, 26, 39, 255, 130, 65, 0, 255, 166, 255, 255, 255};
    QTest::newRow("flatter") << Steps{{Color::Contrast, 0.6f}} << QList<int>{62, 68, 74, 176, 116, 86, 56, 209, 132, 209, 209, 209};
    QTest::newRow("harder") << Steps{{Color::Contrast, 1.3f}} << QList<int>{0, 0, 0, 218, 88, 23, 0, 255, 124, 255, 255, 255};
    QTest::newRow("paler") << Steps{{Color::Saturation, 0.6f}} << QList<int>{13, 19, 25, 169, 109, 79, 65, 218, 142, 255, 255, 255};
    QTest::newRow("stronger") << Steps{{Color::Saturation, 1.3f}} << QList<int>{7, 20, 33, 222, 92, 27, 0, 255, 117, 255, 255, 255};
    QTest::newRow("all") << Steps{{Color::Contrast, 0.75f}, {Color::Brightness, 1.2f}, {Color::Saturation, 0.5f}}
                         << QList<int>{54, 59, 63, 188, 143, 120, 111, 217, 168, 255, 255, 255};
    QTest::newRow("none") << Steps{{Color::Contrast, 1}, {Color::Brightness, 1}, {Color::Saturation, 1}}
                          << QList<int>{10, 20, 30, 200, 100, 50, 0, 255, 128, 255, 255, 255};
    QTest::newRow("grey") << Steps{{Color::Saturation, 0}} << QList<int>{18, 18, 18, 124, 124, 124, 164, 164, 164, 255, 255, 255};
}

void TestImageChange::coloursAsPillow()
{
    QFETCH(Steps, steps);
    QFETCH(QList<int>, expected);
    const cv::Mat image = mat(2, 2, 3, {10, 20, 30, 200, 100, 50, 0, 255, 128, 255, 255, 255});
    const std::vector<int> before = pixelsOf(image);
    ImageChange change;
    change.colors = steps;
    QCOMPARE(pixelsOf(changedPixels(image, false, change, {})), std::vector<int>(expected.begin(), expected.end()));
    QCOMPARE(pixelsOf(image), before);
}

void TestImageChange::coloursOfGreyAndBgr()
{
    ImageChange change;
    change.colors = {{ImageChange::Color::Saturation, 0}};
    QCOMPARE(pixelsOf(changedPixels(mat(1, 1, 3, {30, 20, 10}), true, change, {})), (std::vector<int>{18, 18, 18}));
    QCOMPARE(pixelsOf(changedPixels(mat(1, 2, 1, {30, 20}), false, change, {})), (std::vector<int>{30, 20}));
    change.colors = {{ImageChange::Color::Contrast, 0.5f}};       // the mean is 25
    QCOMPARE(pixelsOf(changedPixels(mat(1, 2, 1, {30, 20}), false, change, {})), (std::vector<int>{27, 22}));
}

void TestImageChange::tensorsAreCroppedFlippedAndShifted()
{
    const at::Tensor tensor = tests::noise({2, 5, 7}, 3);
    ImageChange change;
    change.augment = nothing();
    change.flip = true;
    const std::vector<float> before = valuesOf<float>(tensor), flipped = valuesOf<float>(changedTensor(tensor, change, false));
    for (std::size_t i = 0; i < before.size(); ++i)
        QCOMPARE(flipped[i], before[i / 7 * 7 + 6 - i % 7]);
    change.flip = false;
    change.shiftX = 2;
    change.shiftY = -1;
    const std::vector<float> shifted = valuesOf<float>(changedTensor(tensor, change, false));
    for (std::size_t c = 0; c < 2; ++c)
        for (std::size_t y = 0; y < 5; ++y)
            for (std::size_t x = 0; x < 7; ++x)
                QCOMPARE(shifted[(c * 5 + y) * 7 + x], y == 4 || x < 2 ? 0.0f : before[(c * 5 + y + 1) * 7 + x - 2]);
    change.shiftX = 100;
    QCOMPARE(changedTensor(tensor, change, false).abs().sum().item<float>(), 0.0f);

    AugmentSpec spec = nothing();
    spec.randomResizedCrop = true;
    const ImageChange crop = drawChange(spec, 1, 2, 3);
    const PixelWindow w = crop.crop(7, 5).value();
    QVERIFY(w.width < 7 || w.height < 5);
    const std::vector<float> cropped = valuesOf<float>(changedTensor(tensor, crop, false));
    const auto source = [](int i, int size, int out) { return std::max((i + 0.5) * size / out - 0.5, 0.0); };
    for (int c = 0; c < 2; ++c)
        for (int y = 0; y < 5; ++y)
            for (int x = 0; x < 7; ++x) {
                const double v = source(y, w.height, 5), u = source(x, w.width, 7);
                const int y0 = int(v), x0 = int(u), y1 = std::min(y0 + 1, w.height - 1), x1 = std::min(x0 + 1, w.width - 1);
                const auto at = [&](int yy, int xx) { return double(before[std::size_t((c * 5 + w.y + yy) * 7 + w.x + xx)]); };
                const double top = at(y0, x0) * (1 - u + x0) + at(y0, x1) * (u - x0), low = at(y1, x0) * (1 - u + x0) + at(y1, x1) * (u - x0);
                QVERIFY(std::fabs(top * (1 - v + y0) + low * (v - y0) - cropped[std::size_t((c * 5 + y) * 7 + x)]) < 1e-5);
            }
    const at::Tensor last = changedTensor(tensor.permute({1, 2, 0}).contiguous(), crop, true);
    QVERIFY(at::equal(last.permute({2, 0, 1}).contiguous(), changedTensor(tensor, crop, false)));
}

void TestImageChange::otherTensorsStay()
{
    const ImageChange change = drawChange(everything(), 1, 2, 3);
    for (const at::Tensor &tensor : {at::arange(8, at::kFloat), at::arange(8, at::kLong).reshape({2, 2, 2}), at::empty({3, 0, 4}, at::kFloat), at::scalar_tensor(2)})
        QVERIFY(at::equal(changedTensor(tensor, change, false), tensor));
}

QTEST_APPLESS_MAIN(TestImageChange)
#include "tst_image_change.moc"

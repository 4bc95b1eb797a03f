#include "core/kernels/fake_quantize_grad.h"
#include "tests/support/each_target.h"

#include <QtTest/QtTest>

#include <cmath>
#include <limits>
#include <vector>

using namespace core;

namespace {

using tests::onEachTarget;

constexpr float notANumber = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();
const std::vector<std::size_t> lengths{0, 1, 2, 3, 4, 7, 8, 15, 16, 17, 31, 33, 63, 64, 65, 129, 511, 1025, 9001};
const std::vector<PreClamp> clamps{{}, {0, inf}, {-0.4f, 1.1f}};
const std::vector<AffineParams> numbers{{0.1f, 0, -128, 127}, {0.01f, 7, 0, 255}, {0.25f, 0, -4, 3}, {1e-5f, -3, -8, 7}, {0.02f, 0, 0, 255}};

std::vector<float> noise(std::size_t count, float scale, std::uint64_t state)
{
    std::vector<float> values(count);
    for (float &value : values) {
        state = state * 6364136223846793005ull + 1442695040888963407ull;
        value = (float(state >> 40) / float(1 << 23) - 1) * scale;
    }
    return values;
}

struct Reference {
    std::vector<float> gx;
    double sum = 0;
};

/// The definition, in double; only the quotient is float32, as ONNX defines it.
Reference plain(const std::vector<float> &r, const std::vector<float> &g, const AffineParams &p, PreClamp c)
{
    Reference result;
    for (std::size_t i = 0; i < r.size(); ++i) {
        const float x = r[i] < c.low ? c.low : r[i] > c.high ? c.high : r[i];
        const double v = x / p.scale, low = p.qmin - p.zeroPoint, high = p.qmax - p.zeroPoint;
        const bool inside = v >= low && v <= high;
        result.gx.push_back(inside && r[i] > c.low && r[i] < c.high ? g[i] : 0);
        result.sum += double(g[i]) * (!(v >= low) ? low : v > high ? high : std::nearbyint(v) - v);
    }
    return result;
}

} // namespace

class TestFakeQuantizeGrad : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void byHand()
    {
        // v:                       −5    −4.5   −4  −1.5    −0.5   0.5    1.5   2  3    3.2  5
        const std::vector<float> r{-2.5f, -2.25f, -2, -0.75f, -0.25f, 0.25f, 0.75f, 1, 1.5f, 1.6f, 2.5f};
        const std::vector<float> g{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
        const AffineParams params{0.5f, 0, -4, 3};
        onEachTarget([&](const char *name) {
            std::vector<float> gx(r.size());
            // −4·1 − 4·2 + 0 − 4/2 + 5/2 − 6/2 + 7/2 + 0 + 0 + 3·10 + 3·11
            QVERIFY2(passGradientToScale(r.data(), g.data(), gx.data(), r.size(), params, {}) == 52.0, name);
            QCOMPARE(gx, (std::vector<float>{0, 0, 3, 4, 5, 6, 7, 8, 9, 0, 0}));
            QVERIFY2(passGradientToScale(r.data(), g.data(), gx.data(), r.size(), params, {0, inf}) == 63.5, name);
            QCOMPARE(gx, (std::vector<float>{0, 0, 0, 0, 0, 6, 7, 8, 9, 0, 0}));
            passGradient(r.data(), g.data(), gx.data(), r.size(), gradientWindow(params, {-0.75f, 1.0f}));
            QCOMPARE(gx, (std::vector<float>{0, 0, 0, 0, 5, 6, 7, 0, 0, 0, 0}));
        });
    }

    void againstTheDefinition()
    {
        onEachTarget([&](const char *name) {
            for (const AffineParams &p : numbers)
                for (const PreClamp &c : clamps)
                    for (const std::size_t count : lengths) {
                        const float spread = p.scale * float(p.qmax - p.qmin);
                        std::vector<float> r = noise(count, spread, 3);
                        const std::vector<float> g = noise(count, 2, 5);
                        for (std::size_t i = 0; i < count; i += 3)
                            r[i] = p.scale * (std::round(2 * r[i] / p.scale) / 2); // halves, bounds and 0
                        const Reference expected = plain(r, g, p, c);
                        std::vector<float> gx(count, 77), masked(count, 77), passed(count, 77);
                        const double sum = passGradientToScale(r.data(), g.data(), gx.data(), count, p, c);
                        const GradientWindow window = gradientWindow(p, c);
                        passGradient(r.data(), g.data(), passed.data(), count, window);
                        std::vector<std::uint8_t> mask(passMaskBytes(count));
                        makePassMask(r.data(), mask.data(), count, window);
                        passGradientByMask(mask.data(), g.data(), masked.data(), count);
                        QVERIFY2(gx == expected.gx && masked == expected.gx && passed == expected.gx, name);
                        double size = 1;
                        for (const float value : g)
                            size += std::fabs(double(value)) * double(std::max(p.qmax - p.zeroPoint, p.zeroPoint - p.qmin));
                        QVERIFY2(std::fabs(sum - expected.sum) <= 1e-6 * size, name);
                    }
        });
    }

    void windowIsExact()
    {
        for (const float scale : {0.1f, 0.3f, 1.0f / 3, 7e-6f, 0x1p-23f, 123.456f, 3e20f, 2e36f, 1e-30f})
            for (const auto &[low, high] : {std::pair{-128, 127}, {0, 255}, {-255, 0}, {-7, 8}, {-65535, 0}}) {
                const GradientWindow window = gradientWindow({scale, 0, low, high}, {});
                QVERIFY(window.above / scale < float(low));
                QVERIFY(std::nextafter(window.above, inf) / scale >= float(low));
                QVERIFY(window.below / scale > float(high));
                QVERIFY(std::nextafter(window.below, -inf) / scale <= float(high));
            }
        QCOMPARE(gradientWindow({0.5f, 0, -4, 3}, {0, 6}).above, 0.0f);
        QCOMPARE(gradientWindow({5, 0, -4, 3}, {0, 6}).below, 6.0f);
    }

    void notANumberPassesNothing()
    {
        const std::vector<float> r{notANumber, inf, -inf, 0.5f}, g{1, 2, 4, 8};
        onEachTarget([&](const char *name) {
            std::vector<float> gx(4);
            QVERIFY2(passGradientToScale(r.data(), g.data(), gx.data(), 4, {0.5f, 0, -4, 3}, {}) == -4.0 + 6 - 16, name);
            QCOMPARE(gx, (std::vector<float>{0, 0, 0, 8}));
        });
    }

    void inPlace()
    {
        const std::vector<float> r{-9, 0.1f, 0.2f, 9};
        std::vector<float> g{1, 2, 3, 4};
        passGradient(r.data(), g.data(), g.data(), 4, gradientWindow({0.5f, 0, -4, 3}, {}));
        QCOMPARE(g, (std::vector<float>{0, 2, 3, 0}));
    }
};

QTEST_APPLESS_MAIN(TestFakeQuantizeGrad)
#include "tst_fake_quantize_grad.moc"

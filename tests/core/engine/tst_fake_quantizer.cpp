#include "core/base/error.h"
#include "core/exec/quant_codes.h"
#include "tests/support/fake_quantizers.h"

#include <ATen/Parallel.h>
#include <c10/core/GradMode.h>

#include <QtTest/QtTest>

#include <cmath>

using namespace core;
using namespace core::test;

namespace {

struct Reference {
    std::vector<float> y, gx;
    std::vector<double> sums, sizes;
};

/// QUANTIZATION.md §5 written out, in double; only r / s and the product are float32, as ONNX defines them.
Reference plain(const at::Tensor &r, const at::Tensor &g, const std::vector<AffineParams> &params, const ParamLayout &layout, PreClamp clamp,
                RoundMethod method = RoundMethod::HalfEven)
{
    const std::vector<float> values = flat(r), gradients = flat(g);
    Reference result;
    result.sums.resize(params.size());
    result.sizes.resize(params.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
        const std::size_t entry = params.size() == 1 ? 0 : layout.of(std::int64_t(i));
        const AffineParams &p = params[entry];
        const float x = values[i] < clamp.low ? clamp.low : values[i] > clamp.high ? clamp.high : values[i];
        const double v = x / p.scale, low = p.qmin - p.zeroPoint, high = p.qmax - p.zeroPoint;
        const double rounded = method == RoundMethod::HalfEven ? std::nearbyint(v) : method == RoundMethod::Floor ? std::floor(v) : std::round(v);
        const double code = !(v >= low) ? low : v > high ? high : rounded;
        const bool inside = v >= low && v <= high;
        result.y.push_back(float(code + 0.0) * p.scale);
        result.gx.push_back(inside && values[i] > clamp.low && values[i] < clamp.high ? gradients[i] : 0);
        result.sums[entry] += double(gradients[i]) * (code - (inside ? v : 0));
        result.sizes[entry] += std::fabs(double(gradients[i])) * std::max(-low, high);
    }
    return result;
}

const std::vector<PreClamp> clamps{{}, {0, inf}, {0, 0.7f}};

} // namespace

class TestFakeQuantizer : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void byHand()
    {
        // s = 0.5, codes −4…3; v:       −5    −4.5   −4  −1.5    −0.5   0.5    1.5   2  3    3.2  5
        const at::Tensor r = list({-2.5f, -2.25f, -2, -0.75f, -0.25f, 0.25f, 0.75f, 1, 1.5f, 1.6f, 2.5f}).reshape({1, 11});
        const at::Tensor g = at::arange(1, 12, at::kFloat).reshape({1, 11});
        for (const QatMethod method : {QatMethod::Ste, QatMethod::Lsq, QatMethod::Tqt}) {
            FakeQuantizerOptions options = activation(schemeOf(QuantDtype::Int3, true, method), {-1.75, 1.75});
            QCOMPARE(options.start[0].scale, 0.5f);
            const auto quantizer = makeFakeQuantizer(options);
            QCOMPARE(quantizer->method(), method);
            const Passed plainly = pass(*quantizer, r, g), relu = pass(*makeFakeQuantizer(options), r, g, {0, inf});
            QCOMPARE(flat(plainly.y), (std::vector<float>{-2, -2, -2, -1, 0, 0, 1, 1, 1.5f, 1.5f, 1.5f}));
            QCOMPARE(flat(plainly.gx), (std::vector<float>{0, 0, 3, 4, 5, 6, 7, 8, 9, 0, 0}));
            QCOMPARE(flat(relu.y), (std::vector<float>{0, 0, 0, 0, 0, 0, 1, 1, 1.5f, 1.5f, 1.5f}));
            QCOMPARE(flat(relu.gx), (std::vector<float>{0, 0, 0, 0, 0, 6, 7, 8, 9, 0, 0}));
            // Σ = −4 − 8 − 2 + 2.5 − 3 + 3.5 + 30 + 33 = 52; with Relu −3 + 3.5 + 63 = 63.5
            if (method == QatMethod::Lsq) { // · start / √(11·4)
                QVERIFY(std::fabs(plainly.parameter[0] - 3.919647) < 1e-5);
                QVERIFY(std::fabs(relu.parameter[0] - 4.786492) < 1e-5);
            } else if (method == QatMethod::Tqt) { // · s · ln 2
                QVERIFY(std::fabs(plainly.parameter[0] - 18.021827) < 1e-5);
                QVERIFY(std::fabs(relu.parameter[0] - 22.007423) < 1e-5);
            }
        }
    }

    void activationsAgainstTheDefinition()
    {
        const Scheme schemes[] = {schemeOf(QuantDtype::Int8, true), schemeOf(QuantDtype::UInt8, false), schemeOf(QuantDtype::Int4, false),
                                  schemeOf(QuantDtype::Int16, true), schemeOf(QuantDtype::UInt4, true)};
        for (const Scheme &given : schemes)
            for (const QatMethod method : {QatMethod::Ste, QatMethod::Lsq})
                for (const PreClamp &clamp : clamps)
                    for (const std::vector<std::int64_t> &sizes : std::vector<std::vector<std::int64_t>>{{0}, {2, 0, 3}, {1}, {3, 5}, {2, 3, 5, 7}, {4, 33, 31, 17}, {}}) {
                        Scheme scheme = given;
                        scheme.qat = method;
                        const auto quantizer = makeFakeQuantizer(activation(scheme, {-0.6, 0.9}));
                        const AffineParams params = quantizer->params()[0];
                        at::Tensor r = noise(sizes, 1.3);
                        if (sizes.size() == 4)
                            r = r.contiguous(at::MemoryFormat::ChannelsLast);
                        const at::Tensor g = noise(sizes, 1, 5);
                        const Reference expected = plain(r, g, {params}, ParamLayout(scheme, sizes), clamp);
                        const Passed result = pass(*quantizer, r, g, clamp);
                        QCOMPARE(flat(result.y), expected.y);
                        QCOMPARE(flat(result.gx), expected.gx);
                        QVERIFY(result.y.strides() == r.strides() && result.gx.strides() == r.strides());
                        if (method == QatMethod::Lsq) {
                            const double largest = std::max(params.qmax - params.zeroPoint, params.zeroPoint - params.qmin);
                            const double n = sizes.empty() || r.numel() == 0 ? 1 : double(r.numel()) / double(sizes[0]);
                            const double factor = double(params.scale) / std::sqrt(n * largest);
                            QVERIFY(std::fabs(result.parameter[0] - factor * expected.sums[0]) <= 1e-6 * factor * (expected.sizes[0] + 1));
                        }
                    }
    }

    void weightsAgainstTheDefinition()
    {
        struct Case {
            Granularity granularity;
            int axis, group;
            std::vector<std::int64_t> sizes;
        };
        const std::vector<Case> cases{{Granularity::PerTensor, 0, 0, {6, 5, 3, 3}},   {Granularity::PerChannel, 0, 0, {6, 5, 3, 3}},
                                      {Granularity::PerChannel, 0, 0, {7, 1, 3, 3}},  {Granularity::PerChannel, 1, 0, {6, 5, 3, 3}},
                                      {Granularity::PerChannel, 1, 0, {6, 5, 4, 5}},  {Granularity::PerChannel, 1, 0, {40, 70}},
                                      {Granularity::PerChannel, -1, 0, {9, 300}},     {Granularity::PerGroup, 0, 32, {5, 100}},
                                      {Granularity::PerGroup, 1, 16, {37, 6}},        {Granularity::PerGroup, 0, 4, {3, 9}}};
        for (const Case &c : cases)
            for (const QuantDtype dtype : {QuantDtype::Int4, QuantDtype::Int8, QuantDtype::Int2})
                for (const bool symmetric : {true, false})
                    for (const RoundMethod round : {RoundMethod::HalfEven, RoundMethod::HalfAwayFromZero, RoundMethod::Floor})
                        for (const bool channelsLast : {false, true})
                            for (const QatMethod method : {QatMethod::Ste, QatMethod::Lsq}) {
                                if (channelsLast && c.sizes.size() != 4)
                                    continue;
                                Scheme scheme = schemeOf(dtype, symmetric, method);
                                scheme.granularity = c.granularity;
                                scheme.channelAxis = c.axis;
                                scheme.groupSize = c.group;
                                scheme.narrow = symmetric;
                                scheme.roundMethod = round;
                                at::Tensor r = noise(c.sizes, 0.1);
                                const at::Tensor g = noise(c.sizes, 1, 5);
                                if (channelsLast)
                                    r = r.contiguous(at::MemoryFormat::ChannelsLast);
                                const FakeQuantizerOptions options = weight(scheme, r);
                                const auto quantizer = makeFakeQuantizer(options);
                                QVERIFY(quantizer->params() == options.start);
                                const ParamLayout layout(scheme, c.sizes);
                                const Reference expected = plain(r, g, options.start, layout, {}, round);
                                const Passed result = pass(*quantizer, r, g);
                                QCOMPARE(flat(result.y), expected.y);
                                QCOMPARE(flat(result.gx), expected.gx);
                                QVERIFY(result.y.strides() == r.strides() && result.gx.strides() == r.strides());
                                std::vector<double> elements(options.start.size());
                                for (std::int64_t i = 0; i < r.numel(); ++i)
                                    ++elements[layout.of(i)];
                                for (std::size_t i = 0; i < result.parameter.size(); ++i) {
                                    const AffineParams &p = options.start[i];
                                    const double largest = std::max(p.qmax - p.zeroPoint, p.zeroPoint - p.qmin);
                                    const double factor = double(p.scale) / std::sqrt(elements[i] * largest);
                                    QVERIFY(std::fabs(result.parameter[i] - factor * expected.sums[i]) <= 1e-6 * factor * (expected.sizes[i] + 1));
                                }
                            }
    }

    void equalsOnnx()
    {
        const at::Tensor r = noise({2, 3, 17, 9}, 2);
        for (const QatMethod method : {QatMethod::Ste, QatMethod::Lsq, QatMethod::Tqt}) {
            const bool symmetric = method == QatMethod::Tqt;
            const auto quantizer = makeFakeQuantizer(activation(schemeOf(QuantDtype::Int8, symmetric, method), {-1.1, 1.7}));
            const AffineParams p = quantizer->params()[0];
            const at::Tensor scale = at::scalar_tensor(p.scale, at::kFloat), zero = at::scalar_tensor(p.zeroPoint, at::kChar);
            const at::Tensor codes = quantizeTensor(r, scale, zero, DataType::Int8, {}, true, "test");
            QVERIFY(at::equal((*quantizer)(r), dequantizeTensor(codes, scale, zero, {}, "test")));
            const at::NoGradGuard guard;
            QVERIFY(at::equal((*quantizer)(r), dequantizeTensor(codes, scale, zero, {}, "test")));
        }
    }

    void anyNumberOfThreads()
    {
        const int threads = at::get_num_threads();
        const at::Tensor r = noise({3, 40, 63, 11}, 1.5), g = noise({3, 40, 63, 11}, 1, 3), w = noise({60, 400}, 0.2), gw = noise({60, 400}, 1, 9);
        for (const QatMethod method : {QatMethod::Ste, QatMethod::Lsq, QatMethod::Tqt}) {
            Scheme scheme = schemeOf(QuantDtype::Int8, true, method);
            std::vector<Passed> results;
            for (const int count : {1, 2, 3}) {
                at::set_num_threads(count);
                const auto quantizer = makeFakeQuantizer(activation(scheme, {-1, 1}));
                results.push_back(pass(*quantizer, r, g));
                Scheme channels = schemeOf(QuantDtype::Int4, true, method == QatMethod::Tqt ? QatMethod::Lsq : method);
                channels.granularity = Granularity::PerChannel;
                const auto weights = makeFakeQuantizer(weight(channels, w));
                const Passed second = pass(*weights, w, gw);
                results.back().parameter.insert(results.back().parameter.end(), second.parameter.begin(), second.parameter.end());
            }
            at::set_num_threads(threads);
            for (const Passed &other : results) {
                QVERIFY(at::equal(other.y, results[0].y) && at::equal(other.gx, results[0].gx));
                QVERIFY(other.parameter == results[0].parameter);
            }
        }
    }

    void floatingTypes()
    {
        const at::Tensor r = list({1.0009765f, -70000, 65000, 0.1f, 470, -3}), g = at::ones({6}, at::kFloat);
        const auto half = makeFakeQuantizer(activation(schemeOf(QuantDtype::Float16, true), {-1, 1}));
        const Passed halved = pass(*half, r, g);
        QCOMPARE(flat(halved.y), (std::vector<float>{1.0009765625f, -inf, 64992, 0.0999755859375f, 470, -3}));
        QCOMPARE(flat(halved.gx), (std::vector<float>{1, 1, 1, 1, 1, 1}));
        const auto brain = makeFakeQuantizer(activation(schemeOf(QuantDtype::BFloat16, true, QatMethod::Lsq), {-1, 1}));
        QCOMPARE(brain->method(), QatMethod::Ste);
        QCOMPARE(flat(pass(*brain, r, g, {0, inf}).y), (std::vector<float>{1, 0, 65024, 0.10009765625f, 470, 0}));
        QCOMPARE(flat(pass(*brain, r, g, {0, inf}).gx), (std::vector<float>{1, 0, 1, 1, 1, 0}));
        const auto eight = makeFakeQuantizer(activation(schemeOf(QuantDtype::Fp8E4M3, true), {-448, 448}));
        const Passed small = pass(*eight, r, g);
        QCOMPARE(flat(small.y), (std::vector<float>{1, -448, 448, 0.1015625f, 448, -3}));
        QCOMPARE(flat(small.gx), (std::vector<float>{1, 0, 0, 1, 0, 1}));
        Scheme perChannel = schemeOf(QuantDtype::Fp8E4M3, true);
        perChannel.granularity = Granularity::PerChannel;
        const auto weights = makeFakeQuantizer(weight(perChannel, list({448, 1, 896, 9}).reshape({2, 2})));
        QCOMPARE(flat((*weights)(list({448, 1.01f, 896, 9}).reshape({2, 2}))), (std::vector<float>{448, 1, 896, 9}));
    }

    void dynamic()
    {
        Scheme scheme = schemeOf(QuantDtype::UInt8, false, QatMethod::Lsq);
        scheme.dynamic = true;
        const auto quantizer = makeFakeQuantizer(activation(scheme, {-1, 1}));
        const Passed result = pass(*quantizer, list({-1, 4.1f, 0.015f}), at::ones({3}, at::kFloat));
        QCOMPARE(quantizer->params()[0], (AffineParams{5.1f / 255.0f, 50, 0, 255}));
        QCOMPARE(flat(result.gx), (std::vector<float>{1, 1, 1}));
        QVERIFY(std::fabs(flat(result.y)[2] - 0.02f) < 1e-6f);
        pass(*quantizer, list({-1, 4.1f, 0.015f}), at::ones({3}, at::kFloat), {0, 2});
        QCOMPARE(quantizer->params()[0], (AffineParams{2.0f / 255.0f, 0, 0, 255}));
        QVERIFY(std::isnan(flat((*quantizer)(list({notANumber, 1})))[0]));
        // 1 / (5.08 / 255) = 50.2: the lowest value lies beyond its code, and is no less its own.
        QCOMPARE(flat(pass(*quantizer, list({-1, 4.08f}), at::ones({2}, at::kFloat)).gx), (std::vector<float>{1, 1}));
    }

    void biases()
    {
        FakeQuantizerOptions options;
        options.scheme = schemeOf(QuantDtype::Int32, true, QatMethod::Lsq);
        options.kind = PointKind::Bias;
        options.initial = list({1000.3f, -0.26f, 3});
        const auto limit = std::numeric_limits<std::int32_t>::max();
        options.start = {{0.001f, 0, -limit - 1, limit}, {1e-7f, 0, -limit - 1, limit}, {1, 0, -limit - 1, limit}};
        const auto quantizer = makeFakeQuantizer(options);
        QCOMPARE(quantizer->method(), QatMethod::Ste);
        const Passed result = pass(*quantizer, list({1000.3004f, -0.26f, 2.5f}), at::ones({3}, at::kFloat));
        QCOMPARE(flat(result.y), (std::vector<float>{1000300 * 0.001f, -2600000 * 1e-7f, 2}));
        QCOMPARE(flat(result.gx), (std::vector<float>{1, 1, 1}));
        QVERIFY(quantizer->params() == options.start);
    }

    void notANumber_()
    {
        const at::Tensor r = list({notANumber, 1, inf, -inf}), g = at::ones({4}, at::kFloat);
        for (const QatMethod method : {QatMethod::Ste, QatMethod::Lsq, QatMethod::Tqt}) {
            const auto quantizer = makeFakeQuantizer(activation(schemeOf(QuantDtype::Int8, true, method), {-127.5, 127.5}));
            const Passed result = pass(*quantizer, r, g);
            QCOMPARE(flat(result.y), (std::vector<float>{-128, 1, 127, -128}));
            QCOMPARE(flat(result.gx), (std::vector<float>{0, 1, 0, 0}));
            quantizer->afterStep();
            QVERIFY(std::isfinite(quantizer->params()[0].scale));
        }
    }

    void methodsThatCannotBe()
    {
        Scheme scheme = schemeOf(QuantDtype::Int8, true, QatMethod::Lsq);
        scheme.scaleType = ScaleType::PowerOfTwo;
        QCOMPARE(makeFakeQuantizer(activation(scheme, {-1, 1}))->method(), QatMethod::Tqt);
        scheme.symmetric = false;
        QCOMPARE(makeFakeQuantizer(activation(scheme, {-1, 1}))->method(), QatMethod::Ste);
        const auto kindOf = [](const FakeQuantizerOptions &options) {
            try {
                makeFakeQuantizer(options);
            } catch (const Error &error) {
                return int(error.kind());
            }
            return -1;
        };
        scheme.qat = QatMethod::Tqt;
        QCOMPARE(kindOf(activation(scheme, {-1, 1})), int(ErrorKind::Unsupported));
        FakeQuantizerOptions options = activation(schemeOf(QuantDtype::Int8, true), {-1, 1});
        options.start[0].scale = 0;
        QCOMPARE(kindOf(options), int(ErrorKind::InvalidInput));
        options = weight(schemeOf(QuantDtype::Int8, true), noise({3, 4}, 1));
        Scheme perChannel = options.scheme;
        perChannel.granularity = Granularity::PerChannel;
        const auto channels = makeFakeQuantizer(weight(perChannel, noise({3, 4}, 1)));
        QVERIFY_EXCEPTION_THROWN((*channels)(noise({4, 3}, 1)), Error);
        options.start.resize(5, options.start[0]);
        QCOMPARE(kindOf(options), int(ErrorKind::InvalidInput));
    }

    void laterCallsAndCopiesDoNotMatter()
    {
        const at::Tensor first = noise({200}, 2).requires_grad_();
        auto quantizer = makeFakeQuantizer(activation(schemeOf(QuantDtype::Int8, true), {-1, 1}));
        const at::Tensor y = (*quantizer)(first);
        (*quantizer)(noise({200}, 20));
        quantizer->afterStep();
        quantizer.reset();
        y.sum().backward(); // an expanded gradient
        const Reference expected = plain(first, at::ones({200}, at::kFloat), {affineFromRange({-1, 1}, schemeOf(QuantDtype::Int8, true).affineOptions())},
                                         ParamLayout({}, {200}), {});
        QCOMPARE(flat(first.grad()), expected.gx);

        const at::Tensor wide = noise({8, 40}, 2).requires_grad_();
        auto other = makeFakeQuantizer(activation(schemeOf(QuantDtype::Int8, true), {-1, 1}));
        const at::Tensor part = (*other)(wide.slice(1, 3, 20));
        part.backward(at::ones({8, 17}, at::kFloat));
        QCOMPARE(flat(part), flat((*other)(wide.detach().slice(1, 3, 20).contiguous())));
        QCOMPARE(wide.grad().slice(1, 0, 3).abs().sum().item<float>(), 0.0f);
    }
};

QTEST_APPLESS_MAIN(TestFakeQuantizer)
#include "tst_fake_quantizer.moc"

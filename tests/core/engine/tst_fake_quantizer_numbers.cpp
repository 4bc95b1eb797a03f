// How the numbers of the fake quantizers start, move, stay in bounds and are kept.
#include "tests/support/fake_quantizers.h"

#include <c10/core/GradMode.h>

#include <QtTest/QtTest>

#include <cmath>

using namespace core;
using namespace core::test;

namespace {

double stateValue(const FakeQuantizer &quantizer, const std::string &name, std::int64_t i = 0)
{
    for (const NamedTensor &entry : quantizer.state())
        if (entry.name == name)
            return entry.tensor.to(at::kDouble).reshape({-1})[i].item<double>();
    return std::nan("");
}

void step(FakeQuantizer &quantizer, const at::Tensor &r)
{
    quantizer(r);
    quantizer.afterStep();
}

} // namespace

class TestFakeQuantizerNumbers : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void averagesByHand()
    {
        const auto quantizer = makeFakeQuantizer(activation(schemeOf(QuantDtype::UInt8, false), {-1, 4.1}));
        const AffineParams start = quantizer->params()[0]; // 5.1 / 255
        QCOMPARE(start.scale, 0.02f);
        QCOMPARE(start.zeroPoint, 50);
        // The mean of the first ten is the start: −2 and (9·4 + 14) / 10 = 5.
        for (int i = 0; i < 10; ++i) {
            step(*quantizer, list({-2, i == 3 ? 14.0f : 4.0f}));
            QVERIFY(quantizer->params()[0] == start);
        }
        QCOMPARE(stateValue(*quantizer, "reference", 1), 5.0);
        // 5 + 0.05·(25 − 5) = 6: the top end is 4.1·6/5 = 4.92, the lower −1 stays; s = 5.92 / 255, z = round(1 / s) = 43
        step(*quantizer, list({-2, 25, notANumber, inf}));
        QVERIFY(std::fabs(quantizer->params()[0].scale - 0.0232157f) < 1e-7f);
        QCOMPARE(quantizer->params()[0].zeroPoint, 43);
        {
            const at::NoGradGuard guard;
            step(*quantizer, list({-100, 100}));
        }
        QCOMPARE(stateValue(*quantizer, "average", 1), 6.0);
        // Two calls of a step count as one batch: 6 + 0.05·(26 − 6) = 7.
        (*quantizer)(list({-1, 26}));
        step(*quantizer, list({-2, 3}));
        QCOMPARE(stateValue(*quantizer, "average", 1), 7.0);
        // A Relu before it: 0 and 7.
        (*quantizer)(list({-9, 7}), {0, inf});
        quantizer->afterStep();
        QCOMPARE(stateValue(*quantizer, "average", 0), -1.9);
        const auto frozen = quantizer->params();
        quantizer->freezeAverages();
        step(*quantizer, list({-100, 100}));
        QVERIFY(quantizer->params() == frozen);

        Scheme scheme = schemeOf(QuantDtype::UInt8, false);
        scheme.observer = ObserverKind::Fixed;
        scheme.fixedRange = {-1, 4.1};
        const auto fixed = makeFakeQuantizer(activation(scheme, {-1, 4.1}));
        for (int i = 0; i < 30; ++i)
            step(*fixed, list({-50, 50}));
        QVERIFY(fixed->params()[0] == start);
    }

    void powersOfTwoFollow()
    {
        Scheme scheme = schemeOf(QuantDtype::Int8, true);
        scheme.scaleType = ScaleType::PowerOfTwo;
        scheme.pof2Rounding = PowerOfTwoRounding::Ceil;
        const auto quantizer = makeFakeQuantizer(activation(scheme, {-100, 100}));
        QCOMPARE(quantizer->params()[0].scale, 1.0f); // 100 / 127.5 upwards
        for (int i = 0; i < 10; ++i)
            step(*quantizer, list({-10, 10}));
        step(*quantizer, list({-60, 60})); // 100·12.5/10 = 125: still 1
        QCOMPARE(quantizer->params()[0].scale, 1.0f);
        step(*quantizer, list({-60, 60})); // 148.75
        QCOMPARE(quantizer->params()[0].scale, 2.0f);

        // Calibration chose half of what the range needs: the choice stays.
        FakeQuantizerOptions clipping = activation(scheme, {-100, 100});
        clipping.start[0].scale = 0.5f;
        const auto halved = makeFakeQuantizer(clipping);
        for (int i = 0; i < 10; ++i)
            step(*halved, list({-10, 10}));
        step(*halved, list({-11, 11}));
        QCOMPARE(halved->params()[0].scale, 0.5f);
    }

    void weightScalesFollow()
    {
        Scheme scheme = schemeOf(QuantDtype::Int8, true);
        scheme.narrow = true;
        scheme.granularity = Granularity::PerChannel;
        at::Tensor w = list({1.27f, -0.3f, 0, 0, -2.54f, 1}).reshape({3, 2});
        FakeQuantizerOptions options = weight(scheme, w);
        options.start[0].scale = 0.005f; // clips half
        options.start[1].scale = 0.125f; // a channel of zeros that a bias has raised
        const auto quantizer = makeFakeQuantizer(options);
        (*quantizer)(w);
        QVERIFY(quantizer->params() == options.start);
        w = list({-2.54f, 0, 0, 0, -2.54f, 2}).reshape({3, 2});
        const at::NoGradGuard guard;
        (*quantizer)(w);
        QVERIFY(std::fabs(quantizer->params()[0].scale - 0.01f) < 1e-8f);
        QCOMPARE(quantizer->params()[1].scale, 0.125f);
        QCOMPARE(quantizer->params()[2].scale, options.start[2].scale);
        (*quantizer)(list({-2.54f, 0, 12.7f, 0, notANumber, inf}).reshape({3, 2}));
        QVERIFY(std::fabs(quantizer->params()[1].scale - 0.1f) < 1e-8f);
        QVERIFY(std::isfinite(quantizer->params()[2].scale));

        const at::Tensor ends = list({-1, 4.1f});
        const auto asymmetric = makeFakeQuantizer(weight(schemeOf(QuantDtype::UInt8, false), ends));
        (*asymmetric)(list({-2, 3.1f}));
        QVERIFY(std::fabs(asymmetric->params()[0].scale - 0.02f) < 1e-8f);
        QCOMPARE(asymmetric->params()[0].zeroPoint, 100);
    }

    void stateRoundTrip()
    {
        Scheme ste = schemeOf(QuantDtype::UInt8, false), lsq = schemeOf(QuantDtype::Int8, true, QatMethod::Lsq), tqt = schemeOf(QuantDtype::Int8, true, QatMethod::Tqt);
        lsq.granularity = Granularity::PerChannel;
        const at::Tensor w = noise({4, 30}, 0.2), other = noise({4, 30}, 0.7, 99);
        Scheme steWeight = lsq;
        steWeight.qat = QatMethod::Ste;
        const std::vector<FakeQuantizerOptions> all{activation(ste, {-1, 2}), activation(tqt, {-1, 2}), weight(lsq, w), weight(steWeight, w)};
        for (const FakeQuantizerOptions &options : all) {
            const auto trained = makeFakeQuantizer(options);
            for (int i = 0; i < 15; ++i) {
                const at::Tensor r = noise({4, 30}, 0.2 + i, std::uint64_t(i));
                pass(*trained, r, noise({4, 30}, 1, 3));
                for (const at::Tensor &parameter : trained->trainable())
                    parameter.detach().add_(parameter.grad(), 0.05);
                trained->afterStep();
            }
            FakeQuantizerOptions again = options;
            if (again.initial.defined())
                again.initial = again.initial * 3; // a checkpoint decides, not the weights of the day
            const auto restored = makeFakeQuantizer(again);
            QVERIFY(!(restored->params() == trained->params()));
            const auto from = trained->state(), to = restored->state();
            QCOMPARE(from.size(), to.size());
            for (std::size_t i = 0; i < from.size(); ++i) {
                QCOMPARE(from[i].name, to[i].name);
                const at::NoGradGuard guard;
                to[i].tensor.copy_(from[i].tensor);
            }
            QVERIFY(restored->params() == trained->params());
            step(*trained, other);
            step(*restored, other);
            QVERIFY(restored->params() == trained->params());
        }
    }

    void parametersStayInBounds()
    {
        const auto lsq = makeFakeQuantizer(activation(schemeOf(QuantDtype::Int8, true, QatMethod::Lsq), {-1, 1}));
        at::Tensor sigma = lsq->trainable()[0].detach();
        for (const float value : {-5.0f, 0.0f, notANumber}) {
            sigma.fill_(value);
            QCOMPARE(lsq->params()[0].scale, 0x1p-23f);
            lsq->afterStep();
            QVERIFY(std::fabs(double(sigma.item<float>()) * (1 / 127.5) / 0x1p-23 - 1) < 1e-6);
            QVERIFY(std::isfinite((*lsq)(list({1, 2})).sum().item<float>()));
        }
        const auto tqt = makeFakeQuantizer(activation(schemeOf(QuantDtype::Int8, true, QatMethod::Tqt), {-0.9, 0.9}));
        QCOMPARE(tqt->params()[0].scale, 1.0f / 128); // 0.9 / 127.5 upwards
        QCOMPARE(tqt->threshold(), 1.0);
        at::Tensor log2t = tqt->trainable()[0].detach();
        const float start = log2t.item<float>();
        QVERIFY(std::fabs(start - std::log2(0.9f * 128 / 127.5f)) < 1e-6f);
        log2t.fill_(40);
        tqt->afterStep();
        QCOMPARE(log2t.item<float>(), start + 10);
        QCOMPARE(tqt->params()[0].scale, 8.0f); // 2^⌈9.85⌉ / 128
        log2t.fill_(-40);
        tqt->afterStep();
        QCOMPARE(log2t.item<float>(), start - 10);
        log2t.fill_(0.25f);
        QCOMPARE(tqt->params()[0], (AffineParams{1.0f / 64, 0, -128, 127}));
    }

    void startsWithoutCalibration()
    {
        Scheme scheme = schemeOf(QuantDtype::Int8, true, QatMethod::Lsq);
        FakeQuantizerOptions options = activation(scheme, {-1, 1});
        options.start[0].scale = 0;
        const auto lsq = makeFakeQuantizer(options);
        (*lsq)(list({-3, 2, 0, 3})); // 2·2 / √127
        QVERIFY(std::fabs(lsq->params()[0].scale - 0.354943f) < 1e-6f);
        (*lsq)(list({100, 100}));
        QVERIFY(std::fabs(lsq->params()[0].scale - 0.354943f) < 1e-6f);
        options.scheme.qat = QatMethod::Tqt;
        options.start[0].scale = inf;
        const auto tqt = makeFakeQuantizer(options);
        (*tqt)(list({-1, 3})); // 1 + 3·2 = 7 → 8
        QCOMPARE(tqt->threshold(), 8.0);
        FakeQuantizerOptions weights = weight(scheme, list({-3, 2, 0, 3}));
        weights.start[0].scale = notANumber;
        QVERIFY(std::fabs(makeFakeQuantizer(weights)->params()[0].scale - 0.354943f) < 1e-6f);
    }
};

QTEST_APPLESS_MAIN(TestFakeQuantizerNumbers)
#include "tst_fake_quantizer_numbers.moc"

// Expected numbers: ONNX Runtime 1.32; at −infinity the limits, where it gives NaN for infinity · 0.
#include "tests/support/run_node.h"

#include <ATen/Parallel.h>

#include <limits>

using namespace tests;

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity(), notANumber = std::numeric_limits<float>::quiet_NaN();

at::Tensor edges() { return floats({9}, {-infinity, -3, -0.5f, -0.0f, 0.25f, 3, 30, infinity, notANumber}); }

} // namespace

class TestOpsActivation : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void values_data()
    {
        using Floats = std::vector<float>;
        QTest::addColumn<QString>("type");
        QTest::addColumn<Attributes>("attributes");
        QTest::addColumn<Floats>("expected");
        const auto row = [](const char *type, Attributes attributes, Floats expected) {
            QTest::addRow("%s %d", type, int(attributes.size())) << QString(type) << attributes << expected;
        };
        row("Relu", {}, {0, 0, 0, 0, 0.25f, 3, 30, infinity, notANumber});
        row("LeakyRelu", {{"alpha", 0.2f}}, {-infinity, -0.6f, -0.1f, 0, 0.25f, 3, 30, infinity, notANumber});
        row("ThresholdedRelu", {{"alpha", 0.2f}}, {0, 0, 0, 0, 0.25f, 3, 30, infinity, notANumber});
        row("Selu", {}, {-1.758099f, -1.670569f, -0.6917582f, 0, 0.2626753f, 3.152103f, 31.52103f, infinity, notANumber});
        row("Celu", {{"alpha", 2.0f}}, {-2, -1.55374f, -0.4423984f, 0, 0.25f, 3, 30, infinity, notANumber});
        row("Elu", {{"alpha", 0.5f}}, {-0.5f, -0.4751065f, -0.1967347f, 0, 0.25f, 3, 30, infinity, notANumber});
        row("Sigmoid", {}, {0, 0.04742587f, 0.3775407f, 0.5f, 0.5621765f, 0.9525741f, 1, 1, notANumber});
        row("HardSigmoid", {{"alpha", 0.3f}, {"beta", 0.4f}}, {0, 0, 0.25f, 0.4f, 0.475f, 1, 1, 1, notANumber});
        row("Softplus", {}, {0, 0.04858736f, 0.474077f, 0.6931472f, 0.8259395f, 3.048587f, 30, infinity, notANumber});
        row("Shrink", {{"lambd", 0.3f}, {"bias", 0.1f}}, {-infinity, -2.9f, -0.4f, 0, 0, 2.9f, 29.9f, infinity, 0});
        row("Softsign", {}, {notANumber, -0.75f, -0.3333333f, 0, 0.2f, 0.75f, 0.9677419f, notANumber, notANumber});
    }

    void values()
    {
        QFETCH(QString, type);
        QFETCH(Attributes, attributes);
        QFETCH(std::vector<float>, expected);
        const at::Tensor x = edges(), wanted = floats({9}, expected);
        COMPARE_TENSORS(runNode(type.toStdString(), {x}, attributes)[0], wanted);
        COMPARE_TENSORS(x, edges());
        COMPARE_TENSORS(runNode(type.toStdString(), {x}, attributes, 1, true)[0], wanted);
    }

    void smoothOnFiniteValues()
    {
        const at::Tensor x = floats({6}, {-3, -0.5f, 0, 0.25f, 3, 30});
        COMPARE_TENSORS(runNode("HardSwish", {x})[0], floats({6}, {0, -0.2083333f, 0, 0.1354167f, 3, 30}));
        COMPARE_TENSORS(runNode("Mish", {x})[0], floats({6}, {-0.1456475f, -0.2207438f, 0, 0.1695724f, 2.986536f, 30}));
        COMPARE_TENSORS(runNode("Gelu", {x})[0], floats({6}, {-0.004049689f, -0.1542688f, 0, 0.1496766f, 2.99595f, 30}));
        COMPARE_TENSORS(runNode("Gelu", {x}, {{"approximate", std::string("tanh")}})[0],
                        floats({6}, {-0.003637522f, -0.154286f, 0, 0.1496754f, 2.996363f, 30}));
        // x · sigmoid(2 x)
        COMPARE_TENSORS(runNode("Swish", {x}, {{"alpha", 2.0f}})[0], floats({6}, {-0.007417869f, -0.1344707f, 0, 0.1556148f, 2.992582f, 30}));
    }

    void inPlaceAndFormats()
    {
        for (const char *type : {"Relu", "Sigmoid", "Tanh", "HardSwish", "Mish", "Gelu", "LeakyRelu", "Clip"}) {
            at::Tensor x = noise({2, 4, 5, 3}).contiguous(at::MemoryFormat::ChannelsLast);
            const std::vector<at::Tensor> inputs = QByteArray(type) == "Clip" ? std::vector{x, at::scalar_tensor(-1.f), at::scalar_tensor(1.f)} : std::vector{x};
            const at::Tensor apart = runNode(type, inputs)[0];
            QVERIFY(apart.data_ptr() != x.data_ptr());
            QVERIFY(apart.is_contiguous(at::MemoryFormat::ChannelsLast));
            const at::Tensor here = runNode(type, inputs, {}, 1, true)[0];
            QCOMPARE(here.data_ptr(), x.data_ptr());
            QVERIFY(sameBits(here, apart));
        }
    }

    void sameBitsAnywhere_data()
    {
        QTest::addColumn<QByteArray>("type");
        for (const char *type : {"Relu", "LeakyRelu", "Elu", "Selu", "Celu", "Sigmoid", "Tanh", "HardSigmoid", "HardSwish", "Mish", "Swish", "Gelu", "Softplus", "Softsign",
                                 "Exp", "Log", "Sqrt", "Erf", "Sin", "Cos", "Tan", "Asin", "Acos", "Atan", "Sinh", "Cosh", "Asinh", "Acosh", "Atanh", "Reciprocal", "Pow"})
            QTest::newRow(type) << QByteArray(type);
    }

    // An element has the same bits wherever it stands: among many or few, and whatever thread it falls to.
    void sameBitsAnywhere()
    {
        QFETCH(QByteArray, type);
        const auto run = [&type](const at::Tensor &x) {
            return runNode(type.toStdString(), type == "Pow" ? std::vector{x, at::scalar_tensor(1.7f)} : std::vector{x})[0];
        };
        const at::Tensor signedBase = noise({70'001}), base = signedBase.abs();
        const at::Tensor x = type == "Acosh" ? base + 1 : type.startsWith('A') ? base.clamp_max(0.99f) : type == "Log" || type == "Sqrt" || type == "Pow" ? base : signedBase;
        at::set_num_threads(1);
        const at::Tensor all = run(x);
        for (std::int64_t begin = 0; begin + 11 < x.numel(); begin += 211) {
            const at::Tensor few = run(x.narrow(0, begin, 11).clone());
            QVERIFY2(sameBits(few, all.narrow(0, begin, 11).clone()), qPrintable(QString::number(begin)));
        }
        const at::Tensor spread = run(x.narrow(0, 0, 70'000).reshape({7'000, 10}).slice(1, 3, 8));
        QVERIFY2(sameBits(spread, all.narrow(0, 0, 70'000).reshape({7'000, 10}).slice(1, 3, 8)), "part of each row");
        for (const int threads : {2, 3}) {
            at::set_num_threads(threads);
            QVERIFY2(sameBits(run(x), all), qPrintable(QString::number(threads)));
        }
    }

    void clip()
    {
        const at::Tensor x = edges(), low = at::scalar_tensor(-1.f), high = at::scalar_tensor(2.f), none;
        COMPARE_TENSORS(runNode("Clip", {x, low, high})[0], floats({9}, {-1, -1, -0.5f, 0, 0.25f, 2, 2, 2, notANumber}));
        COMPARE_TENSORS(runNode("Clip", {x, none, high})[0], floats({9}, {-infinity, -3, -0.5f, 0, 0.25f, 2, 2, 2, notANumber}));
        COMPARE_TENSORS(runNode("Clip", {x, high, low})[0], floats({9}, {-1, -1, -1, -1, -1, -1, -1, -1, notANumber}));   // max wins
        COMPARE_TENSORS(runNode("Clip", {at::tensor({-5, 0, 9}, at::kInt), none, at::tensor({3}, at::kInt)})[0], at::tensor({-5, 0, 3}, at::kInt));
    }

    void prelu()
    {
        const at::Tensor x = pattern({1, 2, 2, 2});   // -5 -2 1 4 | -4 -1 2 5
        COMPARE_TENSORS(runNode("PRelu", {x, floats({2, 1, 1}, {2, 0.5f})})[0], floats({1, 2, 2, 2}, {-10, -4, 1, 4, -2, -0.5f, 2, 5}));
        COMPARE_TENSORS(runNode("PRelu", {x, floats({1}, {-1})})[0], floats({1, 2, 2, 2}, {5, 2, 1, 4, 4, 1, 2, 5}));
    }

    void softmax()
    {
        COMPARE_TENSORS(runNode("Softmax", {pattern({2, 3, 2})}, {{"axis", std::int64_t(1)}})[0],
                        floats({2, 3, 2}, {0.002456115f, 0.002456115f, 0.9908675f, 0.9908675f, 0.006676413f, 0.006676413f, 0.268455f, 0.9932624f, 0.001808835f,
                                           0.006692549f, 0.7297362f, 4.509404e-05f}));
        COMPARE_TENSORS(runNode("Softmax", {floats({1, 2}, {1000, 999})})[0], floats({1, 2}, {0.7310586f, 0.2689414f}));
        COMPARE_TENSORS(runNode("Hardmax", {floats({2, 3}, {1, 3, 3, 2, 2, 0})})[0], floats({2, 3}, {0, 1, 0, 1, 0, 0}));
        QCOMPARE(errorOf("Softmax", {pattern({2, 3})}, {{"axis", std::int64_t(2)}}), std::string("Node 'node' (Softmax): axis 2 is outside a tensor of rank 2."));
    }

    void integersAndEmpty()
    {
        COMPARE_TENSORS(runNode("Relu", {at::tensor({-2, 3}, at::kChar)})[0], at::tensor({0, 3}, at::kChar));
        for (const char *type : {"Relu", "Softmax", "LogSoftmax", "Hardmax", "Gelu", "Softsign"})
            QCOMPARE(runNode(type, {at::zeros({2, 0})})[0].sizes(), at::IntArrayRef({2, 0}));
    }
};

QTEST_APPLESS_MAIN(TestOpsActivation)
#include "tst_ops_activation.moc"

#include "core/qat/optimizer.h"

#include "core/base/error.h"

#include <ATen/ATen.h>

#include <QtTest/QtTest>

#include <cmath>
#include <limits>

using namespace core;

namespace {

at::Tensor leaf(std::vector<float> values) { return at::tensor(values).requires_grad_(); }

struct Three {
    at::Tensor weight = leaf({1, 1}), bias = leaf({2}), scale = leaf({3});
    ParameterGroups groups() const { return {{{"w", weight}}, {{"b", bias}}, {{"s", scale}}}; }
};

/// 0 for the scale: no gradient.
void stepWith(Optimizer &optimizer, const Three &three, float layer, float scale)
{
    optimizer.zeroGradients();
    three.weight.mutable_grad() = at::full({2}, layer);
    three.bias.mutable_grad() = at::full({1}, layer);
    if (scale != 0)
        three.scale.mutable_grad() = at::full({1}, scale);
    optimizer.step();
}

void near(const at::Tensor &parameter, double expected)
{
    for (std::int64_t i = 0; i < parameter.numel(); ++i) {
        const double actual = double(parameter.data_ptr<float>()[i]);
        QVERIFY2(std::abs(actual - expected) < 1e-6, qPrintable(QString("%1, not %2").arg(actual, 0, 'g', 9).arg(expected, 0, 'g', 9)));
    }
}

TrainingSpec specOf(OptimizerKind kind)
{
    TrainingSpec spec;
    spec.optimizer = kind;
    spec.learningRate = 0.1;
    spec.quantizerLearningRate = 0.01;
    spec.weightDecay = 0.1;
    return spec;
}

std::vector<at::Tensor> values(const Three &three)
{
    return {three.weight.detach().clone(), three.bias.detach().clone(), three.scale.detach().clone()};
}

bool refuses(Optimizer &optimizer, const std::vector<NamedTensor> &state)
{
    try {
        optimizer.restore(state, 2);
    } catch (const Error &error) {
        return error.kind() == ErrorKind::InvalidInput;
    }
    return false;
}

} // namespace

class TestOptimizer : public QObject {
    Q_OBJECT

private Q_SLOTS:
    /// Gradients 0.5, −1, 2 (the weight's plus 0.1 w; the scale's −2, 1, none), rates 0.1, 0.05, 0.05 (0.01, 0.005):
    /// m = 0.9 m + 0.1 g, v = 0.999 v + 0.001 g², p −= rate · (m / (1 − 0.9ᵗ)) / (√(v / (1 − 0.999ᵗ)) + 1e-8); in double.
    void adamByHand()
    {
        const Three three;
        Optimizer optimizer(specOf(OptimizerKind::Adam), three.groups());
        stepWith(optimizer, three, 0.5f, -2);
        near(three.weight, 0.9000000016666666);
        near(three.bias, 1.9000000019999999);
        near(three.scale, 3.0099999999500002);
        optimizer.setRateFactor(0.5);
        stepWith(optimizer, three, -1, 1);
        near(three.weight, 0.9126317605561364);
        near(three.bias, 1.9183051781202825);
        near(three.scale, 3.011331685139879);
        stepWith(optimizer, three, 2, 0);
        near(three.weight, 0.8888144225849155);
        near(three.bias, 1.897322397359052);
        near(three.scale, 3.011331685139879);
        QCOMPARE(optimizer.steps(), std::int64_t(3));
    }

    /// The same gradients and rates: m = 0.9 m + g (first m = g), p −= rate · (g + 0.9 m).
    void nesterovByHand()
    {
        const Three three;
        Optimizer optimizer(specOf(OptimizerKind::Sgd), three.groups());
        stepWith(optimizer, three, 0.5f, -2);
        near(three.weight, 0.886);
        near(three.bias, 1.905);
        near(three.scale, 3.038);
        optimizer.setRateFactor(0.5);
        stepWith(optimizer, three, -1, 1);
        near(three.weight, 0.948283);
        near(three.bias, 1.97975);
        near(three.scale, 3.0366);
        stepWith(optimizer, three, 2, 0);
        near(three.weight, 0.7643160115);
        near(three.bias, 1.812025);
        near(three.scale, 3.0366);
    }

    void plainDescentAndMissingGroups()
    {
        TrainingSpec spec = specOf(OptimizerKind::Sgd);
        spec.momentum = 0;
        const Three three;
        ParameterGroups groups = three.groups();
        groups.weights.clear();
        Optimizer optimizer(spec, groups);
        optimizer.setRateFactor(2);
        stepWith(optimizer, three, 1, 1);
        near(three.weight, 1);
        near(three.bias, 1.8);
        near(three.scale, 2.98);
        QVERIFY(optimizer.state().empty());
        QVERIFY_EXCEPTION_THROWN(Optimizer(spec, {}), Error);
    }

    void restoredGoesOnBitForBit_data()
    {
        QTest::addColumn<int>("kind");
        QTest::newRow("adam") << int(OptimizerKind::Adam);
        QTest::newRow("sgd") << int(OptimizerKind::Sgd);
    }
    void restoredGoesOnBitForBit()
    {
        QFETCH(int, kind);
        const TrainingSpec spec = specOf(OptimizerKind(kind));
        const Three first;
        Optimizer one(spec, first.groups());
        stepWith(one, first, 0.3f, 0); // no state of the scale yet
        stepWith(one, first, -0.7f, 0);
        const std::vector<NamedTensor> state = one.state();
        Three second;
        second.weight = first.weight.detach().clone().requires_grad_();
        second.bias = first.bias.detach().clone().requires_grad_();
        const auto more = [](Optimizer &optimizer, const Three &three) {
            stepWith(optimizer, three, 0.9f, 0.2f);
            stepWith(optimizer, three, 0.1f, 0.4f);
        };
        more(one, first); // must not move what was saved
        Optimizer other(spec, second.groups());
        other.restore(state, 2);
        more(other, second);
        QCOMPARE(other.steps(), one.steps());
        const std::vector<at::Tensor> a = values(first), b = values(second);
        for (std::size_t i = 0; i < a.size(); ++i)
            QVERIFY2(a[i].equal(b[i]), qPrintable(QString::number(i)));
    }

    void foreignStatesAreRefused()
    {
        const Three three;
        Optimizer optimizer(specOf(OptimizerKind::Adam), three.groups());
        stepWith(optimizer, three, 1, 1);
        const std::vector<NamedTensor> state = optimizer.state();
        QCOMPARE(state.size(), std::size_t(9));
        for (std::size_t i = 0; i < state.size(); ++i) {
            std::vector<NamedTensor> wrong = state;
            wrong[i].tensor = at::zeros({7});
            QVERIFY2(refuses(optimizer, wrong), wrong[i].name.c_str());
            wrong = state;
            wrong[i].name += "?";
            QVERIFY2(refuses(optimizer, wrong), wrong[i].name.c_str());
            wrong = state;
            wrong.erase(wrong.begin() + std::ptrdiff_t(i));
            QVERIFY2(refuses(optimizer, wrong), state[i].name.c_str());
        }
        for (const double count : {std::numeric_limits<double>::quiet_NaN(), -1.0, 1e300}) {
            std::vector<NamedTensor> wrong = state;
            wrong[2].tensor = at::scalar_tensor(count, at::kDouble);
            QVERIFY(refuses(optimizer, wrong));
        }
        Optimizer sgd(specOf(OptimizerKind::Sgd), three.groups());
        QVERIFY(refuses(sgd, state));
        // What was refused left the optimiser as it was.
        const std::vector<NamedTensor> after = optimizer.state();
        QCOMPARE(after.size(), state.size());
        for (std::size_t i = 0; i < state.size(); ++i)
            QVERIFY(after[i].tensor.equal(state[i].tensor));
        QCOMPARE(optimizer.steps(), std::int64_t(1));
    }

    /// (3, 0) and (4): norm 5.
    void gradientsAreClippedTogether()
    {
        const Three three;
        const std::vector<at::Tensor> all = three.groups().all();
        const auto set = [&](float first) {
            three.weight.mutable_grad() = at::tensor({first, 0.0f});
            three.bias.mutable_grad() = at::tensor({4.0f});
        };
        set(3);
        QCOMPARE(clipGradients(all, 0), 5.0);
        QCOMPARE(clipGradients(all, 10), 5.0);
        near(three.bias.grad(), 4);
        QCOMPARE(clipGradients(all, 1), 5.0);
        near(three.weight.grad()[0], 0.6);
        near(three.weight.grad()[1], 0);
        near(three.bias.grad(), 0.8);
        QVERIFY(!three.scale.grad().defined());
        set(std::numeric_limits<float>::infinity());
        QVERIFY(std::isinf(clipGradients(all, 1)));
        near(three.bias.grad(), 4);
        set(3e30f); // its square is no float
        QVERIFY(std::abs(clipGradients(all, 1) / 3e30 - 1) < 1e-6);
        near(three.weight.grad()[0], 1);
    }
};

QTEST_APPLESS_MAIN(TestOptimizer)
#include "tst_optimizer.moc"

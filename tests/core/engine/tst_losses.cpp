#include "core/qat/losses.h"

#include "core/base/error.h"

#include <ATen/ATen.h>

#include <QtTest/QtTest>

#include <cmath>

using namespace core;

namespace {

at::Tensor matrix(std::vector<float> values, std::vector<std::int64_t> sizes)
{
    return at::tensor(values).reshape(sizes);
}

void near(const at::Tensor &actual, double expected)
{
    QVERIFY2(std::abs(actual.item<double>() - expected) < 1e-6, qPrintable(QString("%1, not %2").arg(actual.item<double>(), 0, 'g', 9).arg(expected, 0, 'g', 9)));
}

LossSpec weights(double crossEntropy, double distillation, double features = 0)
{
    LossSpec spec;
    spec.crossEntropy = crossEntropy;
    spec.distillation = distillation;
    spec.features = features;
    return spec;
}

std::string refusal(const LossSpec &spec, const ModelOutputs &student, const ModelOutputs &teacher, const std::vector<std::int64_t> &labels, int scored)
{
    try {
        trainingLoss(spec, student, teacher, labels, scored);
    } catch (const Error &error) {
        return error.kind() == ErrorKind::InvalidInput ? error.sentence() : "another kind of error";
    }
    return "no error";
}

const float ln3 = float(std::log(3));

} // namespace

class TestLosses : public QObject {
    Q_OBJECT

private Q_SLOTS:
    /// Student (1/4, 3/4), teacher (1/2, 1/2): 1/2 ln 2 + 1/2 ln (2/3) = 1/2 ln (4/3). A second row agrees, so the mean is half of that.
    void distillationByHand()
    {
        const at::Tensor one = matrix({0, ln3, 5, 5}, {2, 2}).requires_grad_(), even = matrix({1, 1, 2, 2}, {2, 2});
        const at::Tensor loss = distillationLoss(one, even, 1);
        near(loss, std::log(4.0 / 3) / 4);
        loss.backward();
        near(one.grad()[0][0], -0.125); // (1/4 − 1/2) / 2 rows
        near(one.grad()[0][1], 0.125);
        near(one.grad()[1].abs().sum(), 0);
        // The same shares at temperature 2, and four times the loss; scores may stand in a picture of one pixel.
        const at::Tensor two = matrix({0, 2 * ln3}, {1, 2, 1, 1}).requires_grad_();
        const at::Tensor warm = distillationLoss(two, matrix({0, 0}, {1, 2, 1, 1}), 2);
        near(warm, 2 * std::log(4.0 / 3));
        warm.backward();
        near(two.grad().flatten()[0], -0.5); // T² · (1/4 − 1/2) / T
        // Not symmetric: 1/4 ln (1/2) + 3/4 ln (3/2).
        near(distillationLoss(matrix({0, 0}, {1, 2}), matrix({0, ln3}, {1, 2}), 1), std::log(0.5) / 4 + std::log(1.5) * 0.75);
    }

    /// −ln 3/4 = 0.2876821, −ln 1/4 = 1.3862944; smoothed by 0.2: 0.9 of the first and 0.1 of the second.
    void crossEntropyByHand()
    {
        const std::vector<at::Tensor> outputs{at::zeros({1}), matrix({0, ln3}, {1, 2})};
        LossSpec spec = weights(1, 0);
        near(trainingLoss(spec, {outputs, {}}, {}, std::vector<std::int64_t>{1}, 1), 0.2876820724518);
        near(trainingLoss(spec, {outputs, {}}, {}, std::vector<std::int64_t>{0}, 1), 1.3862943611199);
        spec.labelSmoothing = 0.2;
        near(trainingLoss(spec, {outputs, {}}, {}, std::vector<std::int64_t>{1}, 1), 0.3975433013186);
        const std::vector<at::Tensor> rows{matrix({0, ln3, 0, ln3}, {2, 2, 1, 1})};
        near(trainingLoss(weights(1, 0), {rows, {}}, {}, std::vector<std::int64_t>{1, 0}, 0), 0.8369882167858);
    }

    /// Teacher (0, 4): variance 4. Student (2, 4): mean square 2.
    void relativeErrorByHand()
    {
        const at::Tensor student = matrix({2, 4}, {1, 2}).requires_grad_();
        const at::Tensor error = relativeError(student, matrix({0, 4}, {1, 2}));
        near(error, 0.5);
        error.backward();
        near(student.grad()[0][0], 0.5); // 2 · 2 / 2 elements / 4
        near(relativeError(matrix({3, 3}, {2}), matrix({3, 3}, {2})), 0);
        QVERIFY(std::isfinite(relativeError(matrix({3, 4}, {2}), matrix({3, 3}, {2})).item<double>()));
    }

    void partsAreWeighted()
    {
        const std::vector<at::Tensor> scores{matrix({0, ln3}, {1, 2})}, even{matrix({0, 0}, {1, 2})};
        const std::vector<at::Tensor> features{matrix({2, 4}, {1, 2}), matrix({5, 1}, {2})}, exact{matrix({0, 4}, {1, 2}), matrix({5, 1}, {2})};
        const double kl = std::log(4.0 / 3) / 2, entropy = std::log(4.0 / 3), feature = 0.25;
        const std::vector<std::int64_t> label{1};
        near(trainingLoss(weights(2, 0.5, 3), {scores, features}, {even, exact}, label, 0), 2 * entropy + 0.5 * kl + 3 * feature);
        near(trainingLoss(weights(0, 0, 1), {scores, features}, {even, exact}, {}, 0), feature);
        // Without class scores every output is compared; integers and boxes whose number differs are left out.
        const std::vector<at::Tensor> boxes{matrix({2, 4}, {1, 2}), at::zeros({2}, at::kLong), at::zeros({3}), matrix({5, 1}, {2})};
        const std::vector<at::Tensor> right{matrix({0, 4}, {1, 2}), at::ones({2}, at::kLong), at::zeros({4}), matrix({5, 1}, {2})};
        near(trainingLoss(weights(0, 1), {boxes, {}}, {right, {}}, {}, -1), 0.25);
    }

    void whatIsMissingIsSaid()
    {
        const std::vector<at::Tensor> scores{at::zeros({2, 3})}, integers{at::zeros({2}, at::kLong)};
        const auto says = [](const std::string &sentence, const char *part) { QVERIFY2(sentence.find(part) != std::string::npos, sentence.c_str()); };
        says(refusal(weights(1, 0), {scores, {}}, {}, {1}, 0), "a label for every image");
        says(refusal(weights(1, 0), {scores, {}}, {}, {1, -1}, 0), "an image has none; train by distillation");
        says(refusal(weights(1, 0), {scores, {}}, {}, {1, 3}, 0), "label 3, but the model gives 3 class scores");
        says(refusal(weights(1, 0), {scores, {}}, {}, {1, 2}, -1), "one score for each class");
        says(refusal(weights(0, 1), {integers, {}}, {integers, {}}, {}, -1), "nothing can be distilled");
        says(refusal(weights(0, 1), {scores, {}}, {}, {}, 0), "nothing can be distilled");
        says(refusal(weights(0, 0, 1), {scores, {}}, {scores, {}}, {}, 0), "nothing can be distilled");
        says(refusal(weights(0, 0), {scores, {}}, {scores, {}}, {1, 2}, 0), "Every part of the loss has weight 0");
        QCOMPARE(refusal(weights(1, 0), {scores, {}}, {}, {1, 2}, 0), std::string("no error"));
    }
};

QTEST_APPLESS_MAIN(TestLosses)
#include "tst_losses.moc"

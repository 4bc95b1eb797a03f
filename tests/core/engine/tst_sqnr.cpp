#include "core/analysis/sqnr.h"
#include "core/quant/qdq_graph.h"
#include "tests/support/hand_model.h"

#include <ATen/ATen.h>

#include <QtTest>

using namespace core;
using tests::affine;
using tests::HandModel;
using tests::TinyGraph;

class TestSqnr : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void sums();
    void weights();
    void activations();
};

void TestSqnr::sums()
{
    SqnrSum sum;
    sum.add(std::vector<float>{3, 4}, std::vector<float>{3, 3.5f});        // 25 against 0.25
    QVERIFY(std::abs(sum.decibels() - 20) < 1e-9);
    sum.add(std::vector<float>{0, 0}, std::vector<float>{1.5f, 0});        // 25 against 2.5
    QVERIFY(std::abs(sum.decibels() - 10) < 1e-9);
    SqnrSum equal, silent, broken;
    equal.add(std::vector<float>{1}, std::vector<float>{1});
    QCOMPARE(equal.decibels(), 200.0);
    silent.add(std::vector<float>{0}, std::vector<float>{1});
    QCOMPARE(silent.decibels(), -200.0);
    broken.add(std::vector<float>{1}, std::vector<float>{NAN});
    QCOMPARE(broken.decibels(), -200.0);
}

// Steps of 1: 3 stays, 4.5 → 4: (9 + 20.25) / 0.25 = 117 → 20.68 dB.
void TestSqnr::weights()
{
    TinyGraph tiny;
    const ValueId x = tiny.input("x", {1, 2, 1, 1});
    tiny.output(tiny.node("Conv", "conv", {x, tiny.constant("w", {1, 2, 1, 1}, {3, 4.5f})}));
    HandModel hand(tiny.graph);
    hand.weight("w", {affine(1)});
    hand.activation("x", affine(1));
    QVERIFY(std::abs(constantSqnr(hand.model, PointId{0}, tiny.graph).value() - 10 * std::log10(117.0)) < 1e-9);
    QVERIFY(!constantSqnr(hand.model, PointId{1}, tiny.graph));
}

// x = {3, 4.5} becomes {3, 4}; y = 2·x, quantized in steps of 5: {6, 8} becomes {5, 10} where the float model has {6, 9}.
void TestSqnr::activations()
{
    TinyGraph tiny;
    const ValueId x = tiny.input("x", {-1, 1, 1, 2});
    const ValueId y = tiny.node("Conv", "y", {x, tiny.constant("w", {1, 1, 1, 1}, {2})});
    tiny.output(tiny.node("Relu", "z", {y}));
    HandModel hand(tiny.graph);
    hand.activation("x", affine(1));
    hand.activation("y", affine(5));
    hand.activation("z", affine(1), QuantDtype::Float32);
    std::vector<ValueId> back;
    const auto quantized = std::make_shared<const Graph>(buildQdqGraph(hand.model, &back));
    ActivationSqnr sqnr(hand.model.graph, hand.model, quantized, back);
    const at::Tensor input = at::tensor({3.0f, 4.5f}).reshape({1, 1, 1, 2});
    sqnr.add(std::vector<at::Tensor>{input});
    sqnr.add(std::vector<at::Tensor>{input});
    const auto decibels = sqnr.decibels();
    QCOMPARE(decibels.size(), std::size_t(3));
    QVERIFY(std::abs(decibels[0].value() - 10 * std::log10(29.25 / 0.25)) < 1e-6);
    QVERIFY(std::abs(decibels[1].value() - 10 * std::log10((36 + 81) / (1.0 + 1.0))) < 1e-6);
    QVERIFY(!decibels[2]);
}

QTEST_APPLESS_MAIN(TestSqnr)
#include "tst_sqnr.moc"

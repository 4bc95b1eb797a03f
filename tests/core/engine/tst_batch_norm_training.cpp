// A layer whose BatchNormalization was folded is trained like the two nodes it came from; the judge is at::batch_norm on the raw layer.
#include "core/qat/batch_norm.h"

#include "core/graph/layer_folding.h"
#include "tests/support/memory_dataset.h"
#include "tests/support/tiny_graph.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <QtTest/QtTest>

using namespace core;

namespace {

constexpr double epsilon = 0.05;

std::vector<float> floats(const at::Tensor &t) { return {t.data_ptr<float>(), t.data_ptr<float>() + t.numel()}; }

/// Conv 2→3 (3×3) with a bias, or Gemm 4→3, and a BatchNormalization with a negative γ.
Graph network(bool gemm = false)
{
    tests::TinyGraph t;
    const ValueId x = gemm ? t.input("x", {-1, 4}) : t.input("x", {-1, 2, 6, 6});
    const ValueId b = t.constant("b", {3}, {0.5f, -0.25f, 1});
    const ValueId y = gemm ? t.node("Gemm", "layer", {x, t.constant("w", {3, 4}, floats(tests::noise({12}, 2))), b}, {{"transB", std::int64_t(1)}})
                           : t.node("Conv", "layer", {x, t.constant("w", {3, 2, 3, 3}, floats(tests::noise({54}, 2))), b}, {{"kernel_shape", std::vector<std::int64_t>{3, 3}}});
    t.output(t.node("BatchNormalization", "bn",
                    {y, t.constant("gamma", {3}, {1.5f, -0.75f, 0.5f}), t.constant("beta", {3}, {0.1f, 0.2f, -0.3f}), t.constant("mean", {3}, {0.3f, -0.2f, 0.7f}),
                     t.constant("var", {3}, {0.8f, 0.1f, 2})},
                    {{"epsilon", float(epsilon)}}));
    return t.graph;
}

Graph folded(const Graph &source)
{
    Graph prepared = source;
    foldBatchNormalization(prepared);
    return prepared;
}

at::Tensor constant(const Graph &graph, const char *name)
{
    const TensorData &data = *graph.constant(graph.findValue(name));
    return at::tensor(data.toFloats()).reshape(data.dims);
}

void near(const at::Tensor &actual, const at::Tensor &expected, const char *what, double tolerance = 2e-5)
{
    QVERIFY2(actual.defined() && actual.sizes() == expected.sizes() && at::allclose(actual, expected, tolerance, tolerance), what);
}

std::shared_ptr<FoldedLayer> layerOf(BatchNormMode mode, bool gemm = false)
{
    const Graph source = network(gemm);
    const auto layers = foldedLayers(source, folded(source), mode);
    return layers.size() == 1 ? layers.front() : nullptr;
}

struct Reference {
    at::Tensor weight = constant(network(), "w").requires_grad_(), bias = constant(network(), "b"), gamma = constant(network(), "gamma").requires_grad_();
    at::Tensor beta = constant(network(), "beta").requires_grad_(), mean = constant(network(), "mean"), variance = constant(network(), "var");

    at::Tensor operator()(const at::Tensor &x) { return at::batch_norm(at::conv2d(x, weight, bias), gamma, beta, mean, variance, true, 0.1, double(float(epsilon)), false); }
};

at::Tensor pass(FoldedLayer &layer, const at::Tensor &x) { return layer(at::conv2d(x, layer.foldedWeight(), layer.foldedBias())); }

} // namespace

class TestBatchNormTraining : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void foldsLikeThePreparedGraph_data()
    {
        QTest::addColumn<bool>("gemm");
        QTest::newRow("conv") << false;
        QTest::newRow("gemm") << true;
    }
    void foldsLikeThePreparedGraph()
    {
        QFETCH(bool, gemm);
        const Graph source = network(gemm), prepared = folded(source);
        const auto layers = foldedLayers(source, prepared, BatchNormMode::Running);
        QCOMPARE(layers.size(), std::size_t(1));
        const FoldedLayer &layer = *layers.front();
        QCOMPARE(layer.name, std::string("bn"));
        QCOMPARE(layer.layer, source.findNode("layer"));
        near(layer.foldedWeight(), constant(prepared, "w"), "weight", 1e-6);
        near(layer.foldedBias(), constant(prepared, "b"), "bias", 1e-6);
        near(layer.offset, at::zeros({3}), "offset", 1e-6); // the bias is what the folding says, without help
        near(layer.rawWeight, constant(source, "w"), "raw weight", 0);
        for (const at::Tensor &leaf : {layer.rawWeight, layer.gamma, layer.beta})
            QVERIFY(leaf.is_leaf() && leaf.requires_grad());
        for (const at::Tensor &fixed : {layer.rawBias, layer.mean, layer.variance})
            QVERIFY(!fixed.requires_grad());
        QCOMPARE(layer.state().size(), std::size_t(5));
    }

    void aBatchIsNormalizedWithItself()
    {
        const auto layer = layerOf(BatchNormMode::Batch);
        QVERIFY(layer != nullptr);
        Reference reference;
        const at::Tensor x = tests::noise({4, 2, 6, 6}, 5) * 2, g = tests::noise({4, 3, 4, 4}, 6);
        const at::Tensor y = pass(*layer, x), expected = reference(x);
        near(y, expected, "values");
        y.backward(g);
        expected.backward(g);
        near(layer->rawWeight.grad(), reference.weight.grad(), "gradient of the weight", 1e-4);
        near(layer->gamma.grad(), reference.gamma.grad(), "gradient of gamma", 1e-4);
        near(layer->beta.grad(), reference.beta.grad(), "gradient of beta", 1e-4);
    }

    void aGemmIsNormalizedToo()
    {
        const auto layer = layerOf(BatchNormMode::Batch, true);
        QVERIFY(layer != nullptr);
        const Graph source = network(true);
        const at::Tensor x = tests::noise({5, 4}, 5);
        at::Tensor mean = constant(source, "mean"), variance = constant(source, "var");
        const at::Tensor expected = at::batch_norm(at::linear(x, constant(source, "w"), constant(source, "b")), constant(source, "gamma"), constant(source, "beta"), mean, variance, true,
                                                   0.1, double(float(epsilon)), false);
        near((*layer)(at::linear(x, layer->foldedWeight(), layer->foldedBias())), expected, "values");
        near(layer->mean, mean, "mean");
        near(layer->variance, variance, "variance");
    }

    void runningStatisticsFollow_data()
    {
        QTest::addColumn<int>("mode");
        QTest::newRow("batch") << int(BatchNormMode::Batch);
        QTest::newRow("running") << int(BatchNormMode::Running);
    }
    void runningStatisticsFollow()
    {
        QFETCH(int, mode);
        const auto layer = layerOf(BatchNormMode(mode));
        QVERIFY(layer != nullptr);
        Reference reference;
        for (unsigned step = 0; step < 2; ++step) {
            const at::Tensor x = tests::noise({4, 2, 6, 6}, 7 + step) * 3 + 0.5;
            const at::Tensor y = at::conv2d(x, layer->foldedWeight(), layer->foldedBias());
            const at::Tensor z = (*layer)(y);
            QCOMPARE(z.is_same(y), BatchNormMode(mode) == BatchNormMode::Running);
            reference(x);
            near(layer->mean, reference.mean, "mean");
            near(layer->variance, reference.variance, "variance");
            z.sum().backward(); // nothing that is saved for it may have been written
            at::NoGradGuard off;
            for (at::Tensor *changed : {&layer->rawWeight, &reference.weight, &layer->gamma, &reference.gamma})
                changed->mul_(1.25).sub_(0.1);
        }
    }

    void frozenOrWithoutGradientsNothingMoves()
    {
        const at::Tensor x = tests::noise({4, 2, 6, 6}, 5), y = tests::noise({4, 3, 4, 4}, 6);
        for (const BatchNormMode mode : {BatchNormMode::Batch, BatchNormMode::Running}) {
            const auto layer = layerOf(mode);
            QVERIFY(layer != nullptr);
            const at::Tensor mean = layer->mean.clone(), variance = layer->variance.clone();
            {
                at::NoGradGuard off;
                QVERIFY((*layer)(y).is_same(y));
            }
            layer->frozen = true;
            QVERIFY((*layer)(y).is_same(y));
            QVERIFY(layer->mean.equal(mean) && layer->variance.equal(variance));
            layer->frozen = false;
            (*layer)(y);
            QVERIFY(!layer->mean.equal(mean) && !layer->variance.equal(variance));
        }
    }

    void onlyFoldedWeightsAreFound()
    {
        const Graph source = network();
        Graph equalized = folded(source);
        std::vector<float> weights = floats(constant(equalized, "w"));
        for (std::size_t i = 0; i < 18; ++i)
            weights[i] *= 2;
        equalized.setConstant(equalized.findValue("w"), TensorData::fromFloats({3, 2, 3, 3}, weights));
        QVERIFY(foldedLayers(source, equalized, BatchNormMode::Running).empty());
        QVERIFY(foldedLayers(source, source, BatchNormMode::Running).empty());

        // Bias correction moves the bias alone: the difference stays.
        Graph corrected = folded(source);
        const at::Tensor bias = constant(corrected, "b") + at::tensor({0.5f, 0.0f, -0.25f});
        corrected.setConstant(corrected.findValue("b"), TensorData::fromFloats({3}, floats(bias)));
        const auto layers = foldedLayers(source, corrected, BatchNormMode::Running);
        QCOMPARE(layers.size(), std::size_t(1));
        near(layers[0]->foldedBias(), bias, "bias", 1e-6);
        // …and is no part of the mean that follows.
        Reference reference;
        const at::Tensor x = tests::noise({4, 2, 6, 6}, 5);
        pass(*layers[0], x);
        reference(x);
        near(layers[0]->mean, reference.mean, "mean");
        near(layers[0]->variance, reference.variance, "variance");
    }
};

QTEST_APPLESS_MAIN(TestBatchNormTraining)
#include "tst_batch_norm_training.moc"

// Gather, scatter, TopK, Einsum, detection.
#include "tests/support/run_node.h"

#include <ATen/Parallel.h>

using namespace tests;

namespace {

at::Tensor longs(const std::vector<std::int64_t> &values) { return at::tensor(values, at::kLong); }

at::Tensor einsum(const std::string &equation, const std::vector<at::Tensor> &inputs) { return runNode("Einsum", inputs, {{"equation", equation}})[0]; }

} // namespace

class TestOpsIndex : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void topKKeepsTheOrderOfEqualValues()
    {
        const at::Tensor x = floats({7}, {1, 3, 2, 3, 1, 3, 2});
        auto y = runNode("TopK", {x, longs({5})}, {}, 2);
        COMPARE_TENSORS(y[0], floats({5}, {3, 3, 3, 2, 2}));
        COMPARE_TENSORS(y[1], longs({1, 3, 5, 2, 6}));
        y = runNode("TopK", {x, longs({3})}, {{"largest", std::int64_t(0)}}, 2);
        COMPARE_TENSORS(y[0], floats({3}, {1, 1, 2}));
        COMPARE_TENSORS(y[1], longs({0, 4, 2}));
        QCOMPARE(errorOf("TopK", {x, longs({8})}), std::string("Node 'node' (TopK): k must lie between 0 and 7."));
    }

    void scatterReductions()
    {
        const at::Tensor x = floats({2, 3}, {1, 2, 3, 4, 5, 6}), rows = longs({0, 0, -1}).reshape({1, 3}), updates = floats({1, 3}, {10, -1, 7});
        const auto run = [&](const char *reduction) { return runNode("ScatterElements", {x, rows, updates}, {{"reduction", std::string(reduction)}})[0]; };
        COMPARE_TENSORS(run("none"), floats({2, 3}, {10, -1, 3, 4, 5, 7}));
        COMPARE_TENSORS(run("mul"), floats({2, 3}, {10, -2, 3, 4, 5, 42}));
        COMPARE_TENSORS(run("max"), floats({2, 3}, {10, 2, 3, 4, 5, 7}));
        COMPARE_TENSORS(run("min"), floats({2, 3}, {1, -1, 3, 4, 5, 6}));
        // The same row twice.
        COMPARE_TENSORS(runNode("ScatterND", {x, longs({1, 1}).reshape({2, 1}), floats({2, 3}, {9, 1, 1, 1, 8, 7})}, {{"reduction", std::string("max")}})[0],
                        floats({2, 3}, {1, 2, 3, 9, 8, 7}));
        COMPARE_TENSORS(runNode("ScatterND", {x, longs({1, 1}).reshape({2, 1}), floats({2, 3}, {9, 1, 1, 1, 8, 7})}, {{"reduction", std::string("mul")}})[0],
                        floats({2, 3}, {1, 2, 3, 36, 40, 42}));
        QCOMPARE(errorOf("ScatterElements", {x, longs({0, 0, 2}).reshape({1, 3}), updates}),
                 std::string("Node 'node' (ScatterElements): index 2 is outside an axis of size 2."));
    }

    void einsumLikeLibTorch_data()
    {
        QTest::addColumn<QString>("equation");
        QTest::addColumn<std::vector<Ints>>("sizes");
        const auto row = [](const char *equation, std::vector<Ints> sizes) { QTest::newRow(equation) << QString(equation) << sizes; };
        row("ij,jk->ik", {{3, 4}, {4, 5}});
        row("ij,jk", {{3, 4}, {4, 5}});
        row("bhqd,bhkd->bhqk", {{2, 3, 5, 4}, {2, 3, 6, 4}});
        row("bhqk,bhkd->bqhd", {{2, 3, 5, 6}, {2, 3, 6, 4}});
        row("...ij->...ji", {{2, 3, 4}});
        row("...ij,...jk->...ik", {{2, 1, 3, 4}, {5, 4, 6}});
        row("ii->i", {{4, 4}});
        row("ii", {{4, 4}});
        row("iji->j", {{3, 2, 3}});
        row("ij->", {{3, 4}});
        row("ij,j", {{3, 4}, {4}});
        row("i,j->ij", {{3}, {4}});
        row("abc,cd,de->abe", {{2, 3, 4}, {4, 5}, {5, 2}});
        row("bij,bj->b", {{2, 3, 4}, {2, 4}});
        row("ij,kl->", {{2, 3}, {4, 5}});
        row("zab,bz->az", {{2, 3, 4}, {4, 2}});
    }

    void einsumLikeLibTorch()
    {
        QFETCH(QString, equation);
        QFETCH(std::vector<Ints>, sizes);
        std::vector<at::Tensor> inputs;
        for (std::size_t i = 0; i < sizes.size(); ++i)
            inputs.push_back(pattern(sizes[i], std::int64_t(3 + i)));
        COMPARE_TENSORS(einsum(equation.toStdString(), inputs), at::einsum(equation.toStdString(), inputs));
        for (auto &input : inputs)
            input = input.to(at::kLong);
        COMPARE_TENSORS(einsum(equation.toStdString(), inputs), at::einsum(equation.toStdString(), inputs));
    }

    void einsumErrors()
    {
        const auto failure = [](const char *equation, const std::vector<at::Tensor> &inputs) { return errorOf("Einsum", inputs, {{"equation", std::string(equation)}}); };
        const at::Tensor x = pattern({2, 3});
        QCOMPARE(failure("ij,jk->ik", {x, x}), std::string("Node 'node' (Einsum): one letter stands for the sizes 3 and 2."));
        QCOMPARE(failure("ijk->i", {x}), std::string("Node 'node' (Einsum): the term 'ijk' does not fit a tensor of rank 2."));
        QCOMPARE(failure("ij->ii", {x}), std::string("Node 'node' (Einsum): a letter of the result 'ii' is unknown or stands there twice."));
        QCOMPARE(failure("ij->k", {x}), std::string("Node 'node' (Einsum): a letter of the result 'k' is unknown or stands there twice."));
        QCOMPARE(failure("ij,ij->ij", {x}), std::string("Node 'node' (Einsum): the equation 'ij,ij->ij' does not fit 1 inputs."));
        QCOMPARE(failure("i.j->ij", {x}), std::string("Node 'node' (Einsum): the equation 'i.j->ij' does not fit 1 inputs."));
    }

    void sameBitsForAnyBatch()
    {
        const at::Tensor x = noise({6, 20, 50}), w = noise({50, 30}, 8);
        const at::Tensor all = einsum("bnd,de->bne", {x, w});
        QVERIFY(sameBits(einsum("bnd,de->bne", {x.narrow(0, 3, 1), w}), all.narrow(0, 3, 1)));
        const at::Tensor r = noise({1, 4 * 8, 8}), in = noise({1, 4 * 8, 50}, 9), frames = noise({5, 6, 50}, 10);
        const at::Tensor states = runNode("LSTM", {frames, in, r}, {}, 1)[0];
        for (const int threads : {1, 3}) {
            at::set_num_threads(threads);
            QVERIFY(sameBits(runNode("LSTM", {frames.narrow(1, 2, 1), in, r}, {}, 1)[0], states.narrow(2, 2, 1)));
        }
    }

    void suppressionOfEqualScores()
    {
        // Three boxes: the second lies half over the first (IoU 1/3), the third apart. Equal scores: the first one stays.
        const at::Tensor boxes = floats({1, 3, 4}, {0, 0, 2, 2, 0, 1, 2, 3, 5, 5, 6, 6}), scores = floats({1, 1, 3}, {0.5f, 0.5f, 0.9f});
        const auto run = [&](float overlap, float least) {
            return runNode("NonMaxSuppression", {boxes, scores, longs({10}), floats({1}, {overlap}), floats({1}, {least})})[0];
        };
        COMPARE_TENSORS(run(0.3f, 0), longs({0, 0, 2, 0, 0, 0}).reshape({2, 3}));
        COMPARE_TENSORS(run(0.34f, 0), longs({0, 0, 2, 0, 0, 0, 0, 0, 1}).reshape({3, 3}));
        COMPARE_TENSORS(run(0.34f, 0.5f), longs({0, 0, 2}).reshape({1, 3}));   // a score must exceed the least
    }

    void shifts()
    {
        const at::Tensor x = at::tensor({-8, 4, -1}, at::kInt), y = at::tensor({1, 32, -1}, at::kInt);
        COMPARE_TENSORS(runNode("BitShift", {x, y}, {{"direction", std::string("RIGHT")}})[0], at::tensor({-4, 0, -1}, at::kInt));
        COMPARE_TENSORS(runNode("BitShift", {x, y}, {{"direction", std::string("LEFT")}})[0], at::tensor({-16, 0, 0}, at::kInt));
    }

    // Deformable convolution without offsets is a plain one.
    void deformable()
    {
        const at::Tensor x = pattern({2, 4, 5, 6}), w = pattern({4, 2, 3, 3}, 5, 7, 3), bias = floats({4}, {1, -2, 3, 0});
        const Attributes attributes{{"pads", Ints{1, 0, 1, 2}}, {"strides", Ints{2, 1}}, {"group", std::int64_t(2)}};
        const at::Tensor plain = runNode("Conv", {x, w, bias}, attributes)[0], none = at::zeros({2, 18, plain.size(2), plain.size(3)});
        COMPARE_TENSORS(runNode("DeformConv", {x, w, none, bias}, attributes)[0], plain, 1e-5, 1e-4);
        // Half a cell down and a mask of 2: (x[i] + x[i + 1]) / 2 · 2.
        const at::Tensor column = floats({1, 1, 3, 1}, {1, 2, 4}), one = floats({1, 1, 1, 1}, {1});
        const at::Tensor half = floats({1, 2, 3, 1}, {0.5f, 0.5f, 0.5f, 0, 0, 0}), twice = at::full({1, 1, 3, 1}, 2.0f);
        COMPARE_TENSORS(runNode("DeformConv", {column, one, half, at::Tensor{}, twice})[0], floats({1, 1, 3, 1}, {3, 6, 4}));
    }
};

QTEST_APPLESS_MAIN(TestOpsIndex)
#include "tst_ops_index.moc"

// Expected numbers: ONNX Runtime 1.32.
#include "tests/support/run_node.h"

#include <ATen/Parallel.h>

using namespace tests;

namespace {

const float hundredth = 1e-2f;

} // namespace

class TestOpsNorm : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void batch()
    {
        const std::vector<at::Tensor> inputs{pattern({2, 4, 2, 3}), floats({4}, {1, 2, 0.5f, -1}), floats({4}, {0, 1, -1, 2}), floats({4}, {1, 0, -1, 2}),
                                             floats({4}, {4, 1, 0.25f, 0})};
        const at::Tensor y = runNode("BatchNormalization", inputs, {{"epsilon", hundredth}})[0];
        COMPARE_TENSORS(y[0], floats({4, 2, 3}, {-2.996257f, -1.498129f, 0,         1.498129f, -2.496881f, -0.9987524f, 4.980148f, 10.95037f,
                                                 -4.970223f, 1,          6.970223f, -8.950372f, -1.980581f, 0.9611614f, 3.902904f, -3.941742f,
                                                 -1,         1.941742f,  -28,       52,        22,         -8,          72,        42}));
        std::vector<at::Tensor> copies = inputs;
        copies[0] = inputs[0].clone();
        COMPARE_TENSORS(runNode("BatchNormalization", copies, {{"epsilon", hundredth}}, 1, true)[0], y);
        copies[0] = inputs[0].contiguous(at::MemoryFormat::ChannelsLast);
        const at::Tensor last = runNode("BatchNormalization", copies, {{"epsilon", hundredth}})[0];
        COMPARE_TENSORS(last, y);
        QVERIFY(last.is_contiguous(at::MemoryFormat::ChannelsLast));
        copies[1] = floats({3}, {1, 2, 3});
        QCOMPARE(errorOf("BatchNormalization", copies), std::string("Node 'node' (BatchNormalization): there are 3 parameters for 4 channels."));
    }

    void instanceAndGroup()
    {
        const at::Tensor x = pattern({2, 4, 2, 3}), scale = floats({4}, {1, 2, 0.5f, -1}), shift = floats({4}, {0, 1, -1, 2});
        COMPARE_TENSORS(runNode("InstanceNormalization", {x, scale, shift}, {{"epsilon", hundredth}})[0][0].narrow(0, 0, 2),
                        floats({2, 2, 3}, {-1.267338f, -0.2755083f, 0.7163214f, 1.708151f, -0.936728f, 0.05510163f, 1.96633f, 3.705725f, -0.9326603f,
                                           0.806734f, 2.546128f, -2.092257f}));
        COMPARE_TENSORS(runNode("GroupNormalization", {x, scale, shift}, {{"epsilon", hundredth}, {"num_groups", std::int64_t(2)}})[0][1],
                        floats({4, 2, 3}, {0.3013484f,  1.28758f,   -1.34237f,  -0.356139f,  0.6300921f,  1.616323f,  -1.027253f, 0.9452094f,
                                           2.917672f,   -2.342228f, -0.3697653f, 1.602697f,  -0.4314771f, -1.671891f, -1.206736f, -0.7415805f,
                                           -0.2764255f, -1.516839f, 2.103368f,  1.173058f,   3.653885f,   2.723575f,  1.793264f,  0.8629543f}));
    }

    void layer()
    {
        const at::Tensor x = pattern({2, 4, 2, 3});
        COMPARE_TENSORS(runNode("LayerNormalization", {x, pattern({2, 3}), pattern({2, 3})}, {{"axis", std::int64_t(2)}, {"epsilon", hundredth}})[0][0][0],
                        floats({2, 3}, {1.336689f, -1.448984f, 1.716321f, 10.8326f, -0.2530882f, -1.055102f}));
        const auto y = runNode("LayerNormalization", {x, pattern({3})}, {{"epsilon", hundredth}}, 3);
        COMPARE_TENSORS(y[1][0][0], floats({2, 1}, {-2, -0.3333333f}));
        COMPARE_TENSORS(y[2][0][0], floats({2, 1}, {0.4079085f, 0.3029067f}));
        // A scale that broadcasts: one number for all.
        COMPARE_TENSORS(runNode("LayerNormalization", {x, floats({1}, {2}), floats({1}, {1})})[0],
                        runNode("LayerNormalization", {x, floats({3}, {2, 2, 2}), floats({3}, {1, 1, 1})})[0]);
    }

    void others()
    {
        COMPARE_TENSORS(runNode("LRN", {pattern({1, 4, 1, 2})}, {{"size", std::int64_t(3)}, {"alpha", 0.5f}, {"beta", 0.75f}, {"bias", 2.0f}})[0],
                        floats({1, 4, 1, 2}, {-1.252408f, -0.5698768f, 0.1924501f, 1.113751f, -1.113751f, -0.1924501f, 0.5698768f, 1.252408f}));
        COMPARE_TENSORS(runNode("LpNormalization", {pattern({2, 3})}, {{"axis", std::int64_t(0)}, {"p", std::int64_t(1)}})[0],
                        floats({2, 3}, {-0.5555556f, -0.3333333f, 0.5f, 0.4444444f, -0.6666667f, -0.5f}));
        COMPARE_TENSORS(runNode("LpNormalization", {at::zeros({2, 3})})[0], at::zeros({2, 3}));
        COMPARE_TENSORS(runNode("MeanVarianceNormalization", {pattern({2, 2, 1, 3})})[0],
                        floats({2, 2, 1, 3}, {-1.393052f, -0.4975186f, 0.3980149f, 1.36197f, -1.05931f, -0.15133f, 0.696526f, 1.592059f, -0.7960297f, 0.15133f,
                                              1.05931f, -1.36197f}));
        // Root mean square of 3, 4 is sqrt(12.5).
        COMPARE_TENSORS(runNode("RMSNormalization", {floats({1, 2}, {3, 4}), floats({2}, {1, 10})}, {{"epsilon", 0.0f}})[0],
                        floats({1, 2}, {0.8485281f, 11.31371f}));
        // An even size reaches one channel further up: 2 of channels 0 to 2, by hand (2 + 1/2 · (1 + 4))^-1.
        COMPARE_TENSORS(runNode("LRN", {floats({1, 3, 1, 1}, {1, 2, 3})}, {{"size", std::int64_t(2)}, {"alpha", 1.0f}, {"beta", 1.0f}, {"bias", 2.0f}})[0],
                        floats({1, 3, 1, 1}, {1 / 4.5f, 2 / 8.5f, 3 / 6.5f}));
    }

    void sameBitsForAnyThreadsAndBatches()
    {
        const at::Tensor x = noise({4, 8, 45, 37}), scale = noise({8}), shift = noise({8}, 8);
        at::set_num_threads(1);
        const Attributes groups{{"num_groups", std::int64_t(2)}};
        const at::Tensor instance = runNode("InstanceNormalization", {x, scale, shift})[0], group = runNode("GroupNormalization", {x, scale, shift}, groups)[0];
        for (const int threads : {1, 2, 3}) {
            at::set_num_threads(threads);
            const at::Tensor one = x.narrow(0, 2, 1);
            QVERIFY(sameBits(runNode("InstanceNormalization", {x, scale, shift})[0], instance));
            QVERIFY(sameBits(runNode("InstanceNormalization", {one, scale, shift})[0], instance.narrow(0, 2, 1)));
            QVERIFY(sameBits(runNode("GroupNormalization", {one, scale, shift}, groups)[0], group.narrow(0, 2, 1)));
        }
    }

    void empty()
    {
        const at::Tensor x = at::zeros({0, 4, 2, 3}), scale = at::ones({4});
        QCOMPARE(runNode("BatchNormalization", {x, scale, scale, scale, scale})[0].sizes(), x.sizes());
        QCOMPARE(runNode("InstanceNormalization", {x, scale, scale})[0].sizes(), x.sizes());
        QCOMPARE(runNode("LayerNormalization", {x, at::ones({3})})[0].sizes(), x.sizes());
        QCOMPARE(errorOf("GroupNormalization", {at::zeros({1, 4}), scale, scale}, {{"num_groups", std::int64_t(3)}}),
                 std::string("Node 'node' (GroupNormalization): the channels do not divide into 3 groups."));
    }
};

QTEST_APPLESS_MAIN(TestOpsNorm)
#include "tst_ops_norm.moc"

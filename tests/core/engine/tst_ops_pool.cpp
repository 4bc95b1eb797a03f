// Expected numbers: ONNX Runtime 1.32 on pattern({1, 1, 5, 6}), which is
//   -5 -2  1  4 -4 -1
//    2  5 -3  0  3 -5
//   -2  1  4 -4 -1  2
//    5 -3  0  3 -5 -2
//    1  4 -4 -1  2  5
#include "tests/support/run_node.h"

#include <limits>

using namespace tests;

class TestOpsPool : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void averageWithCeilAndPads()
    {
        const at::Tensor x = pattern({1, 1, 5, 6});
        const auto run = [&](std::int64_t include) {
            return runNode("AveragePool", {x}, {{"kernel_shape", Ints{3, 2}}, {"strides", Ints{2, 3}}, {"pads", Ints{1, 0, 0, 1}}, {"ceil_mode", std::int64_t(1)},
                                                {"count_include_pad", include}})[0];
        };
        COMPARE_TENSORS(run(0), floats({1, 1, 3, 2}, {0, 0.75f, 1.333333f, -0.6666667f, 1.75f, -0.25f}));
        // The cells that only ceil_mode adds never count; the pad above does.
        COMPARE_TENSORS(run(1), floats({1, 1, 3, 2}, {0, 0.5f, 1.333333f, -0.6666667f, 1.75f, -0.25f}));
    }

    void averageDilated()
    {
        const auto run = [&](std::int64_t include) {
            return runNode("AveragePool", {pattern({1, 1, 5, 6})}, {{"kernel_shape", Ints{2, 2}}, {"dilations", Ints{2, 3}}, {"pads", Ints{1, 1, 1, 1}},
                                                                    {"strides", Ints{2, 2}}, {"count_include_pad", include}})[0];
        };
        COMPARE_TENSORS(run(0), floats({1, 1, 3, 3}, {-3, 4, 0, -1.5f, 0, 1.5f, 0, -4, 3}));
        COMPARE_TENSORS(run(1), floats({1, 1, 3, 3}, {-0.75f, 2, 0, -0.75f, 0, 0.75f, 0, -2, 0.75f}));
    }

    void averageSameLowerAndVolume()
    {
        COMPARE_TENSORS(runNode("AveragePool", {pattern({1, 1, 5, 6})},
                                {{"kernel_shape", Ints{3, 3}}, {"strides", Ints{2, 2}}, {"auto_pad", std::string("SAME_LOWER")}})[0],
                        floats({1, 1, 3, 3}, {0, 0.8333333f, -0.5f, 1.333333f, 0.3333333f, -1, 1.75f, -0.1666667f, 0.3333333f}));
        COMPARE_TENSORS(runNode("AveragePool", {pattern({1, 1, 3, 4, 3})},
                                {{"kernel_shape", Ints{2, 2, 2}}, {"strides", Ints{1, 2, 2}}, {"pads", Ints{0, 1, 0, 1, 0, 0}}})[0],
                        floats({1, 1, 3, 2, 1}, {-2, 0.5f, 1, -0.625f, 2.5f, -0.5f}));
    }

    void maxWithIndices()
    {
        auto y = runNode("MaxPool", {pattern({1, 1, 5, 6})},
                         {{"kernel_shape", Ints{3, 3}}, {"strides", Ints{2, 2}}, {"pads", Ints{0, 2, 1, 0}}, {"ceil_mode", std::int64_t(1)}}, 2);
        COMPARE_TENSORS(y[0], floats({1, 1, 3, 4}, {2, 5, 4, 3, 5, 5, 4, 5, 1, 4, 2, 5}));
        COMPARE_TENSORS(y[1], at::tensor({6, 7, 3, 10, 18, 18, 14, 29, 24, 25, 28, 29}, at::kLong).reshape({1, 1, 3, 4}));
        y = runNode("MaxPool", {pattern({1, 2, 3, 4})}, {{"kernel_shape", Ints{2, 2}}, {"strides", Ints{1, 2}}, {"storage_order", std::int64_t(1)}}, 2);
        COMPARE_TENSORS(y[0], floats({1, 2, 2, 2}, {-1, 5, 0, 5, 2, 5, 3, 5}));
        COMPARE_TENSORS(y[1], at::tensor({4, 10, 5, 10, 16, 19, 17, 19}, at::kLong).reshape({1, 2, 2, 2}));
        y = runNode("MaxPool", {pattern({1, 2, 7})}, {{"kernel_shape", Ints{3}}, {"strides", Ints{3}}, {"pads", Ints{1, 1}}, {"ceil_mode", std::int64_t(1)}}, 2);
        COMPARE_TENSORS(y[0], floats({1, 2, 3}, {-2, 4, 2, 5, 3, 1}));
        COMPARE_TENSORS(y[1], at::tensor({1, 3, 6, 7, 10, 13}, at::kLong).reshape({1, 2, 3}));
    }

    void maxDilated()
    {
        const auto y = runNode("MaxPool", {pattern({1, 1, 5, 6})}, {{"kernel_shape", Ints{2, 2}}, {"dilations", Ints{2, 3}}, {"pads", Ints{1, 1, 1, 1}}}, 2);
        COMPARE_TENSORS(y[0], floats({1, 1, 5, 5}, {-3, 2, 5, -3, 0, 4, 4, 1, 4, 4, 0, 5, 5, 0, 3, 4, 1, 4, 5, -1, 0, 5, -3, 0, 3}));
        COMPARE_TENSORS(y[1], at::tensor({8, 6, 7, 8, 9, 14, 3, 13, 14, 3, 20, 18, 7, 20, 21, 14, 24, 25, 29, 27, 20, 18, 19, 20, 21}, at::kLong).reshape({1, 1, 5, 5}));
    }

    void maxOfIntegers()
    {
        const at::Tensor x = pattern({1, 1, 5, 6}).add(5).to(at::kByte);
        COMPARE_TENSORS(runNode("MaxPool", {x}, {{"kernel_shape", Ints{3, 3}}, {"strides", Ints{2, 2}}, {"pads", Ints{2, 2, 0, 0}}})[0],
                        at::tensor({0, 6, 9, 7, 10, 9, 10, 10, 9}, at::kByte).reshape({1, 1, 3, 3}));
    }

    void lp()
    {
        const at::Tensor x = pattern({1, 1, 5, 6});
        COMPARE_TENSORS(runNode("LpPool", {x}, {{"p", std::int64_t(3)}, {"kernel_shape", Ints{2, 3}}, {"strides", Ints{2, 2}}, {"pads", Ints{1, 0, 0, 1}}})[0],
                        floats({1, 1, 3, 3}, {5.11723f, 5.052774f, 4.020726f, 6.15345f, 5.677412f, 5.440122f, 6.549912f, 6.082202f, 6.431228f}));
        COMPARE_TENSORS(runNode("LpPool", {x}, {{"kernel_shape", Ints{2, 4}}, {"strides", Ints{2, 4}}, {"ceil_mode", std::int64_t(1)}})[0],
                        floats({1, 1, 3, 2}, {9.165152f, 7.141428f, 8.944272f, 5.830952f, 5.830952f, 5.385165f}));
    }

    void unpool()
    {
        const at::Tensor x = floats({1, 1, 2, 2}, {5, 7, 9, 3}), places = at::tensor({1, 3, 8, 11}, at::kLong).reshape({1, 1, 2, 2});
        const Attributes attributes{{"kernel_shape", Ints{2, 2}}, {"strides", Ints{2, 2}}};
        COMPARE_TENSORS(runNode("MaxUnpool", {x, places}, attributes)[0], floats({1, 1, 4, 4}, {0, 5, 0, 7, 0, 0, 0, 0, 9, 0, 0, 3, 0, 0, 0, 0}));
        QCOMPARE(errorOf("MaxUnpool", {x, places + 8}, attributes), std::string("Node 'node' (MaxUnpool): an index lies outside the result."));
    }

    // Where LibTorch's pool is left for our own, both must say the same.
    void formatsAgree()
    {
        const at::Tensor x = noise({2, 5, 9, 8}), last = x.contiguous(at::MemoryFormat::ChannelsLast);
        for (const Ints &pads : {Ints{1, 1, 1, 1}, Ints{1, 0, 0, 2}, Ints{0, 0, 0, 0}})
            for (const char *type : {"MaxPool", "AveragePool", "LpPool"}) {
                const Attributes attributes{{"kernel_shape", Ints{3, 3}}, {"strides", Ints{2, 2}}, {"pads", pads}, {"ceil_mode", std::int64_t(1)}};
                const at::Tensor y = runNode(type, {last}, attributes)[0];
                COMPARE_TENSORS(y, runNode(type, {x}, attributes)[0]);
                QVERIFY(y.is_contiguous(at::MemoryFormat::ChannelsLast));
            }
    }

    void global()
    {
        const at::Tensor x = pattern({2, 2, 2, 2});   // -5 -2 1 4 | -4 -1 2 5 | -3 0 3 -5 | -2 1 4 -4
        COMPARE_TENSORS(runNode("GlobalAveragePool", {x})[0], floats({2, 2, 1, 1}, {-0.5f, 0.5f, -1.25f, -0.25f}));
        COMPARE_TENSORS(runNode("GlobalMaxPool", {x})[0], floats({2, 2, 1, 1}, {4, 5, 3, 4}));
        COMPARE_TENSORS(runNode("GlobalLpPool", {x}, {{"p", std::int64_t(1)}})[0], floats({2, 2, 1, 1}, {12, 12, 11, 11}));
        const at::Tensor big = noise({3, 7, 33, 31}).contiguous(at::MemoryFormat::ChannelsLast);
        const at::Tensor all = runNode("GlobalAveragePool", {big})[0];
        QVERIFY(sameBits(runNode("GlobalAveragePool", {big.narrow(0, 1, 1)})[0], all.narrow(0, 1, 1)));
        QVERIFY(sameBits(runNode("AveragePool", {big}, {{"kernel_shape", Ints{33, 31}}})[0], all));
    }

    void edges()
    {
        const Attributes three{{"kernel_shape", Ints{3, 3}}};
        QCOMPARE(runNode("MaxPool", {at::zeros({0, 2, 5, 5})}, three)[0].sizes(), at::IntArrayRef({0, 2, 3, 3}));
        QCOMPARE(runNode("AveragePool", {at::zeros({2, 0, 5, 5})}, three)[0].sizes(), at::IntArrayRef({2, 0, 3, 3}));
        const at::Tensor holes = floats({1, 1, 1, 3}, {1, std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()});
        QVERIFY(runNode("MaxPool", {holes}, {{"kernel_shape", Ints{1, 2}}})[0].isnan().all().item<bool>());
        QCOMPARE(errorOf("MaxPool", {pattern({1, 1, 2, 2})}, three),
                 std::string("Node 'node' (MaxPool): the kernel covers 3 cells of spatial axis 0, but the padded input has 2."));
        QCOMPARE(errorOf("AveragePool", {pattern({1, 1, 2, 2})}), std::string("Node 'node' (AveragePool): attribute kernel_shape is missing."));
        QCOMPARE(errorOf("MaxPool", {pattern({3, 3})}, three), std::string("Node 'node' (MaxPool): the input has rank 2; 3 to 5 are possible."));
    }
};

QTEST_APPLESS_MAIN(TestOpsPool)
#include "tst_ops_pool.moc"

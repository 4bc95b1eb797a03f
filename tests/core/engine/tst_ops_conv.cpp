// Expected numbers: ONNX Runtime 1.32.
#include "tests/support/run_node.h"

#include <ATen/Parallel.h>

using namespace tests;

class TestOpsConv : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void asymmetricPads()
    {
        const at::Tensor x = pattern({1, 2, 5, 4}), w = pattern({2, 2, 3, 3}, 5, 7, 3), bias = floats({2}, {1, -2});
        COMPARE_TENSORS(runNode("Conv", {x, w, bias}, {{"pads", Ints{0, 1, 2, 0}}, {"strides", Ints{2, 1}}})[0],
                        floats({1, 2, 3, 3}, {-27, 26, 28, 28, 31, -22, -21, 13, 13, -23, -34, 21, -19, -1, 21, -25, -2, 23}));
        COMPARE_TENSORS(runNode("Conv", {x, w}, {{"pads", Ints{2, 0, 1, 1}}, {"dilations", Ints{2, 1}}})[0],
                        floats({1, 2, 4, 3}, {36, 16, 13, 33, -9, 12, 20, -11, -13, 15, 12, -17, 5, 24, -15, 15, 12, -17, -23, 10, -23, -24, 12, -4}));
    }

    void autoPad()
    {
        const at::Tensor x = pattern({1, 2, 5, 4}), w = pattern({2, 2, 3, 3}, 5, 7, 3);
        COMPARE_TENSORS(runNode("Conv", {x, w}, {{"auto_pad", std::string("SAME_UPPER")}, {"strides", Ints{2, 2}}})[0],
                        floats({1, 2, 3, 2}, {38, -18, 22, -14, 36, -44, 6, 17, -21, -24, 11, -18}));
        COMPARE_TENSORS(runNode("Conv", {x, w}, {{"auto_pad", std::string("SAME_LOWER")}, {"strides", Ints{2, 2}}})[0],
                        floats({1, 2, 3, 2}, {-24, 40, -6, -9, -18, 11, -27, 36, 14, 12, -44, 36}));
    }

    void groupsLinesAndVolumes()
    {
        COMPARE_TENSORS(runNode("Conv", {pattern({1, 2, 5, 4}), pattern({4, 1, 3, 3}, 5, 7, 3)},
                                {{"group", std::int64_t(2)}, {"pads", Ints{1, 1, 1, 1}}, {"strides", Ints{3, 3}}})[0],
                        floats({1, 4, 2, 2}, {-7, -7, -4, -35, 13, 1, 1, 28, 7, 16, 11, 7, -4, 1, -9, -2}));
        COMPARE_TENSORS(runNode("Conv", {pattern({1, 2, 7}), pattern({3, 2, 3}, 5, 7, 3)}, {{"pads", Ints{2, 0}}, {"strides", Ints{2}}})[0],
                        floats({1, 3, 4}, {5, -8, 9, 15, 5, 19, -42, 18, 5, 4, 19, -21}));
        COMPARE_TENSORS(runNode("Conv", {pattern({1, 1, 3, 3, 3}), pattern({1, 1, 2, 2, 2}, 5, 7, 3)},
                                {{"pads", Ints{0, 0, 1, 1, 0, 0}}, {"strides", Ints{2, 1, 2}}})[0],
                        floats({1, 1, 2, 2, 2}, {-12, 1, 14, 18, 4, 13, 4, 19}));
    }

    void transposed()
    {
        const at::Tensor x = pattern({1, 2, 3, 3}), w = pattern({2, 2, 3, 3}, 5, 7, 3), bias = floats({2}, {1, -2});
        COMPARE_TENSORS(
            runNode("ConvTranspose", {x, w, bias}, {{"strides", Ints{2, 2}}, {"pads", Ints{1, 0, 1, 1}}, {"output_padding", Ints{1, 0}}})[0],
            floats({1, 2, 6, 6}, {11, -14, -9, 1,   12,  -6, -12, 22, 4,  9,  23, -15, -1, 9,  10,  -9,  -13, 6,  -17, -17, -5, 25, 3,  12,
                                  9,  -1,  -4, 14,  6,   -4, 7,   -17, -2, -17, 9, 16,  -7, 3,  11,  -6,  14,  7,  -10, -4,  14, 0,  -24, -7,
                                  2,  -2,  -24, 0,  12,  -9, 8,   8,  -12, -10, 16, -6, 0,  4,  -15, -5,  -23, -3, -2,  2,   15, -1, -13, -4}));
        COMPARE_TENSORS(runNode("ConvTranspose", {x, w}, {{"strides", Ints{3, 2}}, {"dilations", Ints{2, 1}}, {"pads", Ints{2, 1, 0, 3}}})[0],
                        floats({1, 2, 9, 3}, {-15, -10, 0, 6,  17, -7, 15, -14, 15, 8, 9,  -10, 0,  -14, 9, -18, 8,  15, -2, -5, 13, 0, 0, 0, -18, -3, -18,
                                              5,   13,  -4, -2, 7, 5,  0,  9,   -3, 0, -22, 2,  8,  -1,  -7, 2,  -9, -1, 6,  -13, -3, 0, 0, 0, 4,  17, 1}));
    }

    void transposedToAShape()
    {
        const at::Tensor x = pattern({1, 2, 3, 3}), w = pattern({2, 2, 3, 3}, 5, 7, 3);
        const at::Tensor lower = floats({1, 2, 6, 6}, {-15, -10, 0,  11, -7, 1,  21, 3,  8,  22, -16, -7, 8,   9,  -10, -14, 5,  -1,  -18, -6, 24, 2,  11, 0,
                                                       -2,  -5,  13, 5,  -5, -3, -18, -3, -18, 8, 15, -4, 5,   13, -4,  16,  9,  -18, -2,  16, 2,  -22, -5, 18,
                                                       0,   -22, 2,  14, -7, 15, 10, -10, -8, 18, -4, -15, 6,  -13, -3, -21, -1, 15,  4,   17, 1,  -11, -2, 0});
        COMPARE_TENSORS(runNode("ConvTranspose", {x, w}, {{"strides", Ints{2, 2}}, {"auto_pad", std::string("SAME_LOWER")}})[0], lower);
        // Full size 7 × 7: one row is cut before, one column of zeros comes behind.
        const at::Tensor wide = runNode("ConvTranspose", {x, w}, {{"strides", Ints{2, 2}}, {"output_shape", Ints{6, 8}}})[0];
        COMPARE_TENSORS(wide.narrow(3, 1, 6), lower);
        QVERIFY(wide.select(3, 7).eq(0).all().item<bool>());
    }

    void transposedGroupsAndLines()
    {
        COMPARE_TENSORS(runNode("ConvTranspose", {pattern({1, 2, 3, 3}), pattern({2, 1, 2, 2}, 5, 7, 3)}, {{"strides", Ints{2, 2}}, {"group", std::int64_t(2)}})[0]
                            .select(1, 1),
                        floats({1, 6, 6}, {0, 0, 9, 3, -15, -5, 0, 0, -3, -9, 5, 15, -6, -2, 3, 1, 12, 4, 2, 6, -1, -3, -4, -12, -12, -4, -3, -1, 6, 2, 4, 12, 1, 3, -2, -6}));
        COMPARE_TENSORS(runNode("ConvTranspose", {pattern({1, 2, 4}), pattern({2, 1, 4}, 5, 7, 3)}, {{"strides", Ints{3}}, {"pads", Ints{1, 2}}})[0],
                        floats({1, 1, 10}, {-14, 4, 25, -5, 1, 10, 4, -2, -5, 13}));
    }

    // The recorded path is LibTorch's own transposed convolution.
    void transposedLikeLibTorch()
    {
        const at::Tensor x = noise({2, 6, 5, 4}), w = noise({6, 4, 3, 5}, 8);
        const Attributes attributes{{"strides", Ints{3, 2}}, {"pads", Ints{1, 0, 0, 2}}, {"output_padding", Ints{1, 1}}, {"group", std::int64_t(2)}};
        const at::Tensor plain = runNode("ConvTranspose", {x, w}, attributes)[0];
        const at::Tensor recorded = runNode("ConvTranspose", {x.clone().requires_grad_(), w}, attributes)[0];
        COMPARE_TENSORS(plain, recorded.detach());
        QVERIFY(recorded.requires_grad());
    }

    void formatsAgree()
    {
        const at::Tensor x = noise({2, 8, 9, 7}), w = noise({8, 4, 3, 3}, 8);
        const Attributes attributes{{"group", std::int64_t(2)}, {"pads", Ints{1, 0, 0, 1}}, {"strides", Ints{2, 1}}};
        for (const char *type : {"Conv", "ConvTranspose"}) {
            const at::Tensor plain = runNode(type, {x, w}, attributes)[0];
            const at::Tensor last = runNode(type, {x.contiguous(at::MemoryFormat::ChannelsLast), w}, attributes)[0];
            COMPARE_TENSORS(last, plain, 1e-5, 1e-5);
            QVERIFY(last.is_contiguous(at::MemoryFormat::ChannelsLast));
        }
    }

    void sameBitsForAnyThreadsAndBatches_data()
    {
        QTest::addColumn<Ints>("x");
        QTest::addColumn<Ints>("w");
        QTest::addColumn<qint64>("group");
        QTest::addColumn<qint64>("stride");
        QTest::addRow("3x3") << Ints{5, 16, 20, 20} << Ints{24, 16, 3, 3} << qint64(1) << qint64(2);
        QTest::addRow("1x1") << Ints{5, 96, 14, 14} << Ints{24, 96, 1, 1} << qint64(1) << qint64(1);
        QTest::addRow("1x1 small") << Ints{5, 320, 3, 3} << Ints{64, 320, 1, 1} << qint64(1) << qint64(1);
        QTest::addRow("depthwise") << Ints{5, 48, 15, 15} << Ints{48, 1, 5, 5} << qint64(48) << qint64(2);
        QTest::addRow("one pixel") << Ints{5, 64, 1, 1} << Ints{16, 64, 1, 1} << qint64(1) << qint64(1);
        QTest::addRow("first layer") << Ints{5, 3, 32, 32} << Ints{32, 3, 3, 3} << qint64(1) << qint64(2);
    }

    void sameBitsForAnyThreadsAndBatches()
    {
        QFETCH(Ints, x);
        QFETCH(Ints, w);
        QFETCH(qint64, group);
        QFETCH(qint64, stride);
        const at::Tensor images = noise(x).contiguous(at::MemoryFormat::ChannelsLast), weight = noise(w, 8);
        const Attributes attributes{{"group", std::int64_t(group)}, {"strides", Ints{stride, stride}}};
        for (const char *type : {"Conv", "ConvTranspose"}) {
            const at::Tensor kernel = QByteArray(type) == "Conv" ? weight : noise({x[1], w[0] / group, w[2], w[3]}, 9);
            at::set_num_threads(1);
            const at::Tensor expected = runNode(type, {images, kernel}, attributes)[0];
            for (const int threads : {1, 2, 3, 5}) {
                at::set_num_threads(threads);
                QVERIFY(sameBits(runNode(type, {images, kernel}, attributes)[0], expected));
                for (std::int64_t i = 0; i < x[0]; i += 2)
                    QVERIFY(sameBits(runNode(type, {images.narrow(0, i, 1), kernel}, attributes)[0], expected.narrow(0, i, 1)));
            }
        }
    }

    void empty()
    {
        const at::Tensor w = pattern({2, 2, 3, 3});
        QCOMPARE(runNode("Conv", {at::zeros({0, 2, 5, 4}), w})[0].sizes(), at::IntArrayRef({0, 2, 3, 2}));
        QCOMPARE(runNode("ConvTranspose", {at::zeros({0, 2, 5, 4}), w}, {{"strides", Ints{2, 2}}})[0].sizes(), at::IntArrayRef({0, 2, 11, 9}));
    }

    void errors()
    {
        const at::Tensor x = pattern({1, 2, 5, 4}), w = pattern({2, 2, 3, 3});
        QCOMPARE(errorOf("Conv", {pattern({1, 3, 5, 4}), w}),
                 std::string("Node 'node' (Conv): the input has 3 channels, the weight takes 2 in each of 1 groups and gives 2."));
        QCOMPARE(errorOf("Conv", {pattern({1, 2, 2, 4}), w}),
                 std::string("Node 'node' (Conv): the kernel covers 3 cells of spatial axis 0, but the padded input has 2."));
        QCOMPARE(errorOf("Conv", {x, w}, {{"pads", Ints{1, 1}}}), std::string("Node 'node' (Conv): attribute pads has 2 numbers, 4 are needed."));
        QCOMPARE(errorOf("Conv", {x, w}, {{"strides", Ints{0, 1}}}), std::string("Node 'node' (Conv): attribute strides holds 0, which is out of range."));
        QCOMPARE(errorOf("Conv", {x, w}, {{"dilations", Ints{1, 1LL << 40}}}),
                 std::string("Node 'node' (Conv): attribute dilations holds 1099511627776, which is out of range."));
        QVERIFY(errorOf("ConvTranspose", {x, w}, {{"strides", Ints{1 << 24, 1 << 24}}}).find("more than 2^32 elements") != std::string::npos);
        QCOMPARE(errorOf("Conv", {x, w}, {{"kernel_shape", Ints{2, 3}}}), std::string("Node 'node' (Conv): attribute kernel_shape differs from the weight's shape."));
        QCOMPARE(errorOf("Conv", {x, w, pattern({3})}), std::string("Node 'node' (Conv): the bias has 3 numbers for 2 channels."));
        QCOMPARE(errorOf("Conv", {x, w}, {{"group", std::int64_t(0)}}), std::string("Node 'node' (Conv): attribute group is not above 0."));
        QCOMPARE(errorOf("Conv", {x, w}, {{"pads", Ints{1 << 24, 0, 0, 1 << 24}}}),
                 std::string("Node 'node' (Conv): the result would have more than 2^32 elements."));
    }
};

QTEST_APPLESS_MAIN(TestOpsConv)
#include "tst_ops_conv.moc"

#include "tests/support/run_node.h"

#include <limits>

using namespace tests;

namespace {

at::Tensor bytes(const std::vector<int> &values) { return at::tensor(values, at::kInt).to(at::kByte); }
at::Tensor chars(const std::vector<int> &values) { return at::tensor(values, at::kInt).to(at::kChar); }
at::Tensor scalar(float value) { return at::scalar_tensor(value, at::kFloat); }
at::Tensor zero(int value, at::ScalarType type) { return at::scalar_tensor(value, at::kInt).to(type); }

constexpr float infinity = std::numeric_limits<float>::infinity();

} // namespace

class TestOpsQuant : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void halvesGoToEvenAndEndsSaturate()
    {
        const at::Tensor x = floats({8}, {-0.75f, -0.25f, 0.25f, 0.75f, 1.25f, 1000, -1000, infinity});
        // x / 0.5 = -1.5 -0.5 0.5 1.5 2.5 → -2 0 0 2 2
        COMPARE_TENSORS(runNode("QuantizeLinear", {x, scalar(0.5f), zero(0, at::kChar)})[0], chars({-2, 0, 0, 2, 2, 127, -128, 127}));
        COMPARE_TENSORS(runNode("QuantizeLinear", {x, scalar(0.5f), zero(128, at::kByte)})[0], bytes({126, 128, 128, 130, 130, 255, 0, 255}));
        COMPARE_TENSORS(runNode("QuantizeLinear", {x, scalar(0.5f)})[0], bytes({0, 0, 0, 2, 2, 255, 0, 255}));   // no zero point: uint8
        COMPARE_TENSORS(runNode("QuantizeLinear", {x, scalar(0.5f), at::Tensor{}}, {{"output_dtype", std::int64_t(5)}})[0],
                        at::tensor({-2, 0, 0, 2, 2, 2000, -2000, 32767}, at::kShort));
    }

    void perChannelAndBlocks()
    {
        const at::Tensor x = floats({2, 4}, {1, 2, 3, 4, 5, 6, 7, 8});
        COMPARE_TENSORS(runNode("QuantizeLinear", {x, floats({2}, {1, 2}), chars({0, 1})}, {{"axis", std::int64_t(0)}})[0],
                        chars({1, 2, 3, 4, 3, 4, 5, 5}).reshape({2, 4}));   // 2.5 → 2, 3.5 → 4, plus 1
        const at::Tensor codes = chars({1, 2, 3, 4, 3, 4, 5, 5}).reshape({2, 4});
        COMPARE_TENSORS(runNode("DequantizeLinear", {codes, floats({2}, {1, 2}), chars({0, 1})}, {{"axis", std::int64_t(0)}})[0],
                        floats({2, 4}, {1, 2, 3, 4, 4, 6, 8, 8}));
        COMPARE_TENSORS(runNode("DequantizeLinear", {codes, floats({2, 2}, {1, 10, 2, 20})}, {{"axis", std::int64_t(1)}, {"block_size", std::int64_t(2)}})[0],
                        floats({2, 4}, {1, 2, 30, 40, 6, 8, 100, 100}));
        QCOMPARE(errorOf("DequantizeLinear", {codes, floats({3}, {1, 2, 3})}),
                 std::string("Node 'node' (DequantizeLinear): there are 3 scales or zero points for 4 indices of axis 1."));
    }

    void formatsAgree()
    {
        const at::Tensor x = noise({2, 3, 5, 4}), scale = scalar(0.03f), zeroPoint = zero(7, at::kChar);
        const at::Tensor codes = runNode("QuantizeLinear", {x, scale, zeroPoint})[0];
        const at::Tensor last = runNode("QuantizeLinear", {x.contiguous(at::MemoryFormat::ChannelsLast), scale, zeroPoint})[0];
        COMPARE_TENSORS(last, codes);
        QVERIFY(last.is_contiguous(at::MemoryFormat::ChannelsLast));
        QVERIFY(runNode("DequantizeLinear", {last, scale, zeroPoint})[0].is_contiguous(at::MemoryFormat::ChannelsLast));
        // A slice is not dense: the general path must agree.
        COMPARE_TENSORS(runNode("QuantizeLinear", {x.slice(3, 0, 4, 2), scale, zeroPoint})[0], codes.slice(3, 0, 4, 2));
    }

    // Codes of 32 bits do not fit float32: 2^24 + 1 minus its zero point must be exact.
    void wideCodes()
    {
        COMPARE_TENSORS(runNode("DequantizeLinear", {at::tensor({16777217, 5}, at::kInt), scalar(1), zero(16777216, at::kInt)})[0], floats({2}, {1, -16777211}));
    }

    void dynamic()
    {
        auto y = runNode("DynamicQuantizeLinear", {floats({6}, {0, 2, -3, -2.5f, 1.34f, 0.5f})}, {}, 3);   // ONNX's own example
        COMPARE_TENSORS(y[0], bytes({153, 255, 0, 26, 221, 179}));
        COMPARE_TENSORS(y[1], scalar(0.019607844f), 1e-7);
        COMPARE_TENSORS(y[2], zero(153, at::kByte));
        y = runNode("DynamicQuantizeLinear", {floats({2}, {0, 0})}, {}, 3);
        COMPARE_TENSORS(y[0], bytes({0, 0}));
        QVERIFY(errorOf("DynamicQuantizeLinear", {floats({2}, {1, infinity})}).find("NaN or infinity") != std::string::npos);
    }

    // Sums beyond 2^24 must not be rounded: 4096 products of 127 · 127 are 66,064,384, and one more 1.
    void exactSums()
    {
        at::Tensor a = at::full({1, 4097}, 127, at::kChar), b = at::full({4097, 1}, 127, at::kChar);
        a[0][4096] = 1;
        b[4096][0] = 1;
        COMPARE_TENSORS(runNode("MatMulInteger", {a, b})[0], at::tensor({66064385}, at::kInt).reshape({1, 1}));
        COMPARE_TENSORS(runNode("ConvInteger", {a.reshape({1, 4097, 1, 1}), b.reshape({1, 4097, 1, 1})})[0], at::tensor({66064385}, at::kInt).reshape({1, 1, 1, 1}));
    }

    // One pixel, by hand: (3 − 1) · (2 − 0) · 0.5 · 0.25 + bias 5 · 0.125 = 1.125; / 0.1 = 11.25 → 11, + 10.
    void qLinearConv()
    {
        const std::vector<at::Tensor> inputs{bytes({3}).reshape({1, 1, 1, 1}), scalar(0.5f), zero(1, at::kByte),  chars({2}).reshape({1, 1, 1, 1}), scalar(0.25f),
                                             zero(0, at::kChar),               scalar(0.1f), zero(10, at::kByte), at::tensor({5}, at::kInt)};
        COMPARE_TENSORS(runNode("QLinearConv", inputs)[0], bytes({21}).reshape({1, 1, 1, 1}));
    }
};

QTEST_APPLESS_MAIN(TestOpsQuant)
#include "tst_ops_quant.moc"

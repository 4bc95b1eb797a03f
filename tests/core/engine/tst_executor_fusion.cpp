#include "core/exec/executor.h"
#include "tests/support/tiny_graph.h"

#include <cstring>

using namespace core;
using tests::TinyGraph;

namespace {

std::shared_ptr<const Graph> shared(const TinyGraph &tiny)
{
    return std::make_shared<const Graph>(tiny.graph);
}

at::Tensor noise(std::vector<std::int64_t> sizes, double spread = 1)
{
    std::int64_t count = 1;
    for (const auto size : sizes)
        count *= size;
    return ((at::arange(count, at::kLong) * 7919 % 1009).to(at::kFloat).reshape(sizes) / 500 - 1) * spread;
}

std::vector<float> numbers(std::int64_t count, float step)
{
    std::vector<float> values;
    for (std::int64_t i = 0; i < count; ++i)
        values.push_back(step * float(int(i * 37 % 29) - 14));
    return values;
}

bool sameBits(const at::Tensor &a, const at::Tensor &b)
{
    const at::Tensor x = a.contiguous(), y = b.contiguous();
    return x.sizes() == y.sizes() && std::memcmp(x.data_ptr(), y.data_ptr(), x.nbytes()) == 0;
}

struct Pair {
    std::vector<at::Tensor> plain, optimized;
};

Pair bothWays(const TinyGraph &tiny, const std::vector<at::Tensor> &inputs, std::vector<ValueId> fetches = {})
{
    ExecutorOptions options;
    options.fetches = std::move(fetches);
    Pair pair;
    pair.optimized = Executor(shared(tiny), options).run(inputs);
    options.optimize = false;
    pair.plain = Executor(shared(tiny), options).run(inputs);
    return pair;
}

ValueId conv(TinyGraph &tiny, const std::string &name, ValueId x, std::int64_t in, std::int64_t out, std::int64_t kernel = 1,
             std::map<std::string, AttributeValue> attributes = {}, std::int64_t group = 1)
{
    const ValueId w = tiny.constant(name + ".w", {out, in / group, kernel, kernel}, numbers(out * in / group * kernel * kernel, 0.03f));
    const ValueId b = tiny.constant(name + ".b", {out}, numbers(out, 0.05f));
    attributes["group"] = group;
    return tiny.node("Conv", name, {x, w, b}, std::move(attributes));
}

ValueId quantizeDequantize(TinyGraph &tiny, const std::string &name, ValueId x, float scale, std::int64_t zeroPoint, DataType type, ValueId *codes = nullptr)
{
    const ValueId s = tiny.constant(name + ".s", {}, {scale});
    const ValueId z = tiny.graph.addConstant(name + ".z", TensorData::fromIntegers(type, {}, std::vector<std::int64_t>{zeroPoint}));
    const ValueId q = tiny.node("QuantizeLinear", name + ".q", {x, s, z}, {}, type);
    if (codes)
        *codes = q;
    return tiny.node("DequantizeLinear", name, {q, s, z});
}

} // namespace

class TestExecutorFusion : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void convolutions_data()
    {
        QTest::addColumn<int>("group");
        QTest::addColumn<int>("kernel");
        QTest::addColumn<int>("stride");
        QTest::addColumn<int>("dilation");
        QTest::addColumn<QString>("pads");
        QTest::addColumn<QString>("activation");
        QTest::newRow("1x1") << 1 << 1 << 1 << 1 << "0" << "";
        QTest::newRow("1x1 relu") << 1 << 1 << 1 << 1 << "0" << "Relu";
        QTest::newRow("3x3 relu6") << 1 << 3 << 1 << 1 << "1" << "Clip";
        QTest::newRow("one-sided pads") << 1 << 3 << 2 << 1 << "end" << "Clip";
        QTest::newRow("depthwise") << 8 << 3 << 1 << 1 << "1" << "Clip";
        QTest::newRow("depthwise, stride, 5x5") << 8 << 5 << 2 << 1 << "end" << "Relu";
        QTest::newRow("groups") << 2 << 3 << 1 << 1 << "1" << "";
        QTest::newRow("dilated") << 1 << 3 << 1 << 2 << "1" << "Relu";
        QTest::newRow("same upper") << 1 << 3 << 2 << 1 << "SAME_UPPER" << "";
    }

    void convolutions()
    {
        QFETCH(int, group);
        QFETCH(int, kernel);
        QFETCH(int, stride);
        QFETCH(int, dilation);
        QFETCH(QString, pads);
        QFETCH(QString, activation);
        TinyGraph tiny;
        const ValueId x = tiny.input("x", {-1, 8, 11, 9});
        std::map<std::string, AttributeValue> attributes{{"strides", std::vector<std::int64_t>(2, stride)}, {"dilations", std::vector<std::int64_t>(2, dilation)}};
        if (pads == "SAME_UPPER")
            attributes["auto_pad"] = std::string("SAME_UPPER");
        else
            attributes["pads"] = pads == "end" ? std::vector<std::int64_t>{0, 0, 1, 1} : std::vector<std::int64_t>(4, pads == "1");
        ValueId y = conv(tiny, "c", x, 8, 16, kernel, attributes, group);
        if (activation == "Relu")
            y = tiny.node("Relu", "a", {y});
        if (activation == "Clip")
            y = tiny.node("Clip", "a", {y, tiny.constant("low", {}, {0}), tiny.constant("high", {}, {0.3f})});
        tiny.output(y);
        for (const std::int64_t batch : {1, 3}) {
            const Pair pair = bothWays(tiny, {noise({batch, 8, 11, 9})});
            QVERIFY(at::allclose(pair.optimized[0], pair.plain[0], 1e-5, 1e-5));
        }
    }

    void residual()
    {
        // y = relu(conv(r) + r): the residual is the input too; z = conv(x) + broadcast
        TinyGraph tiny;
        const ValueId x = tiny.input("x", {2, 8, 6, 6});
        const ValueId r = tiny.node("Relu", "r", {x});
        tiny.output(tiny.node("Relu", "y", {tiny.node("Add", "sum", {conv(tiny, "c", r, 8, 8), r})}));
        const ValueId row = tiny.node("Neg", "row", {tiny.input("v", {1, 8, 1, 1})});
        tiny.output(tiny.node("Clip", "z", {tiny.node("Add", "wide", {row, conv(tiny, "d", x, 8, 8)}), tiny.constant("low", {}, {-0.2f})}));
        const at::Tensor feed = noise({2, 8, 6, 6}), kept = feed.clone();
        const Pair pair = bothWays(tiny, {feed, noise({1, 8, 1, 1})});
        QVERIFY(at::allclose(pair.optimized[0], pair.plain[0], 1e-5, 1e-5));
        QVERIFY(at::allclose(pair.optimized[1], pair.plain[1], 1e-5, 1e-5));
        QVERIFY(sameBits(feed, kept));
    }

    void bothSidesOfAnAdd()
    {
        TinyGraph tiny;
        const ValueId x = tiny.input("x", {2, 8, 6, 6});
        tiny.output(tiny.node("Add", "y", {conv(tiny, "c", x, 8, 8), conv(tiny, "d", x, 8, 8, 3, {{"pads", std::vector<std::int64_t>(4, 1)}})}));
        const Pair pair = bothWays(tiny, {noise({2, 8, 6, 6})});
        QVERIFY(at::allclose(pair.optimized[0], pair.plain[0], 1e-5, 1e-5));
    }

    void batchNormalizationAndPad()
    {
        TinyGraph tiny;
        const ValueId x = tiny.input("x", {2, 8, 6, 6});
        const ValueId padded = tiny.node("Pad", "pad", {x, tiny.integers("pads", {0, 0, 0, 1, 0, 0, 2, 1})});
        const ValueId c = conv(tiny, "c", padded, 8, 8, 3);
        const ValueId bn = tiny.node("BatchNormalization", "bn", {c, tiny.constant("g", {8}, numbers(8, 0.1f)), tiny.constant("b", {8}, numbers(8, 0.2f)),
                                                                tiny.constant("m", {8}, numbers(8, 0.05f)), tiny.constant("v", {8}, std::vector<float>(8, 2.0f))});
        tiny.output(tiny.node("Relu", "y", {bn}));
        const Pair pair = bothWays(tiny, {noise({2, 8, 6, 6})});
        QVERIFY(at::allclose(pair.optimized[0], pair.plain[0], 1e-5, 1e-5));
        // What is shown is shown as it is: before the normalization, before the activation.
        const Pair inner = bothWays(tiny, {noise({2, 8, 6, 6})}, {c, bn, tiny.graph.findValue("y")});
        for (std::size_t i = 0; i < 3; ++i)
            QVERIFY(at::allclose(inner.optimized[i], inner.plain[i], 1e-5, 1e-5));
        QVERIFY(inner.optimized[1].lt(0).any().item<bool>());
    }

    void runFromInsideAFusedChain()
    {
        TinyGraph tiny;
        const ValueId x = tiny.input("x", {1, 8, 4, 4}), c = conv(tiny, "c", x, 8, 8);
        tiny.output(tiny.node("Relu", "y", {c}));
        ExecutorOptions options;
        options.feeds = {c};
        const at::Tensor y = Executor(shared(tiny), options).run(std::vector{noise({1, 8, 4, 4})}).at(0);
        QVERIFY(sameBits(y, noise({1, 8, 4, 4}).clamp_min(0)));
    }

    void fakeQuantize_data()
    {
        QTest::addColumn<int>("type");
        QTest::addColumn<int>("zeroPoint");
        QTest::newRow("uint8") << int(DataType::UInt8) << 77;
        QTest::newRow("int8") << int(DataType::Int8) << 0;
        QTest::newRow("uint16") << int(DataType::UInt16) << 30000;
        QTest::newRow("int16") << int(DataType::Int16) << -5;
        QTest::newRow("int4") << int(DataType::Int4) << 1;
    }

    void fakeQuantize()
    {
        QFETCH(int, type);
        QFETCH(int, zeroPoint);
        for (const char *before : {"", "Relu", "Clip"}) {
            TinyGraph tiny;
            ValueId x = tiny.node("Neg", "neg", {tiny.input("x", {3, 5, 33})});
            if (std::string(before) == "Relu")
                x = tiny.node("Relu", "a", {x});
            if (std::string(before) == "Clip")
                x = tiny.node("Clip", "a", {x, tiny.constant("low", {}, {-0.4f}), tiny.constant("high", {}, {0.7f})});
            const float scale = bitsPerElement(DataType(type)) == 4 ? 0.11f : bitsPerElement(DataType(type)) == 8 ? 0.007f : 0.00003f;
            tiny.output(quantizeDequantize(tiny, "fq", x, scale, zeroPoint, DataType(type)));
            const Pair pair = bothWays(tiny, {noise({3, 5, 33}, 1.3)});
            QVERIFY(sameBits(pair.optimized[0], pair.plain[0]));
        }
    }

    void quantizedConvolutions()
    {
        // The same as convolution, then the separate operators: bit for bit, in groups of images or not.
        for (const char *activation : {"", "Relu", "Clip"})
            for (const std::int64_t batch : {1, 6, 7}) {
                TinyGraph tiny;
                const ValueId x = tiny.input("x", {batch, 8, 96, 80});
                ValueId y = conv(tiny, "c", x, 8, 40, 3, {{"pads", std::vector<std::int64_t>{0, 0, 1, 1}}});
                if (std::string(activation) == "Relu")
                    y = tiny.node("Relu", "a", {y});
                if (std::string(activation) == "Clip")
                    y = tiny.node("Clip", "a", {y, tiny.constant("low", {}, {0}), tiny.constant("high", {}, {0.5f})});
                const ValueId q = quantizeDequantize(tiny, "q", y, 0.004f, 9, DataType::UInt8);
                tiny.output(q);
                ExecutorOptions shown;
                shown.fetches = {y};
                const at::Tensor before = Executor(shared(tiny), shown).run(std::vector{noise({batch, 8, 96, 80})}).at(0);
                ExecutorOptions rest;
                rest.optimize = false;
                rest.feeds = {y};
                const at::Tensor expected = Executor(shared(tiny), rest).run(std::vector{before}).at(0);
                QVERIFY(sameBits(Executor(shared(tiny)).run(std::vector{noise({batch, 8, 96, 80})}).at(0), expected));
            }
    }

    void quantizedResidual()
    {
        TinyGraph tiny;
        const ValueId x = tiny.input("x", {2, 8, 6, 6}), v = tiny.node("Neg", "v", {tiny.input("row", {1, 8, 1, 1})});
        tiny.output(quantizeDequantize(tiny, "q", tiny.node("Add", "a", {conv(tiny, "c", x, 8, 8), tiny.node("Neg", "n", {x})}), 0.02f, 128, DataType::UInt8));
        tiny.output(quantizeDequantize(tiny, "p", tiny.node("Add", "b", {conv(tiny, "d", x, 8, 8), v}), 0.02f, 128, DataType::UInt8));
        const Pair pair = bothWays(tiny, {noise({2, 8, 6, 6}), noise({1, 8, 1, 1})});
        QVERIFY(at::allclose(pair.optimized[0], pair.plain[0], 0, 0.0201));
        QVERIFY(at::allclose(pair.optimized[1], pair.plain[1], 0, 0.0201));
        QVERIFY((pair.optimized[0] - pair.plain[0]).abs().mean().item<float>() < 1e-3f);
    }

    void shownCodesAreNotFused()
    {
        TinyGraph tiny;
        ValueId codes;
        const ValueId x = tiny.input("x", {40});
        tiny.output(quantizeDequantize(tiny, "fq", tiny.node("Relu", "relu", {x}), 0.01f, 3, DataType::UInt8, &codes));
        const Pair pair = bothWays(tiny, {noise({40})}, {tiny.graph.findValue("relu"), codes, tiny.graph.findValue("fq")});
        for (std::size_t i = 0; i < 3; ++i)
            QVERIFY(sameBits(pair.optimized[i], pair.plain[i]));
        QCOMPARE(pair.optimized[1].scalar_type(), at::kByte);
    }

    void differentNumbersAreNotFused()
    {
        // Codes of one scale read with another.
        TinyGraph tiny;
        const ValueId x = tiny.input("x", {4}), s = tiny.constant("s", {}, {0.5f}), t = tiny.constant("t", {}, {2.0f});
        const ValueId q = tiny.node("QuantizeLinear", "q", {x, s}, {}, DataType::UInt8);
        tiny.output(tiny.node("DequantizeLinear", "y", {q, t}));
        const at::Tensor y = Executor(shared(tiny)).run(std::vector{at::tensor({1.0f, 2.0f, -1.0f, 0.75f})}).at(0);
        QVERIFY(sameBits(y, at::tensor({4.0f, 8.0f, 0.0f, 4.0f})));   // 0.75/0.5 = 1.5 → 2
    }

    void quantizedWeights()
    {
        // int8 weights per channel, int32 bias: evaluated when the plan is made.
        TinyGraph tiny;
        const ValueId x = quantizeDequantize(tiny, "in", tiny.input("x", {2, 4, 5, 5}), 0.02f, 128, DataType::UInt8);
        std::vector<std::int64_t> codes, biases;
        for (int i = 0; i < 6 * 4 * 9; ++i)
            codes.push_back(i * 31 % 255 - 127);
        for (int i = 0; i < 6; ++i)
            biases.push_back(i * 1000 - 2500);
        const ValueId ws = tiny.constant("ws", {6}, {0.01f, 0.02f, 0.03f, 0.01f, 0.02f, 0.03f}), bs = tiny.constant("bs", {6}, {2e-4f, 4e-4f, 6e-4f, 2e-4f, 4e-4f, 6e-4f});
        const ValueId w = tiny.node("DequantizeLinear", "w", {tiny.graph.addConstant("wq", TensorData::fromIntegers(DataType::Int8, {6, 4, 3, 3}, codes)), ws},
                                    {{"axis", std::int64_t(0)}});
        const ValueId b = tiny.node("DequantizeLinear", "b", {tiny.graph.addConstant("bq", TensorData::fromIntegers(DataType::Int32, {6}, biases)), bs},
                                    {{"axis", std::int64_t(0)}});
        const ValueId c = tiny.node("Conv", "c", {x, w, b});
        tiny.output(quantizeDequantize(tiny, "out", tiny.node("Relu", "r", {c}), 0.01f, 0, DataType::UInt8));
        const Pair pair = bothWays(tiny, {noise({2, 4, 5, 5})}, {tiny.graph.findValue("out"), w});
        QVERIFY(at::allclose(pair.optimized[0], pair.plain[0], 0, 0.0101));   // a code may fall on the other side of a tie
        QVERIFY(sameBits(pair.optimized[1], pair.plain[1]));
    }

    void foreignFusedOperatorsAreRefused()
    {
        TinyGraph tiny;
        tiny.output(tiny.node("FakeQuantize", "y", {tiny.input("x", {2})}));
        tiny.graph.node(tiny.nodeId("y")).domain = "quantscope";
        QCOMPARE(unsupportedNodes(tiny.graph).size(), std::size_t(1));
        QVERIFY_EXCEPTION_THROWN(Executor(shared(tiny)), Error);
    }

    void sameBitsForThreadsAndBatches()
    {
        TinyGraph tiny;
        const std::vector<std::int64_t> ones(4, 1);
        const ValueId x = tiny.input("x", {-1, 3, 20, 20});
        const ValueId a = tiny.node("Relu", "a", {conv(tiny, "ca", x, 3, 32, 3, {{"pads", ones}, {"strides", std::vector<std::int64_t>{2, 2}}})});
        const ValueId b = quantizeDequantize(tiny, "b", tiny.node("Relu", "rb", {conv(tiny, "cb", a, 32, 32, 3, {{"pads", ones}}, 32)}), 0.02f, 0, DataType::UInt8);
        const ValueId c = tiny.node("Add", "c", {conv(tiny, "cc", b, 32, 32), a});
        tiny.output(tiny.node("Relu", "y", {conv(tiny, "cy", c, 32, 130)}));
        Executor executor(shared(tiny));
        const at::Tensor feed = noise({8, 3, 20, 20});
        const int before = engineThreads();
        configureEngine(1);
        const at::Tensor expected = executor.run(std::vector{feed}).at(0);
        for (const int threads : {1, 2, 3}) {
            configureEngine(threads);
            QVERIFY(sameBits(executor.run(std::vector{feed}).at(0), expected));
            for (std::int64_t i = 0; i < 8; ++i)
                QVERIFY(sameBits(executor.run(std::vector{feed.slice(0, i, i + 1)}).at(0), expected.slice(0, i, i + 1)));
            QVERIFY(sameBits(executor.run(std::vector{feed.slice(0, 2, 5)}).at(0), expected.slice(0, 2, 5)));
        }
        configureEngine(before);
    }
};

QTEST_APPLESS_MAIN(TestExecutorFusion)
#include "tst_executor_fusion.moc"

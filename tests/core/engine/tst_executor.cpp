#include "core/exec/executor.h"
#include "tests/support/tiny_graph.h"

#include <malloc.h>

using namespace core;
using tests::TinyGraph;

namespace {

at::Tensor floats(std::vector<std::int64_t> sizes, std::vector<float> values)
{
    return at::tensor(values).reshape(sizes);
}

std::vector<float> listOf(const at::Tensor &tensor)
{
    const at::Tensor flat = tensor.detach().to(at::kFloat).contiguous();
    return {flat.data_ptr<float>(), flat.data_ptr<float>() + flat.numel()};
}

std::shared_ptr<const Graph> shared(const TinyGraph &tiny)
{
    return std::make_shared<const Graph>(tiny.graph);
}

std::string errorOf(const std::function<void()> &call)
{
    try {
        call();
    } catch (const Error &error) {
        return error.sentence();
    }
    return "no error";
}

bool sameBits(const at::Tensor &a, const at::Tensor &b)
{
    const at::Tensor x = a.contiguous(), y = b.contiguous();
    return x.sizes() == y.sizes() && x.scalar_type() == y.scalar_type() && std::memcmp(x.data_ptr(), y.data_ptr(), x.nbytes()) == 0;
}

// y = (a + b) * c
TinyGraph arithmetic()
{
    TinyGraph tiny;
    const ValueId a = tiny.input("a", {2}), b = tiny.input("b", {2}), c = tiny.constant("c", {2}, {2, 3});
    tiny.output(tiny.node("Mul", "y", {tiny.node("Add", "sum", {a, b}), c}));
    return tiny;
}

TinyGraph smallNetwork()
{
    TinyGraph tiny;
    const ValueId x = tiny.input("x", {-1, 3, 12, 12});
    const auto weight = [&](const char *name, std::vector<std::int64_t> dims, float step) {
        std::vector<float> values(std::size_t(elementCount(dims)));
        for (std::size_t i = 0; i < values.size(); ++i)
            values[i] = step * float(int(i * 37 % 29) - 14);
        return tiny.constant(name, dims, values);
    };
    const std::vector<std::int64_t> same{1, 1, 1, 1}, two{2, 2};
    const ValueId c1 = tiny.node("Conv", "c1", {x, weight("w1", {16, 3, 3, 3}, 0.02f), weight("b1", {16}, 0.1f)}, {{"pads", same}, {"strides", two}});
    const ValueId r1 = tiny.node("Relu", "r1", {c1});
    const ValueId c2 = tiny.node("Conv", "c2", {r1, weight("w2", {16, 1, 3, 3}, 0.05f), weight("b2", {16}, 0.05f)},
                                 {{"pads", same}, {"group", std::int64_t(16)}});
    const ValueId r2 = tiny.node("Clip", "r2", {c2, tiny.constant("low", {}, {0}), tiny.constant("high", {}, {6})});
    const ValueId c3 = tiny.node("Conv", "c3", {r2, weight("w3", {16, 16, 1, 1}, 0.03f)});
    const ValueId add = tiny.node("Add", "add", {c3, r1});
    const ValueId pool = tiny.node("GlobalAveragePool", "pool", {add});
    const ValueId flat = tiny.node("Flatten", "flat", {pool});
    tiny.output(tiny.node("Gemm", "y", {flat, weight("w4", {10, 16}, 0.1f), weight("b4", {10}, 0.1f)}, {{"transB", std::int64_t(1)}}));
    return tiny;
}

at::Tensor noise(std::vector<std::int64_t> sizes)
{
    std::int64_t count = 1;
    for (const auto size : sizes)
        count *= size;
    return (at::arange(count, at::kLong) * 7919 % 1009).to(at::kFloat).reshape(sizes) / 500 - 1;
}

} // namespace

class TestExecutor : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void feedsFetchesTaps()
    {
        TinyGraph tiny = arithmetic();
        const Graph &graph = tiny.graph;
        const ValueId a = graph.findValue("a"), c = graph.findValue("c"), sum = graph.findValue("sum"), y = graph.findValue("y");
        ExecutorOptions options;
        options.fetches = {y, c, a, y};
        options.taps = {y, sum, c, a};
        Executor executor(shared(tiny), options);
        QCOMPARE(executor.feeds(), graph.inputs);
        QCOMPARE(executor.fetches(), options.fetches);
        std::vector<std::string> seen;
        const auto results = executor.run(std::vector{floats({2}, {1, 2}), floats({2}, {10, 20})}, [&](ValueId id, const at::Tensor &tensor) {
            seen.push_back(graph.value(id).name + "=" + std::to_string(int(listOf(tensor)[1])));
        });
        QCOMPARE(listOf(results.at(0)), (std::vector<float>{22, 66}));
        QCOMPARE(listOf(results.at(1)), (std::vector<float>{2, 3}));
        QCOMPARE(listOf(results.at(2)), (std::vector<float>{1, 2}));
        QCOMPARE(listOf(results.at(3)), (std::vector<float>{22, 66}));
        QCOMPARE(seen, (std::vector<std::string>{"c=3", "a=2", "sum=22", "y=66"}));
    }

    void partialRun()
    {
        TinyGraph tiny = arithmetic();
        ExecutorOptions options;
        options.feeds = {tiny.graph.findValue("sum")};
        QCOMPARE(listOf(Executor(shared(tiny), options).run(std::vector{floats({2}, {5, 6})}).at(0)), (std::vector<float>{10, 18}));
        options.feeds = {tiny.graph.findValue("sum"), tiny.graph.findValue("c")};   // a fed constant is the one that is fed
        QCOMPARE(listOf(Executor(shared(tiny), options).run(std::vector{floats({2}, {5, 6}), floats({2}, {1, 1})}).at(0)), (std::vector<float>{5, 6}));
    }

    void onlyNeededNodesRun()
    {
        TinyGraph tiny = arithmetic();
        tiny.node("NoSuchOperator", "unused", {tiny.graph.findValue("y")});
        QCOMPARE(listOf(Executor(shared(tiny)).run(std::vector{floats({2}, {1, 2}), floats({2}, {0, 0})}).at(0)), (std::vector<float>{2, 6}));
    }

    void wrongFeeds()
    {
        TinyGraph tiny = arithmetic();
        ExecutorOptions options;
        options.feeds = {tiny.graph.findValue("a")};
        QCOMPARE(errorOf([&] { Executor(shared(tiny), options); }),
                 std::string("Tensor 'b' is needed by Node 'sum' (Add), but is neither fed nor computed before."));
        Executor executor(shared(tiny));
        QCOMPARE(errorOf([&] { executor.run(std::vector{floats({2}, {1, 2})}); }),
                 std::string("The model takes 2 inputs, 1 were given. The first missing one is 'b'."));
        QCOMPARE(errorOf([&] { executor.run(std::vector{floats({2}, {1, 2}), floats({1, 2}, {1, 2})}); }),
                 std::string("Input 'b': it has the shape [1 x 2], but the model declares [2]."));
        QCOMPARE(errorOf([&] { executor.run(std::vector{floats({2}, {1, 2}), floats({3}, {1, 2, 3})}); }),
                 std::string("Input 'b': it has the shape [3], but the model declares [2]."));
        QCOMPARE(errorOf([&] { executor.run(std::vector{floats({2}, {1, 2}), at::Tensor()}); }), std::string("Input 'b': no tensor was given."));
        options.feeds = {tiny.graph.findValue("a"), tiny.graph.findValue("a"), tiny.graph.findValue("b")};
        QCOMPARE(errorOf([&] { Executor(shared(tiny), options); }), std::string("Tensor 'a' is fed twice."));
        options.feeds = {ValueId{99}};
        QVERIFY(errorOf([&] { Executor(shared(tiny), options); }).find("id 99") != std::string::npos);
    }

    void typesOfFeeds()
    {
        TinyGraph tiny;
        const ValueId index = tiny.input("index", {2}, DataType::Int64);
        tiny.output(tiny.node("Gather", "y", {tiny.constant("table", {3}, {10, 20, 30}), index}));
        Executor executor(shared(tiny));
        QCOMPARE(listOf(executor.run(std::vector{at::tensor({2, 0}, at::kInt)}).at(0)), (std::vector<float>{30, 10}));
        QCOMPARE(listOf(executor.run(std::vector{floats({2}, {1, 2})}).at(0)), (std::vector<float>{20, 30}));
        QCOMPARE(errorOf([&] { executor.run(std::vector{floats({2}, {1.5, 2})}); }),
                 std::string("Input 'index': it holds values that do not fit its type, int64."));
        TinyGraph sums = arithmetic();
        const at::Tensor y = Executor(shared(sums)).run(std::vector{floats({2}, {1, 2}).to(at::kDouble), floats({2}, {1, 2}).to(at::kHalf)}).at(0);
        QCOMPARE(y.scalar_type(), at::kFloat);
        QCOMPARE(listOf(y), (std::vector<float>{4, 12}));
    }

    void halfConstantsComputeInFloat()
    {
        TinyGraph tiny;
        const ValueId x = tiny.input("x", {2}, DataType::Float16);
        const std::vector<std::byte> bits{std::byte(0x00), std::byte(0x3c), std::byte(0x00), std::byte(0xc1)};   // 1, −2.5
        const ValueId c = tiny.graph.addConstant("c", TensorData::fromBytes(DataType::Float16, {2}, bits));
        tiny.output(tiny.node("Mul", "y", {x, c}, {}, DataType::Float16));
        const at::Tensor y = Executor(shared(tiny)).run(std::vector{floats({2}, {3, 0.1f})}).at(0);
        QCOMPARE(y.scalar_type(), at::kFloat);
        QCOMPARE(listOf(y), (std::vector<float>{3, -0.25f}));
    }

    void omittedInputsAndOutputs()
    {
        TinyGraph tiny;
        const ValueId x = tiny.input("x", {4});
        const ValueId clipped = tiny.node("Clip", "clipped", {x, ValueId{}, tiny.constant("high", {}, {2})});
        const ValueId best = tiny.node("TopK", "best", {clipped, tiny.integers("k", {2})}, {}, DataType::Float32, 2);
        tiny.graph.node(tiny.nodeId("best")).outputs[1] = ValueId{};
        tiny.output(best);
        QCOMPARE(listOf(Executor(shared(tiny)).run(std::vector{floats({4}, {-1, 1, 5, 0})}).at(0)), (std::vector<float>{2, 1}));
    }

    void kernelErrorsNameNodeAndShapes()
    {
        TinyGraph tiny;
        const ValueId x = tiny.input("x", {-1, 3});
        tiny.output(tiny.node("Add", "join", {x, tiny.constant("c", {2}, {1, 2})}));
        Executor executor(shared(tiny));
        const std::string text = errorOf([&] { executor.run(std::vector{floats({1, 3}, {1, 2, 3})}); });
        QVERIFY2(text.starts_with("Node 'join' (Add): ") && text.ends_with(" Its inputs have the shapes [1 x 3], [2]."), text.c_str());
        QVERIFY2(text.find('\n') == std::string::npos && text.find("Exception raised") == std::string::npos, text.c_str());
    }

    void unsupportedAreListedTogether()
    {
        TinyGraph tiny;
        const ValueId x = tiny.input("x", {2});
        const ValueId a = tiny.node("NoSuchOperator", "first", {x});
        const ValueId b = tiny.node("DepthToSpace", "second", {a}, {{"mode", std::string("odd")}});
        tiny.output(b);
        tiny.graph.node(tiny.nodeId("first")).domain = "com.acme";
        const Diagnostics problems = unsupportedNodes(tiny.graph);
        QCOMPARE(problems.size(), std::size_t(2));
        QCOMPARE(problems[0].node, std::string("first"));
        QCOMPARE(problems[0].sentence, std::string("Node 'first' (com.acme.NoSuchOperator): operator NoSuchOperator of domain 'com.acme' cannot be run."));
        QVERIFY(problems[1].sentence.find("'odd'") != std::string::npos);
        const std::string text = errorOf([&] { Executor executor(shared(tiny)); });
        QCOMPARE(text, problems[0].sentence + "\n" + problems[1].sentence);
    }

    void ifTakesItsBranch()
    {
        // then: x + k, else: x (both captured); k lives outside.
        auto yes = std::make_shared<Graph>(), no = std::make_shared<Graph>();
        Node add;
        add.opType = "Add";
        add.inputs = {yes->addValue("x"), yes->addValue("k")};
        add.outputs = {yes->addValue("sum")};
        yes->outputs = add.outputs;
        yes->addNode(add);
        no->outputs = {no->addValue("x")};
        TinyGraph tiny;
        const ValueId condition = tiny.input("condition", {}, DataType::Bool), x = tiny.input("x", {2});
        tiny.constant("k", {2}, {10, 20});
        tiny.output(tiny.node("If", "choice", {condition},
                              {{"then_branch", std::shared_ptr<const Graph>(yes)}, {"else_branch", std::shared_ptr<const Graph>(no)}}));
        Executor executor(shared(tiny));
        QCOMPARE(listOf(executor.run(std::vector{at::full({}, true, at::kBool), floats({2}, {1, 2})}).at(0)), (std::vector<float>{11, 22}));
        QCOMPARE(listOf(executor.run(std::vector{at::full({}, false, at::kBool), floats({2}, {1, 2})}).at(0)), (std::vector<float>{1, 2}));
        Q_UNUSED(x);
    }

    void loopsAreUnsupported()
    {
        TinyGraph tiny;
        tiny.output(tiny.node("Loop", "again", {tiny.input("x", {2})}));
        QCOMPARE(unsupportedNodes(tiny.graph).at(0).sentence, std::string("Node 'again' (Loop): loops cannot be run; export the model with the loop unrolled."));
    }

    void nothingAliveIsOverwritten()
    {
        // neg is read by a view that is fetched, and by Abs, which may work in place.
        TinyGraph tiny;
        const ValueId x = tiny.input("x", {4});
        const ValueId neg = tiny.node("Neg", "neg", {x});
        tiny.output(tiny.node("Reshape", "view", {neg, tiny.integers("shape", {2, 2})}));
        tiny.output(tiny.node("Abs", "abs", {neg}));
        tiny.output(tiny.node("Exp", "exp", {x}));
        const at::Tensor feed = floats({4}, {1, -2, 0, 3});
        const auto results = Executor(shared(tiny)).run(std::vector{feed});
        QCOMPARE(listOf(results.at(0)), (std::vector<float>{-1, 2, 0, -3}));
        QCOMPARE(listOf(results.at(1)), (std::vector<float>{1, 2, 0, 3}));
        QCOMPARE(listOf(feed), (std::vector<float>{1, -2, 0, 3}));
    }

    void deadTensorsAreOverwrittenAndFreed()
    {
        TinyGraph tiny;
        const ValueId x = tiny.input("x", {4});
        const ValueId a = tiny.node("Neg", "a", {x}), b = tiny.node("Abs", "b", {a}), c = tiny.node("Shape", "c", {b}, {}, DataType::Int64);
        tiny.output(c);
        ExecutorOptions options;
        options.taps = {a, b, c};
        void *first = nullptr, *second = nullptr;
        c10::weak_intrusive_ptr<at::TensorImpl> watched{c10::intrusive_ptr<at::TensorImpl, at::UndefinedTensorImpl>()};
        bool freed = false;
        Executor(shared(tiny), options).run(std::vector{floats({4}, {1, -2, 0, 3})}, [&](ValueId id, const at::Tensor &tensor) {
            if (id == a)
                first = tensor.data_ptr();
            if (id == b) {
                second = tensor.data_ptr();
                watched = c10::weak_intrusive_ptr<at::TensorImpl>(tensor.getIntrusivePtr());
            }
            if (id == c)
                freed = watched.expired();
        });
        QCOMPARE(first, second);
        QVERIFY(freed);
    }

    void gradientsMatchDifferences()
    {
        TinyGraph tiny = smallNetwork();
        ExecutorOptions options;
        options.autograd = true;
        Executor executor(shared(tiny), options);
        const ValueId weight = tiny.graph.findValue("w2");
        at::Tensor w = executor.parameters().at(weight), x = noise({2, 3, 12, 12}).requires_grad_();
        QVERIFY(w.is_leaf() && w.requires_grad());
        const auto loss = [&] { return executor.run(std::vector{x}).at(0).pow(2).sum(); };
        loss().backward();
        const at::NoGradGuard guard;
        const auto slope = [&](at::Tensor target, std::int64_t index) {
            auto *data = target.data_ptr<float>();
            const float kept = data[index], step = 1e-2f;
            data[index] = kept + step;
            const double above = loss().item<double>();
            data[index] = kept - step;
            const double below = loss().item<double>();
            data[index] = kept;
            return (above - below) / (2 * step);
        };
        for (const std::int64_t index : {0, 40, 100}) {
            const double found = w.grad().reshape({-1})[index].item<double>(), expected = slope(w, index);
            QVERIFY2(std::abs(found - expected) <= 0.03 * std::abs(expected) + 1e-3, qPrintable(QString("%1 %2").arg(found).arg(expected)));
        }
        for (const std::int64_t index : {3, 300, 800}) {
            const double found = x.grad().reshape({-1})[index].item<double>(), expected = slope(x, index);
            QVERIFY2(std::abs(found - expected) <= 0.03 * std::abs(expected) + 1e-3, qPrintable(QString("%1 %2").arg(found).arg(expected)));
        }
        QVERIFY(!Executor(shared(tiny)).run(std::vector{x}).at(0).requires_grad());
    }

    void activationsStayChannelsLast()
    {
        TinyGraph tiny = smallNetwork();
        ExecutorOptions options;
        options.taps = {tiny.graph.findValue("x"), tiny.graph.findValue("r1"), tiny.graph.findValue("add")};
        int seen = 0;
        Executor(shared(tiny), options).run(std::vector{noise({2, 3, 12, 12})}, [&](ValueId, const at::Tensor &tensor) {
            ++seen;
            QVERIFY(tensor.is_contiguous(at::MemoryFormat::ChannelsLast));
        });
        QCOMPARE(seen, 3);
    }

    void sameBitsForThreadsAndBatches()
    {
        TinyGraph tiny = smallNetwork();
        const at::Tensor x = noise({8, 3, 12, 12});
        Executor executor(shared(tiny));
        const int before = engineThreads();
        configureEngine(1);
        const at::Tensor expected = executor.run(std::vector{x}).at(0);
        for (const int threads : {2, 3}) {
            configureEngine(threads);
            QCOMPARE(engineThreads(), threads);
            QVERIFY(sameBits(executor.run(std::vector{x}).at(0), expected));
            for (std::int64_t i = 0; i < 8; ++i)
                QVERIFY(sameBits(executor.run(std::vector{x.slice(0, i, i + 1)}).at(0), expected.slice(0, i, i + 1)));
        }
        configureEngine(before);
        QVERIFY(errorOf([] { configureEngine(-1); }).find("-1 threads") != std::string::npos);
    }

    void optimizedEqualsPlain()
    {
        TinyGraph tiny = smallNetwork();
        const at::Tensor x = noise({2, 3, 12, 12});
        ExecutorOptions plain;
        plain.optimize = false;
        const at::Tensor expected = Executor(shared(tiny), plain).run(std::vector{x}).at(0), found = Executor(shared(tiny)).run(std::vector{x}).at(0);
        QVERIFY(at::allclose(found, expected, 1e-5, 1e-6));
    }

    void memoryDoesNotGrow()
    {
        TinyGraph tiny = smallNetwork();
        Executor executor(shared(tiny));
        const at::Tensor x = noise({2, 3, 12, 12});
        for (int i = 0; i < 10; ++i)
            executor.run(std::vector{x});
        const std::size_t before = mallinfo2().uordblks;
        for (int i = 0; i < 200; ++i)
            executor.run(std::vector{x});
        QVERIFY(mallinfo2().uordblks < before + 65536);
    }

    void constantsRoundTrip_data()
    {
        QTest::addColumn<int>("type");
        QTest::addColumn<int>("torchType");
        QTest::newRow("float16") << int(DataType::Float16) << int(at::kFloat);
        QTest::newRow("bfloat16") << int(DataType::BFloat16) << int(at::kFloat);
        QTest::newRow("fp8") << int(DataType::Float8E4M3FN) << int(at::kFloat);
        QTest::newRow("float64") << int(DataType::Float64) << int(at::kDouble);
        QTest::newRow("uint8") << int(DataType::UInt8) << int(at::kByte);
        QTest::newRow("int8") << int(DataType::Int8) << int(at::kChar);
        QTest::newRow("uint16") << int(DataType::UInt16) << int(at::kInt);
        QTest::newRow("uint32") << int(DataType::UInt32) << int(at::kLong);
        QTest::newRow("uint64") << int(DataType::UInt64) << int(at::kLong);
        QTest::newRow("int4") << int(DataType::Int4) << int(at::kChar);
        QTest::newRow("uint2") << int(DataType::UInt2) << int(at::kByte);
    }

    void constantsRoundTrip()
    {
        QFETCH(int, type);
        QFETCH(int, torchType);
        const auto dataType = DataType(type);
        // Bits 0x01 and 0x30 repeated are finite and valid in every type.
        std::vector<std::byte> bytes(std::size_t(byteSize(dataType, 6)));
        for (std::size_t i = 0; i < bytes.size(); ++i)
            bytes[i] = std::byte(i % 2 ? 0x30 : 0x01);
        const TensorData data = TensorData::fromBytes(dataType, {2, 3}, bytes);
        const at::Tensor tensor = toTensor(data);
        QCOMPARE(int(tensor.scalar_type()), torchType);
        QCOMPARE(tensor.sizes(), at::IntArrayRef({2, 3}));
        if (bitsPerElement(dataType) * 6 % 8 == 0)
            QVERIFY(toTensorData(tensor, dataType).sameAs(data));
        QCOMPARE(toTensorData(tensor, dataType).toDoubles(), data.toDoubles());
    }

    void constantsKeepTheirOrder()
    {
        const at::Tensor transposed = floats({2, 3}, {1, 2, 3, 4, 5, 6}).t();
        QCOMPARE(toTensorData(transposed).toFloats(), (std::vector<float>{1, 4, 2, 5, 3, 6}));
        QCOMPARE(toTensorData(transposed).dims, (std::vector<std::int64_t>{3, 2}));
        QVERIFY(errorOf([] { toTensorData(at::tensor({300}), DataType::UInt8); }) != "no error");
        TensorData text;
        text.type = DataType::String;
        QVERIFY(errorOf([&] { toTensor(text); }).find("string") != std::string::npos);
    }
};

QTEST_APPLESS_MAIN(TestExecutor)
#include "tst_executor.moc"

#include "core/exec/constant_folding.h"
#include "core/exec/executor.h"
#include "tests/support/tiny_graph.h"

using namespace core;
using tests::TinyGraph;

namespace {

std::vector<std::string> typesOf(const Graph &graph)
{
    std::vector<std::string> types;
    for (const NodeId id : graph.order())
        types.push_back(graph.node(id).opType);
    return types;
}

std::vector<std::string> list(std::initializer_list<std::string> names)
{
    return names;
}

void makeDynamic(TinyGraph &tiny, ValueId id, const std::string &symbol)
{
    tiny.graph.value(id).shape->front() = {-1, symbol};
}

std::vector<std::int64_t> constantInts(const Graph &graph, const std::string &node, std::size_t input)
{
    const TensorData *data = graph.constant(graph.node(graph.findNode(node)).input(input));
    return data ? data->toInt64s() : std::vector<std::int64_t>{-999};
}

std::shared_ptr<Graph> branchOf(const std::string &opType, const std::string &input, const std::string &name)
{
    auto body = std::make_shared<Graph>();
    Node node;
    node.opType = opType;
    node.name = name;
    node.inputs = {body->addValue(input)};
    node.outputs = {body->addValue(name)};
    body->outputs = node.outputs;
    body->addNode(node);
    return body;
}

} // namespace

class TestConstantFolding : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void constantNodesBecomeConstants()
    {
        TinyGraph tiny;
        const ValueId x = tiny.input("x", {2});
        const ValueId a = tiny.node("Constant", "a", {}, {{"value", TensorData::fromFloats({2}, std::vector<float>{1, 2})}});
        const ValueId b = tiny.node("Mul", "b", {a, tiny.constant("two", {}, {2})});
        tiny.output(tiny.node("Add", "y", {x, b}));
        const FoldingReport report = foldConstants(tiny.graph);
        QCOMPARE(report.nodesBefore, std::size_t(3));
        QCOMPARE(report.nodesAfter, std::size_t(1));
        QCOMPARE(tiny.graph.constant(tiny.graph.node(tiny.nodeId("y")).input(1))->toFloats(), (std::vector<float>{2, 4}));
        QVERIFY(!tiny.graph.findValue("two").valid());
    }

    void typesAreKept()
    {
        TinyGraph tiny;
        const ValueId x = tiny.input("x", {2}, DataType::Float16);
        const ValueId c = tiny.constant("c", {2}, {1.5f, 70000.0f});
        const ValueId half = tiny.node("Cast", "half", {c}, {{"to", std::int64_t(DataType::Float16)}}, DataType::Float16);
        tiny.output(tiny.node("Mul", "y", {x, half}, {}, DataType::Float16));
        const ValueId codes = tiny.graph.addConstant("codes", TensorData::fromIntegers(DataType::UInt16, {2}, std::vector<std::int64_t>{1, 65535}));
        const ValueId turned = tiny.node("Reshape", "turned", {codes, tiny.integers("shape", {2, 1})}, {}, DataType::UInt16);
        tiny.output(tiny.node("DequantizeLinear", "z", {turned, tiny.constant("s", {}, {1})}));
        foldConstants(tiny.graph);
        const Graph &graph = tiny.graph;
        const TensorData *folded = graph.constant(graph.node(graph.findNode("y")).input(1));
        QVERIFY(folded && folded->type == DataType::Float16);
        QCOMPARE(folded->toFloats(), (std::vector<float>{1.5f, std::numeric_limits<float>::infinity()}));
        folded = graph.constant(graph.node(graph.findNode("z")).input(0));
        QVERIFY(folded && folded->type == DataType::UInt16);
        QCOMPARE(folded->toInt64s(), (std::vector<std::int64_t>{1, 65535}));
        QCOMPARE(folded->dims, (std::vector<std::int64_t>{2, 1}));
    }

    void quantizedWeightsStay()
    {
        TinyGraph tiny;
        const ValueId x = tiny.input("x", {1, 2, 4, 4}), s = tiny.constant("s", {}, {0.5f});
        const ValueId codes = tiny.graph.addConstant("codes", TensorData::fromIntegers(DataType::Int8, {2, 2, 1, 1}, std::vector<std::int64_t>{1, 2, 3, 4}));
        tiny.output(tiny.node("Conv", "y", {x, tiny.node("DequantizeLinear", "w", {codes, s})}));
        const ValueId z = tiny.graph.addConstant("z", TensorData::fromIntegers(DataType::Int8, {}, std::vector<std::int64_t>{0}));
        const ValueId q = tiny.node("QuantizeLinear", "q", {tiny.constant("float", {2}, {1, 2}), s, z}, {}, DataType::Int8);
        tiny.output(tiny.node("DequantizeLinear", "v", {q, s, z}));
        foldConstants(tiny.graph);
        QCOMPARE(typesOf(tiny.graph), list({"DequantizeLinear", "Conv", "QuantizeLinear", "DequantizeLinear"}));
    }

    void randomStays()
    {
        TinyGraph tiny;
        const ValueId noise = tiny.node("RandomNormalLike", "noise", {tiny.constant("c", {2})});
        tiny.output(tiny.node("Add", "y", {tiny.input("x", {2}), noise}));
        foldConstants(tiny.graph);
        QCOMPARE(typesOf(tiny.graph), list({"RandomNormalLike", "Add"}));
    }

    void bombsAreNotComputed()
    {
        TinyGraph tiny;
        const ValueId huge = tiny.node("ConstantOfShape", "huge", {tiny.integers("shape", {1 << 20, 1 << 12})});
        const ValueId wide = tiny.node("Expand", "wide", {tiny.constant("one", {1}), tiny.integers("sizes", {100, 101})});
        tiny.output(tiny.node("Add", "y", {tiny.input("x", {1}), huge}));
        tiny.output(tiny.node("Add", "z", {tiny.input("v", {1}), wide}));
        Graph copy = tiny.graph;
        foldConstants(copy, 10000);
        QCOMPARE(typesOf(copy), list({"ConstantOfShape", "Expand", "Add", "Add"}));
        foldConstants(tiny.graph, 10100);
        QCOMPARE(typesOf(tiny.graph), list({"ConstantOfShape", "Add", "Add"}));
        // Each is allowed, all together are not: 8 × 100 elements.
        TinyGraph many;
        ValueId sum = many.input("x", {1});
        for (int i = 0; i < 20; ++i)
            sum = many.node("Add", "add" + std::to_string(i), {sum, many.node("ConstantOfShape", "c" + std::to_string(i), {many.integers("n" + std::to_string(i), {100})})});
        many.output(sum);
        foldConstants(many.graph, 100);
        QCOMPARE(many.graph.nodeCount(), std::size_t(20 + 12));
    }

    void noOperationsDisappear()
    {
        TinyGraph tiny;
        ValueId v = tiny.node("Relu", "first", {tiny.input("x", {2, 3, 4, 4})});
        v = tiny.node("Identity", "n1", {v});
        v = tiny.node("Dropout", "n2", {v, tiny.constant("ratio", {}, {0.5f})}, {}, DataType::Float32, 2);
        v = tiny.node("Cast", "n3", {v}, {{"to", std::int64_t(DataType::Float32)}});
        v = tiny.node("Reshape", "n4", {v, tiny.integers("shape", {0, -1, 4, 4})});
        v = tiny.node("Transpose", "n5", {v}, {{"perm", std::vector<std::int64_t>{0, 1, 2, 3}}});
        v = tiny.node("Pad", "n6", {v, tiny.integers("pads", {0, 0, 0, 0, 0, 0, 0, 0})});
        v = tiny.node("Slice", "n7", {v, tiny.integers("starts", {0}), tiny.integers("ends", {std::numeric_limits<std::int64_t>::max()}), tiny.integers("axes", {2})});
        v = tiny.node("Concat", "n8", {v}, {{"axis", std::int64_t(1)}});
        v = tiny.node("Expand", "n9", {v, tiny.integers("sizes", {1, 1, 4, 1})});
        tiny.output(tiny.node("Sigmoid", "y", {v}));
        foldConstants(tiny.graph);
        QCOMPARE(typesOf(tiny.graph), list({"Relu", "Sigmoid"}));
    }

    void realOperationsStay()
    {
        TinyGraph tiny;
        ValueId v = tiny.node("Relu", "first", {tiny.input("x", {2, 2, 4, 4})});
        v = tiny.node("Cast", "n3", {v}, {{"to", std::int64_t(DataType::Float16)}}, DataType::Float16);
        v = tiny.node("Reshape", "n4", {v, tiny.integers("shape", {2, 2, 16})}, {}, DataType::Float16);
        v = tiny.node("Transpose", "n5", {v}, {{"perm", std::vector<std::int64_t>{1, 0, 2}}}, DataType::Float16);
        v = tiny.node("Slice", "n7", {v, tiny.integers("starts", {-1}), tiny.integers("ends", {-100}), tiny.integers("axes", {2}), tiny.integers("steps", {-1})}, {},
                      DataType::Float16);
        tiny.output(v);
        foldConstants(tiny.graph);
        QCOMPARE(tiny.graph.nodeCount(), std::size_t(5));
    }

    void namesOfOutputsAreKept()
    {
        TinyGraph tiny;
        const ValueId x = tiny.input("x", {2});
        tiny.output(tiny.node("Identity", "copy", {x}));                              // must stay: input and output
        const ValueId a = tiny.node("Relu", "a", {x});
        tiny.output(tiny.node("Identity", "renamed", {a}));                           // Relu makes it
        tiny.output(tiny.node("Sigmoid", "s", {a}));
        tiny.output(tiny.node("Identity", "again", {tiny.graph.findValue("s")}));    // two outputs with one source
        foldConstants(tiny.graph);
        QCOMPARE(typesOf(tiny.graph), list({"Identity", "Relu", "Sigmoid", "Identity"}));
        std::vector<std::string> names;
        for (const ValueId id : tiny.graph.outputs)
            names.push_back(tiny.graph.value(id).name);
        QCOMPARE(names, list({"copy", "renamed", "s", "again"}));
        const auto results = Executor(std::make_shared<const Graph>(tiny.graph)).run(std::vector{at::tensor({-1.0f, 0.0f})});
        QCOMPARE(results[0][0].item<float>(), -1.0f);
        QCOMPARE(results[1][0].item<float>(), 0.0f);
        QCOMPARE(results[3][1].item<float>(), 0.5f);
    }

    void shapeArithmeticDisappears()
    {
        // Pads computed from the known height; batch not known.
        TinyGraph tiny;
        const ValueId x = tiny.input("x", {1, 3, 5, 6});
        makeDynamic(tiny, x, "N");
        const ValueId shape = tiny.node("Shape", "shape", {x}, {}, DataType::Int64);
        const ValueId height = tiny.node("Gather", "height", {shape, tiny.integers("two", {2})}, {}, DataType::Int64);
        const ValueId odd = tiny.node("Mod", "odd", {height, tiny.integers("m", {2})}, {}, DataType::Int64);
        const ValueId pads = tiny.node("Concat", "pads", {tiny.integers("zeros", {0, 0, 0, 0, 0, 0}), odd, tiny.integers("zero", {0})}, {{"axis", std::int64_t(0)}},
                                       DataType::Int64);
        const ValueId padded = tiny.node("Pad", "padded", {x, pads});
        tiny.output(tiny.node("Relu", "y", {padded}));
        foldConstants(tiny.graph);
        QCOMPARE(typesOf(tiny.graph), list({"Pad", "Relu"}));
        QCOMPARE(constantInts(tiny.graph, "padded", 1), (std::vector<std::int64_t>{0, 0, 0, 0, 0, 0, 1, 0}));
    }

    void reshapeKeepsAnOpenBatch()
    {
        TinyGraph tiny;
        const ValueId x = tiny.input("x", {1, 4, 2, 3});
        makeDynamic(tiny, x, "N");
        const ValueId first = tiny.node("Slice", "first", {tiny.node("Shape", "shape", {x}, {}, DataType::Int64), tiny.integers("from", {0}), tiny.integers("to", {1})}, {},
                                        DataType::Int64);
        const ValueId sizes = tiny.node("Concat", "sizes", {first, tiny.integers("rest", {24})}, {{"axis", std::int64_t(0)}}, DataType::Int64);
        tiny.output(tiny.node("Reshape", "y", {x, sizes}));
        foldConstants(tiny.graph);
        QCOMPARE(typesOf(tiny.graph), list({"Reshape"}));
        QCOMPARE(constantInts(tiny.graph, "y", 1), (std::vector<std::int64_t>{0, 24}));
        const at::Tensor y = Executor(std::make_shared<const Graph>(tiny.graph)).run(std::vector{at::zeros({5, 4, 2, 3})}).at(0);
        QCOMPARE(y.sizes(), at::IntArrayRef({5, 24}));
    }

    void constantIfTakesItsBranch()
    {
        for (const bool taken : {true, false}) {
            TinyGraph tiny;
            const ValueId x = tiny.input("x", {2});
            const ValueId inner = tiny.node("Neg", "t", {x});   // the branch has a value of this name too
            const ValueId condition = tiny.graph.addConstant("yes", TensorData::fromIntegers(DataType::Bool, {}, std::vector<std::int64_t>{taken}));
            auto yes = branchOf("Abs", "t", "made"), no = branchOf("Exp", "x", "t");
            tiny.output(tiny.node("If", "choice", {condition}, {{"then_branch", std::shared_ptr<const Graph>(yes)}, {"else_branch", std::shared_ptr<const Graph>(no)}}));
            tiny.output(inner);
            foldConstants(tiny.graph);
            QCOMPARE(typesOf(tiny.graph), taken ? list({"Neg", "Abs"}) : list({"Neg", "Exp"}));
            QCOMPARE(tiny.graph.value(tiny.graph.outputs[0]).name, std::string("choice"));
            const auto results = Executor(std::make_shared<const Graph>(tiny.graph)).run(std::vector{at::tensor({0.0f, -2.0f})});
            QCOMPARE(results[0][0].item<float>(), taken ? 0.0f : 1.0f);
            QCOMPARE(results[1][1].item<float>(), 2.0f);
        }
    }

    void branchThatOnlyPassesOn()
    {
        TinyGraph tiny;
        const ValueId x = tiny.node("Relu", "r", {tiny.input("x", {2})});
        auto body = std::make_shared<Graph>();
        body->outputs = {body->addValue("r"), body->addConstant("k", TensorData::fromFloats({1}, std::vector<float>{7}))};
        const ValueId condition = tiny.graph.addConstant("yes", TensorData::fromIntegers(DataType::Bool, {1}, std::vector<std::int64_t>{1}));
        const ValueId first = tiny.node("If", "choice", {condition}, {{"then_branch", std::shared_ptr<const Graph>(body)}, {"else_branch", std::shared_ptr<const Graph>(body)}},
                                        DataType::Float32, 2);
        tiny.output(tiny.node("Add", "y", {first, tiny.graph.findValue("choice:1")}));
        foldConstants(tiny.graph);
        QCOMPARE(typesOf(tiny.graph), list({"Relu", "Add"}));
        QCOMPARE(Executor(std::make_shared<const Graph>(tiny.graph)).run(std::vector{at::tensor({-1.0f, 2.0f})}).at(0)[1].item<float>(), 9.0f);
        Q_UNUSED(x);
    }

    void unusedAndUnordered()
    {
        TinyGraph tiny;
        const ValueId x = tiny.input("x", {2});
        tiny.node("Exp", "unused", {tiny.node("Neg", "unusedToo", {x})});
        const ValueId late = tiny.graph.addValue("late", DataType::Float32);
        tiny.output(tiny.node("Relu", "y", {late}));
        Node node;
        node.opType = "Abs";
        node.inputs = {x};
        node.outputs = {late};
        tiny.graph.addNode(node);
        foldConstants(tiny.graph);
        QCOMPARE(typesOf(tiny.graph), list({"Abs", "Relu"}));
        QVERIFY(!tiny.graph.findValue("unused").valid());
    }

    void batchNormalizationStays()
    {
        TinyGraph tiny;
        const ValueId x = tiny.input("x", {1, 2, 3, 3}), c = tiny.constant("c", {2});
        tiny.output(tiny.node("BatchNormalization", "y", {x, c, c, c, c}));
        foldConstants(tiny.graph);
        QCOMPARE(typesOf(tiny.graph), list({"BatchNormalization"}));
    }

    void unknownOperatorsAreLeft()
    {
        TinyGraph tiny;
        const ValueId made = tiny.node("NoSuchOperator", "made", {tiny.constant("c", {2})});
        tiny.output(tiny.node("Add", "y", {tiny.input("x", {2}), made}));
        foldConstants(tiny.graph);
        QCOMPARE(typesOf(tiny.graph), list({"NoSuchOperator", "Add"}));
    }
};

QTEST_APPLESS_MAIN(TestConstantFolding)
#include "tst_constant_folding.moc"

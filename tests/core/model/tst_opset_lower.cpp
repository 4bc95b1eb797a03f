#include "core/onnx/opset_conversion.h"
#include "tests/support/graph_text.h"
#include "tests/support/tiny_graph.h"

#include <QtTest/QtTest>

using namespace core;
using tests::TinyGraph;
using Ints = std::vector<std::int64_t>;

namespace {

/// The graph in the older form, or why there is none.
QString lowered(TinyGraph &g, int opset)
{
    try {
        lowerTo(g.graph, opset);
        return QString::fromStdString(tests::graphText(g.graph));
    } catch (const Error &error) {
        return "! " + QString::fromStdString(error.sentence());
    }
}

QString refusal(int opset, const QString &nodes)
{
    return QString("! The model cannot be written with operator set %1:\n%2\nChoose a newer operator set.").arg(opset).arg(nodes);
}

/// Lowered and lifted again.
QString thereAndBack(TinyGraph &g, int opset)
{
    lowerTo(g.graph, opset);
    Diagnostics diagnostics;
    liftToNewest(g.graph, opset, diagnostics);
    return QString::fromStdString(tests::graphText(g.graph) + joinSentences(diagnostics));
}

std::int64_t intOf(int value) { return value; }
std::string textOf(const char *value) { return value; }

} // namespace

class TestOpsetLower : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void axesBecomeAttributes()
    {
        TinyGraph g;
        const ValueId x = g.input("x", {1, 3, 1, 1});
        g.node("Squeeze", "a", {x, g.integers("a1", {-1, 2})});
        g.node("Unsqueeze", "b", {x, g.integers("b1", {0, -1})});
        g.node("ReduceSum", "c", {x, g.integers("c1", {1})});
        g.node("ReduceMean", "d", {x, g.integers("d1", {-2})}, {{"keepdims", intOf(0)}});
        g.node("ReduceMax", "e", {x}, {{"noop_with_empty_axes", intOf(1)}});
        TinyGraph at13 = g, at17 = g;
        QCOMPARE(lowered(g, 10), "a = Squeeze(x) axes=[3 2]\nb = Unsqueeze(x) axes=[0 5]\nc = ReduceSum(x) axes=[1]\nd = ReduceMean(x) axes=[2] keepdims=0\ne = Identity(x)");
        QVERIFY(!g.graph.findValue("a1").valid());
        QCOMPARE(lowered(at13, 13), "a = Squeeze(x, [-1 2])\nb = Unsqueeze(x, [0 -1])\nc = ReduceSum(x, [1])\nd = ReduceMean(x) axes=[-2] keepdims=0\ne = Identity(x)");
        QCOMPARE(lowered(at17, 18), "a = Squeeze(x, [-1 2])\nb = Unsqueeze(x, [0 -1])\nc = ReduceSum(x, [1])\nd = ReduceMean(x, [-2]) keepdims=0\n"
                                    "e = ReduceMax(x) noop_with_empty_axes=1");
    }

    void computedAxesAreRefused()
    {
        TinyGraph g;
        const ValueId x = g.input("x"), axes = g.input("axes", {1}, DataType::Int64);
        g.node("Squeeze", "a", {x, axes});
        g.node("ReduceMean", "b", {x, axes});
        TinyGraph newer = g;
        QCOMPARE(lowered(g, 12), refusal(12, "Squeeze 'a': input axes is no constant, which operator set 12 needs.\n"
                                             "ReduceMean 'b': input axes is no constant, which operator set 12 needs."));
        QCOMPARE(QString::fromStdString(tests::graphText(g.graph)), "a = Squeeze(x, axes)\nb = ReduceMean(x, axes)");   // untouched
        QCOMPARE(lowestOpset(newer.graph, 7), 18);
    }

    void inputsBecomeAttributes()
    {
        TinyGraph g;
        const ValueId x = g.input("x");
        g.node("Clip", "clip", {x, g.constant("lo", {}, {0}), g.constant("hi", {}, {6})});
        g.node("Clip", "upper", {x, ValueId{}, g.constant("hi2", {}, {1})});
        g.node("Pad", "pad", {x, g.integers("p", {1, 2}), g.constant("v", {}, {3}), g.integers("pa", {-1})});
        g.node("Slice", "slice", {x, g.integers("s", {1}), g.integers("e", {5}), g.integers("sa", {-2}), g.integers("st", {1})});
        g.node("TopK", "top", {x, g.integers("k", {5})}, {{"largest", intOf(1)}, {"sorted", intOf(0)}}, DataType::Float32, 2);
        g.node("Split", "split", {x, g.integers("parts", {1, 2})}, {{"axis", intOf(1)}}, DataType::Float32, 2);
        g.node("Dropout", "drop", {x, g.constant("r", {}, {0.5f})});
        QCOMPARE(lowered(g, 9), "clip = Clip(x) max=6 min=0\nupper = Clip(x) max=1\npad = Pad(x) pads=[0 0 0 1 0 0 0 2] value=3\n"
                                "slice = Slice(x) axes=[2] ends=[5] starts=[1]\ntop, top:1 = TopK(x) k=5\n"
                                "split, split:1 = Split(x) axis=1 split=[1 2]\ndrop = Dropout(x) ratio=0.5");
        QVERIFY(g.graph.constants().empty());
    }

    void unevenSplitGetsItsSizes()
    {
        TinyGraph g;
        const ValueId x = g.input("x", {7, 4});
        g.node("Split", "a", {x}, {{"num_outputs", intOf(3)}}, DataType::Float32, 3);
        g.node("Split", "b", {x}, {{"num_outputs", intOf(2)}, {"axis", intOf(1)}}, DataType::Float32, 2);
        QCOMPARE(lowered(g, 13), "a, a:1, a:2 = Split(x, [3 3 1])\nb, b:1 = Split(x) axis=1");
    }

    void refusedInputs_data()
    {
        QTest::addColumn<QString>("type");
        QTest::addColumn<int>("opset");
        QTest::addColumn<QString>("why");
        QTest::newRow("clip") << "Clip" << 10 << "input max is no constant number, which operator set 10 needs.";
        QTest::newRow("pad") << "Pad" << 10 << "input pads is no constant, which operator set 10 needs.";
        QTest::newRow("wrap") << "PadWrap" << 18 << "mode wrap does not exist before operator set 19.";
        QTest::newRow("slice") << "Slice" << 9 << "steps other than 1 do not exist before operator set 10.";
        QTest::newRow("top") << "TopK" << 10 << "this value of attribute largest does not exist before operator set 11.";
        QTest::newRow("training") << "Dropout" << 11 << "training_mode is not a constant false, which operator set 11 needs.";
    }
    void refusedInputs()
    {
        QFETCH(QString, type);
        QFETCH(int, opset);
        QFETCH(QString, why);
        TinyGraph g;
        const ValueId x = g.input("x"), v = g.input("v", {8}, DataType::Int64), one = g.integers("one", {1});
        std::map<std::string, AttributeValue> attributes;
        std::vector<ValueId> inputs{x, v, v};
        if (type == "PadWrap")
            attributes["mode"] = textOf("wrap");
        if (type == "Slice")
            inputs = {x, one, one, one, g.integers("two", {2})};
        if (type == "TopK")
            attributes["largest"] = intOf(0);
        if (type.startsWith("Pad"))
            type = "Pad";
        g.node(type.toStdString(), "n", inputs, attributes, DataType::Float32, type == "TopK" ? 2 : 1);
        QCOMPARE(lowered(g, opset), refusal(opset, type + " 'n': " + why));
    }

    void softmaxOfAnInnerAxis()
    {
        TinyGraph g;
        const ValueId x = g.input("x", {2, 3, 4});
        g.node("Softmax", "last", {x});
        g.node("LogSoftmax", "inner", {x}, {{"axis", intOf(1)}});
        g.node("Softmax", "ones", {g.input("y", {2, 3, 1})}, {{"axis", intOf(1)}});
        QCOMPARE(lowered(g, 9), "last = Softmax(x) axis=2\ninner/axis_last = Transpose(x) perm=[0 2 1]\n"
                                "inner/axis_last_result = LogSoftmax(inner/axis_last) axis=2\ninner = Transpose(inner/axis_last_result) perm=[0 2 1]\n"
                                "ones = Softmax(y) axis=1");
    }

    void softmaxNeedsARank()
    {
        TinyGraph g;
        const ValueId x = g.input("x");
        g.graph.value(x).shape.reset();
        g.node("Softmax", "a", {x});
        TinyGraph older = g;
        QCOMPARE(lowered(g, 11), "a = Softmax(x) axis=-1");
        QCOMPARE(lowered(older, 10), refusal(10, "Softmax 'a': its axis needs the rank of its input, which is not known, before operator set 13."));
    }

    // Shapes are known from what comes before, without annotations.
    void ranksAreInferred()
    {
        TinyGraph g;
        const ValueId flat = g.node("Flatten", "flat", {g.input("x", {2, 3, 4})}, {{"axis", intOf(2)}});
        g.graph.value(flat).shape.reset();
        g.node("Softmax", "a", {flat});
        QCOMPARE(lowered(g, 9), "flat = Flatten(x) axis=2\na = Softmax(flat) axis=1");
        QVERIFY(!g.graph.value(g.graph.findValue("flat")).shape);       // and the graph's own annotations stay
    }

    void resizeAt11HasEmptyInputs()
    {
        TinyGraph g;
        const ValueId x = g.input("x", {1, 3, 4, 6});
        g.node("Resize", "scales", {x, ValueId{}, g.constant("s", {2}, {2, 3})}, {{"axes", Ints{2, 3}}});
        g.node("Resize", "sizes", {x, ValueId{}, ValueId{}, g.integers("z", {8, 9})}, {{"axes", Ints{-2, -1}}, {"antialias", intOf(0)}});
        TinyGraph at13 = g;
        QCOMPARE(lowered(g, 11), "scales = Resize(x, [], [1 1 2 3])\nsizes = Resize(x, [], [], [1 3 8 9])");
        QCOMPARE(lowered(at13, 13), "scales = Resize(x, -, [1 1 2 3])\nsizes = Resize(x, -, -, [1 3 8 9])");
    }

    void resizeBefore11()
    {
        TinyGraph g;
        const ValueId x = g.input("x", {1, 3, 4, 6});
        // A whole factor with half pixels repeats each element, as the asymmetric form does.
        g.node("Resize", "whole", {x, ValueId{}, g.constant("s", {4}, {1, 1, 2, 3})});
        g.node("Resize", "linear", {x, ValueId{}, g.constant("t", {4}, {1, 1, 1.5f, 2})},
               {{"mode", textOf("linear")}, {"coordinate_transformation_mode", textOf("asymmetric")}});
        g.node("Resize", "sizes", {x, ValueId{}, ValueId{}, g.integers("z", {1, 3, 8, 12})});
        TinyGraph at9 = g, at8 = g;
        QCOMPARE(lowered(g, 10), "whole = Resize(x, [1 1 2 3]) mode=nearest\nlinear = Resize(x, [1 1 1.5 2]) mode=linear\nsizes = Resize(x, [1 1 2 2]) mode=nearest");
        QCOMPARE(lowered(at9, 9), "whole = Upsample(x, [1 1 2 3]) mode=nearest\nlinear = Upsample(x, [1 1 1.5 2]) mode=linear\nsizes = Upsample(x, [1 1 2 2]) mode=nearest");
        QCOMPARE(lowered(at8, 7), "whole = Upsample(x) mode=nearest scales=[1 1 2 3]\nlinear = Upsample(x) mode=linear scales=[1 1 1.5 2]\n"
                                  "sizes = Upsample(x) mode=nearest scales=[1 1 2 2]");
    }

    void resizeThatOlderFormsLack()
    {
        const auto resize = [](std::map<std::string, AttributeValue> attributes, int opset) {
            TinyGraph g;
            g.node("Resize", "r", {g.input("x"), ValueId{}, g.constant("s", {4}, {1, 1, 1.5f, 0.5f})}, std::move(attributes));
            return lowered(g, opset).section('\n', 1, 1);
        };
        const QString old = "Resize 'r': before operator set 11 only mode nearest or linear with asymmetric positions exists.";
        QCOMPARE(resize({{"mode", textOf("cubic")}}, 10), old);
        QCOMPARE(resize({}, 10), old);
        QCOMPARE(resize({{"antialias", intOf(1)}}, 17), "Resize 'r': this value of attribute antialias does not exist before operator set 18.");
        QCOMPARE(resize({{"coordinate_transformation_mode", textOf("tf_half_pixel_for_nn")}}, 13),
                 "Resize 'r': coordinate mode tf_half_pixel_for_nn is gone since operator set 13.");
        QCOMPARE(resize({{"coordinate_transformation_mode", textOf("half_pixel_symmetric")}}, 18),
                 "Resize 'r': coordinate mode half_pixel_symmetric does not exist before operator set 19.");
    }

    void quantizersPerTensorAndPerChannel()
    {
        TinyGraph g;
        const ValueId x = g.input("x"), one = g.constant("one", {}, {0.1f}), many = g.constant("many", {3}, {1, 2, 3});
        const ValueId zero = g.graph.addConstant("z", TensorData::fromIntegers(DataType::Int8, {}, Ints{0}));
        const ValueId zeros = g.graph.addConstant("zs", TensorData::fromIntegers(DataType::Int8, {3}, Ints{0, 0, 0}));
        g.node("QuantizeLinear", "q", {x, one, zero}, {{"axis", intOf(0)}, {"saturate", intOf(1)}}, DataType::Int8);
        TinyGraph plain = g;
        g.node("DequantizeLinear", "d", {g.graph.findValue("q"), many, zeros}, {{"axis", intOf(1)}});
        QCOMPARE(lowered(plain, 10), "q = QuantizeLinear(x, [][0.1], int8[][0])");
        QCOMPARE(lowestOpset(g.graph, 10), 13);
        TinyGraph at13 = g;
        QCOMPARE(lowered(at13, 13), "q = QuantizeLinear(x, [][0.1], int8[][0]) axis=0\nd = DequantizeLinear(q, [1 2 3], int8[0 0 0]) axis=1");
        QCOMPARE(lowered(g, 12), refusal(12, "DequantizeLinear 'd': a scale for each channel does not exist before operator set 13."));
    }

    // Types per operator set as in the specification; 16 and 4 bits came with 21, half scales and float8 with 19.
    void quantizersNeedTheirTypes_data()
    {
        QTest::addColumn<int>("zero");
        QTest::addColumn<int>("scale");
        QTest::addColumn<int>("blocks");
        QTest::addColumn<int>("lowest");
        QTest::newRow("int8") << 3 << 1 << 0 << 10;
        QTest::newRow("uint8") << 2 << 1 << 0 << 10;
        QTest::newRow("int16") << 5 << 1 << 0 << 21;
        QTest::newRow("uint16") << 4 << 1 << 0 << 21;
        QTest::newRow("int4") << 22 << 1 << 0 << 21;
        QTest::newRow("float8") << 17 << 1 << 0 << 19;
        QTest::newRow("half") << 3 << 10 << 0 << 19;
        QTest::newRow("blocks") << 3 << 1 << 4 << 21;
    }
    void quantizersNeedTheirTypes()
    {
        QFETCH(int, zero);
        QFETCH(int, scale);
        QFETCH(int, blocks);
        TinyGraph g;
        const auto bytes = [](DataType type) { return TensorData::fromBytes(type, {}, std::vector<std::byte>(std::size_t(byteSize(type, 1)))); };
        const ValueId s = g.graph.addConstant("s", bytes(DataType(scale))), z = g.graph.addConstant("z", bytes(DataType(zero)));
        const ValueId q = g.node("QuantizeLinear", "q", {g.input("x", {8}, DataType(scale)), s, z}, {{"block_size", intOf(blocks)}}, DataType(zero));
        g.node("DequantizeLinear", "d", {q, s, z}, {{"block_size", intOf(blocks)}}, DataType(scale));
        QTEST(lowestOpset(g.graph, 7), "lowest");
    }

    void outputTypeBecomesAZeroPoint()
    {
        TinyGraph g;
        g.node("QuantizeLinear", "q", {g.input("x"), g.constant("s", {3}, {1, 2, 3})}, {{"output_dtype", intOf(3)}}, DataType::Int8);
        TinyGraph at21 = g;
        QCOMPARE(lowered(g, 13), "q = QuantizeLinear(x, [1 2 3], int8[0 0 0])");
        QCOMPARE(lowered(at21, 21), "q = QuantizeLinear(x, [1 2 3]) output_dtype=3");
    }

    void renamedAndChangedOperators()
    {
        TinyGraph g;
        const ValueId x = g.input("x");
        g.node("ScatterElements", "scatter", {x, g.integers("i", {0}), x}, {{"reduction", textOf("none")}});
        g.node("Gemm", "gemm", {x, x});
        g.node("Shape", "shape", {x}, {{"start", intOf(1)}, {"end", intOf(3)}}, DataType::Int64);
        g.node("CastLike", "like", {x, g.input("h", {1}, DataType::Float16)}, {}, DataType::Float16);
        g.node("Concat", "concat", {x, x}, {{"axis", intOf(-3)}});
        g.node("MaxPool", "pool", {x}, {{"kernel_shape", Ints{2, 2}}, {"dilations", Ints{1, 1}}, {"ceil_mode", intOf(0)}});
        g.node("Constant", "constant", {}, {{"value_floats", std::vector<float>{1, 2}}});
        QCOMPARE(lowered(g, 9), "scatter = Scatter(x, [0], x)\ngemm = Gemm(x, x, [][0])\nshape/whole = Shape(x)\nshape = Slice(shape/whole) axes=[0] ends=[3] starts=[1]\n"
                                "like = Cast(x) to=10\nconcat = Concat(x, x) axis=1\npool = MaxPool(x) kernel_shape=[2 2]\nconstant = Constant() value=[1 2]");
    }

    void interpolationNames()
    {
        TinyGraph g;
        const ValueId x = g.input("x"), grid = g.input("grid", {1, 4, 4, 2});
        g.node("GridSample", "a", {x, grid});
        g.node("GridSample", "b", {x, grid}, {{"mode", textOf("cubic")}});
        QCOMPARE(lowered(g, 16), "a = GridSample(x, grid) mode=bilinear\nb = GridSample(x, grid) mode=bicubic");
    }

    void regionsBefore16()
    {
        TinyGraph g;
        const ValueId x = g.input("x"), rois = g.input("rois", {2, 4}), which = g.input("which", {2}, DataType::Int64);
        g.node("RoiAlign", "a", {x, rois, which}, {{"coordinate_transformation_mode", textOf("output_half_pixel")}});
        TinyGraph half = g;
        half.node("RoiAlign", "b", {x, rois, which});
        QCOMPARE(lowered(g, 15), "a = RoiAlign(x, rois, which)");
        QCOMPARE(lowered(half, 15), refusal(15, "RoiAlign 'b': coordinate mode half_pixel does not exist before operator set 16."));
    }

    void groupNormalization()
    {
        TinyGraph g;
        const ValueId x = g.input("x", {1, 4, 8});
        g.node("GroupNormalization", "same", {x, g.constant("s", {4}, {1, 1, 2, 2}), g.constant("b", {4}, {3, 3, 4, 4})}, {{"num_groups", intOf(2)}});
        g.node("GroupNormalization", "own", {x, g.constant("t", {4}, {1, 2, 3, 4}), g.constant("c", {4}, {0, 0, 0, 0})}, {{"num_groups", intOf(2)}});
        TinyGraph older = g;
        QCOMPARE(lowered(g, 18), "same = GroupNormalization(x, [1 2], [3 4]) num_groups=2\n"
                                 "own/scale_column = Unsqueeze([1 2 3 4], [1])\nown/bias_column = Unsqueeze([0 0 0 0], [1])\n"
                                 "own/normal = GroupNormalization(x, [1 1], [0 0]) num_groups=2\nown/scaled = Mul(own/normal, own/scale_column)\n"
                                 "own = Add(own/scaled, own/bias_column)");
        QVERIFY(lowered(older, 17).contains("GroupNormalization 'same': the operator does not exist before operator set 18."));
    }

    void everyRefusalIsListed()
    {
        TinyGraph g;
        const ValueId x = g.input("x"), ints = g.input("i", {2}, DataType::Int32);
        g.node("Gelu", "gelu", {x});
        g.node("Relu", "fine", {x});
        g.node("Clip", "ints", {ints});
        g.node("ArgMax", "arg", {x}, {{"select_last_index", intOf(1)}}, DataType::Int64);
        QCOMPARE(lowered(g, 11), refusal(11, "Gelu 'gelu': the operator does not exist before operator set 20.\n"
                                             "Clip 'ints': element type int32 for it does not exist before operator set 12.\n"
                                             "ArgMax 'arg': this value of attribute select_last_index does not exist before operator set 12."));
        QCOMPARE(lowestOpset(g.graph, 7), 20);
        QCOMPARE(lowestOpset(g.graph, 22), 22);
    }

    void unknownOperatorsPass()
    {
        TinyGraph g;
        g.node("Own", "a", {g.input("x")});
        g.node("Gelu", "b", {g.input("y")});
        g.graph.node(g.nodeId("b")).domain = "com.microsoft";
        QCOMPARE(lowered(g, 7), "a = Own(x)\nb = Gelu(y)");
        QCOMPARE(lowestOpset(g.graph, 1), 7);
        QVERIFY(lowered(g, 6).startsWith("! Operator set 6 cannot be written"));
    }

    void before10()
    {
        TinyGraph g;
        const ValueId x = g.input("x", {2, 3}), unknown = g.input("u", {2, 3});
        g.graph.value(unknown).shape = Shape{{-1, "N"}, {3, ""}};
        g.node("Sum", "equal", {x, x, unknown});
        g.node("Dropout", "unused", {x}, {}, DataType::Float32, 2);
        g.node("MaxPool", "pool", {g.input("i")}, {{"kernel_shape", Ints{2, 2}}}, DataType::Float32, 2);
        TinyGraph more = g;
        more.node("Max", "broadcast", {x, more.input("row", {1, 3})});
        more.output(more.graph.findValue("unused:1"));
        more.output(more.graph.findValue("pool:1"));
        QCOMPARE(lowered(g, 7), "equal = Sum(x, x, u)\nunused = Dropout(x)\npool = MaxPool(i) kernel_shape=[2 2]");
        QCOMPARE(lowered(more, 7), refusal(7, "Dropout 'unused': its mask is not defined before operator set 12.\n"
                                              "MaxPool 'pool': output Indices does not exist before operator set 8.\n"
                                              "Max 'broadcast': inputs of different shapes are not possible before operator set 8."));
    }

    void bodiesAreLowered()
    {
        TinyGraph g;
        const ValueId x = g.input("x", {1, 3, 1}), condition = g.input("c", {}, DataType::Bool);
        g.integers("axes", {0});
        Graph body;
        Node squeeze;
        squeeze.opType = "Squeeze";
        squeeze.inputs = {body.addValue("x"), body.addValue("axes")};       // both from outside
        squeeze.outputs = {body.addValue("r")};
        body.outputs = squeeze.outputs;
        body.addNode(squeeze);
        const auto shared = std::make_shared<const Graph>(body);
        g.node("If", "if", {condition}, {{"then_branch", shared}, {"else_branch", shared}});
        QVERIFY(x.valid());
        QCOMPARE(lowered(g, 11), "if = If(c) else_branch=\n  r = Squeeze(x) axes=[0] then_branch=\n  r = Squeeze(x) axes=[0]");
        QVERIFY(!g.graph.findValue("axes").valid());
    }

    void roundTrips_data()
    {
        QTest::addColumn<int>("opset");
        for (int opset = 10; opset <= 23; ++opset)
            QTest::addRow("opset %d", opset) << opset;
    }
    void roundTrips()
    {
        QFETCH(int, opset);
        TinyGraph g;
        const ValueId x = g.input("x", {2, 4, 6, 8});
        g.node("Squeeze", "squeeze", {g.input("one", {1, 3}), g.integers("axes", {0})});
        g.node("Unsqueeze", "unsqueeze", {x, g.integers("axes2", {1})});
        g.node("ReduceMean", "mean", {x, g.integers("axes3", {2, 3})}, {{"keepdims", intOf(0)}});
        g.node("ReduceSum", "sum", {x});
        g.node("Clip", "clip", {x, g.constant("lo", {}, {0}), g.constant("hi", {}, {6})});
        g.node("Split", "split", {x, g.integers("parts", {1, 3})}, {{"axis", intOf(1)}}, DataType::Float32, 2);
        g.node("Split", "halves", {x}, {{"axis", intOf(1)}, {"num_outputs", intOf(2)}}, DataType::Float32, 2);
        g.node("Pad", "pad", {x, g.integers("pads", {0, 0, 1, 1, 0, 0, 1, 1}), g.constant("fill", {}, {2})}, {{"mode", textOf("constant")}});
        g.node("Slice", "slice", {x, g.integers("from", {1}), g.integers("to", {3}), g.integers("along", {2})});
        g.node("TopK", "top", {x, g.integers("k", {3})}, {{"axis", intOf(3)}}, DataType::Float32, 2);
        g.node("Dropout", "drop", {x, g.constant("ratio", {}, {0.25f})});
        g.node("Softmax", "softmax", {g.input("logits", {2, 10})}, {{"axis", intOf(-1)}});
        g.node("Resize", "up", {x, ValueId{}, g.constant("scales", {4}, {1, 1, 2, 2})},
               {{"mode", textOf("nearest")}, {"coordinate_transformation_mode", textOf("asymmetric")}, {"nearest_mode", textOf("floor")}});
        const ValueId c = g.constant("c", {4});
        g.node("BatchNormalization", "batch", {x, c, c, c, c}, {{"epsilon", 0.001f}});
        const QString before = QString::fromStdString(tests::graphText(g.graph));
        QCOMPARE(thereAndBack(g, opset), before);
    }
};

QTEST_APPLESS_MAIN(TestOpsetLower)
#include "tst_opset_lower.moc"

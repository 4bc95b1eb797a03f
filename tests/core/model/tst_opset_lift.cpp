#include "core/onnx/opset_conversion.h"
#include "tests/support/graph_text.h"
#include "tests/support/tiny_graph.h"

#include <QtTest/QtTest>

using namespace core;
using tests::TinyGraph;
using Ints = std::vector<std::int64_t>;

namespace {

QString lifted(TinyGraph &g, int opset)
{
    Diagnostics diagnostics;
    liftToNewest(g.graph, opset, diagnostics);
    QString text = QString::fromStdString(tests::graphText(g.graph));
    for (const Diagnostic &d : diagnostics)
        text += "\n! " + QString::fromStdString(d.sentence);
    return text;
}

ValueId unknownShape(TinyGraph &g, ValueId id)
{
    g.graph.value(id).shape.reset();
    return id;
}

} // namespace

class TestOpsetLift : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void axesBecomeInputs()
    {
        TinyGraph g;
        const ValueId x = g.input("x", {1, 3, 1, 1});
        g.node("Squeeze", "a", {x}, {{"axes", Ints{2, 3}}});
        g.node("Squeeze", "b", {x});
        g.node("Unsqueeze", "c", {x}, {{"axes", Ints{0}}});
        g.node("ReduceSum", "d", {x}, {{"axes", Ints{1}}, {"keepdims", std::int64_t(0)}});
        g.node("ReduceMean", "e", {x}, {{"axes", Ints{2, 3}}});
        g.node("ReduceMax", "f", {x}, {{"axes", Ints{}}});
        QCOMPARE(lifted(g, 11), "a = Squeeze(x, [2 3])\nb = Squeeze(x)\nc = Unsqueeze(x, [0])\nd = ReduceSum(x, [1]) keepdims=0\n"
                                "e = ReduceMean(x, [2 3])\nf = ReduceMax(x)");
    }

    void reducersChangedLater()
    {
        TinyGraph g;
        const ValueId x = g.input("x");
        g.node("ReduceSum", "a", {x, g.integers("axes", {1})});
        g.node("ReduceMean", "b", {x}, {{"axes", Ints{1}}});
        QCOMPARE(lifted(g, 13), "a = ReduceSum(x, [1])\nb = ReduceMean(x, [1])");
    }

    void attributesBecomeInputs()
    {
        TinyGraph g;
        const ValueId x = g.input("x"), h = g.input("h", {1, 3, 8, 8}, DataType::Float16);
        g.node("Clip", "relu6", {x}, {{"min", 0.0f}, {"max", 6.0f}});
        g.node("Clip", "half", {h}, {{"max", 1.5f}});
        g.node("Clip", "none", {x}, {{"max", 3.4028234663852886e+38f}});
        g.node("Pad", "pad", {x}, {{"pads", Ints{0, 0, 1, 1, 0, 0, 1, 1}}, {"mode", std::string("reflect")}});
        g.node("Pad", "ones", {h}, {{"pads", Ints{0, 0, 1, 1, 0, 0, 1, 1}}, {"value", 1.0f}});
        g.node("Slice", "slice", {x}, {{"starts", Ints{0}}, {"ends", Ints{2}}, {"axes", Ints{1}}});
        g.node("TopK", "top", {x}, {{"k", std::int64_t(5)}, {"axis", std::int64_t(1)}}, DataType::Float32, 2);
        g.node("Dropout", "drop", {x}, {{"ratio", 0.25f}});
        QCOMPARE(lifted(g, 9), "relu6 = Clip(x, [][0], [][6])\nhalf = Clip(h, -, float16[][1.5])\nnone = Clip(x)\n"
                               "pad = Pad(x, [0 0 1 1 0 0 1 1]) mode=reflect\nones = Pad(h, [0 0 1 1 0 0 1 1], float16[][1])\n"
                               "slice = Slice(x, [0], [2], [1])\ntop, top:1 = TopK(x, [5]) axis=1\ndrop = Dropout(x, [][0.25])");
    }

    void splitSaysHowMany()
    {
        TinyGraph g;
        const ValueId x = g.input("x");
        g.node("Split", "a", {x}, {{"split", Ints{1, 2}}, {"axis", std::int64_t(1)}}, DataType::Float32, 2);
        g.node("Split", "b", {x}, {{"axis", std::int64_t(2)}}, DataType::Float32, 2);
        QCOMPARE(lifted(g, 11), "a, a:1 = Split(x, [1 2]) axis=1\nb, b:1 = Split(x) axis=2 num_outputs=2");
    }

    // Before 13 everything from axis on is one dimension.
    void softmaxOverSeveralDimensions()
    {
        TinyGraph g;
        const ValueId x = g.input("x", {2, 3, 4});
        g.node("Softmax", "last", {x}, {{"axis", std::int64_t(2)}});
        g.node("Softmax", "flat", {x});
        QCOMPARE(lifted(g, 11), "last = Softmax(x) axis=-1\nflat/flat = Flatten(x) axis=1\nflat/flat_result = Softmax(flat/flat) axis=-1\n"
                                "flat = Reshape(flat/flat_result, [2 3 4])");
    }

    void softmaxOfUnknownShape()
    {
        TinyGraph g;
        const ValueId x = unknownShape(g, g.input("x"));
        g.node("LogSoftmax", "a", {x}, {{"axis", std::int64_t(2)}});
        QCOMPARE(lifted(g, 9), "a/flat = Flatten(x) axis=2\na/shape = Shape(x)\na/flat_result = LogSoftmax(a/flat) axis=-1\n"
                               "a = Reshape(a/flat_result, a/shape)");
    }

    void softmaxOfOneDimension()
    {
        TinyGraph g;
        const ValueId logits = g.input("logits", {2, 10}), maps = g.input("maps", {2, 10, 1, 1}), batch = g.input("batch");
        g.graph.value(batch).shape = Shape{{-1, "N"}, {5, ""}, {2, ""}};
        g.node("Softmax", "a", {logits});
        g.node("Softmax", "b", {maps});
        g.node("Hardmax", "c", {batch});
        QCOMPARE(lifted(g, 12), "a = Softmax(logits) axis=-1\nb = Softmax(maps) axis=1\nc/flat = Flatten(batch) axis=1\n"
                                "c/flat_result = Hardmax(c/flat) axis=-1\nc = Reshape(c/flat_result, [-1 5 2])");
    }

    void softmaxSince13IsLeftAlone()
    {
        TinyGraph g;
        g.node("Softmax", "a", {g.input("x", {2, 3, 4})}, {{"axis", std::int64_t(1)}});
        QCOMPARE(lifted(g, 13), "a = Softmax(x) axis=1");
    }

    void resizeUpTo10IsAsymmetric()
    {
        TinyGraph g;
        const ValueId x = g.input("x");
        const ValueId up = g.constant("up", {4}, {1, 1, 2, 2}), down = g.constant("down", {4}, {1, 1, 0.5f, 0.5f}), mixed = g.constant("mixed", {4}, {1, 1, 2, 0.5f});
        g.node("Resize", "a", {x, up});
        g.node("Resize", "b", {x, down}, {{"mode", std::string("nearest")}});
        g.node("Resize", "c", {x, up}, {{"mode", std::string("linear")}});
        g.node("Resize", "d", {x, mixed});
        const QString asymmetric = " coordinate_transformation_mode=asymmetric";
        QCOMPARE(lifted(g, 10), "a = Resize(x, -, [1 1 2 2])" + asymmetric + " mode=nearest nearest_mode=floor\n"
                                "b = Resize(x, -, [1 1 0.5 0.5])" + asymmetric + " mode=nearest nearest_mode=ceil\n"
                                "c = Resize(x, -, [1 1 2 2])" + asymmetric + " mode=linear nearest_mode=floor\n"
                                "d/enlarged = Resize(x, -, [1 1 2 1])" + asymmetric + " mode=nearest nearest_mode=floor\n"
                                "d = Resize(d/enlarged, -, [1 1 1 0.5])" + asymmetric + " mode=nearest nearest_mode=ceil");
    }

    void resizeLosesEmptyInputs()
    {
        TinyGraph g;
        const ValueId x = g.input("x"), empty = g.graph.addConstant("empty", TensorData::fromFloats({0}, {})), roi = g.constant("roi", {8});
        g.node("Resize", "a", {x, empty, empty, g.integers("sizes", {1, 3, 16, 16})}, {{"mode", std::string("cubic")}});
        g.node("Resize", "b", {x, roi, g.constant("s", {4}, {1, 1, 2, 2})}, {{"coordinate_transformation_mode", std::string("tf_half_pixel_for_nn")}});
        QCOMPARE(lifted(g, 11), "a = Resize(x, -, -, [1 3 16 16]) mode=cubic\n"
                                "b = Resize(x, -, [1 1 2 2]) coordinate_transformation_mode=half_pixel nearest_mode=ceil");
        QVERIFY(!g.graph.findValue("empty").valid());
    }

    void upsampleBecomesResize()
    {
        TinyGraph g;
        const ValueId x = g.input("x");
        g.node("Upsample", "a", {x}, {{"scales", std::vector<float>{1, 1, 2, 2}}});
        g.node("Upsample", "b", {x, g.constant("s", {4}, {1, 1, 3, 3})}, {{"mode", std::string("linear")}});
        QCOMPARE(lifted(g, 9), "a = Resize(x, -, [1 1 2 2]) coordinate_transformation_mode=asymmetric mode=nearest nearest_mode=floor\n"
                               "b = Resize(x, -, [1 1 3 3]) coordinate_transformation_mode=asymmetric mode=linear nearest_mode=floor");
    }

    void batchNormalization()
    {
        TinyGraph g;
        const ValueId x = g.input("x", {1, 2, 4}), c = g.constant("c", {2}), e = g.constant("e", {2, 4});
        g.node("BatchNormalization", "a", {x, c, c, c, c}, {{"spatial", std::int64_t(1)}, {"epsilon", 0.001f}}, DataType::Float32, 5);
        g.node("BatchNormalization", "b", {x, e, e, e, e}, {{"spatial", std::int64_t(0)}});
        const QString values = "[2 4][0.5 0.5 0.5 0.5 0.5 0.5 0.5 0.5]";
        QCOMPARE(lifted(g, 7), "a = BatchNormalization(x, [0.5 0.5], [0.5 0.5], [0.5 0.5], [0.5 0.5]) epsilon=0.001\n"
                               "b/variance = Add(" + values + ", [][1e-05])\nb/deviation = Sqrt(b/variance)\nb/centred = Sub(x, " + values + ")\n"
                               "b/normal = Div(b/centred, b/deviation)\nb/scaled = Mul(b/normal, " + values + ")\nb = Add(b/scaled, " + values + ")");
    }

    void batchNormalizationForTrainingIsNamed()
    {
        TinyGraph g;
        const ValueId x = g.input("x", {1, 2, 4}), c = g.constant("c", {2});
        g.node("BatchNormalization", "a", {x, c, c, c, c}, {}, DataType::Float32, 2);
        g.output(g.graph.findValue("a:1"));
        QVERIFY(lifted(g, 9).contains("! BatchNormalization 'a': its outputs for training are used"));
    }

    void groupNormalizationPerChannel()
    {
        TinyGraph g;
        const ValueId x = g.input("x", {1, 4, 8}), s = g.constant("s", {2}, {1, 2}), b = g.constant("b", {2}, {3, 4});
        g.node("GroupNormalization", "a", {x, s, b}, {{"num_groups", std::int64_t(2)}});
        QCOMPARE(lifted(g, 18), "a/scale_column = Unsqueeze([1 2], [1])\na/scale_expanded = Expand(a/scale_column, [2 2])\na/scale = Reshape(a/scale_expanded, [-1])\n"
                                "a/bias_column = Unsqueeze([3 4], [1])\na/bias_expanded = Expand(a/bias_column, [2 2])\na/bias = Reshape(a/bias_expanded, [-1])\n"
                                "a = GroupNormalization(x, a/scale, a/bias) num_groups=2");
    }

    void changedDefaultsAreWrittenOut()
    {
        TinyGraph g;
        const ValueId x = g.input("x"), grid = g.input("grid", {1, 4, 4, 2}), rois = g.input("rois", {2, 4}), which = g.input("which", {2}, DataType::Int64);
        g.node("GridSample", "a", {x, grid});
        g.node("GridSample", "b", {x, grid}, {{"mode", std::string("bicubic")}});
        g.node("RoiAlign", "c", {x, rois, which});
        g.node("DFT", "d", {x}, {{"onesided", std::int64_t(1)}});
        QCOMPARE(lifted(g, 15), "a = GridSample(x, grid) mode=linear\nb = GridSample(x, grid) mode=cubic\n"
                                "c = RoiAlign(x, rois, which) coordinate_transformation_mode=output_half_pixel\nd = DFT(x, -, [][1]) onesided=1");
    }

    void renamedOperators()
    {
        TinyGraph g;
        const ValueId x = g.input("x");
        g.node("Scatter", "a", {x, g.integers("i", {0}), x}, {{"axis", std::int64_t(1)}});
        QCOMPARE(lifted(g, 9), "a = ScatterElements(x, [0], x) axis=1");
    }

    void broadcastingBefore7()
    {
        TinyGraph g;
        const ValueId x = g.input("x"), c = g.constant("c", {3}, {1, 2, 3}), y = g.input("y", {3});
        g.node("Add", "a", {x, c}, {{"broadcast", std::int64_t(1)}, {"axis", std::int64_t(1)}});
        g.node("Mul", "b", {x, y}, {{"broadcast", std::int64_t(1)}, {"axis", std::int64_t(-3)}});
        g.node("PRelu", "p", {x, c});
        QCOMPARE(lifted(g, 6), "a = Add(x, [3 1 1][1 2 3])\nb/broadcast = Unsqueeze(y, [-1 -2])\nb = Mul(x, b/broadcast)\np = PRelu(x, [3 1 1][1 2 3])");
    }

    void bodiesToo()
    {
        TinyGraph g;
        const ValueId x = g.input("x"), condition = g.input("c", {}, DataType::Bool);
        Graph body;
        const ValueId captured = body.addValue("x"), result = body.addValue("r");
        Node squeeze;
        squeeze.opType = "Squeeze";
        squeeze.inputs = {captured};
        squeeze.outputs = {result};
        squeeze.attributes["axes"] = Ints{0};
        body.addNode(squeeze);
        body.outputs = {result};
        const auto shared = std::make_shared<const Graph>(body);
        g.node("If", "if", {condition}, {{"then_branch", shared}, {"else_branch", shared}});
        g.node("Squeeze", "r", {x}, {{"axes", Ints{0}}});
        QCOMPARE(lifted(g, 11), "if = If(c) else_branch=\n  r = Squeeze(x, [0]) then_branch=\n  r = Squeeze(x, [0])\nr = Squeeze(x, [0])");
        QVERIFY(tests::graphText(*shared) == "r = Squeeze(x) axes=[0]");
        const Node &after = g.graph.node(g.nodeId("r")), &conditional = g.graph.node(g.nodeId("if"));
        const auto &branch = std::get<std::shared_ptr<const Graph>>(conditional.attributes.at("then_branch"));
        QVERIFY(!branch->findValue(g.graph.value(after.input(1)).name).valid());   // names are unique across bodies
    }

    void namesStayAndHelpersAreUnique()
    {
        TinyGraph g;
        const ValueId x = g.input("x", {2, 3, 4});
        g.input("a/flat");
        g.output(g.node("Softmax", "a", {x}));
        lifted(g, 11);
        QCOMPARE(g.graph.value(g.graph.outputs[0]).name, std::string("a"));
        QVERIFY(g.graph.findValue("a/flat_1").valid());
        QVERIFY(g.graph.findNode("a").valid());
    }

    void otherDomainsAreLeftAlone()
    {
        TinyGraph g;
        g.node("Squeeze", "a", {g.input("x")}, {{"axes", Ints{0}}});
        g.graph.node(g.nodeId("a")).domain = "com.example";
        QCOMPARE(lifted(g, 11), "a = Squeeze(x) axes=[0]");
    }

    void whatCannotBeLiftedIsNamed()
    {
        TinyGraph g;
        const ValueId x = unknownShape(g, g.input("x"));
        g.node("Add", "a", {x, g.constant("c", {3})}, {{"broadcast", std::int64_t(1)}, {"axis", std::int64_t(1)}});
        QVERIFY(lifted(g, 6).contains("! Add 'a': attribute axis of this old form needs the ranks of its inputs"));
        TinyGraph missing;
        missing.node("Unsqueeze", "u", {missing.input("x")});
        QVERIFY(lifted(missing, 11).contains("! Unsqueeze 'u': attribute axes is missing."));
    }
};

QTEST_APPLESS_MAIN(TestOpsetLift)
#include "tst_opset_lift.moc"

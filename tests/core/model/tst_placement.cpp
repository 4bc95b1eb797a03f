#include "core/spec/placement.h"
#include "tests/support/tiny_graph.h"

#include <QtTest/QtTest>

using namespace core;
using tests::TinyGraph;

namespace {

std::string useText(const Graph &graph, const Graph::Use &use)
{
    return graph.node(use.node).name + "." + std::to_string(use.inputIndex);
}

/// One line for each point: "tensor badge uses[!out][ = shared tensor][ bias of a×b]".
QStringList written(const Graph &graph, const Placement &placement)
{
    QStringList lines;
    for (const Point &point : placement.points) {
        std::string line = graph.value(point.value).name + " " + point.scheme.badge() + (point.scheme.symmetric ? "" : "a");
        for (const Graph::Use &use : point.uses)
            line += " " + useText(graph, use);
        if (point.quantizesOutput)
            line += " !out";
        if (point.shares != point.id)
            line += " = " + graph.value(placement.point(point.shares).value).name;
        if (point.biasInput.valid())
            line += " scale " + graph.value(placement.point(point.biasInput).value).name + "*" + graph.value(placement.point(point.biasWeight).value).name;
        lines << QString::fromStdString(line);
    }
    return lines;
}

QString absence(const Graph &graph, const Placement &placement, const std::string &name)
{
    for (const Absence &absent : placement.absences)
        if (graph.value(absent.value).name == name)
            return QString::fromStdString(absent.reason);
    return "(placed)";
}

QString refusal(const Graph &graph, const Config &config, const std::string &target = {})
{
    try {
        place(graph, config, targetProfile(target));
    } catch (const Error &error) {
        return QString::fromStdString(error.sentence());
    }
    return "(accepted)";
}

Config preset(const std::string &name, const std::string &target = {})
{
    Recipe recipe = presetRecipe(name);
    recipe.target = target;
    return effectiveConfig(recipe);
}

/// x → Conv → Relu → GlobalAveragePool → Flatten → Gemm → y
TinyGraph classifier(const std::string &activation = "Relu")
{
    TinyGraph g;
    ValueId v = g.input("x");
    v = g.conv("conv", v, 3, 4, 3);
    if (activation == "Clip")
        v = g.node("Clip", "act", {v, g.constant("lo", {}, {0}), g.constant("hi", {}, {6})});
    else
        v = g.node(activation, "act", {v});
    v = g.node("GlobalAveragePool", "pool", {v});
    v = g.node("Flatten", "flat", {v});
    v = g.node("Gemm", "fc", {v, g.constant("fc.w", {10, 4}), g.constant("fc.b", {10})}, {{"transB", std::int64_t(1)}});
    g.output(v);
    return g;
}

} // namespace

class TestPlacement : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void classifierWithoutTarget()
    {
        const TinyGraph g = classifier();
        const Placement p = place(g.graph, preset("a8w8-per-channel"), targetProfile(""));
        QCOMPARE(written(g.graph, p), (QStringList{
            "x u8a conv.0", "act u8a pool.0", "pool u8a flat.0", "flat u8a fc.0 = pool", "fc u8a !out",
            "conv.w i8c conv.1", "fc.w i8c fc.1", "conv.b i32c conv.2 scale x*conv.w", "fc.b i32c fc.2 scale flat*fc.w"}));
        QCOMPARE(absence(g.graph, p, "conv"), "Conv 'conv' and Relu 'act' run as one.");
        QCOMPARE(p.fusedGroups.size(), std::size_t(1));
        QCOMPARE(g.graph.node(p.fusedGroups[0][0]).name, std::string("conv"));
        QCOMPARE(g.graph.node(p.fusedGroups[0][1]).name, std::string("act"));
        QVERIFY(p.diagnostics.empty());
    }

    void channelAxes()
    {
        const TinyGraph g = classifier();
        const Placement p = place(g.graph, preset("a8w8-per-channel"), targetProfile(""));
        QCOMPARE(p.points[5].scheme.channelAxis, 0);
        QCOMPARE(p.points[6].scheme.channelAxis, 0);
        TinyGraph t;
        const ValueId a = t.input("a", {2, 4});
        const ValueId m = t.node("MatMul", "mm", {a, t.constant("w", {4, 5})});
        t.output(t.node("Gemm", "fc", {m, t.constant("fc.w", {5, 7})}));
        const Placement q = place(t.graph, preset("a8w8-per-channel"), targetProfile(""));
        QCOMPARE(written(t.graph, q), (QStringList{"a u8a mm.0", "mm u8a fc.0", "fc u8a !out", "w i8c mm.1", "fc.w i8c fc.1"}));
        QCOMPARE(q.points[3].scheme.channelAxis, 1);
        QCOMPARE(q.points[4].scheme.channelAxis, 1);
    }

    void onnxRuntimeFusesReluBehindAsymmetricCodesOnly_data()
    {
        QTest::addColumn<QString>("activation");
        QTest::addColumn<QString>("presetName");
        QTest::addColumn<bool>("fused");
        QTest::newRow("relu asymmetric") << "Relu" << "a8w8-per-channel" << true;
        QTest::newRow("clip asymmetric") << "Clip" << "a8w8-per-channel" << true;
        QTest::newRow("relu symmetric") << "Relu" << "a8w8" << false;
        QTest::newRow("clip symmetric") << "Clip" << "a8w8" << false;
        QTest::newRow("leaky") << "LeakyRelu" << "a8w8-per-channel" << false;
        QTest::newRow("hardswish") << "HardSwish" << "a8w8-per-channel" << false;
    }
    void onnxRuntimeFusesReluBehindAsymmetricCodesOnly()
    {
        QFETCH(QString, activation);
        QFETCH(QString, presetName);
        QFETCH(bool, fused);
        const TinyGraph g = classifier(activation.toStdString());
        const Placement p = place(g.graph, preset(presetName.toStdString(), "onnxruntime-cpu"), targetProfile("onnxruntime-cpu"));
        QCOMPARE(absence(g.graph, p, "conv") == "(placed)", !fused);
        QCOMPARE(p.fusedGroups.size(), std::size_t(fused ? 1 : 0));
    }

    void reluSharingARangeWithNegativesIsNotFusedOnOnnxRuntime()
    {
        TinyGraph g;
        const ValueId x = g.input("x");
        const ValueId a = g.node("Relu", "relu", {g.conv("c1", x, 3, 4)});
        const ValueId b = g.conv("c2", x, 3, 4);
        g.output(g.conv("c3", g.node("Concat", "cat", {a, b}, {{"axis", std::int64_t(1)}}), 8, 4));
        Config config = preset("a8w8-per-channel", "onnxruntime-cpu");
        const TargetProfile ort = targetProfile("onnxruntime-cpu");
        QCOMPARE(absence(g.graph, place(g.graph, config, ort), "c1"), "(placed)");
        QVERIFY(absence(g.graph, place(g.graph, config, targetProfile("")), "c1").contains("run as one"));
        config.splitConcats = {"cat"};
        QVERIFY(absence(g.graph, place(g.graph, config, ort), "c1").contains("run as one"));
    }

    void concatJoinsAndCanBeSplit()
    {
        TinyGraph g;
        const ValueId x = g.input("x");
        const ValueId a = g.conv("c1", x, 3, 4), b = g.conv("c2", x, 3, 4);
        g.output(g.node("MaxPool", "pool", {g.node("Concat", "cat", {a, b}, {{"axis", std::int64_t(1)}})}));
        Config config = preset("a8w8");
        QCOMPARE(written(g.graph, place(g.graph, config, targetProfile(""))).mid(0, 5), (QStringList{
            "x i8 c1.0 c2.0", "c1 i8 cat.0", "c2 i8 cat.1 = c1", "cat i8 pool.0 = c1", "pool i8 !out = c1"}));
        config.splitConcats = {"cat"};
        QCOMPARE(written(g.graph, place(g.graph, config, targetProfile(""))).mid(1, 4), (QStringList{
            "c1 i8 cat.0", "c2 i8 cat.1", "cat i8 pool.0", "pool i8 !out = cat"}));
        config.splitConcats = {"c1"};
        QCOMPARE(refusal(g.graph, config), "split_concats names 'c1', which is not a Concat of the model.");
    }

    void explicitSchemeWinsASharingSet()
    {
        TinyGraph g;
        const ValueId x = g.input("x");
        g.output(g.node("MaxPool", "pool", {g.conv("c1", x, 3, 4)}));
        Config config = preset("a8w8");
        config.byNode["pool"].outputTensors.dtype = QuantDtype::Int16;
        QCOMPARE(written(g.graph, place(g.graph, config, targetProfile(""))).mid(0, 3), (QStringList{"x i8 c1.0", "c1 i16 pool.0", "pool i16 !out = c1"}));
    }

    void residualAddWithSiluAndSharedBranches()
    {
        TinyGraph g;
        const ValueId x = g.input("x");
        const ValueId c = g.conv("c", x, 3, 4);
        const ValueId s = g.node("Sigmoid", "sig", {c});
        const ValueId silu = g.node("Mul", "mul", {c, s});
        const ValueId d = g.conv("d", silu, 4, 4);
        g.output(g.node("Relu", "relu", {g.node("Add", "add", {d, silu})}));
        const Placement p = place(g.graph, preset("a8w8"), targetProfile(""));
        QCOMPARE(written(g.graph, p).mid(0, 4), (QStringList{"x i8 c.0", "mul i8 d.0 add.1", "d i8 add.0", "relu i8 !out"}));
        QCOMPARE(p.fusedGroups.size(), std::size_t(2));
        QCOMPARE(p.fusedGroups[0].size(), std::size_t(3));
        const Placement q = place(g.graph, preset("a8w8-per-channel"), targetProfile("onnxruntime-cpu"));
        QCOMPARE(written(g.graph, q).mid(0, 6), (QStringList{"x u8a c.0", "c u8a sig.0 mul.0", "sig u8a mul.1", "mul u8a d.0 add.1", "d u8a add.0", "relu u8a !out"}));
    }

    void secondQuantizerForAConsumerThatWasSetDifferently()
    {
        TinyGraph g;
        const ValueId x = g.input("x");
        const ValueId a = g.conv("a", x, 3, 4);
        g.output(g.conv("b", a, 4, 4));
        g.output(g.conv("c", a, 4, 4));
        Config config = preset("a8w8");
        config.rules.push_back({"name:c", {}, false});
        config.rules[0].config.inputTensors.dtype = QuantDtype::Int16;
        QCOMPARE(written(g.graph, place(g.graph, config, targetProfile(""))).mid(0, 5), (QStringList{
            "x i8 a.0", "a i8 b.0", "a i16 c.0", "b i8 !out", "c i8 !out"}));
        config.byNode["a"].outputTensors.dtype = QuantDtype::UInt8;
        QCOMPARE(written(g.graph, place(g.graph, config, targetProfile(""))).mid(1, 1), (QStringList{"a u8 b.0 c.0"}));
    }

    void inputsAreQuantizedWhereOutputsStayFloat()
    {
        TinyGraph g;
        const ValueId x = g.input("x");
        g.output(g.conv("b", g.conv("a", x, 3, 4), 4, 4));
        Config config = preset("a8w8");
        config.global.outputTensors.dtype = QuantDtype::Float32;
        QCOMPARE(written(g.graph, place(g.graph, config, targetProfile(""))).mid(0, 2), (QStringList{"x i8 a.0", "a i8 b.0"}));
        config = preset("a8w8");
        config.byNode["a"].outputTensors.dtype = QuantDtype::Float32; // an explicit setting of the producer wins
        QCOMPARE(written(g.graph, place(g.graph, config, targetProfile(""))).mid(0, 2), (QStringList{"x i8 a.0", "b i8 !out"}));
    }

    void settingsInsideAGroupAreNamed()
    {
        const TinyGraph g = classifier();
        Config config = preset("a8w8");
        config.byNode["conv"].outputTensors.dtype = QuantDtype::Int16;
        const Placement p = place(g.graph, config, targetProfile(""));
        QCOMPARE(p.diagnostics.size(), std::size_t(1));
        QCOMPARE(p.diagnostics[0].code, std::string("setting-without-effect"));
        QCOMPARE(p.diagnostics[0].sentence, std::string("Conv 'conv' runs as one with Relu 'act'; its output_tensors (node 'conv') have no effect, set those of 'act'."));
    }

    void indicesOfMaxPoolAreNoTensorToQuantize()
    {
        TinyGraph g;
        const ValueId c = g.conv("c", g.input("x"), 3, 4);
        const ValueId pool = g.node("MaxPool", "pool", {c}, {}, DataType::Undefined, 2);
        g.output(pool);
        g.output(g.graph.findValue("pool:1"));
        QCOMPARE(written(g.graph, place(g.graph, preset("a8w8"), targetProfile(""))).mid(1, 2), (QStringList{"c i8 pool.0", "pool i8 !out = c"}));
    }

    void reducedRangeIsForEightBitWeights()
    {
        const TinyGraph g = classifier();
        Config config = preset("a8w8-per-channel", "onnxruntime-cpu");
        config.reduceRange = true;
        config.byNode["fc"].weight.dtype = QuantDtype::Int4;
        for (const Point &point : place(g.graph, config, targetProfile("onnxruntime-cpu")).points)
            QCOMPARE(point.scheme.reduced, g.graph.value(point.value).name == "conv.w");
    }

    void floatWeightsKeepTheInputFloatOnOnnxRuntime()
    {
        const TinyGraph g = classifier();
        Config config = preset("a8w8-per-channel", "onnxruntime-cpu");
        config.byNode["fc"].weight.dtype = QuantDtype::Float32;
        const TargetProfile ort = targetProfile("onnxruntime-cpu");
        QCOMPARE(written(g.graph, place(g.graph, config, ort)), (QStringList{"x u8a conv.0", "act u8a pool.0", "pool u8a flat.0", "fc u8a !out", "conv.w i8c conv.1", "conv.b i32c conv.2 scale x*conv.w"}));
        QVERIFY(written(g.graph, place(g.graph, config, targetProfile(""))).contains("flat u8a fc.0 = pool"));
        config = preset("a8w8-per-channel", "onnxruntime-cpu");
        config.disabledEdges["fc"] = {1};
        QVERIFY(absence(g.graph, place(g.graph, config, ort), "flat").startsWith("No reader takes it quantized: the edge to Gemm 'fc' is float because its weight stays float"));
        config.disabledEdges["fc"] = {2};
        QVERIFY(absence(g.graph, place(g.graph, config, ort), "flat").contains("its bias stays float"));
    }

    void halfPrecisionWeightsHaveNoChannels()
    {
        const TinyGraph g = classifier();
        Config config = preset("a8w8-per-channel");
        config.byNode["fc"].weight.dtype = QuantDtype::Float16;
        const Placement p = place(g.graph, config, targetProfile(""));
        QVERIFY(p.points[6].scheme.dtype == QuantDtype::Float16 && p.points[6].scheme.granularity == Granularity::PerTensor);
        QCOMPARE(absence(g.graph, p, "fc.b"), "Bias of Gemm 'fc' stays float: the weight is not an integer, so there is no scale to derive.");
    }

    void oneBiasNameForExcludedAndQuantizedReaders()
    {
        TinyGraph g;
        const ValueId x = g.input("x"), w = g.constant("w", {4, 3, 1, 1}), b = g.constant("b", {4});
        g.output(g.node("Conv", "c1", {x, w, b}));
        g.output(g.node("Conv", "c2", {x, w, b}));
        Config config = preset("a8w8");
        config.exclude = {"c2"};
        const Placement p = place(g.graph, config, targetProfile(""));
        QCOMPARE(written(g.graph, p), (QStringList{"x i8 c1.0", "c1 i8 !out", "w i8 c1.1", "b i32 c1.2 scale x*w"}));
        QCOMPARE(absence(g.graph, p, "w"), "(placed)");
        QCOMPARE(absence(g.graph, p, "b"), "(placed)");
    }

    void int8BiasOfItsOwn()
    {
        const TinyGraph g = classifier();
        Config config = preset("pof2-ceil", "xint8");
        config.global.bias.dtype = QuantDtype::Int8;
        config.global.bias.scaleType = ScaleType::PowerOfTwo;
        const Placement p = place(g.graph, config, targetProfile("xint8"));
        QVERIFY(written(g.graph, p).contains("conv.b i8 conv.2") && written(g.graph, p).contains("fc.b i8 fc.2"));
        config.disabledEdges["fc"] = {0};
        QVERIFY(absence(g.graph, place(g.graph, config, targetProfile("xint8")), "fc.b").contains("the input is not quantized to integers"));
    }

    void disabledEdges()
    {
        TinyGraph g;
        const ValueId x = g.input("x");
        const ValueId a = g.conv("a", x, 3, 4);
        g.output(g.conv("b", a, 4, 4));
        g.output(g.conv("c", a, 4, 4));
        Config config = preset("a8w8");
        config.disabledEdges["c"] = {0};
        const Placement p = place(g.graph, config, targetProfile(""));
        QCOMPARE(written(g.graph, p).mid(1, 1), (QStringList{"a i8 b.0"}));
        QCOMPARE(absence(g.graph, p, "c.b"), "Bias of Conv 'c' stays float: the input is not quantized to integers, so there is no scale to derive.");
        config.disabledEdges["c"] = {7};
        QCOMPARE(refusal(g.graph, config), "disabled_edges names input 7 of 'c', which has 3 inputs.");
    }

    void excludedNodeStaysFloat()
    {
        TinyGraph g = classifier();
        Config config = preset("a8w8");
        config.exclude = {"fc"};
        const Placement p = place(g.graph, config, targetProfile(""));
        QCOMPARE(written(g.graph, p), (QStringList{"x i8 conv.0", "act i8 pool.0", "pool i8 flat.0", "flat i8 fc.0 = pool", "conv.w i8 conv.1", "conv.b i32 conv.2 scale x*conv.w"}));
        QCOMPARE(absence(g.graph, p, "fc"), "Gemm 'fc', which makes it, is left out by exclude 'fc'.");
        config.exclude = {"conv", "act", "pool", "flat"};
        const Placement q = place(g.graph, config, targetProfile(""));
        QCOMPARE(written(g.graph, q), (QStringList{"flat i8 fc.0", "fc i8 !out", "fc.w i8 fc.1", "fc.b i32 fc.2 scale flat*fc.w"}));
        config.exclude = {"nothing*"};
        QCOMPARE(refusal(g.graph, config), "The exclude pattern 'nothing*' matches no node of the model.");
    }

    void inputsAndOutputsOnRequest()
    {
        const TinyGraph g = classifier();
        Config config = preset("a8w8");
        config.quantizeInputs = config.quantizeOutputs = false;
        const Placement p = place(g.graph, config, targetProfile(""));
        QCOMPARE(written(g.graph, p), (QStringList{"act i8 pool.0", "pool i8 flat.0", "flat i8 fc.0 = pool", "conv.w i8 conv.1", "fc.w i8 fc.1", "fc.b i32 fc.2 scale flat*fc.w"}));
        QCOMPARE(absence(g.graph, p, "x"), "The recipe leaves model inputs in float.");
        QCOMPARE(absence(g.graph, p, "fc"), "The recipe leaves model outputs in float.");
    }

    void shapeArithmeticAndIntegersAreLeftAlone()
    {
        TinyGraph g;
        const ValueId x = g.input("x");
        const ValueId c = g.conv("c", x, 3, 4);
        const ValueId shape = g.node("Shape", "shape", {c}, {}, DataType::Int64);
        const ValueId real = g.node("Cast", "cast", {shape}, {{"to", std::int64_t(1)}});
        const ValueId twice = g.node("Mul", "twice", {real, g.constant("two", {}, {2})});
        const ValueId sizes = g.node("Cast", "sizes", {twice}, {{"to", std::int64_t(7)}}, DataType::Int64);
        g.output(g.node("Resize", "resize", {c, ValueId{}, ValueId{}, sizes}, {{"mode", std::string("nearest")}}));
        const Placement p = place(g.graph, preset("a8w8"), targetProfile(""));
        QCOMPARE(written(g.graph, p), (QStringList{"x i8 c.0", "c i8 resize.0", "resize i8 !out = c", "c.w i8 c.1", "c.b i32 c.2 scale x*c.w"}));
        QCOMPARE(absence(g.graph, p, "twice"), "It is computed from shapes and constants.");
        QCOMPARE(absence(g.graph, p, "two"), "Constant of Mul 'twice', which takes it in float.");
        QCOMPARE(absence(g.graph, p, "shape"), "(placed)"); // integer tensors are not listed at all
    }

    void sharedWeightsAndBiases()
    {
        TinyGraph g;
        const ValueId x = g.input("x"), y = g.input("y");
        const ValueId w = g.constant("w", {4, 3, 1, 1}), b = g.constant("b", {4});
        g.output(g.node("Conv", "c1", {x, w, b}));
        g.output(g.node("Conv", "c2", {y, w, b}));
        g.output(g.node("Conv", "c3", {x, w, b}));
        const Placement p = place(g.graph, preset("a8w8"), targetProfile(""));
        QCOMPARE(written(g.graph, p).mid(5), (QStringList{"w i8 c1.1 c2.1 c3.1", "b i32 c1.2 c3.2 scale x*w", "b i32 c2.2 scale y*w"}));
    }

    void gemmWithAlphaKeepsItsBiasInFloat()
    {
        TinyGraph g;
        const ValueId x = g.input("x", {2, 4});
        g.output(g.node("Gemm", "fc", {x, g.constant("w", {4, 5}), g.constant("b", {5})}, {{"alpha", 0.5f}}));
        const Placement p = place(g.graph, preset("a8w8"), targetProfile(""));
        QCOMPARE(written(g.graph, p), (QStringList{"x i8 fc.0", "fc i8 !out", "w i8 fc.1"}));
        QVERIFY(absence(g.graph, p, "b").contains("alpha or beta is not 1"));
        const Placement q = place(g.graph, preset("a8w8"), targetProfile("onnxruntime-cpu"));
        QCOMPARE(written(g.graph, q), (QStringList{"fc i8 !out", "w i8 fc.1"}));
        QCOMPARE(q.diagnostics.front().code, std::string("float-input"));
    }

    void productOfTwoActivationsHasNoWeight()
    {
        TinyGraph g;
        const ValueId a = g.input("a", {2, 4}), b = g.input("b", {4, 2});
        g.output(g.node("MatMul", "mm", {a, b}));
        QCOMPARE(written(g.graph, place(g.graph, preset("a8w8-per-channel"), targetProfile(""))), (QStringList{"a u8a mm.0", "b u8a mm.1", "mm u8a !out"}));
    }

    void constantOperandsAreNarrow()
    {
        TinyGraph g;
        const ValueId x = g.input("x");
        g.output(g.node("Add", "add", {g.conv("c", x, 3, 4), g.constant("k", {4, 1, 1})}));
        const Placement p = place(g.graph, preset("a8w8"), targetProfile(""));
        QCOMPARE(written(g.graph, p).mid(4, 1), (QStringList{"k i8 add.1"}));
        QCOMPARE(p.points[4].kind, PointKind::Weight);
        QVERIFY(p.points[4].scheme.narrow);
    }

    void tensorRtAddsBiasesInFloat()
    {
        const TinyGraph g = classifier();
        const Placement p = place(g.graph, preset("best", "tensorrt"), targetProfile("tensorrt"));
        QCOMPARE(written(g.graph, p), (QStringList{"x i8 conv.0", "act i8 pool.0", "pool i8 flat.0", "flat i8 fc.0 = pool", "fc i8 !out", "conv.w i8c conv.1", "fc.w i8c fc.1"}));
        QCOMPARE(absence(g.graph, p, "fc.b"), "Bias of Gemm 'fc' stays float: tensorrt adds biases in float.");
    }

    void everyPresetWorksWithEveryTargetOrIsRefusedClearly()
    {
        const TinyGraph g = classifier();
        QStringList refused;
        for (const std::string &target : targetProfileNames())
            for (const std::string &name : presetNames())
                if (const QString why = refusal(g.graph, preset(name, target), target); why != "(accepted)")
                    refused << QString::fromStdString(target + " " + name) + ": " + why;
        QCOMPARE(refused, (QStringList{
            "tensorrt a16w8: Conv 'conv', input_tensors.dtype = uint16 (global): the target tensorrt has no activations of this type.",
            "xint8 a8w8-per-channel: Conv 'conv', weight.qscheme = per_channel (global): the target xint8 has one scale a weight tensor; use per_tensor.",
            "xint8 a16w8: Conv 'conv', input_tensors.dtype = uint16 (global): the target xint8 has no activations of this type.",
            "xint8 a8w4: Conv 'conv', weight.dtype = int4 (global): the target xint8 has no weights of this type."}));
    }

    void refusals_data()
    {
        QTest::addColumn<QString>("field");
        QTest::addColumn<QString>("expected");
        QTest::newRow("floor") << "floor" << "Conv 'conv', input_tensors.round_method = floor (node 'conv'): ONNX QuantizeLinear rounds half to even; use half_even on activations.";
        QTest::newRow("narrow") << "narrow" << "Conv 'conv', input_tensors.symmetric_range = narrow (node 'conv'): ONNX QuantizeLinear saturates at the lowest code; use full on activations.";
        QTest::newRow("int3") << "int3" << "Conv 'conv', input_tensors.dtype = int3 (node 'conv'): ONNX QuantizeLinear has no such activation type; use 4, 8 or 16 bits.";
        QTest::newRow("channel") << "channel" << "Conv 'conv', input_tensors.qscheme = per_channel (node 'conv'): an activation has one scale; per_channel and per_group are for weights.";
        QTest::newRow("dynamic") << "dynamic" << "Conv 'conv', input_tensors.is_dynamic = true (node 'conv'): ONNX DynamicQuantizeLinear makes uint8, asymmetric, per tensor only.";
        QTest::newRow("fixed") << "fixed" << "Conv 'conv', input_tensors.observer = fixed (node 'conv'): the fixed observer needs a fixed_range whose minimum is below its maximum.";
        QTest::newRow("bias") << "bias" << "Conv 'conv', bias.dtype = int8 (node 'conv'): int8 biases need a target that runs them, such as xint8; use int32 or float32.";
        QTest::newRow("group") << "group" << "Conv 'conv', weight.qscheme = per_group (node 'conv'): ONNX groups values along one axis, which is defined for the two-dimensional weights of Gemm and MatMul only.";
    }
    void refusals()
    {
        QFETCH(QString, field);
        QFETCH(QString, expected);
        const TinyGraph g = classifier();
        Config config = preset("a8w8");
        QuantizationConfig &node = config.byNode["conv"];
        if (field == "floor") node.inputTensors.roundMethod = RoundMethod::Floor;
        if (field == "narrow") node.inputTensors.narrowRange = true;
        if (field == "int3") node.inputTensors.dtype = QuantDtype::Int3;
        if (field == "channel") node.inputTensors.qscheme = Granularity::PerChannel;
        if (field == "dynamic") node.inputTensors.isDynamic = true;
        if (field == "fixed") node.inputTensors.observer = ObserverKind::Fixed;
        if (field == "bias") node.bias.dtype = QuantDtype::Int8;
        if (field == "group") { node.weight.qscheme = Granularity::PerGroup; node.weight.groupSize = 2; }
        QCOMPARE(refusal(g.graph, config), expected);
    }

    void provenanceTellsPresetAndTargetApart()
    {
        const TinyGraph g = classifier();
        Recipe recipe = presetRecipe("best");
        recipe.target = "tensorrt";
        recipe.config.byOpType["Gemm"].weight.qscheme = Granularity::PerTensor;
        const Placement p = place(g.graph, recipe);
        QCOMPARE(p.points[0].provenance, std::string("target 'tensorrt'"));
        QCOMPARE(p.points[5].provenance, std::string("target 'tensorrt'"));
        QCOMPARE(p.points[6].provenance, std::string("operator type 'Gemm'"));
    }
};

QTEST_APPLESS_MAIN(TestPlacement)
#include "tst_placement.moc"

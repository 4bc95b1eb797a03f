// Files are judged by torch::jit::load, and by Python's torch where that is installed; expected numbers are those of the Executor.
#include "core/base/error.h"
#include "core/exec/executor.h"
#include "core/graph/layer_folding.h"
#include "core/quant/qdq_graph.h"
#include "core/session/model_loading.h"
#include "core/session/torchscript_export.h"
#include "tests/support/hand_model.h"
#include "tests/support/run_node.h"

#include <QProcess>
#include <QTemporaryDir>

#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/serialization/import.h>

#include <fstream>

using namespace core;
using tests::affine;
using tests::Attributes;
using tests::HandModel;
using tests::Ints;
using tests::noise;
using tests::TinyGraph;

namespace {

std::vector<at::Tensor> runFile(const std::string &file, const std::vector<at::Tensor> &inputs)
{
    const c10::InferenceMode guard;
    torch::jit::Module module = torch::jit::load(file);
    std::vector<c10::IValue> arguments(inputs.begin(), inputs.end());
    const c10::IValue result = module.forward(arguments);
    if (result.isTensor())
        return {result.toTensor()};
    std::vector<at::Tensor> list;
    for (const c10::IValue &element : result.toTuple()->elements())
        list.push_back(element.toTensor());
    return list;
}

struct Piece {
    std::string type;
    std::vector<at::Tensor> inputs;   ///< the first is fed, the others are constants
    Attributes attributes;
    int outputs = 1;
};

TinyGraph graphOf(const Piece &piece)
{
    TinyGraph tiny;
    std::vector<ValueId> inputs{tiny.input("x.0", piece.inputs[0].sizes().vec())};
    for (std::size_t i = 1; i < piece.inputs.size(); ++i)
        inputs.push_back(piece.inputs[i].defined() ? tiny.graph.addConstant("c." + std::to_string(i), toTensorData(piece.inputs[i])) : ValueId{});
    tiny.node(piece.type, "node", inputs, piece.attributes, DataType::Float32, piece.outputs);
    for (const ValueId id : tiny.graph.node(tiny.nodeId("node")).outputs)
        tiny.output(id);
    return tiny;
}

at::Tensor list(const Ints &values) { return at::tensor(values, at::kLong); }

std::vector<Piece> pieces()
{
    const at::Tensor x = noise({2, 4, 6, 6}), none, w = noise({4, 2, 3, 3}, 3), b = noise({4}, 4), ones = at::ones({4});
    const Ints two{2, 2}, three{3, 3}, one{1, 1, 1, 1};
    const std::int64_t g2 = 2, yes = 1, no = 0;
    const auto text = [](const char *value) { return std::string(value); };
    std::vector<Piece> all{
        {"Conv", {x, w, b}, {{"group", g2}, {"pads", one}, {"strides", two}}}, {"Conv", {x, w}, {{"group", g2}, {"pads", Ints{0, 1, 1, 0}}}},
        {"Conv", {x, w}, {{"group", g2}, {"auto_pad", text("SAME_UPPER")}, {"strides", two}}}, {"Conv", {noise({2, 3, 7}), noise({2, 3, 3}, 2)}, {{"dilations", Ints{2}}}},
        {"ConvTranspose", {x, noise({4, 3, 3, 3}, 2), noise({3}, 3)}, {{"strides", two}, {"pads", Ints{1, 0, 0, 1}}, {"output_padding", Ints{1, 1}}}},
        {"Gemm", {noise({3, 5}), noise({4, 5}, 2), b}, {{"transB", yes}, {"alpha", 0.5f}, {"beta", 0.25f}}}, {"MatMul", {noise({2, 3, 5}), noise({5, 4}, 2)}},
        {"BatchNormalization", {x, b, ones, b, ones}}, {"InstanceNormalization", {x, b, ones}}, {"LayerNormalization", {x, noise({6}, 2), noise({6}, 3)}},
        {"MaxPool", {x}, {{"kernel_shape", three}, {"strides", two}, {"pads", one}}}, {"MaxPool", {x}, {{"kernel_shape", three}, {"strides", two}, {"ceil_mode", yes}}},
        {"MaxPool", {x}, {{"kernel_shape", two}, {"pads", Ints{0, 0, 1, 1}}}}, {"AveragePool", {x}, {{"kernel_shape", three}, {"pads", one}}},
        {"AveragePool", {x}, {{"kernel_shape", three}, {"strides", two}, {"ceil_mode", yes}, {"pads", Ints{1, 0, 0, 0}}}},
        {"AveragePool", {x}, {{"kernel_shape", two}, {"pads", Ints{0, 0, 1, 1}}, {"count_include_pad", yes}}}, {"GlobalAveragePool", {x}}, {"GlobalMaxPool", {x}},
        {"Reshape", {x, list({0, -1, 12})}}, {"Flatten", {x}}, {"Flatten", {x}, {{"axis", std::int64_t(2)}}}, {"Transpose", {x}, {{"perm", Ints{0, 2, 3, 1}}}},
        {"Squeeze", {noise({2, 1, 3}), list({1})}}, {"Unsqueeze", {x, list({0, -1})}}, {"Split", {x, list({1, 3})}, {{"axis", yes}}, 2},
        {"Slice", {x, list({1, -5}), list({4, 9223372036854775807}), list({1, 3}), list({2, 1})}}, {"Gather", {x, list({3, -4})}, {{"axis", yes}}},
        {"Gather", {x, at::scalar_tensor(std::int64_t(1), at::kLong)}, {{"axis", yes}}}, {"Expand", {noise({2, 1, 3}), list({2, 4, 1})}}, {"Tile", {noise({2, 3}), list({2, 1})}},
        {"Pad", {x, list({0, 0, 1, 2, 0, 0, 0, 1}), at::full({}, 0.5f)}}, {"DepthToSpace", {x}, {{"blocksize", g2}}}, {"DepthToSpace", {x}, {{"blocksize", g2}, {"mode", text("CRD")}}},
        {"SpaceToDepth", {x}, {{"blocksize", g2}}}, {"Resize", {x, none, tests::floats({4}, {1, 1, 2, 2})}}, {"Resize", {x, none, none, list({2, 4, 9, 5})}, {{"mode", text("linear")}}},
        {"Resize", {x, none, none, list({2, 4, 12, 8})}, {{"mode", text("cubic")}, {"coordinate_transformation_mode", text("align_corners")}}},
        {"Clip", {x, at::full({}, -0.5f), none}}, {"Clip", {x, at::full({}, -0.5f), at::full({}, 0.7f)}}, {"PRelu", {x, noise({4, 1, 1}, 2)}}, {"Softmax", {x}, {{"axis", yes}}}, {"LogSoftmax", {x}},
        {"LeakyRelu", {x}, {{"alpha", 0.2f}}}, {"Elu", {x}}, {"Selu", {x}}, {"HardSigmoid", {x}}, {"HardSwish", {x}}, {"Mish", {x}}, {"Softplus", {x}}, {"Softsign", {x}}, {"Swish", {x}},
        {"Gelu", {x}, {{"approximate", text("tanh")}}}, {"Add", {x, b.reshape({4, 1, 1})}}, {"Pow", {x, at::full({}, 2.0f)}}, {"Max", {x, at::zeros({1}), at::full({1}, -1.0f)}},
        {"Mean", {x, ones.reshape({4, 1, 1})}}, {"ReduceMean", {x, list({2, -1})}, {{"keepdims", no}}}, {"ReduceL2", {x, list({1})}}, {"ReduceMax", {x}},
        {"Cast", {x}, {{"to", std::int64_t(DataType::Float16)}}}, {"ArgMax", {x}, {{"axis", yes}}},
    };
    for (const char *type : {"Relu", "Sigmoid", "Tanh", "Exp", "Abs", "Neg", "Floor", "Round", "Erf", "Identity"})
        all.push_back({type, {x}});
    return all;
}

AffineParams paramsFor(const at::Tensor &values, bool isSigned)
{
    const float low = std::min(0.0f, values.min().item<float>()), high = std::max(0.0f, values.max().item<float>());
    if (isSigned)
        return affine(std::max(-low, high) / 127, 0, -127, 127);
    const float scale = (high - low) / 255;
    return affine(scale, std::int32_t(std::lround(-low / scale)), 0, 255);
}

/// The sample: every Conv, Clip, Add and Gemm quantized with its own extremes over these images.
Graph quantizedSample(const at::Tensor &images)
{
    Graph graph = loadFolded(std::string(QUANTSCOPE_SOURCE_DIR) + "/resources/sample/sample.onnx").graph;
    foldPadding(graph);
    foldBatchNormalization(graph);
    HandModel hand(graph);
    ExecutorOptions options;
    for (const NodeId id : graph.order())
        if (const Node &node = graph.node(id); !node.is("Conv") || !graph.isOutput(node.output(0)))
            options.taps.push_back(node.output(0));
    options.taps.push_back(graph.inputs[0]);
    const auto tap = [&](ValueId id, const at::Tensor &value) {
        const auto uses = graph.uses(id);
        const bool clipped = uses.size() == 1 && graph.node(uses[0].node).is("Clip");   // its quantizer stands behind the Clip
        if (!clipped)
            hand.activation(graph.value(id).name, paramsFor(value, false), QuantDtype::UInt8);
    };
    Executor(std::make_shared<const Graph>(graph), options).run(std::vector<at::Tensor>{images}, tap);
    for (const NodeId id : graph.order()) {
        const Node &node = graph.node(id);
        if (!node.is("Conv"))
            continue;
        std::vector<AffineParams> params;
        const at::Tensor weight = toTensor(*graph.constant(node.input(1)));
        for (std::int64_t c = 0; c < weight.size(0); ++c)
            params.push_back(paramsFor(weight[c], true));
        hand.weight(graph.value(node.input(1)).name, params);
    }
    return buildQdqGraph(hand.model);
}

std::size_t countOf(const Graph &graph, const char *type)
{
    std::size_t count = 0;
    for (const NodeId id : graph.order())
        count += graph.node(id).is(type);
    return count;
}

} // namespace

class TestTorchscript : public QObject {
    Q_OBJECT

    QTemporaryDir m_folder;
    std::string file(const char *name) const { return m_folder.filePath(name).toStdString(); }

private Q_SLOTS:
    void operators()
    {
        for (const Piece &piece : pieces()) {
            const TinyGraph tiny = graphOf(piece);
            writeTorchScript(tiny.graph, file("piece.pt"));
            const auto expected = Executor(std::make_shared<const Graph>(tiny.graph)).run(std::vector<at::Tensor>{piece.inputs[0]});
            const auto actual = runFile(file("piece.pt"), {piece.inputs[0]});
            QCOMPARE(actual.size(), expected.size());
            for (std::size_t i = 0; i < actual.size(); ++i) {
                const std::string difference = tests::difference(actual[i], expected[i], 1e-5, 3e-6);
                QVERIFY2(difference.empty(), (piece.type + " " + difference).c_str());
            }
        }
    }

    // Ties and both ends: 0.5 → 0, 1.5 → 2 (half to even) with scale 1; a scale whose inverse is not exact.
    void codesAreExact()
    {
        for (const float scale : {1.0f, 0.1f, 0.3f}) {
            TinyGraph tiny;
            const ValueId x = tiny.input("x", {-1});
            const ValueId s = tiny.constant("s", {}, {scale}), z = tiny.graph.addConstant("z", TensorData::fromIntegers(DataType::Int8, {}, std::vector<std::int64_t>{3}));
            const ValueId q = tiny.node("QuantizeLinear", "q", {x, s, z}, {}, DataType::Int8);
            tiny.output(q);
            tiny.output(tiny.node("DequantizeLinear", "y", {q, s, z}));
            writeTorchScript(tiny.graph, file("codes.pt"));
            const at::Tensor values = (at::arange(-300, 300, at::kFloat) / 2) * scale;
            const auto expected = Executor(std::make_shared<const Graph>(tiny.graph)).run(std::vector<at::Tensor>{values});
            const auto actual = runFile(file("codes.pt"), {values});
            QVERIFY(tests::sameBits(actual[0], expected[0]));
            QVERIFY(tests::sameBits(actual[1], expected[1]));
            if (scale == 1.0f)
                COMPARE_TENSORS(actual[0].slice(0, 300, 304).to(at::kFloat), tests::floats({4}, {3, 3, 4, 5}));   // 0, 0.5, 1, 1.5
        }
    }

    void blocksAndSmallIntegers()
    {
        TinyGraph tiny;
        const ValueId x = tiny.input("x", {3, 4});
        const ValueId codes = tiny.graph.addConstant("codes", TensorData::fromIntegers(DataType::Int4, {4, 2}, std::vector<std::int64_t>{1, -2, 3, -4, 5, -6, 7, -8}));
        const ValueId w = tiny.node("DequantizeLinear", "w", {codes, tiny.constant("s", {2, 2}, {0.5f, 1, 2, 0.25f})}, {{"axis", std::int64_t(0)}, {"block_size", std::int64_t(2)}});
        tiny.output(tiny.node("MatMul", "y", {x, w}));
        writeTorchScript(tiny.graph, file("blocks.pt"));
        COMPARE_TENSORS(runFile(file("blocks.pt"), {at::ones({3, 4})})[0][0], tests::floats({2}, {26, -9.5f}));   // 0.5 + 1.5 + 10 + 14, −2 − 4 − 1.5 − 2
    }

    void sample()
    {
        const at::Tensor images = noise({8, 1, 28, 28}, 5);
        const Graph graph = quantizedSample(images);
        QVERIFY(countOf(graph, "DequantizeLinear") > countOf(graph, "Conv") + 8);
        writeTorchScript(graph, file("sample.pt"));
        const at::Tensor expected = Executor(std::make_shared<const Graph>(graph)).run(std::vector<at::Tensor>{images})[0];
        const at::Tensor actual = runFile(file("sample.pt"), {images})[0];
        COMPARE_TENSORS(actual, expected, 1e-5, 1e-5);
        QVERIFY(at::eq(actual, expected).to(at::kFloat).mean().item<float>() > 0.9f);
        // Any batch.
        COMPARE_TENSORS(runFile(file("sample.pt"), {images.narrow(0, 2, 1)})[0], expected.narrow(0, 2, 1), 1e-5, 1e-5);
        const torch::jit::Module module = torch::jit::load(file("sample.pt"));
        std::size_t codes = 0;
        for (const auto &buffer : module.named_buffers())
            codes += buffer.value.scalar_type() == at::kChar && buffer.value.dim() == 4;
        QCOMPARE(codes, countOf(graph, "Conv"));   // weights are stored as integers
    }

    void python()
    {
        QProcess process;
        process.start("python3", {"-c", "import torch"});
        if (!process.waitForFinished(60000) || process.exitCode() != 0)
            QSKIP("NOT CHECKED: python3 has no package torch, so no Python opened the TorchScript file; torch::jit::load did.");
        const at::Tensor images = at::ones({1, 1, 28, 28});
        const Graph graph = quantizedSample(images);
        writeTorchScript(graph, file("python.pt"));
        const at::Tensor expected = Executor(std::make_shared<const Graph>(graph)).run(std::vector<at::Tensor>{images})[0].reshape({-1});
        process.start("python3", {"-c", QString("import torch\nm = torch.jit.load('%1').eval()\nprint(' '.join(repr(float(v)) for v in m(torch.ones(1, 1, 28, 28)).flatten()))")
                                            .arg(m_folder.filePath("python.pt"))});
        QVERIFY(process.waitForFinished(120000));
        std::vector<float> values;
        for (const QByteArray &word : process.readAllStandardOutput().simplified().split(' '))
            values.push_back(word.toFloat());
        COMPARE_TENSORS(tests::floats({std::int64_t(values.size())}, values), expected, 1e-4, 1e-4);
    }

    void refusals()
    {
        const auto errorOf = [&](const TinyGraph &tiny, const std::string &path) {
            try {
                writeTorchScript(tiny.graph, path);
            } catch (const Error &error) {
                return (error.kind() == ErrorKind::Unsupported ? "Unsupported: " : error.kind() == ErrorKind::Io ? "Io" : "") + (error.kind() == ErrorKind::Io ? "" : error.sentence());
            }
            return std::string("no error");
        };
        TinyGraph tiny;
        tiny.output(tiny.node("NonZero", "places", {tiny.input("x", {2})}, {}, DataType::Int64));
        QCOMPARE(errorOf(tiny, file("none.pt")), std::string("Unsupported: Node 'places' (NonZero): this operator cannot be written as TorchScript."));
        QVERIFY(!std::ifstream(file("none.pt")).good());
        TinyGraph good;
        good.output(good.node("Relu", "y", {good.input("x", {2})}));
        QCOMPARE(errorOf(good, file("no/such/folder.pt")), std::string("Io"));
    }

    // Names that are words of the language, or equal but for their dots.
    void names()
    {
        TinyGraph tiny;
        const ValueId x = tiny.input("if", {2}), y = tiny.node("Add", "a.b", {x, tiny.constant("training", {2}, {1, 2})});
        tiny.output(tiny.node("Mul", "a/b", {y, tiny.constant("7", {2}, {3, 4})}));
        tiny.output(tiny.graph.findValue("7"));
        writeTorchScript(tiny.graph, file("names.pt"));
        const auto result = runFile(file("names.pt"), {at::ones({2})});
        COMPARE_TENSORS(result[0], tests::floats({2}, {6, 12}));
        COMPARE_TENSORS(result[1], tests::floats({2}, {3, 4}));
    }
};

QTEST_APPLESS_MAIN(TestTorchscript)
#include "tst_torchscript.moc"

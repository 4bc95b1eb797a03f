#include "core/onnx/reader.h"
#include "core/onnx/writer.h"

#include "tests/support/onnx_builder.h"
#include "tests/support/tiny_graph.h"

#include <QtTest/QtTest>

#include <fstream>

using namespace core;
using tests::lacking;
using tests::OnnxBuilder;
using tests::plainModel;
using tests::sentenceOf;
using tests::TinyGraph;
using Attribute = onnx::AttributeProto;

namespace {

onnx::ModelProto written(const Model &model, int opset = 23)
{
    onnx::ModelProto proto;
    if (!proto.ParseFromString(serializeModel(model, opset)))
        throw Error(ErrorKind::Internal, "test", "What was written is no ModelProto.");
    return proto;
}

Model modelOf(const TinyGraph &tiny)
{
    Model model;
    model.graph = tiny.graph;
    return model;
}

/// x → Conv → y
TinyGraph convolution()
{
    TinyGraph tiny;
    tiny.output(tiny.conv("y", tiny.input("x"), 3, 2));
    return tiny;
}

std::string unknownField(int number, const std::string &content)
{
    return std::string(1, char(number << 3 | 2)) + char(content.size()) + content;
}

} // namespace

class TestWriter : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void whatIsWritten()
    {
        Model model = modelOf(convolution());
        model.docString = "about";
        model.modelVersion = 4;
        model.metadata = {{"b", "1"}, {"a", "2"}};
        model.otherOpsets = {{"vendor", 7}};
        const onnx::ModelProto proto = written(model);
        QCOMPARE(proto.producer_name(), std::string("quantscope"));
        QVERIFY(!proto.producer_version().empty());
        QCOMPARE(proto.doc_string(), std::string("about"));
        QCOMPARE(proto.model_version(), std::int64_t(4));
        QCOMPARE(proto.metadata_props(0).key() + proto.metadata_props(1).key(), std::string("ba"));
        QCOMPARE(proto.opset_import_size(), 2);
        QVERIFY(proto.opset_import(0).domain().empty() && proto.opset_import(0).version() == 23);
        QVERIFY(proto.opset_import(1).domain() == "vendor" && proto.opset_import(1).version() == 7);
        const onnx::GraphProto &graph = proto.graph();
        QCOMPARE(graph.name(), std::string("graph")); // the checker wants one
        QCOMPARE(graph.input_size(), 1);              // initializers are none
        QCOMPARE(graph.initializer(0).name(), std::string("y.w"));
        QCOMPARE(graph.initializer(0).raw_data().size(), std::size_t(24));
        QCOMPARE(graph.node(0).name(), std::string("y"));
        QCOMPARE(graph.node(0).input(2), std::string("y.b"));
        QCOMPARE(graph.node(0).attribute(0).name(), std::string("group"));
        QVERIFY(graph.node(0).attribute(1).type() == Attribute::INTS);
        QCOMPARE(graph.input(0).type().tensor_type().shape().dim(1).dim_value(), std::int64_t(3));
        QVERIFY(graph.value_info_size() == 0 && graph.output(0).type().tensor_type().elem_type() == 1);
    }

    void shapesOfInnerTensors()
    {
        TinyGraph tiny;
        const ValueId a = tiny.node("Relu", "a", {tiny.input("x")});
        tiny.graph.value(a).shape = Shape{{-1, "N"}, {-1, {}}, {2, {}}};
        tiny.output(tiny.node("Neg", "b", {a}));
        const onnx::GraphProto graph = written(modelOf(tiny)).graph();
        QCOMPARE(graph.value_info_size(), 1);
        const auto &shape = graph.value_info(0).type().tensor_type().shape();
        QCOMPARE(shape.dim(0).dim_param(), std::string("N"));
        QVERIFY(!shape.dim(1).has_dim_param() && !shape.dim(1).has_dim_value());
        QCOMPARE(shape.dim(2).dim_value(), std::int64_t(2));
        QVERIFY(!graph.output(0).type().tensor_type().has_shape());
    }

    void irVersionFollowsOpsetAndTypes()
    {
        Model model = modelOf(convolution());
        model.irVersion = 3;
        for (const auto &[opset, ir] : {std::pair(8, 4), {10, 5}, {11, 6}, {13, 7}, {15, 8}, {18, 8}, {19, 9}, {21, 10}, {22, 10}, {23, 11}})
            QCOMPARE(written(model, opset).ir_version(), std::int64_t(ir));
        model.irVersion = 9;
        QCOMPARE(written(model, 13).ir_version(), std::int64_t(9));
        model.graph.addConstant("q", TensorData::fromIntegers(DataType::Int4, {1}, std::vector<std::int64_t>{3}));
        QCOMPARE(written(model, 13).ir_version(), std::int64_t(10));
    }

    void operatorsAreLowered()
    {
        TinyGraph tiny;
        tiny.output(tiny.node("Squeeze", "s", {tiny.input("x", {1, 4}), tiny.integers("axes", {0})}));
        const onnx::ModelProto proto = written(modelOf(tiny), 11);
        QCOMPARE(proto.opset_import(0).version(), std::int64_t(11));
        QCOMPARE(proto.graph().node(0).input_size(), 1);
        QCOMPARE(proto.graph().node(0).attribute(0).ints(0), std::int64_t(0));
        QCOMPARE(tiny.graph.node(tiny.nodeId("s")).inputs.size(), std::size_t(2));
        TinyGraph gelu;
        gelu.output(gelu.node("Gelu", "late", {gelu.input("x")}));
        QCOMPARE(lacking(sentenceOf([&] { written(modelOf(gelu), 13); }, ErrorKind::Unsupported), {"'late'", "13"}), std::string());
        QCOMPARE(lacking(sentenceOf([&] { written(modelOf(gelu), 99); }, ErrorKind::Unsupported), {"99", "23"}), std::string());
    }

    void theSameBytesEveryTime()
    {
        OnnxBuilder builder = plainModel();
        builder.floats("w", {1, 2});
        tests::addAttribute(*builder.graph().mutable_node(0), "z", Attribute::INT);
        tests::addAttribute(*builder.graph().mutable_node(0), "a", Attribute::INT);
        const std::string first = serializeModel(builder.read(), 23);
        QVERIFY(first == serializeModel(builder.read(), 23));
        const Model again = readModel(std::as_bytes(std::span(first.data(), first.size())));
        QVERIFY(serializeModel(again, 23) == first);
    }

    void nodesAreWrittenInTopologicalOrder()
    {
        TinyGraph tiny;
        const ValueId a = tiny.node("Relu", "a", {tiny.input("x")});
        tiny.output(tiny.node("Neg", "b", {a}));
        tiny.graph.setOrder({tiny.nodeId("b"), tiny.nodeId("a")});
        QCOMPARE(written(modelOf(tiny)).graph().node(0).name(), std::string("a"));
    }

    void omittedInputsStayInPlace()
    {
        TinyGraph tiny;
        const ValueId x = tiny.input("x");
        tiny.output(tiny.node("Clip", "c", {x, ValueId{}, tiny.constant("high", {})}));
        const onnx::NodeProto node = written(modelOf(tiny)).graph().node(0);
        QVERIFY(node.input_size() == 3 && node.input(1).empty() && node.input(2) == "high");
    }

    void attributesOfAllKinds()
    {
        TinyGraph inner, tiny;
        inner.output(inner.node("Neg", "n", {inner.graph.addValue("x")}));
        Attribute kept;
        kept.set_type(Attribute::TYPE_PROTO);
        kept.mutable_tp()->mutable_tensor_type()->set_elem_type(7);
        const std::map<std::string, AttributeValue> attributes{
            {"a", std::int64_t(-1)}, {"b", 0.5f}, {"c", std::string("s")}, {"d", std::vector<std::int64_t>{1, 2}}, {"e", std::vector<float>{}},
            {"f", std::vector<std::string>{"x"}}, {"g", TensorData::fromFloats({1}, std::vector<float>{3})},
            {"h", std::make_shared<const Graph>(inner.graph)}, {"i", OpaqueProto{kept.SerializeAsString()}}};
        tiny.output(tiny.node("Odd", "odd", {tiny.input("x")}, attributes));
        tiny.graph.node(tiny.nodeId("odd")).domain = "vendor";
        const onnx::ModelProto proto = written(modelOf(tiny));
        QCOMPARE(proto.opset_import(1).domain(), std::string("vendor")); // imported because a node needs it
        const auto &list = proto.graph().node(0).attribute();
        const Attribute::AttributeType types[] = {Attribute::INT, Attribute::FLOAT, Attribute::STRING, Attribute::INTS, Attribute::FLOATS,
            Attribute::STRINGS, Attribute::TENSOR, Attribute::GRAPH, Attribute::TYPE_PROTO};
        QCOMPARE(list.size(), 9);
        for (int i = 0; i < 9; ++i) {
            QCOMPARE(list[i].name(), std::string(1, char('a' + i)));
            QCOMPARE(int(list[i].type()), int(types[i]));
        }
        QCOMPARE(list[0].i(), std::int64_t(-1));
        QCOMPARE(list[3].ints(1), std::int64_t(2));
        QCOMPARE(list[7].g().node(0).input(0), std::string("x"));
        QCOMPARE(list[7].g().value_info_size(), 0);
        QCOMPARE(list[8].tp().tensor_type().elem_type(), 7);
    }

    /// Fields of ONNX releases after libonnx 1.12 (metadata_props of nodes 9, of graphs 16, of values 4; configuration of models 26).
    void whatLibonnxDoesNotKnowSurvives()
    {
        OnnxBuilder builder = plainModel();
        onnx::StringStringEntryProto entry;
        entry.set_key("k");
        entry.set_value("v");
        const std::string bytes = entry.SerializeAsString();
        QVERIFY(builder.graph().mutable_node(0)->MergeFromString(unknownField(9, bytes)));
        QVERIFY(builder.graph().mutable_input(0)->MergeFromString(unknownField(4, bytes)));
        QVERIFY(builder.model.MergeFromString(std::string("\xD2\x01\x02\x0A\x00", 5)));
        QVERIFY(builder.graph().MergeFromString(std::string("\x82\x01", 2) + char(bytes.size()) + bytes));
        builder.graph().mutable_input(0)->set_doc_string("doc of x");
        builder.graph().mutable_node(0)->set_doc_string("doc of relu");
        const onnx::ModelProto proto = written(builder.read());
        // Whether this libonnx knows the field or not, its bytes stand in the message.
        const auto holds = [](const auto &message, const std::string &field) { return message.SerializeAsString().find(field) != std::string::npos; };
        QVERIFY(holds(proto.graph().node(0), unknownField(9, bytes)));
        QVERIFY(holds(proto.graph().input(0), unknownField(4, bytes)));
        QVERIFY(holds(proto, std::string("\xD2\x01\x02\x0A\x00", 5)));
        QVERIFY(holds(proto.graph(), std::string("\x82\x01", 2) + char(bytes.size()) + bytes));
        QCOMPARE(proto.graph().input(0).doc_string(), std::string("doc of x"));
        QCOMPARE(proto.graph().input(0).type().tensor_type().shape().dim_size(), 2);
        QCOMPARE(proto.graph().node(0).doc_string(), std::string("doc of relu"));
    }

    void filesAppearWhole()
    {
        QTemporaryDir folder;
        const std::filesystem::path directory = folder.path().toStdString(), file = directory / "out.onnx";
        const Model model = modelOf(convolution());
        writeModel(model, 13, file);
        QCOMPARE(readModel(file).graph.nodeCount(), std::size_t(1));
        std::ifstream stream(file, std::ios::binary);
        const std::string bytes(std::istreambuf_iterator<char>(stream), {});
        QVERIFY(bytes == serializeModel(model, 13));
        QCOMPARE(std::distance(std::filesystem::directory_iterator(directory), std::filesystem::directory_iterator()), std::ptrdiff_t(1));
        QCOMPARE(lacking(sentenceOf([&] { writeModel(model, 13, directory / "absent" / "out.onnx"); }, ErrorKind::Io), {"out.onnx", "No such file"}),
                 std::string());
    }
};

QTEST_APPLESS_MAIN(TestWriter)
#include "tst_writer.moc"

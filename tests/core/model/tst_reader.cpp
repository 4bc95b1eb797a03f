#include "core/onnx/reader.h"

#include "tests/support/onnx_builder.h"

#include <QtTest/QtTest>

#include <algorithm>

using namespace core;
using tests::OnnxBuilder;
using tests::plainModel;
using Attribute = onnx::AttributeProto;

namespace {

std::string order(const Graph &graph)
{
    std::string text;
    for (const NodeId id : graph.order())
        text += (text.empty() ? "" : " ") + graph.node(id).name;
    return text;
}

const Node &firstNode(const Model &model) { return model.graph.node(model.graph.order().front()); }

const Diagnostic *diagnostic(const Model &model, const std::string &code)
{
    const auto found = std::find_if(model.diagnostics.begin(), model.diagnostics.end(), [&](const Diagnostic &d) { return d.code == code; });
    return found == model.diagnostics.end() ? nullptr : &*found;
}

const Graph &bodyOf(const Node &node, const std::string &attribute)
{
    return *std::get<std::shared_ptr<const Graph>>(node.attributes.at(attribute));
}

} // namespace

class TestReader : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void whatStandsAroundTheGraph()
    {
        OnnxBuilder builder = plainModel();
        builder.model.set_producer_name("tool");
        builder.model.set_producer_version("3");
        builder.model.set_domain("org.example");
        builder.model.set_model_version(9);
        builder.model.set_doc_string("about");
        auto &entry = *builder.model.add_metadata_props();
        entry.set_key("author");
        entry.set_value("me");
        builder.graph().set_doc_string("graph doc");
        const Model model = builder.read();
        QCOMPARE(model.opset, 23);
        QCOMPARE(model.irVersion, std::int64_t(8));
        QCOMPARE(model.producerName + model.producerVersion + model.domain + model.docString, std::string("tool3org.exampleabout"));
        QCOMPARE(model.modelVersion, std::int64_t(9));
        QCOMPARE(model.metadata.front().second, std::string("me"));
        QCOMPARE(model.graph.name + model.graph.docString, std::string("ggraph doc"));
        QVERIFY(model.diagnostics.empty());
        QVERIFY(model.unknownFields.empty() && model.graph.unknownFields.empty() && firstNode(model).unknownFields.empty());
    }

    void inputsOutputsAndShapes()
    {
        OnnxBuilder builder = plainModel();
        auto &shape = *builder.graph().mutable_input(0)->mutable_type()->mutable_tensor_type()->mutable_shape();
        shape.mutable_dim(0)->set_dim_param("N");
        shape.add_dim();
        shape.add_dim()->set_dim_value(-1);
        builder.graph().mutable_output(0)->mutable_type()->mutable_tensor_type()->clear_shape();
        const Model model = builder.read();
        const Value &x = model.graph.value(model.graph.inputs.front()), &y = model.graph.value(model.graph.outputs.front());
        QVERIFY(x.type == DataType::Float32);
        QVERIFY(*x.shape == (Shape{{-1, "N"}, {4, {}}, {-1, {}}, {-1, {}}}));
        QCOMPARE(y.name, std::string("y"));
        QVERIFY(!y.shape.has_value());
    }

    void attributes()
    {
        OnnxBuilder builder = plainModel();
        onnx::NodeProto &node = *builder.graph().mutable_node(0);
        tests::addAttribute(node, "f", Attribute::FLOAT).set_f(0.5f);
        tests::addAttribute(node, "i", Attribute::INT).set_i(-3);
        tests::addAttribute(node, "s", Attribute::STRING).set_s("text");
        tests::addAttribute(node, "none", Attribute::INTS);
        tests::addAttribute(node, "fs", Attribute::FLOATS).add_floats(1.5f);
        tests::addAttribute(node, "ss", Attribute::STRINGS).add_strings("a");
        auto &tensor = *tests::addAttribute(node, "t", Attribute::TENSOR).mutable_t();
        tensor.set_data_type(7);
        tensor.add_int64_data(5);
        tests::addAttribute(node, "type", Attribute::TYPE_PROTO).mutable_tp()->mutable_tensor_type()->set_elem_type(1);
        Attribute &untyped = *node.add_attribute(); // files from before IR version 2 have no attribute types
        untyped.set_name("old");
        untyped.add_ints(4);
        const Node read = firstNode(builder.read());
        QCOMPARE(read.floatAttribute("f", 0), 0.5f);
        QCOMPARE(read.intAttribute("i", 0), std::int64_t(-3));
        QCOMPARE(read.stringAttribute("s", ""), std::string("text"));
        QVERIFY(read.has("none") && read.intsAttribute("none").empty());
        QCOMPARE(read.floatsAttribute("fs").front(), 1.5f);
        QCOMPARE(std::get<std::vector<std::string>>(read.attributes.at("ss")).front(), std::string("a"));
        QVERIFY(std::get<TensorData>(read.attributes.at("t")).toInt64s() == std::vector<std::int64_t>{5});
        QVERIFY(std::holds_alternative<OpaqueProto>(read.attributes.at("type")));
        QVERIFY(read.intsAttribute("old") == std::vector<std::int64_t>{4});
    }

    void initializersThatAreInputsToo()
    {
        OnnxBuilder builder(23);
        builder.input("w", {2});
        builder.input("x");
        builder.output("y");
        builder.floats("w", {1, 2});
        builder.floats("unused", {3});
        builder.node("Mul", {"x", "w"}, {"y"});
        const Model model = builder.read();
        QCOMPARE(model.graph.inputs.size(), std::size_t(1));
        QCOMPARE(model.graph.value(model.graph.inputs.front()).name, std::string("x"));
        QVERIFY(model.graph.constant(model.graph.findValue("w"))->toFloats() == (std::vector<float>{1, 2}));
        QVERIFY(model.graph.isConstant(model.graph.findValue("unused")));
    }

    void namesOfNodes()
    {
        OnnxBuilder builder;
        builder.input("x");
        builder.output("e");
        builder.node("Relu", {"x"}, {"a"});
        builder.node("Relu", {"a"}, {"b"}, "same");
        builder.node("Relu", {"b"}, {"c"}, "same");
        builder.node("Relu", {"c"}, {"d"}, "Relu_0");
        builder.node("Relu", {"d"}, {"e"}, "same_1");
        const Model model = builder.read();
        QCOMPARE(order(model.graph), std::string("Relu_0_ same same_2 Relu_0 same_1"));
        QVERIFY(firstNode(model).generatedName);
        QVERIFY(!model.graph.node(model.graph.findNode("Relu_0")).generatedName);
        QVERIFY(diagnostic(model, "duplicate-node-name") && diagnostic(model, "duplicate-node-name")->node == "same");
    }

    void omittedInputsAndOutputs()
    {
        OnnxBuilder builder;
        builder.input("x");
        builder.output("y");
        builder.node("Clip", {"x", "", "x"}, {"", "y"});
        const Node node = firstNode(builder.read());
        QVERIFY(node.inputs.size() == 3 && !node.inputs[1].valid() && node.inputs[2] == node.inputs[0]);
        QVERIFY(!node.outputs[0].valid() && node.outputs[1].valid());
    }

    void unsortedNodesAreSorted()
    {
        OnnxBuilder builder;
        builder.input("x");
        builder.output("y");
        builder.node("Neg", {"b"}, {"y"}, "last");
        builder.node("Abs", {"a"}, {"b"}, "middle");
        builder.node("Relu", {"x"}, {"a"}, "first");
        QCOMPARE(order(builder.read().graph), std::string("first middle last"));
    }

    void domains()
    {
        OnnxBuilder builder = plainModel();
        builder.graph().mutable_node(0)->set_domain("ai.onnx");
        builder.node("Odd", {"x"}, {"z"}).set_domain("vendor");
        builder.model.mutable_opset_import(0)->set_domain("ai.onnx");
        auto &import = *builder.model.add_opset_import();
        import.set_domain("vendor");
        import.set_version(7);
        const Model model = builder.read();
        QCOMPARE(firstNode(model).domain, std::string());
        QCOMPARE(model.opset, 23);
        QCOMPARE(model.otherOpsets.at("vendor"), 7);
        QCOMPARE(model.graph.node(model.graph.order()[1]).domain, std::string("vendor"));
    }

    void opsetsOutsideTheKnown()
    {
        QVERIFY(diagnostic(plainModel().read(), "opset-newer") == nullptr);
        OnnxBuilder newer = plainModel();
        newer.model.mutable_opset_import(0)->set_version(25);
        const Model model = newer.read();
        QCOMPARE(model.opset, 25);
        QVERIFY(diagnostic(model, "opset-newer") && diagnostic(model, "opset-newer")->severity == Severity::Warning);
        OnnxBuilder older = plainModel();
        older.model.mutable_opset_import(0)->set_version(6);
        QVERIFY(diagnostic(older.read(), "opset-older"));
        OnnxBuilder none = plainModel();
        none.model.clear_opset_import();
        QVERIFY(diagnostic(none.read(), "opset-missing"));
        OnnxBuilder wrong = plainModel();
        wrong.model.mutable_opset_import(0)->set_version(-4);
        QCOMPARE(tests::lacking(tests::sentenceOf([&] { wrong.read(); }), {"version -4"}), std::string());
    }

    void olderFormsAreLifted()
    {
        OnnxBuilder builder(11);
        builder.input("x");
        builder.output("y", {4});
        tests::addAttribute(builder.node("Squeeze", {"x"}, {"y"}), "axes", Attribute::INTS).add_ints(0);
        const Model model = builder.read();
        const Node &node = firstNode(model);
        QVERIFY(!node.has("axes"));
        QVERIFY(model.graph.constant(node.input(1))->toInt64s() == std::vector<std::int64_t>{0});
        QCOMPARE(model.opset, 11);
    }

    void bodiesAndWhatTheyCapture()
    {
        OnnxBuilder builder = plainModel();
        builder.input("condition", {}, 9);
        builder.output("z");
        onnx::NodeProto &node = builder.node("If", {"condition"}, {"z"}, "if");
        onnx::GraphProto &body = *tests::addAttribute(node, "then_branch", Attribute::GRAPH).mutable_g();
        tests::addNode(*body.mutable_node(), "Neg", {"inner"}, {"out"});
        tests::addNode(*body.mutable_node(), "Add", {"y", "w"}, {"inner"});
        body.add_output()->set_name("out");
        onnx::TensorProto &weight = *body.add_initializer();
        weight.set_name("w");
        weight.set_data_type(1);
        weight.add_float_data(3);
        onnx::GraphProto &other = *tests::addAttribute(node, "else_branch", Attribute::GRAPH).mutable_g();
        other.add_output()->set_name("y"); // hands an outer tensor through
        const Model model = builder.read();
        const Node &read = model.graph.node(model.graph.findNode("if"));
        const Graph &then = bodyOf(read, "then_branch");
        QCOMPARE(order(then), std::string("Add_1 Neg_0"));
        QVERIFY(outerNames(then) == std::vector<std::string>{"y"});
        QCOMPARE(then.constant(then.findValue("w"))->toFloats().front(), 3.0f);
        QVERIFY(capturedNames(read) == std::vector<std::string>{"y"});
        QVERIFY(outerNames(bodyOf(read, "else_branch")) == std::vector<std::string>{"y"});
        QCOMPARE(tests::lacking(tests::sentenceOf([&] {
                     body.mutable_node(1)->set_input(0, "nowhere");
                     builder.read();
                 }), {"'nowhere'", "'then_branch' of 'if'"}), std::string());
    }

    void typesThatAreNoTensorsAreKept()
    {
        OnnxBuilder builder;
        builder.input("x");
        builder.node("SequenceConstruct", {"x"}, {"s"});
        onnx::ValueInfoProto &info = *builder.graph().add_output();
        info.set_name("s");
        info.mutable_type()->mutable_sequence_type()->mutable_elem_type()->mutable_tensor_type()->set_elem_type(1);
        info.set_doc_string("list");
        const Model model = builder.read();
        const Value &value = model.graph.value(model.graph.outputs.front());
        QVERIFY(value.type == DataType::Undefined && !value.shape);
        onnx::ValueInfoProto kept;
        QVERIFY(kept.ParseFromString(value.unknownFields));
        QVERIFY(kept.type().has_sequence_type() && kept.doc_string() == "list");
    }

    void sparseInitializersAndConstantsBecomeDense()
    {
        OnnxBuilder builder = plainModel();
        const auto fill = [](onnx::SparseTensorProto &sparse) {
            sparse.mutable_values()->set_data_type(1);
            sparse.mutable_values()->set_name("w");
            sparse.mutable_values()->add_dims(2);
            sparse.mutable_values()->add_float_data(5);
            sparse.mutable_values()->add_float_data(6);
            sparse.mutable_indices()->set_data_type(7);
            sparse.mutable_indices()->add_dims(2);
            sparse.mutable_indices()->add_dims(2);
            for (const int index : {0, 1, 1, 0})
                sparse.mutable_indices()->add_int64_data(index);
            sparse.add_dims(2);
            sparse.add_dims(2);
        };
        fill(*builder.graph().add_sparse_initializer());
        onnx::NodeProto &node = builder.node("Constant", {}, {"c"}, "constant");
        fill(*tests::addAttribute(node, "sparse_value", Attribute::SPARSE_TENSOR).mutable_sparse_tensor());
        const Model model = builder.read();
        const std::vector<float> dense{0, 5, 6, 0};
        QVERIFY(model.graph.constant(model.graph.findValue("w"))->toFloats() == dense);
        QVERIFY(std::get<TensorData>(model.graph.node(model.graph.findNode("constant")).attributes.at("value")).toFloats() == dense);
        builder.graph().mutable_sparse_initializer(0)->mutable_indices()->set_int64_data(1, 2);
        QCOMPARE(tests::lacking(tests::sentenceOf([&] { builder.read(); }), {"'w'", "index 0", "[2, 2]"}), std::string());
    }
};

QTEST_APPLESS_MAIN(TestReader)
#include "tst_reader.moc"

#include "core/onnx/reader.h"

#include "tests/support/onnx_builder.h"

#include <QtTest/QtTest>

using namespace core;
using tests::addAttribute;
using tests::addNode;
using tests::lacking;
using tests::OnnxBuilder;
using tests::sentenceOf;
using Attribute = onnx::AttributeProto;

namespace {

onnx::FunctionProto &addFunction(OnnxBuilder &builder, const std::string &name, std::initializer_list<const char *> inputs,
                                 std::initializer_list<const char *> outputs)
{
    onnx::FunctionProto &function = *builder.model.add_functions();
    function.set_name(name);
    function.set_domain("local");
    for (const char *input : inputs)
        function.add_input(input);
    for (const char *output : outputs)
        function.add_output(output);
    return function;
}

onnx::NodeProto &call(google::protobuf::RepeatedPtrField<onnx::NodeProto> &nodes, const std::string &function, std::initializer_list<const char *> inputs,
                      std::initializer_list<const char *> outputs, const std::string &name = "")
{
    onnx::NodeProto &node = addNode(nodes, function, inputs, outputs, name);
    node.set_domain("local");
    return node;
}

/// x → (nodes a test adds) → y
OnnxBuilder open()
{
    OnnxBuilder builder;
    builder.input("x");
    builder.output("y");
    auto &import = *builder.model.add_opset_import();
    import.set_domain("local");
    import.set_version(1);
    return builder;
}

/// "name:Op(inputs)->outputs", one node after the other.
std::string shown(const Graph &graph)
{
    const auto list = [&](const std::vector<ValueId> &ids) {
        std::string text;
        for (const ValueId id : ids)
            text += (text.empty() ? "" : ",") + (id.valid() ? graph.value(id).name : std::string("-"));
        return text;
    };
    std::string text;
    for (const NodeId id : graph.order()) {
        const Node &node = graph.node(id);
        text += (text.empty() ? "" : " ") + node.name + ":" + node.opType + "(" + list(node.inputs) + ")->" + list(node.outputs);
    }
    return text;
}

/// Field of a message that libonnx 1.12 does not know: length-delimited.
std::string unknownField(int number, const std::string &content)
{
    return std::string(1, char(number << 3 | 2)) + char(content.size()) + content;
}

} // namespace

class TestFunctionInlining : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void callsAreReplaced()
    {
        OnnxBuilder builder = open();
        onnx::FunctionProto &function = addFunction(builder, "f", {"a", "b"}, {"o"});
        addNode(*function.mutable_node(), "Add", {"a", "b"}, {"t"}, "add");
        addNode(*function.mutable_node(), "Relu", {"t"}, {"o"}, "act");
        call(*builder.graph().mutable_node(), "f", {"x", "x"}, {"m"}, "one");
        call(*builder.graph().mutable_node(), "f", {"m", "x"}, {"y"}, "two");
        const Model model = builder.read();
        QCOMPARE(shown(model.graph), std::string("one/add:Add(x,x)->one/t one/act:Relu(one/t)->m two/add:Add(m,x)->two/t two/act:Relu(two/t)->y"));
        QVERIFY(!model.otherOpsets.contains("local"));
        QVERIFY(model.unknownFields.empty());
    }

    void nestedCallsWithoutNames()
    {
        OnnxBuilder builder = open();
        onnx::FunctionProto &inner = addFunction(builder, "inner", {"a"}, {"o"});
        addNode(*inner.mutable_node(), "Neg", {"a"}, {"t"}, "neg");
        addNode(*inner.mutable_node(), "Relu", {"t"}, {"o"}, "relu");
        onnx::FunctionProto &outer = addFunction(builder, "outer", {"a"}, {"o"});
        call(*outer.mutable_node(), "inner", {"a"}, {"m"});
        call(*outer.mutable_node(), "inner", {"m"}, {"o"});
        call(*builder.graph().mutable_node(), "outer", {"x"}, {"y"});
        QCOMPARE(shown(builder.read().graph),
                 std::string("outer/inner/neg:Neg(x)->outer/inner/t outer/inner/relu:Relu(outer/inner/t)->outer/m "
                             "outer/inner_1/neg:Neg(outer/m)->outer/inner_1/t outer/inner_1/relu:Relu(outer/inner_1/t)->y"));
    }

    void namesAlreadyTaken()
    {
        OnnxBuilder builder = open();
        onnx::FunctionProto &function = addFunction(builder, "f", {"a"}, {"o"});
        addNode(*function.mutable_node(), "Neg", {"a"}, {"t"}, "neg");
        addNode(*function.mutable_node(), "Relu", {"t"}, {"o"}, "relu");
        builder.node("Abs", {"x"}, {"call/t"}, "abs");
        call(*builder.graph().mutable_node(), "f", {"call/t"}, {"y"}, "call");
        QCOMPARE(shown(builder.read().graph),
                 std::string("abs:Abs(x)->call/t call/neg:Neg(call/t)->call/t_1 call/relu:Relu(call/t_1)->y"));
    }

    void attributeReferences()
    {
        OnnxBuilder builder = open();
        onnx::FunctionProto &function = addFunction(builder, "f", {"a"}, {"o"});
        onnx::NodeProto &node = addNode(*function.mutable_node(), "LeakyRelu", {"a"}, {"o"}, "act");
        addAttribute(node, "alpha", Attribute::FLOAT).set_ref_attr_name("slope");
        Attribute fallback;
        fallback.set_name("slope");
        fallback.set_type(Attribute::FLOAT);
        fallback.set_f(0.25f);
        QVERIFY(function.MergeFromString(unknownField(11, fallback.SerializeAsString()))); // attribute_proto, since IR version 9
        addAttribute(call(*builder.graph().mutable_node(), "f", {"x"}, {"m"}, "given"), "slope", Attribute::FLOAT).set_f(0.5f);
        call(*builder.graph().mutable_node(), "f", {"m"}, {"y"}, "default");
        const Graph graph = builder.read().graph;
        QCOMPARE(graph.node(graph.findNode("given/act")).floatAttribute("alpha", 0), 0.5f);
        QCOMPARE(graph.node(graph.findNode("default/act")).floatAttribute("alpha", 0), 0.25f);

        function.Clear();
        function.set_name("f");
        function.set_domain("local");
        function.add_input("a");
        function.add_output("o");
        addAttribute(addNode(*function.mutable_node(), "LeakyRelu", {"a"}, {"o"}, "act"), "alpha", Attribute::FLOAT).set_ref_attr_name("slope");
        const Graph without = builder.read().graph;
        QVERIFY(!without.node(without.findNode("default/act")).has("alpha"));
    }

    void omittedInputsAndOutputs()
    {
        OnnxBuilder builder = open();
        onnx::FunctionProto &function = addFunction(builder, "f", {"a", "low", "high"}, {"o", "extra"});
        addNode(*function.mutable_node(), "Clip", {"a", "low", "high"}, {"o"}, "clip");
        addNode(*function.mutable_node(), "Neg", {"a"}, {"extra"}, "neg");
        call(*builder.graph().mutable_node(), "f", {"x", "", "x"}, {"y"}, "call");
        QCOMPARE(shown(builder.read().graph), std::string("call/clip:Clip(x,-,x)->y call/neg:Neg(x)->call/extra"));
    }

    void inputsHandedThrough()
    {
        OnnxBuilder builder = open();
        builder.output("z");
        onnx::FunctionProto &function = addFunction(builder, "f", {"a"}, {"a", "o", "o"});
        addNode(*function.mutable_node(), "Neg", {"a"}, {"o"}, "neg");
        call(*builder.graph().mutable_node(), "f", {"x"}, {"y", "m", "z"}, "call");
        QCOMPARE(shown(builder.read().graph), std::string("call/neg:Neg(x)->m Identity_1:Identity(x)->y Identity_2:Identity(m)->z"));
    }

    void bodiesInsideFunctions()
    {
        OnnxBuilder builder = open();
        onnx::FunctionProto &function = addFunction(builder, "f", {"a"}, {"o"});
        onnx::NodeProto &node = addNode(*function.mutable_node(), "If", {"a"}, {"o"}, "if");
        onnx::GraphProto &body = *addAttribute(node, "then_branch", Attribute::GRAPH).mutable_g();
        addNode(*body.mutable_node(), "Neg", {"a"}, {"t"});
        body.add_output()->set_name("t");
        onnx::GraphProto &other = *addAttribute(node, "else_branch", Attribute::GRAPH).mutable_g();
        call(*other.mutable_node(), "g", {"a"}, {"t"});
        other.add_output()->set_name("t");
        onnx::FunctionProto &second = addFunction(builder, "g", {"a"}, {"o"});
        addNode(*second.mutable_node(), "Abs", {"a"}, {"o"}, "abs");
        call(*builder.graph().mutable_node(), "f", {"x"}, {"y"}, "call");
        const Graph graph = builder.read().graph;
        QCOMPARE(shown(graph), std::string("call/if:If(x)->y"));
        const auto &attributes = graph.node(graph.order().front()).attributes;
        QCOMPARE(shown(*std::get<std::shared_ptr<const Graph>>(attributes.at("then_branch"))), std::string("Neg_0:Neg(x)->call/t"));
        QCOMPARE(shown(*std::get<std::shared_ptr<const Graph>>(attributes.at("else_branch"))), std::string("call/g/abs:Abs(x)->call/t_1"));
    }

    void overloads()
    {
        OnnxBuilder builder = open();
        for (const char *operation : {"Neg", "Abs"}) {
            onnx::FunctionProto &function = addFunction(builder, "f", {"a"}, {"o"});
            addNode(*function.mutable_node(), operation, {"a"}, {"o"}, "n");
            QVERIFY(function.MergeFromString(unknownField(13, operation)));
        }
        QVERIFY(call(*builder.graph().mutable_node(), "f", {"x"}, {"y"}, "call").MergeFromString(unknownField(8, "Abs")));
        QCOMPARE(shown(builder.read().graph), std::string("call/n:Abs(x)->y"));
    }

    void otherOperatorSets()
    {
        OnnxBuilder builder = open();
        onnx::FunctionProto &function = addFunction(builder, "f", {"a"}, {"o"});
        addNode(*function.mutable_node(), "Neg", {"a"}, {"o"}, "n");
        function.add_opset_import()->set_version(18);
        auto &import = *function.add_opset_import();
        import.set_domain("vendor");
        import.set_version(3);
        call(*builder.graph().mutable_node(), "f", {"x"}, {"y"}, "call");
        const Model model = builder.read();
        QCOMPARE(model.otherOpsets.at("vendor"), 3);
        QCOMPARE(model.diagnostics.size(), std::size_t(1));
        QCOMPARE(lacking(model.diagnostics.front().sentence, {"'f'", "18", "23"}), std::string());
    }

    void recursionIsRefused()
    {
        OnnxBuilder builder = open();
        call(*addFunction(builder, "f", {"a"}, {"o"}).mutable_node(), "g", {"a"}, {"o"});
        call(*addFunction(builder, "g", {"a"}, {"o"}).mutable_node(), "f", {"a"}, {"o"});
        call(*builder.graph().mutable_node(), "f", {"x"}, {"y"});
        QCOMPARE(lacking(sentenceOf([&] { builder.read(); }), {"'f'", "calls itself", "'g'"}), std::string());
    }

    /// 2^30 nodes from 30 functions.
    void explosionsAreRefused()
    {
        OnnxBuilder builder = open();
        for (int i = 0; i < 30; ++i) {
            onnx::FunctionProto &function = addFunction(builder, "f" + std::to_string(i), {"a"}, {"o"});
            for (const auto &[in, out] : {std::pair("a", "t"), std::pair("t", "o")}) {
                if (i == 29)
                    addNode(*function.mutable_node(), "Neg", {in}, {out});
                else
                    call(*function.mutable_node(), "f" + std::to_string(i + 1), {in}, {out});
            }
        }
        call(*builder.graph().mutable_node(), "f0", {"x"}, {"y"});
        QCOMPARE(lacking(sentenceOf([&] { builder.read({1 << 30, 10000}); }), {"more than 10000 nodes"}), std::string());
        QCOMPARE(lacking(sentenceOf([&] { builder.read({100000, 1000000}); }), {"functions", "100000 bytes"}), std::string());
    }

    void mistakesInFunctions()
    {
        OnnxBuilder builder = open();
        onnx::FunctionProto &function = addFunction(builder, "f", {"a"}, {"o"});
        addNode(*function.mutable_node(), "Add", {"a", "x"}, {"o"});
        call(*builder.graph().mutable_node(), "f", {"x"}, {"y"}, "call");
        QCOMPARE(lacking(sentenceOf([&] { builder.read(); }), {"'f'", "'x'"}), std::string()); // a function sees only its own tensors
        builder.graph().mutable_node(0)->add_input("x");
        QCOMPARE(lacking(sentenceOf([&] { builder.read(); }), {"'call'", "'f'", "2 inputs"}), std::string());
        addFunction(builder, "f", {"a"}, {"o"});
        QCOMPARE(lacking(sentenceOf([&] { builder.read(); }), {"'f'", "defined twice"}), std::string());
    }
};

QTEST_APPLESS_MAIN(TestFunctionInlining)
#include "tst_function_inlining.moc"

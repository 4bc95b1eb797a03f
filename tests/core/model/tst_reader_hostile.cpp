// Broken and hostile files: one core::Error that names what is wrong, no crash, no memory taken on a file's word.
#include "core/onnx/reader.h"

#include "tests/support/onnx_builder.h"

#include <QtTest/QtTest>

#include <fstream>
#include <random>

using namespace core;
using tests::lacking;
using tests::OnnxBuilder;
using tests::plainModel;
using tests::sentenceOf;
using Attribute = onnx::AttributeProto;

namespace {

Model readBytes(const std::string &bytes, const ReadLimits &limits = {})
{
    return readModel(std::as_bytes(std::span(bytes.data(), bytes.size())), {}, limits);
}

std::string errorOf(const OnnxBuilder &builder) { return sentenceOf([&] { builder.read(); }); }
std::string errorOf(const std::string &bytes) { return sentenceOf([&] { readBytes(bytes); }); }

/// Field `number`, length-delimited.
std::string wrapped(int number, const std::string &content)
{
    std::string bytes(1, char(number << 3 | 2));
    for (std::size_t length = content.size();; length >>= 7) {
        bytes += char(length < 128 ? length : (length & 127) | 128);
        if (length < 128)
            return bytes + content;
    }
}

} // namespace

class TestReaderHostile : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void filesOfOtherKinds()
    {
        using namespace std::string_literals;
        QCOMPARE(lacking(errorOf("\x89PNG\r\n\x1A\n\0\0\0\rIHDR"s), {"not an ONNX model", "PNG image"}), std::string());
        QCOMPARE(lacking(errorOf("PK\x03\x04..."s), {"ZIP archive", "export"}), std::string());
        QCOMPARE(lacking(errorOf("version https://git-lfs.github.com/spec/v1\n"s), {"Git LFS pointer"}), std::string());
        QCOMPARE(lacking(errorOf("\x1C\0\0\0TFL3\0\0"s), {"TensorFlow Lite"}), std::string());
        QCOMPARE(lacking(errorOf(""s), {"is empty"}), std::string());
        QCOMPARE(lacking(errorOf("\x08\x08"s), {"not an ONNX model"}), std::string()); // a ModelProto without a graph
    }

    void filesThatCannotBeRead()
    {
        QTemporaryDir folder;
        const std::filesystem::path file = std::filesystem::path(folder.path().toStdString()) / "net.onnx";
        QCOMPARE(lacking(sentenceOf([&] { readModel(file); }, ErrorKind::Io), {"net.onnx", "No such file"}), std::string());
        QCOMPARE(lacking(sentenceOf([&] { readModel(file.parent_path()); }, ErrorKind::Io), {"directory"}), std::string());
        std::ofstream(file) << "rubbish";
        QCOMPARE(lacking(sentenceOf([&] { readModel(file); }), {"net.onnx", "not an ONNX model"}), std::string());
        QCOMPARE(lacking(sentenceOf([&] { readTensor(file); }), {"net.onnx", "not an ONNX tensor"}), std::string());
    }

    void everyTruncation()
    {
        OnnxBuilder builder = plainModel();
        builder.floats("w", {1, 2, 3});
        const std::string whole = builder.bytes();
        int refused = 0;
        for (std::size_t length = 0; length < whole.size(); ++length) {
            try {
                readBytes(whole.substr(0, length)); // may be whole when only optional fields are gone
            } catch (const Error &error) {
                ++refused;
                QCOMPARE(int(error.kind()), int(ErrorKind::InvalidInput));
            }
        }
        QVERIFY(refused > int(whole.size()) / 2);
    }

    void randomBytesAndRandomDamage()
    {
        OnnxBuilder builder = plainModel();
        builder.floats("w", {1, 2, 3});
        const std::string whole = builder.bytes();
        std::mt19937 random(1);
        for (int round = 0; round < 3000; ++round) {
            std::string bytes = round % 2 ? whole : std::string(std::size_t(random() % 200), '\0');
            for (std::size_t i = 0; i < (round % 2 ? 3 : bytes.size()); ++i)
                bytes[round % 2 ? random() % bytes.size() : i] = char(random());
            try {
                readBytes(bytes, {1 << 20, 1000});
            } catch (const Error &error) {
                QVERIFY(!error.sentence().empty());
            }
        }
    }

    void tensorsThatAreNotThere()
    {
        OnnxBuilder builder = plainModel();
        builder.node("Add", {"y", "missing"}, {"z"}, "add");
        QCOMPARE(lacking(errorOf(builder), {"'add'", "'missing'"}), std::string());
        OnnxBuilder output = plainModel();
        output.output("nothing");
        QCOMPARE(lacking(errorOf(output), {"output", "'nothing'"}), std::string());
    }

    void tensorsProducedTwice()
    {
        OnnxBuilder builder = plainModel();
        builder.node("Neg", {"x"}, {"y"}, "neg");
        QCOMPARE(lacking(errorOf(builder), {"'y'", "'relu'", "'neg'"}), std::string());
        OnnxBuilder input = plainModel();
        input.node("Neg", {"y"}, {"x"}, "neg");
        QCOMPARE(lacking(errorOf(input), {"'x'", "a graph input", "'neg'"}), std::string());
        OnnxBuilder initializers = plainModel();
        initializers.floats("w", {1});
        initializers.floats("w", {1});
        QCOMPARE(lacking(errorOf(initializers), {"'w'", "an initializer"}), std::string());
        OnnxBuilder inputs = plainModel();
        inputs.input("x");
        QCOMPARE(lacking(errorOf(inputs), {"'x'", "twice"}), std::string());
    }

    void cycles()
    {
        OnnxBuilder builder;
        builder.input("x");
        builder.output("a");
        builder.node("Add", {"x", "b"}, {"a"}, "first");
        builder.node("Relu", {"a"}, {"b"}, "second");
        QCOMPARE(lacking(errorOf(builder), {"cycle", "'first'", "'second'", "The model: "}), std::string());
        OnnxBuilder self;
        self.input("x");
        self.output("a");
        self.node("Add", {"x", "a"}, {"a"}, "own");
        QCOMPARE(lacking(errorOf(self), {"'own' → 'own'"}), std::string());
    }

    void aCycleThroughABody()
    {
        OnnxBuilder builder = plainModel();
        onnx::NodeProto &node = builder.node("If", {"x"}, {"z"}, "if");
        tests::addAttribute(node, "then_branch", Attribute::GRAPH).mutable_g()->add_output()->set_name("z");
        QCOMPARE(lacking(errorOf(builder), {"cycle", "'if'"}), std::string());
    }

    void nodesThatSayTooLittle()
    {
        OnnxBuilder builder = plainModel();
        builder.node("", {"x"}, {"z"}, "odd");
        QCOMPARE(lacking(errorOf(builder), {"'odd'", "operator"}), std::string());
        OnnxBuilder twice = plainModel();
        tests::addAttribute(*twice.graph().mutable_node(0), "axis", Attribute::INT);
        tests::addAttribute(*twice.graph().mutable_node(0), "axis", Attribute::INT);
        QCOMPARE(lacking(errorOf(twice), {"'relu'", "'axis'", "twice"}), std::string());
        OnnxBuilder reference = plainModel();
        tests::addAttribute(*reference.graph().mutable_node(0), "axis", Attribute::INT).set_ref_attr_name("outer");
        QCOMPARE(lacking(errorOf(reference), {"'relu'", "'axis'", "'outer'"}), std::string());
        OnnxBuilder hollow = plainModel();
        tests::addAttribute(*hollow.graph().mutable_node(0), "value", Attribute::TENSOR);
        QCOMPARE(lacking(errorOf(hollow), {"'relu'", "'value'", "without a tensor"}), std::string());
        OnnxBuilder nameless = plainModel();
        nameless.floats("", {1});
        QCOMPARE(lacking(errorOf(nameless), {"Initializer number 0"}), std::string());
    }

    void namesAreShortenedInSentences()
    {
        OnnxBuilder builder = plainModel();
        builder.node("Add", {"y", "missing"}, {"z"}, std::string(100000, 'n') + "\n");
        QVERIFY(errorOf(builder).size() < 1000);
        OnnxBuilder control = plainModel();
        control.node("Add", {"y", "missing"}, {"z"}, "two\nlines");
        QCOMPARE(lacking(errorOf(control), {"'two?lines'"}), std::string());
    }

    void tooManyNodes()
    {
        std::string nodes;
        for (int i = 0; i < 2000; ++i)
            nodes += wrapped(1, "");
        const std::string bytes = wrapped(7, nodes);
        QCOMPARE(lacking(sentenceOf([&] { readBytes(bytes, {1 << 20, 1999}); }), {"more than 1999 nodes"}), std::string());
        QCOMPARE(lacking(sentenceOf([&] { readBytes(bytes, {1 << 20, 2000}); }), {"Node number 0"}), std::string());
        OnnxBuilder builder = plainModel();
        QCOMPARE(lacking(sentenceOf([&] { builder.read({1 << 20, 0}); }), {"more than 0 nodes"}), std::string());
    }

    /// Two bytes of file for each message object: refused before the objects are made.
    void manyEmptyMessages()
    {
        std::string infos;
        for (int i = 0; i < 400000; ++i)
            infos += wrapped(13, "");
        QCOMPARE(lacking(sentenceOf([&] { readBytes(wrapped(7, infos), {1 << 20, 100}); }), {"memory"}), std::string());
    }

    void deepNesting()
    {
        onnx::GraphProto graph;
        graph.add_output()->set_name("x");
        for (int i = 0; i < 25; ++i) {
            onnx::GraphProto outer;
            onnx::NodeProto &node = tests::addNode(*outer.mutable_node(), "If", {"x"}, {"z"});
            *tests::addAttribute(node, "then_branch", Attribute::GRAPH).mutable_g() = graph;
            outer.add_output()->set_name("z");
            graph = outer;
        }
        OnnxBuilder builder = plainModel();
        onnx::NodeProto &node = builder.node("If", {"x"}, {"w"});
        *tests::addAttribute(node, "then_branch", Attribute::GRAPH).mutable_g() = graph;
        QCOMPARE(builder.read().graph.nodeCount(), std::size_t(2));

        std::string deep;
        for (int i = 0; i < 3000; ++i)
            deep = wrapped(1, wrapped(5, wrapped(6, deep)));
        QCOMPARE(lacking(errorOf(wrapped(7, deep)), {"not an ONNX model"}), std::string());
    }

    void impossibleShapes()
    {
        OnnxBuilder builder = plainModel();
        builder.graph().mutable_input(0)->mutable_type()->mutable_tensor_type()->mutable_shape()->mutable_dim(0)->set_dim_value(1LL << 60);
        QCOMPARE(lacking(errorOf(builder), {"'x'", "1152921504606846976"}), std::string());
    }
};

QTEST_APPLESS_MAIN(TestReaderHostile)
#include "tst_reader_hostile.moc"

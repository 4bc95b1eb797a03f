// TensorProto in all its forms, read as initializers and as files.
#include "core/onnx/reader.h"
#include "core/onnx/writer.h"

#include "tests/support/onnx_builder.h"

#include <QtTest/QtTest>

#include <fstream>

using namespace core;
using tests::lacking;
using tests::OnnxBuilder;
using tests::plainModel;
using tests::sentenceOf;

namespace {

using Ints = std::vector<std::int64_t>;
using Fill = void (*)(onnx::TensorProto &);

TensorData readTensorW(const std::vector<std::int64_t> &dims, DataType type, Fill fill, const ReadLimits &limits = {})
{
    OnnxBuilder builder = plainModel();
    fill(builder.initializer("w", dims, int(type)));
    const Model model = builder.read(limits);
    return *model.graph.constant(model.graph.findValue("w"));
}

std::string errorOf(const std::vector<std::int64_t> &dims, DataType type, Fill fill, ErrorKind kind = ErrorKind::InvalidInput, const ReadLimits &limits = {})
{
    return sentenceOf([&] { readTensorW(dims, type, fill, limits); }, kind);
}

std::vector<int> codes(const TensorData &data)
{
    std::vector<int> values;
    for (const std::byte byte : *data.bytes)
        values.push_back(std::to_integer<int>(byte));
    return values;
}

} // namespace

class TestProtoTensor : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void typedFields()
    {
        const auto ints = [](onnx::TensorProto &t) { t.add_int32_data(1), t.add_int32_data(-2); };
        QVERIFY(readTensorW({2}, DataType::Int32, ints).toInt64s() == (Ints{1, -2}));
        QVERIFY(readTensorW({2}, DataType::Int16, ints).toInt64s() == (Ints{1, -2}));
        QVERIFY(readTensorW({2}, DataType::Int8, ints).toInt64s() == (Ints{1, -2}));
        QVERIFY(readTensorW({2}, DataType::UInt8, [](onnx::TensorProto &t) { t.add_int32_data(200), t.add_int32_data(0); }).toInt64s() == (Ints{200, 0}));
        QVERIFY(readTensorW({1}, DataType::UInt16, [](onnx::TensorProto &t) { t.add_int32_data(65535); }).toInt64s() == Ints{65535});
        QVERIFY(readTensorW({1}, DataType::Int64, [](onnx::TensorProto &t) { t.add_int64_data(-9); }).toInt64s() == Ints{-9});
        QVERIFY(readTensorW({1}, DataType::UInt32, [](onnx::TensorProto &t) { t.add_uint64_data(4000000000); }).toInt64s() == Ints{4000000000});
        QVERIFY(readTensorW({1}, DataType::UInt64, [](onnx::TensorProto &t) { t.add_uint64_data(7); }).toInt64s() == Ints{7});
        QVERIFY(readTensorW({1}, DataType::Float32, [](onnx::TensorProto &t) { t.add_float_data(0.5f); }).toFloats() == std::vector<float>{0.5f});
        QVERIFY(readTensorW({1}, DataType::Float64, [](onnx::TensorProto &t) { t.add_double_data(0.1); }).toDoubles() == std::vector<double>{0.1});
        QVERIFY(readTensorW({1}, DataType::Float16, [](onnx::TensorProto &t) { t.add_int32_data(0x3E00); }).toFloats() == std::vector<float>{1.5f});
        QVERIFY(readTensorW({1}, DataType::BFloat16, [](onnx::TensorProto &t) { t.add_int32_data(0xBFC0); }).toFloats() == std::vector<float>{-1.5f});
        QVERIFY(readTensorW({1}, DataType::Float8E4M3FN, [](onnx::TensorProto &t) { t.add_int32_data(0x38); }).toFloats() == std::vector<float>{1});
        QCOMPARE(readTensorW({1}, DataType::Complex64, [](onnx::TensorProto &t) { t.add_float_data(1), t.add_float_data(2); }).bytes->size(), std::size_t(8));
        QCOMPARE(readTensorW({1}, DataType::Complex128, [](onnx::TensorProto &t) { t.add_double_data(1), t.add_double_data(2); }).bytes->size(),
                 std::size_t(16));
        const TensorData text = readTensorW({2}, DataType::String, [](onnx::TensorProto &t) { t.add_string_data("a"), t.add_string_data(""); });
        QVERIFY(*text.strings == (std::vector<std::string>{"a", ""}));
    }

    void packedFourBitsInBothForms()
    {
        const auto raw = [](onnx::TensorProto &t) { t.set_raw_data("\x21\x0F", 2); };
        const auto typed = [](onnx::TensorProto &t) { t.add_int32_data(0x21), t.add_int32_data(0x0F); };
        QVERIFY(readTensorW({3}, DataType::Int4, raw).toInt64s() == (Ints{1, 2, -1}));
        QVERIFY(readTensorW({3}, DataType::Int4, typed).toInt64s() == (Ints{1, 2, -1}));
        QVERIFY(readTensorW({3}, DataType::UInt4, typed).toInt64s() == (Ints{1, 2, 15}));
        QVERIFY(readTensorW({3, 1}, DataType::UInt4, raw).toInt64s() == (Ints{1, 2, 15}));
        QCOMPARE(lacking(errorOf({5}, DataType::UInt4, raw), {"'w'", "uint4", "3 bytes", "has 2"}), std::string());
    }

    void booleansAreZeroOrOne()
    {
        QVERIFY(codes(readTensorW({3}, DataType::Bool, [](onnx::TensorProto &t) { t.set_raw_data("\x02\0\xFF", 3); })) == (std::vector<int>{1, 0, 1}));
    }

    void emptyAndScalar()
    {
        QVERIFY(readTensorW({0, 3}, DataType::Float32, [](onnx::TensorProto &) {}).toFloats().empty());
        QVERIFY(readTensorW({}, DataType::Int64, [](onnx::TensorProto &t) { t.add_int64_data(4); }).toInt64s() == Ints{4});
        QVERIFY(readTensorW({1LL << 40, 0}, DataType::Float32, [](onnx::TensorProto &t) { t.set_raw_data("", 0); }).toFloats().empty());
    }

    void typesNobodyKnowsYetSurvive()
    {
        const TensorData data = readTensorW({5}, DataType(77), [](onnx::TensorProto &t) { t.set_raw_data("abc", 3); });
        QVERIFY(data.type == DataType(77));
        QVERIFY(codes(data) == (std::vector<int>{'a', 'b', 'c'}));
        QCOMPARE(lacking(errorOf({1}, DataType(77), [](onnx::TensorProto &t) { t.add_int32_data(1); }, ErrorKind::Unsupported), {"'w'", "77"}), std::string());
    }

    void sizesThatDisagree()
    {
        const auto four = [](onnx::TensorProto &t) { t.set_raw_data("1234", 4); };
        QCOMPARE(lacking(errorOf({2, 3}, DataType::Float32, four), {"'w'", "[2, 3]", "24 bytes", "has 4"}), std::string());
        QCOMPARE(lacking(errorOf({1000000000}, DataType::Float32, four), {"'w'", "4000000000"}), std::string());
        QCOMPARE(lacking(errorOf({1LL << 40, 1LL << 40}, DataType::Float32, four), {"'w'", "2^48"}), std::string());
        QCOMPARE(lacking(errorOf({-1}, DataType::Float32, four), {"'w'", "negative"}), std::string());
        QCOMPARE(lacking(errorOf({3}, DataType::Float32, [](onnx::TensorProto &t) { t.add_float_data(1); }), {"'w'", "3 values", "there are 1"}), std::string());
        QCOMPARE(lacking(errorOf({3}, DataType::Float32, [](onnx::TensorProto &t) { t.add_int32_data(1); }), {"'w'", "no data"}), std::string());
        QCOMPARE(lacking(errorOf({3}, DataType::Float32, [](onnx::TensorProto &) {}), {"'w'", "no data"}), std::string());
        QCOMPARE(lacking(errorOf({2}, DataType::String, [](onnx::TensorProto &t) { t.add_string_data("a"); }), {"'w'", "2 strings", "holds 1"}), std::string());
        QCOMPARE(lacking(errorOf({1}, DataType::Int8, [](onnx::TensorProto &t) { t.add_int32_data(300); }), {"'w'", "300", "int8"}), std::string());
    }

    void contradictions()
    {
        const auto twice = [](onnx::TensorProto &t) { t.set_raw_data("1234", 4), t.add_float_data(1); };
        QCOMPARE(lacking(errorOf({1}, DataType::Float32, twice), {"'w'", "twice"}), std::string());
        QCOMPARE(lacking(errorOf({1}, DataType::Undefined, twice), {"'w'", "no element type"}), std::string());
        QCOMPARE(lacking(errorOf({1}, DataType::String, twice), {"'w'", "string_data"}), std::string());
        const auto segment = [](onnx::TensorProto &t) { t.mutable_segment()->set_begin(0), t.set_raw_data("1234", 4); };
        QCOMPARE(lacking(errorOf({1}, DataType::Float32, segment, ErrorKind::Unsupported), {"'w'", "segments"}), std::string());
    }

    void theLimitOfAllTensors()
    {
        const auto four = [](onnx::TensorProto &t) { t.set_raw_data("12345678", 8); };
        QCOMPARE(lacking(errorOf({2}, DataType::Float32, four, ErrorKind::InvalidInput, {7, 100}), {"'w'", "8 bytes", "limit of 7"}), std::string());
        QCOMPARE(readTensorW({2}, DataType::Float32, four, {8, 100}).count(), std::int64_t(2));
    }

    void tensorFiles()
    {
        QTemporaryDir folder;
        const std::filesystem::path file = std::filesystem::path(folder.path().toStdString()) / "input_0.pb";
        onnx::TensorProto tensor;
        tensor.set_data_type(1);
        tensor.add_dims(2);
        tensor.add_float_data(1);
        tensor.add_float_data(-2);
        std::ofstream(file) << tensor.SerializeAsString();
        QVERIFY(readTensor(file).toFloats() == (std::vector<float>{1, -2}));
        tensor.set_dims(0, 3);
        std::ofstream(file) << tensor.SerializeAsString();
        QCOMPARE(lacking(sentenceOf([&] { readTensor(file); }), {"input_0.pb", "3 values"}), std::string());
    }

    void writtenAsRawData()
    {
        OnnxBuilder builder = plainModel();
        builder.initializer("i", {3}, 22).set_raw_data("\x21\x0F", 2);
        builder.initializer("s", {1}, 8).add_string_data("text");
        builder.initializer("u", {5}, 77).set_raw_data("abc", 3);
        builder.initializer("e", {0}, 1);
        onnx::ModelProto written;
        QVERIFY(written.ParseFromString(serializeModel(builder.read(), 23)));
        QCOMPARE(written.graph().initializer_size(), 4);
        QCOMPARE(written.graph().initializer(0).data_type(), 22);
        QCOMPARE(written.graph().initializer(0).raw_data(), std::string("\x21\x0F"));
        QCOMPARE(written.graph().initializer(1).string_data(0), std::string("text"));
        QVERIFY(!written.graph().initializer(1).has_raw_data());
        QCOMPARE(written.graph().initializer(2).raw_data(), std::string("abc"));
        QVERIFY(written.graph().initializer(3).has_raw_data() && written.graph().initializer(3).dims(0) == 0);
    }
};

QTEST_APPLESS_MAIN(TestProtoTensor)
#include "tst_proto_tensor.moc"

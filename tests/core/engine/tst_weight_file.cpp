// Files of weights. The bytes are put together here after the formats' descriptions; what Python's safetensors writes has the same form.
#include "core/weights/weight_file.h"

#include <QtTest/QtTest>

#include <fstream>

using namespace core;
namespace fs = std::filesystem;

namespace {

std::string little(std::uint64_t value, int bytes)
{
    std::string text;
    for (int i = 0; i < bytes; ++i)
        text += char(value >> 8 * i & 255);
    return text;
}

std::string safetensors(const std::string &header, const std::string &data) { return little(header.size(), 8) + header + data; }

} // namespace

class TestWeightFile : public QObject {
    Q_OBJECT

    QTemporaryDir m_temporary;

    fs::path path(const std::string &name) const { return fs::path(m_temporary.path().toStdString()) / name; }
    fs::path file(const std::string &content) const
    {
        std::ofstream(path("weights"), std::ios::binary) << content;
        return path("weights");
    }

    static std::string problem(const fs::path &file)
    {
        try {
            readWeights(file);
        } catch (const Error &error) {
            return error.sentence();
        }
        return "read";
    }

private Q_SLOTS:
    void safetensorsAreRead()
    {
        const std::string header = R"({"__metadata__":{"format":"pt"},"b":{"dtype":"F32","shape":[1,2],"data_offsets":[3,11]},)"
                                   R"("a.n":{"dtype":"I8","shape":[3],"data_offsets":[0,3]},"s":{"dtype":"I64","shape":[],"data_offsets":[11,19]},)"
                                   R"("none":{"dtype":"F16","shape":[0,4],"data_offsets":[11,11]}}   )";
        const WeightFile weights = readWeights(file(safetensors(header, std::string("\x01\xFF\x02", 3) + std::string("\0\0\xC0\x3F\0\0\0\xC0", 8) + little(70'000, 8))));
        QCOMPARE(weights.tensors.size(), std::size_t(4));
        QCOMPARE(weights.tensors[0].first, std::string("b"));                   // the header's order, not that of the bytes
        QCOMPARE(weights.tensors[0].second.dims, (std::vector<std::int64_t>{1, 2}));
        QCOMPARE(weights.tensors[0].second.toFloats(), (std::vector<float>{1.5f, -2}));
        QCOMPARE(weights.tensors[1].first, std::string("a.n"));
        QCOMPARE(weights.tensors[1].second.toInt64s(), (std::vector<std::int64_t>{1, -1, 2}));
        QVERIFY(weights.tensors[2].second.dims.empty());
        QCOMPARE(weights.tensors[2].second.toInt64s(), (std::vector<std::int64_t>{70'000}));
        QCOMPARE(weights.tensors[3].second.count(), std::int64_t(0));
        QCOMPARE(weights.metadata, (std::map<std::string, std::string>{{"format", "pt"}}));
    }

    void everyTypeComesBack()
    {
        WeightFile weights;
        weights.metadata = {{"a", "1"}, {"\u00fc", "{\"\\"}};
        using enum DataType;
        for (const DataType type : {Float32, Float64, Float16, BFloat16, Int64, Int32, Int16, Int8, UInt8, Bool, UInt16, UInt32, UInt64}) {
            std::vector<std::byte> bytes(std::size_t(byteSize(type, 6)));
            for (std::size_t i = 0; i < bytes.size(); ++i)
                bytes[i] = std::byte(type == Bool ? i % 2 : i + 1);
            weights.tensors.emplace_back("layer\"." + dataTypeName(type), TensorData::fromBytes(type, {2, 3}, std::move(bytes)));
        }
        writeSafetensors(weights, path("w.safetensors"));
        const WeightFile again = readWeights(path("w.safetensors"));
        QCOMPARE(again.metadata, weights.metadata);
        QCOMPARE(again.tensors.size(), weights.tensors.size());
        for (std::size_t i = 0; i < again.tensors.size(); ++i) {
            QCOMPARE(again.tensors[i].first, weights.tensors[i].first);
            QVERIFY2(again.tensors[i].second.sameAs(weights.tensors[i].second), again.tensors[i].first.c_str());
        }
    }

    void writtenBytes()
    {
        const float values[]{1, -1};
        writeSafetensors({{{"w", TensorData::fromFloats({2}, values)}}, {}}, path("two"));
        std::ifstream in(path("two"), std::ios::binary);
        const std::string bytes{std::istreambuf_iterator<char>(in), {}};
        const std::string header = R"({"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})";           // 54 bytes
        QCOMPARE(QByteArray::fromStdString(bytes), QByteArray::fromStdString(safetensors(header + "  ", std::string("\0\0\x80\x3F\0\0\x80\xBF", 8))));
    }

    void hostileSafetensors_data()
    {
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<QByteArray>("named");
        const auto row = [](const char *name, const std::string &bytes, const char *named) {
            QTest::newRow(name) << QByteArray::fromStdString(bytes) << QByteArray(named);
        };
        const auto entry = [](const char *name, const char *type, const char *shape, const char *offsets) {
            return std::string("\"") + name + "\":{\"dtype\":\"" + type + "\",\"shape\":" + shape + ",\"data_offsets\":" + offsets + "}";
        };
        const std::string good = entry("w", "U8", "[4]", "[0,4]"), data = "abcd";
        row("empty file", "", "no file of weights");
        row("another kind", "hello, this is a text", "no file of weights");
        row("header longer than the file", little(1000, 8) + "{" + good + "}", "1000");
        row("header of 2^63 bytes", little(std::uint64_t(1) << 63, 8) + "{" + good + "}", "no file of weights");
        row("no JSON", safetensors("{" + good, data), "no JSON");
        row("bytes after the JSON", safetensors("{" + good + "} x", data), "no JSON");
        row("not UTF-8", safetensors("{\"\xFF\":" + good.substr(4) + "}", data), "no JSON");
        row("a list", safetensors("{\"w\":[1]}", data), "a list");
        row("deep", safetensors("{\"w\":{\"shape\":" + std::string(100'000, '[') + std::string(100'000, ']') + "}}", data), "a list");
        row("deep objects", safetensors("{\"w\":{\"a\":{\"a\":{}}}}", data), "an object");
        row("same name twice", safetensors("{" + good + "," + good + "}", data), "twice");
        row("metadata twice", safetensors("{\"__metadata__\":{\"a\":\"b\",\"a\":\"c\"}," + good + "}", data), "'a' twice");
        row("metadata is a number", safetensors("{\"__metadata__\":{\"a\":1}," + good + "}", data), "a number");
        row("missing offsets", safetensors("{\"w\":{\"dtype\":\"U8\",\"shape\":[4]}}", data), "'w' lacks");
        row("one offset", safetensors("{" + entry("w", "U8", "[4]", "[4]") + "}", data), "'w' lacks");
        row("three offsets", safetensors("{" + entry("w", "U8", "[4]", "[0,4,8]") + "}", data), "third");
        row("unknown field", safetensors("{\"w\":{\"colour\":\"red\"}}", data), "a text");
        row("unknown type", safetensors("{" + entry("w", "C64", "[4]", "[0,4]") + "}", data), "'C64'");
        row("negative dimension", safetensors("{" + entry("w", "U8", "[-4]", "[0,4]") + "}", data), "negative");
        row("fraction", safetensors("{" + entry("w", "U8", "[4.0]", "[0,4]") + "}", data), "fraction");
        row("huge dimension", safetensors("{" + entry("w", "U8", "[18446744073709551615]", "[0,4]") + "}", data), "too large");
        row("product overflows", safetensors("{" + entry("w", "U8", "[281474976710656,281474976710656]", "[0,4]") + "}", data), "2^48");
        row("shape and bytes differ", safetensors("{" + entry("w", "F32", "[4]", "[0,4]") + "}", data), "needs 16 bytes");
        row("backwards", safetensors("{" + entry("w", "U8", "[4]", "[4,0]") + "}", data), "not in the file");
        row("beyond the end", safetensors("{" + entry("w", "U8", "[8]", "[0,8]") + "}", data), "not in the file");
        row("overlap", safetensors("{" + entry("v", "U8", "[3]", "[0,3]") + "," + entry("w", "U8", "[2]", "[2,4]") + "}", data), "begins at byte 2");
        row("hole", safetensors("{" + entry("v", "U8", "[1]", "[0,1]") + "," + entry("w", "U8", "[2]", "[2,4]") + "}", data), "begins at byte 2");
        row("bytes left over", safetensors("{" + good + "}", data + "e"), "accounts for 4");
    }

    void hostileSafetensors()
    {
        QFETCH(QByteArray, bytes);
        QFETCH(QByteArray, named);
        const std::string sentence = problem(file(bytes.toStdString()));
        QVERIFY2(sentence.find(named.toStdString()) != std::string::npos, sentence.c_str());
        QVERIFY2(sentence.find(path("weights").string()) != std::string::npos, sentence.c_str());
    }

    void whatCannotBeWritten()
    {
        const TensorData w = TensorData::fromFloats({1}, std::vector<float>{1});
        const auto refused = [this](const WeightFile &weights) {
            try {
                writeSafetensors(weights, path("refused"));
            } catch (const Error &error) {
                return !fs::exists(path("refused"));
            }
            return false;
        };
        QVERIFY(refused({{{"w", w}, {"w", w}}, {}}));
        QVERIFY(refused({{{"__metadata__", w}}, {}}));
        QVERIFY(refused({{{"\xFF", w}}, {}}));
        QVERIFY(refused({{{"w", TensorData{DataType::String, {}, {}, {}, {}}}}, {}}));
        QVERIFY(refused({{{"w", TensorData{DataType::Float32, {2}, {}, {}, {}}}}, {}}));
        QVERIFY_EXCEPTION_THROWN(writeSafetensors({{{"w", w}}, {}}, path("no/such/folder")), Error);
    }
};

QTEST_APPLESS_MAIN(TestWeightFile)
#include "tst_weight_file.moc"

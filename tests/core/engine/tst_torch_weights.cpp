// Files of torch.save. tests/fixtures/weights holds what Python's pickle and zipfile write (make.py there); hostile ones are put together here.
#include "core/weights/pickle.h"
#include "core/weights/weight_file.h"

#include <QtTest/QtTest>

#include <zlib.h>

#include <fstream>

using namespace core;
namespace fs = std::filesystem;
using namespace std::string_literals;

namespace {

const fs::path fixtures = QUANTSCOPE_SOURCE_DIR "/tests/fixtures/weights";

std::string little(std::uint64_t value, int bytes)
{
    std::string text;
    for (int i = 0; i < bytes; ++i)
        text += char(value >> 8 * i & 255);
    return text;
}

std::string contents(const fs::path &file)
{
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

// Pickle operations by hand.
std::string text(const std::string &s) { return "X" + little(s.size(), 4) + s; }
std::string integer(std::uint32_t value) { return "J" + little(value, 4); }
std::string tuple(const std::vector<std::string> &items)
{
    std::string all = "(";
    for (const std::string &item : items)
        all += item;
    return all + "t";
}
std::string storage(const std::string &elements, const std::string &key = "0", const std::string &type = "FloatStorage", const std::string &view = "")
{
    return tuple({text("storage"), "ctorch\n" + type + "\n", text(key), text("cpu"), elements, view}) + "Q";
}
std::string tensor(const std::string &storage, const std::string &offset, const std::string &dims, const std::string &strides)
{
    return "ctorch._utils\n_rebuild_tensor_v2\n" + tuple({storage, offset, dims, strides, "\x89", "ccollections\nOrderedDict\n)R"}) + "R";
}
std::string pickle(const std::string &body) { return "\x80\x02" + body + "."; }
std::string dictionary(const std::string &name, const std::string &value) { return pickle("}" + text(name) + value + "s"); }
/// {"w": two floats}
std::string twoFloats() { return tensor(storage(integer(2)), "K\0"s, tuple({"K\2"}), tuple({"K\1"})); }

std::string legacy(const std::string &object, const std::string &keysAndData = pickle("]" + text("0") + "a") + little(2, 8) + "\0\0\x80\x3F\0\0\0\x40"s)
{
    return pickle("\x8A\x0A\x6C\xFC\x9C\x46\xF9\x20\x6A\xA8\x50\x19") + pickle("M\xE9\x03") + pickle("}" + text("little_endian") + "\x88s") + object + keysAndData;
}

struct Member {
    std::string name, data;
};

std::string zip(const std::vector<Member> &members, std::uint64_t claimed = 0)
{
    std::string body, directory;
    for (const Member &m : members) {
        const auto crc = ::crc32(0, reinterpret_cast<const Bytef *>(m.data.data()), uInt(m.data.size()));
        const std::uint64_t size = claimed && &m == &members.back() ? claimed : m.data.size();
        const std::string common = little(0, 6) + little(crc, 4) + little(size, 4) + little(size, 4) + little(m.name.size(), 2) + little(0, 2);
        directory += "PK\1\2" + little(20, 2) + little(20, 2) + little(0, 2) + common + little(0, 10) + little(body.size(), 4) + m.name;
        body += "PK\3\4" + little(20, 2) + little(0, 2) + common + m.name + m.data;
    }
    return body + directory + "PK\5\6" + little(0, 4) + little(members.size(), 2) + little(members.size(), 2) + little(directory.size(), 4) + little(body.size(), 4)
        + little(0, 2);
}

const TensorData &named(const WeightFile &weights, const std::string &name)
{
    for (const auto &[key, tensor] : weights.tensors)
        if (key == name)
            return tensor;
    qFatal("no tensor %s", name.c_str());
}

} // namespace

class TestTorchWeights : public QObject {
    Q_OBJECT

    QTemporaryDir m_temporary;

    fs::path file(const std::string &content) const
    {
        const fs::path path = fs::path(m_temporary.path().toStdString()) / "w.pth";
        std::ofstream(path, std::ios::binary) << content;
        return path;
    }
    std::string problem(const std::string &content) const
    {
        try {
            readWeights(file(content));
        } catch (const Error &error) {
            return error.sentence();
        }
        return "read";
    }

private Q_SLOTS:
    void whatPythonWrites_data()
    {
        QTest::addColumn<QString>("name");
        for (const char *name : {"state_dict.pth", "checkpoint.pth", "legacy.pth"})
            QTest::newRow(name) << QString(name);
    }

    void whatPythonWrites()
    {
        QFETCH(QString, name);
        const WeightFile weights = readWeights(fixtures / name.toStdString());
        std::vector<std::string> names;
        for (const auto &[key, tensor] : weights.tensors)
            names.push_back(key);
        QCOMPARE(names, (std::vector<std::string>{"conv.weight", "transposed", "second.row", "repeated", "empty", "half", "brain", "flags", "bn.num_batches_tracked", "double", "int",
                                                  "short", "char", "byte"}));
        const auto floats = [&](const char *key) { return named(weights, key).toFloats(); };
        const auto dims = [&](const char *key) { return named(weights, key).dims; };
        using Dims = std::vector<std::int64_t>;
        using Floats = std::vector<float>;
        QCOMPARE(dims("conv.weight"), (Dims{2, 3}));
        QCOMPARE(floats("conv.weight"), (Floats{0.5f, 1, 1.5f, 2, 2.5f, -3}));
        QCOMPARE(dims("transposed"), (Dims{3, 2}));
        QCOMPARE(floats("transposed"), (Floats{0.5f, 2, 1, 2.5f, 1.5f, -3}));
        QCOMPARE(floats("second.row"), (Floats{2, 2.5f, -3}));
        QCOMPARE(floats("repeated"), (Floats{-3, -3}));
        QCOMPARE(dims("empty"), (Dims{0, 3}));
        QCOMPARE(named(weights, "half").type, DataType::Float16);
        QCOMPARE(floats("half"), (Floats{0.25f, -2}));
        QCOMPARE(named(weights, "brain").type, DataType::BFloat16);
        QCOMPARE(floats("brain"), (Floats{1, -3}));
        QCOMPARE(named(weights, "flags").type, DataType::Bool);
        QCOMPARE(floats("flags"), (Floats{1, 0}));
        QVERIFY(dims("bn.num_batches_tracked").empty());
        QCOMPARE(named(weights, "bn.num_batches_tracked").toInt64s(), (std::vector<std::int64_t>{12345678901}));
        QCOMPARE(named(weights, "double").toDoubles(), (std::vector<double>{1e300}));
        QCOMPARE(floats("int"), (Floats{-70000}));
        QCOMPARE(floats("short"), (Floats{-300}));
        QCOMPARE(floats("char"), (Floats{-5}));
        QCOMPARE(floats("byte"), (Floats{250}));
    }

    void truncatedAnywhere_data() { whatPythonWrites_data(); }
    void truncatedAnywhere()
    {
        QFETCH(QString, name);
        const std::string whole = contents(fixtures / name.toStdString());
        for (std::size_t size = 0; size < whole.size(); size += 1 + size % 3)
            QVERIFY2(problem(whole.substr(0, size)) != "read", std::to_string(size).c_str());
    }

    /// Whatever byte is changed: an Error or tensors, nothing else.
    void damagedAnywhere_data() { whatPythonWrites_data(); }
    void damagedAnywhere()
    {
        QFETCH(QString, name);
        const std::string whole = contents(fixtures / name.toStdString());
        for (std::size_t at = 0; at < whole.size(); ++at) {
            std::string damaged = whole;
            damaged[at] = char(damaged[at] ^ "\x01\x80\xFF"[at % 3]);
            problem(damaged);
        }
    }

    void theSmallestFiles()
    {
        QCOMPARE(named(readWeights(file(legacy(dictionary("w", twoFloats())))), "w").toFloats(), (std::vector<float>{1, 2}));
        QCOMPARE(named(readWeights(file(zip({{"a/data.pkl", dictionary("w", twoFloats())}, {"a/data/0", "\0\0\x80\x3F\0\0\0\x40"s}}))), "w").toFloats(), (std::vector<float>{1, 2}));
    }

    /// PyTorch 0.1 with Python 2: byte strings, torch.Size, Parameters with a state, OrderedDict from a list of pairs.
    void oldestForms()
    {
        const auto old = [](const std::string &size) {
            return "ctorch._utils\n_rebuild_tensor\n" + tuple({storage(integer(2), "0", "FloatStorage", "N"), "K\0"s, size, tuple({"K\1"})}) + "R";
        };
        const std::string size = "ctorch\nSize\n" + tuple({tuple({"K\2"})}) + "\x81";
        const std::string flags = tuple({"\x88", "\x89", "ccollections\nOrderedDict\n]\x85R"}) + "b";
        const std::string parameter = "ctorch.nn.parameter\nParameter\n" + old(size) + "\x85R" + flags;
        const std::string oldest = "ctorch.nn.parameter\nParameter\n)\x81" + tuple({old(size), "N", "N", "\x88", "\x89"}) + "b";
        const std::string pairs = "](](U\1a" + parameter + "e](U\1b" + oldest + "ee";
        const WeightFile weights = readWeights(file(legacy(pickle("ccollections\nOrderedDict\n" + pairs + "\x85R"))));
        QCOMPARE(named(weights, "a").toFloats(), (std::vector<float>{1, 2}));
        QCOMPARE(named(weights, "b").toFloats(), (std::vector<float>{1, 2}));
        // A view of a storage: key of the view, offset, elements.
        const std::string view = tensor(storage(integer(2), "0", "FloatStorage", tuple({text("v"), "K\1", "K\1"})), "K\0"s, tuple({"K\1"}), tuple({"K\1"}));
        QCOMPARE(named(readWeights(file(legacy(dictionary("w", view)))), "w").toFloats(), (std::vector<float>{2}));
    }

    void namesInCommonAreCut()
    {
        const auto names = [this](const std::string &a, const std::string &b) {
            const WeightFile weights = readWeights(file(legacy(pickle("}(" + text(a) + twoFloats() + text(b) + twoFloats() + "u"))));
            return weights.tensors[0].first + " " + weights.tensors[1].first;
        };
        QCOMPARE(names("module.a", "module.b"), std::string("a b"));
        QCOMPARE(names("module.a", "b"), std::string("module.a b"));
    }

    void sharedTensorsShareTheirBytes()
    {
        const WeightFile weights = readWeights(file(legacy(pickle("}(" + text("a") + twoFloats() + text("b") + twoFloats() + "u"))));
        QCOMPARE(weights.tensors[0].second.bytes, weights.tensors[1].second.bytes);
    }

    void hostile_data()
    {
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<QByteArray>("named");
        const auto row = [](const char *name, const std::string &bytes, const char *named) { QTest::newRow(name) << QByteArray::fromStdString(bytes) << QByteArray(named); };
        const auto object = [&](const char *name, const std::string &body, const char *named) {
            row(name, body.find("storage") == std::string::npos ? legacy(pickle(body), pickle("]")) : legacy(pickle(body)), named);
        };
        const auto made = [&](const char *name, const std::string &offset, const std::string &dims, const std::string &strides, const char *named) {
            row(name, legacy(dictionary("w", tensor(storage(integer(2)), offset, dims, strides))), named);
        };
        const std::string zero = "K\0"s, one = tuple({"K\1"}), two = tuple({"K\2"}), huge = "\x8A\x08" + little(std::uint64_t(1) << 62, 8);
        row("a program", legacy(pickle("cos\nsystem\n" + tuple({text("echo")}) + "R")), "'os.system'");
        row("a program, by protocol 4", legacy("\x80\x04\x95" + little(30, 8) + "\x8C\5posix\x94\x8C\6system\x94\x93\x94."), "'posix.system'");
        row("a program, in a ZIP archive", zip({{"a/data.pkl", pickle("c__builtin__\neval\n" + tuple({text("1")}) + "R")}}), "'__builtin__.eval'");
        object("a whole model", "ctorchvision.models.resnet\nResNet\n)\x81", "'torchvision.models.resnet.ResNet'");
        object("an instance", "(ios\nsystem\n", "operation 'i'");
        object("an extension", "\x82\1", "operation 0x82");
        object("call of a storage type", "ctorch\nFloatStorage\n)R", "torch FloatStorage");
        object("call of a text", text("x") + ")R", "no function");
        object("state of a list", "]}b", "a state of its own");
        object("parameter of no tensor", "ctorch.nn.parameter\nParameter\n" + one + "R", "no tensor");
        object("no mapping", "K\1", "no tensors by name");
        object("mapping without tensors", "}" + text("a") + "K\1s", "no tensors by name");
        object("parameter without a tensor", "}" + text("a") + "ctorch.nn.parameter\nParameter\n)\x81s", "no tensors by name");
        object("two of a name", "}(" + text("w") + twoFloats() + text("w") + twoFloats() + "u", "two tensors named 'w'");
        object("empty stack", "0", "stack is empty");
        object("nothing under the mark", "}((s", "stack is empty");
        object("no mark", "}u", "mark is missing");
        object("no such memo", "h\7", "object 7");
        object("into no container", "K\1K\1a", "no container");
        object("odd mapping", "}(K\1u", "no container");
        object("cyclic list", "]q\1h\1ah\1a", "no tensors by name");
        object("cyclic mapping", "}q\1" + text("a") + "h\1s", "no tensors by name");
        object("deep tuples", ")" + std::string(1'000'000, '\x85'), "no tensors by name");
        object("deep marks", std::string(1'000'000, '('), "too deeply");
        object("endless name", "c" + std::string(5000, 'x') + "\ny\n", "'xxxx");
        made("beyond the storage", "K\1", two, one, "beyond its storage '0' of 2");
        made("strides beyond the storage", zero, two, two, "beyond its storage");
        made("dimension that overflows", zero, tuple({huge, huge}), tuple({huge, huge}), "beyond its storage");
        made("repeated without end", zero, tuple({huge}), tuple({zero}), "2^48");
        made("repeated too often", zero, tuple({integer(1 << 30)}), tuple({zero}), "4294967296 bytes");
        made("fewer strides", zero, two, ")", "strides");
        made("negative dimension", zero, tuple({integer(0xFFFFFFFF)}), one, "dimensions");
        made("negative offset", integer(0xFFFFFFFF), one, one, "offset");
        made("negative stride", zero, two, tuple({integer(0xFFFFFFFF)}), "strides");
        made("many dimensions", zero, tuple(std::vector<std::string>(17, "K\1")), tuple(std::vector<std::string>(17, "K\1")), "dimensions");
        made("dimensions are a list", zero, "]K\1a", one, "dimensions");
        object("storage of another kind", tuple({text("module"), "ctorch\nFloatStorage\n", text("0"), text("cpu"), "K\2"}) + "Q", "no storage");
        object("storage without type", tuple({text("storage"), text("x"), text("0"), text("cpu"), "K\2"}) + "Q", "no type");
        object("storage of two types", storage(integer(2)) + storage(integer(2), "0", "HalfStorage"), "two types");
        object("huge storage", storage(huge), "too large");
        object("view outside", storage(integer(2), "0", "FloatStorage", tuple({text("v"), "K\1", "K\2"})), "outside");
        const std::string w = dictionary("w", twoFloats()), data = "\0\0\x80\x3F\0\0\0\x40"s;
        row("another magic number", pickle("K\1"), "none that torch.save wrote");
        row("another protocol", pickle("\x8A\x0A\x6C\xFC\x9C\x46\xF9\x20\x6A\xA8\x50\x19") + pickle("M\xEA\x03"), "1001");
        row("big-endian", pickle("\x8A\x0A\x6C\xFC\x9C\x46\xF9\x20\x6A\xA8\x50\x19") + pickle("M\xE9\x03") + pickle("}" + text("little_endian") + "\x89s"), "byte order");
        row("unknown key", legacy(w, pickle("]" + text("1") + "a") + little(2, 8) + data), "does not fit");
        row("missing key", legacy(w, pickle("]")), "lacks '0'");
        row("key twice", legacy(w, pickle("](" + text("0") + text("0") + "e") + little(2, 8) + data + little(2, 8) + data), "does not fit");
        row("another size", legacy(w, pickle("]" + text("0") + "a") + little(3, 8) + data), "3 elements");
        row("data cut off", legacy(w, pickle("]" + text("0") + "a") + little(2, 8) + data.substr(1)), "truncated");
        const std::string large = dictionary("w", tensor(storage(integer(1 << 30)), zero, one, one));
        row("large storage in a small file", legacy(large, pickle("]" + text("0") + "a") + little(1 << 30, 8) + data), "4294967296 bytes");
        row("large storage in a small archive", zip({{"a/data.pkl", large}, {"a/data/0", data}}, 0xFFFFFFFE), "4294967296 bytes");
        row("member beyond the archive", zip({{"a/data.pkl", w}, {"b/data.txt", ""}, {"a/data/0", data}}, 1 << 20), "1048576");
        row("no such member", zip({{"a/data.pkl", w}}), "lacks the storage '0'");
        row("two pickles", zip({{"a/data.pkl", w}, {"b/data.pkl", w}}), "two members");
        row("no pickle", zip({{"a/readme.txt", "x"}}), "no data.pkl");
        row("big-endian archive", zip({{"a/data.pkl", w}, {"a/byteorder", "big"}, {"a/data/0", data}}), "byte order");
        row("keys leave the folder", zip({{"a/data.pkl", dictionary("w", tensor(storage(integer(2), "../../b"), zero, two, one))}, {"b", data}}), "lacks the storage");
        // A list of pairs of a million entries, made into as many dictionaries again and again.
        std::string again = "](](" + text("a") + "K\1eq\1" + std::string() + "e(";
        for (int i = 0; i < 100'000; ++i)
            again += "h\1";
        again += "eq\2";
        for (int i = 0; i < 1000; ++i)
            again += "ccollections\nOrderedDict\nh\2\x85R";
        object("multiplied mapping", again, "too many objects");
    }

    void hostile()
    {
        QFETCH(QByteArray, bytes);
        QFETCH(QByteArray, named);
        const std::string sentence = problem(bytes.toStdString());
        QVERIFY2(sentence.find(named.toStdString()) != std::string::npos, sentence.c_str());
        QVERIFY2(sentence.find("w.pth") != std::string::npos, sentence.c_str());
        QVERIFY2(sentence.size() < 600, sentence.c_str());
    }

    void numbersOfAPickle()
    {
        const auto top = [](const std::string &body) {
            const std::string whole = pickle(body);
            return readPickle(std::as_bytes(std::span(whole)), "x").top().number;
        };
        QCOMPARE(top("J\xFE\xFF\xFF\xFF"), std::int64_t(-2));
        QCOMPARE(top("K\xFF"), std::int64_t(255));
        QCOMPARE(top("M\x01\x02"), std::int64_t(513));
        QCOMPARE(top("\x8A\0"s), std::int64_t(0));
        QCOMPARE(top("\x8A\1\x80"), std::int64_t(-128));
        QCOMPARE(top("\x8A\2\x80\0"s), std::int64_t(128));
        QCOMPARE(top("\x88"), std::int64_t(1));
    }
};

QTEST_APPLESS_MAIN(TestTorchWeights)
#include "tst_torch_weights.moc"

// .npy, .npz and IDX. The byte strings are those that numpy 2 writes (header padded to 64 bytes), or hand-made and hostile.
#include "core/data/dataset.h"
#include "core/data/stored_array.h"

#include <QtTest/QtTest>

#include <ATen/ATen.h>

#include <zlib.h>

#include <cstring>
#include <fstream>

using namespace core;
namespace fs = std::filesystem;

namespace {

std::string npy(const std::string &descr, const std::string &shape, const std::string &data, bool fortran = false)
{
    std::string header = "{'descr': '" + descr + "', 'fortran_order': " + (fortran ? "True" : "False") + ", 'shape': " + shape + ", }";
    header.resize((header.size() + 1 + 10 + 63) / 64 * 64 - 11, ' ');
    header += '\n';
    return std::string("\x93NUMPY\1\0", 8) + char(header.size() & 255) + char(header.size() >> 8) + header + data;
}

template <class T> std::string raw(std::vector<T> values)
{
    return {reinterpret_cast<const char *>(values.data()), values.size() * sizeof(T)};
}

std::string little(std::uint64_t value, int bytes)
{
    std::string text;
    for (int i = 0; i < bytes; ++i)
        text += char(value >> 8 * i & 255);
    return text;
}

std::string big(std::uint32_t value) { return {char(value >> 24), char(value >> 16 & 255), char(value >> 8 & 255), char(value & 255)}; }

std::string idx(int type, const std::vector<std::uint32_t> &dims, const std::string &data)
{
    std::string text{'\0', '\0', char(type), char(dims.size())};
    for (const std::uint32_t d : dims)
        text += big(d);
    return text + data;
}

std::string deflated(const std::string &data, int windowBits = -MAX_WBITS)
{
    std::string out(data.size() + 100, '\0');
    z_stream stream{};
    deflateInit2(&stream, 9, Z_DEFLATED, windowBits, 8, Z_DEFAULT_STRATEGY);
    stream.next_in = reinterpret_cast<Bytef *>(const_cast<char *>(data.data()));
    stream.avail_in = uInt(data.size());
    stream.next_out = reinterpret_cast<Bytef *>(out.data());
    stream.avail_out = uInt(out.size());
    deflate(&stream, Z_FINISH);
    out.resize(stream.total_out);
    deflateEnd(&stream);
    return out;
}

std::string gzipped(const std::string &data) { return deflated(data, MAX_WBITS + 16); }

struct Member {
    std::string name, data;
    bool packed = false;
    std::uint64_t claimed = 0;           ///< unpacked size in the directory, 0 = the true one
};

/// As numpy writes it: ZIP64 fields in the local headers.
std::string zip(const std::vector<Member> &members)
{
    std::string body, directory;
    for (const Member &m : members) {
        const std::string stored = m.packed ? deflated(m.data) : m.data;
        const auto crc = ::crc32(0, reinterpret_cast<const Bytef *>(m.data.data()), uInt(m.data.size()));
        const std::uint64_t size = m.claimed ? m.claimed : m.data.size();
        const std::string common = little(m.packed ? 8 : 0, 2) + little(0, 4) + little(crc, 4);
        directory += "PK\1\2" + little(45, 2) + little(45, 2) + little(0, 2) + common + little(stored.size(), 4) + little(size, 4) + little(m.name.size(), 2)
            + little(0, 2) + little(0, 2) + little(0, 2) + little(0, 2) + little(0, 4) + little(body.size(), 4) + m.name;
        body += "PK\3\4" + little(45, 2) + little(0, 2) + common + little(0xFFFFFFFF, 4) + little(0xFFFFFFFF, 4) + little(m.name.size(), 2) + little(20, 2)
            + m.name + little(1, 2) + little(16, 2) + little(size, 8) + little(stored.size(), 8) + stored;
    }
    return body + directory + "PK\5\6" + little(0, 4) + little(members.size(), 2) + little(members.size(), 2) + little(directory.size(), 4) + little(body.size(), 4)
        + little(0, 2);
}

template <class T> std::vector<T> values(const at::Tensor &tensor)
{
    const at::Tensor t = tensor.contiguous();
    return {t.data_ptr<T>(), t.data_ptr<T>() + t.numel()};
}

class TestTensorDataset : public QObject {
    Q_OBJECT

    QTemporaryDir m_temporary;
    fs::path m_root;

    fs::path file(const std::string &name, const std::string &content) const
    {
        std::ofstream(m_root / name, std::ios::binary) << content;
        return m_root / name;
    }

    /// geometry.channels 0: no image input.
    static DatasetOptions options(const fs::path &path, InputGeometry geometry = {0, 0, 0, false}, const fs::path &labels = {})
    {
        DatasetOptions o;
        o.path = path;
        o.labels = labels;
        o.transform = transformPreset("byte");
        o.transform.resize = ResizeMode::Stretch;
        o.geometry = geometry;
        return o;
    }

    static std::string problem(const DatasetOptions &o)
    {
        try {
            openDataset(o);
        } catch (const Error &error) {
            return error.sentence();
        }
        return "opened";
    }

    static bool has(const std::string &whole, const std::string &part) { return whole.find(part) != std::string::npos; }

private Q_SLOTS:
    void init()
    {
        m_root = m_temporary.filePath(QTest::currentTestFunction()).toStdString();
        fs::create_directories(m_root);
    }

    void floatsAsTheyAre()
    {
        const auto data = openDataset(options(file("x.npy", npy("<f4", "(2, 3)", raw<float>({1, 2, 3, 4, 5.5f, 6})))));
        QCOMPARE(data->size(), std::size_t(2));
        QVERIFY(!data->hasLabels());
        QVERIFY(data->describe(1).ends_with("x.npy[1]"));
        QCOMPARE(values<float>(data->load(1).inputs[0]), (std::vector<float>{4, 5.5f, 6}));
        QCOMPARE(data->load(0).label, std::int64_t(-1));
        // An image input takes them without transform, whatever it says.
        const auto image = openDataset(options(m_root / "x.npy", {1, 1, 3, false}));
        QCOMPARE(image->load(0).inputs[0].sizes().vec(), (std::vector<std::int64_t>{1, 1, 3}));
        QVERIFY(has(problem(options(m_root / "x.npy", {3, 1, 1, false})), "opened"));   // 3×1×1: dimensions of 1 may be left out
        QVERIFY(has(problem(options(m_root / "x.npy", {1, 2, 2, false})), "2x3"));
    }

    void types_data()
    {
        QTest::addColumn<QByteArray>("descr");
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<QList<double>>("expected");
        QTest::addColumn<int>("type");
        const auto row = [](const char *name, const std::string &bytes, const QList<double> &expected, at::ScalarType type) {
            QTest::newRow(name) << QByteArray(name) << QByteArray::fromStdString(bytes) << expected << int(type);
        };
        row("<f8", raw<double>({0.5, -2}), {0.5, -2}, at::kFloat);
        row(">f4", std::string("\x3F\x80\0\0\xC0\0\0\0", 8), {1, -2}, at::kFloat);
        row("<f2", std::string("\0\x3C\0\xC0", 4), {1, -2}, at::kFloat);
        row("|u1", raw<std::uint8_t>({0, 255}), {0, 255}, at::kByte);
        row("|i1", raw<std::int8_t>({-128, 127}), {-128, 127}, at::kChar);
        row("|b1", std::string("\0\7", 2), {0, 1}, at::kBool);
        row(">i2", std::string("\xFF\xFE\1\0", 4), {-2, 256}, at::kShort);
        row("<u2", raw<std::uint16_t>({1, 65535}), {1, 65535}, at::kInt);
        row("<u4", raw<std::uint32_t>({1, 4294967295u}), {1, 4294967295.0}, at::kLong);
        row("<i8", raw<std::int64_t>({-1, 1LL << 40}), {-1, 1099511627776.0}, at::kLong);
    }

    void types()
    {
        QFETCH(QByteArray, descr);
        QFETCH(QByteArray, bytes);
        QFETCH(QList<double>, expected);
        QFETCH(int, type);
        const auto data = openDataset(options(file("x.npy", npy(descr.toStdString(), "(2, 1)", bytes.toStdString()))));
        for (int i = 0; i < 2; ++i) {
            const at::Tensor t = data->load(std::size_t(i)).inputs[0];
            QCOMPARE(int(t.scalar_type()), type);
            QCOMPARE(t.item<double>(), expected[i]);
        }
    }

    void columnMajor()
    {
        // numpy.asfortranarray([[[1, 2], [3, 4], [5, 6]], [[7, 8], [9, 10], [11, 12]]])
        const auto data = openDataset(options(file("x.npy", npy("<i4", "(2, 3, 2)", raw<std::int32_t>({1, 7, 3, 9, 5, 11, 2, 8, 4, 10, 6, 12}), true))));
        QCOMPARE(values<std::int32_t>(data->load(0).inputs[0]), (std::vector<std::int32_t>{1, 2, 3, 4, 5, 6}));
        QCOMPARE(values<std::int32_t>(data->load(1).inputs[0]), (std::vector<std::int32_t>{7, 8, 9, 10, 11, 12}));
    }

    void bytesArePixels()
    {
        const std::string two = raw<std::uint8_t>({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
        const auto last = openDataset(options(file("hwc.npy", npy("|u1", "(2, 1, 2, 3)", two)), {3, 1, 2, false}));
        QCOMPARE(values<float>(last->load(1).inputs[0]), (std::vector<float>{7, 10, 8, 11, 9, 12}));
        const auto first = openDataset(options(file("chw.npy", npy("|u1", "(2, 3, 1, 2)", two)), {3, 1, 2, false}));
        QCOMPARE(values<float>(first->load(1).inputs[0]), (std::vector<float>{7, 8, 9, 10, 11, 12}));
        const auto grey = openDataset(options(file("hw.npy", npy("|u1", "(3, 2, 2)", two)), {3, 1, 1, false}));   // resized: the mean
        QCOMPARE(values<float>(grey->load(0).inputs[0]), (std::vector<float>{3, 3, 3}));                          // 2.5 rounded up
        QVERIFY(has(problem(options(file("odd.npy", npy("|u1", "(3, 4)", two)), {3, 1, 1, false})), "pixels"));
    }

    void hostileNpy_data()
    {
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<QByteArray>("named");
        const auto row = [](const char *name, const std::string &bytes, const char *named) {
            QTest::newRow(name) << QByteArray::fromStdString(bytes) << QByteArray(named);
        };
        const std::string good = npy("<f4", "(2, 3)", raw<float>({1, 2, 3, 4, 5, 6}));
        row("empty", "", "does not begin");
        row("cut in the magic", good.substr(0, 7), "does not begin");
        row("cut in the header", good.substr(0, 40), "header");
        row("cut in the data", good.substr(0, good.size() - 1), "2x3");
        row("product overflows", npy("<f4", "(4294967296, 4294967296, 4294967296)", "1234"), "4 bytes");
        row("larger than the file", npy("<f4", "(1000000000000, 3)", "1234"), "4 bytes");
        row("number too large", npy("<f4", "(99999999999999999999, 3)", "1234"), "shape");
        row("negative", npy("<f4", "(-1, 3)", "1234"), "shape");
        row("no samples", npy("<f4", "(0, 3)", ""), "empty");
        row("empty samples", npy("<f4", "(3, 0)", ""), "empty");
        row("scalar", npy("<f4", "()", "1234"), "single number");
        row("objects", npy("|O", "(1,)", "12345678"), "'|O'");
        row("records", std::string("\x93NUMPY\1\0\x40\0", 10) + "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}1234", "records");
        row("complex", npy("<c8", "(1,)", "12345678"), "'<c8'");
        row("version", std::string("\x93NUMPY\x9\0\x10\0", 10) + std::string(20, ' '), "version");
        row("no dictionary", std::string("\x93NUMPY\1\0\x10\0", 10) + std::string(20, ' '), "header");
        row("header longer than the file", std::string("\x93NUMPY\2\0\xFF\xFF\xFF\xFF", 12) + "{}", "header");
    }

    void hostileNpy()
    {
        QFETCH(QByteArray, bytes);
        QFETCH(QByteArray, named);
        const std::string sentence = problem(options(file("x.npy", bytes.toStdString())));
        QVERIFY2(has(sentence, named.toStdString()) && has(sentence, "x.npy"), sentence.c_str());
    }

    void npzByName()
    {
        const std::string a = npy("<f4", "(2, 1)", raw<float>({1, 2})), b = npy("<i8", "(2, 2)", raw<std::int64_t>({3, 4, 5, 6})),
                          y = npy("<i4", "(2,)", raw<std::int32_t>({7, 0}));
        for (const bool packed : {false, true}) {
            DatasetOptions o = options(file("x.npz", zip({{"b.npy", b, packed}, {"labels.npy", y, packed}, {"a.npy", a, packed}, {"readme.txt", "x"}})));
            o.inputNames = {"a", "b"};
            const auto data = openDataset(o);
            QVERIFY(data->hasLabels());
            const Sample sample = data->load(1);
            QCOMPARE(sample.label, std::int64_t(0));
            QCOMPARE(values<float>(sample.inputs.at(0)), (std::vector<float>{2}));
            QCOMPARE(values<std::int64_t>(sample.inputs.at(1)), (std::vector<std::int64_t>{5, 6}));
            o.inputNames = {"a", "c"};
            QVERIFY(has(problem(o), "'c'"));
            QVERIFY(has(problem(o), "'b', 'labels', 'a'"));
            o.inputNames = {"image"};                              // one input, two candidates
            QVERIFY(has(problem(o), "'image'"));
        }
        DatasetOptions o = options(file("one.npz", zip({{"arr_0.npy", a}})));
        o.inputNames = {"image"};
        QCOMPARE(openDataset(o)->size(), std::size_t(2));
        o.path = file("two.npz", zip({{"arr_0.npy", a}, {"arr_1.npy", b}}));
        o.inputNames = {"image", "ids"};
        QCOMPARE(openDataset(o)->load(0).inputs.at(1).numel(), std::int64_t(2));
        o.path = file("uneven.npz", zip({{"arr_0.npy", a}, {"arr_1.npy", npy("<f4", "(3,)", raw<float>({1, 2, 3}))}}));
        QVERIFY(has(problem(o), "3"));
    }

    void hostileNpz_data()
    {
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<QByteArray>("named");
        const auto row = [](const char *name, const std::string &bytes, const char *named = "x.npz") {
            QTest::newRow(name) << QByteArray::fromStdString(bytes) << QByteArray(named);
        };
        const std::string array = npy("<f4", "(500, 1)", raw<float>(std::vector<float>(500, 1)));
        const std::string good = zip({{"a.npy", array, true}});
        row("empty", "");
        row("cut", good.substr(0, good.size() - 30));
        row("only the end", good.substr(good.size() - 22));
        row("no arrays", zip({{"a.txt", "x"}}));
        row("twice the same", zip({{"a.npy", array}, {"a.npy", array}}));
        row("bomb", zip({{"a.npy", array, true, 0xF0000000}}), "unpack to 4026531840");
        row("says less than it unpacks to", zip({{"a.npy", array, true, array.size() - 1}}));
        row("says more than it unpacks to", zip({{"a.npy", array, true, array.size() + 1}}));
        row("stored, longer than the file", zip({{"a.npy", array, false, 1 << 20}}));
        std::string damaged = good;
        damaged[80] = char(damaged[80] ^ 0x55);
        row("damaged data", damaged, "damaged");
        std::string checksum = good;
        checksum[good.size() - 22 - 51 + 16] = char(checksum[good.size() - 22 - 51 + 16] ^ 1);
        row("checksum", checksum, "damaged");
        std::string far = good;
        std::memcpy(far.data() + far.size() - 6, "\xFF\xFF\xFF\x7F", 4);
        row("directory beyond the file", far);
        std::string member = good;
        std::memcpy(member.data() + member.size() - 22 - 5 - 4, "\xFF\xFF\xFF\x7F", 4);
        row("member beyond the file", member);
        std::string many = good;
        std::memcpy(many.data() + many.size() - 12, "\xFF\xFF", 2);
        row("more entries than there are", many);
        row("zip64 locator beyond the file", good.substr(0, good.size() - 22) + "PK\6\7" + little(0, 4) + little(~0ull, 8) + little(1, 4) + good.substr(good.size() - 22));
    }

    void hostileNpz()
    {
        QFETCH(QByteArray, bytes);
        QFETCH(QByteArray, named);
        const std::string sentence = problem(options(file("x.npz", bytes.toStdString())));
        QVERIFY2(has(sentence, "x.npz") && has(sentence, named.toStdString()), sentence.c_str());
    }

    void idxWithItsLabels()
    {
        const fs::path images = file("t10k-images-idx3-ubyte", idx(8, {2, 2, 2}, raw<std::uint8_t>({1, 2, 3, 4, 5, 6, 7, 8})));
        QVERIFY(!openDataset(options(images, {1, 2, 2, false}))->hasLabels());
        file("t10k-labels-idx1-ubyte", idx(8, {2}, raw<std::uint8_t>({9, 0})));
        const auto data = openDataset(options(images, {1, 2, 2, false}));
        QVERIFY(data->hasLabels());
        QCOMPARE(data->load(0).label, std::int64_t(9));
        QCOMPARE(values<float>(data->load(1).inputs[0]), (std::vector<float>{5, 6, 7, 8}));
        const auto floats = openDataset(options(file("f.idx", idx(13, {2, 1}, std::string("\x3F\x80\0\0\xC0\0\0\0", 8)))));
        QCOMPARE(floats->load(1).inputs[0].item<float>(), -2.0f);
    }

    void idxPackedWithGzip()
    {
        const std::string images = idx(8, {2, 2, 2}, raw<std::uint8_t>({1, 2, 3, 4, 5, 6, 7, 8})), labels = idx(8, {2}, raw<std::uint8_t>({9, 0}));
        const fs::path path = file("train-images-idx3-ubyte.gz", gzipped(images));
        file("train-labels-idx1-ubyte.gz", gzipped(labels));
        const auto check = [&](const fs::path &opened) {
            const auto data = openDataset(options(opened, {1, 2, 2, false}));
            QVERIFY(data->hasLabels());
            QCOMPARE(data->load(0).label, std::int64_t(9));
            QCOMPARE(values<float>(data->load(1).inputs[0]), (std::vector<float>{5, 6, 7, 8}));
        };
        check(path);
        check(file("train-images-idx3-ubyte", images));            // its labels are packed all the same
        fs::remove(m_root / "train-labels-idx1-ubyte.gz");
        file("train-labels-idx1-ubyte", labels);
        check(path);
        const std::string large = idx(8, {300, 30, 30}, std::string(270'000, '\7'));
        QCOMPARE(openDataset(options(file("large.gz", gzipped(large)), {1, 30, 30, false}))->load(299).inputs[0].sum().item<float>(), 6300.0f);
    }

    void hostileGzip()
    {
        const std::string good = gzipped(idx(8, {2, 2, 2}, "12345678")), ten(10, '\0');
        QVERIFY(has(problem(options(file("a.gz", good))), "opened"));
        QVERIFY(has(problem(options(file("b.gz", good.substr(0, 12)))), "truncated"));
        QVERIFY(has(problem(options(file("c.gz", good.substr(0, good.size() - 8)))), "truncated"));
        std::string checksum = good;
        checksum[good.size() - 6] = char(checksum[good.size() - 6] ^ 1);
        QVERIFY(has(problem(options(file("d.gz", checksum))), "damaged"));
        QVERIFY(has(problem(options(file("e.gz", gzipped(idx(8, {2, 2, 2}, "1234567"))))), "23 bytes in all"));
        QVERIFY(has(problem(options(file("f.gz", gzipped(idx(8, {2, 2, 2}, "123456789"))))), "more bytes"));
        QVERIFY(has(problem(options(file("g.gz", gzipped(idx(8, {2}, std::string(100, '1')))))), "more bytes"));
        QVERIFY(has(problem(options(file("h.gz", gzipped(idx(8, {0x7FFFFFFF}, ten))))), "more than its"));
        QVERIFY(has(problem(options(file("i.gz", gzipped(idx(8, {0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF}, ten))))), "in all when unpacked"));
        QVERIFY(has(problem(options(file("j.gz", gzipped(idx(8, {0, 5}, ""))))), "empty"));
        QVERIFY(has(problem(options(file("k.gz", gzipped("hello, world")))), "holds no IDX"));
        QVERIFY(has(problem(options(file("l.gz", gzipped("")))), "holds no IDX"));
        QVERIFY(has(problem(options(file("m.gz", std::string("\x1F\x8B\x8\0\0\0\0\0", 8)))), "truncated"));
        QVERIFY(has(problem(options(file("n.gz", std::string("\x1F\x8B\x8\0\0\0\0\0\0\3", 10) + std::string(40, '\xFF')))), "damaged"));
    }

    void hostileIdx()
    {
        QVERIFY(has(problem(options(file("a", idx(8, {2, 2, 2}, "1234567")))), "2x2x2"));
        QVERIFY(has(problem(options(file("b", idx(8, {0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF}, "1234567")))), "'"));
        QVERIFY(has(problem(options(file("c", idx(8, {0, 2, 2}, "")))), "empty"));
        QVERIFY(has(problem(options(file("d", std::string("\0\0\x8\x3\0", 5)))), "5 bytes"));
        QVERIFY(has(problem(options(file("e", idx(7, {2}, "12")))), "nothing that samples"));
        QVERIFY(has(problem(options(file("g", ""))), "nothing that samples"));
    }

    void labelsBesideArrays()
    {
        const fs::path x = file("x.npy", npy("<f4", "(3, 1)", raw<float>({1, 2, 3})));
        const auto labelled = [&](const fs::path &labels) {
            const auto data = openDataset(options(x, {0, 0, 0, false}, labels));
            return std::vector<std::int64_t>{data->load(0).label, data->load(1).label, data->load(2).label};
        };
        const std::vector<std::int64_t> expected{5, 0, 7};
        QCOMPARE(labelled(file("y.npy", npy("<i8", "(3,)", raw<std::int64_t>(expected)))), expected);
        QCOMPARE(labelled(file("column.npy", npy("|u1", "(3, 1)", raw<std::uint8_t>({5, 0, 7})))), expected);
        QCOMPARE(labelled(file("y.idx", idx(8, {3}, raw<std::uint8_t>({5, 0, 7})))), expected);
        QCOMPARE(labelled(file("y.txt", "5\r\n0\n7\n")), expected);
        QVERIFY(has(problem(options(x, {0, 0, 0, false}, file("short.txt", "5\n0\n"))), "2 labels"));
        QVERIFY(has(problem(options(x, {0, 0, 0, false}, file("word.txt", "5\ncat\n7\n"))), "Line 2"));
        QVERIFY(has(problem(options(x, {0, 0, 0, false}, file("negative.npy", npy("<i8", "(3,)", raw<std::int64_t>({0, -1, 2}))))), "-1"));
        QVERIFY(has(problem(options(x, {0, 0, 0, false}, file("float.npy", npy("<f4", "(3,)", raw<float>({0, 1, 2}))))), "float32"));
    }

    void limitAndFingerprint()
    {
        const fs::path x = file("x.npy", npy("<f4", "(4, 1)", raw<float>({1, 2, 3, 4}))), y = file("y.txt", "0\n0\n0\n1\n");
        DatasetOptions o = options(x, {0, 0, 0, false}, y);
        const std::string all = openDataset(o)->fingerprint();
        o.limit = 2;
        const auto data = openDataset(o);
        QCOMPARE(data->size(), std::size_t(2));
        QCOMPARE(data->load(1).label, std::int64_t(1));
        QVERIFY(data->describe(1).ends_with("[3]"));
        QVERIFY(data->fingerprint() != all);
        o.limit = 0;
        QCOMPARE(openDataset(o)->fingerprint(), all);
        file("x.npy", npy("<f4", "(4, 1)", raw<float>({1, 2, 3, 5})));
        QVERIFY(openDataset(o)->fingerprint() != all);
    }
};

} // namespace

QTEST_APPLESS_MAIN(TestTensorDataset)
#include "tst_tensor_dataset.moc"

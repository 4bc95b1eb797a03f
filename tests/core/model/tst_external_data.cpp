#include "core/onnx/reader.h"
#include "core/onnx/writer.h"

#include "tests/support/onnx_builder.h"

#include <QtTest/QtTest>

#include <algorithm>
#include <fstream>
#include <sys/stat.h>

using namespace core;
using tests::lacking;
using tests::OnnxBuilder;
using tests::plainModel;
using tests::sentenceOf;

namespace fs = std::filesystem;

namespace {

/// A folder with "model" in it, and in that "weights.bin": the floats 0 … 9.
struct Folder {
    QTemporaryDir temporary;
    fs::path outer = temporary.path().toStdString(), model = outer / "model";

    Folder()
    {
        fs::create_directory(model);
        std::vector<float> values(10);
        for (int i = 0; i < 10; ++i)
            values[std::size_t(i)] = float(i);
        for (const fs::path &file : {model / "weights.bin", outer / "secret.bin"})
            std::ofstream(file).write(reinterpret_cast<const char *>(values.data()), 40);
    }
};

using Entries = std::vector<std::pair<std::string, std::string>>;

/// Initializer "w" of `count` floats that lie outside.
OnnxBuilder outside(const Entries &entries, std::int64_t count = 2)
{
    OnnxBuilder builder = plainModel();
    onnx::TensorProto &tensor = builder.initializer("w", {count});
    tensor.set_data_location(onnx::TensorProto::EXTERNAL);
    for (const auto &[key, value] : entries) {
        auto &entry = *tensor.add_external_data();
        entry.set_key(key);
        entry.set_value(value);
    }
    return builder;
}

std::vector<float> weights(const Model &model) { return model.graph.constant(model.graph.findValue("w"))->toFloats(); }

} // namespace

class TestExternalData : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void offsetAndLength()
    {
        const Folder folder;
        QVERIFY(weights(outside({{"location", "weights.bin"}, {"offset", "8"}, {"length", "8"}}).read({}, folder.model)) == (std::vector<float>{2, 3}));
        QVERIFY(weights(outside({{"location", "weights.bin"}}).read({}, folder.model)) == (std::vector<float>{0, 1}));
        QVERIFY(weights(outside({{"location", "./weights.bin"}, {"offset", "32"}}).read({}, folder.model)) == (std::vector<float>{8, 9}));
    }

    void beforeTheFileIsRead()
    {
        const Folder folder;
        const fs::path file = folder.model / "net.onnx";
        std::ofstream(file) << outside({{"location", "weights.bin"}}).bytes();
        QVERIFY(weights(readModel(file)) == (std::vector<float>{0, 1}));
        const fs::path here = fs::current_path();
        fs::current_path(folder.model);
        const bool found = weights(readModel("net.onnx")) == std::vector<float>{0, 1};
        fs::current_path(here);
        QVERIFY(found);
        QCOMPARE(lacking(sentenceOf([&] { outside({{"location", "weights.bin"}}).read(); }), {"'w'", "not read from a folder"}), std::string());
    }

    void sizesAreChecked()
    {
        const Folder folder;
        const auto error = [&](const Entries &entries, std::int64_t count = 2) {
            return sentenceOf([&] { outside(entries, count).read({}, folder.model); });
        };
        QCOMPARE(lacking(error({{"location", "weights.bin"}, {"offset", "36"}}), {"'w'", "8 bytes at offset 36", "only 4"}), std::string());
        QCOMPARE(lacking(error({{"location", "weights.bin"}, {"offset", "9223372036854775807"}}), {"'w'", "only 0"}), std::string());
        QCOMPARE(lacking(error({{"location", "weights.bin"}, {"length", "12"}}), {"'w'", "8 bytes", "length 12"}), std::string());
        QCOMPARE(lacking(error({{"location", "weights.bin"}, {"offset", "-4"}}), {"'w'", "offset '-4'"}), std::string());
        QCOMPARE(lacking(error({{"location", "weights.bin"}, {"length", "8x"}}), {"'w'", "length '8x'"}), std::string());
        QCOMPARE(lacking(error({{"location", "weights.bin"}}, 1LL << 40), {"'w'", "only 40"}), std::string());
    }

    void nothingOutsideTheFolder()
    {
        const Folder folder;
        const auto error = [&](const std::string &location) { return sentenceOf([&] { outside({{"location", location}}).read({}, folder.model); }); };
        QCOMPARE(lacking(error("../secret.bin"), {"'w'", "'..'"}), std::string());
        QCOMPARE(lacking(error("a/../../secret.bin"), {"'w'", "'..'"}), std::string());
        QCOMPARE(lacking(error((folder.outer / "secret.bin").string()), {"'w'", "absolute"}), std::string());
        QCOMPARE(lacking(error("C:\\secret.bin"), {"'w'", "absolute"}), std::string());
        QCOMPARE(lacking(error(std::string("weights.bin\0x", 13)), {"'w'", "no usable"}), std::string());
        QCOMPARE(lacking(error(""), {"'w'", "no usable"}), std::string());
        QCOMPARE(lacking(error("absent.bin"), {"'w'", "'absent.bin'", "No such file"}), std::string());
        QCOMPARE(lacking(error("."), {"'w'"}), std::string());
        fs::create_symlink("../secret.bin", folder.model / "link.bin");
        fs::create_symlink("..", folder.model / "up");
        fs::create_symlink("weights.bin", folder.model / "inner.bin");
        QCOMPARE(lacking(error("link.bin"), {"'w'", "leaves the model's folder"}), std::string());
        QCOMPARE(lacking(error("up/secret.bin"), {"'w'", "leaves the model's folder"}), std::string());
        QVERIFY(weights(outside({{"location", "inner.bin"}}).read({}, folder.model)) == (std::vector<float>{0, 1}));
        fs::create_directory(folder.model / "sub");
        QCOMPARE(lacking(error("sub"), {"'w'", "not a plain file"}), std::string());
        QCOMPARE(::mkfifo((folder.model / "pipe").c_str(), 0600), 0);
        QCOMPARE(lacking(error("pipe"), {"'w'", "not a plain file"}), std::string());
    }

    /// Many tensors that share one small file take no more than the limit.
    void theLimitHoldsForAllTogether()
    {
        const Folder folder;
        OnnxBuilder builder = outside({{"location", "weights.bin"}}, 10);
        for (int i = 0; i < 9; ++i) {
            *builder.graph().add_initializer() = builder.graph().initializer(0);
            builder.graph().mutable_initializer(i + 1)->set_name("w" + std::to_string(i));
        }
        QCOMPARE(lacking(sentenceOf([&] { builder.read({399, 100}, folder.model); }), {"'w8'", "limit of 399"}), std::string());
        QCOMPARE(builder.read({400, 100}, folder.model).graph.constants().size(), std::size_t(10));
    }

    void largeModelsAreWrittenWithExternalData()
    {
        const Folder folder;
        OnnxBuilder builder = plainModel();
        std::vector<float> values(1000);
        for (std::size_t i = 0; i < values.size(); ++i)
            values[i] = float(i);
        builder.floats("first", values);
        builder.floats("small", {7});
        std::reverse(values.begin(), values.end());
        builder.floats("second", values);
        const Model model = builder.read();
        const fs::path file = folder.model / "big.onnx";
        writeModel(model, 23, file, 5000);
        QCOMPARE(fs::file_size(folder.model / "big.onnx.data"), std::uintmax_t(4096 + 4000));
        QVERIFY(fs::file_size(file) < 1000);
        const Model again = readModel(file);
        for (const char *name : {"first", "small", "second"})
            QVERIFY(again.graph.constant(again.graph.findValue(name))->sameAs(*model.graph.constant(model.graph.findValue(name))));
        writeModel(model, 23, folder.model / "inline.onnx", 8004);
        QVERIFY(!fs::exists(folder.model / "inline.onnx.data"));
        QCOMPARE(std::distance(fs::directory_iterator(folder.model), fs::directory_iterator()), std::ptrdiff_t(4)); // no temporary file is left
    }
};

QTEST_APPLESS_MAIN(TestExternalData)
#include "tst_external_data.moc"

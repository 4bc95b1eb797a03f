#include "core/base/atomic_file.h"
#include "core/base/error.h"
#include "core/onnx/writer.h"
#include "core/session/child_process.h"
#include "core/session/file_judge.h"
#include "core/session/npy_file.h"
#include "core/session/output_folder.h"
#include "tests/support/tiny_graph.h"

#include <ATen/ATen.h>

#include <QtTest>

#include <fstream>

using namespace core;
using namespace std::chrono_literals;
using tests::TinyGraph;

namespace fs = std::filesystem;

class TestJudge : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void npyByHand();
    void npyRoundTrip();
    void npyThatIsBroken();
    void childAnswersLines();
    void childThatCannotStart();
    void childThatEndsOrHangs();
    void childIsKilledOnCancel();
    void argumentsNeedNoQuoting();
    void folderIsAllOrNothing();
    void folderThatCannotBeMade();
    void noPythonIsSaid();
    void helperThatAnswersNonsense();
    void onnxRuntimeAgrees();
    void onnxRuntimeRefuses();
    void verdictOfABatch();

private:
    QTemporaryDir m_folder;
    fs::path path(const char *name) const { return fs::path(m_folder.filePath(name).toStdString()); }
};

namespace {

Progress quiet;

std::string errorOf(const std::function<void()> &f)
{
    try {
        f();
    } catch (const Error &error) {
        return error.what();
    }
    return {};
}

/// y = x · 2 + 1
fs::path writeAffineModel(const fs::path &file)
{
    TinyGraph tiny;
    const ValueId x = tiny.input("x", {-1, 2});
    tiny.output(tiny.node("Add", "y", {tiny.node("Mul", "double", {x, tiny.constant("two", {}, {2})}), tiny.constant("one", {}, {1})}));
    tiny.graph.value(tiny.graph.outputs[0]).shape = Shape{{-1, "N"}, {2, {}}};
    Model model;
    model.graph = tiny.graph;
    writeModel(model, 13, file);
    return file;
}

class WithPython {
public:
    explicit WithPython(const std::string &program) : m_old(qgetenv("QUANTSCOPE_PYTHON")) { qputenv("QUANTSCOPE_PYTHON", program.c_str()); }
    ~WithPython() { m_old.isEmpty() ? qunsetenv("QUANTSCOPE_PYTHON") : qputenv("QUANTSCOPE_PYTHON", m_old); }

private:
    QByteArray m_old;
};

fs::path writeProgram(const fs::path &file, const std::string &text)
{
    std::ofstream(file) << "#!/bin/sh\n" << text;
    fs::permissions(file, fs::perms::owner_all);
    return file;
}

} // namespace

// The layout of numpy's format 1.0: magic, header length, dictionary padded to a multiple of 64, data.
void TestJudge::npyByHand()
{
    writeNpy(path("a.npy"), at::tensor({1.0f, 2.0f}).reshape({1, 2}));
    const std::string bytes = readFile(path("a.npy"));
    QCOMPARE(bytes.substr(0, 10), std::string("\x93NUMPY\x01\x00\x76\x00", 10));
    QCOMPARE(bytes.size(), std::size_t(128 + 8));
    QVERIFY(bytes.find("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2, ), }") == 10);
    QCOMPARE(bytes[127], '\n');
    QCOMPARE(bytes.substr(128), std::string("\x00\x00\x80\x3f\x00\x00\x00\x40", 8));
}

void TestJudge::npyRoundTrip()
{
    const std::vector<at::Tensor> tensors{at::randn({2, 3, 4, 5}).contiguous(at::MemoryFormat::ChannelsLast), at::tensor({1, 2, 3}, at::kLong),
                                          at::tensor(3.5), at::zeros({0, 4}), at::tensor({1, 0}, at::kLong).to(at::kBool), at::tensor({-1, 5}, at::kChar)};
    for (const at::Tensor &tensor : tensors) {
        writeNpy(path("t.npy"), tensor);
        const at::Tensor back = readNpy(path("t.npy"));
        QCOMPARE(back.scalar_type(), tensor.scalar_type());
        QCOMPARE(back.sizes().vec(), tensor.sizes().vec());
        QVERIFY(at::equal(back, tensor));
    }
    QVERIFY(!errorOf([&] { writeNpy(path("t.npy"), at::zeros({2}, at::kBFloat16)); }).empty());
}

void TestJudge::npyThatIsBroken()
{
    writeNpy(path("good.npy"), at::zeros({2, 2}));
    const std::string good = readFile(path("good.npy"));
    const auto read = [&](const std::string &bytes) {
        writeFileAtomically(path("bad.npy"), bytes);
        return errorOf([&] { readNpy(path("bad.npy")); });
    };
    QCOMPARE(read(good), std::string());
    for (std::size_t size : {0, 5, 9, 40, 127, 130, 143})
        QVERIFY(!read(good.substr(0, size)).empty());
    const auto changed = [&](const std::string &from, const std::string &to) {
        std::string bytes = good;
        return read(bytes.replace(bytes.find(from), from.size(), to));
    };
    QVERIFY(!changed("(2, 2", "(2, 3").empty());
    QVERIFY(!changed("<f4", ">f4").empty());
    QVERIFY(!changed("False", "True ").empty());
    QVERIFY(!changed("(2, 2, ), }          ", "(99999999, 99999999, 9").empty());
}

void TestJudge::childAnswersLines()
{
    ChildProcess cat({"cat"}, m_folder.path().toStdString(), path("errors"));
    cat.send("hello", 10s, quiet);
    cat.send("two words", 10s, quiet);
    QCOMPARE(cat.receive(10s, quiet), std::string("hello"));
    QCOMPARE(cat.receive(10s, quiet), std::string("two words"));
}

void TestJudge::childThatCannotStart()
{
    const std::string error = errorOf([&] { ChildProcess({"no-such-program-anywhere"}, m_folder.path().toStdString(), path("errors")); });
    QVERIFY2(error.find("no-such-program-anywhere") != std::string::npos, error.c_str());
}

void TestJudge::childThatEndsOrHangs()
{
    ChildProcess gone({"true"}, m_folder.path().toStdString(), path("errors"));
    QVERIFY(errorOf([&] { gone.receive(20s, quiet); }).find("has ended") != std::string::npos);
    ChildProcess slow({"sleep", "600"}, m_folder.path().toStdString(), path("errors"));
    QVERIFY(errorOf([&] { slow.receive(200ms, quiet); }).find("too long") != std::string::npos);
}

void TestJudge::childIsKilledOnCancel()
{
    std::stop_source source;
    const Progress progress({}, source.get_token());
    bool cancelled = false;
    QElapsedTimer timer;
    timer.start();
    {
        ChildProcess slow({"sleep", "600"}, m_folder.path().toStdString(), path("errors"));
        source.request_stop();
        try {
            slow.receive(300s, progress);
        } catch (const Cancelled &) {
            cancelled = true;
        }
    }
    QVERIFY(cancelled);
    QVERIFY(timer.elapsed() < 60'000);
}

void TestJudge::argumentsNeedNoQuoting()
{
    const std::string odd = "a 'b' \"c\" $HOME `id` \\ *";
    ChildProcess print({"printf", "%s\\n", odd}, m_folder.path().toStdString(), path("errors"));
    QCOMPARE(print.receive(10s, quiet), odd);
}

void TestJudge::folderIsAllOrNothing()
{
    const fs::path deep = path("made/by/this/job");
    {
        OutputFolder folder(deep);
        writeFileAtomically(folder.staged("a.onnx"), "model");
        QVERIFY(!fs::exists(deep / "a.onnx"));
    }
    QVERIFY(!fs::exists(path("made")));
    {
        OutputFolder folder(deep);
        writeFileAtomically(folder.staged("a.onnx"), "model");
        writeFileAtomically(folder.staged("b.json"), "{}");
        folder.commit();
    }
    QCOMPARE(readFile(deep / "a.onnx"), std::string("model"));
    QCOMPARE(readFile(deep / "b.json"), std::string("{}"));
    QCOMPARE(std::distance(fs::directory_iterator(deep), fs::directory_iterator()), 2);
    {
        OutputFolder again(deep);
        writeFileAtomically(again.staged("a.onnx"), "other");
    }
    QCOMPARE(readFile(deep / "a.onnx"), std::string("model"));
}

void TestJudge::folderThatCannotBeMade()
{
    writeFileAtomically(path("plain"), "a file");
    QVERIFY(errorOf([&] { OutputFolder folder(path("plain")); }).find("is not a folder") != std::string::npos);
    QVERIFY(errorOf([&] { OutputFolder folder(path("plain/below")); }).find("plain") != std::string::npos);
}

void TestJudge::noPythonIsSaid()
{
    const WithPython none("/nonexistent/python");
    NoRuntime why;
    QVERIFY(!openPythonRuntime(path("none.onnx"), {}, quiet, why));
    QVERIFY(!why.refused);
    QVERIFY2(why.sentence.find("/nonexistent/python") != std::string::npos, why.sentence.c_str());
}

void TestJudge::helperThatAnswersNonsense()
{
    NoRuntime why;
    for (const char *program : {"echo not json", "echo '{\"version\": 5}'", "echo '[]'", "exit 3"}) {
        const WithPython fake(writeProgram(path("fake"), program).string());
        QVERIFY2(!openPythonRuntime(path("none.onnx"), {}, quiet, why), program);
        QVERIFY(!why.sentence.empty());
    }
    const WithPython missing(writeProgram(path("fake"), "echo '{\"missing\": \"No module named onnxruntime\"}'").string());
    QVERIFY(!openPythonRuntime(path("none.onnx"), {}, quiet, why));
    QVERIFY2(why.sentence.find("No module named onnxruntime") != std::string::npos, why.sentence.c_str());
}

void TestJudge::onnxRuntimeAgrees()
{
    NoRuntime why;
    const fs::path file = writeAffineModel(path("with space.onnx"));
    const auto runtime = openForeignRuntime(file, {1, {"WeightBiasQuantization"}}, quiet, why);
    if (!runtime)
        QSKIP(why.sentence.c_str());
    QVERIFY(QString::fromStdString(runtime->name()).startsWith("ONNX Runtime "));
    const std::vector<at::Tensor> first = runtime->run(std::vector<at::Tensor>{at::tensor({1.0f, -2.0f}).reshape({1, 2})}, quiet);
    QCOMPARE(first.size(), std::size_t(1));
    QVERIFY(at::equal(first[0], at::tensor({3.0f, -3.0f}).reshape({1, 2})));
    const std::vector<at::Tensor> second = runtime->run(std::vector<at::Tensor>{at::zeros({3, 2})}, quiet);
    QVERIFY(at::equal(second[0], at::ones({3, 2})));
    QVERIFY(!errorOf([&] { runtime->run(std::vector<at::Tensor>{at::zeros({3, 5})}, quiet); }).empty());
}

void TestJudge::onnxRuntimeRefuses()
{
    NoRuntime why;
    writeFileAtomically(path("broken.onnx"), "this is no model");
    QVERIFY(!openForeignRuntime(path("broken.onnx"), {1, {}}, quiet, why));
    if (!why.refused)
        QSKIP(why.sentence.c_str());
    QVERIFY(why.sentence.find("refuses the file") != std::string::npos);
}

void TestJudge::verdictOfABatch()
{
    NoRuntime why;
    Progress progress;
    FileJudge judge(writeAffineModel(path("affine.onnx")), {1, {}}, true, progress);
    const std::vector<at::Tensor> inputs{at::tensor({1.0f, 0.0f, 0.0f, 2.0f}).reshape({2, 2})};
    // Right for the first image, off by 0.5 in one of four places; the third row is filling.
    const std::vector<std::vector<at::Tensor>> outputs{{at::tensor({3.0f, 1.0f, 1.5f, 5.0f}).reshape({2, 2})}};
    const std::vector<std::int64_t> labels{0, 0};
    const std::vector<std::size_t> indices{0, 1};
    judge.add({inputs, outputs, labels, indices, 0, 2, 1}, 0);
    Diagnostics diagnostics;
    const Judge verdict = judge.verdict(diagnostics);
    if (!verdict.ran)
        QSKIP(verdict.note.c_str());
    QCOMPARE(verdict.top1.value(), 50.0);
    QCOMPARE(verdict.largestDifference, 0.5);
    QCOMPARE(verdict.meanDifference, 0.125);
    QVERIFY(diagnostics.empty());
}

QTEST_APPLESS_MAIN(TestJudge)
#include "tst_judge.moc"

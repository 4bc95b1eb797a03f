#include "core/session/foreign_runtime.h"

#include "core/base/error.h"
#include "core/session/child_process.h"
#include "core/session/npy_file.h"
#include "core/session/output_folder.h"

#include <nlohmann/json.hpp>

#include <cstdlib>
#include <system_error>

namespace fs = std::filesystem;

namespace core {
namespace {

using namespace std::chrono_literals;
constexpr auto loadLimit = 120s, runLimit = 120s;

/// One line in (the stem of the .npy files), one line of JSON out.
constexpr const char *script = R"PY(
import json, os, sys
sys.path[:] = [p for p in sys.path if p not in ("", ".", os.getcwd())]
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)

def say(**message):
    answers.write(json.dumps(message) + "\n")
    answers.flush()

try:
    import numpy
    import onnxruntime
except Exception as error:
    say(missing=str(error))
    sys.exit(0)

model, threads, disabled = sys.argv[1], int(sys.argv[2]), [name for name in sys.argv[3].split(",") if name]
types = {"tensor(float)": numpy.float32, "tensor(double)": numpy.float64, "tensor(float16)": numpy.float16, "tensor(int64)": numpy.int64,
         "tensor(int32)": numpy.int32, "tensor(int16)": numpy.int16, "tensor(int8)": numpy.int8, "tensor(uint8)": numpy.uint8,
         "tensor(bool)": numpy.bool_}
try:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"], disabled_optimizers=disabled or None)
    inputs = [(i.name, types.get(i.type, numpy.float32)) for i in session.get_inputs()]
except Exception as error:
    say(refused=str(error))
    sys.exit(0)
say(version=onnxruntime.__version__)
for line in sys.stdin:
    stem = line.rstrip("\n")
    try:
        feeds = {name: numpy.load("%s.in%d.npy" % (stem, k)).astype(kind, copy=False) for k, (name, kind) in enumerate(inputs)}
        results = session.run(None, feeds)
        for k, result in enumerate(results):
            numpy.save("%s.out%d.npy" % (stem, k), numpy.ascontiguousarray(result).reshape(numpy.shape(result)))
        say(outputs=len(results))
    except Exception as error:
        say(failed=str(error))
)PY";

std::string firstLine(const std::string &text, std::size_t most = 300)
{
    std::string line = text.substr(0, text.find('\n'));
    return line.size() > most ? line.substr(0, most) + "…" : line;
}

class PythonRuntime : public ForeignRuntime {
public:
    PythonRuntime(const std::string &python, const fs::path &file, const ForeignRuntimeOptions &options)
        : m_folder(fs::temp_directory_path(), "quantscope-judge-"),
          m_child({python, "-c", script, fs::absolute(file).string(), std::to_string(options.threads), joined(options.disabledOptimizers)}, m_folder.path(),
                  m_folder.path() / "errors.txt")
    {
    }

    /// False with the reason in `why` when it cannot judge this file.
    bool start(const Progress &progress, NoRuntime &why)
    {
        const nlohmann::json answer = receive(loadLimit, progress);
        if (answer.contains("version")) {
            m_version = answer["version"].get<std::string>();
            return true;
        }
        why.refused = answer.contains("refused");
        why.sentence = why.refused ? "ONNX Runtime refuses the file: " + firstLine(answer["refused"].get<std::string>())
                                   : "The Python package onnxruntime is not there (" + firstLine(answer.value("missing", "no answer")) + ").";
        return false;
    }

    std::string name() const override { return "ONNX Runtime " + m_version + " (Python)"; }

    std::vector<at::Tensor> run(std::span<const at::Tensor> inputs, const Progress &progress) override
    {
        const std::string stem = (m_folder.path() / "batch").string();
        for (std::size_t i = 0; i < inputs.size(); ++i)
            writeNpy(stem + ".in" + std::to_string(i) + ".npy", inputs[i]);
        m_child.send(stem, runLimit, progress);
        const nlohmann::json answer = receive(runLimit, progress);
        if (answer.contains("failed"))
            throw Error(ErrorKind::Io, "judge", "ONNX Runtime cannot run the file: " + firstLine(answer["failed"].get<std::string>()));
        std::vector<at::Tensor> outputs;
        for (std::size_t i = 0; i < answer.value("outputs", std::size_t(0)); ++i)
            outputs.push_back(readNpy(stem + ".out" + std::to_string(i) + ".npy"));
        return outputs;
    }

private:
    static std::string joined(const std::vector<std::string> &names)
    {
        std::string text;
        for (const std::string &name : names)
            text += (text.empty() ? "" : ",") + name;
        return text;
    }

    nlohmann::json receive(std::chrono::milliseconds limit, const Progress &progress)
    {
        const nlohmann::json answer = nlohmann::json::parse(m_child.receive(limit, progress), nullptr, false);
        if (!answer.is_object())
            throw Error(ErrorKind::Io, "judge", "The helper program of ONNX Runtime answers nonsense.");
        return answer;
    }

    PrivateFolder m_folder;
    ChildProcess m_child;
    std::string m_version;
};

} // namespace

std::unique_ptr<ForeignRuntime> openPythonRuntime(const fs::path &file, const ForeignRuntimeOptions &options, const Progress &progress, NoRuntime &why)
{
    const char *chosen = std::getenv("QUANTSCOPE_PYTHON");
    const std::string python = chosen && *chosen ? chosen : "python3";
    try {
        auto runtime = std::make_unique<PythonRuntime>(python, file, options);
        if (runtime->start(progress, why))
            return runtime;
    } catch (const Error &error) {
        why = {error.sentence(), false};
    } catch (const std::exception &error) {
        why = {error.what(), false};
    }
    return {};
}

std::unique_ptr<ForeignRuntime> openForeignRuntime(const fs::path &file, const ForeignRuntimeOptions &options, const Progress &progress, NoRuntime &why)
{
    if (hasLinkedRuntime())
        return openLinkedRuntime(file, options, why);
    return openPythonRuntime(file, options, progress, why);
}

} // namespace core

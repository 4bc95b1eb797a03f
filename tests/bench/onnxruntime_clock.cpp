#include "tests/bench/onnxruntime_clock.h"

#include "core/session/child_process.h"
#include "core/session/npy_file.h"
#include "core/session/output_folder.h"

#include <chrono>
#include <cstdlib>

namespace bench {

using namespace core;
namespace fs = std::filesystem;

namespace {

using namespace std::chrono_literals;

constexpr const char *script = R"PY(
import os, sys, time
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)

def say(text):
    answers.write(text.replace("\n", " ") + "\n")
    answers.flush()

try:
    import numpy, onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = int(sys.argv[3])
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
    feeds = {i.name: numpy.load("%s%d.npy" % (sys.argv[2], k)) for k, i in enumerate(session.get_inputs())}
    session.run(None, feeds)
except Exception as error:
    say("no " + str(error))
    sys.exit(0)
say("yes " + onnxruntime.__version__)
for line in sys.stdin:
    start = time.perf_counter()
    session.run(None, feeds)
    say(repr(time.perf_counter() - start))
)PY";

class PythonClock : public OnnxRuntimeClock {
public:
    PythonClock(const fs::path &model, const std::vector<at::Tensor> &inputs, int threads)
        : m_folder(fs::temp_directory_path(), "quantscope-bench-"), m_child(arguments(model, inputs, threads), m_folder.path(), m_folder.path() / "errors.txt")
    {
    }

    bool start(std::string &why)
    {
        const std::string answer = m_child.receive(120s, m_progress);
        if (answer.starts_with("yes "))
            m_version = answer.substr(4);
        else
            why = answer.substr(std::min<std::size_t>(3, answer.size()), 300);
        return !m_version.empty();
    }

    double secondsForOneRun() override
    {
        m_child.send("run", 120s, m_progress);
        return std::stod(m_child.receive(120s, m_progress));
    }

    std::string version() const override { return m_version; }

private:
    std::vector<std::string> arguments(const fs::path &model, const std::vector<at::Tensor> &inputs, int threads) const
    {
        const std::string stem = (m_folder.path() / "input").string();
        for (std::size_t i = 0; i < inputs.size(); ++i)
            writeNpy(stem + std::to_string(i) + ".npy", inputs[i]);
        const char *chosen = std::getenv("QUANTSCOPE_PYTHON");
        return {chosen && *chosen ? chosen : "python3", "-c", script, fs::absolute(model).string(), stem, std::to_string(threads)};
    }

    PrivateFolder m_folder;
    ChildProcess m_child;
    Progress m_progress;
    std::string m_version;
};

} // namespace

std::unique_ptr<OnnxRuntimeClock> OnnxRuntimeClock::open(const fs::path &model, const std::vector<at::Tensor> &inputs, int threads, std::string &why)
{
    try {
        auto clock = std::make_unique<PythonClock>(model, inputs, threads);
        if (clock->start(why))
            return clock;
    } catch (const std::exception &error) {
        why = error.what();
    }
    return {};
}

} // namespace bench

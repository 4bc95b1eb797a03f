#include "core/base/error.h"
#include "core/exec/executor.h"
#include "core/ptq/pipeline.h"
#include "core/session/child_process.h"
#include "core/session/model_loading.h"
#include "core/session/output_folder.h"
#include "tests/bench/measurements.h"

#include <fstream>
#include <iostream>

namespace bench {

using namespace core;

namespace {

/// Of this process since its start; ru_maxrss would count what its parent had before exec too.
std::int64_t peakResidentBytes()
{
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);)
        if (line.starts_with("VmHWM:"))
            return std::stoll(line.substr(6)) * 1024;
    throw Error(ErrorKind::Io, "bench", "/proc/self/status does not tell the peak memory.");
}

} // namespace

double peakMemoryOfCalibration(const Options &options, std::size_t images)
{
    std::vector<std::string> arguments{std::filesystem::read_symlink("/proc/self/exe").string(), "--peak-memory-of", std::to_string(images), "--threads",
                                       std::to_string(options.threads), "--batch", std::to_string(options.batch), "--input-size", std::to_string(options.inputSize)};
    if (!options.images.empty())
        arguments.insert(arguments.end(), {"--images", std::filesystem::absolute(options.images).string()});
    if (!options.model.empty())
        arguments.push_back(std::filesystem::absolute(options.model).string());
    const PrivateFolder folder(std::filesystem::temp_directory_path(), "quantscope-bench-");
    ChildProcess child(arguments, folder.path(), folder.path() / "errors.txt");
    const Progress quiet;
    return std::stod(child.receive(std::chrono::minutes(30), quiet));
}

void calibrateAndPrintPeak(const Options &options, std::size_t images)
{
    configureEngine(options.threads);
    const Graph graph = networkOf(options);
    const auto data = dataOf(options, graph, images);
    Progress quiet;
    PtqPipeline pipeline(graph, presetRecipe("best"));
    pipeline.prepare(quiet);
    CalibrationOptions calibration;
    calibration.batchSize = runBatchSize(graph, options.batch);
    calibration.fillBatches = runBatchSize(graph, 0) > 0;
    calibration.threads = options.threads;
    calibrate(pipeline.graph(), pipeline.targets(), *data, calibration, quiet);
    std::cout << peakResidentBytes() << std::endl;
}

} // namespace bench

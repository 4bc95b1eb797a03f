#include "tests/bench/measurements.h"

#include "core/exec/executor.h"
#include "core/onnx/opset_conversion.h"
#include "core/onnx/writer.h"
#include "core/ptq/pipeline.h"
#include "core/quant/collector.h"
#include "core/quant/qdq_graph.h"
#include "core/session/model_loading.h"
#include "core/session/output_folder.h"
#include "tests/bench/bench_data.h"
#include "tests/bench/onnxruntime_clock.h"
#include "tests/bench/synthetic_network.h"
#include "tests/bench/timing.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <chrono>
#include <numeric>
#include <random>
#include <thread>

namespace bench {

using namespace core;

std::vector<at::Tensor> batchOf(const Dataset &data, int size)
{
    std::vector<std::vector<at::Tensor>> parts;
    for (int i = 0; i < size; ++i) {
        const Sample sample = data.load(std::size_t(i));
        parts.resize(sample.inputs.size());
        for (std::size_t k = 0; k < sample.inputs.size(); ++k)
            parts[k].push_back(sample.inputs[k]);
    }
    std::vector<at::Tensor> inputs;
    for (const auto &part : parts) {
        const at::Tensor all = at::stack(part);
        inputs.push_back(all.dim() == 4 ? all.contiguous(at::MemoryFormat::ChannelsLast) : all);
    }
    return inputs;
}

namespace {

/// The forward pass with statistics of every placed tensor, as calibrate() runs it.
class CalibrationRun {
public:
    CalibrationRun(std::shared_ptr<const Graph> graph, const std::vector<CalibrationTarget> &targets, StatisticsDetail detail)
        : m_detail(detail), m_executor(std::move(graph), optionsFor(targets))
    {
        for (const CalibrationTarget &target : targets)
            m_slots[target.value].second = target.channelAxis;
    }
    void run(const std::vector<at::Tensor> &inputs)
    {
        m_executor.run(inputs, [this](ValueId value, const at::Tensor &tensor) {
            if (tensor.scalar_type() != at::kFloat || tensor.numel() == 0)
                return;
            auto &[statistics, axis] = m_slots.at(value);
            collect(statistics, tensor.dim() == 0 ? tensor.reshape({1, 1}) : tensor, axis < tensor.dim() ? axis : -1, m_detail);
        });
    }

private:
    static ExecutorOptions optionsFor(const std::vector<CalibrationTarget> &targets)
    {
        ExecutorOptions options;
        for (const CalibrationTarget &target : targets)
            options.taps.push_back(target.value);
        return options;
    }

    StatisticsDetail m_detail;
    Executor m_executor;
    std::unordered_map<ValueId, std::pair<TensorStatistics, int>> m_slots;
};

std::shared_ptr<const Graph> quantizedGraph(const Graph &graph, const std::string &preset, const Dataset &data, const Options &options)
{
    Progress quiet;
    PtqPipeline pipeline(graph, presetRecipe(preset));
    pipeline.prepare(quiet);
    CalibrationOptions calibration;
    calibration.batchSize = options.batch;
    calibration.threads = options.threads;
    return std::make_shared<const Graph>(buildQdqGraph(pipeline.quantize(calibrate(pipeline.graph(), pipeline.targets(), data, calibration, quiet).statistics, quiet)));
}

double observersSeconds(const StatisticsMap &statistics)
{
    return secondsOf([&] {
        for (const auto &[value, one] : statistics)
            for (const bool symmetric : {true, false})
                for (const ObserverKind kind : {ObserverKind::MinMax, ObserverKind::MovingAverageMinMax, ObserverKind::Percentile, ObserverKind::HistogramMse,
                                                ObserverKind::Entropy, ObserverKind::Pof2MinMax, ObserverKind::Pof2Mse}) {
                    ObserverOptions options;
                    options.kind = kind;
                    options.affine.symmetric = symmetric;
                    options.affine.dtype = symmetric ? QuantDtype::Int8 : QuantDtype::UInt8;
                    if (kind == ObserverKind::Pof2MinMax || kind == ObserverKind::Pof2Mse)
                        options.affine.scaleType = ScaleType::PowerOfTwo;
                    observe(one, options);
                }
    });
}

/// The file for ONNX Runtime: the given one, or the synthetic network written for it.
std::filesystem::path fileFor(const Options &options, const Graph &graph, const PrivateFolder &folder)
{
    if (!options.model.empty())
        return options.model;
    Model model;
    model.graph = graph;
    const std::filesystem::path file = folder.path() / "network.onnx";
    writeModel(model, std::max(lowestOpset(graph, 13), 13), file);
    return file;
}

} // namespace

Graph networkOf(const Options &options)
{
    if (!options.model.empty())
        return loadFolded(options.model).graph;
    Graph graph = syntheticNetwork(options.inputSize);
    foldAndInfer(graph);
    return graph;
}

std::unique_ptr<Dataset> dataOf(const Options &options, const Graph &graph, std::size_t count)
{
    return options.images.empty() ? noiseData(graph, count) : imageData(graph, options.images, count);
}

Result measure(const Options &given)
{
    Result result;
    Options options = given;
    configureEngine(options.threads);
    options.threads = engineThreads();
    const Graph graph = networkOf(options);
    options.batch = runBatchSize(graph, options.batch);
    const auto data = dataOf(options, graph, std::size_t(4 * options.batch));
    const std::vector<at::Tensor> batch = batchOf(*data, options.batch);

    Progress quiet;
    PtqPipeline pipeline(graph, presetRecipe("a8w8-per-channel"));
    pipeline.prepare(quiet);
    const std::vector<CalibrationTarget> targets = pipeline.targets();
    result.tensors = targets.size();
    Executor floating(pipeline.graph());
    Executor perTensor(quantizedGraph(graph, "a8w8", *data, options)), perChannel(quantizedGraph(graph, "a8w8-per-channel", *data, options));
    CalibrationRun minMax(pipeline.graph(), targets, StatisticsDetail::MinMax), histogram(pipeline.graph(), targets, StatisticsDetail::Full);
    const PrivateFolder folder(std::filesystem::temp_directory_path(), "quantscope-bench-");
    const auto onnxRuntime = OnnxRuntimeClock::open(fileFor(options, graph, folder), batch, options.threads, result.judge);

    const std::function<double()> contestants[] = {
        [&] { return secondsOf([&] { floating.run(batch); }); },
        [&] { return secondsOf([&] { minMax.run(batch); }); },
        [&] { return secondsOf([&] { histogram.run(batch); }); },
        [&] { return secondsOf([&] { perTensor.run(batch); }); },
        [&] { return secondsOf([&] { perChannel.run(batch); }); },
        [&] { return onnxRuntime ? onnxRuntime->secondsForOneRun() : 0; },
    };
    constexpr std::size_t count = std::size(contestants);
    std::vector<double> floats, ratios[count];
    std::vector<std::size_t> order(count);
    std::iota(order.begin(), order.end(), std::size_t(0));
    std::mt19937 random(1);
    for (int round = -2; round < options.rounds; ++round) { // two rounds to warm up
        double seconds[count];
        std::shuffle(order.begin(), order.end(), random); // nobody always runs behind the same other
        for (const std::size_t turn : order) {
            seconds[turn] = contestants[turn]();
            if (turn + 1 == count && onnxRuntime)
                std::this_thread::sleep_for(std::chrono::milliseconds(100)); // its threads spin on for a while
        }
        if (round < 0)
            continue;
        floats.push_back(seconds[0]);
        for (std::size_t i = 1; i < count; ++i)
            ratios[i].push_back(i + 1 == count ? seconds[i] / seconds[0] : seconds[0] / seconds[i]);
    }
    result.floatImagesPerSecond = double(options.batch) / median(floats);
    result.calibrateMinMax = median(ratios[1]);
    result.calibrateHistogram = median(ratios[2]);
    result.fakeQuantPerTensor = median(ratios[3]);
    result.fakeQuantPerChannel = median(ratios[4]);
    if (onnxRuntime) {
        result.floatVsOnnxRuntime = median(ratios[5]);
        result.judge = "ONNX Runtime " + onnxRuntime->version();
    }

    CalibrationOptions calibration;
    calibration.batchSize = options.batch;
    result.observersSeconds = observersSeconds(calibrate(pipeline.graph(), targets, *data, calibration, quiet).statistics);
    const double once = peakMemoryOfCalibration(options, options.calibrationImages);
    result.memory10x = peakMemoryOfCalibration(options, 10 * options.calibrationImages) / once;
    return result;
}

} // namespace bench

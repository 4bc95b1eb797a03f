// The engine's only door. Names no tensor. Foreign exceptions (c10::Error, cv::Exception, std::exception) leave as core::Error.
#pragma once

#include "core/base/progress.h"
#include "core/graph/graph.h"
#include "core/report/report.h"
#include "core/spec/finding.h"
#include "core/spec/placement.h"
#include "core/spec/recipe.h"
#include "core/spec/training.h"
#include "core/stats/statistics.h"

#include <concepts>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace core {

struct DataSource {
    std::filesystem::path path;         ///< empty = none
    std::filesystem::path labels;
    std::size_t limit = 0;              ///< 0 = all
};

/// A network: an ONNX file, or one that is built in (torchvision's resnet18, mobilenet_v2).
struct ModelSource {
    std::filesystem::path path;         ///< a file; where there is none, the name of a built-in network
    std::filesystem::path weights;      ///< optional: PyTorch's state_dict or safetensors, put into the float network by name
    std::uint64_t seed = 0;             ///< of a built-in network's weights where there are no others

    ModelSource() = default;
    template <std::convertible_to<std::filesystem::path> Path>
    ModelSource(Path &&file, std::filesystem::path weightFile = {}, std::uint64_t weightSeed = 0)
        : path(std::forward<Path>(file)), weights(std::move(weightFile)), seed(weightSeed)
    {
    }
    bool builtin() const;               ///< path names one and is no file
};

/// What one pass over the data learned of every float tensor, so that any recipe with the same preparation can use it.
struct Calibration {
    std::shared_ptr<const Graph> graph; ///< prepared: the ids of load()'s graph, BatchNormalization folded, equalized
    std::unordered_map<ValueId, TensorStatistics> statistics;
    std::string key;                    ///< equal keys: usable for one another (graph, transform, data)
    std::int64_t images = 0;
    double imagesPerSecond = 0;
    Diagnostics diagnostics;
};

/// The graph as it is calibrated, and where the recipe puts quantizers.
struct Prepared {
    std::shared_ptr<const Graph> source, graph; ///< as loaded, and prepared (ids agree)
    Placement placement;                ///< empty for a model that is quantized already or cannot be prepared
    Diagnostics diagnostics;            ///< what the reader, the executor and the preparation have to say
    bool quantized = false;             ///< the file holds quantizers of its own
};

struct QuantizeRequest {
    std::filesystem::path model;        ///< ModelSource::path; its seed is the recipe's
    DataSource calibration, validation; ///< validation may be empty or unlabelled: agreement instead of accuracy
    Recipe recipe;
    std::filesystem::path outputDirectory; ///< empty: quantize() evaluates, but writes and verifies no file
    std::filesystem::path statistics;   ///< optional: load instead of calibrating (checked against graph, data, transform)
    bool judge = true;                  ///< let ONNX Runtime run the file too, where there is one
    std::shared_ptr<const Calibration> calibrated; ///< optional: instead of calibrating; quantize() calibrates anew where its key does not fit
    std::string fileName;               ///< of the .onnx; empty = <stem>_<preset>.onnx
    std::filesystem::path weights;      ///< ModelSource::weights
    bool torchScript = false;           ///< write a TorchScript .pt beside the .onnx; a Diagnostic says why where that cannot be done

    ModelSource source() const { return {model, weights, recipe.seed}; }
};

/// A change of the recipe, predicted on a few images that stay the same.
struct WhatIf {
    std::int64_t images = 0;
    Evaluation before, after;           ///< against the float model, on these images; top-1 with labels
    std::vector<std::pair<std::string, double>> sqnrBefore, sqnrAfter; ///< dB, by tensor name, of what was run again
    std::size_t nodesRun = 0, nodes = 0; ///< only what lies downstream of the change runs again
    double seconds = 0;
};

struct ClassScore {
    std::int64_t index = -1;
    double score = 0;
};

/// One image through both models.
struct ImageRun {
    std::string path;
    std::int64_t label = -1;
    std::vector<ClassScore> floating, quantized;            ///< best five; empty when no output fits classes
    std::vector<std::pair<std::string, double>> sqnr;       ///< dB, by tensor name
};

struct ModelInfo {
    int opset = 0;
    std::int64_t parameters = 0, macs = 0;
    std::size_t nodes = 0, nodesAfterFolding = 0;
    std::map<std::string, std::size_t> operatorCounts;   ///< after folding
    std::vector<Value> inputs, outputs;
    Diagnostics unsupported, warnings;
    bool quantized = false;                              ///< holds QuantizeLinear or QLinear* operators
};

struct TrainRequest {
    QuantizeRequest quantize;           ///< model, recipe, calibration (empty: the training images), validation, outputDirectory (empty: no file)…
    DataSource training;
    TrainingSpec spec;
    std::filesystem::path checkpoint;   ///< file, replaced at every evaluation and when paused or stopped; empty = none
    bool resume = false;                ///< go on from `checkpoint`; throws Error{InvalidInput} when it was made from something else
};

/// What an observer is told while a model is trained; at most 20 a second besides evaluations, none of which is left out.
struct TrainingUpdate {
    CurvePoint point;
    std::int64_t steps = 0;             ///< in all
    double imagesPerSecond = 0;
    bool best = false;                  ///< point holds an evaluation, the best so far
    bool paused = false;
    std::vector<std::pair<std::string, double>> thresholds;   ///< of the watched node's quantizers, by tensor name: scale · largest code
    std::vector<std::pair<std::string, std::shared_ptr<const TensorStatistics>>> weights; ///< of the watched node, as trained, at most twice a second
};

/// Steers a training that runs on another thread. Every call returns at once.
class TrainingControl {
public:
    TrainingControl();
    ~TrainingControl();
    void pause();
    void resume();
    /// Ends the training after the current step; the best state is frozen and reported as at the end. (Discard = stop the Progress.)
    void stopAndKeepBest();
    /// Name of the node whose thresholds and weights updates carry; "" = none.
    void watch(const std::string &node);

    struct State;
    State &state() { return *m_state; }
private:
    std::unique_ptr<State> m_state;
};

using TrainingObserver = std::function<void(const TrainingUpdate &)>;

/// One session = one job at a time; not thread-safe, but any thread may own it. threads 0 = all cores.
class Session {
public:
    explicit Session(int threads = 0);
    ~Session();

    ModelInfo info(const ModelSource &model);
    /// The folded float graph, annotated with shapes, as the window draws it.
    Model load(const ModelSource &model);
    Evaluation evaluate(const ModelSource &model, const DataSource &data, const Recipe &recipe, Progress &progress);
    /// Calibrates and writes the statistics (and nothing else) to `file`: of every tensor, so that any recipe whose algorithms before
    /// calibration are the same can use them.
    void calibrate(const QuantizeRequest &request, const std::filesystem::path &file, Progress &progress);
    /// Without data: BatchNormalization folded, equalized, quantizers placed.
    Prepared prepare(const ModelSource &model, const Recipe &recipe);
    /// Statistics of every float tensor. Cheap when `request.calibrated` still fits: that is returned.
    std::shared_ptr<const Calibration> calibrate(const QuantizeRequest &request, Progress &progress);
    /// What hurts; `report` and `calibrated` may be missing.
    std::vector<Finding> diagnose(const QuantizeRequest &request, const Report *report);
    /// `request.recipe` against `changed`, on `images` of the validation (else calibration) data. Keeps images and the tensors in front of the
    /// change for the next call. Throws Error{InvalidInput} when request.calibrated is missing or does not fit.
    WhatIf whatIf(const QuantizeRequest &request, const Recipe &changed, int images, Progress &progress);
    /// `image`: index in the validation (else calibration) data.
    ImageRun runImage(const QuantizeRequest &request, std::size_t image, Progress &progress);
    /// The whole pipeline: calibrate → quantize → evaluate → freeze → export → verify → report. Writes
    /// <stem>_<preset>.onnx, recipe.json, encodings.json, report.json, report.html into outputDirectory, all or none, each atomically.
    /// Without validation data the agreement with the float model is measured on calibration images.
    Report quantize(const QuantizeRequest &request, Progress &progress);
    /// Calibrates where needed, trains, freezes the best state, then as quantize(): writes <stem>_<method>.onnx, training.json and the files of
    /// quantize() into outputDirectory. Report::training holds the curve; its first point (step 0) is the model as post-training quantization left
    /// it. TrainMethod::Float trains the float model; the file then holds no quantizers. The observer is called on this thread. Throws
    /// Error{Numeric} when the loss is not finite before any step; later it goes back to the best state and ends with a Diagnostic.
    /// Cancelled: nothing is written but the checkpoint.
    Report train(const TrainRequest &request, TrainingControl &control, const TrainingObserver &observer, Progress &progress);

private:
    struct Impl;
    std::unique_ptr<Impl> m_impl;
};

} // namespace core

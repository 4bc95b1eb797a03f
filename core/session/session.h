// The engine's only door. Names no tensor. Foreign exceptions (c10::Error, cv::Exception, std::exception) leave as core::Error.
#pragma once

#include "core/base/progress.h"
#include "core/graph/graph.h"
#include "core/report/report.h"
#include "core/spec/recipe.h"

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

namespace core {

struct DataSource {
    std::filesystem::path path;         ///< empty = none
    std::filesystem::path labels;
    std::size_t limit = 0;              ///< 0 = all
};

struct QuantizeRequest {
    std::filesystem::path model;
    DataSource calibration, validation; ///< validation may be empty or unlabelled: agreement instead of accuracy
    Recipe recipe;
    std::filesystem::path outputDirectory;
    std::filesystem::path statistics;   ///< optional: load instead of calibrating (checked against graph, data, transform)
    bool judge = true;                  ///< let ONNX Runtime run the file too, where there is one
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

/// One session = one job at a time; not thread-safe, but any thread may own it. threads 0 = all cores.
class Session {
public:
    explicit Session(int threads = 0);
    ~Session();

    ModelInfo info(const std::filesystem::path &model);
    /// The folded float graph, annotated with shapes, as the window draws it.
    Model load(const std::filesystem::path &model);
    Evaluation evaluate(const std::filesystem::path &model, const DataSource &data, const Recipe &recipe, Progress &progress);
    /// Calibrates and writes the statistics (and nothing else) to `file`: of every tensor, so that any recipe whose algorithms before
    /// calibration are the same can use them.
    void calibrate(const QuantizeRequest &request, const std::filesystem::path &file, Progress &progress);
    /// The whole pipeline: calibrate → quantize → evaluate → freeze → export → verify → report. Writes
    /// <stem>_<preset>.onnx, recipe.json, encodings.json, report.json, report.html into outputDirectory, all or none, each atomically.
    /// Without validation data the agreement with the float model is measured on calibration images.
    Report quantize(const QuantizeRequest &request, Progress &progress);

private:
    struct Impl;
    std::unique_ptr<Impl> m_impl;
};

} // namespace core

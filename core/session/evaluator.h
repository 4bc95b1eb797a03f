// Several graphs over one data set at the same time, so that every image is decoded once.
#pragma once

#include "core/data/dataset.h"
#include "core/graph/graph.h"
#include "core/report/report.h"
#include "core/base/progress.h"

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace core {

struct EvaluationOptions {
    int batchSize = 8;
    int threads = 0;
    bool compareWithFirst = true;        ///< agreement of the others with models[0]
    std::string stage = "evaluate";
};

struct EvaluationResult {
    std::vector<Evaluation> models;      ///< in the order given
    std::vector<bool> sameAsPrevious;    ///< outputs equal, bit for bit, to those of the model before
    std::int64_t images = 0;
};

/// Inputs of a batch and the outputs of every model; called once a batch.
using BatchObserver = std::function<void(std::span<const at::Tensor> inputs, const std::vector<std::vector<at::Tensor>> &outputs,
                                         std::span<const std::int64_t> labels)>;

/// All graphs take the same inputs. Accuracy is measured when the data has labels and an output fits classes.
EvaluationResult evaluateGraphs(const std::vector<std::shared_ptr<const Graph>> &graphs, const Dataset &dataset,
                                const EvaluationOptions &options, Progress &progress, const BatchObserver &observer = {});

/// The output that accuracy and agreement are measured on: the first N×K (further dimensions of size 1 allowed) one,
/// else −1 = all outputs side by side.
int scoredOutput(const std::vector<at::Tensor> &outputs);
at::Tensor scoredTensor(const std::vector<at::Tensor> &outputs);

} // namespace core

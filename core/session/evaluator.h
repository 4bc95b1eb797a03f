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
    bool useLabels = true;
    std::string stage = "evaluate";
};

struct EvaluationResult {
    std::vector<Evaluation> models;      ///< in the order given
    std::vector<bool> sameAsPrevious;    ///< outputs equal, bit for bit, to those of the model before
    std::int64_t images = 0;
};

/// One batch as it was run. A model with a fixed batch gets its last, shorter one filled up: only the first `count` rows are images.
struct EvaluatedBatch {
    std::span<const at::Tensor> inputs;
    const std::vector<std::vector<at::Tensor>> &outputs;   ///< by model
    std::span<const std::int64_t> labels;
    std::span<const std::size_t> indices;                  ///< in the data set
    std::int64_t index = 0, count = 0, batches = 0;        ///< which batch, images in it, batches in all
};
using BatchObserver = std::function<void(const EvaluatedBatch &)>;

/// All graphs take the same inputs. Accuracy is measured when the data has labels and an output fits classes.
EvaluationResult evaluateGraphs(const std::vector<std::shared_ptr<const Graph>> &graphs, const Dataset &dataset,
                                const EvaluationOptions &options, Progress &progress, const BatchObserver &observer = {});

/// Bit for bit.
bool sameOutputs(const std::vector<at::Tensor> &a, const std::vector<at::Tensor> &b);

/// Largest and mean absolute difference of the floating-point outputs; rows from `count` on are left out.
struct OutputDifference {
    double largest = 0, sum = 0;
    std::int64_t elements = 0;
    void add(const std::vector<at::Tensor> &a, const std::vector<at::Tensor> &b, std::int64_t count);
    double mean() const { return elements ? sum / double(elements) : 0; }
};

} // namespace core

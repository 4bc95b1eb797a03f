// What a change of the quantizers does on a few images: only what lies downstream of it runs again.
#pragma once

#include "core/analysis/checkpointed_run.h"
#include "core/analysis/sqnr.h"
#include "core/base/progress.h"
#include "core/quant/quantized_model.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace core {

struct PinnedBatch {
    std::vector<at::Tensor> inputs;      ///< as the models take them
    std::vector<std::int64_t> labels;
    std::int64_t count = 0;              ///< images; what a fixed batch has beyond them is filling
};

struct WhatIfOutcome {
    std::vector<std::vector<at::Tensor>> before, after;                     ///< outputs by batch
    std::vector<std::pair<std::string, double>> sqnrBefore, sqnrAfter;      ///< dB by tensor name: where the two models differ
    std::size_t nodesRun = 0, nodes = 0;                                    ///< of the changed model with its quantizers
};

class WhatIfRunner {
public:
    static constexpr std::size_t defaultBudget = std::size_t(512) << 20;

    /// `budget`: bytes for tensors of the quantized model; half as much again for those of the float model.
    explicit WhatIfRunner(std::vector<PinnedBatch> batches, std::size_t budget = defaultBudget);

    const std::vector<PinnedBatch> &batches() const { return m_batches; }

    /// What changes are held against. `floating` has the ids of model.graph. After an exception the one before stays.
    void setBefore(const QuantizedModel &model, const std::shared_ptr<const Graph> &floating, Progress &progress);
    /// Equal, bit for bit, to what whole runs of both models give.
    WhatIfOutcome compare(const QuantizedModel &after, const std::shared_ptr<const Graph> &floating, Progress &progress);

private:
    /// Signatures of the float tensor and of the one that stands for it.
    using Key = std::pair<std::uint64_t, std::uint64_t>;
    using Decibels = std::map<Key, double>;
    struct Tapped {
        std::string name;
        Key key;
    };
    struct Side {
        std::vector<Tapped> tapped;
        std::vector<std::vector<at::Tensor>> outputs;
        Decibels decibels;
    };

    Side run(const QuantizedModel &model, const std::shared_ptr<const Graph> &floating, bool keep, Progress &progress);
    bool measured(std::size_t batch) const { return batch % m_stride == 0; }

    std::vector<PinnedBatch> m_batches;
    std::size_t m_stride = 1;
    CheckpointedRun m_quantized, m_floating;
    Side m_before;
};

} // namespace core

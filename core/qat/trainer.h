// The loop: batches in, losses out, evaluations between, best state kept. Deterministic for a given number of threads: what is drawn depends on
// seed, epoch and image alone, so a training that was interrupted goes on with the same bits.
#pragma once

#include "core/base/progress.h"
#include "core/data/dataset.h"
#include "core/qat/checkpoint.h"
#include "core/qat/training_model.h"

#include <functional>
#include <memory>

namespace core {

/// What the trainer asks and tells; all are called on the thread that trains.
struct TrainerHooks {
    enum class Wish { GoOn, Pause, Finish };
    std::function<Wish()> wish;                          ///< after every step; may be empty
    /// Of the model as it would be frozen now. Empty = nothing is measured, the last state counts as the best.
    std::function<Evaluation()> evaluate;
    std::function<void(const CurvePoint &, bool best, bool paused)> stepped;   ///< after every step and evaluation, and while paused
    std::function<void(const Checkpoint &)> save;        ///< after evaluations, when paused or cancelled, at the end; may be empty
    /// Gradients pass here between backward() and the optimiser: the place where several processes would average theirs. May be empty.
    std::function<void(const std::vector<at::Tensor> &)> gradients;
};

struct TrainerOptions {
    int threads = 0;                                     ///< for decoding; 0 = all cores
    int fixedBatch = 0;                                  ///< the model takes whole batches of this size only; 0 = any
    std::string key;                                     ///< Checkpoint::key
};

class Trainer {
public:
    /// `teacher`: the float model, same inputs; needed where the loss distils. References are kept.
    Trainer(TrainingModel &model, std::shared_ptr<const Graph> teacher, const Dataset &data, const TrainingSpec &spec, TrainerOptions options);
    ~Trainer();

    /// Trains to the end, then the model is in its best state. Throws Error{Numeric} when the first loss is not finite, InvalidInput where data
    /// and loss do not fit; Cancelled after the hook `save` was called.
    TrainingRecord run(const TrainerHooks &hooks, Progress &progress, const Checkpoint *from = nullptr);
    std::int64_t totalSteps() const;
    const Diagnostics &diagnostics() const;

private:
    struct Impl;
    std::unique_ptr<Impl> m_impl;
};

/// The figures by which states are compared.
TrainingScore scoreOf(const Evaluation &evaluation);

} // namespace core

// Batches of a data set in order, decoded by several threads ahead of use, with bounded memory.
#pragma once

#include "core/data/dataset.h"

#include <memory>
#include <optional>

namespace core {

struct Batch {
    std::vector<at::Tensor> inputs;       ///< N×… each, float images channels_last
    std::vector<std::int64_t> labels;
    std::vector<std::size_t> indices;     ///< in the data set
};

class Loader {
public:
    /// threads 0 = all cores. At most `prefetch` batches wait at any time.
    Loader(const Dataset &dataset, int batchSize, int threads = 0, int prefetch = 2);
    ~Loader();

    /// Next batch in order, nullopt at the end. Unreadable samples are skipped and listed in skipped();
    /// throws Error{Io} at the end when none was readable.
    std::optional<Batch> next();
    const Diagnostics &skipped() const;

private:
    struct State;
    std::unique_ptr<State> m_state;
};

/// With the last row as often as needed; models with a fixed batch take whole batches only. A tensor without rows to repeat stays as it is.
at::Tensor filledBatch(const at::Tensor &tensor, std::int64_t size);

} // namespace core

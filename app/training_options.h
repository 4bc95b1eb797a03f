// Options of the train command that are not those of quantize.
#pragma once

#include "core/session/session.h"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace app {

struct TrainingOptions {
    core::DataSource data;
    std::filesystem::path file, checkpoint;           ///< --training, --checkpoint
    bool resume = false;

    void addOptions(CLI::App &command);

    /// Defaults of the method, or --training FILE, then the single options. `batch` and `seed` are those of the recipe's options.
    /// Throws core::Error{InvalidInput} in the words of the option.
    core::TrainingSpec build(std::optional<int> batch, std::optional<std::uint64_t> seed) const;

private:
    std::optional<std::string> m_method, m_optimizer, m_schedule, m_loss, m_batchNorm;
    std::optional<int> m_epochs, m_warmup, m_patience, m_stepEpochs, m_shift;
    std::optional<std::int64_t> m_steps, m_evaluateEvery;
    std::optional<double> m_rate, m_quantizerRate, m_momentum, m_decay, m_clip, m_smoothing, m_temperature, m_minArea, m_color, m_freezeObservers, m_freezeBatchNorm;
    std::optional<bool> m_flip, m_crop;
    std::vector<std::string> m_features;
};

} // namespace app

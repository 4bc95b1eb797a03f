#include "app/training_feed.h"

namespace app {
namespace {

constexpr std::size_t most = 64; // waiting without a word of the window

} // namespace

void TrainingFeed::push(core::TrainingUpdate update)
{
    bool wake = false;
    {
        const std::lock_guard lock(m_mutex);
        wake = !m_woken;
        m_woken = true;
        if (!update.weights.empty())
            for (core::TrainingUpdate &older : m_waiting)
                older.weights.clear();
        if (m_waiting.size() >= most && !m_waiting.back().point.evaluation) {
            if (update.weights.empty())
                update.weights = std::move(m_waiting.back().weights);
            m_waiting.back() = std::move(update);
        } else {
            m_waiting.push_back(std::move(update));
        }
    }
    if (wake)
        m_wake();
}

std::vector<core::TrainingUpdate> TrainingFeed::take()
{
    const std::lock_guard lock(m_mutex);
    m_woken = false;
    return std::exchange(m_waiting, {});
}

} // namespace app

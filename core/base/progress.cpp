#include "core/base/progress.h"

namespace core {

namespace {
constexpr auto reportInterval = std::chrono::milliseconds(50);
}

Progress::Progress(Sink sink, std::stop_token stop)
    : m_sink(std::move(sink))
    , m_stop(std::move(stop))
{
}

void Progress::beginStage(std::string name, std::int64_t total)
{
    checkpoint();
    m_stage = std::move(name);
    m_stageStart = Clock::now();
    report(0, total);
}

void Progress::checkpoint(std::int64_t done, std::int64_t total)
{
    checkpoint();
    if (done >= total || Clock::now() - m_lastReport >= reportInterval)
        report(done, total);
}

void Progress::checkpoint() const
{
    if (m_stop.stop_requested())
        throw Cancelled{};
}

void Progress::report(std::int64_t done, std::int64_t total)
{
    m_lastReport = Clock::now();
    if (!m_sink)
        return;
    const double seconds = std::chrono::duration<double>(m_lastReport - m_stageStart).count();
    ProgressReport r{m_stage, done, total, 0, 0};
    if (done > 0 && seconds > 0) {
        r.itemsPerSecond = double(done) / seconds;
        if (total > done)
            r.secondsLeft = double(total - done) / r.itemsPerSecond;
    }
    m_sink(r);
}

} // namespace core

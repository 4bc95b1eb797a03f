// Progress and cancellation: the one way long work talks to whoever started it.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>

namespace core {

/// Thrown by Progress::checkpoint() when stop was requested; not an Error.
struct Cancelled {};

struct ProgressReport {
    std::string stage;
    std::int64_t done = 0;
    std::int64_t total = 0;           ///< 0 = unknown
    double itemsPerSecond = 0;        ///< over the current stage
    double secondsLeft = 0;           ///< estimate for the current stage, 0 = unknown
};

/// Owned by one job, used by its one thread. Reports at most 20 times a second.
class Progress {
public:
    using Sink = std::function<void(const ProgressReport &)>;

    Progress() = default;
    explicit Progress(Sink sink, std::stop_token stop = {});

    /// Starts a new named stage (its clock restarts); reports at once.
    void beginStage(std::string name, std::int64_t total = 0);
    /// Call once per batch. Throws Cancelled when stop was requested.
    void checkpoint(std::int64_t done, std::int64_t total);
    /// Throws Cancelled when stop was requested; reports nothing.
    void checkpoint() const;
    bool stopRequested() const { return m_stop.stop_requested(); }
    std::stop_token stopToken() const { return m_stop; }

private:
    using Clock = std::chrono::steady_clock;
    void report(std::int64_t done, std::int64_t total);

    Sink m_sink;
    std::stop_token m_stop;
    std::string m_stage;
    Clock::time_point m_stageStart = Clock::now();
    Clock::time_point m_lastReport{};
};

} // namespace core

// Ctrl-C and SIGTERM ask the job to stop; a second one ends the process at once.
#pragma once

#include <stop_token>
#include <thread>

namespace app {

/// One at a time. Files are written under a temporary name and renamed, so ending at once leaves no half-written result.
class InterruptWatch {
public:
    InterruptWatch();
    ~InterruptWatch();
    InterruptWatch(const InterruptWatch &) = delete;
    InterruptWatch &operator=(const InterruptWatch &) = delete;

    std::stop_token token() const { return m_source.get_token(); }

private:
    std::stop_source m_source;
    std::thread m_watcher;
};

} // namespace app

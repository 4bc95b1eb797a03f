// From a float file to a trained one: quantize_job with a training between calibration and freezing.
#pragma once

#include "core/session/session.h"

#include <atomic>
#include <mutex>
#include <string>

namespace core {

struct TrainingControl::State {
    enum Wish { GoOn, Pause, Finish };
    std::atomic<int> wish = GoOn;

    void watch(const std::string &node)
    {
        const std::lock_guard lock(m_mutex);
        m_watched = node;
    }
    std::string watched() const
    {
        const std::lock_guard lock(m_mutex);
        return m_watched;
    }

private:
    mutable std::mutex m_mutex;
    std::string m_watched;
};

/// See Session::train().
Report runTrainJob(const TrainRequest &request, TrainingControl &control, const TrainingObserver &observer, int threads, Progress &progress);

} // namespace core

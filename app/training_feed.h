// What a training says on its thread, kept until the window's thread takes it: figures in between may be left out, evaluations never.
#pragma once

#include "core/session/session.h"

#include <functional>
#include <mutex>
#include <utility>
#include <vector>

namespace app {

class TrainingFeed {
public:
    /// `wake` is called on the training's thread when something lies here that was not taken; not again before take().
    explicit TrainingFeed(std::function<void()> wake) : m_wake(std::move(wake)) {}

    void push(core::TrainingUpdate update);
    std::vector<core::TrainingUpdate> take();

private:
    std::mutex m_mutex;
    std::vector<core::TrainingUpdate> m_waiting;
    std::function<void()> m_wake;
    bool m_woken = false;
};

} // namespace app

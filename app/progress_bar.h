// One line on a terminal that says how far a job is; silent elsewhere.
#pragma once

#include "core/base/progress.h"

#include <string>

namespace app {

/// "calibrate     [############........]  120/200  53.1/s  0:02 left"
std::string progressLine(const core::ProgressReport &report, int columns);

class ProgressBar {
public:
    explicit ProgressBar(bool visible) : m_visible(visible) {}
    ~ProgressBar() { clear(); }
    void show(const core::ProgressReport &report);
    void clear();

private:
    bool m_visible;
    bool m_drawn = false;
};

} // namespace app

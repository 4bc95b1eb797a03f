// Questions between two runs, answered from the statistics and a few images: what a Session keeps for them.
#pragma once

#include "core/session/session.h"

#include <memory>
#include <vector>

namespace core {

/// threads 0 = all cores. Results do not depend on what was asked before.
class Exploration {
public:
    Exploration();
    ~Exploration();
    Exploration(const Exploration &) = delete;
    Exploration &operator=(const Exploration &) = delete;

    /// See Session. A recipe that cannot be placed is a finding too.
    std::vector<Finding> diagnose(const QuantizeRequest &request, const Report *report, int threads);
    WhatIf whatIf(const QuantizeRequest &request, const Recipe &changed, int images, Progress &progress, int threads);
    ImageRun runImage(const QuantizeRequest &request, std::size_t image, Progress &progress, int threads);

private:
    struct State;
    std::unique_ptr<State> m_state;
};

} // namespace core

// Kernels with every instruction set.
#pragma once

#include <hwy/highway.h>

#include <cstdint>

namespace tests {

/// Runs the body once for every instruction set that this CPU has and the library was built for.
template <class Body>
void onEachTarget(const Body &body)
{
    for (const std::int64_t target : hwy::SupportedAndGeneratedTargets()) {
        hwy::SetSupportedTargetsForTest(target);
        hwy::GetChosenTarget().DeInit();
        body(hwy::TargetName(target));
    }
    hwy::SetSupportedTargetsForTest(0);
    hwy::GetChosenTarget().DeInit();
}

} // namespace tests

#include "core/qat/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace core {

Schedule::Schedule(const TrainingSpec &spec, std::int64_t stepsPerEpoch, std::int64_t totalSteps)
    : m_spec(spec), m_stepsPerEpoch(std::max<std::int64_t>(stepsPerEpoch, 1)), m_totalSteps(std::max<std::int64_t>(totalSteps, 1))
{
}

double Schedule::factor(std::int64_t step) const
{
    const double warm = m_spec.warmupSteps > 0 ? std::min(1.0, double(step + 1) / double(m_spec.warmupSteps)) : 1.0;
    switch (m_spec.schedule) {
    case ScheduleKind::Constant: return warm;
    case ScheduleKind::Step: return warm * std::pow(m_spec.stepFactor, double(step / m_stepsPerEpoch / std::max(m_spec.stepEpochs, 1)));
    case ScheduleKind::Cosine: return warm * 0.5 * (1 + std::cos(std::numbers::pi * double(std::min(step, m_totalSteps)) / double(m_totalSteps)));
    case ScheduleKind::Plateau: break;
    }
    return warm * m_plateau;
}

void Schedule::evaluated(bool better)
{
    if (m_spec.schedule != ScheduleKind::Plateau)
        return;
    m_waiting = better ? 0 : m_waiting + 1;
    if (m_waiting > 0 && m_waiting >= m_spec.stepEpochs) {
        m_plateau *= m_spec.stepFactor;
        m_waiting = 0;
    }
}

void Schedule::restore(double plateauFactor, int waiting)
{
    m_plateau = plateauFactor;
    m_waiting = waiting;
}

} // namespace core

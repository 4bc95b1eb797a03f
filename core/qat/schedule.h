// The learning rate over the steps of a training, as a factor of the spec's.
#pragma once

#include "core/spec/training.h"

namespace core {

class Schedule {
public:
    Schedule(const TrainingSpec &spec, std::int64_t stepsPerEpoch, std::int64_t totalSteps);
    /// For the step about to be made, from 0.
    double factor(std::int64_t step) const;
    /// Plateau: `better` tells whether an evaluation was the best so far.
    void evaluated(bool better);

    double plateauFactor() const { return m_plateau; }
    int waiting() const { return m_waiting; }
    void restore(double plateauFactor, int waiting);

private:
    TrainingSpec m_spec;
    std::int64_t m_stepsPerEpoch, m_totalSteps;
    double m_plateau = 1;
    int m_waiting = 0;
};

} // namespace core

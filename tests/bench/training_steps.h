// What fake quantizers cost while a model is trained: whole steps (forward, cross-entropy, backward, optimiser) against steps of the float model.
#pragma once

#include "tests/bench/measurements.h"

namespace bench {

struct TrainingResult {
    double qatStep = 0, lsqStep = 0, tqtStep = 0;   ///< seconds / seconds of the float step
    double floatStepSeconds = 0;
};

TrainingResult measureTraining(const Options &options);

} // namespace bench

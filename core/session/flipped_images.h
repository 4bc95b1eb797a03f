// Which images the quantized model puts into another class than the float model.
#pragma once

#include "core/data/dataset.h"
#include "core/report/report.h"
#include "core/session/evaluator.h"

#include <vector>

namespace core {

class FlippedImages {
public:
    /// Compares models[0] with models[other]; `dataset` names the images.
    FlippedImages(const Dataset &dataset, std::size_t other) : m_dataset(dataset), m_other(other) {}
    void add(const EvaluatedBatch &batch);
    /// Worst first, at most 1,000.
    std::vector<FlippedImage> take();

private:
    struct Candidate {
        FlippedImage image;
        double margin = 0;              ///< of the float model between its class and the other one
    };
    const Dataset &m_dataset;
    std::size_t m_other;
    std::vector<Candidate> m_found;
};

} // namespace core

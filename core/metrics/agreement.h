// How far a quantized model's outputs are from the float model's, without labels.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace core {

struct Agreement {
    std::int64_t images = 0, sameTop1 = 0;
    double dot = 0, normFloat = 0, normOther = 0, noise = 0;   ///< running sums in double, over all elements
    double sumCosine = 0;                                      ///< per image
    double largestDifference = 0;
    void add(const at::Tensor &floatOutput, const at::Tensor &otherOutput); ///< both N×…
    double top1Percent() const;
    double cosine() const;      ///< mean per image
    double sqnrDb() const;      ///< 10·log10(Σ r² / Σ (r − r̂)²); 200 when equal, −200 when one is not finite
};

} // namespace core

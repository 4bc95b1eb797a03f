// What the histogram chart computes: pure functions of statistics, fast enough for every mouse move but `observerLines` and `statisticsOf`, which
// belong in the light lane for large tensors.
#pragma once

#include "core/spec/quantization_spec.h"
#include "core/stats/statistics.h"

#include <QString>

#include <optional>
#include <span>
#include <vector>

namespace widgets {

struct ObserverLine {
    core::ObserverKind kind = core::ObserverKind::MinMax;
    QString title;
    core::Range range;
    core::AffineParams params;
    double meanSquaredError = 0;
};

/// Every observer (but `fixed`) under the dtype, symmetry and scale type of `scheme`, in the order of ObserverKind; one that cannot be computed is
/// left out.
std::vector<ObserverLine> observerLines(const core::TensorStatistics &statistics, const core::Scheme &scheme);
/// The same for a weight or one channel of it, from the exact values as the quantizer does.
std::vector<ObserverLine> observerLines(std::span<const float> values, const core::Scheme &scheme);

/// "percentile 99.99", "histogram MSE", …
QString observerTitle(core::ObserverKind kind, double percentile);

/// Statistics of values in memory (weights); one channel, no images.
core::TensorStatistics statisticsOf(std::span<const float> values);

/// One channel of a constant: values with dimensions `dims`, `axis` inside them.
std::vector<float> channelOf(std::span<const float> values, const std::vector<std::int64_t> &dims, int axis, std::int64_t channel);

struct CodeMass {
    std::int64_t code = 0;
    double value = 0;             ///< what the code stands for
    double count = 0;
};
/// The mass of every bin, uniform inside it, moved to the codes that quantization gives; ascending, codes without values left out.
/// Empty when there is no histogram or there are more than 2^16 codes.
std::vector<CodeMass> dequantizedDistribution(const core::TensorStatistics &statistics, const core::AffineParams &params);

/// What a range does to the tensor. Errors are means over all values; unknown parts are NaN (float types have no codes).
struct RangeEffect {
    core::AffineParams params;
    double meanSquaredError = 0;
    double clippingError = 0;     ///< part of it from values more than half a step outside the codes
    double sqnrDb = 0;            ///< +∞ when nothing is lost
    double clippedShare = 0;      ///< 0…1
};
RangeEffect effectOf(const core::TensorStatistics &statistics, const core::Range &range, const core::Scheme &scheme,
                     const std::optional<core::AffineParams> &params = {});

} // namespace widgets

// Observers: pure functions from statistics to a range and to scale and zero point. No data is needed again.
#pragma once

#include "core/stats/statistics.h"

#include <optional>
#include <span>
#include <string_view>

namespace core {

enum class ObserverKind { MinMax, MovingAverageMinMax, HistogramMse, Percentile, Entropy, Pof2MinMax, Pof2Mse, Fixed };

std::string_view observerName(ObserverKind kind);                     ///< "min_max", …
std::optional<ObserverKind> observerFromName(std::string_view name);

struct ObserverOptions {
    ObserverKind kind = ObserverKind::MinMax;
    double percentile = 99.99;
    Range fixedRange;            ///< Fixed only
    AffineOptions affine;        ///< dtype, symmetry, narrow, power of two
};

struct ObserverResult {
    Range range;                 ///< clipping range chosen, before rounding to codes
    AffineParams params;
    double meanSquaredError = 0; ///< expected Σ count·(r − r̂)² / count with these params, from the histogram
};

/// Throws Error{InvalidInput} when the statistics are empty or lack a histogram that the observer needs.
ObserverResult observe(const TensorStatistics &statistics, const ObserverOptions &options);

/// Σ count·(r − r̂)²/count, a uniform density integrated over each bin.
double expectedSquaredError(const Histogram &histogram, const AffineParams &params);

/// The kind among min_max, percentile 99.9/99.99/99.999, histogram_mse, entropy with the least expected error; of those within a quarter of it the
/// one that clips least.
ObserverResult observeBest(const TensorStatistics &statistics, const ObserverOptions &options, ObserverKind *chosen = nullptr);

/// The same for constant data (weights): exact values instead of a histogram. One channel's or group's elements.
ObserverResult observeWeights(std::span<const float> values, const ObserverOptions &options);

} // namespace core

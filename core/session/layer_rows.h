// One row of the report for each quantizer.
#pragma once

#include "core/ptq/algorithm.h"
#include "core/report/report.h"

#include <optional>
#include <vector>

namespace core {

/// `sqnr` by point; histograms of activations come from `statistics`, those of constants from their values.
std::vector<LayerRow> layerRows(const QuantizedModel &model, const StatisticsMap &statistics, const std::vector<std::optional<double>> &sqnr);

/// At most 64 bars over the bins that are not empty: (left edge, count), and the width of a bar.
std::pair<std::vector<std::pair<double, std::uint64_t>>, double> histogramBars(const Histogram &histogram);

} // namespace core

// Observers → scale and zero point of every placed quantizer. Needs statistics only, never the data.
#pragma once

#include "core/ptq/algorithm.h"

namespace core {

/// Sharing sets are observed over the union of their statistics, with the scheme of the set's first point. "best" does not clip the outputs
/// of the model (min_max).
/// Weights are observed exactly, per tensor, channel or group. Throws Error{InvalidInput} naming the tensor
/// whose statistics are missing.
QuantizedModel quantizePoints(std::shared_ptr<const Graph> graph, const Placement &placement, const StatisticsMap &statistics);

/// The same after the biases (and nothing else) of the graph changed: all other numbers stay. s_bias = s_input · s_weight in
/// float32; where |bias / s_bias| would pass 2^30 the weight scale of the channel is raised (a Diagnostic says so);
/// a channel without weights takes the smallest scale at which its bias fits.
void fitBiases(QuantizedModel &model);

} // namespace core

// A placement with numbers: what is calibrated, validated and exported.
#pragma once

#include "core/graph/graph.h"
#include "core/spec/placement.h"
#include "core/stats/affine.h"

#include <memory>
#include <vector>

namespace core {

/// Numbers of one point. Per-tensor: one entry. Per channel: one for each channel; per group: channels × groups, row-major.
struct PointNumbers {
    std::vector<AffineParams> params;
    ObserverKind observer = ObserverKind::MinMax;  ///< the one that was used ("best" resolved)
    Range range;                                   ///< activations: range chosen
};

struct QuantizedModel {
    std::shared_ptr<const Graph> graph;            ///< float, prepared (BatchNorm folded, equalized, bias corrected)
    Placement placement;
    std::vector<PointNumbers> numbers;             ///< index == PointId::index
    Diagnostics diagnostics;                       ///< raised scales for bias overflow, zero channels…
};

/// Integer codes of a weight or bias point (storage order of the tensor).
std::vector<std::int64_t> integerCodes(const QuantizedModel &model, PointId point);

} // namespace core

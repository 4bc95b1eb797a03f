// Which tensors get a quantizer, which share one, and why: a pure function of (graph, configuration, target).
// The value made here is what is calibrated, validated and exported; nothing is aligned or added later.
#pragma once

#include "core/graph/graph.h"
#include "core/spec/config.h"
#include "core/spec/recipe.h"
#include "core/spec/target_profile.h"

#include <string>
#include <vector>

namespace core {

enum class PointKind { Activation, Weight, Bias };

/// One quantizer: QuantizeLinear + DequantizeLinear behind `value`, seen by the listed uses only.
struct Point {
    PointId id;
    PointKind kind = PointKind::Activation;
    ValueId value;                       ///< the tensor; for Weight (constant operands of Add, Mul… too) and Bias an initializer
    std::vector<Graph::Use> uses;        ///< consumers that read the quantized tensor
    bool quantizesOutput = false;        ///< value is a graph output and is exposed quantized
    Scheme scheme;
    PointId shares;                      ///< first point of its sharing set, itself when alone: same scale and zero point
    NodeId owner;                        ///< node whose configuration decided
    std::string reason;                  ///< one sentence: why it stands here
    std::string provenance;              ///< where the scheme came from: "preset 'best'", "rule 'op:Conv'", "node 'conv1'"
    /// Bias with derived scale: s = s_input · s_weight. Invalid for an int8 bias, which has a scale of its own (xint8).
    /// ConvTranspose with groups and per-channel weights: channel c of the bias belongs to weight entry c mod (C / group).
    PointId biasInput, biasWeight;
};

struct Absence {
    ValueId value;
    std::string reason;                  ///< one sentence: why there is no quantizer
};

struct Placement {
    std::vector<Point> points;           ///< index == PointId::index
    std::vector<Absence> absences;       ///< float tensors without a quantizer
    std::vector<std::vector<NodeId>> fusedGroups; ///< nodes that run as one (Conv + BatchNorm + Relu…), in order
    Diagnostics diagnostics;             ///< joined ranges, float fallbacks on the target, unused rules…

    const Point &point(PointId id) const { return points.at(std::size_t(id.index)); }
};

/// Throws Error{InvalidInput} naming node and field for a combination that the target or QDQ ONNX cannot express,
/// and for names or rules that match nothing. Graph must have BatchNormalization folded where it can be
/// (a BatchNormalization that is left counts as an operator of its own).
Placement place(const Graph &graph, const Config &config, const TargetProfile &target);

/// The same with the provenance of global fields told apart (preset, target, user).
Placement place(const Graph &graph, const Recipe &recipe);

} // namespace core

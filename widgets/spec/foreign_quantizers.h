// The quantizers of a file that some tool has quantized already: scale, zero point and axis as they stand in it.
#pragma once

#include "core/graph/graph.h"

#include <QString>

#include <cstdint>
#include <vector>

namespace widgets {

struct ForeignQuantizer {
    core::NodeId node;                      ///< QuantizeLinear, DequantizeLinear or QLinear… that holds it
    core::ValueId value;                    ///< the tensor in its real (or, for QLinear…, integer) form
    QString role;                           ///< "input", "weight", "output", or the operator's own name for it
    core::DataType type = core::DataType::Undefined; ///< of the codes
    std::vector<float> scales;              ///< empty: computed at run time
    std::vector<std::int64_t> zeroPoints;   ///< empty: 0, or computed at run time
    int axis = -1;                          ///< −1 = one scale for the tensor
    std::int64_t blockSize = 0;             ///< values that share a scale along the axis; 0 = all
};

/// QuantizeLinear, DequantizeLinear, their dynamic form, or an operator on integers stands in it.
bool isQuantizedFile(const core::Graph &graph);
bool isQuantizerNode(const core::Node &node);

/// Of one node, in the order of its inputs and outputs: its own for QLinear…, else those of its neighbours that touch its tensors.
/// A quantizer itself has the one that it is.
std::vector<ForeignQuantizer> foreignQuantizers(const core::Graph &graph, core::NodeId node);
/// Of the whole file, each once.
std::vector<ForeignQuantizer> foreignQuantizers(const core::Graph &graph);

} // namespace widgets

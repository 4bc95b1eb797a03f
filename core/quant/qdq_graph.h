// QuantizedModel → Graph with QuantizeLinear / DequantizeLinear pairs. The fake-quantized evaluation runs this graph,
// and the writer writes this graph: the graph that is validated is the graph that is exported.
#pragma once

#include "core/quant/quantized_model.h"

namespace core {

/// Names of the float model's nodes, inputs, outputs and tensors are kept. `dequantized`, when given, gets for each point (index ==
/// PointId::index) the value that its readers read; invalid where nothing was put in.
Graph buildQdqGraph(const QuantizedModel &model, std::vector<ValueId> *dequantized = nullptr);

/// Lowest opset that can express the graph (13 per channel, 19 fp8 / float16, 21 int16 / int4 / per group).
int requiredOpset(const QuantizedModel &model, int sourceOpset);

} // namespace core

// GraphProto ⇄ Graph.
#pragma once

#include "core/graph/graph.h"

#include <functional>
#include <string>

namespace onnx {
class GraphProto;
class TensorProto;
}

namespace core {

struct ReadContext;

/// Takes the graph out of `proto`: bodies too, nodes sorted, names resolved. Operators keep the form they have in the file.
Graph graphFromProto(onnx::GraphProto &proto, ReadContext &context);

/// Called for each initializer, whose name and head are set already.
using BytesWriter = std::function<void(const TensorData &, onnx::TensorProto &)>;

void graphToProto(const Graph &graph, onnx::GraphProto &proto, const BytesWriter &writeBytes);

} // namespace core

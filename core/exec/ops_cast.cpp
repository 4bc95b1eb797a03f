// Cast and CastLike. float16, bfloat16 and fp8 results are float tensors rounded to that type's grid (op_common.h).
#include "core/exec/op_common.h"

#include <ATen/ATen.h>

namespace core {
namespace {

DataType typeOf(at::ScalarType type)
{
    switch (type) {
    case at::kFloat: return DataType::Float32;
    case at::kDouble: return DataType::Float64;
    case at::kBool: return DataType::Bool;
    case at::kChar: return DataType::Int8;
    case at::kByte: return DataType::UInt8;
    case at::kShort: return DataType::Int16;
    case at::kInt: return DataType::Int32;
    case at::kLong: return DataType::Int64;
    default: return DataType::Undefined;
    }
}

void refuseStrings(const Node &node, const Graph &graph)
{
    if (inputType(node, graph, 0) == DataType::String)
        failNode(ErrorKind::Unsupported, node, "strings cannot be computed with.");
}

Kernel castKernel(const Node &node, const Graph &graph)
{
    if (!node.has("to"))
        failNode(ErrorKind::InvalidInput, node, "attribute to is missing.");
    refuseStrings(node, graph);
    const auto type = DataType(node.intAttribute("to", 0));
    const std::string label = nodeLabel(node);
    storageScalarType(type, label);
    return [type, saturate = node.intAttribute("saturate", 1) != 0, label](OpCall &call) {
        call.outputs[0] = convertTo(call.inputs[0], type, saturate, label);
    };
}

Kernel castLikeKernel(const Node &node, const Graph &graph)
{
    refuseStrings(node, graph);
    const DataType known = inputType(node, graph, 1);
    const std::string label = nodeLabel(node);
    if (known != DataType::Undefined)
        storageScalarType(known, label);
    return [known, saturate = node.intAttribute("saturate", 1) != 0, label](OpCall &call) {
        const DataType type = known != DataType::Undefined ? known : typeOf(call.inputs[1].scalar_type());
        call.outputs[0] = convertTo(call.inputs[0], type, saturate, label);
    };
}

} // namespace

void registerCastOps(OpRegistry &registry)
{
    registry.add("Cast", castKernel);
    registry.add("CastLike", castLikeKernel);
}

} // namespace core

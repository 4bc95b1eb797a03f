#include "core/ptq/widen_half.h"

#include <algorithm>

namespace core {
namespace {

bool isHalf(DataType type) { return type == DataType::Float16 || type == DataType::BFloat16; }

TensorData widened(const TensorData &data)
{
    return TensorData::fromFloats(data.dims, data.toFloats());
}

Node cast(const Graph &graph, const std::string &name, ValueId from, ValueId to, DataType type)
{
    Node node;
    node.opType = "Cast";
    node.name = graph.uniqueNodeName(name);
    node.inputs = {from};
    node.outputs = {to};
    node.attributes["to"] = std::int64_t(type);
    return node;
}

void widenAttributes(Node &node)
{
    for (auto &[key, attribute] : node.attributes) {
        if (std::holds_alternative<std::shared_ptr<const Graph>>(attribute))
            throw Error(ErrorKind::Unsupported, "float16", node.opType + " '" + node.name + "' holds a graph of its own; convert this float16 model to float32 first.");
        if (auto *data = std::get_if<TensorData>(&attribute); data && isHalf(data->type))
            *data = widened(*data);
        if (auto *number = std::get_if<std::int64_t>(&attribute); number && (key == "to" || key == "dtype" || key == "output_datatype") && isHalf(DataType(*number)))
            *number = std::int64_t(DataType::Float32);
    }
}

} // namespace

std::size_t widenHalf(Graph &graph)
{
    std::vector<ValueId> half;
    for (const ValueId id : graph.values())
        if (isHalf(graph.value(id).type))
            half.push_back(id);
    if (half.empty())
        return 0;
    const std::vector<NodeId> order = graph.order();
    for (const NodeId id : order)
        widenAttributes(graph.node(id));
    const auto isInput = [&](ValueId id) { return std::find(graph.inputs.begin(), graph.inputs.end(), id) != graph.inputs.end(); };
    for (const ValueId id : half) {
        const DataType type = graph.value(id).type;
        if (const TensorData *data = graph.constant(id)) {
            graph.setConstant(id, widened(*data));
            continue;
        }
        if (isInput(id)) {
            const ValueId wide = graph.addValue(graph.uniqueValueName(graph.value(id).name + "_float32"), DataType::Float32, graph.value(id).shape);
            graph.replaceUses(id, wide);
            if (!order.empty())
                graph.insertNode(cast(graph, graph.value(id).name + "_Cast", id, wide, DataType::Float32), graph.order().front());
            continue;
        }
        graph.value(id).type = DataType::Float32;
        if (graph.isOutput(id)) {
            const std::string name = graph.value(id).name;
            graph.renameValue(id, graph.uniqueValueName(name + "_float32"));
            const ValueId narrow = graph.addValue(name, type, graph.value(id).shape);
            graph.addNode(cast(graph, name + "_Cast", id, narrow, type));
            std::replace(graph.outputs.begin(), graph.outputs.end(), id, narrow);
        }
    }
    graph.removeUnusedValues();
    return half.size();
}

} // namespace core

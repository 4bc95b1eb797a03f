#include "core/graph/topology.h"
#include "core/onnx/proto_graph.h"
#include "core/onnx/proto_tensor.h"

#include <onnx/onnx_pb.h>

namespace core {
namespace {

using Kind = onnx::AttributeProto;

/// Bytes that the reader kept, back into the message they came from.
template <class Message>
void mergeKept(const std::string &bytes, Message &message, const std::string &owner)
{
    if (!bytes.empty() && !message.MergeFromString(bytes))
        throw Error(ErrorKind::Internal, "write", "What was kept of " + owner + " cannot be read back.");
}

void shapeToProto(const Shape &shape, onnx::TensorShapeProto &proto)
{
    for (const Dimension &dimension : shape) {
        auto &dim = *proto.add_dim();
        if (dimension.known())
            dim.set_dim_value(dimension.size);
        else if (!dimension.symbol.empty())
            dim.set_dim_param(dimension.symbol);
    }
}

void valueToProto(const Value &value, onnx::ValueInfoProto &proto)
{
    mergeKept(value.unknownFields, proto, "tensor '" + value.name + "'");
    proto.set_name(value.name);
    if (value.type == DataType::Undefined)
        return;
    auto &tensor = *proto.mutable_type()->mutable_tensor_type();
    tensor.set_elem_type(std::int32_t(value.type));
    if (value.shape)
        shapeToProto(*value.shape, *tensor.mutable_shape());
}

void attributeToProto(const AttributeValue &value, onnx::AttributeProto &proto, const std::string &name, const BytesWriter &writeBytes)
{
    struct Writer {
        onnx::AttributeProto &proto;
        const BytesWriter &writeBytes;

        void operator()(std::int64_t v) const { proto.set_type(Kind::INT), proto.set_i(v); }
        void operator()(float v) const { proto.set_type(Kind::FLOAT), proto.set_f(v); }
        void operator()(const std::string &v) const { proto.set_type(Kind::STRING), proto.set_s(v); }
        void operator()(const std::vector<std::int64_t> &v) const
        {
            proto.set_type(Kind::INTS);
            proto.mutable_ints()->Add(v.begin(), v.end());
        }
        void operator()(const std::vector<float> &v) const
        {
            proto.set_type(Kind::FLOATS);
            proto.mutable_floats()->Add(v.begin(), v.end());
        }
        void operator()(const std::vector<std::string> &v) const
        {
            proto.set_type(Kind::STRINGS);
            for (const std::string &text : v)
                proto.add_strings(text);
        }
        void operator()(const TensorData &v) const
        {
            proto.set_type(Kind::TENSOR);
            tensorToProto(v, *proto.mutable_t());
        }
        void operator()(const std::shared_ptr<const Graph> &v) const
        {
            proto.set_type(Kind::GRAPH);
            if (v)
                graphToProto(*v, *proto.mutable_g(), writeBytes);
        }
        void operator()(const OpaqueProto &v) const { mergeKept(v.serialized, proto, "an attribute"); }
    };
    std::visit(Writer{proto, writeBytes}, value);
    proto.set_name(name);
}

void nodeToProto(const Graph &graph, const Node &node, onnx::NodeProto &proto, const BytesWriter &writeBytes)
{
    const auto nameOf = [&graph](ValueId id) { return id.valid() ? graph.value(id).name : std::string(); };
    mergeKept(node.unknownFields, proto, "node '" + node.name + "'");
    for (const ValueId id : node.inputs)
        proto.add_input(nameOf(id));
    for (const ValueId id : node.outputs)
        proto.add_output(nameOf(id));
    proto.set_name(node.name);
    proto.set_op_type(node.opType);
    if (!node.domain.empty())
        proto.set_domain(node.domain);
    if (!node.docString.empty())
        proto.set_doc_string(node.docString);
    for (const auto &[name, value] : node.attributes)
        attributeToProto(value, *proto.add_attribute(), name, writeBytes);
}

} // namespace

void graphToProto(const Graph &graph, onnx::GraphProto &proto, const BytesWriter &writeBytes)
{
    mergeKept(graph.unknownFields, proto, "graph '" + graph.name + "'");
    proto.set_name(graph.name.empty() ? "graph" : graph.name);
    if (!graph.docString.empty())
        proto.set_doc_string(graph.docString);
    std::vector<bool> listed(std::size_t(graph.valueIdLimit())), made = listed;
    for (const auto &[id, data] : graph.constants()) {
        onnx::TensorProto &tensor = *proto.add_initializer();
        tensor.set_name(graph.value(id).name);
        tensorHeadToProto(data, tensor);
        writeBytes(data, tensor);
        listed[std::size_t(id.index)] = true;
    }
    for (const ValueId id : graph.inputs) {
        valueToProto(graph.value(id), *proto.add_input());
        listed[std::size_t(id.index)] = true;
    }
    for (const NodeId id : topologicalOrder(graph)) {
        const Node &node = graph.node(id);
        nodeToProto(graph, node, *proto.add_node(), writeBytes);
        for (const ValueId output : node.outputs) {
            if (output.valid())
                made[std::size_t(output.index)] = true;
        }
    }
    for (const ValueId id : graph.outputs) {
        valueToProto(graph.value(id), *proto.add_output());
        listed[std::size_t(id.index)] = true;
    }
    for (const ValueId id : graph.values()) {
        const Value &value = graph.value(id);
        if (made[std::size_t(id.index)] && !listed[std::size_t(id.index)] && (value.type != DataType::Undefined || !value.unknownFields.empty()))
            valueToProto(value, *proto.add_value_info());
    }
}

} // namespace core

#include "core/graph/topology.h"
#include "core/onnx/proto_graph.h"
#include "core/onnx/proto_tensor.h"
#include "core/onnx/read_context.h"
#include "core/onnx/wire.h"

#include <onnx/onnx_pb.h>
#include <unordered_set>

namespace core {
namespace {

constexpr int deepestBody = 32;
constexpr std::int64_t largestDimension = std::int64_t(1) << 48;

using Kind = onnx::AttributeProto;

std::string nodeText(const onnx::NodeProto &node, int position)
{
    const std::string type = node.op_type().empty() ? "" : " (" + inQuotes(node.op_type()) + ")";
    return node.name().empty() ? "Node number " + std::to_string(position) + type + ", which has no name," : "Node " + inQuotes(node.name()) + type;
}

std::string normalDomain(const std::string &domain)
{
    return domain == "ai.onnx" ? std::string() : domain;
}

Kind::AttributeType attributeKind(const onnx::AttributeProto &attribute)
{
    if (attribute.has_type() && attribute.type() != Kind::UNDEFINED)
        return attribute.type();
    if (!attribute.has_type() && hasField(attribute.SerializeAsString(), Kind::kTypeFieldNumber))
        return Kind::UNDEFINED;
    // Files from before the type was mandatory.
    if (attribute.has_f())
        return Kind::FLOAT;
    if (attribute.has_i())
        return Kind::INT;
    if (attribute.has_s())
        return Kind::STRING;
    if (attribute.has_t())
        return Kind::TENSOR;
    if (attribute.has_g())
        return Kind::GRAPH;
    if (attribute.floats_size())
        return Kind::FLOATS;
    if (attribute.ints_size())
        return Kind::INTS;
    if (attribute.strings_size())
        return Kind::STRINGS;
    return Kind::UNDEFINED;
}

class GraphReader {
public:
    GraphReader(ReadContext &context, const GraphReader *outer, std::string place, int depth)
        : m_context(context)
        , m_outer(outer)
        , m_place(std::move(place))
        , m_depth(depth)
    {
    }

    Graph read(onnx::GraphProto &proto);

private:
    enum Maker : int { Outside = -4, Input = -3, Initializer = -2, Nobody = -1 };

    [[noreturn]] void fail(const std::string &sentence) const { m_context.fail(sentence + m_place); }
    bool sees(const std::string &name) const { return m_graph.findValue(name).valid() || (m_outer && m_outer->sees(name)); }
    ValueId define(const std::string &name, int maker, const onnx::GraphProto &proto);
    std::string makerText(int maker, const onnx::GraphProto &proto) const;
    ValueId resolve(const std::string &name, const std::string &user);

    void readInitializers(onnx::GraphProto &proto);
    void readInputs(onnx::GraphProto &proto);
    void readNodes(onnx::GraphProto &proto);
    void readNode(onnx::NodeProto &proto, int position, std::string name);
    void readOutputs(onnx::GraphProto &proto);
    void applyInfo(ValueId id, onnx::ValueInfoProto &info);
    Shape readShape(const onnx::TensorShapeProto &proto, const std::string &value) const;
    AttributeValue readAttribute(onnx::AttributeProto &proto, const onnx::NodeProto &node, const std::string &text);
    std::vector<std::string> nodeNames(const onnx::GraphProto &proto);

    ReadContext &m_context;
    const GraphReader *m_outer;
    std::string m_place;   ///< " (in the body …)", empty for the model's own graph
    int m_depth;
    Graph m_graph;
    std::vector<int> m_maker;              ///< by value id: node position or a Maker
};

std::string GraphReader::makerText(int maker, const onnx::GraphProto &proto) const
{
    if (maker == Input)
        return "a graph input";
    if (maker == Initializer)
        return "an initializer";
    const onnx::NodeProto &node = proto.node(maker);
    return node.name().empty() ? "node number " + std::to_string(maker) + " (" + inQuotes(node.op_type()) + ")" : "node " + inQuotes(node.name());
}

ValueId GraphReader::define(const std::string &name, int maker, const onnx::GraphProto &proto)
{
    if (const ValueId taken = m_graph.findValue(name); taken.valid())
        fail("Tensor " + inQuotes(name) + " is produced twice: by " + makerText(m_maker[std::size_t(taken.index)], proto) + " and by " + makerText(maker, proto)
             + ".");
    const ValueId id = m_graph.addValue(name);
    m_maker.push_back(maker);
    return id;
}

ValueId GraphReader::resolve(const std::string &name, const std::string &user)
{
    if (name.empty())
        return {};
    if (const ValueId id = m_graph.findValue(name); id.valid())
        return id;
    if (!m_outer || !m_outer->sees(name))
        fail(user + " tensor " + inQuotes(name) + ", which no node produces and which is neither an input nor an initializer.");
    m_maker.push_back(Outside);
    return m_graph.addValue(name);
}

void GraphReader::readInitializers(onnx::GraphProto &proto)
{
    for (int i = 0; i < proto.initializer_size(); ++i) {
        onnx::TensorProto &tensor = *proto.mutable_initializer(i);
        if (tensor.name().empty())
            fail("Initializer number " + std::to_string(i) + " has no name.");
        const ValueId id = define(tensor.name(), Initializer, proto);
        m_graph.setConstant(id, tensorFromProto(tensor, m_context, "Initializer " + inQuotes(tensor.name())));
        tensor.Clear();
    }
    for (int i = 0; i < proto.sparse_initializer_size(); ++i) {
        onnx::SparseTensorProto &sparse = *proto.mutable_sparse_initializer(i);
        const std::string name = sparse.values().name();
        if (name.empty())
            fail("Sparse initializer number " + std::to_string(i) + " has no name.");
        const ValueId id = define(name, Initializer, proto);
        m_graph.setConstant(id, tensorFromSparse(sparse, m_context, "Sparse initializer " + inQuotes(name)));
    }
}

void GraphReader::readInputs(onnx::GraphProto &proto)
{
    for (int i = 0; i < proto.input_size(); ++i) {
        onnx::ValueInfoProto &info = *proto.mutable_input(i);
        if (info.name().empty())
            fail("Graph input number " + std::to_string(i) + " has no name.");
        if (const ValueId constant = m_graph.findValue(info.name()); constant.valid() && m_graph.isConstant(constant))
            continue;
        const ValueId id = define(info.name(), Input, proto);
        m_graph.inputs.push_back(id);
        applyInfo(id, info);
    }
}

Shape GraphReader::readShape(const onnx::TensorShapeProto &proto, const std::string &value) const
{
    Shape shape;
    for (const auto &dim : proto.dim()) {
        if (dim.dim_value() > largestDimension)
            fail("Tensor " + inQuotes(value) + " is said to have a dimension of " + std::to_string(dim.dim_value()) + ".");
        if (dim.has_dim_value() && dim.dim_value() >= 0)
            shape.push_back({dim.dim_value(), {}});
        else
            shape.push_back({-1, dim.dim_param()});
    }
    return shape;
}

void GraphReader::applyInfo(ValueId id, onnx::ValueInfoProto &info)
{
    Value &value = m_graph.value(id);
    if (info.has_type() && info.type().has_tensor_type()) {
        const auto &tensor = info.type().tensor_type();
        value.type = DataType(tensor.elem_type());
        value.shape.reset();
        if (tensor.has_shape())
            value.shape = readShape(tensor.shape(), value.name);
        info.mutable_type()->clear_tensor_type();
        if (info.type().ByteSizeLong() == 0)
            info.clear_type();
    }
    info.clear_name();
    value.unknownFields = info.SerializeAsString();
}

std::vector<std::string> GraphReader::nodeNames(const onnx::GraphProto &proto)
{
    std::unordered_set<std::string> taken;
    std::vector<int> again;
    std::vector<std::string> names(std::size_t(proto.node_size()));
    for (int i = 0; i < proto.node_size(); ++i) {
        const std::string &name = proto.node(i).name();
        if (name.empty())
            continue;
        if (taken.insert(name).second)
            names[std::size_t(i)] = name;
        else
            again.push_back(i);
    }
    std::unordered_map<std::string, int> counters;
    for (const int i : again) {
        std::string &name = names[std::size_t(i)];
        do {
            name = proto.node(i).name() + "_" + std::to_string(++counters[proto.node(i).name()]);
        } while (!taken.insert(name).second);
    }
    if (!again.empty())
        m_context.warn("duplicate-node-name", proto.node(again.front()).name(),
                       std::to_string(again.size()) + (again.size() == 1 ? " node has" : " nodes have") + " a name that another node has already, such as "
                           + inQuotes(proto.node(again.front()).name()) + "; they were renamed, that one to " + inQuotes(names[std::size_t(again.front())]) + "."
                           + m_place,
                       Severity::Note);
    for (int i = 0; i < proto.node_size(); ++i) {
        std::string &name = names[std::size_t(i)];
        if (!name.empty())
            continue;
        name = proto.node(i).op_type() + "_" + std::to_string(i);
        while (!taken.insert(name).second)
            name += "_";
    }
    return names;
}

AttributeValue GraphReader::readAttribute(onnx::AttributeProto &proto, const onnx::NodeProto &node, const std::string &text)
{
    const std::string named = "attribute " + inQuotes(proto.name());
    if (!proto.ref_attr_name().empty())
        fail(text + " has the " + named + " that refers to " + inQuotes(proto.ref_attr_name()) + " of a function, but stands in none.");
    switch (attributeKind(proto)) {
    case Kind::FLOAT: return proto.f();
    case Kind::INT: return std::int64_t(proto.i());
    case Kind::STRING: return proto.s();
    case Kind::FLOATS: return std::vector<float>(proto.floats().begin(), proto.floats().end());
    case Kind::INTS: return std::vector<std::int64_t>(proto.ints().begin(), proto.ints().end());
    case Kind::STRINGS: return std::vector<std::string>(proto.strings().begin(), proto.strings().end());
    case Kind::TENSOR:
        if (!proto.has_t())
            fail(text + " has the " + named + " of type tensor without a tensor.");
        return tensorFromProto(*proto.mutable_t(), m_context, text + ", " + named + ",");
    case Kind::GRAPH: {
        if (!proto.has_g())
            fail(text + " has the " + named + " of type graph without a graph.");
        if (m_depth >= deepestBody)
            fail(text + " has a body nested deeper than " + std::to_string(deepestBody) + " levels.");
        const std::string inside = " (In " + inQuotes(proto.name()) + " of " + inQuotes(node.name().empty() ? node.op_type() : node.name()) + ".)";
        GraphReader body(m_context, this, inside, m_depth + 1);
        return std::make_shared<const Graph>(body.read(*proto.mutable_g()));
    }
    case Kind::SPARSE_TENSOR:
        if (node.op_type() == "Constant" && normalDomain(node.domain()).empty() && proto.has_sparse_tensor())
            return tensorFromSparse(*proto.mutable_sparse_tensor(), m_context, text + ", " + named + ",");
        break;
    default: break;
    }
    return OpaqueProto{proto.SerializeAsString()};
}

void GraphReader::readNode(onnx::NodeProto &proto, int position, std::string name)
{
    const std::string text = nodeText(proto, position);
    if (proto.op_type().empty())
        fail(text + " names no operator.");
    Node node;
    node.name = std::move(name);
    node.generatedName = proto.name().empty();
    node.opType = proto.op_type();
    node.domain = normalDomain(proto.domain());
    node.docString = proto.doc_string();
    for (const std::string &input : proto.input())
        node.inputs.push_back(resolve(input, text + " uses"));
    for (const std::string &output : proto.output())
        node.outputs.push_back(output.empty() ? ValueId{} : m_graph.findValue(output));
    for (onnx::AttributeProto &attribute : *proto.mutable_attribute()) {
        std::string key = attribute.name();
        if (key.empty() || node.attributes.contains(key))
            fail(text + (key.empty() ? " has an attribute without a name." : " has the attribute " + inQuotes(key) + " twice."));
        AttributeValue value = readAttribute(attribute, proto, text);
        const bool wasSparse = std::holds_alternative<TensorData>(value) && key == "sparse_value" && node.is("Constant");
        node.attributes.emplace(wasSparse ? "value" : std::move(key), std::move(value));
    }
    proto.clear_input();
    proto.clear_output();
    proto.clear_name();
    proto.clear_op_type();
    proto.clear_domain();
    proto.clear_attribute();
    proto.clear_doc_string();
    node.unknownFields = proto.SerializeAsString();
    m_graph.addNode(std::move(node));
}

void GraphReader::readNodes(onnx::GraphProto &proto)
{
    for (int i = 0; i < proto.node_size(); ++i) {
        for (const std::string &output : proto.node(i).output()) {
            if (!output.empty())
                define(output, i, proto);
        }
    }
    for (onnx::ValueInfoProto &info : *proto.mutable_value_info()) {
        if (const ValueId id = m_graph.findValue(info.name()); id.valid() && !m_graph.isConstant(id))
            applyInfo(id, info);
    }
    std::vector<std::string> names = nodeNames(proto);
    for (int i = 0; i < proto.node_size(); ++i)
        readNode(*proto.mutable_node(i), i, std::move(names[std::size_t(i)]));
}

void GraphReader::readOutputs(onnx::GraphProto &proto)
{
    for (int i = 0; i < proto.output_size(); ++i) {
        onnx::ValueInfoProto &info = *proto.mutable_output(i);
        if (info.name().empty())
            fail("Graph output number " + std::to_string(i) + " has no name.");
        const ValueId id = resolve(info.name(), "The graph has as an output");
        m_graph.outputs.push_back(id);
        if (!m_graph.isConstant(id))
            applyInfo(id, info);
    }
}

Graph GraphReader::read(onnx::GraphProto &proto)
{
    m_context.takeNodes(proto.node_size());
    m_graph.name = proto.name();
    m_graph.docString = proto.doc_string();
    readInitializers(proto);
    readInputs(proto);
    readNodes(proto);
    readOutputs(proto);
    m_graph.setOrder(withSubject(m_context, [this] { return topologicalOrder(m_graph); }));

    proto.clear_name();
    proto.clear_doc_string();
    proto.clear_initializer();
    proto.clear_sparse_initializer();
    proto.clear_input();
    proto.clear_output();
    proto.clear_node();
    proto.clear_value_info();
    m_graph.unknownFields = proto.SerializeAsString();
    return std::move(m_graph);
}

} // namespace

Graph graphFromProto(onnx::GraphProto &proto, ReadContext &context)
{
    return GraphReader(context, nullptr, "", 0).read(proto);
}

} // namespace core

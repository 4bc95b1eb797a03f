#include "core/graph/graph.h"

#include <algorithm>

namespace core {

namespace {

template <class T>
const T *typedAttribute(const Node &node, const std::string &attribute)
{
    const auto found = node.attributes.find(attribute);
    if (found == node.attributes.end())
        return nullptr;
    if (const T *typed = std::get_if<T>(&found->second))
        return typed;
    throw Error(ErrorKind::InvalidInput, "graph",
                node.opType + " '" + node.name + "' has an attribute '" + attribute + "' of the wrong type.");
}

std::string makeUnique(const std::string &wish, const auto &taken)
{
    if (!wish.empty() && !taken.contains(wish))
        return wish;
    const std::string stem = wish.empty() ? "unnamed" : wish;
    for (std::size_t suffix = 1;; ++suffix) {
        std::string candidate = stem + "_" + std::to_string(suffix);
        if (!taken.contains(candidate))
            return candidate;
    }
}

} // namespace

std::int64_t Node::intAttribute(const std::string &attribute, std::int64_t fallback) const
{
    const auto *typed = typedAttribute<std::int64_t>(*this, attribute);
    return typed ? *typed : fallback;
}

float Node::floatAttribute(const std::string &attribute, float fallback) const
{
    const auto *typed = typedAttribute<float>(*this, attribute);
    return typed ? *typed : fallback;
}

std::string Node::stringAttribute(const std::string &attribute, const std::string &fallback) const
{
    const auto *typed = typedAttribute<std::string>(*this, attribute);
    return typed ? *typed : fallback;
}

std::vector<std::int64_t> Node::intsAttribute(const std::string &attribute, const std::vector<std::int64_t> &fallback) const
{
    const auto *typed = typedAttribute<std::vector<std::int64_t>>(*this, attribute);
    return typed ? *typed : fallback;
}

std::vector<float> Node::floatsAttribute(const std::string &attribute) const
{
    const auto *typed = typedAttribute<std::vector<float>>(*this, attribute);
    return typed ? *typed : std::vector<float>{};
}

ValueId Graph::addValue(std::string valueName, DataType type, std::optional<Shape> shape)
{
    const ValueId id{std::int32_t(m_values.size())};
    valueName = uniqueValueName(valueName);
    m_valueByName.emplace(valueName, id);
    m_values.push_back(Value{id, std::move(valueName), type, std::move(shape), {}});
    return id;
}

NodeId Graph::addNode(Node node)
{
    const NodeId id{std::int32_t(m_nodes.size())};
    node.id = id;
    node.name = uniqueNodeName(node.name.empty() ? node.opType : node.name);
    m_nodeByName.emplace(node.name, id);
    m_nodes.push_back(std::move(node));
    m_order.push_back(id);
    return id;
}

NodeId Graph::insertNode(Node node, NodeId before)
{
    const NodeId id = addNode(std::move(node));
    m_order.pop_back();
    m_order.insert(std::find(m_order.begin(), m_order.end(), before), id);
    return id;
}

void Graph::removeNode(NodeId id)
{
    m_nodeByName.erase(node(id).name);
    m_nodes[std::size_t(id.index)].reset();
    std::erase(m_order, id);
}

void Graph::removeUnusedValues()
{
    std::vector<bool> used(m_values.size(), false);
    const auto mark = [&](ValueId id) {
        if (id)
            used[std::size_t(id.index)] = true;
    };
    for (const NodeId id : m_order) {
        std::ranges::for_each(node(id).inputs, mark);
        std::ranges::for_each(node(id).outputs, mark);
    }
    std::ranges::for_each(inputs, mark);
    std::ranges::for_each(outputs, mark);
    for (std::size_t i = 0; i < m_values.size(); ++i) {
        if (used[i] || !m_values[i])
            continue;
        m_constants.erase(ValueId{std::int32_t(i)});
        m_valueByName.erase(m_values[i]->name);
        m_values[i].reset();
    }
}

void Graph::setOrder(std::vector<NodeId> order)
{
    if (order.size() != m_order.size() || !std::ranges::all_of(order, [&](NodeId id) { return contains(id); }))
        throw Error(ErrorKind::Internal, "graph", "An order must name every node exactly once.");
    m_order = std::move(order);
}

bool Graph::contains(NodeId id) const
{
    return id && std::size_t(id.index) < m_nodes.size() && m_nodes[std::size_t(id.index)].has_value();
}

bool Graph::contains(ValueId id) const
{
    return id && std::size_t(id.index) < m_values.size() && m_values[std::size_t(id.index)].has_value();
}

const Node &Graph::node(NodeId id) const
{
    if (!contains(id))
        throw Error(ErrorKind::Internal, "graph", "There is no node with id " + std::to_string(id.index) + ".");
    return *m_nodes[std::size_t(id.index)];
}

Node &Graph::node(NodeId id)
{
    return const_cast<Node &>(std::as_const(*this).node(id));
}

const Value &Graph::value(ValueId id) const
{
    if (!contains(id))
        throw Error(ErrorKind::Internal, "graph", "There is no value with id " + std::to_string(id.index) + ".");
    return *m_values[std::size_t(id.index)];
}

Value &Graph::value(ValueId id)
{
    return const_cast<Value &>(std::as_const(*this).value(id));
}

std::vector<ValueId> Graph::values() const
{
    std::vector<ValueId> ids;
    for (const auto &value : m_values) {
        if (value)
            ids.push_back(value->id);
    }
    return ids;
}

ValueId Graph::findValue(std::string_view valueName) const
{
    const auto found = m_valueByName.find(std::string(valueName));
    return found == m_valueByName.end() ? ValueId{} : found->second;
}

NodeId Graph::findNode(std::string_view nodeName) const
{
    const auto found = m_nodeByName.find(std::string(nodeName));
    return found == m_nodeByName.end() ? NodeId{} : found->second;
}

std::string Graph::uniqueValueName(const std::string &wish) const
{
    return makeUnique(wish, m_valueByName);
}

std::string Graph::uniqueNodeName(const std::string &wish) const
{
    return makeUnique(wish, m_nodeByName);
}

void Graph::renameValue(ValueId id, std::string newName)
{
    Value &renamed = value(id);
    if (renamed.name == newName)
        return;
    if (m_valueByName.contains(newName))
        throw Error(ErrorKind::Internal, "graph", "Two tensors cannot both be named '" + newName + "'.");
    m_valueByName.erase(renamed.name);
    m_valueByName.emplace(newName, id);
    renamed.name = std::move(newName);
}

const TensorData *Graph::constant(ValueId id) const
{
    const auto found = m_constants.find(id);
    return found == m_constants.end() ? nullptr : &found->second;
}

void Graph::setConstant(ValueId id, TensorData data)
{
    Value &owner = value(id);
    owner.type = data.type;
    Shape shape;
    for (const std::int64_t size : data.dims)
        shape.push_back({size, {}});
    owner.shape = std::move(shape);
    m_constants.insert_or_assign(id, std::move(data));
}

void Graph::removeConstant(ValueId id)
{
    m_constants.erase(id);
}

ValueId Graph::addConstant(const std::string &wish, TensorData data)
{
    const ValueId id = addValue(wish);
    setConstant(id, std::move(data));
    return id;
}

NodeId Graph::producer(ValueId id) const
{
    for (const NodeId candidate : m_order) {
        if (std::ranges::find(node(candidate).outputs, id) != node(candidate).outputs.end())
            return candidate;
    }
    return {};
}

std::vector<Graph::Use> Graph::uses(ValueId id) const
{
    std::vector<Use> found;
    for (const NodeId candidate : m_order) {
        const std::vector<ValueId> &ids = node(candidate).inputs;
        for (std::size_t i = 0; i < ids.size(); ++i) {
            if (ids[i] == id)
                found.push_back({candidate, i});
        }
    }
    return found;
}

bool Graph::isOutput(ValueId id) const
{
    return std::ranges::find(outputs, id) != outputs.end();
}

void Graph::replaceUses(ValueId from, ValueId to, bool outputsToo)
{
    for (const NodeId id : m_order)
        std::ranges::replace(node(id).inputs, from, to);
    if (outputsToo)
        std::ranges::replace(outputs, from, to);
}

std::vector<std::vector<Graph::Use>> usesByValue(const Graph &graph)
{
    std::vector<std::vector<Graph::Use>> uses(std::size_t(graph.valueIdLimit()));
    for (const NodeId id : graph.order()) {
        const std::vector<ValueId> &inputs = graph.node(id).inputs;
        for (std::size_t i = 0; i < inputs.size(); ++i) {
            if (inputs[i])
                uses[std::size_t(inputs[i].index)].push_back({id, i});
        }
    }
    return uses;
}

std::vector<NodeId> producerByValue(const Graph &graph)
{
    std::vector<NodeId> producers(std::size_t(graph.valueIdLimit()));
    for (const NodeId id : graph.order()) {
        for (const ValueId output : graph.node(id).outputs) {
            if (output)
                producers[std::size_t(output.index)] = id;
        }
    }
    return producers;
}

} // namespace core

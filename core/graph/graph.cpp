#include "core/graph/graph.h"

#include <algorithm>
#include <unordered_set>

namespace core {
namespace {

template <class T>
T attributeOr(const Node &node, const std::string &attribute, const T &fallback, const char *expected)
{
    const auto found = node.attributes.find(attribute);
    if (found == node.attributes.end())
        return fallback;
    if (const T *value = std::get_if<T>(&found->second))
        return *value;
    throw Error(ErrorKind::InvalidInput, "graph",
                "Attribute '" + attribute + "' of " + node.opType + " '" + node.name + "' should be " + expected + " and is not.");
}

/// wish, wish_1, wish_2 …; doubling and halving, so that a million equal names stay cheap.
template <class Taken>
std::string uniqueName(const std::string &wish, Taken taken)
{
    if (!taken(wish))
        return wish;
    const auto numbered = [&wish](std::int64_t number) { return wish + "_" + std::to_string(number); };
    std::int64_t known = 0, free = 1;
    while (taken(numbered(free))) {
        known = free;
        free *= 2;
    }
    while (free - known > 1) {
        const std::int64_t middle = known + (free - known) / 2;
        (taken(numbered(middle)) ? known : free) = middle;
    }
    return numbered(free);
}

[[noreturn]] void missing(const char *what, std::int32_t index)
{
    throw Error(ErrorKind::Internal, "graph", std::string("There is no ") + what + " with id " + std::to_string(index) + ".");
}

} // namespace

std::int64_t Node::intAttribute(const std::string &attribute, std::int64_t fallback) const
{
    return attributeOr<std::int64_t>(*this, attribute, fallback, "an integer");
}

float Node::floatAttribute(const std::string &attribute, float fallback) const
{
    return attributeOr<float>(*this, attribute, fallback, "a float");
}

std::string Node::stringAttribute(const std::string &attribute, const std::string &fallback) const
{
    return attributeOr<std::string>(*this, attribute, fallback, "a string");
}

std::vector<std::int64_t> Node::intsAttribute(const std::string &attribute, const std::vector<std::int64_t> &fallback) const
{
    return attributeOr<std::vector<std::int64_t>>(*this, attribute, fallback, "a list of integers");
}

std::vector<float> Node::floatsAttribute(const std::string &attribute) const
{
    return attributeOr<std::vector<float>>(*this, attribute, {}, "a list of floats");
}

ValueId Graph::addValue(std::string valueName, DataType type, std::optional<Shape> shape)
{
    const ValueId id{std::int32_t(m_values.size())};
    Value value;
    value.id = id;
    value.name = uniqueValueName(valueName);
    value.type = type;
    value.shape = std::move(shape);
    m_valueByName.emplace(value.name, id);
    m_values.emplace_back(std::move(value));
    return id;
}

NodeId Graph::addNode(Node node)
{
    const NodeId id{std::int32_t(m_nodes.size())};
    node.id = id;
    if (node.name.empty())
        node.generatedName = true;
    node.name = uniqueNodeName(node.name.empty() ? node.opType : node.name);
    m_nodeByName.emplace(node.name, id);
    m_nodes.emplace_back(std::move(node));
    m_order.push_back(id);
    return id;
}

NodeId Graph::insertNode(Node node, NodeId before)
{
    if (!contains(before))
        missing("node", before.index);
    const NodeId id = addNode(std::move(node));
    m_order.pop_back();
    m_order.insert(std::find(m_order.begin(), m_order.end(), before), id);
    return id;
}

void Graph::removeNode(NodeId id)
{
    if (!contains(id))
        missing("node", id.index);
    m_nodeByName.erase(m_nodes[std::size_t(id.index)]->name);
    m_nodes[std::size_t(id.index)].reset();
    m_order.erase(std::find(m_order.begin(), m_order.end(), id));
}

void Graph::removeUnusedValues()
{
    std::vector<bool> used(m_values.size());
    const auto mark = [&used](ValueId id) {
        if (id.valid() && std::size_t(id.index) < used.size())
            used[std::size_t(id.index)] = true;
    };
    std::for_each(inputs.begin(), inputs.end(), mark);
    std::for_each(outputs.begin(), outputs.end(), mark);
    for (const NodeId id : m_order) {
        const Node &current = node(id);
        std::for_each(current.inputs.begin(), current.inputs.end(), mark);
        std::for_each(current.outputs.begin(), current.outputs.end(), mark);
        for (const std::string &captured : capturedNames(current))
            mark(findValue(captured));
    }
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
    std::vector<bool> seen(m_nodes.size());
    for (const NodeId id : order) {
        if (!contains(id) || seen[std::size_t(id.index)])
            missing("node (or it is listed twice)", id.index);
        seen[std::size_t(id.index)] = true;
    }
    if (order.size() != m_order.size())
        throw Error(ErrorKind::Internal, "graph", "The new order lists " + std::to_string(order.size()) + " of " + std::to_string(m_order.size()) + " nodes.");
    m_order = std::move(order);
}

bool Graph::contains(NodeId id) const
{
    return id.valid() && std::size_t(id.index) < m_nodes.size() && m_nodes[std::size_t(id.index)].has_value();
}

bool Graph::contains(ValueId id) const
{
    return id.valid() && std::size_t(id.index) < m_values.size() && m_values[std::size_t(id.index)].has_value();
}

const Node &Graph::node(NodeId id) const
{
    if (!contains(id))
        missing("node", id.index);
    return *m_nodes[std::size_t(id.index)];
}

Node &Graph::node(NodeId id)
{
    return const_cast<Node &>(std::as_const(*this).node(id));
}

const Value &Graph::value(ValueId id) const
{
    if (!contains(id))
        missing("value", id.index);
    return *m_values[std::size_t(id.index)];
}

Value &Graph::value(ValueId id)
{
    return const_cast<Value &>(std::as_const(*this).value(id));
}

std::vector<ValueId> Graph::values() const
{
    std::vector<ValueId> live;
    for (const std::optional<Value> &value : m_values) {
        if (value)
            live.push_back(value->id);
    }
    return live;
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
    return uniqueName(wish.empty() ? "value" : wish, [this](const std::string &name) { return m_valueByName.contains(name); });
}

std::string Graph::uniqueNodeName(const std::string &wish) const
{
    return uniqueName(wish.empty() ? "node" : wish, [this](const std::string &name) { return m_nodeByName.contains(name); });
}

void Graph::renameValue(ValueId id, std::string newName)
{
    Value &renamed = value(id);
    if (renamed.name == newName)
        return;
    if (m_valueByName.contains(newName))
        throw Error(ErrorKind::InvalidInput, "graph", "Tensor '" + renamed.name + "' cannot be renamed to '" + newName + "': that name is taken.");
    for (const NodeId user : m_order) {
        const std::vector<std::string> captured = capturedNames(node(user));
        if (std::find(captured.begin(), captured.end(), renamed.name) != captured.end())
            renameCaptured(node(user), renamed.name, newName);
    }
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
    Value &target = value(id);
    target.type = data.type;
    target.shape.emplace();
    for (const std::int64_t dim : data.dims)
        target.shape->push_back({dim, {}});
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
    if (!id.valid())
        return {};
    for (const NodeId nodeId : m_order) {
        const std::vector<ValueId> &made = node(nodeId).outputs;
        if (std::find(made.begin(), made.end(), id) != made.end())
            return nodeId;
    }
    return {};
}

std::vector<Graph::Use> Graph::uses(ValueId id) const
{
    std::vector<Use> found;
    if (!id.valid())
        return found;
    for (const NodeId nodeId : m_order) {
        const std::vector<ValueId> &taken = node(nodeId).inputs;
        for (std::size_t i = 0; i < taken.size(); ++i) {
            if (taken[i] == id)
                found.push_back({nodeId, i});
        }
    }
    return found;
}

bool Graph::isOutput(ValueId id) const
{
    return id.valid() && std::find(outputs.begin(), outputs.end(), id) != outputs.end();
}

void Graph::replaceUses(ValueId from, ValueId to, bool outputsToo)
{
    const std::string fromName = value(from).name, toName = value(to).name;
    for (const NodeId nodeId : m_order) {
        Node &user = node(nodeId);
        std::replace(user.inputs.begin(), user.inputs.end(), from, to);
        const std::vector<std::string> captured = capturedNames(user);
        if (std::find(captured.begin(), captured.end(), fromName) != captured.end())
            renameCaptured(user, fromName, toName);
    }
    if (outputsToo)
        std::replace(outputs.begin(), outputs.end(), from, to);
}

std::vector<std::vector<Graph::Use>> usesByValue(const Graph &graph)
{
    std::vector<std::vector<Graph::Use>> uses(std::size_t(graph.valueIdLimit()));
    for (const NodeId id : graph.order()) {
        const std::vector<ValueId> &taken = graph.node(id).inputs;
        for (std::size_t i = 0; i < taken.size(); ++i) {
            if (taken[i].valid())
                uses[std::size_t(taken[i].index)].push_back({id, i});
        }
    }
    return uses;
}

std::vector<NodeId> producerByValue(const Graph &graph)
{
    std::vector<NodeId> producers(std::size_t(graph.valueIdLimit()));
    for (const NodeId id : graph.order()) {
        for (const ValueId made : graph.node(id).outputs) {
            if (made.valid())
                producers[std::size_t(made.index)] = id;
        }
    }
    return producers;
}

std::vector<std::string> outerNames(const Graph &graph)
{
    std::unordered_set<std::string> own;
    for (const ValueId id : graph.inputs)
        own.insert(graph.value(id).name);
    for (const auto &[id, data] : graph.constants())
        own.insert(graph.value(id).name);
    for (const NodeId id : graph.order()) {
        for (const ValueId made : graph.node(id).outputs) {
            if (made.valid())
                own.insert(graph.value(made).name);
        }
    }
    std::vector<std::string> outer;
    const auto take = [&](const std::string &name) {
        if (own.insert(name).second)
            outer.push_back(name);
    };
    for (const NodeId id : graph.order()) {
        for (const ValueId taken : graph.node(id).inputs) {
            if (taken.valid())
                take(graph.value(taken).name);
        }
        for (const std::string &name : capturedNames(graph.node(id)))
            take(name);
    }
    for (const ValueId id : graph.outputs)
        take(graph.value(id).name);
    return outer;
}

std::vector<std::string> capturedNames(const Node &node)
{
    std::vector<std::string> names;
    std::unordered_set<std::string> seen;
    for (const auto &[key, attribute] : node.attributes) {
        if (const auto *body = std::get_if<std::shared_ptr<const Graph>>(&attribute); body && *body) {
            for (std::string &name : outerNames(**body)) {
                if (seen.insert(name).second)
                    names.push_back(std::move(name));
            }
        }
    }
    return names;
}

void renameCaptured(Node &node, const std::string &from, const std::string &to)
{
    for (auto &[key, attribute] : node.attributes) {
        auto *body = std::get_if<std::shared_ptr<const Graph>>(&attribute);
        if (!body || !*body)
            continue;
        const std::vector<std::string> outer = outerNames(**body);
        if (std::find(outer.begin(), outer.end(), from) == outer.end())
            continue;
        auto copy = std::make_shared<Graph>(**body);
        if (const ValueId shadow = copy->findValue(to); shadow.valid() && std::find(outer.begin(), outer.end(), to) == outer.end())
            copy->renameValue(shadow, copy->uniqueValueName(to));
        if (const ValueId inner = copy->findValue(from); inner.valid()) {
            if (const ValueId same = copy->findValue(to); same.valid())
                copy->replaceUses(inner, same, true);
            else
                copy->renameValue(inner, to);
        } else {
            for (const NodeId id : copy->order())
                renameCaptured(copy->node(id), from, to);
        }
        *body = std::move(copy);
    }
}

} // namespace core

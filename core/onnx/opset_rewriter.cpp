#include "core/onnx/opset_rewriter.h"

#include "core/graph/constant_value.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

namespace core {
namespace {

const std::shared_ptr<const Graph> *bodyOf(const AttributeValue &attribute)
{
    const auto *body = std::get_if<std::shared_ptr<const Graph>>(&attribute);
    return body && *body ? body : nullptr;
}

bool hasBodies(const Graph &graph)
{
    return std::any_of(graph.order().begin(), graph.order().end(), [&](NodeId id) {
        const auto &attributes = graph.node(id).attributes;
        return std::any_of(attributes.begin(), attributes.end(), [](const auto &entry) { return bodyOf(entry.second) != nullptr; });
    });
}

void collectNames(const Graph &graph, std::set<std::string> &names)
{
    for (const ValueId id : graph.values())
        names.insert(graph.value(id).name);
    for (const NodeId id : graph.order()) {
        for (const auto &[key, attribute] : graph.node(id).attributes) {
            if (const auto *body = bodyOf(attribute))
                collectNames(**body, names);
        }
    }
}

} // namespace

std::vector<OpsetRewriter::Annotation> OpsetRewriter::annotationsOf(const Graph &graph)
{
    std::vector<Annotation> annotations;
    for (const ValueId id : graph.values())
        annotations.push_back({id, graph.value(id).type, graph.value(id).shape});
    return annotations;
}

OpsetRewriter::OpsetRewriter(Graph &rewritten, int olderOpset, Diagnostics &diagnostics, const OpsetRewriter *outer)
    : graph(rewritten), opset(olderOpset), m_diagnostics(diagnostics), m_outer(outer), m_annotations(annotationsOf(graph)), m_inference(graph),
      m_names(outer ? outer->m_names : &m_ownNames), m_producers(producerByValue(graph)), m_used(std::size_t(graph.valueIdLimit()))
{
    if (!outer && hasBodies(graph))
        collectNames(graph, m_ownNames);
    const auto use = [this](ValueId id) {
        if (id.valid())
            m_used[std::size_t(id.index)] = true;
    };
    std::for_each(graph.outputs.begin(), graph.outputs.end(), use);
    for (const NodeId id : graph.order()) {
        const Node &node = graph.node(id);
        std::for_each(node.inputs.begin(), node.inputs.end(), use);
        for (const std::string &name : capturedNames(node))
            use(graph.findValue(name));
        if (!node.is("Constant") || !node.output().valid())
            continue;
        if (auto value = constantNodeValue(node))
            m_constantNodes.emplace(node.output(), std::move(*value));
    }
    if (!outer)
        return;
    for (const std::string &name : outerNames(graph)) {
        for (const OpsetRewriter *around = outer; around; around = around->m_outer) {
            const ValueId inside = graph.findValue(name), outside = around->graph.findValue(name);
            if (!inside.valid() || !outside.valid())
                continue;
            Value &inner = graph.value(inside);
            const Value &given = around->graph.value(outside);
            if (inner.type == DataType::Undefined)
                inner.type = given.type;
            if (!inner.shape && given.shape) {
                inner.shape = given.shape;
                for (Dimension &d : *inner.shape)
                    d.symbol.clear();
            }
            break;
        }
    }
}

void OpsetRewriter::run(const Plan &plan)
{
    const std::vector<NodeId> present = graph.order();
    std::vector<NodeId> order;
    order.reserve(present.size());
    for (const NodeId id : present) {
        rewriteBodies(id, plan);
        place(id, plan, order);
    }
    graph.setOrder(std::move(order));
    m_inference.finish();
    for (Annotation &annotation : m_annotations) {
        Value &value = graph.value(annotation.id);
        value.type = annotation.type;
        value.shape = std::move(annotation.shape);
    }
    if (m_detached)
        graph.removeUnusedValues();
}

// Only helps the rules along: what does not fit together is reported elsewhere.
void OpsetRewriter::infer(NodeId id)
{
    try {
        if (m_refused != id)
            m_inference.visit(id);
    } catch (const Error &) {
    }
}

void OpsetRewriter::place(NodeId id, const Plan &plan, std::vector<NodeId> &order)
{
    const bool lowers = plan.way == Plan::Way::Lower;
    if (plan.prepare)
        plan.prepare(*this, id);
    if (lowers)
        infer(id);
    if (const auto rule = plan.rules.find(graph.node(id).opType); rule != plan.rules.end() && graph.node(id).domain.empty())
        rule->second(*this, id);
    const auto placeHelper = [&](NodeId helper) {
        if (lowers) {
            place(helper, plan, order);
            return;
        }
        order.push_back(helper);
        infer(helper);
    };
    const std::vector<NodeId> before = std::exchange(m_before, {}), after = std::exchange(m_after, {});
    std::for_each(before.begin(), before.end(), placeHelper);
    order.push_back(id);
    if (!lowers)
        infer(id);
    if (plan.finish)
        plan.finish(*this, id);
    std::for_each(after.begin(), after.end(), placeHelper);
}

void OpsetRewriter::rewriteBodies(NodeId id, const Plan &plan)
{
    for (auto &[key, attribute] : graph.node(id).attributes) {
        const auto *body = bodyOf(attribute);
        if (!body)
            continue;
        auto copy = std::make_shared<Graph>(**body);
        OpsetRewriter inner(*copy, opset, m_diagnostics, this);
        inner.run(plan);
        m_detached = m_detached || inner.m_detached;   // a captured constant may have lost its last use
        attribute = std::shared_ptr<const Graph>(std::move(copy));
    }
}

const TensorData *OpsetRewriter::constant(ValueId id) const
{
    if (!id.valid())
        return nullptr;
    if (const TensorData *data = graph.constant(id))
        return data;
    if (const auto found = m_constantNodes.find(id); found != m_constantNodes.end())
        return &found->second;
    const bool made = std::size_t(id.index) >= m_producers.size() || m_producers[std::size_t(id.index)].valid()
                      || std::find(graph.inputs.begin(), graph.inputs.end(), id) != graph.inputs.end();
    return made || !m_outer ? nullptr : m_outer->constant(m_outer->graph.findValue(graph.value(id).name));
}

std::optional<Ints> OpsetRewriter::ints(ValueId id) const
{
    const TensorData *data = constant(id);
    if (!data || !isInteger(data->type))
        return {};
    return data->toInt64s();
}

std::optional<std::int64_t> OpsetRewriter::rank(ValueId id) const
{
    if (!id.valid())
        return {};
    if (const auto &shape = graph.value(id).shape)
        return std::int64_t(shape->size());
    const TensorData *data = constant(id);
    return data ? std::optional(std::int64_t(data->dims.size())) : std::nullopt;
}

DataType OpsetRewriter::type(ValueId id) const
{
    if (!id.valid())
        return DataType::Undefined;
    const DataType annotated = graph.value(id).type;
    if (annotated != DataType::Undefined)
        return annotated;
    const TensorData *data = constant(id);
    return data ? data->type : DataType::Undefined;
}

std::int64_t OpsetRewriter::size(ValueId id, std::int64_t axis) const
{
    const auto &shape = graph.value(id).shape;
    const std::int64_t rank = shape ? std::int64_t(shape->size()) : 0;
    if (axis < 0)
        axis += rank;
    return axis >= 0 && axis < rank ? (*shape)[std::size_t(axis)].size : -1;
}

bool OpsetRewriter::used(ValueId id) const
{
    return id.valid() && (std::size_t(id.index) >= m_used.size() || m_used[std::size_t(id.index)]);
}

std::string OpsetRewriter::freshName(const std::string &wish) const
{
    std::string name = graph.uniqueValueName(wish);
    for (int number = 2; m_names->contains(name); ++number)
        name = graph.uniqueValueName(wish + "_" + std::to_string(number));
    return name;
}

ValueId OpsetRewriter::addValue(NodeId owner, const char *role, DataType type, std::optional<Shape> shape)
{
    const ValueId output = graph.node(owner).output();
    const std::string base = output.valid() ? graph.value(output).name : graph.node(owner).name;
    const ValueId id = graph.addValue(freshName(base + "/" + role), type, std::move(shape));
    if (!m_names->empty())
        const_cast<std::set<std::string> *>(m_names)->insert(graph.value(id).name);
    return id;
}

ValueId OpsetRewriter::addConstant(NodeId owner, const char *role, TensorData data)
{
    const ValueId id = addValue(owner, role);
    graph.setConstant(id, std::move(data));
    return id;
}

ValueId OpsetRewriter::addInts(NodeId owner, const char *role, const Ints &values)
{
    return addConstant(owner, role, TensorData::fromInt64s({std::int64_t(values.size())}, values));
}

ValueId OpsetRewriter::addScalar(NodeId owner, const char *role, DataType type, double value)
{
    return addConstant(owner, role, floatScalar(type, value));
}

NodeId OpsetRewriter::addHelper(NodeId owner, const char *opType, std::vector<ValueId> inputs, Attributes attributes, const char *role, ValueId output)
{
    Node node;
    node.name = graph.node(owner).name + "/" + role;
    node.opType = opType;
    node.inputs = std::move(inputs);
    node.outputs = {output};
    node.attributes = std::move(attributes);
    node.generatedName = graph.node(owner).generatedName;
    return graph.addNode(std::move(node));
}

ValueId OpsetRewriter::before(NodeId owner, const char *opType, std::vector<ValueId> inputs, Attributes attributes, const char *role)
{
    const ValueId output = addValue(owner, role);
    m_before.push_back(addHelper(owner, opType, std::move(inputs), std::move(attributes), role, output));
    return output;
}

void OpsetRewriter::after(NodeId owner, const char *opType, std::vector<ValueId> inputs, Attributes attributes, const char *role, ValueId output)
{
    m_after.push_back(addHelper(owner, opType, std::move(inputs), std::move(attributes), role, output));
}

ValueId OpsetRewriter::divertOutput(NodeId id, const char *role)
{
    const Value &old = graph.value(graph.node(id).output());
    const ValueId fresh = addValue(id, role, old.type, old.shape);
    graph.node(id).outputs.front() = fresh;
    return fresh;
}

void OpsetRewriter::setInput(NodeId id, std::size_t index, ValueId value)
{
    std::vector<ValueId> &inputs = graph.node(id).inputs;
    if (inputs.size() <= index)
        inputs.resize(index + 1);
    inputs[index] = value;
}

void OpsetRewriter::dropInputs(NodeId id, std::size_t from)
{
    std::vector<ValueId> &inputs = graph.node(id).inputs;
    if (inputs.size() <= from)
        return;
    m_detached = true;
    inputs.resize(from);
}

void OpsetRewriter::omitInput(NodeId id, std::size_t index)
{
    std::vector<ValueId> &inputs = graph.node(id).inputs;
    if (index >= inputs.size() || !inputs[index].valid())
        return;
    m_detached = true;
    inputs[index] = {};
    while (!inputs.empty() && !inputs.back().valid())
        inputs.pop_back();
}

void OpsetRewriter::complain(NodeId id, const std::string &why)
{
    const Node &node = graph.node(id);
    m_refused = id;
    m_diagnostics.push_back({Severity::Problem, "opset-conversion", node.name, node.opType + " '" + node.name + "': " + why});
}

bool attributeToInput(OpsetRewriter &rewriter, NodeId id, const char *attribute, std::size_t index)
{
    Node &node = rewriter.graph.node(id);
    if (!node.has(attribute))
        return false;
    const Ints values = node.intsAttribute(attribute);
    node.attributes.erase(attribute);
    rewriter.setInput(id, index, rewriter.addInts(id, attribute, values));
    return true;
}

TensorData floatScalar(DataType type, double value)
{
    const auto bytesOf = [](auto number) {
        std::vector<std::byte> bytes(sizeof number);
        std::memcpy(bytes.data(), &number, sizeof number);
        return bytes;
    };
    switch (type) {
    case DataType::Float64: return TensorData::fromBytes(type, {}, bytesOf(value));
    case DataType::Float16: return TensorData::fromBytes(type, {}, bytesOf(floatToHalf(float(value))));
    case DataType::BFloat16: return TensorData::fromBytes(type, {}, bytesOf(floatToBfloat16(float(value))));
    default: return TensorData::fromBytes(DataType::Float32, {}, bytesOf(float(value)));
    }
}

} // namespace core

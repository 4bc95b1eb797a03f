#include "core/exec/if_inlining.h"

#include <algorithm>
#include <unordered_map>

namespace core {
namespace {

const std::shared_ptr<const Graph> *branchTaken(const Graph &graph, const Node &node)
{
    const TensorData *condition = node.is("If") && node.input(0).valid() ? graph.constant(node.input(0)) : nullptr;
    if (!condition || condition->count() != 1 || bitsPerElement(condition->type) == 0)
        return nullptr;
    const auto found = node.attributes.find(condition->toInt64s()[0] != 0 ? "then_branch" : "else_branch");
    const auto *body = found == node.attributes.end() ? nullptr : std::get_if<std::shared_ptr<const Graph>>(&found->second);
    return body && *body && (*body)->inputs.empty() && (*body)->outputs.size() == node.outputs.size() ? body : nullptr;
}

// Free in the graph and, unless it is the old name itself, not used in the body either, so that renaming never meets another name.
std::string freshName(const Graph &graph, const Graph &body, const std::string &name)
{
    std::string candidate = graph.uniqueValueName(name);
    while (candidate != name && body.findValue(candidate).valid())
        candidate = graph.uniqueValueName(candidate + "_inlined");
    return candidate;
}

class Inliner {
public:
    Inliner(Graph &graph, const Graph &body, const Node &conditional) : m_graph(graph), m_body(body), m_if(conditional) {}

    bool run()
    {
        for (const std::string &name : outerNames(m_body)) {
            const ValueId outside = m_graph.findValue(name);
            if (!outside.valid())
                return false;
            if (const ValueId inside = m_body.findValue(name); inside.valid())
                m_values[inside] = outside;
        }
        mapOutputs();
        for (const auto &[id, data] : m_body.constants())
            if (!m_values.contains(id))
                m_graph.setConstant(makeValue(id), data);
        for (const NodeId id : m_body.order())
            for (const ValueId made : m_body.node(id).outputs)
                if (made.valid() && !m_values.contains(made))
                    makeValue(made);
        for (const NodeId id : m_body.order())
            copyNode(m_body.node(id));
        for (std::size_t i = 0; i < m_if.outputs.size(); ++i)
            if (const ValueId source = m_values.at(m_body.outputs[i]); m_if.outputs[i].valid() && source != m_if.outputs[i])
                addIdentity(source, m_if.outputs[i]);
        return true;
    }

private:
    // What the body's nodes make becomes the If's output itself; captured values and constants get an Identity.
    void mapOutputs()
    {
        for (const NodeId id : m_body.order())
            for (const ValueId made : m_body.node(id).outputs) {
                const auto index = std::size_t(std::find(m_body.outputs.begin(), m_body.outputs.end(), made) - m_body.outputs.begin());
                if (made.valid() && index < m_body.outputs.size() && m_if.outputs[index].valid()) {
                    m_values[made] = m_if.outputs[index];
                    note(m_body.value(made).name, m_graph.value(m_if.outputs[index]).name);
                }
            }
    }

    ValueId makeValue(ValueId inside)
    {
        const Value &value = m_body.value(inside);
        const ValueId made = m_graph.addValue(freshName(m_graph, m_body, value.name), value.type, value.shape);
        note(value.name, m_graph.value(made).name);
        return m_values[inside] = made;
    }

    void note(const std::string &from, const std::string &to)
    {
        if (from != to)
            m_renamed.emplace_back(from, to);
    }

    void copyNode(const Node &node)
    {
        Node copy = node;
        for (ValueId &id : copy.inputs)
            if (id.valid())
                id = m_values.at(id);
        for (ValueId &id : copy.outputs)
            if (id.valid())
                id = m_values.at(id);
        for (const auto &[from, to] : m_renamed)
            renameCaptured(copy, from, to);
        m_graph.insertNode(std::move(copy), m_if.id);
    }

    void addIdentity(ValueId from, ValueId to)
    {
        Node node;
        node.name = m_if.name;
        node.opType = "Identity";
        node.inputs = {from};
        node.outputs = {to};
        m_graph.insertNode(std::move(node), m_if.id);
    }

    Graph &m_graph;
    const Graph &m_body;
    const Node &m_if;
    std::unordered_map<ValueId, ValueId> m_values;
    std::vector<std::pair<std::string, std::string>> m_renamed;
};

} // namespace

bool inlineConstantIf(Graph &graph, NodeId id)
{
    const Node conditional = graph.node(id);
    const auto *branch = branchTaken(graph, conditional);
    if (!branch)
        return false;
    const std::shared_ptr<const Graph> body = *branch;
    if (!Inliner(graph, *body, conditional).run())
        return false;
    graph.removeNode(id);
    return true;
}

} // namespace core

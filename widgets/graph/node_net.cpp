#include "widgets/graph/node_net.h"

#include <algorithm>
#include <string_view>

namespace widgets {
namespace {

using core::Graph;
using core::Node;
using core::NodeId;
using core::ValueId;

std::size_t at(std::int32_t index) { return std::size_t(index); }

struct Analysis {
    std::vector<NodeId> producers;
    std::vector<bool> constantValue;   // by value
    std::vector<bool> hidden;          // by node
    std::vector<ValueId> alias;        // by value: the tensor it is drawn as
    std::vector<NodeId> through;       // by value: DequantizeLinear that makes it
};

Analysis analyse(const Graph &graph)
{
    Analysis a;
    a.producers = core::producerByValue(graph);
    const auto uses = core::usesByValue(graph);
    a.constantValue.resize(at(graph.valueIdLimit()));
    a.hidden.resize(at(graph.nodeIdLimit()));
    a.alias.resize(a.constantValue.size());
    a.through.resize(a.constantValue.size());
    for (std::size_t i = 0; i < a.alias.size(); ++i)
        a.alias[i] = ValueId{std::int32_t(i)};
    for (const auto &[id, data] : graph.constants())
        a.constantValue[at(id.index)] = true;
    for (const NodeId id : graph.order()) {
        const Node &node = graph.node(id);
        const bool random = std::string_view(node.opType).starts_with("Random");
        const auto isConstant = [&](ValueId v) { return !v || a.constantValue[at(v.index)]; };
        if (!random && core::capturedNames(node).empty() && std::all_of(node.inputs.begin(), node.inputs.end(), isConstant)) {
            a.hidden[at(id.index)] = true;
            for (const ValueId out : node.outputs)
                if (out)
                    a.constantValue[at(out.index)] = true;
            continue;
        }
        const ValueId in = node.input(0), out = node.output();
        if (!in || !out)
            continue;
        if (node.is("QuantizeLinear")) {
            const auto &users = uses[at(out.index)];
            a.hidden[at(id.index)] = !users.empty() && !graph.isOutput(out) && std::all_of(users.begin(), users.end(), [&](const Graph::Use &u) {
                return u.inputIndex == 0 && graph.node(u.node).is("DequantizeLinear");
            });
        } else if (node.is("DequantizeLinear")) {
            const NodeId before = a.producers[at(in.index)];
            a.hidden[at(id.index)] = before && a.hidden[at(before.index)] && graph.node(before).is("QuantizeLinear");
        } else {
            continue;
        }
        if (a.hidden[at(id.index)]) {
            a.alias[at(out.index)] = a.alias[at(in.index)];
            a.through[at(out.index)] = id;
        }
    }
    return a;
}

void addOnce(std::vector<int> &list, int value)
{
    if (std::find(list.begin(), list.end(), value) == list.end())
        list.push_back(value);
}

} // namespace

NodeNet nodeNetOf(const Graph &graph)
{
    const Analysis a = analyse(graph);
    NodeNet net;
    net.indexOf.assign(a.hidden.size(), -1);
    for (const NodeId id : graph.order())
        if (!a.hidden[at(id.index)]) {
            net.indexOf[at(id.index)] = int(net.nodes.size());
            net.nodes.push_back(id);
        }
    const std::size_t count = net.nodes.size();
    net.next.resize(count);
    net.previous.resize(count);
    net.leaves.resize(count);
    net.enters.resize(count);

    std::vector<int> tensorOf(a.alias.size(), -1);
    const auto tensor = [&](ValueId value) -> NodeNet::Tensor & {
        int &index = tensorOf[at(value.index)];
        if (index < 0) {
            index = int(net.tensors.size());
            const NodeId producer = a.producers[at(value.index)];
            net.tensors.push_back({value, producer ? net.indexOf[at(producer.index)] : -1, {}});
        }
        return net.tensors[at(index)];
    };
    const auto use = [&](ValueId value, int node, int inputIndex) {
        if (!value || a.constantValue[at(value.index)])
            return;
        NodeNet::Tensor &t = tensor(a.alias[at(value.index)]);
        t.uses.push_back({node, inputIndex, a.through[at(value.index)]});
        if (t.source >= 0 && node >= 0) {
            addOnce(net.next[at(t.source)], node);
            addOnce(net.previous[at(node)], t.source);
        } else if (t.source >= 0) {
            net.leaves[at(t.source)] = true;
        } else if (node >= 0) {
            net.enters[at(node)] = true;
        }
    };
    for (const ValueId input : graph.inputs)
        if (input && !a.constantValue[at(input.index)])
            tensor(input);
    for (std::size_t n = 0; n < count; ++n) {
        const Node &node = graph.node(net.nodes[n]);
        for (std::size_t i = 0; i < node.inputs.size(); ++i)
            use(node.inputs[i], int(n), int(i));
        for (const std::string &name : core::capturedNames(node))
            use(graph.findValue(name), int(n), -1);
    }
    for (const ValueId output : graph.outputs)
        use(output, -1, -1);
    return net;
}

} // namespace widgets

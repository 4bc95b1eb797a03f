// If: the branch taken runs in an Executor of its own; what it captures comes as further inputs of the call.
#include "core/exec/executor.h"
#include "core/exec/op_common.h"

#include <ATen/ATen.h>

#include <algorithm>

namespace core {
namespace {

struct Branch {
    std::shared_ptr<Executor> executor;
    std::vector<std::size_t> captured; ///< index among the call's inputs
};

Branch makeBranch(const Node &node, const Graph &outer, const char *attribute)
{
    const auto found = node.attributes.find(attribute);
    const auto *body = found == node.attributes.end() ? nullptr : std::get_if<std::shared_ptr<const Graph>>(&found->second);
    if (!body || !*body)
        failNode(ErrorKind::InvalidInput, node, std::string("attribute ") + attribute + " is no graph.");
    if (!(*body)->inputs.empty())
        failNode(ErrorKind::InvalidInput, node, std::string("attribute ") + attribute + " is a graph with inputs.");
    if ((*body)->outputs.size() != node.outputs.size())
        failNode(ErrorKind::InvalidInput, node, std::string("attribute ") + attribute + " has " + std::to_string((*body)->outputs.size()) + " outputs, the node "
                 + std::to_string(node.outputs.size()) + ".");
    auto graph = std::make_shared<Graph>(**body);
    Branch branch;
    const std::vector<std::string> all = capturedNames(node);
    for (const std::string &name : outerNames(**body)) {
        ValueId id = graph->findValue(name);
        if (!id.valid())
            id = graph->addValue(name);
        graph->value(id).shape.reset();
        if (const ValueId source = outer.findValue(name); source.valid())
            graph->value(id).type = outer.value(source).type;
        graph->inputs.push_back(id);
        branch.captured.push_back(node.inputs.size() + std::size_t(std::find(all.begin(), all.end(), name) - all.begin()));
    }
    // As recorded by the outer run: gradients pass when that one records them.
    ExecutorOptions options;
    options.autograd = true;
    branch.executor = std::make_shared<Executor>(std::move(graph), options);
    return branch;
}

Kernel ifKernel(const Node &node, const Graph &graph)
{
    return [yes = makeBranch(node, graph, "then_branch"), no = makeBranch(node, graph, "else_branch"), label = nodeLabel(node)](OpCall &call) {
        if (call.inputs[0].numel() != 1)
            failCall(ErrorKind::InvalidInput, label, "the condition has " + std::to_string(call.inputs[0].numel()) + " elements, not one.");
        const Branch &branch = call.inputs[0].to(at::kBool).item<bool>() ? yes : no;
        std::vector<at::Tensor> feeds;
        for (const std::size_t index : branch.captured)
            feeds.push_back(call.inputs[index]);
        call.outputs = branch.executor->run(feeds);
    };
}

Kernel loopKernel(const Node &node, const Graph &)
{
    failNode(ErrorKind::Unsupported, node, "loops cannot be run; export the model with the loop unrolled.");
}

} // namespace

void registerControlOps(OpRegistry &registry)
{
    registry.add("If", ifKernel);
    registry.add("Loop", loopKernel);
    registry.add("Scan", loopKernel);
}

} // namespace core

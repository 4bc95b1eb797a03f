#include "core/exec/execution_plan.h"

#include "core/exec/differentiable.h"
#include "core/exec/fused_kernels.h"
#include "core/exec/op_common.h"
#include "core/exec/plan_optimizer.h"
#include "core/graph/topology.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <unordered_set>

namespace core {
namespace {

// c10 appends a backtrace and hints; the first line says what is wrong.
std::string firstLine(const char *text)
{
    std::string line(text);
    line = line.substr(0, line.find('\n'));
    if (const auto trace = line.find(" Exception raised from"); trace != std::string::npos)
        line.resize(trace);
    if (!line.empty() && line.back() != '.')
        line += '.';
    return line;
}

std::string shapesOf(std::span<const at::Tensor> inputs)
{
    std::string text;
    for (const at::Tensor &input : inputs) {
        text += text.empty() ? "" : ", ";
        if (!input.defined()) {
            text += "none";
            continue;
        }
        text += '[';
        for (std::int64_t d = 0; d < input.dim(); ++d)
            text += (d ? " x " : "") + std::to_string(input.size(d));
        text += ']';
    }
    return text;
}

[[noreturn]] void failPlan(const std::string &sentence)
{
    throw Error(ErrorKind::InvalidInput, "run", sentence);
}

void checkIds(const Graph &graph, const std::vector<ValueId> &ids, const char *what)
{
    for (const ValueId id : ids)
        if (!graph.contains(id))
            failPlan(std::string("A ") + what + " names a tensor (id " + std::to_string(id.index) + ") that the model does not have.");
}

// The needed part of the graph: feeds as inputs, what is shown as outputs, nothing else.
Graph extract(const Graph &graph, const std::vector<ValueId> &feeds, const std::vector<ValueId> &shown)
{
    Graph part = graph;
    const std::vector<NodeId> needed = nodesNeeded(graph, shown, feeds);
    const std::unordered_set<NodeId> keep(needed.begin(), needed.end());
    for (const NodeId id : graph.order())
        if (!keep.contains(id))
            part.removeNode(id);
    for (const ValueId id : feeds)
        part.removeConstant(id);
    part.inputs = feeds;
    part.outputs.clear();
    for (const ValueId id : shown)
        if (std::find(part.outputs.begin(), part.outputs.end(), id) == part.outputs.end())
            part.outputs.push_back(id);
    return part;
}

void checkSources(const Graph &part, const std::vector<ValueId> &feeds)
{
    std::vector<bool> known(std::size_t(part.valueIdLimit()), false);
    for (const ValueId id : feeds) {
        if (known[std::size_t(id.index)])
            failPlan("Tensor '" + part.value(id).name + "' is fed twice.");
        known[std::size_t(id.index)] = true;
    }
    for (const auto &[id, data] : part.constants())
        known[std::size_t(id.index)] = true;
    const auto require = [&](ValueId id, const std::string &reader) {
        if (id.valid() && !known[std::size_t(id.index)])
            failPlan("Tensor '" + part.value(id).name + "' is needed " + reader + ", but is neither fed nor computed before.");
    };
    for (const NodeId id : part.order()) {
        const Node &node = part.node(id);
        for (const ValueId read : valuesRead(node, part))
            require(read, "by " + nodeLabel(node));
        for (const ValueId made : node.outputs)
            if (made.valid())
                known[std::size_t(made.index)] = true;
    }
    for (const ValueId id : part.outputs)
        require(id, "as a result");
}

bool isSpatial(const Node &node)
{
    static const std::unordered_set<std::string> types{"Conv", "ConvTranspose", "MaxPool", "AveragePool", "LpPool", "GlobalAveragePool", "GlobalMaxPool",
                                                       "Resize", "BatchNormalization", "DepthToSpace", "SpaceToDepth"};
    return types.contains(node.opType);
}

bool keepsLayout(const Node &node)
{
    static const std::unordered_set<std::string> types{"Add", "Sub", "Mul", "Div", "Relu", "Clip", "LeakyRelu", "PRelu", "Sigmoid", "Tanh", "Pad",
                                                       "Identity", "Cast", "QuantizeLinear", "DequantizeLinear", "FakeQuantize", "Concat", "Split", "Slice"};
    return types.contains(node.opType);
}

bool feedsSpatialOp(const Graph &part, const std::vector<std::vector<Graph::Use>> &uses, ValueId value, int depth = 0)
{
    for (const Graph::Use &use : uses[std::size_t(value.index)]) {
        const Node &node = part.node(use.node);
        if (isSpatial(node) && use.inputIndex == 0)
            return true;
        if (keepsLayout(node) && depth < 8)
            for (const ValueId made : node.outputs)
                if (made.valid() && feedsSpatialOp(part, uses, made, depth + 1))
                    return true;
    }
    return false;
}

void addSteps(ExecutionPlan &plan, const Graph &part, const ExecutorOptions &options)
{
    Diagnostics problems;
    bool unsupported = false;
    for (const NodeId id : part.order()) {
        const Node &node = part.node(id);
        const auto given = options.kernels.find(id);
        KernelOrReason made = given != options.kernels.end() ? KernelOrReason{given->second, {}, false} : makeKernel(node, part, true);
        if (!made.reason.empty()) {
            problems.push_back({Severity::Problem, "unsupported-operator", node.name, made.reason});
            unsupported = unsupported || made.unsupported;
            continue;
        }
        PlanStep step;
        step.node = id;
        step.label = nodeLabel(node);
        step.kernel = std::move(made.kernel);
        step.hasGradient = hasGradient(node.opType) || given != options.kernels.end();
        step.inputs = valuesRead(node, part);
        step.outputs = node.outputs;
        for (const ValueId tap : options.taps)
            if (tap.valid() && std::find(node.outputs.begin(), node.outputs.end(), tap) != node.outputs.end())
                step.taps.push_back(tap);
        plan.steps.push_back(std::move(step));
    }
    if (!problems.empty())
        throw Error(unsupported ? ErrorKind::Unsupported : ErrorKind::InvalidInput, "run", joinSentences(problems));
}

void addConstants(ExecutionPlan &plan, const Graph &part, const ExecutorOptions &options)
{
    std::vector<bool> wanted(std::size_t(part.valueIdLimit()), false), convolved = wanted, other = wanted, trainable = wanted;
    for (const PlanStep &step : plan.steps)
        for (std::size_t i = 0; i < step.inputs.size(); ++i)
            if (step.inputs[i].valid()) {
                wanted[std::size_t(step.inputs[i].index)] = true;
                (i == 1 && part.node(step.node).is("Conv") ? convolved : other)[std::size_t(step.inputs[i].index)] = true;
                if (isTrainableInput(part.node(step.node), i))
                    trainable[std::size_t(step.inputs[i].index)] = true;
            }
    for (const ValueId id : part.outputs)
        wanted[std::size_t(id.index)] = other[std::size_t(id.index)] = trainable[std::size_t(id.index)] = true;
    for (const auto &[id, data] : part.constants()) {
        if (!wanted[std::size_t(id.index)])
            continue;
        at::Tensor tensor;
        try {
            tensor = toTensor(data);
        } catch (const Error &error) {
            throw Error(error.kind(), "run", "Constant '" + part.value(id).name + "': " + error.sentence());
        }
        const auto slot = std::size_t(id.index);
        if (tensor.dim() == 4 && tensor.is_floating_point() && convolved[slot] && !other[slot] && !options.autograd)
            tensor = tensor.contiguous(at::MemoryFormat::ChannelsLast);
        if (options.autograd && trainable[slot] && tensor.is_floating_point())
            tensor.set_requires_grad(true);
        plan.constants.emplace(id, std::move(tensor));
    }
    for (PlanStep &step : plan.steps) {
        step.constants.resize(step.inputs.size(), nullptr);
        for (std::size_t i = 0; i < step.inputs.size(); ++i)
            if (const auto found = plan.constants.find(step.inputs[i]); found != plan.constants.end())
                step.constants[i] = &found->second;
    }
}

void addLifetimes(ExecutionPlan &plan, const Graph &part)
{
    std::vector<bool> live(plan.slotCount, false);
    for (const ValueId id : plan.fetches)
        live[std::size_t(id.index)] = true;
    const std::unordered_set<ValueId> shown(part.outputs.begin(), part.outputs.end());
    for (auto step = plan.steps.rbegin(); step != plan.steps.rend(); ++step) {
        for (ValueId &made : step->outputs)
            if (made.valid() && !live[std::size_t(made.index)]) {
                if (shown.contains(made))
                    step->released.push_back(made);
                else
                    made = ValueId{};
            }
        step->dies.assign(step->inputs.size(), false);
        for (std::size_t i = 0; i < step->inputs.size(); ++i) {
            const ValueId id = step->inputs[i];
            if (!id.valid() || step->constants[i] || live[std::size_t(id.index)])
                continue;
            if (std::count(step->inputs.begin(), step->inputs.end(), id) == 1)
                step->dies[i] = true;
            else if (std::find(step->released.begin(), step->released.end(), id) == step->released.end())
                step->released.push_back(id);
        }
        for (const ValueId id : step->inputs)
            if (id.valid())
                live[std::size_t(id.index)] = true;
    }
}

} // namespace

std::vector<ValueId> valuesRead(const Node &node, const Graph &graph)
{
    std::vector<ValueId> read = node.inputs;
    for (const std::string &name : capturedNames(node)) {
        const ValueId id = graph.findValue(name);
        if (!id.valid())
            failNode(ErrorKind::InvalidInput, node, "its body reads tensor '" + name + "', which does not exist outside.");
        read.push_back(id);
    }
    return read;
}

KernelOrReason makeKernel(const Node &node, const Graph &graph, bool allowFused)
{
    KernelOrReason result;
    const KernelFactory *factory = OpRegistry::instance().find(node);
    const bool fused = allowFused && node.domain == fusedDomain;
    if (!factory && !fused) {
        result.reason = nodeLabel(node) + ": operator " + node.opType + (node.domain.empty() ? "" : " of domain '" + node.domain + "'") + " cannot be run.";
        return result;
    }
    try {
        result.kernel = fused ? makeFusedKernel(node) : (*factory)(node, graph);
    } catch (const Error &error) {
        const std::string label = nodeLabel(node);
        result.unsupported = error.kind() == ErrorKind::Unsupported;
        result.reason = error.sentence().find("'" + node.name + "'") != std::string::npos ? error.sentence() : label + ": " + error.sentence();
    } catch (const std::exception &error) {
        result.unsupported = false;
        result.reason = nodeLabel(node) + ": " + firstLine(error.what());
    }
    return result;
}

void invokeKernel(const Kernel &kernel, OpCall &call, const std::string &label)
{
    const auto fail = [&](const char *text) {
        failCall(ErrorKind::InvalidInput, label, firstLine(text) + " Its inputs have the shapes " + shapesOf(call.inputs) + ".");
    };
    try {
        kernel(call);
    } catch (const Error &) {
        throw;
    } catch (const c10::Error &error) {
        fail(error.what_without_backtrace());
    } catch (const std::exception &error) {
        fail(error.what());
    }
}

ExecutionPlan makePlan(const Graph &graph, const ExecutorOptions &options)
{
    ExecutionPlan plan;
    plan.feeds = options.feeds.empty() ? graph.inputs : options.feeds;
    plan.fetches = options.fetches.empty() ? graph.outputs : options.fetches;
    checkIds(graph, plan.feeds, "feed");
    checkIds(graph, plan.fetches, "fetch");
    checkIds(graph, options.taps, "tap");
    std::vector<ValueId> shown = plan.fetches;
    shown.insert(shown.end(), options.taps.begin(), options.taps.end());
    Graph part = extract(graph, plan.feeds, shown);
    checkSources(part, plan.feeds);
    for (const NodeId id : part.order())
        if (part.node(id).domain == fusedDomain)
            throw Error(ErrorKind::Unsupported, "run", makeKernel(part.node(id), part).reason);
    if (options.optimize && !options.autograd)
        optimizePlan(part);

    plan.slotCount = std::size_t(part.valueIdLimit());
    plan.inPlace = options.optimize && !options.autograd;
    addSteps(plan, part, options);
    addConstants(plan, part, options);
    addLifetimes(plan, part);

    const auto uses = usesByValue(part);
    for (const ValueId id : plan.feeds) {
        const Value &value = part.value(id);
        PlanFeed feed{id, value.name, value.type, {}, false, feedsSpatialOp(part, uses, id)};
        if (std::find(graph.inputs.begin(), graph.inputs.end(), id) != graph.inputs.end())
            feed.declared = value.shape;
        feed.used = !uses[std::size_t(id.index)].empty() || part.isOutput(id);
        for (const PlanStep &step : plan.steps)
            feed.used = feed.used || std::find(step.inputs.begin(), step.inputs.end(), id) != step.inputs.end();
        plan.feedChecks.push_back(std::move(feed));
    }
    const std::unordered_set<ValueId> fed(plan.feeds.begin(), plan.feeds.end());
    for (const ValueId id : options.taps)
        if (fed.contains(id) || plan.constants.contains(id))
            plan.firstTaps.push_back(id);
    return plan;
}

} // namespace core

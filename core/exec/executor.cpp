#include "core/exec/executor.h"

#include "core/exec/differentiable.h"
#include "core/exec/execution_plan.h"
#include "core/exec/op_common.h"

#include <ATen/ATen.h>

#include <optional>

namespace core {
namespace {

std::string sizesText(at::IntArrayRef sizes)
{
    std::string text = "[";
    for (std::size_t i = 0; i < sizes.size(); ++i)
        text += (i ? " x " : "") + std::to_string(sizes[i]);
    return text + "]";
}

std::string shapeText(const Shape &shape)
{
    std::string text = "[";
    for (std::size_t i = 0; i < shape.size(); ++i)
        text += (i ? " x " : "") + (shape[i].known() ? std::to_string(shape[i].size) : shape[i].symbol.empty() ? "?" : shape[i].symbol);
    return text + "]";
}

at::Tensor toStorage(const at::Tensor &tensor, const PlanFeed &feed)
{
    const std::string label = "Input '" + feed.name + "'";
    at::ScalarType wanted = feed.type == DataType::Undefined ? tensor.scalar_type() : storageScalarType(feed.type, label);
    if (feed.type == DataType::Undefined && (wanted == at::kHalf || wanted == at::kBFloat16))
        wanted = at::kFloat;
    if (tensor.scalar_type() == wanted)
        return tensor;
    const at::Tensor converted = tensor.to(wanted);
    if (!c10::isFloatingType(wanted) && !converted.to(tensor.scalar_type()).equal(tensor))
        failCall(ErrorKind::InvalidInput, label, "it holds values that do not fit its type, " + dataTypeName(feed.type) + ".");
    return converted;
}

at::Tensor prepareFeed(const at::Tensor &tensor, const PlanFeed &feed)
{
    const std::string label = "Input '" + feed.name + "'";
    if (!tensor.defined())
        failCall(ErrorKind::InvalidInput, label, "no tensor was given.");
    if (feed.declared) {
        bool fits = std::int64_t(feed.declared->size()) == tensor.dim();
        for (std::size_t i = 0; fits && i < feed.declared->size(); ++i)
            fits = !(*feed.declared)[i].known() || (*feed.declared)[i].size == tensor.size(std::int64_t(i));
        if (!fits)
            failCall(ErrorKind::InvalidInput, label,
                     "it has the shape " + sizesText(tensor.sizes()) + ", but the model declares " + shapeText(*feed.declared) + ".");
    }
    at::Tensor ready = toStorage(tensor, feed);
    if (feed.channelsLast && ready.dim() == 4 && ready.is_floating_point())
        return ready.contiguous(at::MemoryFormat::ChannelsLast);
    return ready;
}

// Nobody but the slot holds this tensor, and no other tensor looks at its memory.
bool ownsMemory(const at::Tensor &tensor)
{
    return tensor.defined() && tensor.use_count() == 1 && tensor.has_storage() && tensor.storage().use_count() == 1
        && tensor.is_non_overlapping_and_dense();
}

} // namespace

struct Executor::Plan {
    ExecutionPlan plan;
    bool autograd = false;
};

namespace {

class Run {
public:
    Run(const ExecutionPlan &plan, const Executor::Tap &tap) : m_plan(plan), m_tap(tap), m_slots(plan.slotCount) {}

    std::vector<at::Tensor> operator()(std::span<const at::Tensor> feeds)
    {
        takeFeeds(feeds);
        for (const ValueId id : m_plan.firstTaps)
            show(id);
        for (const PlanStep &step : m_plan.steps)
            runStep(step);
        std::vector<at::Tensor> results;
        for (const ValueId id : m_plan.fetches)
            results.push_back(valueOf(id));
        return results;
    }

private:
    void takeFeeds(std::span<const at::Tensor> feeds)
    {
        if (feeds.size() != m_plan.feedChecks.size())
            throw Error(ErrorKind::InvalidInput, "run", "The model takes " + std::to_string(m_plan.feedChecks.size()) + " inputs, "
                        + std::to_string(feeds.size()) + " were given." + firstMissing(feeds.size()));
        for (std::size_t i = 0; i < feeds.size(); ++i)
            if (m_plan.feedChecks[i].used)
                slot(m_plan.feedChecks[i].value) = prepareFeed(feeds[i], m_plan.feedChecks[i]);
    }

    std::string firstMissing(std::size_t given) const
    {
        return given < m_plan.feedChecks.size() ? " The first missing one is '" + m_plan.feedChecks[given].name + "'." : "";
    }

    void runStep(const PlanStep &step)
    {
        m_inputs.clear();
        for (std::size_t i = 0; i < step.inputs.size(); ++i) {
            if (step.constants[i])
                m_inputs.push_back(*step.constants[i]);
            else if (!step.inputs[i].valid())
                m_inputs.emplace_back();
            else if (step.dies[i])
                m_inputs.push_back(std::move(slot(step.inputs[i])));
            else
                m_inputs.push_back(slot(step.inputs[i]));
        }
        OpCall call;
        call.inputs = m_inputs;
        call.outputs.resize(step.outputs.size());
        if (m_plan.inPlace)
            call.mayOverwrite = [&](std::size_t i) { return i < step.dies.size() && step.dies[i] && ownsMemory(m_inputs[i]); };
        invokeKernel(step.kernel, call, step.label);
        if (step.hasGradient && at::GradMode::is_enabled())
            checkGradientPasses(call, step.label);
        m_inputs.clear();
        for (std::size_t i = 0; i < step.outputs.size(); ++i) {
            if (!step.outputs[i].valid())
                continue;
            if (!call.outputs[i].defined())
                failCall(ErrorKind::Internal, step.label, "output " + std::to_string(i) + " was not computed.");
            slot(step.outputs[i]) = std::move(call.outputs[i]);
        }
        for (const ValueId id : step.taps)
            show(id);
        for (const ValueId id : step.released)
            slot(id).reset();
    }

    void show(ValueId id)
    {
        if (m_tap)
            m_tap(id, valueOf(id));
    }

    const at::Tensor &valueOf(ValueId id)
    {
        const auto constant = m_plan.constants.find(id);
        return constant != m_plan.constants.end() ? constant->second : slot(id);
    }

    at::Tensor &slot(ValueId id) { return m_slots[std::size_t(id.index)]; }

    const ExecutionPlan &m_plan;
    const Executor::Tap &m_tap;
    std::vector<at::Tensor> m_slots, m_inputs;
};

} // namespace

Executor::Executor(std::shared_ptr<const Graph> graph, ExecutorOptions options) : m_plan(std::make_unique<Plan>())
{
    m_plan->autograd = options.autograd;
    const c10::AutoGradMode grad(options.autograd);
    m_plan->plan = makePlan(*graph, options);
}

Executor::~Executor() = default;
Executor::Executor(Executor &&) noexcept = default;
Executor &Executor::operator=(Executor &&) noexcept = default;

std::vector<at::Tensor> Executor::run(std::span<const at::Tensor> feeds, const Tap &tap)
{
    // Gradients are recorded only where both the executor and the caller want them.
    const c10::AutoGradMode grad(m_plan->autograd && c10::GradMode::is_enabled());
    return Run(m_plan->plan, tap)(feeds);
}

std::unordered_map<ValueId, at::Tensor> &Executor::parameters()
{
    return m_plan->plan.constants;
}

const std::vector<ValueId> &Executor::feeds() const
{
    return m_plan->plan.feeds;
}

const std::vector<ValueId> &Executor::fetches() const
{
    return m_plan->plan.fetches;
}

Diagnostics unsupportedNodes(const Graph &graph)
{
    Diagnostics problems;
    for (const NodeId id : graph.order()) {
        const Node &node = graph.node(id);
        const KernelOrReason made = makeKernel(node, graph);
        if (!made.reason.empty())
            problems.push_back({Severity::Problem, "unsupported-operator", node.name, made.reason});
    }
    return problems;
}

} // namespace core

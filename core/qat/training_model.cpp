#include "core/qat/training_model.h"

#include "core/exec/executor.h"
#include "core/qat/training_graph.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <map>
#include <set>

namespace core {
namespace {

/// The inputs that training changes where they are constants; weight decay is for the first kind.
struct TrainableInputs {
    std::vector<std::size_t> weights, plain;
};

const std::map<std::string, TrainableInputs> &trainableInputs()
{
    static const std::map<std::string, TrainableInputs> table{
        {"Conv", {{1}, {2}}}, {"ConvTranspose", {{1}, {2}}}, {"Gemm", {{1}, {2}}}, {"MatMul", {{0, 1}, {}}}, {"BatchNormalization", {{}, {1, 2}}},
        {"InstanceNormalization", {{}, {1, 2}}}, {"GroupNormalization", {{}, {1, 2}}}, {"LayerNormalization", {{}, {1, 2}}}, {"RMSNormalization", {{}, {1}}},
        {"PRelu", {{}, {1}}}, {"DeformConv", {{1}, {3}}}, {"LSTM", {{1, 2}, {3}}}, {"GRU", {{1, 2}, {3}}}, {"RNN", {{1, 2}, {3}}}};
    return table;
}

/// Constant → whether it is a weight for one of its readers.
std::map<ValueId, bool> trainableKinds(const Graph &graph)
{
    std::map<ValueId, bool> found;
    for (const NodeId id : graph.order()) {
        const Node &node = graph.node(id);
        const auto row = trainableInputs().find(node.opType);
        if (!node.domain.empty() || row == trainableInputs().end())
            continue;
        for (const bool weight : {true, false})
            for (const std::size_t i : weight ? row->second.weights : row->second.plain) {
                const TensorData *data = node.input(i).valid() ? graph.constant(node.input(i)) : nullptr;
                if (data && isFloatingPoint(data->type) && data->count() > 0)
                    found[node.input(i)] |= weight;
            }
    }
    return found;
}

at::Tensor asLeaf(const at::Tensor &constant)
{
    at::Tensor leaf = constant.detach().clone();
    if (leaf.dim() == 4)
        leaf = leaf.contiguous(at::MemoryFormat::ChannelsLast);
    return leaf.set_requires_grad(true);
}

} // namespace

std::vector<ValueId> trainableConstants(const Graph &graph)
{
    std::vector<ValueId> found;
    for (const auto &[id, weight] : trainableKinds(graph))
        found.push_back(id);
    return found;
}

struct TrainingModel::Impl {
    QuantizedModel start;
    TrainingGraph training;
    std::vector<std::shared_ptr<FoldedLayer>> layers;
    std::shared_ptr<bool> batchStatistics = std::make_shared<bool>(false);
    std::vector<ValueId> trained, running;       ///< constants of start.graph; statistics of BatchNormalization nodes
    std::vector<std::pair<std::string, FakeQuantizer *>> quantizers;   ///< each sharing set once, with its name in a checkpoint
    std::size_t outputs = 0;
    std::unique_ptr<Executor> executor;
    Diagnostics diagnostics;

    void prepareExecutor(const TrainingSpec &spec)
    {
        const Graph &graph = *training.graph;
        ExecutorOptions options;
        options.autograd = true;
        options.kernels = training.kernels;
        options.fetches = graph.outputs;
        outputs = graph.outputs.size();
        if (spec.loss.features > 0)
            for (const std::string &name : spec.loss.tensors) {
                const ValueId id = start.graph->findValue(name);
                if (!id.valid())
                    throw Error(ErrorKind::InvalidInput, "train", "The loss compares tensor '" + name + "', which the model does not have.");
                const auto moved = training.moved.find(id);
                options.fetches.push_back(moved != training.moved.end() ? moved->second : id);
            }
        executor = std::make_unique<Executor>(training.graph, options);
        std::set<ValueId> wanted;
        for (const ValueId id : trainableConstants(*start.graph))
            if (executor->parameters().contains(id))
                wanted.insert(id);
        for (auto &[id, tensor] : executor->parameters()) {
            if (wanted.contains(id) && tensor.scalar_type() == at::kFloat)
                tensor = asLeaf(tensor);
            else
                tensor.set_requires_grad(false);
        }
        trained.assign(wanted.begin(), wanted.end());
    }

    std::string nameOf(ValueId id) const { return start.graph->value(id).name; }

    void listQuantizers()
    {
        std::set<const FakeQuantizer *> seen;
        for (std::size_t i = 0; i < training.quantizers.size(); ++i)
            if (FakeQuantizer *quantizer = training.quantizers[i].get(); quantizer && seen.insert(quantizer).second)
                quantizers.emplace_back(nameOf(start.placement.points[i].value) + "#" + std::to_string(i), quantizer);
    }

    /// f(id, tensor) for every constant of start.graph that training changes.
    template <class F> void eachConstant(F &&f) const
    {
        for (const auto *ids : {&trained, &running})
            for (const ValueId id : *ids)
                if (const auto found = executor->parameters().find(id); found != executor->parameters().end())
                    f(id, found->second);
    }
};

TrainingModel::TrainingModel(const QuantizedModel &start, const Graph &source, const TrainingSpec &spec) : m_impl(std::make_unique<Impl>())
{
    m_impl->start = start;
    m_impl->start.diagnostics.clear();
    if (spec.batchNorm != BatchNormMode::Fixed) {
        m_impl->layers = foldedLayers(source, *start.graph, spec.batchNorm);
        if (m_impl->layers.empty())
            m_impl->diagnostics.push_back({Severity::Note, "batch-norm-fixed", "",
                                           "No layer has a BatchNormalization whose folded weights are still the model's; they are trained as they are."});
    }
    m_impl->training = buildTrainingGraph(m_impl->start, m_impl->layers);
    m_impl->listQuantizers();
    m_impl->prepareExecutor(spec);
}

TrainingModel::TrainingModel(std::shared_ptr<const Graph> graph, const TrainingSpec &spec) : m_impl(std::make_unique<Impl>())
{
    m_impl->start.graph = graph;
    *m_impl->batchStatistics = spec.batchNorm != BatchNormMode::Fixed;
    std::set<ValueId> running;
    for (const NodeId id : graph->order()) {
        const Node &node = graph->node(id);
        if (!node.is("BatchNormalization") || !graph->constant(node.input(3)) || !graph->constant(node.input(4)))
            continue;
        m_impl->training.kernels.emplace(id, batchNormTrainingKernel(node, m_impl->batchStatistics));
        running.insert({node.input(3), node.input(4)});
    }
    m_impl->training.graph = graph;
    m_impl->running.assign(running.begin(), running.end());
    m_impl->prepareExecutor(spec);
}

TrainingModel::~TrainingModel() = default;

TrainingModel::Result TrainingModel::operator()(std::span<const at::Tensor> inputs)
{
    std::vector<at::Tensor> all = m_impl->executor->run(inputs);
    Result result;
    result.features.assign(all.begin() + std::ptrdiff_t(m_impl->outputs), all.end());
    all.resize(m_impl->outputs);
    result.outputs = std::move(all);
    return result;
}

ParameterGroups TrainingModel::parameters() const
{
    ParameterGroups groups;
    const std::map<ValueId, bool> kinds = trainableKinds(*m_impl->start.graph);
    for (const ValueId id : m_impl->trained)
        (kinds.at(id) ? groups.weights : groups.plain).push_back({"parameter/" + m_impl->nameOf(id), m_impl->executor->parameters().at(id)});
    for (const auto &layer : m_impl->layers) {
        groups.weights.push_back({"layer/" + layer->name + ".weight", layer->rawWeight});
        groups.plain.push_back({"layer/" + layer->name + ".gamma", layer->gamma});
        groups.plain.push_back({"layer/" + layer->name + ".beta", layer->beta});
    }
    for (const auto &[name, quantizer] : m_impl->quantizers) {
        std::size_t i = 0;
        for (const at::Tensor &tensor : quantizer->trainable())
            groups.quantizers.push_back({"quantizer/" + name + "." + std::to_string(i++), tensor});
    }
    return groups;
}

void TrainingModel::afterStep()
{
    const c10::AutoGradMode off(false);
    for (const auto &[name, quantizer] : m_impl->quantizers)
        quantizer->afterStep();
}

void TrainingModel::freezeAverages()
{
    for (const auto &[name, quantizer] : m_impl->quantizers)
        quantizer->freezeAverages();
}

void TrainingModel::freezeBatchNorm()
{
    *m_impl->batchStatistics = false;
    for (const auto &layer : m_impl->layers)
        layer->frozen = true;
}

std::vector<NamedTensor> TrainingModel::state() const
{
    std::vector<NamedTensor> all;
    m_impl->eachConstant([&](ValueId id, const at::Tensor &tensor) { all.push_back({"parameter/" + m_impl->nameOf(id), tensor}); });
    for (const auto &layer : m_impl->layers)
        for (const NamedTensor &part : layer->state())
            all.push_back({"layer/" + part.name, part.tensor});
    for (const auto &[name, quantizer] : m_impl->quantizers)
        for (const NamedTensor &part : quantizer->state())
            all.push_back({"quantizer/" + name + "." + part.name, part.tensor});
    return all;
}

void TrainingModel::restore(const std::vector<NamedTensor> &state)
{
    const c10::AutoGradMode off(false);
    std::map<std::string, at::Tensor> byName;
    for (const NamedTensor &one : state)
        byName.emplace(one.name, one.tensor);
    const std::vector<NamedTensor> mine = this->state();
    for (const NamedTensor &one : mine) {
        const auto found = byName.find(one.name);
        if (found == byName.end() || found->second.sizes() != one.tensor.sizes())
            throw Error(ErrorKind::InvalidInput, "train", "The checkpoint " + std::string(found == byName.end() ? "lacks" : "has another size of") + " '" + one.name
                        + "'; it was made from another model or recipe.");
    }
    if (byName.size() != mine.size())
        throw Error(ErrorKind::InvalidInput, "train", "The checkpoint holds more tensors than the model; it was made from another model or recipe.");
    for (const NamedTensor &one : mine) {
        at::Tensor to = one.tensor.detach();
        to.copy_(byName.at(one.name));
    }
}

QuantizedModel TrainingModel::freeze() const
{
    const c10::AutoGradMode off(false);
    QuantizedModel model = m_impl->start;
    Graph graph = *model.graph;
    const auto put = [&graph](ValueId id, const at::Tensor &tensor) {
        TensorData data = toTensorData(tensor.detach().contiguous(), graph.constant(id)->type);
        data.docString = graph.constant(id)->docString;
        graph.setConstant(id, std::move(data));
    };
    m_impl->eachConstant(put);
    for (const auto &layer : m_impl->layers) {
        put(layer->weight, layer->foldedWeight());
        put(layer->bias, layer->foldedBias());
    }
    model.graph = std::make_shared<const Graph>(std::move(graph));
    for (std::size_t i = 0; i < m_impl->training.quantizers.size(); ++i) {
        FakeQuantizer *quantizer = m_impl->training.quantizers[i].get();
        if (!quantizer)
            continue;
        if (const TensorData *data = model.graph->constant(model.placement.points[i].value))
            (*quantizer)(toTensor(*data).to(at::kFloat)); // STE takes the range of the weights that it sees
        PointNumbers &numbers = model.numbers[i];
        numbers.params = quantizer->params();
        Range all = representableRange(numbers.params.front());
        for (const AffineParams &params : numbers.params) {
            const Range one = representableRange(params);
            all = {std::min(all.min, one.min), std::max(all.max, one.max)};
        }
        if (isIntegerDtype(model.placement.points[i].scheme.dtype))
            numbers.range = all;
    }
    return model;
}

std::vector<std::pair<std::string, double>> TrainingModel::thresholds(const std::string &node) const
{
    std::vector<std::pair<std::string, double>> found;
    const NodeId id = m_impl->start.graph->findNode(node);
    if (!id.valid())
        return found;
    for (const Point &point : m_impl->start.placement.points) {
        const FakeQuantizer *quantizer = m_impl->training.quantizers.empty() ? nullptr : m_impl->training.quantizers[std::size_t(point.id.index)].get();
        const bool reads = std::any_of(point.uses.begin(), point.uses.end(), [id](const Graph::Use &use) { return use.node == id; });
        if (quantizer && isIntegerDtype(point.scheme.dtype) && (reads || point.owner == id))
            found.emplace_back(m_impl->nameOf(point.value), quantizer->threshold());
    }
    return found;
}

std::vector<std::pair<std::string, at::Tensor>> TrainingModel::weights(const std::string &node) const
{
    const c10::AutoGradMode off(false);
    std::vector<std::pair<std::string, at::Tensor>> found;
    const NodeId id = m_impl->start.graph->findNode(node);
    if (!id.valid())
        return found;
    const auto &parameters = m_impl->executor->parameters();
    for (const ValueId input : m_impl->start.graph->node(id).inputs)
        if (const auto constant = parameters.find(input); input.valid() && constant != parameters.end() && constant->second.requires_grad())
            found.emplace_back(m_impl->nameOf(input), constant->second.detach());
    for (const auto &layer : m_impl->layers)
        if (layer->layer == id)
            found.emplace_back(m_impl->nameOf(layer->weight), layer->foldedWeight());
    return found;
}

std::string TrainingModel::firstNotFinite(std::span<const at::Tensor> inputs) const
{
    const c10::AutoGradMode off(false);
    ExecutorOptions options;
    options.autograd = true;
    options.kernels = m_impl->training.kernels;
    const Graph &graph = *m_impl->training.graph;
    for (const NodeId id : graph.order())
        for (const ValueId output : graph.node(id).outputs)
            if (output.valid())
                options.taps.push_back(output);
    Executor executor(m_impl->training.graph, options);
    const auto &parameters = m_impl->executor->parameters(); // lacks those of nodes that nobody reads
    for (auto &[id, tensor] : executor.parameters())
        if (const auto found = parameters.find(id); found != parameters.end())
            tensor = found->second;
    std::string first;
    const auto describe = [&](ValueId id) {
        const NodeId producer = graph.producer(id);
        return "tensor '" + graph.value(id).name + "'" + (producer.valid() ? " of node '" + graph.node(producer).name + "'" : "");
    };
    for (const ValueId id : m_impl->trained)
        if (first.empty() && !at::isfinite(parameters.at(id)).all().item<bool>())
            first = "weight '" + graph.value(id).name + "'";
    if (first.empty())
        executor.run(inputs, [&](ValueId id, const at::Tensor &tensor) {
            if (first.empty() && tensor.is_floating_point() && !at::isfinite(tensor).all().item<bool>())
                first = describe(id);
        });
    return first;
}

const Diagnostics &TrainingModel::diagnostics() const
{
    return m_impl->diagnostics;
}

} // namespace core

#include "core/qat/optimizer.h"

#include "core/base/error.h"

#include <torch/optim/adam.h>
#include <torch/optim/sgd.h>

#include <cmath>
#include <map>
#include <sstream>
#include <type_traits>

namespace core {
namespace {

namespace optim = torch::optim;

std::vector<at::Tensor> tensorsOf(const std::vector<NamedTensor> &named)
{
    std::vector<at::Tensor> tensors;
    for (const NamedTensor &one : named)
        tensors.push_back(one.tensor);
    return tensors;
}

/// LibTorch 2 keys its states by address, 1.13 by the address as text.
template <class Map> auto keyFor(const Map &, const at::Tensor &tensor)
{
    if constexpr (std::is_same_v<typename Map::key_type, std::string>)
        return (std::ostringstream() << static_cast<const void *>(tensor.unsafeGetTensorImpl())).str();
    else
        return static_cast<void *>(tensor.unsafeGetTensorImpl());
}

at::Tensor copied(const at::Tensor &tensor) { return tensor.defined() ? tensor.detach().clone() : tensor; }

} // namespace

struct Optimizer::Impl {
    TrainingSpec spec;
    std::vector<NamedTensor> parameters;
    std::unique_ptr<optim::Optimizer> optimizer;
    std::vector<double> rates;                ///< of the groups that are not empty

    void add(std::vector<optim::OptimizerParamGroup> &list, const std::vector<NamedTensor> &group, double rate, double decay)
    {
        if (group.empty())
            return;
        parameters.insert(parameters.end(), group.begin(), group.end());
        std::unique_ptr<optim::OptimizerOptions> options;
        if (spec.optimizer == OptimizerKind::Adam)
            options = std::make_unique<optim::AdamOptions>(optim::AdamOptions(rate).weight_decay(decay));
        else
            options = std::make_unique<optim::SGDOptions>(optim::SGDOptions(rate).momentum(spec.momentum).nesterov(spec.momentum > 0).weight_decay(decay));
        list.emplace_back(tensorsOf(group), std::move(options));
        rates.push_back(rate);
    }
};

std::vector<at::Tensor> ParameterGroups::all() const
{
    std::vector<at::Tensor> tensors;
    for (const auto *group : {&weights, &plain, &quantizers})
        for (const NamedTensor &one : *group)
            tensors.push_back(one.tensor);
    return tensors;
}

Optimizer::Optimizer(const TrainingSpec &spec, const ParameterGroups &groups) : m_impl(std::make_unique<Impl>())
{
    m_impl->spec = spec;
    std::vector<optim::OptimizerParamGroup> list;
    m_impl->add(list, groups.weights, spec.learningRate, spec.weightDecay);
    m_impl->add(list, groups.plain, spec.learningRate, 0);
    m_impl->add(list, groups.quantizers, spec.quantizerLearningRate, 0);
    if (list.empty())
        throw Error(ErrorKind::InvalidInput, "train", "The model has no weights that could be trained.");
    if (spec.optimizer == OptimizerKind::Adam)
        m_impl->optimizer = std::make_unique<optim::Adam>(std::move(list), optim::AdamOptions(spec.learningRate));
    else
        m_impl->optimizer = std::make_unique<optim::SGD>(std::move(list), optim::SGDOptions(spec.learningRate).momentum(spec.momentum));
}

Optimizer::~Optimizer() = default;

void Optimizer::setRateFactor(double factor)
{
    for (std::size_t i = 0; i < m_impl->rates.size(); ++i)
        m_impl->optimizer->param_groups()[i].options().set_lr(m_impl->rates[i] * factor);
}

void Optimizer::zeroGradients()
{
    for (const NamedTensor &one : m_impl->parameters)
        one.tensor.mutable_grad().reset();
}

void Optimizer::step()
{
    m_impl->optimizer->step();
    ++m_steps;
}

std::vector<NamedTensor> Optimizer::state() const
{
    std::vector<NamedTensor> saved;
    auto &states = m_impl->optimizer->state();
    for (const NamedTensor &one : m_impl->parameters) {
        const auto found = states.find(keyFor(states, one.tensor));
        if (found == states.end())
            continue;
        if (m_impl->spec.optimizer == OptimizerKind::Adam) {
            const auto &adam = static_cast<const optim::AdamParamState &>(*found->second);
            saved.push_back({one.name + ".mean", copied(adam.exp_avg())});
            saved.push_back({one.name + ".square", copied(adam.exp_avg_sq())});
            saved.push_back({one.name + ".step", at::scalar_tensor(double(adam.step()), at::kDouble)});
        } else if (const auto &sgd = static_cast<const optim::SGDParamState &>(*found->second); sgd.momentum_buffer().defined()) {
            saved.push_back({one.name + ".momentum", copied(sgd.momentum_buffer())});
        }
    }
    return saved;
}

void Optimizer::restore(const std::vector<NamedTensor> &state, std::int64_t steps)
{
    const auto refuse = [](const std::string &sentence) { return Error(ErrorKind::InvalidInput, "train", sentence); };
    std::map<std::string, at::Tensor> byName;
    for (const NamedTensor &one : state)
        byName.emplace(one.name, one.tensor);
    auto &states = m_impl->optimizer->state();
    std::remove_reference_t<decltype(states)> restored;
    const auto take = [&](const NamedTensor &parameter, const char *suffix, at::IntArrayRef sizes) {
        const auto found = byName.find(parameter.name + suffix);
        if (found == byName.end())
            return at::Tensor();
        const at::Tensor tensor = found->second;
        byName.erase(found);
        if (tensor.sizes() != sizes)
            throw refuse("The checkpoint's state of '" + parameter.name + "' has another size than the parameter.");
        return tensor;
    };
    for (const NamedTensor &one : m_impl->parameters) {
        const auto like = [&one](const at::Tensor &tensor) { return at::empty_like(one.tensor).copy_(tensor); };
        if (m_impl->spec.optimizer == OptimizerKind::Adam) {
            const at::Tensor mean = take(one, ".mean", one.tensor.sizes()), square = take(one, ".square", one.tensor.sizes()), count = take(one, ".step", {});
            if (!mean.defined() && !square.defined() && !count.defined())
                continue;
            const double made = count.defined() ? count.item<double>() : -1;
            if (!mean.defined() || !square.defined() || !(made >= 0 && made <= 0x1p53))
                throw refuse("The checkpoint's state of '" + one.name + "' is not complete.");
            auto adam = std::make_unique<optim::AdamParamState>();
            adam->exp_avg(like(mean));
            adam->exp_avg_sq(like(square));
            adam->step(std::int64_t(made));
            restored[keyFor(states, one.tensor)] = std::move(adam);
        } else if (const at::Tensor momentum = take(one, ".momentum", one.tensor.sizes()); momentum.defined()) {
            auto sgd = std::make_unique<optim::SGDParamState>();
            sgd->momentum_buffer(like(momentum));
            restored[keyFor(states, one.tensor)] = std::move(sgd);
        }
    }
    if (!byName.empty())
        throw refuse("The checkpoint holds a state of '" + byName.begin()->first + "', which this model does not train.");
    states = std::move(restored);
    m_steps = steps;
}

double clipGradients(const std::vector<at::Tensor> &parameters, double largest)
{
    double squares = 0;
    for (const at::Tensor &parameter : parameters)
        if (parameter.grad().defined()) {
            const double norm = at::linalg_vector_norm(parameter.grad(), 2, c10::nullopt, false, at::kDouble).item<double>();
            squares += norm * norm;
        }
    const double norm = std::sqrt(squares);
    if (largest > 0 && norm > largest && std::isfinite(norm))
        for (const at::Tensor &parameter : parameters)
            if (parameter.grad().defined())
                parameter.mutable_grad().mul_(largest / norm);
    return norm;
}

} // namespace core

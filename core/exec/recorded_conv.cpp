#include "core/exec/recorded_conv.h"

#include "core/exec/onednn.h"
#include "core/kernels/depthwise_gradient.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <unordered_map>

namespace core {
namespace {

using Ints = std::vector<std::int64_t>;
using dnnl::memory;

at::Tensor channelsLast(const at::Tensor &x) { return x.contiguous(at::MemoryFormat::ChannelsLast); }

struct Geometry {
    Ints source, weights, target, strides, dilations, before, after;   // weights with the groups in front, if there are several
    std::int64_t groups = 1;
    auto operator<=>(const Geometry &) const = default;

    memory::desc image(const Ints &sizes) const { return memory::desc(sizes, memory::data_type::f32, memory::format_tag::nhwc); }
    memory::desc anyWeights() const { return memory::desc(weights, memory::data_type::f32, memory::format_tag::any); }
    memory::desc plainWeights() const
    {
        return memory::desc(weights, memory::data_type::f32, groups > 1 ? memory::format_tag::goihw : memory::format_tag::oihw);
    }
    std::int64_t channels() const { return target[1]; }
    memory::desc bias() const { return memory::desc({channels()}, memory::data_type::f32, memory::format_tag::x); }
    bool depthwise() const { return groups > 1 && groups == source[1] && groups == channels(); }
};

/// A primitive and the weights in the order it wants.
struct Prepared {
    dnnl::primitive primitive;
    memory weights;
    bool reorders = false;
    dnnl::reorder reorder;
};

using Forward = dnnl::convolution_forward;
using BackwardData = dnnl::convolution_backward_data;
using BackwardWeights = dnnl::convolution_backward_weights;
constexpr auto direct = dnnl::algorithm::convolution_direct;

Forward::primitive_desc describe(const Geometry &g, bool bias)
{
    const memory::desc biasDesc = bias ? g.bias() : memory::desc();
    const auto kind = dnnl::prop_kind::forward_training;
#if DNNL_VERSION_MAJOR >= 3
    return {cpuEngine(), kind, direct, g.image(g.source), g.anyWeights(), biasDesc, g.image(g.target), g.strides, g.dilations, g.before, g.after};
#else
    return {{kind, direct, g.image(g.source), g.anyWeights(), biasDesc, g.image(g.target), g.strides, g.dilations, g.before, g.after}, cpuEngine()};
#endif
}

BackwardData::primitive_desc describeData(const Geometry &g)
{
#if DNNL_VERSION_MAJOR >= 3
    return {cpuEngine(), direct, g.image(g.source), g.anyWeights(), g.image(g.target), g.strides, g.dilations, g.before, g.after, describe(g, false)};
#else
    return {{direct, g.image(g.source), g.anyWeights(), g.image(g.target), g.strides, g.dilations, g.before, g.after}, cpuEngine(), describe(g, false)};
#endif
}

BackwardWeights::primitive_desc describeWeights(const Geometry &g, bool bias)
{
    const memory::desc biasDesc = bias ? g.bias() : memory::desc();
#if DNNL_VERSION_MAJOR >= 3
    return {cpuEngine(), direct, g.image(g.source), g.anyWeights(), biasDesc, g.image(g.target), g.strides, g.dilations, g.before, g.after, describe(g, bias)};
#else
    return {{direct, g.image(g.source), g.anyWeights(), biasDesc, g.image(g.target), g.strides, g.dilations, g.before, g.after}, cpuEngine(), describe(g, bias)};
#endif
}

Prepared prepare(const dnnl::primitive &primitive, const memory::desc &wanted, const memory::desc &plain, bool gradient)
{
    Prepared made{primitive, memory(wanted, cpuEngine()), wanted != plain, {}};
    if (made.reorders) {
        const memory other(plain, cpuEngine(), nullptr);
        made.reorder = gradient ? dnnl::reorder(made.weights, other) : dnnl::reorder(other, made.weights);
    }
    return made;
}

void run(dnnl::stream &stream, const dnnl::primitive &primitive, const std::unordered_map<int, memory> &arguments)
{
    primitive.execute(stream, arguments);
    stream.wait();
}

struct DepthwiseResult {
    at::Tensor weight, bias;
};

// Parts of at most 28 rows, added in order: the bits do not depend on the number of threads.
DepthwiseResult depthwiseGradient(const at::Tensor &x, const at::Tensor &dy, const Geometry &g, bool bias)
{
    constexpr std::int64_t rowsOfTask = 28;
    const std::int64_t c = g.channels(), rows = g.target[2], kernelHeight = g.weights[3], kernelWidth = g.weights[4], taps = kernelHeight * kernelWidth;
    const std::int64_t parts = (rows + rowsOfTask - 1) / rowsOfTask, tasks = parts * g.source[0];
    const DepthwiseShape shape{c, g.source[2], g.source[3], g.target[3], kernelHeight, kernelWidth, g.strides[0], g.strides[1], g.dilations[0] + 1, g.dilations[1] + 1,
                               g.before[0], g.before[1]};
    const at::Tensor sums = at::zeros({tasks, taps + 1, c}, at::kFloat);
    const float *const source = x.data_ptr<float>(), *const gradient = dy.data_ptr<float>();
    float *const sum = sums.data_ptr<float>();
    const std::int64_t imageSize = c * shape.height * shape.width, resultSize = c * rows * shape.outputWidth, partSize = (taps + 1) * c;
    at::parallel_for(0, tasks, 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t task = begin; task < end; ++task) {
            const std::int64_t image = task / parts, first = task % parts * rowsOfTask;
            float *const own = sum + task * partSize;
            addDepthwiseGradient(source + image * imageSize, gradient + image * resultSize, shape, first, std::min(rows, first + rowsOfTask), own, bias ? own + taps * c : nullptr);
        }
    });
    for (std::int64_t task = 1; task < tasks; ++task)
        for (std::int64_t i = 0; i < partSize; ++i)
            sum[i] += sum[task * partSize + i];
    return {sums[0].narrow(0, 0, taps).t().reshape({c, 1, kernelHeight, kernelWidth}).contiguous(), bias ? sums[0][taps].clone() : at::Tensor{}};
}

} // namespace

struct RecordedConv::State {
    enum class Kind { Forward, Data, Weights };

    at::Tensor forward(const at::Tensor &x, const at::Tensor &weight, const at::Tensor &bias, const Geometry &g)
    {
        const std::lock_guard lock(m_mutex);
        const Prepared &ready = prepared(g, Kind::Forward, bias.defined());
        const at::Tensor plain = weight.contiguous(), offset = bias.defined() ? bias.contiguous() : bias;
        at::Tensor y = at::empty(g.target, x.options().memory_format(at::MemoryFormat::ChannelsLast));
        dnnl::stream stream(cpuEngine());
        std::unordered_map<int, memory> arguments{{DNNL_ARG_SRC, wrap(g.image(g.source), x)}, {DNNL_ARG_WEIGHTS, ordered(stream, ready, g, plain)},
                                                  {DNNL_ARG_DST, wrap(g.image(g.target), y)}};
        if (offset.defined())
            arguments.emplace(DNNL_ARG_BIAS, wrap(g.bias(), offset));
        run(stream, ready.primitive, arguments);
        return y;
    }

    at::Tensor sourceGradient(const at::Tensor &dy, const at::Tensor &weight, const Geometry &g)
    {
        const std::lock_guard lock(m_mutex);
        const Prepared &ready = prepared(g, Kind::Data, false);
        const at::Tensor plain = weight.contiguous();
        at::Tensor dx = at::empty(g.source, dy.options().memory_format(at::MemoryFormat::ChannelsLast));
        dnnl::stream stream(cpuEngine());
        run(stream, ready.primitive, {{DNNL_ARG_DIFF_DST, wrap(g.image(g.target), dy)}, {DNNL_ARG_WEIGHTS, ordered(stream, ready, g, plain)},
                                      {DNNL_ARG_DIFF_SRC, wrap(g.image(g.source), dx)}});
        return dx;
    }

    DepthwiseResult weightGradient(const at::Tensor &x, const at::Tensor &dy, const Geometry &g, at::IntArrayRef sizes, bool bias)
    {
        if (g.depthwise())
            return depthwiseGradient(x, dy, g, bias);
        const std::lock_guard lock(m_mutex);
        const Prepared &ready = prepared(g, Kind::Weights, bias);
        DepthwiseResult result{at::empty(sizes, x.options().memory_format(at::MemoryFormat::Contiguous)), bias ? at::empty({g.channels()}, x.options().memory_format(at::MemoryFormat::Contiguous)) : at::Tensor{}};
        const memory plain = wrap(g.plainWeights(), result.weight), target = ready.reorders ? ready.weights : plain;
        dnnl::stream stream(cpuEngine());
        std::unordered_map<int, memory> arguments{{DNNL_ARG_SRC, wrap(g.image(g.source), x)}, {DNNL_ARG_DIFF_DST, wrap(g.image(g.target), dy)}, {DNNL_ARG_DIFF_WEIGHTS, target}};
        if (bias)
            arguments.emplace(DNNL_ARG_DIFF_BIAS, wrap(g.bias(), result.bias));
        run(stream, ready.primitive, arguments);
        if (ready.reorders)
            run(stream, ready.reorder, {{DNNL_ARG_FROM, target}, {DNNL_ARG_TO, plain}});
        return result;
    }

private:
    memory ordered(dnnl::stream &stream, const Prepared &ready, const Geometry &g, const at::Tensor &weight)
    {
        const memory plain = wrap(g.plainWeights(), weight);
        if (!ready.reorders)
            return plain;
        run(stream, ready.reorder, {{DNNL_ARG_FROM, plain}, {DNNL_ARG_TO, ready.weights}});
        return ready.weights;
    }

    const Prepared &prepared(const Geometry &g, Kind kind, bool bias)
    {
        const std::tuple key(g, kind, bias, at::get_num_threads());
        if (const auto found = m_prepared.find(key); found != m_prepared.end())
            return found->second;
        if (m_prepared.size() >= 32)   // inputs of ever new sizes
            m_prepared.clear();
        return m_prepared.emplace(key, make(g, kind, bias)).first->second;
    }

    static Prepared make(const Geometry &g, Kind kind, bool bias)
    {
        if (kind == Kind::Forward) {
            const auto description = describe(g, bias);
            return prepare(Forward(description), description.weights_desc(), g.plainWeights(), false);
        }
        if (kind == Kind::Data) {
            const auto description = describeData(g);
            return prepare(BackwardData(description), description.weights_desc(), g.plainWeights(), false);
        }
        const auto description = describeWeights(g, bias);
        return prepare(BackwardWeights(description), description.diff_weights_desc(), g.plainWeights(), true);
    }

    std::mutex m_mutex;
    std::map<std::tuple<Geometry, Kind, bool, int>, Prepared> m_prepared;
};

namespace {

/// What backward needs besides tensors.
template <class State>
struct Recipe : torch::CustomClassHolder {
    std::shared_ptr<State> state;
    Geometry geometry;
};

template <class State>
struct Convolution : torch::autograd::Function<Convolution<State>> {
    static at::Tensor forward(torch::autograd::AutogradContext *context, const at::Tensor &x, const at::Tensor &weight, const c10::optional<at::Tensor> &bias,
                              const c10::intrusive_ptr<Recipe<State>> &recipe)
    {
        const at::Tensor source = channelsLast(x);
        context->save_for_backward({source, weight});
        context->saved_data["recipe"] = c10::IValue::make_capsule(recipe);
        context->saved_data["bias"] = bias.has_value();
        return recipe->state->forward(source, weight, bias.value_or(at::Tensor()), recipe->geometry);
    }

    static torch::autograd::variable_list backward(torch::autograd::AutogradContext *context, const torch::autograd::variable_list &gradients)
    {
        const auto saved = context->get_saved_variables();
        const auto capsule = context->saved_data["recipe"].toCapsule();
        const auto &recipe = static_cast<const Recipe<State> &>(*capsule);
        const at::Tensor dy = channelsLast(gradients[0]);
        torch::autograd::variable_list result(4);
        const bool bias = context->saved_data["bias"].toBool() && context->needs_input_grad(2);
        if (context->needs_input_grad(0))
            result[0] = recipe.state->sourceGradient(dy, saved[1], recipe.geometry);
        if (context->needs_input_grad(1) || bias) {
            const DepthwiseResult made = recipe.state->weightGradient(saved[0], dy, recipe.geometry, saved[1].sizes(), bias);
            result[1] = made.weight;
            result[2] = made.bias;
        }
        return result;
    }
};

} // namespace

RecordedConv::RecordedConv() : m_state(std::make_shared<State>()) {}

bool RecordedConv::takes(const at::Tensor &x, const at::Tensor &weight, const at::Tensor &bias)
{
    const auto fits = [](const at::Tensor &tensor) { return tensor.device().is_cpu() && tensor.scalar_type() == at::kFloat && tensor.numel() > 0; };
    return x.dim() == 4 && fits(x) && fits(weight) && (!bias.defined() || fits(bias));
}

at::Tensor RecordedConv::operator()(const at::Tensor &x, const at::Tensor &weight, const at::Tensor &bias, const Window &window, std::int64_t groups) const
{
    auto recipe = c10::make_intrusive<Recipe<State>>();
    recipe->state = m_state;
    Geometry &g = recipe->geometry;
    g.source = x.sizes().vec();
    g.target = {x.size(0), weight.size(0), window.outputs[0], window.outputs[1]};
    g.weights = weight.sizes().vec();
    g.groups = groups;
    if (groups > 1) {
        g.weights[0] /= groups;
        g.weights.insert(g.weights.begin(), groups);
    }
    g.strides = window.strides;
    for (const auto dilation : window.dilations)
        g.dilations.push_back(dilation - 1);
    g.before = window.before;
    g.after = window.after;
    return Convolution<State>::apply(x, weight, bias.defined() ? c10::optional<at::Tensor>(bias) : c10::nullopt, recipe);
}

} // namespace core

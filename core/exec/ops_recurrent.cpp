// RNN, GRU, LSTM: forward, reverse and bidirectional, one step at a time on LibTorch operators.
#include "core/exec/matrix_product.h"
#include "core/exec/op_common.h"

#include <ATen/ATen.h>

#include <algorithm>

namespace core {
namespace {

using Activation = std::function<at::Tensor(const at::Tensor &)>;

struct Cell {
    enum class Kind { Rnn, Gru, Lstm };
    Kind kind = Kind::Rnn;
    std::int64_t hidden = 0;
    std::vector<Activation> activations;   ///< those of all directions in order
    bool forward = true, backward = false, batchFirst = false, linearBeforeReset = false, inputForget = false;
    float clip = 0;
    std::size_t gates() const { return kind == Kind::Rnn ? 1 : kind == Kind::Gru ? 3 : 4; }
    std::size_t activationsPerDirection() const { return kind == Kind::Rnn ? 1 : kind == Kind::Gru ? 2 : 3; }
};

// Lists of alpha and beta are shared: each activation that has a parameter takes the next one.
class Parameters {
public:
    explicit Parameters(const Node &node) : m_alpha(node.floatsAttribute("activation_alpha")), m_beta(node.floatsAttribute("activation_beta")) {}
    float alpha(float fallback) { return m_nextAlpha < m_alpha.size() ? m_alpha[m_nextAlpha++] : fallback; }
    float beta(float fallback) { return m_nextBeta < m_beta.size() ? m_beta[m_nextBeta++] : fallback; }
private:
    std::vector<float> m_alpha, m_beta;
    std::size_t m_nextAlpha = 0, m_nextBeta = 0;
};

Activation activation(const Node &node, std::string name, Parameters &parameters)
{
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return char(std::tolower(c)); });
    if (name == "tanh")
        return [](const at::Tensor &x) { return at::tanh(x); };
    if (name == "sigmoid")
        return [](const at::Tensor &x) { return sigmoidOf(x); };
    if (name == "relu")
        return [](const at::Tensor &x) { return at::relu(x); };
    if (name == "softsign")
        return [](const at::Tensor &x) { return x / (1 + at::abs(x)); };
    if (name == "softplus")
        return [](const at::Tensor &x) { return at::log1p(at::exp(-at::abs(x))) + at::clamp_min(x, 0); };
    if (name == "leakyrelu")
        return [a = parameters.alpha(0.01f)](const at::Tensor &x) { return at::leaky_relu(x, a); };
    if (name == "thresholdedrelu")
        return [a = parameters.alpha(1.0f)](const at::Tensor &x) { return at::where(x.gt(a), x, at::zeros_like(x)); };
    if (name == "elu")
        return [a = parameters.alpha(1.0f)](const at::Tensor &x) { return at::elu(x, a); };
    const float beta = name == "affine" ? 0.0f : name == "scaledtanh" ? 1.0f : 0.5f;
    if (name == "affine")
        return [a = parameters.alpha(1.0f), b = parameters.beta(beta)](const at::Tensor &x) { return x * a + b; };
    if (name == "scaledtanh")
        return [a = parameters.alpha(1.0f), b = parameters.beta(beta)](const at::Tensor &x) { return at::tanh(x * b) * a; };
    if (name == "hardsigmoid")
        return [a = parameters.alpha(0.2f), b = parameters.beta(beta)](const at::Tensor &x) { return at::clamp(x * a + b, 0, 1); };
    failNode(ErrorKind::Unsupported, node, "activation '" + name + "' is unknown.");
}

std::vector<std::string> activationNames(const Node &node)
{
    const auto found = node.attributes.find("activations");
    if (found == node.attributes.end())
        return {};
    if (const auto *names = std::get_if<std::vector<std::string>>(&found->second))
        return *names;
    failNode(ErrorKind::InvalidInput, node, "attribute activations is not a list of names.");
}

Cell readCell(const Node &node, Cell::Kind kind)
{
    Cell cell;
    cell.kind = kind;
    const std::string direction = node.stringAttribute("direction", "forward");
    if (direction != "forward" && direction != "reverse" && direction != "bidirectional")
        failNode(ErrorKind::InvalidInput, node, "attribute direction '" + direction + "' is unknown.");
    cell.forward = direction != "reverse";
    cell.backward = direction != "forward";
    cell.hidden = node.intAttribute("hidden_size", 0);
    cell.batchFirst = node.intAttribute("layout", 0) != 0;
    cell.linearBeforeReset = node.intAttribute("linear_before_reset", 0) != 0;
    cell.inputForget = node.intAttribute("input_forget", 0) != 0;
    cell.clip = node.floatAttribute("clip", 0);
    static const std::vector<std::string> defaults[] = {{"Tanh"}, {"Sigmoid", "Tanh"}, {"Sigmoid", "Tanh", "Tanh"}};
    const auto &usual = defaults[std::size_t(kind)];
    const std::size_t directions = std::size_t(cell.forward) + std::size_t(cell.backward);
    std::vector<std::string> names = activationNames(node);
    if (names.empty())
        for (std::size_t d = 0; d < directions; ++d)
            names.insert(names.end(), usual.begin(), usual.end());
    if (names.size() != usual.size() * directions)
        failNode(ErrorKind::InvalidInput, node, "there are " + std::to_string(names.size()) + " activations, " + std::to_string(usual.size() * directions)
                 + " are needed.");
    Parameters parameters(node);
    for (const auto &name : names)
        cell.activations.push_back(activation(node, name, parameters));
    return cell;
}

struct Weights {
    at::Tensor w, r, wBias, rBias, peephole;   // of one direction
};

struct State {
    at::Tensor hidden, cell;
};

at::Tensor limited(const at::Tensor &x, const Cell &cell) { return cell.clip > 0 ? at::clamp(x, -cell.clip, cell.clip) : x; }

State step(const Cell &cell, const Activation *act, const at::Tensor &projected, const State &state, const Weights &weights)
{
    const at::Tensor &h = state.hidden;
    if (cell.kind == Cell::Kind::Rnn)
        return {act[0](limited(projected + linearProduct(h, weights.r, weights.rBias), cell)), {}};
    const auto x = at::chunk(projected, std::int64_t(cell.gates()), 1);
    if (cell.kind == Cell::Kind::Gru) {
        const auto r = at::chunk(weights.r, 3, 0), b = at::chunk(weights.rBias, 3, 0);
        const at::Tensor update = act[0](limited(x[0] + linearProduct(h, r[0], b[0]), cell)), reset = act[0](limited(x[1] + linearProduct(h, r[1], b[1]), cell));
        const at::Tensor inner = cell.linearBeforeReset ? reset * linearProduct(h, r[2], b[2]) : linearProduct(reset * h, r[2], b[2]);
        const at::Tensor candidate = act[1](limited(x[2] + inner, cell));
        return {(1 - update) * candidate + update * h, {}};
    }
    // Gates in the order input, output, forget, cell; peepholes input, output, forget.
    const auto g = at::chunk(linearProduct(h, weights.r, weights.rBias), 4, 1);
    const auto p = at::chunk(weights.peephole, 3, 0);
    const at::Tensor input = act[0](limited(x[0] + g[0] + p[0] * state.cell, cell));
    const at::Tensor forget = cell.inputForget ? 1 - input : act[0](limited(x[2] + g[2] + p[2] * state.cell, cell));
    const at::Tensor next = forget * state.cell + input * act[1](limited(x[3] + g[3], cell));
    const at::Tensor output = act[0](limited(x[1] + g[1] + p[1] * next, cell));
    return {output * act[2](next), next};
}

// One direction over x [time, batch, features]; a sequence that has ended keeps its state and gives zeros.
at::Tensor runDirection(const Cell &cell, const Activation *act, const at::Tensor &x, const Weights &weights, const at::Tensor &lengths, bool backward, State &state)
{
    const std::int64_t steps = x.size(0);
    const at::Tensor projected = linearProduct(x, weights.w, weights.wBias);
    std::vector<at::Tensor> outputs(std::size_t(steps), at::Tensor{});
    for (std::int64_t i = 0; i < steps; ++i) {
        const std::int64_t t = backward ? steps - 1 - i : i;
        State next = step(cell, act, projected[t], state, weights);
        if (!lengths.defined()) {
            state = next;
            outputs[std::size_t(t)] = next.hidden;
            continue;
        }
        const at::Tensor running = lengths.gt(t).unsqueeze(1);
        outputs[std::size_t(t)] = at::where(running, next.hidden, at::zeros_like(next.hidden));
        state.hidden = at::where(running, next.hidden, state.hidden);
        if (next.cell.defined())
            state.cell = at::where(running, next.cell, state.cell);
    }
    return outputs.empty() ? at::zeros({0, x.size(1), cell.hidden}, x.options()) : at::stack(outputs, 0);
}

Kernel recurrentKernel(const Node &node, Cell::Kind kind)
{
    return [cell = readCell(node, kind), label = nodeLabel(node)](OpCall &call) mutable {
        const auto optional = [&](std::size_t i) { return i < call.inputs.size() ? call.inputs[i] : at::Tensor{}; };
        const at::Tensor x = cell.batchFirst ? call.inputs[0].transpose(0, 1) : call.inputs[0];
        const at::Tensor &w = call.inputs[1], &r = call.inputs[2];
        const std::int64_t directions = std::int64_t(cell.forward) + std::int64_t(cell.backward), hidden = r.dim() == 3 ? r.size(2) : 0;
        const auto rows = std::int64_t(cell.gates()) * hidden;
        if (x.dim() != 3 || w.dim() != 3 || r.dim() != 3 || w.size(0) != directions || r.size(0) != directions || w.size(1) != rows || r.size(1) != rows
            || w.size(2) != x.size(2))
            failCall(ErrorKind::InvalidInput, label, "input, W and R do not fit each other.");
        cell.hidden = hidden;
        const at::Tensor bias = optional(3), lengths = optional(4);
        const bool lstm = cell.kind == Cell::Kind::Lstm;
        const auto initial = [&](std::size_t i, std::int64_t d) {
            const at::Tensor given = optional(i);
            if (!given.defined())
                return at::zeros({x.size(1), hidden}, x.options());
            return cell.batchFirst ? given.select(1, d) : given.select(0, d);
        };
        std::vector<at::Tensor> sequences, lastHidden, lastCell;
        for (std::int64_t d = 0; d < directions; ++d) {
            Weights weights{w[d], r[d], {}, {}, {}};
            const at::Tensor both = bias.defined() ? bias[d] : at::zeros({2 * rows}, x.options());
            weights.wBias = both.narrow(0, 0, rows);
            weights.rBias = both.narrow(0, rows, rows);
            weights.peephole = lstm && optional(7).defined() ? optional(7)[d] : at::zeros({3 * hidden}, x.options());
            State state{initial(5, d), lstm ? initial(6, d) : at::Tensor{}};
            const Activation *act = cell.activations.data() + std::size_t(d) * cell.activationsPerDirection();
            sequences.push_back(runDirection(cell, act, x, weights, lengths, cell.backward && (d == 1 || !cell.forward), state));
            lastHidden.push_back(state.hidden);
            lastCell.push_back(state.cell);
        }
        const std::int64_t directionAxis = cell.batchFirst ? 1 : 0;
        const at::Tensor y = at::stack(sequences, 1);   // time, direction, batch, hidden
        if (!call.outputs.empty())
            call.outputs[0] = cell.batchFirst ? y.permute({2, 0, 1, 3}) : y;
        if (call.outputs.size() > 1)
            call.outputs[1] = at::stack(lastHidden, directionAxis);
        if (call.outputs.size() > 2)
            call.outputs[2] = at::stack(lastCell, directionAxis);
    };
}

} // namespace

void registerRecurrentOps(OpRegistry &registry)
{
    registry.add("RNN", [](const Node &node, const Graph &) { return recurrentKernel(node, Cell::Kind::Rnn); });
    registry.add("GRU", [](const Node &node, const Graph &) { return recurrentKernel(node, Cell::Kind::Gru); });
    registry.add("LSTM", [](const Node &node, const Graph &) { return recurrentKernel(node, Cell::Kind::Lstm); });
}

} // namespace core

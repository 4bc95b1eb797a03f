// Gradients of one operator, through an Executor, against central finite differences.
//
// Inputs in double are differentiable; whole numbers, truth values and float32 are constants. Checked are: all gradients together in double, each
// alone, all in float32 (where other kernels run), and that the recorded float32 result is that of inference.
#pragma once

#include "core/exec/executor.h"
#include "tests/support/run_node.h"

#include <memory>

namespace tests {

struct GradientCase {
    std::string name, type;
    std::vector<at::Tensor> inputs;   ///< undefined: omitted
    Attributes attributes;
    int outputs = 1;
    double step = 1e-5;               ///< operators that compute in float32 take a coarse one, and are linear
};

/// Distinct numbers between ±2.7, at least 0.001 away from 0 and each other; no kink of a usual function is hit.
inline at::Tensor distinct(const Ints &sizes, std::int64_t seed = 1, double factor = 1)
{
    std::int64_t count = 1;
    for (const auto size : sizes)
        count *= size;
    return ((at::arange(count, at::kLong) * 367 + seed * 101).remainder(1009) - 504).to(at::kDouble).mul(0.00531).add(0.00127).mul(factor).reshape(sizes);
}

inline at::Tensor positive(const Ints &sizes, std::int64_t seed = 1) { return at::abs(distinct(sizes, seed, 0.5)) + 0.4; }
inline at::Tensor list(const Ints &values) { return at::tensor(values, at::kLong); }
inline at::Tensor list(const Ints &values, const Ints &sizes) { return at::tensor(values, at::kLong).reshape(sizes); }
inline at::Tensor doubles(const std::vector<double> &values, const Ints &sizes) { return at::tensor(values, at::kDouble).reshape(sizes); }

class GradientCheck {
public:
    explicit GradientCheck(const GradientCase &given) : m_case(given) {}

    /// Empty when everything agrees.
    std::string problem()
    {
        std::vector<std::size_t> all;
        for (std::size_t i = 0; i < m_case.inputs.size(); ++i)
            if (isVariable(i))
                all.push_back(i);
        const auto together = gradients(at::kDouble, all), narrow = gradients(at::kFloat, all);
        for (const std::size_t i : all) {
            const std::string label = "input " + std::to_string(i);
            if (const auto text = difference(together[i], numeric(i), 1e-5, m_case.step > 1e-4 ? 2e-4 : 2e-6); !text.empty())
                return label + " against finite differences: " + text;
            if (const auto text = difference(gradients(at::kDouble, {i})[i], together[i], 1e-9, 1e-9); !text.empty())
                return label + " alone: " + text;
            if (const auto text = difference(narrow[i].to(at::kDouble), together[i], 2e-3, 2e-4); !text.empty())
                return label + " in float32: " + text;
        }
        const auto recorded = run(at::kFloat, all, true), plain = run(at::kFloat, all, false);
        for (std::size_t i = 0; i < recorded.size(); ++i)
            if (const auto text = difference(recorded[i].detach(), plain[i], 1e-4, 1e-5); !text.empty())
                return "recorded output " + std::to_string(i) + ": " + text;
        return {};
    }

private:
    bool isVariable(std::size_t i) const { return m_case.inputs[i].defined() && m_case.inputs[i].scalar_type() == at::kDouble; }

    core::Executor &executor(at::ScalarType type, bool autograd)
    {
        auto &known = m_executors[{type, autograd}];
        if (known)
            return *known;
        auto graph = std::make_shared<core::Graph>();
        core::Node node;
        node.name = "node";
        node.opType = m_case.type;
        node.attributes = m_case.attributes;
        for (std::size_t i = 0; i < m_case.inputs.size(); ++i) {
            const std::string name = "x" + std::to_string(i);
            if (!m_case.inputs[i].defined()) {
                node.inputs.push_back({});
            } else if (isVariable(i)) {
                node.inputs.push_back(graph->addValue(name, type == at::kDouble ? core::DataType::Float64 : core::DataType::Float32));
                graph->inputs.push_back(node.inputs.back());
            } else {
                node.inputs.push_back(graph->addConstant(name, core::toTensorData(m_case.inputs[i])));
            }
        }
        for (int i = 0; i < m_case.outputs; ++i) {
            node.outputs.push_back(graph->addValue("y" + std::to_string(i)));
            graph->outputs.push_back(node.outputs.back());
        }
        graph->addNode(std::move(node));
        core::ExecutorOptions options;
        options.autograd = autograd;
        known = std::make_unique<core::Executor>(graph, options);
        return *known;
    }

    std::vector<at::Tensor> run(at::ScalarType type, const std::vector<std::size_t> &variable, bool autograd)
    {
        m_leaves.assign(m_case.inputs.size(), {});
        std::vector<at::Tensor> feeds;
        for (std::size_t i = 0; i < m_case.inputs.size(); ++i)
            if (isVariable(i)) {
                m_leaves[i] = m_case.inputs[i].to(type).clone();
                m_leaves[i].set_requires_grad(std::find(variable.begin(), variable.end(), i) != variable.end());
                feeds.push_back(m_leaves[i]);
            }
        return executor(type, autograd).run(feeds);
    }

    at::Tensor weighted(const std::vector<at::Tensor> &outputs) const
    {
        at::Tensor total = at::zeros({}, at::kDouble);
        for (std::size_t i = 0; i < outputs.size(); ++i)
            if (outputs[i].is_floating_point())
                total = total + (outputs[i].to(at::kDouble) * noise(outputs[i].sizes().vec(), 11 + i).to(at::kDouble)).sum();
        return total;
    }

    std::vector<at::Tensor> gradients(at::ScalarType type, const std::vector<std::size_t> &variable)
    {
        const at::Tensor total = weighted(run(type, variable, true));
        if (total.requires_grad())
            total.backward();
        std::vector<at::Tensor> result(m_case.inputs.size(), at::Tensor{});
        for (const std::size_t i : variable)
            result[i] = m_leaves[i].grad().defined() ? m_leaves[i].grad() : at::zeros_like(m_leaves[i]);
        return result;
    }

    at::Tensor numeric(std::size_t i)
    {
        const at::Tensor original = m_case.inputs[i], result = at::zeros_like(original).contiguous();
        for (std::int64_t k = 0; k < original.numel(); ++k) {
            double side[2];
            for (const int direction : {0, 1}) {
                m_case.inputs[i] = original.clone(at::MemoryFormat::Contiguous);
                m_case.inputs[i].data_ptr<double>()[k] += direction ? m_case.step : -m_case.step;
                side[direction] = weighted(run(at::kDouble, {i}, true)).item<double>();
            }
            result.data_ptr<double>()[k] = (side[1] - side[0]) / (2 * m_case.step);
        }
        m_case.inputs[i] = original;
        return result;
    }

    GradientCase m_case;
    std::map<std::pair<at::ScalarType, bool>, std::unique_ptr<core::Executor>> m_executors;
    std::vector<at::Tensor> m_leaves;
};

} // namespace tests

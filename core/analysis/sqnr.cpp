#include "core/analysis/sqnr.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <unordered_map>

namespace core {
namespace {

constexpr double mostDecibels = 200;

ExecutorOptions tapping(const std::vector<ValueId> &values)
{
    ExecutorOptions options;
    options.taps = values;
    return options;
}

std::vector<ValueId> tappedFloat(const Graph &graph, const QuantizedModel &model, const std::vector<ValueId> &dequantized)
{
    std::vector<ValueId> values;
    for (const Point &point : model.placement.points)
        if (dequantized.at(std::size_t(point.id.index)).valid() && point.kind == PointKind::Activation && !graph.isConstant(point.value))
            values.push_back(point.value);
    std::sort(values.begin(), values.end());
    values.erase(std::unique(values.begin(), values.end()), values.end());
    return values;
}

std::vector<ValueId> tappedQuantized(const QuantizedModel &model, const std::vector<ValueId> &dequantized)
{
    std::vector<ValueId> values;
    for (const Point &point : model.placement.points)
        if (const ValueId value = dequantized.at(std::size_t(point.id.index)); value.valid() && point.kind == PointKind::Activation && !model.graph->isConstant(point.value))
            values.push_back(value);
    return values;
}

} // namespace

void SqnrSum::add(std::span<const float> exact, std::span<const float> other)
{
    for (std::size_t i = 0; i < std::min(exact.size(), other.size()); ++i) {
        const double r = exact[i], error = r - double(other[i]);
        signal += r * r;
        noise += error * error;
    }
}

double SqnrSum::decibels() const
{
    if (noise == 0)
        return mostDecibels;
    if (!(signal > 0) || !std::isfinite(noise))
        return -mostDecibels;
    return std::clamp(10 * std::log10(signal / noise), -mostDecibels, mostDecibels);
}

std::optional<double> constantSqnr(const QuantizedModel &model, PointId id, const Graph &exact)
{
    const Point &point = model.placement.point(id);
    const TensorData *data = exact.constant(point.value);
    if (!data || !point.scheme.quantized() || model.numbers.at(std::size_t(id.index)).params.empty())
        return {};
    const std::vector<float> values = data->toFloats();
    SqnrSum sum;
    sum.add(values, dequantizedWeights(model, id));
    return sum.decibels();
}

ActivationSqnr::ActivationSqnr(std::shared_ptr<const Graph> floating, const QuantizedModel &model, std::shared_ptr<const Graph> quantized,
                               const std::vector<ValueId> &dequantized)
    : m_sums(model.placement.points.size()), m_seen(model.placement.points.size(), false),
      m_floating(floating, tapping(tappedFloat(*floating, model, dequantized))), m_quantized(std::move(quantized), tapping(tappedQuantized(model, dequantized)))
{
    for (const Point &point : model.placement.points)
        if (const ValueId other = dequantized.at(std::size_t(point.id.index)); other.valid() && point.kind == PointKind::Activation && !floating->isConstant(point.value))
            m_tapped.push_back({point.value, other, std::size_t(point.id.index)});
}

std::vector<at::Tensor> ActivationSqnr::add(std::span<const at::Tensor> inputs)
{
    at::NoGradGuard noGrad;
    std::unordered_map<ValueId, at::Tensor> exact;
    m_floating.run(inputs, [&exact](ValueId value, const at::Tensor &tensor) {
        if (tensor.scalar_type() == at::kFloat)
            exact[value] = tensor.contiguous().clone();
    });
    std::unordered_map<ValueId, std::vector<std::size_t>> byValue;
    for (std::size_t i = 0; i < m_tapped.size(); ++i)
        byValue[m_tapped[i].other].push_back(i);
    return m_quantized.run(inputs, [&](ValueId value, const at::Tensor &tensor) {
        const auto found = byValue.find(value);
        if (found == byValue.end() || tensor.scalar_type() != at::kFloat)
            return;
        const at::Tensor other = tensor.contiguous();
        for (const std::size_t i : found->second) {
            const auto reference = exact.find(m_tapped[i].exact);
            if (reference == exact.end() || reference->second.numel() != other.numel())
                continue;
            const std::size_t count = std::size_t(other.numel());
            m_sums[m_tapped[i].point].add({reference->second.data_ptr<float>(), count}, {other.data_ptr<float>(), count});
            m_seen[m_tapped[i].point] = true;
        }
    });
}

void ActivationSqnr::reset()
{
    m_sums.assign(m_sums.size(), {});
    m_seen.assign(m_seen.size(), false);
}

std::vector<std::optional<double>> ActivationSqnr::decibels() const
{
    std::vector<std::optional<double>> result(m_sums.size());
    for (std::size_t i = 0; i < m_sums.size(); ++i)
        if (m_seen[i])
            result[i] = m_sums[i].decibels();
    return result;
}

} // namespace core

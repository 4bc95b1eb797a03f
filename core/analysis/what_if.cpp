#include "core/analysis/what_if.h"

#include "core/quant/qdq_graph.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <unordered_map>

namespace core {
namespace {

constexpr std::int64_t sqnrImages = 16;  // at least, where there are so many

at::Tensor images(const at::Tensor &tensor, const PinnedBatch &batch)
{
    const bool filled = tensor.dim() > 0 && !batch.inputs.empty() && batch.inputs[0].dim() > 0 && tensor.size(0) == batch.inputs[0].size(0)
        && tensor.size(0) > batch.count;
    return (filled ? tensor.slice(0, 0, batch.count) : tensor).contiguous();
}

std::span<const float> floats(const at::Tensor &tensor) { return {tensor.data_ptr<float>(), std::size_t(tensor.numel())}; }

void append(std::vector<std::pair<std::string, double>> &list, const std::string &name, double decibels)
{
    const auto found = std::find_if(list.begin(), list.end(), [&](const auto &entry) { return entry.first == name; });
    if (found == list.end())
        list.emplace_back(name, decibels);
    else
        found->second = std::min(found->second, decibels);
}

} // namespace

WhatIfRunner::WhatIfRunner(std::vector<PinnedBatch> batches, std::size_t budget)
    : m_batches(std::move(batches)), m_quantized(budget), m_floating(budget / 2)
{
    std::int64_t images = 0;
    for (const PinnedBatch &batch : m_batches)
        images += batch.count;
    m_stride = std::size_t(std::max<std::int64_t>(images / sqnrImages, 1));
    m_stride = std::min(m_stride, std::max<std::size_t>(m_batches.size(), 1));
}

WhatIfRunner::Side WhatIfRunner::run(const QuantizedModel &model, const std::shared_ptr<const Graph> &floating, bool keep, Progress &progress)
{
    at::NoGradGuard noGrad;
    std::vector<ValueId> back;
    const auto qdq = std::make_shared<const Graph>(buildQdqGraph(model, &back));
    std::vector<ValueId> exact, other;
    std::vector<const Point *> points;
    for (const Point &point : model.placement.points) {
        const ValueId read = back.at(std::size_t(point.id.index));
        if (!read.valid() || point.kind != PointKind::Activation || floating->isConstant(point.value))
            continue;
        points.push_back(&point);
        exact.push_back(point.value);
        other.push_back(read);
    }
    m_quantized.begin(qdq, other);
    m_floating.begin(floating, exact);

    Side side;
    CheckpointedRun::Wishes quantizedWishes, floatWishes;
    floatWishes.outputs = false;
    std::unordered_map<ValueId, Key> open;   // by what is read
    std::unordered_map<ValueId, ValueId> exactOf;
    for (std::size_t i = 0; i < points.size(); ++i) {
        Tapped tapped{floating->value(exact[i]).name, {m_floating.signature(exact[i]), m_quantized.signature(other[i])}};
        if (const auto found = m_before.decibels.find(tapped.key); found != m_before.decibels.end()) {
            side.decibels.insert(*found);
        } else {
            open[other[i]] = tapped.key;
            exactOf[other[i]] = exact[i];
            quantizedWishes.taps.push_back(other[i]);
            if (std::find(floatWishes.taps.begin(), floatWishes.taps.end(), exact[i]) == floatWishes.taps.end())
                floatWishes.taps.push_back(exact[i]);
        }
        side.tapped.push_back(std::move(tapped));
    }
    std::int64_t total = 0, measuredImages = 0;
    for (std::size_t b = 0; b < m_batches.size(); ++b) {
        const std::int64_t rows = m_batches[b].inputs.empty() || m_batches[b].inputs[0].dim() == 0 ? 1 : m_batches[b].inputs[0].size(0);
        total += rows;
        measuredImages += measured(b) ? rows : 0;
    }
    if (keep) {
        quantizedWishes.keepImages = std::max<std::int64_t>(total, 1);
        floatWishes.keepImages = std::max<std::int64_t>(measuredImages, 1);
    }
    m_quantized.plan(quantizedWishes);
    m_floating.plan(floatWishes);

    std::map<Key, SqnrSum> sums;
    std::int64_t done = 0;
    for (std::size_t b = 0; b < m_batches.size(); ++b) {
        const PinnedBatch &batch = m_batches[b];
        std::unordered_map<ValueId, at::Tensor> references;
        if (measured(b) && m_floating.hasWork())
            m_floating.run(b, batch.inputs, [&](ValueId value, const at::Tensor &tensor) {
                if (tensor.scalar_type() != at::kFloat)
                    return;
                const at::Tensor kept = images(tensor, batch);
                references[value] = kept.is_alias_of(tensor) ? kept.clone() : kept;
            });
        side.outputs.push_back(m_quantized.run(b, batch.inputs, [&](ValueId value, const at::Tensor &tensor) {
            const auto found = open.find(value);
            if (found == open.end() || !measured(b) || tensor.scalar_type() != at::kFloat)
                return;
            const auto reference = references.find(exactOf.at(value));
            const at::Tensor here = images(tensor, batch);
            if (reference == references.end() || reference->second.numel() != here.numel())
                return;
            sums[found->second].add(floats(reference->second), floats(here));
        }));
        done += batch.count;
        progress.checkpoint(done, total);
    }
    for (const auto &[key, sum] : sums)
        side.decibels[key] = sum.decibels();
    if (keep) {
        m_quantized.keep();
        m_floating.keep();
    }
    return side;
}

void WhatIfRunner::setBefore(const QuantizedModel &model, const std::shared_ptr<const Graph> &floating, Progress &progress)
{
    m_before = run(model, floating, true, progress);
}

WhatIfOutcome WhatIfRunner::compare(const QuantizedModel &after, const std::shared_ptr<const Graph> &floating, Progress &progress)
{
    WhatIfOutcome outcome;
    Side side = run(after, floating, false, progress);
    outcome.nodes = m_quantized.nodes();
    outcome.nodesRun = m_quantized.nodesRun();
    outcome.before = m_before.outputs;
    for (const Tapped &tapped : side.tapped)
        if (const auto found = side.decibels.find(tapped.key); found != side.decibels.end() && !m_before.decibels.contains(tapped.key))
            append(outcome.sqnrAfter, tapped.name, found->second);
    for (const Tapped &tapped : m_before.tapped)
        if (const auto found = m_before.decibels.find(tapped.key); found != m_before.decibels.end() && !side.decibels.contains(tapped.key))
            append(outcome.sqnrBefore, tapped.name, found->second);
    outcome.after = std::move(side.outputs);
    return outcome;
}

} // namespace core

#include "core/session/layer_rows.h"

#include <algorithm>
#include <cmath>
#include <tuple>

namespace core {
namespace {

constexpr std::size_t mostBars = 64;

using Bars = std::vector<std::pair<double, std::uint64_t>>;

std::pair<Bars, double> constantBars(const TensorData &data)
{
    const std::vector<float> values = data.toFloats();
    if (values.empty())
        return {};
    const auto [low, high] = std::minmax_element(values.begin(), values.end());
    const double first = *low, width = (double(*high) - first) / double(mostBars);
    if (!(width > 0) || !std::isfinite(width))
        return {};
    Bars bars(mostBars);
    for (std::size_t i = 0; i < mostBars; ++i)
        bars[i].first = first + width * double(i);
    for (const float value : values)
        ++bars[std::min(std::size_t((double(value) - first) / width), mostBars - 1)].second;
    return {bars, width};
}

/// Of values that lie more than half a step beyond the last code; bins count whole, by their middle.
double clippedShare(const TensorStatistics &statistics, const std::vector<AffineParams> &params)
{
    const Histogram &histogram = statistics.histogram;
    if (params.size() != 1 || statistics.count == 0)
        return 0;
    const Range range = representableRange(params.front());
    const double slack = double(params.front().scale) * 0.5000001;
    std::uint64_t outside = 0, all = 0;
    for (std::size_t bin = 0; bin < histogram.counts.size(); ++bin) {
        const double middle = std::clamp(histogram.binLeft(bin) + histogram.binWidth() / 2, double(statistics.min), double(statistics.max));
        all += histogram.counts[bin];
        if (middle < range.min - slack || middle > range.max + slack)
            outside += histogram.counts[bin];
    }
    return all ? double(outside) / double(all) : 0;
}

const char *kindName(PointKind kind)
{
    switch (kind) {
    case PointKind::Activation: return "activation";
    case PointKind::Weight: return "weight";
    case PointKind::Bias: break;
    }
    return "bias";
}

} // namespace

std::pair<Bars, double> histogramBars(const Histogram &histogram)
{
    std::size_t first = 0, last = histogram.counts.size();
    while (first < last && histogram.counts[first] == 0)
        ++first;
    while (last > first && histogram.counts[last - 1] == 0)
        --last;
    if (first == last)
        return {};
    const std::size_t each = (last - first + mostBars - 1) / mostBars;
    Bars bars;
    for (std::size_t begin = first; begin < last; begin += each) {
        std::uint64_t count = 0;
        for (std::size_t i = begin; i < std::min(begin + each, last); ++i)
            count += histogram.counts[i];
        bars.emplace_back(histogram.binLeft(begin), count);
    }
    return {bars, histogram.binWidth() * double(each)};
}

std::vector<LayerRow> layerRows(const QuantizedModel &model, const StatisticsMap &statistics, const std::vector<std::optional<double>> &sqnr)
{
    std::vector<LayerRow> rows;
    for (const Point &point : model.placement.points) {
        if (!point.scheme.quantized())
            continue;
        const PointNumbers &numbers = model.numbers.at(std::size_t(point.id.index));
        LayerRow row;
        row.tensor = model.graph->value(point.value).name;
        row.kind = kindName(point.kind);
        if (point.owner.valid()) {
            row.node = model.graph->node(point.owner).name;
            row.opType = model.graph->node(point.owner).opType;
        }
        row.badge = point.scheme.badge();
        row.observer = point.kind == PointKind::Bias && point.biasInput.valid() ? "derived"
            : point.scheme.dynamic                                              ? "dynamic"
            : isIntegerDtype(point.scheme.dtype) ? std::string(observerName(numbers.observer)) : "";
        row.reason = point.reason;
        row.provenance = point.provenance;
        if (!point.scheme.dynamic && point.scheme.dtype != QuantDtype::Float16 && point.scheme.dtype != QuantDtype::BFloat16)
            for (const AffineParams &params : numbers.params) {
                row.scales.push_back(params.scale);
                row.zeroPoints.push_back(params.zeroPoint);
            }
        row.rangeMin = numbers.range.min;
        row.rangeMax = numbers.range.max;
        row.seenMin = numbers.seen.min;
        row.seenMax = numbers.seen.max;
        if (const auto &decibels = sqnr.at(std::size_t(point.id.index)))
            row.sqnrDb = *decibels;
        if (const auto found = statistics.find(point.value); found != statistics.end() && isIntegerDtype(point.scheme.dtype) && !point.scheme.dynamic)
            row.clippedShare = clippedShare(found->second, numbers.params);
        if (const TensorData *data = model.graph->constant(point.value))
            std::tie(row.histogram, row.histogramBarWidth) = constantBars(*data);
        else if (const auto found = statistics.find(point.value); found != statistics.end())
            std::tie(row.histogram, row.histogramBarWidth) = histogramBars(found->second.histogram);
        rows.push_back(std::move(row));
    }
    return rows;
}

} // namespace core

#include "core/ptq/point_numbers.h"

#include "core/exec/executor.h"
#include "core/quant/collector.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>

namespace core {
namespace {

constexpr double largestBiasCode = double(std::int64_t(1) << 30);
constexpr float smallestScale = 0x1p-23f;

TensorStatistics constantStatistics(const TensorData &data)
{
    TensorStatistics statistics;
    collect(statistics, toTensor(data).to(at::kFloat).contiguous().reshape({1, -1}), -1, StatisticsDetail::Full);
    return statistics;
}

TensorStatistics withoutChannels(TensorStatistics statistics)
{
    statistics.channels.clear();
    statistics.channelAxis = -1;
    return statistics;
}

ObserverResult observeActivation(const TensorStatistics &statistics, const Scheme &scheme, ObserverKind &used)
{
    used = scheme.observer;
    if (scheme.bestObserver)
        return observeBest(statistics, scheme.observerOptions(), &used);
    return observe(statistics, scheme.observerOptions());
}

class PointObserver {
public:
    PointObserver(QuantizedModel &model, const StatisticsMap &statistics) : m_model(model), m_statistics(statistics) {}

    void run()
    {
        std::map<std::int32_t, std::vector<const Point *>> sets;
        for (const Point &point : m_model.placement.points)
            if (point.kind == PointKind::Activation && point.scheme.quantized())
                sets[point.shares.valid() ? point.shares.index : point.id.index].push_back(&point);
        for (const auto &[root, members] : sets)
            observeSet(m_model.placement.points.at(std::size_t(root)), members);
        for (const Point &point : m_model.placement.points)
            if (point.kind == PointKind::Weight && point.scheme.quantized())
                observeWeight(point);
    }

private:
    PointNumbers &numbers(const Point &point) { return m_model.numbers.at(std::size_t(point.id.index)); }
    const std::string &nameOf(const Point &point) const { return m_model.graph->value(point.value).name; }

    void observeSet(const Point &root, const std::vector<const Point *> &members)
    {
        if (root.scheme.dynamic || !isIntegerDtype(root.scheme.dtype)) {
            const bool scaled = root.scheme.dtype == QuantDtype::Fp8E4M3 || root.scheme.dtype == QuantDtype::Fp8E5M2;
            if (root.scheme.dynamic || !scaled) {
                for (const Point *point : members)
                    numbers(*point).params = {AffineParams{}};
                return;
            }
        }
        TensorStatistics all;
        bool first = true;
        std::set<ValueId> seen;
        for (const Point *point : members) {
            if (!seen.insert(point->value).second)
                continue;
            const TensorStatistics part = statisticsOf(*point);
            if (first)
                all = part;
            else
                all.merge(part);
            first = false;
        }
        PointNumbers result;
        if (all.count == 0) {
            result.params = {affineFromRange({0, 0}, root.scheme.affineOptions())};
        } else {
            // What a model gives out is compared, not summed up: clipping makes its largest values equal.
            const bool exposed = std::any_of(members.begin(), members.end(), [](const Point *point) { return point->quantizesOutput; });
            Scheme scheme = root.scheme;
            if (exposed && scheme.bestObserver) {
                scheme.bestObserver = false;
                scheme.observer = scheme.scaleType == ScaleType::PowerOfTwo ? ObserverKind::Pof2MinMax : ObserverKind::MinMax;
            }
            const ObserverResult chosen = observeActivation(all, scheme, result.observer);
            result.params = {chosen.params};
            result.range = chosen.range;
            result.seen = {double(all.min), double(all.max)};
        }
        for (const Point *point : members)
            numbers(*point) = result;
    }

    TensorStatistics statisticsOf(const Point &point) const
    {
        if (const auto found = m_statistics.find(point.value); found != m_statistics.end())
            return withoutChannels(found->second);
        if (const TensorData *data = m_model.graph->constant(point.value))
            return constantStatistics(*data);
        if (point.scheme.observer == ObserverKind::Fixed && !point.scheme.bestObserver) {
            TensorStatistics empty;
            empty.min = float(point.scheme.fixedRange.min);
            empty.max = float(point.scheme.fixedRange.max);
            empty.count = 1;
            return empty;
        }
        throw Error(ErrorKind::InvalidInput, "observe", "There are no statistics of tensor '" + nameOf(point) + "'; calibrate again.");
    }

    void observeWeight(const Point &point)
    {
        const TensorData *data = m_model.graph->constant(point.value);
        if (!data)
            throw Error(ErrorKind::Internal, "observe", "Weight '" + nameOf(point) + "' is no constant.");
        const std::vector<float> values = data->toFloats();
        for (float value : values)
            if (!std::isfinite(value))
                throw Error(ErrorKind::Numeric, "observe", "Weight '" + nameOf(point) + "' holds a value that is not finite.");
        const ParamLayout layout(point.scheme, data->dims);
        std::vector<std::vector<float>> parts(std::size_t(layout.count()));
        for (std::vector<float> &part : parts)
            part.reserve(values.size() / parts.size() + 1);
        for (std::size_t i = 0; i < values.size(); ++i)
            parts[layout.of(std::int64_t(i))].push_back(values[i]);
        PointNumbers &result = numbers(point);
        result.observer = point.scheme.observer;
        result.params.clear();
        if (!values.empty()) {
            const auto [low, high] = std::minmax_element(values.begin(), values.end());
            result.seen = {*low, *high};
        }
        const bool wide = point.scheme.dtype == QuantDtype::Float16 || point.scheme.dtype == QuantDtype::BFloat16;
        Range all{std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity()};
        std::map<ObserverKind, std::size_t> chosen;
        for (const std::vector<float> &part : parts) {
            const ObserverResult one = wide || part.empty() ? ObserverResult{} : observePart(part, point.scheme, chosen);
            result.params.push_back(one.params);
            all = {std::min(all.min, one.range.min), std::max(all.max, one.range.max)};
        }
        result.range = wide ? result.seen : all;
        for (const auto &[kind, count] : chosen)
            if (count > chosen[result.observer])
                result.observer = kind;
    }

    static ObserverResult observePart(const std::vector<float> &part, const Scheme &scheme, std::map<ObserverKind, std::size_t> &chosen)
    {
        ObserverOptions options = scheme.observerOptions();
        if (!scheme.bestObserver)
            return observeWeights(part, options);
        ObserverResult best;
        ObserverKind kind = ObserverKind::MinMax;
        for (const ObserverKind candidate : {ObserverKind::MinMax, ObserverKind::HistogramMse}) {
            options.kind = candidate;
            const ObserverResult result = observeWeights(part, options);
            if (candidate == ObserverKind::MinMax || result.meanSquaredError < best.meanSquaredError) {
                best = result;
                kind = candidate;
            }
        }
        ++chosen[kind];
        return best;
    }

    QuantizedModel &m_model;
    const StatisticsMap &m_statistics;
};

/// The smallest float32 (power of two if asked) at which |bias| <= 2^30 · input · scale holds in float32 arithmetic.
float raisedScale(double bias, float input, bool powerOfTwo)
{
    float scale = std::max(float(bias / (largestBiasCode * double(input))), smallestScale);
    if (powerOfTwo)
        scale = float(std::exp2(std::ceil(std::log2(double(scale)))));
    while (bias > largestBiasCode * double(float(input * scale)))
        scale = powerOfTwo ? scale * 2 : std::nextafter(scale, std::numeric_limits<float>::infinity());
    return scale;
}

std::vector<double> absoluteMaxima(const TensorData &weight, const ParamLayout &layout)
{
    std::vector<double> maxima(std::size_t(layout.count()), 0.0);
    const std::vector<float> values = weight.toFloats();
    for (std::size_t i = 0; i < values.size(); ++i)
        maxima[layout.of(std::int64_t(i))] = std::max(maxima[layout.of(std::int64_t(i))], double(std::fabs(values[i])));
    return maxima;
}

void deriveBias(QuantizedModel &model, const Point &point)
{
    const Graph &graph = *model.graph;
    const TensorData *bias = graph.constant(point.value);
    const Point &weightPoint = model.placement.point(point.biasWeight);
    const TensorData *weight = graph.constant(weightPoint.value);
    const std::vector<AffineParams> &inputs = model.numbers.at(std::size_t(point.biasInput.index)).params;
    std::vector<AffineParams> &weights = model.numbers.at(std::size_t(point.biasWeight.index)).params;
    if (!bias || !weight || inputs.empty() || weights.empty())
        throw Error(ErrorKind::Internal, "bias", "Bias '" + graph.value(point.value).name + "' has no input or weight scale.");
    const float input = inputs[0].scale;
    const ParamLayout layout(weightPoint.scheme, weight->dims);
    const std::vector<double> maxima = absoluteMaxima(*weight, layout);
    const std::vector<double> values = bias->toDoubles();
    const bool powerOfTwo = weightPoint.scheme.scaleType == ScaleType::PowerOfTwo;
    const std::int64_t groups = layout.groups(), channels = weights.size() == 1 ? 1 : std::int64_t(weights.size()) / groups;
    std::vector<double> needed(std::size_t(channels), 0.0);
    for (std::size_t c = 0; c < values.size(); ++c)
        needed[c % needed.size()] = std::max(needed[c % needed.size()], std::fabs(values[c]));
    std::size_t raised = 0, empty = 0;
    for (std::int64_t channel = 0; channel < channels; ++channel) {
        double extent = 0;
        for (std::int64_t g = 0; g < groups; ++g)
            extent = std::max(extent, maxima[std::size_t(channel * groups + g)]);
        const double magnitude = needed[std::size_t(channel)];
        for (std::int64_t g = 0; g < groups; ++g) {
            AffineParams &params = weights[std::size_t(channel * groups + g)];
            if (extent == 0 && magnitude > 0) {
                params.scale = raisedScale(magnitude, input, powerOfTwo);
                empty += g == 0;
            } else if (magnitude > largestBiasCode * double(float(input * params.scale))) {
                params.scale = raisedScale(magnitude, input, powerOfTwo);
                raised += g == 0;
            }
        }
    }
    const auto say = [&](const std::string &code, Severity severity, const std::string &sentence) {
        model.diagnostics.push_back({severity, code, graph.value(weightPoint.value).name, sentence});
    };
    if (raised)
        say("bias-raised-scale", Severity::Warning,
            "The weight scale of " + std::to_string(raised) + " channel(s) of '" + graph.value(weightPoint.value).name
                + "' was raised, so that the bias '" + graph.value(point.value).name + "' stays below 2^30 codes.");
    if (empty)
        say("zero-channel", Severity::Note,
            std::to_string(empty) + " channel(s) of '" + graph.value(weightPoint.value).name + "' hold only zeros and take the smallest scale at which the bias fits.");
    PointNumbers &numbers = model.numbers.at(std::size_t(point.id.index));
    numbers.params.clear();
    const std::size_t entries = channels == 1 ? 1 : values.size();
    for (std::size_t c = 0; c < entries; ++c) {
        float scale = 0;
        for (std::int64_t g = 0; g < groups; ++g)
            scale = std::max(scale, weights[std::size_t(std::int64_t(c % std::size_t(channels)) * groups + g)].scale);
        AffineParams params;
        params.scale = input * scale;
        params.zeroPoint = 0;
        const CodeRange range = codeRange(point.scheme.dtype, point.scheme.narrow);
        params.qmin = std::int32_t(range.min);
        params.qmax = std::int32_t(range.max);
        numbers.params.push_back(params);
    }
}

void ownBias(QuantizedModel &model, const Point &point)
{
    const std::vector<float> values = model.graph->constant(point.value)->toFloats();
    const ParamLayout layout(point.scheme, model.graph->constant(point.value)->dims);
    std::vector<std::vector<float>> parts(std::size_t(layout.count()));
    for (std::size_t i = 0; i < values.size(); ++i)
        parts[layout.of(std::int64_t(i))].push_back(values[i]);
    PointNumbers &numbers = model.numbers.at(std::size_t(point.id.index));
    numbers.params.clear();
    for (const std::vector<float> &part : parts)
        numbers.params.push_back(isIntegerDtype(point.scheme.dtype) ? observeWeights(part, point.scheme.observerOptions()).params : AffineParams{});
}

void describeBias(QuantizedModel &model, const Point &point)
{
    const std::vector<float> values = model.graph->constant(point.value)->toFloats();
    PointNumbers &numbers = model.numbers.at(std::size_t(point.id.index));
    if (values.empty())
        return;
    const auto [low, high] = std::minmax_element(values.begin(), values.end());
    numbers.seen = numbers.range = {*low, *high};
}

} // namespace

void fitBiases(QuantizedModel &model)
{
    for (const Point &point : model.placement.points) {
        if (point.kind != PointKind::Bias || !point.scheme.quantized())
            continue;
        if (point.biasInput.valid() && point.biasWeight.valid())
            deriveBias(model, point);
        else
            ownBias(model, point);
        describeBias(model, point);
    }
}

QuantizedModel quantizePoints(std::shared_ptr<const Graph> graph, const Placement &placement, const StatisticsMap &statistics)
{
    QuantizedModel model;
    model.graph = std::move(graph);
    model.placement = placement;
    model.numbers.resize(placement.points.size());
    PointObserver(model, statistics).run();
    fitBiases(model);
    return model;
}

} // namespace core

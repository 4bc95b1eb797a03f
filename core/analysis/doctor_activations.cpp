#include "core/analysis/doctor_rules.h"

#include "core/spec/operator_roles.h"
#include "core/stats/density.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

namespace core {
namespace {

constexpr double mostJoinedRatio = 8;
constexpr double mostSaturated = 0.01;
constexpr double mostOverPercentile = 10;
constexpr double lowDecibels = 10, ownLoss = 6, mostAmplified = 10;
constexpr std::uint64_t fewImages = 32;
// On training data both are 0 and 1; a wrong divisor or mean gives 1 to 200, and 2 to 250.
constexpr double oddOffset = 0.75, certainOffset = 1.5, oddSpread = 2;
constexpr std::size_t firstNormalizations = 3;

double widthOf(const TensorStatistics &statistics) { return std::max(0.0, double(statistics.max)) - std::min(0.0, double(statistics.min)); }

std::string percent(double share) { return figureText(share * 100) + " %"; }

std::string rangeText(const TensorStatistics &statistics) { return figureText(statistics.min) + "…" + figureText(statistics.max); }

bool isPlainActivation(const Point &point) { return point.kind == PointKind::Activation && isIntegerDtype(point.scheme.dtype) && !point.scheme.dynamic && point.owner.valid(); }

void setObserver(QuantizationSpec &spec, const Scheme &scheme, bool best)
{
    const bool powerOfTwo = scheme.scaleType == ScaleType::PowerOfTwo;
    spec.bestObserver = best && !powerOfTwo;
    if (powerOfTwo)
        spec.observer = best ? ObserverKind::Pof2Mse : ObserverKind::Pof2MinMax;
    else if (!best)
        spec.observer = ObserverKind::MinMax;
}

/// An excluded layer may still read quantized tensors of others, but its weights are float.
bool isQuantized(const DoctorContext &context, NodeId node)
{
    const bool matrix = isMatrixOperator(context.in.prepared.node(node));
    return std::any_of(context.in.placement.points.begin(), context.in.placement.points.end(), [&](const Point &point) {
        return point.scheme.quantized() && std::any_of(point.uses.begin(), point.uses.end(), [&](const Graph::Use &use) {
            return use.node == node && (!matrix || use.inputIndex == 1);
        });
    });
}

QuantDtype wideDtype(const TargetProfile &target) { return target.requiresSymmetricActivations ? QuantDtype::Int16 : QuantDtype::UInt16; }

enum class Ease { Weights, Activations, Float };

/// What a layer adds itself, in dB of its signal; 200 = not known.
struct OwnError {
    double weights = 200, rounding = 200;
    bool shortWeights = false;
    double decibels() const { return -10 * std::log10(std::pow(10, -weights / 10) + std::pow(10, -rounding / 10)); }
};

OwnError ownError(const DoctorContext &context, NodeId node, const Point &output)
{
    OwnError own;
    for (const Point &point : context.in.placement.points)
        if (const LayerRow *row = context.rows[std::size_t(point.id.index)]; row && point.kind == PointKind::Weight && point.owner == node && row->sqnrDb != 0) {
            own.weights = row->sqnrDb;
            own.shortWeights = isIntegerDtype(point.scheme.dtype) && dtypeBits(point.scheme.dtype) < 8;
        }
    const LayerRow *row = context.rows[std::size_t(output.id.index)];
    if (const TensorStatistics *statistics = context.statistics(output.value); statistics && row && row->scales.size() == 1) {
        const double power = statistics->variance() + statistics->mean() * statistics->mean(), step = row->scales[0];
        own.rounding = power > 0 && step > 0 ? 10 * std::log10(12 * power / (step * step)) : 200;
    }
    return own;
}

/// What to spend bits on: the weights where they are short and lose more than rounding the output does.
Ease easier(const DoctorContext &context, const Measured &measured)
{
    const OwnError own = ownError(context, measured.node, *measured.point);
    const Scheme &scheme = measured.point->scheme;
    const TargetProfile &target = context.target;
    if (own.shortWeights && own.weights <= own.rounding && (target.weightDtypes.empty() || target.weightDtypes.contains(QuantDtype::Int8)))
        return Ease::Weights;
    const bool narrow = isIntegerDtype(scheme.dtype) && dtypeBits(scheme.dtype) <= 8;
    if (narrow && own.rounding <= own.weights && target.activationDtypes.contains(wideDtype(target)) && target.integerKernelDtypes.empty())
        return Ease::Activations;
    return Ease::Float;
}

double median(std::vector<double> values)
{
    std::sort(values.begin(), values.end());
    const std::size_t half = values.size() / 2;
    return values.empty() ? 0 : values.size() % 2 ? values[half] : (values[half - 1] + values[half]) / 2;
}

} // namespace

void findJoinedConcats(DoctorContext &context)
{
    const Graph &graph = context.in.prepared;
    std::map<std::pair<NodeId, std::size_t>, const Point *> byEdge;
    for (const Point &point : context.in.placement.points)
        if (isPlainActivation(point))
            for (const Graph::Use &use : point.uses)
                byEdge[{use.node, use.inputIndex}] = &point;
    std::vector<Measured> found;
    for (const NodeId id : graph.order()) {
        const Node &node = graph.node(id);
        if (!node.is("Concat"))
            continue;
        std::map<PointId, std::vector<const Point *>> sets;
        for (std::size_t i = 0; i < node.inputs.size(); ++i)
            if (const auto edge = byEdge.find({id, i}); edge != byEdge.end() && context.statistics(edge->second->value))
                sets[edge->second->shares].push_back(edge->second);
        for (const auto &[root, members] : sets) {
            if (members.size() < 2)
                continue;
            const auto byWidth = [&](const Point *a, const Point *b) { return widthOf(*context.statistics(a->value)) < widthOf(*context.statistics(b->value)); };
            const auto [narrow, wide] = std::minmax_element(members.begin(), members.end(), byWidth);
            const TensorStatistics &low = *context.statistics((*narrow)->value), &high = *context.statistics((*wide)->value);
            const double ratio = widthOf(low) > 0 ? widthOf(high) / widthOf(low) : 0;
            if (ratio > mostJoinedRatio)
                found.push_back({ratio, id, *narrow,
                                 node.name + " joins '" + context.nameOf((*wide)->value) + "' (" + rangeText(high) + ") with '" + context.nameOf((*narrow)->value)
                                     + "' (" + rangeText(low) + ")"});
        }
    }
    if (found.empty())
        return;
    sortWorstFirst(found);
    Finding finding{Severity::Problem, "concat-joined", "Concat joins ranges " + figureText(found[0].figure) + "× apart", "", nodesOf(found), "", {}};
    finding.evidence = "Inputs of a Concat share one scale, and the narrow one keeps few codes: " + listed(found) + ".";
    Recipe remedy = context.in.recipe;
    for (const NodeId id : finding.nodes)
        remedy.config.splitConcats.push_back(context.nameOf(id));
    context.offer(finding, "Own scales at " + (found.size() == 1 ? context.nameOf(found[0].node) : counted(finding.nodes.size(), "Concat", "Concats")), std::move(remedy));
    context.findings.push_back(std::move(finding));
}

void findSaturation(DoctorContext &context)
{
    std::vector<Measured> found;
    for (const Point &point : context.in.placement.points) {
        const LayerRow *row = context.rows[std::size_t(point.id.index)];
        const TensorStatistics *statistics = isPlainActivation(point) ? context.statistics(point.value) : nullptr;
        if (!row || !statistics || statistics->histogram.counts.empty() || row->scales.size() != 1 || row->zeroPoints.size() != 1)
            continue;
        const CodeRange codes = codeRange(point.scheme.dtype, point.scheme.narrow);
        const double scale = row->scales[0], zero = double(row->zeroPoints[0]);
        const Density density(*statistics);
        if (!(density.total() > 0))
            continue;
        const double outside = density.countBelow((double(codes.min) - 0.5 - zero) * scale) + density.total() - density.countUpTo((double(codes.max) + 0.5 - zero) * scale);
        const double share = outside / density.total();
        if (share > mostSaturated)
            found.push_back({share, point.owner, &point, "'" + context.nameOf(point.value) + "' " + percent(share)});
    }
    if (found.empty())
        return;
    sortWorstFirst(found);
    Finding finding{Severity::Warning, "saturation", percent(found[0].figure) + " of values saturate", "", nodesOf(found), "", {}};
    finding.evidence = "The chosen range cuts off more than 1 % of the values seen in " + counted(found.size(), "tensor", "tensors") + ": " + listed(found) + ".";
    Recipe remedy = context.in.recipe;
    for (const Measured &measured : found)
        setObserver(context.specOf(remedy, *measured.point), measured.point->scheme, false);
    context.offer(finding, "Whole range for " + counted(found.size(), "tensor", "tensors"), std::move(remedy));
    context.findings.push_back(std::move(finding));
}

void findOutliers(DoctorContext &context)
{
    std::vector<Measured> found;
    for (const Point &point : context.in.placement.points) {
        const bool minMax = !point.scheme.bestObserver && (point.scheme.observer == ObserverKind::MinMax || point.scheme.observer == ObserverKind::Pof2MinMax);
        const TensorStatistics *statistics = isPlainActivation(point) && minMax && !point.quantizesOutput ? context.statistics(point.value) : nullptr;
        if (!statistics || statistics->histogram.counts.empty())
            continue;
        ObserverOptions options = point.scheme.observerOptions();
        options.kind = ObserverKind::Percentile;
        options.percentile = 99.99;
        const Range usual = observe(*statistics, options).range;
        const double most = std::max(std::fabs(double(statistics->min)), std::fabs(double(statistics->max)));
        const double common = std::max(std::fabs(usual.min), std::fabs(usual.max));
        if (common > 0 && most / common >= mostOverPercentile)
            found.push_back({most / common, point.owner, &point,
                             "'" + context.nameOf(point.value) + "' reaches " + figureText(most) + " where 99.99 % stay within " + figureText(common)});
    }
    if (found.empty())
        return;
    sortWorstFirst(found);
    Finding finding{Severity::Warning, "outlier", "Outliers stretch a range " + figureText(found[0].figure) + "×", "", nodesOf(found), "", {}};
    finding.evidence = "The range of " + counted(found.size(), "tensor", "tensors") + " is set by a few values: " + listed(found) + ".";
    Recipe remedy = context.in.recipe;
    for (const Measured &measured : found)
        setObserver(context.specOf(remedy, *measured.point), measured.point->scheme, true);
    context.offer(finding, "Observer of least error for " + counted(found.size(), "tensor", "tensors"), std::move(remedy));
    context.findings.push_back(std::move(finding));
}

void findLowSqnr(DoctorContext &context)
{
    const Graph &graph = context.in.prepared;
    std::map<ValueId, const LayerRow *> rowOf;
    for (const Point &point : context.in.placement.points)
        if (const LayerRow *row = context.rows[std::size_t(point.id.index)]; row && point.kind == PointKind::Activation && row->sqnrDb != 0)
            rowOf.emplace(point.value, row);
    std::vector<Measured> found;
    std::set<ValueId> done;
    for (const Point &point : context.in.placement.points) {
        const auto own = point.kind == PointKind::Activation ? rowOf.find(point.value) : rowOf.end();
        const NodeId maker = context.producers[std::size_t(point.value.index)];
        if (own == rowOf.end() || own->second->sqnrDb >= lowDecibels || !maker.valid() || !point.owner.valid() || !done.insert(point.value).second)
            continue;
        // Back to the measured tensors that this one is made from.
        double inputs = 200;
        bool measured = false;
        NodeId matrix;
        std::set<NodeId> seen{maker};
        for (std::vector<NodeId> open{maker}; !open.empty();) {
            const NodeId id = open.back();
            open.pop_back();
            if (isMatrixOperator(graph.node(id)))
                matrix = id;
            for (const ValueId in : graph.node(id).inputs) {
                if (!in.valid() || graph.isConstant(in))
                    continue;
                if (const auto before = rowOf.find(in); before != rowOf.end()) {
                    inputs = std::min(inputs, before->second->sqnrDb);
                    measured = true;
                } else if (const NodeId producer = context.producers[std::size_t(in.index)]; producer.valid() && seen.insert(producer).second) {
                    open.push_back(producer);
                }
            }
        }
        const double loss = inputs - own->second->sqnrDb;
        const NodeId node = matrix.valid() ? matrix : maker;
        if (!measured || loss <= ownLoss || !isQuantized(context, node))
            continue;
        // A sum in which signals cancel makes the error of its inputs larger without adding any.
        if (const double added = ownError(context, node, point).decibels(); added < 190 && added > own->second->sqnrDb + mostAmplified)
            continue;
        found.push_back({loss, node, &point, context.nameOf(node) + " loses " + figureText(loss) + " dB by itself, to " + figureText(own->second->sqnrDb) + " dB"});
    }
    if (found.empty())
        return;
    sortWorstFirst(found);
    Finding finding{Severity::Warning, "low-sqnr", "", "", nodesOf(found), "", {}};
    finding.title = found.size() == 1 ? found[0].text.substr(0, found[0].text.find(" by itself")) : counted(found.size(), "layer loses", "layers lose") + " much by themselves";
    finding.evidence = "Here the error grows to more than a tenth of the power of the signal: " + listed(found) + ".";
    Recipe remedy = context.in.recipe;
    std::size_t weights = 0, activations = 0;
    std::vector<NodeId> floats;
    for (const Measured &measured : found) {
        switch (easier(context, measured)) {
        case Ease::Weights:
            remedy.config.byNode[context.nameOf(measured.node)].weight.dtype = QuantDtype::Int8;
            ++weights;
            break;
        case Ease::Activations:
            context.specOf(remedy, *measured.point).dtype = wideDtype(context.target);
            ++activations;
            break;
        case Ease::Float:
            if (std::find(floats.begin(), floats.end(), measured.node) == floats.end()) {
                floats.push_back(measured.node);
                remedy.config.exclude.push_back(context.nameOf(measured.node));
            }
        }
    }
    std::string fix;
    const auto add = [&](std::size_t count, const std::string &what) {
        if (count)
            fix += (fix.empty() ? "" : "; ") + what;
    };
    add(weights, "8-bit weights for " + counted(weights, "layer", "layers"));
    add(activations, "16-bit activations for " + counted(activations, "layer", "layers"));
    add(floats.size(), "Keep " + (floats.size() == 1 ? context.nameOf(floats[0]) : counted(floats.size(), "layer", "layers")) + " in float");
    context.offer(finding, std::move(fix), std::move(remedy));
    context.findings.push_back(std::move(finding));
}

void findPreprocessing(DoctorContext &context)
{
    // Equalization moves the ranges that BatchNormalization expects.
    if (!context.in.statistics || context.in.recipe.equalize)
        return;
    const Graph &source = context.in.source;
    struct Seen {
        NodeId node;
        ValueId made;
        double offset, spread;
    };
    std::vector<Seen> first;
    for (const NodeId id : source.order()) {
        const Node &node = source.node(id);
        if (!node.is("BatchNormalization") || node.inputs.size() < 3 || !node.output().valid() || first.size() == firstNormalizations)
            continue;
        const TensorData *gamma = source.constant(node.input(1)), *beta = source.constant(node.input(2));
        const TensorStatistics *statistics = context.in.prepared.contains(node.output()) ? context.statistics(node.output()) : nullptr;
        if (!gamma || !beta || !statistics || statistics->channelAxis != 1)
            continue;
        const std::vector<double> scale = gamma->toDoubles(), shift = beta->toDoubles();
        if (scale.size() != statistics->channels.size() || shift.size() != scale.size())
            continue;
        std::vector<double> distances;
        double expected = 0;
        for (std::size_t c = 0; c < scale.size(); ++c) {
            expected += (scale[c] * scale[c] + shift[c] * shift[c]) / double(scale.size());
            if (const double unit = std::fabs(scale[c]); unit > 1e-6)
                distances.push_back(std::fabs(statistics->channels[c].mean() - shift[c]) / unit);
        }
        if (!distances.empty() && expected > 0)
            first.push_back({id, node.output(), median(distances), std::sqrt((statistics->variance() + statistics->mean() * statistics->mean()) / expected)});
    }
    if (first.empty())
        return;
    const Seen worst = *std::max_element(first.begin(), first.end(), [](const Seen &a, const Seen &b) { return a.offset < b.offset; });
    const double spread = first.front().spread;
    const bool oddlySpread = spread > oddSpread || spread < 1 / oddSpread;
    if (worst.offset <= oddOffset && !oddlySpread)
        return;
    const Seen &shown = worst.offset > oddOffset ? worst : first.front();
    Finding finding{worst.offset > certainOffset || oddlySpread ? Severity::Problem : Severity::Warning, "preprocessing",
                    "Images are not normalised as the model expects", "", {}, "", {}};
    finding.evidence = "Behind '" + source.node(shown.node).name + "' the means of the channels lie " + figureText(shown.offset)
        + " standard deviations from what its BatchNormalization learned, and the values are " + figureText(shown.spread)
        + "× as large as expected; check the transform (mean, divisor, RGB or BGR) and the calibration images.";
    // A folded normalization is gone; what makes its tensor now is shown.
    if (const NodeId node = context.producers[std::size_t(shown.made.index)]; node.valid())
        finding.nodes = {node};
    context.findings.push_back(std::move(finding));
}

void findFewImages(DoctorContext &context)
{
    if (!context.in.statistics)
        return;
    std::uint64_t images = 0;
    for (const auto &[value, statistics] : *context.in.statistics)
        images = std::max(images, statistics.images);
    if (images == 0 || images >= fewImages)
        return;
    Finding finding{Severity::Warning, "few-images", "Only " + counted(std::size_t(images), "calibration image", "calibration images"), "", {}, "", {}};
    finding.evidence = "The ranges were taken from " + counted(std::size_t(images), "image", "images") + "; with fewer than " + std::to_string(fewImages)
        + " they depend on which images these happen to be.";
    if (context.in.recipe.calibrationImages > 0 && std::uint64_t(context.in.recipe.calibrationImages) < fewImages) {
        Recipe remedy = context.in.recipe;
        remedy.calibrationImages = 0;
        context.offer(finding, "Calibrate with all images", std::move(remedy));
    }
    context.findings.push_back(std::move(finding));
}

} // namespace core

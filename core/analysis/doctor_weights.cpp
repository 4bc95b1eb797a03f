#include "core/analysis/doctor_rules.h"

#include "core/spec/operator_roles.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>

namespace core {
namespace {

constexpr double mostRangeRatio = 8;
constexpr double emptyChannel = 1e-5;    // of the largest one

/// Largest magnitude of each slice along `axis`.
std::vector<double> channelMaxima(const TensorData &data, int axis)
{
    if (axis < 0 || std::size_t(axis) >= data.dims.size())
        return {};
    std::int64_t inner = 1;
    for (std::size_t i = std::size_t(axis) + 1; i < data.dims.size(); ++i)
        inner *= data.dims[i];
    const std::int64_t channels = data.dims[std::size_t(axis)];
    std::vector<double> maxima(std::size_t(channels), 0.0);
    if (channels == 0 || inner == 0)
        return {};
    const std::vector<float> values = data.toFloats();
    for (std::size_t i = 0; i < values.size(); ++i) {
        double &most = maxima[i / std::size_t(inner) % std::size_t(channels)];
        most = std::max(most, double(std::fabs(values[i])));
    }
    return maxima;
}

/// Largest over lower quartile of the channels that hold something: at 8 a quarter of them has an eighth of the codes. 0 for fewer than two.
double maxOverQuartile(std::vector<double> maxima)
{
    const double most = maxima.empty() ? 0 : *std::max_element(maxima.begin(), maxima.end());
    std::erase_if(maxima, [most](double maximum) { return !(maximum > most * emptyChannel); });
    if (maxima.size() < 2 || !std::isfinite(most))
        return 0;
    std::sort(maxima.begin(), maxima.end());
    return most / maxima[(maxima.size() - 1) / 4];
}

} // namespace

void findChannelRanges(DoctorContext &context)
{
    const Graph &graph = context.in.prepared;
    std::vector<Measured> found;
    std::size_t layers = 0;
    for (const Point &point : context.in.placement.points) {
        if (point.kind != PointKind::Weight || !isIntegerDtype(point.scheme.dtype) || !point.owner.valid())
            continue;
        const Node &node = graph.node(point.owner);
        const auto role = weightRole(graph, node);
        const TensorData *weight = graph.constant(point.value);
        if (!role || !weight || node.input(role->weightInput) != point.value)
            continue;
        ++layers;
        if (point.scheme.granularity != Granularity::PerTensor)
            continue;
        const double ratio = maxOverQuartile(channelMaxima(*weight, role->channelAxis));
        if (ratio > mostRangeRatio)
            found.push_back({ratio, point.owner, &point, node.name + " " + figureText(ratio) + "×"});
    }
    if (found.empty())
        return;
    sortWorstFirst(found);
    Finding finding{Severity::Problem, "channel-ranges", "Channel ranges differ " + figureText(found[0].figure) + "×", "", nodesOf(found), "", {}};
    finding.evidence = "In " + std::to_string(found.size()) + " of " + counted(layers, "layer", "layers")
        + " one scale serves channels whose weights differ widely; the largest is up to " + figureText(found[0].figure)
        + "× as large as a quarter of the others: " + listed(found) + ".";
    Recipe remedy = context.in.recipe;
    if (!context.target.requiresPerTensorWeights) {
        for (const Measured &measured : found)
            context.specOf(remedy, *measured.point).qscheme = Granularity::PerChannel;
        context.offer(finding, "Per-channel weights for " + counted(found.size(), "layer", "layers"), std::move(remedy));
    } else if (!remedy.equalize) {
        remedy.equalize = true;
        context.offer(finding, "Equalize the channels of neighbouring layers", std::move(remedy));
    }
    context.findings.push_back(std::move(finding));
}

void findDeadChannels(DoctorContext &context)
{
    const Graph &graph = context.in.prepared;
    std::vector<Measured> found;
    std::size_t dead = 0;
    for (const NodeId id : graph.order()) {
        const Node &node = graph.node(id);
        const auto role = weightRole(graph, node);
        if (!role)
            continue;
        const TensorData *weight = graph.constant(node.input(role->weightInput));
        if (!weight || !isFloatingPoint(weight->type))
            continue;
        const std::vector<double> maxima = channelMaxima(*weight, role->channelAxis);
        const auto zeros = std::size_t(std::count(maxima.begin(), maxima.end(), 0.0));
        if (zeros == 0)
            continue;
        dead += zeros;
        found.push_back({double(zeros), id, nullptr, node.name + " " + std::to_string(zeros) + " of " + std::to_string(maxima.size())});
    }
    if (found.empty())
        return;
    sortWorstFirst(found);
    Finding finding{Severity::Note, "dead-channels", counted(dead, "channel without weights", "channels without weights"), "", nodesOf(found), "", {}};
    finding.evidence = counted(dead, "output channel holds", "output channels hold") + " only zeros and could be pruned: " + listed(found) + ".";
    context.findings.push_back(std::move(finding));
}

void findBiasOverflow(DoctorContext &context)
{
    if (!context.in.report)
        return;
    std::vector<Measured> raised, empty;
    for (const Diagnostic &diagnostic : context.in.report->diagnostics) {
        const bool isRaised = diagnostic.code == "bias-raised-scale";
        if (!isRaised && diagnostic.code != "zero-channel")
            continue;
        const ValueId weight = context.in.prepared.findValue(diagnostic.node);
        if (!weight.valid())
            continue;
        Measured measured{0, {}, nullptr, diagnostic.node};
        for (const Graph::Use &use : context.uses[std::size_t(weight.index)])
            measured.node = use.node;
        if (measured.node.valid())
            measured.text = context.nameOf(measured.node);
        (isRaised ? raised : empty).push_back(std::move(measured));
    }
    if (raised.empty())                  // channels without weights alone are told by findDeadChannels()
        return;
    Finding finding{Severity::Warning, "bias-overflow", "Biases of " + counted(raised.size(), "layer", "layers") + " overflow", "", nodesOf(raised), "", {}};
    finding.evidence = "The biases of " + counted(raised.size(), "layer", "layers")
        + " do not fit int32 with the scales of input and weight, so the weight scales of these channels were raised and their weights keep fewer codes: "
        + listed(raised) + ".";
    if (!empty.empty())
        finding.evidence += std::string(" ") + counted(empty.size(), "layer has", "layers have") + " channels without weights, which take the smallest scale at which the bias fits: "
            + listed(empty) + ".";
    for (const NodeId node : nodesOf(empty))
        if (std::find(finding.nodes.begin(), finding.nodes.end(), node) == finding.nodes.end())
            finding.nodes.push_back(node);
    context.findings.push_back(std::move(finding));
}

} // namespace core

#include "core/analysis/doctor.h"

#include "core/analysis/doctor_rules.h"
#include "core/spec/config_json.h"
#include "core/spec/rule_query.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <set>

namespace core {

DoctorContext::DoctorContext(const DoctorInput &input)
    : in(input), target(targetProfile(input.recipe.target)), producers(producerByValue(input.prepared)), uses(usesByValue(input.prepared)),
      rows(input.placement.points.size(), nullptr)
{
    if (!in.report)
        return;
    fresh = in.report->recipeJson == recipeToJson(in.recipe);
    std::multimap<std::string, const LayerRow *> byTensor;
    for (const LayerRow &row : in.report->layers)
        byTensor.emplace(row.tensor, &row);
    for (const Point &point : in.placement.points) {
        const char *kind = point.kind == PointKind::Activation ? "activation" : point.kind == PointKind::Weight ? "weight" : "bias";
        const auto [first, last] = byTensor.equal_range(nameOf(point.value));
        for (auto row = first; row != last; ++row)
            if (row->second->kind == kind && row->second->badge == point.scheme.badge() && (!point.owner.valid() || row->second->node == nameOf(point.owner)))
                rows[std::size_t(point.id.index)] = row->second;
    }
}

const TensorStatistics *DoctorContext::statistics(ValueId id) const
{
    if (!in.statistics)
        return nullptr;
    const auto found = in.statistics->find(id);
    return found == in.statistics->end() || found->second.count == 0 ? nullptr : &found->second;
}

QuantizationSpec &DoctorContext::specOf(Recipe &recipe, const Point &point) const
{
    QuantizationConfig &config = recipe.config.byNode[nameOf(point.owner)];
    if (point.kind == PointKind::Weight)
        return config.weight;
    if (point.kind == PointKind::Bias)
        return config.bias;
    const std::vector<ValueId> &made = in.prepared.node(point.owner).outputs;
    return std::find(made.begin(), made.end(), point.value) != made.end() ? config.outputTensors : config.inputTensors;
}

void DoctorContext::offer(Finding &finding, std::string fix, Recipe remedy) const
{
    try {
        place(in.prepared, remedy);
    } catch (const Error &) {
        return;
    }
    finding.fix = std::move(fix);
    finding.remedy = std::move(remedy);
}

void sortWorstFirst(std::vector<Measured> &list)
{
    std::stable_sort(list.begin(), list.end(), [](const Measured &a, const Measured &b) { return a.figure > b.figure; });
}

std::string listed(const std::vector<Measured> &list, std::size_t most)
{
    std::string text;
    const std::size_t shown = list.size() <= most + 1 ? list.size() : most;
    for (std::size_t i = 0; i < shown; ++i)
        text += (i == 0 ? "" : i + 1 == list.size() ? " and " : ", ") + list[i].text;
    return shown < list.size() ? text + " and " + std::to_string(list.size() - shown) + " more" : text;
}

std::vector<NodeId> nodesOf(const std::vector<Measured> &list)
{
    std::vector<NodeId> nodes;
    for (const Measured &measured : list)
        if (measured.node.valid() && std::find(nodes.begin(), nodes.end(), measured.node) == nodes.end())
            nodes.push_back(measured.node);
    return nodes;
}

std::string counted(std::size_t count, const std::string &one, const std::string &many) { return std::to_string(count) + " " + (count == 1 ? one : many); }

std::string figureText(double value)
{
    char text[32];
    std::snprintf(text, sizeof text, "%.3g", value);
    if (std::string_view(text).find('e') != std::string_view::npos)
        std::snprintf(text, sizeof text, "%.0f", value);
    return text;
}

namespace {

/// What the refusal of place() complains about: names, rules and patterns without a node.
std::vector<std::string> removeUnmatched(const Graph &graph, Config &config)
{
    std::vector<std::string> removed;
    const auto takesAny = [&](auto &&test) { return std::any_of(graph.order().begin(), graph.order().end(), [&](NodeId id) { return test(graph.node(id)); }); };
    std::erase_if(config.rules, [&](const Rule &rule) {
        bool broken = false;
        try {
            broken = RuleQuery(rule.query).select(graph).empty();
        } catch (const Error &) {
            broken = true;
        }
        if (broken)
            removed.push_back("rule '" + rule.query + "'");
        return broken;
    });
    std::erase_if(config.byOpType, [&](const auto &entry) {
        const bool none = !takesAny([&](const Node &node) { return node.opType == entry.first; });
        if (none)
            removed.push_back("operator type '" + entry.first + "'");
        return none;
    });
    std::erase_if(config.byNode, [&](const auto &entry) {
        const bool none = !graph.findNode(entry.first).valid();
        if (none)
            removed.push_back("node '" + entry.first + "'");
        return none;
    });
    std::erase_if(config.exclude, [&](const std::string &pattern) {
        const bool none = !takesAny([&](const Node &node) { return globMatches(pattern, node.name); });
        if (none)
            removed.push_back("exclude '" + pattern + "'");
        return none;
    });
    std::erase_if(config.disabledEdges, [&](const auto &entry) {
        const bool none = !graph.findNode(entry.first).valid();
        if (none)
            removed.push_back("disabled edges of '" + entry.first + "'");
        return none;
    });
    std::erase_if(config.splitConcats, [&](const std::string &name) {
        const NodeId id = graph.findNode(name);
        const bool none = !id.valid() || !graph.node(id).is("Concat");
        if (none)
            removed.push_back("split Concat '" + name + "'");
        return none;
    });
    return removed;
}

bool samePlacement(const Placement &a, const Placement &b)
{
    if (a.points.size() != b.points.size())
        return false;
    for (std::size_t i = 0; i < a.points.size(); ++i) {
        const Point &x = a.points[i], &y = b.points[i];
        const bool sameUses = std::equal(x.uses.begin(), x.uses.end(), y.uses.begin(), y.uses.end(),
                                         [](const Graph::Use &p, const Graph::Use &q) { return p.node == q.node && p.inputIndex == q.inputIndex; });
        if (x.value != y.value || x.kind != y.kind || !(x.scheme == y.scheme) || x.shares != y.shares || x.quantizesOutput != y.quantizesOutput || !sameUses)
            return false;
    }
    return true;
}

} // namespace

void findUnusedRules(DoctorContext &context)
{
    constexpr std::size_t mostRules = 64;   // each is placed without it
    const std::vector<Rule> &rules = context.in.recipe.config.rules;
    for (std::size_t i = 0; i < std::min(rules.size(), mostRules); ++i) {
        Recipe without = context.in.recipe;
        without.config.rules.erase(without.config.rules.begin() + std::ptrdiff_t(i));
        try {
            if (!samePlacement(context.in.placement, place(context.in.prepared, without)))
                continue;
        } catch (const Error &) {
            continue;
        }
        Finding finding{Severity::Note, "unused-rule", "A rule changes nothing", "", {}, "", {}};
        finding.evidence = "Without the rule '" + rules[i].query + "' every quantizer would be the same: it says what holds anyway, or later rules and settings of nodes win.";
        finding.nodes = RuleQuery(rules[i].query).select(context.in.prepared);
        context.offer(finding, "Remove the rule '" + rules[i].query + "'", std::move(without));
        context.findings.push_back(std::move(finding));
    }
}

void findOtherDiagnostics(DoctorContext &context)
{
    static const std::set<std::string> ofPlacement = {"float-input", "setting-without-effect", "float-fallback"};
    static const std::set<std::string> covered = {"bias-raised-scale", "zero-channel"};
    std::map<std::string, std::vector<const Diagnostic *>> byCode;
    std::set<std::string> seen;
    const auto take = [&](const Diagnostics &list, bool placement) {
        for (const Diagnostic &diagnostic : list)
            if (diagnostic.severity != Severity::Note && !covered.contains(diagnostic.code) && (placement || !ofPlacement.contains(diagnostic.code))
                && seen.insert(diagnostic.code + diagnostic.sentence).second)
                byCode[diagnostic.code].push_back(&diagnostic);
    };
    take(context.in.placement.diagnostics, true);
    if (context.in.report)
        take(context.in.report->diagnostics, false);
    for (const auto &[code, list] : byCode) {
        constexpr std::size_t most = 4;
        Finding finding{Severity::Warning, code, "", "", {}, "", {}};
        finding.title = code;
        std::replace(finding.title.begin(), finding.title.end(), '-', ' ');
        finding.title[0] = char(std::toupper(static_cast<unsigned char>(finding.title[0])));
        if (list.size() > 1)
            finding.title += " (" + std::to_string(list.size()) + ")";
        for (std::size_t i = 0; i < list.size(); ++i) {
            const Diagnostic &diagnostic = *list[i];
            finding.severity = std::max(finding.severity, diagnostic.severity);
            if (i < most)
                finding.evidence += (i ? " " : "") + diagnostic.sentence;
            NodeId node = context.in.prepared.findNode(diagnostic.node);
            if (const ValueId value = context.in.prepared.findValue(diagnostic.node); !node.valid() && value.valid())
                node = context.producers[std::size_t(value.index)];
            if (node.valid() && std::find(finding.nodes.begin(), finding.nodes.end(), node) == finding.nodes.end())
                finding.nodes.push_back(node);
        }
        if (list.size() > most)
            finding.evidence += " And " + std::to_string(list.size() - most) + " more.";
        context.findings.push_back(std::move(finding));
    }
}

std::vector<Finding> diagnose(const DoctorInput &input)
{
    DoctorContext context(input);
    for (const auto rule : {findPreprocessing, findChannelRanges, findLowSqnr, findJoinedConcats, findSaturation, findOutliers, findBiasOverflow, findFewImages,
                            findOtherDiagnostics, findUnusedRules, findDeadChannels})
        rule(context);
    std::stable_sort(context.findings.begin(), context.findings.end(), [](const Finding &a, const Finding &b) { return a.severity > b.severity; });
    return std::move(context.findings);
}

std::vector<Finding> diagnoseRefusal(const Graph &graph, const Recipe &recipe, const Error &refusal)
{
    Recipe without = recipe;
    const std::vector<std::string> removed = removeUnmatched(graph, without.config);
    if (removed.empty())
        return {{Severity::Problem, "recipe-refused", "The settings cannot be carried out", refusal.sentence(), {}, "", {}}};
    std::string names;
    for (const std::string &name : removed)
        names += (names.empty() ? "" : ", ") + name;
    Finding finding{Severity::Problem, "unused-rule", "Settings match no node", "", {}, "", {}};
    finding.evidence = counted(removed.size(), "setting matches", "settings match") + " no node of the model: " + names + ".";
    finding.fix = "Remove " + (removed.size() == 1 ? names : counted(removed.size(), "setting", "settings"));
    finding.remedy = std::move(without);
    return {std::move(finding)};
}

} // namespace core

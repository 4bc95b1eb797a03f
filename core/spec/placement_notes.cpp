#include "core/spec/placement_notes.h"

#include "core/spec/operator_roles.h"
#include "core/spec/spec_fields.h"

#include <map>
#include <set>

namespace core {

void addPlacementNotes(const Graph &graph, const TargetProfile &target, const Resolver &resolver, const Fusions &fusions, Placement &placement)
{
    std::map<std::pair<NodeId, std::size_t>, const Point *> byEdge;
    std::set<ValueId> quantizedValues;
    for (const Point &point : placement.points) {
        for (const Graph::Use &use : point.uses)
            byEdge[{use.node, use.inputIndex}] = &point;
        quantizedValues.insert(point.value);
    }
    const auto note = [&](Severity severity, const char *code, const Node &node, const std::string &sentence) {
        placement.diagnostics.push_back({severity, code, node.name, node.opType + " '" + node.name + "' " + sentence});
    };
    for (const std::vector<NodeId> &group : fusions.groups) {
        const ResolvedScheme &owner = resolver.node(group.back()).role(TensorRole::Output);
        for (NodeId id : group) {
            const ResolvedScheme &own = resolver.node(id).role(TensorRole::Output);
            if (id == group.back() || own.layer <= ConfigLayer::Global || own.scheme == owner.scheme)
                continue;
            const Node &last = graph.node(group.back());
            note(Severity::Warning, "setting-without-effect", graph.node(id), "runs as one with " + last.opType + " '" + last.name
                     + "'; its output_tensors (" + own.provenance() + ") have no effect, set those of '" + last.name + "'.");
        }
    }
    for (NodeId id : graph.order()) {
        const Node &node = graph.node(id);
        if (!isMatrixOperator(node))
            continue;
        const auto at = [&](std::size_t i) {
            const auto found = byEdge.find({id, i});
            return found == byEdge.end() ? nullptr : found->second;
        };
        const Point *input = at(0), *weight = at(1);
        if (!input && !weight)
            continue;
        if (!input || !weight) {
            note(Severity::Note, "float-fallback", node, std::string("runs in float: its ") + (input ? "weight" : "input") + " is not quantized.");
            continue;
        }
        if (target.floatFallbackOps.contains(node.opType)) {
            note(Severity::Note, "float-fallback", node, "has no integer kernel on " + target.name + "; it loads and runs in float.");
            continue;
        }
        for (const Point *point : {input, weight})
            if (!target.integerKernelDtypes.empty() && !target.integerKernelDtypes.contains(point->scheme.dtype)) {
                note(Severity::Note, "float-fallback", node, "runs in float on " + target.name + ", which has no integer kernel for "
                         + std::string(enumName(point->scheme.dtype)) + ".");
                break;
            }
        const ValueId out = node.output();
        const int group = fusions.groupOf[std::size_t(id.index)];
        const ValueId last = group >= 0 ? graph.node(fusions.groups[std::size_t(group)].back()).output() : out;
        if (!quantizedValues.contains(last) && !quantizedValues.contains(out))
            note(Severity::Note, "float-fallback", node, "gives a float output, so most runtimes compute it in float.");
    }
}

} // namespace core

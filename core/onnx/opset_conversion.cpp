#include "core/onnx/opset_conversion.h"

#include "core/graph/op_schema.h"
#include "core/onnx/opset_rules.h"

#include <algorithm>
#include <utility>

namespace core {
namespace {

constexpr int oldestWritten = 7;

void dropConsumedInputs(OpsetRewriter &r, NodeId id)
{
    if (r.opset < 6)
        r.graph.node(id).attributes.erase("consumed_inputs");
}

Diagnostics tryLower(Graph &graph, int opset)
{
    static const OpsetRules rules = [] {
        OpsetRules made;
        addLowerInputRules(made);
        addLowerResizeRules(made);
        addLowerFormRules(made);
        return made;
    }();
    Diagnostics refused;
    OpsetRewriter(graph, opset, refused).run({rules, OpsetRewriter::Plan::Way::Lower, nullptr, checkLowered});
    return refused;
}

} // namespace

void liftToNewest(Graph &graph, int opset, Diagnostics &diagnostics)
{
    static const OpsetRules rules = [] {
        OpsetRules made;
        addLiftInputRules(made);
        addLiftResizeRules(made);
        addLiftFormRules(made);
        return made;
    }();
    if (opset >= newestOpset)
        return;
    OpsetRewriter(graph, opset, diagnostics).run({rules, OpsetRewriter::Plan::Way::Lift, dropConsumedInputs, nullptr});
}

void lowerTo(Graph &graph, int opset)
{
    if (opset < oldestWritten)
        throw Error(ErrorKind::Unsupported, "opset", "Operator set " + std::to_string(opset) + " cannot be written; choose " + std::to_string(oldestWritten)
                    + " to " + std::to_string(newestOpset) + ".");
    if (opset >= newestOpset)
        return;
    Graph lowered = graph;
    const Diagnostics refused = tryLower(lowered, opset);
    if (!refused.empty())
        throw Error(ErrorKind::Unsupported, "opset", "The model cannot be written with operator set " + std::to_string(opset) + ":\n" + joinSentences(refused)
                    + "\nChoose a newer operator set.");
    graph = std::move(lowered);
}

int lowestOpset(const Graph &graph, int atLeast)
{
    int opset = std::max(atLeast, oldestWritten);
    for (; opset < newestOpset; ++opset) {
        Graph trial = graph;
        if (tryLower(trial, opset).empty())
            break;
    }
    return opset;
}

} // namespace core

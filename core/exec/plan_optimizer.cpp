#include "core/exec/plan_optimizer.h"

#include "core/exec/constant_evaluation.h"
#include "core/exec/fused_kernels.h"
#include "core/graph/layer_folding.h"

namespace core {
namespace {

// Weights of quantized files become plain weights here: DequantizeLinear of constants is evaluated too.
void evaluateConstants(Graph &part)
{
    constexpr std::int64_t largest = std::int64_t(1) << 30;
    const std::vector<NodeId> order = part.order();
    for (const NodeId id : order)
        if (isConstantNode(part, part.node(id)))
            replaceByConstants(part, id, largest);
}

} // namespace

void optimizePlan(Graph &part)
{
    evaluateConstants(part);
    foldPadding(part);
    foldBatchNormalization(part);
    fuseFakeQuantize(part);
    fuseConvolutions(part);
    part.removeUnusedValues();
}

} // namespace core

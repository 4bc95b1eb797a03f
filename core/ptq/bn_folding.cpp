#include "core/ptq/bn_folding.h"

namespace core {

void BnFolding::apply(PtqState &state, Progress &progress)
{
    progress.checkpoint();
    foldBatchNormalization(state.graph);
    foldPadding(state.graph);
}

} // namespace core

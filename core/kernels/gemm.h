// Matrix products in float32 whose bits depend on the operands' numbers alone.
//
// C[i, j] = fma(A[i, K−1], B[K−1, j], … fma(A[i, 0], B[0, j], 0)): every element is one chain of fused multiply-adds in rising k, so
// neither threads, nor how rows are split into calls, nor the width of the vectors changes a bit. (Without FMA, before AVX2, products round first.)
// OpenBLAS 0.3.21 keeps its bits for any thread count but not for any number of rows: below about 10^6 products it takes another kernel.
#pragma once

#include <cstdint>

namespace core {

/// Element (i, j) stands at data[i · rowStride + j · columnStride].
struct MatrixView {
    const float *data = nullptr;
    std::int64_t rowStride = 0, columnStride = 1;
};

/// Columns of one packed panel of B on this CPU. Panel p holds columns p · gemmPanelColumns() and following.
std::int64_t gemmPanelColumns();

/// Packs the panels [firstPanel, lastPanel) of B [depth, columns]. `packed` is where panel 0 begins; a panel takes depth · gemmPanelColumns() floats.
/// Columns behind the last are 0.
void packPanels(const MatrixView &b, std::int64_t depth, std::int64_t columns, std::int64_t firstPanel, std::int64_t lastPanel, float *packed);

/// C[firstRow…lastRow−1, columns of the panels] = A · B. `packed` as above; C is row-major with `cStride` floats between rows. One thread.
void multiplyPanels(const MatrixView &a, std::int64_t firstRow, std::int64_t lastRow, std::int64_t depth, const float *packed, std::int64_t columns,
                    std::int64_t firstPanel, std::int64_t lastPanel, float *c, std::int64_t cStride);

} // namespace core

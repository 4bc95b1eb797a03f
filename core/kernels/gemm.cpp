// Vectors stand in arrays here, which types without a size (SVE, RVV) do not allow.
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/gemm.cpp"
#include "hwy/foreach_target.h"

#include "core/kernels/gemm.h"

#include "hwy/highway.h"

#include <algorithm>
#include <vector>

HWY_BEFORE_NAMESPACE();
namespace core {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using F = hn::ScalableTag<float>;
using V = hn::Vec<F>;

constexpr std::int64_t lanes = std::int64_t(hn::MaxLanes(F()));
constexpr std::int64_t panelColumns = 2 * lanes;
// Rows of one tile: as many as leave the accumulators in registers (32 with AVX-512 and NEON, else 16).
constexpr int tileRows = HWY_TARGET <= HWY_AVX3 || HWY_ARCH_ARM_A64 ? 12 : 6;
constexpr std::int64_t depthBlock = 256, rowBlock = 96;

struct Tile {
    const float *a;         // [depth][rows]
    const float *b;         // [depth][panelColumns]
    std::int64_t depth;
    float *c;
    std::int64_t stride;
    bool continues;         // C holds the chain so far
};

template <int rows>
HWY_INLINE void multiplyTile(const Tile &tile)
{
    const F f;
    V sums[rows][2];
    for (int r = 0; r < rows; ++r) {
        sums[r][0] = tile.continues ? hn::LoadU(f, tile.c + r * tile.stride) : hn::Zero(f);
        sums[r][1] = tile.continues ? hn::LoadU(f, tile.c + r * tile.stride + lanes) : hn::Zero(f);
    }
    const float *a = tile.a, *b = tile.b;
    for (std::int64_t k = 0; k < tile.depth; ++k, a += rows, b += panelColumns) {
        const V left = hn::LoadU(f, b), right = hn::LoadU(f, b + lanes);
        for (int r = 0; r < rows; ++r) {
            const V factor = hn::Set(f, a[r]);
            sums[r][0] = hn::MulAdd(factor, left, sums[r][0]);
            sums[r][1] = hn::MulAdd(factor, right, sums[r][1]);
        }
    }
    for (int r = 0; r < rows; ++r) {
        hn::StoreU(sums[r][0], f, tile.c + r * tile.stride);
        hn::StoreU(sums[r][1], f, tile.c + r * tile.stride + lanes);
    }
}

template <int rows>
void multiplyRows(std::int64_t count, const Tile &tile)
{
    if (count == rows)
        multiplyTile<rows>(tile);
    else if constexpr (rows > 1)
        multiplyRows<rows - 1>(count, tile);
}

// The last panel may reach beyond C: it goes through a buffer.
void multiplyPart(std::int64_t rows, Tile tile, std::int64_t columns)
{
    if (columns >= panelColumns) {
        multiplyRows<tileRows>(rows, tile);
        return;
    }
    float buffer[tileRows * panelColumns] = {};
    float *c = tile.c;
    const std::int64_t stride = tile.stride;
    for (std::int64_t r = 0; tile.continues && r < rows; ++r)
        std::copy_n(c + r * stride, columns, buffer + r * panelColumns);
    tile.c = buffer;
    tile.stride = panelColumns;
    multiplyRows<tileRows>(rows, tile);
    for (std::int64_t r = 0; r < rows; ++r)
        std::copy_n(buffer + r * panelColumns, columns, c + r * stride);
}

void packRows(const MatrixView &a, std::int64_t row, std::int64_t rows, std::int64_t k, std::int64_t depth, float *packed)
{
    for (std::int64_t first = 0; first < rows; first += tileRows) {
        const std::int64_t count = std::min<std::int64_t>(tileRows, rows - first);
        const float *source = a.data + (row + first) * a.rowStride + k * a.columnStride;
        for (std::int64_t r = 0; r < count; ++r)
            for (std::int64_t i = 0; i < depth; ++i)
                packed[i * count + r] = source[r * a.rowStride + i * a.columnStride];
        packed += count * depth;
    }
}

std::int64_t columnsOfPanel() { return panelColumns; }

void pack(const MatrixView &b, std::int64_t depth, std::int64_t columns, std::int64_t firstPanel, std::int64_t lastPanel, float *packed)
{
    for (std::int64_t panel = firstPanel; panel < lastPanel; ++panel) {
        const std::int64_t column = panel * panelColumns, count = std::min(panelColumns, columns - column);
        const float *source = b.data + column * b.columnStride;
        float *target = packed + panel * depth * panelColumns;
        if (count < panelColumns)
            std::fill_n(target, depth * panelColumns, 0.0f);
        for (std::int64_t begin = 0; begin < depth; begin += 32) {
            const std::int64_t end = std::min(depth, begin + 32);
            if (b.columnStride == 1) {
                for (std::int64_t k = begin; k < end; ++k)
                    std::copy_n(source + k * b.rowStride, count, target + k * panelColumns);
                continue;
            }
            for (std::int64_t j = 0; j < count; ++j)
                for (std::int64_t k = begin; k < end; ++k)
                    target[k * panelColumns + j] = source[k * b.rowStride + j * b.columnStride];
        }
    }
}

void multiply(const MatrixView &a, std::int64_t firstRow, std::int64_t lastRow, std::int64_t depth, const float *packed, std::int64_t columns,
              std::int64_t firstPanel, std::int64_t lastPanel, float *c, std::int64_t cStride)
{
    std::vector<float> rows(std::size_t(std::min(rowBlock, lastRow - firstRow) * std::min(depthBlock, depth)));
    for (std::int64_t k = 0; k < depth; k += depthBlock) {
        const std::int64_t kCount = std::min(depthBlock, depth - k);
        for (std::int64_t row = firstRow; row < lastRow; row += rowBlock) {
            const std::int64_t rowCount = std::min(rowBlock, lastRow - row);
            packRows(a, row, rowCount, k, kCount, rows.data());
            for (std::int64_t panel = firstPanel; panel < lastPanel; ++panel) {
                const std::int64_t column = panel * panelColumns;
                const float *b = packed + (panel * depth + k) * panelColumns;
                for (std::int64_t r = 0; r < rowCount; r += tileRows) {
                    const Tile tile{rows.data() + r * kCount, b, kCount, c + (row + r) * cStride + column, cStride, k > 0};
                    multiplyPart(std::min<std::int64_t>(tileRows, rowCount - r), tile, columns - column);
                }
            }
        }
    }
}

} // namespace HWY_NAMESPACE
} // namespace core
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace core {

HWY_EXPORT(columnsOfPanel);
HWY_EXPORT(pack);
HWY_EXPORT(multiply);

std::int64_t gemmPanelColumns()
{
    return HWY_DYNAMIC_DISPATCH(columnsOfPanel)();
}

void packPanels(const MatrixView &b, std::int64_t depth, std::int64_t columns, std::int64_t firstPanel, std::int64_t lastPanel, float *packed)
{
    HWY_DYNAMIC_DISPATCH(pack)(b, depth, columns, firstPanel, lastPanel, packed);
}

void multiplyPanels(const MatrixView &a, std::int64_t firstRow, std::int64_t lastRow, std::int64_t depth, const float *packed, std::int64_t columns,
                    std::int64_t firstPanel, std::int64_t lastPanel, float *c, std::int64_t cStride)
{
    HWY_DYNAMIC_DISPATCH(multiply)(a, firstRow, lastRow, depth, packed, columns, firstPanel, lastPanel, c, cStride);
}

} // namespace core
#endif

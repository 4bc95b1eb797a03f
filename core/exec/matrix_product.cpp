#include "core/exec/matrix_product.h"

#include "core/kernels/gemm.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <mutex>
#include <vector>

namespace core {
namespace {

using Ints = std::vector<std::int64_t>;

constexpr std::int64_t rowsOfTask = 96, columnsOfTask = 256;
constexpr std::int64_t leastWork = 1 << 16;   // products that are worth a thread

// Both operands are [batch…, rows, columns] with equal batch dimensions.
std::vector<MatrixView> views(const at::Tensor &x, std::int64_t count)
{
    const std::int64_t axes = x.dim() - 2;
    std::vector<MatrixView> result(std::size_t(count), MatrixView{x.data_ptr<float>(), x.stride(-2), x.stride(-1)});
    for (std::int64_t i = 0; i < count; ++i) {
        std::int64_t rest = i;
        for (std::int64_t d = axes; d-- > 0; rest /= x.size(d))
            result[std::size_t(i)].data += rest % x.size(d) * x.stride(d);
    }
    return result;
}

std::int64_t panelsOf(std::int64_t columns)
{
    return (columns + gemmPanelColumns() - 1) / gemmPanelColumns();
}

at::Tensor packAll(const std::vector<MatrixView> &matrices, std::int64_t count, std::int64_t depth, std::int64_t columns)
{
    const std::int64_t panels = panelsOf(columns), panelSize = depth * gemmPanelColumns();
    const at::Tensor packed = at::empty({count * panels * panelSize}, at::kFloat);
    float *const target = packed.data_ptr<float>();
    at::parallel_for(0, count * panels, std::max<std::int64_t>(1, leastWork / (4 * std::max<std::int64_t>(panelSize, 1))), [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t task = begin; task < end; ++task) {
            const std::int64_t batch = task / panels, panel = task % panels;
            packPanels(matrices[std::size_t(batch)], depth, columns, panel, panel + 1, target + batch * panels * panelSize);
        }
    });
    return packed;
}

at::Tensor multiplyBatches(const at::Tensor &a, const at::Tensor &b, const PackedOperand *operand = nullptr)
{
    Ints sizes(a.sizes().begin(), a.sizes().end());
    sizes.back() = b.size(-1);
    const std::int64_t rows = a.size(-2), depth = a.size(-1), columns = b.size(-1);
    at::Tensor result = at::empty(sizes, a.options().memory_format(at::MemoryFormat::Contiguous));
    if (result.numel() == 0 || depth == 0)
        return result.zero_();
    const std::int64_t batches = result.numel() / (rows * columns), panels = panelsOf(columns);
    const auto left = views(a, batches), right = views(b, batches);
    const bool shared = std::all_of(right.begin(), right.end(), [&](const MatrixView &view) { return view.data == right.front().data; });
    const at::Tensor packed = operand && shared ? operand->pack(b) : packAll(right, shared ? 1 : batches, depth, columns);
    const float *const panelData = packed.data_ptr<float>();
    const std::int64_t step = shared ? 0 : panels * depth * gemmPanelColumns();
    const std::int64_t panelsOfTask = std::max<std::int64_t>(1, columnsOfTask / gemmPanelColumns());
    const std::int64_t across = (panels + panelsOfTask - 1) / panelsOfTask, down = (rows + rowsOfTask - 1) / rowsOfTask;
    const std::int64_t work = std::min(rows, rowsOfTask) * std::min(columns, columnsOfTask) * depth;
    float *const target = result.data_ptr<float>();
    at::parallel_for(0, batches * across * down, std::max<std::int64_t>(1, leastWork / work), [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t task = begin; task < end; ++task) {
            const std::int64_t batch = task / (across * down), row = task / across % down * rowsOfTask, panel = task % across * panelsOfTask;
            multiplyPanels(left[std::size_t(batch)], row, std::min(rows, row + rowsOfTask), depth, panelData + batch * step, columns, panel,
                           std::min(panels, panel + panelsOfTask), target + batch * rows * columns, columns);
        }
    });
    return result;
}

bool ours(const at::Tensor &a, const at::Tensor &b)
{
    const bool recorded = at::GradMode::is_enabled() && (a.requires_grad() || b.requires_grad());
    return !recorded && a.scalar_type() == at::kFloat && b.scalar_type() == at::kFloat && a.dim() > 0 && b.dim() > 0;
}

Ints expanded(at::IntArrayRef batch, const at::Tensor &x)
{
    Ints sizes(batch.begin(), batch.end());
    sizes.push_back(x.size(-2));
    sizes.push_back(x.size(-1));
    return sizes;
}

} // namespace

struct PackedOperand::Memory {
    std::mutex mutex;
    at::Tensor source, packed;   // the source is held, so that its address is not used again
    std::int64_t version = 0;
};

PackedOperand::PackedOperand() : m_memory(std::make_shared<Memory>()) {}

at::Tensor PackedOperand::pack(const at::Tensor &b) const
{
    if (b.is_inference())
        return packAll(views(b, 1), 1, b.size(0), b.size(1));
    const std::lock_guard lock(m_memory->mutex);
    at::Tensor &source = m_memory->source;
    const bool same = source.defined() && source.data_ptr() == b.data_ptr() && source.sizes() == b.sizes() && source.strides() == b.strides();
    if (!same || m_memory->version != std::int64_t(b._version())) {
        m_memory->packed = packAll(views(b, 1), 1, b.size(0), b.size(1));
        source = b.detach();
        m_memory->version = std::int64_t(b._version());
    }
    return m_memory->packed;
}

at::Tensor matrixProduct(const at::Tensor &first, const at::Tensor &second, const PackedOperand *operand)
{
    if (!ours(first, second))
        return at::matmul(first, second);
    const bool row = first.dim() == 1, column = second.dim() == 1;
    at::Tensor a = row ? first.unsqueeze(0) : first, b = column ? second.unsqueeze(1) : second;
    Ints sizes;
    at::Tensor result;
    if (b.dim() == 2) {
        sizes.assign(a.sizes().begin(), a.sizes().end());
        sizes.back() = b.size(1);
        result = multiplyBatches(a.dim() == 2 ? a : a.reshape({a.size(-1) == 0 ? a.numel() : a.numel() / a.size(-1), a.size(-1)}), b, operand);
        if (a.size(-1) == 0)
            result = at::zeros(sizes, a.options());
    } else {
        const auto batch = at::infer_size(a.sizes().slice(0, std::size_t(a.dim() - 2)), b.sizes().slice(0, std::size_t(b.dim() - 2)));
        a = a.expand(expanded(batch, a));
        b = b.expand(expanded(batch, b));
        result = multiplyBatches(a, b);
        sizes.assign(result.sizes().begin(), result.sizes().end());
    }
    if (column)
        sizes.pop_back();
    if (row)
        sizes.erase(sizes.end() - (column ? 1 : 2));
    return result.reshape(sizes);
}

at::Tensor linearProduct(const at::Tensor &x, const at::Tensor &w, const at::Tensor &bias)
{
    const at::Tensor product = matrixProduct(x, w.t());
    return bias.defined() ? product + bias : product;
}

} // namespace core

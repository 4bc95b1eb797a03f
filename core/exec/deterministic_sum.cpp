#include "core/exec/deterministic_sum.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <vector>

namespace core {
namespace {

constexpr std::int64_t rowBlock = 16384;   // elements of one partial sum along a contiguous row
constexpr std::int64_t columnBlock = 512;  // rows of one partial sum across columns
constexpr std::int64_t columnChunk = 128;

// Sixteen lanes over at most 1,024 elements, then double: the order is fixed by the length alone.
template <class T>
double sumRow(const T *data, std::int64_t count)
{
    double total = 0;
    for (std::int64_t begin = 0; begin < count; begin += 1024) {
        const std::int64_t length = std::min<std::int64_t>(1024, count - begin);
        const T *block = data + begin;
        T lanes[16] = {};
        std::int64_t i = 0;
        for (; i + 16 <= length; i += 16)
            for (int lane = 0; lane < 16; ++lane)
                lanes[lane] += block[i + lane];
        double part = 0;
        for (; i < length; ++i)
            part += double(block[i]);
        for (int lane = 0; lane < 16; ++lane)
            part += double(lanes[lane]);
        total += part;
    }
    return total;
}

template <class T>
void sumColumns(const T *data, std::int64_t rows, std::int64_t stride, std::int64_t width, double *sums)
{
    std::fill(sums, sums + width, 0.0);
    T lanes[columnChunk];
    for (std::int64_t begin = 0; begin < rows; begin += 64) {
        std::fill(lanes, lanes + width, T(0));
        for (std::int64_t row = begin; row < std::min(rows, begin + 64); ++row) {
            const T *line = data + row * stride;
            for (std::int64_t i = 0; i < width; ++i)
                lanes[i] += line[i];
        }
        for (std::int64_t i = 0; i < width; ++i)
            sums[i] += double(lanes[i]);
    }
}

// x is [outer][rows][inner], result [outer][inner].
template <class T>
void sumMiddle(const T *x, T *result, std::int64_t outer, std::int64_t rows, std::int64_t inner)
{
    const bool contiguousRows = inner == 1;
    const std::int64_t block = contiguousRows ? rowBlock : columnBlock;
    const std::int64_t blocks = std::max<std::int64_t>(1, (rows + block - 1) / block);
    const std::int64_t chunks = (inner + columnChunk - 1) / columnChunk;
    std::vector<double> partial(std::size_t(outer * blocks * inner));
    const std::int64_t tasks = outer * blocks * chunks;
    const std::int64_t work = std::max<std::int64_t>(1, std::min(rows, block) * std::min(inner, columnChunk));
    at::parallel_for(0, tasks, std::max<std::int64_t>(1, 16384 / work), [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t task = begin; task < end; ++task) {
            const std::int64_t chunk = task % chunks, b = task / chunks % blocks, o = task / chunks / blocks;
            const std::int64_t first = b * block, count = std::min(block, rows - first);
            const T *data = x + (o * rows + first) * inner;
            double *sums = partial.data() + (o * blocks + b) * inner;
            if (contiguousRows)
                sums[0] = sumRow(data, count);
            else
                sumColumns(data + chunk * columnChunk, count, inner, std::min(columnChunk, inner - chunk * columnChunk),
                           sums + chunk * columnChunk);
        }
    });
    for (std::int64_t o = 0; o < outer; ++o)
        for (std::int64_t i = 0; i < inner; ++i) {
            double total = 0;
            for (std::int64_t b = 0; b < blocks; ++b)
                total += partial[std::size_t((o * blocks + b) * inner + i)];
            result[o * inner + i] = T(total);
        }
}

} // namespace

at::Tensor deterministicSum(const at::Tensor &x, at::IntArrayRef dims, bool keepDim)
{
    const std::int64_t rank = x.dim();
    std::vector<bool> reduced(std::size_t(rank), dims.empty());
    for (const auto dim : dims)
        reduced[std::size_t(dim < 0 ? dim + rank : dim)] = true;
    std::vector<std::int64_t> reducedDims, keptSizes;
    for (std::int64_t d = 0; d < rank; ++d) {
        if (reduced[std::size_t(d)])
            reducedDims.push_back(d);
        if (!reduced[std::size_t(d)] || keepDim)
            keptSizes.push_back(reduced[std::size_t(d)] ? 1 : x.size(d));
    }
    const bool recording = at::GradMode::is_enabled() && x.requires_grad();
    const bool ours = x.scalar_type() == at::kFloat || x.scalar_type() == at::kDouble;
    if (rank == 0)
        return x.clone();
    if (recording || !ours)
        return at::sum(x, reducedDims, keepDim, x.scalar_type());
    if (x.numel() == 0)
        return at::zeros(keptSizes, x.options());

    // Dimensions in memory order; the reduced ones must be neighbours, else they are moved to the end by a copy.
    std::vector<std::int64_t> order, single;
    for (std::int64_t d = 0; d < rank; ++d)
        (x.size(d) == 1 ? single : order).push_back(d);
    std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return x.stride(a) > x.stride(b); });
    order.insert(order.begin(), single.begin(), single.end());
    const auto split = [&] {
        int changes = 0;
        bool last = false;
        for (const auto d : order)
            if (x.size(d) != 1 && reduced[std::size_t(d)] != last) {
                last = !last;
                ++changes;
            }
        return changes > 2;
    };
    if (split())
        std::stable_partition(order.begin(), order.end(), [&](auto d) { return !reduced[std::size_t(d)]; });
    const at::Tensor ordered = x.permute(order).contiguous();

    std::int64_t outer = 1, rows = 1, inner = 1;
    std::vector<std::int64_t> resultSizes, inverse(std::size_t(rank), 0);
    for (std::int64_t i = 0; i < rank; ++i) {
        const std::int64_t d = order[std::size_t(i)], size = x.size(d);
        inverse[std::size_t(d)] = i;
        const bool isReduced = reduced[std::size_t(d)];
        resultSizes.push_back(isReduced ? 1 : size);
        if (size == 1)
            continue;
        if (isReduced)
            rows *= size;
        else if (rows == 1)
            outer *= size;
        else
            inner *= size;
    }
    at::Tensor result = at::empty(resultSizes, x.options().memory_format(at::MemoryFormat::Contiguous));
    if (x.scalar_type() == at::kFloat)
        sumMiddle(ordered.data_ptr<float>(), result.data_ptr<float>(), outer, rows, inner);
    else
        sumMiddle(ordered.data_ptr<double>(), result.data_ptr<double>(), outer, rows, inner);
    result = result.permute(inverse);
    return keepDim ? result : result.reshape(keptSizes);
}

at::Tensor deterministicMean(const at::Tensor &x, at::IntArrayRef dims, bool keepDim)
{
    std::int64_t count = 1;
    if (dims.empty())
        count = x.numel();
    for (const auto dim : dims)
        count *= x.size(dim);
    const at::Tensor sum = deterministicSum(x, dims, keepDim);
    return x.is_floating_point() ? sum / double(count) : at::div(sum, at::Scalar(std::max<std::int64_t>(count, 1)), "trunc");
}

} // namespace core

// Gather, Scatter, OneHot, NonZero, Unique, TopK.
#include "core/exec/differentiable.h"
#include "core/exec/op_common.h"

#include <ATen/ATen.h>
#include <torch/version.h>

#include <algorithm>
#include <map>
#include <numeric>

namespace core {
namespace {

using Ints = std::vector<std::int64_t>;

// Negative indices count from the end; anything outside is an error (LibTorch does not check every path).
at::Tensor wrapIndex(const at::Tensor &index, std::int64_t size, const std::string &label)
{
    const at::Tensor wide = index.to(at::kLong);
    if (wide.numel() == 0)
        return wide;
    const auto [least, greatest] = at::aminmax(wide);
    const std::int64_t low = least.item<std::int64_t>(), high = greatest.item<std::int64_t>();
    if (low < -size || high >= size)
        failCall(ErrorKind::InvalidInput, label, "index " + std::to_string(low < -size ? low : high) + " is outside an axis of size "
                 + std::to_string(size) + ".");
    return low < 0 ? at::where(wide.lt(0), wide + size, wide) : wide;
}

Kernel gatherKernel(const Node &node, const Graph &)
{
    return [axis = node.intAttribute("axis", 0), label = nodeLabel(node)](OpCall &call) {
        const at::Tensor &x = call.inputs[0];
        const std::int64_t dim = normalizeAxis(axis, x.dim(), label);
        const at::Tensor index = wrapIndex(call.inputs[1], x.size(dim), label);
        if (index.dim() == 0) {
            call.outputs[0] = x.select(dim, index.item<std::int64_t>());
            return;
        }
        Ints sizes(x.sizes().begin(), x.sizes().begin() + dim);
        sizes.insert(sizes.end(), index.sizes().begin(), index.sizes().end());
        sizes.insert(sizes.end(), x.sizes().begin() + dim + 1, x.sizes().end());
        checkResultSize(sizes, label);
        call.outputs[0] = x.index_select(dim, index.reshape({-1})).reshape(sizes);
    };
}

Kernel gatherElementsKernel(const Node &node, const Graph &)
{
    return [axis = node.intAttribute("axis", 0), label = nodeLabel(node)](OpCall &call) {
        const at::Tensor &x = call.inputs[0];
        const std::int64_t dim = normalizeAxis(axis, x.dim(), label);
        call.outputs[0] = at::gather(x, dim, wrapIndex(call.inputs[1], x.size(dim), label));
    };
}

// Row numbers of x seen as [batches · indexed dimensions, rest], for indices whose last axis is a coordinate.
at::Tensor linearRows(const at::Tensor &x, const at::Tensor &indices, std::int64_t batchDims, const std::string &label)
{
    const std::int64_t depth = indices.dim() > 0 ? indices.size(-1) : 0;
    if (indices.dim() == 0 || batchDims < 0 || batchDims >= indices.dim() || batchDims + depth > x.dim())
        failCall(ErrorKind::InvalidInput, label, "indices of depth " + std::to_string(depth) + " do not fit a tensor of rank " + std::to_string(x.dim()) + ".");
    std::int64_t batches = 1, points = 1, extent = 1;
    for (std::int64_t d = 0; d < batchDims; ++d) {
        if (indices.size(d) != x.size(d))
            failCall(ErrorKind::InvalidInput, label, "the batch dimensions of data and indices differ.");
        batches *= x.size(d);
    }
    for (std::int64_t d = batchDims; d + 1 < indices.dim(); ++d)
        points *= indices.size(d);
    const at::Tensor coordinates = indices.to(at::kLong).reshape({batches, points, depth});
    at::Tensor rows = at::zeros({batches, points}, at::kLong);
    for (std::int64_t k = 0; k < depth; ++k) {
        const std::int64_t size = x.size(batchDims + k);
        rows = rows * size + wrapIndex(coordinates.select(2, k), size, label);
        extent *= size;
    }
    rows = rows + at::arange(batches, at::kLong).unsqueeze(1) * extent;
    return rows.reshape({-1});
}

std::int64_t product(at::IntArrayRef sizes, std::int64_t from, std::int64_t to)
{
    std::int64_t result = 1;
    for (std::int64_t d = from; d < to; ++d)
        result *= sizes[std::size_t(d)];
    return result;
}

Kernel gatherNdKernel(const Node &node, const Graph &)
{
    return [batchDims = node.intAttribute("batch_dims", 0), label = nodeLabel(node)](OpCall &call) {
        const at::Tensor &x = call.inputs[0], &indices = call.inputs[1];
        const at::Tensor rows = linearRows(x, indices, batchDims, label);
        const std::int64_t split = batchDims + indices.size(-1), rest = product(x.sizes(), split, x.dim());
        Ints sizes(indices.sizes().begin(), indices.sizes().end() - 1);
        sizes.insert(sizes.end(), x.sizes().begin() + split, x.sizes().end());
        checkResultSize(sizes, label);
        call.outputs[0] = x.reshape({product(x.sizes(), 0, split), rest}).index_select(0, rows).reshape(sizes);
    };
}

enum class Reduction { None, Add, Multiply, Maximum, Minimum };

Reduction reductionOf(const Node &node)
{
    static const std::map<std::string, Reduction> names{{"none", Reduction::None}, {"add", Reduction::Add}, {"mul", Reduction::Multiply},
                                                        {"max", Reduction::Maximum}, {"min", Reduction::Minimum}};
    const std::string name = node.stringAttribute("reduction", "none");
    const auto found = names.find(name);
    if (found == names.end())
        failNode(ErrorKind::Unsupported, node, "attribute reduction '" + name + "' is unknown.");
    return found->second;
}

#if TORCH_VERSION_MAJOR < 2
/// LibTorch 1.13 calls scatter_reduce a beta, on the terminal.
struct Silence : c10::WarningHandler {
    void process(const c10::SourceLocation &, const std::string &, bool) override {}
};
#endif

at::Tensor recordedReduction(const at::Tensor &x, std::int64_t dim, const at::Tensor &index, const at::Tensor &updates, Reduction reduction)
{
#if TORCH_VERSION_MAJOR < 2
    Silence silence;
    const c10::Warning::WarningHandlerGuard guard(&silence);
#endif
    return at::scatter_reduce(x, dim, index, updates, reduction == Reduction::Multiply ? "prod" : reduction == Reduction::Maximum ? "amax" : "amin");
}

template <class T>
T timesOf(T a, T b) { return T(a * b); }
bool timesOf(bool a, bool b) { return a && b; }

// data[offsets[i]] = data[offsets[i]] ∘ updates[i], one after the other; data is contiguous and changed.
void reduceInto(at::Tensor &data, const at::Tensor &offsets, const at::Tensor &updates, Reduction reduction)
{
    const at::Tensor places = offsets.contiguous(), values = updates.to(data.scalar_type()).contiguous();
    AT_DISPATCH_ALL_TYPES_AND(at::kBool, data.scalar_type(), "scatter", [&] {
        auto *target = data.data_ptr<scalar_t>();
        const auto *source = values.data_ptr<scalar_t>();
        const auto *place = places.data_ptr<std::int64_t>();
        for (std::int64_t i = 0; i < places.numel(); ++i) {
            scalar_t &cell = target[place[i]];
            if (reduction == Reduction::Multiply) {
                cell = timesOf(cell, source[i]);
            } else if (source[i] != source[i] || (reduction == Reduction::Maximum ? cell < source[i] : source[i] < cell)) {
                cell = source[i];
            }
        }
    });
}

at::Tensor scatterReduced(const at::Tensor &x, std::int64_t dim, const at::Tensor &index, const at::Tensor &updates, Reduction reduction,
                          const std::string &label)
{
    if (recording({x, updates}))
        return recordedReduction(x, dim, index, updates, reduction);
    at::Tensor result = x.detach().clone(at::MemoryFormat::Contiguous), offsets = index * result.stride(dim);
    for (std::int64_t d = 0; d < x.dim(); ++d) {
        if (index.size(d) > x.size(d) && d != dim)
            failCall(ErrorKind::InvalidInput, label, "indices are longer than the data along axis " + std::to_string(d) + ".");
        Ints along(std::size_t(x.dim()), 1);
        along[std::size_t(d)] = index.size(d);
        if (d != dim)
            offsets = offsets + at::arange(index.size(d), at::kLong).reshape(along) * result.stride(d);
    }
    reduceInto(result, offsets, updates, reduction);
    return result;
}

Kernel scatterElementsKernel(const Node &node, const Graph &)
{
    return [axis = node.intAttribute("axis", 0), reduction = reductionOf(node), label = nodeLabel(node)](OpCall &call) {
        const at::Tensor &x = call.inputs[0], &updates = call.inputs[2];
        const std::int64_t dim = normalizeAxis(axis, x.dim(), label);
        const at::Tensor index = wrapIndex(call.inputs[1], x.size(dim), label);
        if (index.sizes() != updates.sizes())
            failCall(ErrorKind::InvalidInput, label, "indices and updates differ in shape.");
        if (reduction == Reduction::None)
            call.outputs[0] = at::scatter(x, dim, index, updates);
        else if (reduction == Reduction::Add)
            call.outputs[0] = at::scatter_add(x, dim, index, updates);
        else
            call.outputs[0] = scatterReduced(x, dim, index, updates, reduction, label);
    };
}

Kernel scatterNdKernel(const Node &node, const Graph &)
{
    return [reduction = reductionOf(node), label = nodeLabel(node)](OpCall &call) {
        const at::Tensor &x = call.inputs[0], &indices = call.inputs[1];
        const at::Tensor rows = linearRows(x, indices, 0, label);
        const std::int64_t split = indices.size(-1), rest = product(x.sizes(), split, x.dim());
        if (call.inputs[2].numel() != rows.numel() * rest)
            failCall(ErrorKind::InvalidInput, label, "updates has " + std::to_string(call.inputs[2].numel()) + " elements, "
                     + std::to_string(rows.numel() * rest) + " are needed.");
        const at::Tensor updates = call.inputs[2].reshape({rows.numel(), rest});
        const at::Tensor flat = x.reshape({product(x.sizes(), 0, split), rest});
        at::Tensor result;
        if (reduction == Reduction::None)
            result = at::index_copy(flat, 0, rows, updates);
        else if (reduction == Reduction::Add)
            result = at::index_add(flat, 0, rows, updates);
        else if (recording({flat, updates}))
            result = recordedReduction(flat, 0, rows.unsqueeze(1).expand({rows.numel(), rest}), updates, reduction);
        else {
            result = flat.detach().clone(at::MemoryFormat::Contiguous);
            reduceInto(result, rows.unsqueeze(1) * rest + at::arange(rest, at::kLong), updates, reduction);
        }
        call.outputs[0] = result.reshape(x.sizes());
    };
}

Kernel oneHotKernel(const Node &node, const Graph &graph)
{
    return [axis = node.intAttribute("axis", -1), depthInput = IntsInput(node, graph, 1), label = nodeLabel(node)](OpCall &call) {
        const Ints depths = depthInput.get(call).value_or(Ints{});
        if (depths.size() != 1 || depths.front() < 0)
            failCall(ErrorKind::InvalidInput, label, "input depth must hold one number, not below 0.");
        const at::Tensor indices = call.inputs[0].to(at::kLong), values = call.inputs[2];
        const std::int64_t depth = depths.front(), rank = indices.dim() + 1, dim = normalizeAxis(axis, rank, label);
        Ints sizes(indices.sizes().begin(), indices.sizes().end());
        sizes.insert(sizes.begin() + dim, depth);
        checkResultSize(sizes, label);
        Ints along(std::size_t(rank), 1);
        along[std::size_t(dim)] = depth;
        const at::Tensor wrapped = at::where(indices.lt(0), indices + depth, indices).unsqueeze(dim);
        const at::Tensor hot = wrapped.eq(at::arange(depth, at::kLong).reshape(along));
        call.outputs[0] = at::where(hot, values.select(0, 1), values.select(0, 0));
    };
}

Kernel topKKernel(const Node &node, const Graph &graph)
{
    const bool largest = node.intAttribute("largest", 1) != 0;
    return [largest, axis = node.intAttribute("axis", -1), kInput = IntsInput(node, graph, 1), label = nodeLabel(node)](OpCall &call) {
        const at::Tensor &x = call.inputs[0];
        const Ints given = kInput.get(call).value_or(Ints{});
        const std::int64_t dim = normalizeAxis(axis, x.dim(), label);
        if (given.size() != 1 || given.front() < 0 || given.front() > x.size(dim))
            failCall(ErrorKind::InvalidInput, label, "k must lie between 0 and " + std::to_string(x.size(dim)) + ".");
        // Equal values keep their order, which at::topk does not promise.
        const auto [values, indices] = at::sort(x, true, dim, largest);
        call.outputs[0] = values.narrow(dim, 0, given.front());
        if (call.outputs.size() > 1)
            call.outputs[1] = indices.narrow(dim, 0, given.front());
    };
}

Kernel uniqueKernel(const Node &node, const Graph &)
{
    const bool hasAxis = node.has("axis"), sorted = node.intAttribute("sorted", 1) != 0;
    return [hasAxis, sorted, axis = node.intAttribute("axis", 0), label = nodeLabel(node)](OpCall &call) {
        const at::Tensor x = hasAxis ? call.inputs[0] : call.inputs[0].reshape({-1});
        const std::int64_t dim = hasAxis ? normalizeAxis(axis, x.dim(), label) : 0, rows = x.size(dim);
        const at::Tensor flat = x.movedim(dim, 0).reshape({rows, -1}).to(at::kDouble).contiguous();
        const std::int64_t width = rows == 0 ? 0 : flat.numel() / rows;
        const double *data = flat.data_ptr<double>();
        const auto less = [&](std::int64_t a, std::int64_t b) {
            return std::lexicographical_compare(data + a * width, data + (a + 1) * width, data + b * width, data + (b + 1) * width);
        };
        Ints order(std::size_t(rows), 0), group(std::size_t(rows), 0), first;
        std::iota(order.begin(), order.end(), 0);
        std::stable_sort(order.begin(), order.end(), less);
        for (std::size_t i = 0; i < order.size(); ++i) {
            if (i == 0 || less(order[i - 1], order[i]))
                first.push_back(order[i]);
            group[std::size_t(order[i])] = std::int64_t(first.size()) - 1;
        }
        Ints rank(first.size(), 0), place(first.size(), 0);
        std::iota(rank.begin(), rank.end(), 0);
        if (!sorted)
            std::sort(rank.begin(), rank.end(), [&](auto a, auto b) { return first[std::size_t(a)] < first[std::size_t(b)]; });
        Ints chosen, counts(first.size(), 0);
        for (std::size_t i = 0; i < rank.size(); ++i) {
            place[std::size_t(rank[i])] = std::int64_t(i);
            chosen.push_back(first[std::size_t(rank[i])]);
        }
        for (auto &g : group) {
            g = place[std::size_t(g)];
            ++counts[std::size_t(g)];
        }
        const Ints *const lists[] = {&chosen, &group, &counts};
        call.outputs[0] = x.index_select(dim, at::tensor(chosen, at::kLong));
        for (std::size_t i = 1; i < call.outputs.size(); ++i)
            call.outputs[i] = at::tensor(*lists[i - 1], at::kLong);
    };
}

Kernel nonZeroKernel(const Node &, const Graph &)
{
    return [](OpCall &call) { call.outputs[0] = at::nonzero(call.inputs[0]).t(); };
}

} // namespace

void registerIndexOps(OpRegistry &registry)
{
    registry.add("Gather", gatherKernel);
    registry.add("GatherElements", gatherElementsKernel);
    registry.add("GatherND", gatherNdKernel);
    registry.add("ScatterElements", scatterElementsKernel);
    registry.add("ScatterND", scatterNdKernel);
    registry.add("OneHot", oneHotKernel);
    registry.add("TopK", topKKernel);
    registry.add("Unique", uniqueKernel);
    registry.add("NonZero", nonZeroKernel);
    registerEinsumOps(registry);
}

} // namespace core

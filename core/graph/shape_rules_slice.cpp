// Shapes: parts of a tensor, and reductions.
#include "core/graph/shape_rules.h"

#include <algorithm>
#include <limits>

namespace core {
namespace {

constexpr std::int64_t farEnd = std::numeric_limits<std::int32_t>::max();

Dimension sliced(const Dimension &in, const Term *start, const Term *end, std::int64_t step)
{
    const bool wholeEnd = end && ((end->known && end->integer >= farEnd) || (!end->known && !in.known() && !end->symbol.empty() && end->symbol == in.symbol));
    if (start && start->known && start->integer == 0 && step == 1 && wholeEnd)
        return in;
    if (!start || !end || !start->known || !end->known)
        return {};
    if (step == -1 && (start->integer == -1 || start->integer >= farEnd) && end->integer <= -farEnd)
        return in;
    if (start->integer == end->integer)
        return dimension(0);
    if (!in.known()) {
        const bool lastOne = start->integer == -1 && step == 1 && end->integer >= farEnd;
        return lastOne ? dimension(1) : Dimension{};
    }
    const auto place = [&](std::int64_t at, Wide lowest, Wide highest) { return std::clamp(at < 0 ? Wide(at) + in.size : Wide(at), lowest, highest); };
    const Wide last = in.size;
    if (step > 0) {
        const Wide from = place(start->integer, 0, last), to = place(end->integer, 0, last);
        return dimension(to > from ? (to - from + step - 1) / step : 0);
    }
    const Wide from = place(start->integer, -1, last - 1), to = place(end->integer, -1, last - 1);
    return dimension(from > to ? (from - to - Wide(step) - 1) / -Wide(step) : 0);
}

void slice(ShapeCall &call)
{
    const Shape *x = call.shape(0);
    if (!x) {
        call.set(0, call.type(0), {});
        return;
    }
    const SmallTensor *starts = call.small(1), *ends = call.small(2);
    auto axes = call.integers(3);
    const auto steps = call.integers(4);
    const std::size_t count = starts ? starts->elements.size() : ends ? ends->elements.size() : axes ? axes->size() : 0;
    if (!call.has(3)) {
        axes.emplace();
        for (std::size_t i = 0; i < count; ++i)
            axes->push_back(std::int64_t(i));
    }
    if (!axes || (!starts && !ends && !call.has(3))) {
        call.set(0, call.type(0), Shape(x->size()));
        return;
    }
    const auto fits = [&](std::size_t size) { return size == axes->size(); };
    if ((starts && !fits(starts->elements.size())) || (ends && !fits(ends->elements.size())) || (steps && !fits(steps->size())))
        call.misfit("starts, ends, axes and steps are not of equal length.");
    Shape out = *x;
    for (std::size_t i = 0; i < axes->size(); ++i) {
        Dimension &d = out[std::size_t(call.axis((*axes)[i], std::int64_t(x->size())))];
        const std::int64_t step = steps ? (*steps)[i] : 1;
        if (step == 0)
            call.misfit("a step is 0.");
        d = call.has(4) && !steps ? Dimension{} : sliced(d, starts ? &starts->elements[i] : nullptr, ends ? &ends->elements[i] : nullptr, step);
    }
    call.set(0, call.type(0), out);
}

void split(ShapeCall &call)
{
    const Shape *x = call.shape(0);
    const std::size_t count = call.node.outputs.size();
    if (!x || count == 0) {
        for (std::size_t i = 0; i < count; ++i)
            call.set(i, call.type(0), {});
        return;
    }
    const auto axis = std::size_t(call.axis(call.intAttribute("axis", 0), std::int64_t(x->size())));
    const SmallTensor *sizes = call.small(1);
    if (sizes && sizes->elements.size() != count)
        call.misfit("it has " + std::to_string(count) + " outputs and " + std::to_string(sizes->elements.size()) + " sizes.");
    const Dimension &whole = (*x)[axis];
    const Wide part = (Wide(whole.size) + Wide(count) - 1) / Wide(count);
    for (std::size_t i = 0; i < count; ++i) {
        Shape out = *x;
        if (call.has(1))
            out[axis] = sizes ? termDimension(sizes->elements[i]) : Dimension{};
        else if (count > 1)
            out[axis] = whole.known() ? dimension(i + 1 < count ? part : std::max<Wide>(whole.size - part * Wide(count - 1), 0)) : Dimension{};
        call.set(i, call.type(0), out);
    }
}

std::optional<Shape> reducedShape(const ShapeCall &call, const std::optional<Ints> &axes, bool axesGiven, bool keep, std::int64_t howMany)
{
    const Shape *x = call.shape(0);
    if (!x)
        return !axesGiven && !keep ? std::optional(Shape{}) : std::nullopt;
    if (axesGiven && !axes) {
        if (keep)
            return Shape(x->size());
        return howMany >= 0 && howMany <= std::int64_t(x->size()) ? std::optional(Shape(x->size() - std::size_t(howMany))) : std::nullopt;
    }
    std::vector<bool> reduced(x->size(), !axesGiven);
    for (std::size_t i = 0; axes && i < axes->size(); ++i)
        reduced[std::size_t(call.axis((*axes)[i], std::int64_t(x->size())))] = true;
    Shape out;
    for (std::size_t i = 0; i < x->size(); ++i) {
        if (!reduced[i])
            out.push_back((*x)[i]);
        else if (keep)
            out.push_back({1, {}});
    }
    return out;
}

void reduce(ShapeCall &call)
{
    const auto axes = call.integers(1);
    const bool keep = call.intAttribute("keepdims", 1) != 0, noop = call.intAttribute("noop_with_empty_axes", 0) != 0;
    const bool none = !call.has(1) || (axes && axes->empty());
    if (none && noop) {
        call.set(0, call.type(0), call.shape(0) ? std::optional(*call.shape(0)) : std::nullopt);
        return;
    }
    const Shape *list = call.shape(1);
    const std::int64_t howMany = list && list->size() == 1 ? (*list)[0].size : -1;
    call.set(0, call.type(0), reducedShape(call, axes, !none, keep, howMany));
}

void argMax(ShapeCall &call)
{
    call.set(0, DataType::Int64, reducedShape(call, Ints{call.intAttribute("axis", 0)}, true, call.intAttribute("keepdims", 1) != 0, 1));
}

void topK(ShapeCall &call)
{
    const Shape *x = call.shape(0);
    const SmallTensor *k = call.small(1);
    std::optional<Shape> out;
    if (x && !x->empty()) {
        out = *x;
        (*out)[std::size_t(call.axis(call.intAttribute("axis", -1), std::int64_t(x->size())))] =
            k && k->elements.size() == 1 ? termDimension(k->elements.front()) : Dimension{};
    }
    call.set(0, call.type(0), out);
    call.set(1, DataType::Int64, out);
}

void compress(ShapeCall &call)
{
    const Shape *x = call.shape(0);
    std::optional<Shape> out = Shape(1);
    if (call.node.has("axis")) {
        out = x ? std::optional(*x) : std::nullopt;
        if (out)
            (*out)[std::size_t(call.axis(call.intAttribute("axis", 0), std::int64_t(x->size())))] = {};
    }
    call.set(0, call.type(0), out);
}

void unique(ShapeCall &call)
{
    compress(call);
    for (const std::size_t output : {1u, 2u, 3u})
        call.set(output, DataType::Int64, Shape(1));
}

} // namespace

void addSliceRules(ShapeRules &rules)
{
    for (const char *type : {"ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd", "ReduceSum",
                             "ReduceSumSquare"})
        rules[type] = reduce;
    rules["Slice"] = slice;
    rules["Split"] = split;
    rules["ArgMax"] = rules["ArgMin"] = argMax;
    rules["TopK"] = topK;
    rules["Compress"] = compress;
    rules["Unique"] = unique;
}

} // namespace core

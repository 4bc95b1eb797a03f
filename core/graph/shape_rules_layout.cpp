// Shapes: what arranges elements anew, and Resize.
#include "core/graph/shape_rules.h"

#include <algorithm>
#include <cmath>
#include <set>

namespace core {
namespace {

constexpr std::size_t mostDimensions = 64;

/// The factor that two equal element counts leave for one missing dimension, after what stands on both sides is cancelled.
Dimension missingFactor(Shape whole, Shape parts)
{
    for (auto part = parts.begin(); part != parts.end();) {
        const auto twin = part->known() ? whole.end() : std::find_if(whole.begin(), whole.end(), [&](const Dimension &d) { return same(d, *part); });
        if (twin == whole.end()) {
            ++part;
            continue;
        }
        whole.erase(twin);
        part = parts.erase(part);
    }
    const Dimension divisor = product(parts, 0, parts.size());
    if (!divisor.known() || divisor.size == 0)
        return {};
    const auto unknown = std::count_if(whole.begin(), whole.end(), [](const Dimension &d) { return !d.known(); });
    Shape known;
    std::copy_if(whole.begin(), whole.end(), std::back_inserter(known), [](const Dimension &d) { return d.known(); });
    const Dimension total = product(known, 0, known.size());
    if (!total.known() || total.size % divisor.size != 0)
        return unknown == 0 && total.known() ? Dimension{-2, {}} : Dimension{};
    if (unknown == 0)
        return dimension(total.size / divisor.size);
    if (unknown > 1 || total.size != divisor.size)
        return {};
    return *std::find_if(whole.begin(), whole.end(), [](const Dimension &d) { return !d.known(); });
}

void reshape(ShapeCall &call)
{
    const Shape *x = call.shape(0);
    const SmallTensor *wanted = call.small(1);
    if (!wanted || wanted->elements.size() > mostDimensions || isFloatingPoint(wanted->type)) {
        const Shape *length = call.shape(1);
        const bool rankKnown = length && length->size() == 1 && (*length)[0].known() && (*length)[0].size <= std::int64_t(mostDimensions);
        call.set(0, call.type(0), rankKnown ? std::optional(Shape(std::size_t((*length)[0].size))) : std::nullopt);
        return;
    }
    const bool zeroIsZero = call.intAttribute("allowzero", 0) != 0;
    Shape out, parts, whole = x ? *x : Shape{};
    std::vector<bool> copied(whole.size(), false);
    std::size_t open = 0, openAt = 0;
    bool inferred = false;
    for (std::size_t i = 0; i < wanted->elements.size(); ++i) {
        const Term &term = wanted->elements[i];
        if (term.known && term.integer == 0 && !zeroIsZero) {
            if (x && i >= x->size())
                call.misfit("its shape copies dimension " + std::to_string(i) + ", which " + shapeText(*x) + " does not have.");
            out.push_back(x ? (*x)[i] : Dimension{});
            if (x)
                copied[i] = true;
            continue;
        }
        if (term.known && term.integer < -1)
            call.misfit("its shape holds " + std::to_string(term.integer) + ".");
        const bool minusOne = term.known && term.integer == -1;
        if (minusOne && inferred)
            call.misfit("its shape holds more than one -1.");
        inferred = inferred || minusOne;
        out.push_back(minusOne ? Dimension{} : termDimension(term));
        if (minusOne || (!term.known && term.symbol.empty())) {
            ++open;
            openAt = i;
        } else {
            parts.push_back(out.back());
        }
    }
    if (x) {
        for (std::size_t i = whole.size(); i-- > 0;) {
            if (copied[i])
                whole.erase(whole.begin() + std::ptrdiff_t(i));
        }
    }
    if (x && open <= 1) {
        const Dimension factor = missingFactor(whole, parts);
        const bool wrong = factor.size == -2 || (open == 0 && factor.known() && factor.size != 1);
        if (wrong)
            call.misfit("an input of shape " + shapeText(*x) + " cannot become " + shapeText(out) + ".");
        if (open == 1)
            out[openAt] = factor;
    }
    call.set(0, call.type(0), out);
}

void flatten(ShapeCall &call)
{
    const Shape *x = call.shape(0);
    const auto rank = std::int64_t(x ? x->size() : 0);
    std::int64_t axis = call.intAttribute("axis", 1);
    if (x && axis != rank)
        axis = rank == 0 && axis == 0 ? 0 : call.axis(axis, rank);
    call.set(0, call.type(0), x ? Shape{product(*x, 0, std::size_t(axis)), product(*x, std::size_t(axis), x->size())} : Shape(2));
}

void transpose(ShapeCall &call)
{
    const Shape *x = call.shape(0);
    const Ints order = call.node.intsAttribute("perm");
    if (!x) {
        call.set(0, call.type(0), order.empty() ? std::nullopt : std::optional(Shape(order.size())));
        return;
    }
    Shape out(x->rbegin(), x->rend());
    if (call.node.has("perm")) {
        if (order.size() != x->size() || std::set<std::int64_t>(order.begin(), order.end()).size() != order.size())
            call.misfit("attribute perm does not fit shape " + shapeText(*x) + ".");
        for (std::size_t i = 0; i < order.size(); ++i)
            out[i] = (*x)[std::size_t(call.axis(order[i], std::int64_t(x->size())))];
    }
    call.set(0, call.type(0), out);
}

void squeeze(ShapeCall &call)
{
    const Shape *x = call.shape(0);
    const auto axes = call.integers(1);
    if (!x || (call.has(1) && !axes)) {
        call.set(0, call.type(0), {});
        return;
    }
    std::vector<bool> gone(x->size(), false);
    if (axes && !axes->empty()) {
        for (const std::int64_t given : *axes) {
            const auto axis = std::size_t(call.axis(given, std::int64_t(x->size())));
            if ((*x)[axis].known() && (*x)[axis].size != 1)
                call.misfit("axis " + std::to_string(given) + " of shape " + shapeText(*x) + " is not 1.");
            gone[axis] = true;
        }
    } else {
        if (std::any_of(x->begin(), x->end(), [](const Dimension &d) { return !d.known(); })) {
            call.set(0, call.type(0), {});
            return;
        }
        for (std::size_t i = 0; i < x->size(); ++i)
            gone[i] = (*x)[i].size == 1;
    }
    Shape out;
    for (std::size_t i = 0; i < x->size(); ++i) {
        if (!gone[i])
            out.push_back((*x)[i]);
    }
    call.set(0, call.type(0), out);
}

void unsqueeze(ShapeCall &call)
{
    const Shape *x = call.shape(0);
    const auto axes = call.integers(1);
    if (!x || !axes) {
        const Shape *list = call.shape(1);
        const bool counted = x && list && list->size() == 1 && (*list)[0].known() && (*list)[0].size <= std::int64_t(mostDimensions);
        call.set(0, call.type(0), counted ? std::optional(Shape(x->size() + std::size_t((*list)[0].size))) : std::nullopt);
        return;
    }
    std::vector<bool> fresh(x->size() + axes->size(), false);
    for (const std::int64_t given : *axes) {
        const auto axis = std::size_t(call.axis(given, std::int64_t(fresh.size())));
        if (fresh[axis])
            call.misfit("axis " + std::to_string(given) + " is listed twice.");
        fresh[axis] = true;
    }
    Shape out;
    auto next = x->begin();
    for (const bool one : fresh)
        out.push_back(one ? Dimension{1, {}} : *next++);
    call.set(0, call.type(0), out);
}

void concat(ShapeCall &call)
{
    std::optional<Shape> out;
    std::size_t axis = 0;
    bool first = true, complete = true;
    DataType type = DataType::Undefined;
    Dimension sum;
    for (std::size_t i = 0; i < call.node.inputs.size(); ++i) {
        if (type == DataType::Undefined)
            type = call.type(i);
        const Shape *x = call.shape(i);
        complete = complete && x;
        if (!x)
            continue;
        if (!out) {
            axis = std::size_t(call.axis(call.intAttribute("axis", 0), std::int64_t(x->size())));
            out = *x;
        }
        const std::string what = "shapes " + shapeText(*out) + " and " + shapeText(*x) + " do not fit together.";
        if (out->size() != x->size())
            call.misfit(what);
        for (std::size_t d = 0; d < x->size(); ++d) {
            if (d != axis)
                (*out)[d] = unify(call, (*out)[d], (*x)[d], what);
        }
        const Dimension &more = (*x)[axis];
        sum = first ? more : more.known() ? plus(sum, more.size) : sum.size == 0 ? more : Dimension{};
        first = false;
    }
    if (out)
        (*out)[axis] = complete ? sum : Dimension{};
    call.set(0, type, out);
}

void tile(ShapeCall &call)
{
    const Shape *x = call.shape(0);
    const SmallTensor *repeats = call.small(1);
    std::optional<Shape> out;
    if (x) {
        if (repeats && repeats->elements.size() != x->size())
            call.misfit(std::to_string(repeats->elements.size()) + " repeats do not fit shape " + shapeText(*x) + ".");
        out = Shape(x->size());
        for (std::size_t i = 0; repeats && i < x->size(); ++i) {
            const Term &term = repeats->elements[i];
            (*out)[i] = term.known ? times((*x)[i], term.integer) : (*x)[i].size == 1 ? termDimension(term) : Dimension{};
        }
    }
    call.set(0, call.type(0), out);
}

void expand(ShapeCall &call)
{
    const Shape *x = call.shape(0), *length = call.shape(1);
    const SmallTensor *wanted = call.small(1);
    std::optional<Shape> out;
    if (x && wanted) {
        Shape target;
        for (const Term &term : wanted->elements)
            target.push_back(termDimension(term));
        out = broadcast(call, *x, target);
    } else if (x && length && length->size() == 1 && (*length)[0].known() && (*length)[0].size <= std::int64_t(mostDimensions)) {
        out = broadcast(call, *x, Shape(std::size_t((*length)[0].size)));
    }
    call.set(0, call.type(0), out);
}

void pad(ShapeCall &call)
{
    const Shape *x = call.shape(0);
    if (!x) {
        call.set(0, call.type(0), {});
        return;
    }
    const SmallTensor *pads = call.small(1);
    auto axes = call.integers(3);
    if (!call.has(3)) {
        axes.emplace();
        for (std::size_t i = 0; i < x->size(); ++i)
            axes->push_back(std::int64_t(i));
    }
    if (!pads || !axes) {
        call.set(0, call.type(0), Shape(x->size()));
        return;
    }
    if (pads->elements.size() != 2 * axes->size())
        call.misfit(std::to_string(pads->elements.size()) + " pads do not fit shape " + shapeText(*x) + ".");
    Shape out = *x;
    for (std::size_t i = 0; i < axes->size(); ++i) {
        Dimension &d = out[std::size_t(call.axis((*axes)[i], std::int64_t(x->size())))];
        const Term &begin = pads->elements[i], &end = pads->elements[axes->size() + i];
        d = begin.known && end.known ? plus(d, Wide(begin.integer) + end.integer) : Dimension{};
    }
    call.set(0, call.type(0), out);
}

void moveBlocks(ShapeCall &call, bool toSpace)
{
    const Shape *x = call.shape(0);
    const std::int64_t block = call.intAttribute("blocksize", 0);
    if (block < 1 || (x && x->size() != 4))
        call.misfit("it needs a block size above 0 and an input of rank 4.");
    if (!x) {
        call.set(0, call.type(0), Shape(4));
        return;
    }
    Shape out = *x;
    const Wide area = Wide(block) * block;
    const auto divide = [](const Dimension &d, Wide by) { return by == 1 ? d : d.known() ? dimension(d.size / by) : Dimension{}; };
    out[1] = toSpace ? divide(out[1], area) : times(out[1], area);
    for (const std::size_t i : {2u, 3u})
        out[i] = toSpace ? times(out[i], block) : divide(out[i], block);
    call.set(0, call.type(0), out);
}

void depthToSpace(ShapeCall &call) { moveBlocks(call, true); }
void spaceToDepth(ShapeCall &call) { moveBlocks(call, false); }

Dimension scaled(const Dimension &in, double scale)
{
    if (scale == 1)
        return in;
    const float size = std::floor(float(in.size) * float(scale));
    return in.known() && size >= 0 && size < 1e12f ? dimension(Wide(size)) : Dimension{};
}

void resize(ShapeCall &call)
{
    const Shape *x = call.shape(0);
    if (!x) {
        call.set(0, call.type(0), {});
        return;
    }
    Ints axes = call.node.intsAttribute("axes");
    if (axes.empty()) {
        for (std::size_t i = 0; i < x->size(); ++i)
            axes.push_back(std::int64_t(i));
    }
    for (std::int64_t &axis : axes)
        axis = call.axis(axis, std::int64_t(x->size()));
    const SmallTensor *scales = call.small(2), *sizes = call.small(3);
    const bool byScales = scales && scales->elements.size() == axes.size(), bySizes = sizes && sizes->elements.size() == axes.size();
    const bool ratio = !byScales && call.node.stringAttribute("keep_aspect_ratio_policy", "stretch") != "stretch";
    double common = 0;
    bool commonKnown = bySizes;
    for (std::size_t i = 0; ratio && bySizes && i < axes.size(); ++i) {
        const Dimension &in = (*x)[std::size_t(axes[i])];
        const Term &term = sizes->elements[i];
        commonKnown = commonKnown && in.known() && in.size > 0 && term.known;
        const double scale = commonKnown ? double(float(term.integer) / float(in.size)) : 0;
        const bool smaller = call.node.stringAttribute("keep_aspect_ratio_policy", "stretch") == "not_larger";
        common = i == 0 ? scale : smaller ? std::min(common, scale) : std::max(common, scale);
    }
    Shape out = *x;
    for (std::size_t i = 0; i < axes.size(); ++i) {
        Dimension &d = out[std::size_t(axes[i])];
        if (byScales) {
            const Term &term = scales->elements[i];
            d = term.known ? scaled(d, term.real) : Dimension{};
        } else if (ratio) {
            const double size = std::floor(double(float(d.size) * float(common) + 0.5f));
            d = commonKnown && size < 1e12 ? dimension(Wide(size)) : Dimension{};
        } else {
            d = bySizes ? termDimension(sizes->elements[i]) : Dimension{};
        }
    }
    call.set(0, call.type(0), out);
}

void centerCropPad(ShapeCall &call)
{
    const Shape *x = call.shape(0);
    const SmallTensor *wanted = call.small(1);
    std::optional<Shape> out;
    if (x) {
        Ints axes = call.node.intsAttribute("axes");
        for (std::size_t i = 0; axes.size() < x->size() && !call.node.has("axes"); ++i)
            axes.push_back(std::int64_t(i));
        out = *x;
        for (std::size_t i = 0; i < axes.size(); ++i)
            (*out)[std::size_t(call.axis(axes[i], std::int64_t(x->size())))] =
                wanted && i < wanted->elements.size() ? termDimension(wanted->elements[i]) : Dimension{};
    }
    call.set(0, call.type(0), out);
}

} // namespace

void addLayoutRules(ShapeRules &rules)
{
    rules["Reshape"] = reshape;
    rules["Flatten"] = flatten;
    rules["Transpose"] = transpose;
    rules["Squeeze"] = squeeze;
    rules["Unsqueeze"] = unsqueeze;
    rules["Concat"] = concat;
    rules["Tile"] = tile;
    rules["Expand"] = expand;
    rules["Pad"] = pad;
    rules["DepthToSpace"] = depthToSpace;
    rules["SpaceToDepth"] = spaceToDepth;
    rules["Resize"] = resize;
    rules["CenterCropPad"] = centerCropPad;
}

} // namespace core

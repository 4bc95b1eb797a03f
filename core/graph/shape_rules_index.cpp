// Shapes: gathering by index, sampling, detection, Fourier transform.
#include "core/graph/shape_rules.h"

#include <algorithm>

namespace core {
namespace {

void gather(ShapeCall &call)
{
    const Shape *x = call.shape(0), *indices = call.shape(1);
    std::optional<Shape> out;
    if (x && indices) {
        const auto axis = call.axis(call.intAttribute("axis", 0), std::int64_t(x->size()));
        out = Shape(x->begin(), x->begin() + axis);
        out->insert(out->end(), indices->begin(), indices->end());
        out->insert(out->end(), x->begin() + axis + 1, x->end());
    }
    call.set(0, call.type(0), out);
}

void gatherElements(ShapeCall &call)
{
    call.set(0, call.type(0), call.shape(1) ? std::optional(*call.shape(1)) : std::nullopt);
}

void gatherNd(ShapeCall &call)
{
    const Shape *x = call.shape(0), *indices = call.shape(1);
    const std::int64_t batch = call.intAttribute("batch_dims", 0);
    std::optional<Shape> out;
    if (x && indices && !indices->empty() && indices->back().known()) {
        if (batch < 0 || batch > std::int64_t(x->size()) || indices->back().size > std::int64_t(x->size()) - batch)
            call.misfit("indices of shape " + shapeText(*indices) + " do not fit data of shape " + shapeText(*x) + ".");
        out = Shape(indices->begin(), indices->end() - 1);
        out->insert(out->end(), x->begin() + std::ptrdiff_t(batch + indices->back().size), x->end());
    }
    call.set(0, call.type(0), out);
}

void oneHot(ShapeCall &call)
{
    const Shape *indices = call.shape(0);
    const SmallTensor *depth = call.small(1);
    std::optional<Shape> out;
    if (indices) {
        out = *indices;
        const auto axis = call.axis(call.intAttribute("axis", -1), std::int64_t(indices->size()) + 1);
        Dimension size;
        if (depth && depth->elements.size() == 1) {
            const Term &term = depth->elements.front();
            size = !isFloatingPoint(depth->type) ? termDimension(term) : term.known && term.real < 1e12 ? dimension(Wide(term.real)) : Dimension{};
        }
        out->insert(out->begin() + axis, size);
    }
    call.set(0, call.type(2), out);
}

void nonZero(ShapeCall &call)
{
    const Shape *x = call.shape(0);
    call.set(0, DataType::Int64, Shape{x ? dimension(x->size()) : Dimension{}, {}});
}

void nonMaxSuppression(ShapeCall &call) { call.set(0, DataType::Int64, Shape{{}, {3, {}}}); }

void gridSample(ShapeCall &call)
{
    const Shape *x = call.shape(0), *grid = call.shape(1);
    if (x && grid && (x->size() != grid->size() || x->size() < 3))
        call.misfit("an input of shape " + shapeText(*x) + " does not fit a grid of shape " + shapeText(*grid) + ".");
    const Shape *either = x ? x : grid;
    std::optional<Shape> out;
    if (either) {
        out = Shape(either->size());
        if (x)
            (*out)[0] = (*x)[0], (*out)[1] = (*x)[1];
        else
            (*out)[0] = (*grid)[0];
        for (std::size_t i = 2; grid && i < out->size(); ++i)
            (*out)[i] = (*grid)[i - 1];
    }
    call.set(0, call.type(0), out);
}

void affineGrid(ShapeCall &call)
{
    const SmallTensor *size = call.small(1);
    std::optional<Shape> out;
    if (size && size->elements.size() >= 4) {
        out = Shape{termDimension(size->elements[0])};
        for (std::size_t i = 2; i < size->elements.size(); ++i)
            out->push_back(termDimension(size->elements[i]));
        out->push_back(dimension(size->elements.size() - 2));
    }
    call.set(0, call.type(0), out);
}

void dft(ShapeCall &call)
{
    const Shape *x = call.shape(0);
    std::optional<Shape> out;
    const auto axes = call.has(2) ? call.integers(2) : Ints{-2};
    if (x && !x->empty() && axes && axes->size() == 1) {
        out = *x;
        Dimension &along = (*out)[std::size_t(call.axis(axes->front(), std::int64_t(x->size())))];
        if (call.has(1)) {
            const SmallTensor *length = call.small(1);
            along = length && length->elements.size() == 1 ? termDimension(length->elements.front()) : Dimension{};
        }
        if (call.intAttribute("onesided", 0) != 0 && call.intAttribute("inverse", 0) == 0)
            along = along.known() ? dimension(along.size / 2 + 1) : Dimension{};
        out->back() = {2, {}};
    }
    call.set(0, call.type(0), out);
}

void logLikelihoodLoss(ShapeCall &call)
{
    const bool none = call.node.stringAttribute("reduction", "mean") == "none";
    const Shape *target = call.shape(1);
    call.set(0, call.type(0), !none ? std::optional(Shape{}) : target ? std::optional(*target) : std::nullopt);
    if (call.node.is("SoftmaxCrossEntropyLoss"))
        call.set(1, call.type(0), call.shape(0) ? std::optional(*call.shape(0)) : std::nullopt);
}

} // namespace

void addIndexRules(ShapeRules &rules)
{
    rules["Gather"] = gather;
    rules["GatherElements"] = gatherElements;
    rules["GatherND"] = gatherNd;
    rules["OneHot"] = oneHot;
    rules["NonZero"] = nonZero;
    rules["NonMaxSuppression"] = nonMaxSuppression;
    rules["GridSample"] = gridSample;
    rules["AffineGrid"] = affineGrid;
    rules["DFT"] = dft;
    rules["NegativeLogLikelihoodLoss"] = rules["SoftmaxCrossEntropyLoss"] = logLikelihoodLoss;
}

} // namespace core

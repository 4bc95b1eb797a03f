// Shapes: convolutions, pools, regions.
#include "core/graph/shape_rules.h"

#include <algorithm>

namespace core {
namespace {

struct Window {
    std::size_t spatial = 0;
    Ints kernel, strides, dilations, pads;     ///< kernel −1 = not known
    std::string autoPad;
    bool ceil = false;
    std::int64_t begin(std::size_t i) const { return pads[i]; }
    std::int64_t end(std::size_t i) const { return pads[i + spatial]; }
    Wide extent(std::size_t i) const { return Wide(kernel[i] - 1) * dilations[i] + 1; }
    bool same() const { return autoPad == "SAME_UPPER" || autoPad == "SAME_LOWER"; }
};

Ints listAttribute(const ShapeCall &call, const char *name, std::size_t length, std::int64_t fallback)
{
    Ints values = call.node.intsAttribute(name);
    if (values.empty())
        values.assign(length, fallback);
    if (values.size() != length)
        call.misfit("attribute " + std::string(name) + " has " + std::to_string(values.size()) + " numbers, " + std::to_string(length) + " are needed.");
    return values;
}

Window windowOf(const ShapeCall &call, std::size_t spatial, const Shape *weight = nullptr)
{
    Window window;
    window.spatial = spatial;
    window.kernel = listAttribute(call, "kernel_shape", spatial, -1);
    for (std::size_t i = 0; i < spatial && weight && weight->size() == spatial + 2 && !call.node.has("kernel_shape"); ++i)
        window.kernel[i] = (*weight)[i + 2].size;
    window.strides = listAttribute(call, "strides", spatial, 1);
    window.dilations = listAttribute(call, "dilations", spatial, 1);
    window.autoPad = call.node.stringAttribute("auto_pad", "NOTSET");
    window.pads = listAttribute(call, "pads", 2 * spatial, 0);
    if (window.autoPad == "VALID")
        std::fill(window.pads.begin(), window.pads.end(), 0);
    window.ceil = call.intAttribute("ceil_mode", 0) != 0;
    for (const Ints *list : {&window.strides, &window.dilations}) {
        if (std::any_of(list->begin(), list->end(), [](std::int64_t value) { return value < 1; }))
            call.misfit("a stride or dilation is below 1.");
    }
    return window;
}

Dimension slide(const Dimension &in, const Window &window, std::size_t i)
{
    const Wide stride = window.strides[i];
    if (window.same())
        return stride == 1 ? in : in.known() ? dimension((in.size + stride - 1) / stride) : Dimension{};
    if (window.kernel[i] < 1)
        return {};
    const Wide loss = window.extent(i) - window.begin(i) - window.end(i) - 1;
    if (stride == 1)
        return plus(in, -loss);
    const Wide steps = in.known() ? in.size - loss - 1 : Wide(-1);
    if (steps < 0)
        return {};
    Wide count = (steps + (window.ceil ? stride - 1 : 0)) / stride + 1;
    if (window.ceil && (count - 1) * stride >= Wide(in.size) + window.begin(i))
        --count;             // the last window would start behind the input
    return dimension(count);
}

void slideAll(Shape &out, const Shape &x, const Window &window)
{
    for (std::size_t i = 0; i < window.spatial; ++i)
        out.push_back(slide(x[i + 2], window, i));
}

const Shape *image(const ShapeCall &call)
{
    const Shape *x = call.shape(0);
    if (x && x->size() < 2)
        call.misfit("an input of shape " + shapeText(*x) + " has no channels.");
    return x;
}

void convolve(ShapeCall &call, std::size_t weightInput, DataType type)
{
    const Shape *x = image(call), *w = call.shape(weightInput);
    if (!x) {
        if (!w || w->size() < 2) {
            call.set(0, type, {});
            return;
        }
        Shape out(w->size());
        out[1] = (*w)[0];
        call.set(0, type, out);
        return;
    }
    if (w && w->size() != x->size())
        call.misfit("an input of shape " + shapeText(*x) + " does not fit weights of shape " + shapeText(*w) + ".");
    const std::int64_t group = call.intAttribute("group", 1);
    if (group < 1)
        call.misfit("group is " + std::to_string(group) + ".");
    if (w)
        unify(call, (*x)[1], times((*w)[1], group), "an input of shape " + shapeText(*x) + " does not fit weights of shape " + shapeText(*w) + " and group "
              + std::to_string(group) + ".");
    Shape out{(*x)[0], w ? (*w)[0] : Dimension{}};
    slideAll(out, *x, windowOf(call, x->size() - 2, w));
    call.set(0, type, out);
}

void conv(ShapeCall &call) { convolve(call, 1, call.type(0)); }
void convInteger(ShapeCall &call) { convolve(call, 1, DataType::Int32); }
void qlinearConv(ShapeCall &call) { convolve(call, 3, call.type(7)); }

void convTranspose(ShapeCall &call)
{
    const Shape *x = image(call), *w = call.shape(1);
    if (!x) {
        call.set(0, call.type(0), {});
        return;
    }
    if (w && w->size() != x->size())
        call.misfit("an input of shape " + shapeText(*x) + " does not fit weights of shape " + shapeText(*w) + ".");
    if (w)
        unify(call, (*x)[1], (*w)[0], "an input of shape " + shapeText(*x) + " does not fit weights of shape " + shapeText(*w) + ".");
    const std::size_t spatial = x->size() - 2;
    const Window window = windowOf(call, spatial, w);
    const Ints more = listAttribute(call, "output_padding", spatial, 0);
    const bool given = call.node.has("output_shape");
    Ints wanted = call.node.intsAttribute("output_shape");
    if (given && wanted.size() == spatial + 2)
        wanted.erase(wanted.begin(), wanted.begin() + 2);
    if (given && wanted.size() != spatial)
        call.misfit("attribute output_shape has " + std::to_string(wanted.size()) + " numbers, " + std::to_string(spatial) + " are needed.");
    Shape out{(*x)[0], w ? times((*w)[1], call.intAttribute("group", 1)) : Dimension{}};
    for (std::size_t i = 0; i < spatial; ++i) {
        const Dimension &in = (*x)[i + 2];
        if (given)
            out.push_back(dimension(wanted[i]));
        else if (window.same())
            out.push_back(times(in, window.strides[i]));
        else if (window.kernel[i] < 1 || (!in.known() && window.strides[i] != 1))
            out.push_back({});
        else
            out.push_back(plus(window.strides[i] == 1 ? in : dimension(Wide(in.size - 1) * window.strides[i] + 1),
                               window.extent(i) - 1 + more[i] - window.begin(i) - window.end(i)));
    }
    call.set(0, call.type(0), out);
}

void pool(ShapeCall &call)
{
    const Shape *x = image(call);
    std::optional<Shape> out;
    if (x) {
        out = Shape{(*x)[0], (*x)[1]};
        slideAll(*out, *x, windowOf(call, x->size() - 2));
    }
    call.set(0, call.type(0), out);
    call.set(1, DataType::Int64, out);
}

void globalPool(ShapeCall &call)
{
    const Shape *x = image(call);
    std::optional<Shape> out;
    if (x) {
        out = *x;
        std::fill(out->begin() + 2, out->end(), Dimension{1, {}});
    }
    call.set(0, call.type(0), out);
}

void maxUnpool(ShapeCall &call)
{
    const Shape *x = image(call);
    if (call.has(2)) {
        const SmallTensor *wanted = call.small(2);
        Shape out(x ? x->size() : 0);
        for (std::size_t i = 0; x && wanted && wanted->elements.size() == x->size() && i < x->size(); ++i)
            out[i] = termDimension(wanted->elements[i]);
        call.set(0, call.type(0), x ? std::optional(out) : std::nullopt);
        return;
    }
    std::optional<Shape> out;
    if (x) {
        const Window window = windowOf(call, x->size() - 2);
        out = Shape{(*x)[0], (*x)[1]};
        for (std::size_t i = 0; i < window.spatial; ++i) {
            const Dimension &in = (*x)[i + 2];
            out->push_back(in.known() ? dimension(Wide(in.size - 1) * window.strides[i] + window.kernel[i] - window.begin(i) - window.end(i)) : Dimension{});
        }
    }
    call.set(0, call.type(0), out);
}

void regions(ShapeCall &call, Ints size)
{
    const Shape *x = call.shape(0), *rois = call.shape(1);
    if (size.size() != 2 || (x && x->size() != 4))
        call.misfit("it takes images of rank 4 and makes regions with a height and a width.");
    call.set(0, call.type(0), Shape{rois && !rois->empty() ? (*rois)[0] : Dimension{}, x ? (*x)[1] : Dimension{}, dimension(size[0]), dimension(size[1])});
}

void roiAlign(ShapeCall &call) { regions(call, {call.intAttribute("output_height", 1), call.intAttribute("output_width", 1)}); }
void maxRoiPool(ShapeCall &call) { regions(call, call.node.intsAttribute("pooled_shape")); }

void col2Im(ShapeCall &call)
{
    const Shape *x = call.shape(0);
    const SmallTensor *size = call.small(1);
    if (!x || !size || x->size() != 3) {
        call.set(0, call.type(0), {});
        return;
    }
    Shape out{(*x)[0], {}};
    if (const auto block = call.integers(2)) {
        const Dimension area = product(knownShape(*block), 0, block->size());
        if ((*x)[1].known() && area.known() && area.size > 0)
            out[1] = dimension((*x)[1].size / area.size);
    }
    for (const Term &term : size->elements)
        out.push_back(termDimension(term));
    call.set(0, call.type(0), out);
}

} // namespace

void addConvRules(ShapeRules &rules)
{
    rules["Conv"] = rules["DeformConv"] = conv;
    rules["ConvInteger"] = convInteger;
    rules["QLinearConv"] = qlinearConv;
    rules["ConvTranspose"] = convTranspose;
    rules["AveragePool"] = rules["MaxPool"] = rules["LpPool"] = pool;
    rules["GlobalAveragePool"] = rules["GlobalMaxPool"] = rules["GlobalLpPool"] = globalPool;
    rules["MaxUnpool"] = maxUnpool;
    rules["RoiAlign"] = roiAlign;
    rules["MaxRoiPool"] = maxRoiPool;
    rules["Col2Im"] = col2Im;
}

} // namespace core

// Shape arithmetic: the elements of small tensors through Shape, Gather, Concat, Cast, additions and the like.
#include "core/graph/shape_rules.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>

namespace core {
namespace {

using Terms = std::vector<Term>;
using Evaluator = bool (*)(ShapeCall &, const Ints &dims, Terms &out);   ///< false: not known

std::int64_t countOf(const Ints &dims)
{
    return std::accumulate(dims.begin(), dims.end(), std::int64_t(1), std::multiplies<>());
}

/// Row-major position → coordinates.
Ints coordinates(std::int64_t position, const Ints &dims)
{
    Ints at(dims.size());
    for (std::size_t i = dims.size(); i-- > 0; position /= dims[i])
        at[i] = position % dims[i];
    return at;
}

std::int64_t positionOf(const Ints &at, const Ints &dims)
{
    std::int64_t position = 0;
    for (std::size_t i = 0; i < dims.size(); ++i)
        position = position * dims[i] + at[i];
    return position;
}

/// Where output element `at` of a broadcast reads an input.
const Term &broadcastAt(const SmallTensor &tensor, const Ints &at)
{
    std::int64_t position = 0;
    for (std::size_t i = 0, offset = at.size() - tensor.dims.size(); i < tensor.dims.size(); ++i)
        position = position * tensor.dims[i] + (tensor.dims[i] == 1 ? 0 : at[offset + i]);
    return tensor.elements[std::size_t(position)];
}

Term integerTerm(Wide value, DataType type)
{
    const bool narrow = type == DataType::Int32;
    const Wide lowest = narrow ? Wide(std::numeric_limits<std::int32_t>::min()) : Wide(std::numeric_limits<std::int64_t>::min());
    const Wide highest = narrow ? Wide(std::numeric_limits<std::int32_t>::max()) : Wide(std::numeric_limits<std::int64_t>::max());
    return value < lowest || value > highest ? Term{} : Term::of(std::int64_t(value));
}

Term realTerm(double value, DataType type)
{
    return {true, 0, type == DataType::Float64 ? value : double(float(value)), {}};
}

double numberOf(const Term &term, bool real) { return real ? term.real : double(term.integer); }
bool isSymbol(const Term &term) { return !term.known && !term.symbol.empty(); }
bool isNumber(const Term &term, bool real, int number) { return term.known && numberOf(term, real) == number; }
bool sameTerm(const Term &a, const Term &b) { return isSymbol(a) && isSymbol(b) && a.symbol == b.symbol; }

Term arithmetic(const std::string &op, const Term &a, const Term &b, DataType type)
{
    const bool real = isFloatingPoint(type);
    if (!a.known || !b.known) {
        if (sameTerm(a, b))
            return op == "Max" || op == "Min" ? a : op == "Sub" ? Term{true, 0, 0, {}} : Term{};
        if ((op == "Add" && isNumber(b, real, 0)) || (op == "Sub" && isNumber(b, real, 0)) || ((op == "Mul" || op == "Div") && isNumber(b, real, 1)))
            return a;
        if ((op == "Add" && isNumber(a, real, 0)) || (op == "Mul" && isNumber(a, real, 1)))
            return b;
        return op == "Mul" && !real && (isNumber(a, real, 0) || isNumber(b, real, 0)) ? Term::of(0) : Term{};
    }
    if (real) {
        const double x = a.real, y = b.real;
        if (op == "Add") return realTerm(x + y, type);
        if (op == "Sub") return realTerm(x - y, type);
        if (op == "Mul") return realTerm(x * y, type);
        if (op == "Div") return realTerm(x / y, type);
        if (op == "Max") return realTerm(std::max(x, y), type);
        if (op == "Min") return realTerm(std::min(x, y), type);
        return {};
    }
    const Wide x = a.integer, y = b.integer;
    if (op == "Add") return integerTerm(x + y, type);
    if (op == "Sub") return integerTerm(x - y, type);
    if (op == "Mul") return integerTerm(x * y, type);
    if (op == "Max") return integerTerm(std::max(x, y), type);
    if (op == "Min") return integerTerm(std::min(x, y), type);
    if (y == 0) return {};
    if (op == "Div") return integerTerm(x / y, type);
    if (op == "Mod") return integerTerm((x % y + y) % y, type);
    return {};
}

Term compare(const std::string &op, const Term &a, const Term &b, DataType type)
{
    const bool real = isFloatingPoint(type);
    if (op == "And" || op == "Or" || op == "Xor") {
        if (!a.known || !b.known)
            return {};
        return Term::of(op == "And" ? a.integer && b.integer : op == "Or" ? a.integer || b.integer : bool(a.integer) != bool(b.integer));
    }
    if (!a.known || !b.known) {
        const bool never = op == "Equal" && ((isSymbol(a) && b.known && numberOf(b, real) < 0) || (isSymbol(b) && a.known && numberOf(a, real) < 0));
        return never ? Term::of(0) : op == "Equal" && sameTerm(a, b) ? Term::of(1) : Term{};   // a dimension is not negative
    }
    const bool equal = real ? a.real == b.real : a.integer == b.integer, less = real ? a.real < b.real : a.integer < b.integer;
    if (op == "Equal") return Term::of(equal);
    if (op == "Less") return Term::of(less);
    if (op == "LessOrEqual") return Term::of(less || equal);
    if (op == "Greater") return Term::of(!less && !equal);
    return Term::of(!less);
}

bool binary(ShapeCall &call, const Ints &dims, Terms &out)
{
    const SmallTensor *a = call.small(0), *b = a ? call.small(1) : nullptr;
    if (!b || call.node.inputs.size() != 2 || call.intAttribute("fmod", 0) != 0)
        return false;
    const bool compares = call.outputType(0) == DataType::Bool;
    for (std::int64_t i = 0; i < countOf(dims); ++i) {
        const Ints at = coordinates(i, dims);
        const Term &x = broadcastAt(*a, at), &y = broadcastAt(*b, at);
        out.push_back(compares ? compare(call.node.opType, x, y, a->type) : arithmetic(call.node.opType, x, y, a->type));
    }
    return true;
}

bool where(ShapeCall &call, const Ints &dims, Terms &out)
{
    const SmallTensor *condition = call.small(0), *yes = condition ? call.small(1) : nullptr, *no = yes ? call.small(2) : nullptr;
    if (!no)
        return false;
    for (std::int64_t i = 0; i < countOf(dims); ++i) {
        const Ints at = coordinates(i, dims);
        const Term &decides = broadcastAt(*condition, at), &x = broadcastAt(*yes, at), &y = broadcastAt(*no, at);
        const bool alike = sameTerm(x, y) || (x.known && y.known && x.integer == y.integer && x.real == y.real);
        out.push_back(decides.known ? (decides.integer != 0 ? x : y) : alike ? x : Term{});
    }
    return true;
}

Term unaryTerm(const std::string &op, const Term &x, DataType type)
{
    const bool real = isFloatingPoint(type);
    if (!x.known)
        return op == "Floor" || op == "Ceil" || op == "Round" || op == "Abs" || op == "Relu" ? x : Term{};   // symbols are whole, not negative
    if (op == "Not")
        return Term::of(x.integer == 0);
    if (!real) {
        if (op == "Neg")
            return integerTerm(-Wide(x.integer), type);
        return op == "Abs" ? integerTerm(x.integer < 0 ? -Wide(x.integer) : Wide(x.integer), type) : op == "Relu" ? Term::of(std::max<std::int64_t>(x.integer, 0)) : Term{};
    }
    if (op == "Neg") return realTerm(-x.real, type);
    if (op == "Abs") return realTerm(std::fabs(x.real), type);
    if (op == "Floor") return realTerm(std::floor(x.real), type);
    if (op == "Ceil") return realTerm(std::ceil(x.real), type);
    if (op == "Round") return realTerm(std::nearbyint(x.real), type);
    return op == "Sqrt" ? realTerm(std::sqrt(x.real), type) : Term{};
}

bool unary(ShapeCall &call, const Ints &, Terms &out)
{
    const SmallTensor *x = call.small(0);
    for (std::size_t i = 0; x && i < x->elements.size(); ++i)
        out.push_back(unaryTerm(call.node.opType, x->elements[i], x->type));
    return x != nullptr;
}

bool cast(ShapeCall &call, const Ints &, Terms &out)
{
    const SmallTensor *x = call.small(0);
    const DataType to = call.outputType(0);
    if (!x || (!isFloatingPoint(to) && to != DataType::Int64 && to != DataType::Int32 && to != DataType::Bool))
        return false;
    const bool fromReal = isFloatingPoint(x->type);
    for (const Term &term : x->elements) {
        if (!term.known)
            out.push_back(to == DataType::Bool ? Term{} : term);
        else if (isFloatingPoint(to))
            out.push_back(realTerm(numberOf(term, fromReal), to));
        else if (to == DataType::Bool)
            out.push_back(Term::of(numberOf(term, fromReal) != 0));
        else if (!fromReal)
            out.push_back(integerTerm(term.integer, to));
        else
            out.push_back(std::fabs(term.real) < 9e15 ? integerTerm(Wide(term.real), to) : Term{});
    }
    return true;
}

bool sameElements(ShapeCall &call, const Ints &, Terms &out)
{
    const SmallTensor *x = call.small(0);
    if (x)
        out = x->elements;
    return x != nullptr;
}

bool transpose(ShapeCall &call, const Ints &dims, Terms &out)
{
    const SmallTensor *x = call.small(0);
    if (!x)
        return false;
    Ints order = call.node.intsAttribute("perm");
    for (std::size_t i = 0; order.size() < dims.size(); ++i)
        order.push_back(std::int64_t(dims.size() - 1 - i));
    for (std::int64_t i = 0; i < countOf(dims); ++i) {
        const Ints at = coordinates(i, dims);
        Ints from(at.size());
        for (std::size_t d = 0; d < at.size(); ++d)
            from[std::size_t(call.axis(order[d], std::int64_t(dims.size())))] = at[d];
        out.push_back(x->elements[std::size_t(positionOf(from, x->dims))]);
    }
    return true;
}

bool gather(ShapeCall &call, const Ints &dims, Terms &out)
{
    const SmallTensor *x = call.small(0), *indices = x ? call.small(1) : nullptr;
    if (!indices)
        return false;
    const auto axis = std::size_t(call.axis(call.intAttribute("axis", 0), std::int64_t(x->dims.size())));
    const std::size_t width = indices->dims.size();
    for (std::int64_t i = 0; i < countOf(dims); ++i) {
        const Ints at = coordinates(i, dims);
        const Term &index = indices->elements[std::size_t(positionOf(Ints(at.begin() + std::ptrdiff_t(axis), at.begin() + std::ptrdiff_t(axis + width)), indices->dims))];
        Ints from(at.begin(), at.begin() + std::ptrdiff_t(axis));
        from.push_back(index.integer + (index.integer < 0 ? x->dims[axis] : 0));
        from.insert(from.end(), at.begin() + std::ptrdiff_t(axis + width), at.end());
        if (index.known && (from[axis] < 0 || from[axis] >= x->dims[axis]))
            call.misfit("index " + std::to_string(index.integer) + " does not fit dimension " + std::to_string(x->dims[axis]) + ".");
        out.push_back(index.known ? x->elements[std::size_t(positionOf(from, x->dims))] : Term{});
    }
    return true;
}

bool slice(ShapeCall &call, const Ints &dims, Terms &out)
{
    const SmallTensor *x = call.small(0);
    const auto starts = call.integers(1);
    if (!x || !starts)
        return false;
    auto axes = call.integers(3), steps = call.integers(4);
    if ((call.has(3) && !axes) || (call.has(4) && !steps))
        return false;
    Ints begin(x->dims.size(), 0), step(x->dims.size(), 1);
    for (std::size_t i = 0; i < starts->size(); ++i) {
        const auto axis = std::size_t(axes ? call.axis((*axes)[i], std::int64_t(x->dims.size())) : std::int64_t(i));
        const std::int64_t size = x->dims[axis], stride = steps ? (*steps)[i] : 1;
        const std::int64_t at = (*starts)[i] < 0 ? std::max<std::int64_t>((*starts)[i], -size - 1) + size : std::min((*starts)[i], size);
        begin[axis] = stride > 0 ? std::max<std::int64_t>(at, 0) : std::min(at, size - 1);
        step[axis] = dims[axis] > 1 ? stride : 0;
    }
    for (std::int64_t i = 0; i < countOf(dims); ++i) {
        Ints at = coordinates(i, dims);
        for (std::size_t d = 0; d < at.size(); ++d)
            at[d] = begin[d] + at[d] * step[d];
        out.push_back(x->elements[std::size_t(positionOf(at, x->dims))]);
    }
    return true;
}

bool concat(ShapeCall &call, const Ints &dims, Terms &out)
{
    const auto axis = std::size_t(call.axis(call.intAttribute("axis", 0), std::int64_t(dims.size())));
    std::vector<const SmallTensor *> parts;
    for (std::size_t i = 0; i < call.node.inputs.size(); ++i) {
        parts.push_back(call.small(i));
        if (!parts.back() && !(call.shape(i) && call.shape(i)->size() == dims.size() && (*call.shape(i))[axis].known()))
            return false;
    }
    for (std::int64_t i = 0; i < countOf(dims); ++i) {
        Ints at = coordinates(i, dims);
        for (std::size_t part = 0; part < parts.size(); ++part) {
            const std::int64_t length = parts[part] ? parts[part]->dims[axis] : (*call.shape(part))[axis].size;
            if (at[axis] < length) {
                out.push_back(parts[part] ? parts[part]->elements[std::size_t(positionOf(at, parts[part]->dims))] : Term{});
                break;
            }
            at[axis] -= length;
        }
    }
    return std::int64_t(out.size()) == countOf(dims);
}

bool repeat(ShapeCall &call, const Ints &dims, Terms &out)   // Expand, Tile
{
    const SmallTensor *x = call.small(0);
    if (!x)
        return false;
    for (std::int64_t i = 0; i < countOf(dims); ++i) {
        Ints at = coordinates(i, dims);
        for (std::size_t d = 0, offset = dims.size() - x->dims.size(); d < x->dims.size(); ++d)
            at[offset + d] %= x->dims[d];
        out.push_back(broadcastAt(*x, at));
    }
    return true;
}

bool reduceAll(ShapeCall &call, const Ints &dims, Terms &out)
{
    const SmallTensor *x = call.small(0);
    if (!x || countOf(dims) != 1 || x->elements.empty())
        return false;
    const std::string &type = call.node.opType;
    const std::string op = type == "ReduceProd" ? "Mul" : type == "ReduceSum" ? "Add" : type == "ReduceMax" ? "Max" : "Min";
    Term total = x->elements.front();
    for (std::size_t i = 1; i < x->elements.size(); ++i)
        total = arithmetic(op, total, x->elements[i], x->type);
    out.push_back(total);
    return true;
}

bool constantOfShape(ShapeCall &call, const Ints &dims, Terms &out)
{
    Term value{true, 0, 0, {}};
    if (const auto found = call.node.attributes.find("value"); found != call.node.attributes.end()) {
        const auto *tensor = std::get_if<TensorData>(&found->second);
        if (!tensor || tensor->count() != 1 || bitsPerElement(tensor->type) == 0)
            return false;
        if (isFloatingPoint(tensor->type))
            value.real = tensor->toDoubles().front();
        else
            value.integer = tensor->toInt64s().front();
    }
    out.assign(std::size_t(countOf(dims)), value);
    return true;
}

bool range(ShapeCall &call, const Ints &dims, Terms &out)
{
    const SmallTensor *start = call.small(0), *delta = start ? call.small(2) : nullptr;
    if (!delta || isFloatingPoint(start->type) || !start->elements[0].known || !delta->elements[0].known)
        return false;
    for (std::int64_t i = 0; i < dims[0]; ++i)
        out.push_back(integerTerm(Wide(start->elements[0].integer) + Wide(delta->elements[0].integer) * i, start->type));
    return true;
}

bool shapeElements(ShapeCall &call, const Ints &, Terms &out)
{
    const Shape *x = call.shape(0);
    if (!x)
        return false;
    const auto rank = std::int64_t(x->size());
    const auto place = [&](std::int64_t at) { return std::clamp<std::int64_t>(at < 0 ? at + rank : at, 0, rank); };
    for (std::int64_t i = place(call.intAttribute("start", 0)), end = place(call.intAttribute("end", rank)); i < end; ++i)
        out.push_back(Term::of((*x)[std::size_t(i)]));
    return true;
}

bool sizeElement(ShapeCall &call, const Ints &, Terms &out)
{
    const Shape *x = call.shape(0);
    if (x)
        out.push_back(Term::of(product(*x, 0, x->size())));
    return x != nullptr;
}

void trackSplit(ShapeCall &call, const SmallTensor &x)
{
    const auto axis = std::size_t(call.axis(call.intAttribute("axis", 0), std::int64_t(x.dims.size())));
    std::int64_t begin = 0;
    for (std::size_t output = 0; output < call.node.outputs.size(); ++output) {
        SmallTensor part{x.type, x.dims, {}};
        const auto &shape = call.inferred(output);
        if (!shape || !(*shape)[axis].known() || begin + (*shape)[axis].size > x.dims[axis])
            return;
        part.dims[axis] = (*shape)[axis].size;
        for (std::int64_t i = 0; i < countOf(part.dims); ++i) {
            Ints at = coordinates(i, part.dims);
            at[axis] += begin;
            part.elements.push_back(x.elements[std::size_t(positionOf(at, x.dims))]);
        }
        begin += part.dims[axis];
        call.track(output, std::move(part));
    }
}

const std::unordered_map<std::string_view, Evaluator> &evaluators()
{
    static const std::unordered_map<std::string_view, Evaluator> table = [] {
        std::unordered_map<std::string_view, Evaluator> made;
        for (const char *type : {"Add", "Sub", "Mul", "Div", "Mod", "Max", "Min", "Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual", "And", "Or", "Xor"})
            made[type] = binary;
        for (const char *type : {"Neg", "Abs", "Floor", "Ceil", "Round", "Sqrt", "Not", "Relu"})
            made[type] = unary;
        for (const char *type : {"Identity", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Dropout"})
            made[type] = sameElements;
        for (const char *type : {"ReduceProd", "ReduceSum", "ReduceMax", "ReduceMin"})
            made[type] = reduceAll;
        made["Where"] = where;
        made["Cast"] = made["CastLike"] = cast;
        made["Transpose"] = transpose;
        made["Gather"] = gather;
        made["Slice"] = slice;
        made["Concat"] = concat;
        made["Expand"] = made["Tile"] = repeat;
        made["ConstantOfShape"] = constantOfShape;
        made["Range"] = range;
        made["Shape"] = shapeElements;
        made["Size"] = sizeElement;
        return made;
    }();
    return table;
}

/// Known and small, or nullopt.
std::optional<Ints> smallDims(const std::optional<Shape> &shape)
{
    if (!shape)
        return {};
    Ints dims;
    for (const Dimension &d : *shape) {
        if (!d.known() || d.size > SmallTensor::mostElements)
            return {};
        dims.push_back(d.size);
    }
    std::int64_t count = 1;
    for (const std::int64_t size : dims) {
        count *= size;
        if (count > SmallTensor::mostElements)
            return {};
    }
    return dims;
}

} // namespace

void trackSmallTensors(ShapeCall &call)
{
    if (call.node.is("Split")) {
        if (const SmallTensor *x = call.small(0))
            trackSplit(call, *x);
        return;
    }
    const auto evaluator = evaluators().find(call.node.opType);
    const DataType type = call.outputType(0);
    const bool number = type == DataType::Float32 || type == DataType::Float64 || type == DataType::Int64 || type == DataType::Int32 || type == DataType::Bool;
    if (evaluator == evaluators().end() || !number)
        return;
    const auto dims = smallDims(call.inferred(0));
    SmallTensor result{type, dims.value_or(Ints{}), {}};
    if (!dims || !evaluator->second(call, *dims, result.elements) || std::int64_t(result.elements.size()) != countOf(*dims))
        return;
    call.track(0, std::move(result));
}

} // namespace core

// Shapes: what makes tensors from nothing or from shapes, and operators with bodies.
#include "core/graph/constant_value.h"
#include "core/graph/shape_rules.h"

#include <algorithm>
#include <cmath>

namespace core {
namespace {

void constantNode(ShapeCall &call)
{
    if (const auto value = constantNodeValue(call.node))
        call.set(0, value->type, knownShape(value->dims));
}

void constantOfShape(ShapeCall &call)
{
    DataType type = DataType::Float32;
    if (const auto value = call.node.attributes.find("value"); value != call.node.attributes.end()) {
        if (const auto *tensor = std::get_if<TensorData>(&value->second))
            type = tensor->type;
    }
    const Shape *length = call.shape(0);
    std::optional<Shape> out;
    if (const SmallTensor *wanted = call.small(0)) {
        out.emplace();
        for (const Term &term : wanted->elements) {
            if (term.known && term.integer < 0)
                call.misfit("its shape holds " + std::to_string(term.integer) + ".");
            out->push_back(termDimension(term));
        }
    } else if (length && length->size() == 1 && (*length)[0].known() && (*length)[0].size <= 64) {
        out = Shape(std::size_t((*length)[0].size));
    }
    call.set(0, type, out);
}

void range(ShapeCall &call)
{
    const SmallTensor *ends[3] = {call.small(0), call.small(1), call.small(2)};
    Dimension size;
    const bool scalars = std::all_of(std::begin(ends), std::end(ends), [](const SmallTensor *end) { return end && end->elements.size() == 1; });
    if (scalars) {
        const Term &start = ends[0]->elements[0], &limit = ends[1]->elements[0], &delta = ends[2]->elements[0];
        const bool real = isFloatingPoint(ends[0]->type);
        if (start.known && limit.known && delta.known && !real && delta.integer != 0) {
            const Wide span = Wide(limit.integer) - start.integer, step = delta.integer;
            size = dimension(std::max<Wide>(step > 0 ? (span + step - 1) / step : (span + step + 1) / step, 0));
        } else if (start.known && limit.known && delta.known && real && delta.real != 0) {
            const double count = std::ceil((limit.real - start.real) / delta.real);
            size = count < 1e12 ? dimension(Wide(std::max(count, 0.0))) : Dimension{};
        } else if (start.known && delta.known && !real && start.integer == 0 && delta.integer == 1) {
            size = termDimension(limit);
        }
    }
    call.set(0, call.type(0), Shape{size});
}

void shapeOperator(ShapeCall &call)
{
    const Shape *x = call.shape(0);
    Dimension length;
    if (x) {
        const auto rank = std::int64_t(x->size());
        const auto place = [&](std::int64_t at) { return std::clamp<std::int64_t>(at < 0 ? at + rank : at, 0, rank); };
        length = dimension(std::max<std::int64_t>(place(call.intAttribute("end", rank)) - place(call.intAttribute("start", 0)), 0));
    }
    call.set(0, DataType::Int64, Shape{length});
}

void sizeOperator(ShapeCall &call) { call.set(0, DataType::Int64, Shape{}); }

void hasElement(ShapeCall &call) { call.set(0, DataType::Bool, Shape{}); }

void randomTensor(ShapeCall &call) { call.set(0, DataType(call.intAttribute("dtype", 1)), knownShape(call.node.intsAttribute("shape"))); }

void multinomial(ShapeCall &call)
{
    const Shape *x = call.shape(0);
    call.set(0, DataType(call.intAttribute("dtype", 6)), Shape{x && !x->empty() ? (*x)[0] : Dimension{}, dimension(call.intAttribute("sample_size", 1))});
}

void window(ShapeCall &call)
{
    const SmallTensor *size = call.small(0);
    call.set(0, DataType(call.intAttribute("output_datatype", 1)), Shape{size && size->elements.size() == 1 ? termDimension(size->elements[0]) : Dimension{}});
}

const Graph *body(const ShapeCall &call, const char *attribute)
{
    const auto found = call.node.attributes.find(attribute);
    const auto *graph = found == call.node.attributes.end() ? nullptr : std::get_if<std::shared_ptr<const Graph>>(&found->second);
    return graph ? graph->get() : nullptr;
}

struct Declared {
    DataType type = DataType::Undefined;
    std::optional<Shape> shape;
};

Declared declared(const Graph *graph, std::size_t output)
{
    if (!graph || output >= graph->outputs.size())
        return {};
    const Value &value = graph->value(graph->outputs[output]);
    return {value.type, value.shape};
}

/// What is true of both.
std::optional<Shape> common(const std::optional<Shape> &a, const std::optional<Shape> &b)
{
    if (!a || !b || a->size() != b->size())
        return {};
    Shape both = *a;
    for (std::size_t i = 0; i < both.size(); ++i) {
        if (!same(both[i], (*b)[i]))
            both[i] = {};
    }
    return both;
}

void ifOperator(ShapeCall &call)
{
    const Graph *thenBranch = body(call, "then_branch"), *elseBranch = body(call, "else_branch");
    const SmallTensor *condition = call.small(0);
    const bool decided = condition && condition->elements.size() == 1 && condition->elements[0].known;
    for (std::size_t i = 0; i < call.node.outputs.size(); ++i) {
        const Declared yes = declared(thenBranch, i), no = declared(elseBranch, i);
        if (decided) {
            const Declared &taken = condition->elements[0].integer != 0 ? yes : no;
            call.set(i, taken.type, taken.shape);
        } else {
            call.set(i, yes.type == no.type ? yes.type : DataType::Undefined, common(yes.shape, no.shape));
        }
    }
}

void loop(ShapeCall &call)
{
    const Graph *inside = body(call, "body");
    const std::size_t states = call.node.inputs.size() > 2 ? call.node.inputs.size() - 2 : 0;
    for (std::size_t i = 0; i < call.node.outputs.size(); ++i) {
        Declared made = declared(inside, i + 1);
        if (i < states) {
            const Shape *initial = call.shape(i + 2);
            made.shape = common(made.shape, initial ? std::optional(*initial) : std::nullopt);
            if (made.type == DataType::Undefined)
                made.type = call.type(i + 2);
        } else if (made.shape) {
            made.shape->insert(made.shape->begin(), Dimension{});
            for (auto d = made.shape->begin() + 1; d != made.shape->end(); ++d)
                d->symbol.clear();
        }
        call.set(i, made.type, made.shape);
    }
}

void scan(ShapeCall &call)
{
    const Graph *inside = body(call, "body");
    const std::int64_t scanned = call.intAttribute("num_scan_inputs", 0);
    const auto inputs = std::int64_t(call.node.inputs.size());
    if (scanned < 0 || scanned > inputs)
        call.misfit("attribute num_scan_inputs is " + std::to_string(scanned) + ", it has " + std::to_string(inputs) + " inputs.");
    if (!inside || inside->inputs.size() != call.node.inputs.size())
        return;              // also the form of operator set 8
    const auto states = std::size_t(inputs - scanned);
    const Ints axes = call.node.intsAttribute("scan_output_axes"), inputAxes = call.node.intsAttribute("scan_input_axes");
    Dimension length;
    if (const Shape *first = scanned > 0 ? call.shape(states) : nullptr)
        length = (*first)[std::size_t(call.axis(inputAxes.empty() ? 0 : inputAxes.front(), std::int64_t(first->size())))];
    for (std::size_t i = 0; i < call.node.outputs.size(); ++i) {
        Declared made = declared(inside, i);
        if (i < states) {
            if (call.shape(i))
                made.shape = *call.shape(i);
            if (made.type == DataType::Undefined)
                made.type = call.type(i);
        } else if (made.shape) {
            const std::int64_t given = i - states < axes.size() ? axes[i - states] : 0;
            const std::int64_t at = call.axis(given, std::int64_t(made.shape->size()) + 1);
            for (Dimension &d : *made.shape)
                d.symbol.clear();
            made.shape->insert(made.shape->begin() + at, length);
        }
        call.set(i, made.type, made.shape);
    }
}

} // namespace

std::optional<TensorData> constantNodeValue(const Node &node)
{
    const auto stringTensor = [](Ints dims, std::vector<std::string> values) {
        TensorData data;
        data.type = DataType::String;
        data.dims = std::move(dims);
        data.strings = std::make_shared<const std::vector<std::string>>(std::move(values));
        return data;
    };
    for (const auto &[key, attribute] : node.attributes) {
        if (const auto *tensor = std::get_if<TensorData>(&attribute); tensor && key == "value")
            return *tensor;
        if (const auto *number = std::get_if<std::int64_t>(&attribute); number && key == "value_int")
            return TensorData::fromInt64s({}, std::span(number, 1));
        if (const auto *number = std::get_if<float>(&attribute); number && key == "value_float")
            return TensorData::fromFloats({}, std::span(number, 1));
        if (const auto *list = std::get_if<Ints>(&attribute); list && key == "value_ints")
            return TensorData::fromInt64s({std::int64_t(list->size())}, *list);
        if (const auto *list = std::get_if<std::vector<float>>(&attribute); list && key == "value_floats")
            return TensorData::fromFloats({std::int64_t(list->size())}, *list);
        if (const auto *text = std::get_if<std::string>(&attribute); text && key == "value_string")
            return stringTensor({}, {*text});
        if (const auto *list = std::get_if<std::vector<std::string>>(&attribute); list && key == "value_strings")
            return stringTensor({std::int64_t(list->size())}, *list);
    }
    return {};
}

void addGeneratorRules(ShapeRules &rules)
{
    for (const char *type : {"HannWindow", "HammingWindow", "BlackmanWindow"})
        rules[type] = window;
    rules["Constant"] = constantNode;
    rules["ConstantOfShape"] = constantOfShape;
    rules["Range"] = range;
    rules["Shape"] = shapeOperator;
    rules["Size"] = rules["SequenceLength"] = sizeOperator;
    rules["OptionalHasElement"] = hasElement;
    rules["RandomNormal"] = rules["RandomUniform"] = randomTensor;
    rules["Multinomial"] = multinomial;
    rules["If"] = ifOperator;
    rules["Loop"] = loop;
    rules["Scan"] = scan;
}

} // namespace core

#include "core/graph/shape_inference.h"

#include "core/graph/constant_value.h"
#include "core/graph/shape_rules.h"

#include <algorithm>

namespace core {
namespace {

constexpr char madeUpMark = '\x01';
constexpr Wide mostSize = Wide(1) << 48;

const ShapeRules &shapeRules()
{
    static const ShapeRules rules = [] {
        ShapeRules made;
        addElementwiseRules(made);
        addConvRules(made);
        addMatrixRules(made);
        addLayoutRules(made);
        addSliceRules(made);
        addIndexRules(made);
        addGeneratorRules(made);
        return made;
    }();
    return rules;
}

bool isMadeUp(const std::string &symbol) { return !symbol.empty() && symbol.front() == madeUpMark; }

bool isKnownDomain(const Node &node)
{
    return node.domain.empty() || (node.domain == "com.microsoft" && (node.opType == "QuantizeLinear" || node.opType == "DequantizeLinear"));
}

std::optional<SmallTensor> smallConstant(const TensorData &data)
{
    const bool number = isInteger(data.type) || isFloatingPoint(data.type) || data.type == DataType::Bool;
    if (!number || data.count() > SmallTensor::mostElements)
        return {};
    SmallTensor tensor{data.type, data.dims, {}};
    if (isFloatingPoint(data.type)) {
        for (const double value : data.toDoubles())
            tensor.elements.push_back({true, 0, value, {}});
    } else {
        for (const std::int64_t value : data.toInt64s())
            tensor.elements.push_back(Term::of(value));
    }
    return tensor;
}

} // namespace

bool PartialInts::known() const
{
    return std::all_of(elements.begin(), elements.end(), [](const Dimension &element) { return element.known(); });
}

std::optional<Ints> SmallTensor::integers() const
{
    if (isFloatingPoint(type))
        return {};
    Ints values;
    for (const Term &term : elements) {
        if (!term.known)
            return {};
        values.push_back(term.integer);
    }
    return values;
}

Dimension dimension(Wide size)
{
    return size < 0 || size > mostSize ? Dimension{} : Dimension{std::int64_t(size), {}};
}

Dimension product(const Shape &shape, std::size_t from, std::size_t to)
{
    Wide size = 1;
    const Dimension *unknown = nullptr;
    bool several = false;
    for (std::size_t i = from; i < to; ++i) {
        if (!shape[i].known()) {
            several = several || unknown;
            unknown = &shape[i];
        } else if (size <= mostSize || shape[i].size == 0) {
            size *= shape[i].size;
        }
    }
    if (size == 0 || !unknown)
        return dimension(size);
    return size == 1 && !several ? *unknown : Dimension{};
}

Dimension plus(const Dimension &given, Wide more)
{
    return more == 0 ? given : given.known() ? dimension(given.size + more) : Dimension{};
}

Dimension times(const Dimension &given, Wide factor)
{
    return factor == 1 ? given : given.known() ? dimension(given.size * factor) : factor == 0 ? dimension(0) : Dimension{};
}

bool same(const Dimension &a, const Dimension &b)
{
    return a.known() || b.known() ? a.size == b.size : !a.symbol.empty() && a.symbol == b.symbol;
}

Dimension unify(const ShapeCall &call, const Dimension &a, const Dimension &b, const std::string &what)
{
    if (a.known() && b.known() && a.size != b.size)
        call.misfit(what);
    if (a.known() != b.known())
        return a.known() ? a : b;
    return a.symbol.empty() || (isMadeUp(a.symbol) && !b.symbol.empty() && !isMadeUp(b.symbol)) ? b : a;
}

Shape broadcast(const ShapeCall &call, const Shape &a, const Shape &b)
{
    const Shape &longer = a.size() >= b.size() ? a : b, &shorter = a.size() >= b.size() ? b : a;
    Shape result = longer;
    const std::size_t offset = longer.size() - shorter.size();
    for (std::size_t i = 0; i < shorter.size(); ++i) {
        Dimension &out = result[offset + i];
        const Dimension &other = shorter[i];
        if (other.size == 1 || same(out, other))
            continue;
        if (out.size == 1)
            out = other;
        else if (out.known() && other.known())
            call.misfit("shapes " + shapeText(a) + " and " + shapeText(b) + " do not broadcast.");
        else if (other.known())
            out = other;             // one that is not known can only be 1 or the same
        else if (!out.known())
            out = {};
    }
    return result;
}

Shape knownShape(const Ints &sizes)
{
    Shape shape;
    for (const std::int64_t size : sizes)
        shape.push_back(dimension(size));
    return shape;
}

Dimension termDimension(const Term &term)
{
    return term.known ? dimension(term.integer) : Dimension{-1, term.symbol};
}

std::string shapeText(const Shape &shape)
{
    std::string text = "[";
    for (const Dimension &d : shape)
        text += (text.size() > 1 ? ", " : "") + (d.known() ? std::to_string(d.size) : d.symbol.empty() || isMadeUp(d.symbol) ? std::string("?") : d.symbol);
    return text + "]";
}

const Shape *ShapeCall::shape(std::size_t input) const
{
    const ValueId id = node.input(input);
    if (!id.valid())
        return nullptr;
    const auto &known = m_inference.m_graph.value(id).shape;
    return known ? &*known : nullptr;
}

DataType ShapeCall::type(std::size_t input) const
{
    const ValueId id = node.input(input);
    return id.valid() ? m_inference.m_graph.value(id).type : DataType::Undefined;
}

std::optional<Ints> ShapeCall::integers(std::size_t input) const
{
    const SmallTensor *tensor = small(input);
    return tensor ? tensor->integers() : std::nullopt;
}

void ShapeCall::set(std::size_t output, DataType type, std::optional<Shape> shape)
{
    if (!node.output(output).valid())
        return;
    if (m_inferred.size() <= output)
        m_inferred.resize(output + 1);
    m_inferred[output] = shape;
    m_inference.annotate(node.output(output), type, std::move(shape));
}

void ShapeCall::track(std::size_t output, SmallTensor tensor)
{
    if (!node.output(output).valid())
        return;
    m_inference.m_small.insert_or_assign(node.output(output), std::move(tensor));
    m_inference.m_computed[node.output(output)] = true;
}

const std::optional<Shape> &ShapeCall::inferred(std::size_t output) const
{
    static const std::optional<Shape> none;
    return output < m_inferred.size() ? m_inferred[output] : none;
}

DataType ShapeCall::outputType(std::size_t output) const
{
    const ValueId id = node.output(output);
    return id.valid() ? m_inference.m_graph.value(id).type : DataType::Undefined;
}

std::int64_t ShapeCall::axis(std::int64_t given, std::int64_t rank) const
{
    if (given < -rank || given >= rank)
        misfit("axis " + std::to_string(given) + " does not fit rank " + std::to_string(rank) + ".");
    return given < 0 ? given + rank : given;
}

void ShapeCall::misfit(const std::string &why) const
{
    throw Error(ErrorKind::InvalidInput, "shape_inference", node.opType + " '" + node.name + "': " + why);
}

ShapeInference::ShapeInference(Graph &graph) : m_graph(graph)
{
    for (const ValueId id : graph.values()) {
        Value &value = graph.value(id);
        if (const TensorData *data = graph.constant(id)) {
            value.type = data->type;
            value.shape = knownShape(data->dims);
        } else {
            nameUnknown(value);
        }
    }
}

void ShapeInference::nameUnknown(Value &value)
{
    if (!value.shape)
        return;
    for (Dimension &d : *value.shape) {
        if (!d.known()) {
            d.size = -1;
            if (d.symbol.empty())
                d.symbol = madeUpMark + std::to_string(++m_madeUp);
        }
    }
}

// The file's own annotation fills what inference leaves open.
void ShapeInference::annotate(ValueId id, DataType type, std::optional<Shape> shape)
{
    Value &value = m_graph.value(id);
    if (type != DataType::Undefined)
        value.type = type;
    if (!shape)
        return;
    const bool given = value.shape && value.shape->size() == shape->size();
    for (std::size_t i = 0; given && i < shape->size(); ++i) {
        Dimension &inferred = (*shape)[i];
        const Dimension &file = (*value.shape)[i];
        if (inferred.known())
            continue;
        if (file.known() || inferred.symbol.empty())
            inferred = file;
        else if (isMadeUp(inferred.symbol) && !file.symbol.empty() && !isMadeUp(file.symbol))
            m_fileSymbols.emplace(inferred.symbol, file.symbol);
    }
    value.shape = std::move(shape);
    nameUnknown(value);
}

const SmallTensor *ShapeInference::small(ValueId id)
{
    if (!id.valid())
        return nullptr;
    if (const auto found = m_small.find(id); found != m_small.end())
        return &found->second;
    const TensorData *data = m_graph.constant(id);
    if (!data)
        return nullptr;
    auto tensor = smallConstant(*data);
    return tensor ? &m_small.emplace(id, std::move(*tensor)).first->second : nullptr;
}

void ShapeInference::visit(NodeId id)
{
    const Node &node = m_graph.node(id);
    if (!isKnownDomain(node))
        return;
    const auto rule = shapeRules().find(node.opType);
    if (rule == shapeRules().end())
        return;
    ShapeCall call(*this, node);
    rule->second(call);
    if (node.is("Constant")) {
        if (const auto value = constantNodeValue(node)) {
            if (auto tensor = smallConstant(*value))
                call.track(0, std::move(*tensor));
        }
        return;
    }
    trackSmallTensors(call);
}

ShapeFacts ShapeInference::finish()
{
    const auto settle = [this](Dimension &d) {
        if (d.known() || !isMadeUp(d.symbol))
            return;
        const auto file = m_fileSymbols.find(d.symbol);
        d.symbol = file == m_fileSymbols.end() ? std::string() : file->second;
    };
    for (const ValueId id : m_graph.values()) {
        if (auto &shape = m_graph.value(id).shape)
            std::for_each(shape->begin(), shape->end(), settle);
    }
    ShapeFacts facts;
    for (const auto &[id, computed] : m_computed) {
        const SmallTensor &tensor = m_small.at(id);
        if (isFloatingPoint(tensor.type) || tensor.dims.size() > 1)
            continue;
        PartialInts &ints = facts.integers[id];
        ints.scalar = tensor.dims.empty();
        for (const Term &term : tensor.elements) {
            ints.elements.push_back(termDimension(term));
            settle(ints.elements.back());
        }
    }
    return facts;
}

ShapeFacts inferShapes(Graph &graph)
{
    ShapeInference inference(graph);
    try {
        for (const NodeId id : graph.order())
            inference.visit(id);
    } catch (...) {
        inference.finish();
        throw;
    }
    return inference.finish();
}

} // namespace core

#include "core/session/torchscript_source.h"

#include "core/base/error.h"
#include "core/exec/executor.h"

#include <ATen/ATen.h>

#include <cctype>
#include <cmath>
#include <cstdio>

namespace core {
namespace {

// Letters, digits and underscores, not beginning with a digit.
std::string identifier(const std::string &name)
{
    std::string result;
    for (const char c : name)
        if (std::isalnum(static_cast<unsigned char>(c)) != 0)
            result += c;
        else if (!result.empty() && result.back() != '_')
            result += '_';
    while (!result.empty() && result.back() == '_')
        result.pop_back();
    return result.empty() || std::isdigit(static_cast<unsigned char>(result[0])) != 0 ? "t_" + result : result;
}

const ScriptTranslations &translations()
{
    static const ScriptTranslations all = [] {
        ScriptTranslations made;
        addScriptLayers(made);
        addScriptShapes(made);
        addScriptElements(made);
        return made;
    }();
    return all;
}

} // namespace

void refuseScript(const Node &node, const std::string &sentence)
{
    throw Error(ErrorKind::Unsupported, "torchscript", "Node '" + node.name + "' (" + node.opType + "): " + sentence);
}

std::string scriptNumber(double value)
{
    if (!std::isfinite(value))
        return std::isnan(value) ? "float('nan')" : value > 0 ? "float('inf')" : "float('-inf')";
    char text[40];
    std::snprintf(text, sizeof text, "%.17g", value);
    std::string result = text;
    return result.find_first_of(".e") == std::string::npos ? result + ".0" : result;
}

std::string scriptList(const std::vector<std::int64_t> &values)
{
    std::string text = "[";
    for (const auto value : values)
        text += (text.size() > 1 ? ", " : "") + std::to_string(value);
    return text + "]";
}

ScriptWriter::ScriptWriter(const Graph &graph) : m_graph(graph)
{
    // Words of the language, and attributes that modules have.
    m_names = {"False", "None", "True", "and", "as", "assert", "break", "class", "continue", "def", "del", "elif", "else", "except", "finally", "float", "for", "forward", "from",
               "global", "if", "import", "in", "int", "is", "lambda", "nonlocal", "not", "or", "pass", "raise", "return", "self", "torch", "training", "try", "uninitialized",
               "while", "with", "yield", "Tensor", "List", "Optional", "Tuple", "annotate", "fork", "inf", "nan", "print", "list", "tuple", "bool", "str", "len", "ops", "CONSTANTS"};
}

std::string ScriptWriter::unique(const std::string &name)
{
    const std::string plain = identifier(name);
    std::string result = plain;
    for (int i = 1; !m_names.insert(result).second; ++i)
        result = plain + "_" + std::to_string(i);
    return result;
}

std::string ScriptWriter::variable(ValueId value)
{
    auto &known = m_variables[value];
    if (known.empty())
        known = unique(m_graph.value(value).name);
    return known;
}

std::string ScriptWriter::buffer(const std::string &hint, const at::Tensor &tensor)
{
    const std::string name = unique(hint);
    m_source.buffers.emplace_back(name, tensor.contiguous());
    return "self." + name;
}

std::string ScriptWriter::input(const Node &node, std::size_t i)
{
    const ValueId id = node.input(i);
    if (!id.valid())
        refuseScript(node, "input " + std::to_string(i) + " is missing.");
    const TensorData *data = m_graph.constant(id);
    if (!data)
        return variable(id);
    auto &known = m_constants[id];
    if (known.empty())
        known = buffer(m_graph.value(id).name, toTensor(*data));
    return known;
}

std::string ScriptWriter::inputOrNone(const Node &node, std::size_t i)
{
    return has(node, i) ? input(node, i) : "None";
}

void ScriptWriter::output(const Node &node, const std::string &expression, std::size_t i)
{
    if (node.output(i).valid())
        m_source.text += "    " + variable(node.output(i)) + " = " + expression + "\n";
}

const TensorData *ScriptWriter::constant(const Node &node, std::size_t i) const
{
    return node.input(i).valid() ? m_graph.constant(node.input(i)) : nullptr;
}

std::vector<std::int64_t> ScriptWriter::ints(const Node &node, std::size_t i, const std::vector<std::int64_t> &fallback) const
{
    if (!has(node, i))
        return fallback;
    const TensorData *data = constant(node, i);
    if (!data)
        refuseScript(node, "input " + std::to_string(i) + " is computed; only constant sizes, axes and places can be written.");
    return data->toInt64s();
}

double ScriptWriter::number(const Node &node, std::size_t i, double fallback) const
{
    if (!has(node, i))
        return fallback;
    const TensorData *data = constant(node, i);
    if (!data || data->count() > 1)
        refuseScript(node, "input " + std::to_string(i) + " is no constant number.");
    return data->count() == 0 ? fallback : toTensor(*data).reshape({}).to(at::kDouble).item<double>();
}

std::int64_t ScriptWriter::rank(const Node &node, std::size_t i) const
{
    const ValueId id = node.input(i);
    if (const TensorData *data = constant(node, i))
        return std::int64_t(data->dims.size());
    if (!id.valid() || !m_graph.value(id).shape)
        refuseScript(node, "the rank of input " + std::to_string(i) + " is not known.");
    return std::int64_t(m_graph.value(id).shape->size());
}

std::vector<std::int64_t> ScriptWriter::sizes(const Node &node, std::size_t i, std::size_t first) const
{
    if (const TensorData *data = constant(node, i))
        return {data->dims.begin() + std::ptrdiff_t(std::min(first, data->dims.size())), data->dims.end()};
    const auto axes = std::size_t(rank(node, i));
    std::vector<std::int64_t> result;
    for (std::size_t d = first; d < axes; ++d) {
        const Dimension &size = (*m_graph.value(node.input(i)).shape)[d];
        if (!size.known())
            refuseScript(node, "axis " + std::to_string(d) + " of its input has no fixed size; export a model with fixed height and width.");
        result.push_back(size.size);
    }
    return result;
}

std::int64_t ScriptWriter::axis(const Node &node, std::int64_t axis, std::size_t i) const
{
    if (axis >= 0)
        return axis;
    const std::int64_t axes = rank(node, i);
    if (axis < -axes)
        refuseScript(node, "axis " + std::to_string(axis) + " is outside a tensor of rank " + std::to_string(axes) + ".");
    return axis + axes;
}

TorchScriptSource ScriptWriter::write()
{
    std::string head = "def forward(self";
    for (const ValueId id : m_graph.inputs)
        if (!m_graph.isConstant(id))
            head += ", " + variable(id) + ": Tensor";
    for (const NodeId id : m_graph.order()) {
        const Node &node = m_graph.node(id);
        const auto found = translations().find(node.opType);
        if (found == translations().end() || !(node.domain.empty() || node.domain == "com.microsoft"))
            refuseScript(node, "this operator cannot be written as TorchScript.");
        found->second(*this, node);
    }
    std::string results, types;
    for (const ValueId id : m_graph.outputs) {
        const TensorData *data = m_graph.constant(id);
        results += (results.empty() ? "" : ", ") + (data ? buffer(m_graph.value(id).name, toTensor(*data)) : variable(id));
        types += types.empty() ? "Tensor" : ", Tensor";
    }
    if (m_graph.outputs.empty())
        throw Error(ErrorKind::InvalidInput, "torchscript", "The model has no outputs.");
    const bool several = m_graph.outputs.size() > 1;
    m_source.text = head + ") -> " + (several ? "Tuple[" + types + "]" : types) + ":\n" + m_source.text + "    return " + results + "\n";
    return std::move(m_source);
}

TorchScriptSource torchScriptSource(const Graph &graph)
{
    return ScriptWriter(graph).write();
}

} // namespace core

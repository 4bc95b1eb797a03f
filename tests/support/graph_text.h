// A graph as text, one node a line: "y = Clip(x, [0], [6]) axis=1". Small constants stand where they are used,
// "-" is an omitted input; bodies follow indented.
#pragma once

#include "core/graph/graph.h"

#include <cstdio>
#include <string>

namespace tests {

inline std::string numberText(double value)
{
    char text[32];
    std::snprintf(text, sizeof text, "%g", value);
    return text;
}

template <class List>
std::string listText(const List &list)
{
    std::string text = "[";
    for (const auto &value : list) {
        if (text.size() > 1)
            text += ' ';
        if constexpr (std::is_same_v<std::decay_t<decltype(value)>, std::string>)
            text += value;
        else
            text += numberText(double(value));
    }
    return text + "]";
}

inline std::string tensorText(const core::TensorData &data)
{
    const std::string numbers = data.count() <= 16 ? listText(data.toDoubles()) : "[…]";
    const std::string type = data.type == core::DataType::Float32 || data.type == core::DataType::Int64 ? "" : core::dataTypeName(data.type);
    return type + (data.dims.size() == 1 ? "" : listText(data.dims)) + numbers;
}

std::string graphText(const core::Graph &graph, const std::string &indent = "");

inline std::string attributeText(const core::AttributeValue &value)
{
    if (const auto *number = std::get_if<std::int64_t>(&value))
        return std::to_string(*number);
    if (const auto *number = std::get_if<float>(&value))
        return numberText(*number);
    if (const auto *text = std::get_if<std::string>(&value))
        return *text;
    if (const auto *list = std::get_if<std::vector<std::int64_t>>(&value))
        return listText(*list);
    if (const auto *list = std::get_if<std::vector<float>>(&value))
        return listText(*list);
    if (const auto *list = std::get_if<std::vector<std::string>>(&value))
        return listText(*list);
    if (const auto *tensor = std::get_if<core::TensorData>(&value))
        return tensorText(*tensor);
    if (const auto *body = std::get_if<std::shared_ptr<const core::Graph>>(&value))
        return "\n" + graphText(**body, "  ");
    return "?";
}

inline std::string graphText(const core::Graph &graph, const std::string &indent)
{
    std::string text;
    for (const core::NodeId id : graph.order()) {
        const core::Node &node = graph.node(id);
        std::string line = indent;
        for (const core::ValueId made : node.outputs)
            line += (line == indent ? "" : ", ") + (made.valid() ? graph.value(made).name : std::string("-"));
        line += " = " + node.opType + "(";
        for (std::size_t i = 0; i < node.inputs.size(); ++i) {
            const core::ValueId taken = node.inputs[i];
            const core::TensorData *data = taken.valid() ? graph.constant(taken) : nullptr;
            line += (i ? ", " : "") + (data ? tensorText(*data) : taken.valid() ? graph.value(taken).name : std::string("-"));
        }
        line += ")";
        for (const auto &[name, value] : node.attributes)
            line += " " + name + "=" + attributeText(value);
        text += (text.empty() ? "" : "\n") + line;
    }
    return text;
}

} // namespace tests

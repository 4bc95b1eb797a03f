// A graph as TorchScript text: one line or a few for each node, constants as buffers. Part of torchscript_export.
#pragma once

#include "core/graph/graph.h"

#include <ATen/core/Tensor.h>

#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace core {

struct TorchScriptSource {
    std::string text;                                          ///< def forward(self, …)
    std::vector<std::pair<std::string, at::Tensor>> buffers;   ///< by attribute name
};

/// Throws Error{Unsupported} naming the first node that cannot be written.
TorchScriptSource torchScriptSource(const Graph &graph);

/// What the operators' translations write to.
class ScriptWriter {
public:
    explicit ScriptWriter(const Graph &graph);

    const Graph &graph() const { return m_graph; }
    TorchScriptSource write();

    bool has(const Node &node, std::size_t i) const { return node.input(i).valid(); }
    /// An expression for input i: a variable, or a buffer.
    std::string input(const Node &node, std::size_t i);
    /// "None" when omitted.
    std::string inputOrNone(const Node &node, std::size_t i);
    /// A new buffer; `hint` becomes part of its name.
    std::string buffer(const std::string &hint, const at::Tensor &tensor);
    void output(const Node &node, const std::string &expression, std::size_t i = 0);
    std::string variable(ValueId value);

    const TensorData *constant(const Node &node, std::size_t i) const;
    /// Constant whole numbers, `fallback` when the input is omitted; throws Error{Unsupported} when they are computed.
    std::vector<std::int64_t> ints(const Node &node, std::size_t i, const std::vector<std::int64_t> &fallback = {}) const;
    /// One constant number.
    double number(const Node &node, std::size_t i, double fallback) const;
    /// Known rank, or known sizes from axis `first` on; throws Error{Unsupported}.
    std::int64_t rank(const Node &node, std::size_t i) const;
    std::vector<std::int64_t> sizes(const Node &node, std::size_t i, std::size_t first) const;
    std::int64_t axis(const Node &node, std::int64_t axis, std::size_t i = 0) const;

private:
    std::string unique(const std::string &name);

    const Graph &m_graph;
    TorchScriptSource m_source;
    std::set<std::string> m_names;
    std::map<ValueId, std::string> m_variables, m_constants;
};

[[noreturn]] void refuseScript(const Node &node, const std::string &sentence);
std::string scriptNumber(double value);
std::string scriptList(const std::vector<std::int64_t> &values);

using ScriptTranslation = std::function<void(ScriptWriter &, const Node &)>;
using ScriptTranslations = std::map<std::string, ScriptTranslation>;
void addScriptLayers(ScriptTranslations &all);
void addScriptShapes(ScriptTranslations &all);
void addScriptElements(ScriptTranslations &all);

} // namespace core

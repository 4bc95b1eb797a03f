// Shape inference node by node, and what its rules share. Private to core/graph and core/onnx.
#pragma once

#include "core/graph/shape_inference.h"

#include <string_view>
#include <unordered_map>

namespace core {

using Ints = std::vector<std::int64_t>;

/// One element of a small tensor: a number, or not known but equal to the dimension `symbol`.
struct Term {
    bool known = false;
    std::int64_t integer = 0;   ///< of integer and bool tensors
    double real = 0;            ///< of float tensors
    std::string symbol;

    static Term of(std::int64_t value) { return {true, value, 0, {}}; }
    static Term of(const Dimension &dimension) { return {dimension.known(), dimension.known() ? dimension.size : 0, 0, dimension.symbol}; }
};

/// Row-major; tracked through shape arithmetic only up to this many elements.
struct SmallTensor {
    static constexpr std::int64_t mostElements = 1024;
    DataType type = DataType::Undefined;
    Ints dims;
    std::vector<Term> elements;

    std::optional<Ints> integers() const;      ///< all of them, if known
};

class ShapeCall;
using ShapeRule = void (*)(ShapeCall &);
using ShapeRules = std::unordered_map<std::string_view, ShapeRule>;

void addElementwiseRules(ShapeRules &rules);
void addConvRules(ShapeRules &rules);
void addMatrixRules(ShapeRules &rules);
void addLayoutRules(ShapeRules &rules);
void addSliceRules(ShapeRules &rules);
void addIndexRules(ShapeRules &rules);
void addGeneratorRules(ShapeRules &rules);

class ShapeInference {
public:
    explicit ShapeInference(Graph &graph);
    /// Annotates the node's outputs. Throws as inferShapes() does.
    void visit(NodeId id);
    /// Takes back the symbols that inference made up for itself.
    ShapeFacts finish();

    /// Tracked elements of a value, or those of a small constant; nullptr when there are none.
    const SmallTensor *small(ValueId id);

private:
    friend class ShapeCall;
    void nameUnknown(Value &value);
    void annotate(ValueId id, DataType type, std::optional<Shape> shape);

    Graph &m_graph;
    std::map<ValueId, SmallTensor> m_small;
    std::map<ValueId, bool> m_computed;                ///< tracked, and not a constant
    std::map<std::string, std::string> m_fileSymbols;  ///< made-up symbol → that of the file
    std::int64_t m_madeUp = 0;
};

/// One node for its rule.
class ShapeCall {
public:
    ShapeCall(ShapeInference &inference, const Node &called) : node(called), m_inference(inference) {}

    const Node &node;

    bool has(std::size_t input) const { return node.input(input).valid(); }
    const Shape *shape(std::size_t input) const;       ///< nullptr: omitted, or rank unknown
    DataType type(std::size_t input) const;
    const SmallTensor *small(std::size_t input) const { return m_inference.small(node.input(input)); }
    /// Known integers of an input; nullopt when it is omitted or not known.
    std::optional<Ints> integers(std::size_t input) const;
    std::int64_t intAttribute(const char *name, std::int64_t fallback) const { return node.intAttribute(name, fallback); }

    void set(std::size_t output, DataType type, std::optional<Shape> shape);
    void track(std::size_t output, SmallTensor tensor);
    /// What the rule has set, without the file's own annotation.
    const std::optional<Shape> &inferred(std::size_t output) const;
    DataType outputType(std::size_t output) const;

    /// Throws unless −rank ≤ axis < rank; counts from the front.
    std::int64_t axis(std::int64_t given, std::int64_t rank) const;
    [[noreturn]] void misfit(const std::string &why) const;

private:
    ShapeInference &m_inference;
    std::vector<std::optional<Shape>> m_inferred;
};

/// Elements of the outputs from those of the inputs, after the rule has set type and shape.
void trackSmallTensors(ShapeCall &call);

// Dimensions. Results above 2^48 count as unknown.
using Wide = __int128;
Dimension dimension(Wide size);                        ///< negative and too large ones become unknown
Dimension product(const Shape &shape, std::size_t from, std::size_t to);
Dimension plus(const Dimension &dimension, Wide more);
Dimension times(const Dimension &dimension, Wide factor);
bool same(const Dimension &a, const Dimension &b);     ///< certainly equal
/// The better known of two that must be equal; misfit when they cannot be.
Dimension unify(const ShapeCall &call, const Dimension &a, const Dimension &b, const std::string &what);
Shape broadcast(const ShapeCall &call, const Shape &a, const Shape &b);
Shape knownShape(const Ints &sizes);
Dimension termDimension(const Term &term);
std::string shapeText(const Shape &shape);

} // namespace core

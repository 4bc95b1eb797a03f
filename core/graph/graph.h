// The network as a plain value: nodes, values (tensors), constants. One form per operator, the newest
// (opset 23); core/onnx lifts older forms on reading and lowers them on writing.
#pragma once

#include "core/base/error.h"
#include "core/base/ids.h"
#include "core/graph/tensor_data.h"

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

namespace core {

class Graph;

/// Newest operator set whose operators the in-memory form follows.
inline constexpr int newestOpset = 23;

struct Dimension {
    std::int64_t size = -1;   ///< -1 = not known before the run
    std::string symbol;       ///< "N", "batch", … may be empty
    bool known() const { return size >= 0; }
    friend bool operator==(const Dimension &, const Dimension &) = default;
};
using Shape = std::vector<Dimension>;

/// Kept byte for byte: an attribute or message whose meaning this program does not know.
struct OpaqueProto {
    std::string serialized;
};

using AttributeValue = std::variant<std::int64_t, float, std::string, std::vector<std::int64_t>, std::vector<float>,
                                    std::vector<std::string>, TensorData, std::shared_ptr<const Graph>, OpaqueProto>;

struct Node {
    NodeId id;
    std::string name;      ///< unique within the graph; a reader makes one for unnamed nodes
    std::string opType;
    std::string domain;    ///< "" = ai.onnx
    std::vector<ValueId> inputs;   ///< an invalid id is an omitted optional input
    std::vector<ValueId> outputs;  ///< likewise
    std::map<std::string, AttributeValue> attributes;
    std::string docString;
    std::string unknownFields;     ///< protobuf bytes carried through
    bool generatedName = false;    ///< the file had no name for it

    bool is(std::string_view type) const { return domain.empty() && opType == type; }
    ValueId input(std::size_t i) const { return i < inputs.size() ? inputs[i] : ValueId{}; }
    ValueId output(std::size_t i = 0) const { return i < outputs.size() ? outputs[i] : ValueId{}; }

    bool has(const std::string &attribute) const { return attributes.contains(attribute); }
    /// Typed access with a default; throws Error{InvalidInput} naming node and attribute when the type differs.
    std::int64_t intAttribute(const std::string &attribute, std::int64_t fallback) const;
    float floatAttribute(const std::string &attribute, float fallback) const;
    std::string stringAttribute(const std::string &attribute, const std::string &fallback) const;
    std::vector<std::int64_t> intsAttribute(const std::string &attribute, const std::vector<std::int64_t> &fallback = {}) const;
    std::vector<float> floatsAttribute(const std::string &attribute) const;
};

struct Value {
    ValueId id;
    std::string name;                ///< unique within the graph, as in the file
    DataType type = DataType::Undefined;
    std::optional<Shape> shape;      ///< nullopt = rank unknown
    std::string unknownFields;
};

/// Node and value ids are stable for the life of the graph (and of its copies): removing leaves a hole,
/// adding never reuses an id. Nodes are kept in an order that the topology allows; see core/graph/topology.h.
class Graph {
public:
    std::string name;
    std::string docString;
    std::vector<ValueId> inputs;     ///< true inputs only; initializers listed as inputs are not among them
    std::vector<ValueId> outputs;
    std::string unknownFields;       ///< protobuf bytes carried through

    ValueId addValue(std::string valueName, DataType type = DataType::Undefined, std::optional<Shape> shape = {});
    /// `name` may be empty or taken: a unique one is made.
    NodeId addNode(Node node);
    /// Same, but placed directly before `before` in the order.
    NodeId insertNode(Node node, NodeId before);
    void removeNode(NodeId id);
    /// Removes values that nothing produces, consumes or exposes, and their constants.
    void removeUnusedValues();

    const std::vector<NodeId> &order() const { return m_order; }
    void setOrder(std::vector<NodeId> order);

    bool contains(NodeId id) const;
    bool contains(ValueId id) const;
    const Node &node(NodeId id) const;
    Node &node(NodeId id);
    const Value &value(ValueId id) const;
    Value &value(ValueId id);
    std::size_t nodeCount() const { return m_order.size(); }
    std::vector<ValueId> values() const;   ///< all live values, ascending ids
    std::int32_t valueIdLimit() const { return std::int32_t(m_values.size()); } ///< every id.index is below it
    std::int32_t nodeIdLimit() const { return std::int32_t(m_nodes.size()); }

    ValueId findValue(std::string_view valueName) const;   ///< invalid when absent
    NodeId findNode(std::string_view nodeName) const;
    std::string uniqueValueName(const std::string &wish) const;
    std::string uniqueNodeName(const std::string &wish) const;
    void renameValue(ValueId id, std::string newName);

    /// Initializers.
    bool isConstant(ValueId id) const { return m_constants.contains(id); }
    const TensorData *constant(ValueId id) const;
    void setConstant(ValueId id, TensorData data);     ///< also sets the value's type and shape
    void removeConstant(ValueId id);
    ValueId addConstant(const std::string &wish, TensorData data);
    const std::map<ValueId, TensorData> &constants() const { return m_constants; }

    NodeId producer(ValueId id) const;                  ///< invalid for inputs and constants
    struct Use { NodeId node; std::size_t inputIndex; };
    std::vector<Use> uses(ValueId id) const;            ///< in node order; linear in the number of nodes
    bool isOutput(ValueId id) const;
    /// Every use of `from` (graph outputs too when `outputsToo`) becomes a use of `to`.
    void replaceUses(ValueId from, ValueId to, bool outputsToo = false);

private:
    std::vector<std::optional<Node>> m_nodes;
    std::vector<std::optional<Value>> m_values;
    std::vector<NodeId> m_order;
    std::map<ValueId, TensorData> m_constants;
    std::unordered_map<std::string, ValueId> m_valueByName;
    std::unordered_map<std::string, NodeId> m_nodeByName;
};

/// Uses of every value in one pass: index by ValueId::index.
std::vector<std::vector<Graph::Use>> usesByValue(const Graph &graph);
/// Producer of every value in one pass: index by ValueId::index.
std::vector<NodeId> producerByValue(const Graph &graph);

/// A body (If, Loop, Scan) is a Graph of its own; what it takes from outside stands in it as a value that nothing there
/// produces, under the outer value's name. These are the names it needs from outside, in order of first use.
std::vector<std::string> outerNames(const Graph &body);
/// The same for all bodies among a node's attributes. Graph::uses does not see them; renaming and clean-up do.
std::vector<std::string> capturedNames(const Node &node);
void renameCaptured(Node &node, const std::string &from, const std::string &to);

/// A graph with what its file says around it.
struct Model {
    Graph graph;
    int opset = newestOpset;                       ///< of the file that was read (ai.onnx)
    std::int64_t irVersion = 8;
    std::map<std::string, int> otherOpsets;        ///< domain → version
    std::string producerName, producerVersion, domain, docString;
    std::int64_t modelVersion = 0;
    std::vector<std::pair<std::string, std::string>> metadata;
    std::string unknownFields;
    Diagnostics diagnostics;                       ///< what the reader wants the user to know
};

} // namespace core

// One graph while its operators change form: what the rules in lift_*.cpp and lower_*.cpp share. Private to core/onnx.
#pragma once

#include "core/graph/shape_rules.h"

#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace core {

using Attributes = std::map<std::string, AttributeValue>;

class OpsetRewriter {
public:
    using Rule = void (*)(OpsetRewriter &, NodeId);
    /// `rules` are applied to the nodes of domain "". Types and shapes are inferred on the way, where nodes have their newest form.
    struct Plan {
        enum class Way { Lift, Lower };  ///< lowering also treats the nodes that rules put in
        const std::unordered_map<std::string_view, Rule> &rules;
        Way way = Way::Lift;
        Rule prepare = nullptr;          ///< before a node's rule
        Rule finish = nullptr;           ///< when a node has its place
    };
    /// `opset` is that of the older form.

    OpsetRewriter(Graph &graph, int opset, Diagnostics &diagnostics, const OpsetRewriter *outer = nullptr);

    Graph &graph;
    const int opset;

    /// Bodies first, then node after node. Rules may change the node in place and put helpers around it, not remove it.
    void run(const Plan &plan);

    /// Initializer or Constant node, of this graph or of one around it.
    const TensorData *constant(ValueId id) const;
    std::optional<Ints> ints(ValueId id) const;
    std::optional<std::int64_t> rank(ValueId id) const;
    DataType type(ValueId id) const;               ///< Undefined for an omitted one
    std::int64_t size(ValueId id, std::int64_t axis) const;   ///< −1 = not known; axis may be negative
    bool used(ValueId id) const;                   ///< by a node, a body or as an output

    // A reference to a Node does not outlive these.
    ValueId addConstant(NodeId owner, const char *role, TensorData data);
    ValueId addInts(NodeId owner, const char *role, const Ints &values);
    ValueId addScalar(NodeId owner, const char *role, DataType type, double value);   ///< float types; Undefined = float32
    ValueId addValue(NodeId owner, const char *role, DataType type = DataType::Undefined, std::optional<Shape> shape = {});
    ValueId before(NodeId owner, const char *opType, std::vector<ValueId> inputs, Attributes attributes, const char *role);
    void after(NodeId owner, const char *opType, std::vector<ValueId> inputs, Attributes attributes, const char *role, ValueId output);
    /// The node makes a new value instead of its first output, which something put after it will make.
    ValueId divertOutput(NodeId id, const char *role);

    void setInput(NodeId id, std::size_t index, ValueId value);
    /// Cuts inputs off; constants that nobody else uses go with them.
    void dropInputs(NodeId id, std::size_t from);
    void omitInput(NodeId id, std::size_t index);

    void complain(NodeId id, const std::string &why);
    bool complainedAbout(NodeId id) const { return m_refused == id; }

private:
    void place(NodeId id, const Plan &plan, std::vector<NodeId> &order);
    void infer(NodeId id);
    void rewriteBodies(NodeId id, const Plan &plan);
    std::string freshName(const std::string &wish) const;
    NodeId addHelper(NodeId owner, const char *opType, std::vector<ValueId> inputs, Attributes attributes, const char *role, ValueId output);

    Diagnostics &m_diagnostics;
    const OpsetRewriter *m_outer;
    struct Annotation { ValueId id; DataType type; std::optional<Shape> shape; };
    static std::vector<Annotation> annotationsOf(const Graph &graph);
    std::vector<Annotation> m_annotations;         ///< the file's, put back at the end
    ShapeInference m_inference;
    std::set<std::string> m_ownNames;              ///< of the outermost graph and all bodies; empty when there are none
    const std::set<std::string> *m_names;
    std::vector<NodeId> m_producers;
    std::vector<bool> m_used;
    std::map<ValueId, TensorData> m_constantNodes;
    std::vector<NodeId> m_before, m_after;
    NodeId m_refused;
    bool m_detached = false;
};

/// "…/axes" of Squeeze 'a': the attribute becomes input `index`. False when there is none.
bool attributeToInput(OpsetRewriter &rewriter, NodeId id, const char *attribute, std::size_t index);
TensorData floatScalar(DataType type, double value);

} // namespace core

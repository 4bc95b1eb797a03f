// From what the user wrote to a full scheme for each role of each node, and where every field came from.
#pragma once

#include "core/graph/graph.h"
#include "core/spec/config.h"
#include "core/spec/recipe.h"

#include <array>
#include <map>
#include <string>
#include <vector>

namespace core {

enum class TensorRole { Input, Output, Weight, Bias };

/// In rising order of precedence.
enum class ConfigLayer { Default, Preset, Target, Global, OpType, Rule, Node };

struct FieldOrigin {
    ConfigLayer layer = ConfigLayer::Default;
    std::string detail;                       ///< preset, target, operator type, query or node name
    std::string text() const;                 ///< "default", "preset 'best'", "rule 'op:Conv group>1'", …
};

struct ResolvedScheme {
    Scheme scheme;
    ConfigLayer layer = ConfigLayer::Default; ///< the most specific layer that set any field
    std::map<std::string, FieldOrigin> origins; ///< fields that were set, by their JSON names; others are defaults
    FieldOrigin origin(const std::string &field) const;
    /// The origin that matters most to a reader: of the dtype when it was set by the most specific layer, else of that layer.
    std::string provenance() const;
};

/// Unset fields take the defaults of their role; channelAxis −1 = the layer's own.
Scheme finishScheme(const QuantizationSpec &spec, TensorRole role);

struct ResolvedNode {
    std::array<ResolvedScheme, 4> roles;      ///< index = TensorRole
    bool excluded = false;
    std::string excludedBy;                   ///< "exclude 'conv*'", "rule '…'"
    const ResolvedScheme &role(TensorRole r) const { return roles[std::size_t(r)]; }
};

/// Where the global fields of an effective configuration came from; empty when it is not known (then all are Global).
struct GlobalOrigins {
    std::array<std::map<std::string, FieldOrigin>, 4> byRole;
};
GlobalOrigins globalOrigins(const Recipe &recipe);

class Resolver {
public:
    /// Throws Error{InvalidInput} for a rule, operator type, node name or exclude pattern that matches nothing.
    Resolver(const Graph &graph, const Config &config, const GlobalOrigins &origins = {});

    const ResolvedNode &node(NodeId id) const { return m_nodes.at(std::size_t(id.index)); }

private:
    std::vector<ResolvedNode> m_nodes;        ///< index = NodeId::index
};

} // namespace core

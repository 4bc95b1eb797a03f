// Queries that select nodes: what stands in Rule::query and Config::exclude.
//
//   query   = alternative { "|" alternative }          any alternative may hold
//   alternative = term { " " term }                    all terms must hold
//   term    = [ "!" | "-" ] key relation value         relation: ":" "=" "!=" ">" ">=" "<" "<="
//
// Text keys (":" "=" "!=", value is a glob with * and ?, or several separated by commas):
//   op, name, domain, input (a tensor the node reads), output (a tensor it writes), shape ("1x64x*x*", of output 0),
//   weight_shape, position ("first" / "last" layer with weights; "input" / "output" = reads a model input / writes an output),
//   depthwise ("true" / "false")
// Number keys (every relation): group, kernel (largest extent), stride, params (elements of the constants it reads),
//   in_channels, out_channels, rank (of output 0), index (place in the graph, from 0; negative counts from the end)
// A key that the node does not have (group of an Add) does not match.
#pragma once

#include "core/graph/graph.h"

#include <string>
#include <string_view>
#include <vector>

namespace core {

class RuleQuery {
public:
    /// Throws Error{InvalidInput} naming the query and the unknown key or wrong value.
    explicit RuleQuery(std::string_view query);

    /// Matching nodes in graph order.
    std::vector<NodeId> select(const Graph &graph) const;

private:
    struct Term {
        bool negated = false;
        std::string key, relation, value;
        double number = 0;
    };
    std::string m_text;
    std::vector<std::vector<Term>> m_alternatives;
};

/// `a relation b` of a number term; ":" and "=" mean equal.
bool relationHolds(double a, std::string_view relation, double b);

/// `*` = any run of characters, `?` = one; everything else is literal, letter case counts.
bool globMatches(std::string_view pattern, std::string_view text);

} // namespace core

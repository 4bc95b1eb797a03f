// The configuration of a model as the user wrote it: global < operator type < rule < node, field by field.
#pragma once

#include "core/spec/quantization_spec.h"

#include <map>
#include <string>
#include <vector>

namespace core {

/// A rule selects nodes by a query such as "op:Conv group>1 name:*block3* position:first"; grammar in core/spec/rule_query.h.
struct Rule {
    std::string query;
    QuantizationConfig config;
    bool exclude = false;               ///< matching nodes stay float
    friend bool operator==(const Rule &, const Rule &) = default;
};

struct Config {
    QuantizationConfig global;
    std::map<std::string, QuantizationConfig> byOpType;
    std::vector<Rule> rules;            ///< later rules win over earlier ones
    std::map<std::string, QuantizationConfig> byNode;
    std::vector<std::string> exclude;   ///< node names or glob patterns that stay float
    bool quantizeInputs = true;         ///< model inputs
    bool quantizeOutputs = true;        ///< model outputs
    bool reduceRange = false;           ///< 8-bit weights use 7 bits: u8·s8 products of CPUs without VNNI saturate
    /// Edges on which the tensor's quantizer is switched off: node name → input indices.
    std::map<std::string, std::vector<int>> disabledEdges;
    /// Concat nodes whose inputs and output keep their own scales.
    std::vector<std::string> splitConcats;
    friend bool operator==(const Config &, const Config &) = default;
};

} // namespace core

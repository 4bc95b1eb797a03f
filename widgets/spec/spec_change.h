// What a user can do to a recipe, as values. Every panel of this room says what is wanted with these; the document applies
// them, keeps the recipe before for undo, and shows the sentence in the undo list. Nothing here touches a widget.
#pragma once

#include "core/graph/graph.h"
#include "core/spec/recipe.h"
#include "widgets/spec/spec_field.h"

#include <QString>

#include <set>
#include <string>
#include <variant>
#include <vector>

namespace widgets {

/// Whose settings: the whole model, an operator type, a rule (by its place in the list), or nodes.
struct SpecScope {
    enum class Kind { Global, OpType, Rule, Nodes };
    Kind kind = Kind::Nodes;
    std::string opType;
    std::size_t rule = 0;
    std::set<core::NodeId> nodes;

    static SpecScope global() { return {Kind::Global, {}, 0, {}}; }
    static SpecScope ofType(std::string type) { return {Kind::OpType, std::move(type), 0, {}}; }
    static SpecScope ofRule(std::size_t index) { return {Kind::Rule, {}, index, {}}; }
    static SpecScope of(std::set<core::NodeId> nodes) { return {Kind::Nodes, {}, 0, std::move(nodes)}; }
    friend bool operator==(const SpecScope &, const SpecScope &) = default;
};

/// No value = inherit again.
struct SetField {
    SpecScope scope;
    core::TensorRole role = core::TensorRole::Output;
    SpecField field = SpecField::Dtype;
    std::optional<FieldValue> value;
};
/// Everything that this scope says; of one role or of all.
struct ResetScope {
    SpecScope scope;
    std::optional<core::TensorRole> role;
};
/// The check box of a layer. A node that a pattern or a rule leaves out is taken out of it: the pattern becomes the names it
/// matched, the rule's query excepts the node.
struct SetQuantized {
    std::set<core::NodeId> nodes;
    bool quantized = true;
};
struct SwitchEdge {
    core::NodeId node;
    int input = 0;
    bool on = true;
};
struct SplitConcat {
    core::NodeId node;
    bool split = true;
};
struct AddRule {
    core::Rule rule;
};
struct RemoveRule {
    std::size_t index = 0;
};
struct MoveRule {
    std::size_t from = 0, to = 0;
};
struct SetRuleQuery {
    std::size_t index = 0;
    std::string query;
};
struct SetRuleExclude {
    std::size_t index = 0;
    bool exclude = true;
};
struct AddExclude {
    std::string pattern;
};
struct RemoveExclude {
    std::string pattern;
};
/// Sets the algorithms of the preset too; the user's own settings stay.
struct ChoosePreset {
    std::string name;
};
struct ChooseTarget {
    std::string name;
};
enum class RecipeSwitch { Equalize, BiasCorrection, ReduceRange, QuantizeInputs, QuantizeOutputs };
struct SetSwitch {
    RecipeSwitch which = RecipeSwitch::Equalize;
    bool on = true;
};
/// An imported recipe.
struct ReplaceRecipe {
    core::Recipe recipe;
};

using SpecEdit = std::variant<SetField, ResetScope, SetQuantized, SwitchEdge, SplitConcat, AddRule, RemoveRule, MoveRule, SetRuleQuery, SetRuleExclude,
                              AddExclude, RemoveExclude, ChoosePreset, ChooseTarget, SetSwitch, ReplaceRecipe>;
using SpecEdits = std::vector<SpecEdit>;

/// In order. What an edit leaves empty is removed, so that the recipe says only what was set. Edits that name a node, rule or pattern that
/// is not there change nothing.
core::Recipe apply(const core::Recipe &recipe, const core::Graph &graph, const SpecEdits &edits);

/// One sentence for the undo list, of the recipe before: "Weights of 14 layers: int4". Several edits are one step and take the first one's.
QString describe(const SpecEdits &edits, const core::Graph &graph, const core::Recipe &before);

/// What choosing a row of the observers' table means for one role of a node.
SpecEdits observerEdits(const SpecScope &scope, core::TensorRole role, const FieldValue &observer, double percentile);
/// What dragging a clip line means: the observer `fixed` with this range.
SpecEdits fixedRangeEdits(const SpecScope &scope, core::TensorRole role, core::Range range);

} // namespace widgets

// What the spec editor shows of a scope: for every role and field the common value, where it came from, and what may be chosen.
#pragma once

#include "widgets/spec/spec_context.h"

#include <array>
#include <optional>
#include <utility>
#include <vector>

namespace widgets {

struct ChoiceState {
    FieldValue value;
    QString refusal;                       ///< why it cannot be chosen; empty = it can
};

struct FieldState {
    SpecField field = SpecField::Dtype;
    std::optional<FieldValue> value;       ///< nullopt = mixed
    QString origin;                        ///< "preset best", "set here", "mixed"
    QString originInWords;                 ///< "the preset best"
    bool setHere = false;                  ///< this scope (or one of its nodes) sets it: bold, and can be reset
    int overridden = 0;                    ///< layers for which something more specific says otherwise
    QString refusal;                       ///< why the field has no effect; empty = it can be edited
    QString problem;                       ///< why the value as it is cannot be placed
    std::vector<ChoiceState> choices;      ///< in the order of fieldChoices()
};

struct RoleState {
    core::TensorRole role = core::TensorRole::Input;
    bool applies = false;                  ///< some layer of the scope has such tensors
    int layers = 0;                        ///< how many
    bool setHere = false;
    QString summary;                       ///< "int8 · per_channel · min_max"
    QString note;                          ///< one layer: whose setting counts and why
    std::array<FieldState, allSpecFields.size()> fields;
    const FieldState &field(SpecField f) const { return fields[std::size_t(f)]; }
};

/// One quantizer on an edge into or out of the one selected layer.
struct EdgeState {
    core::NodeId node;                     ///< the reader, whose edge is switched
    int input = 0;
    bool outgoing = false;
    bool on = true;                        ///< not switched off by the recipe
    bool quantized = false;
    QString text, badge, reason;
};

struct SpecState {
    SpecScope scope;
    int layers = 0;
    std::array<RoleState, 4> roles;        ///< index = TensorRole
    std::optional<bool> quantized = true;  ///< nullopt = mixed
    QString excludedBy;
    std::vector<EdgeState> edges;          ///< of a single node only
    std::optional<bool> splitConcat;       ///< of a single Concat only
    const RoleState &role(core::TensorRole r) const { return roles[std::size_t(r)]; }
};

SpecState specState(const SpecContext &context, const SpecScope &scope);

/// Fields that have to be set along with a choice, because it means nothing without them (per_group: a group size; fixed: a range).
std::vector<std::pair<SpecField, FieldValue>> companions(const core::Scheme &scheme, SpecField field, const FieldValue &value);

/// Why a field says nothing under this scheme; empty = it counts.
QString fieldRefusal(SpecField field, core::TensorRole role, const core::Scheme &scheme, const core::TargetProfile &target);

/// Short for the column beside an editor, or whole for its tooltip.
QString originText(const core::FieldOrigin &origin, bool whole);

} // namespace widgets

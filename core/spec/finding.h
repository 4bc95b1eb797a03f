// What the doctor found: one sentence of evidence, the nodes it is about, and what to do.
#pragma once

#include "core/base/error.h"
#include "core/base/ids.h"
#include "core/spec/recipe.h"

#include <optional>
#include <string>
#include <vector>

namespace core {

struct Finding {
    Severity severity = Severity::Warning;
    std::string code;               ///< stable kebab-case id, e.g. "channel-ranges"
    std::string title;              ///< a few words: "Channel ranges differ 23×"
    std::string evidence;           ///< complete sentence with the numbers
    std::vector<NodeId> nodes;      ///< may be empty: about the whole model
    std::string fix;                ///< what the remedy does, as a command: "Per-channel weights for 14 layers"; empty = none
    std::optional<Recipe> remedy;   ///< the recipe after the fix
};

} // namespace core

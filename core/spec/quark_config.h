// AMD Quark's form of a configuration (global_quant_config, layer_type_quant_config, layer_quant_config, exclude), as
// QConfig.to_dict() of Quark writes it, read and written through the table in core/spec/quark_table.h.
//
// In Quark the most specific configuration of a layer replaces the others as a whole, and a tensor of which it says
// nothing (null) stays float; here the most specific wins field by field. What has no counterpart comes back as a
// Diagnostic: Problem where the result will differ, Note where only the way there does.
#pragma once

#include "core/base/error.h"
#include "core/graph/graph.h"
#include "core/spec/recipe.h"

#include <string>
#include <string_view>

namespace core {

/// True for JSON that has Quark's global_quant_config, on top or inside a quantization_config.
bool isQuarkConfig(std::string_view text);

struct QuarkImport {
    Recipe recipe;                ///< preset a8w8 under it; config says every field that Quark says
    Diagnostics diagnostics;
};
/// Layer names stay as they are: they must be the node names of the ONNX file. Throws Error{InvalidInput} naming the
/// path for JSON that is not Quark's.
QuarkImport recipeFromQuark(std::string_view text);

struct QuarkExport {
    std::string json;
    Diagnostics diagnostics;
};
/// Rules and operator types are resolved on `graph`, which is the model as it is quantized.
QuarkExport recipeToQuark(const Recipe &recipe, const Graph &graph);

} // namespace core

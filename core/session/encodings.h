// encodings.json: scale, zero point and range of every quantized tensor, for tools that take numbers instead of a QDQ graph.
#pragma once

#include "core/quant/quantized_model.h"

#include <string>

namespace core {

/// {"schema_version": 1, "file": …, "activations": [{"tensor", "dtype", "bits", "symmetric", "scale": […], "zero_point": […], "min", "max", "readers",
/// "shares_with"}], "weights": [… with "axis", "group_size"], "biases": […]}; points in graph order. min and max are what the lowest
/// and the highest code stand for.
std::string encodingsToJson(const QuantizedModel &model, const std::string &file);

} // namespace core

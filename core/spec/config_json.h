// Config and Recipe as JSON. Only what was set is written, so a round trip loses nothing and adds nothing.
//
// {"schema_version": 1, "preset": "best", "target": "", "transform": {…}, "algorithms": {"equalize": false, "bias_correction": true},
//  "calibration": {"images": 0, "batch_size": 8}, "seed": 0, "opset": 0,
//  "config": {"global": {"input_tensors": {"dtype": "uint8", …}, "output_tensors", "weight", "bias"}, "op_types": {"Conv": {…}},
//             "rules": [{"query": "op:Conv group>1", "exclude": false, "weight": {…}}], "nodes": {"conv1": {…}}, "exclude": ["head*"],
//             "quantize_inputs": true, "quantize_outputs": true, "reduce_range": false, "disabled_edges": {"add1": [0]}, "split_concats": ["cat"]}}
//
// Reading throws Error{InvalidInput}: an unknown field is named with its path, a wrong value with its path and the accepted ones.
#pragma once

#include "core/spec/config.h"
#include "core/spec/recipe.h"

#include <string>
#include <string_view>

namespace core {

inline constexpr int recipeSchemaVersion = 1;

std::string configToJson(const Config &config);
Config configFromJson(std::string_view text);

std::string recipeToJson(const Recipe &recipe);
/// Algorithms that are not named are those of the preset; transform fields that are not named are those of its preset.
Recipe recipeFromJson(std::string_view text);

std::string_view resizeModeName(ResizeMode mode);        ///< none, short_side, stretch, letterbox
std::string_view resamplingName(Resampling resampling);  ///< pil_bilinear, pil_bicubic, opencv_linear, opencv_area
std::string_view channelOrderName(ChannelOrder order);   ///< rgb, bgr

} // namespace core

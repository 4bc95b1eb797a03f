// One ONNX backend case: a folder with model.onnx and test_data_set_*/input_*.pb, output_*.pb.
#pragma once

#include <filesystem>
#include <string>

/// Empty when every output of every data set agrees, else what is wrong. Floats agree within 1e-3 relative + 1e-7 (ONNX's own
/// runner); types of 16 bits and less within their resolution; everything else exactly.
std::string runCase(const std::filesystem::path &folder);

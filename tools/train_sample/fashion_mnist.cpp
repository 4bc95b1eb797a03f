#include "tools/train_sample/fashion_mnist.h"

#include <nlohmann/json.hpp>
#include <torch/torch.h>

#include <fstream>
#include <random>
#include <stdexcept>

namespace fs = std::filesystem;

namespace {

constexpr std::int64_t pixels = 28 * 28;

std::uint32_t bigEndian(std::istream &in)
{
    unsigned char b[4] = {};
    in.read(reinterpret_cast<char *>(b), 4);
    return std::uint32_t(b[0]) << 24 | std::uint32_t(b[1]) << 16 | std::uint32_t(b[2]) << 8 | b[3];
}

Garments assemble(const std::vector<std::uint8_t> &bytes, const std::vector<std::int64_t> &labels)
{
    const auto count = std::int64_t(labels.size());
    if (count == 0 || std::int64_t(bytes.size()) != count * pixels)
        throw std::runtime_error("The number of images and labels differs, or there are none.");
    Garments g;
    g.images = torch::from_blob(const_cast<std::uint8_t *>(bytes.data()), {count, 1, 28, 28}, torch::kUInt8).clone();
    g.labels = torch::from_blob(const_cast<std::int64_t *>(labels.data()), {count}, torch::kInt64).clone();
    return g;
}

Garments readIdx(const fs::path &directory)
{
    std::vector<std::uint8_t> bytes;
    std::vector<std::int64_t> labels;
    for (const std::string part : {"train", "t10k"}) {
        std::ifstream images(directory / (part + "-images-idx3-ubyte"), std::ios::binary);
        std::ifstream classes(directory / (part + "-labels-idx1-ubyte"), std::ios::binary);
        if (!images || !classes)
            continue;
        if (bigEndian(images) != 0x803 || bigEndian(classes) != 0x801)
            throw std::runtime_error("A file of part '" + part + "' is not IDX (decompress .gz files first).");
        const std::uint32_t count = bigEndian(images);
        if (count > 1'000'000 || count != bigEndian(classes) || bigEndian(images) != 28 || bigEndian(images) != 28)
            throw std::runtime_error("Part '" + part + "' has an unexpected size.");
        const std::size_t start = bytes.size();
        bytes.resize(start + count * pixels);
        images.read(reinterpret_cast<char *>(bytes.data() + start), std::streamsize(count * pixels));
        std::vector<char> raw(count);
        classes.read(raw.data(), std::streamsize(count));
        if (!images || !classes)
            throw std::runtime_error("Part '" + part + "' is truncated.");
        labels.insert(labels.end(), raw.begin(), raw.end());
    }
    return assemble(bytes, labels);
}

Garments readJson(const fs::path &directory)
{
    std::vector<std::uint8_t> bytes;
    std::vector<std::int64_t> labels;
    for (int cls = 0; cls < 10; ++cls) {
        const fs::path file = directory / (std::to_string(cls) + ".json");
        std::ifstream in(file);
        if (!in)
            throw std::runtime_error("Cannot read " + file.string() + ".");
        const auto document = nlohmann::json::parse(in);
        for (const auto &sample : document.at("data")) {
            if (sample.size() != std::size_t(pixels)) // the package ends some files with an empty sample
                continue;
            for (const auto &pixel : sample)
                bytes.push_back(pixel.get<std::uint8_t>());
            labels.push_back(cls);
        }
    }
    return assemble(bytes, labels);
}

Garments select(const Garments &all, const std::vector<std::int64_t> &rows)
{
    const auto index = torch::tensor(rows, torch::kInt64);
    return {all.images.index_select(0, index), all.labels.index_select(0, index)};
}

} // namespace

Garments readGarments(const fs::path &directory)
{
    return fs::exists(directory / "0.json") ? readJson(directory) : readIdx(directory);
}

Split splitGarments(const Garments &all, int validationPerClass, int calibrationPerClass, std::uint64_t seed)
{
    std::vector<std::vector<std::int64_t>> byClass(10);
    const auto labels = all.labels.accessor<std::int64_t, 1>();
    for (std::int64_t i = 0; i < labels.size(0); ++i)
        byClass.at(std::size_t(labels[i])).push_back(i);

    std::mt19937_64 random(seed);
    std::vector<std::int64_t> validation, calibration, training;
    for (auto &rows : byClass) {
        for (std::size_t i = rows.size(); i > 1; --i)
            std::swap(rows[i - 1], rows[random() % i]);
        for (std::size_t i = 0; i < rows.size(); ++i) {
            auto &part = i < std::size_t(validationPerClass)                         ? validation
                       : i < std::size_t(validationPerClass + calibrationPerClass) ? calibration
                                                                                   : training;
            part.push_back(rows[i]);
        }
    }
    return {select(all, validation), select(all, calibration), select(all, training)};
}

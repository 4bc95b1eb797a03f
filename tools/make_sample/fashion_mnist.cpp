#include "tools/make_sample/fashion_mnist.h"

#include <nlohmann/json.hpp>
#include <zlib.h>

#include <fstream>
#include <memory>
#include <random>
#include <stdexcept>

namespace fs = std::filesystem;

namespace {

constexpr std::size_t pixelsOfOne = garmentSide * garmentSide, classes = garmentFolders.size();
constexpr std::uint32_t imagesMagic = 0x803, labelsMagic = 0x801, most = 1'000'000;

/// An IDX file, packed or not.
class IdxInput {
public:
    explicit IdxInput(const fs::path &file) : m_name(file.string()), m_file(gzopen(m_name.c_str(), "rb"), gzclose)
    {
        if (!m_file)
            throw std::runtime_error("Cannot read " + m_name + ".");
    }

    void read(std::uint8_t *to, std::size_t count)
    {
        if (gzread(m_file.get(), to, unsigned(count)) != int(count))
            throw std::runtime_error(m_name + " is truncated.");
    }

    std::uint32_t number()
    {
        std::uint8_t b[4];
        read(b, 4);
        return std::uint32_t(b[0]) << 24 | std::uint32_t(b[1]) << 16 | std::uint32_t(b[2]) << 8 | b[3];
    }

    void expect(std::uint32_t wanted)
    {
        if (const std::uint32_t found = number(); found != wanted)
            throw std::runtime_error(m_name + " is not the IDX file it should be: its header has " + std::to_string(found) + " where " + std::to_string(wanted) + " is expected.");
    }

private:
    std::string m_name;
    std::unique_ptr<gzFile_s, int (*)(gzFile)> m_file;
};

fs::path packedOrNot(const fs::path &file)
{
    return fs::exists(file) ? file : fs::path(file.string() + ".gz");
}

Garments readIdx(const fs::path &directory)
{
    Garments all;
    for (const std::string part : {"train", "t10k"}) {
        const fs::path imageFile = packedOrNot(directory / (part + "-images-idx3-ubyte"));
        if (!fs::exists(imageFile))
            continue;
        IdxInput images(imageFile), labels(packedOrNot(directory / (part + "-labels-idx1-ubyte")));
        images.expect(imagesMagic);
        labels.expect(labelsMagic);
        const std::uint32_t count = images.number();
        if (count > most)
            throw std::runtime_error(imageFile.string() + " has " + std::to_string(count) + " images; Fashion-MNIST has 60000 and 10000.");
        labels.expect(count);
        images.expect(garmentSide);
        images.expect(garmentSide);
        const std::size_t start = all.size();
        all.pixels.resize((start + count) * pixelsOfOne);
        all.labels.resize(start + count);
        images.read(all.pixels.data() + start * pixelsOfOne, count * pixelsOfOne);
        labels.read(all.labels.data() + start, count);
    }
    for (const std::uint8_t label : all.labels)
        if (label >= classes)
            throw std::runtime_error("An image has the label " + std::to_string(label) + "; Fashion-MNIST has 0 to 9.");
    return all;
}

Garments readJson(const fs::path &directory)
{
    Garments all;
    for (std::size_t label = 0; label < classes; ++label) {
        const fs::path file = directory / (std::to_string(label) + ".json");
        std::ifstream in(file);
        if (!in)
            throw std::runtime_error("Cannot read " + file.string() + ".");
        const auto document = nlohmann::json::parse(in);
        for (const auto &sample : document.at("data")) {
            if (sample.size() != pixelsOfOne) // the package ends some files with an empty sample
                continue;
            for (const auto &pixel : sample)
                all.pixels.push_back(pixel.get<std::uint8_t>());
            all.labels.push_back(std::uint8_t(label));
        }
    }
    return all;
}

void append(Garments &part, const Garments &all, std::size_t row)
{
    part.pixels.insert(part.pixels.end(), all.image(row), all.image(row) + pixelsOfOne);
    part.labels.push_back(all.labels[row]);
}

void writeIdx(const fs::path &file, const std::vector<std::uint32_t> &header, const std::vector<std::uint8_t> &data)
{
    std::ofstream out(file, std::ios::binary);
    for (const std::uint32_t number : header)
        for (const int shift : {24, 16, 8, 0})
            out.put(char(number >> shift));
    out.write(reinterpret_cast<const char *>(data.data()), std::streamsize(data.size()));
    out.close();
    if (!out)
        throw std::runtime_error("Cannot write " + file.string() + ".");
}

} // namespace

Garments readGarments(const fs::path &directory)
{
    Garments all = fs::exists(directory / "0.json") ? readJson(directory) : readIdx(directory);
    if (all.size() == 0)
        throw std::runtime_error(directory.string() + " holds neither train-images-idx3-ubyte (or .gz) nor 0.json to 9.json.");
    return all;
}

Split splitGarments(const Garments &all, int validationPerClass, int calibrationPerClass, std::uint64_t seed)
{
    std::vector<std::vector<std::size_t>> byClass(classes);
    for (std::size_t i = 0; i < all.size(); ++i)
        byClass.at(all.labels[i]).push_back(i);

    std::mt19937_64 random(seed);
    Split split;
    for (auto &rows : byClass) {
        for (std::size_t i = rows.size(); i > 1; --i)
            std::swap(rows[i - 1], rows[random() % i]);
        for (std::size_t i = 0; i < rows.size(); ++i) {
            auto &part = i < std::size_t(validationPerClass)                         ? split.validation
                       : i < std::size_t(validationPerClass + calibrationPerClass) ? split.calibration
                                                                                   : split.training;
            append(part, all, rows[i]);
        }
    }
    return split;
}

void writeTrainingIdx(const Garments &garments, const fs::path &directory)
{
    const auto count = std::uint32_t(garments.size());
    writeIdx(directory / "train-images-idx3-ubyte", {imagesMagic, count, garmentSide, garmentSide}, garments.pixels);
    writeIdx(directory / "train-labels-idx1-ubyte", {labelsMagic, count}, garments.labels);
}

// make_sample DATA_DIR OUT_DIR [--ratio R] [--seed N]
//
// Splits Fashion-MNIST into OUT_DIR/val/<class>/*.png, OUT_DIR/calib/*.png and, for training, OUT_DIR/train-images-idx3-ubyte with
// train-labels-idx1-ubyte, and writes OUT_DIR/labels.txt and the network of network.h as OUT_DIR/untrained.onnx. The three parts have no image in
// common. `quantscope train --method float` trains it (resources/sample/README.md).
#include "core/onnx/writer.h"
#include "tools/make_sample/fashion_mnist.h"
#include "tools/make_sample/network.h"

#include <opencv2/imgcodecs.hpp>

#include <cstdio>
#include <fstream>
#include <stdexcept>

namespace fs = std::filesystem;

namespace {

struct Options {
    fs::path data, out;
    double ratio = 10;
    std::uint64_t seed = 7;
};

constexpr int validationPerClass = 80, calibrationPerClass = 10;

void writeImage(const Garments &garments, std::size_t index, const fs::path &folder, std::size_t number)
{
    char name[32];
    std::snprintf(name, sizeof name, "%03zu.png", number);
    fs::create_directories(folder);
    const cv::Mat image(garmentSide, garmentSide, CV_8UC1, const_cast<std::uint8_t *>(garments.image(index)));
    if (!cv::imwrite((folder / name).string(), image, {cv::IMWRITE_PNG_COMPRESSION, 9}))
        throw std::runtime_error("Cannot write " + (folder / name).string() + ".");
}

void writeImages(const Split &split, const fs::path &out)
{
    std::vector<std::size_t> perClass(garmentFolders.size(), 0);
    for (std::size_t i = 0; i < split.validation.size(); ++i) {
        const std::size_t label = split.validation.labels[i];
        writeImage(split.validation, i, out / "val" / garmentFolders[label], perClass[label]++);
    }
    for (std::size_t i = 0; i < split.calibration.size(); ++i)
        writeImage(split.calibration, i, out / "calib", i);
    std::ofstream labels(out / "labels.txt");
    for (const char *folder : garmentFolders)
        labels << folder << '\n';
    labels.close();
    if (!labels)
        throw std::runtime_error("Cannot write " + (out / "labels.txt").string() + ".");
}

Options parse(int argc, char **argv)
{
    Options o;
    std::vector<std::string> positional;
    for (int i = 1; i < argc; ++i) {
        const std::string a = argv[i];
        if (a.rfind("--", 0) != 0) {
            positional.push_back(a);
            continue;
        }
        if (++i >= argc)
            throw std::runtime_error(a + " needs a value.");
        const std::string v = argv[i];
        if (a == "--ratio") o.ratio = std::stod(v);
        else if (a == "--seed") o.seed = std::stoull(v);
        else throw std::runtime_error("Unknown option " + a + ".");
    }
    if (positional.size() != 2)
        throw std::runtime_error("Usage: make_sample DATA_DIR OUT_DIR [--ratio R] [--seed N]");
    o.data = positional[0];
    o.out = positional[1];
    return o;
}

} // namespace

int main(int argc, char **argv)
try {
    const Options options = parse(argc, argv);
    const Split split = splitGarments(readGarments(options.data), validationPerClass, calibrationPerClass, options.seed);
    fs::create_directories(options.out);
    writeImages(split, options.out);
    writeTrainingIdx(split.training, options.out);
    core::writeModel(untrainedNetwork(options.ratio, options.seed), 13, options.out / "untrained.onnx");
    std::printf("%zu images to train, %zu to calibrate, %zu to validate\n", split.training.size(), split.calibration.size(), split.validation.size());
    return 0;
} catch (const std::exception &e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
}

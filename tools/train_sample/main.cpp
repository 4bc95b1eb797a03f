// train_sample DATA_DIR OUT_DIR [--epochs N] [--images N] [--ratio R] [--seed N] [--weights FILE]
//
// Trains the network of network.h on Fashion-MNIST and writes OUT_DIR/sample.onnx, OUT_DIR/calib/*.png,
// OUT_DIR/val/<class>/*.png and OUT_DIR/labels.txt. Validation and calibration images are never trained on.
// With --weights the trained parameters are kept in FILE; if FILE exists, training is skipped.
#include "core/onnx/writer.h"
#include "tools/train_sample/fashion_mnist.h"
#include "tools/train_sample/onnx_export.h"

#include <opencv2/imgcodecs.hpp>
#include <torch/torch.h>

#include <cmath>
#include <cstdio>
#include <fstream>
#include <malloc.h>
#include <numbers>
#include <stdexcept>

namespace fs = std::filesystem;

namespace {

struct Options {
    fs::path data, out, weights;
    int epochs = 20, batch = 64;
    std::int64_t images = 62'000;
    double ratio = 10, learningRate = 0.1, decay = 1e-4;
    std::uint64_t seed = 7;
};

constexpr int validationPerClass = 80, calibrationPerClass = 10;

torch::Tensor asInput(const torch::Tensor &bytes)
{
    return bytes.to(torch::kFloat32).div_(255).contiguous(torch::MemoryFormat::ChannelsLast);
}

double accuracy(SampleNetwork &network, const Garments &data)
{
    torch::NoGradGuard noGrad;
    network->eval();
    std::int64_t right = 0;
    const std::int64_t count = data.labels.size(0);
    for (std::int64_t i = 0; i < count; i += 100) {
        const std::int64_t end = std::min(count, i + 100);
        const auto guess = network->forward(asInput(data.images.slice(0, i, end))).argmax(1);
        right += guess.eq(data.labels.slice(0, i, end)).sum().item<std::int64_t>();
    }
    return 100.0 * double(right) / double(count);
}

/// Mirrored and shifted by up to two pixels.
torch::Tensor augment(const torch::Tensor &x)
{
    torch::Tensor y = torch::rand({1}).item<float>() < 0.5f ? x.flip({3}) : x;
    const auto shift = torch::randint(-2, 3, {2});
    return at::roll(y, {shift[0].item<std::int64_t>(), shift[1].item<std::int64_t>()}, {2, 3});
}

void train(SampleNetwork &network, const Garments &data, const Garments &validation, const Options &options)
{
    std::vector<torch::Tensor> decayed, plain;
    for (std::size_t i = 0; i < network->layers.size(); ++i) {
        (network->layers[i].depthwise ? plain : decayed).push_back(network->weight[i]);
        plain.push_back(network->gamma[i]);
        plain.push_back(network->beta[i]);
    }
    decayed.push_back(network->fcWeight);
    plain.push_back(network->fcBias);
    const auto sgd = [&](double decay) {
        return std::make_unique<torch::optim::SGDOptions>(
            torch::optim::SGDOptions(options.learningRate).momentum(0.9).nesterov(true).weight_decay(decay));
    };
    std::vector<torch::optim::OptimizerParamGroup> groups;
    groups.emplace_back(decayed, sgd(options.decay));
    groups.emplace_back(plain, sgd(0));
    torch::optim::SGD optimizer(std::move(groups), torch::optim::SGDOptions(options.learningRate).momentum(0.9));

    const std::int64_t count = std::min(options.images, data.labels.size(0));
    const auto pool = torch::randperm(data.labels.size(0)).slice(0, 0, count);
    const std::int64_t stepsPerEpoch = count / options.batch;
    for (int epoch = 0, step = 0; epoch < options.epochs; ++epoch) {
        network->train();
        const auto order = pool.index_select(0, torch::randperm(count));
        double lossSum = 0;
        for (std::int64_t b = 0; b < stepsPerEpoch; ++b, ++step) {
            const double done = double(step) / double(stepsPerEpoch * options.epochs);
            const double rate = options.learningRate * std::min(1.0, (step + 1) / 100.0) * 0.5 * (1 + std::cos(std::numbers::pi * done));
            for (auto &group : optimizer.param_groups())
                static_cast<torch::optim::SGDOptions &>(group.options()).lr(rate);
            const auto rows = order.slice(0, b * options.batch, (b + 1) * options.batch);
            const auto input = augment(asInput(data.images.index_select(0, rows)));
            auto loss = torch::nn::functional::cross_entropy(network->forward(input), data.labels.index_select(0, rows),
                                                             torch::nn::functional::CrossEntropyFuncOptions().label_smoothing(0.05));
            optimizer.zero_grad();
            loss.backward();
            optimizer.step();
            lossSum += loss.item<double>();
        }
        std::printf("epoch %d  loss %.4f  validation %.2f %%\n", epoch + 1, lossSum / double(stepsPerEpoch), accuracy(network, validation));
        std::fflush(stdout);
    }
}

void writeImage(const torch::Tensor &image, const fs::path &file)
{
    const torch::Tensor pixels = image.contiguous();
    fs::create_directories(file.parent_path());
    if (!cv::imwrite(file.string(), cv::Mat(28, 28, CV_8UC1, pixels.data_ptr<std::uint8_t>()), {cv::IMWRITE_PNG_COMPRESSION, 9}))
        throw std::runtime_error("Cannot write " + file.string() + ".");
}

void writeImages(const Split &split, const fs::path &out)
{
    char name[32];
    std::vector<int> perClass(10, 0);
    for (std::int64_t i = 0; i < split.validation.labels.size(0); ++i) {
        const auto label = std::size_t(split.validation.labels[i].item<std::int64_t>());
        std::snprintf(name, sizeof name, "%03d.png", perClass[label]++);
        writeImage(split.validation.images[i], out / "val" / garmentFolders[label] / name);
    }
    for (std::int64_t i = 0; i < split.calibration.labels.size(0); ++i) {
        std::snprintf(name, sizeof name, "%03d.png", int(i));
        writeImage(split.calibration.images[i], out / "calib" / name);
    }
    std::ofstream labels(out / "labels.txt");
    for (const std::string &folder : garmentFolders)
        labels << folder << '\n';
}

void printRanges(const SampleNetworkImpl &network)
{
    for (std::size_t i = 0; i < network.layers.size(); ++i) {
        const auto factor = network.scale(i) / (network.variance[i] + SampleNetworkImpl::epsilon).sqrt();
        const auto range = network.weight[i].detach().abs().amax({1, 2, 3}) * factor.abs();
        std::printf("%-18s folded |w| per channel: smallest %.4f, largest %.3f\n", network.layers[i].name.c_str(),
                    range.min().item<double>(), range.max().item<double>());
    }
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
        if (a == "--epochs") o.epochs = std::stoi(v);
        else if (a == "--images") o.images = std::stoll(v);
        else if (a == "--ratio") o.ratio = std::stod(v);
        else if (a == "--seed") o.seed = std::stoull(v);
        else if (a == "--weights") o.weights = v;
        else throw std::runtime_error("Unknown option " + a + ".");
    }
    if (positional.size() != 2)
        throw std::runtime_error("Usage: train_sample DATA_DIR OUT_DIR [--epochs N] [--images N] [--ratio R] [--seed N] [--weights FILE]");
    o.data = positional[0];
    o.out = positional[1];
    return o;
}

} // namespace

int main(int argc, char **argv)
try {
    mallopt(M_MMAP_MAX, 0);
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
    const Options options = parse(argc, argv);
    torch::manual_seed(options.seed);
    torch::set_num_threads(1);

    const Split split = splitGarments(readGarments(options.data), validationPerClass, calibrationPerClass, options.seed);
    SampleNetwork network(options.ratio);
    for (auto &weight : network->weight)
        weight.set_data(weight.contiguous(torch::MemoryFormat::ChannelsLast));
    if (!options.weights.empty() && fs::exists(options.weights)) {
        torch::load(network, options.weights.string());
    } else {
        train(network, split.training, split.validation, options);
        if (!options.weights.empty())
            torch::save(network, options.weights.string());
    }
    std::printf("validation accuracy %.3f %%\n", accuracy(network, split.validation));
    printRanges(*network);
    fs::create_directories(options.out);
    writeImages(split, options.out);
    core::writeModel(toOnnxModel(*network), 13, options.out / "sample.onnx");
    return 0;
} catch (const std::exception &e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
}

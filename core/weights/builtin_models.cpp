#include "core/weights/builtin_models.h"

#include "core/graph/shape_inference.h"
#include "core/weights/network_builder.h"

#include <array>
#include <cmath>

namespace core {
namespace {

constexpr std::int64_t classes = 1000;

ValueId imageInput(NetworkBuilder &net) { return net.input("input", {{-1, "N"}, {3, ""}, {224, ""}, {224, ""}}); }

/// He et al., "Deep Residual Learning for Image Recognition", 2015: two 3×3 convolutions beside a shortcut.
ValueId basicBlock(NetworkBuilder &net, const std::string &name, ValueId in, std::int64_t inputs, std::int64_t outputs, std::int64_t stride)
{
    ValueId x = net.conv(name + ".conv1", in, inputs, outputs, 3, stride);
    x = net.relu(name + ".relu", net.batchNorm(name + ".bn1", x, outputs));
    x = net.batchNorm(name + ".bn2", net.conv(name + ".conv2", x, outputs, outputs, 3), outputs);
    ValueId shortcut = in;
    if (stride != 1 || inputs != outputs)
        shortcut = net.batchNorm(name + ".downsample.1", net.conv(name + ".downsample.0", in, inputs, outputs, 1, stride), outputs);
    return net.relu(name + ".relu_1", net.add(name + ".add", x, shortcut));
}

Model resnet18(std::uint64_t seed)
{
    NetworkBuilder net("resnet18", seed);
    ValueId x = net.relu("relu", net.batchNorm("bn1", net.conv("conv1", imageInput(net), 3, 64, 7, 2), 64));
    x = net.maxPool("maxpool", x, 3, 2, 1);
    std::int64_t channels = 64;
    for (int stage = 0; stage < 4; ++stage)
        for (int block = 0; block < 2; ++block) {
            const std::int64_t outputs = 64 << stage;
            x = basicBlock(net, "layer" + std::to_string(stage + 1) + "." + std::to_string(block), x, channels, outputs, stage > 0 && block == 0 ? 2 : 1);
            channels = outputs;
        }
    const double bound = 1 / std::sqrt(double(channels));                   // as torch.nn.Linear
    const auto tensor = [&](const std::string &name, std::vector<std::int64_t> dims) {
        const auto values = net.random(name).uniform(std::size_t(elementCount(dims)), bound);
        return TensorData::fromFloats(std::move(dims), values);
    };
    net.output("logits", net.linear("fc", net.pooled("avgpool", x), tensor("fc.weight", {classes, channels}), tensor("fc.bias", {classes})));
    return net.take();
}

/// Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", 2018, table 2.
struct Bottleneck {
    std::int64_t expansion, channels, count, stride;
};
constexpr std::array bottlenecks{Bottleneck{1, 16, 1, 1}, Bottleneck{6, 24, 2, 2}, Bottleneck{6, 32, 3, 2}, Bottleneck{6, 64, 4, 2},
                                 Bottleneck{6, 96, 3, 1}, Bottleneck{6, 160, 3, 2}, Bottleneck{6, 320, 1, 1}};

/// Convolution, BatchNormalization, ReLU6: "name.0", "name.1", "name.2".
ValueId convUnit(NetworkBuilder &net, const std::string &name, ValueId in, std::int64_t inputs, std::int64_t outputs, std::int64_t kernel, std::int64_t stride = 1,
                 std::int64_t group = 1)
{
    return net.relu6(name + ".2", net.batchNorm(name + ".1", net.conv(name + ".0", in, inputs, outputs, kernel, stride, group), outputs));
}

ValueId invertedResidual(NetworkBuilder &net, const std::string &name, ValueId in, std::int64_t inputs, std::int64_t outputs, std::int64_t expansion, std::int64_t stride)
{
    const std::int64_t hidden = inputs * expansion;
    int index = 0;
    const auto part = [&] { return name + ".conv." + std::to_string(index++); };
    ValueId x = in;
    if (expansion != 1)
        x = convUnit(net, part(), x, inputs, hidden, 1);
    x = convUnit(net, part(), x, hidden, hidden, 3, stride, hidden);
    x = net.conv(part(), x, hidden, outputs, 1);
    x = net.batchNorm(part(), x, outputs);
    return stride == 1 && inputs == outputs ? net.add(name + ".add", in, x) : x;
}

Model mobilenetV2(std::uint64_t seed)
{
    NetworkBuilder net("mobilenet_v2", seed);
    std::int64_t channels = 32;
    ValueId x = convUnit(net, "features.0", imageInput(net), 3, channels, 3, 2);
    int index = 1;
    const auto part = [&] { return "features." + std::to_string(index++); };
    for (const Bottleneck &b : bottlenecks)
        for (std::int64_t i = 0; i < b.count; ++i) {
            x = invertedResidual(net, part(), x, channels, b.channels, b.expansion, i == 0 ? b.stride : 1);
            channels = b.channels;
        }
    constexpr std::int64_t last = 1280;
    x = net.pooled("avgpool", convUnit(net, part(), x, channels, last, 1));
    const std::string weight = "classifier.1.weight";
    net.output("logits", net.linear("classifier.1", x, TensorData::fromFloats({classes, last}, net.random(weight).normal(std::size_t(classes * last), 0.01)),
                                    TensorData::fromFloats({classes}, std::vector<float>(classes))));
    return net.take();
}

struct Builtin {
    const char *name;
    Model (*make)(std::uint64_t seed);
};
constexpr std::array builtins{Builtin{"resnet18", resnet18}, Builtin{"mobilenet_v2", mobilenetV2}};

} // namespace

std::vector<std::string> builtinModelNames()
{
    std::vector<std::string> names;
    for (const Builtin &builtin : builtins)
        names.push_back(builtin.name);
    return names;
}

bool isBuiltinModel(const std::string &name)
{
    for (const Builtin &builtin : builtins)
        if (builtin.name == name)
            return true;
    return false;
}

Model builtinModel(const std::string &name, std::uint64_t seed)
{
    for (const Builtin &builtin : builtins)
        if (builtin.name == name) {
            Model model = builtin.make(seed);
            inferShapes(model.graph);
            return model;
        }
    std::string known;
    for (const Builtin &builtin : builtins)
        known.append(known.empty() ? "" : ", ").append(builtin.name);
    throw Error(ErrorKind::InvalidInput, "model", "There is no built-in network '" + name + "'; those are " + known + ".");
}

} // namespace core

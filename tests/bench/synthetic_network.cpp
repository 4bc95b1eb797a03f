#include "tests/bench/synthetic_network.h"

#include <cmath>
#include <random>

namespace bench {

using namespace core;

namespace {

struct Stage {
    int expansion, channels, repeats, stride, kernel;
};
// Tan & Le 2019, without squeeze-and-excitation and with ReLU6, as the Lite models have it.
constexpr Stage stages[] = {{1, 16, 1, 1, 3}, {6, 24, 2, 2, 3}, {6, 40, 2, 2, 5}, {6, 80, 3, 2, 3}, {6, 112, 3, 1, 5}, {6, 192, 4, 2, 5}, {6, 320, 1, 1, 3}};
constexpr std::int64_t stemChannels = 32, headChannels = 1280, classes = 1000;

class Builder {
public:
    Graph run(std::int64_t size)
    {
        const ValueId image = m_graph.addValue("image", DataType::Float32, Shape{{-1, "N"}, {3, {}}, {size, {}}, {size, {}}});
        m_graph.inputs = {image};
        m_zero = m_graph.addConstant("zero", TensorData::fromFloats({}, std::vector<float>{0}));
        m_six = m_graph.addConstant("six", TensorData::fromFloats({}, std::vector<float>{6}));
        ValueId v = relu6(conv("stem", image, 3, stemChannels, 3, 2, 1));
        std::int64_t channels = stemChannels;
        for (const Stage &stage : stages)
            for (int i = 0; i < stage.repeats; ++i) {
                v = block(v, channels, stage, i == 0 ? stage.stride : 1);
                channels = stage.channels;
            }
        v = relu6(conv("head", v, channels, headChannels, 1, 1, 1));
        v = node("GlobalAveragePool", "pool", {v}, {});
        v = node("Flatten", "flatten", {v}, {});
        const ValueId weight = constant("classifier.weight", {classes, headChannels}, headChannels), bias = constant("classifier.bias", {classes}, headChannels);
        m_graph.outputs = {node("Gemm", "logits", {v, weight, bias}, {{"transB", std::int64_t(1)}})};
        return std::move(m_graph);
    }

private:
    ValueId node(const std::string &type, const std::string &name, std::vector<ValueId> inputs, std::map<std::string, AttributeValue> attributes)
    {
        Node made;
        made.name = name;
        made.opType = type;
        made.inputs = std::move(inputs);
        made.attributes = std::move(attributes);
        const ValueId out = m_graph.addValue(name, DataType::Float32);
        made.outputs = {out};
        m_graph.addNode(std::move(made));
        return out;
    }

    ValueId constant(const std::string &name, std::vector<std::int64_t> dims, std::int64_t fanIn)
    {
        std::normal_distribution<float> normal(0, std::sqrt(2.0f / float(fanIn)));
        std::vector<float> values(std::size_t(elementCount(dims)));
        for (float &value : values)
            value = normal(m_random);
        return m_graph.addConstant(name, TensorData::fromFloats(std::move(dims), values));
    }

    ValueId conv(const std::string &name, ValueId in, std::int64_t inChannels, std::int64_t outChannels, std::int64_t kernel, std::int64_t stride, std::int64_t group)
    {
        const std::int64_t fanIn = inChannels / group * kernel * kernel, pad = kernel / 2;
        const ValueId weight = constant(name + ".weight", {outChannels, inChannels / group, kernel, kernel}, fanIn);
        const ValueId bias = constant(name + ".bias", {outChannels}, 100 * fanIn);
        using Ints = std::vector<std::int64_t>;
        return node("Conv", name, {in, weight, bias},
                    {{"kernel_shape", Ints{kernel, kernel}}, {"strides", Ints{stride, stride}}, {"pads", Ints{pad, pad, pad, pad}}, {"group", group}});
    }

    ValueId relu6(ValueId in) { return node("Clip", m_graph.value(in).name + ".relu6", {in, m_zero, m_six}, {}); }

    ValueId block(ValueId in, std::int64_t channels, const Stage &stage, int stride)
    {
        const std::string name = "block" + std::to_string(m_blocks++);
        const std::int64_t wide = channels * stage.expansion;
        ValueId v = stage.expansion == 1 ? in : relu6(conv(name + ".expand", in, channels, wide, 1, 1, 1));
        v = relu6(conv(name + ".depthwise", v, wide, wide, stage.kernel, stride, wide));
        v = conv(name + ".project", v, wide, stage.channels, 1, 1, 1);
        return stride == 1 && channels == stage.channels ? node("Add", name + ".add", {v, in}, {}) : v;
    }

    Graph m_graph;
    ValueId m_zero, m_six;
    std::mt19937 m_random{20190528};
    int m_blocks = 0;
};

} // namespace

Graph syntheticNetwork(std::int64_t size)
{
    return Builder().run(size);
}

} // namespace bench

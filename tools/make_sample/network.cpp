#include "tools/make_sample/network.h"

#include "core/data/counter_random.h"

#include <cmath>

namespace {

using Ints = std::vector<std::int64_t>;

struct LayerSpec {
    std::string name;
    std::int64_t in = 0, out = 0, kernel = 1, stride = 1;
    bool depthwise = false;
    bool relu6 = true;
    int spreadSign = 0;                 ///< +1: spread, −1: spread inverted, 0: none
    bool opensResidual = false;         ///< its input is kept …
    bool closesResidual = false;        ///< … and added to its output
};

/// Up to the pooling, in order.
const std::vector<LayerSpec> layers = {
    {"stem", 1, 16, 3, 1, false, true, +1},
    {"block1/depthwise", 16, 16, 3, 2, true, true, -1},
    {"block1/pointwise", 16, 32, 1, 1, false, true, +1},
    {"block2/depthwise", 32, 32, 3, 1, true, true, -1, true},
    {"block2/pointwise", 32, 32, 1, 1, false, false, 0, false, true},
    {"block3/depthwise", 32, 32, 3, 2, true, true, 0},
    {"block3/pointwise", 32, 64, 1, 1, false, true, +1},
    {"block4/depthwise", 64, 64, 3, 1, true, true, -1, true},
    {"block4/pointwise", 64, 64, 1, 1, false, false, 0, false, true},
    {"head", 64, 96, 1, 1, false, true, 0},
};
constexpr float epsilon = 1e-3f;
constexpr std::int64_t classes = 10;

class Builder {
public:
    Builder(double ratio, std::uint64_t seed) : m_ratio(ratio), m_seed(seed) {}

    core::Model build()
    {
        m_model.opset = 13;
        m_model.irVersion = 7;
        m_model.producerName = "make_sample";
        m_graph.name = "fashion_mobilenet";
        core::ValueId x = m_graph.addValue("image", core::DataType::Float32, core::Shape{{-1, "N"}, {1, ""}, {28, ""}, {28, ""}});
        m_graph.inputs = {x};
        const core::ValueId low = constant("relu6_min", {}, {0}), high = constant("relu6_max", {}, {6});
        core::ValueId kept;
        for (const LayerSpec &layer : layers) {
            if (layer.opensResidual)
                kept = x;
            x = normalized(layer, convolved(layer, x));
            if (layer.relu6)
                x = add(layer.name + "/relu6", "Clip", {x, low, high});
            if (layer.closesResidual)
                x = add(layer.name + "/add", "Add", {x, kept});
        }
        x = add("pool", "GlobalAveragePool", {x});
        x = add("flatten", "Flatten", {x}, {{"axis", std::int64_t(1)}});
        const std::int64_t features = layers.back().out;
        x = add("classifier", "Gemm",
                {x, constant("classifier.weight", {classes, features}, random(classes * features, std::sqrt(3.0 / double(features)))),
                 constant("classifier.bias", {classes}, std::vector<float>(classes, 0.0f))},
                {{"transB", std::int64_t(1)}});
        m_graph.renameValue(x, "logits");
        m_graph.value(x).shape = core::Shape{{-1, "N"}, {classes, ""}};
        m_graph.outputs = {x};
        return std::move(m_model);
    }

private:
    core::ValueId constant(const std::string &name, const Ints &dims, const std::vector<float> &values)
    {
        return m_graph.addConstant(name, core::TensorData::fromFloats(dims, values));
    }

    core::ValueId add(const std::string &name, const std::string &type, std::vector<core::ValueId> inputs, std::map<std::string, core::AttributeValue> attributes = {})
    {
        core::Node node;
        node.name = name;
        node.opType = type;
        node.inputs = std::move(inputs);
        node.outputs = {m_graph.addValue(name + "_output", core::DataType::Float32)};
        node.attributes = std::move(attributes);
        const core::ValueId output = node.outputs.front();
        m_graph.addNode(std::move(node));
        return output;
    }

    /// Uniform in ±bound, another stream at each call.
    std::vector<float> random(std::int64_t count, double bound)
    {
        core::CounterRandom numbers(m_seed, m_streams++, 0, 0);
        std::vector<float> values;
        for (std::int64_t i = 0; i < count; ++i)
            values.push_back(float(numbers.uniform(-bound, bound)));
        return values;
    }

    core::ValueId convolved(const LayerSpec &l, core::ValueId x)
    {
        const std::int64_t perGroup = l.depthwise ? 1 : l.in, fanIn = perGroup * l.kernel * l.kernel, pad = l.kernel / 2;
        return add(l.name + "/conv", "Conv",
                   {x, constant(l.name + ".weight", {l.out, perGroup, l.kernel, l.kernel}, random(l.out * fanIn, std::sqrt(6.0 / double(fanIn))))},
                   {{"kernel_shape", Ints{l.kernel, l.kernel}}, {"strides", Ints{l.stride, l.stride}},
                    {"pads", Ints{pad, pad, pad, pad}}, {"group", std::int64_t(l.depthwise ? l.in : 1)}});
    }

    /// The same channel order of exponents for every layer of a width, so that producer and depthwise convolution pair up.
    core::ValueId normalized(const LayerSpec &l, core::ValueId x)
    {
        std::vector<float> scale;
        for (std::int64_t c = 0; c < l.out; ++c)
            scale.push_back(float(std::pow(m_ratio, double(l.spreadSign) * (double((c * 7 + 3) % l.out) / double(l.out - 1) - 0.5))));
        const std::vector<float> zeros(std::size_t(l.out), 0.0f), ones(std::size_t(l.out), 1.0f);
        return add(l.name + "/bn", "BatchNormalization",
                   {x, constant(l.name + ".scale", {l.out}, scale), constant(l.name + ".shift", {l.out}, zeros),
                    constant(l.name + ".mean", {l.out}, zeros), constant(l.name + ".variance", {l.out}, ones)},
                   {{"epsilon", epsilon}});
    }

    double m_ratio;
    std::uint64_t m_seed, m_streams = 0;
    core::Model m_model;
    core::Graph &m_graph = m_model.graph;
};

} // namespace

core::Model untrainedNetwork(double ratio, std::uint64_t seed)
{
    return Builder(ratio, seed).build();
}

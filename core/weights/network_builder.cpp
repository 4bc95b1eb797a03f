#include "core/weights/network_builder.h"

#include <cmath>

namespace core {

RandomStream::RandomStream(std::uint64_t seed, const std::string &name) : m_state(seed)
{
    for (const char c : name)
        m_state = (next() ^ std::uint8_t(c)) * 0x100000001b3ull;
}

std::uint64_t RandomStream::next()
{
    std::uint64_t z = m_state += 0x9E3779B97F4A7C15ull;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
}

double RandomStream::uniform() { return (double(next() >> 12) + 0.5) * 0x1p-52; }

std::vector<float> RandomStream::normal(std::size_t count, double deviation)
{
    std::vector<float> values(count);
    for (std::size_t i = 0; i < count;) {                                   // Marsaglia's polar method
        const double x = 2 * uniform() - 1, y = 2 * uniform() - 1, square = x * x + y * y;
        if (square >= 1 || square == 0)
            continue;
        const double scale = deviation * std::sqrt(-2 * std::log(square) / square);
        values[i++] = float(x * scale);
        if (i < count)
            values[i++] = float(y * scale);
    }
    return values;
}

std::vector<float> RandomStream::uniform(std::size_t count, double bound)
{
    std::vector<float> values(count);
    for (float &value : values)
        value = float((2 * uniform() - 1) * bound);
    return values;
}

NetworkBuilder::NetworkBuilder(std::string name, std::uint64_t seed) : m_seed(seed)
{
    m_model.graph.name = std::move(name);
    m_model.opset = 13;
    m_model.producerName = "quantscope";
}

ValueId NetworkBuilder::input(const std::string &name, Shape shape)
{
    const ValueId id = m_model.graph.addValue(name, DataType::Float32, std::move(shape));
    m_model.graph.inputs.push_back(id);
    return id;
}

ValueId NetworkBuilder::node(const std::string &type, const std::string &name, std::vector<ValueId> inputs, std::map<std::string, AttributeValue> attributes)
{
    Node made;
    made.name = name;
    made.opType = type;
    made.inputs = std::move(inputs);
    made.attributes = std::move(attributes);
    const ValueId result = m_model.graph.addValue(name + ".out", DataType::Float32);
    made.outputs = {result};
    m_model.graph.addNode(std::move(made));
    return result;
}

ValueId NetworkBuilder::filled(const std::string &name, std::int64_t count, float value)
{
    return m_model.graph.addConstant(name, TensorData::fromFloats({count}, std::vector<float>(std::size_t(count), value)));
}

ValueId NetworkBuilder::conv(const std::string &name, ValueId in, std::int64_t inputs, std::int64_t outputs, std::int64_t kernel, std::int64_t stride, std::int64_t group)
{
    const std::vector<std::int64_t> dims{outputs, inputs / group, kernel, kernel};
    const double deviation = std::sqrt(2.0 / double(outputs * kernel * kernel));
    const std::string weight = name + ".weight";
    const ValueId w = m_model.graph.addConstant(weight, TensorData::fromFloats(dims, random(weight).normal(std::size_t(elementCount(dims)), deviation)));
    using Ints = std::vector<std::int64_t>;
    return node("Conv", name, {in, w},
                {{"kernel_shape", Ints{kernel, kernel}}, {"strides", Ints{stride, stride}}, {"pads", Ints(4, kernel / 2)}, {"dilations", Ints{1, 1}}, {"group", group}});
}

ValueId NetworkBuilder::batchNorm(const std::string &name, ValueId in, std::int64_t channels)
{
    const ValueId scale = filled(name + ".weight", channels, 1), shift = filled(name + ".bias", channels, 0);
    const ValueId mean = filled(name + ".running_mean", channels, 0), variance = filled(name + ".running_var", channels, 1);
    return node("BatchNormalization", name, {in, scale, shift, mean, variance}, {{"epsilon", 1e-5f}, {"momentum", 0.9f}});
}

ValueId NetworkBuilder::relu(const std::string &name, ValueId in) { return node("Relu", name, {in}); }

ValueId NetworkBuilder::relu6(const std::string &name, ValueId in)
{
    const auto bound = [this](const std::string &bound, float value) {
        const ValueId known = m_model.graph.findValue(bound);
        return known.valid() ? known : m_model.graph.addConstant(bound, TensorData::fromFloats({}, std::vector<float>{value}));
    };
    const ValueId low = bound("relu6.min", 0), high = bound("relu6.max", 6);
    return node("Clip", name, {in, low, high});
}

ValueId NetworkBuilder::add(const std::string &name, ValueId a, ValueId b) { return node("Add", name, {a, b}); }

ValueId NetworkBuilder::maxPool(const std::string &name, ValueId in, std::int64_t kernel, std::int64_t stride, std::int64_t pad)
{
    using Ints = std::vector<std::int64_t>;
    return node("MaxPool", name, {in}, {{"kernel_shape", Ints{kernel, kernel}}, {"strides", Ints{stride, stride}}, {"pads", Ints(4, pad)}});
}

ValueId NetworkBuilder::pooled(const std::string &name, ValueId in)
{
    return node("Flatten", "flatten", {node("GlobalAveragePool", name, {in})}, {{"axis", std::int64_t(1)}});
}

ValueId NetworkBuilder::linear(const std::string &name, ValueId in, TensorData weight, TensorData bias)
{
    const ValueId w = m_model.graph.addConstant(name + ".weight", std::move(weight)), b = m_model.graph.addConstant(name + ".bias", std::move(bias));
    return node("Gemm", name, {in, w, b}, {{"transB", std::int64_t(1)}});
}

void NetworkBuilder::output(const std::string &name, ValueId value)
{
    m_model.graph.renameValue(value, name);
    m_model.graph.outputs.push_back(value);
}

} // namespace core

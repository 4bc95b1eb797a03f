// Layers of a network written down one by one, with torchvision's names: a layer "layer1.0.conv1" is a node of that name with the initializer
// "layer1.0.conv1.weight".
#pragma once

#include "core/graph/graph.h"

#include <cstdint>
#include <string>

namespace core {

/// What the values of a new tensor come from. Each tensor has a stream of its own, so their order does not matter.
class RandomStream {
public:
    RandomStream(std::uint64_t seed, const std::string &name);
    double uniform();                       ///< in (0, 1)
    std::vector<float> normal(std::size_t count, double deviation);
    std::vector<float> uniform(std::size_t count, double bound);   ///< in (−bound, bound)

private:
    std::uint64_t next();                   ///< splitmix64

    std::uint64_t m_state;
};

class NetworkBuilder {
public:
    NetworkBuilder(std::string name, std::uint64_t seed);

    ValueId input(const std::string &name, Shape shape);
    /// No bias, "same" padding for odd kernels; weight N(0, 2 / (outputs · kernel²)) (He et al. 2015, fan-out).
    ValueId conv(const std::string &name, ValueId in, std::int64_t inputs, std::int64_t outputs, std::int64_t kernel, std::int64_t stride = 1, std::int64_t group = 1);
    ValueId batchNorm(const std::string &name, ValueId in, std::int64_t channels);
    ValueId relu(const std::string &name, ValueId in);
    ValueId relu6(const std::string &name, ValueId in);
    ValueId add(const std::string &name, ValueId a, ValueId b);
    ValueId maxPool(const std::string &name, ValueId in, std::int64_t kernel, std::int64_t stride, std::int64_t pad);
    /// Mean over height and width, then flattened to N×C.
    ValueId pooled(const std::string &name, ValueId in);
    ValueId linear(const std::string &name, ValueId in, TensorData weight, TensorData bias);
    void output(const std::string &name, ValueId value);

    RandomStream random(const std::string &tensor) const { return {m_seed, tensor}; }
    Model take() { return std::move(m_model); }

private:
    ValueId node(const std::string &type, const std::string &name, std::vector<ValueId> inputs, std::map<std::string, AttributeValue> attributes = {});
    ValueId filled(const std::string &name, std::int64_t count, float value);

    Model m_model;
    std::uint64_t m_seed;
};

} // namespace core

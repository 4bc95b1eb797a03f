// Small graphs written down in a few lines. A tensor is named after the node that makes it ("conv" makes "conv"),
// further outputs are "name:1", "name:2"…
#pragma once

#include "core/graph/graph.h"

#include <string>
#include <vector>

namespace tests {

class TinyGraph {
public:
    core::Graph graph;

    core::ValueId input(const std::string &name, std::vector<std::int64_t> dims = {1, 3, 8, 8}, core::DataType type = core::DataType::Float32)
    {
        const core::ValueId id = graph.addValue(name, type, shapeOf(dims));
        graph.inputs.push_back(id);
        return id;
    }

    core::ValueId constant(const std::string &name, std::vector<std::int64_t> dims, std::vector<float> values = {})
    {
        if (values.empty())
            values.assign(std::size_t(core::elementCount(dims)), 0.5f);
        return graph.addConstant(name, core::TensorData::fromFloats(dims, values));
    }

    core::ValueId integers(const std::string &name, std::vector<std::int64_t> values)
    {
        return graph.addConstant(name, core::TensorData::fromInt64s({std::int64_t(values.size())}, values));
    }

    core::ValueId node(const std::string &type, const std::string &name, std::vector<core::ValueId> inputs,
                       std::map<std::string, core::AttributeValue> attributes = {}, core::DataType result = core::DataType::Float32, int outputs = 1)
    {
        core::Node node;
        node.name = name;
        node.opType = type;
        node.inputs = std::move(inputs);
        node.attributes = std::move(attributes);
        for (int i = 0; i < outputs; ++i)
            node.outputs.push_back(graph.addValue(i == 0 ? name : name + ":" + std::to_string(i), result));
        const core::ValueId first = node.outputs.front();
        graph.addNode(std::move(node));
        return first;
    }

    /// Conv with weight "name.w" [out, in/group, k, k] and bias "name.b" [out].
    core::ValueId conv(const std::string &name, core::ValueId in, std::int64_t inChannels, std::int64_t outChannels, std::int64_t kernel = 1,
                       std::int64_t group = 1)
    {
        const core::ValueId w = constant(name + ".w", {outChannels, inChannels / group, kernel, kernel});
        const core::ValueId b = constant(name + ".b", {outChannels});
        return node("Conv", name, {in, w, b}, {{"group", group}, {"kernel_shape", std::vector<std::int64_t>{kernel, kernel}}});
    }

    void output(core::ValueId id) { graph.outputs.push_back(id); }

    core::NodeId nodeId(const std::string &name) const { return graph.findNode(name); }

private:
    static core::Shape shapeOf(const std::vector<std::int64_t> &dims)
    {
        core::Shape shape;
        for (std::int64_t size : dims)
            shape.push_back({size, {}});
        return shape;
    }
};

} // namespace tests

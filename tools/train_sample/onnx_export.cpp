#include "tools/train_sample/onnx_export.h"

namespace {

core::TensorData floats(const torch::Tensor &tensor)
{
    const torch::Tensor t = tensor.detach().to(torch::kFloat32).contiguous();
    return core::TensorData::fromFloats(t.sizes().vec(), {t.data_ptr<float>(), std::size_t(t.numel())});
}

core::ValueId addNode(core::Graph &graph, const std::string &name, const std::string &type, std::vector<core::ValueId> inputs,
                      std::map<std::string, core::AttributeValue> attributes = {})
{
    core::Node node;
    node.name = name;
    node.opType = type;
    node.inputs = std::move(inputs);
    node.outputs = {graph.addValue(name + "_output", core::DataType::Float32)};
    node.attributes = std::move(attributes);
    const core::ValueId output = node.outputs.front();
    graph.addNode(std::move(node));
    return output;
}

using Ints = std::vector<std::int64_t>;

} // namespace

core::Model toOnnxModel(const SampleNetworkImpl &network)
{
    core::Model model;
    model.opset = 13;
    model.irVersion = 7;
    model.producerName = "train_sample";
    core::Graph &graph = model.graph;
    graph.name = "fashion_mobilenet";

    core::ValueId x = graph.addValue("image", core::DataType::Float32, core::Shape{{-1, "N"}, {1, ""}, {28, ""}, {28, ""}});
    graph.inputs = {x};
    const float bounds[] = {0.0f, 6.0f};
    const core::ValueId low = graph.addConstant("relu6_min", core::TensorData::fromFloats({}, {bounds, 1}));
    const core::ValueId high = graph.addConstant("relu6_max", core::TensorData::fromFloats({}, {bounds + 1, 1}));

    core::ValueId kept;
    for (std::size_t i = 0; i < network.layers.size(); ++i) {
        const LayerSpec &l = network.layers[i];
        if (l.opensResidual)
            kept = x;
        const std::int64_t pad = l.kernel / 2;
        x = addNode(graph, l.name + "/conv", "Conv", {x, graph.addConstant(l.name + ".weight", floats(network.weight[i]))},
                    {{"kernel_shape", Ints{l.kernel, l.kernel}}, {"strides", Ints{l.stride, l.stride}},
                     {"pads", Ints{pad, pad, pad, pad}}, {"group", std::int64_t(l.depthwise ? l.in : 1)}});
        x = addNode(graph, l.name + "/bn", "BatchNormalization",
                    {x, graph.addConstant(l.name + ".scale", floats(network.scale(i))),
                     graph.addConstant(l.name + ".shift", floats(network.shift(i))),
                     graph.addConstant(l.name + ".mean", floats(network.mean[i])),
                     graph.addConstant(l.name + ".variance", floats(network.variance[i]))},
                    {{"epsilon", float(SampleNetworkImpl::epsilon)}});
        if (l.relu6)
            x = addNode(graph, l.name + "/relu6", "Clip", {x, low, high});
        if (l.closesResidual)
            x = addNode(graph, l.name + "/add", "Add", {x, kept});
    }
    x = addNode(graph, "pool", "GlobalAveragePool", {x});
    x = addNode(graph, "flatten", "Flatten", {x}, {{"axis", std::int64_t(1)}});
    x = addNode(graph, "classifier", "Gemm",
                {x, graph.addConstant("classifier.weight", floats(network.fcWeight)),
                 graph.addConstant("classifier.bias", floats(network.fcBias))},
                {{"transB", std::int64_t(1)}});
    graph.renameValue(x, "logits");
    graph.value(x).shape = core::Shape{{-1, "N"}, {10, ""}};
    graph.outputs = {x};
    return model;
}

#include "core/spec/operator_roles.h"

#include <algorithm>
#include <set>
#include <string_view>

namespace core {

namespace {

const std::set<std::string_view> everyInput = {"Add", "Sub", "Mul", "Div", "Max", "Min", "Sum", "Mean", "Concat", "MatMul", "Pow"};
const std::set<std::string_view> movers = {"Reshape", "Flatten", "Transpose", "Squeeze", "Unsqueeze", "Slice", "Gather", "Split", "MaxPool",
                                           "DepthToSpace", "SpaceToDepth", "Identity", "Dropout", "Expand", "Tile"};
const std::set<std::string_view> alwaysNonNegative = {"Relu", "Sigmoid", "HardSigmoid", "Softmax", "Softplus", "Exp", "Abs", "Sqrt", "ReduceL1", "ReduceL2"};
const std::set<std::string_view> keepsSign = {"AveragePool", "GlobalAveragePool", "GlobalMaxPool", "ReduceMean", "ReduceMax", "ReduceSum", "Concat",
                                              "Add", "Mul", "Max", "Resize", "Pad"};

std::optional<float> scalar(const Graph &graph, ValueId id)
{
    const TensorData *data = id.valid() ? graph.constant(id) : nullptr;
    if (!data || data->count() != 1)
        return {};
    return data->toFloats().front();
}

} // namespace

bool isMatrixOperator(const Node &node)
{
    return node.is("Conv") || node.is("ConvTranspose") || node.is("Gemm") || node.is("MatMul");
}

std::optional<WeightRole> weightRole(const Graph &graph, const Node &node)
{
    if (!isMatrixOperator(node))
        return {};
    WeightRole role;
    const auto constant = [&](std::size_t i) { return node.input(i).valid() ? graph.constant(node.input(i)) : nullptr; };
    const TensorData *weight = constant(1);
    if (!weight && node.is("MatMul") && constant(0)) {
        role.weightInput = 0;
        role.channelAxis = -1;
        return role;
    }
    if (!weight || !isFloatingPoint(weight->type))
        return {};
    const int rank = int(weight->dims.size());
    if (node.is("Conv"))
        role.channelAxis = 0;
    else if (node.is("ConvTranspose"))
        role.channelAxis = 1;
    else if (node.is("Gemm"))
        role.channelAxis = node.intAttribute("transB", 0) != 0 ? 0 : 1;
    else
        role.channelAxis = rank >= 2 ? rank - 1 : -1;
    if (role.channelAxis >= 0 && role.channelAxis < rank) {
        role.outputChannels = weight->dims[std::size_t(role.channelAxis)];
        if (node.is("ConvTranspose"))
            role.outputChannels *= node.intAttribute("group", 1);
    }
    if (!node.is("MatMul") && node.input(2).valid())
        role.biasInput = 2;
    return role;
}

std::vector<std::size_t> dataInputs(const Node &node)
{
    std::vector<std::size_t> indices;
    if (!node.domain.empty() || node.opType == "Shape" || node.opType == "Size")
        return indices;
    std::size_t first = 0, count = std::min<std::size_t>(node.inputs.size(), 1);
    if (everyInput.contains(node.opType))
        count = node.inputs.size();
    else if (node.opType == "Where")
        first = 1, count = std::min<std::size_t>(node.inputs.size(), 3);
    else if (isMatrixOperator(node))
        count = std::min<std::size_t>(node.inputs.size(), 2);
    for (std::size_t i = first; i < count; ++i)
        if (node.inputs[i].valid())
            indices.push_back(i);
    return indices;
}

std::vector<ValueId> dataOutputs(const Node &node)
{
    static const std::set<std::string_view> firstOnly = {"MaxPool", "Dropout", "TopK", "BatchNormalization"};
    std::vector<ValueId> outputs;
    for (std::size_t i = 0; i < node.outputs.size(); ++i)
        if (node.outputs[i].valid() && (i == 0 || !node.domain.empty() || !firstOnly.contains(node.opType)))
            outputs.push_back(node.outputs[i]);
    return outputs;
}

bool preservesValues(const Graph &graph, const Node &node, bool nonNegativeInput)
{
    if (!node.domain.empty())
        return false;
    if (movers.contains(node.opType))
        return true;
    if (node.opType == "Relu")
        return nonNegativeInput;
    if (node.opType == "Resize" || node.opType == "Upsample")
        return node.stringAttribute("mode", "nearest") == "nearest";
    if (node.opType == "Pad") {
        if (node.stringAttribute("mode", "constant") != "constant" || !node.input(2).valid())
            return true;
        return scalar(graph, node.input(2)) == 0.0f;
    }
    return false;
}

ClipBounds clipBounds(const Graph &graph, const Node &node)
{
    ClipBounds bounds;
    if (node.is("Relu")) {
        bounds.min = 0.0f;
    } else {
        bounds.min = scalar(graph, node.input(1));
        bounds.max = scalar(graph, node.input(2));
        bounds.known = (!node.input(1).valid() || bounds.min) && (!node.input(2).valid() || bounds.max);
    }
    return bounds;
}

std::vector<bool> nonNegativeValues(const Graph &graph)
{
    std::vector<bool> result(std::size_t(graph.valueIdLimit()), false);
    const auto known = [&](ValueId id) {
        if (!id.valid())
            return false;
        if (const TensorData *data = graph.constant(id)) {
            if (!isFloatingPoint(data->type) || data->count() > 65536)
                return false;
            const std::vector<float> values = data->toFloats();
            return std::all_of(values.begin(), values.end(), [](float v) { return v >= 0; });
        }
        return bool(result[std::size_t(id.index)]);
    };
    for (NodeId id : graph.order()) {
        const Node &node = graph.node(id);
        if (!node.domain.empty())
            continue;
        bool holds = alwaysNonNegative.contains(node.opType);
        if (node.opType == "Clip")
            holds = clipBounds(graph, node).min.value_or(-1) >= 0;
        else if (movers.contains(node.opType) || keepsSign.contains(node.opType)) {
            const auto inputs = dataInputs(node);
            const bool cubic = node.opType == "Resize" && node.stringAttribute("mode", "nearest") == "cubic";
            const bool negativePad = node.opType == "Pad" && node.input(2).valid() && scalar(graph, node.input(2)).value_or(-1) < 0;
            holds = !inputs.empty() && !cubic && !negativePad
                && std::all_of(inputs.begin(), inputs.end(), [&](std::size_t i) { return known(node.inputs[i]); });
        }
        if (holds)
            for (ValueId out : node.outputs)
                if (out.valid())
                    result[std::size_t(out.index)] = true;
    }
    return result;
}

std::vector<bool> shapeArithmetic(const Graph &graph)
{
    std::vector<bool> result(std::size_t(graph.valueIdLimit()), false);
    for (NodeId id : graph.order()) {
        const Node &node = graph.node(id);
        bool holds = node.is("Shape") || node.is("Size");
        if (!holds && !node.inputs.empty() && node.domain.empty())
            holds = std::all_of(node.inputs.begin(), node.inputs.end(), [&](ValueId in) {
                return !in.valid() || graph.isConstant(in) || result[std::size_t(in.index)];
            });
        if (!holds)
            holds = node.is("Range") || node.is("NonZero") || node.is("ConstantOfShape");
        if (holds)
            for (ValueId out : node.outputs)
                if (out.valid())
                    result[std::size_t(out.index)] = true;
    }
    return result;
}

} // namespace core

#include "core/exec/constant_evaluation.h"

#include "core/exec/execution_plan.h"

#include <ATen/ATen.h>

#include <cmath>
#include <unordered_set>

namespace core {
namespace {

bool dependsOnChance(const Node &node)
{
    static const std::unordered_set<std::string> types{"RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Multinomial", "Bernoulli"};
    return types.contains(node.opType);
}

bool hasBody(const Node &node)
{
    for (const auto &[name, attribute] : node.attributes)
        if (std::holds_alternative<std::shared_ptr<const Graph>>(attribute))
            return true;
    return false;
}

// A Constant's attribute is taken as it is, so that types which no kernel knows survive.
std::optional<TensorData> valueOfConstant(const Node &node)
{
    const auto only = node.attributes.find("value");
    if (only != node.attributes.end())
        if (const auto *data = std::get_if<TensorData>(&only->second))
            return *data;
    for (const char *name : {"value_string", "value_strings"}) {
        const auto found = node.attributes.find(name);
        if (found == node.attributes.end())
            continue;
        TensorData data;
        data.type = DataType::String;
        if (const auto *text = std::get_if<std::string>(&found->second)) {
            data.strings = std::make_shared<std::vector<std::string>>(1, *text);
        } else if (const auto *texts = std::get_if<std::vector<std::string>>(&found->second)) {
            data.dims = {std::int64_t(texts->size())};
            data.strings = std::make_shared<std::vector<std::string>>(*texts);
        } else {
            return std::nullopt;
        }
        return data;
    }
    return std::nullopt;
}

// Operators whose result may be far larger than their inputs.
bool mayGrow(const Node &node)
{
    static const std::unordered_set<std::string> types{"ConstantOfShape", "Expand", "Tile", "Range", "Resize", "Pad", "OneHot", "Upsample", "Gather", "GatherND",
        "Einsum", "MatMul", "Gemm", "Conv", "ConvTranspose", "Col2Im", "AffineGrid", "GridSample", "CenterCropPad", "Concat", "BlackmanWindow", "HannWindow", "HammingWindow"};
    return types.contains(node.opType);
}

std::int64_t inputElements(const Graph &graph, const Node &node)
{
    std::int64_t total = 0;
    for (const ValueId id : node.inputs)
        if (const TensorData *data = id.valid() ? graph.constant(id) : nullptr)
            total += data->count();
    return total;
}

std::optional<std::int64_t> knownElements(const Value &value)
{
    if (!value.shape)
        return std::nullopt;
    std::vector<std::int64_t> dims;
    for (const Dimension &dimension : *value.shape) {
        if (!dimension.known())
            return std::nullopt;
        dims.push_back(dimension.size);
    }
    return elementCount(dims);
}

// The two operators that make much out of one or three numbers.
std::optional<std::int64_t> generatedElements(const Graph &graph, const Node &node)
{
    if (node.is("ConstantOfShape") && graph.constant(node.input(0)))
        return elementCount(graph.constant(node.input(0))->toInt64s());
    if (node.is("Range") && node.inputs.size() == 3) {
        double limits[3];
        for (std::size_t i = 0; i < 3; ++i) {
            const TensorData *data = graph.constant(node.inputs[i]);
            if (!data || data->count() != 1)
                return std::nullopt;
            limits[i] = data->toDoubles()[0];
        }
        const double count = std::ceil((limits[1] - limits[0]) / limits[2]);
        return count < 1e15 ? std::max<std::int64_t>(0, std::int64_t(count)) : std::int64_t(1e15);
    }
    return std::nullopt;
}

bool smallEnough(const Graph &graph, const Node &node, std::int64_t maxElements)
{
    for (const ValueId id : node.outputs) {
        if (!id.valid())
            continue;
        std::optional<std::int64_t> count = generatedElements(graph, node);
        if (!count)
            count = knownElements(graph.value(id));
        if (!count && mayGrow(node))
            return false;
        if (count.value_or(inputElements(graph, node)) > maxElements)
            return false;
    }
    return true;
}

} // namespace

bool isConstantNode(const Graph &graph, const Node &node)
{
    for (const ValueId id : node.inputs)
        if (id.valid() && !graph.isConstant(id))
            return false;
    return !dependsOnChance(node) && !hasBody(node);
}

std::optional<std::vector<TensorData>> evaluateNode(const Graph &graph, const Node &node, std::int64_t maxElements)
{
    try {
        if (node.is("Constant"))
            if (auto data = valueOfConstant(node)) {
                if (data->count() > maxElements)
                    return std::nullopt;
                return std::vector{std::move(*data)};
            }
        if (!smallEnough(graph, node, maxElements))
            return std::nullopt;
        const KernelOrReason made = makeKernel(node, graph);
        if (!made.kernel)
            return std::nullopt;
        const at::NoGradGuard noGrad;
        std::vector<at::Tensor> inputs;
        for (const ValueId id : node.inputs)
            inputs.push_back(id.valid() ? toTensor(*graph.constant(id)) : at::Tensor());
        OpCall call;
        call.inputs = inputs;
        call.outputs.resize(node.outputs.size());
        invokeKernel(made.kernel, call, node.name);
        std::vector<TensorData> results(node.outputs.size());
        for (std::size_t i = 0; i < node.outputs.size(); ++i) {
            if (!node.outputs[i].valid())
                continue;
            const at::Tensor &output = call.outputs[i];
            if (!output.defined() || output.numel() > maxElements)
                return std::nullopt;
            const DataType type = graph.value(node.outputs[i]).type;
            results[i] = type == DataType::Undefined ? toTensorData(output) : toTensorData(output, type);
        }
        return results;
    } catch (const std::exception &) {
        return std::nullopt;
    }
}

bool replaceByConstants(Graph &graph, NodeId id, std::int64_t maxElements)
{
    const Node &node = graph.node(id);
    std::optional<std::vector<TensorData>> results = evaluateNode(graph, node, maxElements);
    if (!results)
        return false;
    const std::vector<ValueId> outputs = node.outputs;
    graph.removeNode(id);
    for (std::size_t i = 0; i < outputs.size(); ++i)
        if (outputs[i].valid())
            graph.setConstant(outputs[i], std::move((*results)[i]));
    return true;
}

} // namespace core

// Lowering: operators whose meaning, defaults or names changed.
#include "core/graph/constant_value.h"
#include "core/onnx/opset_rules.h"

#include <algorithm>
#include <array>
#include <numeric>

namespace core {
namespace {

// Before 13 everything from `axis` on was taken as one dimension: an inner axis goes last first.
void lowerSoftmax(OpsetRewriter &r, NodeId id)
{
    if (r.opset >= 13)
        return;
    const ValueId input = r.graph.node(id).input(0);
    const std::int64_t given = r.graph.node(id).intAttribute("axis", -1);
    const auto rank = r.rank(input);
    if (!rank) {
        if (given == -1 && r.opset >= 11)
            r.graph.node(id).attributes["axis"] = given;
        else
            r.complain(id, "its axis needs the rank of its input, which is not known, before operator set 13.");
        return;
    }
    const std::int64_t axis = given < 0 ? given + *rank : given;
    if (axis < 0 || axis >= std::max<std::int64_t>(*rank, 1)) {
        r.complain(id, "axis " + std::to_string(given) + " does not fit its input.");
        return;
    }
    bool onlyOnes = true;
    for (std::int64_t after = axis + 1; after < *rank; ++after)
        onlyOnes = onlyOnes && r.size(input, after) == 1;
    if (onlyOnes) {
        r.graph.node(id).attributes["axis"] = axis;
        return;
    }
    Ints swap(std::size_t(*rank), 0);
    std::iota(swap.begin(), swap.end(), 0);
    std::swap(swap[std::size_t(axis)], swap.back());
    const ValueId output = r.graph.node(id).output();
    r.setInput(id, 0, r.before(id, "Transpose", {input}, {{"perm", swap}}, "axis_last"));
    const ValueId result = r.addValue(id, "axis_last_result", r.type(input));
    r.graph.node(id).outputs = {result};
    r.graph.node(id).attributes["axis"] = *rank - 1;
    r.after(id, "Transpose", {result}, {{"perm", swap}}, "axis_back", output);
}

void lowerBatchNormalization(OpsetRewriter &r, NodeId id)
{
    Node &node = r.graph.node(id);
    if (r.opset < 14 && node.intAttribute("training_mode", 0) == 0)
        node.outputs.resize(std::min<std::size_t>(node.outputs.size(), 1));
}

/// Value of each group, when all channels of a group have the same.
std::optional<TensorData> perGroup(const TensorData *channels, std::int64_t groups)
{
    if (!channels || channels->dims.size() != 1 || groups <= 0 || channels->dims[0] % groups != 0 || channels->dims[0] == 0)
        return {};
    const int bits = bitsPerElement(channels->type);
    if (bits < 8 || !channels->bytes)
        return {};
    const auto width = std::size_t(bits / 8), each = std::size_t(channels->dims[0] / groups);
    const std::vector<std::byte> &all = *channels->bytes;
    std::vector<std::byte> bytes;
    for (std::size_t group = 0; group < std::size_t(groups); ++group) {
        const auto first = all.begin() + std::ptrdiff_t(group * each * width);
        for (std::size_t i = 1; i < each; ++i) {
            if (!std::equal(first, first + std::ptrdiff_t(width), first + std::ptrdiff_t(i * width)))
                return {};
        }
        bytes.insert(bytes.end(), first, first + std::ptrdiff_t(width));
    }
    return TensorData::fromBytes(channels->type, {groups}, std::move(bytes));
}

// 18 to 20: one scale and bias for a group. Other ones are applied after a plain normalization.
void lowerGroupNormalization(OpsetRewriter &r, NodeId id)
{
    if (r.opset >= 21 || r.opset < 18)
        return;
    const Node &node = r.graph.node(id);
    const std::int64_t groups = node.intAttribute("num_groups", 0);
    const ValueId scale = node.input(1), bias = node.input(2);
    const auto groupScale = perGroup(r.constant(scale), groups), groupBias = perGroup(r.constant(bias), groups);
    if (groupScale && groupBias) {
        r.dropInputs(id, 1);
        r.setInput(id, 1, r.addConstant(id, "scale", *groupScale));
        r.setInput(id, 2, r.addConstant(id, "bias", *groupBias));
        return;
    }
    const auto rank = r.rank(node.input(0));
    const DataType type = r.type(node.input(0));
    if (!rank || *rank < 2 || groups <= 0 || groups > 1'000'000 || (type != DataType::Float32 && type != DataType::Float16 && type != DataType::BFloat16)) {
        r.complain(id, "a scale for each channel needs the rank and type of its input, which are not known, before operator set 21.");
        return;
    }
    const auto filled = [&](const char *role, double value) {
        const TensorData one = floatScalar(type, value);
        std::vector<std::byte> bytes;
        for (std::int64_t i = 0; i < groups; ++i)
            bytes.insert(bytes.end(), one.bytes->begin(), one.bytes->end());
        return r.addConstant(id, role, TensorData::fromBytes(type, {groups}, std::move(bytes)));
    };
    const ValueId output = r.graph.node(id).output();
    Ints axes(std::size_t(*rank - 2), 0);
    std::iota(axes.begin(), axes.end(), 1);
    const auto column = [&](ValueId value, const char *role) {
        return axes.empty() ? value : r.before(id, "Unsqueeze", {value, r.addInts(id, "axes", axes)}, {}, role);
    };
    const ValueId scaleColumn = column(scale, "scale_column"), biasColumn = column(bias, "bias_column");
    r.setInput(id, 1, filled("ones", 1));
    r.setInput(id, 2, filled("zeros", 0));
    const ValueId scaled = r.addValue(id, "scaled", type, r.graph.value(output).shape);
    const ValueId normal = r.divertOutput(id, "normal");
    r.after(id, "Mul", {normal, scaleColumn}, {}, "scale", scaled);
    r.after(id, "Add", {scaled, biasColumn}, {}, "bias", output);
}

void lowerScatterElements(OpsetRewriter &r, NodeId id)
{
    Node &node = r.graph.node(id);
    const std::string reduction = node.stringAttribute("reduction", "none");
    if (r.opset < 18 && (reduction == "max" || reduction == "min"))
        r.complain(id, "reduction " + reduction + " does not exist before operator set 18.");
    else if (r.opset < 11 && node.is("ScatterElements"))
        node.opType = "Scatter";
}

void lowerGridSample(OpsetRewriter &r, NodeId id)
{
    if (r.opset >= 20)
        return;
    Node &node = r.graph.node(id);
    const std::string mode = node.stringAttribute("mode", "linear");
    node.attributes["mode"] = mode == "linear" ? "bilinear" : mode == "cubic" ? "bicubic" : mode;
    if (const auto rank = r.rank(node.input(0)); rank && *rank != 4)
        r.complain(id, "an input of rank " + std::to_string(*rank) + " is not possible before operator set 20.");
}

void lowerRoiAlign(OpsetRewriter &r, NodeId id)
{
    Node &node = r.graph.node(id);
    if (r.opset >= 16)
        return;
    if (node.stringAttribute("coordinate_transformation_mode", "half_pixel") != "output_half_pixel")
        r.complain(id, "coordinate mode half_pixel does not exist before operator set 16.");
    node.attributes.erase("coordinate_transformation_mode");
}

void lowerGemm(OpsetRewriter &r, NodeId id)
{
    if (r.opset < 11 && !r.graph.node(id).input(2).valid())
        r.setInput(id, 2, r.addScalar(id, "zero", r.type(r.graph.node(id).input(0)), 0));
}

void lowerShape(OpsetRewriter &r, NodeId id)
{
    if (r.opset >= 15)
        return;
    Attributes &attributes = r.graph.node(id).attributes;
    const std::int64_t start = r.graph.node(id).intAttribute("start", 0);
    const bool ends = attributes.contains("end");
    const std::int64_t end = r.graph.node(id).intAttribute("end", std::numeric_limits<std::int64_t>::max());
    attributes.erase("start");
    attributes.erase("end");
    if (start == 0 && !ends)
        return;
    const ValueId output = r.graph.node(id).output();
    const ValueId whole = r.addValue(id, "whole", DataType::Int64, Shape(1));
    r.graph.node(id).outputs = {whole};
    r.after(id, "Slice", {whole, r.addInts(id, "start", {start}), r.addInts(id, "end", {end}), r.addInts(id, "axis", {0})}, {}, "slice", output);
}

void lowerCastLike(OpsetRewriter &r, NodeId id)
{
    if (r.opset >= 15)
        return;
    const DataType type = r.type(r.graph.node(id).input(1));
    if (type == DataType::Undefined) {
        r.complain(id, "the type to cast to is not known, and the operator does not exist before operator set 15.");
        return;
    }
    r.dropInputs(id, 1);
    r.graph.node(id).opType = "Cast";
    r.graph.node(id).attributes["to"] = std::int64_t(type);
}

void lowerConstant(OpsetRewriter &r, NodeId id)
{
    Node &node = r.graph.node(id);
    if (node.has("value") || r.opset >= 12)
        return;
    if (auto value = constantNodeValue(node))
        node.attributes = {{"value", std::move(*value)}};
    else if (r.opset < 11)
        r.complain(id, "a sparse constant does not exist before operator set 11.");
}

bool isPerTensor(OpsetRewriter &r, ValueId scale)
{
    const auto rank = r.rank(scale);
    return rank && (*rank == 0 || (*rank == 1 && r.size(scale, 0) == 1));
}

// 10: one scale; 13: one for each channel; 21: for blocks, and output_dtype in place of a zero point.
void lowerQuantize(OpsetRewriter &r, NodeId id)
{
    if (r.opset >= 23)
        return;
    const ValueId scale = r.graph.node(id).input(1);
    if (r.opset < 13 && !isPerTensor(r, scale)) {
        r.complain(id, "a scale for each channel does not exist before operator set 13.");
        return;
    }
    const auto wanted = DataType(r.graph.node(id).intAttribute("output_dtype", 0));
    if (r.graph.node(id).is("DequantizeLinear")) {
        if (wanted == r.type(scale))
            r.graph.node(id).attributes.erase("output_dtype");
        return;
    }
    if (r.opset >= 21 || wanted == DataType::Undefined)
        return;
    if (!r.graph.node(id).input(2).valid() && wanted != DataType::UInt8) {
        const TensorData *data = r.constant(scale);
        const auto &shape = r.graph.value(scale).shape;
        Ints dims = data ? data->dims : Ints{};
        if (!data && (!shape || std::any_of(shape->begin(), shape->end(), [](const Dimension &d) { return !d.known(); }))) {
            r.complain(id, "output_dtype does not exist before operator set 21, and the shape of its scale is not known.");
            return;
        }
        for (std::size_t i = 0; !data && i < shape->size(); ++i)
            dims.push_back((*shape)[i].size);
        const std::int64_t bytes = byteSize(wanted, elementCount(dims));
        if (bitsPerElement(wanted) == 0 || bytes > (std::int64_t(1) << 24)) {
            r.complain(id, "its zero point would have the impossible type or size " + dataTypeName(wanted) + ", " + std::to_string(bytes) + " bytes.");
            return;
        }
        r.setInput(id, 2, r.addConstant(id, "zero_point", TensorData::fromBytes(wanted, dims, std::vector<std::byte>(std::size_t(bytes)))));
    }
    r.graph.node(id).attributes.erase("output_dtype");
}

// Before 8 they did not broadcast.
void lowerVariadic(OpsetRewriter &r, NodeId id)
{
    if (r.opset >= 8)
        return;
    const std::vector<ValueId> &inputs = r.graph.node(id).inputs;
    const auto differ = [&](ValueId a, ValueId b) {
        const auto rank = r.rank(a);
        if (!rank || !r.rank(b) || rank != r.rank(b))
            return rank && r.rank(b);
        for (std::int64_t axis = 0; axis < *rank; ++axis) {
            const std::int64_t x = r.size(a, axis), y = r.size(b, axis);
            if (x != y && (x >= 0 || y == 1) && (y >= 0 || x == 1))
                return true;
        }
        return false;
    };
    if (std::any_of(inputs.begin(), inputs.end(), [&](ValueId input) { return differ(inputs.front(), input); }))
        r.complain(id, "inputs of different shapes are not possible before operator set 8.");
}

void lowerAxisAttribute(OpsetRewriter &r, NodeId id)
{
    Node &node = r.graph.node(id);
    if (r.opset < 11 && node.has("axis"))
        node.attributes["axis"] = olderAxes(r, {node.intAttribute("axis", 0)}, r.rank(node.input(0))).front();
}

} // namespace

void addLowerFormRules(OpsetRules &rules)
{
    for (const char *type : {"Softmax", "LogSoftmax", "Hardmax"})
        rules[type] = lowerSoftmax;
    for (const char *type : {"Max", "Mean", "Min", "Sum"})
        rules[type] = lowerVariadic;
    for (const char *type : {"ArgMax", "ArgMin", "Compress", "Concat", "Flatten", "Gather"})
        rules[type] = lowerAxisAttribute;
    rules["ScatterElements"] = rules["ScatterND"] = lowerScatterElements;
    rules["QuantizeLinear"] = rules["DequantizeLinear"] = lowerQuantize;
    rules["BatchNormalization"] = lowerBatchNormalization;
    rules["GroupNormalization"] = lowerGroupNormalization;
    rules["GridSample"] = lowerGridSample;
    rules["RoiAlign"] = lowerRoiAlign;
    rules["Gemm"] = lowerGemm;
    rules["Shape"] = lowerShape;
    rules["CastLike"] = lowerCastLike;
    rules["Constant"] = lowerConstant;
}

} // namespace core

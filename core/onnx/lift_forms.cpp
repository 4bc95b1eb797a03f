// Lifting: operators whose meaning, defaults or names changed.
#include "core/onnx/opset_rules.h"

#include <algorithm>
#include <array>

namespace core {
namespace {

bool allOnes(OpsetRewriter &r, ValueId id, std::int64_t from, std::int64_t to)
{
    for (std::int64_t axis = from; axis < to; ++axis) {
        if (r.size(id, axis) != 1)
            return false;
    }
    return true;
}

bool isEmpty(OpsetRewriter &r, ValueId id, std::int64_t rank)
{
    for (std::int64_t axis = 0; axis < rank; ++axis) {
        if (r.size(id, axis) == 0)
            return true;
    }
    return false;
}

// The shape of `id` as a constant with at most one −1, or computed when the graph runs.
ValueId shapeInput(OpsetRewriter &r, NodeId owner, ValueId id)
{
    const auto &shape = r.graph.value(id).shape;
    if (shape && std::count_if(shape->begin(), shape->end(), [](const Dimension &d) { return !d.known(); }) <= 1) {
        Ints sizes;
        for (const Dimension &dimension : *shape)
            sizes.push_back(dimension.known() ? dimension.size : -1);
        return r.addInts(owner, "shape", sizes);
    }
    return r.before(owner, "Shape", {id}, {}, "shape");
}

// Before 13: over all dimensions from `axis` on, taken as one.
void liftSoftmax(OpsetRewriter &r, NodeId id)
{
    if (r.opset >= 13)
        return;
    const ValueId input = r.graph.node(id).input(0);
    const std::int64_t given = r.graph.node(id).intAttribute("axis", 1);
    const auto rank = r.rank(input);
    const std::int64_t axis = rank && given < 0 ? given + *rank : given;
    if (given == -1 || (rank && (axis == *rank - 1 || isEmpty(r, input, *rank)))) {
        r.graph.node(id).attributes["axis"] = std::int64_t(-1);
        return;
    }
    if (rank && axis >= 0 && axis < *rank && allOnes(r, input, axis + 1, *rank)) {
        r.graph.node(id).attributes["axis"] = axis;
        return;
    }
    if (!input.valid() || (rank && (axis < 0 || axis > *rank))) {
        r.complain(id, "axis " + std::to_string(given) + " does not fit its input.");
        return;
    }
    const ValueId output = r.graph.node(id).output();
    const ValueId flat = r.before(id, "Flatten", {input}, {{"axis", given}}, "flat");
    r.graph.value(flat).type = r.type(input);
    r.graph.value(flat).shape = Shape(2);
    const ValueId shape = shapeInput(r, id, input);
    r.setInput(id, 0, flat);
    r.graph.node(id).attributes["axis"] = std::int64_t(-1);
    const ValueId result = r.addValue(id, "flat_result", r.type(input), Shape(2));
    r.graph.node(id).outputs = {result};
    r.after(id, "Reshape", {result, shape}, {}, "reshaped", output);
}

// Before 9 `spatial` = 0 meant statistics for every element; before 14 further outputs meant training.
void liftBatchNormalization(OpsetRewriter &r, NodeId id)
{
    if (r.opset >= 14)
        return;
    r.graph.node(id).attributes.erase("is_test");
    const std::int64_t spatial = r.graph.node(id).intAttribute("spatial", 1);
    r.graph.node(id).attributes.erase("spatial");
    std::vector<ValueId> &outputs = r.graph.node(id).outputs;
    if (std::any_of(outputs.begin() + std::min<std::ptrdiff_t>(1, std::ptrdiff_t(outputs.size())), outputs.end(), [&](ValueId o) { return r.used(o); })) {
        r.complain(id, "its outputs for training are used; they have no newer form.");
        return;
    }
    outputs.resize(std::min<std::size_t>(outputs.size(), 1));
    const std::vector<ValueId> inputs = r.graph.node(id).inputs;
    if (spatial != 0 || inputs.size() != 5 || r.rank(inputs[0]) == 2)
        return;
    const DataType type = r.type(inputs[4]);
    const ValueId epsilon = r.addScalar(id, "epsilon", type, r.graph.node(id).floatAttribute("epsilon", 1e-5f));
    const ValueId deviation = r.before(id, "Sqrt", {r.before(id, "Add", {inputs[4], epsilon}, {}, "variance")}, {}, "deviation");
    const ValueId centred = r.before(id, "Sub", {inputs[0], inputs[3]}, {}, "centred");
    const ValueId normal = r.before(id, "Div", {centred, deviation}, {}, "normal");
    const ValueId scaled = r.before(id, "Mul", {normal, inputs[1]}, {}, "scaled");
    Node &node = r.graph.node(id);
    node.opType = "Add";
    node.inputs = {scaled, inputs[2]};
    node.attributes.clear();
}

// 18 had one scale and bias for a group, 21 has one for a channel.
void liftGroupNormalization(OpsetRewriter &r, NodeId id)
{
    if (r.opset >= 21)
        return;
    const Node &node = r.graph.node(id);
    const std::int64_t groups = node.intAttribute("num_groups", 0), channels = node.input(0).valid() ? r.size(node.input(0), 1) : -1;
    if (groups <= 0 || node.inputs.size() != 3 || (channels >= 0 && channels % groups != 0)) {
        r.complain(id, "num_groups " + std::to_string(groups) + " does not divide the channels.");
        return;
    }
    const std::array<const char *, 2> roles{"scale", "bias"};
    ValueId repeated;
    for (const std::size_t i : {1u, 2u}) {
        const std::string role = roles[i - 1];
        const ValueId column = r.before(id, "Unsqueeze", {r.graph.node(id).input(i), r.addInts(id, "axis", {1})}, {}, (role + "_column").c_str());
        if (!repeated.valid() && channels >= 0) {
            repeated = r.addInts(id, "repeated", {groups, channels / groups});
        } else if (!repeated.valid()) {
            const ValueId count = r.before(id, "Shape", {r.graph.node(id).input(0)}, {{"start", std::int64_t(1)}, {"end", std::int64_t(2)}}, "channels");
            const ValueId each = r.before(id, "Div", {count, r.addInts(id, "groups", {groups})}, {}, "group_size");
            repeated = r.before(id, "Concat", {r.addInts(id, "group_count", {groups}), each}, {{"axis", std::int64_t(0)}}, "repeated");
        }
        const ValueId expanded = r.before(id, "Expand", {column, repeated}, {}, (role + "_expanded").c_str());
        r.setInput(id, i, r.before(id, "Reshape", {expanded, r.addInts(id, "flat", {-1})}, {}, role.c_str()));
    }
}

ValueId withTrailingOnes(OpsetRewriter &r, NodeId id, ValueId input, std::int64_t ones)
{
    if (const TensorData *data = r.graph.constant(input)) {
        TensorData reshaped = *data;
        reshaped.dims.insert(reshaped.dims.end(), std::size_t(ones), 1);
        return r.addConstant(id, "broadcast", std::move(reshaped));
    }
    Ints axes;
    for (std::int64_t i = 1; i <= ones; ++i)
        axes.push_back(-i);
    return r.before(id, "Unsqueeze", {input, r.addInts(id, "axes", axes)}, {}, "broadcast");
}

// Before 7: attribute axis says where the second input's first dimension goes.
void liftBroadcast(OpsetRewriter &r, NodeId id)
{
    if (r.opset >= 7)
        return;
    Node &node = r.graph.node(id);
    node.attributes.erase("broadcast");
    if (!node.has("axis"))
        return;
    const std::int64_t given = node.intAttribute("axis", 0);
    const ValueId second = node.input(1);
    const auto rank = r.rank(node.input(0)), other = r.rank(second);
    if (!rank || !other) {
        r.complain(id, "attribute axis of this old form needs the ranks of its inputs, which are not known.");
        return;
    }
    if (given < -*rank || given > *rank) {
        r.complain(id, "axis " + std::to_string(given) + " does not fit its input.");
        return;
    }
    const std::int64_t ones = *rank - (given < 0 ? given + *rank : given) - *other;
    node.attributes.erase("axis");
    if (ones > 0 && *other > 0)
        r.setInput(id, 1, withTrailingOnes(r, id, second, ones));
}

void liftPRelu(OpsetRewriter &r, NodeId id)
{
    if (r.opset >= 7)
        return;
    const ValueId slope = r.graph.node(id).input(1);
    const auto rank = r.rank(r.graph.node(id).input(0));
    if (r.rank(slope) != 1 || r.size(slope, 0) == 1)
        return;
    if (!rank)
        r.complain(id, "a slope for each channel needs the rank of the input, which is not known.");
    else if (*rank > 2)
        r.setInput(id, 1, withTrailingOnes(r, id, slope, *rank - 2));
}

void liftScatter(OpsetRewriter &r, NodeId id) { r.graph.node(id).opType = "ScatterElements"; }

void liftGridSample(OpsetRewriter &r, NodeId id)
{
    if (r.opset >= 20)
        return;
    Node &node = r.graph.node(id);
    const std::string mode = node.stringAttribute("mode", "bilinear");
    node.attributes["mode"] = mode == "bilinear" ? "linear" : mode == "bicubic" ? "cubic" : mode;
}

void liftRoiAlign(OpsetRewriter &r, NodeId id)
{
    if (r.opset < 16)
        r.graph.node(id).attributes["coordinate_transformation_mode"] = std::string("output_half_pixel");
}

void liftCast(OpsetRewriter &r, NodeId id)
{
    Node &node = r.graph.node(id);
    const auto to = node.attributes.find("to");
    if (r.opset >= 6 || to == node.attributes.end() || !std::holds_alternative<std::string>(to->second))
        return;
    static constexpr std::array names{"UNDEFINED", "FLOAT", "UINT8", "INT8", "UINT16", "INT16", "INT32", "INT64", "STRING", "BOOL", "FLOAT16", "DOUBLE",
                                      "UINT32", "UINT64"};
    const auto found = std::find(names.begin(), names.end(), std::get<std::string>(to->second));
    if (found == names.end())
        r.complain(id, "type '" + std::get<std::string>(to->second) + "' is unknown.");
    else
        to->second = std::int64_t(found - names.begin());
}

void liftConcat(OpsetRewriter &r, NodeId id)
{
    if (r.opset < 4 && !r.graph.node(id).has("axis"))
        r.graph.node(id).attributes["axis"] = std::int64_t(1);
}

void liftSelu(OpsetRewriter &r, NodeId id)
{
    if (r.opset >= 6)
        return;
    Attributes &attributes = r.graph.node(id).attributes;
    attributes.emplace("alpha", 1.6732f);
    attributes.emplace("gamma", 1.0507f);
}

void liftGemm(OpsetRewriter &r, NodeId id)
{
    if (r.opset < 7)
        r.graph.node(id).attributes.erase("broadcast");
}

void liftRecurrent(OpsetRewriter &r, NodeId id)
{
    if (r.opset < 7)
        r.graph.node(id).attributes.erase("output_sequence");
}

void liftLpPool(OpsetRewriter &r, NodeId id)
{
    Node &node = r.graph.node(id);
    const auto p = node.attributes.find("p");
    if (r.opset < 2 && p != node.attributes.end() && std::holds_alternative<float>(p->second))
        p->second = std::int64_t(std::clamp(std::get<float>(p->second), 1.0f, 1e6f));
}

void liftScan(OpsetRewriter &r, NodeId id)
{
    if (r.opset < 9)
        r.complain(id, "Scan of operator set 8 works on batches, which the newer form does not have.");
}

} // namespace

void addLiftFormRules(OpsetRules &rules)
{
    for (const char *type : {"Softmax", "LogSoftmax", "Hardmax"})
        rules[type] = liftSoftmax;
    for (const char *type : {"Add", "Sub", "Mul", "Div", "Pow", "And", "Or", "Xor", "Equal", "Greater", "Less"})
        rules[type] = liftBroadcast;
    for (const char *type : {"RNN", "GRU", "LSTM"})
        rules[type] = liftRecurrent;
    rules["LpPool"] = rules["GlobalLpPool"] = liftLpPool;
    rules["BatchNormalization"] = liftBatchNormalization;
    rules["GroupNormalization"] = liftGroupNormalization;
    rules["PRelu"] = liftPRelu;
    rules["Scatter"] = liftScatter;
    rules["GridSample"] = liftGridSample;
    rules["RoiAlign"] = liftRoiAlign;
    rules["Cast"] = liftCast;
    rules["Concat"] = liftConcat;
    rules["Selu"] = liftSelu;
    rules["Gemm"] = liftGemm;
    rules["Scan"] = liftScan;
}

} // namespace core

// Lifting: attributes that became inputs.
#include "core/onnx/opset_rules.h"

#include <algorithm>
#include <limits>

namespace core {
namespace {

void liftAxes(OpsetRewriter &r, NodeId id, int since)
{
    if (r.opset >= since || !r.graph.node(id).has("axes"))
        return;
    if (r.graph.node(id).intsAttribute("axes").empty())
        r.graph.node(id).attributes.erase("axes");   // no axes meant all of them, and still does
    else
        attributeToInput(r, id, "axes", 1);
}

void liftReduce(OpsetRewriter &r, NodeId id) { liftAxes(r, id, 18); }
void liftReduceSum(OpsetRewriter &r, NodeId id) { liftAxes(r, id, 13); }
void liftSqueeze(OpsetRewriter &r, NodeId id) { liftAxes(r, id, 13); }

void liftUnsqueeze(OpsetRewriter &r, NodeId id)
{
    if (r.opset < 13 && !attributeToInput(r, id, "axes", 1))
        r.complain(id, "attribute axes is missing.");
}

// 6: attributes min and max; their defaults, the largest finite numbers, are no bound.
void liftClip(OpsetRewriter &r, NodeId id)
{
    if (r.opset >= 11)
        return;
    const DataType type = r.type(r.graph.node(id).input(0));
    for (const auto &[attribute, index, none] : {std::tuple("min", 1u, std::numeric_limits<float>::lowest()), std::tuple("max", 2u, std::numeric_limits<float>::max())}) {
        const float bound = r.graph.node(id).floatAttribute(attribute, none);
        r.graph.node(id).attributes.erase(attribute);
        if (bound != none)
            r.setInput(id, index, r.addScalar(id, attribute, type, bound));
    }
}

// 2: attribute split; 13: input; 18: num_outputs where there is none.
void liftSplit(OpsetRewriter &r, NodeId id)
{
    if (r.opset >= 18)
        return;
    if (r.opset < 13)
        attributeToInput(r, id, "split", 1);
    Node &node = r.graph.node(id);
    if (!node.input(1).valid())
        node.attributes["num_outputs"] = std::int64_t(node.outputs.size());
}

void liftPad(OpsetRewriter &r, NodeId id)
{
    if (r.opset >= 11)
        return;
    if (!attributeToInput(r, id, r.graph.node(id).has("pads") ? "pads" : "paddings", 1)) {
        r.complain(id, "attribute pads is missing.");
        return;
    }
    const float value = r.graph.node(id).floatAttribute("value", 0.0f);
    r.graph.node(id).attributes.erase("value");
    if (value != 0.0f)
        r.setInput(id, 2, r.addScalar(id, "value", r.type(r.graph.node(id).input(0)), value));
}

void liftSlice(OpsetRewriter &r, NodeId id)
{
    if (r.opset >= 10)
        return;
    if (!r.graph.node(id).has("starts") || !r.graph.node(id).has("ends")) {
        r.complain(id, "attribute starts or ends is missing.");
        return;
    }
    attributeToInput(r, id, "starts", 1);
    attributeToInput(r, id, "ends", 2);
    attributeToInput(r, id, "axes", 3);
}

void liftTopK(OpsetRewriter &r, NodeId id)
{
    if (r.opset >= 10)
        return;
    if (!r.graph.node(id).has("k")) {
        r.complain(id, "attribute k is missing.");
        return;
    }
    const std::int64_t k = r.graph.node(id).intAttribute("k", 1);
    r.graph.node(id).attributes.erase("k");
    r.setInput(id, 1, r.addInts(id, "k", {k}));
}

void liftDropout(OpsetRewriter &r, NodeId id)
{
    if (r.opset >= 12)
        return;
    r.graph.node(id).attributes.erase("is_test");
    if (!r.graph.node(id).has("ratio"))
        return;
    const float ratio = r.graph.node(id).floatAttribute("ratio", 0.5f);
    r.graph.node(id).attributes.erase("ratio");
    r.setInput(id, 1, r.addScalar(id, "ratio", DataType::Float32, ratio));
}

void liftReshape(OpsetRewriter &r, NodeId id)
{
    if (r.opset < 5 && !attributeToInput(r, id, "shape", 1))
        r.complain(id, "attribute shape is missing.");
}

// 17: attribute axis, 1 by default; 20: input axis, −2 by default.
void liftDft(OpsetRewriter &r, NodeId id)
{
    if (r.opset >= 20)
        return;
    const std::int64_t axis = r.graph.node(id).intAttribute("axis", 1);
    r.graph.node(id).attributes.erase("axis");
    r.setInput(id, 2, r.addConstant(id, "axis", TensorData::fromInt64s({}, std::span(&axis, 1))));
}

// 1: scalars tiles and axis instead of repeats.
void liftTile(OpsetRewriter &r, NodeId id)
{
    if (r.opset >= 6)
        return;
    const Node &node = r.graph.node(id);
    const auto tiles = r.ints(node.input(1)), axis = r.ints(node.input(2));
    const auto rank = r.rank(node.input(0));
    if (!tiles || !axis || tiles->size() != 1 || axis->size() != 1 || !rank || axis->front() < 0 || axis->front() >= *rank) {
        r.complain(id, "tiles and axis of this old form are not constants, or the rank of the input is not known.");
        return;
    }
    Ints repeats(std::size_t(*rank), 1);
    repeats[std::size_t(axis->front())] = tiles->front();
    r.dropInputs(id, 1);
    r.setInput(id, 1, r.addInts(id, "repeats", repeats));
}

} // namespace

void addLiftInputRules(OpsetRules &rules)
{
    for (const char *type : {"ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd", "ReduceSumSquare"})
        rules[type] = liftReduce;
    rules["ReduceSum"] = liftReduceSum;
    rules["Squeeze"] = liftSqueeze;
    rules["Unsqueeze"] = liftUnsqueeze;
    rules["Clip"] = liftClip;
    rules["Split"] = liftSplit;
    rules["Pad"] = liftPad;
    rules["Slice"] = liftSlice;
    rules["TopK"] = liftTopK;
    rules["Dropout"] = liftDropout;
    rules["Reshape"] = liftReshape;
    rules["DFT"] = liftDft;
    rules["Tile"] = liftTile;
}

} // namespace core

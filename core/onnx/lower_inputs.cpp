// Lowering: inputs that were attributes.
#include "core/onnx/opset_rules.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace core {

Ints olderAxes(const OpsetRewriter &r, Ints axes, std::optional<std::int64_t> rank)
{
    if (r.opset < 11 && rank) {
        for (std::int64_t &axis : axes)
            axis += axis < 0 ? *rank : 0;
    }
    return axes;
}

std::optional<Ints> constantInts(OpsetRewriter &r, NodeId id, std::size_t index, const char *what)
{
    auto values = r.ints(r.graph.node(id).input(index));
    if (!values)
        r.complain(id, std::string("input ") + what + " is no constant, which operator set " + std::to_string(r.opset) + " needs.");
    return values;
}

namespace {

std::optional<std::int64_t> inputRank(OpsetRewriter &r, NodeId id) { return r.rank(r.graph.node(id).input(0)); }

void lowerSqueeze(OpsetRewriter &r, NodeId id)
{
    if (r.opset >= 13 || !r.graph.node(id).input(1).valid())
        return;
    const auto axes = constantInts(r, id, 1, "axes");
    if (!axes)
        return;
    auto rank = inputRank(r, id);
    if (rank && r.graph.node(id).is("Unsqueeze"))
        *rank += std::int64_t(axes->size());
    r.graph.node(id).attributes["axes"] = olderAxes(r, *axes, rank);
    r.dropInputs(id, 1);
}

void lowerReduceSince(OpsetRewriter &r, NodeId id, int since)
{
    if (r.opset >= since)
        return;
    const bool noop = r.graph.node(id).intAttribute("noop_with_empty_axes", 0) != 0;
    Ints axes;
    if (r.graph.node(id).input(1).valid()) {
        const auto given = constantInts(r, id, 1, "axes");
        if (!given)
            return;
        axes = olderAxes(r, *given, inputRank(r, id));
    }
    r.dropInputs(id, 1);
    Node &node = r.graph.node(id);
    node.attributes.erase("noop_with_empty_axes");
    if (!axes.empty()) {
        node.attributes["axes"] = axes;
    } else if (noop) {
        if (node.is("ReduceL1") || node.is("ReduceL2") || node.is("ReduceLogSum") || node.is("ReduceSumSquare")) {
            r.complain(id, "noop_with_empty_axes does not exist before operator set " + std::to_string(since) + ".");
            return;
        }
        node.opType = "Identity";
        node.attributes.clear();
    }
}

void lowerReduce(OpsetRewriter &r, NodeId id) { lowerReduceSince(r, id, 18); }
void lowerReduceSum(OpsetRewriter &r, NodeId id) { lowerReduceSince(r, id, 13); }

void lowerClip(OpsetRewriter &r, NodeId id)
{
    if (r.opset >= 11)
        return;
    for (const auto &[attribute, index] : {std::pair("max", 2u), std::pair("min", 1u)}) {
        const ValueId input = r.graph.node(id).input(index);
        if (!input.valid())
            continue;
        const TensorData *bound = r.constant(input);
        if (!bound || bound->count() != 1) {
            r.complain(id, std::string("input ") + attribute + " is no constant number, which operator set " + std::to_string(r.opset) + " needs.");
            return;
        }
        r.graph.node(id).attributes[attribute] = bound->toFloats().front();
    }
    r.dropInputs(id, 1);
}

// What num_outputs parts are: all equal but the last.
Ints evenParts(std::int64_t size, std::int64_t count)
{
    const std::int64_t part = (size + count - 1) / count;
    Ints parts(std::size_t(count), part);
    parts.back() = size - part * (count - 1);
    return parts;
}

void lowerSplit(OpsetRewriter &r, NodeId id)
{
    if (r.opset >= 18)
        return;
    if (const std::int64_t count = r.graph.node(id).intAttribute("num_outputs", 0); count > 0 && !r.graph.node(id).input(1).valid()) {
        const ValueId input = r.graph.node(id).input(0);
        const std::int64_t size = input.valid() ? r.size(input, r.graph.node(id).intAttribute("axis", 0)) : -1;
        const bool sane = count == std::int64_t(r.graph.node(id).outputs.size()) && size <= (std::int64_t(1) << 48);
        const Ints parts = sane && size >= 0 && size % count != 0 ? evenParts(size, count) : Ints{};
        if (!sane || (!parts.empty() && parts.back() < 0)) {
            r.complain(id, std::to_string(size) + " elements cannot be split into " + std::to_string(count) + " parts.");
            return;
        }
        if (!parts.empty())
            r.setInput(id, 1, r.addInts(id, "split", parts));
    }
    r.graph.node(id).attributes.erase("num_outputs");
    if (r.opset < 13 && r.graph.node(id).input(1).valid()) {
        const auto split = constantInts(r, id, 1, "split");
        if (!split)
            return;
        r.graph.node(id).attributes["split"] = *split;
        r.dropInputs(id, 1);
    }
}

// pads for some axes → pads for all of them.
bool spreadPads(OpsetRewriter &r, NodeId id)
{
    const auto axes = constantInts(r, id, 3, "axes"), pads = axes ? constantInts(r, id, 1, "pads") : std::nullopt;
    const auto rank = inputRank(r, id);
    if (!axes || !pads)
        return false;
    const bool fits = rank && pads->size() == 2 * axes->size()
                      && std::all_of(axes->begin(), axes->end(), [&](std::int64_t axis) { return axis >= -*rank && axis < *rank; });
    if (!fits) {
        r.complain(id, "input axes needs the rank of the tensor, which is not known or does not fit.");
        return false;
    }
    Ints all(std::size_t(2 * *rank), 0);
    for (std::size_t i = 0; i < axes->size(); ++i) {
        const std::int64_t axis = (*axes)[i] + ((*axes)[i] < 0 ? *rank : 0);
        all[std::size_t(axis)] = (*pads)[i];
        all[std::size_t(axis + *rank)] = (*pads)[axes->size() + i];
    }
    r.setInput(id, 1, r.addInts(id, "pads", all));
    r.omitInput(id, 3);
    return true;
}

void lowerPad(OpsetRewriter &r, NodeId id)
{
    if (r.opset < 19 && r.graph.node(id).stringAttribute("mode", "constant") == "wrap") {
        r.complain(id, "mode wrap does not exist before operator set 19.");
        return;
    }
    if (r.opset < 18 && r.graph.node(id).input(3).valid() && !spreadPads(r, id))
        return;
    if (r.opset >= 11)
        return;
    const auto pads = constantInts(r, id, 1, "pads");
    if (!pads)
        return;
    if (const ValueId input = r.graph.node(id).input(2); input.valid()) {
        const TensorData *value = r.constant(input);
        if (!value || value->count() != 1) {
            r.complain(id, "input constant_value is no constant number, which operator set " + std::to_string(r.opset) + " needs.");
            return;
        }
        r.graph.node(id).attributes["value"] = value->toFloats().front();
    }
    r.graph.node(id).attributes["pads"] = *pads;
    r.dropInputs(id, 1);
}

void lowerSlice(OpsetRewriter &r, NodeId id)
{
    if (r.opset >= 11)
        return;
    const auto rank = inputRank(r, id);
    if (r.opset == 10) {
        const auto axes = r.ints(r.graph.node(id).input(3));
        if (const Ints positive = axes ? olderAxes(r, *axes, rank) : Ints{}; axes && positive != *axes)
            r.setInput(id, 3, r.addInts(id, "axes", positive));
        return;
    }
    if (r.graph.node(id).input(4).valid()) {
        const auto steps = constantInts(r, id, 4, "steps");
        if (!steps)
            return;
        if (std::any_of(steps->begin(), steps->end(), [](std::int64_t step) { return step != 1; })) {
            r.complain(id, "steps other than 1 do not exist before operator set 10.");
            return;
        }
    }
    const auto starts = constantInts(r, id, 1, "starts"), ends = starts ? constantInts(r, id, 2, "ends") : std::nullopt;
    if (!starts || !ends)
        return;
    if (r.graph.node(id).input(3).valid()) {
        const auto axes = constantInts(r, id, 3, "axes");
        if (!axes)
            return;
        r.graph.node(id).attributes["axes"] = olderAxes(r, *axes, rank);
    }
    r.graph.node(id).attributes["starts"] = *starts;
    r.graph.node(id).attributes["ends"] = *ends;
    r.dropInputs(id, 1);
}

void lowerTopK(OpsetRewriter &r, NodeId id)
{
    if (r.opset >= 11)
        return;
    r.graph.node(id).attributes.erase("sorted");   // sorted is one of the orders that sorted = 0 allows
    if (r.opset == 10)
        return;
    const auto k = constantInts(r, id, 1, "K");
    if (!k)
        return;
    if (k->size() != 1) {
        r.complain(id, "input K holds " + std::to_string(k->size()) + " numbers.");
        return;
    }
    r.graph.node(id).attributes["k"] = k->front();
    r.dropInputs(id, 1);
}

void lowerDropout(OpsetRewriter &r, NodeId id)
{
    if (r.opset >= 12)
        return;
    if (const ValueId training = r.graph.node(id).input(2); training.valid()) {
        const TensorData *flag = r.constant(training);
        if (!flag || flag->count() != 1 || flag->toFloats().front() != 0.0f) {
            r.complain(id, "training_mode is not a constant false, which operator set " + std::to_string(r.opset) + " needs.");
            return;
        }
    }
    if (const TensorData *ratio = r.constant(r.graph.node(id).input(1)); ratio && ratio->count() == 1)
        r.graph.node(id).attributes["ratio"] = ratio->toFloats().front();
    r.graph.node(id).attributes.erase("seed");
    r.dropInputs(id, 1);
    if (r.graph.node(id).outputs.size() > 1) {
        if (r.used(r.graph.node(id).output(1)))
            r.complain(id, "its mask is not defined before operator set 12.");
        r.graph.node(id).outputs.resize(1);
    }
}

void lowerDft(OpsetRewriter &r, NodeId id)
{
    if (r.opset >= 20)
        return;
    std::int64_t axis = -2;
    if (r.graph.node(id).input(2).valid()) {
        const auto given = constantInts(r, id, 2, "axis");
        if (!given)
            return;
        if (given->size() == 1)
            axis = given->front();
    }
    r.graph.node(id).attributes["axis"] = axis;
    r.omitInput(id, 2);
}

} // namespace

void addLowerInputRules(OpsetRules &rules)
{
    for (const char *type : {"ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd", "ReduceSumSquare"})
        rules[type] = lowerReduce;
    rules["ReduceSum"] = lowerReduceSum;
    rules["Squeeze"] = rules["Unsqueeze"] = lowerSqueeze;
    rules["Clip"] = lowerClip;
    rules["Split"] = lowerSplit;
    rules["Pad"] = lowerPad;
    rules["Slice"] = lowerSlice;
    rules["TopK"] = lowerTopK;
    rules["Dropout"] = lowerDropout;
    rules["DFT"] = lowerDft;
}

} // namespace core

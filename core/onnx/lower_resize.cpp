// Lowering: Resize, down to Upsample. Before 11 positions were asymmetric, and "nearest" rounded down when it enlarged
// and up when it shrank.
#include "core/onnx/opset_rules.h"

#include <algorithm>
#include <cmath>

namespace core {
namespace {

using Floats = std::vector<float>;

std::optional<Floats> floats(OpsetRewriter &r, ValueId id)
{
    const TensorData *data = r.constant(id);
    if (!data)
        return {};
    return data->toFloats();
}

/// Before 18 there was no attribute axes: scales, sizes and roi get an entry for every dimension.
bool spreadAxes(OpsetRewriter &r, NodeId id)
{
    Node &node = r.graph.node(id);
    if (r.opset >= 18 || !node.has("axes"))
        return true;
    const auto rank = r.rank(node.input(0));
    Ints axes = node.intsAttribute("axes");
    for (std::int64_t &axis : axes)
        axis += axis < 0 && rank ? *rank : 0;
    if (!rank || std::any_of(axes.begin(), axes.end(), [&](std::int64_t axis) { return axis < 0 || axis >= *rank; })) {
        r.complain(id, "attribute axes needs the rank of the tensor, which is not known or does not fit.");
        return false;
    }
    node.attributes.erase("axes");
    if (axes.size() == std::size_t(*rank) && std::is_sorted(axes.begin(), axes.end()))
        return true;
    const ValueId roi = node.input(1), scales = node.input(2), sizes = node.input(3), input = node.input(0);
    const auto scaleValues = floats(r, scales), roiValues = floats(r, roi);
    const auto sizeValues = r.ints(sizes);
    if ((roi.valid() && (!roiValues || roiValues->size() != 2 * axes.size())) || (scales.valid() && (!scaleValues || scaleValues->size() != axes.size()))
        || (sizes.valid() && (!sizeValues || sizeValues->size() != axes.size()))) {
        r.complain(id, "with attribute axes its scales, sizes and roi must be constants before operator set 18.");
        return false;
    }
    Floats allScales(std::size_t(*rank), 1.0f), allRoi(std::size_t(2 * *rank), 0.0f);
    std::fill(allRoi.begin() + *rank, allRoi.end(), 1.0f);
    Ints allSizes;
    for (std::int64_t axis = 0; axis < *rank; ++axis)
        allSizes.push_back(r.size(input, axis));
    for (std::size_t i = 0; i < axes.size(); ++i) {
        const auto axis = std::size_t(axes[i]);
        if (scales.valid())
            allScales[axis] = (*scaleValues)[i];
        if (sizes.valid())
            allSizes[axis] = (*sizeValues)[i];
        if (roi.valid()) {
            allRoi[axis] = (*roiValues)[i];
            allRoi[axis + std::size_t(*rank)] = (*roiValues)[axes.size() + i];
        }
    }
    if (sizes.valid() && std::find(allSizes.begin(), allSizes.end(), -1) != allSizes.end()) {
        r.complain(id, "its sizes are given for some axes only; before operator set 18 the size of the others must be known.");
        return false;
    }
    if (roi.valid())
        r.setInput(id, 1, r.addConstant(id, "roi", TensorData::fromFloats({2 * *rank}, allRoi)));
    if (scales.valid())
        r.setInput(id, 2, r.addConstant(id, "scales", TensorData::fromFloats({*rank}, allScales)));
    if (sizes.valid())
        r.setInput(id, 3, r.addInts(id, "sizes", allSizes));
    return true;
}

/// Scales for the forms before 11; those that stand for constant sizes are computed.
std::optional<Floats> scalesOf(OpsetRewriter &r, NodeId id)
{
    const Node &node = r.graph.node(id);
    if (node.input(2).valid())
        return floats(r, node.input(2));
    const auto sizes = r.ints(node.input(3));
    if (!sizes || r.rank(node.input(0)) != std::int64_t(sizes->size()))
        return {};
    Floats scales;
    for (std::size_t i = 0; i < sizes->size(); ++i) {
        const std::int64_t size = r.size(node.input(0), std::int64_t(i));
        const float scale = size > 0 ? float((*sizes)[i]) / float(size) : 0.0f;
        if (scale <= 0 || (*sizes)[i] > (1 << 24) || std::floor(float(size) * scale) != float((*sizes)[i]))
            return {};
        scales.push_back(scale);
    }
    return scales;
}

/// Whether the asymmetric form rounds as this node does, for these scales.
bool isAsymmetric(const Node &node, const Floats &scales)
{
    const std::string mode = node.stringAttribute("mode", "nearest"), coordinates = node.stringAttribute("coordinate_transformation_mode", "half_pixel");
    const std::string rounding = node.stringAttribute("nearest_mode", "round_prefer_floor");
    if (mode == "linear")
        return coordinates == "asymmetric" && node.intAttribute("exclude_outside", 0) == 0;
    if (mode != "nearest")
        return false;
    const bool enlarges = std::all_of(scales.begin(), scales.end(), [](float s) { return s >= 1; });
    const bool shrinks = std::all_of(scales.begin(), scales.end(), [](float s) { return s <= 1; });
    if (coordinates == "asymmetric")
        return (enlarges && rounding == "floor") || (shrinks && rounding == "ceil");
    // A whole factor s puts output k·s + j between k − ½ and k + ½.
    const bool whole = std::all_of(scales.begin(), scales.end(), [](float s) { return s >= 1 && s == std::floor(s); });
    return whole && coordinates == "half_pixel" && (rounding == "round_prefer_floor" || rounding == "round_prefer_ceil");
}

void lowerToScales(OpsetRewriter &r, NodeId id)
{
    const auto scales = scalesOf(r, id);
    const bool constant = scales.has_value(), shrinks = constant && std::any_of(scales->begin(), scales->end(), [](float s) { return s < 1; });
    const Node &before = r.graph.node(id);
    const bool fits = constant ? isAsymmetric(before, *scales)
                               : before.input(2).valid() && before.stringAttribute("coordinate_transformation_mode", "half_pixel") == "asymmetric"
                                     && (before.stringAttribute("mode", "nearest") == "linear" || before.stringAttribute("nearest_mode", "round_prefer_floor") == "floor");
    if (!fits || before.intAttribute("antialias", 0) != 0 || before.stringAttribute("keep_aspect_ratio_policy", "stretch") != "stretch") {
        r.complain(id, "before operator set 11 only mode nearest or linear with asymmetric positions exists.");
        return;
    }
    if (r.opset < 10 && (shrinks || (!constant && r.opset < 9))) {
        r.complain(id, "before operator set 10 (Upsample) scales must be 1 or more, and constant before 9.");
        return;
    }
    ValueId input = before.input(2);
    if (!input.valid())
        input = r.addConstant(id, "scales", TensorData::fromFloats({std::int64_t(scales->size())}, *scales));
    r.dropInputs(id, 1);
    Node &node = r.graph.node(id);
    node.attributes = {{"mode", node.stringAttribute("mode", "nearest")}};
    if (r.opset < 10)
        node.opType = "Upsample";
    if (r.opset < 9)
        node.attributes["scales"] = *scales;
    else
        r.setInput(id, 1, input);
}

void lowerResize(OpsetRewriter &r, NodeId id)
{
    const std::string coordinates = r.graph.node(id).stringAttribute("coordinate_transformation_mode", "half_pixel");
    if (coordinates == "tf_half_pixel_for_nn" && r.opset >= 13) {
        r.complain(id, "coordinate mode tf_half_pixel_for_nn is gone since operator set 13.");
        return;
    }
    if (r.opset >= 19)
        return;
    if (coordinates == "half_pixel_symmetric") {
        r.complain(id, "coordinate mode half_pixel_symmetric does not exist before operator set 19.");
        return;
    }
    if (!spreadAxes(r, id) || r.opset >= 13)
        return;
    if (r.opset < 11) {
        lowerToScales(r, id);
        return;
    }
    for (const std::size_t i : {1u, 2u}) {
        if (!r.graph.node(id).input(i).valid())
            r.setInput(id, i, r.addConstant(id, i == 1 ? "roi" : "scales", TensorData::fromFloats({0}, {})));
    }
}

} // namespace

void addLowerResizeRules(OpsetRules &rules)
{
    rules["Resize"] = lowerResize;
}

} // namespace core

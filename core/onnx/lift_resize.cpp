// Lifting: Resize and Upsample. Up to 10 positions were asymmetric, and "nearest" rounded down when it enlarged, up when
// it shrank (as the specification's own cases and ONNX Runtime have it).
#include "core/onnx/opset_rules.h"

#include <algorithm>

namespace core {
namespace {

void makeAsymmetric(Node &node, bool shrinks)
{
    node.opType = "Resize";
    const std::string mode = node.stringAttribute("mode", "nearest");
    node.attributes["mode"] = mode == "bilinear" ? "linear" : mode;
    node.attributes["coordinate_transformation_mode"] = std::string("asymmetric");
    node.attributes["nearest_mode"] = std::string(shrinks ? "ceil" : "floor");
}

void setScales(OpsetRewriter &r, NodeId id, ValueId scales)
{
    std::vector<ValueId> &inputs = r.graph.node(id).inputs;
    inputs.resize(1);
    inputs.insert(inputs.end(), {ValueId{}, scales});
}

ValueId addScales(OpsetRewriter &r, NodeId id, const char *role, const std::vector<float> &scales)
{
    return r.addConstant(id, role, TensorData::fromFloats({std::int64_t(scales.size())}, scales));
}

// 10: X, scales. One that shrinks one axis and enlarges another becomes two.
void liftScales(OpsetRewriter &r, NodeId id)
{
    const ValueId input = r.graph.node(id).input(1);
    const TensorData *data = r.constant(input);
    const std::vector<float> scales = data ? data->toFloats() : std::vector<float>{};
    const auto shrinks = [](float scale) { return scale < 1; };
    const bool some = std::any_of(scales.begin(), scales.end(), shrinks);
    const bool mixed = some && std::any_of(scales.begin(), scales.end(), [](float scale) { return scale > 1; });
    makeAsymmetric(r.graph.node(id), some);
    setScales(r, id, input);
    if (!mixed || r.graph.node(id).stringAttribute("mode", "nearest") != "nearest")
        return;
    std::vector<float> up = scales, down = scales;
    std::replace_if(up.begin(), up.end(), shrinks, 1.0f);
    std::replace_if(down.begin(), down.end(), [](float scale) { return scale > 1; }, 1.0f);
    Attributes attributes = r.graph.node(id).attributes;
    attributes["nearest_mode"] = std::string("floor");
    const ValueId enlarged = r.before(id, "Resize", {r.graph.node(id).input(0), {}, addScales(r, id, "enlarging", up)}, attributes, "enlarged");
    r.dropInputs(id, 1);
    setScales(r, id, addScales(r, id, "shrinking", down));
    r.setInput(id, 0, enlarged);
}

// 11 had tf_half_pixel_for_nn: half_pixel moved by one half, so that its rounding modes are others of half_pixel.
void liftHalfPixelForNearest(OpsetRewriter &r, NodeId id)
{
    Node &node = r.graph.node(id);
    if (node.stringAttribute("coordinate_transformation_mode", "half_pixel") != "tf_half_pixel_for_nn")
        return;
    const std::string rounding = node.stringAttribute("nearest_mode", "round_prefer_floor");
    const bool nearest = node.stringAttribute("mode", "nearest") == "nearest";
    if (nearest && rounding == "floor")
        node.attributes["nearest_mode"] = std::string("round_prefer_ceil");
    else if (nearest && rounding == "round_prefer_floor")
        node.attributes["nearest_mode"] = std::string("ceil");
    else {
        r.complain(id, "coordinate mode tf_half_pixel_for_nn of operator set 11 has no newer form with nearest_mode " + rounding + ".");
        return;
    }
    node.attributes["coordinate_transformation_mode"] = std::string("half_pixel");
}

void liftResize(OpsetRewriter &r, NodeId id)
{
    if (r.opset < 11) {
        liftScales(r, id);
        return;
    }
    if (r.opset < 13)
        liftHalfPixelForNearest(r, id);
    const auto isEmpty = [&](std::size_t i) {
        const ValueId input = r.graph.node(id).input(i);
        const TensorData *data = r.constant(input);
        return input.valid() && (data ? data->count() == 0 : r.size(input, 0) == 0);
    };
    for (const std::size_t i : {3u, 2u}) {
        if (isEmpty(i))
            r.omitInput(id, i);
    }
    if (isEmpty(1) || r.graph.node(id).stringAttribute("coordinate_transformation_mode", "half_pixel") != "tf_crop_and_resize")
        r.omitInput(id, 1);
}

// 1: height_scale, width_scale; 7: scales; 9: input scales.
void liftUpsample(OpsetRewriter &r, NodeId id)
{
    std::vector<float> scales;
    ValueId input = r.graph.node(id).input(1);
    Node &node = r.graph.node(id);
    if (node.has("scales"))
        scales = node.floatsAttribute("scales");
    else if (!input.valid() && node.has("height_scale") && node.has("width_scale"))
        scales = {1, 1, node.floatAttribute("height_scale", 1), node.floatAttribute("width_scale", 1)};
    else if (!input.valid()) {
        r.complain(id, "neither attribute nor input scales is there.");
        return;
    }
    for (const char *attribute : {"scales", "height_scale", "width_scale"})
        node.attributes.erase(attribute);
    makeAsymmetric(node, false);
    if (!input.valid())
        input = addScales(r, id, "scales", scales);
    setScales(r, id, input);
}

} // namespace

void addLiftResizeRules(OpsetRules &rules)
{
    rules["Resize"] = liftResize;
    rules["Upsample"] = liftUpsample;
}

} // namespace core

// TorchScript of operators that move, select or resample.
#include "core/exec/executor.h"
#include "core/exec/op_common.h"
#include "core/exec/resize_plan.h"
#include "core/session/torchscript_source.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

namespace core {
namespace {

using Ints = std::vector<std::int64_t>;

std::string call(const std::string &function, const std::string &arguments) { return "torch." + function + "(" + arguments + ")"; }
std::string text(std::int64_t value) { return std::to_string(value); }

void reshape(ScriptWriter &script, const Node &node)
{
    const std::string x = script.input(node, 0);
    const bool keepsZero = node.intAttribute("allowzero", 0) != 0;
    std::string sizes = "[";
    const Ints shape = script.ints(node, 1);
    for (std::size_t i = 0; i < shape.size(); ++i)
        sizes += (i ? ", " : "") + (shape[i] == 0 && !keepsZero ? call("size", x + ", " + text(std::int64_t(i))) : text(shape[i]));
    script.output(node, call("reshape", x + ", " + sizes + "]"));
}

void flatten(ScriptWriter &script, const Node &node)
{
    const std::int64_t axis = script.axis(node, node.intAttribute("axis", 1));
    const std::string x = script.input(node, 0);
    if (axis == 0)
        script.output(node, call("reshape", x + ", [1, -1]"));
    else if (axis == 1)
        script.output(node, call("flatten", x + ", 1"));
    else
        script.output(node, call("flatten", call("flatten", x + ", " + text(axis)) + ", 0, " + text(axis - 1)));
}

void transpose(ScriptWriter &script, const Node &node)
{
    Ints order = node.intsAttribute("perm");
    if (order.empty())
        for (std::int64_t d = script.rank(node, 0); d-- > 0;)
            order.push_back(d);
    script.output(node, call("permute", script.input(node, 0) + ", " + scriptList(order)));
}

void squeeze(ScriptWriter &script, const Node &node)
{
    std::string y = script.input(node, 0);
    Ints axes = script.ints(node, 1);
    if (axes.empty()) {
        script.output(node, call("squeeze", y));
        return;
    }
    for (auto &axis : axes)
        axis = script.axis(node, axis);
    std::sort(axes.rbegin(), axes.rend());
    for (const auto axis : axes)
        y = call("squeeze", y + ", " + text(axis));
    script.output(node, y);
}

void unsqueeze(ScriptWriter &script, const Node &node)
{
    std::string y = script.input(node, 0);
    Ints axes = script.ints(node, 1);
    for (auto &axis : axes)
        axis = axis < 0 ? axis + script.rank(node, 0) + std::int64_t(axes.size()) : axis;
    std::sort(axes.begin(), axes.end());
    for (const auto axis : axes)
        y = call("unsqueeze", y + ", " + text(axis));
    script.output(node, y);
}

void concat(ScriptWriter &script, const Node &node)
{
    std::string parts;
    for (std::size_t i = 0; i < node.inputs.size(); ++i)
        parts += (i ? ", " : "") + script.input(node, i);
    script.output(node, call("cat", "[" + parts + "], " + text(node.intAttribute("axis", 0))));
}

void split(ScriptWriter &script, const Node &node)
{
    const std::int64_t axis = script.axis(node, node.intAttribute("axis", 0));
    Ints sizes = script.ints(node, 1);
    if (sizes.empty()) {
        const std::int64_t total = script.sizes(node, 0, std::size_t(axis)).at(0);
        const std::int64_t count = std::max<std::int64_t>(node.intAttribute("num_outputs", std::int64_t(node.outputs.size())), 1), chunk = (total + count - 1) / count;
        for (std::int64_t i = 0; i < count; ++i)
            sizes.push_back(std::clamp<std::int64_t>(total - i * chunk, 0, chunk));
    }
    if (sizes.size() < node.outputs.size())
        refuseScript(node, "it has more outputs than sizes.");
    std::int64_t start = 0;
    for (std::size_t i = 0; i < node.outputs.size(); start += sizes[i++])
        script.output(node, call("narrow", script.input(node, 0) + ", " + text(axis) + ", " + text(start) + ", " + text(sizes[i])), i);
}

void slice(ScriptWriter &script, const Node &node)
{
    const Ints starts = script.ints(node, 1), ends = script.ints(node, 2);
    Ints axes = script.ints(node, 3), steps = script.ints(node, 4);
    for (std::size_t i = axes.size(); i < starts.size(); ++i)
        axes.push_back(std::int64_t(i));
    steps.resize(starts.size(), 1);
    if (ends.size() != starts.size() || axes.size() != starts.size())
        refuseScript(node, "starts, ends and axes differ in length.");
    std::string y = script.input(node, 0);
    for (std::size_t i = 0; i < starts.size(); ++i) {
        if (steps[i] < 1)
            refuseScript(node, "a step below 1 cannot be written.");
        // Below −2^62 and above 2^62 an index means the end of the axis.
        const auto bounded = [](std::int64_t value) { return text(std::clamp<std::int64_t>(value, -(std::int64_t(1) << 62), std::int64_t(1) << 62)); };
        y = call("slice", y + ", " + text(axes[i]) + ", " + bounded(starts[i]) + ", " + bounded(ends[i]) + ", " + text(steps[i]));
    }
    script.output(node, y);
}

void gather(ScriptWriter &script, const Node &node)
{
    const TensorData *index = script.constant(node, 1);
    if (!index || index->dims.size() > 1)
        refuseScript(node, "its indices are computed, or are no list; such a Gather cannot be written.");
    const std::int64_t axis = node.intAttribute("axis", 0);
    Ints places = index->toInt64s();
    if (index->dims.empty()) {
        script.output(node, call("select", script.input(node, 0) + ", " + text(axis) + ", " + text(places.at(0))));
        return;
    }
    if (std::any_of(places.begin(), places.end(), [](auto place) { return place < 0; })) {
        const std::int64_t size = script.sizes(node, 0, std::size_t(script.axis(node, axis))).at(0);
        for (auto &place : places)
            place = place < 0 ? place + size : place;
    }
    script.output(node, call("index_select", script.input(node, 0) + ", " + text(axis) + ", " + script.buffer(node.name + "_places", at::tensor(places, at::kLong))));
}

void expand(ScriptWriter &script, const Node &node)
{
    // Both broadcast; −1 keeps a dimension.
    const Ints wish = script.ints(node, 1);
    const std::int64_t rank = script.rank(node, 0), lack = rank - std::int64_t(wish.size());
    Ints sizes(std::size_t(std::max<std::int64_t>(lack, 0)), -1);
    for (std::size_t i = 0; i < wish.size(); ++i)
        sizes.push_back(wish[i] == 1 && std::int64_t(i) + lack >= 0 ? -1 : wish[i]);
    script.output(node, call("expand", script.input(node, 0) + ", " + scriptList(sizes)));
}

void pad(ScriptWriter &script, const Node &node)
{
    const std::string mode = node.stringAttribute("mode", "constant");
    const Ints pads = script.ints(node, 1);
    Ints axes = script.ints(node, 3);
    const std::int64_t rank = script.rank(node, 0);
    if (!script.has(node, 3))
        for (std::int64_t d = 0; d < rank; ++d)
            axes.push_back(d);
    if (mode != "constant" || pads.size() != 2 * axes.size())
        refuseScript(node, "mode '" + mode + "' with " + text(std::int64_t(pads.size())) + " pads cannot be written.");
    Ints list(std::size_t(2 * rank), 0);
    for (std::size_t i = 0; i < axes.size(); ++i) {
        const auto place = std::size_t(2 * (rank - 1 - script.axis(node, axes[i])));
        list[place] = pads[i];
        list[place + 1] = pads[i + axes.size()];
    }
    script.output(node, call("constant_pad_nd", script.input(node, 0) + ", " + scriptList(list) + ", " + scriptNumber(script.number(node, 2, 0))));
}

void blocks(ScriptWriter &script, const Node &node)
{
    const std::int64_t b = node.intAttribute("blocksize", 1);
    const Ints sizes = script.sizes(node, 0, 1);
    if (sizes.size() != 3 || b < 1)
        refuseScript(node, "its input is no image.");
    const bool rows = node.stringAttribute("mode", "DCR") == "DCR";
    const std::int64_t c = sizes[0], h = sizes[1], w = sizes[2];
    const auto moved = [&](const Ints &shape, const Ints &order, const Ints &result) {
        script.output(node, call("reshape", call("permute", call("reshape", script.input(node, 0) + ", " + scriptList(shape)) + ", " + scriptList(order)) + ", " + scriptList(result)));
    };
    if (node.opType == "SpaceToDepth")
        moved({-1, c, h / b, b, w / b, b}, rows ? Ints{0, 3, 5, 1, 2, 4} : Ints{0, 1, 3, 5, 2, 4}, {-1, c * b * b, h / b, w / b});
    else if (rows)
        moved({-1, b, b, c / (b * b), h, w}, {0, 3, 4, 1, 5, 2}, {-1, c / (b * b), h * b, w * b});
    else
        moved({-1, c / (b * b), b, b, h, w}, {0, 1, 4, 2, 5, 3}, {-1, c / (b * b), h * b, w * b});
}

ResizeOptions resizeOptions(const Node &node)
{
    ResizeOptions options;
    const std::string mode = node.stringAttribute("mode", "nearest");
    options.interpolation = mode == "linear" ? ResizeOptions::Interpolation::Linear : mode == "cubic" ? ResizeOptions::Interpolation::Cubic : ResizeOptions::Interpolation::Nearest;
    options.coordinates = node.stringAttribute("coordinate_transformation_mode", "half_pixel");
    options.nearest = node.stringAttribute("nearest_mode", "round_prefer_floor");
    options.cubicA = node.floatAttribute("cubic_coeff_a", -0.75f);
    options.antialias = node.intAttribute("antialias", 0) != 0;
    options.excludeOutside = node.intAttribute("exclude_outside", 0) != 0;
    if (options.coordinates == "tf_crop_and_resize" || node.stringAttribute("keep_aspect_ratio_policy", "stretch") != "stretch" || node.has("axes"))
        refuseScript(node, "crops, axes and aspect ratio policies cannot be written.");
    return options;
}

// One axis after the other: rows are picked, and weighted where they are mixed.
void resize(ScriptWriter &script, const Node &node)
{
    const ResizeOptions options = resizeOptions(node);
    const TensorData *scales = script.constant(node, 2);
    const bool byScale = scales && scales->count() > 0;
    const std::vector<float> factors = byScale ? scales->toFloats() : std::vector<float>{};
    const Ints wanted = byScale ? Ints{} : script.ints(node, 3), in = script.sizes(node, 0, 2);
    const std::size_t axes = in.size() + 2;
    if ((byScale ? factors.size() : wanted.size()) != axes || (byScale && (factors[0] != 1 || factors[1] != 1)))
        refuseScript(node, "its scales or sizes are computed, or resize batch or channels.");
    std::string y = script.input(node, 0);
    for (std::size_t i = 0; i < in.size(); ++i) {
        ResizeAxis axis{in[i], byScale ? std::int64_t(std::floor(float(in[i]) * factors[i + 2])) : wanted[i + 2]};
        axis.scale = byScale ? factors[i + 2] : float(axis.outputSize) / float(axis.inputSize);
        if (axis.inputSize == axis.outputSize && axis.scale == 1)
            continue;
        if (axis.outputSize < 1 || !(axis.scale > 0))
            refuseScript(node, "its result is empty.");
        const ResizePlan plan = planResizeAxis(axis, options);
        const std::string dim = text(std::int64_t(i) + 2), source = y;
        const at::Tensor places = at::tensor(plan.indices, at::kLong).reshape({axis.outputSize, plan.taps}), weights = at::tensor(plan.weights).reshape({axis.outputSize, plan.taps});
        std::string sum;
        for (std::int64_t k = 0; k < plan.taps; ++k) {
            if (plan.taps > 1 && !weights.select(1, k).ne(0).any().item<bool>())
                continue;
            std::string part = call("index_select", source + ", " + dim + ", " + script.buffer(node.name + "_places", places.select(1, k)));
            if (plan.taps > 1) {
                Ints along(axes, 1);
                along[i + 2] = axis.outputSize;
                part = call("mul", part + ", " + script.buffer(node.name + "_shares", weights.select(1, k).reshape(along)));
            }
            sum = sum.empty() ? part : call("add", sum + ", " + part);
        }
        script.output(node, sum);
        y = script.variable(node.output(0));
    }
    if (y == script.input(node, 0))
        script.output(node, y);
}

void constantNode(ScriptWriter &script, const Node &node)
{
    const auto found = node.attributes.find("value");
    const TensorData *data = found == node.attributes.end() ? nullptr : std::get_if<TensorData>(&found->second);
    if (!data)
        refuseScript(node, "its value is no tensor.");
    script.output(node, script.buffer(node.name, toTensor(*data)));
}

} // namespace

void addScriptShapes(ScriptTranslations &all)
{
    all["Reshape"] = reshape;
    all["Flatten"] = flatten;
    all["Transpose"] = transpose;
    all["Squeeze"] = squeeze;
    all["Unsqueeze"] = unsqueeze;
    all["Concat"] = concat;
    all["Split"] = split;
    all["Slice"] = slice;
    all["Gather"] = gather;
    all["Expand"] = expand;
    all["Pad"] = pad;
    all["DepthToSpace"] = all["SpaceToDepth"] = blocks;
    all["Resize"] = resize;
    all["Constant"] = constantNode;
    all["Tile"] = [](ScriptWriter &script, const Node &node) { script.output(node, call("repeat", script.input(node, 0) + ", " + scriptList(script.ints(node, 1)))); };
}

} // namespace core

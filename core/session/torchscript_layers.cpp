// TorchScript of convolutions, products, normalizations and pools.
#include "core/exec/op_common.h"
#include "core/exec/window.h"
#include "core/session/torchscript_source.h"

#include <ATen/ATen.h>

#include <algorithm>

namespace core {
namespace {

using Ints = std::vector<std::int64_t>;

std::string padded(const std::string &x, const Ints &before, const Ints &after, double value)
{
    return "torch.constant_pad_nd(" + x + ", " + scriptList(reversedPads(before, after)) + ", " + scriptNumber(value) + ")";
}

/// Needs fixed height and width only where pads or the number of windows depend on them.
Window windowOf(ScriptWriter &script, const Node &node, const Ints &kernel)
{
    const WindowAttributes attributes = readWindow(node);
    if (attributes.ceilMode || attributes.autoPad == "SAME_UPPER" || attributes.autoPad == "SAME_LOWER") {
        Ints sizes = script.sizes(node, 0, 2);
        sizes.insert(sizes.begin(), 2, 1);
        return resolveWindow(attributes, kernel, at::zeros({1}).expand(sizes), nodeLabel(node));
    }
    // Any input that is large enough gives the same lists; how many windows there are is not asked.
    Ints sizes(kernel.size() + 2, 1);
    for (std::size_t i = 0; i < kernel.size(); ++i)
        sizes[i + 2] = (kernel[i] - 1) * (i < attributes.dilations.size() ? attributes.dilations[i] : 1) + 1;
    return resolveWindow(attributes, kernel, at::zeros({1}).expand(sizes), nodeLabel(node));
}

void conv(ScriptWriter &script, const Node &node)
{
    Ints kernel = node.intsAttribute("kernel_shape");
    if (kernel.empty())
        kernel = script.sizes(node, 1, 2);
    const Window window = windowOf(script, node, kernel);
    std::string x = script.input(node, 0);
    Ints pads = window.before;
    if (!window.symmetric()) {
        x = padded(x, window.before, window.after, 0);
        std::fill(pads.begin(), pads.end(), 0);
    }
    script.output(node, "torch.convolution(" + x + ", " + script.input(node, 1) + ", " + script.inputOrNone(node, 2) + ", " + scriptList(window.strides) + ", " + scriptList(pads)
                            + ", " + scriptList(window.dilations) + ", False, " + scriptList(Ints(pads.size(), 0)) + ", " + std::to_string(node.intAttribute("group", 1)) + ")");
}

void convTranspose(ScriptWriter &script, const Node &node)
{
    const WindowAttributes attributes = readWindow(node);
    if (attributes.autoPad == "SAME_UPPER" || attributes.autoPad == "SAME_LOWER" || node.has("output_shape"))
        refuseScript(node, "auto_pad and output_shape cannot be written.");
    const auto axes = std::size_t(script.rank(node, 1) - 2);
    const auto orOnes = [&](const Ints &list, std::int64_t fallback, std::size_t count) { return list.empty() ? Ints(count, fallback) : list; };
    const Ints strides = orOnes(attributes.strides, 1, axes), dilations = orOnes(attributes.dilations, 1, axes);
    const Ints pads = orOnes(attributes.autoPad == "VALID" ? Ints{} : attributes.pads, 0, 2 * axes);
    Ints extra = orOnes(node.intsAttribute("output_padding"), 0, axes), before(pads.begin(), pads.begin() + std::ptrdiff_t(axes)), after(pads.begin() + std::ptrdiff_t(axes), pads.end());
    // The smaller pad on both sides; what is left of the larger one is cut off behind.
    Ints common = before;
    for (std::size_t i = 0; i < axes; ++i)
        common[i] = std::min(before[i], after[i]);
    std::string y = "torch.convolution(" + script.input(node, 0) + ", " + script.input(node, 1) + ", " + script.inputOrNone(node, 2) + ", " + scriptList(strides) + ", "
                    + scriptList(common) + ", " + scriptList(dilations) + ", True, " + scriptList(extra) + ", " + std::to_string(node.intAttribute("group", 1)) + ")";
    for (std::size_t i = 0; i < axes; ++i)
        if (before[i] != after[i]) {
            const std::int64_t first = before[i] - common[i], last = after[i] - common[i];
            y = "torch.slice(" + y + ", " + std::to_string(i + 2) + ", " + std::to_string(first) + ", " + (last > 0 ? std::to_string(-last) : "9223372036854775807") + ")";
        }
    script.output(node, y);
}

void gemm(ScriptWriter &script, const Node &node)
{
    const auto operand = [&](std::size_t i, const char *turned) {
        return node.intAttribute(turned, 0) != 0 ? "torch.t(" + script.input(node, i) + ")" : script.input(node, i);
    };
    std::string y = "torch.matmul(" + operand(0, "transA") + ", " + operand(1, "transB") + ")";
    const float alpha = node.floatAttribute("alpha", 1), beta = node.floatAttribute("beta", 1);
    if (alpha != 1)
        y = "torch.mul(" + y + ", " + scriptNumber(alpha) + ")";
    if (script.has(node, 2) && beta != 0)
        y = "torch.add(" + y + ", " + (beta == 1 ? script.input(node, 2) : "torch.mul(" + script.input(node, 2) + ", " + scriptNumber(beta) + ")") + ")";
    script.output(node, y);
}

void batchNorm(ScriptWriter &script, const Node &node)
{
    if (node.intAttribute("training_mode", 0) != 0)
        refuseScript(node, "training_mode is on; export the model for inference.");
    script.output(node, "torch.batch_norm(" + script.input(node, 0) + ", " + script.input(node, 1) + ", " + script.input(node, 2) + ", " + script.input(node, 3) + ", "
                            + script.input(node, 4) + ", False, 0.0, " + scriptNumber(node.floatAttribute("epsilon", 1e-5f)) + ", False)");
}

void instanceNorm(ScriptWriter &script, const Node &node)
{
    script.output(node, "torch.instance_norm(" + script.input(node, 0) + ", " + script.input(node, 1) + ", " + script.input(node, 2) + ", None, None, True, 0.0, "
                            + scriptNumber(node.floatAttribute("epsilon", 1e-5f)) + ", False)");
}

void layerNorm(ScriptWriter &script, const Node &node)
{
    if (node.outputs.size() > 1)
        refuseScript(node, "its mean and deviation cannot be written.");
    const auto first = std::size_t(script.axis(node, node.intAttribute("axis", -1)));
    std::string y = "torch.layer_norm(" + script.input(node, 0) + ", " + scriptList(script.sizes(node, 0, first)) + ", None, None, "
                    + scriptNumber(node.floatAttribute("epsilon", 1e-5f)) + ", False)";
    y = "torch.mul(" + y + ", " + script.input(node, 1) + ")";
    script.output(node, script.has(node, 2) ? "torch.add(" + y + ", " + script.input(node, 2) + ")" : y);
}

std::string poolName(const char *name, const Window &window) { return "torch." + std::string(name) + std::to_string(window.axes()) + "d("; }

/// Cells behind the input that the last windows reach into, or (below 0) that no window reads; only with fixed sizes are there any.
Ints behind(ScriptWriter &script, const Node &node, const Window &window)
{
    Ints after = window.after;
    if (!readWindow(node).ceilMode)
        return after;
    const Ints sizes = script.sizes(node, 0, 2);
    for (std::size_t i = 0; i < after.size(); ++i)
        after[i] = std::max(after[i], (window.outputs[i] - 1) * window.strides[i] + window.extent(i) - window.before[i] - sizes[i]);
    return after;
}

bool fitsTorch(const Window &window, const Ints &after)
{
    for (std::size_t i = 0; i < window.axes(); ++i)
        if (window.before[i] != after[i] || window.before[i] * 2 > window.kernel[i])
            return false;
    return true;
}

void maxPool(ScriptWriter &script, const Node &node)
{
    if (node.outputs.size() > 1 && node.output(1).valid())
        refuseScript(node, "its indices cannot be written.");
    const Window window = windowOf(script, node, node.intsAttribute("kernel_shape"));
    const Ints after = behind(script, node, window);
    const bool fits = fitsTorch(window, after);
    const std::string x = fits ? script.input(node, 0) : padded(script.input(node, 0), window.before, after, -std::numeric_limits<double>::infinity());
    script.output(node, poolName("max_pool", window) + x + ", " + scriptList(window.kernel) + ", " + scriptList(window.strides) + ", "
                            + scriptList(fits ? window.before : Ints(window.axes(), 0)) + ", " + scriptList(window.dilations) + ", False)");
}

void averagePool(ScriptWriter &script, const Node &node)
{
    const Window window = windowOf(script, node, node.intsAttribute("kernel_shape"));
    if (window.dilated())
        refuseScript(node, "dilations cannot be written.");
    const bool includes = node.intAttribute("count_include_pad", 0) != 0;
    const Ints after = behind(script, node, window);
    const auto pool = [&](const std::string &x, const Ints &pads, bool count) {
        return poolName("avg_pool", window) + x + ", " + scriptList(window.kernel) + ", " + scriptList(window.strides) + ", " + scriptList(pads) + ", False, " + (count ? "True" : "False") + ")";
    };
    if (fitsTorch(window, after)) {
        script.output(node, pool(script.input(node, 0), window.before, includes));
        return;
    }
    // Sums over the padded input; a second pool over what counts says by how much to divide.
    const Ints none(window.axes(), 0);
    const std::string x = script.input(node, 0);
    Ints rest = after;
    for (std::size_t i = 0; i < rest.size(); ++i)
        rest[i] -= window.after[i];
    const std::string counted = padded(padded("torch.ones_like(" + x + ")", window.before, window.after, includes ? 1 : 0), none, rest, 0);
    script.output(node, "torch.div(" + pool(padded(x, window.before, after, 0), none, true) + ", " + pool(counted, none, true) + ")");
}

ScriptTranslation globalPool(const char *function)
{
    return [function](ScriptWriter &script, const Node &node) {
        Ints axes;
        for (std::int64_t d = 2; d < script.rank(node, 0); ++d)
            axes.push_back(d);
        script.output(node, "torch." + std::string(function) + "(" + script.input(node, 0) + ", " + scriptList(axes) + ", True)");
    };
}

} // namespace

void addScriptLayers(ScriptTranslations &all)
{
    all["Conv"] = conv;
    all["ConvTranspose"] = convTranspose;
    all["Gemm"] = gemm;
    all["BatchNormalization"] = batchNorm;
    all["InstanceNormalization"] = instanceNorm;
    all["LayerNormalization"] = layerNorm;
    all["MaxPool"] = maxPool;
    all["AveragePool"] = averagePool;
    all["GlobalAveragePool"] = globalPool("mean");
    all["GlobalMaxPool"] = globalPool("amax");
}

} // namespace core

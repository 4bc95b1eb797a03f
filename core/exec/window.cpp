#include "core/exec/window.h"

#include "core/exec/op_common.h"

#include <algorithm>

namespace core {
namespace {

using Ints = std::vector<std::int64_t>;

// No network comes near it, and products of two stay far from overflow.
constexpr std::int64_t largestNumber = std::int64_t(1) << 24;

Ints listOr(const Ints &given, std::size_t count, std::int64_t fallback, std::int64_t least, const char *name, const std::string &label)
{
    if (given.empty())
        return Ints(count, fallback);
    if (given.size() != count)
        failCall(ErrorKind::InvalidInput, label, std::string("attribute ") + name + " has " + std::to_string(given.size()) + " numbers, "
                 + std::to_string(count) + " are needed.");
    for (const auto number : given)
        if (number < least || number > largestNumber)
            failCall(ErrorKind::InvalidInput, label, std::string("attribute ") + name + " holds " + std::to_string(number) + ", which is out of range.");
    return given;
}

} // namespace

WindowAttributes readWindow(const Node &node)
{
    WindowAttributes result{node.intsAttribute("kernel_shape"), node.intsAttribute("strides"), node.intsAttribute("dilations"),
                            node.intsAttribute("pads"), node.stringAttribute("auto_pad", "NOTSET"), node.intAttribute("ceil_mode", 0) != 0};
    if (result.autoPad.empty())
        result.autoPad = "NOTSET";
    if (result.autoPad != "NOTSET" && result.autoPad != "VALID" && result.autoPad != "SAME_UPPER" && result.autoPad != "SAME_LOWER")
        failNode(ErrorKind::InvalidInput, node, "attribute auto_pad '" + result.autoPad + "' is unknown.");
    return result;
}

bool Window::padded() const
{
    const auto notZero = [](auto pad) { return pad != 0; };
    return std::any_of(before.begin(), before.end(), notZero) || std::any_of(after.begin(), after.end(), notZero);
}

bool Window::symmetric() const { return before == after; }

bool Window::dilated() const
{
    return std::any_of(dilations.begin(), dilations.end(), [](auto d) { return d != 1; });
}

Window resolveWindow(const WindowAttributes &attributes, at::IntArrayRef kernel, const at::Tensor &x, const std::string &label)
{
    const auto axes = std::size_t(std::max<std::int64_t>(x.dim() - 2, 0));
    if (axes == 0)
        failCall(ErrorKind::InvalidInput, label, "the input has rank " + std::to_string(x.dim()) + ", but needs spatial axes.");
    Window window;
    window.kernel = listOr(Ints(kernel.begin(), kernel.end()), axes, 1, 1, "kernel_shape", label);
    window.strides = listOr(attributes.strides, axes, 1, 1, "strides", label);
    window.dilations = listOr(attributes.dilations, axes, 1, 1, "dilations", label);
    const bool explicitPads = attributes.autoPad == "NOTSET";
    const Ints pads = listOr(explicitPads ? attributes.pads : Ints{}, 2 * axes, 0, 0, "pads", label);
    window.before.assign(pads.begin(), pads.begin() + std::ptrdiff_t(axes));
    window.after.assign(pads.begin() + std::ptrdiff_t(axes), pads.end());
    for (std::size_t i = 0; i < axes; ++i) {
        const std::int64_t size = x.size(std::int64_t(i) + 2), stride = window.strides[i], extent = window.extent(i);
        if (attributes.autoPad == "SAME_UPPER" || attributes.autoPad == "SAME_LOWER") {
            const std::int64_t outputs = (size + stride - 1) / stride, total = std::max<std::int64_t>(0, (outputs - 1) * stride + extent - size);
            window.before[i] = attributes.autoPad == "SAME_UPPER" ? total / 2 : total - total / 2;
            window.after[i] = total - window.before[i];
        }
        const std::int64_t room = size + window.before[i] + window.after[i] - extent;
        if (room < 0)
            failCall(ErrorKind::InvalidInput, label, "the kernel covers " + std::to_string(extent) + " cells of spatial axis " + std::to_string(i)
                     + ", but the padded input has " + std::to_string(room + extent) + ".");
        std::int64_t outputs = room / stride + 1;
        if (attributes.ceilMode && room % stride != 0 && outputs * stride < size + window.before[i])
            ++outputs;
        window.outputs.push_back(outputs);
    }
    return window;
}

std::vector<std::int64_t> reversedPads(const std::vector<std::int64_t> &before, const std::vector<std::int64_t> &after)
{
    Ints result;
    for (std::size_t i = before.size(); i-- > 0;) {
        result.push_back(before[i]);
        result.push_back(after[i]);
    }
    return result;
}

} // namespace core

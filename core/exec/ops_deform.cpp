// DeformConv: every kernel element reads the image at a place of its own, between cells by bilinear weights, outside 0.
#include "core/exec/differentiable.h"
#include "core/exec/matrix_product.h"
#include "core/exec/op_common.h"
#include "core/exec/window.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <cmath>

namespace core {
namespace {

using Ints = std::vector<std::int64_t>;

float readBetween(const float *plane, std::int64_t height, std::int64_t width, float y, float x)
{
    if (!(y > -1 && x > -1 && y < float(height) && x < float(width)))
        return 0;
    const auto top = std::int64_t(std::floor(y)), left = std::int64_t(std::floor(x));
    const float dy = y - float(top), dx = x - float(left);
    const auto cell = [&](std::int64_t row, std::int64_t column) {
        return row >= 0 && row < height && column >= 0 && column < width ? plane[row * width + column] : 0.0f;
    };
    return (1 - dy) * ((1 - dx) * cell(top, left) + dx * cell(top, left + 1)) + dy * ((1 - dx) * cell(top + 1, left) + dx * cell(top + 1, left + 1));
}

struct Deform {
    const float *x, *offset, *mask;   // of one image; mask may be null
    std::int64_t channels, height, width, groups;
    const Window *window;
};

// Columns [channels · kernel cells, output cells] of one image.
void fillColumns(const Deform &d, float *columns)
{
    const Window &w = *d.window;
    const std::int64_t cells = w.kernel[0] * w.kernel[1], outputs = w.outputs[0] * w.outputs[1], perGroup = d.channels / d.groups;
    at::parallel_for(0, d.channels * cells, 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t task = begin; task < end; ++task) {
            const std::int64_t channel = task / cells, cell = task % cells, group = channel / perGroup;
            const float *dy = d.offset + (group * cells + cell) * 2 * outputs, *dx = dy + outputs;
            const float *mask = d.mask ? d.mask + (group * cells + cell) * outputs : nullptr;
            const float *plane = d.x + channel * d.height * d.width;
            for (std::int64_t o = 0; o < outputs; ++o) {
                const std::int64_t row = o / w.outputs[1] * w.strides[0] - w.before[0] + cell / w.kernel[1] * w.dilations[0];
                const std::int64_t column = o % w.outputs[1] * w.strides[1] - w.before[1] + cell % w.kernel[1] * w.dilations[1];
                const float value = readBetween(plane, d.height, d.width, float(row) + dy[o], float(column) + dx[o]);
                columns[task * outputs + o] = mask ? value * mask[o] : value;
            }
        }
    });
}

// The same of LibTorch's operators, for gradients of everything: image, places, mask.
// x [n, c, h, w], offset and mask as the node's inputs → [n, c · cells, outputs].
at::Tensor recordedColumns(const at::Tensor &x, const at::Tensor &offset, const at::Tensor &mask, std::int64_t groups, const Window &w)
{
    const std::int64_t n = x.size(0), height = x.size(2), width = x.size(3), cells = w.kernel[0] * w.kernel[1], outputs = w.outputs[0] * w.outputs[1];
    const auto places = [&](std::size_t axis) {   // [cells, outputs]
        const at::Tensor out = at::arange(w.outputs[axis], at::kLong) * w.strides[axis] - w.before[axis];
        const at::Tensor in = at::arange(w.kernel[axis], at::kLong) * w.dilations[axis];
        const at::Tensor sum = axis == 0 ? in.reshape({-1, 1, 1, 1}) + out.reshape({1, 1, -1, 1}) : in.reshape({1, -1, 1, 1}) + out.reshape({1, 1, 1, -1});
        return sum.expand({w.kernel[0], w.kernel[1], w.outputs[0], w.outputs[1]}).reshape({cells, outputs}).to(x.scalar_type());
    };
    const at::Tensor shift = offset.reshape({n, groups, cells, 2, outputs});
    const at::Tensor y = places(0) + shift.select(3, 0), z = places(1) + shift.select(3, 1);
    const at::Tensor top = at::floor(y.detach()), left = at::floor(z.detach()), dy = y - top, dz = z - left;
    const at::Tensor planes = x.reshape({n, groups, x.size(1) / groups, height * width});
    const Ints flat{n, groups, 1, cells * outputs}, all{n, groups, planes.size(2), cells * outputs};
    at::Tensor result;
    for (const std::int64_t down : {0, 1})
        for (const std::int64_t right : {0, 1}) {
            const at::Tensor row = top + down, column = left + right;
            const at::Tensor weight = (down ? dy : 1 - dy) * (right ? dz : 1 - dz);
            const at::Tensor inside = at::logical_and(at::logical_and(row.ge(0), row.lt(height)), at::logical_and(column.ge(0), column.lt(width)));
            const at::Tensor place = row.clamp(0, height - 1) * width + column.clamp(0, width - 1);
            const at::Tensor values = at::gather(planes, 3, place.to(at::kLong).reshape(flat).expand(all));
            const at::Tensor part = values * (weight * inside).reshape(flat);
            result = result.defined() ? result + part : part;
        }
    if (mask.defined())
        result = result * mask.reshape(flat);
    return result.reshape({n, x.size(1) * cells, outputs});
}

Kernel deformConvKernel(const Node &node, const Graph &)
{
    const std::int64_t groups = node.intAttribute("group", 1), offsetGroups = node.intAttribute("offset_group", 1);
    if (groups < 1 || offsetGroups < 1)
        failNode(ErrorKind::InvalidInput, node, "attribute group or offset_group is not above 0.");
    return [attributes = readWindow(node), groups, offsetGroups, label = nodeLabel(node)](OpCall &call) {
        const bool recorded = recording(call.inputs);
        const auto floats = [&](const at::Tensor &x) { return recorded ? x : x.detach().to(at::kFloat).contiguous(); };
        const auto optional = [&](std::size_t i) { return i < call.inputs.size() ? call.inputs[i] : at::Tensor{}; };
        const at::Tensor x = floats(call.inputs[0]), w = floats(call.inputs[1]), offset = floats(call.inputs[2]), bias = optional(3);
        const at::Tensor mask = optional(4).defined() ? floats(optional(4)) : at::Tensor{};
        if (x.dim() != 4 || w.dim() != 4 || w.size(1) * groups != x.size(1) || w.size(0) % groups != 0 || x.size(1) % offsetGroups != 0)
            failCall(ErrorKind::InvalidInput, label, "input and weight must be [n, c, h, w], and their channels divide into the groups.");
        const Window window = resolveWindow(attributes, w.sizes().slice(2), x, label);
        const std::int64_t n = x.size(0), channels = x.size(1), cells = w.size(2) * w.size(3), outputs = window.outputs[0] * window.outputs[1];
        const auto fits = [&](const at::Tensor &tensor, std::int64_t perCell) {
            return tensor.sizes() == at::IntArrayRef{n, offsetGroups * cells * perCell, window.outputs[0], window.outputs[1]};
        };
        if (!fits(offset, 2) || (mask.defined() && !fits(mask, 1)))
            failCall(ErrorKind::InvalidInput, label, "offset or mask does not fit the result.");
        checkResultSize({channels * cells, outputs}, label);
        if (recorded && x.numel() > 0) {
            const at::Tensor columns = recordedColumns(x, offset, mask, offsetGroups, window).reshape({n, groups, channels / groups * cells, outputs});
            const at::Tensor result = at::matmul(w.reshape({groups, w.size(0) / groups, -1}), columns).reshape({n, w.size(0), window.outputs[0], window.outputs[1]});
            call.outputs[0] = bias.defined() ? result + bias.reshape({1, -1, 1, 1}) : result;
            return;
        }
        std::vector<at::Tensor> images;
        const at::Tensor columns = at::empty({groups, channels / groups * cells, outputs}, at::kFloat), weight = w.reshape({groups, w.size(0) / groups, -1});
        for (std::int64_t i = 0; i < n; ++i) {
            const auto image = [&](const at::Tensor &tensor) { return tensor.data_ptr<float>() + i * (tensor.numel() / n); };
            fillColumns({image(x), image(offset), mask.defined() ? image(mask) : nullptr, channels, x.size(2), x.size(3), offsetGroups, &window},
                        columns.data_ptr<float>());
            images.push_back(matrixProduct(weight, columns).reshape({w.size(0), window.outputs[0], window.outputs[1]}));
        }
        at::Tensor result = images.empty() ? at::zeros({0, w.size(0), window.outputs[0], window.outputs[1]}, at::kFloat) : at::stack(images, 0);
        call.outputs[0] = bias.defined() ? result + bias.reshape({1, -1, 1, 1}) : result;
    };
}

} // namespace

void registerDeformOps(OpRegistry &registry)
{
    registry.add("DeformConv", deformConvKernel);
}

} // namespace core

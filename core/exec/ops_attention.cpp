// Attention and RotaryEmbedding (operator sets 23 and 24).
#include "core/exec/differentiable.h"
#include "core/exec/matrix_product.h"
#include "core/exec/op_common.h"

#include <ATen/ATen.h>

#include <cmath>
#include <limits>

namespace core {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

at::Tensor optionalInput(const OpCall &call, std::size_t i)
{
    return i < call.inputs.size() ? call.inputs[i] : at::Tensor{};
}

struct AttentionOptions {
    std::int64_t queryHeads = 0, keyHeads = 0, shown = 0;
    bool causal = false;
    float scale = 0, softcap = 0;   // scale 0: 1 / √(head size)
    std::string label;
};

// [batch, length, heads · size] → [batch, heads, length, size]
at::Tensor splitHeads(const at::Tensor &x, std::int64_t heads, const std::string &label)
{
    if (x.dim() == 4)
        return x;
    if (x.dim() != 3 || heads < 1 || x.size(2) % heads != 0)
        failCall(ErrorKind::InvalidInput, label, "an input of rank " + std::to_string(x.dim()) + " does not divide into " + std::to_string(heads) + " heads.");
    return x.reshape({x.size(0), x.size(1), heads, x.size(2) / heads}).transpose(1, 2);
}

at::Tensor repeatHeads(const at::Tensor &x, std::int64_t heads, const std::string &label)
{
    if (x.size(1) == heads)
        return x;
    if (x.size(1) == 0 || heads % x.size(1) != 0)
        failCall(ErrorKind::InvalidInput, label, std::to_string(heads) + " query heads do not divide among " + std::to_string(x.size(1)) + " heads.");
    return x.repeat_interleave(heads / x.size(1), 1);
}

// Zeros where `allowed`, else −infinity.
at::Tensor biasOf(const at::Tensor &allowed)
{
    return at::zeros(allowed.sizes(), at::kFloat).masked_fill(at::logical_not(allowed), -infinity);
}

// What is added to the scores: the mask, the causal frontier (query i sees keys up to i + offset), the padding of the keys.
at::Tensor attentionBias(const OpCall &call, const AttentionOptions &options, std::int64_t queries, std::int64_t keys, std::int64_t past)
{
    at::Tensor bias = at::zeros({queries, keys}, at::kFloat);
    if (at::Tensor mask = optionalInput(call, 3); mask.defined()) {
        if (mask.scalar_type() == at::kBool)
            mask = biasOf(mask);
        if (mask.dim() > 0 && mask.size(-1) < keys)
            mask = at::constant_pad_nd(mask, {0, keys - mask.size(-1)}, -infinity);
        bias = bias + mask;
    }
    const at::Tensor lengths = optionalInput(call, 6), columns = at::arange(keys, at::kLong);
    if (options.causal) {
        at::Tensor last = at::arange(queries, at::kLong).unsqueeze(1) + past;
        if (lengths.defined())
            last = last + (lengths.to(at::kLong).reshape({-1, 1, 1, 1}) - queries);
        bias = bias + biasOf(columns.le(last));
    }
    if (lengths.defined())
        bias = bias + biasOf(columns.lt(lengths.to(at::kLong).reshape({-1, 1, 1, 1})));
    return bias;
}

void attend(OpCall &call, const AttentionOptions &options)
{
    const std::string &label = options.label;
    const bool flat = call.inputs[0].dim() == 3;
    const at::Tensor query = splitHeads(call.inputs[0], options.queryHeads, label);
    at::Tensor key = splitHeads(call.inputs[1], options.keyHeads, label), value = splitHeads(call.inputs[2], options.keyHeads, label);
    const at::Tensor pastKey = optionalInput(call, 4), pastValue = optionalInput(call, 5);
    if (pastKey.defined())
        key = at::cat({pastKey, key}, 2);
    if (pastValue.defined())
        value = at::cat({pastValue, value}, 2);
    const std::int64_t heads = query.size(1), past = pastKey.defined() ? pastKey.size(2) : 0;
    const auto shown = [&](std::size_t i, const at::Tensor &x) {
        if (call.outputs.size() > i)
            call.outputs[i] = x;
    };
    shown(1, key);
    shown(2, value);
    const at::Tensor bias = attentionBias(call, options, query.size(2), key.size(2), past);
    const float factor = std::sqrt(options.scale != 0 ? options.scale : 1 / std::sqrt(float(query.size(3))));
    at::Tensor scores = matrixProduct(query * factor, repeatHeads(key, heads, label).transpose(2, 3) * factor);
    if (options.shown == 0)
        shown(3, scores);
    if (options.softcap > 0)
        scores = at::tanh(scores / options.softcap) * options.softcap;
    if (options.shown == 1)
        shown(3, scores);
    scores = scores + bias;
    if (options.shown == 2)
        shown(3, scores);
    // A query that may see no key gets zeros.
    const at::Tensor blind = bias.numel() > 0 ? at::amax(bias, -1, true).eq(-infinity) : at::Tensor{};
    if (blind.defined() && recording({scores}))
        scores = scores.masked_fill(blind, 0);   // the softmax of nothing would send NaN back
    at::Tensor weights = at::softmax(scores, -1);
    if (blind.defined())
        weights = weights.masked_fill(blind, 0);
    if (options.shown == 3)
        shown(3, weights);
    const at::Tensor result = matrixProduct(weights, repeatHeads(value, heads, label));
    call.outputs[0] = flat ? result.transpose(1, 2).reshape({result.size(0), result.size(2), heads * result.size(3)}) : result;
}

Kernel attentionKernel(const Node &node, const Graph &)
{
    AttentionOptions options;
    options.queryHeads = node.intAttribute("q_num_heads", 0);
    options.keyHeads = node.intAttribute("kv_num_heads", 0);
    options.shown = node.intAttribute("qk_matmul_output_mode", 0);
    options.causal = node.intAttribute("is_causal", 0) != 0;
    options.scale = node.floatAttribute("scale", 0);
    options.softcap = node.floatAttribute("softcap", 0);
    options.label = nodeLabel(node);
    if (node.intAttribute("left_window_size", -1) != -1 || node.intAttribute("right_window_size", -1) != -1)
        failNode(ErrorKind::Unsupported, node, "sliding windows are not supported.");
    if (options.scale < 0 || options.shown < 0 || options.shown > 3)
        failNode(ErrorKind::InvalidInput, node, "attribute scale or qk_matmul_output_mode is out of range.");
    return [options](OpCall &call) { attend(call, options); };
}

Kernel rotaryKernel(const Node &node, const Graph &)
{
    return [interleaved = node.intAttribute("interleaved", 0) != 0, given = node.intAttribute("rotary_embedding_dim", 0), heads = node.intAttribute("num_heads", 0),
            label = nodeLabel(node)](OpCall &call) {
        const at::Tensor &input = call.inputs[0], positions = optionalInput(call, 3);
        const at::Tensor x = splitHeads(input, heads, label).transpose(1, 2);   // [batch, length, heads, size]
        const std::int64_t turned = given > 0 ? given : x.size(3), half = turned / 2;
        const auto cache = [&](std::size_t i) {
            at::Tensor table = call.inputs[i];
            if (positions.defined()) {
                const at::Tensor rows = positions.to(at::kLong);
                if (rows.numel() > 0 && (rows.min().item<std::int64_t>() < 0 || rows.max().item<std::int64_t>() >= table.size(0)))
                    failCall(ErrorKind::InvalidInput, label, "a position lies outside the cache.");
                table = table.index_select(0, rows.reshape({-1})).reshape({rows.size(0), rows.size(1), table.size(-1)});
            }
            if (table.dim() != 3 || table.size(2) != half || turned % 2 != 0 || turned > x.size(3))
                failCall(ErrorKind::InvalidInput, label, "the caches do not fit " + std::to_string(turned) + " rotated numbers.");
            return table.unsqueeze(2);
        };
        const at::Tensor cosine = cache(1), sine = cache(2), part = x.narrow(3, 0, turned);
        const at::Tensor a = interleaved ? part.slice(3, 0, turned, 2) : part.narrow(3, 0, half);
        const at::Tensor b = interleaved ? part.slice(3, 1, turned, 2) : part.narrow(3, half, half);
        const at::Tensor real = cosine * a - sine * b, imaginary = sine * a + cosine * b;
        const at::Tensor both = interleaved ? at::stack({real, imaginary}, -1).reshape(part.sizes()) : at::cat({real, imaginary}, 3);
        const at::Tensor result = at::cat({both, x.narrow(3, turned, x.size(3) - turned)}, 3);
        call.outputs[0] = input.dim() == 3 ? result.reshape(input.sizes()) : result.transpose(1, 2);
    };
}

} // namespace

void registerAttentionOps(OpRegistry &registry)
{
    registry.add("Attention", attentionKernel);
    registry.add("RotaryEmbedding", rotaryKernel);
}

} // namespace core

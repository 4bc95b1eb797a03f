// Operators with parameters: convolutions, products, normalizations, attention, recurrence.
#pragma once

#include "tests/support/gradient_check.h"

namespace tests {

inline std::vector<GradientCase> convolutionCases()
{
    const Ints two{2, 2}, one{1, 1, 1, 1};
    const std::int64_t g2 = 2, g4 = 4;
    return {
        {"1d", "Conv", {distinct({2, 2, 7}), distinct({3, 2, 3}, 2), distinct({3}, 3)}, {{"strides", Ints{2}}, {"pads", Ints{1, 1}}}},
        {"plain", "Conv", {distinct({2, 3, 5, 4}), distinct({2, 3, 3, 3}, 2), distinct({2}, 3)}, {{"pads", one}}},
        {"no bias, 1x1", "Conv", {distinct({2, 3, 3, 4}), distinct({5, 3, 1, 1}, 2)}},
        {"groups", "Conv", {distinct({2, 4, 4, 4}), distinct({6, 2, 3, 3}, 2, 0.5), distinct({6}, 3)}, {{"group", g2}, {"strides", two}, {"pads", one}}},
        {"depthwise", "Conv", {distinct({2, 4, 5, 4}), distinct({4, 1, 3, 3}, 2), distinct({4}, 3)}, {{"group", g4}, {"pads", one}}},
        {"depthwise 5x5, stride", "Conv", {distinct({1, 4, 7, 7}), distinct({4, 1, 5, 5}, 2), distinct({4}, 3)}, {{"group", g4}, {"strides", two}, {"pads", Ints{1, 1, 2, 2}}}},
        {"two for each channel", "Conv", {distinct({2, 2, 4, 4}), distinct({4, 1, 3, 3}, 2)}, {{"group", g2}}},
        {"dilation", "Conv", {distinct({1, 2, 6, 7}), distinct({2, 2, 3, 2}, 2), distinct({2}, 3)}, {{"dilations", two}, {"pads", one}}},
        {"pads of one side", "Conv", {distinct({2, 2, 5, 5}), distinct({2, 2, 3, 3}, 2), distinct({2}, 3)}, {{"strides", two}, {"pads", Ints{0, 0, 1, 1}}}},
        {"same upper", "Conv", {distinct({1, 2, 6, 6}), distinct({2, 2, 3, 3}, 2)}, {{"strides", two}, {"auto_pad", std::string("SAME_UPPER")}}},
        {"3d", "Conv", {distinct({1, 2, 3, 4, 3}), distinct({2, 2, 2, 2, 2}, 2), distinct({2}, 3)}, {{"pads", Ints{1, 0, 0, 0, 1, 0}}}},
        {"1d", "ConvTranspose", {distinct({2, 2, 4}), distinct({2, 3, 3}, 2), distinct({3}, 3)}, {{"strides", Ints{2}}, {"pads", Ints{1, 0}}}},
        {"groups, output padding", "ConvTranspose", {distinct({1, 4, 3, 3}), distinct({4, 1, 3, 3}, 2), distinct({2}, 3)},
         {{"group", g2}, {"strides", two}, {"output_padding", Ints{1, 0}}, {"pads", one}}},
        {"dilation", "ConvTranspose", {distinct({1, 2, 3, 3}), distinct({2, 2, 2, 2}, 2)}, {{"dilations", two}}},
        {"3d", "ConvTranspose", {distinct({1, 2, 2, 2, 3}), distinct({2, 1, 2, 2, 2}, 2), distinct({1}, 3)}, {{"strides", Ints{1, 2, 1}}}},
        {"mask, groups", "DeformConv", {distinct({2, 4, 4, 4}), distinct({4, 2, 2, 2}, 2), distinct({2, 16, 3, 3}, 3, 0.6), distinct({4}, 4), distinct({2, 8, 3, 3}, 5)},
         {{"group", g2}, {"offset_group", g2}}},
        {"stride, pads", "DeformConv", {distinct({1, 2, 5, 5}), distinct({3, 2, 3, 3}, 2), distinct({1, 18, 3, 3}, 3, 0.9)}, {{"strides", two}, {"pads", one}}},
    };
}

inline std::vector<GradientCase> productCases()
{
    const std::int64_t yes = 1, heads = 2;
    return {
        {"plain", "Gemm", {distinct({3, 4}), distinct({4, 2}, 2), distinct({2}, 3)}},
        {"turned, factors", "Gemm", {distinct({4, 3}), distinct({2, 4}, 2), distinct({3, 1}, 3)}, {{"transA", yes}, {"transB", yes}, {"alpha", 0.5f}, {"beta", 2.0f}}},
        {"matrices", "MatMul", {distinct({3, 4}), distinct({4, 2}, 2)}},
        {"batches", "MatMul", {distinct({2, 1, 3, 4}), distinct({3, 4, 2}, 2)}},
        {"vector", "MatMul", {distinct({2, 3, 4}), distinct({4}, 2)}},
        {"two", "Det", {distinct({2, 3, 3})}},
        {"product", "Einsum", {distinct({2, 3, 4}), distinct({2, 4, 5}, 2)}, {{"equation", std::string("bij,bjk->bik")}}},
        {"three operands", "Einsum", {distinct({2, 3}), distinct({3, 4}, 2), distinct({4}, 3)}, {{"equation", std::string("ij,jk,k->i")}}},
        {"diagonal and sum", "Einsum", {distinct({3, 3, 2})}, {{"equation", std::string("iij->j")}}},
        {"dots", "Einsum", {distinct({2, 3, 4}), distinct({4, 2}, 2)}, {{"equation", std::string("...a,ab->...b")}}},
        {"plain", "Attention", {distinct({1, 2, 3, 4}), distinct({1, 2, 5, 4}, 2), distinct({1, 2, 5, 3}, 3)}},
        {"heads, mask, cap", "Attention", {distinct({2, 3, 8}), distinct({2, 4, 4}, 2), distinct({2, 4, 4}, 3), distinct({3, 4}, 4)},
         {{"q_num_heads", std::int64_t(4)}, {"kv_num_heads", heads}, {"softcap", 2.0f}}},
        {"past, shown scores", "Attention", {distinct({1, 2, 2, 4}), distinct({1, 2, 2, 4}, 2), distinct({1, 2, 2, 4}, 3), {}, distinct({1, 2, 1, 4}, 4), distinct({1, 2, 1, 4}, 5)},
         {{"is_causal", yes}, {"qk_matmul_output_mode", std::int64_t(3)}}, 4},
        {"a query that sees nothing", "Attention", {distinct({1, 1, 2, 4}), distinct({1, 1, 3, 4}, 2), distinct({1, 1, 3, 4}, 3),
         at::tensor(std::vector<std::int64_t>{0, 0, 0, 1, 0, 1}, at::kLong).to(at::kBool).reshape({2, 3})}},
        {"halves", "RotaryEmbedding", {distinct({2, 2, 3, 4}), distinct({2, 3, 2}, 2), distinct({2, 3, 2}, 3)}},
        {"interleaved, part", "RotaryEmbedding", {distinct({1, 3, 12}), distinct({5, 1}, 2), distinct({5, 1}, 3), list({0, 2, 4}, {1, 3})},
         {{"interleaved", yes}, {"num_heads", heads}, {"rotary_embedding_dim", std::int64_t(2)}}},
    };
}

inline std::vector<GradientCase> normalizationCases()
{
    const auto s = [](std::int64_t n, std::int64_t seed) { return distinct({n}, seed); };
    const std::int64_t one = 1, two = 2;
    return {
        {"images", "BatchNormalization", {distinct({2, 3, 3, 2}), s(3, 2), s(3, 3), s(3, 4), positive({3}, 5)}, {{"epsilon", 1e-2f}}},
        {"rows", "BatchNormalization", {distinct({4, 3}), s(3, 2), s(3, 3), s(3, 4), positive({3}, 5)}},
        {"volumes", "BatchNormalization", {distinct({1, 2, 2, 2, 2}), s(2, 2), s(2, 3), s(2, 4), positive({2}, 5)}},
        {"batch statistics", "BatchNormalization", {distinct({2, 3, 3, 2}), s(3, 2), s(3, 3), s(3, 4), positive({3}, 5)}, {{"training_mode", one}}, 3},
        {"images", "InstanceNormalization", {distinct({2, 3, 3, 2}), s(3, 2), s(3, 3)}},
        {"two", "GroupNormalization", {distinct({2, 4, 2, 3}), s(4, 2), s(4, 3)}, {{"num_groups", two}}},
        {"scale of a group", "GroupNormalization", {distinct({2, 4, 3}), s(2, 2), s(2, 3)}, {{"num_groups", two}}},
        {"last", "LayerNormalization", {distinct({2, 3, 4}), s(4, 2), s(4, 3)}},
        {"two axes, means", "LayerNormalization", {distinct({2, 3, 4}), distinct({3, 4}, 2), distinct({3, 4}, 3)}, {{"axis", one}}, 3},
        {"one scale", "LayerNormalization", {distinct({2, 3, 4}), s(1, 2)}},
        {"last", "RMSNormalization", {distinct({2, 3, 4}), s(4, 2)}},
        {"three", "LRN", {distinct({2, 5, 2, 2})}, {{"size", std::int64_t(3)}, {"alpha", 0.3f}, {"beta", 0.6f}}},
        {"l1", "LpNormalization", {distinct({2, 3, 4})}, {{"p", one}, {"axis", one}}},
        {"l2", "LpNormalization", {distinct({2, 3, 4})}},
        {"images", "MeanVarianceNormalization", {distinct({2, 2, 2, 3})}},
    };
}

inline std::vector<GradientCase> recurrentCases()
{
    const std::string both = "bidirectional";
    const auto w = [](std::int64_t directions, std::int64_t gates, std::int64_t seed) { return distinct({directions, gates * 2, 3}, seed, 0.4); };
    const auto r = [](std::int64_t directions, std::int64_t gates, std::int64_t seed) { return distinct({directions, gates * 2, 2}, seed, 0.4); };
    const std::int64_t hidden = 2, yes = 1;
    return {
        {"forward", "RNN", {distinct({3, 2, 3}), w(1, 1, 2), r(1, 1, 3), distinct({1, 4}, 4), {}, distinct({1, 2, 2}, 5)}, {{"hidden_size", hidden}}, 2},
        {"both", "GRU", {distinct({3, 2, 3}), w(2, 3, 2), r(2, 3, 3), distinct({2, 12}, 4)}, {{"hidden_size", hidden}, {"direction", both}}, 2},
        {"linear before reset", "GRU", {distinct({3, 2, 3}), w(1, 3, 2), r(1, 3, 3), distinct({1, 12}, 4)}, {{"hidden_size", hidden}, {"linear_before_reset", yes}}, 2},
        {"lengths, peepholes", "LSTM", {distinct({3, 2, 3}), w(1, 4, 2), r(1, 4, 3), distinct({1, 16}, 4), at::tensor(std::vector<int>{3, 2}, at::kInt), distinct({1, 2, 2}, 5),
         distinct({1, 2, 2}, 6), distinct({1, 6}, 7)}, {{"hidden_size", hidden}}, 3},
    };
}

} // namespace tests

#include "tools/train_sample/network.h"

#include <cmath>

std::vector<LayerSpec> sampleLayers()
{
    return {
        {"stem", 1, 16, 3, 1, false, true, +1},
        {"block1/depthwise", 16, 16, 3, 2, true, true, -1},
        {"block1/pointwise", 16, 32, 1, 1, false, true, +1},
        {"block2/depthwise", 32, 32, 3, 1, true, true, -1, true},
        {"block2/pointwise", 32, 32, 1, 1, false, false, 0, false, true},
        {"block3/depthwise", 32, 32, 3, 2, true, true, 0},
        {"block3/pointwise", 32, 64, 1, 1, false, true, +1},
        {"block4/depthwise", 64, 64, 3, 1, true, true, -1, true},
        {"block4/pointwise", 64, 64, 1, 1, false, false, 0, false, true},
        {"head", 64, 96, 1, 1, false, true, 0},
    };
}

SampleNetworkImpl::SampleNetworkImpl(double ratio)
{
    for (const LayerSpec &l : layers) {
        const std::int64_t perGroup = l.depthwise ? 1 : l.in;
        const double deviation = std::sqrt(2.0 / double(perGroup * l.kernel * l.kernel));
        std::string id = l.name;
        for (char &c : id)
            c = c == '/' ? '_' : c;
        weight.push_back(register_parameter(id + "_weight", torch::randn({l.out, perGroup, l.kernel, l.kernel}) * deviation));
        gamma.push_back(register_parameter(id + "_gamma", torch::ones({l.out})));
        beta.push_back(register_parameter(id + "_beta", torch::zeros({l.out})));
        mean.push_back(register_buffer(id + "_mean", torch::zeros({l.out})));
        variance.push_back(register_buffer(id + "_variance", torch::ones({l.out})));
        // The same channel order of exponents for every layer of a width, so that producer and depthwise convolution pair up.
        torch::Tensor exponent = torch::zeros({l.out});
        for (std::int64_t c = 0; c < l.out; ++c)
            exponent[c] = double(l.spreadSign) * (double((c * 7 + 3) % l.out) / double(l.out - 1) - 0.5);
        spread.push_back(register_buffer(id + "_spread", torch::pow(ratio, exponent)));
    }
    const std::int64_t features = layers.back().out;
    fcWeight = register_parameter("fc_weight", torch::randn({10, features}) * std::sqrt(1.0 / double(features)));
    fcBias = register_parameter("fc_bias", torch::zeros({10}));
}

torch::Tensor SampleNetworkImpl::forward(torch::Tensor x)
{
    torch::Tensor kept;
    for (std::size_t i = 0; i < layers.size(); ++i) {
        const LayerSpec &l = layers[i];
        if (l.opensResidual)
            kept = x;
        x = at::conv2d(x, weight[i], {}, l.stride, l.kernel / 2, 1, l.depthwise ? l.in : 1);
        x = at::batch_norm(x, gamma[i] * spread[i], beta[i] * spread[i], mean[i], variance[i], is_training(), 0.1, epsilon, false);
        if (l.relu6)
            x = at::hardtanh(x, 0, 6);
        if (l.closesResidual)
            x = x + kept;
    }
    return at::linear(x.mean({2, 3}), fcWeight, fcBias);
}

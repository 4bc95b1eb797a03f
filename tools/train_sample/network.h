// The sample network: a small MobileNet for 28×28 grey images, 10 classes, about 17,000 parameters.
//
//   28×28   Conv 3×3, 1→16 · BN · ReLU6
//           depthwise 3×3 /2 · BN · ReLU6 · 1×1, 16→32 · BN · ReLU6
//   14×14   x + [ depthwise 3×3 · BN · ReLU6 · 1×1, 32→32 · BN ]
//           depthwise 3×3 /2 · BN · ReLU6 · 1×1, 32→64 · BN · ReLU6
//    7×7    x + [ depthwise 3×3 · BN · ReLU6 · 1×1, 64→64 · BN ]
//           1×1, 64→96 · BN · ReLU6 · GlobalAveragePool · Gemm 96→10
//
// Why it is hard to quantize. In MobileNets as deployed, the channels of a depthwise convolution differ in range by one to
// two orders of magnitude once BatchNormalization is folded (Nagel et al. 2019, "Data-Free Quantization Through Weight
// Equalization and Bias Correction", figure 2). A network this small, trained for minutes, does not grow that by itself.
// So the scale of every BatchNormalization before and behind a depthwise convolution is parametrised as γ·spread with a fixed
// spread per channel, a power of `ratio` in −½…½, opposite before and behind. Training goes through it like through any other
// BatchNormalization; on export γ·spread and β·spread are simply its scale and bias. Ranges of the folded depthwise
// weights then differ by about ratio², activations by ratio only: one scale per tensor starves the small channels,
// a scale per channel (or equalization) does not.
#pragma once

#include <torch/torch.h>

#include <string>
#include <vector>

struct LayerSpec {
    std::string name;
    std::int64_t in = 0, out = 0, kernel = 1, stride = 1;
    bool depthwise = false;
    bool relu6 = true;
    int spreadSign = 0;                 ///< +1: spread, −1: spread inverted, 0: none
    bool opensResidual = false;         ///< its input is kept …
    bool closesResidual = false;        ///< … and added to its output
};

/// The layers up to the pooling, in order.
std::vector<LayerSpec> sampleLayers();

struct SampleNetworkImpl : torch::nn::Module {
    explicit SampleNetworkImpl(double ratio);
    torch::Tensor forward(torch::Tensor x);   ///< N×1×28×28 in 0…1 → N×10

    /// As an exporter sees them: spread multiplied in.
    torch::Tensor scale(std::size_t layer) const { return (gamma[layer] * spread[layer]).detach(); }
    torch::Tensor shift(std::size_t layer) const { return (beta[layer] * spread[layer]).detach(); }

    std::vector<LayerSpec> layers = sampleLayers();
    std::vector<torch::Tensor> weight, gamma, beta, spread, mean, variance;
    torch::Tensor fcWeight, fcBias;
    static constexpr double epsilon = 1e-3;
};
TORCH_MODULE(SampleNetwork);

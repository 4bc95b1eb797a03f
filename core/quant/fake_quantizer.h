// The quantizer of one sharing set (a point, or several that share scale and zero point) while a model is trained: differentiable, and at any
// time it can say which numbers it would be frozen with.
#pragma once

#include "core/kernels/fake_quantize.h"
#include "core/spec/placement.h"
#include "core/stats/affine.h"

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>
#include <vector>

namespace core {

struct NamedTensor {
    std::string name;
    at::Tensor tensor;
};

struct FakeQuantizerOptions {
    Scheme scheme;                       ///< integers (3 and 2 bits too), float16, bfloat16 or fp8; static or dynamic
    PointKind kind = PointKind::Activation;
    std::vector<AffineParams> start;     ///< PointNumbers::params after calibration
    Range startRange, seen;              ///< PointNumbers::range and ::seen; activations
    at::Tensor initial;                  ///< weights and biases: the tensor at the start
};

class FakeQuantizer {
public:
    virtual ~FakeQuantizer() = default;

    /// r̂ = fake quantization of clamp(r), in float32, same sizes and memory format; gradients flow to r and to trainable(). The clamp is a Relu or
    /// Clip before it, done in the same pass (its gradient is 0 on and beyond its bounds). Without GradMode nothing is kept and no average moves.
    virtual at::Tensor operator()(const at::Tensor &r, PreClamp clamp = {}) = 0;

    /// The numbers as they stand: operator() computes exactly what ONNX QuantizeLinear → DequantizeLinear with them does.
    virtual std::vector<AffineParams> params() const = 0;

    /// Leaves that require a gradient; empty for STE.
    virtual std::vector<at::Tensor> trainable() const { return {}; }
    /// What it is; another than the scheme asks for where that cannot be kept (see makeFakeQuantizer).
    virtual QatMethod method() const = 0;
    /// After every step of the optimiser: keeps parameters inside their bounds (LSQ: above 2^-23; TQT: ten octaves around the start), and takes
    /// the ranges that the step's calls saw, joined, into the averages of STE.
    virtual void afterStep() {}
    /// Ends the moving averages of STE; others have none.
    virtual void freezeAverages() {}
    /// Everything a checkpoint must hold, names unique within the quantizer. Writing into these tensors restores the state.
    virtual std::vector<NamedTensor> state() const = 0;
    /// One number for a curve: the mean over its channels of scale · largest code (lowest, where that is farther from 0).
    double threshold() const;
};

/// By scheme.qat: STE, LSQ or TQT. Dynamic and floating-point types and biases are STE always. LSQ cannot keep power-of-two scales: TQT takes its
/// place where it can (signed, symmetric, per tensor, half_even), else STE; method() tells. Throws Error{Unsupported} for TQT of anything else than
/// signed symmetric codes per tensor, Error{InvalidInput} for numbers or ranges that are missing or make no sense.
std::unique_ptr<FakeQuantizer> makeFakeQuantizer(const FakeQuantizerOptions &options);

} // namespace core

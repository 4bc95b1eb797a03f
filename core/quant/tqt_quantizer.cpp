#include "core/quant/tqt_quantizer.h"

#include "core/quant/fake_quantizer_function.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

namespace core {
namespace {

constexpr double octaves = 10, ln2 = 0.69314718055994530942;

class TqtQuantizer : public FakeQuantizer {
public:
    explicit TqtQuantizer(const FakeQuantizerOptions &options) : m_weights(options.kind != PointKind::Activation)
    {
        AffineOptions affine = options.scheme.affineOptions();
        affine.narrow = false;
        m_pass.params = {affineFromRange({0, 0}, affine)};
        m_pass.round = options.scheme.roundMethod;
        m_pass.runs = std::make_shared<QuantizerRuns>();
        m_codes = double(m_pass.params[0].qmax) + 1;
        const double scale = double(options.start[0].scale);
        m_log2t = at::empty({1}, at::kFloat);
        m_start = at::empty({1}, at::kDouble);
        begin(scale > 0 ? scale * m_codes : std::nan(""));
        if (m_weights)
            initialize(options.initial.detach().to(at::kFloat), {});
        m_log2t.requires_grad_();
    }

    at::Tensor operator()(const at::Tensor &given, PreClamp clamp) override
    {
        const at::Tensor r = asFloat(given);
        if (!m_weights && r.numel() > 0)
            initialize(r.detach(), clamp);
        m_pass.params = params();
        m_pass.clamp = clamp;
        return withScaleGradient(r, m_log2t, m_pass, {double(m_pass.params[0].scale) * ln2});
    }

    std::vector<AffineParams> params() const override
    {
        AffineParams result = m_pass.params[0];
        result.scale = float(std::exp2(std::ceil(bounded(double(*m_log2t.data_ptr<float>())))) / m_codes);
        return {result};
    }

    std::vector<at::Tensor> trainable() const override { return {m_log2t}; }
    QatMethod method() const override { return QatMethod::Tqt; }

    void afterStep() override
    {
        float &log2t = *m_log2t.data_ptr<float>();
        log2t = float(bounded(double(log2t)));
    }

    std::vector<NamedTensor> state() const override { return {{"log2t", m_log2t}, {"start", m_start}}; }

private:
    double start() const { return *m_start.data_ptr<double>(); }

    /// threshold: NaN when there is none yet.
    void begin(double threshold)
    {
        *m_start.data_ptr<double>() = threshold > 0 && std::isfinite(threshold) ? std::log2(threshold) : std::nan("");
        *m_log2t.data_ptr<float>() = std::isnan(start()) ? 0.0f : float(start());
    }

    void initialize(const at::Tensor &r, PreClamp clamp)
    {
        if (!std::isnan(start()) || r.numel() == 0)
            return;
        const at::NoGradGuard guard;
        const at::Tensor x = r.clamp(clamp.low, clamp.high).to(at::kDouble);
        begin(std::abs(x.mean().item<double>()) + 3 * x.std(false).item<double>());
    }

    /// Ten octaves around the start, and scales of at least 2^-23; NaN gives the lowest.
    double bounded(double log2t) const
    {
        if (std::isnan(start()))
            return 0;
        const double least = std::min(start(), std::max(start() - octaves, std::log2(m_codes) - 23));
        return log2t > least ? std::min(log2t, start() + octaves) : least;
    }

    bool m_weights;
    double m_codes = 128;
    QuantizerPass m_pass;
    at::Tensor m_log2t, m_start;
};

} // namespace

std::unique_ptr<FakeQuantizer> makeTqtQuantizer(const FakeQuantizerOptions &options)
{
    return std::make_unique<TqtQuantizer>(options);
}

} // namespace core

#include "core/quant/lsq_quantizer.h"

#include "core/quant/fake_quantizer_function.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

namespace core {
namespace {

constexpr double smallestScale = 0x1p-23, largestScale = 0x1p100;

class LsqQuantizer : public FakeQuantizer {
public:
    explicit LsqQuantizer(const FakeQuantizerOptions &options) : m_weights(options.kind != PointKind::Activation)
    {
        m_pass.params = options.start;
        m_pass.round = options.scheme.roundMethod;
        m_pass.runs = m_weights ? std::make_shared<QuantizerRuns>(options.scheme, options.initial.sizes(), options.start.size())
                                : std::make_shared<QuantizerRuns>();
        const auto entries = std::int64_t(options.start.size());
        m_sigma = at::ones({entries}, at::kFloat).requires_grad_();
        m_start = at::empty({entries}, at::kDouble);
        for (std::size_t i = 0; i < options.start.size(); ++i)
            m_start.data_ptr<double>()[i] = double(options.start[i].scale);
        if (m_weights) {
            initialize(options.initial.detach().to(at::kFloat), {});
            m_elements = m_pass.runs->elementsOfEntries(options.initial.numel());
        }
    }

    at::Tensor operator()(const at::Tensor &given, PreClamp clamp) override
    {
        const at::Tensor r = asFloat(given);
        if (!m_weights && r.numel() > 0)
            initialize(r.detach(), clamp);
        m_pass.params = params();
        m_pass.clamp = clamp;
        const double samples = r.dim() > 0 ? double(std::max<std::int64_t>(r.size(0), 1)) : 1.0;
        std::vector<double> factors(m_pass.params.size());
        for (std::size_t i = 0; i < factors.size(); ++i) {
            const AffineParams &entry = m_pass.params[i];
            const double count = m_weights ? double(m_elements[i]) : double(r.numel()) / samples;
            const double largest = std::max({-lowOf(entry), highOf(entry), 1.0});
            factors[i] = start()[i] / std::sqrt(std::max(count, 1.0) * largest);
        }
        return withScaleGradient(r, m_sigma, m_pass, factors);
    }

    std::vector<AffineParams> params() const override
    {
        std::vector<AffineParams> result = m_pass.params;
        for (std::size_t i = 0; i < result.size(); ++i)
            if (!degenerate(start()[i]))
                result[i].scale = float(bounded(start()[i] * double(m_sigma.data_ptr<float>()[i])));
        return result;
    }

    std::vector<at::Tensor> trainable() const override { return {m_sigma}; }
    QatMethod method() const override { return QatMethod::Lsq; }

    void afterStep() override
    {
        for (std::int64_t i = 0; i < m_sigma.numel(); ++i) {
            const double scale = start()[i] * double(m_sigma.data_ptr<float>()[i]);
            if (!degenerate(start()[i]) && scale != bounded(scale))
                m_sigma.data_ptr<float>()[i] = float(bounded(scale) / start()[i]);
        }
    }

    std::vector<NamedTensor> state() const override { return {{"sigma", m_sigma}, {"start", m_start}}; }

private:
    static double lowOf(const AffineParams &params) { return double(std::int64_t(params.qmin) - params.zeroPoint); }
    static double highOf(const AffineParams &params) { return double(std::int64_t(params.qmax) - params.zeroPoint); }
    static bool degenerate(double scale) { return !(scale > 0 && std::isfinite(scale)); }
    /// NaN gives the smallest scale.
    static double bounded(double scale) { return scale > smallestScale ? std::min(scale, largestScale) : smallestScale; }
    double *start() const { return m_start.data_ptr<double>(); }

    void initialize(const at::Tensor &r, PreClamp clamp)
    {
        if (std::none_of(start(), start() + m_start.numel(), degenerate))
            return;
        const at::Tensor x = m_pass.runs->arranged(r);
        std::vector<double> sums(m_pass.params.size()), counts(sums.size());
        for (std::int64_t task = 0; task < m_pass.runs->tasks(x.numel()); ++task) {
            const QuantizerRuns::Run run = m_pass.runs->at(task, x.numel());
            for (std::int64_t i = run.begin; i < run.begin + run.count; ++i)
                sums[run.entry] += std::abs(double(std::min(std::max(x.data_ptr<float>()[i], clamp.low), clamp.high)));
            counts[run.entry] += double(run.count);
        }
        for (std::size_t i = 0; i < sums.size(); ++i)
            if (degenerate(start()[i])) {
                const double scale = 2 * sums[i] / std::max(counts[i], 1.0) / std::sqrt(std::max(highOf(m_pass.params[i]), 1.0));
                start()[i] = degenerate(scale) ? 1.0 : bounded(double(float(scale)));
            }
    }

    bool m_weights;
    QuantizerPass m_pass;
    std::vector<std::int64_t> m_elements;
    at::Tensor m_sigma, m_start;
};

} // namespace

std::unique_ptr<FakeQuantizer> makeLsqQuantizer(const FakeQuantizerOptions &options)
{
    return std::make_unique<LsqQuantizer>(options);
}

} // namespace core

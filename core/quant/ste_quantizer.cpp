#include "core/quant/ste_quantizer.h"

#include "core/base/error.h"
#include "core/quant/fake_quantizer_function.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <cmath>

namespace core {
namespace {

constexpr double momentum = 0.05, settlingSteps = 10;
constexpr double largestEnd = 1e37;      // a scale of the least bits still fits float32

double rangeEnd(double base, double reference, double now)
{
    if (base != 0 && reference != 0)
        return base * (now / reference);
    return std::abs(now) > std::abs(base) ? now : base;
}

/// The range, of which affineFromRange makes `start` or nearly, when the tensor at the start had `range`.
Range baseRange(const AffineParams &start, Range range, const AffineOptions &options)
{
    const AffineParams plain = affineFromRange(range, options);
    if (plain == start)
        return range;
    if (!options.symmetric && options.scaleType == ScaleType::Float)
        return representableRange(start);
    const double factor = double(start.scale) / double(plain.scale);
    return {range.min * factor, range.max * factor};
}

AffineParams following(const AffineParams &start, Range base, Range reference, Range now, const AffineOptions &options)
{
    if (now == reference)
        return start;
    const Range range{rangeEnd(base.min, reference.min, now.min), rangeEnd(base.max, reference.max, now.max)};
    if (!std::isfinite(range.min) || !std::isfinite(range.max))
        return start;
    return affineFromRange({std::max(range.min, -largestEnd), std::min(range.max, largestEnd)}, options);
}

class SteQuantizer : public FakeQuantizer {
public:
    explicit SteQuantizer(const FakeQuantizerOptions &options)
        : m_scheme(options.scheme), m_affine(options.scheme.affineOptions()), m_start(options.start)
    {
        m_pass.params = m_start;
        m_pass.round = m_scheme.roundMethod;
        m_fixed = m_scheme.observer == ObserverKind::Fixed && !m_scheme.bestObserver;
        m_fixed = m_fixed || m_scheme.dtype == QuantDtype::Float16 || m_scheme.dtype == QuantDtype::BFloat16 || m_scheme.dtype == QuantDtype::Int32;
    }

    QatMethod method() const override { return QatMethod::Ste; }

protected:
    at::Tensor quantized(const at::Tensor &r, PreClamp clamp, MinMax *seen)
    {
        m_pass.clamp = clamp;
        return isIntegerDtype(m_scheme.dtype) ? straightThrough(r, m_pass, seen) : castThrough(r, m_scheme.dtype, m_pass, seen);
    }

    Scheme m_scheme;
    AffineOptions m_affine;
    std::vector<AffineParams> m_start;
    QuantizerPass m_pass;
    bool m_fixed = false;
};

class SteActivation : public SteQuantizer {
public:
    explicit SteActivation(const FakeQuantizerOptions &options) : SteQuantizer(options)
    {
        m_pass.runs = std::make_shared<QuantizerRuns>();
        if (!m_fixed)
            m_base = baseRange(m_start[0], {std::min(options.startRange.min, 0.0), std::max(options.startRange.max, 0.0)}, m_affine);
    }

    at::Tensor operator()(const at::Tensor &given, PreClamp clamp) override
    {
        const at::Tensor r = asFloat(given);
        if (m_fixed)
            return quantized(r, clamp, nullptr);
        m_pass.params[0] = numbers();
        if (!at::GradMode::is_enabled() || flag(m_frozen) != 0)
            return quantized(r, clamp, nullptr);
        MinMax seen;
        const at::Tensor y = quantized(r, clamp, &seen);
        if (r.numel() > 0) {
            m_step.min = std::min(m_step.min, seen.min);
            m_step.max = std::max(m_step.max, seen.max);
            m_any = true;
        }
        return y;
    }

    std::vector<AffineParams> params() const override { return {numbers()}; }

    void afterStep() override
    {
        if (m_any && flag(m_frozen) == 0) {
            const double steps = ++flag(m_steps), weight = steps <= settlingSteps ? 1 / steps : momentum;
            double *average = m_average.data_ptr<double>();
            average[0] += weight * (double(m_step.min) - average[0]);
            average[1] += weight * (double(m_step.max) - average[1]);
            if (steps <= settlingSteps)
                std::copy_n(average, 2, m_reference.data_ptr<double>());
        }
        m_step = {};
        m_any = false;
    }

    void freezeAverages() override { flag(m_frozen) = 1; }

    std::vector<NamedTensor> state() const override
    {
        return {{"average", m_average}, {"reference", m_reference}, {"steps", m_steps}, {"frozen", m_frozen}};
    }

private:
    static double &flag(const at::Tensor &tensor) { return *tensor.data_ptr<double>(); }
    static Range rangeIn(const at::Tensor &tensor) { return {tensor.data_ptr<double>()[0], tensor.data_ptr<double>()[1]}; }
    AffineParams numbers() const { return m_fixed ? m_start[0] : following(m_start[0], m_base, rangeIn(m_reference), rangeIn(m_average), m_affine); }

    Range m_base;
    at::Tensor m_average = at::zeros({2}, at::kDouble), m_reference = at::zeros({2}, at::kDouble);
    at::Tensor m_steps = at::zeros({1}, at::kDouble), m_frozen = at::zeros({1}, at::kDouble);
    MinMax m_step;
    bool m_any = false;
};

class SteWeight : public SteQuantizer {
public:
    explicit SteWeight(const FakeQuantizerOptions &options) : SteQuantizer(options)
    {
        m_pass.runs = std::make_shared<QuantizerRuns>(m_scheme, options.initial.sizes(), m_start.size());
        m_range = at::zeros({std::int64_t(m_start.size()), 2}, at::kDouble);
        look(options.initial.detach().to(at::kFloat));
        m_startRange = m_range.clone();
    }

    at::Tensor operator()(const at::Tensor &given, PreClamp clamp) override
    {
        const at::Tensor r = asFloat(given);
        if (!m_fixed) {
            look(r.detach());
            m_pass.params = params();
        }
        return quantized(r, clamp, nullptr);
    }

    std::vector<AffineParams> params() const override
    {
        std::vector<AffineParams> result = m_start;
        if (m_fixed)
            return result;
        const double *now = m_range.data_ptr<double>(), *before = m_startRange.data_ptr<double>();
        for (std::size_t i = 0; i < result.size(); ++i) {
            const Range reference{before[2 * i], before[2 * i + 1]};
            const Range current{now[2 * i], now[2 * i + 1]};
            if (!(current == reference))
                result[i] = following(m_start[i], baseRange(m_start[i], reference, m_affine), reference, current, m_affine);
        }
        return result;
    }

    std::vector<NamedTensor> state() const override { return {{"range", m_range}, {"start_range", m_startRange}}; }

private:
    void look(const at::Tensor &r)
    {
        const std::vector<MinMax> ranges = rangesOf(r, *m_pass.runs);
        double *to = m_range.data_ptr<double>();
        for (const MinMax &range : ranges) {
            *to++ = range.min;
            *to++ = range.max;
        }
    }

    at::Tensor m_range, m_startRange;
};

class DynamicQuantizer : public FakeQuantizer {
public:
    DynamicQuantizer() { m_pass.runs = std::make_shared<QuantizerRuns>(); m_pass.params = {AffineParams{1.0f, 0, 0, 255}}; m_pass.unbounded = true; }

    at::Tensor operator()(const at::Tensor &given, PreClamp clamp) override
    {
        const at::Tensor r = asFloat(given);
        float low = 0, high = 0;
        if (r.numel() > 0) {
            const at::NoGradGuard guard;
            const auto [least, greatest] = at::aminmax(r.detach());
            low = std::min(0.0f, limited(least.item<float>(), clamp));
            high = std::max(0.0f, limited(greatest.item<float>(), clamp));
            if (!std::isfinite(least.item<float>()) || !std::isfinite(greatest.item<float>()))
                return at::clamp(r, clamp.low, clamp.high);
        }
        AffineParams &params = m_pass.params[0];
        params.scale = high > low ? (high - low) / 255.0f : 1.0f;
        params.zeroPoint = std::int32_t(std::clamp(std::nearbyint(-low / params.scale), 0.0f, 255.0f));
        m_pass.clamp = clamp;
        return straightThrough(r, m_pass);
    }

    std::vector<AffineParams> params() const override { return m_pass.params; }
    QatMethod method() const override { return QatMethod::Ste; }
    std::vector<NamedTensor> state() const override { return {}; }

private:
    static float limited(float r, PreClamp clamp) { return r < clamp.low ? clamp.low : r > clamp.high ? clamp.high : r; }
    QuantizerPass m_pass;
};

} // namespace

std::unique_ptr<FakeQuantizer> makeSteQuantizer(const FakeQuantizerOptions &options)
{
    if (options.kind == PointKind::Activation)
        return std::make_unique<SteActivation>(options);
    return std::make_unique<SteWeight>(options);
}

std::unique_ptr<FakeQuantizer> makeDynamicQuantizer(const FakeQuantizerOptions &)
{
    return std::make_unique<DynamicQuantizer>();
}

} // namespace core

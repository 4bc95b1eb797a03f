#include "core/quant/fake_quantizer_pass.h"

#include "core/base/error.h"
#include "core/kernels/range.h"
#include "core/quant/quantized_model.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>

namespace core {
namespace {

constexpr std::int64_t block = 16384;        // elements of a task where one entry rules all
constexpr std::int64_t chunk = 4096;         // of them that stay in the nearest cache while they are looked at twice
constexpr std::int64_t shortest = 16;        // runs that vectors are worth
constexpr float roundingBias = 12582912.0f;  // 1.5·2^23: adding and taking it away rounds half to even

float lowOf(const AffineParams &params) { return float(std::int64_t(params.qmin) - params.zeroPoint); }
float highOf(const AffineParams &params) { return float(std::int64_t(params.qmax) - params.zeroPoint); }
bool wide(const AffineParams &params) { return std::int64_t(params.qmax) - params.qmin >= (1 << 24); }
float clamped(float r, PreClamp clamp) { return r < clamp.low ? clamp.low : r > clamp.high ? clamp.high : r; }

/// v rounded between whole numbers low and high; NaN gives low. Never −0, as codes never are.
float centredCode(float v, float low, float high, RoundMethod method)
{
    v = v > low ? v : low;
    v = v < high ? v : high;
    switch (method) {
    case RoundMethod::HalfEven: return (v + roundingBias) - roundingBias;
    case RoundMethod::HalfAwayFromZero: return std::round(v) + 0.0f;
    case RoundMethod::Floor: return std::floor(v) + 0.0f;
    }
    return v;
}

void plainForward(const float *x, float *y, std::int64_t count, const AffineParams &params, const QuantizerPass &pass)
{
    const float low = lowOf(params), high = highOf(params);
    for (std::int64_t i = 0; i < count; ++i) {
        const float r = clamped(x[i], pass.clamp);
        if (wide(params))
            y[i] = float(quantize(double(r), params, pass.round) - params.zeroPoint) * params.scale;
        else
            y[i] = centredCode(r / params.scale, low, high, pass.round) * params.scale;
    }
}

double plainToScale(const float *r, const float *g, float *gx, std::int64_t count, const AffineParams &params, const QuantizerPass &pass)
{
    const float low = lowOf(params), high = highOf(params);
    double sum = 0;
    for (std::int64_t i = 0; i < count; ++i) {
        const float v = clamped(r[i], pass.clamp) / params.scale;
        const bool inside = v >= low && v <= high;
        gx[i] = inside && r[i] > pass.clamp.low && r[i] < pass.clamp.high ? g[i] : 0.0f;
        sum += double(g[i]) * (double(centredCode(v, low, high, pass.round)) - (inside ? double(v) : 0.0));
    }
    return sum;
}

void plainPass(const float *r, const float *g, float *gx, std::int64_t count, const AffineParams &params, const QuantizerPass &pass)
{
    const float low = lowOf(params), high = highOf(params);
    for (std::int64_t i = 0; i < count; ++i) {
        const float v = r[i] / params.scale;
        gx[i] = v >= low && v <= high && r[i] > pass.clamp.low && r[i] < pass.clamp.high ? g[i] : 0.0f;
    }
}

GradientWindow windowOf(const AffineParams &params, const QuantizerPass &pass)
{
    return pass.unbounded ? GradientWindow{pass.clamp.low, pass.clamp.high} : gradientWindow(params, pass.clamp);
}

bool needsPlain(const QuantizerPass &pass)
{
    return pass.runs->shortRuns() || pass.round != RoundMethod::HalfEven
        || std::any_of(pass.params.begin(), pass.params.end(), [](const AffineParams &params) { return wide(params); });
}

template <class Body>
void overRuns(const QuantizerRuns &runs, std::int64_t elements, const Body &body)
{
    at::parallel_for(0, runs.tasks(elements), runs.tasksAtOnce(), [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t task = begin; task < end; ++task)
            body(task, runs.at(task, elements));
    });
}

/// y lies in memory as `like` did before it was arranged.
at::Tensor asGiven(const at::Tensor &y, const at::Tensor &arranged, const at::Tensor &given)
{
    if (arranged.is_same(given) || !given.is_non_overlapping_and_dense())
        return y;
    return at::empty_like(given).copy_(y);
}

at::Tensor alike(const at::Tensor &g, const at::Tensor &x)
{
    if (g.scalar_type() == at::kFloat && g.strides() == x.strides() && g.sizes() == x.sizes())
        return g;
    return at::empty_like(x).copy_(g);
}

MinMax scanned(const float *x, std::int64_t count)
{
    if (count < shortest) {
        MinMax found;
        for (std::int64_t i = 0; i < count; ++i)
            if (std::isfinite(x[i]))
                found = {std::min(found.min, x[i]), std::max(found.max, x[i])};
        return found;
    }
    RangeScan scan;
    scanRange(x, std::size_t(count), scan);
    return {std::min(scan.min, 0.0f), std::max(scan.max, 0.0f)};
}

void join(MinMax &all, const MinMax &part)
{
    all.min = std::min(all.min, part.min);
    all.max = std::max(all.max, part.max);
}

} // namespace

QuantizerRuns::QuantizerRuns(const Scheme &scheme, at::IntArrayRef sizes, std::size_t entries)
    : m_entries(entries), m_sizes(sizes.begin(), sizes.end())
{
    if (entries == 1)
        return;
    const std::int64_t elements = c10::multiply_integers(sizes);
    const ParamLayout layout(scheme, m_sizes);
    if (layout.count() != std::int64_t(entries) && std::int64_t(entries) != elements)
        throw Error(ErrorKind::InvalidInput, "fake quantizer", std::to_string(entries) + " scales do not fit a tensor of " + std::to_string(elements)
                    + " elements with " + std::to_string(layout.count()) + " channels or groups; calibrate again.");
    const bool own = layout.count() != std::int64_t(entries);
    m_period = elements;
    if (!own && layout.groups() == 1) {
        std::int64_t inner = 1;
        for (std::size_t d = std::size_t(layout.channelAxis()) + 1; d < m_sizes.size(); ++d)
            inner *= m_sizes[d];
        m_outermost = layout.channels() * inner == elements;
        m_period = layout.channels() * inner;
        for (std::int64_t channel = 0; channel < layout.channels() && m_period > 0; ++channel)
            m_runs.push_back({channel * inner, inner, std::size_t(channel)});
    } else {
        for (std::int64_t i = 0; i < elements; ++i) {
            const std::size_t entry = own ? std::size_t(i) : layout.of(i);
            if (!m_runs.empty() && m_runs.back().entry == entry)
                ++m_runs.back().count;
            else
                m_runs.push_back({i, 1, entry});
        }
    }
    m_shortRuns = !m_runs.empty() && m_period / std::int64_t(m_runs.size()) < shortest;
}

std::int64_t QuantizerRuns::tasks(std::int64_t elements) const
{
    if (single())
        return (elements + block - 1) / block;
    return elements / m_period * std::int64_t(m_runs.size());
}

QuantizerRuns::Run QuantizerRuns::at(std::int64_t task, std::int64_t elements) const
{
    if (single())
        return {task * block, std::min(block, elements - task * block), 0};
    Run run = m_runs[std::size_t(task) % m_runs.size()];
    run.begin += task / std::int64_t(m_runs.size()) * m_period;
    return run;
}

std::int64_t QuantizerRuns::tasksAtOnce() const
{
    return single() ? 2 : std::max<std::int64_t>(1, 2 * block * std::int64_t(m_runs.size()) / m_period);
}

std::vector<std::int64_t> QuantizerRuns::elementsOfEntries(std::int64_t elements) const
{
    std::vector<std::int64_t> counts(m_entries);
    for (std::int64_t task = 0; task < tasks(elements); ++task) {
        const Run run = at(task, elements);
        counts[run.entry] += run.count;
    }
    return counts;
}

at::Tensor QuantizerRuns::arranged(const at::Tensor &x) const
{
    if (m_entries > 1 && x.sizes() != at::IntArrayRef(m_sizes))
        throw Error(ErrorKind::Internal, "fake quantizer", "A tensor of other sizes arrived than its scales were made for.");
    const bool dense = x.is_non_overlapping_and_dense();
    if (single() ? dense : m_outermost && dense && x.stride(0) * x.size(0) == x.numel())
        return x;
    return x.contiguous();
}

at::Tensor fakeQuantized(const at::Tensor &r, const QuantizerPass &pass, MinMax *seen, PassMask *mask)
{
    const at::Tensor x = pass.runs->arranged(r);
    const at::Tensor y = at::empty_like(x);
    const float *from = x.data_ptr<float>();
    float *to = y.data_ptr<float>();
    const std::int64_t elements = x.numel();
    const bool plain = needsPlain(pass);
    std::vector<MinMax> parts(seen ? std::size_t(pass.runs->tasks(elements)) : 0);
    GradientWindow window;
    std::int64_t maskStride = 0;
    if (mask) {
        window = windowOf(pass.params[0], pass);
        maskStride = std::int64_t(passMaskBytes(chunk));
        mask->sizes = x.sizes().vec();
        mask->strides = x.strides().vec();
        mask->bits.resize(std::size_t((elements + chunk - 1) / chunk * maskStride));
    }
    overRuns(*pass.runs, elements, [&](std::int64_t task, const QuantizerRuns::Run &run) {
        const AffineParams &params = pass.params[run.entry];
        const std::int64_t end = run.begin + run.count;
        for (std::int64_t i = run.begin; i < end; i += chunk) {
            const std::int64_t count = std::min(chunk, end - i);
            if (seen)
                join(parts[std::size_t(task)], scanned(from + i, count));
            if (mask)
                makePassMask(from + i, mask->bits.data() + i / chunk * maskStride, std::size_t(count), window);
            if (plain)
                plainForward(from + i, to + i, count, params, pass);
            else
                fakeQuantize(from + i, to + i, std::size_t(count), params, pass.clamp);
        }
    });
    if (seen) {
        for (const MinMax &part : parts)
            join(*seen, part);
        *seen = {std::min(clamped(seen->min, pass.clamp), 0.0f), std::max(clamped(seen->max, pass.clamp), 0.0f)};
    }
    return asGiven(y, x, r);
}

at::Tensor passed(const at::Tensor &r, const at::Tensor &g, const QuantizerPass &pass)
{
    const at::Tensor x = pass.runs->arranged(r), gradient = alike(g, x), gx = at::empty_like(x);
    const float *from = x.data_ptr<float>(), *source = gradient.data_ptr<float>();
    float *to = gx.data_ptr<float>();
    const bool plain = pass.runs->shortRuns();
    const GradientWindow all = pass.runs->single() ? windowOf(pass.params[0], pass) : GradientWindow{};
    overRuns(*pass.runs, x.numel(), [&](std::int64_t, const QuantizerRuns::Run &run) {
        const AffineParams &params = pass.params[run.entry];
        const std::int64_t i = run.begin;
        if (plain)
            plainPass(from + i, source + i, to + i, run.count, params, pass);
        else
            passGradient(from + i, source + i, to + i, std::size_t(run.count), pass.runs->single() ? all : windowOf(params, pass));
    });
    return asGiven(gx, x, r);
}

at::Tensor passedByMask(const PassMask &mask, const at::Tensor &g)
{
    const at::Tensor gx = at::empty_strided(mask.sizes, mask.strides, g.options().dtype(at::kFloat));
    const at::Tensor gradient = alike(g, gx);
    const float *source = gradient.data_ptr<float>();
    float *to = gx.data_ptr<float>();
    const auto stride = std::int64_t(passMaskBytes(chunk));
    const std::int64_t elements = gx.numel();
    overRuns(QuantizerRuns(), elements, [&](std::int64_t, const QuantizerRuns::Run &run) {
        for (std::int64_t i = run.begin; i < run.begin + run.count; i += chunk)
            passGradientByMask(mask.bits.data() + i / chunk * stride, source + i, to + i, std::size_t(std::min(chunk, run.begin + run.count - i)));
    });
    return gx;
}

at::Tensor passedToScale(const at::Tensor &r, const at::Tensor &g, const QuantizerPass &pass, std::vector<double> &sums)
{
    const at::Tensor x = pass.runs->arranged(r), gradient = alike(g, x), gx = at::empty_like(x);
    const float *from = x.data_ptr<float>(), *source = gradient.data_ptr<float>();
    float *to = gx.data_ptr<float>();
    const bool plain = needsPlain(pass);
    const std::int64_t elements = x.numel();
    std::vector<double> parts(std::size_t(pass.runs->tasks(elements)));
    overRuns(*pass.runs, elements, [&](std::int64_t task, const QuantizerRuns::Run &run) {
        const AffineParams &params = pass.params[run.entry];
        const std::int64_t i = run.begin;
        parts[std::size_t(task)] = plain ? plainToScale(from + i, source + i, to + i, run.count, params, pass)
                                         : passGradientToScale(from + i, source + i, to + i, std::size_t(run.count), params, pass.clamp);
    });
    sums.assign(pass.runs->entries(), 0.0);
    for (std::size_t task = 0; task < parts.size(); ++task)
        sums[pass.runs->at(std::int64_t(task), elements).entry] += parts[task];
    return asGiven(gx, x, r);
}

std::vector<MinMax> rangesOf(const at::Tensor &r, const QuantizerRuns &runs)
{
    const at::Tensor x = runs.arranged(r);
    const float *from = x.data_ptr<float>();
    const std::int64_t elements = x.numel();
    std::vector<MinMax> parts(std::size_t(runs.tasks(elements)));
    overRuns(runs, elements, [&](std::int64_t task, const QuantizerRuns::Run &run) { parts[std::size_t(task)] = scanned(from + run.begin, run.count); });
    std::vector<MinMax> ranges(runs.entries());
    for (std::size_t task = 0; task < parts.size(); ++task)
        join(ranges[runs.at(std::int64_t(task), elements).entry], parts[task]);
    return ranges;
}

} // namespace core

#include "core/quant/fake_quantizer_function.h"

#include "core/exec/op_common.h"

#include <ATen/ATen.h>
#include <ATen/core/ivalue.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>

namespace core {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

struct Kept : torch::CustomClassHolder {
    QuantizerPass pass;
    PassMask mask;
    std::vector<double> factors;
};

void keep(AutogradContext *context, c10::intrusive_ptr<Kept> kept)
{
    context->saved_data["kept"] = c10::IValue::make_capsule(std::move(kept));
}

c10::intrusive_ptr<Kept> keptBy(AutogradContext *context)
{
    return c10::static_intrusive_pointer_cast<Kept>(context->saved_data.at("kept").toCapsule());
}

struct StraightThrough : Function<StraightThrough> {
    static at::Tensor forward(AutogradContext *context, const at::Tensor &r, const QuantizerPass *pass, MinMax *seen)
    {
        auto kept = c10::make_intrusive<Kept>();
        kept->pass = *pass;
        const bool single = pass->runs->single();
        at::Tensor y = fakeQuantized(r, *pass, seen, single ? &kept->mask : nullptr);
        if (!single)
            context->save_for_backward({r});
        keep(context, std::move(kept));
        return y;
    }

    static variable_list backward(AutogradContext *context, const variable_list &gradients)
    {
        const auto kept = keptBy(context);
        const variable_list saved = context->get_saved_variables();
        at::Tensor gradient = saved.empty() ? passedByMask(kept->mask, gradients[0]) : passed(saved[0], gradients[0], kept->pass);
        return {gradient, {}, {}};
    }
};

struct ScaleGradient : Function<ScaleGradient> {
    static at::Tensor forward(AutogradContext *context, const at::Tensor &r, const at::Tensor &, const QuantizerPass *pass, const std::vector<double> *factors)
    {
        auto kept = c10::make_intrusive<Kept>();
        kept->pass = *pass;
        kept->factors = *factors;
        context->save_for_backward({r});
        keep(context, std::move(kept));
        return fakeQuantized(r, *pass);
    }

    static variable_list backward(AutogradContext *context, const variable_list &gradients)
    {
        const auto kept = keptBy(context);
        std::vector<double> sums;
        at::Tensor gradient = passedToScale(context->get_saved_variables()[0], gradients[0], kept->pass, sums);
        at::Tensor parameter = at::empty({std::int64_t(sums.size())}, at::kFloat);
        for (std::size_t i = 0; i < sums.size(); ++i)
            parameter.data_ptr<float>()[i] = float(kept->factors[i] * sums[i]);
        return {gradient, parameter, {}, {}};
    }
};

struct MaskedCast : Function<MaskedCast> {
    static at::Tensor forward(AutogradContext *context, const at::Tensor &, const at::Tensor *y, const at::Tensor *mask)
    {
        context->save_for_backward({*mask});
        return *y;
    }

    static variable_list backward(AutogradContext *context, const variable_list &gradients)
    {
        return {at::where(context->get_saved_variables()[0], gradients[0], at::zeros({}, at::kFloat)), {}, {}};
    }
};

bool differentiates(const at::Tensor &r)
{
    return at::GradMode::is_enabled() && r.requires_grad();
}

/// Scales that broadcast against x.
at::Tensor scalesOf(const at::Tensor &x, const QuantizerPass &pass)
{
    if (pass.params.size() == 1)
        return at::scalar_tensor(pass.params[0].scale, at::kFloat);
    at::Tensor scales = at::empty(x.sizes(), at::kFloat);
    float *to = scales.data_ptr<float>();
    const QuantizerRuns &runs = *pass.runs;
    for (std::int64_t task = 0; task < runs.tasks(scales.numel()); ++task) {
        const QuantizerRuns::Run run = runs.at(task, scales.numel());
        std::fill(to + run.begin, to + run.begin + run.count, pass.params[run.entry].scale);
    }
    return scales;
}

} // namespace

at::Tensor straightThrough(const at::Tensor &r, const QuantizerPass &pass, MinMax *seen)
{
    return differentiates(r) ? StraightThrough::apply(r, &pass, seen) : fakeQuantized(r.detach(), pass, seen);
}

at::Tensor withScaleGradient(const at::Tensor &r, const at::Tensor &parameter, const QuantizerPass &pass, const std::vector<double> &factors)
{
    return at::GradMode::is_enabled() ? ScaleGradient::apply(r, parameter, &pass, &factors) : fakeQuantized(r.detach(), pass);
}

at::Tensor castThrough(const at::Tensor &r, QuantDtype dtype, const QuantizerPass &pass, MinMax *seen)
{
    const bool eight = dtype == QuantDtype::Fp8E4M3 || dtype == QuantDtype::Fp8E5M2;
    const bool differentiable = differentiates(r);
    const at::NoGradGuard guard;
    const at::Tensor given = r.detach(), x = given.clamp(pass.clamp.low, pass.clamp.high);
    at::Tensor mask, y;
    if (differentiable)
        mask = given.gt(pass.clamp.low).logical_and_(given.lt(pass.clamp.high));
    if (eight) {
        const at::Tensor scales = scalesOf(x, pass), ratio = x / scales;
        y = convertTo(ratio, storageType(dtype), true, "fake quantizer") * scales;
        if (differentiable)
            mask.logical_and_(ratio.abs().le(double(pass.params[0].qmax)));
    } else {
        y = convertTo(x, storageType(dtype), true, "fake quantizer");
    }
    if (y.strides() != given.strides() && given.is_non_overlapping_and_dense())
        y = at::empty_like(given).copy_(y);
    if (seen && x.numel() > 0)
        *seen = rangesOf(x, QuantizerRuns())[0];
    if (!differentiable)
        return y;
    const at::AutoGradMode enabled(true);
    return MaskedCast::apply(r, &y, &mask);
}

at::Tensor asFloat(const at::Tensor &r)
{
    return r.scalar_type() == at::kFloat ? r : r.to(at::kFloat);
}

} // namespace core

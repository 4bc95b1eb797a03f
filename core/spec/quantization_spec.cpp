#include "core/spec/quantization_spec.h"

#include "core/spec/spec_fields.h"

namespace core {

bool QuantizationSpec::empty() const
{
    return *this == QuantizationSpec{};
}

void QuantizationSpec::overlay(const QuantizationSpec &over)
{
    if (over.observer && !over.bestObserver)
        bestObserver.reset();
    if (over.bestObserver && *over.bestObserver && !over.observer)
        observer.reset();
    const auto replace = [](auto &field, const auto &by) {
        if (by)
            field = by;
    };
    replace(dtype, over.dtype);
    replace(qscheme, over.qscheme);
    replace(chAxis, over.chAxis);
    replace(groupSize, over.groupSize);
    replace(symmetric, over.symmetric);
    replace(observer, over.observer);
    replace(bestObserver, over.bestObserver);
    replace(percentile, over.percentile);
    replace(fixedRange, over.fixedRange);
    replace(scaleType, over.scaleType);
    replace(pof2Rounding, over.pof2Rounding);
    replace(narrowRange, over.narrowRange);
    replace(roundMethod, over.roundMethod);
    replace(isDynamic, over.isDynamic);
    replace(qat, over.qat);
}

void QuantizationConfig::overlay(const QuantizationConfig &over)
{
    inputTensors.overlay(over.inputTensors);
    outputTensors.overlay(over.outputTensors);
    weight.overlay(over.weight);
    bias.overlay(over.bias);
}

AffineOptions Scheme::affineOptions() const
{
    AffineOptions options;
    options.dtype = dtype;
    options.symmetric = symmetric;
    options.narrow = narrow;
    options.reduced = reduced;
    options.scaleType = scaleType;
    options.rounding = pof2Rounding;
    return options;
}

ObserverOptions Scheme::observerOptions() const
{
    ObserverOptions options;
    options.kind = observer;
    options.percentile = percentile;
    options.fixedRange = fixedRange;
    options.affine = affineOptions();
    return options;
}

std::string Scheme::badge() const
{
    std::string text(quantDtypeBadge(dtype));
    if (!isIntegerDtype(dtype))
        return text;
    if (granularity == Granularity::PerChannel)
        text += 'c';
    else if (granularity == Granularity::PerGroup)
        text += 'g';
    return text;
}

} // namespace core

#include "core/spec/training_recipe.h"

#include "core/spec/spec_fields.h"

namespace core {
namespace {

QuantDtype signedLike(QuantDtype dtype)
{
    switch (dtype) {
    case QuantDtype::UInt4: return QuantDtype::Int4;
    case QuantDtype::UInt8: return QuantDtype::Int8;
    case QuantDtype::UInt16: return QuantDtype::Int16;
    default: return dtype;
    }
}

/// `field` of the user's own spec becomes `value` unless the user set it.
template <class T> bool suggest(std::optional<T> &field, const std::optional<T> &effective, T value)
{
    if (field)
        return false;
    field = value;
    return effective && *effective != value;
}

} // namespace

Recipe trainingRecipe(const Recipe &recipe, TrainMethod method, Diagnostics *changes)
{
    Recipe result = recipe;
    if (method != TrainMethod::Lsq && method != TrainMethod::Tqt)
        return result;
    const QuantizationConfig effective = effectiveConfig(recipe).global;
    const auto set = [&](QuantizationSpec &own, const QuantizationSpec &now, const char *role) {
        const QuantDtype dtype = now.dtype.value_or(QuantDtype::Int8);
        if (!isIntegerDtype(dtype))
            return;
        suggest(own.qat, now.qat, method == TrainMethod::Lsq ? QatMethod::Lsq : QatMethod::Tqt);
        if (method == TrainMethod::Lsq)
            return;
        bool differs = suggest(own.dtype, std::optional(dtype), signedLike(dtype));
        differs |= suggest(own.symmetric, now.symmetric, true);
        differs |= suggest(own.qscheme, now.qscheme, Granularity::PerTensor);
        suggest(own.scaleType, now.scaleType, ScaleType::PowerOfTwo);
        suggest(own.narrowRange, now.narrowRange, false);
        if (differs && changes)
            changes->push_back({Severity::Note, "tqt-scheme", "", "TQT trains one signed, symmetric threshold a tensor; " + std::string(role) + " of preset '"
                                                                       + recipe.preset + "' were set to that."});
    };
    QuantizationConfig &own = result.config.global;
    set(own.inputTensors, effective.inputTensors, "the inputs");
    set(own.outputTensors, effective.outputTensors, "the outputs");
    set(own.weight, effective.weight, "the weights");
    return result;
}

} // namespace core

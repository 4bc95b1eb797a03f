// The fields of a QuantizationSpec by their written names, and the written names of their values: one list for
// overlaying, resolving with provenance, and JSON.
#pragma once

#include "core/spec/quantization_spec.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace core {

/// Calls f(name, field) for every field, in the order of QUANTIZATION.md §1. `Spec` may be const.
template <class Spec, class F>
void forEachField(Spec &spec, F &&f)
{
    f("dtype", spec.dtype);
    f("qscheme", spec.qscheme);
    f("ch_axis", spec.chAxis);
    f("group_size", spec.groupSize);
    f("symmetric", spec.symmetric);
    f("observer", spec.observer);
    f("best_observer", spec.bestObserver);
    f("percentile", spec.percentile);
    f("fixed_range", spec.fixedRange);
    f("scale_type", spec.scaleType);
    f("pof2_rounding", spec.pof2Rounding);
    f("symmetric_range", spec.narrowRange);
    f("round_method", spec.roundMethod);
    f("is_dynamic", spec.isDynamic);
    f("qat", spec.qat);
}

/// Calls f(role name, spec) for input_tensors, output_tensors, weight, bias.
template <class QConfig, class F>
void forEachRole(QConfig &config, F &&f)
{
    f("input_tensors", config.inputTensors);
    f("output_tensors", config.outputTensors);
    f("weight", config.weight);
    f("bias", config.bias);
}

std::string_view enumName(QuantDtype value);
std::string_view enumName(Granularity value);
std::string_view enumName(ObserverKind value);
std::string_view enumName(ScaleType value);
std::string_view enumName(PowerOfTwoRounding value);
std::string_view enumName(RoundMethod value);
std::string_view enumName(QatMethod value);

/// nullopt when `name` is none of enumNames<E>().
template <class E> std::optional<E> enumFromName(std::string_view name);
/// The accepted names, for error messages.
template <class E> std::vector<std::string> enumNames();

} // namespace core
